//! Drafts over a city of four parcels.

use citymap_planning::{Draft, DraftError, DraftImpact, DraftOptions, DraftPart};

use super::*;

#[test]
fn a_draft_says_what_it_touches_cuts_and_contradicts() {
    let city = city([
        plots(vec![
            ("p1", rect(0.0, 0.0, 20.0, 20.0)),
            ("p2", rect(20.0, 0.0, 40.0, 20.0)),
            ("p3", rect(0.0, 20.0, 20.0, 40.0)),
            ("far", rect(500.0, 0.0, 520.0, 20.0)),
        ]),
        zones(vec![
            ("same", "QHPK", "CX", "2015-01-01", rect(0.0, 0.0, 20.0, 20.0)),
            ("other", "QHPK", "O_HH", "2015-01-01", rect(20.0, 0.0, 40.0, 20.0)),
        ]),
    ]);
    let line: LineString<f64> = [[-10.0, 0.0], [50.0, 0.0]].iter().map(|at| lonlat(*at)).collect();
    let parts = [
        DraftPart::Zone { area: rect(0.0, 0.0, 30.0, 20.0), function: Some("cx".to_owned()) },
        DraftPart::Road { line: line.into(), width: 4.0 },
    ];
    let draft = Draft::new(&parts).unwrap();
    let impact = DraftImpact::ask(&city, &draft, &DraftOptions::default(), &Cancel::new()).unwrap();
    let found = |id: &str| impact.layers.iter().find(|own| own.layer == id).unwrap();
    // The zone is 30 by 20 m; the road adds 60 by 4 m, of which 30 by 2 m are in the zone.
    assert!(near(impact.area, 600.0 + 240.0 - 60.0), "{impact:?}");
    assert_eq!(found("parcels").totals.count, 2, "{impact:?}");
    assert!(near(found("parcels").totals.area.unwrap(), 400.0 + 200.0 + 10.0 * 2.0), "{impact:?}");
    let cut = impact.cut.unwrap();
    assert_eq!((cut.parcels, cut.whole), (2, 0));
    assert!(near(cut.area, 80.0) && near(cut.remaining, 720.0), "{cut:?}");
    let [conflict] = &impact.conflicts[..] else { panic!("{:?}", impact.conflicts) };
    assert_eq!((conflict.function.value.as_str(), conflict.zones), ("O_HH", 1));
    assert!(near(conflict.area, 200.0), "{conflict:?}");
    assert_eq!(impact.population, None, "the parcels have no land use");
    assert!(matches!(Draft::new(&[]), Err(DraftError::Empty)));
    let ended = Cancel::new();
    ended.cancel();
    assert!(DraftImpact::ask(&city, &draft, &DraftOptions::default(), &ended).is_err());
}
