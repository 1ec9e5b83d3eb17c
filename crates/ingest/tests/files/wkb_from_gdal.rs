//! What GDAL writes as well-known binary, read by `citymap_geometry::wkb`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_geometry::{
    Geometry, GeometryFault,
    wkb::{self, SourceGeometry},
};
use gdal::vector::Geometry as Ogr;
use geo::Area;
use geo_types::{LineString, MultiPoint, Point, Polygon};

fn wkt(text: &str) -> Result<SourceGeometry, GeometryFault> {
    wkb::read_source(&Ogr::from_wkt(text).unwrap().iso_wkb().unwrap())
}

#[test]
fn heights_are_dropped_and_reported() {
    let read = wkt("POINT ZM (1 2 3 4)").unwrap();
    assert_eq!((read.geometry, read.dropped_z), (Point::new(1.0, 2.0).into(), true));
    assert!(!wkt("POINT (1 2)").unwrap().dropped_z);
}

#[test]
fn open_and_short_rings_are_faults() {
    assert!(wkt("POLYGON ((0 0,1 0,1 1,0 1))").unwrap_err().reason.contains("not closed"));
    assert!(wkt("POLYGON ((0 0,1 0,0 0))").unwrap_err().reason.contains("four"));
    let empty: Geometry = Polygon::new(LineString::new(vec![]), vec![]).into();
    assert_eq!(wkt("POLYGON EMPTY").unwrap().geometry, empty);
    assert_eq!(wkt("POINT EMPTY").unwrap().geometry, MultiPoint::<f64>::new(vec![]).into());
}

#[test]
fn a_circle_of_arcs_has_nearly_the_area_of_a_circle() {
    let read = wkt("CURVEPOLYGON (CIRCULARSTRING (1 0,0 1,-1 0,0 -1,1 0))").unwrap();
    assert!(read.curved);
    assert!((read.geometry.unsigned_area() - std::f64::consts::PI).abs() < 0.005);
}

#[test]
fn compound_curves_and_surfaces_become_lines_and_polygons() {
    let compound = wkt("COMPOUNDCURVE (CIRCULARSTRING (0 0,1 1,2 0),(2 0,3 0))").unwrap();
    assert!(compound.curved && matches!(compound.geometry, Geometry::LineString(_)));
    let surface = wkt("MULTISURFACE (((0 0,1 0,1 1,0 0)))").unwrap();
    assert!(!surface.curved && matches!(surface.geometry, Geometry::MultiPolygon(_)));
}

#[test]
fn cut_bytes_are_a_fault_and_not_a_panic() {
    let whole = Ogr::from_wkt("MULTIPOLYGON (((0 0,1 0,1 1,0 0)))").unwrap().iso_wkb().unwrap();
    for length in 0..whole.len() {
        assert!(wkb::read_source(&whole[..length]).is_err());
    }
    assert!(wkb::read_source(&[1, 2, 0, 0, 0, 255, 255, 255, 255]).is_err());
}

#[test]
fn what_is_written_reads_back() {
    for text in [
        "POINT (1 2)",
        "LINESTRING (0 0,1 1)",
        "POLYGON ((0 0,4 0,4 4,0 0),(2 1,3 1,3 2,2 1))",
        "POLYGON EMPTY",
        "MULTIPOINT ((1 2),(3 4))",
        "MULTILINESTRING ((0 0,1 1),(2 2,3 3))",
        "MULTIPOLYGON (((0 0,1 0,1 1,0 0)))",
        "GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (0 0,1 1))",
    ] {
        let geometry = wkt(text).unwrap().geometry;
        let bytes = wkb::to_wkb(&geometry);
        assert_eq!(wkb::read_source(&bytes).unwrap().geometry, geometry, "{text}");
        assert_eq!(Ogr::from_wkb(&bytes).unwrap().iso_wkb().unwrap(), bytes, "{text}");
    }
}
