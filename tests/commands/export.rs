//! `citymap export`.

use serde_json::{Value, json};

use crate::{refused, wells};

#[test]
fn a_layer_is_written_with_every_value() {
    let bench = wells();
    bench.expect(0, ["export", "wells", "--to", "out.geojson"]);
    let text = std::fs::read(bench.path("out.geojson")).unwrap();
    let found: Value = serde_json::from_slice(&text).unwrap();
    let features = found["features"].as_array().unwrap();
    assert_eq!(features.len(), 2);
    let first = features.iter().find(|feature| feature["properties"]["ma"] == "A1").unwrap();
    assert_eq!(first["properties"], json!({ "ma": "A1", "ten": "Giếng số 1", "sau": 32.5 }));
    assert_eq!(first["geometry"], json!({ "type": "Point", "coordinates": [106.7, 10.77] }));
}

#[test]
fn a_former_state_and_another_system_are_written() {
    let bench = wells();
    let args = ["--json", "export", "wells", "--as-of", "1", "--crs", "EPSG:9210", "--to", "wells.csv"];
    let report = bench.expect(0, args).json();
    assert_eq!((&report["written"], &report["driver"]), (&2.into(), &"CSV".into()));
    let text = std::fs::read_to_string(bench.path("wells.csv")).unwrap();
    assert!(text.contains("A2") && !text.contains("A3"), "{text}");
    // Metres on the grid of the city.
    assert!(text.contains("POINT (603701.19"), "{text}");
}

#[test]
fn a_shapefile_comes_back_in_pyshp() {
    let bench = wells();
    bench.expect(0, ["export", "wells", "--to", "wells.shp"]);
    let Some(mut python) = citymap_tests::python() else { return };
    let script = "
import json, shapefile, sys
with shapefile.Reader(sys.argv[1]) as file:
    print(json.dumps([[list(each.shape.points[0]), each.record.as_dict()] for each in file.shapeRecords()]))
";
    let out = python.args(["-c", script]).arg(bench.path("wells.shp")).output().unwrap();
    let found: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out.stderr)));
    assert_eq!(
        found,
        json!([
            [[106.7, 10.77], { "ma": "A1", "ten": "Giếng số 1", "sau": 32.5 }],
            // The format has no absent texts.
            [[106.72, 10.79], { "ma": "A3", "ten": "", "sau": 9.0 }],
        ])
    );
}

#[test]
fn existing_files_unknown_layers_and_formats_are_refused() {
    let bench = wells();
    bench.expect(0, ["export", "wells", "--to", "wells.csv"]);
    assert!(refused(&bench, ["export", "wells", "--to", "wells.csv"]).contains("wells.csv"));
    assert!(refused(&bench, ["export", "wells", "--to", "wells.xyz"]).contains(".gpkg"));
    assert!(refused(&bench, ["export", "nope", "--to", "nope.csv"]).contains("`nope`"));
    assert!(!bench.path("nope.csv").exists());
}
