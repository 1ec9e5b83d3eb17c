//! Code lists, ranges, patterns, units and titles of fields come along, survive, and go out again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{City, city, gdal};
use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_ingest::{ExportOptions, LayerReport, Report, export};
use citymap_model::{CommitMeta, Domain, Field, FieldType, Layer, Mode, Title, ValueRange, codes::Code};

const SOURCE: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"ma":"T1","loai":"A","tang":3,"so":"12"},
"geometry":{"type":"Point","coordinates":[106.69,10.77]}},
{"type":"Feature","properties":{"ma":"T2","loai":"X","tang":120,"so":"mot"},
"geometry":{"type":"Point","coordinates":[106.7,10.78]}}]}"#;

const EXTENSION: [&str; 8] = [
    "CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, \
     title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT)",
    "CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT, constraint_type TEXT, value TEXT, \
     min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT)",
    "INSERT INTO gpkg_data_columns VALUES ('lop', 'loai', NULL, 'Loại', 'Theo hồ sơ', NULL, 'Loai')",
    "INSERT INTO gpkg_data_columns VALUES ('lop', 'tang', NULL, 'Tầng cao', 'Đơn vị: tầng', NULL, 'Tang')",
    "INSERT INTO gpkg_data_columns VALUES ('lop', 'so', NULL, NULL, NULL, NULL, 'So')",
    "INSERT INTO gpkg_data_column_constraints VALUES ('Loai', 'enum', 'A', NULL, NULL, NULL, NULL, 'Đất ở'), \
     ('Loai', 'enum', 'B', NULL, NULL, NULL, NULL, 'Khác')",
    "INSERT INTO gpkg_data_column_constraints VALUES ('Tang', 'range', NULL, 1, 1, 100, 0, NULL)",
    "INSERT INTO gpkg_data_column_constraints VALUES ('So', 'glob', '[0-9]*', NULL, NULL, NULL, NULL, NULL)",
];

/// A GeoPackage with a list of codes, a range and a pattern, and values outside of each.
fn geopackage(city: &City) -> std::path::PathBuf {
    let source = city.write("source.geojson", SOURCE);
    let path = city.folder.path().join("lop.gpkg");
    gdal("ogr2ogr", &["-f", "GPKG", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "lop"]);
    for sql in EXTENSION {
        gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", sql]);
    }
    path
}

fn layer(city: &City) -> Layer {
    city.layers().into_iter().find(|own| own.layer.id.as_str() == "test").unwrap().layer
}

fn field<'a>(layer: &'a Layer, name: &str) -> &'a Field {
    layer.fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}: {layer:?}"))
}

fn codes(field: &Field) -> Vec<(&str, &str)> {
    let own = field.domain.as_ref().map_or(&[][..], Domain::codes);
    own.iter().map(|own| (own.code.as_str(), own.title.vi.as_str())).collect()
}

fn range(min: f64, max: f64) -> ValueRange {
    ValueRange { min: Some(min), max: Some(max), ..ValueRange::default() }
}

fn notes(report: &Report) -> String {
    let all = |layer: &LayerReport| layer.issues.iter().map(|one| one.reason.clone()).collect::<Vec<_>>();
    report.layers.iter().flat_map(all).collect::<Vec<_>>().join("\n")
}

/// Changes the definition of the layer, as `citymap layer set` does.
fn set(city: &City, change: impl FnOnce(&mut Layer)) {
    let mut definition = layer(city);
    change(&mut definition);
    let meta = CommitMeta { author: "test".into(), ..CommitMeta::default() };
    let mut transaction = city.store.begin(meta).unwrap();
    transaction.layer(&definition, Mode::Edit).unwrap();
    transaction.commit().unwrap();
}

#[test]
fn a_geopackage_brings_codes_ranges_patterns_units_and_titles() {
    let city = city();
    let report = city.import(geopackage(&city), |_| {}).unwrap();
    assert_eq!((report.read, report.accepted), (2, 2), "values outside are taken");
    let layer = layer(&city);
    assert_eq!(codes(field(&layer, "loai")), [("A", "Đất ở"), ("B", "Khác")]);
    assert_eq!(field(&layer, "loai").title, Title::same("Loại"));
    let tang = ValueRange { max_excluded: true, ..range(1.0, 100.0) };
    assert_eq!(field(&layer, "tang").domain, Some(Domain::Range(tang)));
    assert_eq!(field(&layer, "tang").unit.as_deref(), Some("tầng"));
    assert_eq!(field(&layer, "so").domain, Some(Domain::Glob("[0-9]*".into())));
    let notes = notes(&report);
    for told in [
        "1 values of field `loai` are not among the codes (`X`)",
        "1 values of field `tang` are outside the range 1..<100 (`120`)",
        "1 values of field `so` are not of the pattern [0-9]* (`mot`)",
        "the 2 codes of field `loai`: A = Đất ở, B = Khác",
    ] {
        assert!(notes.contains(told), "{told}\n{notes}");
    }
}

#[test]
fn personal_fields_are_counted_and_not_shown() {
    let city = city();
    let path = geopackage(&city);
    let report = city.import(path, |request| request.personal = vec!["loai".into(), "so".into()]).unwrap();
    let notes = notes(&report);
    assert!(notes.contains("1 values of field `loai` are not among the codes; they"), "{notes}");
    assert!(!notes.contains("`X`") && !notes.contains("Đất ở") && !notes.contains("`mot`"), "{notes}");
}

#[test]
fn a_geodatabase_brings_coded_and_range_domains_and_aliases() {
    let city = city();
    let path = geopackage(&city);
    let geodatabase = city.folder.path().join("a.gdb");
    gdal("ogr2ogr", &["-f", "OpenFileGDB", geodatabase.to_str().unwrap(), path.to_str().unwrap()]);
    city.import(&geodatabase, |_| {}).unwrap();
    let layer = layer(&city);
    assert_eq!(codes(field(&layer, "loai")), [("A", "Đất ở"), ("B", "Khác")]);
    assert_eq!(field(&layer, "tang").domain, Some(Domain::Range(range(1.0, 100.0))));
}

#[test]
fn esri_json_brings_domains_subtypes_and_aliases() {
    let city = city();
    let path = city.write(
        "a.json",
        r#"{"objectIdFieldName":"OBJECTID","geometryType":"esriGeometryPoint","typeIdField":"lop",
        "types":[{"id":1,"name":"Nhà"},{"id":2,"name":"Kho"}],
        "spatialReference":{"wkid":4326},"fields":[
        {"name":"OBJECTID","type":"esriFieldTypeOID","alias":"OBJECTID"},
        {"name":"loai","type":"esriFieldTypeString","alias":"Loại","length":5,"domain":{"type":"codedValue",
         "name":"d","codedValues":[{"name":"Đất ở","code":"A"},{"name":"Khác","code":"B"}]}},
        {"name":"lop","type":"esriFieldTypeInteger","alias":"lop"},
        {"name":"rong","type":"esriFieldTypeDouble","alias":"Rộng (m)","domain":{"type":"range","name":"r",
         "range":[0,50]}}],"features":[
        {"attributes":{"OBJECTID":5,"loai":"A","lop":1,"rong":7.5},"geometry":{"x":106.69,"y":10.77}}]}"#,
    );
    city.import(&path, |_| {}).unwrap();
    let layer = layer(&city);
    assert_eq!(codes(field(&layer, "loai")), [("A", "Đất ở"), ("B", "Khác")]);
    assert_eq!(field(&layer, "loai").title, Title::same("Loại"));
    assert_eq!(codes(field(&layer, "lop")), [("1", "Nhà"), ("2", "Kho")]);
    let rong = field(&layer, "rong");
    assert_eq!((rong.title.clone(), rong.unit.as_deref()), (Title::same("Rộng"), Some("m")));
    assert_eq!(rong.domain, Some(Domain::Range(range(0.0, 50.0))));
}

#[test]
fn the_schema_next_to_gml_and_the_checks_of_tables_are_read() {
    let city = city();
    let source = city.write("source.geojson", SOURCE);
    let path = city.folder.path().join("lop.gml");
    gdal("ogr2ogr", &["-f", "GML", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "lop"]);
    let schema = city.folder.path().join("lop.xsd");
    let text = std::fs::read_to_string(&schema).unwrap();
    let (before, after) = text.split_once("name=\"loai\"").unwrap();
    let (restriction, rest) = after.split_once("<xs:restriction base=\"xs:string\">").unwrap();
    let enumeration = "<xs:enumeration value=\"A\"><xs:annotation><xs:documentation>Đất ở</xs:documentation>\
                       </xs:annotation></xs:enumeration>";
    let text =
        format!("{before}name=\"loai\"{restriction}<xs:restriction base=\"xs:string\">{enumeration}{rest}");
    std::fs::write(&schema, text).unwrap();
    city.import(&path, |_| {}).unwrap();
    assert_eq!(codes(field(&layer(&city), "loai")), [("A", "Đất ở")]);

    let city = crate::common::city();
    let path = geopackage(&city);
    for sql in [
        "CREATE TABLE kho (fid INTEGER PRIMARY KEY, loai TEXT CHECK (loai IN ('A', 'X')), \
         tang INTEGER CHECK (tang BETWEEN 1 AND 99))",
        "INSERT INTO kho SELECT fid, loai, 3 FROM lop",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('kho', 'attributes', 'kho')",
    ] {
        gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", sql]);
    }
    city.import(&path, |request| request.layer_names = vec!["kho".into()]).unwrap();
    let layer = layer(&city);
    assert_eq!(codes(field(&layer, "loai")), [("A", ""), ("X", "")]);
    assert_eq!(field(&layer, "tang").domain, Some(Domain::Range(range(1.0, 99.0))));
}

#[test]
fn units_in_names_of_columns_are_units() {
    let city = city();
    let path = city.write(
        "a.csv",
        "ma,lon,lat,Diện tích (m²),Năm (2025),Ghi chú (m)\nT1,106.69,10.77,120.5,7,x\n\
         T2,106.7,10.77,80,8,y\n",
    );
    city.import(&path, |request| request.crs = Some(Crs::WGS84)).unwrap();
    let layer = layer(&city);
    let area = field(&layer, "Diện tích (m²)");
    assert_eq!((area.unit.as_deref(), area.title.vi.as_str()), (Some("m²"), "Diện tích"));
    for name in ["Năm (2025)", "Ghi chú (m)"] {
        assert_eq!(field(&layer, name).unit, None, "{name}");
    }
}

#[test]
fn a_domain_that_the_type_cannot_have_is_left_out_with_a_note() {
    let city = city();
    let report = city.import(geopackage(&city), |request| {
        request.types = vec![("tang".into(), FieldType::Text)];
        request.renames = vec![("loai".into(), "hang".into())];
        request.drop_fields = vec!["so".into()];
    });
    let notes = notes(&report.unwrap());
    assert!(notes.contains("field `tang` was not taken (1..<100)"), "{notes}");
    let layer = layer(&city);
    assert_eq!(codes(field(&layer, "hang")), [("A", "Đất ở"), ("B", "Khác")], "under its new name");
    assert_eq!(field(&layer, "tang").domain, None);
    assert_eq!(field(&layer, "tang").unit.as_deref(), Some("tầng"));
}

#[test]
fn too_many_codes_are_not_taken() {
    let city = city();
    let path = geopackage(&city);
    let sql = "INSERT INTO gpkg_data_column_constraints SELECT 'Loai', 'enum', 'Z' || value, NULL, NULL, \
               NULL, NULL, NULL FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n \
               WHERE value < 2000) SELECT value FROM n)";
    gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", sql]);
    let report = city.import(&path, |_| {}).unwrap();
    assert!(
        notes(&report).contains("the list holds 2002 codes, and a field can have 2000"),
        "{}",
        notes(&report)
    );
    assert_eq!(field(&layer(&city), "loai").domain, None);
}

#[test]
fn what_the_steward_set_survives_and_differences_are_said() {
    let city = city();
    let path = geopackage(&city);
    city.import(&path, |_| {}).unwrap();
    let own = [Code::new("A", Title::new("Đất ở", "Housing")), Code::new("X", Title::same("Lạ"))];
    set(&city, |layer| {
        for field in &mut layer.fields {
            match field.name.as_str() {
                "loai" => field.domain = Some(Domain::Codes(own.to_vec())),
                "tang" => {
                    (field.domain, field.unit) = (Some(Domain::Range(range(0.0, 200.0))), Some("lầu".into()));
                }
                _ => {}
            }
        }
    });
    for mode in [Mode::Replace, Mode::Upsert, Mode::Append] {
        if mode == Mode::Upsert {
            set(&city, |layer| layer.key = Some("ma".into()));
        }
        let report = city.import(&path, |request| request.mode = mode).unwrap();
        assert_eq!(report.accepted, 2, "{mode:?}");
        let layer = layer(&city);
        assert_eq!(field(&layer, "loai").domain, Some(Domain::Codes(own.to_vec())), "{mode:?}");
        assert_eq!(field(&layer, "tang").domain, Some(Domain::Range(range(0.0, 200.0))), "{mode:?}");
        assert_eq!(field(&layer, "tang").unit.as_deref(), Some("lầu"), "{mode:?}");
        let notes = notes(&report);
        assert!(notes.contains("1 more, 1 fewer, 0 with another text (more: B)"), "{mode:?}: {notes}");
        assert!(notes.contains("(1..<100), and the layer has 0..200, which stays"), "{mode:?}: {notes}");
        assert!(!notes.contains("the file explains"), "{mode:?}: {notes}");
        assert!(notes.contains("the unit tầng, and the layer has lầu"), "{mode:?}: {notes}");
        assert!(!notes.contains("values of field `loai`"), "the layer's codes count: {notes}");
    }
}

#[test]
fn an_export_to_geopackage_comes_back_equal() {
    let city = city();
    city.import(geopackage(&city), |_| {}).unwrap();
    set(&city, |layer| {
        let at = |name: &str| layer.fields.iter().position(|field| field.name == name).unwrap();
        let (tang, ma) = (at("tang"), at("ma"));
        layer.fields[tang].title = Title::new("Tầng cao", "Storeys");
        layer.fields[ma].code_list = Some("road_class".into());
    });
    let before = layer(&city);
    let path = city.folder.path().join("out.gpkg");
    let options = ExportOptions::new(Crs::WGS84, Audience::Public);
    export(city.store.view().unwrap().as_ref(), &"test".parse().unwrap(), &path, &options).unwrap();
    // GDAL sees them.
    let seen = gdal("ogrinfo", &["-fielddomain", "test.loai", path.to_str().unwrap()]);
    assert!(seen.contains("A: Đất ở") && seen.contains("B: Khác"), "{seen}");
    let again = crate::common::city();
    again.import(&path, |_| {}).unwrap();
    let after = layer(&again);
    for own in &before.fields {
        let other = field(&after, &own.name);
        assert_eq!(
            (&own.title, &own.unit, &own.domain, &own.code_list),
            (&other.title, &other.unit, &other.domain, &other.code_list),
            "{}",
            own.name
        );
    }
    // Exported for a public that does not see a field, its codes stay inside too.
    set(&city, |layer| {
        layer.fields.iter_mut().filter(|own| own.name == "loai").for_each(|own| own.personal = true);
    });
    let path = city.folder.path().join("public.gpkg");
    export(city.store.view().unwrap().as_ref(), &"test".parse().unwrap(), &path, &options).unwrap();
    assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("Đất ở"));
}
