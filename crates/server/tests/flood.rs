//! Ten times as much as the server can do: it does what it can, sends the rest away with a time to come back,
//! and small questions go on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{Server, middle};
use serde_json::json;

/// An area around all parcels, which is a large question.
fn whole_city(turn: usize) -> String {
    let off = turn as f64 * 1e-7;
    json!({"type": "Polygon", "coordinates": [[
        [106.60 + off, 10.70], [106.85, 10.70], [106.85, 10.85], [106.60, 10.85], [106.60 + off, 10.70],
    ]]})
    .to_string()
}

#[test]
fn beyond_the_bound_is_503_with_a_time_and_small_questions_go_on() {
    let server = Arc::new(Server::with(common::store(), |config| {
        config.limits.max_concurrent = 1;
        config.limits.queue = 2;
        config.limits.large_max = 1;
        config.limits.large_queue = 1;
        // Every tile is made anew.
        config.limits.tile_cache_bytes = 0;
    }));
    let stop = Arc::new(AtomicBool::new(false));
    let (good, sent_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let crowd: Vec<_> = (0..24)
        .map(|number| {
            let (server, stop) = (Arc::clone(&server), Arc::clone(&stop));
            let (good, sent_away) = (Arc::clone(&good), Arc::clone(&sent_away));
            thread::spawn(move || {
                let mut turn = 0;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let got = match number % 2 {
                        0 => server.post(
                            "/api/within?features=true",
                            "application/json",
                            whole_city(turn).as_bytes(),
                        ),
                        // Different ones, so that nobody shares a computation.
                        _ => server.get(&format!("/tiles/parcels/10/{}/{}", 815 + turn % 2, 480 + number)),
                    };
                    match got.status {
                        200 | 204 => good.fetch_add(1, Ordering::Relaxed),
                        503 => {
                            let seconds: u32 = got.header("retry-after").parse().unwrap();
                            assert!((1..=60).contains(&seconds));
                            assert!(got.problem().1.contains("try again in"));
                            sent_away.fetch_add(1, Ordering::Relaxed)
                        }
                        status => panic!("{status}: {}", got.text()),
                    };
                }
            })
        })
        .collect();
    let slowest = Mutex::new(Duration::ZERO);
    let end = Instant::now() + Duration::from_secs(3);
    let mut asked = 0;
    while Instant::now() < end {
        let [lon, lat] = middle(asked % 1_000);
        let start = Instant::now();
        let got = server.get(&format!("/api/at?lon={lon}&lat={lat}&layers=parcels"));
        assert_eq!(got.status, 200, "small questions are never sent away: {}", got.text());
        let mut slowest = slowest.lock().unwrap();
        *slowest = slowest.max(start.elapsed());
        asked += 1;
    }
    stop.store(true, Ordering::Relaxed);
    crowd.into_iter().for_each(|one| one.join().unwrap());
    let (good, sent_away) = (good.load(Ordering::Relaxed), sent_away.load(Ordering::Relaxed));
    println!("{asked} small ones, slowest {slowest:?}; of the crowd {good} answered, {sent_away} sent away");
    assert!(asked > 20 && good > 10 && sent_away > 10, "{asked} {good} {sent_away}");
    // All places have come back.
    assert_eq!(server.post("/api/within", "application/json", whole_city(0).as_bytes()).status, 200);
    assert_eq!(server.get("/tiles/parcels/10/815/481").status, 200);
}
