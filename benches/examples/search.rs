//! Measures the search index of a million synthetic parcels: building, updating, and queries as people type
//! them: `cargo run --release -p citymap-benches --example search [PARCELS]`.
//!
//! Every address that is searched must be the first result.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and fails by panicking"
)]

#[path = "../../crates/search/tests/common/mod.rs"]
mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use citymap_engine::{City, SnapshotBuilder};
use citymap_model::{Feature, Role, Value, units};
use citymap_search::{SearchIndex, SearchQuery};
use common::{city, communes, layer, lot};

const FAMILY: [&str; 12] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"];
const MIDDLE: [&str; 14] = [
    "Văn", "Thị", "Hữu", "Đình", "Công", "Quốc", "Minh", "Xuân", "Thanh", "Ngọc", "Bá", "Quang", "Đức", "Thế",
];
const GIVEN: [&str; 20] = [
    "Trãi", "Huệ", "Cừ", "Trỗi", "Linh", "Thụ", "Hưng", "Tuấn", "Sơn", "Hùng", "Cảnh", "Khải", "Bình", "Lợi",
    "Tần", "Khánh", "Lan", "Yên", "Quý", "Đạo",
];

fn main() {
    let count: u32 = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let fields = ["ma_thua", "so_to", "so_thua", "dia_chi"];
    let mut builder =
        SnapshotBuilder::new(layer("parcels", Role::Parcel, &fields, Some("ma_thua"), Some("so_thua")));
    let street = |i: u32| {
        let pick = |list: &[&'static str], by: u32| list[(i / by) as usize % list.len()];
        format!("{} {} {}", pick(&FAMILY, 40), pick(&MIDDLE, 480), pick(&GIVEN, 6_720))
    };
    let address = |i: u32| {
        let commune = &units::communes()[(i / 6_000) as usize % 168];
        let number = match i % 5 {
            0 | 1 => format!("{}", i % 997),
            2 | 3 => format!("{}/{}", i % 997, i % 41),
            _ => format!("{}/{}/{}A", i % 997, i % 41, i % 13),
        };
        format!("{number} {}, {}", street(i), commune.name)
    };
    for i in 0..count {
        let commune = &units::communes()[(i / 6_000) as usize % 168];
        let (sheet, parcel) = ((i % 6_000 / 200).to_string(), (i % 200).to_string());
        let [lon, lat] = commune.lonlat;
        let place = lot(lon + f64::from(i % 77) * 1e-4, lat + f64::from(i % 78) * 1e-4);
        let values = [format!("{}-{sheet}-{parcel}", commune.code), sheet, parcel, address(i)];
        let values = values.into_iter().map(Value::Text).collect();
        builder.push(&Feature { fid: i64::from(i) + 1, geometry: Some(place), values }).unwrap();
    }
    let city = city([Arc::new(builder.finish(1)), communes()]);
    let clock = Instant::now();
    let index = SearchIndex::build(&city);
    let built = clock.elapsed();
    let clock = Instant::now();
    let again = SearchIndex::update(&index, &city);
    let updated = clock.elapsed();
    edits(&index, &city, count);

    let mut times: Vec<(Duration, String)> = Vec::new();
    let mut ask = |text: String| {
        let query = SearchQuery { text: text.clone(), limit: 10, near: Some([106.7, 10.77]), lang: "vi" };
        let clock = Instant::now();
        let hits = again.search(&city, &query).hits;
        times.push((clock.elapsed(), text));
        hits
    };
    for step in 0..200 {
        let i = step * (count / 200);
        let hits = ask(address(i));
        assert_eq!(hits[0].label, address(i));
        let letters: Vec<char> = address(i).chars().collect();
        for typed in [1, 2, 4, 7, 12, 16] {
            ask(letters[..typed.min(letters.len())].iter().collect());
        }
        ask(street(i));
        ask(citymap_model::text::fold(&street(i)));
        ask(street(i).split(' ').rev().collect::<Vec<_>>().join(" "));
        ask(FAMILY[step as usize % 12].chars().take(1 + step as usize % 3).collect());
        ask(format!("{}/{}", i % 6_000 / 200, i % 200));
        ask(format!(
            "tờ {} thửa {} {}",
            i % 6_000 / 200,
            i % 200,
            units::communes()[step as usize % 168].name
        ));
        ask(format!("{} {}, Quận {}", i % 997, street(i), 1 + step % 12));
        ask(units::communes()[step as usize % 168].name.to_owned());
        ask(format!("không có {step}"));
    }
    times.sort_unstable();
    let at = |share: f64| &times[((times.len() - 1) as f64 * share) as usize];
    println!("{count} parcels: built in {built:.2?}, unchanged update {updated:.2?}");
    println!(
        "{} questions: median {:.2?}, p95 {:.2?}, worst {:.2?} (`{}`)",
        times.len(),
        at(0.5).0,
        at(0.95).0,
        at(1.0).0,
        at(1.0).1
    );
    for (time, text) in times.iter().rev().take(8) {
        println!("  {time:.2?} `{text}`");
    }
}

/// What an edit costs, by how many others lie over the base already.
fn edits(index: &SearchIndex, city: &City, count: u32) {
    let id = "parcels".parse().unwrap();
    let parcels = &city.layers[&id];
    let edited = |fid: i64, to: &str| {
        let mut feature = parcels.feature(parcels.row_of_fid(fid).unwrap());
        feature.values[3] = Value::Text(format!("{to} {fid} Đường Vừa Sửa"));
        (fid, Some(feature))
    };
    for overlay in [0, 1_000, 10_000] {
        let step = (i64::from(count) / overlay.max(1)).max(1);
        let changes = (0..overlay).map(|n| edited(1 + n * step, "1"));
        let over = Arc::new(parcels.apply(parcels.layer().clone(), 2, changes).unwrap());
        let mut city = city.clone();
        city.layers.insert(id.clone(), Arc::clone(&over));
        let index = SearchIndex::update(index, &city);
        let mut times: Vec<Duration> = (0..21)
            .map(|round| {
                let fid = 7 + round * 11;
                let one = over.apply(over.layer().clone(), 3, [edited(fid, "99")]).unwrap();
                city.layers.insert(id.clone(), Arc::new(one));
                let clock = Instant::now();
                let index = SearchIndex::update(&index, &city);
                let time = clock.elapsed();
                let text = format!("99 {fid} Đường Vừa Sửa");
                let query = SearchQuery { text: text.clone(), limit: 5, near: None, lang: "vi" };
                assert_eq!(index.search(&city, &query).hits[0].label, text);
                time
            })
            .collect();
        times.sort_unstable();
        println!("one edit over {overlay} others: updated in {:.2?}", times[times.len() / 2]);
    }
}
