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
    others_are_served(&server);
    let answers: Vec<Vec<u8>> = greedy.iter_mut().map(until_closed).collect();
    let refused = answers.iter().filter(|answer| answer.starts_with(b"HTTP/1.1 429")).count();
    let good = answers.iter().filter(|answer| answer.starts_with(b"HTTP/1.1 200")).count();
    assert_eq!(good + refused, 40);
    assert!(good > 0);
    drop(greedy);
    assert_eq!(server.get(path).bytes.len(), whole, "the bytes have come back");
}
