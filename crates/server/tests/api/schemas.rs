//! What the schemas of a layer say of its fields is true of its features, and what they list can be asked.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::Server;
use citymap_model::{
    Domain, Field, FieldType, GeometryKind, Layer, NewFeature, Role, Title, Value as Own, ValueRange,
    codes::Code,
};
use geo::point;
use serde_json::{Value, json};

/// A layer with every kind of domain, and fields named like members and parameters.
fn things(outside: bool) -> (Layer, Vec<NewFeature>) {
    let mut layer =
        Layer::new("things".parse().unwrap(), Title::same("Things"), Role::Other, GeometryKind::Point);
    let codes = [Code::new("1", Title::new("Đất ở", "Housing")), Code::new("2", Title::default())];
    let range = ValueRange { min: Some(0.0), max: Some(10.0), max_excluded: true, ..ValueRange::default() };
    layer.fields = vec![
        Field::new("id", FieldType::Text),
        Field::new("geometry", FieldType::Text),
        Field::new("limit", FieldType::Int),
        Field::new("loai", FieldType::Int).within(Domain::Codes(codes.into())),
        Field::new("cao", FieldType::Real).unit("m²").within(Domain::Range(range)),
        Field::new("so", FieldType::Text).within(Domain::Glob("[0-9]*".into())),
        Field::new("lon", FieldType::Int).unit("tầng"),
        Field::new("tu", FieldType::Date),
        Field::new("den", FieldType::Date),
    ];
    layer.valid_from = Some("tu".into());
    layer.valid_to = Some("den".into());
    let text = |text: &str| Own::Text(text.into());
    let day = |day: &str| Own::parse(day, FieldType::Date).unwrap();
    let full = vec![
        text("own"),
        text("POINT (1 1)"),
        Own::Int(3),
        Own::Int(1),
        Own::Real(2.5),
        text("12a"),
        Own::Int(i64::MAX),
        day("2020-01-01"),
        day("2999-01-01"),
    ];
    let mut rows = vec![full.clone(), vec![Own::Null; full.len()]];
    if outside {
        let mut other = full;
        (other[3], other[4], other[5]) = (Own::Int(9), Own::Real(10.0), text("x"));
        rows.push(other);
    }
    let place = point!(x: 106.69, y: 10.77);
    let feature = |values| NewFeature { geometry: Some(place.into()), values };
    (layer, rows.into_iter().map(feature).collect())
}

fn start(outside: bool) -> Server {
    let store = crate::common::store();
    let (layer, features) = things(outside);
    store.put(layer, features);
    Server::with(store, crate::common::writers)
}

/// Whether a value is valid by the keywords of JSON Schema that the server uses.
fn is_valid(schema: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let typed = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => panic!("no type: {schema}"),
    };
    let listed = schema.get("enum").is_none_or(|list| list.as_array().unwrap().contains(value));
    let one = schema.get("oneOf").is_none_or(|list| {
        list.as_array().unwrap().iter().filter(|one| one.get("const") == Some(value)).count() == 1
    });
    let within = value.as_f64().is_none_or(|number| {
        schema["minimum"].as_f64().is_none_or(|min| number >= min)
            && schema["exclusiveMaximum"].as_f64().is_none_or(|max| number < max)
    });
    typed && listed && one && within
}

#[test]
fn every_feature_is_valid_by_the_schema_of_features() {
    for outside in [false, true] {
        let server = start(outside);
        for layer in ["things", "parcels", "wells"] {
            let schema = server.json(&format!("/api/collections/{layer}/feature-schema"));
            let fields = &schema["properties"]["properties"]["properties"];
            let page = server.json(&format!("/api/collections/{layer}/items?limit=10000"));
            for feature in page["features"].as_array().unwrap() {
                for (name, value) in feature["properties"].as_object().unwrap() {
                    assert!(is_valid(&fields[name], value), "{layer}.{name}: {value} {}", fields[name]);
                }
            }
        }
    }
}

#[test]
fn domains_and_units_are_in_the_schema() {
    let schema = start(false).json("/api/collections/things/schema?lang=en");
    let fields = &schema["properties"];
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(fields["loai"]["enum"], json!([1, 2]));
    assert_eq!(fields["loai"]["oneOf"], json!([{"const": 1, "title": "Housing"}, {"const": 2}]));
    assert_eq!((&fields["cao"]["minimum"], &fields["cao"]["exclusiveMaximum"]), (&json!(0.0), &json!(10.0)));
    let cao = &fields["cao"];
    assert_eq!((&cao["x-ogc-unit"], &cao["x-citymap-unit"]), (&json!("m2"), &json!("m²")));
    assert_eq!(fields["so"]["pattern"], r"^[0-9][\s\S]*$");
    assert_eq!(fields["lon"]["type"], "integer", "also beyond 53 bits");
    assert_eq!(fields["lon"]["x-ogc-unit"], "{tầng}");
    assert_eq!(fields["tu"]["x-ogc-role"], "primary-interval-start");
    assert_eq!(fields["den"]["x-ogc-role"], "primary-interval-end");
    // Values that an import took although they are outside: the schema must not deny them.
    let schema = start(true).json("/api/collections/things/schema?lang=en");
    let fields = &schema["properties"];
    for (name, keyword) in [("loai", "enum"), ("loai", "oneOf"), ("cao", "minimum"), ("so", "pattern")] {
        assert_eq!(fields[name].get(keyword), None, "{name} {keyword}");
    }
    assert_eq!(fields["loai"]["x-citymap-codes"]["1"], "Housing");
    let own = start(true).json("/api/collections/things");
    let loai = &own["citymap"]["fields"][3]["codeList"];
    assert_eq!((&loai["id"], &loai["entries"][0]["vi"]), (&Value::Null, &json!("Đất ở")));
    assert_eq!(own["citymap"]["fields"][4]["range"]["max"], 10.0);
}

#[test]
fn fields_with_the_names_of_members_and_parameters_are_neither_lost_nor_promised() {
    let server = start(false);
    let schema = server.json("/api/collections/things/schema");
    let fields = &schema["properties"];
    assert_eq!(fields["geometry"]["type"], "string", "the field, not the geometry");
    assert_eq!(fields["geometry_2"]["x-ogc-role"], "primary-geometry");
    assert_eq!(fields["id"]["type"], "string");
    let queryables = server.json("/api/collections/things/queryables");
    assert_eq!(fields["limit"]["type"], "integer");
    assert_eq!(queryables["properties"].get("limit"), None, "a parameter of that name");
    for (name, definition) in queryables["properties"].as_object().unwrap() {
        if definition.get("x-ogc-role") != Some(&json!("primary-geometry")) {
            let value = match name.as_str() {
                "id" => "own",
                "geometry" => "POINT%20(1%201)",
                "loai" => "1",
                "cao" => "2.5",
                "so" => "12a",
                "lon" => "9223372036854775807",
                "tu" => "2020-01-01",
                "den" => "2999-01-01",
                other => panic!("{other}"),
            };
            let page = server.json(&format!("/api/collections/things/items?{name}={value}"));
            assert_eq!(page["features"].as_array().unwrap().len(), 1, "{name}");
        }
    }
    let features = server.json("/api/collections/things/items");
    assert_eq!(features["features"][0]["properties"]["geometry"], "POINT (1 1)");
    assert_eq!(features["features"][0]["geometry"]["type"], "Point");
}

#[test]
fn pages_show_the_text_of_a_code_with_the_code() {
    let server = start(false);
    for (lang, text) in [("vi", "Đất ở"), ("en", "Housing")] {
        let page = server.get(&format!("/api/collections/things/items?f=html&lang={lang}")).text();
        assert!(page.contains(&format!("1 <span class=\"soft\">{text}</span>")), "{page}");
        let page = server.get(&format!("/api/collections/things?f=html&lang={lang}")).text();
        assert!(page.contains(text) && page.contains("0..&lt;10") && page.contains("[0-9]*"), "{page}");
    }
}
