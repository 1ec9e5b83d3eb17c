//! Checks of small cities whose faults are known.

mod drafts;
mod lineage;

use citymap_planning::{
    CheckError, CheckHooks, CheckKind, CheckOptions, CheckResult, FaultState, check, compare,
};

use super::*;

/// Parcels with these keys.
fn plots(rows: Vec<(&str, Geometry)>) -> Arc<LayerSnapshot> {
    let fields = vec![Field::new("key", FieldType::Text)];
    let rows = rows.into_iter().map(|(key, geometry)| (geometry, vec![text(key)]));
    snapshot(layer("parcels", Role::Parcel, GeometryKind::Polygon, fields), rows.collect())
}

fn run(city: &City, kind: CheckKind) -> CheckResult {
    run_with(city, kind, &CheckOptions::default())
}

fn run_with(city: &City, kind: CheckKind, options: &CheckOptions) -> CheckResult {
    check(city, kind, options, &CheckHooks::default()).unwrap()
}

/// The keys of the faults.
fn keys(result: &CheckResult) -> Vec<&str> {
    result.faults.iter().map(|fault| fault.key.as_str()).collect()
}

/// Two rows of parcels of 10 m: `b` reaches 0.2 m into `a`, a slit of 4 cm by 6 m is enclosed between `c`
/// and `d`, and a courtyard of 10 m by 10 m is enclosed too.
fn faulty() -> City {
    city([plots(vec![
        ("a", rect(0.0, 0.0, 10.0, 10.0)),
        ("b", rect(9.8, 0.0, 20.0, 10.0)),
        ("c", polygon(&[[20.0, 0.0], [30.0, 0.0], [30.0, 10.0], [20.0, 10.0], [20.0, 0.0]])),
        ("d", {
            let west = [[30.0, 10.0], [30.0, 8.0], [30.04, 7.0], [30.04, 3.0], [30.0, 2.0]];
            polygon(&[&[[30.0, 0.0], [40.0, 0.0], [40.0, 10.0]][..], &west[..]].concat())
        }),
        ("far", rect(500.0, 0.0, 510.0, 10.0)),
        ("ring", {
            let outer: LineString<f64> =
                [[100.0, 0.0], [130.0, 0.0], [130.0, 30.0], [100.0, 30.0], [100.0, 0.0]]
                    .iter()
                    .map(|at| lonlat(*at))
                    .collect();
            let hole: LineString<f64> =
                [[110.0, 10.0], [120.0, 10.0], [120.0, 20.0], [110.0, 20.0], [110.0, 10.0]]
                    .iter()
                    .map(|at| lonlat(*at))
                    .collect();
            Polygon::new(outer, vec![hole]).into()
        }),
    ])])
}

#[test]
fn overlaps_of_parcels_count_once_with_their_area() {
    let found = run(&faulty(), CheckKind::ParcelOverlaps);
    assert_eq!(keys(&found), ["parcels/a|parcels/b"]);
    assert!(near(found.faults[0].measure, 2.0) && near(found.measure, 2.0), "{found:?}");
    assert_eq!((found.checked, found.found), (6, 1));
    let tolerant = CheckOptions { area_tolerance: 2.5, ..CheckOptions::default() };
    assert_eq!(run_with(&faulty(), CheckKind::ParcelOverlaps, &tolerant).found, 0);
    let none = CheckOptions { faults_max: 0, ..CheckOptions::default() };
    let counted = run_with(&faulty(), CheckKind::ParcelOverlaps, &none);
    assert_eq!((counted.found, counted.faults.len()), (1, 0), "all are counted");
}

#[test]
fn a_narrow_hole_is_a_gap_and_a_courtyard_is_none() {
    let found = run(&faulty(), CheckKind::ParcelGaps);
    // A trapezium between the two: 5 m on average by 4 cm.
    assert_eq!(found.found, 1, "{found:?}");
    assert!(near(found.measure, 0.2), "{found:?}");
    assert!(found.faults[0].reason.get("en").contains("0.033 m wide"), "{:?}", found.faults[0].reason);
    let wide = CheckOptions { gap_width: 6.0, ..CheckOptions::default() };
    assert_eq!(
        run_with(&faulty(), CheckKind::ParcelGaps, &wide).found,
        2,
        "with the courtyard, 5 m on average"
    );
}

#[test]
fn boundaries_that_nearly_meet_are_named_with_the_distance() {
    let found = run(&faulty(), CheckKind::NearEdges);
    assert_eq!(
        keys(&found),
        ["parcels/c|parcels/d"],
        "an overlap of 0.2 m is none, and meeting edges are none"
    );
    assert!((found.measure - 0.04).abs() < 1e-4, "{found:?}");
    let close = CheckOptions { near_distance: 0.03, ..CheckOptions::default() };
    assert_eq!(run_with(&faulty(), CheckKind::NearEdges, &close).found, 0);
}

#[test]
fn zones_are_checked_within_one_level_and_between_levels() {
    let west = rect(-50.0, -50.0, 10.0, 50.0);
    let zones = zones(vec![
        ("a", "QHPK", "CX", "2015-01-01", west.clone()),
        ("b", "Quy hoạch phân khu", "CX", "2015-01-01", rect(9.0, -50.0, 50.0, 50.0)),
        ("c", "QHC", "O_HH", "2010-01-01", rect(-50.0, -50.0, 50.0, 50.0)),
        ("d", "QHCT", "cx", "2018-01-01", west),
    ]);
    let city = city([parcels(), zones]);
    let overlaps = run(&city, CheckKind::ZoneOverlaps);
    assert_eq!(keys(&overlaps), ["zones/a|zones/b"]);
    assert!(near(overlaps.measure, 100.0), "{overlaps:?}");
    assert!(overlaps.faults[0].reason.get("en").ends_with("(QHPK)"));
    let conflicts = run(&city, CheckKind::LevelConflicts);
    assert_eq!(keys(&conflicts), ["zones/a|zones/c", "zones/b|zones/c", "zones/c|zones/d"]);
    assert!(conflicts.faults[0].reason.get("vi").starts_with("QHC: "), "{:?}", conflicts.faults[0].reason);
}

#[test]
fn parcels_without_a_plan_and_those_that_roads_cut_agree_with_the_report() {
    let zone = zones(vec![("z", "QHPK", "CX", "2015-01-01", rect(-50.0, -50.0, 10.0, 50.0))]);
    let roads = roads(vec![("r", 8.0, vec![[-50.0, -2.0], [600.0, -2.0]])]);
    let plots = plots(vec![
        ("p1", rect(0.0, 0.0, 20.0, 30.0)),
        ("p2", rect(20.0, 0.0, 40.0, 30.0)),
        ("p3", rect(500.0, 10.0, 520.0, 30.0)),
    ]);
    let city = city([plots, zone, roads]);
    let unplanned = run(&city, CheckKind::UnplannedParcels);
    assert_eq!(keys(&unplanned), ["parcels/p2", "parcels/p3"]);
    assert!(near(unplanned.measure, 1_000.0), "{unplanned:?}");
    let cut = run(&city, CheckKind::RightOfWay);
    assert_eq!(keys(&cut), ["parcels/p1", "parcels/p2"]);
    let report = report(&city);
    assert!(near(cut.faults[0].measure, report.right_of_way.cut), "{cut:?}");
    assert_eq!(cut.faults[0].subjects[1].id, "r");
}

#[test]
fn two_runs_are_compared_and_a_cancelled_one_ends() {
    let before = run(&faulty(), CheckKind::ParcelOverlaps).faults;
    let mended = city([plots(vec![
        ("a", rect(0.0, 0.0, 9.8, 10.0)),
        ("b", rect(9.8, 0.0, 20.0, 10.0)),
        ("c", rect(19.0, 0.0, 30.0, 10.0)),
    ])]);
    let after = run(&mended, CheckKind::ParcelOverlaps).faults;
    let states: Vec<_> =
        compare(before, after).into_iter().map(|(fault, state)| (fault.key, state)).collect();
    assert_eq!(
        states,
        [
            ("parcels/b|parcels/c".to_owned(), FaultState::New),
            ("parcels/a|parcels/b".to_owned(), FaultState::Gone)
        ]
    );
    let hooks = CheckHooks::default();
    hooks.cancel.cancel();
    for kind in CheckKind::ALL {
        let city = city([
            parcels(),
            zones(vec![("z", "QHC", "CX", "2015-01-01", rect(0.0, 0.0, 9.0, 9.0))]),
            roads(vec![("r", 8.0, vec![[-50.0, -2.0], [50.0, -2.0]])]),
        ]);
        let ended = check(&city, kind, &CheckOptions::default(), &hooks);
        assert!(matches!(ended, Err(CheckError::Engine(_))), "{kind:?}: {ended:?}");
    }
    let nothing =
        check(&City::default(), CheckKind::ParcelGaps, &CheckOptions::default(), &CheckHooks::default());
    assert!(nothing.unwrap_err().to_string().contains("role `parcel`"));
}
