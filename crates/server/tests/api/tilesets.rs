//! OGC API – Tiles: a client finds the tiles by following links from the landing page.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::{Server, middle};
use serde_json::{Value, json};

const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";

/// The path of the first link with this relation.
fn link(server: &Server, document: &Value, rel: &str) -> String {
    let links = document["links"].as_array().unwrap();
    let found = links.iter().find(|link| link["rel"] == rel).unwrap_or_else(|| panic!("{rel}: {document}"));
    found["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap().to_owned()
}

/// The path of the tile of a template in which a position lies.
fn tile_of(template: &str, [lon, lat]: [f64; 2], z: u32) -> String {
    let n = f64::from(1_u32 << z);
    let x = ((lon + 180.0) / 360.0 * n).floor();
    let y = ((1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * n).floor();
    let numbers =
        [("{tileMatrix}", z.to_string()), ("{tileRow}", y.to_string()), ("{tileCol}", x.to_string())];
    numbers.iter().fold(template.to_owned(), |path, (name, number)| path.replace(name, number))
}

fn layers_of(bytes: &[u8]) -> Vec<String> {
    let tile = fast_mvt::MvtReaderRef::new(bytes).unwrap();
    tile.layers().map(|layer| layer.name().to_owned()).collect()
}

#[test]
fn tiles_of_the_city_and_of_a_layer_are_found_by_links() {
    let server = Server::start();
    for (start, direct, names) in [
        ("/api", "/tiles/parcels,roads,wells", vec!["parcels", "roads", "wells"]),
        ("/api/collections/parcels", "/tiles/parcels", vec!["parcels"]),
    ] {
        let list = server.json(&link(&server, &server.json(start), TILESETS));
        let entry = &list["tilesets"][0];
        assert_eq!(
            entry["tileMatrixSetURI"],
            "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
        );
        assert_eq!((&entry["dataType"], list["tilesets"].as_array().unwrap().len()), (&json!("vector"), 1));
        let tileset = server.json(&link(&server, entry, "self"));
        let mut ids: Vec<&str> =
            tileset["layers"].as_array().unwrap().iter().map(|own| own["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, names, "tables have no tiles");
        let properties = &tileset["layers"][0]["propertiesSchema"]["properties"];
        assert!(properties.as_object().is_some_and(|own| !own.contains_key("chủ_sử_dụng")), "{properties}");
        let template = link(&server, &tileset, "item");
        let got = server.get(&tile_of(&template, middle(0), 16));
        assert_eq!((got.status, got.header("content-type")), (200, "application/vnd.mapbox-vector-tile"));
        let mut found = layers_of(&got.bytes);
        found.sort_unstable();
        assert_eq!(found, names);
        let direct = tile_of(&format!("{direct}/{{tileMatrix}}/{{tileCol}}/{{tileRow}}"), middle(0), 16);
        assert_eq!(server.get(&direct).bytes.len(), got.bytes.len());
        // The limits of the set hold the tile, and no more than there is.
        let limits = tileset["tileMatrixSetLimits"][16].clone();
        assert_eq!(limits["tileMatrix"], "16");
        let outside =
            template.replace("{tileMatrix}", "3").replace("{tileRow}", "8").replace("{tileCol}", "0");
        assert_eq!(server.problem(&outside).0, 404);
        let matrices =
            server.json(&link(&server, &tileset, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"));
        assert_eq!(matrices["tileMatrices"].as_array().unwrap().len(), 23);
    }
    let sets = server.json("/api/tileMatrixSets");
    assert_eq!(sets["tileMatrixSets"][0]["id"], "WebMercatorQuad");
    let table = server.json("/api/collections/so_lieu");
    assert!(table["links"].as_array().unwrap().iter().all(|link| link["rel"] != TILESETS));
}

#[test]
fn some_collections_and_a_former_state_stay_in_the_addresses() {
    let server = Server::writing();
    let before = server.json("/api/tiles/WebMercatorQuad?collections=wells,roads&revision=4");
    let template = link(&server, &before, "item");
    assert!(template.contains("collections=wells,roads") && template.contains("revision=4"), "{template}");
    let got = server.get(&tile_of(&template, middle(0), 16));
    assert_eq!(layers_of(&got.bytes), ["wells", "roads"]);
    for (query, status) in [
        ("collections=wells,wells", 400),
        ("collections=nix", 404),
        ("collections=", 400),
        ("layers=wells", 400),
    ] {
        for path in ["/api/tiles", "/api/tiles/WebMercatorQuad", "/api/tiles/WebMercatorQuad/0/0/0"] {
            assert_eq!(server.problem(&format!("{path}?{query}")).0, status, "{path}?{query}");
        }
    }
    for path in ["/api/collections/nix/tiles", "/api/tiles/WorldCRS84Quad", "/api/tileMatrixSets/nix"] {
        assert_eq!(server.problem(path).0, 404, "{path}");
    }
}

#[test]
fn more_layers_than_a_tile_holds_must_be_named() {
    let server = Server::with(crate::common::store(), |config| config.limits.tile_layers_max = 2);
    let (status, detail) = server.problem("/api/tiles/WebMercatorQuad/0/0/0");
    assert!(status == 400 && detail.contains("collections=a,b"), "{detail}");
    assert_eq!(server.get("/api/tiles/WebMercatorQuad/0/0/0?collections=wells").status, 200);
}

#[test]
fn descriptions_are_pages_too_and_have_tags() {
    let server = Server::start();
    for path in ["/api/tiles", "/api/collections/roads/tiles/WebMercatorQuad", "/api/tileMatrixSets"] {
        let page = server.get_with(path, &[("accept", "text/html")]);
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let links = page.text().matches("href=\"").count();
        assert!(links > 0 && !page.text().contains("{tileMatrix}/{tileRow}/{tileCol}\">"), "{path}");
        let got = server.get(path);
        assert_eq!(server.get_with(path, &[("if-none-match", got.header("etag"))]).status, 304, "{path}");
    }
}
