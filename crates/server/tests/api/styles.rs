//! OGC API – Styles: a client finds the styles by following links, and what they name is there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::sync::Arc;

use crate::common::{Server, middle};
use citymap_live::Live;
use citymap_model::{Field, FieldType, GeometryKind, Layer, Meaning, NewFeature, Role, Title, Value as Own};
use citymap_server::Config;
use citymap_testing::SwitchStore;
use geo::polygon;
use serde_json::{Value, json};

const STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";
const MAPBOX_STYLE: &str = "application/vnd.mapbox.style+json";

/// The path of the first link with this relation.
fn link(server: &Server, document: &Value, rel: &str) -> String {
    let links = document["links"].as_array().unwrap();
    let found = links.iter().find(|link| link["rel"] == rel).unwrap_or_else(|| panic!("{rel}: {document}"));
    path(server, found["href"].as_str().unwrap())
}

/// The path of an address of the server.
fn path(server: &Server, address: &str) -> String {
    address.strip_prefix(&server.url("")).unwrap_or_else(|| panic!("{address} is elsewhere")).to_owned()
}

fn ids(list: &Value) -> Vec<&str> {
    list["styles"].as_array().unwrap().iter().map(|style| style["id"].as_str().unwrap()).collect()
}

/// The ids of the layers whose tiles a style draws.
fn drawn(style: &Value) -> Vec<&str> {
    let layers = style["layers"].as_array().unwrap();
    let mut names: Vec<&str> = layers.iter().filter_map(|layer| layer["source-layer"].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn the_styles_of_the_city_are_found_by_links_and_all_that_they_name_is_there() {
    let server = Server::start();
    let list = server.json(&link(&server, &server.json("/api"), STYLES));
    assert_eq!(ids(&list), ["cadastre", "plan", "streets", "utilities", "grey"]);
    assert_eq!(list["default"], "cadastre");
    for entry in list["styles"].as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        let stylesheet = link(&server, entry, "stylesheet");
        assert!(stylesheet.starts_with(&format!("/api/styles/{id}?")), "{stylesheet}");
        let got = server.get_with(&stylesheet, &[("accept", MAPBOX_STYLE)]);
        assert_eq!((got.status, got.header("content-type")), (200, MAPBOX_STYLE));
        let style = got.json();
        assert!(!got.text().contains("chủ_sử_dụng"), "personal fields are absent");
        for (name, source) in style["sources"].as_object().unwrap() {
            let Some(url) = source["url"].as_str() else { continue };
            let tiles = server.json(&path(&server, url));
            for layer in style["layers"].as_array().unwrap().iter().filter(|layer| layer["source"] == **name)
            {
                let known = tiles["vector_layers"].as_array().unwrap();
                assert!(known.iter().any(|own| own["id"] == layer["source-layer"]), "{layer}");
            }
        }
        let sprite = path(&server, style["sprite"].as_str().unwrap());
        let sprite = server.json(&format!("{sprite}.json"));
        for layer in style["layers"].as_array().unwrap() {
            for image in [&layer["layout"]["icon-image"], &layer["paint"]["fill-pattern"]] {
                assert!(image.as_str().is_none_or(|image| sprite.get(image).is_some()), "{image}");
            }
        }
        let glyphs = path(&server, style["glyphs"].as_str().unwrap()).replace("{range}", "0-255");
        for layer in style["layers"].as_array().unwrap() {
            let Some(font) = layer["layout"]["text-font"][0].as_str().filter(|font| *font != "match") else {
                continue;
            };
            assert_eq!(server.get(&glyphs.replace("{fontstack}", font)).status, 200, "{font}");
        }
        let metadata = server.json(&link(&server, entry, "describedby"));
        assert_eq!((&metadata["id"], &metadata["title"]), (&entry["id"], &entry["title"]));
        assert_eq!(server.get_with(&stylesheet, &[("if-none-match", got.header("etag"))]).status, 304);
    }
    let classes = server.json("/api/conformance")["conformsTo"].to_string();
    for class in ["core", "global-styles", "collection-styles", "mapbox-styles"] {
        assert!(classes.contains(&format!("ogcapi-styles-1/1.0/conf/{class}")), "{class}");
    }
}

#[test]
fn a_style_of_a_collection_draws_it_alone() {
    let server = Server::start();
    let list = server.json(&link(&server, &server.json("/api/collections/parcels"), STYLES));
    assert_eq!(ids(&list), ["cadastre", "plan", "streets", "utilities"]);
    let style = server.json(&link(&server, &list["styles"][0], "stylesheet"));
    assert_eq!(drawn(&style), ["parcels"]);
    assert_eq!(server.json("/api/collections/wells/styles")["styles"][0]["id"], "utilities");
    // A table has no style, and a style that does not draw a layer draws it as usual if asked.
    let table = server.json("/api/collections/so_lieu");
    assert!(table["links"].as_array().unwrap().iter().all(|link| link["rel"] != STYLES));
    assert_eq!(server.json("/api/collections/so_lieu/styles")["styles"], json!([]));
    assert_eq!(drawn(&server.json("/api/collections/wells/styles/cadastre")), ["wells"]);
    assert_eq!(drawn(&server.json("/api/styles/cadastre?collections=roads,wells")), ["roads", "wells"]);
}

#[test]
fn language_format_and_appearance_are_chosen() {
    let server = Server::start();
    let paths = ["/api/styles/streets", "/api/collections/roads/styles/streets"];
    for path in paths {
        for (query, accept, kind) in [
            ("", "*/*", MAPBOX_STYLE),
            ("", "application/json", "application/json"),
            ("?f=json", "*/*", "application/json"),
            ("?f=mbs", "text/html", MAPBOX_STYLE),
            ("", "text/html", "text/html; charset=utf-8"),
            ("?f=html", "application/json", "text/html; charset=utf-8"),
        ] {
            let got = server.get_with(&format!("{path}{query}"), &[("accept", accept)]);
            assert_eq!((got.status, got.header("content-type")), (200, kind), "{path}{query} {accept}");
        }
        let english = server.get_with(path, &[("accept-language", "en")]);
        assert_eq!(english.header("content-language"), "en");
        assert!(english.text().contains("EAST SEA") && !english.text().contains("BIỂN ĐÔNG"));
        let vietnamese = server.get(&format!("{path}?lang=vi&appearance=dark"));
        assert!(vietnamese.text().contains("BIỂN ĐÔNG"));
        assert_eq!(vietnamese.json()["metadata"]["citymap:appearance"], "dark");
        let light = server.json(path);
        assert_ne!(light["layers"][0]["paint"], vietnamese.json()["layers"][0]["paint"]);
    }
    let page = server.get("/api/styles/streets?f=html&lang=en").text();
    assert!(page.contains("/api/styles/streets?lang=en&amp;f=mbs") && page.contains(">Roads<"), "{page}");
    let list = server.get("/api/styles?f=html").text();
    assert!(list.contains("Địa chính") && list.contains("href=\"../api/styles/plan\""), "{list}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_advice() {
    let server = Server::start();
    for (path, status, part) in [
        ("/api/styles/cadaster", 404, "cadastre"),
        ("/api/styles/cadaster/metadata", 404, "cadastre"),
        ("/api/collections/parcels/styles/nix", 404, "/api/styles"),
        ("/api/collections/nix/styles", 404, "parcels"),
        ("/api/collections/nix/styles/grey", 404, "parcels"),
        ("/api/styles/grey?appearance=night", 400, "light or dark"),
        ("/api/styles/plan?level=QHC", 400, "qhc or qhpk"),
        ("/api/styles/grey?collections=nix", 400, "parcels"),
        ("/api/styles/grey?f=sld", 400, "mbs or json or html"),
        ("/api/styles/grey?theme=dark", 400, "appearance"),
        ("/api/collections/parcels/styles/grey?collections=roads", 400, "appearance"),
        ("/api/styles/grey?revision=99", 400, "99"),
    ] {
        let (got, detail) = server.problem(path);
        assert!(got == status && detail.contains(part), "{path}: {got} {detail}");
    }
}

#[test]
fn a_style_of_a_former_state_has_the_tiles_of_that_state() {
    let server = Server::writing();
    let style = server.json("/api/styles/cadastre?revision=3&datetime=2021-01-01&lang=vi");
    let url = style["sources"]["citymap-base"]["url"].as_str().unwrap();
    assert!(url.contains("revision=3") && url.contains("datetime=2021-01-01"), "{url}");
    assert!(!url.contains("lang="), "{url}");
    assert_eq!(server.json(&path(&server, url))["citymap"]["revision"], 3);
}

#[test]
fn a_style_stays_the_same_while_features_change() {
    let server = Server::writing();
    let before = server.get("/api/styles/cadastre");
    let feature = json!({"type": "Feature", "properties": {"sau": 3.0},
        "geometry": {"type": "Point", "coordinates": middle(3)}});
    let written = server.write("POST", "/api/collections/wells/items", None, Some(&feature));
    assert_eq!(written.status, 201, "{}", written.text());
    let after = server.get("/api/styles/cadastre?min-revision=5");
    assert_eq!(after.header("etag"), before.header("etag"));
    assert_eq!(after.text(), before.text());
}

/// Two communes, one of which is no longer valid, with a name that is public and one that is not.
fn communes() -> (Layer, Vec<NewFeature>) {
    let id = "communes".parse().unwrap();
    let mut layer =
        Layer::new(id, Title::new("Xã, phường", "Communes"), Role::AdminUnit, GeometryKind::Polygon);
    layer.fields = vec![
        Field::new("ten", FieldType::Text).means(Meaning::Name),
        Field::new("ten_en", FieldType::Text).means(Meaning::NameEn),
        Field::new("chu_tich", FieldType::Text),
        Field::new("den", FieldType::Date).means(Meaning::ValidTo),
    ];
    layer.fields[2].personal = true;
    layer.label = Some("ten".into());
    layer.valid_to = Some("den".into());
    let [x, y] = middle(0);
    let area = |name: &str, until: Option<&str>| NewFeature {
        // Its centre of gravity is outside.
        geometry: Some(
            polygon![(x: x, y: y), (x: x + 0.1, y: y), (x: x + 0.1, y: y + 0.01), (x: x + 0.01, y: y + 0.01),
                (x: x + 0.01, y: y + 0.1), (x: x, y: y + 0.1), (x: x, y: y)]
            .into(),
        ),
        values: vec![
            Own::Text(name.into()),
            Own::Null,
            Own::Text("Nguyễn Văn Kín".into()),
            until.map_or(Own::Null, |day| Own::parse(day, FieldType::Date).unwrap()),
        ],
    };
    (layer, vec![area("Phường Bến Thành", None), area("Phường Bến Nghé", Some("2025-07-01"))])
}

#[test]
fn administrative_units_are_labelled_once_by_points_inside_them() {
    let store = crate::common::store();
    let (layer, features) = communes();
    store.put(layer, features);
    let server = Server::with(store, |_| {});
    for (query, names) in [
        ("", vec!["Phường Bến Thành", "Phường Bến Nghé"]),
        ("?datetime=2026-01-01", vec!["Phường Bến Thành"]),
    ] {
        let got = server.get(&format!("/api/styles/grey{query}"));
        assert!(!got.text().contains("Kín") && !got.text().contains("chu_tich"));
        let style = got.json();
        let points = style["sources"]["citymap-labels-communes"]["data"]["features"].as_array().unwrap();
        let found: Vec<&str> =
            points.iter().map(|point| point["properties"]["ten"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
        let at = points[0]["geometry"]["coordinates"].as_array().unwrap();
        let [lon, lat] = [0, 1].map(|axis| at[axis].as_f64().unwrap());
        let here = server.json(&format!("/api/at?lon={lon}&lat={lat}&layers=communes"));
        assert!(!here["layers"][0]["features"].as_array().unwrap().is_empty(), "{lon} {lat}");
    }
}

#[test]
fn an_operators_style_is_served_with_the_addresses_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let style = json!({
        "version": 8, "name": "Nước", "sources": {"city": {"type": "vector", "url": "/tiles/wells.json"}},
        "layers": [{"id": "w", "type": "circle", "source": "city", "source-layer": "wells"}],
    });
    std::fs::write(folder.path().join("water.json"), style.to_string()).unwrap();
    let server = Server::with(crate::common::store(), |config| {
        config.styles = Some(folder.path().to_owned());
        config.base_url = Some("https://city.test/geo".into());
    });
    assert_eq!(ids(&server.json("/api/styles")).last(), Some(&"water"));
    let served = server.json("/api/styles/water");
    assert_eq!(served["sources"]["city"]["url"], "https://city.test/geo/tiles/wells.json");
    assert_eq!(served["sprite"], "https://city.test/geo/sprites/citymap");
    assert!(ids(&server.json("/api/collections/wells/styles")).contains(&"water"));
    assert!(!ids(&server.json("/api/collections/roads/styles")).contains(&"water"));
    let metadata = server.json("/api/styles/water/metadata");
    assert!(metadata["title"] == "Nước" && metadata["citymap"].is_null(), "{metadata}");
}

#[test]
fn a_broken_style_keeps_the_server_from_starting_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("water.json"), "{\"version\": 8,\n oops}").unwrap();
    let live = Arc::new(Live::open(Box::new(SwitchStore::clone(&crate::common::store()))).unwrap());
    let config = Config { styles: Some(folder.path().to_owned()), ..Config::default() };
    let error = citymap_server::router(live, config).unwrap_err().to_string();
    assert!(error.contains("water.json") && error.contains("line 2 column"), "{error}");
}

#[test]
fn a_legend_lists_what_is_drawn_and_in_a_box_only_what_occurs() {
    let server = Server::start();
    let legend = server.json("/api/styles/cadastre/legend?zoom=16&lang=en");
    let codes = |legend: &Value| -> Vec<String> {
        let groups = legend["groups"].as_array().unwrap();
        let parcels = groups.iter().find(|group| group["collection"] == "parcels").unwrap();
        let entries = parcels["entries"].as_array().unwrap();
        entries.iter().filter_map(|entry| entry["code"].as_str().map(str::to_owned)).collect()
    };
    assert!(codes(&legend).len() > 30);
    // Parcel 0 is ODT, its neighbours are not.
    let [x, y] = middle(0);
    let around = |half: f64| format!("bbox={},{},{},{}", x - half, y - half, x + half, y + half);
    let here = server.json(&format!("/api/styles/cadastre/legend?zoom=16&{}", around(0.000_05)));
    assert_eq!(codes(&here), ["ODT"]);
    let both = server.json(&format!("/api/styles/cadastre/legend?zoom=16&{}", around(0.000_3)));
    assert_eq!(codes(&both).len(), 2, "{both}");
    let nowhere = server.json("/api/styles/cadastre/legend?zoom=16&bbox=0,0,1,1");
    assert_eq!(nowhere["groups"], json!([]));
    for (query, part) in [
        ("", "`zoom` is missing"),
        ("?zoom=23", "from 0 to 22"),
        ("?zoom=16&bbox=1,2,3", "four nor six"),
        ("?zoom=16&level=x", "qhc"),
    ] {
        let (status, detail) = server.problem(&format!("/api/styles/cadastre/legend{query}"));
        assert!(status == 400 && detail.contains(part), "{query}: {detail}");
    }
    assert_eq!(server.problem("/api/styles/nix/legend?zoom=3").0, 404);
    let page = server.get("/api/styles/cadastre/legend?zoom=16&f=html");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
}

#[test]
fn a_legend_is_a_picture_too_and_may_be_of_one_feature() {
    let server = Server::start();
    let path = "/api/styles/cadastre/legend?zoom=16&collections=parcels&lang=en";
    let png = server.get(&format!("{path}&f=png"));
    assert_eq!((png.status, png.header("content-type")), (200, "image/png"));
    let picture = image::load_from_memory(&png.bytes).unwrap().into_rgba8();
    // The colours of the document are those of the picture.
    let legend = server.json(path);
    let colors: std::collections::HashSet<[u8; 3]> =
        picture.pixels().map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let entries = legend["groups"][0]["entries"].as_array().unwrap();
    let fills = entries.iter().flat_map(|entry| entry["parts"].as_array().unwrap());
    let fills: Vec<&str> =
        fills.filter(|part| part["type"] == "fill").map(|part| part["color"].as_str().unwrap()).collect();
    assert!(fills.len() > 30);
    for color in fills {
        let channel = |at: usize| u8::from_str_radix(&color[at..at + 2], 16).unwrap();
        assert!(colors.contains(&[channel(1), channel(3), channel(5)]), "{color} is in the picture");
    }
    assert_eq!(
        server.get_with(&format!("{path}&f=png"), &[("if-none-match", png.header("etag"))]).status,
        304
    );
    let double = server.get(&format!("{path}&f=png&mm-per-pixel=0.14&transparent=true"));
    let double = image::load_from_memory(&double.bytes).unwrap().into_rgba8();
    assert!(double.width().abs_diff(2 * picture.width()) <= 2, "{} {}", double.width(), picture.width());
    assert_eq!((double.get_pixel(0, 0)[3], picture.get_pixel(0, 0)[3]), (0, 255));
    let svg = server.get_with(path, &[("accept", "image/svg+xml")]);
    assert_eq!((svg.status, svg.header("content-type")), (200, "image/svg+xml"));
    assert!(svg.text().contains("aria-label=\"Other or not known\""), "{}", svg.text());

    // One feature: parcel 0 is ODT.
    let own = server.json(&format!("{path}&feature=26740-1-0"));
    let groups = own["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1);
    let codes: Vec<&Value> =
        groups[0]["entries"].as_array().unwrap().iter().map(|own| &own["code"]).collect();
    assert_eq!(codes, ["ODT"]);
    let one = server.get(&format!("{path}&feature=26740-1-0&f=png"));
    let one = image::load_from_memory(&one.bytes).unwrap();
    assert!(one.height() < picture.height() / 10, "{}", one.height());
    for (more, status, part) in [
        ("zoom=16&feature=26740-1-0", 400, "`feature` needs the layer"),
        ("zoom=16&feature=x&collections=parcels", 404, "has no feature"),
        ("zoom=16&f=pdf", 400, "json or html or png or svg"),
    ] {
        let (got, detail) = server.problem(&format!("/api/styles/cadastre/legend?{more}"));
        assert!(got == status && detail.contains(part), "{more}: {got} {detail}");
    }
}
