//! Edits made straight in the database, as QGIS or `psql` make them: captured as revisions, and seen
//! everywhere.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    time::{Duration, Instant},
};

use citymap_tests::{Bench, Database, Server};
use serde_json::Value;

fn tile_of(lon: f64, lat: f64, zoom: u32) -> String {
    let scale = f64::from(1_u32 << zoom);
    let x = (lon + 180.0) / 360.0 * scale;
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * scale;
    format!("/tiles/wells/{zoom}/{}/{}", x as u32, y as u32)
}

/// Waits until `seen` is true; how long that took.
fn until(what: &str, mut seen: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !seen() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} was not seen");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

fn depth(server: &Server, id: &str) -> Value {
    let (status, body) = server.get(&format!("/api/collections/wells/items/{id}"));
    if status != 200 {
        return Value::Null;
    }
    serde_json::from_slice::<Value>(&body).unwrap()["properties"]["depth"].clone()
}

#[test]
fn a_row_edited_by_psql_is_seen_in_items_tiles_and_the_feed() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::on(&database.url());
    fs::write(bench.path("wells.csv"), "code,lon,lat,depth\nW1,106.70,10.77,10\nW2,106.71,10.77,20\n")
        .unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    let server = bench.serve();
    assert_eq!(depth(&server, "W1"), 10);
    let (tile, other) = (tile_of(106.70, 10.77, 16), tile_of(106.71, 10.77, 16));
    let (before, unchanged) = (server.get(&tile), server.get(&other));

    database.psql("UPDATE city.wells SET depth = 11 WHERE code = 'W1'");
    let items = until("the edit in /items", || depth(&server, "W1") == 11);
    let tiles = until("the edit in the tile", || server.get(&tile).1 != before.1);
    assert_eq!(server.get(&other).1, unchanged.1, "another tile is as it was");
    println!("by psql: in /items after {items:.0?}, in the tile {tiles:.0?} later");

    let change = &server.json("/api/changes?since=1")["revisions"][0];
    assert_eq!((&change["revision"], &change["layers"][0]["changed"]), (&2.into(), &1.into()), "{change}");
    assert_eq!(change["layers"][0]["features"][0]["id"], "W1");
    let log = bench.expect(0, ["--json", "log", "-n", "1"]).json();
    assert_eq!(log[0]["author"], "postgres");
    assert!(log[0]["message"].as_str().unwrap().contains("psql"), "{log}");

    // A transaction of several statements is one revision; one that is taken back is none.
    database.psql(
        "BEGIN; INSERT INTO city.wells (geom, code, depth) VALUES (ST_SetSRID(ST_MakePoint(106.72, 10.77), \
         4326), 'W3', 30); \
         DELETE FROM city.wells WHERE code = 'W2'; COMMIT; \
         BEGIN; UPDATE city.wells SET depth = 99; ROLLBACK; \
         UPDATE city.wells SET depth = depth",
    );
    until("the new row", || depth(&server, "W3") == 30);
    assert_eq!(depth(&server, "W2"), Value::Null);
    let log = bench.expect(0, ["--json", "log", "-n", "1"]).json();
    assert_eq!(log[0]["number"], 3, "nothing but the one transaction made a revision: {log}");
    let counts = ["added", "changed", "removed"].map(|word| log[0]["changes"][0][word].as_u64().unwrap());
    assert_eq!(counts, [1, 0, 1]);

    // What was before is still known, and can be had again.
    let then = server.json("/api/collections/wells/items?revision=1");
    assert_eq!(then["features"].as_array().unwrap().len(), 2);
    assert_eq!(then["features"][0]["properties"]["depth"], 10);
    bench.expect(0, ["rollback", "--to", "1"]);
    until("the return", || depth(&server, "W2") == 20 && depth(&server, "W1") == 10);
    assert_eq!(depth(&server, "W3"), Value::Null);
    assert_eq!(
        database
            .psql("SELECT string_agg(fid || ':' || code || ':' || depth, ' ' ORDER BY fid) FROM city.wells"),
        "1:W1:10 2:W2:20"
    );
    bench.expect(0, ["doctor"]);
}

#[test]
fn wrong_rows_are_refused_by_the_database() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::on(&database.url());
    fs::write(bench.path("wells.csv"), "code,lon,lat,depth\nW1,106.70,10.77,10\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    for wrong in [
        "ST_SetSRID(ST_MakePoint(603481, 1191454), 9210)",
        "ST_GeomFromText('LINESTRING(106 10,107 11)', 4326)",
    ] {
        let outcome = std::panic::catch_unwind(|| {
            database.psql(&format!("INSERT INTO city.wells (geom, code) VALUES ({wrong}, 'X')"))
        });
        assert!(outcome.is_err(), "{wrong} was taken");
    }
    assert_eq!(database.psql("SELECT count(*) FROM city.wells"), "1");
    assert_eq!(bench.expect(0, ["--json", "log"]).json().as_array().map(Vec::len), Some(1));
}

#[test]
fn geometry_in_vn_2000_lies_where_the_law_puts_it() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::on(&database.url());
    fs::write(bench.path("wells.csv"), "code,lon,lat\nW1,106.698,10.7725\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    let told = database.psql("SELECT ST_X(geom), ST_Y(geom), ST_SRID(geom) FROM city_vn2000.wells");
    let numbers: Vec<f64> = told.split('|').map(|text| text.parse().unwrap()).collect();
    let off = (numbers[0] - 603_481.588).hypot(numbers[1] - 1_191_454.611);
    assert!(off < 0.002 && numbers[2] == 9210.0, "{off} m off: {told}");
}
