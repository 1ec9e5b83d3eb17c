//! `make bench`: citymap next to PostGIS and GDAL, the same work in the same run.
//!
//! Prints a table for each city size. The ratio is the peer's time divided by ours (or our rate divided by
//! the peer's): above 1 citymap is faster. `citymap-bench 100000 1000000` chooses the sizes, `--seconds S`
//! the time for each rate (default 3), `--no-record` leaves out imports, replacement, rollback and backup,
//! `--imports` leaves out everything but imports.
//! `citymap-bench ceiling ADDRESS` only serves fixed bodies, for `benches/http`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a benchmark prints its figures and fails by panicking"
)]

mod bake;
mod ceiling;
mod city;
mod fair;
mod imports;
mod load;
mod measuring;
mod overlay;
mod peer;
mod programs;
mod questions;
mod rate;
mod record;
mod start;
mod table;
mod tiles;

use std::time::Duration;

fn main() {
    if std::env::args().nth(1).as_deref() == Some(ceiling::ARGUMENT) {
        return ceiling::serve(std::env::args().nth(2));
    }
    let mut sizes = Vec::new();
    let (mut record, mut only_imports) = (true, false);
    let mut seconds = 3.0;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match (arg.as_str(), arg.parse::<u32>()) {
            ("--seconds", _) => {
                seconds = args
                    .next()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or_else(|| usage("--seconds needs a number"));
            }
            ("--no-record", _) => record = false,
            ("--imports", _) => only_imports = true,
            (_, Ok(size)) => sizes.push(size),
            _ => usage(&format!("{arg} is not a number of parcels")),
        }
    }
    if sizes.is_empty() {
        sizes = vec![100_000, 1_000_000];
    }
    let Some(database) = citymap_tests::database() else {
        usage("no database");
    };
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    println!("citymap next to PostGIS and GDAL, {processors} processors, {seconds} s for each rate");
    for size in sizes {
        if only_imports {
            city::run_imports(size).print();
            continue;
        }
        city::run(size, &database, Duration::from_secs_f64(seconds), processors, record).print();
    }
}

fn usage(problem: &str) -> ! {
    eprintln!(
        "{problem}\nusage: scripts/with-postgres citymap-bench [--seconds S] [--no-record | --imports] \
         [PARCELS…]"
    );
    std::process::exit(2);
}
