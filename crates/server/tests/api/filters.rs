//! What `/items` selects, in which order and with which properties: CQL2 filters, functions, `explain`,
//! `sortby`.

use crate::{
    common::{PARCELS, Server, middle},
    features::walk,
};
use serde_json::{Value, json};

/// A text as a value of a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The addresses of items by their path, from the parcels' page that `query` asks for.
fn keys(server: &Server, query: &str) -> Vec<String> {
    let page = server.json(&format!("/api/collections/parcels/items?{query}"));
    let id = |feature: &Value| feature["id"].as_str().unwrap().to_owned();
    page["features"].as_array().unwrap().iter().map(id).collect()
}

#[test]
fn a_cql2_filter_selects_in_both_languages_and_in_other_systems() {
    let server = Server::start();
    let items = "/api/collections/parcels/items";
    let text = "\"loại đất\" = 'ODT' AND so_thua BETWEEN 10 AND 20";
    let found = keys(&server, &format!("filter={}", encoded(text)));
    assert_eq!(found, ["26740-1-12", "26740-1-15", "26740-1-18"]);
    let json = r#"{"op":"and","args":[{"op":"=","args":[{"property":"loại đất"},"ODT"]},
        {"op":"between","args":[{"property":"so_thua"},10,20]}]}"#;
    assert_eq!(keys(&server, &format!("filter-lang=cql2-json&filter={}", encoded(json))), found);
    // With the other parameters all conditions hold, and pages follow one another.
    let odt = encoded("ACCENTI(CASEI(\"loại đất\")) = 'odt'");
    let walked = walk(&server, &format!("{items}?filter={odt}&limit=50&tranh_chap=true"));
    let expected = (0..PARCELS).filter(|index| index % 3 == 0 && index % 7 != 0 && index % 2 == 0);
    assert_eq!(walked.len(), expected.count());
    // The same square in degrees, in degrees with latitude first, and on the city's grid.
    let [x, y] = middle(0);
    let reach = crate::common::SIDE / 4.0;
    let square = |lat_first: bool| {
        let [a, b] = if lat_first { [y, x] } else { [x, y] };
        let (w, s, e, n) = (a - reach, b - reach, a + reach, b + reach);
        (
            encoded(&format!("S_INTERSECTS(geometry,BBOX({w},{s},{e},{n}))")),
            encoded(&format!("S_WITHIN(POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s})),geometry)")),
        )
    };
    let first = ["26740-1-0"];
    let grid = "http://www.opengis.net/def/crs/EPSG/0/9210";
    let moved = &server.json(&format!("/api/transform?lon={x}&lat={y}&to=EPSG:9210"))["results"][0];
    let [gx, gy] = ["x", "y"].map(|axis| moved[axis].as_f64().unwrap());
    let on_grid =
        encoded(&format!("S_INTERSECTS(geometry,BBOX({},{},{},{}))", gx - 1.0, gy - 1.0, gx + 1.0, gy + 1.0));
    assert_eq!(keys(&server, &format!("filter={on_grid}&filter-crs={grid}")), first);
    for filter in [square(false).0, square(false).1] {
        assert_eq!(keys(&server, &format!("filter={filter}")), first);
    }
    for filter in [square(true).0, square(true).1] {
        let crs = "http://www.opengis.net/def/crs/EPSG/0/4326";
        assert_eq!(keys(&server, &format!("filter={filter}&filter-crs={crs}")), first);
    }
    let pages = server.get(&format!("{items}?f=html&filter={}", encoded(text)));
    assert!(pages.text().contains("26740-1-12") && !pages.text().contains("26740-1-13"));
    // Questions of one layer take the same filter.
    let near = format!("/api/near?lon={x}&lat={y}&distance=500&filter={}", encoded("so_thua = 2"));
    assert_eq!(server.problem(&near).0, 400);
    assert_eq!(server.json(&format!("{near}&layers=parcels"))["numberReturned"], 1);
    let within = format!("/api/within?of=parcels:26740-1-0&layers=parcels&filter={}", encoded("so_thua < 2"));
    assert_eq!(server.json(&within)["layers"][0]["count"], 2);
}

#[test]
fn a_filter_that_cannot_be_used_is_refused_with_what_can() {
    let server = Server::start();
    for (filter, part) in [
        ("so_thua >", "at character 10"),
        ("so_thua = 'x'", "a number with a text"),
        ("so_thu = 1", "the fields are: so_thua"),
        ("tim(so_thua) = 1", "/api/functions describes them"),
        // A personal field does not exist.
        ("\"chủ_sử_dụng\" = 'x'", "is not a field here"),
        ("S_INTERSECTS(geometry,BBOX(106,91,107,92))", "latitude"),
    ] {
        let (status, detail) =
            server.problem(&format!("/api/collections/parcels/items?filter={}", encoded(filter)));
        assert!(status == 400 && detail.contains(part), "{filter}: {detail}");
    }
    let json = "/api/collections/parcels/items?filter-lang=cql2-json&filter=";
    let (status, detail) = server.problem(&format!("{json}{}", encoded(r#"{"op":"=","args":[1]}"#)));
    assert!(status == 400 && detail.contains("`/args`"), "{detail}");
    let declared = server.get("/api/conformance").text();
    for class in
        ["features-3/1.0/conf/features-filter", "cql2/1.0/conf/cql2-text", "cql2/1.0/conf/arithmetic"]
    {
        assert!(declared.contains(class), "{class}");
    }
}

#[test]
fn every_function_that_is_listed_can_be_called() {
    let server = Server::start();
    let links = server.json("/api")["links"].clone();
    let mut links = links.as_array().unwrap().iter();
    let is_list = |link: &&Value| link["rel"] == "http://www.opengis.net/def/rel/ogc/1.0/functions";
    let href = links.find(is_list).unwrap()["href"].as_str().unwrap();
    assert!(href.ends_with("/api/functions"), "{href}");
    let listed = server.json("/api/functions?lang=en")["functions"].clone();
    let listed = listed.as_array().unwrap();
    assert!(listed.len() >= 11);
    for function in listed {
        let [name, described] = ["name", "description"].map(|member| function[member].as_str().unwrap());
        let argument = match function["arguments"][0]["type"][0].as_str().unwrap() {
            "string" => "so_nha",
            "number" => "so_thua",
            "datetime" => "ngay_cap",
            other => other,
        };
        let filter = encoded(&format!("{name}({argument}) IS NOT NULL"));
        assert!(!keys(&server, &format!("filter={filter}&limit=1")).is_empty(), "{name}");
        assert_eq!(function["descriptions"]["en"], described);
        assert_ne!(function["descriptions"]["vi"], described);
    }
    let page = server.get("/api/functions?f=html&lang=vi").text();
    assert!(page.contains("Hàm của bộ lọc") && page.contains("char_length"));
}

#[test]
fn explain_says_which_index_left_how_many_candidates() {
    let server = Server::start();
    let explain = |query: &str| {
        let got = server.get(&format!("/api/collections/parcels/items?explain=true&{query}"));
        assert_eq!((got.status, got.header("cache-control")), (200, "no-store"), "{query}");
        got.json()
    };
    let [x, y] = middle(0);
    let here = format!("S_INTERSECTS(geometry,POINT({x} {y})) AND so_thua >= 0");
    for (query, index, most) in [
        (format!("filter={}", encoded("ma_thua IN ('26740-1-3','26740-1-5') AND so_thua = 5")), "key", 2),
        (format!("filter={}", encoded(&here)), "space", 9),
        ("ids=26740-1-3".to_owned(), "ids", 1),
        (format!("filter={}", encoded("so_thua + 1 = 6")), "none", PARCELS),
    ] {
        let found = explain(&query);
        assert_eq!((&found["index"], &found["features"]), (&json!(index), &json!(PARCELS)), "{found}");
        let [candidates, tested, returned] = ["candidates", "tested", "numberReturned"]
            .map(|member| usize::try_from(found[member].as_u64().unwrap()).unwrap());
        assert!(candidates <= most && tested == candidates && returned == 1, "{found}");
        assert!(found["milliseconds"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(explain(&format!("filter={}", encoded("so_thua=1")))["filter"], "so_thua = 1");
    // The page is full before all are tested.
    let page = explain("limit=5");
    assert_eq!(
        (&page["tested"], &page["numberReturned"], &page["more"]),
        (&6.into(), &5.into(), &true.into())
    );
}

#[test]
fn a_page_has_the_features_the_order_and_the_properties_that_are_asked_for() {
    let server = Server::start();
    assert_eq!(keys(&server, "ids=26740-1-5,26740-1-3,nothing,26740-1-5"), ["26740-1-3", "26740-1-5"]);
    let page =
        server.json("/api/collections/parcels/items?limit=1&properties=so_thua,so_nha&skipGeometry=true");
    assert_eq!(page["features"][0]["properties"], json!({"so_thua": 0, "so_nha": "000"}));
    assert!(page["features"][0]["geometry"].is_null());
    let page = server.json("/api/collections/parcels/items?limit=1&exclude-properties=so_thua,so_nha");
    let properties = page["features"][0]["properties"].as_object().unwrap();
    assert!(properties.contains_key("dien_tich") && !properties.contains_key("so_nha"));
    for wrong in
        ["properties=x", "exclude-properties=x", "sortby=x", "properties=so_nha&exclude-properties=so_nha"]
    {
        let (status, detail) = server.problem(&format!("/api/collections/parcels/items?{wrong}"));
        assert!(status == 400 && detail.contains("properties") || detail.contains("sortby"), "{detail}");
    }
    // Pages in an order hold every feature once: missing values last, ties by number.
    let sorted = walk(&server, "/api/collections/parcels/items?sortby=-tranh_chap,so_nha&limit=100");
    let position = |feature: &Value| {
        let own = &feature["properties"];
        let truth = own["tranh_chap"].as_bool();
        (
            truth.is_none(),
            truth.map(|truth| !truth),
            own["so_nha"].as_str().unwrap().to_owned(),
            own["so_thua"].as_i64(),
        )
    };
    assert_eq!(sorted.len(), PARCELS);
    assert!(sorted.is_sorted_by_key(position));
    let top = keys(&server, "sortby=-dien_tich&limit=2");
    assert_eq!(top, [format!("26740-1-{}", PARCELS - 1), format!("26740-1-{}", PARCELS - 2)]);
    let (status, detail) = server.problem("/api/collections/parcels/items?sortby=so_thua&sort-after=x");
    assert!(status == 400 && detail.contains("`next` link"), "{detail}");
}
