//! `GET /api/events`.

use std::{
    thread,
    time::{Duration, Instant},
};

use citymap_model::{Mode, Value};
use citymap_store::Edit;
use citymap_tile::TileId;
use serde_json::json;

use super::{
    city::{CORNER, City, SIDE, Server, layer, parcel},
    stream::Events,
};

#[test]
fn an_edit_comes_as_an_event_with_its_features_boxes_and_tiles() {
    let city = City::new();
    let server = Server::start(&city);
    let mut events = Events::open(&server, "", None);
    for expected in
        ["http/1.1 200", "content-type: text/event-stream", "x-accel-buffering: no", "citymap-revision: 1"]
    {
        assert!(events.head.contains(expected), "{}", events.head);
    }
    assert!(!events.head.contains("content-encoding"), "{}", events.head);
    let hello = events.next().unwrap();
    assert_eq!((hello.kind.as_str(), hello.id), ("hello", Some(1)));
    assert_eq!(hello.data["revision"], 1);
    assert_eq!((events.retry, events.comments), (Some(2_000), 1));

    // Parcel 3 moves a column and a half, 5 goes, a new one comes, 7 has another owner only.
    let mut owner = parcel("1-6", 6.0, "ODT");
    owner.values[2] = Value::Text("Lê Thị Kín".into());
    city.edit(
        "parcels",
        vec![
            Edit::Update(3, parcel("1-2", 3.5, "CLN")),
            Edit::Delete(5),
            Edit::Insert(None, parcel("1-10", 10.0, "ODT")),
            Edit::Update(7, owner),
        ],
    );
    let (number, data) = events.revision();
    assert_eq!((number, &data["revision"]), (2, &2.into()));
    assert_eq!(data["message"], "sửa \"thửa\"");
    assert!(data["source"].is_null() && data.get("author").is_none());
    chrono::DateTime::parse_from_rfc3339(data["time"].as_str().unwrap()).unwrap();
    let touched = &data["layers"][0];
    assert_eq!((touched["layer"].as_str(), touched["mode"].as_str()), (Some("parcels"), Some("edit")));
    assert_eq!(
        (&touched["added"], &touched["changed"], &touched["removed"]),
        (&1.into(), &2.into(), &1.into())
    );
    assert_eq!((&touched["whole"], &touched["truncated"]), (&false.into(), &false.into()));
    let features: Vec<(i64, &str, &str)> = touched["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| (own["fid"].as_i64().unwrap(), own["id"].as_str().unwrap(), own["op"].as_str().unwrap()))
        .collect();
    assert_eq!(
        features,
        [(3, "1-2", "changed"), (5, "1-4", "removed"), (7, "1-6", "changed"), (11, "1-10", "added")]
    );
    let place = |bbox: &serde_json::Value| {
        let west = bbox[0].as_f64().unwrap();
        ((west - CORNER[0]) / SIDE * 10.0).round() / 10.0
    };
    assert_eq!(
        (place(&touched["features"][0]["before"]), place(&touched["features"][0]["bbox"])),
        (2.0, 3.5)
    );
    assert!(touched["features"][1]["bbox"].is_null() && touched["features"][3]["before"].is_null());
    assert_eq!((place(&touched["bbox"]), touched["bbox"].as_array().unwrap().len()), (2.0, 4));
    let east = touched["bbox"][2].as_f64().unwrap();
    assert!((east - (CORNER[0] + 11.0 * SIDE)).abs() < 1e-9, "old and new places together");
    assert!(!data.to_string().contains("Kín") && !data.to_string().contains("Bí Mật"));
    assert_eq!(touched["tiles"]["0"], serde_json::json!([[0, 0]]));
    assert_eq!(touched["tiles"].as_object().unwrap().len(), 19);
    for column in [2.5, 4.0, 4.5, 10.5] {
        let tile = TileId::at([CORNER[0] + column * SIDE, CORNER[1] + SIDE / 2.0], 18).unwrap();
        let told = touched["tiles"]["18"].as_array().unwrap();
        assert!(told.contains(&serde_json::json!([tile.x(), tile.y()])), "{tile}");
    }
}

#[test]
fn a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice() {
    let city = City::new();
    let server = Server::start(&city);
    let writer = thread::spawn({
        let store = city.open();
        move || {
            for round in 0..120 {
                use citymap_store::Store;
                let mut transaction = store.begin(citymap_model::CommitMeta::default()).unwrap();
                transaction.layer(&layer("parcels"), Mode::Edit).unwrap();
                let fid = round % 10 + 1;
                let new = parcel(&format!("1-{}", fid - 1), (fid - 1) as f64, &format!("{round}"));
                transaction.edit(Edit::Update(fid, new)).unwrap();
                transaction.commit().unwrap();
                if round % 3 == 0 {
                    thread::sleep(Duration::from_millis((round as u64 * 7) % 13));
                }
            }
        }
    });
    let mut seen = Vec::new();
    let mut last = Some(1);
    let mut dice = 12_345_u64;
    while seen.last() != Some(&121) {
        let mut events = Events::open(&server, "", last);
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..(dice >> 33) % 9 {
            let (number, data) = events.revision();
            assert_eq!(data["revision"], number);
            seen.push(number);
            if number == 121 {
                break;
            }
        }
        last = events.last;
    }
    writer.join().unwrap();
    assert_eq!(seen, (2..=121).collect::<Vec<u64>>());
    // The same from the query, at once and from the start.
    let mut events = Events::open(&server, "?since=0", None);
    for number in 1..=121 {
        assert_eq!(events.revision().0, number);
    }
    // A header that is there counts, not the address from which the browser came.
    let mut events = Events::open(&server, "?since=0", Some(120));
    assert_eq!(events.revision().0, 121);
}

#[test]
fn a_slow_reader_holds_up_nobody_and_loses_nothing() {
    let city = City::new();
    city.replace("parcels", 900);
    let server = Server::start(&city);
    // It asks and does not read: what is sent fills its window and then waits in the server's hands.
    let mut slow = Events::open(&server, "?since=2", None);
    let mut quick = Events::open(&server, "?since=2", None);
    let rounds = 60;
    for round in 0..rounds {
        let edits = (1..=900)
            .map(|fid| {
                Edit::Update(fid, parcel(&format!("1-{}", fid - 1), (fid - 1) as f64, &format!("{round}")))
            })
            .collect();
        let number = city.edit("parcels", edits).number;
        let start = Instant::now();
        assert_eq!(quick.revision().0, number);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    for number in 3..3 + rounds {
        let (seen, data) = slow.revision();
        assert_eq!(seen, number);
        assert_eq!(data["layers"][0]["features"].as_array().unwrap().len(), 900);
    }
}

#[test]
fn many_read_at_once_and_the_places_are_counted() {
    let city = City::new();
    let server = Server::with(&city, |config| {
        config.limits.feed.streams_max = 200;
        config.limits.event_streams_per_client = 300;
    });
    let mut readers: Vec<Events> = (0..200).map(|_| Events::open(&server, "", None)).collect();
    for reader in &mut readers {
        assert_eq!(reader.next().unwrap().kind, "hello");
    }
    let (status, headers, text) = server.ask("/api/events", &[]);
    assert_eq!(status, 503, "{text}");
    assert_eq!(headers["retry-after"], "10");
    // Questions do not wait for streams.
    assert_eq!(server.ask("/api/collections", &[]).0, 200);
    let number = city.touch(4, "CLN");
    let start = Instant::now();
    for reader in &mut readers {
        assert_eq!(reader.revision().0, number);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // Who goes leaves a place; the server sees it when it next has something to say.
    drop(readers.pop());
    city.touch(4, "ODT");
    super::city::wait_for("a free place", || {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        use std::io::{Read, Write};
        stream.write_all(b"GET /api/events HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        &status == b"HTTP/1.1 200"
    });
}

#[test]
fn streams_end_with_the_server_and_at_once() {
    let city = City::new();
    let mut server = Server::start(&city);
    let mut readers: Vec<Events> = (0..20).map(|_| Events::open(&server, "", None)).collect();
    for reader in &mut readers {
        assert!(reader.next().is_some());
    }
    let took = server.stop();
    assert!(took < Duration::from_secs(3), "{took:?}");
    for reader in &mut readers {
        assert_eq!(reader.next(), None, "a proper end, not a cut");
    }
}

#[test]
fn a_silent_stream_lives_longer_than_requests_and_says_so() {
    let city = City::new();
    let server = Server::with(&city, |config| {
        config.limits.feed.heartbeat = Duration::from_millis(60);
        config.limits.request_timeout = Duration::from_millis(150);
        config.limits.header_timeout = Duration::from_millis(150);
    });
    let mut events = Events::open(&server, "?since=1", None);
    let start = Instant::now();
    for _ in 0..12 {
        events.comment();
    }
    assert!(start.elapsed() > Duration::from_millis(500), "{:?}", start.elapsed());
    let number = city.touch(1, "CLN");
    assert_eq!(events.revision().0, number);
}

#[test]
fn a_stream_survives_a_store_that_is_away() {
    let city = City::new();
    let server = Server::with(&city, |config| config.limits.feed.heartbeat = Duration::from_millis(50));
    let mut events = Events::open(&server, "?since=1", None);
    server.store.disconnect();
    let number = city.touch(2, "CLN");
    for _ in 0..5 {
        events.comment();
    }
    server.store.connect(0);
    assert_eq!(events.revision().0, number);
    // What is not in memory cannot be told while the store is away: a reader from the start waits for it.
    let fresh = City::new();
    fresh.touch(1, "a");
    let server = Server::with(&fresh, |config| config.limits.feed.heartbeat = Duration::from_millis(50));
    server.store.disconnect();
    let mut events = Events::open(&server, "?since=0", None);
    for _ in 0..3 {
        events.comment();
    }
    server.store.connect(0);
    assert_eq!((events.revision().0, events.revision().0), (1, 2));
}

#[test]
fn layers_are_chosen_and_others_do_not_come() {
    let city = City::new();
    city.replace("zones", 3);
    let server = Server::start(&city);
    let mut events = Events::open(&server, "?layers=zones&since=0", None);
    assert_eq!(events.revision().0, 2);
    city.touch(1, "a");
    let both = city
        .commit("hai lớp", |transaction| {
            for name in ["parcels", "zones"] {
                transaction.layer(&layer(name), Mode::Edit).unwrap();
                transaction.edit(Edit::Update(2, parcel("1-1", 1.0, "b"))).unwrap();
            }
        })
        .number;
    let (number, data) = events.revision();
    assert_eq!(number, both);
    assert_eq!(data["layers"].as_array().unwrap().len(), 1);
    assert_eq!(data["layers"][0]["layer"], "zones");
    let (status, detail) = server.problem("/api/events?layers=zonen", &[]);
    assert!(status == 400 && detail.contains("zones"), "{detail}");
}

#[test]
fn a_place_that_is_none_is_refused_and_one_ahead_is_kept() {
    let city = City::new();
    let server = Server::start(&city);
    for (path, headers) in [
        ("/api/events", vec![("last-event-id", "x")]),
        ("/api/events?since=-1", vec![]),
        ("/api/events?since=1&since=1", vec![]),
        ("/api/events?nix=1", vec![]),
    ] {
        assert_eq!(server.problem(path, &headers).0, 400, "{path}");
    }
    // Another server showed revision 3 before this one does.
    let mut events = Events::open(&server, "", Some(3));
    let hello = events.next().unwrap();
    assert_eq!((hello.kind.as_str(), hello.id, &hello.data["revision"]), ("hello", None, &1.into()));
    for fid in 1..=3 {
        city.touch(fid, "CLN");
    }
    assert_eq!(events.revision().0, 4, "2 and 3 it has had");
}

#[test]
fn a_personal_key_is_never_shown_also_when_it_becomes_one_later() {
    let city = City::new();
    city.touch(1, "a");
    let server = Server::start(&city);
    let mut events = Events::open(&server, "?since=1", None);
    assert_eq!(events.revision().1["layers"][0]["features"][0]["id"], "1-0");
    let mut personal = layer("parcels");
    personal.fields[0].personal = true;
    let edit = |fid, land_use: &str| {
        city.commit("khoá là dữ liệu cá nhân", |transaction| {
            transaction.layer(&personal, Mode::Edit).unwrap();
            let new = parcel(&format!("1-{}", fid - 1), (fid - 1) as f64, land_use);
            transaction.edit(Edit::Update(fid, new)).unwrap();
        })
        .number
    };
    let number = edit(2, "b");
    let (seen, data) = events.revision();
    assert_eq!(seen, number);
    // All ids are others: the layer must be read again.
    assert_eq!((&data["layers"][0]["whole"], &data["layers"][0]["features"]), (&true.into(), &json!([])));
    edit(2, "c");
    let data = events.revision().1;
    assert_eq!(
        (&data["layers"][0]["whole"], &data["layers"][0]["features"][0]["id"]),
        (&false.into(), &json!(2))
    );
    // What was told before is not told any more.
    let again = Events::open(&server, "?since=1", None).revision().1;
    assert_eq!(again["layers"][0]["features"][0]["id"], 1, "{again}");
}

#[test]
fn a_repeated_key_is_told_apart() {
    let city = City::new();
    let server = Server::start(&city);
    let mut events = Events::open(&server, "?since=1", None);
    city.edit("parcels", vec![Edit::Insert(None, parcel("1-3", 20.0, "ODT"))]);
    assert_eq!(events.revision().1["layers"][0]["features"][0]["id"], "1-3~11");
    city.edit("parcels", vec![Edit::Delete(11)]);
    assert_eq!(events.revision().1["layers"][0]["features"][0]["id"], "1-3~11");
}

/// From the commit's return to the event in a reader's hands: `cargo test -p citymap-server --test feed --
/// --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn how_long_an_event_takes() {
    for others in [0, 100, 900] {
        let city = City::new();
        city.replace("parcels", 10);
        let server = Server::start(&city);
        let _others: Vec<_> = (0..others)
            .map(|_| {
                let mut events = Events::open(&server, "", None);
                thread::spawn(move || while events.next().is_some() {})
            })
            .collect();
        let mut events = Events::open(&server, "", None);
        events.next().unwrap();
        let mut spent: Vec<Duration> = (0..300)
            .map(|round| {
                let number = city.touch(round % 10 + 1, &format!("{round}"));
                let start = Instant::now();
                assert_eq!(events.revision().0, number);
                start.elapsed()
            })
            .collect();
        spent.sort();
        println!("{others} other readers: p50 {:?}, p99 {:?}", spent[150], spent[297]);
    }
}
