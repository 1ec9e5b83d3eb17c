//! Queries of the city's services: in process next to bare SQL, over HTTP next to a server that only sends
//! bytes.

use std::time::Instant;

use citymap_engine::{Area, Bbox, City, LayerSnapshot, Query};
use geo::polygon;

use crate::{load, measuring::Measuring, peer::Peer, rate, table::Table};

/// Different requests of a kind: none is answered from a cache of the last few.
const ASKED: u64 = 5_000;

/// Measures all of them.
pub(crate) fn run(table: &mut Table, measuring: &Measuring<'_>, city: &City, peer: &Peer) {
    let parcels = city.layer("parcels").expect("the demo city has parcels");
    at(table, measuring, parcels, peer);
    in_box(table, measuring, parcels, peer);
    near(table, measuring, parcels, peer);
    zones_of_one(table, measuring, parcels, peer);
    drawn(table, measuring, parcels, peer);
}

/// A query over HTTP, compared with the same number of bytes.
fn over_http(table: &mut Table, measuring: &Measuring<'_>, what: &str, paths: &[String]) -> load::Load {
    let ours = load::run(measuring.warm.url(), measuring.time, "identity", paths);
    let limit = measuring.ceiling.rate(ours.bytes as usize, measuring.time);
    let note = format!("bare axum with as many bytes; {}", ours.times());
    table.rates(&format!("{what}, over HTTP"), ours.rate, Some(limit), &note);
    ours
}

fn at(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let Measuring { time, processors, .. } = *measuring;
    let place = |n: u64| measuring.place(n);
    let sql = "SELECT * FROM bench.parcels WHERE ST_Intersects(geom, ST_SetSRID(ST_MakePoint($1, $2), 4326))";
    let theirs = peer.rate(processors, time, sql, &|query, n| query.bind(place(n)[0]).bind(place(n)[1]));
    let ours = rate::of(processors, time, |n| drop(std::hint::black_box(parcels.at(place(n)))));
    table.rates("parcel at a point, in process", ours, Some(theirs), "bare SQL, the same rows");
    let path = |n| format!("/api/at?layers=parcels&lon={}&lat={}", place(n)[0], place(n)[1]);
    let paths: Vec<String> = (0..ASKED).map(path).collect();
    let over = over_http(table, measuring, "parcel at a point, JSON", &paths);
    table.limit("… 99 of 100 answered within", over.p99, 5.0, "ms");
}

fn in_box(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let Measuring { time, processors, .. } = *measuring;
    let half = half_width(parcels, measuring, 100);
    let around = |n: u64| {
        let [x, y] = measuring.place(n);
        Bbox::new(x - half, y - half, x + half, y + half)
    };
    let sql = "SELECT * FROM bench.parcels WHERE ST_Intersects(geom, ST_MakeEnvelope($1, $2, $3, $4, 4326)) \
               LIMIT 100";
    let theirs = peer.rate(processors, time, sql, &|query, n| {
        let bbox = around(n);
        query.bind(bbox.min[0]).bind(bbox.min[1]).bind(bbox.max[0]).bind(bbox.max[1])
    });
    let ours = rate::of(processors, time, |n| {
        let query = Query { bbox: Some(around(n)), limit: Some(100), ..Query::default() };
        drop(std::hint::black_box(parcels.select(&query)));
    });
    table.rates("100 parcels in a box, in process", ours, Some(theirs), "bare SQL, the same rows");
    let path = |n| {
        let Bbox { min: [west, south], max: [east, north] } = around(n);
        format!("/api/collections/parcels/items?limit=100&bbox={west},{south},{east},{north}")
    };
    let paths: Vec<String> = (0..ASKED).map(path).collect();
    for (accept, how) in [("identity", "GeoJSON"), ("gzip", "GeoJSON, gzip")] {
        let over = load::run(measuring.warm.url(), time, accept, &paths);
        let note = format!("bare SQL, which makes no GeoJSON; {}", over.times());
        table.rates(&format!("100 parcels in a box, {how}, over HTTP"), over.rate, Some(theirs), &note);
    }
}

fn near(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let Measuring { time, processors, .. } = *measuring;
    let place = |n: u64| measuring.place(n);
    let sql = "SELECT *, ST_Distance(geom::geography, p) AS d FROM bench.parcels, \
        (SELECT ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography AS p) AS q \
        WHERE geom && ST_Expand(p::geometry, 0.002) AND ST_DWithin(geom::geography, p, 200) ORDER BY d \
        LIMIT 10";
    let theirs = peer.rate(processors, time, sql, &|query, n| query.bind(place(n)[0]).bind(place(n)[1]));
    let ours = rate::of(processors, time, |n| drop(std::hint::black_box(parcels.near(place(n), 200.0, 10))));
    table.rates("10 nearest within 200 m, in process", ours, Some(theirs), "bare SQL, geography");
    let path =
        |n| format!("/api/near?layers=parcels&distance=200&limit=10&lon={}&lat={}", place(n)[0], place(n)[1]);
    let paths: Vec<String> = (0..ASKED).map(path).collect();
    let plain = over_http(table, measuring, "10 nearest within 200 m, JSON", &paths);
    let packed = load::get(measuring.warm.url(), time, &paths);
    let note = format!("the same as it is; {}", packed.times());
    table.rates("10 nearest within 200 m, JSON, gzip, over HTTP", packed.rate, Some(plain.rate), &note);
}

fn zones_of_one(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let Measuring { time, processors, .. } = *measuring;
    let row = |n: u64| measuring.row(n);
    let sql = "SELECT z.ogc_fid, ST_Area(ST_Intersection(p.geom, z.geom)) FROM bench.parcels p JOIN \
               bench.zones z \
        ON ST_Intersects(p.geom, z.geom) WHERE p.ma_thua = $1";
    let theirs = peer.rate(processors, time, sql, &|query, n| query.bind(parcels.id(row(n)).to_string()));
    let path = |n| format!("/api/overlay?layer=parcels&id={}&with=zones", parcels.id(row(n)));
    let paths: Vec<String> = (0..ASKED).map(path).collect();
    let over = load::get(measuring.warm.url(), time, &paths);
    let note = format!("bare SQL, planar degrees; {}", over.times());
    table.rates("one parcel × all zones, areas, over HTTP", over.rate, Some(theirs), &note);
}

/// A diamond of 1 km².
fn drawn(table: &mut Table, measuring: &Measuring<'_>, parcels: &LayerSnapshot, peer: &Peer) {
    let Measuring { time, processors, .. } = *measuring;
    let diamond = |n: u64| {
        let ([x, y], dx, dy) = (measuring.place(n), 0.00647, 0.00639);
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
    let ask = |n: u64| {
        let area = Area::new(diamond(n).into()).expect("a diamond is valid");
        drop(std::hint::black_box(parcels.within(&area).expect("it can be measured")));
    };
    let ours = rate::of(1, time, ask);
    let how = "planar degrees there, the grid here";
    table.rates("parcels in a drawn 1 km², counts and areas, in process", ours, Some(theirs), how);
    let millis: Vec<f64> = (0..200)
        .map(|n| {
            let start = Instant::now();
            ask(n);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    table.limit("… one alone, 95 of 100 within", rate::percentile(&millis, 95), 20.0, "ms");
}

/// Half the width, in degrees, of a box that holds about `count` parcels at the places.
fn half_width(parcels: &LayerSnapshot, measuring: &Measuring<'_>, count: usize) -> f64 {
    let mut half = 1e-5;
    loop {
        let mut found = 0;
        for n in 0..50 {
            let [x, y] = measuring.place(n);
            parcels.candidates(&Bbox::new(x - half, y - half, x + half, y + half), |_| found += 1);
        }
        if found / 50 >= count {
            return half;
        }
        half *= 1.1;
    }
}
