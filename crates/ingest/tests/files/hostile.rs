//! Every hostile file gives a sound import or a clear error, and an error leaves the store as it was.

#![allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::path::{Path, PathBuf};

use crate::common::{City, city, real};
use citymap_ingest::ImportError;

fn all(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all(&path, out) } else { out.push(path) }
    }
    out.sort();
}

/// Imports into a new city, as [`attempt_into`].
fn attempt(path: &Path, crs: Option<&str>) -> Result<(u64, u64), String> {
    attempt_into(&city(), path, crs)
}

/// Imports, and checks what must hold whatever the file is. Gives (accepted, rejected) or the message.
fn attempt_into(city: &City, path: &Path, crs: Option<&str>) -> Result<(u64, u64), String> {
    let before = city.store.revision().unwrap();
    match city.import(path, |request| request.crs = crs.map(|crs| crs.parse().unwrap())) {
        Ok(report) => {
            assert_eq!(city.store.revision().unwrap(), before + 1);
            for issue in report.layers.iter().flat_map(|layer| &layer.issues) {
                assert!(!issue.reason.is_empty());
            }
            Ok((report.accepted, report.rejected))
        }
        Err(error) => {
            assert_eq!(city.store.revision().unwrap(), before, "{}: {error}", path.display());
            let message = error.to_string();
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(message.contains(&*name), "{message} does not name {name}");
            if let ImportError::Malformed { .. } = &error {
                assert!(message.contains("line ") || message.contains("layer "), "{message} names no place");
            }
            Err(message)
        }
    }
}

#[test]
fn all_hostile_files_are_imported_soundly_or_refused_clearly() {
    let Some(data) = real() else { return };
    let mut files = Vec::new();
    all(&data.join("hostile"), &mut files);
    let mut seen = 0;
    for path in files {
        let told = attempt(&path, Some("EPSG:4326"));
        println!("{}: {told:?}", path.strip_prefix(&data).unwrap().display());
        seen += 1;
    }
    assert!(seen > 250, "{seen}");
}

/// What is wrong by RFC 7946 (not by taste) is not accepted.
#[test]
fn geojson_that_breaks_a_rule_is_rejected_with_it() {
    let Some(data) = real() else { return };
    // Winding, precision, nesting, single-part collections, foreign members, a fourth number and boxes are
    // matters of taste: RFC 7946 lets readers accept them.
    let lenient = [
        "bad-polygon-interiorring-rhr",
        "polygon_winding_order",
        "excessive_precision_truncated",
        "feature_changed_semantics",
        "featurecollection_changed_semantics",
        "geometry_changed_semantics",
        "geometrycollection_nested",
        "geometrycollection_single",
        "point-toomany",
        "bbox-4or6elements",
        "bbox-contains-string",
        "bbox-string",
        "different-first-size",
    ];
    let mut files = Vec::new();
    all(&data.join("hostile/geojsonhint"), &mut files);
    let mut checked = 0;
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "geojson")) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        // `issue82` is good JSON, at 107 degrees south.
        let good = (path.parent().unwrap().ends_with("good") && stem != "issue82")
            || lenient.contains(&stem.as_str());
        let told = attempt(path, None);
        match told {
            Ok((accepted, rejected)) if good => {
                assert!(accepted > 0 && rejected == 0, "{stem}: {accepted} {rejected}");
            }
            Ok((_, rejected)) => assert!(rejected > 0, "{stem} was accepted"),
            Err(message) => assert!(!good, "{stem}: {message}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 44 + 18);
}

#[test]
fn tables_keep_what_is_sound_and_name_the_line_of_what_is_not() {
    let Some(data) = real() else { return };
    let csv = data.join("hostile/mapnik-csv");
    for (name, expected) in [
        ("64bit_int.csv", Ok((2, 0))),
        ("blank_rows.csv", Ok((2, 0))),
        ("mac_newlines.csv", Ok((1, 0))),
        ("windows_newlines_with_unix_inline.csv", Ok((1, 0))),
        ("semicolon_delimiters.csv", Ok((1, 0))),
        ("pipe_delimiters.csv", Ok((1, 0))),
        // One of its two rows is at 0, 0, far from the other.
        ("tabs.tsv", Ok((1, 1))),
        ("wkt.csv", Ok((9, 0))),
        ("geojson_2x_double_quote_filebakery_style.csv", Ok((9, 0))),
        ("fails/invalid_geometries.csv", Ok((1, 1))),
        ("warns/feature_id_counting.csv", Ok((2, 1))),
        ("more_headers_than_column_values.csv", Ok((1, 0))),
        ("fails/more_column_values_than_headers.csv", Err("line 2")),
        ("fails/mixed_separators.csv", Err("line 2")),
        ("fails/no_headers.csv", Err("names")),
        ("fails/needs_headers_one_line.csv", Err("names")),
        ("fails/blank.csv", Err("empty")),
        ("fails/cannot_read_a_vrt.vrt", Err("virtual")),
        ("fails/invalid_wkt.csv", Err("line 2")),
    ] {
        match (attempt(&csv.join(name), Some("EPSG:4326")), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{name}"),
            (Err(message), Err(word)) => assert!(message.contains(word), "{name}: {message}"),
            (found, expected) => panic!("{name}: {found:?} and not {expected:?}"),
        }
    }
}

#[test]
fn every_prefix_of_a_file_is_refused_or_sound() {
    let city = city();
    let whole = r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":1,
"properties":{"tên":"Đường \"A\""},"geometry":{"type":"Point","coordinates":[106.7,10.8]}}]}"#;
    for length in (0..whole.len()).filter(|length| whole.is_char_boundary(*length)) {
        let path = city.write("cut.geojson", &whole[..length]);
        let told = attempt_into(&city, &path, None);
        assert!(told.is_err(), "{length}: {told:?}");
    }
    assert_eq!(attempt_into(&city, &city.write("cut.geojson", whole), None), Ok((1, 0)));
}

#[test]
fn a_geopackage_or_shapefile_cut_short_is_refused() {
    let Some(data) = real() else { return };
    let city = city();
    let whole = std::fs::read(data.join("formats/communes.gpkg")).unwrap();
    let shp = std::fs::read(data.join("encodings/phuongxa_vn2000_utf8.shp")).unwrap();
    for part in [10, 100, 1_000, whole.len() / 2, whole.len() - 4_096] {
        let path = city.write("cut.gpkg", &whole[..part]);
        assert!(attempt_into(&city, &path, None).is_err(), "{part}");
        let path = city.write("cut.shp", &shp[..part.min(shp.len())]);
        assert!(attempt_into(&city, &path, Some("EPSG:9210")).is_err(), "{part}");
    }
}
