//! What one client does to a server must not stop the others: silent, slow and greedy clients.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod common;

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use common::{Server, middle};

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

#[test]
fn a_connection_without_a_request_is_closed() {
    let server = Server::with(common::store(), |config| {
        config.limits.header_timeout = Duration::from_millis(300);
    });
    let beginnings: [&[u8]; 6] =
        [b"", b"P", b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"G", b"GET / HTTP/1.1\r\nX"];
    for beginning in beginnings {
        let mut stream = connect(&server, beginning);
        let start = Instant::now();
        until_closed(&mut stream);
        assert!(start.elapsed() < Duration::from_secs(10), "{beginning:?}");
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
fn an_area_of_many_corners_is_answered_soon() {
    let server = Server::start();
    let area = star(9_998);
    let start = Instant::now();
    for _ in 0..3 {
        let got = server.post("/api/within", "application/json", area.as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
    }
    println!("three stars: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
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
    let start = Instant::now();
    assert_eq!(server.get("/api/search?q=Nguyen").status, 200);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
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
