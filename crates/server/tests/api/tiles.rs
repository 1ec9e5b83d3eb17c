//! Tiles over real HTTP, decoded by somebody else's decoder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::{io::Read, sync::Arc, thread};

use crate::common::{Server, middle};
use serde_json::json;

/// The tile that a position lies in.
fn tile_at([lon, lat]: [f64; 2], z: u32) -> String {
    let n = f64::from(1_u32 << z);
    let x = ((lon + 180.0) / 360.0 * n).floor();
    let y = ((1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * n).floor();
    format!("{z}/{x}/{y}")
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn a_tile_holds_its_layers_in_their_order() {
    let server = Server::start();
    let path = format!("/tiles/roads,parcels/{}", tile_at(middle(0), 16));
    let got = server.get(&path);
    assert_eq!((got.status, got.header("content-type")), (200, "application/vnd.mapbox-vector-tile"));
    assert_eq!((got.header("citymap-revision"), got.header("content-encoding")), ("4", ""));
    let tile = fast_mvt::MvtReaderRef::new(&got.bytes).unwrap();
    let names: Vec<String> = tile.layers().map(|layer| layer.name().to_owned()).collect();
    assert_eq!(names, ["roads", "parcels"]);
    for suffix in [".pbf", ".mvt"] {
        assert_eq!(server.get(&format!("{path}{suffix}")).bytes, got.bytes);
    }
}

#[test]
fn a_filtered_tile_has_only_the_features_for_which_the_filter_is_true() {
    let server = Server::start();
    let tile = tile_at(middle(0), 16);
    let ids = |path: &str| -> Vec<u64> {
        let got = server.get(path);
        let tile = fast_mvt::MvtReaderRef::new(&got.bytes).unwrap();
        tile.layers()
            .flat_map(|layer| layer.features().map(|own| own.id().unwrap()).collect::<Vec<_>>())
            .collect()
    };
    let filter = "filter=so_thua%20%3C%203";
    let all = ids(&format!("/tiles/parcels/{tile}"));
    let some = ids(&format!("/tiles/parcels/{tile}?{filter}"));
    assert_eq!(some.len(), 3, "{some:?} of {all:?}");
    assert!(some.iter().all(|id| all.contains(id)) && all.len() > 3);
    // The cache for everybody is not touched.
    assert_eq!(ids(&format!("/tiles/parcels/{tile}")), all);
    let [z, x, y] = [0, 1, 2].map(|at| tile.split('/').nth(at).unwrap());
    let standard = format!("/api/collections/parcels/tiles/WebMercatorQuad/{z}/{y}/{x}?{filter}");
    assert_eq!(ids(&standard), some);
    let none = server.get(&format!("/tiles/parcels/{tile}?filter=so_thua%20%3C%200"));
    assert_eq!(none.status, 204);
    // What cannot be filtered is refused with what can.
    let (status, detail) = server.problem(&format!("/tiles/roads,parcels/{tile}?{filter}"));
    assert!(status == 400 && detail.contains("`filter` is of one layer"), "{detail}");
    let (status, detail) = server.problem(&format!("/tiles/parcels/{tile}?filter=nothing=1"));
    assert!(status == 400 && detail.contains("`nothing`"), "{detail}");
    let described = server.json(&format!("/tiles/parcels.json?{filter}"));
    let lowest = described["minzoom"].as_u64().unwrap();
    assert!((1..=16).contains(&lowest), "{described}");
    assert!(described["tiles"][0].as_str().unwrap().contains(filter), "{described}");
    let below = tile_at(middle(0), u32::try_from(lowest).unwrap() - 1);
    let (status, detail) = server.problem(&format!("/tiles/parcels/{below}?{filter}"));
    assert!(status == 400 && detail.contains(&format!("use zoom {lowest} or higher")), "{detail}");
    // Points and lines are filtered before they are thinned.
    let wells = tile_at(middle(0), 5);
    assert_eq!(server.get(&format!("/tiles/wells/{wells}?filter=sau%20%3C%20-1e9")).status, 204);
    assert_eq!(server.json("/tiles/wells.json?filter=sau%3C1")["minzoom"], 0);
}

#[test]
fn each_encoding_has_its_own_tag_and_304() {
    let server = Server::start();
    let path = format!("/tiles/parcels/{}", tile_at(middle(0), 15));
    let plain = server.get_with(&path, &[("accept-encoding", "identity")]);
    let packed = server.get_with(&path, &[("accept-encoding", "gzip, br;q=0.5")]);
    assert_eq!(
        (packed.header("content-encoding"), packed.header("vary")),
        ("gzip", "Accept, Accept-Encoding")
    );
    assert_eq!(unpacked(&packed.bytes), plain.bytes);
    assert_ne!(plain.header("etag"), packed.header("etag"));
    assert!(plain.header("etag").starts_with('"'), "strong");
    for (got, encoding) in [(&plain, "identity"), (&packed, "gzip")] {
        let again =
            server.get_with(&path, &[("accept-encoding", encoding), ("if-none-match", got.header("etag"))]);
        assert_eq!((again.status, again.bytes.len(), again.header("etag")), (304, 0, got.header("etag")));
    }
    let other =
        server.get_with(&path, &[("accept-encoding", "gzip"), ("if-none-match", plain.header("etag"))]);
    assert_eq!(other.status, 200);
}

#[test]
fn every_encoding_holds_the_same_tile_and_weights_are_heeded() {
    use citymap_tile::ContentEncoding;
    let server = Server::start();
    let path = format!("/tiles/parcels,roads/{}", tile_at(middle(0), 15));
    let plain = server.get(&path);
    let mut tags = vec![plain.header("etag").to_owned()];
    for (encoding, accepted) in [
        (ContentEncoding::Zstd, "zstd"),
        (ContentEncoding::Gzip, "br;q=0.3, gzip;q=0.7, zstd;q=0"),
        (ContentEncoding::Brotli, "gzip;q=0.5, br"),
    ] {
        let got = server.get_with(&path, &[("accept-encoding", accepted)]);
        assert_eq!(Some(got.header("content-encoding")), encoding.header_value(), "{accepted}");
        assert_eq!(citymap_tile::decompress(&got.bytes, encoding).unwrap(), plain.bytes, "{accepted}");
        assert!(got.bytes.len() < plain.bytes.len());
        tags.push(got.header("etag").to_owned());
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
    // What is there already is sent to who takes anything.
    let any = server.get_with(&path, &[("accept-encoding", "gzip, deflate, br, zstd")]);
    assert_eq!(any.header("content-encoding"), "br");
    let none = server.get_with(&path, &[("accept-encoding", "identity, gzip;q=0.5")]);
    assert_eq!((none.header("content-encoding"), &none.bytes), ("", &plain.bytes));
}

#[test]
fn maplibre_tiles_come_to_who_asks_for_them_and_hold_the_same() {
    let server = Server::start();
    let path = format!("/tiles/parcels,roads/{}", tile_at(middle(0), 15));
    let mvt = server.get(&path);
    let mlt = server.get_with(&path, &[("accept", "application/vnd.maplibre-tile")]);
    assert_eq!((mlt.status, mlt.header("content-type")), (200, "application/vnd.maplibre-tile"));
    assert_ne!(mlt.header("etag"), mvt.header("etag"));
    assert_eq!(server.get(&format!("{path}.mlt")).bytes, mlt.bytes);
    let kept = server.get_with(&format!("{path}.mlt"), &[("if-none-match", mlt.header("etag"))]);
    assert_eq!(kept.status, 304);
    // The suffix speaks before the header.
    let plain = server.get_with(&format!("{path}.pbf"), &[("accept", "application/vnd.maplibre-tile")]);
    assert_eq!(plain.bytes, mvt.bytes);

    let layers = mlt_core::Parser::default().parse_layers(&mlt.bytes).unwrap();
    let layers = mlt_core::Decoder::default().decode_all(layers).unwrap();
    let found = mlt_core::geojson::FeatureCollection::from_layers(layers).unwrap();
    let expected = mlt_core::mvt::mvt_to_feature_collection(&mvt.bytes).unwrap();
    assert_eq!(found.features.len(), expected.features.len());
    for (found, expected) in found.features.iter().zip(&expected.features) {
        assert_eq!((found.id, &found.geometry), (expected.id, &expected.geometry));
        let values: Vec<_> = found.properties.iter().filter(|(_, value)| !value.is_null()).collect();
        assert_eq!(values, expected.properties.iter().collect::<Vec<_>>());
    }
    assert_eq!(server.get("/tiles/parcels/16/0/0.mlt").status, 204);

    let document = server.json("/tiles/parcels,roads.json?encoding=mlt");
    assert_eq!(document["encoding"], "mlt");
    let template = document["tiles"][0].as_str().unwrap();
    assert!(template.contains("/{z}/{x}/{y}.mlt?rev=") && !template.contains("encoding"), "{template}");
    assert_eq!(server.problem("/tiles/parcels.json?encoding=pbf").0, 400);
}

#[test]
fn an_empty_tile_is_204_with_a_tag() {
    let server = Server::start();
    let got = server.get("/tiles/parcels/16/0/0");
    assert_eq!((got.status, got.bytes.len()), (204, 0));
    let etag = got.header("etag").to_owned();
    assert!(!etag.is_empty());
    assert_eq!(server.get_with("/tiles/parcels/16/0/0", &[("if-none-match", &etag)]).status, 304);
}

#[test]
fn the_order_of_ogc_is_row_then_column() {
    let server = Server::start();
    let at = tile_at(middle(0), 14);
    let parts: Vec<&str> = at.split('/').collect();
    let ours = server.get(&format!("/tiles/parcels/{at}"));
    let theirs = server.get(&format!(
        "/api/collections/parcels/tiles/WebMercatorQuad/{}/{}/{}",
        parts[0], parts[2], parts[1]
    ));
    assert_eq!((theirs.status, theirs.bytes), (200, ours.bytes));
}

#[test]
fn what_names_no_tile_is_refused() {
    let server = Server::start();
    for (path, status, word) in [
        ("/tiles/parcel/1/0/0", 404, "parcels"),
        ("/tiles/parcels,nix/1/0/0", 404, "nix"),
        ("/tiles/parcels/23/0/0", 404, "0 to 22"),
        ("/tiles/parcels/1/2/0", 404, "2^z"),
        ("/tiles/parcels/99999999999/0/0", 404, "0 to 22"),
        ("/tiles/parcels/a/0/0", 400, "zoom"),
        ("/tiles/parcels/1/-1/0", 400, "column"),
        ("/tiles/parcels/1/0/0.png", 400, "row"),
        ("/tiles/parcels/1/+0/0", 400, "column"),
        ("/tiles/parcels,parcels/1/0/0", 400, "twice"),
        ("/tiles/parcels/1/0/0?style=x", 400, "rev"),
        ("/tiles/parcels", 404, "json"),
        ("/tiles/nix.json", 404, "nearest"),
    ] {
        let (found, detail) = server.problem(path);
        assert!(found == status && detail.contains(word), "{path}: {found} {detail}");
    }
}

#[test]
fn tilejson_describes_what_the_tiles_hold_and_lets_them_be_kept() {
    let server = Server::start();
    let document = server.json("/tiles/parcels,roads.json");
    assert_eq!(document["tilejson"], "3.0.0");
    let layers = document["vector_layers"].as_array().unwrap();
    assert_eq!((layers.len(), &layers[0]["id"]), (2, &json!("parcels")));
    assert!(layers[0]["fields"].get("so_thua").is_some() && layers[0]["fields"].get("chủ_sử_dụng").is_none());
    let template = document["tiles"][0].as_str().unwrap();
    assert!(template.starts_with(&server.url("/tiles/parcels,roads/{z}/{x}/{y}?rev=")), "{template}");
    let (_, version) = template.split_once("?rev=").unwrap();
    let at = tile_at(middle(0), 16);
    let kept = server.get(&format!("/tiles/parcels,roads/{at}?rev={version}"));
    assert_eq!(kept.header("cache-control"), "public, max-age=31536000, immutable");
    for other in ["?rev=4", "?rev=x", ""] {
        assert_eq!(
            server.get(&format!("/tiles/parcels,roads/{at}{other}")).header("cache-control"),
            "no-cache"
        );
    }
    let single = server.json("/api/collections/parcels");
    let version = single["citymap"]["tilesVersion"].as_str().unwrap();
    assert_eq!(
        server.get(&format!("/tiles/parcels/{at}?rev={version}")).header("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[test]
fn another_city_of_the_same_revision_has_other_versions() {
    let one = Server::start();
    let store = crate::common::TestStore::default();
    let (layer, mut features) = crate::common::parcels();
    for own in &mut features {
        if let Some(geo::Geometry::Polygon(polygon)) = &mut own.geometry {
            polygon.exterior_mut(|ring| ring.0.iter_mut().for_each(|at| at.x += 1e-5));
        }
    }
    store.put(layer, features);
    let two = Server::with(store, |_| {});
    let version =
        |server: &Server| server.json("/api/collections/parcels")["citymap"]["tilesVersion"].clone();
    assert_ne!(version(&one), version(&two));
}

#[test]
fn a_crowd_asking_for_one_tile_gets_the_same_bytes() {
    let server = Arc::new(Server::with(crate::common::store(), |config| config.limits.queue = 64));
    let path = format!("/tiles/parcels/{}", tile_at(middle(0), 12));
    let crowd: Vec<_> = (0..24)
        .map(|_| {
            let (server, path) = (Arc::clone(&server), path.clone());
            thread::spawn(move || server.get(&path))
        })
        .collect();
    let answers: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
    assert!(answers.iter().all(|own| own.status == 200
        && own.bytes == answers[0].bytes
        && own.header("etag") == answers[0].header("etag")));
}
