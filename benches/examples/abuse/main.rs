//! What hostile clients do to a running server: `cargo run -p citymap-benches --example abuse [PARCELS]`,
//! after `cargo build -p citymap-cli`.
//!
//! Starts the built server on a demo city of its own (100 000 parcels by default) with the limits that it has
//! by default, and does to it, one after the other, what `docs/operations.md` says that it bears. The attacks
//! come from 127.0.0.1. Meanwhile another client, at 127.0.0.2, asks for `/health/live` and `/api/at` and
//! measures. Prints one Markdown table. Needs 10 000 open files (`ulimit -n`).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

mod attacks;
mod http2;
mod probe;
mod process;

use std::{collections::BTreeMap, thread, time::Duration};

use citymap_tests::{Bench, Server, WRITER};
use serde_json::{Value, json};

use attacks::{Attack, Target};
use probe::Probe;
use process::Process;

/// Former states that are made: as many edits are committed before the layer is replaced.
const FORMER: usize = 26;

fn main() {
    let parcels = std::env::args().nth(1).unwrap_or_else(|| "100000".to_owned());
    let bench = Bench::new();
    eprintln!("a city of {parcels} parcels");
    let target_of = make_city(&bench, &parcels);
    let server = Server::start(bench.store(), &[]);
    wait_for_names(&server);
    let process = Process::new(server.pid());
    let target = Target { url: server.url().to_owned(), ..target_of };
    // The tiles that the map asks for first are prepared after the start.
    process.wait_until_idle();
    println!(
        "| abuse | answers to it | p50, p99, max of others (ms) | memory before → most → after (MB) \
         | processor after the hang-up: to 0.2 s, to 2 s (ms) | before these bounds |"
    );
    println!("|---|---|---|---|---|---|");
    for attack in attacks::all() {
        run(&target, &process, &attack);
    }
}

/// Attacks, measures, hangs up, measures again, and prints a row.
fn run(target: &Target, process: &Process, attack: &Attack) {
    eprintln!("{}", attack.name);
    let before = process.resident_mb();
    let watch = process.watch();
    let probe = Probe::start(&target.url, target.place);
    let mut answers = BTreeMap::new();
    let held = (attack.run)(target, &mut answers);
    thread::sleep(attack.hold);
    let seen = probe.stop();
    let busy = process.processor();
    drop(held);
    thread::sleep(Duration::from_millis(200));
    let soon = process.processor();
    thread::sleep(Duration::from_millis(1_800));
    let later = process.processor();
    let most = watch.stop();
    thread::sleep(Duration::from_secs(3));
    let answers: Vec<String> = answers.iter().map(|(answer, count)| format!("{count} × {answer}")).collect();
    println!(
        "| {} | {} | {seen} | {before} → {most} → {} | {}, {} | {} |",
        attack.name,
        answers.join(", "),
        process.resident_mb(),
        (soon - busy).as_millis(),
        (later - soon).as_millis(),
        attack.before,
    );
}

/// A demo city with a feature that covers it all, and [`FORMER`] former states, each with parcels of its own.
fn make_city(bench: &Bench, parcels: &str) -> Target {
    bench.expect(0, ["demo", "--parcels", parcels, "--seed", "1"]);
    let writers = bench.writers();
    let (extent, place, first) = {
        let server = Server::start(bench.store(), &["--writers", writers.to_str().unwrap()]);
        let layer = server.json("/api/collections/parcels");
        let extent = numbers::<4>(&layer["extent"]["spatial"]["bbox"][0]);
        let items = server.json(&format!("/api/collections/parcels/items?limit={FORMER}"));
        let features = items["features"].as_array().unwrap();
        let place = numbers::<2>(&features[0]["geometry"]["coordinates"][0][0]);
        let first = layer_revision(&server);
        for feature in features {
            let id = feature["id"].as_str().map_or_else(|| feature["id"].to_string(), str::to_owned);
            let url = format!("{}/api/collections/parcels/items/{id}", server.url());
            let body = json!({"properties": {"dia_chi": "đã đổi"}}).to_string();
            ureq::patch(&url)
                .header("authorization", format!("Bearer {WRITER}"))
                .header("if-match", "*")
                .header("content-type", "application/merge-patch+json")
                .send(body)
                .unwrap_or_else(|error| panic!("PATCH {url}: {error}"));
        }
        (extent, place, first)
    };
    // A layer that has other fields since shares nothing with its former states.
    let file = bench.path("parcels.fgb");
    let file = file.to_str().unwrap();
    bench.expect(0, ["export", "parcels", "--to", file]);
    let replace = ["import", file, "--layer", "parcels", "--key", "ma_thua", "--drop-field", "ten_duong"];
    bench.expect(0, replace);
    let frame = bench.path("frame.geojson");
    let [west, south, east, north] = extent;
    let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
    let feature = json!({"type": "Feature", "properties": {"code": "FRAME"},
        "geometry": {"type": "Polygon", "coordinates": [ring]}});
    std::fs::write(&frame, json!({"type": "FeatureCollection", "features": [feature]}).to_string()).unwrap();
    bench.expect(0, ["import", frame.to_str().unwrap(), "--layer", "frame", "--key", "code"]);
    Target { url: String::new(), place, extent, former: (first..first + FORMER as u64).collect() }
}

/// A list of numbers as JSON has it.
fn numbers<const N: usize>(list: &Value) -> [f64; N] {
    std::array::from_fn(|index| {
        list[index].as_f64().unwrap_or_else(|| panic!("{list} is no list of numbers"))
    })
}

/// The revision that the server shows.
fn layer_revision(server: &Server) -> u64 {
    server.json("/health/ready")["revision"].as_u64().unwrap()
}

fn wait_for_names(server: &Server) {
    while server.get("/api/search?q=a").0 == 503 {
        thread::sleep(Duration::from_millis(50));
    }
}
