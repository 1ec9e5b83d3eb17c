//! The rows that GDAL, QGIS and OWSLib ask for are the rows that they get.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod common;

use citymap_model::{Field, FieldType, GeometryKind, Layer, Meaning, NewFeature, Role, Title, Value};
use common::Server;
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
    let store = common::store();
    store.put(layer, features);
    Server::with(store, common::writers)
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
