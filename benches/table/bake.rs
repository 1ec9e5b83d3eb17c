//! Baking an archive of parcel tiles.

use std::{path::Path, time::Instant};

use citymap_tests::Bench;

use crate::{
    programs::{self, ogr2ogr},
    table::Table,
};

const ZOOMS: [u8; 2] = [10, 16];

/// Measures z10 to z16, next to tippecanoe where it is installed. `parcels` is a file of them.
pub(crate) fn run(table: &mut Table, bench: &Bench, parcels: &Path) {
    let lines = bench.path("parcels.geojsonl");
    let theirs = programs::installed("tippecanoe").then(|| {
        ogr2ogr(&lines, parcels, "GeoJSONSeq", &[]);
        programs::tippecanoe(&lines, &bench.path("theirs.pmtiles"), ZOOMS)
    });
    let [least, most] = ZOOMS;
    let out = bench.path("ours.pmtiles");
    let start = Instant::now();
    let zooms = format!("{least}-{most}");
    let args = ["--json", "bake", "--layers", "parcels", "--zooms", &zooms, "--out"];
    let run = bench.expect(0, args.iter().map(std::ffi::OsStr::new).chain([out.as_os_str()]));
    let ours = start.elapsed().as_secs_f64();
    let tiles = run.json()["tiles"].as_u64().expect("the report counts tiles");
    let megabytes = out.metadata().expect("the archive is there").len() as f64 / 1e6;
    let how = format!(
        "`tippecanoe --drop-densest-as-needed`; ours: {tiles} tiles, {megabytes:.0} MB, start included"
    );
    table.times(&format!("bake parcels z{least} to z{most}"), ours, theirs.flatten(), &how);
}
