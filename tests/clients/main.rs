//! The server among the programs that people have: behind nginx, and asked by OWSLib, GDAL, pyogrio and QGIS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "`--nocapture` shows what clients read")]

mod crawl;
mod nginx;
mod prefix;
mod proxy;
mod python;
mod qgis;

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, sync::OnceLock};

use citymap_tests::{Bench, WRITER};
use serde_json::{Value, json};

/// A writer whose client cannot send `If-Match`.
const OVERWRITER: &str = "a-token-of-qgis-that-only-tests-know-987";

/// Keys that are no plain step of an address, look like the id of another feature, or have letters that
/// clients and proxies escape in different ways.
const KEYS: [&str; 24] = [
    "12/34",
    "331/21/5",
    "a/history",
    "a//b",
    "/first",
    "last/",
    "a/../b",
    "./a",
    ".",
    "..",
    "~",
    "dup",
    "dup",
    "dup~2",
    "history",
    "Phường Bến Thành",
    "1 %",
    "a%2Fb",
    "a?b=c",
    "a#b",
    "a+b&c=d;e,f:g@h!$'()*",
    "a\\b",
    "<a href=\"x\">",
    "{id}",
];

/// A store with a small demo city and the layer `odd`, whose keys are [`KEYS`]. It is made once and copied
/// for each test.
fn city() -> Bench {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = MADE.get_or_init(|| {
        let bench = Bench::new();
        bench.expect(0, ["demo", "--parcels", "300"]);
        let features: Vec<Value> = KEYS.iter().enumerate().map(|(number, key)| odd(number, key)).collect();
        let file = bench.path("odd.geojson");
        std::fs::write(&file, json!({"type": "FeatureCollection", "features": features}).to_string())
            .unwrap();
        let run = bench.run(["import", file.to_str().unwrap(), "--layer", "odd", "--key", "ma"]);
        assert!(matches!(run.code(), Some(0 | 3)), "{}{}", run.stdout(), run.stderr());
        std::fs::read(bench.store()).unwrap()
    });
    let bench = Bench::new();
    std::fs::write(bench.store(), bytes).unwrap();
    bench
}

fn odd(number: usize, key: &str) -> Value {
    json!({
        "type": "Feature",
        "properties": {"ma": key, "so": number, "ngay": format!("2025-{:02}-01", 1 + number % 12)},
        "geometry": {"type": "Point", "coordinates": [106.69 + number as f64 * 1e-4, 10.77]},
    })
}

/// A file of writers for `serve --writers`: [`WRITER`], and [`OVERWRITER`] for clients without `If-Match`.
fn writers(bench: &Bench) -> PathBuf {
    let path = bench.path("both-writers");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    write!(file, "tester:{WRITER}\nqgis:{OVERWRITER}:overwrite\n").unwrap();
    path
}

/// All bytes of a text escaped but the unreserved ones, as careful clients write an id.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
