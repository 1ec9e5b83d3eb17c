//! OGC API – Features, over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::collections::HashSet;

use crate::common::{PARCELS, Server, TestStore, middle};
use citymap_model::{Field, FieldType, GeometryKind, Layer, NewFeature, Role, Title, Value as Cell};
use serde_json::{Value, json};

/// Follows `next` links to the end.
pub(crate) fn walk(server: &Server, first: &str) -> Vec<Value> {
    let mut features = Vec::new();
    let mut path = first.to_owned();
    for _ in 0..10_000 {
        let page = server.json(&path);
        let own = page["features"].as_array().unwrap();
        assert_eq!(page["numberReturned"], own.len());
        features.extend(own.iter().cloned());
        let next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next");
        let Some(next) = next else { return features };
        assert!(!own.is_empty());
        path = next["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap().to_owned();
    }
    panic!("the pages do not end");
}

#[test]
fn all_pages_hold_every_feature_exactly_once() {
    let server = Server::start();
    for limit in [1, 7, 100, 1_234, 20_000] {
        if limit == 1 {
            continue;
        }
        let features = walk(&server, &format!("/api/collections/parcels/items?limit={limit}"));
        let ids: HashSet<&str> = features.iter().map(|feature| feature["id"].as_str().unwrap()).collect();
        assert_eq!((features.len(), ids.len()), (PARCELS, PARCELS), "limit {limit}");
    }
    let some = walk(&server, "/api/collections/parcels/items?limit=50&lo%E1%BA%A1i%20%C4%91%E1%BA%A5t=ODT");
    assert_eq!(some.len(), PARCELS.div_ceil(3));
    assert!(some.iter().all(|feature| feature["properties"]["loại đất"] == "ODT"));
}

#[test]
fn a_client_that_sets_a_small_limit_by_itself_may_be_given_larger_pages() {
    let server = Server::with(crate::common::store(), |config| config.limits.items_limit_max = 400);
    let page = server.json("/api/collections/parcels/items?limit=10&at-least=10000");
    assert_eq!(page["numberReturned"], 400, "but no larger than the server makes them");
    assert_eq!(walk(&server, "/api/collections/parcels/items?limit=10&at-least=300").len(), PARCELS);
}

#[test]
fn a_page_names_its_revision_its_count_and_its_system() {
    let server = Server::start();
    let got = server.get("/api/collections/parcels/items");
    assert_eq!(got.header("content-type"), "application/geo+json");
    assert_eq!(got.header("citymap-revision"), "4");
    assert_eq!(got.header("content-crs"), "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>");
    assert!(got.header("link").contains("rel=\"next\""));
    let page = got.json();
    assert_eq!((&page["numberMatched"], &page["numberReturned"]), (&json!(PARCELS), &json!(10)));
    assert!(page["timeStamp"].is_string());
    let filtered = server.json("/api/collections/parcels/items?so_thua=5");
    assert!(filtered.get("numberMatched").is_none(), "nobody asked for a count");
    assert_eq!(filtered["numberReturned"], 1);
}

#[test]
fn values_of_every_type_come_as_stored() {
    let server = Server::start();
    let feature = server.json("/api/collections/parcels/items/26740-1-1202");
    assert_eq!(
        feature["properties"],
        json!({
            "ma_thua": "26740-1-1202", "so_thua": 1202, "loại đất": "CLN", "dien_tich": 550.25,
                "so_nha": "032",
            "ngay_cap": "2022-07-01", "cap_nhat": "2022-07-01T00:20:03.250Z", "tranh_chap": true,
                "ma_lon": 9_000_001_202_i64,
            "ghi_chu": "ghi chú \"1202\" \\ đ",
        })
    );
    let [x, y] = middle(1202);
    let first = feature["geometry"]["coordinates"][0][0].clone();
    assert_eq!(first, json!([x - crate::common::SIDE / 2.0, y - crate::common::SIDE / 2.0]), "bit for bit");
}

#[test]
fn repeated_and_missing_keys_are_told_apart() {
    let server = Server::start();
    for (id, number) in [("26740-1-7", 7), ("26740-1-7~9", 8), ("~10", 9)] {
        let feature = server.json(&format!("/api/collections/parcels/items/{id}"));
        assert_eq!((&feature["id"], &feature["properties"]["so_thua"]), (&json!(id), &json!(number)));
    }
    assert_eq!(server.json("/api/collections/wells/items/6")["id"], 6);
    assert_eq!(server.json("/api/collections/wells/items/6")["geometry"], Value::Null);
    for id in ["26740-1-99999", "26740-1-7~8", "~9", "x%2Fy"] {
        assert_eq!(server.problem(&format!("/api/collections/parcels/items/{id}")).0, 404, "{id}");
    }
}

#[test]
fn a_box_finds_what_touches_it() {
    let server = Server::start();
    let [x, y] = middle(30);
    let small = format!("{},{},{},{}", x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6);
    let page = server.json(&format!("/api/collections/parcels/items?bbox={small}"));
    assert_eq!(page["features"][0]["properties"]["so_thua"], 30);
    assert_eq!(page["numberReturned"], 1);
    let turned = format!("{},{},{},{}", y - 1e-6, x - 1e-6, y + 1e-6, x + 1e-6);
    let crs = "http://www.opengis.net/def/crs/EPSG/0/4326";
    let page = server.json(&format!("/api/collections/parcels/items?bbox={turned}&bbox-crs={crs}"));
    assert_eq!(page["features"][0]["properties"]["so_thua"], 30);
    let grid = &server.json(&format!("/api/transform?lon={x}&lat={y}&to=9210"))["results"][0];
    let (east, north) = (grid["x"].as_f64().unwrap(), grid["y"].as_f64().unwrap());
    let metres = format!("{},{},{},{}", east - 0.5, north - 0.5, east + 0.5, north + 0.5);
    let page = server
        .json(&format!("/api/collections/parcels/items?bbox={metres}&bbox-crs=EPSG:9210&crs=EPSG:9210"));
    assert_eq!(
        (&page["features"][0]["properties"]["so_thua"], &page["numberReturned"]),
        (&json!(30), &json!(1))
    );
    let corner = page["features"][0]["geometry"]["coordinates"][0][0].as_array().unwrap();
    assert!(
        (corner[0].as_f64().unwrap() - east).abs() < 20.0
            && (corner[1].as_f64().unwrap() - north).abs() < 20.0
    );
}

#[test]
fn a_box_may_cross_the_antimeridian() {
    let server = Server::start();
    let page = server.json("/api/collections/wells/items?bbox=179,0,-179,1");
    let ids: Vec<i64> =
        page["features"].as_array().unwrap().iter().map(|own| own["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [4, 5, 6], "the last has no geometry");
}

#[test]
fn a_box_finds_what_has_no_geometry_too() {
    let server = Server::start();
    // The whole of a table, whatever the box.
    let table = server.json("/api/collections/so_lieu/items?bbox=1,2,3,4");
    assert_eq!(table["numberReturned"], 1);
    // In pages by number, with the other parameters as ever.
    let far = "/api/collections/wells/items?bbox=1,2,3,4";
    assert_eq!(server.json(far)["features"][0]["id"], 6);
    let first = server.json("/api/collections/wells/items?bbox=179,0,180,1&limit=1");
    assert_eq!(first["features"][0]["id"], 5);
    let links = first["links"].as_array().unwrap();
    let next = links.iter().find(|link| link["rel"] == "next").unwrap()["href"].as_str().unwrap();
    let second = server.json(next.strip_prefix(&server.url("")).unwrap());
    assert_eq!((&second["features"][0]["id"], &second["numberReturned"]), (&json!(6), &json!(1)));
    assert_eq!(server.json(&format!("{far}&sau=1.5"))["numberReturned"], 0);
    // Questions about places are about places.
    let within = server.json("/api/within?bbox=179,0,180,1&layers=wells");
    assert_eq!(within["layers"][0]["count"], 1);
}

#[test]
fn numbers_of_features_are_given_on_request() {
    let server = Server::start();
    let fids = |path: &str| -> Vec<Value> {
        let page = server.json(path);
        page["features"].as_array().unwrap().iter().map(|own| own["fid"].clone()).collect()
    };
    assert_eq!(fids("/api/collections/parcels/items?limit=2&after=7&with-fid=true"), [json!(8), json!(9)]);
    assert_eq!(fids("/api/collections/parcels/items?limit=1"), [Value::Null]);
    let one = server.json("/api/collections/parcels/items/26740-1-7~9?with-fid=true");
    assert_eq!((&one["fid"], &one["id"]), (&json!(9), &json!("26740-1-7~9")));
}

#[test]
fn schemas_of_what_can_be_written_are_the_same_fields() {
    let server = Server::start();
    let shown = server.json("/api/collections/parcels/schema");
    assert_eq!(shown["additionalProperties"], false);
    for kind in ["create", "replace", "update"] {
        let schema = server.json(&format!("/api/collections/parcels/schema?type={kind}"));
        assert_eq!(schema["properties"], shown["properties"], "{kind}");
        assert!(schema["$id"].as_str().unwrap().ends_with(&format!("?type={kind}")));
    }
    assert_eq!(server.problem("/api/collections/parcels/schema?type=nix").0, 400);
}

#[test]
fn coordinates_come_in_the_axis_order_of_the_authority() {
    let server = Server::start();
    let [x, y] = middle(0);
    let at = |crs: &str| {
        let got = server.get(&format!("/api/collections/wells/items/1?crs={crs}"));
        let pair = got.json()["geometry"]["coordinates"].clone();
        (got.header("content-crs").to_owned(), pair[0].as_f64().unwrap(), pair[1].as_f64().unwrap())
    };
    assert_eq!(
        at("http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84>".into(), x, y)
    );
    assert_eq!(
        at("http://www.opengis.net/def/crs/EPSG/0/4326"),
        ("<http://www.opengis.net/def/crs/EPSG/0/4326>".into(), y, x)
    );
    let (_, east, north) = at("http://www.opengis.net/def/crs/EPSG/0/9210");
    assert!((602_000.0..604_000.0).contains(&east) && (1_190_000.0..1_192_000.0).contains(&north));
    assert_eq!(server.problem("/api/collections/wells/items?crs=EPSG:27700").0, 400);
}

#[test]
fn time_selects_what_was_valid() {
    let server = Server::start();
    let count = |datetime: &str| {
        walk(&server, &format!("/api/collections/parcels/items?limit=10000&datetime={datetime}")).len()
    };
    // A null beginning is an open one; every tenth has it.
    let open = (0..PARCELS).filter(|index| index % 10 == 3).count();
    let since =
        |year: usize| (0..PARCELS).filter(|index| index % 10 == 3 || 2020 + index % 6 <= year).count();
    assert_eq!(count("2019-01-01"), open);
    assert_eq!(count("2022-07-01T00:00:00Z"), since(2022));
    assert_eq!(count("2022-06-30T23:59:59Z"), since(2021));
    assert_eq!(count("../2023-07-01"), since(2023));
    assert_eq!(count("2026-01-01/.."), PARCELS);
    for bad in ["x", "2025-13-01", "../..", "2026-01-01/2025-01-01"] {
        assert_eq!(server.problem(&format!("/api/collections/parcels/items?datetime={bad}")).0, 400, "{bad}");
    }
}

#[test]
fn filters_are_typed_and_refusals_say_the_type() {
    let server = Server::start();
    for (filter, count) in [
        ("so_thua=12", 1),
        ("so_nha=007", PARCELS.div_ceil(90)),
        ("so_nha=7", 0),
        ("dien_tich=400.125", 1),
        ("tranh_chap=true&so_thua=2", 1),
        (
            "ngay_cap=2021-07-01&limit=10000",
            (0..PARCELS).filter(|index| index % 6 == 1 && index % 10 != 3).count(),
        ),
        ("cap_nhat=2020-07-01T00:00:01.250Z", 1),
        ("ma_thua=26740-1-7", 2),
        ("ngay_cap=&limit=10000", (0..PARCELS).filter(|index| index % 10 == 3).count()),
    ] {
        let found = server.json(&format!("/api/collections/parcels/items?{filter}"))["numberReturned"]
            .as_u64()
            .unwrap();
        let page = if filter.contains("limit=") { 10_000 } else { 10 };
        assert_eq!(found as usize, count.min(page), "{filter}");
    }
    for (filter, word) in [
        ("so_thua=abc", "int"),
        ("dien_tich=x", "real"),
        ("ngay_cap=hôm qua", "date"),
        ("tranh_chap=maybe", "bool"),
    ] {
        let (status, detail) = server.problem(&format!(
            "/api/collections/parcels/items?{}",
            filter.replace(' ', "%20").replace('ô', "%C3%B4")
        ));
        assert!(status == 400 && detail.contains(word), "{filter}: {detail}");
    }
}

#[test]
fn personal_fields_are_nowhere() {
    let server = Server::start();
    for path in [
        "/api",
        "/api/collections",
        "/api/collections/parcels",
        "/api/collections/parcels?f=html",
        "/api/collections/parcels/schema",
        "/api/collections/parcels/queryables",
        "/api/collections/parcels/feature-schema",
        "/api/collections/parcels/gdal-schema",
        "/api/collections/parcels/items?limit=2000",
        "/api/collections/parcels/items?f=html",
        "/api/collections/parcels/items/26740-1-3",
        "/api/collections/parcels/items/26740-1-3?f=html",
        "/api/openapi.json",
        "/api/at?lon=106.6902&lat=10.7711",
        "/api/near?lon=106.6902&lat=10.7711",
        "/api/within?bbox=106.69,10.77,106.7,10.78&features=true",
        "/tiles/parcels.json",
    ] {
        let body = server.get(path);
        assert_eq!(body.status, 200, "{path}");
        assert!(!body.text().contains("chủ_sử_dụng") && !body.text().contains("Bí Mật"), "{path}");
    }
    let (status, detail) =
        server.problem("/api/collections/parcels/items?ch%E1%BB%A7_s%E1%BB%AD_d%E1%BB%A5ng=x");
    assert_eq!(status, 400);
    assert!(detail.contains("so_thua"), "{detail}");
}

#[test]
fn what_cannot_be_used_is_refused_with_advice() {
    let server = Server::start();
    for (query, word) in [
        ("limit=0", "from 1 to 10000"),
        ("limit=x", "from 1 to 10000"),
        ("limit=-5", "from 1 to 10000"),
        ("limit=5&limit=6", "more than once"),
        ("bbox=", "no value"),
        ("bbox=1,2,3", "four nor six"),
        ("bbox=10.7,106.6,10.8,106.7", "exchanged"),
        ("bbox=106,11,107,10", "south is greater"),
        ("bboks=1", "bbox"),
        ("after=x", "number"),
        ("f=xml", "json or html"),
        ("crs=EPSG:1", "coordinate system"),
        ("a=%FF", "UTF-8"),
    ] {
        let (status, detail) = server.problem(&format!("/api/collections/parcels/items?{query}"));
        assert!(status == 400 && detail.contains(word), "{query}: {status} {detail}");
    }
    let (status, detail) = server.problem("/api/collections/parcel/items");
    assert!(status == 404 && detail.contains("parcels"), "{detail}");
    assert_eq!(
        server.json("/api/collections/parcels/items?limit=999999999999999999999999")["numberReturned"],
        PARCELS
    );
}

#[test]
fn a_collection_says_what_the_map_needs() {
    let server = Server::start();
    let all = server.json("/api/collections");
    let ids: Vec<&str> =
        all["collections"].as_array().unwrap().iter().map(|own| own["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["parcels", "roads", "wells", "so_lieu"], "by role");
    let parcels = server.json("/api/collections/parcels");
    assert_eq!(
        parcels,
        all["collections"][0].clone().pipe(|mut own| {
            own["links"] = parcels["links"].clone();
            own
        })
    );
    let own = &parcels["citymap"];
    assert_eq!(own["titles"], json!({"vi": "Thửa đất", "en": "Parcels"}));
    assert_eq!(
        (&own["role"], &own["geometry"], &own["count"]),
        (&json!("parcel"), &json!("polygon"), &json!(PARCELS))
    );
    assert_eq!((&own["key"], &own["label"]), (&json!("ma_thua"), &json!("so_thua")));
    assert_eq!(own["fields"].as_array().unwrap().len(), 10);
    assert_eq!(own["fields"][2]["type"], "text");
    let entries = own["fields"][2]["codeList"]["entries"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["code"] == "ODT" && entry["color"].is_string()));
    assert_eq!(parcels["storageCrs"], "http://www.opengis.net/def/crs/OGC/1.3/CRS84");
    assert!(
        parcels["crs"].as_array().unwrap().contains(&json!("http://www.opengis.net/def/crs/EPSG/0/9210"))
    );
    let english = server.get_with("/api/collections/parcels", &[("accept-language", "en")]).json();
    assert_eq!((&parcels["title"], &english["title"]), (&json!("Thửa đất"), &json!("Parcels")));
}

trait Pipe: Sized {
    fn pipe<T>(self, change: impl FnOnce(Self) -> T) -> T {
        change(self)
    }
}

impl Pipe for Value {}

#[test]
fn schemas_say_the_types_that_gdal_reads() {
    let server = Server::start();
    let schema = server.get("/api/collections/parcels/gdal-schema");
    assert_eq!(schema.header("content-type"), "application/schema+json");
    let fields = schema.json()["properties"]["properties"]["properties"].clone();
    assert_eq!(fields["ngay_cap"]["format"], "date");
    assert_eq!(fields["cap_nhat"]["format"], "date-time");
    assert_eq!(fields["so_thua"]["type"], "integer");
    assert_eq!((&fields["ma_lon"]["type"], &fields["ma_lon"]["multipleOf"]), (&json!("number"), &json!(1)));
    assert_eq!(fields["ma_thua"]["x-ogc-role"], "id");
    let flat = server.json("/api/collections/parcels/schema");
    assert_eq!(flat["properties"]["geometry"]["format"], "geometry-polygon-or-multipolygon");
}

#[test]
fn a_known_answer_is_not_sent_again_until_the_city_changes() {
    let server = Server::start();
    let path = "/api/collections/parcels/items?limit=3";
    let first = server.get(path);
    let etag = first.header("etag").to_owned();
    let again = server.get_with(path, &[("if-none-match", &etag)]);
    assert_eq!((again.status, again.bytes.len(), again.header("etag")), (304, 0, etag.as_str()));
    assert_eq!(again.header("citymap-revision"), "4");
    let html = server.get_with(path, &[("if-none-match", &etag), ("accept", "text/html")]);
    assert_eq!(html.status, 200, "a page is another answer");

    let (layer, mut features) = crate::common::parcels();
    features.truncate(2);
    server.store.put(layer, features);
    let start = std::time::Instant::now();
    loop {
        let got = server.get_with(path, &[("if-none-match", &etag)]);
        if got.status == 200 {
            assert_eq!(got.header("citymap-revision"), "5");
            assert_eq!(got.json()["numberMatched"], 2);
            break;
        }
        assert!(start.elapsed().as_secs() < 10, "the new revision never came");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn links_begin_with_the_address_the_client_knows() {
    let untrusted = Server::start();
    let server = Server::with(crate::common::store(), |config| {
        config.trust_proxy = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let forwarded = [("x-forwarded-proto", "https"), ("x-forwarded-host", "bando.example.vn")];
    let page = server.get_with("/api/collections/parcels/items", &forwarded).json();
    let links = page["links"].as_array().unwrap();
    assert!(
        links.iter().all(|link| link["href"].as_str().unwrap().starts_with("https://bando.example.vn/api/"))
    );
    // Who is no trusted proxy is not believed, and another address is another answer.
    let claimed = untrusted.get_with("/api/collections/parcels/items", &forwarded);
    let own = untrusted.url("/api/");
    let links = claimed.json()["links"].as_array().unwrap().clone();
    assert!(links.iter().all(|link| link["href"].as_str().unwrap().starts_with(&own)), "{links:?}");
    for path in ["/api", "/api/collections/parcels/items", "/tiles/parcels.json"] {
        let (plain, mapped) = (server.get(path), server.get_with(path, &forwarded));
        assert_ne!(plain.header("etag"), mapped.header("etag"), "{path}");
        assert!(mapped.header("vary").contains("X-Forwarded-Host"), "{path}");
        let mut again = forwarded.to_vec();
        again.push(("if-none-match", plain.header("etag")));
        assert_eq!(server.get_with(path, &again).status, 200, "{path}");
    }
    let fixed = Server::with(crate::common::store(), |config| {
        config.base_url = Some("https://map.example.vn/".into());
    });
    let landing = fixed.json("/api");
    assert!(
        landing["links"]
            .as_array()
            .unwrap()
            .iter()
            .all(|link| link["href"].as_str().unwrap().starts_with("https://map.example.vn/"))
    );
}

#[test]
fn the_path_of_the_base_url_may_come_with_the_request() {
    let base = || Some("https://map.example.vn/geo".to_owned());
    let server = Server::with(crate::common::store(), |config| config.base_url = base());
    for path in ["/api/collections", "/geo/api/collections"] {
        let tiles = server.json(path)["collections"][0]["citymap"]["tiles"].clone();
        assert_eq!(tiles, "https://map.example.vn/geo/tiles/parcels/{z}/{x}/{y}");
        let page = server.get(&format!("{path}?f=html")).text();
        assert!(page.contains("href=\"../api/collections/parcels\"") && !page.contains("href=\"/"), "{page}");
    }
    let bare = server.get("/geo");
    assert_eq!((bare.status, bare.header("location")), (308, "/geo/"));
    assert_eq!(server.get("/geography/api").status, 404);
}

#[test]
fn json_is_compressed_where_the_client_takes_it() {
    let server = Server::start();
    let path = "/api/collections/parcels/items?limit=1000";
    let plain = server.get_with(path, &[("accept-encoding", "identity")]);
    assert_eq!(plain.header("content-encoding"), "");
    // ureq unpacks by itself; the length sent tells.
    let packed = raw(&server, path, "accept-encoding: gzip\r\n");
    assert!(
        packed.contains("content-encoding: gzip") && packed.contains("vary: Accept, Accept-Encoding"),
        "{packed}"
    );
}

/// The head of an answer, as sent.
fn raw(server: &Server, path: &str, header: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(server.address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    crate::common::small_names(std::str::from_utf8(&bytes[..end]).unwrap())
}

#[test]
fn editing_is_declared_where_it_is_on() {
    for (server, on) in [(Server::start(), false), (Server::writing(), true)] {
        let classes = server.json("/api/conformance")["conformsTo"].to_string();
        assert_eq!(classes.contains("ogcapi-features-4"), on, "{classes}");
        let paths = &server.json("/api/openapi.json")["paths"];
        assert_eq!(paths["/collections/parcels/items"]["post"].is_object(), on);
        assert_eq!(paths["/changes"]["post"].is_object(), on);
    }
}

/// Adds each `$ref` below `value` to `found`.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(list) => list.iter().for_each(|member| references(member, found)),
        _ => {}
    }
}

#[test]
fn every_reference_of_openapi_leads_somewhere() {
    let server = Server::writing();
    for version in ["3.0", "3.1"] {
        let document = server.json(&format!("/api/openapi.json?version={version}"));
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{version}: {reference}");
        }
    }
}

#[test]
fn the_landing_page_links_both_versions_of_openapi() {
    let server = Server::start();
    let landing = server.json("/api");
    for (version, said) in [("3.0", "3.0.3"), ("3.1", "3.1.0")] {
        let kind = format!("application/vnd.oai.openapi+json;version={version}");
        let links = landing["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == "service-desc" && link["type"] == *kind).unwrap();
        let path = link["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap().to_owned();
        let got = server.get(&path);
        assert_eq!((got.header("content-type"), got.json()["openapi"].as_str()), (kind.as_str(), Some(said)));
    }
    assert_eq!(server.problem("/api/openapi.json?version=2").0, 400);
    let page = server.get("/api/collections/parcels?f=html").text();
    for rel in ["items", "queryables", "schema"] {
        assert!(page.contains(&format!("/api/collections/parcels/{rel}")), "{rel}: {page}");
    }
    assert!(!landing.to_string().contains("charset"), "types of links are bare");
}

#[test]
fn an_unchanged_answer_names_what_a_cache_must_know() {
    let server = Server::start();
    let got = server.get("/api/collections/parcels");
    assert_eq!(got.header("content-language"), "vi");
    for tag in [got.header("etag"), "*"] {
        let unchanged = server.get_with("/api/collections/parcels", &[("if-none-match", tag)]);
        assert_eq!((unchanged.status, unchanged.header("vary")), (304, got.header("vary")));
        assert_eq!(unchanged.header("cache-control"), got.header("cache-control"));
    }
}

#[test]
fn a_long_question_does_not_make_a_long_head() {
    let server = Server::start();
    let short = server.get("/api/collections/parcels/items?limit=1");
    assert!(short.header("link").contains("rel=\"next\""));
    let path = format!("/api/collections/parcels/items?limit=1&bbox=106,10,107,11.{}", "0".repeat(1_500));
    let long = server.get(&path);
    assert_eq!((long.status, long.header("link")), (200, ""));
    assert!(long.json()["links"].as_array().unwrap().iter().any(|link| link["rel"] == "next"));
}

/// Names, titles and values of a store that no import has tidied.
#[test]
fn pages_and_headers_hold_nothing_that_turns_the_direction_of_texts() {
    let store = TestStore::default();
    let title = Title::same("So\u{202e} đất\u{7}");
    let mut layer = Layer::new("odd".parse().unwrap(), title, Role::Other, GeometryKind::Point);
    layer.fields = vec![Field::new("ma\u{2066}so", FieldType::Text)];
    layer.key = Some("ma\u{2066}so".into());
    let values = vec![Cell::Text("T\u{202e}1 \">x".into())];
    store.put(layer, vec![NewFeature { geometry: Some(geo::Point::new(106.7, 10.7).into()), values }]);
    let server = Server::with(store, |_| {});
    let item = server.json("/api/collections/odd/items")["features"][0]["id"].as_str().unwrap().to_owned();
    let item: String =
        percent_encoding::utf8_percent_encode(&item, percent_encoding::NON_ALPHANUMERIC).collect();
    for path in [
        "/api/collections",
        "/api/collections/odd",
        "/api/collections/odd/schema",
        "/api/collections/odd/items",
        &format!("/api/collections/odd/items/{item}"),
        "/api/at?lon=106.7&lat=10.7",
    ] {
        let join = if path.contains('?') { '&' } else { '?' };
        let got = server.get(&format!("{path}{join}f=html"));
        assert_eq!(got.status, 200, "{path}");
        let text = got.text();
        assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{7}']), "{path}: {text}");
        let link = server.get(path).header("link").to_owned();
        assert!(link.is_ascii() && !link.contains("\">x"), "{path}: {link}");
    }
    let page = server.get("/api/collections/odd/items?f=html").text();
    assert!(page.contains("\\u{202e}") && page.contains("\\u{2066}"), "they are escaped: {page}");
}
