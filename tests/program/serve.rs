//! The running server next to other processes: it takes imports over, it ends as asked, it holds to its
//! bounds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use citymap_tests::{Bench, Server};

fn wells(bench: &Bench, name: &str, count: u32) {
    let rows: String = (0..count).map(|n| format!("W{n},{},10.77\n", 106.7 + f64::from(n) * 1e-4)).collect();
    std::fs::write(bench.path(name), format!("code,lon,lat\n{rows}")).unwrap();
    bench.expect(
        0,
        ["import", name, "--layer", "wells", "--key", "code", "--crs", "4326", "--role", "utility"],
    );
}

#[test]
fn an_import_is_seen_within_a_second_or_two_without_a_restart() {
    let bench = Bench::new();
    wells(&bench, "first.csv", 3);
    let server = bench.serve();
    assert_eq!(server.json("/api/collections/wells/items")["numberReturned"], 3);
    let before = server.json("/api/collections/wells");
    wells(&bench, "second.csv", 5);
    let start = Instant::now();
    while server.json("/api/collections/wells/items")["numberReturned"] != 5 {
        assert!(start.elapsed() < Duration::from_secs(10), "the server did not follow");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("followed after {:.2} s", start.elapsed().as_secs_f64());
    let after = server.json("/api/collections/wells");
    assert_ne!(before["citymap"]["tilesVersion"], after["citymap"]["tilesVersion"]);
    assert_eq!(after["citymap"]["revision"], 2);
    // Keys kept their numbers, so the tiles' ids are stable over a replace.
    assert_eq!(server.json("/api/collections/wells/items/W2")["properties"]["code"], "W2");
}

#[test]
fn it_ends_when_asked_and_leaves_the_store_whole() {
    let bench = Bench::new();
    wells(&bench, "first.csv", 3);
    let mut serve = bench.command(["--json", "serve", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(serve.try_wait().unwrap().is_none());
    Command::new("kill").args(["-TERM", &serve.id().to_string()]).status().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = serve.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(15));
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    assert!(!bench.path("city.gpkg-wal").exists(), "a clean end leaves no journal");
    bench.expect(0, ["doctor"]);
}

#[test]
fn every_limit_has_a_flag_that_works() {
    let bench = Bench::new();
    wells(&bench, "first.csv", 30);
    let server = Server::start(
        bench.store(),
        &["--items-limit-max", "7", "--near-distance-max", "50", "--body-max", "100"],
    );
    assert_eq!(server.json("/api/collections/wells/items?limit=100")["numberReturned"], 7);
    assert_eq!(server.get("/api/near?lon=106.7&lat=10.77&distance=51").0, 400);
    let (status, body) = server.get("/api/collections/nowhere");
    assert_eq!(status, 404);
    assert!(String::from_utf8_lossy(&body).contains("wells"), "the layers that there are, are named");
}

#[test]
fn what_cannot_be_served_is_said() {
    let bench = Bench::new();
    let run = bench.expect(1, ["serve"]);
    assert!(run.stderr().contains("citymap demo"), "{}", run.stderr());
    let run = bench.expect(1, ["--store", "postgres://u:secret@127.0.0.1:9/city", "layers"]);
    assert!(
        run.stderr().contains("cannot be reached") && !run.stderr().contains("secret"),
        "{}",
        run.stderr()
    );
    std::fs::write(bench.path("other.gpkg"), "not a database").unwrap();
    let run = bench.expect(1, ["--store", "other.gpkg", "layers"]);
    assert!(run.stderr().contains("other.gpkg"), "{}", run.stderr());
}
