//! Asks for addresses of a city as people write them, and counts how often the address is the first result:
//! `cargo run --release -p citymap-benches --example addresses CITY.gpkg [COUNT]`.
//!
//! CITY.gpkg is a store with a layer of addresses, for example of `citymap demo`. Of COUNT addresses (2 000),
//! spread over the layer, each is written in six ways. The times are of one thread, in process.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and fails by panicking"
)]

use std::time::{Duration, Instant};

use citymap_live::{Live, Options};
use citymap_model::{Meaning, Role, Value, text};
use citymap_search::SearchQuery;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An address of the demo city: `331/11 Cửu Long, Phường Sài Gòn`.
struct Address<'a> {
    full: &'a str,
    number: &'a str,
    street: &'a str,
    commune: &'a str,
}

impl<'a> Address<'a> {
    fn read(full: &'a str) -> Option<Self> {
        let (house, commune) = full.rsplit_once(", ")?;
        let (number, street) = house.split_once(' ')?;
        Some(Self { full, number, street, commune })
    }

    /// The name of the commune without its kind.
    fn commune_name(&self) -> &'a str {
        ["Phường ", "Xã ", "Đặc khu "].into_iter().find_map(|kind| self.commune.strip_prefix(kind)).unwrap()
    }

    /// The commune with its kind abbreviated.
    fn commune_short(&self) -> String {
        let kind = match self.commune.chars().next() {
            Some('P') => "P.",
            Some('X') => "X.",
            _ => "ĐK.",
        };
        format!("{kind} {}", self.commune_name())
    }
}

type Way = (&'static str, fn(&Address<'_>, &mut ChaCha8Rng) -> String);

const WAYS: [Way; 6] = [
    ("as it is stored", |address, _| address.full.to_owned()),
    ("without diacritics, in lower case", |address, _| text::fold(address.full)),
    ("abbreviated, without a comma", |address, _| {
        format!("{} {} {}", address.number, address.street, address.commune_short())
    }),
    ("with the words of a form and the city", |address, _| {
        let road = if address.street.starts_with("Đường") { "" } else { "đường " };
        format!("Số {} {road}{}, {}, TP. Hồ Chí Minh", address.number, address.street, address.commune)
    }),
    ("the commune first", |address, _| {
        format!("{}, {} {}", address.commune_name(), address.number, address.street)
    }),
    ("with a typing error in the street", |address, random| {
        format!("{} {}, {}", address.number, misspelt(address.street, random), address.commune)
    }),
];

/// Exchanges two neighbouring letters of the longest word, drops one or doubles one.
fn misspelt(street: &str, random: &mut ChaCha8Rng) -> String {
    let mut words: Vec<String> = street.split(' ').map(str::to_owned).collect();
    let Some(word) = words.iter_mut().max_by_key(|word| word.chars().count()) else { return String::new() };
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() >= 3 {
        let at = random.random_range(1..letters.len() - 1);
        match random.random_range(0..3) {
            0 => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            _ => letters.insert(at, letters[at]),
        }
    }
    *word = letters.into_iter().collect();
    words.join(" ")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().unwrap();
    let count: usize = arguments.next().map_or(2_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let options = Options { snapshots: Some(folder.path().to_owned()) };
    let live = Live::open_with(citymap_store::open(&store, false).unwrap(), &options).unwrap();
    live.wait_for_names(Duration::from_secs(120));
    let snapshot = live.snapshot();
    let layer = snapshot.city.layers.values().find(|layer| layer.layer().role == Role::Address).unwrap();
    let field =
        layer.layer().fields.iter().position(|field| field.meaning == Some(Meaning::Address)).unwrap();
    let all: Vec<String> = layer
        .rows()
        .filter_map(|row| match layer.feature(row).values.swap_remove(field) {
            Value::Text(full) => Some(full),
            _ => None,
        })
        .collect();
    let step = (all.len() / count).max(1);
    let asked: Vec<Address<'_>> =
        all.iter().step_by(step).take(count).filter_map(|full| Address::read(full)).collect();
    println!("{} addresses, {} asked for", all.len(), asked.len());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut times = Vec::new();
    for (name, way) in WAYS {
        let mut missed = Vec::new();
        for address in &asked {
            let text = way(address, &mut random);
            let query = SearchQuery { text: text.clone(), limit: 10, near: None, lang: "vi" };
            let clock = Instant::now();
            let hits = snapshot.find(&query).hits;
            times.push(clock.elapsed());
            let first = hits.first().map_or("nothing", |hit| hit.label.as_str());
            if first != address.full {
                missed.push(format!("{text} → {first}"));
            }
        }
        let share = 100.0 * (1.0 - missed.len() as f64 / asked.len() as f64);
        println!("{share:6.2} % first: {name}");
        missed.iter().take(4).for_each(|miss| println!("         {miss}"));
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("median {:.2?}, p95 {:.2?}, p99 {:.2?}, worst {:.2?}", at(0.5), at(0.95), at(0.99), at(1.0));
}
