//! OGC API – Maps: pictures of the test city, by place, size, system and state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::{COLUMNS, CORNER, Got, SIDE, Server, middle, store};
use citymap_server::Config;
use image::RgbaImage;
use serde_json::Value;

const MAP: &str = "http://www.opengis.net/def/rel/ogc/1.0/map";

fn picture(got: &Got) -> RgbaImage {
    assert_eq!(got.status, 200, "{}", got.text());
    image::load_from_memory(&got.bytes).unwrap().into_rgba8()
}

/// The address of a picture of some parcels, 200 pixels wide.
fn parcels(more: &str) -> String {
    let [west, south] = CORNER;
    let (east, north) = (west + 10.0 * SIDE, south + 10.0 * SIDE);
    format!("/api/collections/parcels/map?bbox={west},{south},{east},{north}&width=200{more}")
}

/// The pixels that differ from the first one.
fn ink(picture: &RgbaImage) -> usize {
    let first = *picture.get_pixel(0, 0);
    picture.pixels().filter(|pixel| **pixel != first).count()
}

#[test]
fn pictures_are_found_by_links_and_say_where_they_are() {
    let server = Server::start();
    let declared = server.json("/api/conformance")["conformsTo"].to_string();
    assert!(declared.contains("ogcapi-maps-1/1.0/conf/dataset-map"));
    let landing = server.json("/api");
    let collection = server.json("/api/collections/parcels");
    for document in [&landing, &collection] {
        let links = document["links"].as_array().unwrap();
        let link = links.iter().find(|link| link["rel"] == MAP).unwrap();
        let path = link["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap();
        let got = server.get(path);
        assert!(ink(&picture(&got)) > 100, "{path}");
        assert_eq!(got.header("content-type"), "image/png");
        assert_eq!(got.header("content-bbox").split(',').count(), 4);
        assert_eq!(got.header("content-crs"), "", "CRS84 needs no header");
    }
    let got = server.get(&parcels(""));
    let drawn = picture(&got);
    assert_eq!(drawn.width(), 200);
    // As high as the box is on the ground: a degree of longitude is shorter than one of latitude.
    assert!((203..=205).contains(&drawn.height()), "{}", drawn.height());
    let numbers: Vec<f64> = got.header("content-bbox").split(',').map(|text| text.parse().unwrap()).collect();
    assert!((numbers[0] - CORNER[0]).abs() < 1e-9 && (numbers[3] - CORNER[1] - 10.0 * SIDE).abs() < 1e-9);
    let colors: std::collections::HashSet<_> = drawn.pixels().collect();
    assert!(colors.len() > 3, "two land uses and their borders");
}

#[test]
fn markers_and_a_caption_are_drawn_over_the_map_and_say_its_place() {
    let server = Server::start();
    let plain = picture(&server.get(&parcels("")));
    let [lon, lat] = middle(0);
    let marked = picture(&server.get(&parcels(&format!("&marker={lon},{lat}"))));
    let captioned = picture(&server.get(&parcels("&caption=Ng%E1%BA%ADp%20n%C6%B0%E1%BB%9Bc")));
    let changed = |other: &RgbaImage| -> Vec<u32> {
        let rows = 0..plain.height();
        rows.filter(|&y| (0..200).any(|x| plain.get_pixel(x, y) != other.get_pixel(x, y))).collect()
    };
    assert!((20..60).contains(&changed(&marked).len()), "a pin: {:?}", changed(&marked));
    let band = changed(&captioned);
    assert!(band[0] > plain.height() - 40 && band.last() == Some(&(plain.height() - 1)), "{band:?}");
    // Without another place the picture is around its marker, and around all of several.
    let got = server.get(&format!("/api/map?marker={lon},{lat}&width=400&height=200"));
    let bbox: Vec<f64> = got.header("content-bbox").split(',').map(|text| text.parse().unwrap()).collect();
    assert!(((bbox[0] + bbox[2]) / 2.0 - lon).abs() < 1e-6 && ((bbox[1] + bbox[3]) / 2.0 - lat).abs() < 1e-6);
    let metres = (bbox[3] - bbox[1]) * 111_000.0;
    assert!((390.0..410.0).contains(&metres), "{metres} m high");
    let got = server.get(&format!("/api/map?marker={lon},{lat};{},{lat}&width=300&caption=a", lon + 0.1));
    let bbox: Vec<f64> = got.header("content-bbox").split(',').map(|text| text.parse().unwrap()).collect();
    assert!(bbox[0] < lon && bbox[2] > lon + 0.1 && bbox[2] - bbox[0] < 0.2, "{bbox:?}");
    assert_eq!(picture(&got).dimensions(), (300, 300));
    for format in ["svg", "pdf", "jpeg"] {
        let got = server.get(&parcels(&format!("&marker={lon},{lat}&caption=T&f={format}")));
        assert_eq!(got.status, 200, "{format}");
    }
    for (bad, expected) in [
        ("&marker=106.7", "longitude,latitude"),
        ("&marker=10.7,106.7", "longitude,latitude"),
        ("&marker=nan,1", "longitude,latitude"),
        (&format!("&marker={}", ["1,1"; 21].join(";")), "up to 20"),
        (&format!("&caption={}", "x".repeat(301)), "at most 300"),
    ] {
        let (status, detail) = server.problem(&parcels(bad));
        assert!(status == 400 && detail.contains(expected), "{bad}: {status} {detail}");
    }
}

#[test]
fn every_style_and_appearance_can_be_drawn() {
    let server = Server::start();
    let styles = server.json("/api/styles");
    for entry in styles["styles"].as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        for appearance in ["light", "dark"] {
            for scale in [500, 2_000, 10_000, 100_000, 2_000_000] {
                let [lon, lat] = middle(30);
                let path = format!(
                    "/api/styles/{id}/map?center={lon},{lat}&scale-denominator={scale}&width=120&height=90\
                     &appearance={appearance}"
                );
                assert_eq!(picture(&server.get(&path)).dimensions(), (120, 90), "{path}");
            }
        }
        let of_layer = format!("/api/collections/roads/styles/{id}/map?width=64");
        assert_eq!(picture(&server.get(&of_layer)).width(), 64);
    }
    assert_eq!(server.problem("/api/styles/nothing/map").0, 404);
    assert_eq!(server.problem("/api/collections/nothing/map").0, 404);
}

#[test]
fn a_picture_in_vn2000_has_its_scale() {
    let server = Server::start();
    let [lon, lat] = middle(12 * COLUMNS + 12);
    // At 1:1 000 and 0.28 mm a pixel is 28 cm.
    let path = format!(
        "/api/collections/parcels/map?center={lon},{lat}&scale-denominator=1000&width=300&height=200\
         &crs=EPSG:9210"
    );
    let got = server.get(&path);
    assert_eq!(got.header("content-crs"), "<http://www.opengis.net/def/crs/EPSG/0/9210>");
    let bbox: Vec<f64> = got.header("content-bbox").split(',').map(|text| text.parse().unwrap()).collect();
    assert!((bbox[2] - bbox[0] - 84.0).abs() < 1e-6 && (bbox[3] - bbox[1] - 56.0).abs() < 1e-6, "{bbox:?}");
    // The same box in its own system gives the same picture.
    let again = format!(
        "/api/collections/parcels/map?bbox={},{},{},{}&bbox-crs=EPSG:9210&width=300&height=200&crs=EPSG:9210",
        bbox[0], bbox[1], bbox[2], bbox[3]
    );
    assert!(picture(&server.get(&again)) == picture(&got));
    // EPSG:4326 has latitude first.
    let got = server.get(&format!("/api/map?center={lon},{lat}&width=50&crs=EPSG:4326"));
    assert!(got.header("content-bbox").starts_with("10.7"), "{}", got.header("content-bbox"));
    let finer = server.get(&format!("{path}&mm-per-pixel=0.14"));
    let bbox: Vec<f64> = finer.header("content-bbox").split(',').map(|text| text.parse().unwrap()).collect();
    assert!((bbox[2] - bbox[0] - 42.0).abs() < 1e-6, "half as much ground on as many pixels: {bbox:?}");
}

#[test]
fn formats_and_grounds_are_those_asked_for() {
    let server = Server::start();
    for (more, accept, kind) in [
        ("", "*/*", "image/png"),
        ("&f=jpeg", "image/png", "image/jpeg"),
        ("", "image/webp", "image/webp"),
        ("", "image/png;q=0.5, image/jpeg", "image/jpeg"),
        ("", "text/html", "image/png"),
    ] {
        let got = server.get_with(&parcels(more), &[("accept", accept)]);
        assert_eq!(got.header("content-type"), kind, "{more} {accept}");
        assert_eq!(picture(&got).width(), 200);
    }
    let svg = server.get(&parcels("&f=svg"));
    assert_eq!((svg.status, svg.header("content-type")), (200, "image/svg+xml"));
    assert!(svg.text().starts_with("<svg ") && svg.text().matches("<path ").count() > 2, "{}", svg.text());
    let pdf = server.get(&parcels("&f=pdf&mm-per-pixel=0.5"));
    assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    // 200 pixels of half a millimetre.
    let size = format!("/MediaBox [0 0 {:.3} ", 100.0 * 72.0 / 25.4);
    assert!(String::from_utf8_lossy(&pdf.bytes).contains(&size), "{size}");
    assert_eq!(pdf.bytes, server.get(&parcels("&f=pdf&mm-per-pixel=0.5")).bytes);
    let far = |more: &str| {
        let path = format!("/api/collections/parcels/map?center=107.5,11.5&width=8&height=8{more}");
        *picture(&server.get(&path)).get_pixel(4, 4)
    };
    assert_eq!(far("&transparent=true").0[3], 0);
    assert_eq!(far("&bgcolor=0xFF8000").0, [255, 128, 0, 255]);
    assert_eq!(far("&bgcolor=White").0, [255; 4]);
    assert_eq!(far("").0[3], 255, "the ground of the style");
    assert_ne!(far("").0, far("&appearance=dark").0);
    assert!(server.problem(&parcels("&bgcolor=nothing")).1.contains("0xRRGGBB"));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let server = Server::with(store(), |config: &mut Config| {
        config.limits.map_side_max = 1_000;
        config.limits.map_pixels_max = 500_000;
    });
    for (query, status, part) in [
        ("center=106.7,10.77&bbox=106.6,10.7,106.7,10.8", 400, "one of them"),
        ("bbox=106.6,10.7,106.7,10.8&width=10&scale-denominator=1000", 400, "`scale-denominator`"),
        ("bbox=170,10,-170,11", 400, "antimeridian"),
        ("bbox=106.7,10.8,106.7,10.9", 400, "no area"),
        ("bbox=1,2,3", 400, "neither four nor six"),
        ("center=106.7", 400, "two numbers"),
        ("center=x,y", 400, "two numbers"),
        ("width=0", 400, "from 1 to 1000"),
        ("width=1001", 400, "from 1 to 1000"),
        ("width=1000&height=1000", 413, "too large"),
        ("bbox=106.6,10.7,106.7,10.8&scale-denominator=100", 413, "too large"),
        ("width=10&crs=EPSG:27700", 400, "not offered"),
        ("f=tiff", 400, "png or jpeg or webp"),
        ("styles=a", 400, "styles"),
    ] {
        let (got, detail) = server.problem(&format!("/api/collections/parcels/map?{query}"));
        assert!(got == status && detail.contains(part), "{query}: {got} {detail}");
    }
    // One side follows from the other, and is bounded too.
    let (status, detail) = server.problem("/api/map?bbox=106,10.7,107,10.701&height=900");
    assert!(status == 413 && detail.contains("1000 on a side"), "{detail}");
    let limits = &server.json("/api/openapi.json")["info"]["x-OGC-limits"]["maps"];
    assert_eq!((limits["maxWidth"].as_u64(), limits["maxPixels"].as_u64()), (Some(1_000), Some(500_000)));
}

#[test]
fn a_known_picture_is_not_sent_again_until_the_city_changes() {
    let server = Server::writing();
    let first = server.get(&parcels(""));
    let etag = first.header("etag").to_owned();
    let again = |path: &str| server.get_with(path, &[("if-none-match", &etag)]).status;
    assert_eq!(again(&parcels("")), 304);
    assert_eq!(again(&parcels("&appearance=dark")), 200, "another picture has another tag");
    assert_eq!(again(&parcels("&f=webp")), 200);
    let path = "/api/collections/parcels/items/26740-1-0";
    let seen = server.get(path).header("etag").to_owned();
    assert_eq!(server.write("DELETE", path, Some(&seen), None).status, 204);
    let changed = server.get_with(&parcels(""), &[("if-none-match", &etag)]);
    let (before, after) = (picture(&first), picture(&changed));
    let bottom = after.height() - 5;
    assert_ne!(before.get_pixel(5, bottom), after.get_pixel(5, bottom), "the parcel is gone");
    assert_eq!(before.get_pixel(150, 20), after.get_pixel(150, 20));
    // The city as it was.
    let former = picture(&server.get(&parcels("&revision=1")));
    assert!(former == before);
}

#[test]
fn valid_time_and_personal_fields_are_respected() {
    let server = Server::start();
    let before = picture(&server.get(&parcels("&datetime=2019-01-01")));
    let after = picture(&server.get(&parcels("&datetime=2030-01-01")));
    assert!(ink(&before) * 2 < ink(&after), "{} {}", ink(&before), ink(&after));
    // The document of the style, from which pictures are drawn, knows no personal field.
    let style: Value = server.json("/api/collections/parcels/styles/cadastre?f=json");
    assert!(!style.to_string().contains("chủ_sử_dụng"));
}

/// The address of the map tile of zoom 17 in which a parcel lies, and its column.
fn tile_of(parcel: usize) -> (String, u32) {
    let tile = citymap_tile::TileId::at(middle(parcel), 17).unwrap();
    (format!("/api/map/tiles/WebMercatorQuad/17/{}", tile.y()), tile.x())
}

#[test]
fn maps_are_tiles_too() {
    let server = Server::start();
    let declared = server.json("/api/conformance")["conformsTo"].to_string();
    assert!(declared.contains("ogcapi-maps-1/1.0/conf/tilesets"));
    for (owner, path) in [
        ("/api", "/api/map/tiles"),
        ("/api/collections/parcels", "/api/collections/parcels/map/tiles"),
        ("", "/api/styles/plan/map/tiles"),
        ("", "/api/collections/roads/styles/streets/map/tiles"),
    ] {
        if !owner.is_empty() {
            let links = server.json(owner)["links"].to_string();
            assert!(links.contains("tilesets-map") && links.contains(path), "{links}");
        }
        let list = server.json(path);
        assert_eq!(list["tilesets"][0]["dataType"], "map");
        let tileset = server.json(&format!("{path}/WebMercatorQuad?lang=en&appearance=dark"));
        assert!(tileset["style"]["id"].is_string() && tileset["tileMatrixSetLimits"].is_array(), "{tileset}");
        let links = tileset["links"].as_array().unwrap();
        let template = links.iter().find(|link| link["type"] == "image/webp").unwrap();
        let href = template["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap();
        let (_, column) = tile_of(30);
        let row = citymap_tile::TileId::at(middle(30), 17).unwrap().y();
        let href = href.replace("{tileMatrix}", "17").replace("{tileRow}", &row.to_string());
        let got = server.get(&href.replace("{tileCol}", &column.to_string()));
        assert_eq!(got.header("content-type"), "image/webp", "{href}");
        assert_eq!(picture(&got).dimensions(), (256, 256));
        assert!(href.contains("lang=en") && href.contains("appearance=dark"), "{href}");
    }
}

#[test]
fn a_map_tile_is_a_part_of_the_picture_of_its_place() {
    let server = Server::start();
    let (path, column) = tile_of(30);
    let tile = picture(&server.get(&format!("{path}/{column}?collections=parcels")));
    assert!(ink(&tile) > 1_000);
    // Twice the pixels show the same.
    let double = picture(&server.get(&format!("{path}/{column}@2x.png?collections=parcels")));
    assert_eq!(double.dimensions(), (512, 512));
    let half = image::imageops::thumbnail(&double, 256, 256);
    let far = |a: &image::Rgba<u8>, b: &image::Rgba<u8>| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 60);
    let differing = tile.pixels().zip(half.pixels()).filter(|(a, b)| far(a, b)).count();
    assert!(differing < 256 * 256 / 10, "{differing} pixels differ");
    // The picture of the same square, without labels at its edge.
    let side = 2.0 * std::f64::consts::PI * 6_378_137.0 / f64::from(1 << 17);
    let half_world = side * f64::from(1 << 16);
    let row: u32 = path.rsplit_once('/').unwrap().1.parse().unwrap();
    let [west, north] = [f64::from(column) * side - half_world, half_world - f64::from(row) * side];
    let (east, south) = (west + side, north - side);
    let of_box = format!(
        "/api/map?bbox={west},{south},{east},{north}&bbox-crs=EPSG:3857&crs=EPSG:3857&width=256&height=256\
         &collections=parcels"
    );
    let whole = picture(&server.get(&of_box));
    let differing = tile.pixels().zip(whole.pixels()).filter(|(a, b)| far(a, b)).count();
    assert!(differing < 256 * 256 / 20, "{differing} pixels differ");
    // All four tiles of zoom 1, and the world.
    for path in ["0/0/0", "1/0/0", "1/0/1", "1/1/0", "1/1/1", "22/0/4194303"] {
        let got = server.get(&format!("/api/map/tiles/WebMercatorQuad/{path}.jpg"));
        assert_eq!((picture(&got).dimensions(), got.header("content-type")), ((256, 256), "image/jpeg"));
    }
    for (path, status, part) in [
        ("/api/map/tiles/WebMercatorQuad/23/0/0", 404, "zoom levels are 0 to 22"),
        ("/api/map/tiles/WebMercatorQuad/1/0/2.png", 404, "no tile"),
        ("/api/map/tiles/WebMercatorQuad/1/0/0.tiff", 400, "not a valid column"),
        ("/api/map/tiles/WebMercatorQuad/1/0/0?f=svg", 400, "png or jpeg or webp"),
        ("/api/map/tiles/WebMercatorQuad/1/0/0?bgcolor=x", 400, "0xRRGGBB"),
        ("/api/map/tiles/WebMercatorQuad/1/0/0?collections=nothing", 400, "nothing"),
        ("/api/styles/nothing/map/tiles/WebMercatorQuad/1/0/0", 404, "nothing"),
        ("/api/styles/nothing/map/tiles", 404, "nothing"),
        ("/api/collections/nothing/map/tiles", 404, "nothing"),
        ("/api/collections/parcels/map/tiles/WebMercatorQuad/1/0/0?collections=roads", 400, "collections"),
    ] {
        let (got, detail) = server.problem(path);
        assert!(got == status && detail.contains(part), "{path}: {got} {detail}");
    }
}

#[test]
fn a_map_tile_changes_with_what_it_shows_and_with_nothing_else() {
    let server = Server::writing();
    let (path, column) = tile_of(0);
    let near = format!("{path}/{column}?collections=parcels");
    // Some blocks of tiles away.
    let far = format!("{path}/{}?collections=parcels", column + 40);
    let tag = |path: &str| server.get(path).header("etag").to_owned();
    let (before, beside) = (tag(&near), tag(&far));
    assert_eq!(server.get_with(&near, &[("if-none-match", &before)]).status, 304);
    let item = "/api/collections/parcels/items/26740-1-0";
    let seen = server.get(item).header("etag").to_owned();
    assert_eq!(server.write("DELETE", item, Some(&seen), None).status, 204);
    assert_eq!(server.get_with(&near, &[("if-none-match", &before)]).status, 200, "the parcel is gone");
    assert_eq!(tag(&far), beside);
    assert_eq!(tag(&format!("{near}&revision=1")), before, "as it was");
    let ground = |more: &str| *picture(&server.get(&format!("{far}{more}"))).get_pixel(128, 128);
    assert_eq!(ground("&transparent=true").0[3], 0);
    assert_eq!(ground("&bgcolor=0xFF8000").0, [255, 128, 0, 255]);
}
