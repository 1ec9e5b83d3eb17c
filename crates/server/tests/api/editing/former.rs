//! The city as it was, and as it is valid at a time.

use std::{
    thread,
    time::{Duration, Instant},
};

use citymap_store::Store;
use serde_json::json;

use crate::common::{Server, middle, parcels, writers};

/// Revision 5 changes a parcel, 6 takes it away, 7 replaces the layer by its first hundred.
fn edited() -> Server {
    let server = Server::writing();
    let path = "/api/collections/parcels/items/26740-1-40";
    let patch = json!({"properties": {"so_thua": 5_000}});
    assert_eq!(server.write("PATCH", path, Some("*"), Some(&patch)).status, 200);
    assert_eq!(server.write("DELETE", path, Some("*"), None).status, 204);
    let (layer, mut features) = parcels();
    features.truncate(100);
    server.store.put(layer, features);
    assert_eq!(server.get("/api/collections?min-revision=7").status, 200);
    server
}

#[test]
fn every_question_can_be_asked_of_a_former_revision() {
    let server = edited();
    let [x, y] = middle(40);
    let item = "/api/collections/parcels/items/26740-1-40";
    for (revision, number) in [(4, Some(40)), (5, Some(5_000)), (6, None), (7, Some(40))] {
        let at = |path: &str| {
            let join = if path.contains('?') { '&' } else { '?' };
            let got = server.get(&format!("{path}{join}revision={revision}"));
            assert_eq!(got.header("citymap-revision"), revision.to_string(), "{path}");
            got
        };
        let one = at(item);
        assert_eq!(one.status, if number.is_some() { 200 } else { 404 });
        if let Some(number) = number {
            assert_eq!(one.json()["properties"]["so_thua"], number, "revision {revision}");
        }
        let count = [1_234, 1_234, 1_233, 100][revision as usize - 4];
        assert_eq!(at("/api/collections/parcels/items?limit=5").json()["numberMatched"], count);
        assert_eq!(at("/api/collections/parcels").json()["itemCount"], count);
        let here = at(&format!("/api/at?lon={x}&lat={y}&layers=parcels")).json();
        assert_eq!(here["layers"][0]["features"].as_array().unwrap().len(), usize::from(number.is_some()));
        let near = at(&format!("/api/near?lon={x}&lat={y}&layers=parcels&distance=1")).json();
        assert_eq!(near["numberReturned"], usize::from(number.is_some()));
        assert_eq!(near["revision"], revision);
        let within = at("/api/within?bbox=106,10,107,11&layers=parcels").json();
        assert_eq!(within["layers"][0]["count"], count);
        let described = at("/tiles/parcels.json").json();
        let template = described["tiles"][0].as_str().unwrap();
        assert!(template.ends_with(&format!("&revision={revision}")), "{template}");
        let (tile_x, tile_y) = tile(x, y, 17);
        let path = template
            .replace("{z}", "17")
            .replace("{x}", &tile_x.to_string())
            .replace("{y}", &tile_y.to_string());
        let got = server.get(path.strip_prefix(&server.url("")).unwrap());
        assert_eq!((got.status, got.header("citymap-revision")), (200, revision.to_string().as_str()));
        assert_eq!(got.header("cache-control"), "public, max-age=31536000, immutable");
        let reader = fast_mvt::MvtReaderRef::new(&got.bytes).unwrap();
        let features: usize = reader.layers().map(|layer| layer.features().count()).sum();
        assert!(features > 0, "revision {revision}");
    }
    // Pages of a former revision lead on within it.
    let page = server.json("/api/collections/parcels/items?limit=600&revision=5");
    let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next").unwrap();
    let next = next["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap().to_owned();
    assert!(next.contains("revision=5"), "{next}");
    assert_eq!(server.json(&next)["numberReturned"], 600);
}

fn tile(lon: f64, lat: f64, zoom: u32) -> (u32, u32) {
    let n = f64::from(1 << zoom);
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0;
    (((lon + 180.0) / 360.0 * n) as u32, (y * n) as u32)
}

#[test]
fn a_revision_is_named_by_number_instant_or_day() {
    let server = edited();
    let log = server.store.log_after(0, 100).unwrap();
    let path =
        |text: &str| format!("/api/collections/parcels/items?limit=1&revision={}", text.replace('+', "%2B"));
    let shown = |text: &str| server.get(&path(text)).header("citymap-revision").to_owned();
    // The instant of a commit is after it; a moment before is the one before, unless both fell on one moment.
    for revision in &log {
        let text = revision.time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
        let newest = log.iter().rfind(|own| own.time <= revision.time).unwrap().number;
        assert_eq!(shown(&text), newest.to_string(), "{text}");
    }
    let tomorrow = chrono::Utc::now() + chrono::Duration::days(1);
    assert_eq!(shown(&tomorrow.to_rfc3339()), "7");
    assert_eq!(shown(&tomorrow.format("%Y-%m-%d").to_string()), "7");
    assert_eq!(server.problem(&path("2001-01-01")).0, 404, "the city was empty then");
    assert_eq!(server.get("/api/at?lon=106.7&lat=10.8&revision=0").header("citymap-revision"), "0");
    for bad in ["8", "99999999999999999999", "yesterday", "-1", "2026-13-01"] {
        let (status, detail) = server.problem(&path(bad));
        assert_eq!(status, 400, "{bad}: {detail}");
    }
    let got = server.get(&path("8"));
    assert_eq!(got.json()["newest"], 7);
    assert!(got.problem().1.contains("the newest is 7"));
    // Where there is nothing former to ask for, the parameter is not known.
    assert_eq!(server.problem("/api/search?q=ben&revision=4").0, 400);
}

#[test]
fn valid_time_and_record_time_are_asked_for_together() {
    let server = Server::writing();
    // Parcel 40 is valid from 1 July 2024 (the key's number decides the year).
    let [x, y] = middle(40);
    let count = |more: &str| {
        let got = server.json(&format!("/api/at?lon={x}&lat={y}&layers=parcels{more}"));
        got["layers"][0]["features"].as_array().unwrap().len()
    };
    assert_eq!([count(""), count("&datetime=2024-06-30"), count("&datetime=2024-07-01")], [1, 0, 1]);
    // On record since revision 5: it was valid two years earlier.
    let patch = json!({"properties": {"ngay_cap": "2022-07-01"}});
    let path = "/api/collections/parcels/items/26740-1-40";
    assert_eq!(server.write("PATCH", path, Some("*"), Some(&patch)).status, 200);
    assert_eq!(count("&datetime=2023-01-01"), 1, "valid then, as we know now");
    assert_eq!(count("&datetime=2023-01-01&revision=4"), 0, "valid then, as we knew before");
    let near = |more: &str| {
        server.json(&format!("/api/near?lon={x}&lat={y}&layers=parcels&distance=1{more}"))["numberReturned"]
            .clone()
    };
    assert_eq!([near("&datetime=2022-01-01"), near("&datetime=2023-01-01")], [json!(0), json!(1)]);
    let within = |more: &str| {
        server.json(&format!("/api/within?bbox=106,10,107,11&layers=parcels{more}"))["layers"][0]["count"]
            .as_u64()
            .unwrap()
    };
    assert!(within("&datetime=2020-01-01") < within("&datetime=2023-01-01") && within("") == 1_234);
    let (tile_x, tile_y) = tile(x, y, 19);
    let features = |more: &str| {
        let got = server.get(&format!("/tiles/parcels/19/{tile_x}/{tile_y}?{more}"));
        if got.status == 204 {
            return 0;
        }
        let reader = fast_mvt::MvtReaderRef::new(&got.bytes).unwrap();
        reader.layers().map(|layer| layer.features().count()).sum()
    };
    let [all, then]: [usize; 2] = [features(""), features("datetime=2019-01-01")];
    assert!(all > then, "{all} {then}");
    assert!(features("datetime=2023-01-01&revision=4") < features("datetime=2023-01-01&revision=5"));
    assert_eq!(server.problem(&format!("/tiles/parcels/19/{tile_x}/{tile_y}?datetime=never")).0, 400);
}

#[test]
fn a_read_waits_for_the_revision_that_it_wants_to_see() {
    let server = Server::with(crate::common::store(), |config| {
        writers(config);
        config.limits.min_revision_wait = Duration::from_millis(400);
    });
    let path = "/api/collections/wells/items";
    assert_eq!(server.get(&format!("{path}?min-revision=4")).status, 200);
    let start = Instant::now();
    let got = server.get(&format!("{path}?min-revision=5"));
    assert_eq!((got.status, got.header("retry-after")), (503, "1"));
    assert_eq!(got.json()["newest"], 4);
    assert!(start.elapsed() >= Duration::from_millis(400));
    assert_eq!(server.get_with(path, &[("citymap-min-revision", "5")]).status, 503);
    assert_eq!(server.get_with(path, &[("citymap-min-revision", "x")]).status, 400);
    assert_eq!(server.get(&format!("{path}?min-revision=x")).status, 400);
    assert_eq!(server.get(&format!("{path}?min-revision=9000000000")).status, 400);
    // Another process commits while somebody waits.
    let another = server.store.another();
    let writer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        let (mut layer, _) = parcels();
        layer.id = "more".parse().unwrap();
        another.put(layer, Vec::new());
    });
    let got = server.get_with(path, &[("citymap-min-revision", "5")]);
    assert_eq!((got.status, got.header("citymap-revision")), (200, "5"), "{}", got.text());
    writer.join().unwrap();
}
