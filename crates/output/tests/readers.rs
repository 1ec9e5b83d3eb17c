//! Every format is read back by a program that shares no code with ours: CSV and GeoParquet by DuckDB,
//! GeoPackage by GDAL. Every row, value, absent value and position must come back as it was.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{path::Path, process::Command};

use chrono::{DateTime, NaiveDate, Utc};
use citymap_engine::ValueRef;
use citymap_model::{FieldType, Geometry, GeometryKind, Title};
use citymap_output::{Column, Format, Output, Table};
use geo::{
    GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon, line_string,
    point, polygon,
};
use serde_json::{Value as Json, json};

const COLUMNS: [(&str, FieldType); 6] = [
    ("tên", FieldType::Text),
    ("so_thua", FieldType::Int),
    ("dien_tich", FieldType::Real),
    ("tranh_chap", FieldType::Bool),
    ("ngay_cap", FieldType::Date),
    ("cap_nhat", FieldType::DateTime),
];

/// Texts that a careless writer damages.
const TEXTS: [&str; 5] = [
    "Thửa đất số 12, tờ 3",
    "",
    "dòng một\ndòng \"hai\"\r\n",
    " khoảng trắng ",
    "Nguyễn Thị Minh Khai; ₫ 🏠",
];

/// The largest and smallest integers that every reader takes exactly.
const INTEGERS: [i64; 5] = [0, -1, 9_007_199_254_740_991, -9_007_199_254_740_991, 2_147_483_648];
const REALS: [f64; 5] = [0.1, -0.0, 1e-300, 1.797_693_134_862_315_7e308, 123_456_789.012_345_67];

fn day(row: usize) -> NaiveDate {
    [(1802, 12, 31), (1969, 12, 31), (1970, 1, 1), (2024, 2, 29), (9999, 12, 31)]
        .map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap())[row]
}

fn instant(row: usize) -> DateTime<Utc> {
    [-62_000_000_000_123, -1, 0, 1_709_164_799_999, 4_102_444_800_000]
        .map(|millis| DateTime::from_timestamp_millis(millis).unwrap())[row]
}

fn table(name: &str, geometry: GeometryKind) -> Table {
    let columns = COLUMNS.map(|(name, field_type)| Column {
        name: name.to_owned(),
        field_type,
        title: Title::new(format!("Cột {name}"), format!("Column {name}")),
    });
    Table {
        name: name.parse().unwrap(), title: Title::same("Bảng thử"), columns: columns.into(), geometry
    }
}

/// A table of five rows with values and one of nothing, written to `path`.
fn write(path: &Path, table: &Table, geometries: &[Option<Geometry>]) {
    let mut file = Output::create(path, Format::of(path).unwrap(), table).unwrap();
    for (row, geometry) in geometries.iter().enumerate() {
        let values = if row < 5 {
            [
                ValueRef::Text(TEXTS[row]),
                ValueRef::Int(INTEGERS[row]),
                ValueRef::Real(REALS[row]),
                ValueRef::Bool(row.is_multiple_of(2)),
                ValueRef::Date(day(row)),
                ValueRef::DateTime(instant(row)),
            ]
        } else {
            [ValueRef::Null; 6]
        };
        file.row(&values, geometry.as_ref()).unwrap();
    }
    assert_eq!(file.finish().unwrap(), geometries.len() as u64);
}

fn donut() -> Polygon {
    polygon! {
        exterior: [(x: 106.7, y: 10.7), (x: 106.8, y: 10.7), (x: 106.8, y: 10.8), (x: 106.7, y: 10.8)],
        interiors: [[(x: 106.73, y: 10.73), (x: 106.73, y: 10.76), (x: 106.76, y: 10.76),
            (x: 106.76, y: 10.73)]],
    }
}

fn square() -> Polygon {
    let [west, south] = [106.123_456_789_012_34, 10.0 / 3.0];
    polygon![(x: west, y: south), (x: west + 0.1, y: south), (x: west + 0.1, y: south + 0.1),
        (x: west, y: south + 0.1)]
}

fn line() -> LineString {
    line_string![(x: 106.7, y: 10.7), (x: 106.700_000_000_000_01, y: 10.8), (x: -179.999_999, y: -89.5)]
}

fn areas() -> Vec<Option<Geometry>> {
    let both = MultiPolygon(vec![donut(), square()]);
    vec![Some(donut().into()), Some(both.into()), Some(square().into()), None, Some(donut().into()), None]
}

/// One of each kind, and a collection.
fn mixed() -> Vec<Option<Geometry>> {
    let [near, far] = [point!(x: 106.7, y: 10.7), point!(x: 180.0, y: -90.0)];
    let all = vec![near.into(), line().into(), donut().into()];
    vec![
        Some(near.into()),
        Some(line().into()),
        Some(MultiPoint(vec![near, far]).into()),
        Some(MultiLineString(vec![line(), line()]).into()),
        Some(Geometry::GeometryCollection(GeometryCollection(all))),
        None,
    ]
}

/// What DuckDB finds in a file; `None` if the test is skipped.
fn duckdb(path: &Path) -> Option<Json> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/read.py");
    let output = citymap_testing::python()?.arg(script).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A geometry as GeoJSON, written out here so that the test does not rely on a library of the program.
fn geojson(geometry: Option<&Geometry>) -> Json {
    let point = |point: &Point| json!([point.x(), point.y()]);
    let line = |line: &LineString| Json::from(line.points().map(|at| point(&at)).collect::<Vec<_>>());
    let rings = |polygon: &Polygon| {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        Json::from(rings.map(line).collect::<Vec<_>>())
    };
    let of = |kind: &str, coordinates: Json| json!({ "type": kind, "coordinates": coordinates });
    match geometry {
        None => Json::Null,
        Some(Geometry::Point(one)) => of("Point", point(one)),
        Some(Geometry::LineString(one)) => of("LineString", line(one)),
        Some(Geometry::Polygon(one)) => of("Polygon", rings(one)),
        Some(Geometry::MultiPoint(all)) => of("MultiPoint", all.iter().map(point).collect()),
        Some(Geometry::MultiLineString(all)) => of("MultiLineString", all.iter().map(line).collect()),
        Some(Geometry::MultiPolygon(all)) => of("MultiPolygon", all.iter().map(rings).collect()),
        Some(Geometry::GeometryCollection(all)) => {
            let parts: Vec<Json> = all.iter().map(|part| geojson(Some(part))).collect();
            json!({ "type": "GeometryCollection", "geometries": parts })
        }
        Some(other) => panic!("{other:?} is in no table of the test"),
    }
}

#[test]
fn geoparquet_comes_back_in_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, geometries) in
        [("areas", GeometryKind::Polygon, areas()), ("mixed", GeometryKind::Mixed, mixed())]
    {
        let path = folder.path().join(format!("{name}.parquet"));
        write(&path, &table(name, kind), &geometries);
        let Some(found) = duckdb(&path) else { return };
        let types: Vec<&str> =
            found["columns"].as_array().unwrap().iter().map(|column| column[1].as_str().unwrap()).collect();
        assert_eq!(
            types[..6],
            ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE"],
            "{name}"
        );
        assert_eq!(found["columns"][0][0], "tên");
        assert!(types[6].starts_with("GEOMETRY"), "{types:?}");
        let rows = found["rows"].as_array().unwrap();
        assert_eq!(rows.len(), geometries.len());
        for (row, (found, geometry)) in rows.iter().zip(&geometries).enumerate() {
            if row < 5 {
                let values = json!([
                    TEXTS[row],
                    INTEGERS[row],
                    REALS[row],
                    row.is_multiple_of(2),
                    day(row).to_string(),
                    instant(row).timestamp_millis()
                ]);
                assert_eq!(found.as_array().unwrap()[..6], values.as_array().unwrap()[..], "{name} {row}");
            } else {
                assert!(found.as_array().unwrap()[..6].iter().all(Json::is_null), "{found}");
            }
            assert_eq!(found[6], geojson(geometry.as_ref()), "{name} {row}");
            covers(&found[7], geometry.as_ref());
        }
    }
}

/// The box of a row is that of its geometry.
fn covers(found: &Json, geometry: Option<&Geometry>) {
    use geo::BoundingRect as _;
    let sides = ["xmin", "ymin", "xmax", "ymax"].map(|side| found[side].as_f64());
    let expected = geometry.and_then(geo::Geometry::bounding_rect);
    let expected =
        expected.map_or([None; 4], |rect| [rect.min().x, rect.min().y, rect.max().x, rect.max().y].map(Some));
    assert_eq!(sides, expected, "{found}");
}

#[test]
fn geoparquet_describes_its_geometry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("areas.geoparquet");
    write(&path, &table("areas", GeometryKind::Polygon), &areas());
    let Some(found) = duckdb(&path) else { return };
    let geo = &found["geo"];
    assert_eq!((&geo["version"], &geo["primary_column"]), (&json!("1.1.0"), &json!("geometry")));
    let column = &geo["columns"]["geometry"];
    assert_eq!(column["encoding"], "WKB");
    assert_eq!(column["geometry_types"], json!(["MultiPolygon", "Polygon"]));
    let square = square();
    let corner = square.exterior().0[0];
    assert_eq!(column["bbox"], json!([corner.x, corner.y, 106.8, 10.8]));
    // Longitude and latitude, as the standard takes a file that names no system.
    assert!(column.get("crs").is_none());
}

/// More rows than a batch (8 192) and a row group (65 536) hold.
#[test]
fn geoparquet_of_several_row_groups_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let mut table = table("many", GeometryKind::Point);
    table.columns.truncate(2);
    let mut file = Output::create(&path, Format::of(&path).unwrap(), &table).unwrap();
    let place = |row: i64| Point::new(106.0 + row as f64 * 1e-6, 10.0 - row as f64 * 1e-6);
    for row in 0..70_000 {
        let text = (row % 3 != 0).then(|| format!("thửa {row}"));
        let text = text.as_deref().map_or(ValueRef::Null, ValueRef::Text);
        file.row(&[text, ValueRef::Int(row)], Some(&place(row).into())).unwrap();
    }
    assert_eq!(file.finish().unwrap(), 70_000);
    let Some(found) = duckdb(&path) else { return };
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 70_000);
    for (row, found) in (0..).zip(rows) {
        let text = if row % 3 == 0 { Json::Null } else { json!(format!("thửa {row}")) };
        assert_eq!((&found[0], &found[1]), (&text, &json!(row)));
        assert_eq!(found[2]["coordinates"], json!([place(row).x(), place(row).y()]));
    }
}

#[test]
fn csv_comes_back_in_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, geometries) in [
        ("areas", GeometryKind::Polygon, areas()),
        ("mixed", GeometryKind::Mixed, mixed()),
        ("plain", GeometryKind::None, vec![None; 6]),
    ] {
        let path = folder.path().join(format!("{name}.csv"));
        write(&path, &table(name, kind), &geometries);
        let Some(found) = duckdb(&path) else { return };
        let names: Vec<&Json> =
            found["columns"].as_array().unwrap().iter().map(|column| &column[0]).collect();
        let mut expected: Vec<&str> = COLUMNS.map(|(name, _)| name).into();
        expected.extend((kind != GeometryKind::None).then_some("wkt"));
        assert_eq!(names, expected);
        let rows = found["rows"].as_array().unwrap();
        assert_eq!(rows.len(), geometries.len());
        for (row, (found, geometry)) in rows.iter().zip(&geometries).enumerate() {
            let found = found.as_array().unwrap();
            if row < 5 {
                assert_eq!((&found[0], &found[1]), (&json!(TEXTS[row]), &json!(INTEGERS[row].to_string())));
                let real: f64 = found[2].as_str().unwrap().parse().unwrap();
                assert_eq!(real.to_bits(), REALS[row].to_bits());
                assert_eq!(found[3], row.is_multiple_of(2).to_string());
                assert_eq!(found[4], day(row).to_string());
                let text = found[5].as_str().unwrap();
                assert_eq!(text.parse::<DateTime<Utc>>().unwrap(), instant(row));
            } else {
                assert!(found[..6].iter().all(Json::is_null), "{found:?}");
            }
            if kind != GeometryKind::None {
                assert_eq!(found[6], geojson(geometry.as_ref()), "{name} {row}");
            }
        }
    }
}

/// The byte order mark is for Excel alone, and all else is the same.
#[test]
fn csv_for_excel_only_adds_a_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let table = table("areas", GeometryKind::None);
    let text = |excel| {
        let path = folder.path().join(format!("{excel}.csv"));
        let mut file = Output::create(&path, Format::Csv { excel }, &table).unwrap();
        file.row(&[ValueRef::Null; 6], None).unwrap();
        file.finish().unwrap();
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(text(true), format!("\u{feff}{}", text(false)));
}

/// The layer of a GeoPackage as GDAL reads it, as GeoJSON with all digits; `None` if the test is skipped.
fn gdal(path: &Path, layer: &str) -> Option<Json> {
    if !citymap_testing::installed("ogr2ogr", "gdal-bin") {
        return None;
    }
    let output = Command::new("ogr2ogr")
        .args(["-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=17", "-lco", "SIGNIFICANT_FIGURES=17"])
        .args(["-preserve_fid".as_ref(), "/vsistdout/".as_ref(), path.as_os_str(), layer.as_ref()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_geopackage_comes_back_in_gdal() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, geometries) in [
        ("areas", GeometryKind::Polygon, areas()),
        ("mixed", GeometryKind::Mixed, mixed()),
        ("plain", GeometryKind::None, vec![None; 6]),
    ] {
        let path = folder.path().join(format!("{name}.gpkg"));
        write(&path, &table(name, kind), &geometries);
        let Some(found) = gdal(&path, name) else { return };
        let features = found["features"].as_array().unwrap();
        assert_eq!(features.len(), geometries.len());
        for (row, (feature, geometry)) in features.iter().zip(&geometries).enumerate() {
            let values = &feature["properties"];
            if row < 5 {
                assert_eq!(values["tên"], TEXTS[row]);
                assert_eq!(values["so_thua"], INTEGERS[row]);
                assert_eq!(values["dien_tich"].as_f64(), Some(REALS[row]));
                assert_eq!(values["tranh_chap"], row.is_multiple_of(2));
                // GDAL writes days and instants with slashes.
                let text = |name: &str| values[name].as_str().unwrap().replace('/', "-");
                assert_eq!(text("ngay_cap"), day(row).to_string());
                let found = text("cap_nhat").replacen(' ', "T", 1).replace("+00", "Z");
                assert_eq!(found.parse::<DateTime<Utc>>().unwrap(), instant(row), "{found}");
            } else {
                assert!(values.as_object().unwrap().values().all(Json::is_null), "{values}");
            }
            let mut expected = geojson(geometry.as_ref());
            // A table of polygons holds multi-polygons, of which a single polygon is one.
            if kind == GeometryKind::Polygon
                && expected["type"] == "Polygon"
                && feature["geometry"]["type"] != "Polygon"
            {
                expected = json!({ "type": "MultiPolygon", "coordinates": [expected["coordinates"]] });
            }
            assert_eq!(feature["geometry"], expected, "{name} {row}");
        }
    }
}

#[test]
fn geojson_is_a_collection_whose_values_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, kind: GeometryKind, geometries: &[Option<Geometry>]| -> Json {
        let path = folder.path().join(name);
        write(&path, &table("bang", kind), geometries);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let found = read("mixed.geojson", GeometryKind::Mixed, &mixed());
    assert_eq!((&found["type"], &found["name"]), (&json!("FeatureCollection"), &json!("bang")));
    for (row, geometry) in mixed().iter().enumerate() {
        let feature = &found["features"][row];
        assert_eq!(feature["geometry"], geojson(geometry.as_ref()), "row {row}");
        let values = if row < 5 {
            json!({"tên": TEXTS[row], "so_thua": INTEGERS[row], "dien_tich": REALS[row],
                "tranh_chap": row % 2 == 0, "ngay_cap": day(row).to_string(),
                "cap_nhat": ValueRef::DateTime(instant(row)).to_text()})
        } else {
            json!({"tên": null, "so_thua": null, "dien_tich": null, "tranh_chap": null, "ngay_cap": null,
                "cap_nhat": null})
        };
        assert_eq!(feature["properties"], values, "row {row}");
    }
    let clockwise: Polygon = polygon![(x: 0.0, y: 0.0), (x: 0.0, y: 1.0), (x: 1.0, y: 1.0), (x: 0.0, y: 0.0)];
    let found = read("turned.geojson", GeometryKind::Polygon, &[Some(clockwise.into())]);
    let ring = &found["features"][0]["geometry"]["coordinates"][0];
    assert_eq!(*ring, json!([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]), "RFC 7946, 3.1.6");
    assert_eq!(read("none.geojson", GeometryKind::None, &[])["features"], json!([]));
}

#[test]
fn an_empty_table_is_a_whole_file_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [GeometryKind::Polygon, GeometryKind::None] {
        for ending in ["csv", "gpkg", "parquet"] {
            let path = folder.path().join(format!("{kind:?}.{ending}"));
            write(&path, &table("empty", kind), &[]);
            if ending == "gpkg" {
                let Some(found) = gdal(&path, "empty") else { return };
                assert_eq!(found["features"], json!([]));
            } else {
                let Some(found) = duckdb(&path) else { return };
                assert_eq!(found["rows"], json!([]), "{ending}");
                assert_eq!(found["columns"][5][0], "cap_nhat");
            }
        }
    }
}
