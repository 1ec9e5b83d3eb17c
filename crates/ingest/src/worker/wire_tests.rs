//! What crosses the socket comes out as it went in, and no bytes make the parent panic.

use citymap_model::{GeometryKind, LayerId, Role, Title, parse_date, parse_datetime};
use geo_types::{LineString, MultiPolygon, Point, Polygon};

use super::*;
use crate::{
    Issue, IssueKind,
    check::{Reject, Verdict},
    source::Original,
};

fn checked(index: u64, verdict: Verdict) -> Checked {
    Checked {
        index,
        line: Some(7),
        verdict,
        issues: vec![Issue {
            place: Some([603_481.6, 1e-300]),
            lonlat: Some([106.7, 10.7]),
            key: Some("12-5".into()),
            ..Issue::new(IssueKind::Repair, "Tự cắt")
        }],
        repaired: true,
        dropped_z: false,
        curved: true,
        position: crate::check::Position::Given,
        key: Some(String::new()),
        shown: None,
    }
}

fn every_value() -> Vec<Value> {
    let reals = [0.1, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY, f64::NEG_INFINITY];
    let mut values = vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(9_007_199_254_740_993),
        Value::Text(String::new()),
        Value::Text("Đường Nguyễn Huệ\0\n".into()),
        Value::Date(parse_date("0001-01-01").unwrap()),
        Value::Date(parse_date("9999-12-31").unwrap()),
        Value::DateTime(parse_datetime("1969-12-31T23:59:59.999Z").unwrap()),
        Value::DateTime(parse_datetime("2025-07-01T08:30:15.123456Z").unwrap()),
    ];
    values.extend(reals.map(Value::Real));
    values
}

fn geometries() -> Vec<Option<Geometry>> {
    let ring = LineString::from(vec![(106.7, 10.7), (106.8, 10.7), (106.8, 10.8), (106.7, 10.7)]);
    let polygon = Polygon::new(ring.clone(), vec![ring.clone()]);
    vec![
        None,
        Some(Point::new(106.123_456_789_012_3, 10.7).into()),
        Some(LineString::<f64>(Vec::new()).into()),
        Some(ring.into()),
        Some(MultiPolygon(vec![polygon.clone(), polygon]).into()),
    ]
}

fn batch_of_everything() -> Vec<Checked> {
    let mut batch: Vec<Checked> = (1..)
        .zip(geometries())
        .map(|(index, geometry)| {
            let original = Some(Original::Text("POINT(1 2)".into()));
            let feature = NewFeature { geometry, values: every_value() };
            checked(index, Verdict::Accepted { feature, original })
        })
        .collect();
    let original = Some(Original::Wkb(vec![1, 2, 3]));
    batch
        .push(checked(99, Verdict::Rejected(Reject { reason: "x".into(), values: every_value(), original })));
    batch
}

fn written(frame: Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_frame(&mut bytes, frame).unwrap();
    bytes
}

#[test]
fn features_come_out_as_they_went_in() {
    let bytes = written(Frame::Item(Item::Batch(batch_of_everything())));
    let Some(Frame::Item(Item::Batch(back))) = read_frame(&mut bytes.as_slice()).unwrap() else {
        panic!("not a batch")
    };
    assert_eq!(format!("{back:?}"), format!("{:?}", batch_of_everything()));
}

#[test]
fn a_large_batch_becomes_several_frames() {
    let text = Value::Text("x".repeat(BATCH / 2));
    let one = |index| {
        let feature = NewFeature { geometry: None, values: vec![text.clone()] };
        checked(index, Verdict::Accepted { feature, original: None })
    };
    let bytes = written(Frame::Item(Item::Batch((1..=9).map(one).collect())));
    let (mut input, mut frames, mut indexes) = (bytes.as_slice(), 0, Vec::new());
    while let Some(frame) = read_frame(&mut input).unwrap() {
        let Frame::Item(Item::Batch(batch)) = frame else { panic!("not a batch") };
        frames += 1;
        indexes.extend(batch.iter().map(|one| one.index));
    }
    assert_eq!(indexes, (1..=9).collect::<Vec<u64>>());
    assert!(frames > 3, "{frames}");
}

#[test]
fn a_task_comes_out_as_it_went_in() {
    use std::{ffi::OsString, os::unix::ffi::OsStringExt};
    let mut request = Request::new(vec![OsString::from_vec(b"/x/th\xffa.shp".to_vec()).into()]);
    request.crs = Some("EPSG:9210".parse().unwrap());
    request.layer_crs = vec![("lớp".into(), "EPSG:4326".parse().unwrap())];
    request.meanings = vec![("so_to".into(), Some(citymap_model::Meaning::Sheet)), ("x".into(), None)];
    request.encoding = Some(crate::Encoding::Tcvn3);
    let id: LayerId = "thua".parse().unwrap();
    let present = vec![Layer::new(id, Title::same("Thửa"), Role::Parcel, GeometryKind::Polygon)];
    let task = Task { request, present, memory: 5, temporary: 6, folder: "/tmp/x".into() };
    let mut bytes = Vec::new();
    write_task(&mut bytes, &task).unwrap();
    assert_eq!(format!("{:?}", read_task(&mut bytes.as_slice()).unwrap()), format!("{task:?}"));
}

#[test]
fn no_bytes_make_the_parent_panic() {
    let whole = written(Frame::Item(Item::Batch(batch_of_everything())));
    for length in 1..whole.len() {
        assert!(read_frame(&mut &whole[..length]).is_err(), "{length}");
    }
    for at in 0..whole.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut changed = whole.clone();
            changed[at] = value;
            // Sound or refused, it comes back.
            let _ = read_frame(&mut changed.as_slice());
        }
    }
    assert!(read_frame(&mut [].as_slice()).unwrap().is_none());
}
