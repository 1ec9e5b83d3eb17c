//! Measures maps on paper of a store, on one thread:
//! `cargo run --release -p citymap-benches --example print -- CITY.gpkg [FOLDER]`.
//!
//! For each standard style: A4 at 1:1 000 around random parcels (so weighted by where parcels are), and one
//! A0 at 1:1 000 where parcels are densest. What [`Tiler::prepare`] derives is made before. The bounds are
//! 300 ms for A4, and 3 s and 30 MB for A0. The files are written to FOLDER if it is given.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{collections::HashMap, sync::Arc, time::Instant};

use citymap_engine::{Cancel, City, SnapshotBuilder};
use citymap_model::Role;
use citymap_render::{
    print::{
        Orientation, Paper, PrintArea, PrintInfo, PrintLimits, PrintOrder, PrintPlan, PrintSource,
        PrintTemplate, Styled, styled, write,
    },
    raster::Source,
    styles::{Appearance, StyleBook, StyleRequest},
};
use citymap_tile::Tiler;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Sheets of A4 for each style.
const COUNT: usize = 20;
const LIMITS: PrintLimits = PrintLimits { sheets_max: 1, bytes_max: 64 << 20 };
/// Cells of this many degrees, about 800 m, are compared for the densest place.
const CELL: f64 = 0.0075;

fn city(path: &str) -> City {
    let store = citymap_store::open(path, false).unwrap();
    let view = store.view().unwrap();
    let mut city = City::default();
    for entry in view.layers().unwrap() {
        let mut builder = SnapshotBuilder::new(entry.layer.clone());
        view.read(&entry.layer.id, &mut |feature| {
            builder.push(&feature).unwrap();
            Ok(())
        })
        .unwrap();
        city.layers.insert(entry.layer.id.clone(), Arc::new(builder.finish(entry.revision)));
    }
    city
}

/// Prints a sheet; its milliseconds and its file.
fn one(source: &Source<'_>, styled: &Styled, (center, paper): ([f64; 2], Paper)) -> (f64, Vec<u8>) {
    let start = Instant::now();
    let order = PrintOrder {
        area: PrintArea::Around(center),
        scale: Some(1_000.0),
        paper,
        orientation: Orientation::Landscape,
        bearing: 0.0,
    };
    let plan = PrintPlan::new(&order, &LIMITS).unwrap();
    let template = PrintTemplate::default();
    let info = PrintInfo {
        title: "",
        lang: "vi",
        template: &template,
        valid_on: None,
        address: None,
        highlight: None,
    };
    let source = PrintSource { source, styled };
    let bytes = write(&plan, &source, (&info, &LIMITS), &mut |_| (), Vec::new()).unwrap();
    (start.elapsed().as_secs_f64() * 1e3, bytes)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let city = city(&arguments[0]);
    let tiler = Tiler::new();
    city.layers.values().for_each(|snapshot| tiler.prepare(snapshot));
    let parcels = city.layers.values().find(|own| own.layer().role == Role::Parcel).unwrap();
    let middle = |row| parcels.bbox(row).map(|bbox| bbox.center());
    let mut cells: HashMap<[i64; 2], usize> = HashMap::new();
    for center in parcels.rows().filter_map(middle) {
        *cells.entry(center.map(|value| (value / CELL).floor() as i64)).or_default() += 1;
    }
    let (cell, count) = cells.into_iter().max_by_key(|(cell, count)| (*count, *cell)).unwrap();
    let dense = cell.map(|value| (value as f64 + 0.5) * CELL);
    println!("densest cell: {count} parcels around {dense:?}");
    let book = StyleBook::load(None).unwrap();
    let cancel = Cancel::new();
    let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
    let rows: Vec<u32> = parcels.rows().collect();
    println!("style      A4 ms: median   p95   max   KB median | A0 ms   MB");
    for entry in book.entries() {
        let request = StyleRequest { appearance: Appearance::Light, lang: "vi", level: None, layers: None };
        let styled = styled(&book, entry.id, (&city, None), &request).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (mut times, mut sizes) = (Vec::new(), Vec::new());
        for _ in 0..COUNT {
            let center = middle(rows[random.random_range(0..rows.len())]).unwrap();
            let (time, bytes) = one(&source, &styled, (center, Paper::A4));
            times.push(time);
            sizes.push(bytes.len());
        }
        times.sort_by(f64::total_cmp);
        sizes.sort_unstable();
        let (time, bytes) = one(&source, &styled, (dense, Paper::A0));
        println!(
            "{:<10} {:>13.0} {:>5.0} {:>5.0} {:>11} | {time:>5.0} {:>4.1}",
            entry.id,
            times[COUNT / 2],
            times[COUNT * 95 / 100 - 1],
            times[COUNT - 1],
            sizes[COUNT / 2] >> 10,
            bytes.len() as f64 / 1e6
        );
        if let Some(folder) = arguments.get(1) {
            std::fs::write(format!("{folder}/{}-a0.pdf", entry.id), bytes).unwrap();
        }
    }
}
