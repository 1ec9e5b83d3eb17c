//! Both readers and the writer, against another implementation and against damaged bytes.

use ::wkb::{
    Endianness,
    writer::{WriteOptions, write_geometry},
};
use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
    line_string, polygon,
};
use proptest::prelude::*;

use super::*;

fn samples() -> Vec<Geometry> {
    let line = line_string![(x: 106.0, y: 10.0), (x: 107.5, y: 11.25)];
    let ring = polygon![
        exterior: [(x: 0.0, y: 0.0), (x: 9.0, y: 0.0), (x: 9.0, y: 9.0)],
        interiors: [[(x: 5.0, y: 1.0), (x: 6.0, y: 1.0), (x: 6.0, y: 2.0)]],
    ];
    let point = Point::new(106.7, 10.77);
    let mut all = vec![
        point.into(),
        line.clone().into(),
        ring.clone().into(),
        MultiPoint(vec![point, point]).into(),
        MultiLineString(vec![line.clone(), line]).into(),
        MultiPolygon(vec![ring.clone(), ring]).into(),
    ];
    all.push(Geometry::GeometryCollection(GeometryCollection(all.clone())));
    all.push(Geometry::GeometryCollection(GeometryCollection(all.clone())));
    all
}

fn empties() -> Vec<Geometry> {
    vec![
        LineString(vec![]).into(),
        Polygon::new(LineString(vec![]), vec![]).into(),
        MultiPoint(vec![]).into(),
        MultiLineString(vec![]).into(),
        MultiPolygon(vec![]).into(),
        MultiPolygon(vec![Polygon::new(LineString(vec![]), vec![])]).into(),
        Geometry::GeometryCollection(GeometryCollection(vec![])),
        Geometry::GeometryCollection(GeometryCollection(vec![MultiPoint(vec![]).into()])),
    ]
}

/// The bytes that another WKB writer makes of a geometry.
fn foreign(geometry: &Geometry, endianness: Endianness) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_geometry(&mut bytes, geometry, &WriteOptions { endianness }).unwrap();
    bytes
}

#[test]
fn our_bytes_are_those_of_another_writer_and_both_readers_take_either_byte_order() {
    for geometry in samples().into_iter().chain(empties()) {
        let bytes = to_wkb(&geometry);
        assert_eq!(bytes, foreign(&geometry, Endianness::LittleEndian), "{geometry:?}");
        assert_eq!(read(&bytes).unwrap(), geometry);
        assert_eq!(read_source(&bytes).unwrap().geometry, geometry);
        let big = foreign(&geometry, Endianness::BigEndian);
        assert_eq!(read(&big).unwrap(), geometry);
        assert_eq!(read_source(&big).unwrap().geometry, geometry);
    }
}

#[test]
fn the_writer_reports_bounds_emptiness_and_numbers_that_are_not_finite() {
    let mut out = Vec::new();
    assert_eq!(write(&mut out, &samples()[1]).bounds(), Some([106.0, 10.0, 107.5, 11.25]));
    for geometry in empties() {
        let written = write(&mut out, &geometry);
        assert!(written.is_empty() && written.is_finite() && written.bounds().is_none(), "{geometry:?}");
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let line = line_string![(x: 1.0, y: 1.0), (x: 1.0, y: bad)];
        assert!(!write(&mut out, &line.into()).is_finite());
    }
}

#[test]
fn the_type_code_is_the_one_that_is_written() {
    for geometry in samples().into_iter().chain(empties()) {
        let mut code = [0; 4];
        code.copy_from_slice(&to_wkb(&geometry)[1..5]);
        assert_eq!(type_code(&geometry), u32::from_le_bytes(code));
        assert_eq!(kind_of_code(type_code(&geometry)), GeometryKind::of(&geometry));
    }
}

#[test]
fn heights_measures_and_coordinate_systems_are_skipped() {
    let coords = |numbers: usize| -> Vec<u8> {
        [[1.0, 2.0, 7.0, 8.0], [3.0, 4.0, 7.0, 8.0]]
            .iter()
            .flat_map(|c| &c[..numbers])
            .flat_map(|n: &f64| n.to_le_bytes())
            .collect()
    };
    let expected: Geometry = LineString(vec![Coord { x: 1.0, y: 2.0 }, Coord { x: 3.0, y: 4.0 }]).into();
    for (code, numbers) in
        [(1002, 3), (2002, 3), (3002, 4), (0x8000_0002, 3), (0x4000_0002, 3), (0xC000_0002, 4)]
    {
        let mut bytes = vec![1];
        bytes.extend_from_slice(&u32::to_le_bytes(code));
        bytes.extend_from_slice(&[2, 0, 0, 0]);
        bytes.extend(coords(numbers));
        assert_eq!(read(&bytes), Ok(expected.clone()), "{code:#x}");
        let source = read_source(&bytes).unwrap();
        assert_eq!((source.geometry, source.dropped_z), (expected.clone(), true), "{code:#x}");
    }
    let mut with_srid = vec![1, 2, 0, 0, 0x20, 0xE6, 0x10, 0, 0, 2, 0, 0, 0];
    with_srid.extend(coords(2));
    assert_eq!(read(&with_srid), Ok(expected));
}

#[test]
fn damaged_bytes_are_reported_and_never_fatal() {
    for geometry in samples() {
        let bytes = to_wkb(&geometry);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{length}");
            assert!(read_source(&bytes[..length]).is_err(), "{length}");
        }
    }
    // A count that would need 64 GB; a collection in itself, 10 000 deep; a curve.
    let long = [1, 2, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0];
    assert_eq!(read(&long), Err(WkbError::CutShort));
    assert!(read_source(&long).is_err());
    let deep = [1, 7, 0, 0, 0, 1, 0, 0, 0].repeat(10_000);
    assert_eq!(read(&deep), Err(WkbError::TooDeep));
    assert!(read_source(&deep).unwrap_err().reason.contains("deep"));
    assert_eq!(read(&[1, 8, 0, 0, 0, 0, 0, 0, 0]), Err(WkbError::Curved));
}

#[test]
fn an_open_ring_of_a_source_is_refused_with_its_location() {
    let mut bytes = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0];
    for number in [5.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0f64] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let fault = read_source(&bytes).unwrap_err();
    assert!(fault.reason.contains("not closed"), "{fault}");
    assert_eq!(fault.location, Some([5.0, 0.0]));
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200), sample in 0usize..8, at in 0usize..400,
    ) {
        let _ = read(&noise);
        let _ = read_source(&noise);
        let mut bytes = to_wkb(&samples()[sample]);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = noise.first().copied().unwrap_or(0xFF);
        }
        let _ = read(&bytes);
        let _ = read_source(&bytes);
    }
}
