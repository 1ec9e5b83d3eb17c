//! `citymap tiles`.

use serde_json::json;

use crate::{city, refused};

#[test]
fn a_tile_is_explained_layer_by_layer() {
    let bench = city();
    let found = bench.expect(0, ["--json", "tiles", "explain", "12/3262/1924", "--layers", "parcels"]).json();
    assert_eq!(found["tile"], "12/3262/1924");
    let layers = found["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    assert_eq!((&layers[0]["layer"], &layers[0]["candidates"]), (&"parcels".into(), &100.into()));
    assert!(!layers[0]["why"].as_array().unwrap().is_empty());
    let text = bench.expect(0, ["tiles", "explain", "12/3262/1924"]).stdout();
    assert!(text.starts_with("tile 12/3262/1924") && text.contains("\nparcels: "), "{text}");
}

#[test]
fn a_rule_is_changed_and_reset_by_revisions() {
    let bench = city();
    let rule = |args: &[&str]| {
        let mut all = vec!["--json", "tiles", "rule", "parcels"];
        all.extend(args);
        bench.expect(0, all).json()
    };
    let before = rule(&[]);
    assert_eq!((&before["own"], &before["revision"]), (&false.into(), &json!(null)));
    let changed = rule(&["--set", r#"{"detail_zoom": 13, "budget": 90000}"#, "--author", "Lan"]);
    assert_eq!((&changed["own"], &changed["revision"]), (&true.into(), &2.into()));
    assert_eq!((&changed["rule"]["detail_zoom"], &changed["rule"]["budget"]), (&13.into(), &90_000.into()));
    assert_eq!(changed["rule"]["class"], before["rule"]["class"], "what is not named stays");
    assert_eq!(rule(&[])["rule"], changed["rule"]);
    let reset = rule(&["--reset"]);
    assert_eq!((&reset["rule"], &reset["revision"]), (&before["rule"], &3.into()));
    assert_eq!(bench.expect(0, ["--json", "log"]).json()[1]["author"], "Lan");
}

#[test]
fn wrong_tiles_layers_and_rules_are_refused() {
    let bench = city();
    let run = bench.expect(2, ["tiles", "explain", "2/4/0"]);
    assert!(run.stderr().contains("2/4/0"), "{}", run.stderr());
    assert!(refused(&bench, ["tiles", "explain", "1/0/0", "--layers", "nope"]).contains("`nope`"));
    assert!(refused(&bench, ["tiles", "rule", "nope"]).contains("`nope`"));
    assert!(refused(&bench, ["tiles", "rule", "parcels", "--set", r#"{"zoom": 3}"#]).contains("detail_zoom"));
    assert!(refused(&bench, ["tiles", "rule", "parcels", "--set", "[]"]).contains("JSON object"));
    assert!(
        refused(&bench, ["tiles", "rule", "parcels", "--set", r#"{"class": "nope"}"#]).contains("`nope`")
    );
    assert_eq!(bench.expect(0, ["--json", "log"]).json().as_array().unwrap().len(), 1);
}
