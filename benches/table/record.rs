//! The record: imports into both stores, a replacement of every row, the way back, backup and restore.

use std::{path::Path, process::Command, time::Instant};

use citymap_store::{Checksum, checksum};
use citymap_tests::{Bench, Database};

use crate::{programs::ogr2ogr, table::Table};

/// What it takes to import `file` with other programs, seconds.
pub(crate) struct Peers {
    /// `ogr2ogr -f PostgreSQL`, COPY, GiST.
    pub(crate) postgis: f64,
    /// The time of `ogr2ogr -f GPKG`.
    pub(crate) geopackage: f64,
}

/// Measures both stores. `plain` is the layer in a GeoPackage of GDAL's, which is edited here.
pub(crate) fn run(table: &mut Table, bench: &Bench, [file, plain]: [&Path; 2], parcels: u32, peers: &Peers) {
    // Every row is another one in the second state.
    let sql = "UPDATE parcels SET dien_tich = dien_tich + 1";
    let out = Command::new("ogrinfo").args(["-q", "-sql", sql]).arg(plain).output().expect("ogrinfo starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));

    let database = Database::create().expect("there is a database");
    let target = bench.path("record.gpkg");
    for (name, location, peer, how) in [
        ("PostGIS", database.url(), peers.postgis, "`ogr2ogr -f PostgreSQL`, COPY, GiST"),
        ("GeoPackage", target.to_string_lossy().into_owned(), peers.geopackage, "`ogr2ogr -f GPKG`"),
    ] {
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
        let first = import(file);
        table.times(
            &format!("import {parcels} parcels into {name}"),
            first,
            Some(peer),
            &format!("{how}; ours checks geometry, indexes keys and commits a revision"),
        );
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

/// A layer of a file as GDAL's own GeoPackage.
pub(crate) fn plain(file: &Path, to: &Path) -> f64 {
    let start = Instant::now();
    ogr2ogr(to, file, "GPKG", &[]);
    start.elapsed().as_secs_f64()
}
