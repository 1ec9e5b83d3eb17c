//! `citymap rollback`.

use crate::{refused, wells};

#[test]
fn a_former_state_comes_back_as_a_revision() {
    let bench = wells();
    let args = ["--json", "rollback", "--to", "1", "--author", "Minh", "--message", "Nhầm tệp"];
    let done = bench.expect(0, args).json();
    let revision = &done["revision"];
    assert_eq!((&revision["number"], &revision["author"]), (&3.into(), &"Minh".into()));
    assert_eq!(revision["message"], "Nhầm tệp");
    let change = &revision["changes"][0];
    assert_eq!([&change["added"], &change["changed"], &change["removed"]], [1, 1, 1]);
    assert_eq!(bench.expect(0, ["--json", "diff", "1", "3"]).json()["layers"], serde_json::json!([]));
    // And it can be undone like any other.
    bench.expect(0, ["rollback", "--to", "2"]);
    assert_eq!(bench.expect(0, ["--json", "diff", "2", "4"]).json()["layers"], serde_json::json!([]));
}

#[test]
fn an_unknown_revision_changes_nothing() {
    let bench = wells();
    assert!(refused(&bench, ["rollback", "--to", "99"]).contains("99"));
    assert_eq!(bench.expect(0, ["--json", "log"]).json().as_array().unwrap().len(), 2);
}
