//! `citymap import` on real data, as GIS staff would run it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use citymap_model::{Feature, Value};
use citymap_tests::{Bench, Run, real_data};
use geo::CoordsIter;

fn import(bench: &Bench, code: i32, file: &Path, layer: &str, more: &[&str]) -> Run {
    let mut args = vec!["--json", "import", file.to_str().unwrap(), "--layer", layer];
    args.extend(more);
    bench.expect(code, args)
}

fn count(report: &serde_json::Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// All features of a layer, from the store.
fn features(bench: &Bench, layer: &str) -> (citymap_model::Layer, Vec<Feature>) {
    let store = citymap_store::open(bench.store().to_str().unwrap(), false).unwrap();
    let view = store.view().unwrap();
    let id = layer.parse().unwrap();
    let layer = view.layers().unwrap().into_iter().find(|entry| entry.layer.id == id).unwrap().layer;
    let mut features = Vec::new();
    view.read(&id, &mut |feature| {
        features.push(feature);
        Ok(())
    })
    .unwrap();
    (layer, features)
}

#[test]
fn the_168_communes() {
    let Some(file) = real_data("hcmc/hcmc_wards_2025.geojson") else { return };
    let bench = Bench::new();
    let report =
        import(&bench, 0, &file, "communes", &["--role", "admin_unit", "--data-date", "2025-07-01"]).json();
    assert_eq!(
        (count(&report, "read"), count(&report, "accepted"), count(&report, "rejected")),
        (168, 168, 0)
    );
    // WGS 84 in, WGS 84 out: not a bit differs.
    let source: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let (_, features) = features(&bench, "communes");
    for (feature, source) in features.iter().zip(source["features"].as_array().unwrap()) {
        let mut numbers = Vec::new();
        flatten(&source["geometry"]["coordinates"], &mut numbers);
        let stored: Vec<f64> =
            feature.geometry.as_ref().unwrap().coords_iter().flat_map(|coord| [coord.x, coord.y]).collect();
        assert_eq!(stored, numbers);
    }
}

fn flatten(value: &serde_json::Value, numbers: &mut Vec<f64>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| flatten(item, numbers)),
        other => numbers.push(other.as_f64().unwrap()),
    }
}

#[test]
fn the_cadastre_of_cambridge_with_its_invalid_parcels() {
    let Some(file) = real_data("cambridge/parcels_fy2013.gpkg") else { return };
    let bench = Bench::new();
    let run = bench.run([
        "--json",
        "import",
        file.to_str().unwrap(),
        "--layer",
        "parcels",
        "--role",
        "parcel",
        "--key",
        "ML",
    ]);
    let report = run.json();
    let (read, accepted, rejected) =
        (count(&report, "read"), count(&report, "accepted"), count(&report, "rejected"));
    assert_eq!(read, 13_159);
    assert_eq!(read, accepted + rejected);
    assert_eq!(run.code(), Some(if rejected > 0 { 3 } else { 0 }));
    let layer = &report["layers"][0];
    assert_eq!(count(layer, "repaired") + rejected, 24, "each invalid parcel is repaired or rejected");
    assert!(count(layer, "duplicate_keys") > 0, "ML is not unique");
    let issues = layer["issues"].as_array().unwrap();
    let listed = |kind: &str| issues.iter().filter(|issue| issue["kind"] == kind).count() as u64;
    assert_eq!(listed("reject"), rejected);
    assert_eq!(listed("repair"), count(layer, "repaired"));
    for issue in issues.iter().filter(|issue| issue["kind"] != "warning") {
        assert!(issue["feature"].is_u64() && !issue["reason"].as_str().unwrap().is_empty(), "{issue}");
    }
    if rejected > 0 {
        let rejects = report["rejects_file"].as_str().unwrap();
        let info = std::process::Command::new("ogrinfo").args(["-al", "-so", rejects]).output().unwrap();
        assert!(String::from_utf8_lossy(&info.stdout).contains(&format!("Feature Count: {rejected}")));
    }
    assert_eq!(features(&bench, "parcels").1.len() as u64, accepted);
}

#[test]
fn openstreetmap_by_themes() {
    let Some(file) = real_data("hcmc/hcm_2018.osm.pbf") else { return };
    let bench = Bench::new();
    let run = bench.run(["--json", "import", file.to_str().unwrap(), "--layer", "osm"]);
    assert!(matches!(run.code(), Some(0 | 3)), "{}", run.stderr());
    let report = run.json();
    let accepted = |id: &str| {
        let layers = report["layers"].as_array().unwrap();
        count(
            layers.iter().find(|layer| layer["id"] == id).unwrap_or_else(|| panic!("no {id}: {report}")),
            "accepted",
        )
    };
    assert!(accepted("osm_buildings") >= 5_000);
    // The extract has 33 056 ways with a highway tag (`ogrinfo -sql` on GDAL's lines and areas), not more.
    assert!(accepted("osm_roads") >= 33_000);
    assert!(accepted("osm_addresses") >= 21_000);
    assert!(accepted("osm_water") > 0 && accepted("osm_places") > 0 && accepted("osm_boundaries") > 0);
}

#[test]
fn a_shapefile_in_tcvn3_without_a_code_page() {
    let Some(legacy) = real_data("encodings/phuongxa_vn2000_tcvn3.shp") else { return };
    let Some(utf8) = real_data("encodings/phuongxa_vn2000_utf8.shp") else { return };
    let bench = Bench::new();
    let report = import(&bench, 0, &legacy, "legacy", &[]).json();
    assert_eq!(count(&report, "accepted"), 168);
    assert_eq!(report["layers"][0]["crs"]["crs"], "EPSG:9210");
    import(&bench, 0, &utf8, "plain", &[]);
    let ((layer, legacy), (_, plain)) = (features(&bench, "legacy"), features(&bench, "plain"));
    let texts = |feature: &Feature| -> Vec<String> {
        let text = |value: &Value| value.to_key().unwrap_or_default().to_lowercase();
        feature.values.iter().map(text).collect()
    };
    assert!(layer.fields.len() > 1);
    assert_eq!(legacy.len(), 168);
    for (legacy, plain) in legacy.iter().zip(&plain) {
        assert_eq!(texts(legacy), texts(plain));
    }
    // The same places as the GeoJSON that both were made from: 2 mm, where the wrong shift is 80 cm off.
    let Some(source) = real_data("hcmc/hcmc_wards_2025.geojson") else { return };
    import(&bench, 0, &source, "source", &[]);
    let (_, source) = features(&bench, "source");
    let mut compared = 0;
    for feature in &legacy {
        let name = feature
            .values
            .iter()
            .filter_map(Value::to_key)
            .map(|text| text.to_lowercase())
            .collect::<Vec<_>>();
        let same = source
            .iter()
            .find(|other| texts(other).iter().any(|text| text.len() == 5 && name.contains(text)));
        let Some(same) = same else { continue };
        let (a, b) = (feature.geometry.as_ref().unwrap(), same.geometry.as_ref().unwrap());
        for (a, b) in a.coords_iter().zip(b.coords_iter()).take(50) {
            let (dx, dy) = ((a.x - b.x) * 109_300.0, (a.y - b.y) * 110_600.0);
            assert!(dx.hypot(dy) < 0.002, "{} m off", dx.hypot(dy));
            compared += 1;
        }
    }
    assert!(compared > 1000, "only {compared} corners could be compared");
}

#[test]
fn each_format_that_quantum_gis_is_tested_with() {
    let Some(folder) = real_data("formats") else { return };
    let bench = Bench::new();
    for (file, crs, at_least) in [
        ("communes.gpkg", None, 1),
        ("layers.gpx", None, 1),
        ("mixed_types.TAB", None, 1),
        ("multilayer.kml", None, 1),
        ("points_lines_3d.dxf", Some("EPSG:9210"), 1),
        ("spreadsheet.ods", None, 1),
        ("tab_file.tab", None, 1),
    ] {
        let path = folder.join(file);
        let id = format!("f_{}", file.to_lowercase().replace(['.', '-'], "_"));
        let mut args = vec!["--json", "import", path.to_str().unwrap(), "--layer", &id];
        args.extend(crs.map(|crs| ["--crs", crs]).iter().flatten());
        let run = bench.run(&args);
        assert!(matches!(run.code(), Some(0 | 3)), "{file}: {}{}", run.stdout(), run.stderr());
        let report = run.json();
        assert!(count(&report, "accepted") >= at_least, "{file}: {report}");
        assert_eq!(count(&report, "read"), count(&report, "accepted") + count(&report, "rejected"));
    }
}

#[test]
fn without_a_coordinate_system_the_zones_are_proposed_and_nothing_happens() {
    let Some(source) = real_data("encodings/phuongxa_vn2000_utf8.shp") else { return };
    let bench = Bench::new();
    for ending in ["shp", "shx", "dbf", "cpg"] {
        std::fs::copy(source.with_extension(ending), bench.path("wards.shp").with_extension(ending)).unwrap();
    }
    let file = bench.path("wards.shp");
    let run = bench.expect(1, ["import", file.to_str().unwrap()]);
    assert!(run.stderr().contains("EPSG:9210") && run.stderr().contains("--crs"), "{}", run.stderr());
    assert!(!bench.store().exists());
    let report = import(&bench, 0, &file, "wards", &["--crs", "EPSG:9210"]).json();
    assert_eq!(count(&report, "accepted"), 168);
}

#[test]
fn modes_keys_and_dry_runs() {
    let bench = Bench::new();
    let write = |name: &str, rows: &[(&str, i32, f64)]| {
        let path = bench.path(name);
        let lines = rows.iter().map(|(key, n, x)| format!("{key},{n},{x},10.7\n"));
        std::fs::write(
            &path,
            std::iter::once("code,n,lon,lat\n".to_owned()).chain(lines).collect::<String>(),
        )
        .unwrap();
        path
    };
    let first = write("first.csv", &[("A", 1, 106.1), ("B", 2, 106.2), ("C", 3, 106.3)]);
    import(&bench, 0, &first, "wells", &["--crs", "4326", "--key", "code", "--dry-run"]);
    assert!(!bench.store().exists(), "a dry run leaves nothing behind");
    import(&bench, 0, &first, "wells", &["--crs", "4326", "--key", "code"]);
    let second = write("second.csv", &[("B", 20, 106.2), ("D", 4, 106.4)]);
    let report =
        import(&bench, 0, &second, "wells", &["--crs", "4326", "--key", "code", "--mode", "upsert"]).json();
    assert_eq!(report["revision"], 2);
    let (_, all) = features(&bench, "wells");
    let rows: Vec<(i64, String, String)> = all
        .iter()
        .map(|feature| {
            (feature.fid, feature.values[0].to_key().unwrap(), feature.values[1].to_key().unwrap())
        })
        .collect();
    let expected = [(1, "A", "1"), (2, "B", "20"), (3, "C", "3"), (4, "D", "4")];
    assert_eq!(rows, expected.map(|(fid, key, n)| (fid, key.to_owned(), n.to_owned())));
    // Without a key nothing can be updated.
    let run = bench.expect(
        1,
        ["import", second.to_str().unwrap(), "--layer", "keyless", "--crs", "4326", "--mode", "upsert"],
    );
    assert!(run.stderr().contains("--key"), "{}", run.stderr());
    bench.expect(2, ["import", "--mode", "merge", "x.csv"]);
    bench.expect(1, ["import", "nowhere.csv"]);
}
