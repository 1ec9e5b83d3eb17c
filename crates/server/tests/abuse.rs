//! What one client does to a server must not stop the others: silent, slow and greedy clients.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod common;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use common::{Server, TestStore, middle};
use serde_json::Value;

/// Connects and sends `bytes`.
fn connect(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// Reads until the server closes the connection. A reset is an end too.
fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection is still open: {error}"),
    }
    read
}

/// Others are answered: the server lives, and a small question has its answer.
fn others_are_served(server: &Server) {
    assert_eq!(server.get("/health/live").status, 200);
    let [lon, lat] = middle(7);
    assert_eq!(server.get(&format!("/api/at?lon={lon}&lat={lat}")).status, 200);
}

/// Waits until no work runs or waits, and no byte is on its way but those of the question itself.
fn until_idle(server: &Server) {
    let start = Instant::now();
    loop {
        let load = load(server);
        let pools = load["work"].as_object().unwrap().values();
        let busy: u64 = pools.map(|pool| count(&pool["running"]) + count(&pool["waiting"])).sum();
        if busy == 0 && count(&load["bytesInFlight"]["used"]) <= 1 << 10 {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "work or bytes are left: {load}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The numbers of `/health/load`, asked for by another client where the server trusts this one as a proxy.
fn load(server: &Server) -> Value {
    let got = server.get_with("/health/load", &[("x-forwarded-for", "192.0.2.9")]);
    assert_eq!(got.status, 200, "{}", got.text());
    got.json()
}

fn count(number: &Value) -> u64 {
    number.as_u64().unwrap()
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let server = Server::with(common::store(), |config| {
        config.limits.header_timeout = Duration::from_millis(300);
    });
    let beginnings: [&[u8]; 6] =
        [b"", b"P", b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"G", b"GET / HTTP/1.1\r\nX"];
    for beginning in beginnings {
        until_closed(&mut connect(&server, beginning));
    }
}

#[test]
fn silent_connections_have_a_share_and_leave_places_to_others() {
    let server = Server::with(common::store(), |config| {
        config.limits.connections_max = 24;
        config.limits.connections_per_client = 16;
        config.limits.header_timeout = Duration::from_secs(1);
    });
    let mut silent: Vec<TcpStream> = (0..64).map(|_| connect(&server, b"")).collect();
    // Those beyond the share are closed at once, the others when their time is over.
    silent.iter_mut().for_each(|stream| drop(until_closed(stream)));
    others_are_served(&server);
}

#[test]
fn a_client_that_does_not_read_its_answer_is_closed() {
    let server = Server::with(common::store(), |config| {
        config.limits.write_timeout = Duration::from_millis(400);
    });
    let ask = b"GET /api/collections/parcels/items?limit=10000 HTTP/1.1\r\nhost: x\r\n\r\n";
    // Many answers on one connection are more than the buffers of two sockets hold.
    let mut stream = connect(&server, &ask.repeat(40));
    std::thread::sleep(Duration::from_secs(2));
    others_are_served(&server);
    let read = until_closed(&mut stream);
    let whole = server.get("/api/collections/parcels/items?limit=10000").bytes.len();
    assert!(read.len() < 40 * whole, "{} of {}", read.len(), 40 * whole);
}

#[test]
fn bytes_on_their_way_are_bounded_and_come_back() {
    let path = "/api/collections/parcels/items?limit=10000";
    let server = Server::with(common::store(), |config| config.limits.in_flight_bytes_max = 2 << 20);
    let whole = server.get(path).bytes.len();
    assert!(whole > 512 << 10, "{whole} bytes are more than a share");
    let ask = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut greedy: Vec<TcpStream> = (0..40).map(|_| connect(&server, ask.as_bytes())).collect();
    // This client is the greedy one: beyond its share it is refused, and told so at once.
    let [lon, lat] = middle(7);
    let status = server.get(&format!("/api/at?lon={lon}&lat={lat}")).status;
    assert!(matches!(status, 200 | 429), "{status}");
    let answers: Vec<Vec<u8>> = greedy.iter_mut().map(until_closed).collect();
    let refused = answers.iter().filter(|answer| answer.starts_with(b"HTTP/1.1 429")).count();
    let good = answers.iter().filter(|answer| answer.starts_with(b"HTTP/1.1 200")).count();
    assert_eq!(good + refused, 40);
    assert!(good > 0);
    drop(greedy);
    assert_eq!(server.get(path).bytes.len(), whole, "the bytes have come back");
}

/// A star around the city with `corners` corners: each second one is near the middle.
fn star(corners: usize) -> String {
    let [x, y] = middle(600);
    let mut ring: Vec<[f64; 2]> = (0..corners)
        .map(|corner| {
            let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
            let reach = if corner % 2 == 0 { 0.012 } else { 0.001 };
            [x + reach * angle.cos(), y + reach * angle.sin()]
        })
        .collect();
    ring.push(ring[0]);
    serde_json::json!({"type": "Polygon", "coordinates": [ring]}).to_string()
}

#[test]
fn an_area_of_many_corners_is_answered() {
    let server = Server::start();
    let area = star(9_998);
    let start = Instant::now();
    for _ in 0..3 {
        let got = server.post("/api/within", "application/json", area.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
    }
    println!("three stars: {:?}", start.elapsed());
}

#[test]
fn work_ends_with_its_client_and_gives_its_place_back() {
    let server = Server::with(common::store(), |config| {
        config.limits.max_concurrent = 1;
        config.limits.large_max = 1;
    });
    let area = star(9_998);
    let head = format!("POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", area.len());
    for _ in 0..6 {
        // Hangs up while its work runs or waits.
        let stream = connect(&server, format!("{head}{area}").as_bytes());
        std::thread::sleep(Duration::from_millis(100));
        drop(stream);
    }
    until_idle(&server);
    assert_eq!(server.get("/api/search?q=Nguyen").status, 200);
}

#[test]
fn every_kind_of_work_gives_its_place_back_to_others() {
    let server = Server::with(former_cities(6), |config| {
        config.limits.max_concurrent = 1;
        config.limits.large_max = 1;
        config.limits.tile_cache_bytes = 0;
    });
    let asks = [
        "/api/search?q=1",
        "/tiles/parcels,wells/16/52205/30786",
        "/tiles/parcels/8/203/120",
        "/api/collections/parcels/items?limit=10000&revision=2",
        "/api/collections/parcels/items?limit=10000&f=html",
        "/api/collections/parcels/bulk-items",
        "/api/overlay?layer=parcels&id=26740-1-5&with=parcels,roads,wells&limit=10000",
        "/api/near?lon=106.6905&lat=10.7715&distance=5000&limit=1000",
        "/api/changes?f=html",
        "/api/events",
    ];
    for _ in 0..5 {
        // Nobody reads these; their clients leave at once.
        let ask =
            |path: &&str| connect(&server, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
        drop(asks.iter().map(ask).collect::<Vec<_>>());
    }
    until_idle(&server);
    others_are_served(&server);
}

#[test]
fn a_layer_that_is_named_many_times_is_one() {
    let server = Server::start();
    let path = "/api/overlay?layer=parcels&id=26740-1-5&with=parcels";
    let (once, often) = (server.get(path), server.get(&format!("{path}{}", ",parcels".repeat(900))));
    assert_eq!((often.status, often.bytes.len()), (200, once.bytes.len()));
    let at = "/api/at?lon=106.6905&lat=10.7715&layers=parcels";
    let often = server.get(&format!("{at}{}", ",parcels".repeat(900)));
    assert_eq!(often.bytes, server.get(at).bytes);
}

#[test]
fn waiting_requests_and_streams_have_shares() {
    let server = Server::with(common::store(), |config| {
        config.limits.event_streams_per_client = 3;
        config.limits.large_queue_per_client = 1;
        config.limits.jobs.per_client = 1;
        config.trust_proxy = vec!["127.0.0.1".parse().unwrap()];
    });
    let ask = |client: &str| {
        let ask = format!("GET /api/events HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\n\r\n");
        let mut stream = connect(&server, ask.as_bytes());
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (String::from_utf8_lossy(&status[9..]).into_owned(), stream)
    };
    let own: Vec<_> = (0..5).map(|_| ask("192.0.2.1")).collect();
    let statuses: Vec<&str> = own.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["200", "200", "200", "429", "429"]);
    assert_eq!(ask("192.0.2.2").0, "200", "another client behind the same proxy");
}

#[test]
fn jobs_count_every_byte_and_take_json_only() {
    let path = "/api/processes/overlay/execution";
    for format in ["csv", "gpkg", "parquet"] {
        let server = Server::with(common::store(), |config| config.limits.jobs.bytes_max = 40_000);
        let inputs = serde_json::json!({"inputs": {"layer": "parcels", "with": "parcels", "format": format}});
        let inputs = inputs.to_string();
        assert_eq!(server.post(path, "text/plain", inputs.as_bytes()).status, 415);
        let got = server.post(path, "application/json", inputs.as_bytes());
        assert_eq!(got.status, 201, "{}", got.text());
        let job = format!("/api/jobs/{}", got.json()["jobID"].as_str().unwrap());
        let start = Instant::now();
        let ended = loop {
            let status = server.json(&job);
            if !["accepted", "running"].contains(&status["status"].as_str().unwrap()) {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(ended["status"], "failed", "{format}: {ended}");
        assert!(ended["message"].as_str().unwrap().contains("larger than 10000 bytes"), "{ended}");
        let removed = server.ask("DELETE", &job, &[], None).json();
        assert_eq!(removed["status"], "dismissed");
        for link in removed["links"].as_array().unwrap() {
            let href = link["href"].as_str().unwrap();
            assert_eq!(server.get(&href[server.url("").len()..]).status, 200, "{href}");
        }
    }
}

/// A store in which the parcels were replaced `count` times: its former states share nothing.
fn former_cities(count: usize) -> TestStore {
    let store = common::store();
    for round in 0..count {
        let (layer, mut features) = common::parcels();
        // Every feature differs, in its note.
        features
            .iter_mut()
            .for_each(|feature| feature.values[9] = citymap_model::Value::Text(format!("{round}")));
        store.put(layer, features);
    }
    store
}

#[test]
fn former_states_take_no_more_than_their_bytes() {
    let used = |server: &Server| count(&load(server)["formerStateBytes"]["used"]);
    let ask = |server: &Server, revision: usize| {
        server.get(&format!("/api/collections/parcels/items?limit=1&revision={revision}")).status
    };
    let server = Server::with(former_cities(8), |_| {});
    assert_eq!((used(&server), ask(&server, 5)), (0, 200));
    let one = used(&server);
    assert!(one > 100_000, "{one} bytes of one state");
    assert_eq!((ask(&server, 5), used(&server)), (200, one), "a state that is kept is not made again");
    for revision in 6..11 {
        assert_eq!(ask(&server, revision), 200);
    }
    assert!(used(&server) > 5 * one);

    let server =
        Server::with(former_cities(8), move |config| config.limits.former_bytes_max = 2 * one + one / 2);
    for revision in (5..11).chain(5..11) {
        assert_eq!(ask(&server, revision), 200);
        assert!(used(&server) <= 2 * one + one / 2, "{} bytes", used(&server));
    }
    // One is larger than the bound and alone.
    let server = Server::with(former_cities(8), |config| config.limits.former_bytes_max = 1);
    for revision in 5..8 {
        assert_eq!((ask(&server, revision), used(&server)), (200, one));
    }
}

#[test]
fn many_former_states_at_once_have_a_queue_and_a_share() {
    let server = Server::with(former_cities(24), |config| config.limits.former_queue_per_client = 2);
    let ask = |revision: usize| {
        let path = format!("/api/collections/parcels/items?limit=1&revision={revision}");
        connect(&server, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
    };
    let mut streams: Vec<TcpStream> = (4..28).map(ask).collect();
    for answer in streams.iter_mut().map(until_closed) {
        let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
        assert!(["200", "429"].contains(&status.as_str()), "{status}");
    }
    until_idle(&server);
    // All who want the same state share one place.
    let same: Vec<TcpStream> = std::iter::repeat_with(|| ask(9)).take(24).collect();
    for mut stream in same {
        assert!(until_closed(&mut stream).starts_with(b"HTTP/1.1 200"));
    }
}

#[test]
fn bodies_count_while_they_are_in_memory() {
    let server = Server::with(common::store(), |config| {
        config.limits.in_flight_bytes_max = 1 << 20;
        config.trust_proxy = vec!["127.0.0.1".parse().unwrap()];
    });
    let head = "POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n";
    let most = [head.as_bytes(), &[b' '; 199_999]].concat();
    let mut stalled: Vec<TcpStream> = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // Who is refused in the middle of a body may find the connection closed.
        let _ = stream.write_all(&most);
        stalled.push(stream);
    }
    let used = || count(&load(&server)["bytesInFlight"]["used"]);
    let start = Instant::now();
    while used() < 150_000 {
        assert!(start.elapsed() < Duration::from_secs(30), "no body is counted");
    }
    let mut refused = 0;
    for stream in &mut stalled {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let mut status = [0; 12];
        match stream.read_exact(&mut status) {
            Ok(()) => {
                assert_eq!(&status, b"HTTP/1.1 429");
                refused += 1;
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(_) => refused += 1,
        }
    }
    assert!((6..8).contains(&refused), "{refused} of 8 are over the share of 256 KiB");
    drop(stalled);
    until_idle(&server);
    others_are_served(&server);
}

#[test]
fn a_body_that_comes_too_slowly_is_408() {
    let server = Server::with(common::store(), |config| {
        config.limits.header_timeout = Duration::from_millis(200);
    });
    let head = b"POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n{";
    let answer = until_closed(&mut connect(&server, head));
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("urn:citymap:problem:slow"), "{answer}");
}

#[test]
fn an_answer_ends_at_its_maximum_of_bytes() {
    let server = Server::with(common::store(), |config| config.limits.answer_bytes_max = 40_000);
    let mut path = "/api/collections/parcels/items?limit=10000".to_owned();
    let mut ids = Vec::new();
    loop {
        let got = server.get(&path);
        assert!(got.bytes.len() < 45_000, "{} bytes", got.bytes.len());
        let page = got.json();
        let features = page["features"].as_array().unwrap();
        assert_eq!(page["numberReturned"], features.len());
        ids.extend(features.iter().map(|feature| feature["id"].to_string()));
        let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next");
        let Some(next) = next else { break };
        path = next["href"].as_str().unwrap()[server.url("").len()..].to_owned();
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((count, ids.len()), (common::PARCELS, common::PARCELS), "each feature once");
    let (status, detail) = server.problem("/api/within?bbox=106.6,10.7,106.8,10.9&features=true&limit=10000");
    assert!(status == 400 && detail.contains("40000 bytes"), "{status} {detail}");
}

#[test]
fn a_window_of_zero_holds_neither_bytes_nor_places() {
    let server = Server::with(common::store(), |config| {
        config.limits.write_timeout = Duration::from_millis(400);
        config.limits.in_flight_bytes_max = 8 << 20;
        config.trust_proxy = vec!["127.0.0.1".parse().unwrap()];
    });
    let mut bytes = http2::opening();
    for number in 0..250 {
        bytes.extend(http2::get(2 * number + 1, "/api/collections/parcels/items?limit=10000"));
    }
    let mut stream = connect(&server, &bytes);
    let frames = http2::frames(&until_closed(&mut stream));
    let of = |kind: u8| frames.iter().filter(|(own, _)| *own == kind).count();
    assert!(of(http2::DATA) == 0, "nothing was taken");
    assert!((1..=32).contains(&of(http2::HEADERS)), "{} answers begin", of(http2::HEADERS));
    assert!(of(http2::RST_STREAM) >= 100, "{} streams are refused", of(http2::RST_STREAM));
    until_idle(&server);
    others_are_served(&server);
}

#[test]
fn streams_that_are_reset_as_they_are_opened_end_their_connection() {
    let server = Server::start();
    let mut bytes = http2::opening();
    for number in 0..2_000 {
        bytes.extend(http2::get(2 * number + 1, "/api/collections/parcels/items?limit=10000"));
        bytes.extend(http2::frame(http2::RST_STREAM, 0, 2 * number + 1, &8u32.to_be_bytes()));
    }
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may close before it has read all.
    let _ = stream.write_all(&bytes);
    until_closed(&mut stream);
    until_idle(&server);
    others_are_served(&server);
}

/// As much of HTTP/2 as these tests need.
mod http2 {
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;

    pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        [&head, payload].concat()
    }

    /// The preface, and settings with an initial window of 0: no answer may send a byte of its body.
    pub(super) fn opening() -> Vec<u8> {
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings.as_slice()].concat()
    }

    /// A GET: the entries of the static table for GET, http, `:path` and `:authority`.
    pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
        let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
        frame(HEADERS, 0x05, stream, &[&[0x82, 0x86], path.as_slice(), &[0x01, 1, b'x']].concat())
    }

    /// The type and the payload of each frame; a last one that is cut off is left out.
    pub(super) fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut frames = Vec::new();
        while let Some((head, rest)) = bytes.split_at_checked(9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let Some((payload, rest)) = rest.split_at_checked(length) else { break };
            frames.push((head[3], payload.to_vec()));
            bytes = rest;
        }
        frames
    }
}
