//! `citymap export`.

use std::os::unix::fs::PermissionsExt as _;

use citymap_tests::Bench;
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
fn where_chooses_the_features_that_are_written() {
    let bench = wells();
    for (n, (filter, expected)) in [
        ("sau > 10 AND S_WITHIN(geometry,BBOX(106,10,107,11))", vec!["A1"]),
        (r#"{"op":"isNull","args":[{"property":"ten"}]}"#, vec!["A3"]),
        ("CASEI(ma) LIKE 'a%'", vec!["A1", "A3"]),
        ("sau > 100", vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("{n}.geojson");
        let report = bench.expect(0, ["--json", "export", "wells", "--where", filter, "--to", &to]).json();
        assert_eq!(report["written"], expected.len(), "{filter}");
        let found: Value = serde_json::from_slice(&std::fs::read(bench.path(&to)).unwrap()).unwrap();
        let keys: Vec<&Value> = found["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feature| &feature["properties"]["ma"])
            .collect();
        assert_eq!(keys, expected, "{filter}");
    }
    let unknown = refused(&bench, ["export", "wells", "--where", "depth > 10", "--to", "x.csv"]);
    assert!(unknown.contains("`depth`") && unknown.contains("sau"), "{unknown}");
    let garbled = bench.expect(2, ["export", "wells", "--where", "sau >", "--to", "x.csv"]);
    assert!(garbled.stderr().contains("at character 6"));
    assert!(!bench.path("x.csv").exists());
}

#[test]
fn explain_says_how_a_filter_finds_its_features() {
    let bench = wells();
    for (filter, index, candidates, found) in [
        ("ma = 'A1'", "key", 1, 1),
        ("S_WITHIN(geometry,BBOX(1,1,2,2))", "space", 0, 0),
        ("sau > 10", "none", 2, 1),
    ] {
        let plan = bench.expect(0, ["--json", "explain", "wells", "--where", filter]).json();
        assert_eq!(plan["index"], index, "{plan}");
        assert_eq!((&plan["candidates"], &plan["found"]), (&candidates.into(), &found.into()), "{plan}");
        assert_eq!(plan["tested"], plan["candidates"], "{plan}");
    }
    let text = bench.expect(0, ["explain", "wells", "--where", "ma = 'A1'"]).stdout();
    assert!(text.contains("the index of the key") && text.contains("1 of 2 features"), "{text}");
    let unknown = refused(&bench, ["explain", "wells", "--where", "depth > 10"]);
    assert!(unknown.contains("`depth`") && unknown.contains("sau"), "{unknown}");
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

#[test]
fn personal_fields_are_left_out_unless_asked_for_and_never_quoted() {
    let bench = Bench::new();
    let people: String = (0..30)
        .map(|at| format!("P{at},079{at:09},{},\"=1+{at}\",106.7,10.77\n", 123_456_789_012_345_u64 + at))
        .collect();
    let table = format!("ma,cccd,cmnd,Tên đường phố,lon,lat\n{people}");
    std::fs::write(bench.path("p.csv"), table).unwrap();
    bench.expect(0, ["import", "p.csv", "--layer", "p", "--crs", "EPSG:4326", "--type", "cmnd=real"]);
    for ending in ["csv", "shp", "tab", "kml", "fgb", "gpkg"] {
        // A Shapefile and a CSV have a .prj each.
        let (open, all) = (format!("open_{ending}.{ending}"), format!("all_{ending}.{ending}"));
        let run = bench.expect(0, ["export", "p", "--to", &open]);
        assert!(run.stdout().contains("personal fields were left out: cccd, cmnd (--personal"), "{ending}");
        let written = bench.expect(0, ["export", "p", "--to", &all, "--personal"]);
        for run in [&run, &written] {
            let text = format!("{}{}", run.stdout(), run.stderr());
            assert!(!text.contains("07900000") && !text.contains("12345678"), "{ending}: {text}");
        }
        let mode = std::fs::metadata(bench.path(&all)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{ending}");
        let beside = if ending == "shp" { "dbf" } else { ending };
        let bytes = std::fs::read(bench.path(&format!("open_{ending}.{beside}"))).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("079000000"), "{ending} holds personal values");
        if ["shp", "tab"].contains(&ending) {
            let name = if ending == "shp" { "`Ten_duong_`" } else { "`Ten_duong_pho`" };
            assert!(run.stdout().contains(name), "{ending}: {}", run.stdout());
            // What is written comes back whole.
            bench.expect(0, ["import", &all, "--layer", ending]);
            let field = name.trim_matches('`');
            bench.expect(0, ["export", ending, "--to", &format!("{ending}.geojson"), "--personal"]);
            let text = std::fs::read(bench.path(&format!("{ending}.geojson"))).unwrap();
            let found: Value = serde_json::from_slice(&text).unwrap();
            let last = &found["features"][29]["properties"];
            assert_eq!((&last[field], &last["cmnd"]), (&json!("=1+29"), &json!(123_456_789_012_374_f64)));
        }
    }
}

#[test]
fn a_spreadsheet_gets_no_formulas() {
    let bench = Bench::new();
    let texts = ["=1+1", "+84", "-1", "@SUM(A1)", "plain", "a=b"];
    let rows: String = texts.iter().map(|text| format!("{text},-5,106.7,10.77\n")).collect();
    std::fs::write(bench.path("f.csv"), format!("ten,so,lon,lat\n{rows}")).unwrap();
    bench.expect(0, ["import", "f.csv", "--layer", "f", "--crs", "EPSG:4326"]);
    let run = bench.expect(0, ["export", "f", "--to", "excel.csv", "--excel"]);
    assert!(run.stdout().contains("4 texts that begin like a formula"), "{}", run.stdout());
    let text = std::fs::read_to_string(bench.path("excel.csv")).unwrap();
    assert!(
        text.starts_with('\u{feff}') && text.contains(",'=1+1,-5,") && text.contains(",plain,-5,"),
        "{text}"
    );
    bench.expect(0, ["export", "f", "--to", "plain.csv"]);
    let text = std::fs::read_to_string(bench.path("plain.csv")).unwrap();
    assert!(text.starts_with("WKT,ten,so") && text.contains(",=1+1,-5,"), "{text}");
    assert!(refused(&bench, ["export", "f", "--to", "f.gpkg", "--excel"]).contains(".csv"));
}
