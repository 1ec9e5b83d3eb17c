//! Imports of the same file into both stores and with `ogr2ogr`, and where the time of ours goes.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use citymap_tests::{Bench, Database};
use serde_json::Value;

use crate::{
    programs::{ogr2ogr, pg},
    table::Table,
};

/// A file with a layer of parcels, and how `ogr2ogr` brings it to the coordinate system of our stores.
struct Input {
    file: PathBuf,
    what: &'static str,
    options: &'static [&'static str],
}

/// Measures imports of `file`, the demo city's parcels in WGS 84, and of the same parcels in VN-2000.
pub(crate) fn run(table: &mut Table, bench: &Bench, file: &Path, parcels: u32) {
    let grid = bench.path("grid.fgb");
    ogr2ogr(&grid, file, "FlatGeobuf", &["-t_srs", "EPSG:9210"]);
    let inputs = [
        Input { file: file.to_owned(), what: "in WGS 84", options: &[] },
        Input { file: grid, what: "in VN-2000", options: &["-t_srs", "EPSG:4326"] },
    ];
    for input in inputs {
        let work = |store: &str| format!("import {parcels} parcels {} into {store}", input.what);
        let database = Database::create().expect("there is a database");
        let copy = ["-nln", "parcels", "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"];
        let options = [input.options, &copy[..]].concat();
        let peer = timed(|| ogr2ogr(Path::new(&pg(&database.url())), &input.file, "PostgreSQL", &options));
        let database = Database::create().expect("there is a database");
        let how = "`ogr2ogr -f PostgreSQL`, COPY, GiST";
        import(table, bench, &input.file, [&work("PostGIS"), &database.url(), how], peer);

        let plain = bench.path("peer.gpkg");
        let peer = timed(|| ogr2ogr(&plain, &input.file, "GPKG", input.options));
        let own = bench.path("own.gpkg");
        let how = "`ogr2ogr -f GPKG`";
        import(
            table,
            bench,
            &input.file,
            [&work("GeoPackage"), own.to_str().expect("a plain path"), how],
            peer,
        );
        for made in [plain, own] {
            std::fs::remove_file(made).expect("it is there");
        }
    }
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// Imports a file into a new store, and adds the time next to that of the peer, and where it went.
fn import(table: &mut Table, bench: &Bench, file: &Path, [work, location, how]: [&str; 3], peer: f64) {
    let file = file.to_str().expect("a plain path");
    let start = Instant::now();
    let run = bench.expect(
        0,
        [
            "--store",
            location,
            "--migrate",
            "--json",
            "import",
            "--layer",
            "parcels",
            "--key",
            "ma_thua",
            file,
        ],
    );
    let ours = start.elapsed().as_secs_f64();
    let note = format!("{how}; ours checks geometry, indexes keys and commits a revision");
    table.times(work, ours, Some(peer), &note);
    let report: Value = serde_json::from_str(&run.stdout()).expect("the report is JSON");
    let stages = report["stages"].as_object().expect("the report has stages");
    let stages =
        stages.iter().map(|(stage, seconds)| format!("{stage} {:.2}", seconds.as_f64().unwrap_or(0.0)));
    table.figure(
        &format!("… where the time goes, {work}"),
        &stages.collect::<Vec<_>>().join(", "),
        "seconds; look and finish run alone (wall clock), the others in parallel (processor time)",
    );
}
