//! The bars of the import on real data.

use crate::common::{city, real};
use citymap_ingest::{Encoding, ImportError, IssueKind};
use citymap_model::{FieldType, GeometryKind, Role, Value};
use geo::{CoordsIter, Distance, Haversine};
use geo_types::Point;

#[test]
fn all_168_wards_are_accepted_bit_for_bit() {
    let Some(data) = real() else { return };
    let city = city();
    let report = city.import(data.join("hcmc/hcmc_wards_2025.geojson"), |_| {}).unwrap();
    assert_eq!((report.read, report.accepted, report.exit_code()), (168, 168, 0));
    let features = city.features("test");
    let vertices: usize = features.iter().map(|f| f.geometry.as_ref().unwrap().coords_count()).sum();
    assert_eq!(vertices, 217_352);
    // Against a plain JSON parser.
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(data.join("hcmc/hcmc_wards_2025.geojson")).unwrap())
            .unwrap();
    for (one, expected) in features.iter().zip(json["features"].as_array().unwrap()) {
        let mut numbers = Vec::new();
        fn collect(value: &serde_json::Value, out: &mut Vec<f64>) {
            match value.as_array() {
                Some(list) => list.iter().for_each(|v| collect(v, out)),
                None => out.push(value.as_f64().unwrap()),
            }
        }
        collect(&expected["geometry"]["coordinates"], &mut numbers);
        let found: Vec<f64> = one.geometry.as_ref().unwrap().coords_iter().flat_map(|c| [c.x, c.y]).collect();
        assert_eq!(found, numbers);
    }
    assert_eq!(city.store.revision().unwrap(), 1);
}

#[test]
fn cambridge_parcels_add_up_and_every_invalid_one_is_listed() {
    let Some(data) = real() else { return };
    let city = city();
    let report =
        city.import(data.join("cambridge/parcels_fy2013.gpkg"), |r| r.key = Some("ML".into())).unwrap();
    let layer = &report.layers[0];
    assert_eq!(layer.read, 13_159);
    assert_eq!(layer.read, layer.accepted + layer.rejected);
    // 24 invalid ones: each repaired or rejected, each with reason and place.
    assert_eq!(layer.repaired + layer.rejected, 24);
    let listed: Vec<_> = layer.issues.iter().filter(|i| i.kind != IssueKind::Warning).collect();
    assert_eq!(listed.len(), 24);
    for issue in &listed {
        assert!(
            issue.feature.is_some()
                && issue.key.is_some()
                && issue.lonlat.is_some()
                && !issue.reason.is_empty(),
            "{issue:?}"
        );
    }
    assert!(layer.duplicate_keys > 0 && !layer.duplicate_key_examples.is_empty());
    println!(
        "cambridge: {} repaired, {} rejected, {:.0}/s",
        layer.repaired, layer.rejected, report.features_per_second
    );
    if layer.rejected > 0 {
        let rejects = gdal::Dataset::open(report.rejects_file.unwrap()).unwrap();
        use gdal::vector::LayerAccess;
        assert_eq!(rejects.layer_by_name("test_rejects").unwrap().feature_count(), layer.rejected);
    }
}

#[test]
fn an_extract_of_openstreetmap_is_sorted_into_themes() {
    let Some(data) = real() else { return };
    let city = city();
    let report = city.import(data.join("hcmc/hcm_2018.osm.pbf"), |r| r.layer = None).unwrap();
    let read = |id: &str| report.layers.iter().find(|l| l.id.as_str() == id).unwrap().read;
    for layer in &report.layers {
        println!(
            "{}: {} read, {} accepted, {} repaired",
            layer.id, layer.read, layer.accepted, layer.repaired
        );
    }
    // Not all lines are roads. By GDAL's own settings the extract has 35 101 lines, of which 33 000 have
    // `highway=*`; here 308 of them, closed and tagged as areas (river banks, mostly), are areas. Roads are
    // what has `highway=*`, 56 areas with it included; waterways, boundaries, railways and walls are in
    // layers of their own, and no line is left out.
    assert!(read("buildings") >= 5_000);
    assert_eq!(read("roads"), 33_056);
    let lines = |id: &str| {
        city.features(id)
            .iter()
            .filter(|f| matches!(f.geometry, Some(geo_types::Geometry::LineString(_))))
            .count()
    };
    let lines: usize = ["roads", "water", "boundaries", "other_lines"].map(lines).iter().sum();
    assert!(lines > 34_700, "{lines}");
    assert!(read("addresses") >= 21_000);
    for theme in ["water", "land_use", "places", "boundaries", "other_lines"] {
        assert!(read(theme) > 0, "{theme}");
    }
    assert_eq!(
        report.layers.iter().find(|l| l.id.as_str() == "addresses").unwrap().geometry,
        GeometryKind::Point
    );
}

#[test]
fn a_shapefile_in_tcvn3_equals_the_one_in_utf8() {
    let Some(data) = real() else { return };
    let (legacy, modern) = (city(), city());
    let report = legacy.import(data.join("encodings/phuongxa_vn2000_tcvn3.shp"), |_| {}).unwrap();
    modern.import(data.join("encodings/phuongxa_vn2000_utf8.shp"), |_| {}).unwrap();
    let layer = &report.layers[0];
    assert_eq!(layer.encoding.encoding, Encoding::Tcvn3);
    assert!(layer.encoding.confidence.unwrap() > 0.5 && !layer.encoding.sample.is_empty());
    assert_eq!(layer.crs.as_ref().unwrap().crs, "EPSG:9210");
    let (a, b) = (legacy.features("test"), modern.features("test"));
    assert_eq!((a.len(), b.len()), (168, 168));
    for (a, b) in a.iter().zip(&b) {
        for (x, y) in a.values.iter().zip(&b.values) {
            match (x, y) {
                (Value::Text(x), Value::Text(y)) => assert_eq!(x.to_lowercase(), y.to_lowercase()),
                _ => assert_eq!(x, y),
            }
        }
    }
    // And both lie where the original in WGS 84 does.
    let original = city();
    original.import(data.join("hcmc/hcmc_wards_2025.geojson"), |_| {}).unwrap();
    let mut farthest: f64 = 0.0;
    for (shp, json) in a.iter().zip(original.features("test")) {
        let json: Vec<_> = json.geometry.as_ref().unwrap().coords_iter().collect();
        for at in shp.geometry.as_ref().unwrap().coords_iter() {
            let nearest = json
                .iter()
                .map(|c| (c.x - at.x).hypot(c.y - at.y))
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .unwrap()
                .0;
            farthest = farthest.max(Haversine.distance(Point(json[nearest]), Point(at)));
        }
    }
    println!("farthest vertex: {:.3} mm", 1_000.0 * farthest);
    assert!(farthest < 0.002, "{farthest} m");
}

#[test]
fn each_sample_of_a_format_is_read() {
    let Some(data) = real() else { return };
    for (name, crs, layers, read) in [
        ("layers.gpx", None, 3, 1_280),
        ("communes.gpkg", None, 2, 23),
        ("mixed_types.TAB", None, 1, 13),
        ("spreadsheet.ods", None, 2, 6),
        ("tab_file.tab", None, 1, 1),
        ("points_lines_3d.dxf", Some("EPSG:9210"), 1, 13),
        ("multilayer.kml", None, 2, 2),
    ] {
        let city = city();
        let report =
            city.import(data.join("formats").join(name), |r| r.crs = crs.map(|crs| crs.parse().unwrap()));
        let report = report.unwrap_or_else(|error| panic!("{name}: {error}"));
        println!(
            "{name}: {} layers, {} read, {} accepted",
            report.layers.len(),
            report.read,
            report.accepted
        );
        assert_eq!((report.layers.len(), report.read), (layers, read), "{name}");
        assert_eq!(city.layers().len(), layers, "{name}");
    }
}

#[test]
fn a_drawing_without_a_system_is_refused() {
    let Some(data) = real() else { return };
    let city = city();
    let error = city.import(data.join("formats/points_lines_3d.dxf"), |_| {}).unwrap_err();
    assert!(
        matches!(error, ImportError::UnknownCrs { .. }) && error.to_string().contains("--crs"),
        "{error}"
    );
    assert_eq!(city.store.revision().unwrap(), 0);
}

#[test]
fn the_rest_of_cambridge_is_read_with_types() {
    let Some(data) = real() else { return };
    for (name, read) in [
        ("CDD_ZoningDistricts.geojson", 261),
        ("INFRA_Hydrants.geojson", 1_960),
        ("TRANS_Centerlines.geojson", 2_643),
        ("BOUNDARY_CDDNeighborhoods.geojson", 13),
        ("RECREATION_OpenSpace.geojson", 276),
    ] {
        let city = city();
        let report = city.import(data.join("cambridge").join(name), |_| {}).unwrap();
        println!(
            "{name}: {} accepted, {} repaired, {:?}",
            report.accepted, report.layers[0].repaired, report.layers[0].role
        );
        assert_eq!(report.read, read, "{name}");
    }
    let city = city();
    let report = city.import(data.join("cambridge/TaxFY13.csv"), |_| {}).unwrap();
    let layer = &report.layers[0];
    println!(
        "tax roll: {} rows, {} rejected, {:?}",
        layer.read,
        layer.rejected,
        layer.fields.iter().map(|f| (&f.name, f.field_type)).collect::<Vec<_>>()
    );
    assert!(
        layer
            .fields
            .iter()
            .any(|field| field.field_type == FieldType::Int || field.field_type == FieldType::Real)
    );
    assert_eq!(layer.role, Role::Other);
}
