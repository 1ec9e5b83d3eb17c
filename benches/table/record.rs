//! The record: a replacement of every row in both stores, the way back, backup and restore.

use std::{path::Path, process::Command, time::Instant};

use citymap_store::{Checksum, checksum};
use citymap_tests::{Bench, Database};

use crate::table::Table;

/// Measures both stores. `plain` is the layer in a GeoPackage of GDAL's, which is edited here.
pub(crate) fn run(table: &mut Table, bench: &Bench, [file, plain]: [&Path; 2], parcels: u32) {
    // Every row is another one in the second state.
    let sql = "UPDATE parcels SET dien_tich = dien_tich + 1";
    let out = Command::new("ogrinfo").args(["-q", "-sql", sql]).arg(plain).output().expect("ogrinfo starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));

    let database = Database::create().expect("there is a database");
    let target = bench.path("record.gpkg");
    for (name, location) in
        [("PostGIS", database.url()), ("GeoPackage", target.to_string_lossy().into_owned())]
    {
        let citymap = |args: &[&str]| {
            let mut all = vec!["--store", &location, "--migrate", "--json"];
            all.extend(args);
            let start = Instant::now();
            bench.expect(0, all);
            start.elapsed().as_secs_f64()
        };
        let import = |file: &Path| {
            citymap(&[
                "import",
                "--layer",
                "parcels",
                "--key",
                "ma_thua",
                file.to_str().expect("a plain path"),
            ])
        };
        import(file);
        let before = sum(&location);
        let second = import(plain);
        table.times(
            &format!("replace all {parcels} rows in {name}"),
            second,
            None,
            "`citymap import`, former rows kept; read from GeoPackage",
        );
        assert_ne!(sum(&location), before, "every row is another one");
        let back = citymap(&["rollback", "--to", "1"]);
        assert_eq!(sum(&location), before, "the former state, feature by feature");
        table.times(
            &format!("roll that back in {name}, checksum as before"),
            back,
            Some(second),
            "the import that it undoes",
        );
        let file = bench.path(&format!("{name}.backup.gpkg"));
        let backup = citymap(&["backup", file.to_str().expect("a plain path")]);
        table.times(
            &format!("back {name} up: 3 revisions of {parcels} rows"),
            backup,
            None,
            "`citymap backup`, checksums included",
        );
    }
}

fn sum(location: &str) -> Checksum {
    let store = citymap_store::open(location, false).expect("the store opens");
    let view = store.view().expect("a view");
    checksum(view.as_ref(), &"parcels".parse().expect("a layer id")).expect("it can be read")
}
