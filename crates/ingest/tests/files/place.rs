//! Where data lies: every coordinate system, known or asked for, is held against the coordinates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{City, city};
use citymap_crs::{Crs, Transform};
use citymap_ingest::{ImportError, IssueKind, Report, Request};
use geo_types::Geometry;

/// Places in the city, WGS 84.
const PLACES: [[f64; 2]; 4] = [[106.698, 10.7725], [106.7, 10.78], [106.75, 10.85], [106.66, 10.76]];

fn crs(code: u32) -> Crs {
    Crs::new(code).unwrap()
}

fn written(code: u32, [lon, lat]: [f64; 2], exchanged: bool) -> [f64; 2] {
    let [x, y] = Transform::new(Crs::WGS84, crs(code)).unwrap().point([lon, lat]).unwrap();
    if exchanged { [y, x] } else { [x, y] }
}

fn table(names: [&str; 2], rows: &[[f64; 2]]) -> String {
    let rows: String = rows.iter().enumerate().map(|(i, [x, y])| format!("{i},{x},{y}\n")).collect();
    format!("ten,{},{}\n{rows}", names[0], names[1])
}

/// The farthest that a feature came from its place, degrees.
fn off(city: &City, places: &[[f64; 2]]) -> f64 {
    let features = city.features("test");
    assert_eq!(features.len(), places.len());
    let away = features.iter().zip(places).map(|(feature, place)| match &feature.geometry {
        Some(Geometry::Point(at)) => (at.x() - place[0]).abs().max((at.y() - place[1]).abs()),
        other => panic!("{other:?}"),
    });
    away.fold(0.0, f64::max)
}

fn notes(report: &Report) -> String {
    report.layers[0].issues.iter().map(|issue| issue.reason.clone()).collect::<Vec<_>>().join("\n")
}

fn with_crs(code: u32) -> impl FnOnce(&mut Request) {
    move |request| request.crs = Some(crs(code))
}

/// Axis orders × systems: what is imported lies right, and what does not is refused or said loudly.
#[test]
fn no_order_of_axes_in_any_system_is_misplaced_in_silence() {
    for code in [9210, 9211, 5899, 5897, 3405, 4756, 4326, 32648, 3857] {
        for exchanged in [false, true] {
            let rows: Vec<[f64; 2]> = PLACES.iter().map(|place| written(code, *place, exchanged)).collect();
            for names in [["X", "Y"], ["easting", "northing"], ["lon", "lat"], ["X (m)", "Y (m)"]] {
                let city = city();
                let path = city.write("p.csv", table(names, &rows));
                let context = format!("{code} {exchanged} {names:?}");
                match city.import(&path, with_crs(code)) {
                    Ok(report) => {
                        let loud = notes(&report).contains("CHECK THE PLACE");
                        assert!(loud || off(&city, &PLACES) < 1e-7, "{context}: {}", notes(&report));
                    }
                    Err(ImportError::NothingAccepted { .. }) => assert!(exchanged, "{context}"),
                    Err(other) => panic!("{context}: {other}"),
                }
                // What the proposal says is right.
                let swap =
                    |request: &mut Request| (request.crs, request.swap_xy) = (Some(crs(code)), exchanged);
                let report = city.import(&path, swap).unwrap();
                assert!(off(&city, &PLACES) < 1e-7, "{context}");
                assert!(!notes(&report).contains("CHECK THE PLACE"), "{context}: {}", notes(&report));
            }
            // A system that the file names is refused where the coordinates contradict it.
            let features: String = rows
                .iter()
                .map(|[x, y]| format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#))
                .map(|point| format!(r#",{{"type":"Feature","properties":{{}},"geometry":{point}}}"#))
                .collect();
            let member = format!(r#""crs":{{"type":"name","properties":{{"name":"EPSG:{code}"}}}}"#);
            let text = format!(r#"{{"type":"FeatureCollection",{member},"features":[{}]}}"#, &features[1..]);
            let city = city();
            let path = city.write("p.geojson", text);
            let outcome = city.import(&path, |_| {});
            if exchanged {
                let error = outcome.unwrap_err().to_string();
                assert!(error.contains(&format!("EPSG:{code} --swap-xy")), "{code}: {error}");
                city.import(&path, |request| request.swap_xy = true).unwrap();
            } else {
                outcome.unwrap();
            }
            assert!(off(&city, &PLACES) < 1e-7, "{code}");
        }
    }
}

#[test]
fn degrees_under_a_metric_system_and_metres_under_degrees_are_refused() {
    for (said, really) in [(9210, 4326), (3857, 4326), (32648, 4326), (4326, 9210), (4756, 3405)] {
        let city = city();
        let rows: String = PLACES
            .iter()
            .map(|place| written(really, *place, false))
            .map(|[x, y]| format!("\"SRID={said};POINT({x} {y})\"\n"))
            .collect();
        let path = city.write("p.csv", format!("geom\n{rows}"));
        let error = city.import(&path, |_| {}).unwrap_err().to_string();
        assert!(error.contains(&format!("EPSG:{really} (")), "{said} {really}: {error}");
        assert_eq!(city.store.revision().unwrap(), 0);
        city.import(&path, with_crs(really)).unwrap();
        assert!(off(&city, &PLACES) < 1e-7);
    }
}

#[test]
fn odd_rows_are_rejected_and_the_others_taken() {
    let good: Vec<[f64; 2]> = PLACES.iter().map(|place| written(9210, *place, true)).collect();
    for (odd, word) in [
        ([0.0, 0.0], "0, 0"),
        (written(9210, PLACES[0], false), "exchanged"),
        (PLACES[0], "degrees"),
        ([1.2e7, 6.0e5], "outside"),
    ] {
        let city = city();
        for at in [0, good.len()] {
            let mut rows = good.clone();
            rows.insert(at, odd);
            let path = city.write("p.csv", table(["X", "Y"], &rows));
            let report = city.import(&path, with_crs(9210)).unwrap();
            assert_eq!((report.accepted, report.rejected), (4, 1), "{odd:?}");
            let reject =
                report.layers[0].issues.iter().find(|issue| issue.feature == Some(at as u64 + 1)).unwrap();
            assert!(reject.reason.contains(word), "{odd:?}: {}", reject.reason);
            assert!(off(&city, &PLACES) < 1e-7, "{odd:?}");
        }
    }
    // One typing error of longitude and latitude does not change what the file is.
    let city = city();
    let mut rows = PLACES.to_vec();
    rows.insert(1, [1067.01, 10.77]);
    let report = city.import(city.write("p.csv", table(["lon", "lat"], &rows)), |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (4, 1));
}

/// A feature far from the others is named with its distance, in any system and anywhere in the file.
#[test]
fn one_row_far_from_the_others_is_reported_in_every_system() {
    let far = [[106.7, 12.72], [108.67, 10.77]];
    for (code, far) in [9210, 32648, 4326, 4756, 3857].into_iter().flat_map(|code| far.map(|far| (code, far)))
    {
        for (before, after) in [(0, 4), (4, 0), (3_000, 0), (1, 3_000)] {
            let near = |count: usize| PLACES.into_iter().cycle().take(count);
            let places: Vec<[f64; 2]> = near(before).chain([far]).chain(near(after)).collect();
            let rows: Vec<[f64; 2]> = places.iter().map(|place| written(code, *place, false)).collect();
            let city = city();
            let report = city
                .import(city.write("p.csv", table(["easting", "northing"], &rows)), with_crs(code))
                .unwrap();
            let context = format!("{code} {far:?} {before} {after}: {}", notes(&report));
            assert_eq!((report.accepted, report.rejected), (places.len() as u64, 0), "{context}");
            let loud: Vec<_> =
                report.layers[0].issues.iter().filter(|one| one.reason.contains("CHECK THE PLACE")).collect();
            assert_eq!(loud.len(), 1, "{context}");
            assert_eq!(loud[0].feature, Some(before as u64 + 1), "{context}");
            assert!(loud[0].reason.contains(" 20") || loud[0].reason.contains(" 21"), "{context}");
        }
    }
    // The islands of the city are part of it.
    let city = city();
    let rows: Vec<[f64; 2]> = PLACES.into_iter().chain([[106.6, 8.69]]).collect();
    let report = city.import(city.write("p.csv", table(["lon", "lat"], &rows)), |_| {}).unwrap();
    assert!(!notes(&report).contains("CHECK THE PLACE"), "{}", notes(&report));
}

#[test]
fn rows_at_zero_are_no_places_however_many_there_are() {
    const ZERO: [f64; 2] = [0.0, 0.0];
    for code in [9210, 4326] {
        let good: Vec<[f64; 2]> = PLACES.iter().map(|place| written(code, *place, false)).collect();
        let import = |rows: &[[f64; 2]]| {
            let city = city();
            let path = city.write("p.csv", table(["easting", "northing"], rows));
            let outcome = city.import(&path, with_crs(code));
            (outcome, city.store.revision().unwrap())
        };
        let (report, _) = import(&[&[ZERO; 4], &good[..]].concat());
        let report = report.unwrap();
        assert_eq!((report.accepted, report.rejected), (4, 4), "{code}");
        for rows in [vec![ZERO; 5], [&[ZERO; 5], &good[..]].concat(), [&good[..], &[ZERO; 3_000]].concat()] {
            let (outcome, revision) = import(&rows);
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("p.csv") && error.contains("0, 0"), "{code}: {error}");
            assert_eq!(revision, 0);
        }
    }
    // A corner at 0, 0 of the only feature is a corner.
    let city = city();
    let path = city.write("p.csv", "geom\n\"SRID=4326;POLYGON((0 0,1 0,1 1,0 0))\"\n");
    assert_eq!(city.import(&path, |_| {}).unwrap().accepted, 1);
}

#[test]
fn systems_of_other_countries_are_never_exchanged() {
    // New York, in US survey feet; Seattle; Victoria.
    for (code, x, y, lon, lat) in [
        (2263, 987_000.0, 201_000.0, -73.99008, 40.718375),
        (2926, 1_270_000.0, 230_000.0, -122.33, 47.62),
        (3005, 1_190_000.0, 390_000.0, -123.4, 48.5),
    ] {
        let city = city();
        let path = city.write("p.csv", table(["x", "y"], &[[x, y], [x + 10.0, y + 10.0]]));
        let report = city.import(&path, with_crs(code)).unwrap();
        assert!(
            !notes(&report).contains("exchanged") && !notes(&report).contains("CHECK"),
            "{}",
            notes(&report)
        );
        let Some(Geometry::Point(at)) = city.features("test")[0].geometry.clone() else { panic!() };
        assert!((at.x() - lon).abs() < 0.2 && (at.y() - lat).abs() < 0.2, "{code}: {at:?}");
    }
}

#[test]
fn features_outside_the_communes_that_they_name_are_in_the_wrong_zone() {
    let communes: Vec<_> = citymap_model::units::communes().iter().take(12).collect();
    for (column, values) in [
        ("ma_xa", communes.iter().map(|commune| commune.code.to_owned()).collect::<Vec<_>>()),
        ("ten_xa", communes.iter().map(|commune| commune.name.to_owned()).collect()),
    ] {
        let rows: String = communes
            .iter()
            .zip(&values)
            .map(|(commune, value)| {
                let [x, y] = written(9211, commune.lonlat, false);
                format!("{value},\"SRID=9210;POINT({x} {y})\"\n")
            })
            .collect();
        let city = city();
        let path = city.write("p.csv", format!("{column},geom\n{rows}"));
        let error = city.import(&path, |_| {}).unwrap_err().to_string();
        assert!(error.contains("commune") && error.contains("EPSG:9211 ("), "{column}: {error}");
        city.import(&path, with_crs(9211)).unwrap();
        let places: Vec<[f64; 2]> = communes.iter().map(|commune| commune.lonlat).collect();
        assert!(off(&city, &places) < 1e-7);
        let report = city.import(&path, with_crs(9210)).unwrap();
        assert!(notes(&report).contains("CHECK THE PLACE"), "{}", notes(&report));
    }
}

/// Each row of EWKT in the system that it names.
#[test]
fn rows_keep_the_system_that_they_name() {
    let city = city();
    let row = |code: u32, place| {
        let [x, y] = written(code, place, false);
        format!("\"SRID={code};POINT({x} {y})\"\n")
    };
    let mixed = format!(
        "geom\n{}{}{}{}\"POINT(603481.588 1191454.611)\"\n\"SRID=999999;POINT(1 2)\"\n",
        row(9210, PLACES[0]),
        row(4326, PLACES[1]),
        row(3405, PLACES[2]),
        row(9210, PLACES[3]),
    );
    let path = city.write("p.csv", mixed);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (4, 2), "{}", notes(&report));
    assert!(off(&city, &PLACES) < 1e-7);
    assert!(notes(&report).contains("SRID=n") && notes(&report).contains("999999"), "{}", notes(&report));
    // `--crs` is for the rows that name none.
    let report = city.import(&path, with_crs(9210)).unwrap();
    assert_eq!((report.accepted, report.rejected), (5, 1), "{}", notes(&report));
    assert!(off(&city, &[PLACES[0], PLACES[1], PLACES[2], PLACES[3], PLACES[0]]) < 1e-7);
}

/// Where odd rows are in a file: before, among or after the others.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Start,
    Middle,
    End,
    Scattered,
}

/// `good` rows with `odd` ones among them, and the numbers of the odd ones.
fn mixed(good: &[[f64; 2]], odd: &[[f64; 2]], lie: Lie) -> (Vec<[f64; 2]>, Vec<u64>) {
    let (mut goods, mut odds) = (good.iter(), odd.iter());
    let mut rows = Vec::new();
    let mut numbers = Vec::new();
    for at in 0..good.len() + odd.len() {
        let is_odd = match lie {
            Lie::Start => at < odd.len(),
            Lie::Middle => (good.len() / 2..good.len() / 2 + odd.len()).contains(&at),
            Lie::End => at >= good.len(),
            Lie::Scattered => at % 2 == 1 && at / 2 < odd.len(),
        };
        if is_odd {
            numbers.push(at as u64 + 1);
        }
        rows.extend(if is_odd { odds.next() } else { goods.next() });
    }
    (rows, numbers)
}

/// Axis orders × systems × where the odd rows lie: most rows decide, wherever they are in the file, and the
/// odd ones are rejected, also where they are the first two thousand.
#[test]
fn most_rows_of_the_whole_file_decide_how_it_is_read() {
    let places = |count: usize| PLACES.into_iter().cycle().take(count);
    for (code, names) in [
        (9210, ["X", "Y"]),
        (9210, ["easting", "northing"]),
        (32648, ["easting", "northing"]),
        (3857, ["easting", "northing"]),
        (4756, ["a", "b"]),
        (4326, ["lon", "lat"]),
    ] {
        for exchanged in [false, true] {
            for lie in [Lie::Start, Lie::Middle, Lie::End, Lie::Scattered] {
                let good: Vec<_> = places(2_600).map(|at| written(code, at, exchanged)).collect();
                let odd: Vec<_> = places(2_100).map(|at| written(code, at, !exchanged)).collect();
                let (rows, numbers) = mixed(&good, &odd, lie);
                let city = city();
                let report = city.import(city.write("p.csv", table(names, &rows)), |request| {
                    request.crs = Some(crs(code));
                    // The columns X and Y say themselves that they may be exchanged.
                    request.swap_xy = exchanged && names[0] != "X";
                    if names[0] == "a" {
                        (request.columns.x, request.columns.y) = (Some("a".into()), Some("b".into()));
                    }
                });
                let context = format!("{code} {names:?} {exchanged} {lie:?}");
                let report = report.unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!((report.accepted, report.rejected), (2_600, 2_100), "{context}");
                let rejects = report.layers[0].issues.iter().filter(|one| one.kind == IssueKind::Reject);
                assert!(rejects.filter_map(|one| one.feature).eq(numbers), "{context}");
                let all: Vec<[f64; 2]> = places(2_600).collect();
                assert!(off(&city, &all) < 1e-7, "{context}");
            }
        }
    }
}

/// A GeoPackage of points on a grid, written by GDAL.
fn geopackage(city: &City, code: u32, rows: &[[f64; 2]]) -> std::path::PathBuf {
    use gdal::{
        DriverManager,
        spatial_ref::SpatialRef,
        vector::{Feature, Geometry, LayerAccess, LayerOptions, OGRwkbGeometryType},
    };
    let path = city.folder.path().join("p.gpkg");
    let mut data = DriverManager::get_driver_by_name("GPKG").unwrap().create_vector_only(&path).unwrap();
    let mut transaction = data.start_transaction().unwrap();
    let srs = SpatialRef::from_epsg(code).unwrap();
    let options = LayerOptions { srs: Some(&srs), ty: OGRwkbGeometryType::wkbPoint, ..Default::default() };
    transaction.create_layer(options).unwrap();
    {
        let layer = transaction.layer(0).unwrap();
        for [x, y] in rows {
            let mut feature = Feature::new(layer.defn()).unwrap();
            feature.set_geometry(Geometry::from_wkt(&format!("POINT ({x} {y})")).unwrap()).unwrap();
            feature.create(&layer).unwrap();
        }
    }
    transaction.commit().unwrap();
    drop(data);
    path
}

/// The same in formats of which only the first features are looked through for their values.
#[test]
fn most_features_of_the_whole_file_decide_in_every_format() {
    let places = |count: usize| PLACES.into_iter().cycle().take(count);
    for lie in [Lie::Start, Lie::End] {
        let good: Vec<_> = places(2_600).map(|at| written(9210, at, false)).collect();
        let odd: Vec<_> = places(2_100).map(|at| written(9210, at, true)).collect();
        let (rows, _) = mixed(&good, &odd, lie);
        let features: Vec<String> = rows
            .iter()
            .map(|[x, y]| format!(r#"{{"type":"Point","coordinates":[{x},{y}]}}"#))
            .map(|point| format!(r#"{{"type":"Feature","properties":{{}},"geometry":{point}}}"#))
            .collect();
        let member = r#""crs":{"type":"name","properties":{"name":"VN-2000 / TM-3 105-45"}}"#;
        let text = format!(r#"{{"type":"FeatureCollection",{member},"features":[{}]}}"#, features.join(","));
        let city = city();
        for path in [city.write("p.geojson", text), geopackage(&city, 9210, &rows)] {
            let report = city.import(&path, |_| {}).unwrap();
            let context = format!("{} {lie:?}", path.display());
            assert_eq!((report.accepted, report.rejected), (2_600, 2_100), "{context}");
            let all: Vec<[f64; 2]> = places(2_600).collect();
            assert!(off(&city, &all) < 1e-7, "{context}");
        }
    }
}
