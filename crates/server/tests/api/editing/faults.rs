//! What cannot be stored is told, fault by fault, and nothing is written.

use serde_json::{Value, json};

use crate::common::{BEARER, Server};

const PARCELS: &str = "/api/collections/parcels/items";

fn feature(geometry: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": geometry, "properties": properties})
}

#[test]
fn every_fault_is_listed_by_its_place_in_the_body() {
    let server = Server::writing();
    let bow = json!({"type": "Polygon",
        "coordinates": [[[106, 10], [106.2, 10.2], [106.2, 10], [106, 10.2], [106, 10]]]});
    let given =
        json!({"so_thua": "7", "loại đất": 3, "ngay_cap": "1.7.2026", "tranh_chap": "yes", "so nha": "x"});
    let got = server.write("POST", PARCELS, None, Some(&feature(bow, given)));
    assert_eq!(got.status, 422, "{}", got.text());
    let problem = got.json();
    let mut pointers: Vec<&str> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/geometry",
            "/properties/loại đất",
            "/properties/ngay_cap",
            "/properties/so nha",
            "/properties/so_thua",
            "/properties/tranh_chap",
        ]
    );
    let knot =
        problem["faults"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "/geometry").unwrap();
    let place = [0, 1].map(|axis| knot["place"][axis].as_f64().unwrap());
    assert!((place[0] - 106.1).abs() < 1e-9 && (place[1] - 10.1).abs() < 1e-9, "{knot}");
    assert!(problem["faults"].to_string().contains("so_nha"), "the nearest names are told: {problem}");
    assert_eq!(server.get(PARCELS).header("citymap-revision"), "4");
}

#[test]
fn geometry_must_be_of_the_layer_s_kind_and_codes_of_its_list() {
    let server = Server::writing();
    let point = json!({"type": "Point", "coordinates": [106.7, 10.8]});
    for (path, body, pointer) in [
        (PARCELS, feature(point.clone(), json!({})), "/geometry"),
        (PARCELS, feature(Value::Null, json!({"loại đất": "ODX"})), "/properties/loại đất"),
        ("/api/collections/so_lieu/items", feature(point, json!({"x": 1})), "/geometry"),
        ("/api/collections/so_lieu/items", feature(Value::Null, json!({"x": 1e300})), "/properties/x"),
        (PARCELS, feature(Value::Null, json!({"ghi_chu": "a\u{0}b"})), "/properties/ghi_chu"),
    ] {
        let got = server.write("POST", path, None, Some(&body));
        assert_eq!(
            (got.status, &got.json()["faults"][0]["pointer"]),
            (422, &json!(pointer)),
            "{}",
            got.text()
        );
    }
    let got = server.write("POST", PARCELS, None, Some(&feature(Value::Null, json!({"loại đất": "CLN"}))));
    assert_eq!(got.status, 201, "{}", got.text());
}

#[test]
fn bodies_that_are_none_are_refused_before_anything_else() {
    let server = Server::with(crate::common::store(), |config| {
        crate::common::writers(config);
        config.limits.body_bytes_max = 10_000;
    });
    let send = |method: &str, path: &str, kind: &str, body: &str| {
        let headers = [("authorization", BEARER), ("content-type", kind), ("if-match", "*")];
        server.ask(method, path, &headers, Some(body)).problem()
    };
    let one = "/api/collections/parcels/items/26740-1-1";
    assert_eq!(send("POST", PARCELS, "text/plain", "{}").0, 415);
    let (status, detail) = send("PATCH", one, "application/json", "{}");
    assert!(status == 415 && detail.contains("merge-patch"), "{detail}");
    assert_eq!(send("POST", PARCELS, "application/json", "").0, 400);
    assert_eq!(send("POST", PARCELS, "application/json", "{").0, 400);
    assert_eq!(send("POST", PARCELS, "application/json", &" ".repeat(20_000)).0, 413);
    assert_eq!(send("POST", "/api/collections/nothing/items", "application/json", "{}").0, 404);
    assert_eq!(
        send(
            "PUT",
            "/api/collections/parcels/items/nothing",
            "application/json",
            &feature(Value::Null, json!({})).to_string()
        )
        .0,
        412
    );
    assert_eq!(send("POST", "/api/collections/parcels/items?x=1", "application/json", "{}").0, 400);
    let other = feature(Value::Null, json!({}));
    let mut named = other.clone();
    named["id"] = json!("26740-1-2");
    let (status, detail) = send("PUT", one, "application/json", &named.to_string());
    assert!(status == 422 && detail.contains("/id"), "{detail}");
}

#[test]
fn a_store_that_is_away_is_503_and_the_city_can_still_be_read() {
    let server = Server::writing();
    server.store.set_broken(true);
    let got = server.write("POST", PARCELS, None, Some(&feature(Value::Null, json!({}))));
    let (status, detail) = got.problem();
    assert!(status == 503 && detail.contains("nothing was written"), "{status} {detail}");
    assert!(!got.header("retry-after").is_empty());
    assert_eq!(server.get(PARCELS).status, 200);
    server.store.set_broken(false);
    let got = server.write("POST", PARCELS, None, Some(&feature(Value::Null, json!({}))));
    assert_eq!(got.status, 201, "{}", got.text());
}
