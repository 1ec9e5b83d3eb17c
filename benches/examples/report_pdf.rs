//! Measures reports on parcels as PDF files of a store:
//! `cargo run --release -p citymap-benches --example report_pdf -- CITY.gpkg [FOLDER]`.
//!
//! Reports on random parcels, the report itself included: the median and the 95th percentile of one after the
//! other on one thread, and the rate of many on all cores. The bounds are 300 ms for one report, and 1 000 a
//! minute on two cores. The files of one thread are written to FOLDER if it is given.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::{sync::Arc, time::Instant};

use citymap_engine::{Cancel, City, LayerSnapshot, SnapshotBuilder};
use citymap_model::Role;
use citymap_planning::{ParcelReport, ReportOptions, wording::file_stem};
use citymap_render::{
    print::{Highlight, PrintTemplate, styled},
    raster::Source,
    report::{ReportPrinter, ReportSetting, style_id},
    styles::{Appearance, StyleBook, StyleRequest},
};
use citymap_tile::Tiler;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Reports on one thread.
const COUNT: usize = 200;
/// Reports on all cores.
const MANY: usize = 1_000;

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

/// Makes the report on a parcel and writes it as a PDF file.
fn one(printer: &ReportPrinter<'_>, source: &Source<'_>, (parcels, row): (&LayerSnapshot, u32)) -> Vec<u8> {
    let options = ReportOptions::default();
    let mut report = ParcelReport::make(source.city, (parcels, row), &options, source.cancel).unwrap();
    report.verification.link = Some(format!(
        "https://map.example.vn/api/reports/verify?parcel={}&hash={}",
        parcels.id(row),
        report.verification.hash
    ));
    let parcel = Highlight::of(parcels, row);
    printer.write(&report, (source, parcel.as_ref()), Vec::new()).unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let city = city(&arguments[0]);
    let tiler = Tiler::new();
    city.layers.values().for_each(|snapshot| tiler.prepare(snapshot));
    let parcels = city.layers.values().find(|own| own.layer().role == Role::Parcel).unwrap();
    let book = StyleBook::load(None).unwrap();
    let request = StyleRequest { appearance: Appearance::Light, lang: "vi", level: None, layers: None };
    let styled = styled(&book, style_id(&book).unwrap(), (&city, None), &request).unwrap();
    let template = PrintTemplate::default();
    let setting = ReportSetting { styled: &styled, template: &template, lang: "vi", bytes_max: 64 << 20 };
    let printer = ReportPrinter::new(setting).unwrap();
    let cancel = Cancel::new();
    let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
    let rows: Vec<u32> = parcels.rows().collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut chosen =
        |count: usize| -> Vec<u32> { (0..count).map(|_| rows[random.random_range(0..rows.len())]).collect() };
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for row in chosen(COUNT) {
        let start = Instant::now();
        let bytes = one(&printer, &source, (parcels, row));
        times.push(start.elapsed().as_secs_f64() * 1e3);
        sizes.push(bytes.len());
        if let Some(folder) = arguments.get(1) {
            let name = file_stem(&parcels.id(row).to_string());
            std::fs::write(format!("{folder}/{name}.pdf"), bytes).unwrap();
        }
    }
    times.sort_by(f64::total_cmp);
    sizes.sort_unstable();
    println!(
        "one thread, {COUNT} reports: median {:.0} ms, p95 {:.0} ms, max {:.0} ms, median {} kB",
        times[COUNT / 2],
        times[COUNT * 95 / 100 - 1],
        times[COUNT - 1],
        sizes[COUNT / 2] >> 10
    );
    let many = chosen(MANY);
    let start = Instant::now();
    many.par_iter().for_each(|row| {
        one(&printer, &source, (parcels, *row));
    });
    let rate = MANY as f64 / start.elapsed().as_secs_f64();
    println!("{} cores, {MANY} reports: {:.0} a minute", rayon::current_num_threads(), rate * 60.0);
}
