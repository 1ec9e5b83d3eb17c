//! Measures transformations between coordinate systems, in points a second:
//! `cargo run --release -p citymap-benches --example transform`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::time::Instant;

use citymap_crs::{Crs, Transform};

fn main() {
    let start: Vec<[f64; 2]> = (0..1_000_000)
        .map(|i| [106.4 + f64::from(i % 1000) * 1e-3, 10.4 + f64::from(i / 1000) * 1e-3])
        .collect();
    for (from, to) in [(4326, 9210), (9210, 4326), (9210, 5899), (4326, 3857)] {
        let (from, to) = (Crs::new(from).unwrap(), Crs::new(to).unwrap());
        let mut points = start.clone();
        Transform::new(Crs::WGS84, from).unwrap().apply(&mut points).unwrap();
        let transform = Transform::new(from, to).unwrap();
        let clock = Instant::now();
        transform.apply(&mut points).unwrap();
        let seconds = clock.elapsed().as_secs_f64();
        println!("{from} to {to}: {:.2} M points/s", 1.0 / seconds);
    }
}
