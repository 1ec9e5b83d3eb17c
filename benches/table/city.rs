//! One city size: what is made for it, and what is measured of it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use citymap_engine::{LayerSnapshot, Row};
use citymap_tests::{Bench, Server};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    bake,
    ceiling::Ceiling,
    fair, imports,
    measuring::Measuring,
    overlay,
    peer::Peer,
    programs::{Martin, ogr2ogr, ogr2ogr_layer, pg},
    questions, record, start,
    table::Table,
    tiles,
};

/// Tiles and places per rate: enough that none is asked for twice before the caches are cold again.
const PLACES: usize = 20_000;

/// Measures a demo city of `parcels` parcels. Without `record`, neither imports nor what is done to a record.
pub(crate) fn run(parcels: u32, database: &str, time: Duration, processors: usize, record: bool) -> Table {
    let mut table = Table::new(format!("{parcels} parcels"));
    let bench = Bench::new();
    let peer = Peer::new(database);

    let start = Instant::now();
    bench.expect(0, ["demo", "--parcels", &parcels.to_string(), "--seed", "1"]);
    table.times("demo city, all layers", start.elapsed().as_secs_f64(), None, "`citymap demo`");
    imports(&mut table, &bench, &peer, database, record.then_some(parcels));

    let live = start::run(&mut table, &bench, parcels);
    let city = live.snapshot().city;
    let layer = city.layer("parcels").expect("the demo city has parcels");
    let cold = Server::start(bench.store(), &["--tile-cache", "0"]);
    let warm = Server::start(bench.store(), &[]);
    let ceiling = Ceiling::start();
    let places = places(layer);
    let martin = Martin::start(database);
    let measuring =
        Measuring { martin, places, cold: &cold, warm: &warm, ceiling: &ceiling, time, processors };
    bake::run(&mut table, &bench, &bench.path("parcels.fgb"));
    tiles::run(&mut table, &measuring, layer, &peer);
    questions::run(&mut table, &measuring, &city, &peer);
    overlay::run(&mut table, &city, &peer);
    fair::run(&mut table, &measuring);
    table
}

/// Makes a demo city of `parcels` parcels and measures nothing but imports of its parcels.
pub(crate) fn run_imports(parcels: u32) -> Table {
    let mut table = Table::new(format!("{parcels} parcels"));
    let bench = Bench::new();
    bench.expect(0, ["demo", "--parcels", &parcels.to_string(), "--seed", "1"]);
    let file = bench.path("parcels.fgb");
    ogr2ogr(&file, &bench.store(), "FlatGeobuf", &[]);
    imports::run(&mut table, &bench, &file, parcels);
    table
}

/// Imports the same file into PostGIS (COPY, with a GiST index) and, if `record` gives the number of parcels,
/// into our stores and a GeoPackage.
fn imports(table: &mut Table, bench: &Bench, peer: &Peer, database: &str, record: Option<u32>) {
    let file = bench.path("parcels.fgb");
    ogr2ogr(&file, &bench.store(), "FlatGeobuf", &[]);
    peer.execute(&["DROP SCHEMA IF EXISTS bench CASCADE", "CREATE SCHEMA bench"]);
    let pg = pg(database);
    ogr2ogr(
        Path::new(&pg),
        &file,
        "PostgreSQL",
        &["-nln", "bench.parcels", "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"],
    );
    if let Some(parcels) = record {
        imports::run(table, bench, &file, parcels);
        let plain = bench.path("plain.gpkg");
        ogr2ogr(&plain, &file, "GPKG", &[]);
        record::run(table, bench, [&file, &plain], parcels);
    }
    let zones = bench.path("zones.fgb");
    ogr2ogr_layer("zones", &zones, &bench.store(), "FlatGeobuf", &[]);
    ogr2ogr_layer(
        "zones",
        Path::new(&pg),
        &zones,
        "PostgreSQL",
        &["-nln", "bench.zones", "-lco", "GEOMETRY_NAME=geom"],
    );

    // What a tile server on PostGIS would prepare: Web Mercator, clustered, indexed, analysed.
    peer.execute(&[
        "CREATE INDEX ON bench.parcels (ma_thua)",
        "CREATE TABLE bench.tiles AS SELECT ogc_fid, ma_thua, ma_xa, so_to, so_thua, loai_dat, dien_tich, \
         dia_chi, ten_duong, so_nha, valid_from, \
         ST_Transform(geom, 3857)::geometry(Geometry, 3857) AS geom FROM bench.parcels ORDER BY geom",
        "CREATE INDEX ON bench.tiles USING gist (geom)",
        "VACUUM ANALYZE bench.parcels",
        "VACUUM ANALYZE bench.tiles",
    ]);
}

/// Random parcels and the middle of their boxes.
fn places(parcels: &LayerSnapshot) -> Vec<(Row, [f64; 2])> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    (0..PLACES)
        .filter_map(|_| {
            let row = rng.random_range(0..parcels.len() as Row);
            parcels.bbox(row).map(|bbox| (row, bbox.center()))
        })
        .collect()
}
