//! The rows that GDAL, QGIS and OWSLib ask for are the rows that they get.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::Server;
use citymap_model::{Field, FieldType, GeometryKind, Layer, Meaning, NewFeature, Role, Title, Value};
use geo::point;

/// Days of the layer `events`; one feature has none.
const DAYS: [Option<&str>; 4] = [Some("2024-04-30"), Some("2024-05-01"), Some("2025-12-01"), None];

/// A layer of points with the text field `ma`, which is the key, and these fields of time.
fn events(times: &[(&str, FieldType)]) -> (Layer, Vec<NewFeature>) {
    let mut layer =
        Layer::new("events".parse().unwrap(), Title::same("Events"), Role::Report, GeometryKind::Point);
    layer.fields = vec![Field::new("ma", FieldType::Text)];
    layer.fields.extend(times.iter().map(|(name, field_type)| Field::new(*name, *field_type)));
    layer.key = Some("ma".into());
    let feature = |(index, day): (usize, &Option<&str>)| {
        let mut values = vec![Value::Text(format!("e{index}"))];
        values.extend(
            times.iter().map(|(_, field_type)| Value::parse(day.unwrap_or(""), *field_type).unwrap()),
        );
        NewFeature { geometry: Some(point!(x: 106.69, y: 10.77).into()), values }
    };
    (layer, DAYS.iter().enumerate().map(feature).collect())
}

fn start(layer: Layer, features: Vec<NewFeature>) -> Server {
    let store = crate::common::store();
    store.put(layer, features);
    Server::with(store, crate::common::writers)
}

/// The ids of a page, each followed by a space.
fn ids(server: &Server, query: &str) -> String {
    let page = server.json(&format!("/api/collections/events/items?{query}"));
    page["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| format!("{} ", own["id"].as_str().unwrap()))
        .collect()
}

#[test]
fn datetime_selects_by_the_only_date_of_a_layer_without_valid_time() {
    for field_type in [FieldType::Date, FieldType::DateTime] {
        let (layer, features) = events(&[("ngay", field_type)]);
        let server = start(layer, features);
        for (datetime, expected) in [
            ("2024-05-01", "e1 "),
            ("2024-05-01T/..", "e1 e2 "),
            ("2024-05-01T00:00:00Z/..", "e1 e2 "),
            ("2024-05-01T00:00:00/..", "e1 e2 "),
            ("../2024-05-01T00:00:00", "e0 e1 "),
            ("../2024-05-01T", "e0 e1 "),
            ("2024-05-02/2025-11-30", ""),
        ] {
            assert_eq!(ids(&server, &format!("datetime={datetime}")), expected, "{field_type:?} {datetime}");
        }
        let schema = server.json("/api/collections/events/schema");
        assert_eq!(schema["properties"]["ngay"]["x-ogc-role"], "primary-instant");
        assert_eq!(server.json("/api/collections/events")["citymap"]["temporal"], "ngay");
        // Other questions are about what is valid then, and a report is valid for ever.
        let at = server.json("/api/at?lon=106.69&lat=10.77&datetime=2024-05-01&layers=events");
        assert!(at.to_string().contains("e0"), "{at}");
    }
}

#[test]
fn one_of_several_dates_is_declared_to_be_the_one_that_datetime_means() {
    let times = [("ngay", FieldType::Date), ("cap_nhat", FieldType::DateTime)];
    let (mut layer, features) = events(&times);
    let server = start(layer.clone(), features.clone());
    assert_eq!(ids(&server, "datetime=2024-05-01"), "e0 e1 e2 e3 ", "which one is not known");
    assert_eq!(server.json("/api/collections/events")["citymap"]["temporal"], serde_json::Value::Null);
    layer.set_meaning(2, Some(Meaning::Instant));
    let server = start(layer, features);
    assert_eq!(ids(&server, "datetime=2024-05-01"), "e1 ");
    let schema = server.json("/api/collections/events/schema");
    assert_eq!(schema["properties"]["cap_nhat"]["x-ogc-role"], "primary-instant");
}

/// Keys that are no plain step of an address, or look like the id of another feature.
const KEYS: [&str; 12] =
    ["dup", "dup", "dup~2", "", ".", "..", "12/34", "a/history", "~", "Bến Thành", "a%2Fb", "history"];

fn keyed() -> (Layer, Vec<NewFeature>) {
    let (layer, _) = events(&[("ghi_chu", FieldType::Text)]);
    let feature = |(index, key): (usize, &&str)| {
        let note = [Value::Null, Value::Text(String::new()), Value::Text("Đường".into())][index % 3].clone();
        NewFeature {
            geometry: Some(point!(x: 106.69, y: 10.77).into()),
            values: vec![Value::Text((*key).into()), note],
        }
    };
    (layer, KEYS.iter().enumerate().map(feature).collect())
}

/// As nginx passes an address on after it has decoded it: only what must be is escaped.
fn decoded(id: &str) -> String {
    id.replace('%', "%25").replace("Bến Thành", "B%E1%BA%BFn%20Th%C3%A0nh")
}

#[test]
fn every_id_is_unique_and_its_feature_is_reachable() {
    let (layer, features) = keyed();
    let server = start(layer, features);
    let page = server.json("/api/collections/events/items?limit=100");
    let features = page["features"].as_array().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for feature in features {
        let id = feature["id"].as_str().unwrap();
        assert!(seen.insert(id.to_owned()), "{id} is there twice");
        let escaped: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for written in [escaped, decoded(id)] {
            for items in ["items", "bulk-items"] {
                let path = format!("/api/collections/events/{items}/{written}");
                let got = server.json(&path);
                assert_eq!(
                    (&got["id"], &got["properties"]),
                    (&feature["id"], &feature["properties"]),
                    "{path}"
                );
            }
            let path = format!("/api/collections/events/items/{written}");
            let writer = [("authorization", crate::common::BEARER), ("if-match", "*")];
            assert!(server.ask("OPTIONS", &path, &writer, None).header("allow").contains("PATCH"), "{path}");
            let history = server.ask("OPTIONS", &format!("{path}/history"), &[], None);
            assert_eq!(history.header("allow"), "GET, HEAD, OPTIONS", "{path}");
        }
    }
    assert_eq!(seen.len(), KEYS.len());
    let edit = serde_json::json!({"properties": {"ghi_chu": "x"}});
    let changed = server.write("PATCH", "/api/collections/events/items/12/34", Some("*"), Some(&edit));
    assert_eq!((changed.status, &changed.json()["id"]), (200, &"12/34".into()));
}

#[test]
fn an_empty_filter_finds_features_without_a_value_or_with_an_empty_text() {
    let (layer, features) = keyed();
    let server = start(layer, features);
    let found = |query: &str| {
        server.json(&format!("/api/collections/events/items?limit=100&{query}"))["numberReturned"].as_u64()
    };
    assert_eq!((found("ghi_chu="), found("ghi_chu=%C4%90%C6%B0%E1%BB%9Dng")), (Some(8), Some(4)));
    assert_eq!(ids(&server, "ma="), "~4 ");
}

#[test]
fn texts_of_another_unicode_form_are_the_same_texts() {
    let (layer, features) = keyed();
    let server = start(layer, features);
    // `Bến Thành` in NFD, as macOS writes it.
    let nfd = "Be%CC%82%CC%81n%20Tha%CC%80nh";
    assert_eq!(ids(&server, &format!("ma={nfd}")), "Bến Thành ");
    let path = format!("/api/collections/events/items/{nfd}");
    assert_eq!(server.json(&path)["id"], "Bến Thành");
    let id = "Be\u{302}\u{301}n Tha\u{300}nh";
    let edit = serde_json::json!({"id": id, "properties": {"ghi_chu": "\u{110}o\u{302}"}});
    let changed = server.write("PATCH", &path, Some("*"), Some(&edit));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(server.json(&path)["properties"]["ghi_chu"], "Đô");
}
