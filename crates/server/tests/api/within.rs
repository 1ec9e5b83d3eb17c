//! `/api/within` by the values of fields, of a feature, and feature by feature, over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::collections::BTreeMap;

use crate::common::{COLUMNS, CORNER, SIDE, Server, middle};
use serde_json::{Value, json};

/// Six columns and a half, four rows, from beyond the south-west corner of the parcels.
fn bbox() -> String {
    let [x, y] = CORNER;
    format!("{},{},{},{}", x - SIDE, y - SIDE, x + 6.5 * SIDE, y + 3.9 * SIDE)
}

/// The parcels that [`bbox`] touches, and whether they are completely inside.
fn inside() -> impl Iterator<Item = (usize, bool)> {
    (0..4).flat_map(|row| (0..7).map(move |column| (row * COLUMNS + column, column < 6 && row < 3)))
}

fn number(value: &Value) -> f64 {
    value["value"].as_f64().unwrap()
}

fn only(answer: &Value) -> &Value {
    let layers = answer["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 1);
    &layers[0]
}

#[test]
fn sums_by_fields_equal_a_plain_count() {
    let server = Server::start();
    let asked = format!("/api/within?bbox={}&layers=parcels", bbox());
    let answer = server.json(&format!("{asked}&by=parcels.loại đất,tranh_chap").replace(' ', "%20"));
    let parcels = only(&answer);
    let mut plain: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for (index, whole) in inside() {
        let use_code = if index % 3 == 0 { "ODT" } else { "CLN" };
        let disputed = if index % 7 == 0 { Value::Null } else { json!(index % 2 == 0) };
        let own = plain.entry(json!({"loại đất": use_code, "tranh_chap": disputed}).to_string()).or_default();
        own[0] += 1;
        own[1] += u64::from(whole);
    }
    let groups = parcels["groups"].as_array().unwrap();
    let found: BTreeMap<String, [u64; 2]> = groups
        .iter()
        .map(|own| {
            let figures = ["count", "whole"].map(|name| own[name].as_u64().unwrap());
            (own["values"].to_string(), figures)
        })
        .collect();
    assert_eq!(found, plain);
    assert_eq!(parcels["by"], json!(["loại đất", "tranh_chap"]));
    let sum = |name: &str| groups.iter().map(|own| number(&own[name])).sum::<f64>();
    for name in ["area", "fullArea"] {
        assert!((sum(name) - number(&parcels[name])).abs() < 1e-2, "{name}");
    }
    // Cut at the border: six and a half columns, 3.9 rows; in full seven columns, four rows.
    let ratio = number(&parcels["area"]) / number(&parcels["fullArea"]);
    assert!((ratio - 6.5 * 3.9 / 28.0).abs() < 1e-4, "{ratio}");
    let share = groups.iter().map(|own| own["share"].as_f64().unwrap()).sum::<f64>();
    assert!((share - number(&parcels["area"]) / number(&answer["area"])).abs() < 1e-6);
    assert!((share - parcels["share"].as_f64().unwrap()).abs() < 1e-6 && share < 1.0);
}

#[test]
fn a_field_may_be_called_by_its_meaning_and_others_are_refused() {
    let (mut layer, features) = crate::common::parcels();
    let field = layer.field_index("loại đất").unwrap();
    layer.set_meaning(field, Some(citymap_model::Meaning::LandUse));
    let store = crate::common::store();
    store.put(layer, features);
    let server = Server::with(store, |_| {});
    let asked = format!("/api/within?bbox={}", bbox());
    let answer = server.json(&format!("{asked}&by=land_use"));
    let layers = answer["layers"].as_array().unwrap();
    let parcels = layers.iter().find(|own| own["layer"] == "parcels").unwrap();
    let values: Vec<&Value> =
        parcels["groups"].as_array().unwrap().iter().map(|own| &own["values"]["loại đất"]).collect();
    assert_eq!(values, ["CLN", "ODT"]);
    assert!(layers.iter().filter(|own| own["layer"] != "parcels").all(|own| own.get("groups").is_none()));
    for (by, word) in [
        ("nix", "none of these layers"),
        ("roads.so_thua", "none of these layers"),
        // A personal field and one that does not exist are the same.
        ("ch%E1%BB%A7_s%E1%BB%AD_d%E1%BB%A5ng", "none of these layers"),
        ("owner", "none of these layers"),
        (&["so_thua"; 65].join(","), "more than 64"),
    ] {
        let (status, detail) = server.problem(&format!("{asked}&by={by}"));
        assert!(status == 400 && detail.contains(word), "{by}: {detail}");
    }
    let [x, y] = CORNER;
    let all = format!("/api/within?bbox={x},{y},{},{}&layers=parcels&by=so_thua", x + 0.01, y + 0.02);
    let (status, detail) = server.problem(&all);
    assert!(status == 400 && detail.contains("more than 1000"), "{detail}");
}

#[test]
fn a_feature_is_an_area_and_its_neighbours_only_touch_it() {
    let server = Server::start();
    let inner = COLUMNS + 3;
    let answer =
        server.json(&format!("/api/within?of=parcels:26740-1-{inner}&layers=parcels,wells&features=true"));
    assert_eq!(answer["of"], json!({"layer": "parcels", "id": format!("26740-1-{inner}"), "label": "28"}));
    let parcels = &answer["layers"][0];
    // Itself and those of its eight neighbours that rounding has not moved away from it.
    let [count, whole, contacts] = ["count", "whole", "contacts"].map(|name| parcels[name].as_u64().unwrap());
    assert!(whole == 1 && count == contacts + 1 && (3..=8).contains(&contacts), "{count} {contacts}");
    assert!((number(&parcels["area"]) - number(&answer["area"])).abs() < 1e-3);
    assert_eq!(parcels["share"].as_f64().map(|share| (share * 1e6).round()), Some(1e6));
    let features = parcels["features"].as_array().unwrap();
    let own = features.iter().find(|own| own["inside"]["whole"] == 1).unwrap();
    assert_eq!(own["id"], format!("26740-1-{inner}"));
    let touching = features.iter().filter(|own| own["inside"]["contacts"] == 1).count();
    assert_eq!(touching as u64, contacts);
    for (query, status, word) in [
        ("of=parcels", 400, "LAYER:ID"),
        ("of=nix:1", 400, "nearest names"),
        ("of=parcels:nix", 404, "no feature"),
        ("of=roads:1", 400, "Polygon"),
        ("of=so_lieu:1", 400, "no geometry"),
        ("of=parcels:26740-1-3&bbox=1,2,3,4", 400, "either"),
        ("", 400, "either"),
    ] {
        let (found, detail) = server.problem(&format!("/api/within?{query}"));
        assert!(found == status && detail.contains(word), "{query}: {found} {detail}");
    }
}

#[test]
fn features_come_page_by_page_with_their_parts_inside() {
    let server = Server::start();
    let asked = format!("/api/within?bbox={}&layers=parcels&features=true", bbox());
    let (mut after, mut walked) = (String::new(), Vec::new());
    loop {
        let answer = server.json(&format!("{asked}&limit=9{after}"));
        let parcels = only(&answer);
        assert_eq!(parcels["count"], 28, "the sums are of all pages");
        walked.extend(parcels["features"].as_array().unwrap().clone());
        assert_eq!(parcels["truncated"], parcels.get("next").is_some());
        match parcels.get("next") {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let expected: Vec<u64> = inside().map(|(index, _)| index as u64).collect();
    let numbers: Vec<u64> = walked.iter().map(|own| own["properties"]["so_thua"].as_u64().unwrap()).collect();
    assert_eq!(numbers, expected);
    let sum: f64 = walked.iter().map(|own| number(&own["inside"]["area"])).sum();
    let whole = server.json(&asked);
    assert!((sum - number(&only(&whole)["area"])).abs() < 1e-2);
    let (status, detail) = server.problem(&format!("{}&after=3", asked.replace("&layers=parcels", "")));
    assert!(status == 400 && detail.contains("one layer"), "{detail}");
}

#[test]
fn fields_of_one_layer_filter() {
    let server = Server::start();
    let asked = format!("/api/within?bbox={}", bbox());
    let answer = server.json(&format!("{asked}&layers=parcels&tranh_chap=true&features=true"));
    let wanted = inside().filter(|(index, _)| index % 7 != 0 && index % 2 == 0).count();
    let parcels = only(&answer);
    assert_eq!(parcels["count"].as_u64(), Some(wanted as u64));
    assert!(
        parcels["features"].as_array().unwrap().iter().all(|own| own["properties"]["tranh_chap"] == true)
    );
    let [x, y] = middle(0);
    let ring = json!([[x, y], [x + SIDE, y], [x + SIDE, y + SIDE], [x, y]]);
    let body = json!({"type": "Polygon", "coordinates": [ring]}).to_string();
    let posted = server.post("/api/within?layers=parcels&so_thua=0", "application/json", body.as_bytes());
    assert_eq!(only(&posted.json())["count"], 1);
    for (query, word) in [
        ("&tranh_chap=true", "not known here"),
        ("&layers=parcels,wells&tranh_chap=true", "not known here"),
        ("&layers=parcels&tranh_chap=maybe", "the field's type"),
        ("&layers=parcels&ch%E1%BB%A7_s%E1%BB%AD_d%E1%BB%A5ng=x", "not known here"),
    ] {
        let (status, detail) = server.problem(&format!("{asked}{query}"));
        assert!(status == 400 && detail.contains(word), "{query}: {detail}");
    }
}
