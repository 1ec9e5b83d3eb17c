//! Measures the start of a server, and the memory of its layers:
//! `cargo run --release -p citymap-benches --example start FILE.gpkg [FOLDER] [forget]`.
//!
//! FOLDER holds the snapshot files (default: `FILE.gpkg.snapshot`); `forget` deletes them first. The second
//! run finds the files that the first one wrote. The first answer is the parcel at the middle of the largest
//! layer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{fs, path::PathBuf, time::Instant};

use citymap_live::{Live, Options};

/// Kilobytes of this process by their kind.
fn resident() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let kinds = ["VmRSS:", "RssAnon:", "RssFile:"];
    let of = |kind: &str| {
        let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    };
    kinds.map(|kind| format!("{kind} {} MB", of(kind))).join("  ")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().unwrap();
    let rest: Vec<String> = arguments.collect();
    let forget = rest.iter().any(|word| word == "forget");
    let folder = rest.iter().find(|word| *word != "forget");
    let folder = folder.map_or_else(|| PathBuf::from(format!("{store}.snapshot")), PathBuf::from);
    if forget {
        let _ = fs::remove_dir_all(&folder);
    }
    let start = Instant::now();
    let milliseconds = || start.elapsed().as_secs_f64() * 1e3;
    let options = Options { snapshots: Some(folder) };
    let record = citymap_store::open(&store, false).unwrap();
    let opened = milliseconds();
    let live = Live::open_with(record, &options).unwrap();
    let city_snapshot = live.snapshot();
    let largest = city_snapshot.city.layers.values().max_by_key(|layer| layer.len()).unwrap();
    let extent = largest.extent().unwrap();
    let found = largest.near(extent.center(), 2_000.0, 1);
    let first = milliseconds();
    println!("store opened {opened:.0} ms, first answer {first:.0} ms ({} found)", found.len());
    println!("{}", resident());
    let mut all = (0, 0);
    for (id, layer) in &city_snapshot.city.layers {
        let memory = layer.memory();
        let bytes: usize = memory.iter().map(|(_, bytes)| bytes).sum();
        all = (all.0 + bytes, all.1 + layer.len());
        println!(
            "{id:>14} {:>8} features {:>6.1} B each",
            layer.len(),
            bytes as f64 / layer.len().max(1) as f64
        );
        if id.as_str() == largest.layer().id.as_str() || id.as_str() == "parcels" {
            for (name, bytes) in &memory {
                let field = name
                    .strip_prefix("field.")
                    .and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
                let field = field.map_or("", |number| layer.layer().fields[number].name.as_str());
                println!("  {:>22} {:>12} {:>7.1}", name, field, *bytes as f64 / layer.len() as f64);
            }
        }
    }
    println!("all: {} MB, {} features", all.0 >> 20, all.1);
    live.wait_for_names(std::time::Duration::from_secs(120));
    println!("names ready {:.0} ms; {}", milliseconds(), resident());
    let writing = Instant::now();
    live.write_snapshots();
    println!("files up to date {:.0} ms later", writing.elapsed().as_secs_f64() * 1e3);
}
