//! What a file holds is what was read: parts that do not agree, entities that a format library passes over,
//! columns that it keeps apart, counts that are wrong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use crate::common::{City, city, gdal};
use citymap_ingest::{LayerReport, Report};
use citymap_model::{FieldType, GeometryKind, Value, counted, parse_date};

/// A Shapefile `a.shp` of points with a text, a number and a truth value, in a folder of its own.
fn shapefile(city: &City, points: usize) -> std::path::PathBuf {
    let features: Vec<String> = (0..points)
        .map(|i| {
            format!(
                r#"{{"type":"Feature","properties":{{"ma":"M{i}","so":{i},"dung":true}},
                "geometry":{{"type":"Point","coordinates":[{},10.77]}}}}"#,
                106.7 + 0.001 * i as f64
            )
        })
        .collect();
    let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let source = city.write("source.geojson", text);
    let folder = city.folder.path().join(format!("shp{points}"));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.shp");
    gdal("ogr2ogr", &["-f", "ESRI Shapefile", path.to_str().unwrap(), source.to_str().unwrap()]);
    path
}

fn notes(report: &Report) -> String {
    let layers = report.layers.iter().flat_map(|layer| layer.issues.iter().map(|issue| issue.reason.clone()));
    report.files.iter().flat_map(|file| file.notes.clone()).chain(layers).collect::<Vec<_>>().join("\n")
}

fn fields(layer: &LayerReport) -> Vec<&str> {
    layer.fields.iter().map(|field| field.name.as_str()).collect()
}

#[test]
fn shapes_without_rows_and_rows_without_shapes_are_read() {
    for (shapes, rows) in [(5, 3), (3, 5), (4, 0), (0, 4), (1, 2), (2, 1)] {
        let city = city();
        let (more, fewer) = (shapefile(&city, shapes.max(1)), shapefile(&city, rows.max(1)));
        fs::copy(fewer.with_extension("dbf"), more.with_extension("dbf")).unwrap();
        if shapes == 0 {
            truncate(&more, 100, 100);
        }
        if rows == 0 {
            // The head says that there are none.
            let dbf = more.with_extension("dbf");
            let mut bytes = fs::read(&dbf).unwrap();
            bytes[4..8].fill(0);
            let head = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
            bytes.truncate(head);
            fs::write(&dbf, bytes).unwrap();
        }
        let report = city.import(&more, |_| {}).unwrap();
        let all = shapes.max(rows) as u64;
        let layer = &report.layers[0];
        assert_eq!((report.read, report.accepted), (all, all), "{shapes} shapes, {rows} rows");
        assert!(report.files[0].incomplete && report.exit_code() == 3, "{shapes} shapes, {rows} rows");
        assert_eq!(layer.null_geometry, rows.saturating_sub(shapes) as u64);
        let features = city.features("test");
        for (i, feature) in features.iter().enumerate() {
            assert_eq!(feature.geometry.is_some(), i < shapes, "feature {i} of {shapes} shapes, {rows} rows");
            if i >= rows {
                assert!(feature.values.iter().all(Value::is_null), "{:?}", feature.values);
            } else {
                assert_eq!(feature.values[..2], [Value::Text(format!("M{i}")), Value::Int(i as i64)]);
            }
        }
        let notes = notes(&report);
        assert!(notes.contains(&counted(shapes, "shape", "shapes")), "{notes}");
        assert!(notes.contains(&counted(rows, "row", "rows")), "{notes}");
    }
}

/// Cuts a `.shp` and its `.shx` to a number of bytes.
fn truncate(shp: &Path, shp_bytes: u64, shx_bytes: u64) {
    for (side, bytes) in [("shp", shp_bytes), ("shx", shx_bytes)] {
        let file = fs::OpenOptions::new().write(true).open(shp.with_extension(side)).unwrap();
        file.set_len(bytes).unwrap();
        // The head says how long the file is, in words of two bytes.
        let words = u32::try_from(bytes / 2).unwrap().to_be_bytes();
        std::os::unix::fs::FileExt::write_all_at(&file, &words, 24).unwrap();
    }
}

#[test]
fn deleted_rows_are_counted_and_are_no_difference() {
    let city = city();
    let path = shapefile(&city, 6);
    let dbf = path.with_extension("dbf");
    let mut bytes = fs::read(&dbf).unwrap();
    let head = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let row = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    for deleted in [1, 4] {
        bytes[head + deleted * row] = b'*';
    }
    fs::write(&dbf, bytes).unwrap();
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.read, report.accepted), (4, 4));
    let notes = notes(&report);
    assert!(notes.contains("2 rows are marked as deleted") && !notes.contains("shapes and the"), "{notes}");
}

#[test]
fn an_index_that_lists_too_few_shapes_is_made_again() {
    let city = city();
    let path = shapefile(&city, 6);
    let shx = fs::OpenOptions::new().write(true).open(path.with_extension("shx")).unwrap();
    shx.set_len(100 + 8 * 2).unwrap();
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.read, report.accepted), (6, 6));
    assert!(notes(&report).contains("lists 2 of 6 shapes"), "{}", notes(&report));
}

#[test]
fn parts_of_mixed_case_belong_together() {
    let city = city();
    let path = shapefile(&city, 3);
    let folder = path.parent().unwrap();
    for (side, new) in [("shp", "Thua.Shp"), ("shx", "THUA.shx"), ("dbf", "thua.Dbf"), ("prj", "Thua.prj")] {
        fs::rename(path.with_extension(side), folder.join(new)).unwrap();
    }
    let report = city.import(folder.join("Thua.Shp"), |_| {}).unwrap();
    assert_eq!((report.read, report.accepted), (3, 3));
    assert_eq!(city.features("test")[2].values[0], Value::Text("M2".into()));
}

#[test]
fn a_dbf_alone_is_a_table() {
    for name in ["bang.dbf", "BANG.DBF", "Bang.Dbf"] {
        let city = city();
        let table = city.folder.path().join(name);
        fs::copy(shapefile(&city, 3).with_extension("dbf"), &table).unwrap();
        let report = city.import(&table, |_| {}).unwrap();
        assert_eq!((report.read, report.layers[0].geometry), (3, GeometryKind::None), "{name}");
    }
    let city = city();
    let shape = shapefile(&city, 1);
    let error = city.import(shape.with_extension("dbf"), |_| {}).unwrap_err().to_string();
    assert!(error.contains("name the .shp file beside it"), "{error}");
}

/// A drawing of these entities, each with a handle.
fn drawing(entities: &[(&str, &[(i32, &str)])]) -> String {
    let mut text = "  0\nSECTION\n  2\nHEADER\n  9\n$ACADVER\n  1\nAC1015\n  0\nENDSEC\n  0\nSECTION\n  2\n\
                    ENTITIES\n"
        .to_owned();
    for (i, (kind, groups)) in entities.iter().enumerate() {
        text.push_str(&format!("  0\n{kind}\n  5\n{:X}\n  8\n0\n", 0x30 + i));
        groups.iter().for_each(|(code, value)| text.push_str(&format!("{code:>3}\n{value}\n")));
    }
    text.push_str("  0\nENDSEC\n  0\nEOF\n");
    text
}

const AT: [(i32, &str); 3] = [(10, "603500.0"), (20, "1191460.0"), (30, "0.0")];
/// A spline by three fit points, which GDAL cannot read.
const SPLINE: [(i32, &str); 9] = [
    (70, "0"),
    (71, "3"),
    (72, "0"),
    (73, "0"),
    (74, "1"),
    (11, "603400.0"),
    (21, "1191400.0"),
    (31, "0.0"),
    (210, "0.0"),
];

#[test]
fn entities_that_gdal_passes_over_are_rejected_and_their_neighbours_taken() {
    let point: (&str, &[(i32, &str)]) = ("POINT", &AT);
    let spline: (&str, &[(i32, &str)]) = ("SPLINE", &SPLINE);
    for entities in [
        vec![point, spline, point],
        vec![point, point, spline],
        vec![spline, point],
        vec![point, spline, spline, point],
    ] {
        let city = city();
        let path = city.write("a.dxf", drawing(&entities));
        let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
        let splines = entities.iter().filter(|(kind, _)| *kind == "SPLINE").count() as u64;
        assert_eq!((report.read, report.rejected), (entities.len() as u64, splines));
        let reject = report.layers[0].issues.iter().find(|issue| issue.reason.contains("SPLINE")).unwrap();
        let line = entities.iter().take_while(|(kind, _)| *kind != "SPLINE").count() as u64 * 12 + 15;
        assert_eq!(reject.line, Some(line), "{}", reject.reason);
    }
}

/// Every entity is a feature or a reject, whatever GDAL says of it.
#[test]
fn an_entity_without_a_word_from_gdal_is_rejected() {
    let city = city();
    let flat: Vec<(i32, &str)> = vec![(90, "0"), (70, "0")];
    let path = city.write("a.dxf", drawing(&[("POINT", &AT), ("LWPOLYLINE", &flat), ("POINT", &AT)]));
    let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    assert_eq!(report.read, 3, "{:?}", report.layers[0].issues);
}

#[test]
fn a_drawing_that_ends_too_early_is_cut_off() {
    let city = city();
    let whole = drawing(&[("POINT", &AT), ("SPLINE", &SPLINE), ("POINT", &AT)]);
    let path = city.write("a.dxf", &whole[..whole.len() - 60]);
    let error = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap_err().to_string();
    assert!(error.contains("cut off"), "{error}");
}

#[test]
fn paper_space_and_types_that_are_not_read_are_counted() {
    let city = city();
    let paper: Vec<(i32, &str)> = [(67, "1")].into_iter().chain(AT).collect();
    let path = city.write(
        "a.dxf",
        drawing(&[("POINT", &AT), ("POINT", &paper), ("WIPEOUT", &AT), ("IMAGE", &AT), ("POINT", &paper)]),
    );
    let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    assert_eq!((report.read, report.accepted), (1, 1));
    let notes = notes(&report);
    assert!(notes.contains("2 entities are in paper space"), "{notes}");
    assert!(notes.contains("1 IMAGE") && notes.contains("1 WIPEOUT"), "{notes}");
}

#[test]
fn warnings_of_gdal_are_notes() {
    let city = city();
    let insert: Vec<(i32, &str)> = [(2, "COT_DEN")].into_iter().chain(AT).collect();
    let path = city.write("a.dxf", drawing(&[("POINT", &AT), ("INSERT", &insert)]));
    let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    assert!(notes(&report).contains("COT_DEN"), "{}", notes(&report));
}

/// A GeoPackage whose table has a primary key of that name, with the values 501 and 17.
fn geopackage(city: &City, key: &str) -> std::path::PathBuf {
    let source = city.write("source.csv", "loai,lon,lat\nODT,106.7,10.77\nCLN,106.71,10.78\n");
    let path = city.folder.path().join("a.gpkg");
    let fid = format!("FID={key}");
    let options =
        ["-nln", "thua", "-a_srs", "EPSG:4326", "-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat"];
    let files = ["-f", "GPKG", path.to_str().unwrap(), source.to_str().unwrap(), "-lco", &fid];
    gdal("ogr2ogr", &[&files[..], &options].concat());
    let sql = format!("UPDATE thua SET \"{key}\" = CASE \"{key}\" WHEN 1 THEN 501 ELSE 17 END");
    gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", &sql]);
    path
}

#[test]
fn a_primary_key_with_a_name_of_its_own_is_a_field() {
    let city = city();
    let path = geopackage(&city, "ma_thua");
    let report = city.import(&path, |r| r.key = Some("ma_thua".into())).unwrap();
    assert_eq!(fields(&report.layers[0])[..2], ["ma_thua", "loai"]);
    assert_eq!(report.layers[0].fields[0].field_type, FieldType::Int);
    let keys: Vec<Value> = city.features("test").into_iter().map(|one| one.values[0].clone()).collect();
    assert_eq!(keys.iter().filter(|key| [Value::Int(501), Value::Int(17)].contains(key)).count(), 2);
}

#[test]
fn a_plain_row_number_is_a_field_only_if_asked_for() {
    let city = city();
    let path = geopackage(&city, "fid");
    let report = city.import(&path, |_| {}).unwrap();
    assert!(!fields(&report.layers[0]).contains(&"fid"));
    assert!(notes(&report).contains("--key fid"), "{}", notes(&report));
    let report = city.import(&path, |r| r.key = Some("fid".into())).unwrap();
    assert_eq!(fields(&report.layers[0])[0], "fid");
    assert_eq!(report.layers[0].duplicate_keys, 0);
}

#[test]
fn the_object_ids_of_a_geodatabase_are_a_field() {
    let city = city();
    let source = city.write("source.csv", "loai,so\nODT,1\nCLN,2\n");
    let path = city.folder.path().join("a.gdb");
    gdal("ogr2ogr", &["-f", "OpenFileGDB", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "thua"]);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(fields(&report.layers[0])[0], "OBJECTID");
    assert_eq!(city.features("test")[1].values[0], Value::Int(2));
}

#[test]
fn a_stale_row_count_is_a_note() {
    for (rows, said) in [(2_500, 9_000), (3, 12), (2_500, 4)] {
        let city = city();
        let lines: String = (0..rows).map(|i| format!("{i},106.7,10.77\n")).collect();
        let source = city.write("source.csv", format!("ma,lon,lat\n{lines}"));
        let path = city.folder.path().join("a.gpkg");
        gdal("ogr2ogr", &["-f", "GPKG", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "tru"]);
        let sql = format!("UPDATE gpkg_ogr_contents SET feature_count = {said}");
        gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", &sql]);
        let report = city.import(&path, |_| {}).unwrap();
        assert_eq!((report.read, report.accepted), (rows, rows));
        if said > rows && rows > 2_000 {
            assert!(notes(&report).contains("gpkg_ogr_contents"), "{}", notes(&report));
        }
    }
}

#[test]
fn an_empty_list_in_place_of_a_geometry_is_none_and_another_list_is_refused() {
    let city = city();
    let feature =
        |geometry: &str| format!(r#"{{"type":"Feature","properties":{{"ma":"M"}},"geometry":{geometry}}}"#);
    let point = feature(r#"{"type":"Point","coordinates":[106.7,10.8]}"#);
    let lines = [
        feature("[]"),
        feature(r#"["Point",[106.7,10.8],null]"#),
        feature(r#""""#),
        r#"["Feature",null,{"ma":1}]"#.into(),
        point,
    ];
    let path = city
        .write("a.geojson", format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, lines.join(",\n")));
    let report = city.import(&path, |_| {}).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.read, layer.accepted, layer.rejected, layer.null_geometry), (5, 2, 3, 1));
    let reasons: Vec<&str> = layer.issues.iter().map(|issue| issue.reason.as_str()).collect();
    assert!(reasons.contains(&"geometry must be an object or null, but is a list"), "{reasons:?}");
    assert!(reasons.iter().all(|reason| !reason.contains("struct")), "{reasons:?}");
    // What a feature without geometry holds is there.
    assert_eq!(city.features("test")[0].values, [Value::Text("M".into())]);
}

#[test]
fn a_shapefile_without_index_that_is_cut_off_is_incomplete() {
    let city = city();
    let path = shapefile(&city, 3);
    fs::remove_file(path.with_extension("shx")).unwrap();
    let report = city.import(&path, |_| {}).unwrap();
    assert!(!report.files[0].incomplete && report.exit_code() == 0);
    fs::remove_file(path.with_extension("dbf")).unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.read, report.rejected, report.exit_code()), (3, 1, 3));
    assert!(notes(&report).contains("inside a shape after 2 whole ones"), "{}", notes(&report));
}

/// A MIF of two points in longitude and latitude, and the rows of its MID.
fn mif(city: &City, rows: Option<&str>) -> std::path::PathBuf {
    let head = "Version 300\nCharset \"Neutral\"\nDelimiter \",\"\nCoordSys Earth Projection 1, 104\n\
                Columns 1\n  ten Char(20)\nData\n\nPoint 106.7 10.77\nPoint 106.71 10.78\n";
    let path = city.write("a.mif", head);
    match rows {
        Some(rows) => city.write("a.mid", rows),
        None => return path,
    };
    path
}

#[test]
fn rows_of_a_mid_without_objects_are_no_small_matter() {
    let city = city();
    assert_eq!(city.import(mif(&city, Some("\"a\"\n\"b\"\n\n")), |_| {}).unwrap().accepted, 2);
    let error = city.import(mif(&city, Some("\"a\"\n\"b\"\n\"c\"\n")), |_| {}).unwrap_err().to_string();
    assert!(error.contains("3 rows and the .mif 2 objects"), "{error}");
    fs::remove_file(city.folder.path().join("a.mid")).unwrap();
    let report = city.import(mif(&city, None), |_| {}).unwrap();
    assert!(notes(&report).contains("the .mid file is missing"), "{}", notes(&report));
}

/// SQLite keeps any value in any column. GDAL drops days that are not as the format has them, and takes 7 for
/// true.
#[test]
fn days_and_truths_of_a_geopackage_that_are_none_are_kept_as_they_are() {
    let city = city();
    let path = geopackage(&city, "fid");
    let sql = |text: &str| gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", text]);
    for (column, kind, first, second) in [
        ("ngay", "DATE", "'07/05/1985'", "'2025-07-01'"),
        ("luc", "DATETIME", "'2025-07-01T08:30:00.000Z'", "'khuya'"),
        ("co", "BOOLEAN", "7", "1"),
        ("dung", "BOOLEAN", "0", "1"),
        ("sinh", "DATE", "'1985-05-07'", "NULL"),
    ] {
        sql(&format!("ALTER TABLE thua ADD COLUMN {column} {kind}"));
        sql(&format!("UPDATE thua SET {column} = CASE loai WHEN 'ODT' THEN {first} ELSE {second} END"));
    }
    let report = city.import(&path, |r| r.public = ["sinh".into(), "ngay".into()].to_vec()).unwrap();
    let at = |name: &str| fields(&report.layers[0]).iter().position(|own| *own == name).unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let mut features = city.features("test");
    features.sort_by_key(|one| one.values[at("loai")] != text("ODT"));
    let of = |name: &str| features.iter().map(|one| one.values[at(name)].clone()).collect::<Vec<_>>();
    assert_eq!(of("ngay"), [text("07/05/1985"), text("2025-07-01")]);
    assert_eq!(of("luc"), [text("2025-07-01T08:30:00.000Z"), text("khuya")]);
    assert_eq!(of("co"), [Value::Int(7), Value::Int(1)]);
    assert_eq!(of("dung"), [Value::Bool(false), Value::Bool(true)]);
    assert_eq!(of("sinh"), [Value::Date(parse_date("1985-05-07").unwrap()), Value::Null]);
    for column in ["ngay", "luc", "co"] {
        assert!(notes(&report).contains(&format!("the column `{column}`")), "{}", notes(&report));
    }
    assert!(!serde_json::to_string(&report).unwrap().contains("07/05/1985"), "{}", notes(&report));
}
