//! One city size: what is made for it, and what is measured of it.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use citymap_engine::{LayerSnapshot, Row};
use citymap_tests::{Bench, Server};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    bake, ceiling::Ceiling, fair, overlay, peer::Peer, programs::Martin, questions, record, start,
    table::Table, tiles,
};

/// Tiles and places per rate: enough that none is asked for twice before the caches are cold again.
const PLACES: usize = 20_000;

/// What all measurements of a city share.
pub(crate) struct Measuring<'a> {
    /// Rows and places of parcels, random, so weighted to the dense core.
    pub(crate) places: Vec<(Row, [f64; 2])>,
    /// A server without a tile cache.
    pub(crate) cold: &'a Server,
    /// A server as it comes.
    pub(crate) warm: &'a Server,
    /// Martin over the same parcels, where it is installed.
    pub(crate) martin: Option<Martin>,
    /// A server that only sends bytes.
    pub(crate) ceiling: &'a Ceiling,
    /// How long each rate is measured.
    pub(crate) time: Duration,
    /// How many threads or connections do the work in process and in PostGIS.
    pub(crate) processors: usize,
}

impl Measuring<'_> {
    /// The n-th place, WGS 84 degrees.
    pub(crate) fn place(&self, n: u64) -> [f64; 2] {
        self.places[n as usize % self.places.len()].1
    }

    /// The parcel at that point.
    pub(crate) fn row(&self, n: u64) -> Row {
        self.places[n as usize % self.places.len()].0
    }
}

/// Measures a demo city of `parcels` parcels. Without `record`, neither imports nor what is done to a record.
pub(crate) fn run(parcels: u32, database: &str, time: Duration, processors: usize, record: bool) -> Table {
    let mut table = Table::new(format!("{parcels} parcels"));
    let bench = Bench::new();
    let peer = Peer::new(database);

    let start = Instant::now();
    bench.expect(0, ["demo", "--parcels", &parcels.to_string(), "--seed", "1"]);
    table.times("demo city, all layers", start.elapsed().as_secs_f64(), None, "`citymap demo`");
    imports(&mut table, &bench, &peer, database, parcels, record);

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

/// The same file into our stores, into PostGIS by COPY with a GiST index, and into a GeoPackage.
fn imports(table: &mut Table, bench: &Bench, peer: &Peer, database: &str, parcels: u32, record: bool) {
    let file = bench.path("parcels.fgb");
    ogr2ogr(&file, &bench.store(), "FlatGeobuf", &[]);
    peer.execute(&["DROP SCHEMA IF EXISTS bench CASCADE", "CREATE SCHEMA bench"]);
    // GDAL 3.6 appends to the string in libpq's other notation.
    let address = database.trim_start_matches("postgres://").replace(['@', ':', '/'], " ");
    let words: Vec<&str> = address.split(' ').collect();
    let [user, host, port, name] = words[..] else {
        panic!("{database} is not postgres://user@host:port/name")
    };
    let pg = format!("PG:host={host} port={port} user={user} dbname={name}");
    let start = Instant::now();
    ogr2ogr(
        Path::new(&pg),
        &file,
        "PostgreSQL",
        &["-nln", "bench.parcels", "-lco", "GEOMETRY_NAME=geom", "--config", "PG_USE_COPY", "YES"],
    );
    let postgis = start.elapsed().as_secs_f64();
    if record {
        let plain = bench.path("plain.gpkg");
        let geopackage = record::plain(&file, &plain);
        record::run(table, bench, &file, &plain, parcels, &record::Peers { postgis, geopackage });
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

/// Copies the layer `parcels`.
pub(crate) fn ogr2ogr(to: &Path, from: &Path, format: &str, more: &[&str]) {
    ogr2ogr_layer("parcels", to, from, format, more);
}

fn ogr2ogr_layer(layer: &str, to: &Path, from: &Path, format: &str, more: &[&str]) {
    let mut command = Command::new("ogr2ogr");
    command.args(["-f", format]).args(more).arg(to).arg(from).arg(layer).env("OGR_SQLITE_PRAGMA", "");
    let out = command.output().expect("ogr2ogr starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
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
