//! Several servers on one database, and a standby: each follows, each can be asked for what was just written.
//!
//! `CITYMAP_EDIT_SECONDS` says for how long 100 edits a second are made (default 5).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use citymap_tests::{Bench, Cluster, Database, Server};
use serde_json::{Value, json};

fn seconds() -> u64 {
    std::env::var("CITYMAP_EDIT_SECONDS").ok().map_or(5, |text| text.parse().expect("a whole number"))
}

fn well(code: &str, lon: f64, depth: u64) -> Value {
    json!({ "type": "Feature", "properties": { "code": code, "depth": depth },
        "geometry": { "type": "Point", "coordinates": [lon, 10.77] } })
}

fn all(server: &Server, least: u64) -> Value {
    server.json(&format!("/api/collections/wells/items?limit=10000&min-revision={least}"))["features"].clone()
}

fn tile(server: &Server, lon: f64) -> (u16, Vec<u8>) {
    let scale = f64::from(1_u32 << 16);
    let x = ((lon + 180.0) / 360.0 * scale) as u32;
    let y = ((1.0 - 10.77_f64.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * scale) as u32;
    server.get(&format!("/tiles/wells/16/{x}/{y}"))
}

#[test]
fn servers_and_a_standby_follow_a_hundred_edits_a_second() {
    let Some(primary) = Cluster::start("wal_level = replica\nmax_wal_senders = 8\nhot_standby = on") else {
        return;
    };
    let database = Database::create_in(&primary.url());
    let bench = Bench::on(&database.url());
    std::fs::write(bench.path("wells.csv"), "code,depth,lon,lat\nW0,0,106.70,10.77\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    let standby = primary.standby("second");
    // The third server reads from the standby, and would write to the primary.
    let near_standby =
        database.url().replace(&primary.host(), &format!("{},{}", standby.host(), primary.host()));
    let writers = bench.writers();
    let writers = ["--writers", writers.to_str().unwrap()];
    let servers = [&database.url(), &database.url(), &near_standby].map(|url| Server::start(url, &writers));

    let (mut newest, mut latencies) = (1, Vec::new());
    let (start, edits) = (Instant::now(), seconds() * 100);
    for number in 0..edits {
        // Edits are due every 10 ms; they go to the servers in turn, the one by the standby too.
        let due = Duration::from_millis(number * 10);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let lon = 106.60 + number as f64 * 1e-5;
        let server = &servers[number as usize % 3];
        let watched = (number % 25 == 0).then(|| tile(&servers[(number as usize + 1) % 3], lon));
        let answer = server
            .send(
                "POST",
                "/api/collections/wells/items",
                &[],
                Some(&well(&format!("E{number}"), lon, number)),
            )
            .expect("the server answers");
        assert_eq!(answer.status, 201, "{}", answer.json());
        newest = answer.revision.expect("it names its revision");
        if let Some(before) = watched {
            let committed = Instant::now();
            while tile(&servers[(number as usize + 1) % 3], lon) == before {
                assert!(
                    committed.elapsed() < Duration::from_secs(20),
                    "edit {number} was not seen elsewhere"
                );
                std::thread::sleep(Duration::from_millis(1));
            }
            latencies.push(committed.elapsed());
        }
    }
    let took = start.elapsed();
    assert_eq!(newest, 1 + edits, "each edit is one revision");
    let [one, two, three] = &servers;
    let features = all(one, newest);
    assert_eq!(features.as_array().map(Vec::len), Some(edits.min(9_999) as usize + 1));
    assert_eq!(all(two, newest), features);
    assert_eq!(all(three, newest), features, "the server on the standby");
    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!(
        "{edits} edits in {took:.1?} ({:.0}/s); seen in another server's tile: p50 {:.1?}, p99 {:.1?}",
        edits as f64 / took.as_secs_f64(),
        at(0.5),
        at(0.99)
    );
    bench.expect(0, ["doctor"]);
}

#[test]
fn a_read_may_ask_for_what_was_just_written() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::on(&database.url());
    std::fs::write(bench.path("wells.csv"), "code,depth,lon,lat\nW0,0,106.70,10.77\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    let writers = bench.writers();
    let writers = ["--writers", writers.to_str().unwrap()];
    let [one, two] = [(), ()].map(|()| Server::start(database.url(), &writers));
    for number in 0..50 {
        let code = format!("E{number}");
        let answer =
            one.send("POST", "/api/collections/wells/items", &[], Some(&well(&code, 106.7, number))).unwrap();
        assert_eq!(answer.status, 201);
        // At the server that wrote it at once, at the other one when asked for.
        assert_eq!(one.get(&format!("/api/collections/wells/items/{code}")).0, 200);
        let revision = answer.revision.unwrap();
        assert_eq!(two.get(&format!("/api/collections/wells/items/{code}?min-revision={revision}")).0, 200);
    }
    let start = Instant::now();
    let late = two.send("GET", "/api/collections?min-revision=1000", &[], None).unwrap();
    assert_eq!(late.status, 503);
    assert!(start.elapsed() > Duration::from_secs(2), "it waits before it gives up");
    let never = two.send("GET", "/api/collections?min-revision=1000000", &[], None).unwrap();
    assert_eq!(never.status, 400, "a revision of the far future is not waited for");
}

#[test]
fn a_promoted_standby_goes_on_with_all_that_was_committed() {
    let settings = "wal_level = replica\nmax_wal_senders = 8\nhot_standby = on\n\
                    synchronous_standby_names = 'second'\nsynchronous_commit = remote_apply";
    // The settings name a standby that is not there yet, so what comes first does not wait for it.
    let Some(primary) = Cluster::start("wal_level = replica\nmax_wal_senders = 8\nhot_standby = on") else {
        return;
    };
    let database = Database::create_in(&primary.url());
    let bench = Bench::on(&database.url());
    std::fs::write(bench.path("wells.csv"), "code,depth,lon,lat\nW0,0,106.70,10.77\n").unwrap();
    bench.expect(0, ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326"]);
    let standby = primary.standby("second");
    for line in settings.lines().skip(3) {
        let (name, value) = line.split_once(" = ").unwrap();
        let value = value.trim_matches('\'');
        citymap_tests::psql(&primary.url(), &format!("ALTER SYSTEM SET {name} = '{value}'"));
    }
    citymap_tests::psql(&primary.url(), "SELECT pg_reload_conf()");
    let both = database.url().replace(&primary.host(), &format!("{},{}", primary.host(), standby.host()));
    let writers = bench.writers();
    let server = Server::start(&both, &["--writers", writers.to_str().unwrap()]);

    let mut acknowledged = Vec::new();
    let post = |number: u64| {
        let code = format!("E{number}");
        let answer =
            server.send("POST", "/api/collections/wells/items", &[], Some(&well(&code, 106.7, number)));
        answer.map(|answer| (answer.status, code, answer.json()))
    };
    for number in 0..50 {
        let (status, code, told) = post(number).unwrap();
        assert_eq!(status, 201, "{told}");
        acknowledged.push(code);
    }
    primary.crash();
    assert_eq!(server.get("/api/collections/wells/items/E0").0, 200, "reads go on");
    let (status, _, told) = post(1_000).unwrap();
    assert_eq!(status, 503, "no primary, no write: {told}");
    standby.promote();
    let start = Instant::now();
    loop {
        let (status, code, told) = post(2_000).unwrap();
        if status == 201 {
            acknowledged.push(code);
            break;
        }
        assert_eq!(status, 503, "{told}");
        assert!(start.elapsed() < Duration::from_secs(60), "no writing after the promotion: {told}");
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("writing again {:.1?} after the promotion", start.elapsed());
    for code in &acknowledged {
        assert_eq!(server.get(&format!("/api/collections/wells/items/{code}")).0, 200, "{code} is lost");
    }
    let count = citymap_tests::psql(
        &database.url().replace(&primary.host(), &standby.host()),
        "SELECT count(*) = max(number) AND min(number) = 1 FROM citymap.revision",
    );
    assert_eq!(count, "t", "no gap");
}
