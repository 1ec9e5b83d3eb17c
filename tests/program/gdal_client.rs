//! GDAL as a client of the API: everything comes back as it was imported.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, path::Path, process::Command};

use citymap_tests::{Bench, real_data};

/// Imports, serves, fetches with `ogr2ogr`, and compares with the source feature by feature.
fn round_trip(file: &Path, key: Option<&str>) {
    let bench = Bench::new();
    let mut args = vec!["import", file.to_str().unwrap(), "--layer", "parcels"];
    args.extend(key.map(|key| ["--key", key]).iter().flatten());
    assert!(matches!(bench.run(&args).code(), Some(0 | 3)));
    let server = bench.serve();
    let out = bench.path("out.gpkg");
    let fetched = Command::new("ogr2ogr")
        .args(["-f", "GPKG"])
        .arg(&out)
        .arg(format!("OAPIF:{}/api", server.url()))
        .arg("parcels")
        .output()
        .unwrap();
    // GDAL warns where a layer has a field `id` next to the features' ids, and where polygons and
    // multi-polygons are mixed; neither loses anything.
    let said = String::from_utf8_lossy(&fetched.stderr);
    assert!(fetched.status.success() && !said.contains("ERROR"), "{said}");

    let (source, source_fields) = rows(&bench.store(), "parcels");
    let (back, back_fields) = rows(&out, "parcels");
    assert_eq!(back.len(), source.len());
    for field in &source_fields {
        assert!(back_fields.contains(field), "{field} is lost: {back_fields:?}");
    }
    // In the order of the feature numbers on both sides.
    for (n, (source, back)) in source.iter().zip(&back).enumerate() {
        assert_eq!(source.1, back.1, "geometry of feature {n}");
        for field in &source_fields {
            // Whole numbers beyond 2^53 come as text, digit for digit: GDAL's schema reader has no wide
            // integers.
            let value = |row: &BTreeMap<String, serde_json::Value>| {
                let value = row.get(field).cloned().unwrap_or_default();
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            };
            assert_eq!(value(&source.0), value(&back.0), "field {field} of feature {n}");
        }
    }
}

type Row = (BTreeMap<String, serde_json::Value>, serde_json::Value);

/// A table as GDAL reads it, to the last digit.
fn rows(file: &Path, table: &str) -> (Vec<Row>, Vec<String>) {
    let out = Command::new("ogr2ogr")
        .args([
            "-f",
            "GeoJSON",
            "-lco",
            "COORDINATE_PRECISION=15",
            "-lco",
            "SIGNIFICANT_FIGURES=17",
            "/vsistdout/",
        ])
        .arg(file)
        .arg(table)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let collection: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let rows: Vec<Row> = collection["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| {
            let properties = feature["properties"].as_object().unwrap();
            (
                properties.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                feature["geometry"].clone(),
            )
        })
        .collect();
    let fields = rows.first().map(|row| row.0.keys().cloned().collect()).unwrap_or_default();
    (rows, fields)
}

#[test]
fn the_cadastre_of_cambridge_comes_back() {
    let Some(file) = real_data("cambridge/parcels_fy2013.gpkg") else { return };
    round_trip(&file, None);
}

#[test]
fn the_communes_come_back() {
    let Some(file) = real_data("hcmc/hcmc_wards_2025.geojson") else { return };
    round_trip(&file, None);
}

#[test]
fn a_layer_of_every_type_comes_back() {
    let bench = Bench::new();
    let file = bench.path("types.geojson");
    let feature = |n: i32, properties: &str, geometry: &str| {
        format!(r#"{{"type":"Feature","id":{n},"properties":{properties},"geometry":{geometry}}}"#)
    };
    let features = [
        feature(
            1,
            r#"{"b":true,"i":1,"big":9007199254740993,"r":0.1,"t":"00123","d":"2025-07-01","late":null}"#,
            r#"{"type":"Point","coordinates":[106.1,10.1]}"#,
        ),
        feature(
            2,
            r#"{"b":false,"i":-2,"big":2,"r":2.5,"t":"Phường Bến Thành","d":"2026-01-31","late":null}"#,
            r#"{"type":"Point","coordinates":[106.123456789012,10.1]}"#,
        ),
        feature(
            3,
            r#"{"b":null,"i":null,"big":null,"r":null,"t":null,"d":null,"late":"x"}"#,
            r#"{"type":"Point","coordinates":[106.3,10.1]}"#,
        ),
    ];
    std::fs::write(&file, format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")))
        .unwrap();
    round_trip(&file, Some("t"));
}
