//! `citymap doctor`.

use citymap_tests::Bench;

use crate::wells;

#[test]
fn a_sound_store_has_no_errors() {
    let bench = wells();
    let report = bench.expect(0, ["--json", "doctor"]).json();
    assert_eq!(report["errors"], 0);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["severity"] == "good"), "{report}");
    for word in ["GDAL", "EPSG:6960", "revision 2", "`wells`", "confined process"] {
        let says = |finding: &serde_json::Value| finding["message"].as_str().unwrap().contains(word);
        assert!(findings.iter().any(says), "{word}: {report}");
    }
}

#[test]
fn a_missing_store_is_a_warning_and_a_broken_one_an_error() {
    let bench = Bench::new();
    let report = bench.expect(0, ["--json", "doctor"]).json();
    assert_eq!(report["findings"][2]["severity"], "warning");
    assert!(!bench.store().exists());

    std::fs::write(bench.store(), "not a database, but long enough to look like a file of some kind")
        .unwrap();
    let report = bench.expect(1, ["--json", "doctor"]).json();
    assert_eq!((&report["errors"], &report["findings"][2]["severity"]), (&1.into(), &"error".into()));
}

#[test]
fn planning_says_what_reports_on_parcels_lack() {
    let bench = wells();
    let report = bench.expect(0, ["--json", "doctor", "planning"]).json();
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["severity"] == "warning"), "{report}");
    let of = |answer: &str| {
        let starts = |finding: &&serde_json::Value| finding["message"].as_str().unwrap().starts_with(answer);
        findings.iter().find(starts).unwrap()["message"].as_str().unwrap()
    };
    assert!(of("plans: precedence").contains("--role zone"), "{report}");
    assert!(of("right-of-way").contains("--role road"), "{report}");
}
