//! `citymap diff`.

use serde_json::{Value, json};

use crate::{refused, wells};

#[test]
fn what_was_added_changed_and_removed_is_listed() {
    let bench = wells();
    let found = bench.expect(0, ["--json", "diff", "1", "--geojson", "diff.geojson"]).json();
    assert_eq!((&found["from"], &found["to"]), (&1.into(), &2.into()));
    let layer = &found["layers"][0];
    assert_eq!(layer["layer"], "wells");
    assert_eq!([&layer["added"], &layer["changed"], &layer["removed"]], [1, 1, 1]);
    let features = layer["features"].as_array().unwrap();
    let of = |key: &str| features.iter().find(|feature| feature["key"] == key).unwrap();
    assert_eq!(
        *of("A1"),
        json!({
            "layer": "wells", "fid": 1, "key": "A1", "op": "changed", "geometryChanged": false,
            "before": { "sau": 31.5 }, "after": { "sau": 32.5 },
        })
    );
    assert_eq!((&of("A2")["op"], &of("A2")["after"]), (&"removed".into(), &Value::Null));
    assert_eq!((&of("A3")["op"], &of("A3")["before"]), (&"added".into(), &Value::Null));

    let file: Value = serde_json::from_slice(&std::fs::read(bench.path("diff.geojson")).unwrap()).unwrap();
    let written = file["features"].as_array().unwrap();
    assert_eq!(written.len(), 3);
    for feature in written {
        assert!(features.contains(&feature["properties"]));
        assert_eq!(feature["geometry"]["type"], "Point");
    }
    assert!(!bench.path("diff.geojson.part").exists());
}

#[test]
fn people_read_counts_and_values() {
    let bench = wells();
    let text = bench.expect(0, ["diff", "1", "2"]).stdout();
    assert!(text.contains("changed  A1; sau: 31.5 → 32.5"), "{text}");
    let short = bench.expect(0, ["diff", "1", "--limit", "1"]).stdout();
    assert!(short.contains("2 more"), "{short}");
    let same = bench.expect(0, ["diff", "2"]).stdout();
    assert_eq!(same.lines().count(), 1, "{same}");
}

#[test]
fn wrong_states_and_layers_are_refused() {
    let bench = wells();
    assert!(refused(&bench, ["diff", "2", "1"]).contains("citymap diff 1 2"));
    assert!(refused(&bench, ["diff", "1", "9"]).contains("revision 9"));
    assert!(refused(&bench, ["diff", "1", "--layer", "nope"]).contains("`nope`"));
}
