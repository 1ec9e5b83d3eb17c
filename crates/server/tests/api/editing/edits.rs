//! Single features, created, replaced, changed and taken away.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use citymap_server::Writer;
use serde_json::{Value, json};

use crate::common::{BEARER, Got, Server, TOKEN, middle, store};

const PARCELS: &str = "/api/collections/parcels/items";
const SECRET: &str = "Bí Mật";

fn square(index: usize) -> Value {
    let [x, y] = middle(index);
    let h = 0.000_05;
    json!({"type": "Polygon",
        "coordinates": [[[x - h, y - h], [x + h, y - h], [x + h, y + h], [x - h, y + h], [x - h, y - h]]]})
}

fn parcel(key: &str, owner: &str) -> Value {
    json!({"type": "Feature", "geometry": square(3), "properties": {
        "ma_thua": key, "so_thua": 9_001, "loại đất": "ODT", "dien_tich": 12.5, "ngay_cap": "2026-07-01",
        "cap_nhat": "2026-07-01T09:30:00.250+07:00", "tranh_chap": true, "chủ_sử_dụng": owner,
    }})
}

/// The owner on record, which no answer tells.
fn owner(server: &Server, fid: i64) -> Option<String> {
    let view = citymap_store::Store::view(&*server.store).unwrap();
    let mut found = None;
    view.read(&"parcels".parse().unwrap(), &mut |feature| {
        if feature.fid == fid {
            found = feature.values[10].to_key();
        }
        Ok(())
    })
    .unwrap();
    found
}

fn ok(got: Got, status: u16) -> Got {
    assert_eq!(got.status, status, "{}", got.text());
    assert!(!got.text().contains(SECRET), "{}", got.text());
    got
}

#[test]
fn a_feature_is_created_read_replaced_changed_and_taken_away() {
    let server = Server::writing();
    let got = ok(server.write("POST", PARCELS, None, Some(&parcel("NEW-1", "Trần Bí Mật"))), 201);
    let place = got.header("location").to_owned();
    assert_eq!(place, server.url("/api/collections/parcels/items/NEW-1"));
    assert_eq!(got.header("citymap-revision"), "5");
    let made = got.json();
    assert_eq!((&made["id"], &made["revision"], &made["op"]), (&json!("NEW-1"), &json!(5), &json!("create")));
    assert_eq!(got.header("etag"), made["etag"]);
    let fid = made["fid"].as_i64().unwrap();
    assert_eq!(owner(&server, fid).unwrap(), "Trần Bí Mật");

    // Read your own write, at once, everywhere.
    let path = "/api/collections/parcels/items/NEW-1";
    let read = ok(server.get(path), 200);
    assert_eq!(read.json()["geometry"], square(3));
    assert_eq!(read.json()["properties"]["cap_nhat"], "2026-07-01T02:30:00.250Z");
    let [x, y] = middle(3);
    assert!(server.get(&format!("/api/at?lon={x}&lat={y}&layers=parcels")).text().contains("NEW-1"));
    let found = server.json("/api/search?q=NEW-1");
    assert_eq!(found["results"][0]["id"], "NEW-1", "{found}");

    // What was read is put back, with one value changed; the owner is not in it and stays.
    let mut whole = read.json();
    whole["properties"]["so_thua"] = json!(9_002);
    let etag = read.header("etag").to_owned();
    assert!(etag.starts_with(made["etag"].as_str().unwrap().trim_end_matches('"')), "{etag}");
    let put = ok(server.write("PUT", path, Some(&etag), Some(&whole)), 200);
    assert_eq!(put.header("citymap-revision"), "6");
    assert_eq!(owner(&server, fid).unwrap(), "Trần Bí Mật");
    let read = ok(server.get(path), 200);
    assert_eq!(
        (&read.json()["properties"]["so_thua"], &read.json()["properties"]["dien_tich"]),
        (&json!(9_002), &json!(12.5))
    );

    // A patch changes what it names, a personal field among them.
    let patch = json!({"properties": {"so_thua": null, "chủ_sử_dụng": "Lê Bí Mật"}});
    let patched = ok(server.write("PATCH", path, Some(put.header("etag")), Some(&patch)), 200);
    assert_eq!(server.json(path)["properties"]["so_thua"], Value::Null);
    assert_eq!(server.json(path)["geometry"], square(3));
    assert_eq!(owner(&server, fid).unwrap(), "Lê Bí Mật");

    ok(server.write("DELETE", path, Some(patched.header("etag")), None), 204);
    assert_eq!(server.problem(path).0, 404);
    assert_eq!(server.json(&format!("{path}?revision=6"))["properties"]["so_thua"], 9_002);
    let log = citymap_store::Store::log(&*server.store, 4).unwrap();
    let counts: Vec<_> = log
        .iter()
        .map(|own| (own.changes[0].added, own.changes[0].changed, own.changes[0].removed))
        .collect();
    assert_eq!(counts, [(0, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0)]);
}

#[test]
fn who_has_not_seen_what_is_there_changes_nothing() {
    let server = Server::writing();
    let path = "/api/collections/parcels/items/26740-1-20";
    let first = server.get(path);
    let patch = json!({"properties": {"so_thua": 1}});
    let (status, detail) = server.write("PATCH", path, None, Some(&patch)).problem();
    assert!(status == 428 && detail.contains("If-Match"), "{detail}");
    assert_eq!(server.write("DELETE", path, None, None).problem().0, 428);
    assert_eq!(server.write("PUT", path, None, Some(&first.json())).problem().0, 428);
    let now = ok(server.write("PATCH", path, Some(first.header("etag")), Some(&patch)), 200);
    let stale = server.write("PATCH", path, Some(first.header("etag")), Some(&patch));
    assert_eq!(stale.status, 412);
    assert_eq!(stale.json()["etag"], now.header("etag"), "the answer names the present tag");
    // A proxy that packs an answer makes its tag weak; what it says of the content stays right.
    let weak = format!("W/{}", first.header("etag"));
    assert_eq!(server.write("DELETE", path, Some(&weak), None).problem().0, 412);
    let weak = format!("W/{}", now.header("etag"));
    ok(server.write("PATCH", path, Some(&weak), Some(&patch)), 200);
    // Gzip or not, in metres or degrees, as a page: every form of the feature that is there is one.
    let metres = server.get_with(&format!("{path}?crs=EPSG:9210"), &[("accept-encoding", "gzip")]);
    ok(server.write("PATCH", path, Some(metres.header("etag")), Some(&patch)), 200);
    let html = server.get_with(path, &[("accept", "text/html")]);
    ok(server.write("PATCH", path, Some(html.header("etag")), Some(&patch)), 200);
    ok(server.write("DELETE", path, Some("*"), None), 204);
    assert_eq!(server.write("DELETE", path, Some("*"), None).problem().0, 404);
    assert_eq!(server.write("PUT", path, Some("*"), Some(&first.json())).problem().0, 412, "no PUT creates");
}

#[test]
fn a_writer_without_if_match_is_one_whose_line_says_so() {
    let list = format!("qgis:{TOKEN}:overwrite");
    let server = Server::with(store(), |config| config.writers = Writer::parse_list(&list).unwrap());
    let path = "/api/collections/parcels/items/26740-1-20";
    let patch = json!({"properties": {"so_thua": 7}});
    ok(server.write("PATCH", path, None, Some(&patch)), 200);
    assert_eq!(server.json(path)["properties"]["so_thua"], 7);
    assert_eq!(
        server.write("PATCH", path, Some("\"other\""), Some(&patch)).problem().0,
        412,
        "sent, it counts"
    );
    let none =
        [("authorization", BEARER), ("if-none-match", "*"), ("content-type", "application/merge-patch+json")];
    assert_eq!(server.ask("PATCH", path, &none, Some(&patch.to_string())).problem().0, 412);
    let edits =
        json!({"edits": [{"op": "update", "layer": "parcels", "id": "26740-1-20", "feature": patch}]});
    ok(server.write("POST", "/api/changes", None, Some(&edits)), 200);
    let allow = server.ask("OPTIONS", path, &[("authorization", BEARER)], None);
    assert_eq!((allow.status, allow.header("allow")), (200, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"));
    ok(server.write("DELETE", path, None, None), 204);
}

#[test]
fn names_of_headers_are_in_title_case() {
    use std::io::{Read as _, Write as _};
    let server = Server::writing();
    let body = parcel("26740-1-900", "A").to_string();
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    write!(
        stream,
        "POST {PARCELS} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {BEARER}\r\ncontent-type: \
         application/geo+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201") && answer.contains("\r\nLocation: http"), "{answer}");
}

#[test]
fn a_packed_body_is_refused() {
    let server = Server::writing();
    let headers =
        [("authorization", BEARER), ("content-type", "application/json"), ("content-encoding", "gzip")];
    for path in [PARCELS, "/api/changes", "/api/within"] {
        let (status, detail) = server.ask("POST", path, &headers, Some("x")).problem();
        assert!(status == 415 && detail.contains("Content-Encoding"), "{path}: {status} {detail}");
    }
}

#[test]
fn the_tag_of_a_feature_is_that_of_its_content_on_every_server() {
    let server = Server::writing();
    let twin = Server::with(server.store.another(), crate::common::writers);
    let path = "/api/collections/parcels/items/26740-1-20";
    let content = |got: &Got| got.header("etag").split('.').next().unwrap().to_owned();
    assert_eq!(content(&server.get(path)), content(&twin.get(path)));
    let read = server.get(path);
    assert_eq!(server.get_with(path, &[("if-none-match", read.header("etag"))]).status, 304);
    // Another feature's change makes a new revision and not a new tag.
    ok(server.write("DELETE", "/api/collections/parcels/items/26740-1-21", Some("*"), None), 204);
    assert_eq!(server.get_with(path, &[("if-none-match", read.header("etag"))]).status, 304);
    // The other server shows it too, and a tag from here is good there.
    let shown = twin.get(&format!("{path}?min-revision=5"));
    assert_eq!((shown.status, shown.header("citymap-revision")), (200, "5"));
    ok(
        twin.write("PATCH", path, Some(read.header("etag")), Some(&json!({"properties": {"so_thua": 5}}))),
        200,
    );
    assert_eq!(server.write("DELETE", path, Some(read.header("etag")), None).problem().0, 412);
}

#[test]
fn of_many_who_have_seen_the_same_exactly_one_wins() {
    let server = Arc::new(Server::writing());
    let twin = Arc::new(Server::with(server.store.another(), crate::common::writers));
    let path = "/api/collections/parcels/items/26740-1-30";
    for round in 0..4 {
        let seen = server.get(&format!("{path}?min-revision={}", 4 + round)).header("etag").to_owned();
        let racers: Vec<_> = (0..8)
            .map(|n| {
                let server = Arc::clone(if n % 2 == 0 { &server } else { &twin });
                let seen = seen.clone();
                thread::spawn(move || {
                    let patch = json!({"properties": {"so_thua": 10_000 + 100 * round + n}});
                    server.write("PATCH", path, Some(&seen), Some(&patch)).status
                })
            })
            .collect();
        let mut statuses: Vec<u16> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "round {round}");
    }
    assert_eq!(citymap_store::Store::revision(&*server.store).unwrap(), 8);
}

#[test]
fn coordinates_come_in_the_system_that_the_header_names() {
    let server = Server::writing();
    let wells = "/api/collections/wells/items";
    let at = |coordinates: Value| {
        json!({"type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates}, "properties": {}})
    };
    let send = |crs: &str, body: &Value| {
        let headers =
            [("authorization", BEARER), ("content-type", "application/geo+json"), ("content-crs", crs)];
        server.ask("POST", wells, &headers, Some(&body.to_string()))
    };
    let grid = "<http://www.opengis.net/def/crs/EPSG/0/9210>";
    for (crs, coordinates) in [
        (grid, json!([603_481.588, 1_191_454.611])),
        ("<http://www.opengis.net/def/crs/EPSG/0/4326>", json!([10.772_5, 106.698])),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84>", json!([106.698, 10.772_5])),
    ] {
        let got = send(crs, &at(coordinates));
        assert_eq!(got.status, 201, "{crs}: {}", got.text());
        let place = got.header("location").strip_prefix(&server.url("")).unwrap().to_owned();
        let pair = server.json(&place)["geometry"]["coordinates"].clone();
        let [lon, lat] = [0, 1].map(|axis| pair[axis].as_f64().unwrap());
        assert!((lon - 106.698).abs() < 1e-8 && (lat - 10.772_5).abs() < 1e-8, "{crs}: {pair}");
    }
    let got = send("EPSG:4326", &at(json!([106.698, 10.772_5])));
    let (status, detail) = got.problem();
    assert!(status == 422 && detail.contains("wrong order"), "{detail}");
    assert_eq!(got.json()["faults"][0]["place"], json!([106.698, 10.772_5]));
    assert_eq!(send("EPSG:27700", &at(json!([1, 2]))).problem().0, 400);
}

#[test]
fn a_hundred_edits_take_about_a_second() {
    let server = Server::writing();
    let start = Instant::now();
    for n in 0..100 {
        let path = format!("/api/collections/parcels/items/26740-1-{}", 40 + n);
        let patch = json!({"properties": {"so_thua": 20_000 + n}});
        let got = ok(server.write("PATCH", &path, Some("*"), Some(&patch)), 200);
        assert_eq!(server.json(&path)["properties"]["so_thua"], 20_000 + n);
        assert_eq!(got.header("citymap-revision"), (5 + n).to_string());
    }
    let took = start.elapsed();
    println!("100 edits, each read back: {took:?}");
    // On a machine that does other things too.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn no_answer_to_anybody_holds_a_personal_value() {
    let server = Server::writing();
    let got = server.write("POST", PARCELS, None, Some(&parcel("NEW-2", "Phạm Bí Mật")));
    ok(got, 201);
    let wrong = json!({"type": "Feature", "geometry": null, "properties": {"chủ_sử_dụng": [SECRET]}});
    let got = server.write("POST", PARCELS, None, Some(&wrong));
    assert!(got.status == 422 && !got.text().contains(SECRET), "{}", got.text());
    let [x, y] = middle(3);
    for path in [
        "/api/collections/parcels/items?limit=10000",
        "/api/collections/parcels/items/NEW-2",
        "/api/collections/parcels/items/NEW-2?revision=5",
        "/api/collections/parcels/items/NEW-2?f=html",
        "/api/collections/parcels?revision=4",
        "/api/changes?since=0",
        "/api/openapi.json",
        &format!("/api/at?lon={x}&lat={y}"),
        &format!("/api/near?lon={x}&lat={y}&revision=5"),
        "/api/within?bbox=106,10,107,11&features=true&limit=10000",
    ] {
        let got = server.get(path);
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        assert!(!got.text().contains(SECRET) && !got.text().contains("chủ_sử_dụng"), "{path}");
    }
    assert_eq!(server.problem("/api/collections/parcels/items?chủ_sử_dụng=x").0, 400);
}
