//! The spatial questions, over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::{COLUMNS, PARCELS, SIDE, Server, middle};
use serde_json::{Value, json};

fn layer<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["layers"].as_array().unwrap().iter().find(|own| own["layer"] == id).unwrap()
}

#[test]
fn at_a_position_every_layer_answers() {
    let server = Server::start();
    let [x, y] = middle(0);
    let answer = server.json(&format!("/api/at?lon={x}&lat={y}"));
    assert_eq!(answer["point"], json!({"lon": x, "lat": y}));
    assert_eq!(answer["vn2000"]["crs"], "EPSG:9210");
    assert_eq!(answer["revision"], 4);
    let order: Vec<&str> =
        answer["layers"].as_array().unwrap().iter().map(|own| own["layer"].as_str().unwrap()).collect();
    assert_eq!(order, ["parcels", "roads", "wells", "so_lieu"], "empty ones too");
    let parcel = &layer(&answer, "parcels")["features"][0];
    assert_eq!(
        (&parcel["id"], &parcel["label"], &parcel["distance"]),
        (&json!("26740-1-0"), &json!("0"), &json!(0.0))
    );
    assert_eq!(
        (&parcel["area"]["unit"], &parcel["area"]["method"], &parcel["area"]["crs"]),
        (&json!("m²"), &json!("grid"), &json!("EPSG:9210"))
    );
    let area = parcel["area"]["value"].as_f64().unwrap();
    assert!((480.0..490.0).contains(&area), "{area}");
    let wells = layer(&answer, "wells")["features"].as_array().unwrap();
    assert_eq!(wells.len(), 2, "one here, one a metre away");
    assert!(wells[0]["distance"] == 0.0 && wells[1]["distance"].as_f64().unwrap() > 1.0);
    assert!(layer(&answer, "roads")["features"][0]["length"]["value"].as_f64().unwrap() > 2_000.0);
    assert_eq!(layer(&answer, "so_lieu")["features"], json!([]));
}

#[test]
fn tolerance_widens_points_and_lines_but_not_polygons() {
    let server = Server::start();
    let [x, y] = middle(0);
    let beside = format!("lon={}&lat={}", x - SIDE, y + 0.000_02);
    let near = server.json(&format!("/api/at?{beside}&tolerance=500&layers=parcels,wells,roads"));
    assert_eq!(layer(&near, "parcels")["features"], json!([]), "the parcel begins some metres to the east");
    assert!(layer(&near, "wells")["features"].as_array().unwrap().len() >= 2);
    let strict = server.json(&format!("/api/at?{beside}&tolerance=1"));
    assert_eq!(layer(&strict, "roads")["features"], json!([]));
    let one = server.json(&format!("/api/at?{beside}&tolerance=500&limit=1&layers=wells"));
    assert_eq!(
        (one["layers"].as_array().unwrap().len(), &layer(&one, "wells")["truncated"]),
        (1, &json!(true))
    );
    assert_eq!(server.problem(&format!("/api/at?{beside}&tolerance=501")).0, 400);
}

#[test]
fn a_position_may_come_in_any_known_system() {
    let server = Server::start();
    let [x, y] = middle(40);
    let moved = server.json(&format!("/api/transform?lon={x}&lat={y}&to=EPSG:9210,3405,CRS84"));
    let results = moved["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!((&results[0]["name"], &results[2]["x"]), (&json!("VN-2000 / TM-3 105-45"), &json!(x)));
    let (east, north) = (&results[0]["x"], &results[0]["y"]);
    let answer = server.json(&format!("/api/at?x={east}&y={north}&crs=9210"));
    assert_eq!(layer(&answer, "parcels")["features"][0]["id"], "26740-1-40");
    for (query, word) in [
        ("", "position is missing"),
        ("lon=106", "give either"),
        ("lon=106&lat=91", "from -90 to 90"),
        ("x=1&y=2&crs=nowhere", "is not a known coordinate system"),
        ("lon=106&lat=10&layers=parcels,nix", "nearest names"),
        ("lon=106&lat=10&limt=3", "not known here"),
    ] {
        let (status, detail) = server.problem(&format!("/api/at?{query}"));
        assert!(status == 400 && detail.contains(word), "{query}: {detail}");
    }
}

#[test]
fn near_gives_the_nearest_of_all_layers_first() {
    let server = Server::start();
    let [x, y] = middle(COLUMNS * 10);
    let answer = server.json(&format!("/api/near?lon={x}&lat={y}&distance=100&limit=9&layers=parcels,wells"));
    let features = answer["features"].as_array().unwrap();
    assert_eq!((&answer["type"], features.len()), (&json!("FeatureCollection"), 9));
    let distances: Vec<f64> = features.iter().map(|own| own["distance"].as_f64().unwrap()).collect();
    assert!(distances.is_sorted() && distances[0] == 0.0 && distances[8] <= 100.0);
    assert!(features.iter().all(|own| own["layer"] == "parcels" && own["label"].is_string()));
    for (query, word) in
        [("distance=5001", "from 0 to 5000"), ("distance=-1", "from 0"), ("limit=0", "from 1 to 1000")]
    {
        let (status, detail) = server.problem(&format!("/api/near?lon={x}&lat={y}&{query}"));
        assert!(status == 400 && detail.contains(word), "{detail}");
    }
}

#[test]
fn within_counts_and_measures_what_lies_inside() {
    let server = Server::start();
    let [x, y] = crate::common::CORNER;
    // Two columns and a half, two rows.
    let (east, north) = (x + 2.5 * SIDE, y + 2.0 * SIDE);
    let (west, south) = (x - SIDE, y - SIDE);
    let asked = format!("/api/within?bbox={west},{south},{east},{north}&layers=parcels");
    let answer = server.json(&asked);
    let parcels = layer(&answer, "parcels");
    // The third row touches the box with its edge, or misses it by a rounding.
    let count = parcels["count"].as_u64().unwrap();
    assert!(count == 6 || count == 9, "{count}");
    assert_eq!(parcels["whole"], 4);
    let one = server.json(&format!("/api/at?lon={}&lat={}", middle(0)[0], middle(0)[1]));
    let own = layer(&one, "parcels")["features"][0]["area"]["value"].as_f64().unwrap();
    let inside = parcels["area"]["value"].as_f64().unwrap();
    assert!((inside / own - 5.0).abs() < 1e-3, "five parcels' worth: {inside} {own}");
    assert!(parcels.get("features").is_none());

    let ring = json!([[west, south], [east, south], [east, north], [west, north], [west, south]]);
    let polygon = json!({"type": "Polygon", "coordinates": [ring]});
    for body in [
        polygon.clone(),
        json!({"geometry": polygon}),
        json!({"type": "Feature", "properties": {}, "geometry": polygon}),
    ] {
        let posted =
            server.post("/api/within?layers=parcels", "application/json", body.to_string().as_bytes());
        assert_eq!(posted.status, 200, "{}", posted.text());
        assert_eq!(posted.json()["layers"], answer["layers"]);
    }
    let listed = server.json(&format!("{asked}&features=true&limit=2"));
    assert_eq!(layer(&listed, "parcels")["features"].as_array().unwrap().len(), 2);
    assert_eq!(layer(&listed, "parcels")["truncated"], true);
}

#[test]
fn an_area_may_come_in_metres() {
    let server = Server::start();
    let [x, y] = middle(60);
    let at = &server.json(&format!("/api/transform?lon={x}&lat={y}&to=9210"))["results"][0];
    let (east, north) = (at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap());
    let asked = format!(
        "/api/within?bbox={},{},{},{}&crs=EPSG:9210",
        east - 1.0,
        north - 1.0,
        east + 1.0,
        north + 1.0
    );
    let answer = server.json(&asked);
    assert!((answer["area"]["value"].as_f64().unwrap() - 4.0).abs() < 1e-3);
    assert_eq!(
        (&layer(&answer, "parcels")["count"], &layer(&answer, "parcels")["whole"]),
        (&json!(1), &json!(0))
    );
    let ring = json!([[east, north], [east + 1.0, north], [east + 1.0, north + 1.0], [east, north]]);
    let body = json!({"type": "Polygon", "coordinates": [ring]}).to_string();
    let posted = server.post("/api/within?crs=9210", "application/geo+json", body.as_bytes()).json();
    assert!((posted["area"]["value"].as_f64().unwrap() - 0.5).abs() < 1e-3);
}

#[test]
fn an_area_that_is_none_is_refused_with_its_place() {
    let server = Server::with(crate::common::store(), |config| {
        config.limits.within_vertices_max = 50;
        config.limits.body_bytes_max = 20_000;
    });
    let many: Vec<[f64; 2]> = (0..60)
        .map(|step| f64::from(step) / 60.0 * std::f64::consts::TAU)
        .map(|a| [a.cos(), a.sin()])
        .collect();
    let closed: Vec<[f64; 2]> = many.iter().copied().chain([many[0]]).collect();
    for (body, word) in [
        (String::new(), "empty"),
        ("{\"type\":\"Polygon\",\n\"coordinates\":[[[1,2],]]}".into(), "line 2"),
        ("[]".into(), "must be a Polygon"),
        (json!({"type": "Point", "coordinates": [1, 2]}).to_string(), "not Point"),
        (json!({"geometry": null}).to_string(), "must be a Polygon"),
        (json!({"type": "Polygon", "coordinates": [[["a", 2]]]}).to_string(), "not GeoJSON"),
        (json!({"type": "Polygon", "coordinates": []}).to_string(), ""),
        (
            json!({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}).to_string(),
            "crossings",
        ),
        (json!({"type": "Polygon", "coordinates": [[[0, 0], [181, 1], [1, 0], [0, 0]]]}).to_string(), ""),
        (json!({"type": "Polygon", "coordinates": [closed]}).to_string(), "50 are allowed"),
    ] {
        let (status, detail) = server.post("/api/within", "application/json", body.as_bytes()).problem();
        assert!(status == 400 && detail.contains(word), "{body}: {status} {detail}");
    }
    assert_eq!(server.post("/api/within", "text/csv", b"a,b").problem().0, 415);
    assert_eq!(server.post("/api/within", "application/json", &vec![b' '; 30_000]).problem().0, 413);
    assert_eq!(server.problem("/api/within").0, 400);
    assert_eq!(server.post("/api/within?bbox=1,2,3,4", "application/json", b"{}").problem().0, 400);
}

#[test]
fn search_finds_coordinates_and_says_its_question() {
    let server = Server::start();
    let answer = server.json("/api/search?q=10.7725,%20106.698");
    assert_eq!(answer["query"], "10.7725, 106.698");
    let hit = &answer["results"][0];
    assert_eq!(
        (&hit["kind"], &hit["layer"], &hit["id"]),
        (&json!("coordinates"), &Value::Null, &Value::Null)
    );
    assert!((hit["lon"].as_f64().unwrap() - 106.698).abs() < 1e-9);
    let found = server.json("/api/search?q=nguyen%20hue&lon=106.7&lat=10.77");
    assert_eq!(found["results"][0]["label"], "Nguyễn Huệ");
    assert_eq!(server.problem("/api/search").0, 400);
    assert_eq!(server.problem(&format!("/api/search?q={}", "a".repeat(201))).0, 400);
}

#[test]
fn answers_are_pages_too_in_both_languages() {
    let server = Server::start();
    let [x, y] = middle(0);
    let collections =
        ["/api", "/api/conformance", "/api/collections", "/api/collections/parcels", "/api/openapi.json"];
    let mut paths: Vec<String> = collections.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(
        ["schema", "queryables", "feature-schema", "gdal-schema", "items", "items/26740-1-3"]
            .map(|tail| format!("/api/collections/parcels/{tail}")),
    );
    paths.extend([
        format!("/api/at?lon={x}&lat={y}"),
        format!("/api/near?lon={x}&lat={y}"),
        "/api/within?bbox=106.6901,10.771,106.6903,10.7712".to_owned(),
        "/api/search?q=nguyen".to_owned(),
        format!("/api/transform?lon={x}&lat={y}"),
    ]);
    for path in paths {
        for (language, lang) in [("vi", "lang=\"vi\""), ("en", "lang=\"en\"")] {
            let got = server.get_with(&path, &[("accept", "text/html"), ("accept-language", language)]);
            assert_eq!(
                (got.status, got.header("content-type")),
                (200, "text/html; charset=utf-8"),
                "{path}: {}",
                got.text()
            );
            let page = got.text();
            assert!(page.starts_with("<!DOCTYPE html>") && page.contains(&format!("<html {lang}")), "{path}");
            assert!(!page.contains("<script"));
            assert!(got.header("content-security-policy").starts_with("default-src 'none'"));
        }
    }
    assert_eq!(PARCELS.to_string(), "1234");
    assert!(server.get("/api/collections?f=html").text().contains("1234"));
}
