//! `citymap overlay`. That its areas are right is tested against PostGIS in `tests/program/overlay.rs`.

use citymap_tests::{Bench, python, root};
use serde_json::Value;

use crate::{city, refused};

/// What DuckDB finds in a CSV or GeoParquet file: names of the columns, and rows; `None` if the test is
/// skipped.
fn read(bench: &Bench, file: &str) -> Option<(Vec<String>, Vec<Value>)> {
    let out =
        python()?.arg(root().join("crates/output/tests/read.py")).arg(bench.path(file)).output().unwrap();
    let found: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out.stderr)));
    let names = found["columns"].as_array().unwrap().iter();
    let names = names.map(|column| column[0].as_str().unwrap().to_owned()).collect();
    Some((names, found["rows"].as_array().unwrap().clone()))
}

#[test]
fn every_piece_is_a_row_with_its_area() {
    let bench = city();
    for file in ["pieces.parquet", "pieces.csv"] {
        let summary = bench.expect(0, ["--json", "overlay", "parcels", "zones", "--out", file]).json();
        assert_eq!(summary["rowsA"], 100);
        assert_eq!(summary["bytes"], std::fs::metadata(bench.path(file)).unwrap().len());
        let Some((names, rows)) = read(&bench, file) else { return };
        assert_eq!(summary["pieces"], rows.len(), "{file}");
        let at = |name: &str| names.iter().position(|found| found == name).unwrap();
        let number = |cell: &Value| cell.as_f64().or_else(|| cell.as_str()?.parse().ok()).unwrap();
        let area: f64 = rows.iter().map(|row| number(&row[at("area_m2")])).sum();
        assert!((area - summary["area"].as_f64().unwrap()).abs() < 1e-6, "{area} {summary}");
        for row in &rows {
            assert!(number(&row[at("parcels_share")]) <= 1.0 + 1e-9, "{row}");
            let shape = names.iter().position(|name| name == "geometry" || name == "wkt").unwrap();
            assert!(row[shape]["type"].as_str().unwrap().ends_with("Polygon"), "{row}");
        }
    }
}

#[test]
fn a_geopackage_and_a_file_without_shapes_hold_the_same_pieces() {
    let bench = city();
    let plain =
        bench.expect(0, ["--json", "overlay", "parcels", "zones", "--no-geometry", "--out", "plain.csv"]);
    let text = std::fs::read_to_string(bench.path("plain.csv")).unwrap();
    assert!(text.lines().next().unwrap().ends_with("parcels_share,zones_share"), "{text}");
    let summary = bench.expect(0, ["--json", "overlay", "parcels", "zones", "--out", "pieces.gpkg"]).json();
    assert_eq!(summary["pieces"], plain.json()["pieces"]);
    if !citymap_tests::installed("ogrinfo", "gdal-bin") {
        return;
    }
    let out = std::process::Command::new("ogrinfo")
        .args(["-so", "-al"])
        .arg(bench.path("pieces.gpkg"))
        .output()
        .unwrap();
    let info = String::from_utf8_lossy(&out.stdout);
    assert!(info.contains(&format!("Feature Count: {}", summary["pieces"])), "{info}");
}

#[test]
fn filters_a_feature_and_an_area_choose_rows() {
    let bench = city();
    let run = |args: &[&str], file: &str| {
        let mut all = vec!["--json", "overlay", "parcels", "zones", "--no-geometry", "--out", file];
        all.extend(args);
        bench.expect(0, all).json()
    };
    let all = run(&[], "all.csv");
    let some = run(&["--filter", "parcels.loai_dat=ODT"], "some.csv");
    assert!(some["rowsA"].as_u64().unwrap() < all["rowsA"].as_u64().unwrap());
    let text = std::fs::read_to_string(bench.path("some.csv")).unwrap();
    assert!(text.lines().skip(1).all(|line| line.contains(",ODT,")), "{text}");
    assert_eq!(run(&["--feature", "26740-1-1"], "one.csv")["rowsA"], 1);
    let square = r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}"#;
    std::fs::write(bench.path("far.geojson"), square).unwrap();
    assert_eq!(run(&["--within", "far.geojson"], "none.csv")["pieces"], 0);
}

#[test]
fn what_cannot_be_done_is_told_and_leaves_no_file() {
    let bench = city();
    let told = |args: &[&str]| {
        let mut all = vec!["overlay", "parcels", "zones", "--out", "x.csv"];
        all.extend(args);
        let run = bench.expect(1, all);
        assert!(!bench.path("x.csv").exists());
        run.stderr()
    };
    assert!(told(&["--filter", "nope"]).contains("LAYER.FIELD=VALUE"));
    assert!(told(&["--filter", "parcels.nope=1"]).contains("`nope`"));
    assert!(told(&["--feature", "nope"]).contains("`nope`"));
    assert!(told(&["--within", "missing.geojson"]).contains("missing.geojson"));
    assert!(refused(&bench, ["overlay", "parcels", "nope", "--out", "x.csv"]).contains("`nope`"));
    assert!(refused(&bench, ["overlay", "parcels", "zones", "--out", "x.xyz"]).contains(".parquet"));
    bench.expect(0, ["overlay", "parcels", "zones", "--out", "x.csv"]);
    assert!(refused(&bench, ["overlay", "parcels", "zones", "--out", "x.csv"]).contains("x.csv"));
    assert_eq!(bench.run(["overlay", "addresses", "hydrants", "--out", "y.csv"]).code(), Some(1));
}
