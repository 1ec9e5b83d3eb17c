//! Tiles under edits: what is served equals what a server gives that has just been started, and what an edit
//! does not touch is not made again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::collections::BTreeMap;

use crate::common::{Server, middle};
use serde_json::{Value, json};

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// The tiles of some zooms around the parcels.
fn tiles() -> Vec<String> {
    let mut tiles = Vec::new();
    for z in [8_u32, 12, 14, 16, 18] {
        let n = f64::from(1_u32 << z);
        let at = |[lon, lat]: [f64; 2]| {
            let x = ((lon + 180.0) / 360.0 * n).floor() as u32;
            let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * n;
            (x, y.floor() as u32)
        };
        let ((west, south), (east, north)) = (at(middle(0)), at(middle(crate::common::PARCELS - 1)));
        for x in west.saturating_sub(1)..=east + 1 {
            // Every tile of a zoom, but of the deepest one only some.
            for y in (north.saturating_sub(1)..=south + 1).filter(|y| z < 18 || (x + y) % 3 == 0) {
                tiles.push(format!("{z}/{x}/{y}"));
            }
        }
    }
    tiles
}

fn square(random: &mut Random) -> Value {
    let [x, y] = middle(random.below(crate::common::PARCELS));
    let h = 0.000_03 * (1 + random.below(6)) as f64;
    json!({"type": "Polygon",
        "coordinates": [[[x - h, y - h], [x + h, y - h], [x + h, y + h], [x - h, y + h], [x - h, y - h]]]})
}

/// Some edits in one batch: of values, of keys (that others have too), of places; parcels that come and go.
fn edits(random: &mut Random, server: &Server) -> Value {
    let page = server.json(&format!("/api/collections/parcels/items?limit=400&after={}", random.below(900)));
    let features = page["features"].as_array().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let mut edits = Vec::new();
    for _ in 0..1 + random.below(4) {
        let feature = &features[random.below(features.len())];
        if !seen.insert(feature["id"].to_string()) {
            continue;
        }
        let key = features[random.below(features.len())]["properties"]["ma_thua"].clone();
        let own = json!({"layer": "parcels", "id": feature["id"], "ifMatch": "*"});
        let change = match random.below(6) {
            0 => {
                let code = ["CLN", "LUA", "LUC", "LMU", "ODT"][random.below(5)];
                json!({"op": "update", "feature": {"properties": {"loại đất": code}}})
            }
            1 => json!({"op": "update", "feature": {"properties": {"ma_thua": key}}}),
            2 => json!({"op": "update", "feature": {"geometry": square(random)}}),
            3 => json!({"op": "update", "feature": {"properties": {"chủ_sử_dụng": "Nguyễn Bí Mật"}}}),
            4 => json!({"op": "delete"}),
            _ => {
                let feature =
                    json!({"type": "Feature", "geometry": square(random), "properties": {"ma_thua": key}});
                edits.push(json!({"op": "create", "layer": "parcels", "feature": feature}));
                continue;
            }
        };
        let mut edit = own;
        edit.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        edits.push(edit);
    }
    json!({"edits": edits})
}

fn served(server: &Server, tiles: &[String], encoding: &str) -> BTreeMap<String, (String, Vec<u8>)> {
    let get = |tile: &String| {
        let got =
            server.get_with(&format!("/tiles/parcels,roads/{tile}?rev=x"), &[("accept-encoding", encoding)]);
        assert!(got.status == 200 || got.status == 204, "{tile}: {} {}", got.status, got.text());
        (tile.clone(), (got.header("etag").to_owned(), got.bytes))
    };
    tiles.iter().map(get).collect()
}

#[test]
fn what_is_served_under_edits_equals_what_is_made_afresh() {
    let server = Server::writing();
    let tiles = tiles();
    assert!(tiles.len() > 50, "{}", tiles.len());
    let mut random = Random(20_26);
    let encodings = ["identity", "gzip", "zstd", "br"];
    let mut before = served(&server, &tiles, "identity");
    let (mut same, mut other) = (0, 0);
    for round in 0..24 {
        let body = edits(&mut random, &server);
        let got = server.write("POST", "/api/changes", None, Some(&body));
        assert_eq!(got.status, 200, "{body} {}", got.text());
        let now = served(&server, &tiles, "identity");
        // Another server over the same record, which has never seen the tiles as they were.
        let fresh = Server::with(server.store.another(), |_| {});
        let expected = served(&fresh, &tiles, "identity");
        for tile in &tiles {
            assert!(now[tile] == expected[tile], "round {round}, tile {tile}, after {body}");
        }
        let changed = tiles.iter().filter(|tile| now[*tile] != before[*tile]).count();
        other += changed;
        same += tiles.len() - changed;
        let encoding = encodings[round % encodings.len()];
        assert!(served(&server, &tiles, encoding) == served(&fresh, &tiles, encoding), "{encoding}");
        before = now;
    }
    assert!(
        other > 50 && same > other,
        "edits show in some tiles and not in most: {other} of {}",
        same + other
    );
}

#[test]
fn a_former_city_shows_its_own_tiles_while_the_present_one_changes() {
    let server = Server::writing();
    let tiles = tiles();
    let then = served(&server, &tiles, "gzip");
    let mut random = Random(7);
    for _ in 0..3 {
        let body = edits(&mut random, &server);
        assert_eq!(server.write("POST", "/api/changes", None, Some(&body)).status, 200);
    }
    let now = served(&server, &tiles, "gzip");
    assert!(now != then);
    for tile in &tiles {
        let path = format!("/tiles/parcels,roads/{tile}?revision=4");
        let got = server.get_with(&path, &[("accept-encoding", "gzip")]);
        let (etag, bytes) = &then[tile];
        assert!(got.header("etag") == etag && got.bytes == *bytes, "{tile}: {etag} {}", got.header("etag"));
    }
    assert!(served(&server, &tiles, "gzip") == now);
}
