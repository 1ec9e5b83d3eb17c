//! What is exported comes back by an import, and what cannot be exported leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

mod common;

use std::{collections::BTreeSet, path::PathBuf};

use citymap_crs::Crs;
use citymap_ingest::{Export, ExportError, export};
use citymap_model::{
    CommitMeta, Feature, Field, FieldType, GeometryKind, Layer, LayerId, Mode, NewFeature, Role, Title,
    Value, parse_date, parse_datetime,
};
use citymap_store::{LayerEntry, StoreError, View};
use common::{City, apart, city};
use geo_types::{Geometry, LineString, MultiPoint, MultiPolygon, Point, Polygon};

const ALL: [&str; 10] = ["gpkg", "geojson", "geojsonl", "fgb", "shp", "tab", "mif", "csv", "kml", "dxf"];
/// WGS 84 by definition.
const FIXED: [&str; 2] = ["geojsonl", "kml"];

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn grid() -> Crs {
    Crs::new(9210).unwrap()
}

/// Puts a layer `lop` into the store.
fn put(city: &City, kind: GeometryKind, fields: &[(&str, FieldType)], features: Vec<NewFeature>) {
    let mut layer = Layer::new("lop".parse().unwrap(), Title::same("Lớp"), Role::Other, kind);
    layer.fields = fields.iter().map(|(name, field_type)| Field::new(*name, *field_type)).collect();
    let meta =
        CommitMeta { author: "test".into(), message: "test".into(), source: None, source_sha256: None };
    let mut transaction = city.store.begin(meta).unwrap();
    transaction.layer(&layer, Mode::Replace).unwrap();
    for feature in features {
        transaction.put(feature).unwrap();
    }
    transaction.commit().unwrap();
}

fn out(city: &City, name: &str, crs: Crs) -> Result<(Export, PathBuf), ExportError> {
    let path = city.folder.path().join("out").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let view = city.store.view().unwrap();
    export(view.as_ref(), &"lop".parse().unwrap(), &path, crs).map(|done| (done, path))
}

fn listing(city: &City) -> BTreeSet<String> {
    let Ok(folder) = std::fs::read_dir(city.folder.path().join("out")) else { return BTreeSet::new() };
    folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// The file imported again, as layer `test`, in the order of the layer exported (west to east).
fn back(city: &City, path: &std::path::Path, crs: Crs) -> (Vec<Feature>, Vec<Field>) {
    let says = !matches!(path.extension().unwrap().to_str(), Some("csv" | "dxf"));
    let report = city.import(path, |r| r.crs = (!says).then_some(crs)).unwrap();
    assert_eq!(report.rejected, 0, "{report:#?}");
    if says && report.layers[0].geometry != GeometryKind::None {
        assert_eq!(report.layers[0].crs.as_ref().unwrap().crs, crs.to_string());
    }
    let mut features = city.features("test");
    features.sort_by(|a, b| {
        let west =
            |f: &Feature| f.geometry.as_ref().and_then(|g| common::parts(g).first().map(|part| part[0][0]));
        west(a).partial_cmp(&west(b)).unwrap()
    });
    (features, report.layers[0].fields.clone())
}

fn square(x: f64) -> Polygon<f64> {
    let ring = |inset: f64| {
        LineString::from(vec![
            (x + inset, 10.77 + inset),
            (x + 0.001 - inset, 10.770_000_123 + inset),
            (x + 0.001 - inset, 10.771 - inset),
            (x + inset, 10.771 - inset),
        ])
    };
    Polygon::new(ring(0.0), vec![ring(0.000_3)])
}

const FIELDS: [(&str, FieldType); 6] = [
    ("ten", FieldType::Text),
    ("so", FieldType::Int),
    ("rong", FieldType::Real),
    ("dung", FieldType::Bool),
    ("ngay", FieldType::Date),
    ("luc", FieldType::DateTime),
];

/// Two parcels and a multi-polygon with every type of value, empty text and nulls.
fn parcels() -> Vec<NewFeature> {
    let day = |text| Value::Date(parse_date(text).unwrap());
    let instant = |text| Value::DateTime(parse_datetime(text).unwrap());
    vec![
        NewFeature {
            geometry: Some(square(106.69).into()),
            values: vec![
                text("Đường Nguyễn Huệ, \"Q.1\"\nhẻm 5"),
                Value::Int(9_007_199_254_740_993),
                Value::Real(0.1),
                Value::Bool(true),
                day("2025-07-01"),
                instant("2025-07-01T08:30:15Z"),
            ],
        },
        NewFeature {
            geometry: Some(MultiPolygon(vec![square(106.7), square(106.705)]).into()),
            values: vec![
                text(""),
                Value::Int(-7),
                Value::Real(-1234.5),
                Value::Bool(false),
                day("1999-12-31"),
                instant("1999-12-31T23:59:59Z"),
            ],
        },
        NewFeature { geometry: Some(square(106.71).into()), values: vec![Value::Null; 6] },
    ]
}

/// What a format makes of a value, as the import reads it again.
fn kept(ending: &str, column: usize, value: &Value) -> Value {
    let (ints, slashes) = (matches!(ending, "fgb" | "shp" | "tab" | "mif" | "kml"), value.clone());
    let absent_is_zero = matches!(ending, "tab" | "mif");
    match (value, column) {
        // Blank and absent are one.
        (Value::Text(text), _)
            if text.is_empty() && !matches!(ending, "gpkg" | "geojson" | "geojsonl" | "tab" | "mif") =>
        {
            Value::Null
        }
        (Value::Bool(truth), _) if ints => Value::Int(i64::from(*truth)),
        (Value::Date(day), _) if ending == "fgb" => {
            Value::DateTime(day.and_time(chrono::NaiveTime::MIN).and_utc())
        }
        (Value::Date(day), _) if ending == "kml" => text(&day.to_string()),
        (Value::DateTime(instant), _) if matches!(ending, "shp" | "kml") => {
            text(&citymap_model::format_datetime(instant))
        }
        (Value::Text(one), _) if ending == "mif" => text(&one.replace('\n', "\\n")),
        // Too long for the format.
        (Value::Int(number), 1) if absent_is_zero || ending == "kml" => text(&number.to_string()),
        (Value::Null, 0 | 1) if absent_is_zero => text(""),
        (Value::Null, 3) if absent_is_zero => Value::Int(0),
        (Value::Null, 2) if absent_is_zero => Value::Real(0.0),
        _ => slashes,
    }
}

#[test]
fn every_format_comes_back_in_both_systems() {
    for ending in ALL {
        for crs in [Crs::WGS84, grid()] {
            if crs == grid() && FIXED.contains(&ending) {
                continue;
            }
            let city = city();
            put(&city, GeometryKind::Polygon, &FIELDS, parcels());
            let (done, path) =
                out(&city, &format!("a.{ending}"), crs).unwrap_or_else(|e| panic!("{ending}: {e}"));
            assert_eq!(done.written, 3);
            let (features, fields) = back(&city, &path, crs);
            let original = parcels();
            if ending == "dxf" {
                // A drawing has neither fields nor multi-polygons: the parts are what counts.
                let all = |geometries: Vec<Geometry<f64>>| {
                    Geometry::GeometryCollection(geo_types::GeometryCollection(geometries))
                };
                let found = all(features.into_iter().filter_map(|f| f.geometry).collect());
                let expected = all(original.into_iter().filter_map(|f| f.geometry).collect());
                assert!(apart(Some(&found), Some(&expected)) <= 1e-9, "{found:?}");
                continue;
            }
            assert_eq!(features.len(), 3, "{ending}");
            for (row, (one, expected)) in features.iter().zip(&original).enumerate() {
                let off = apart(one.geometry.as_ref(), expected.geometry.as_ref());
                assert!(off <= 1e-9, "{ending} {crs}, feature {row}: {off}°");
                for (column, (name, _)) in FIELDS.iter().enumerate() {
                    let at = fields.iter().position(|field| field.name == *name).unwrap();
                    let expected = kept(ending, column, &expected.values[column]);
                    assert_eq!(one.values[at], expected, "{ending} {crs}, feature {row}, {name}");
                }
            }
        }
    }
}

#[test]
fn grid_coordinates_are_ours_to_the_millimetre() {
    use gdal::vector::LayerAccess;
    for ending in ALL.into_iter().filter(|ending| !FIXED.contains(ending)) {
        let city = city();
        let points =
            vec![NewFeature { geometry: Some(Point::new(106.698, 10.7725).into()), values: vec![text("A")] }];
        put(&city, GeometryKind::Point, &[("ten", FieldType::Text)], points);
        let (done, path) = out(&city, &format!("a.{ending}"), grid()).unwrap();
        assert_eq!(done.written, 1);
        let dataset = gdal::Dataset::open(&path).unwrap();
        let mut layer = dataset.layer(0).unwrap();
        let (x, y, _) = match layer.features().next().unwrap().geometry() {
            Some(point) if ending != "csv" => point.get_point(0),
            // GDAL's reader of tables wants to be told which column it is.
            _ => {
                let line = std::fs::read_to_string(&path).unwrap();
                let start = line.find("POINT (").unwrap() + "POINT (".len();
                let mut numbers = line[start..].split([' ', ')']).map(|n| n.parse().unwrap_or(f64::NAN));
                (numbers.next().unwrap(), numbers.next().unwrap(), 0.0)
            }
        };
        assert!((x - 603_481.588).abs() < 1e-3 && (y - 1_191_454.611).abs() < 1e-3, "{ending}: {x}, {y}");
    }
}

#[test]
fn formats_of_wgs84_are_not_written_in_a_grid() {
    for ending in FIXED {
        let city = city();
        put(&city, GeometryKind::Polygon, &FIELDS, parcels());
        let error = out(&city, &format!("a.{ending}"), grid()).unwrap_err();
        assert!(matches!(&error, ExportError::Unfit { reason, .. } if reason.contains("--crs")), "{error}");
        assert!(listing(&city).is_empty());
    }
}

#[test]
fn what_is_there_is_not_touched() {
    let city = city();
    put(&city, GeometryKind::Polygon, &FIELDS, parcels());
    std::fs::create_dir_all(city.folder.path().join("out")).unwrap();
    // The file itself, and a companion that another program left.
    for (there, name) in [("out/a.gpkg", "a.gpkg"), ("out/b.dbf", "b.shp"), ("out/c.map", "c.tab")] {
        let there = city.write(there, "mine");
        let before = listing(&city);
        let error = out(&city, name, Crs::WGS84).unwrap_err();
        assert!(
            matches!(&error, ExportError::Exists(path) if *path == there.display().to_string()),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(&there).unwrap(), "mine");
        assert_eq!(listing(&city), before);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let city = city();
    put(&city, GeometryKind::Polygon, &FIELDS, parcels());
    let view = city.store.view().unwrap();
    city.write("file", "mine");
    // Also root may not write into /proc.
    for folder in [city.folder.path().join("none"), city.folder.path().join("file"), "/proc".into()] {
        for ending in ALL {
            let path = folder.join(format!("a.{ending}"));
            let error = export(view.as_ref(), &"lop".parse().unwrap(), &path, Crs::WGS84).unwrap_err();
            let message = error.to_string();
            assert!(matches!(error, ExportError::Write { .. }), "{message}");
            assert!(
                message.contains(&format!("the folder {} cannot be written to", folder.display())),
                "{message}"
            );
        }
    }
    assert!(!city.folder.path().join("none").exists());
    let error = export(view.as_ref(), &"lop".parse().unwrap(), "a.xyz".as_ref(), Crs::WGS84).unwrap_err();
    assert!(matches!(error, ExportError::Format(_)));
    let error = export(view.as_ref(), &"khong".parse().unwrap(), "a.gpkg".as_ref(), Crs::WGS84).unwrap_err();
    assert!(matches!(error, ExportError::Store(_)), "{error}");
}

/// A record that breaks off at the third feature once the layer was seen to its end.
struct Broken<'a> {
    inner: Box<dyn View + 'a>,
    reads: std::cell::Cell<u32>,
}

impl View for Broken<'_> {
    fn revision(&self) -> citymap_model::RevisionNumber {
        self.inner.revision()
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        self.inner.layers()
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.reads.set(self.reads.get() + 1);
        let mut seen = 0;
        self.inner.read(layer, &mut |feature| {
            seen += 1;
            if self.reads.get() == 2 && seen == 3 {
                return Err(StoreError::Stopped("the disk is gone".to_owned()));
            }
            sink(feature)
        })
    }
}

#[test]
fn a_failure_half_way_leaves_nothing() {
    for ending in ALL {
        let city = city();
        put(&city, GeometryKind::Polygon, &FIELDS, parcels());
        let view = Broken { inner: city.store.view().unwrap(), reads: 0.into() };
        std::fs::create_dir_all(city.folder.path().join("out")).unwrap();
        let path = city.folder.path().join("out").join(format!("a.{ending}"));
        let outcome = export(&view, &"lop".parse().unwrap(), &path, Crs::WGS84);
        assert!(matches!(&outcome, Err(ExportError::Store(StoreError::Stopped(_)))), "{ending}: {outcome:?}");
        assert_eq!(view.reads.get(), 2);
        assert!(listing(&city).is_empty(), "{:?}", listing(&city));
    }
}

fn bare(geometry: impl Into<Geometry<f64>>) -> NewFeature {
    NewFeature { geometry: Some(geometry.into()), values: vec![text("A")] }
}

#[test]
fn mixed_kinds_are_kept_or_refused() {
    for ending in ALL {
        let city = city();
        let mixed = vec![
            bare(Point::new(106.69, 10.77)),
            bare(LineString::from(vec![(106.7, 10.77), (106.7005, 10.771)])),
            bare(square(106.71)),
        ];
        let expected: Vec<_> = mixed.iter().map(|feature| feature.geometry.clone()).collect();
        put(&city, GeometryKind::Mixed, &[("ten", FieldType::Text)], mixed);
        match out(&city, &format!("a.{ending}"), Crs::WGS84) {
            Err(error) => {
                assert_eq!(ending, "shp", "{error}");
                let told = "1 points and 1 lines and 1 polygons, and a Shapefile holds only one kind";
                assert!(error.to_string().contains(told), "{error}");
                assert!(listing(&city).is_empty());
            }
            Ok((done, path)) => {
                assert_ne!(ending, "shp");
                assert_eq!(done.written, 3);
                let (features, _) = back(&city, &path, Crs::WGS84);
                assert_eq!(features.len(), 3, "{ending}");
                for (one, expected) in features.iter().zip(&expected) {
                    assert!(apart(one.geometry.as_ref(), expected.as_ref()) <= 1e-9, "{ending}: {one:?}");
                }
            }
        }
    }
}

#[test]
fn collections_are_kept_or_refused() {
    for ending in ALL {
        let city = city();
        let both = geo_types::GeometryCollection(vec![
            Point::new(106.69, 10.77).into(),
            LineString::from(vec![(106.7, 10.77), (106.7005, 10.771)]).into(),
        ]);
        put(
            &city,
            GeometryKind::Mixed,
            &[("ten", FieldType::Text)],
            vec![bare(Geometry::GeometryCollection(both.clone()))],
        );
        let outcome = out(&city, &format!("a.{ending}"), Crs::WGS84);
        if ["shp", "tab", "mif", "dxf"].contains(&ending) {
            assert!(matches!(&outcome, Err(ExportError::Unfit { .. })), "{ending}: {outcome:?}");
            assert!(listing(&city).is_empty());
        } else {
            let (features, _) = back(&city, &outcome.unwrap().1, Crs::WGS84);
            assert!(
                apart(features[0].geometry.as_ref(), Some(&Geometry::GeometryCollection(both))) <= 1e-9,
                "{ending}"
            );
        }
    }
}

#[test]
fn null_and_empty_geometry_are_kept_or_said() {
    for ending in ALL {
        let city = city();
        let features = vec![
            bare(square(106.69)),
            NewFeature { geometry: None, values: vec![text("B")] },
            bare(MultiPolygon::<f64>(vec![])),
        ];
        put(&city, GeometryKind::Polygon, &[("ten", FieldType::Text)], features);
        if ending == "fgb" {
            let error = out(&city, "a.fgb", Crs::WGS84).unwrap_err();
            assert!(error.to_string().contains("2 features have no geometry"), "{error}");
            assert!(listing(&city).is_empty());
            continue;
        }
        let (done, path) =
            out(&city, &format!("a.{ending}"), Crs::WGS84).unwrap_or_else(|e| panic!("{ending}: {e}"));
        assert_eq!(done.written, if ending == "dxf" { 1 } else { 3 }, "{ending}");
        let keeps = ["gpkg", "geojson", "geojsonl", "csv"].contains(&ending);
        let said = done
            .notes
            .iter()
            .any(|note| note.contains("empty geometries") || note.contains("without geometry"));
        assert_ne!(keeps, said, "{ending}: {:?}", done.notes);
        let (features, _) = back(&city, &path, Crs::WGS84);
        let null = features.iter().filter(|f| f.geometry.is_none()).count();
        assert_eq!(
            null,
            match ending {
                "dxf" => 0,
                _ if keeps => 1,
                _ => 2,
            },
            "{ending}"
        );
        assert_eq!(features.len() as u64, done.written, "{ending}");
    }
}

#[test]
fn a_shapefile_says_what_it_shortens() {
    let city = city();
    let fields = [("muc_dich_su_dung", FieldType::Text), ("muc_dich_su_dung_2", FieldType::Text)];
    let long = "ạ".repeat(200);
    let both = |geometry: Geometry<f64>| NewFeature {
        geometry: Some(geometry),
        values: vec![text(&long), text("x")],
    };
    let points = vec![
        both(Point::new(106.69, 10.77).into()),
        both(MultiPoint(vec![Point::new(106.7, 10.77), Point::new(106.71, 10.77)]).into()),
    ];
    put(&city, GeometryKind::Point, &fields, points);
    let (done, path) = out(&city, "a.shp", Crs::WGS84).unwrap();
    for said in ["muc_dich_s", "muc_dich_1", "truncated to 254", "multi-points of one"] {
        assert!(done.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", done.notes);
    }
    let (features, fields) = back(&city, &path, Crs::WGS84);
    assert_eq!(fields[1].name, "muc_dich_1");
    assert_eq!(features[1].values[1], text("x"));
    assert_eq!(common::parts(features[1].geometry.as_ref().unwrap()).len(), 2);
}

#[test]
fn tables_without_geometry_and_empty_layers() {
    for ending in ALL {
        let city = city();
        put(
            &city,
            GeometryKind::None,
            &[("ten", FieldType::Text)],
            vec![NewFeature { geometry: None, values: vec![text("A")] }],
        );
        let outcome = out(&city, &format!("a.{ending}"), Crs::WGS84);
        if ["shp", "fgb", "dxf", "kml"].contains(&ending) {
            assert!(matches!(&outcome, Err(ExportError::Unfit { .. })), "{ending}: {outcome:?}");
        } else {
            let (_, path) = outcome.unwrap_or_else(|e| panic!("{ending}: {e}"));
            let (features, _) = back(&city, &path, Crs::WGS84);
            assert_eq!(features[0].values[0], text("A"), "{ending}");
        }
        put(&city, GeometryKind::Polygon, &[("ten", FieldType::Text)], vec![]);
        let (done, _) =
            out(&city, &format!("b.{ending}"), Crs::WGS84).unwrap_or_else(|e| panic!("{ending}: {e}"));
        assert_eq!(done.written, 0);
    }
}
