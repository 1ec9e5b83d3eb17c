//! GDAL as judge: it opens the file without a word of warning, reads what was written, and its
//! edits keep the indexes right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use std::{
    cmp::Reverse,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use citymap_model::{
    Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value, parse_date, parse_datetime,
};
use citymap_store::{Edit, GeoPackage, Put, Severity, Store};
use geo_types::{
    Geometry, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, line_string,
};
use parts::{id, parcel, parcels, read, square, write};

/// `None`, and a word about it, if GDAL's programs are not installed.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(Output { status, stdout, stderr }) =
        Command::new(program).args(arguments).env("CPL_DEBUG", "OFF").output()
    else {
        citymap_testing::skip(format_args!(
            "`{program}` is not installed; it is in the Debian package gdal-bin"
        ));
        return None;
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && stderr.is_empty(), "{program} {arguments:?}: {stderr}{stdout}");
    for word in ["Warning", "ERROR"] {
        assert!(!stdout.contains(word), "{stdout}");
    }
    Some(stdout.into_owned())
}

struct City {
    folder: tempfile::TempDir,
}

impl City {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("city.gpkg")
    }

    fn text(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn store(&self) -> GeoPackage {
        GeoPackage::open_or_create(&self.path()).unwrap()
    }

    /// `check` finds nothing but that another program edited.
    fn check(&self) {
        for finding in self.store().check().unwrap() {
            let edited =
                finding.severity == Severity::Warning && finding.message.contains("another program edited");
            assert!(edited || finding.severity == Severity::Good, "{}", finding.message);
        }
    }
}

fn layer(name: &str, geometry: GeometryKind) -> Layer {
    let mut layer = Layer::new(id(name), Title::new("Lớp", "Layer"), Role::Other, geometry);
    layer.fields = [
        ("fid", FieldType::Int),
        ("tên", FieldType::Text),
        ("TÊN", FieldType::Text),
        ("đúng", FieldType::Bool),
        ("real", FieldType::Real),
        ("ngày", FieldType::Date),
        ("lúc", FieldType::DateTime),
    ]
    .map(|(name, field_type)| Field::new(name, field_type))
    .into();
    layer
}

fn feature(at: i64, geometry: Option<Geometry>) -> NewFeature {
    let values = vec![
        Value::Int(i64::MAX - at),
        Value::Text(format!("Nguyễn Thị Minh Khai \"{at}\", 'x' 🏙")),
        Value::Null,
        Value::Bool(at % 2 == 0),
        Value::Real(0.1 + at as f64),
        Value::Date(parse_date("2025-07-01").unwrap()),
        Value::DateTime(parse_datetime("2025-07-01T07:30:00.250Z").unwrap()),
    ];
    NewFeature { geometry, values }
}

fn shapes() -> Vec<(&'static str, GeometryKind, Vec<Option<Geometry>>)> {
    let line = line_string![(x: 106.0, y: 10.0), (x: 106.5, y: 10.25)];
    let point = Point::new(106.7, 10.77);
    let squares = || {
        let Geometry::Polygon(polygon) = square(5) else { panic!() };
        MultiPolygon(vec![polygon])
    };
    vec![
        ("points", GeometryKind::Point, vec![Some(point.into()), None]),
        ("point_sets", GeometryKind::Point, vec![Some(MultiPoint(vec![point]).into()), None]),
        ("lines", GeometryKind::Line, vec![Some(line.clone().into()), Some(LineString(vec![]).into())]),
        ("line_sets", GeometryKind::Line, vec![Some(MultiLineString(vec![line.clone()]).into())]),
        ("polygons", GeometryKind::Polygon, vec![Some(square(1)), Some(square(2)), None]),
        (
            "both",
            GeometryKind::Polygon,
            vec![Some(square(1)), Some(squares().into()), Some(MultiPolygon(vec![]).into())],
        ),
        (
            "mixed",
            GeometryKind::Mixed,
            vec![
                Some(point.into()),
                Some(square(3)),
                Some(Geometry::GeometryCollection(GeometryCollection(vec![line.into(), square(4)]))),
                None,
            ],
        ),
        ("bare", GeometryKind::None, vec![None, None]),
        ("nothing", GeometryKind::Polygon, vec![]),
    ]
}

fn filled(city: &City) {
    let store = city.store();
    for (name, kind, geometries) in shapes() {
        // Twice, and between the two edited and dropped, so that there is a history.
        let features = || (0..).zip(geometries.clone()).map(|(at, geometry)| feature(at, geometry)).collect();
        write(&store, &layer(name, kind), Mode::Append, features());
        let mut change = store.begin(Default::default()).unwrap();
        change.layer(&layer(name, kind), Mode::Edit).unwrap();
        change.edit(Edit::Delete(1)).unwrap();
        change.edit(Edit::Insert(None, feature(7, geometries.first().cloned().flatten()))).unwrap();
        change.commit().unwrap();
        if kind == GeometryKind::Mixed {
            change = store.begin(Default::default()).unwrap();
            change.layer(&layer(name, kind), Mode::Drop).unwrap();
            change.commit().unwrap();
        }
        write(&store, &layer(name, kind), Mode::Replace, features());
    }
    assert!(store.put_document("settings", 0, Some("{}")).unwrap());
    let conn = rusqlite::Connection::open(city.path()).unwrap();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(count("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'citymap_history_%'") > 8);
    assert_eq!(count("SELECT count(*) FROM gpkg_contents WHERE table_name LIKE 'citymap%'"), 0);
}

#[test]
fn gdal_opens_every_kind_of_layer_without_a_warning_and_sees_only_layers() {
    let city = City::new();
    filled(&city);
    let Some(list) = run("ogrinfo", &["-q", "-ro", &city.text()]) else { return };
    let mut lines: Vec<&str> =
        list.lines().filter_map(|line| line.split_once(": ")).map(|(_, name)| name).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "bare (None)",
            "both",
            "line_sets (Multi Line String)",
            "lines (Line String)",
            "mixed",
            "nothing",
            "point_sets (Multi Point)",
            "points (Point)",
            "polygons (Polygon)"
        ],
        "{list}"
    );
    let told = run("ogrinfo", &["-al", "-so", &city.text()]).unwrap();
    for word in [
        "FID Column = fid",
        "tên: String",
        "TÊN: String",
        "fid_2: Integer64",
        "đúng: Integer(Boolean)",
        "ngày: Date",
        "lúc: DateTime",
    ] {
        assert_eq!(told.matches(word).count(), 9, "{word}: {told}");
    }
    city.check();
}

/// Through GDAL to GeoJSON and WKT and back by other parsers: the values are those written.
#[test]
fn gdal_reads_what_was_written() {
    let city = City::new();
    filled(&city);
    for (name, _, geometries) in shapes() {
        let Some(text) = run("ogr2ogr", &["-f", "GeoJSON", "/vsistdout/", &city.text(), name]) else {
            return;
        };
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        // Like features kept their numbers when the layer was replaced, so the order is that of former days.
        let mut read = read["features"].as_array().unwrap().clone();
        read.sort_by_key(|feature| Reverse(feature["properties"]["fid_2"].as_i64()));
        assert_eq!(read.len(), geometries.len());
        for ((at, geometry), read) in (0i64..).zip(&geometries).zip(read) {
            let values = &read["properties"];
            assert_eq!(values["fid_2"], i64::MAX - at);
            assert_eq!(values["tên"], format!("Nguyễn Thị Minh Khai \"{at}\", 'x' 🏙"));
            assert!(values["TÊN"].is_null());
            assert_eq!(values["đúng"], at % 2 == 0);
            assert_eq!(values["real"].as_f64(), feature(at, None).values[4].to_json().as_f64());
            assert_eq!(
                (&values["ngày"], &values["lúc"]),
                (&"2025-07-01".into(), &"2025-07-01T07:30:00.250Z".into())
            );
            assert_eq!(read["geometry"].is_null(), geometry.is_none(), "{name} {at}");
        }
    }
}

/// GDAL takes each geometry apart and puts it together again: bit for bit what we wrote.
#[test]
fn gdal_writes_the_same_geometry_as_we_do() {
    let city = City::new();
    filled(&city);
    let copy = city.folder.path().join("copy.gpkg");
    let Some(_) = run("ogr2ogr", &["-f", "GPKG", copy.to_str().unwrap(), &city.text()]) else { return };
    let blobs = |path: &Path, layer: &str| -> Vec<Option<Vec<u8>>> {
        let conn = rusqlite::Connection::open(path).unwrap();
        let mut statement = conn.prepare(&format!("SELECT geom FROM \"{layer}\" ORDER BY fid")).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for (name, kind, geometries) in shapes() {
        if kind != GeometryKind::None {
            let ours = blobs(&city.path(), name);
            assert_eq!(ours.len(), geometries.len());
            assert_eq!(blobs(&copy, name), ours, "{name}");
        }
    }
}

/// What `ogr2ogr` adds and `ogrinfo` changes goes by the triggers, and is read by us.
#[test]
fn gdal_edits_keep_the_indexes_and_counts_right() {
    let city = City::new();
    write(
        &city.store(),
        &parcels(),
        Mode::Replace,
        (0..300).map(|at| parcel(&at.to_string(), at, 1.0)).collect(),
    );
    let more = city.folder.path().join("more.geojson");
    std::fs::write(
        &more,
        r#"{"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"ma": "new", "dien_tich": 7.5},
             "geometry": {"type": "Polygon", "coordinates": [[[108, 12], [109, 12], [109, 13], [108, 12]]]}},
            {"type": "Feature", "properties": {"ma": "null", "dien_tich": null}, "geometry": null}]}"#,
    )
    .unwrap();
    let path = city.text();
    let Some(_) = run("ogr2ogr", &["-append", "-nln", "parcels", &path, more.to_str().unwrap()]) else {
        return;
    };
    city.check();
    let after = read(&city.store(), "parcels");
    assert_eq!((after.len(), after[300].fid, &after[300].values[1]), (302, 301, &Value::Real(7.5)));
    assert_eq!(after[301].geometry, None);
    for sql in [
        "UPDATE parcels SET geom = (SELECT geom FROM parcels WHERE fid = 301) WHERE fid IN (7, 302)",
        "UPDATE parcels SET geom = NULL WHERE fid = 8",
        "UPDATE parcels SET fid = 5000 WHERE fid = 9",
        "DELETE FROM parcels WHERE fid > 250 AND fid < 300",
    ] {
        run("ogrinfo", &["-q", &path, "-dialect", "SQLITE", "-sql", sql]).unwrap();
        city.check();
    }
    assert_eq!(read(&city.store(), "parcels").len(), 302 - 49);
    // Our next change set goes on from there: no number comes twice.
    let (_, puts) = write(&city.store(), &parcels(), Mode::Append, vec![parcel("next", 1, 1.0)]);
    assert_eq!(puts, [Put::Added(5001)]);
    // Our own edits go by the same triggers.
    let store = city.store();
    let mut change = store.begin(Default::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    let far = |at| NewFeature { geometry: Some(Point::new(0.0, 0.0).into()), ..parcel("far", at, 1.0) };
    assert!(matches!(change.edit(Edit::Update(20, far(1))).unwrap(), Put::Rejected(_)));
    change.edit(Edit::Update(20, parcel("moved", 9_999, 1.0))).unwrap();
    change.edit(Edit::Delete(5001)).unwrap();
    change.edit(Edit::Insert(None, parcel("next", 1, 1.0))).unwrap();
    change.commit().unwrap();
    drop(store);
    city.check();
    let found = run("ogrinfo", &["-al", "-so", "-spat", "108.1", "12.0", "108.9", "12.5", &path]).unwrap();
    assert!(found.contains("Feature Count: 3"), "{found}");
    assert_eq!(read(&city.store(), "parcels").len(), 302 - 49 + 1);
}

/// A layer that GDAL edited widens to several geometry types and stays consistent.
#[test]
fn a_layer_that_gets_other_types_still_opens_without_a_warning() {
    let city = City::new();
    let multi = |at| {
        let Geometry::Polygon(polygon) = square(at) else { panic!() };
        NewFeature { geometry: Some(MultiPolygon(vec![polygon]).into()), values: parcel("m", at, 1.0).values }
    };
    let type_of = |city: &City| {
        let told = run("ogrinfo", &["-so", &city.text(), "parcels"])?;
        Some(told.lines().find_map(|line| line.strip_prefix("Geometry: ")).unwrap().to_owned())
    };
    let steps = [
        (Mode::Append, vec![]),
        (Mode::Append, vec![parcel("a", 1, 1.0)]),
        (Mode::Append, vec![multi(2)]),
        (Mode::Replace, vec![multi(3)]),
    ];
    for ((mode, features), expected) in
        steps.into_iter().zip(["Unknown (any)", "Polygon", "Unknown (any)", "Multi Polygon"])
    {
        write(&city.store(), &parcels(), mode, features);
        let Some(found) = type_of(&city) else { return };
        assert_eq!(found, expected);
        city.check();
    }
}

/// A server reads while GDAL has the file open, and GDAL reads while an import is written.
#[test]
fn gdal_reads_the_former_revision_while_one_is_written() {
    let city = City::new();
    let store = city.store();
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let mut change = store.begin(Default::default()).unwrap();
    change.layer(&parcels(), Mode::Replace).unwrap();
    for at in 0..5000 {
        change.put(parcel(&at.to_string(), at, 1.0)).unwrap();
    }
    let count = |path: &Path| {
        let told = run("ogrinfo", &["-ro", "-so", path.to_str().unwrap(), "parcels"])?;
        Some(told.lines().find_map(|line| line.strip_prefix("Feature Count: ")).unwrap().to_owned())
    };
    let Some(before) = count(&city.path()) else { return };
    change.commit().unwrap();
    assert_eq!((before.as_str(), count(&city.path()).unwrap().as_str()), ("1", "5000"));
}
