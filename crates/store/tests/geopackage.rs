//! The conformance suite over the GeoPackage store.

#![allow(clippy::unwrap_used, reason = "tests")]

mod conformance;

use citymap_store::GeoPackage;

/// Runs a test of the suite on a store of its own.
fn on(test: conformance::Test) {
    let folder = tempfile::tempdir().unwrap();
    let store = GeoPackage::open_or_create(&folder.path().join("deep/down/city.gpkg")).unwrap();
    let store = store.with_writer_wait(std::time::Duration::from_millis(50));
    test(&store);
    conformance::nothing_is_wrong(&store);
}

conformance::suite!(on);
