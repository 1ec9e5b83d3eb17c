//! `citymap check`. That its totals are right is tested against PostGIS in `tests/overlay.rs`.

use crate::city;

#[test]
fn a_check_writes_its_faults_and_says_how_many_there_are() {
    let bench = city();
    let run = bench.run(["--json", "check", "right-of-way", "--out", "cuts.geojson"]);
    let summary = run.json();
    let found = summary["found"].as_u64().unwrap();
    assert_eq!(run.code(), Some(if found > 0 { 3 } else { 0 }));
    assert_eq!((&summary["checked"], &summary["listed"]), (&100.into(), &summary["found"]));
    let file: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path("cuts.geojson")).unwrap()).unwrap();
    let areas = file["features"].as_array().unwrap().iter();
    let sum: f64 = areas.map(|own| own["properties"]["area_m2"].as_f64().unwrap()).sum();
    assert!((sum - summary["area"].as_f64().unwrap()).abs() < 1e-6, "{summary}");
    let again = bench.run(["check", "right-of-way", "--out", "cuts.csv", "--compare-to", "1"]);
    let says = again.stdout();
    assert!(says.contains("100 features checked") && says.contains("0 new"), "{says}");
    assert!(says.contains(&format!("{found} the same, 0 gone")), "{says}");
    assert!(bench.expect(1, ["check", "right-of-way", "--out", "cuts.csv"]).stderr().contains("exists"));
    assert!(bench.expect(1, ["check", "right-of-way", "--out", "x.xyz"]).stderr().contains(".geojson"));
    assert!(bench.expect(2, ["check", "nix", "--out", "x.csv"]).stderr().contains("parcel-overlaps"));
}
