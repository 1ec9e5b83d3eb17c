//! One city size: import, start, tiles by zoom, questions.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use citymap_engine::{Area, Bbox, LayerSnapshot, Query};
use citymap_live::Live;
use citymap_tests::{Bench, Server};
use citymap_tile::{GZIP_LEVEL, TileId, TileOptions, encode, gzip};
use geo::polygon;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{http, peer::Peer, rate, record, table::Table};

/// Tiles and places per rate: enough that none is asked for twice before the caches are cold again.
const PLACES: usize = 20_000;

/// Measures a demo city of `parcels` parcels.
pub(crate) fn run(parcels: u32, database: &str, time: Duration, processors: usize) -> Table {
    let mut table = Table::new(format!("{parcels} parcels"));
    let bench = Bench::new();
    let peer = Peer::new(database);

    let start = Instant::now();
    bench.expect(0, ["demo", "--parcels", &parcels.to_string(), "--seed", "1"]);
    table.times("demo city, all layers", start.elapsed().as_secs_f64(), None, "`citymap demo`");

    imports(&mut table, &bench, &peer, database, parcels);

    let start = Instant::now();
    let live =
        Live::open(citymap_store::open(&bench.store().to_string_lossy(), false).expect("the store opens"))
            .expect("the city fits");
    table.times(
        "start, all layers in memory",
        start.elapsed().as_secs_f64(),
        None,
        "in process, search index included",
    );
    let start = Instant::now();
    let server = Server::start(bench.store(), &["--tile-cache", "0"]);
    table.times("start, first answer", start.elapsed().as_secs_f64(), None, "`citymap serve`");

    let city = live.scene().city;
    let parcels = city.layer("parcels").expect("the demo city has parcels");
    let places = places(parcels);
    tiles(&mut table, parcels, &places, &peer, &server, time, processors);
    questions(&mut table, parcels, &places, &peer, &server, time, processors);
    table
}

/// The same file into our stores, into PostGIS by COPY with a GiST index, and into a GeoPackage.
fn imports(table: &mut Table, bench: &Bench, peer: &Peer, database: &str, parcels: u32) {
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
    let plain = bench.path("plain.gpkg");
    let geopackage = record::plain(&file, &plain);
    record::run(table, bench, &file, &plain, parcels, &record::Peers { postgis, geopackage });

    // What a tile server on PostGIS would prepare: Web Mercator, clustered, indexed, analysed.
    peer.execute(&[
        "CREATE INDEX ON bench.parcels (ma_thua)",
        "CREATE TABLE bench.tiles AS SELECT ogc_fid, ma_thua, ma_xa, so_to, so_thua, loai_dat, dien_tich, dia_chi, ten_duong, so_nha, valid_from, \
         ST_Transform(geom, 3857) AS geom FROM bench.parcels ORDER BY geom",
        "CREATE INDEX ON bench.tiles USING gist (geom)",
        "VACUUM ANALYZE bench.parcels",
        "VACUUM ANALYZE bench.tiles",
    ]);
}

/// Copies the layer `parcels`.
pub(crate) fn ogr2ogr(to: &Path, from: &Path, format: &str, more: &[&str]) {
    let mut command = Command::new("ogr2ogr");
    command.args(["-f", format]).args(more).arg(to).arg(from).arg("parcels").env("OGR_SQLITE_PRAGMA", "");
    let out = command.output().expect("ogr2ogr starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Random places where there are parcels, so weighted to the dense core.
fn places(parcels: &LayerSnapshot) -> Vec<[f64; 2]> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    (0..PLACES)
        .filter_map(|_| {
            let row = rng.random_range(0..parcels.len() as u32);
            parcels.bbox(row).map(|bbox| bbox.center())
        })
        .collect()
}

fn tiles(
    table: &mut Table,
    parcels: &LayerSnapshot,
    places: &[[f64; 2]],
    peer: &Peer,
    server: &Server,
    time: Duration,
    processors: usize,
) {
    const SQL: &str = "SELECT ST_AsMVT(t, 'parcels', 4096, 'geom', 'ogc_fid') FROM ( \
        SELECT ogc_fid, ma_thua, ma_xa, so_to, so_thua, loai_dat, dien_tich, dia_chi, ten_duong, so_nha, valid_from::text, \
        ST_AsMVTGeom(geom, ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS geom \
        FROM bench.tiles WHERE geom && ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096)) AS t WHERE geom IS NOT NULL";
    for z in [18, 16, 14, 12, 10] {
        let tile = |n: u64| TileId::at(places[n as usize % places.len()], z).expect("a tile of the city");
        let mut sizes = Vec::new();
        for n in 0..20 {
            let bytes = encode(&[parcels], tile(n), &TileOptions::default());
            sizes.push((bytes.len(), gzip(&bytes, GZIP_LEVEL).len()));
        }
        let (plain, packed) =
            sizes.iter().fold((0, 0), |sum, size| (sum.0 + size.0 / 20, sum.1 + size.1 / 20));
        let note = format!("mean {:.1} kB, gzip {:.1} kB", plain as f64 / 1e3, packed as f64 / 1e3);
        let plain_rate = rate::of(processors, time, |n| {
            std::hint::black_box(encode(&[parcels], tile(n), &TileOptions::default()));
        });
        let ours = rate::of(processors, time, |n| {
            std::hint::black_box(gzip(&encode(&[parcels], tile(n), &TileOptions::default()), GZIP_LEVEL));
        });
        let theirs = peer.rate(processors, time, SQL, &|query, n| {
            let tile = tile(n);
            query.bind(i32::from(tile.z())).bind(tile.x() as i32).bind(tile.y() as i32)
        });
        table.rates(
            &format!("z{z} parcel tile, uncached, in process"),
            plain_rate,
            Some(theirs),
            "bare `ST_AsMVT`, uncompressed as ours here",
        );
        table.rates(
            &format!("z{z} parcel tile, uncached, gzip, in process"),
            ours,
            Some(theirs),
            &format!("bare `ST_AsMVT`, uncompressed; {note}"),
        );
        if z >= 14 {
            let over = http::rate(server.url(), processors * 4, time, |n| {
                let tile = tile(n);
                format!("/tiles/parcels/{}/{}/{}", tile.z(), tile.x(), tile.y())
            });
            table.rates(
                &format!("z{z} parcel tile, uncached, gzip, over HTTP"),
                over,
                Some(theirs),
                "the same, clients on the same processors",
            );
        }
    }
}

fn questions(
    table: &mut Table,
    parcels: &LayerSnapshot,
    places: &[[f64; 2]],
    peer: &Peer,
    server: &Server,
    time: Duration,
    processors: usize,
) {
    let place = |n: u64| places[n as usize % places.len()];
    let note = "bare SQL, the same rows";

    let sql = "SELECT * FROM bench.parcels WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))";
    let theirs = peer.rate(processors, time, sql, &|query, n| query.bind(place(n)[0]).bind(place(n)[1]));
    let ours = rate::of(processors, time, |n| {
        std::hint::black_box(parcels.at(place(n)));
    });
    table.rates("parcel at a point, in process", ours, Some(theirs), note);
    let over = http::rate(server.url(), processors * 4, time, |n| {
        format!("/api/at?layers=parcels&lon={}&lat={}", place(n)[0], place(n)[1])
    });
    table.rates("parcel at a point, over HTTP", over, Some(theirs), note);

    // A box of about 100 parcels.
    let half = half_width(parcels, places, 100);
    let around = |n: u64| {
        let [x, y] = place(n);
        Bbox::new(x - half, y - half, x + half, y + half)
    };
    let sql = "SELECT * FROM bench.parcels WHERE ST_Intersects(geom, ST_MakeEnvelope($1, $2, $3, $4, 4326)) LIMIT 100";
    let theirs = peer.rate(processors, time, sql, &|query, n| {
        let bbox = around(n);
        query.bind(bbox.min[0]).bind(bbox.min[1]).bind(bbox.max[0]).bind(bbox.max[1])
    });
    let ours = rate::of(processors, time, |n| {
        std::hint::black_box(parcels.select(&Query {
            bbox: Some(around(n)),
            limit: Some(100),
            ..Query::default()
        }));
    });
    table.rates("100 parcels in a box, in process", ours, Some(theirs), note);
    let over = http::rate(server.url(), processors * 4, time, |n| {
        let bbox = around(n);
        format!(
            "/api/collections/parcels/items?limit=100&bbox={},{},{},{}",
            bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]
        )
    });
    table.rates(
        "100 parcels in a box, GeoJSON over HTTP",
        over,
        Some(theirs),
        "bare SQL, which makes no GeoJSON",
    );

    let sql = "SELECT *, ST_Distance(geom::geography, p) AS d FROM bench.parcels, \
        (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS p) AS q \
        WHERE geom && ST_Expand(p::geometry, 0.002) AND ST_DWithin(geom::geography, p, 200) ORDER BY d LIMIT 10";
    let theirs = peer.rate(processors, time, sql, &|query, n| query.bind(place(n)[0]).bind(place(n)[1]));
    let ours = rate::of(processors, time, |n| {
        std::hint::black_box(parcels.near(place(n), 200.0, 10));
    });
    table.rates("10 nearest within 200 m, in process", ours, Some(theirs), "bare SQL, geography");
    let over = http::rate(server.url(), processors * 4, time, |n| {
        format!("/api/near?layers=parcels&distance=200&limit=10&lon={}&lat={}", place(n)[0], place(n)[1])
    });
    table.rates("10 nearest within 200 m, over HTTP", over, Some(theirs), "bare SQL, geography");

    // A diamond of 1 km².
    let diamond = |n: u64| {
        let ([x, y], dx, dy) = (place(n), 0.00647, 0.00639);
        polygon![(x: x - dx, y: y), (x: x, y: y - dy), (x: x + dx, y: y), (x: x, y: y + dy)]
    };
    let sql = "SELECT count(*), sum(ST_Area(ST_Intersection(geom, a))) FROM bench.parcels, \
        (SELECT ST_GeomFromWKB($1, 4326) AS a) AS q WHERE ST_Intersects(geom, a)";
    let theirs = peer.rate(processors, time, sql, &|query, n| {
        let mut bytes = Vec::new();
        wkb::writer::write_polygon(&mut bytes, &diamond(n), &Default::default())
            .expect("a polygon is written");
        query.bind(bytes)
    });
    let ours = rate::of(1, time, |n| {
        let area = Area::new(diamond(n).into()).expect("a diamond is valid");
        std::hint::black_box(parcels.within(&area).expect("it can be measured"));
    });
    table.rates(
        "parcels in a drawn 1 km², counts and areas, in process",
        ours,
        Some(theirs),
        "planar degrees there, the grid here",
    );
}

/// Half the width, in degrees, of a box that holds about `count` parcels at the places.
fn half_width(parcels: &LayerSnapshot, places: &[[f64; 2]], count: usize) -> f64 {
    let mut half = 1e-5;
    loop {
        let mean = places[..50]
            .iter()
            .map(|[x, y]| {
                let mut found = 0;
                parcels.candidates(&Bbox::new(x - half, y - half, x + half, y + half), |_| found += 1);
                found
            })
            .sum::<usize>()
            / 50;
        if mean >= count {
            return half;
        }
        half *= 1.1;
    }
}
