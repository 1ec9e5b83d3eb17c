//! `citymap log`.

use crate::wells;

#[test]
fn revisions_are_listed_newest_first() {
    let bench = wells();
    let log = bench.expect(0, ["--json", "log"]).json();
    let numbers: Vec<u64> =
        log.as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 1]);
    let newest = &log[0];
    assert_eq!((&newest["author"], &newest["message"]), (&"Lan".into(), &"Đợt hai".into()));
    let change = &newest["changes"][0];
    assert_eq!((&change["layer"], &change["mode"]), (&"wells".into(), &"replace".into()));
    assert_eq!([&change["added"], &change["changed"], &change["removed"]], [1, 1, 1]);
    assert_eq!(newest["source_sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_list_is_limited_and_by_layer() {
    let bench = wells();
    let count = |args: &[&str]| {
        let mut all = vec!["--json", "log"];
        all.extend(args);
        bench.expect(0, all).json().as_array().unwrap().len()
    };
    assert_eq!(count(&["--limit", "1"]), 1);
    assert_eq!(count(&["--layer", "wells"]), 2);
    assert_eq!(count(&["--layer", "nope"]), 0);
    let text = bench.expect(0, ["log", "-n", "1"]).stdout();
    assert!(text.contains("Lan  Đợt hai") && text.contains("1 added, 1 changed, 1 removed"), "{text}");
    assert!(!text.contains("Đợt một"));
}
