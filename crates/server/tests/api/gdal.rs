//! GDAL as a client: what `ogr2ogr` brings back is what the city holds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use crate::common::{PARCELS, Server};
use citymap_model::{Field, FieldType, GeometryKind, Layer, NewFeature, Role, Title, Value as Own};
use serde_json::{Value, json};

/// Runs a GDAL program. If it is not installed, the test is skipped.
fn run(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            citymap_testing::skip(format_args!("`{program}` of the Debian package gdal-bin: {error}"));
            return None;
        }
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("ERROR"), "{program} {arguments:?}: {errors}");
    Some(output.stdout)
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("citymap-gdal-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A GeoPackage's features as GeoJSON with all their digits, by the value of `key`.
fn read(file: &str, layer: &str, key: &str) -> BTreeMap<String, Value> {
    let arguments = [
        "-f",
        "GeoJSON",
        "-lco",
        "COORDINATE_PRECISION=17",
        "-lco",
        "SIGNIFICANT_FIGURES=17",
        "/vsistdout/",
        file,
        layer,
    ];
    let bytes = run("ogr2ogr", &arguments).unwrap();
    let collection: Value = serde_json::from_slice(&bytes).unwrap();
    let features = collection["features"].as_array().unwrap();
    let all: BTreeMap<String, Value> =
        features.iter().map(|own| (own["properties"][key].to_string(), own.clone())).collect();
    assert_eq!(all.len(), features.len());
    all
}

/// Numbers by their value, whichever way they are written; what comes back as a whole number was one.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => match (a, b) {
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (a, b) => a == b,
        },
    }
}

#[test]
fn ogr2ogr_brings_back_every_feature_as_it_is() {
    let server = Server::start();
    let folder = folder("all");
    let file = folder.join("out.gpkg").display().to_string();
    let source = format!("OAPIF:{}", server.url("/api"));
    if run("ogr2ogr", &["-f", "GPKG", &file, &source, "parcels"]).is_none() {
        return;
    }
    let theirs = read(&file, "parcels", "so_thua");
    assert_eq!(theirs.len(), PARCELS);
    let ours = server.json("/api/collections/parcels/items?limit=10000");
    for own in ours["features"].as_array().unwrap() {
        let number = own["properties"]["so_thua"].to_string();
        let back = &theirs[&number];
        assert!(same(&back["geometry"]["coordinates"], &own["geometry"]["coordinates"]), "{number}: {back}");
        assert_eq!(back["properties"]["id"], own["id"]);
        for (name, value) in own["properties"].as_object().unwrap() {
            let mut found = back["properties"][name].clone();
            if name == "cap_nhat" {
                // GDAL keeps an instant to the millisecond and writes it in its own way.
                let text = found.as_str().unwrap().replace('/', "-").replace("+00", "Z");
                found = json!(text.replace(' ', "T"));
            }
            assert!(same(&found, value), "{number}.{name}: {found} {value}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn gdal_reads_the_types_from_the_schema() {
    let server = Server::start();
    let source = format!("OAPIF:{}", server.url("/api"));
    let Some(bytes) = run("ogrinfo", &["-so", &source, "parcels"]) else { return };
    let text = String::from_utf8_lossy(&bytes);
    for line in [
        "ma_thua: String",
        "so_thua: Integer ",
        "dien_tich: Real",
        "so_nha: String",
        "ngay_cap: Date ",
        "cap_nhat: DateTime",
        "tranh_chap: Integer(Boolean)",
        "ma_lon: Real",
        "ghi_chu: String",
        "Feature Count: 1234",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn gdal_has_a_field_called_id_once() {
    let store = crate::common::store();
    let id = |name: &str| name.parse().unwrap();
    for (name, position) in [("first", 0), ("last", 2)] {
        let mut layer = Layer::new(id(name), Title::same(name), Role::Other, GeometryKind::None);
        layer.fields = vec![Field::new("ma", FieldType::Text), Field::new("so", FieldType::Int)];
        layer.fields.insert(position, Field::new("id", FieldType::Text));
        layer.key = Some("ma".into());
        let mut values = vec![Own::Text("A1".into()), Own::Int(7)];
        values.insert(position, Own::Text("own".into()));
        store.put(layer, vec![NewFeature { geometry: None, values }]);
    }
    let server = Server::with(store, crate::common::writers);
    for name in ["first", "last"] {
        let source = format!("OAPIF:{}", server.url("/api"));
        let Some(bytes) = run("ogrinfo", &["-al", &source, name]) else { return };
        let shown = String::from_utf8_lossy(&bytes);
        let fields: Vec<&str> = shown.lines().filter(|line| line.starts_with("id")).collect();
        assert_eq!(fields.len(), 1, "{shown}");
        assert!(shown.contains("so (Integer) = 7"), "{shown}");
        // The features have both: the id of the feature and the value of the field.
        let page = server.json(&format!("/api/collections/{name}/items"));
        let own = &page["features"][0];
        assert_eq!((&own["id"], &own["properties"]["id"]), (&json!("A1"), &json!("own")));
        let schema = server.json(&format!("/api/collections/{name}/schema"));
        assert_eq!(schema["properties"]["id"]["type"], "string");
    }
}

#[test]
fn gdal_understands_the_axis_order_of_other_systems() {
    let server = Server::start();
    let source = format!("OAPIF:{}", server.url("/api"));
    // By pyogrio, since GDAL reads other systems than CRS84 from 3.7 on, and Debian 12 has 3.6.
    let script = "
import struct, sys
from pyogrio import raw
_, _, geometry, _ = raw.read(sys.argv[1], layer='wells', max_features=1, CRS=sys.argv[2])
print(*struct.unpack('<dd', geometry[0][5:21]))
";
    for crs in ["EPSG:4326", "EPSG:9210"] {
        let Some(mut python) = citymap_testing::python() else { return };
        let output = python.args(["-c", script, &source, crs]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let row: Vec<f64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!(row.len(), 2, "{text}{}", String::from_utf8_lossy(&output.stderr));
        let [lon, lat] = crate::common::middle(0);
        let expected = &server.json(&format!("/api/transform?lon={lon}&lat={lat}&to={crs}"))["results"][0];
        assert!((row[0] - expected["x"].as_f64().unwrap()).abs() < 1e-5, "{crs}: {row:?} {expected}");
        assert!((row[1] - expected["y"].as_f64().unwrap()).abs() < 1e-5, "{crs}: {row:?} {expected}");
    }
}

#[test]
fn a_spatial_filter_of_gdal_reaches_the_server() {
    let server = Server::start();
    let [x, y] = crate::common::middle(77);
    let source = format!("OAPIF:{}", server.url("/api"));
    let corners = [x - 1e-6, y - 1e-6, x + 1e-6, y + 1e-6].map(|value| value.to_string());
    let arguments = [
        "-ro",
        "-al",
        "-geom=NO",
        "-spat",
        &corners[0],
        &corners[1],
        &corners[2],
        &corners[3],
        &source,
        "parcels",
    ];
    let Some(bytes) = run("ogrinfo", &arguments[0..]) else { return };
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("so_thua (Integer) = 77"), "{text}");
    assert_eq!(text.matches("OGRFeature(parcels)").count(), 1);
}

#[test]
fn gdal_looks_a_feature_up_by_its_number() {
    let server = Server::start();
    let source = format!("OAPIF:{}", server.url("/api"));
    let Some(bytes) = run("ogrinfo", &[&source, "wells", "-fid", "3"]) else { return };
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("OGRFeature(wells):3"), "{text}");
    let arguments = ["-ro", "-q", &source, "parcels", "-where", "id='26740-1-5'"];
    let text = String::from_utf8_lossy(&run("ogrinfo", &arguments).unwrap()).into_owned();
    assert!(text.contains("so_thua (Integer) = 5"), "{text}");
}
