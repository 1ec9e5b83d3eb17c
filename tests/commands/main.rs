//! Each command of the built binary, one file for each: what it prints, what it writes, how it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod backup;
mod bake;
mod check;
mod city;
mod copy;
mod diff;
mod doctor;
mod export;
mod layer;
mod layers;
mod log;
mod modes;
mod outputs;
mod overlay;
mod password;
mod printing;
mod report;
mod rollback;
mod tiles;
mod webhook;

use std::sync::OnceLock;

use citymap_tests::Bench;
use serde_json::{Value, json};

/// A store with the smallest demo city: 100 parcels. It is made once and copied for each test.
fn city() -> Bench {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = MADE.get_or_init(|| {
        let bench = Bench::new();
        bench.expect(0, ["demo", "--parcels", "100"]);
        std::fs::read(bench.store()).unwrap()
    });
    let bench = Bench::new();
    std::fs::write(bench.store(), bytes).unwrap();
    bench
}

/// A well of the layer `wells`.
fn well(key: &str, name: Option<&str>, depth: f64, lonlat: [f64; 2]) -> Value {
    json!({
        "type": "Feature",
        "properties": { "ma": key, "ten": name, "sau": depth },
        "geometry": { "type": "Point", "coordinates": lonlat },
    })
}

/// Imports wells as one revision, in place of those that the store has.
fn import(bench: &Bench, wells: &[Value], message: &str) {
    let file = bench.path("wells.geojson");
    let collection = json!({ "type": "FeatureCollection", "features": wells });
    std::fs::write(&file, collection.to_string()).unwrap();
    let file = file.to_str().unwrap();
    bench.expect(
        0,
        ["import", file, "--layer", "wells", "--key", "ma", "--message", message, "--author", "Lan"],
    );
}

/// A store of two revisions: A1 and A2; then A1 deeper, A2 gone, A3 new.
fn wells() -> Bench {
    let bench = Bench::new();
    let [a, b, c] = [[106.7, 10.77], [106.71, 10.78], [106.72, 10.79]];
    import(&bench, &[well("A1", Some("Giếng số 1"), 31.5, a), well("A2", None, 12.0, b)], "Đợt một");
    import(&bench, &[well("A1", Some("Giếng số 1"), 32.5, a), well("A3", None, 9.0, c)], "Đợt hai");
    bench
}

/// Runs a command that must fail with exit code 1; what it prints on standard error.
fn refused<const N: usize>(bench: &Bench, args: [&str; N]) -> String {
    let run = bench.expect(1, args);
    let error = run.stderr();
    assert!(error.starts_with("error: "), "{error}");
    assert_eq!(run.stdout(), "", "a failure prints no result");
    error
}
