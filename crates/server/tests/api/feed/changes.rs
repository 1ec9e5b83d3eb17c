//! `GET /api/changes`.

use citymap_model::{Field, FieldType, Mode, Value};

use super::city::{City, Server, layer, parcel};

fn numbers(page: &serde_json::Value) -> Vec<u64> {
    page["revisions"].as_array().unwrap().iter().map(|own| own["revision"].as_u64().unwrap()).collect()
}

fn next(page: &serde_json::Value) -> Option<String> {
    let links = page["links"].as_array().unwrap();
    let href = links.iter().find(|link| link["rel"] == "next")?["href"].as_str().unwrap();
    Some(href.split_once("/api/").map(|(_, rest)| format!("/api/{rest}")).unwrap())
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let city = City::new();
    city.replace("zones", 2);
    for round in 0..40 {
        city.touch(round % 10 + 1, &format!("{round}"));
    }
    let server = Server::start(&city);
    let mut path = Some("/api/changes?limit=7".to_owned());
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(here) = path {
        let page = server.json(&here);
        assert_eq!(page["newest"], 42);
        seen.extend(numbers(&page));
        path = next(&page);
        pages += 1;
    }
    assert_eq!(seen, (1..=42).collect::<Vec<u64>>());
    assert_eq!(pages, 6);
    assert_eq!(numbers(&server.json("/api/changes?since=40")), [41, 42]);
    assert_eq!(numbers(&server.json("/api/changes?since=0&layers=zones")), [2]);
    let none = server.json("/api/changes?since=42");
    assert!(numbers(&none).is_empty() && next(&none).is_none());
    assert!(numbers(&server.json("/api/changes?limit=99999")).len() == 42, "more counts as the most");
    let (status, detail) = server.problem("/api/changes?since=43", &[]);
    assert!(status == 400 && detail.contains("newest revision, 42"), "{detail}");
    for path in
        ["/api/changes?limit=0", "/api/changes?since=x", "/api/changes?nix=1", "/api/changes?layers=nix"]
    {
        assert_eq!(server.problem(path, &[]).0, 400, "{path}");
    }
}

#[test]
fn what_touches_much_is_told_as_a_whole() {
    let city = City::new();
    city.replace("parcels", 1_200);
    let mut wider = layer("parcels");
    wider.fields.push(Field::new("area", FieldType::Real));
    city.commit("thêm trường", |transaction| {
        transaction.layer(&wider, Mode::Replace).unwrap();
        let mut one = parcel("1-0", 0.0, "ODT");
        one.values.push(Value::Real(40.0));
        transaction.put(one).unwrap();
    });
    city.commit("bỏ lớp", |transaction| transaction.layer(&wider, Mode::Drop).unwrap());
    let server = Server::start(&city);
    let page = server.json("/api/changes");
    assert_eq!(numbers(&page), [1, 2, 3, 4]);
    let layer = |index: usize| &page["revisions"][index]["layers"][0];
    // The layer came, many features changed, its fields did, it went.
    for (index, mode) in [(0, "replace"), (1, "replace"), (2, "replace"), (3, "drop")] {
        assert_eq!(
            (&layer(index)["whole"], layer(index)["mode"].as_str()),
            (&true.into(), Some(mode)),
            "{index}"
        );
        assert!(layer(index)["tiles"].is_null() && layer(index)["features"].as_array().unwrap().is_empty());
    }
    assert_eq!((&layer(1)["truncated"], &layer(2)["truncated"]), (&true.into(), &false.into()));
    assert_eq!(layer(1)["bbox"].as_array().unwrap().len(), 4, "boxes of some thousands are read");
    assert_eq!(layer(3)["removed"], 1);
}

#[test]
fn people_get_a_table_and_see_nobody_s_name() {
    let city = City::new();
    city.touch(1, "<script>");
    let server = Server::start(&city);
    let (status, headers, text) = server.ask("/api/changes?f=html&lang=en", &[]);
    assert_eq!(status, 200);
    assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(text.contains("sửa &quot;thửa&quot;") && text.contains("/api/collections/parcels"), "{text}");
    assert!(text.find(">2</th>").unwrap() < text.find(">1</th>").unwrap(), "newest first");
    for text in [text, server.json("/api/changes").to_string()] {
        assert!(!text.contains("Trần Văn Viết") && !text.contains("Bí Mật"));
    }
    let older = server.ask("/api/changes?f=html&limit=1", &[]).2;
    assert!(older.contains("since=0") && !older.contains("nhập"), "{older}");
    let (_, headers, _) = server.ask("/api/changes", &[]);
    let tag = headers["etag"].to_str().unwrap();
    assert_eq!(server.ask("/api/changes", &[("if-none-match", tag)]).0, 304);
}

#[test]
fn a_store_that_is_away_leaves_what_is_known() {
    let city = City::new();
    city.touch(1, "a");
    let server = Server::start(&city);
    let number = city.touch(2, "b");
    server.shows(number);
    assert_eq!(numbers(&server.json("/api/changes?since=2")), [3]);
    server.store.disconnect();
    assert_eq!(numbers(&server.json("/api/changes?since=2&limit=9")), [3]);
    let (status, headers, text) = server.ask("/api/changes?since=0", &[]);
    assert_eq!(status, 503, "{text}");
    assert!(headers.contains_key("retry-after"));
}
