//! QGIS 3.40 as an editor: the bytes that its OAPIF provider sends, and what it reads in the answers.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use citymap_tests::{Bench, Server};
use serde_json::Value;

use crate::{OVERWRITER, city, writers};

/// What QGIS sends with every request, through Qt.
const HEAD: &str = "User-Agent: Mozilla/5.0 QGIS/34006/Debian GNU/Linux 13 (trixie)\r\n\
    Connection: close\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: vi-VN,en,*\r\n";

struct Desktop {
    server: Server,
    _bench: Bench,
}

/// An answer as Qt gives it to QGIS: its head, line by line, with the names as they were sent.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// QGIS compares the names of headers by case.
    fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.head.split("\r\n").find_map(|line| line.strip_prefix(&start))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Desktop {
    fn open() -> Self {
        let bench = city();
        let writers = writers(&bench);
        let server = Server::start(bench.store(), &["--writers", writers.to_str().unwrap()]);
        Self { server, _bench: bench }
    }

    /// Sends a request line, further headers, and a body, to the last byte as they are.
    fn send(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let address = self.server.url().trim_start_matches("http://");
        let mut request = format!("{line} HTTP/1.1\r\nHost: {address}\r\n{HEAD}");
        request += &format!("Authorization: Bearer {OVERWRITER}\r\n");
        for header in headers {
            request += &format!("{header}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += &format!("\r\n{body}");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        Answer { status: head[9..12].parse().unwrap(), head, body: bytes[end + 4..].to_vec() }
    }

    /// The feature as any other client reads it.
    fn feature(&self, id: &str) -> Value {
        self.server.json(&format!("/api/collections/odd/items/{id}"))
    }

    /// What QGIS lets its user do with a layer, by what `OPTIONS` says of the items and of the first of them.
    fn allowed(&self, path: &str) -> Vec<String> {
        let answer = self.send(&format!("OPTIONS {path}"), &[], "");
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.header("Allow").unwrap().split(',').map(|method| method.trim().to_owned()).collect()
    }
}

const ITEMS: &str = "/api/collections/odd/items";

#[test]
fn editing_is_offered() {
    let desktop = Desktop::open();
    assert!(desktop.allowed(ITEMS).contains(&"POST".to_owned()));
    // The first feature of the layer has an id with a slash, which QGIS writes as it is.
    assert_eq!(desktop.server.json(ITEMS)["features"][0]["id"], "12/34");
    for id in ["12/34", "unknown_id"] {
        let allowed = desktop.allowed(&format!("{ITEMS}/{id}"));
        for method in ["PUT", "PATCH", "DELETE"] {
            assert!(allowed.contains(&method.to_owned()), "{id}: {allowed:?}");
        }
    }
}

#[test]
fn a_feature_is_added_changed_moved_and_deleted() {
    let desktop = Desktop::open();
    let point = |coordinates: &str| format!(r#"{{"coordinates":{coordinates},"type":"Point"}}"#);
    let body = format!(
        r#"{{"geometry":{},"properties":{{"ma":"mới/1 %","ngay":"2026-07-01","so":5}},"type":"Feature"}}"#,
        point("[106.7012,10.7744]")
    );
    let added = desktop.send(&format!("POST {ITEMS}"), &["Content-Type: application/geo+json"], &body);
    assert_eq!(added.status, 201, "{}", String::from_utf8_lossy(&added.body));
    // What follows `/items/` in `Location` is the id in all later requests.
    let location = added.header("Location").unwrap();
    let id = location.rsplit_once("/items/").unwrap().1;
    assert_eq!(id, "m%E1%BB%9Bi%2F1%20%25");
    let item = format!("{ITEMS}/{id}");
    let read = desktop.send(&format!("GET {item}"), &["Accept: application/geo+json, application/json"], "");
    assert_eq!((read.status, &read.json()["properties"]["so"]), (200, &5.into()));

    let merge = ["Content-Type: application/merge-patch+json"];
    let changed = desktop.send(&format!("PATCH {item}"), &merge, r#"{"properties":{"ngay":null,"so":6}}"#);
    assert_eq!(changed.status, 200, "{}", String::from_utf8_lossy(&changed.body));
    let feature = desktop.feature(id);
    assert_eq!((&feature["properties"]["so"], &feature["properties"]["ngay"]), (&6.into(), &Value::Null));

    let moved = format!(r#"{{"geometry":{}}}"#, point("[106.702,10.775]"));
    assert_eq!(desktop.send(&format!("PATCH {item}"), &merge, &moved).status, 200);
    assert_eq!(desktop.feature(id)["geometry"]["coordinates"], serde_json::json!([106.702, 10.775]));

    // A client without PATCH replaces the whole feature.
    let whole = format!(
        r#"{{"geometry":{},"id":"mới/1 %",{},"type":"Feature"}}"#,
        point("[106.703,10.776]"),
        r#""properties":{"ma":"mới/1 %","ngay":"2026-07-02","so":7}"#
    );
    let replaced = desktop.send(&format!("PUT {item}"), &["Content-Type: application/geo+json"], &whole);
    assert_eq!(replaced.status, 200, "{}", String::from_utf8_lossy(&replaced.body));
    assert_eq!(desktop.feature(id)["properties"]["ngay"], "2026-07-02");

    let deleted = desktop.send(&format!("DELETE {item}"), &[], "");
    assert!(matches!(deleted.status, 200 | 204), "{}", deleted.head);
    assert_eq!(desktop.server.get(&item).0, 404);
}

#[test]
fn shapes_come_in_the_system_of_the_project() {
    let desktop = Desktop::open();
    // QGIS writes the system without angle brackets, and swaps the axes where the authority does.
    for (crs, coordinates) in [
        ("http://www.opengis.net/def/crs/EPSG/0/9210", "[603481.588,1191454.611]"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "[10.7725,106.698]"),
    ] {
        for header in [format!("Content-Crs: {crs}"), format!("Content-Crs: <{crs}>")] {
            let merge = ["Content-Type: application/merge-patch+json", &*header];
            let body = format!(r#"{{"geometry":{{"coordinates":{coordinates},"type":"Point"}}}}"#);
            let moved = desktop.send(&format!("PATCH {ITEMS}/history"), &merge, &body);
            assert_eq!(moved.status, 200, "{header}: {}", String::from_utf8_lossy(&moved.body));
            let place = desktop.feature("history")["geometry"]["coordinates"].clone();
            let near = |index: usize, value: f64| (place[index].as_f64().unwrap() - value).abs() < 1e-7;
            assert!(near(0, 106.698) && near(1, 10.7725), "{header}: {place}");
        }
    }
}
