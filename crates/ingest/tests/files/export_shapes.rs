//! Kinds of geometry that a format may not have: kept, said, or refused, and never lost.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{apart, city, layers::*};
use citymap_crs::Crs;
use citymap_ingest::ExportError;
use citymap_model::{FieldType, GeometryKind, NewFeature};
use geo_types::{Geometry, LineString, MultiPoint, MultiPolygon, Point};

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
    for said in ["`muc_dich_s`", "`muc_dich_2`", "cut to 254", "multi-points of one"] {
        assert!(done.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", done.notes);
    }
    let (features, fields) = back(&city, &path, Crs::WGS84);
    assert_eq!(fields[1].name, "muc_dich_2");
    assert_eq!(features[1].values[1], text("x"));
    assert_eq!(crate::common::parts(features[1].geometry.as_ref().unwrap()).len(), 2);
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

#[test]
fn mapinfo_cuts_long_texts_between_letters_and_says_so() {
    for ending in ["tab", "mif"] {
        let city = city();
        let long = NewFeature {
            geometry: Some(Point::new(106.69, 10.77).into()),
            values: vec![text(&"ạ".repeat(200))],
        };
        put(&city, GeometryKind::Point, &[("ten", FieldType::Text)], vec![long]);
        let (done, path) = out(&city, &format!("a.{ending}"), Crs::WGS84).unwrap();
        assert!(done.notes.contains(&"1 text was cut to 254 bytes".to_owned()), "{:?}", done.notes);
        let (features, _) = back(&city, &path, Crs::WGS84);
        // Three bytes a letter.
        assert_eq!(features[0].values[0], text(&"ạ".repeat(84)), "{ending}");
    }
}
