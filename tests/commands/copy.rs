//! `citymap copy`.

use crate::{import, refused, well, wells};

#[test]
fn a_copy_is_brought_up_to_date_revision_by_revision() {
    let bench = wells();
    let copied = bench.expect(0, ["--json", "copy", "--to", "other.gpkg"]).json();
    assert_eq!((&copied["copied"], &copied["manifest"]["revision"]), (&2.into(), &2.into()));
    assert_eq!(bench.expect(0, ["--json", "copy", "--to", "other.gpkg"]).json()["copied"], 0);
    import(&bench, &[well("B1", None, 1.0, [106.7, 10.7])], "Đợt ba");
    assert_eq!(bench.expect(0, ["--json", "copy", "--to", "other.gpkg"]).json()["copied"], 1);
    let log = |store: &str| bench.expect(0, ["--store", store, "--json", "log"]).json();
    assert_eq!(log("other.gpkg"), log("city.gpkg"));
    let export = |store: &str, file: &str| {
        bench.expect(0, ["--store", store, "export", "wells", "--as-of", "1", "--to", file]);
        std::fs::read_to_string(bench.path(file)).unwrap()
    };
    assert_eq!(export("other.gpkg", "a.csv"), export("city.gpkg", "b.csv"));
}

#[test]
fn a_store_with_another_history_is_not_touched() {
    let bench = wells();
    bench.expect(0, ["--store", "other.gpkg", "demo", "--parcels", "100"]);
    let before = bench.expect(0, ["--store", "other.gpkg", "--json", "log"]).json();
    refused(&bench, ["copy", "--to", "other.gpkg"]);
    assert_eq!(bench.expect(0, ["--store", "other.gpkg", "--json", "log"]).json(), before);
}
