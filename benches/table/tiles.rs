//! Tiles by zoom: in process next to `ST_AsMVT`, over HTTP cold and warm next to a server that only sends
//! bytes.

use std::time::Instant;

use citymap_engine::LayerSnapshot;
use citymap_tile::{ContentEncoding, TileId, TileOptions, Tiler, compress};

use crate::{load, measuring::Measuring, peer::Peer, rate, table::Table};

const SQL: &str = "SELECT ST_AsMVT(t, 'parcels', 4096, 'geom', 'ogc_fid') FROM ( \
    SELECT ogc_fid, ma_thua, ma_xa, so_to, so_thua, loai_dat, dien_tich, dia_chi, ten_duong, so_nha, \
    valid_from::text, \
    ST_AsMVTGeom(geom, ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS geom \
    FROM bench.tiles WHERE geom && ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096)) AS t WHERE geom IS \
    NOT NULL";

/// How many tiles the bytes and times of one are taken from.
const SAMPLE: u64 = 100;

/// Measures all zooms. The servers of `measuring` have no tile cache, and one.
pub(crate) fn run(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let tiler = Tiler::new();
    let start = Instant::now();
    tiler.prepare(parcels);
    table.times(
        "what generalised tiles are cut from, parcels",
        start.elapsed().as_secs_f64(),
        None,
        "once after the start, in the background",
    );
    for z in [18, 16, 14, 12, 10] {
        zoom(table, measuring, (parcels, &tiler), peer, z);
    }
    for z in [16, 14, 12] {
        warm(table, measuring, z);
    }
}

fn tile_of(measuring: &Measuring<'_>, n: u64, z: u8) -> TileId {
    TileId::at(measuring.place(n), z).expect("a tile of the city")
}

fn path(tile: TileId) -> String {
    format!("/tiles/parcels/{}/{}/{}", tile.z(), tile.x(), tile.y())
}

fn zoom(
    table: &mut Table,
    measuring: &Measuring<'_>,
    (parcels, tiler): (&LayerSnapshot, &Tiler),
    peer: &Peer,
    z: u8,
) {
    let Measuring { time, processors, .. } = *measuring;
    let options = TileOptions::default();
    let cut = |n: u64| tiler.encode(&[parcels], tile_of(measuring, n, z), &options);
    let packed = |n: u64| compress(&cut(n), ContentEncoding::Gzip);

    let mut plain_bytes = Vec::new();
    let mut packed_bytes = Vec::new();
    let mut millis = Vec::new();
    for n in 0..SAMPLE {
        let start = Instant::now();
        let bytes = cut(n);
        let small = compress(&bytes, ContentEncoding::Gzip);
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        plain_bytes.push(bytes.len() as f64 / 1e3);
        packed_bytes.push(small.len() as f64 / 1e3);
    }
    let (plain_mean, packed_mean) = (rate::mean(&plain_bytes), rate::mean(&packed_bytes));
    let size = format!("mean {plain_mean:.1} kB, gzip {packed_mean:.1} kB");
    let theirs = peer.rate(processors, time, SQL, &|query, n| {
        let tile = tile_of(measuring, n, z);
        query.bind(i32::from(tile.z())).bind(tile.x() as i32).bind(tile.y() as i32)
    });
    let plain_rate = rate::of(processors, time, |n| drop(std::hint::black_box(cut(n))));
    let how = if z > 14 {
        "bare `ST_AsMVT`, the same features"
    } else {
        "bare `ST_AsMVT`, which sends every parcel"
    };
    table.rates(&format!("z{z} parcel tile, cold, in process, uncompressed"), plain_rate, Some(theirs), how);
    let packed_rate = rate::of(processors, time, |n| drop(std::hint::black_box(packed(n))));
    table.rates(
        &format!("z{z} parcel tile, cold, in process, gzip"),
        packed_rate,
        Some(theirs),
        &format!("{how}, uncompressed; {size}"),
    );
    let paths: Vec<String> = (0..4_000).map(|n| path(tile_of(measuring, n, z))).collect();
    let over = load::get(measuring.cold.url(), time, &paths);
    table.rates(&format!("z{z} parcel tile, cold, over HTTP, gzip"), over.rate, Some(theirs), &over.times());
    // Farther out one of its tiles takes longer than a client waits.
    if let Some(martin) = measuring.martin.as_ref().filter(|_| z >= 14) {
        let paths: Vec<String> = paths.iter().map(|path| path.replacen("/parcels/", "/", 1)).collect();
        let theirs = load::get(martin.url(), time, &paths);
        let note = format!("Martin, cache off; {}", theirs.times());
        table.rates(&format!("z{z} … beside Martin"), over.rate, Some(theirs.rate), &note);
        // What its clients waited for when the time was over still keeps PostgreSQL busy.
        std::thread::sleep(std::time::Duration::from_secs(8));
    }
    if z <= 14 {
        table.limit(
            &format!("z{z} gzip size, 95 of 100"),
            rate::percentile(&packed_bytes, 95),
            z_limit(z),
            "kB",
        );
    }
    if z <= 12 {
        table.limit(
            &format!("z{z} time to cut and pack, 95 of 100"),
            rate::percentile(&millis, 95),
            50.0,
            "ms",
        );
    }
}

/// The largest size asked for, kB.
fn z_limit(z: u8) -> f64 {
    if z == 14 { 200.0 } else { 300.0 }
}

/// One tile after the other out of the cache, compared with the same number of bytes by a server that does
/// nothing else.
fn warm(table: &mut Table, measuring: &Measuring<'_>, z: u8) {
    let paths: Vec<String> = (0..50).map(|n| path(tile_of(measuring, n, z))).collect();
    // Every path once: after that all are there.
    load::get(measuring.warm.url(), std::time::Duration::from_secs(1), &paths);
    let ours = load::get(measuring.warm.url(), measuring.time, &paths);
    let limit = measuring.ceiling.rate(ours.bytes as usize, measuring.time);
    let note = format!("bare axum with as many bytes; {}", ours.times());
    table.rates(&format!("z{z} parcel tile, warm, over HTTP, gzip"), ours.rate, Some(limit), &note);
}
