//! `citymap layers`.

use citymap_tests::Bench;

use crate::{refused, wells};

#[test]
fn layers_are_listed_as_of_a_revision() {
    let bench = wells();
    let found = bench.expect(0, ["--json", "layers", "--as-of", "1"]).json();
    assert_eq!(found["revision"], 1);
    let layer = &found["layers"][0];
    assert_eq!((&layer["count"], &layer["revision"]), (&2.into(), &1.into()));
    assert_eq!((&layer["layer"]["id"], &layer["layer"]["key"]), (&"wells".into(), &"ma".into()));
    let text = bench.expect(0, ["layers"]).stdout();
    assert!(text.starts_with("LAYER") && text.contains("wells") && text.contains("at revision 2"), "{text}");
    assert!(refused(&bench, ["layers", "--as-of", "77"]).contains("77"));
}

#[test]
fn a_missing_store_is_told_and_not_made() {
    let bench = Bench::new();
    assert!(refused(&bench, ["layers"]).contains("citymap import"));
    assert!(!bench.store().exists());
}
