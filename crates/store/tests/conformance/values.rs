//! What goes in comes out.

use citymap_model::{
    Field, FieldType, Geometry, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value, YEARS,
};
use citymap_store::Store;
use geo_types::{
    Coord, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon,
    line_string, polygon,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::parts::{id, put_all, read, write};

fn typed() -> Layer {
    let mut layer = Layer::new(id("typed"), Title::same("Typed"), Role::Other, GeometryKind::None);
    layer.fields = [
        ("bool", FieldType::Bool),
        ("int", FieldType::Int),
        ("real", FieldType::Real),
        ("text", FieldType::Text),
        ("date", FieldType::Date),
        ("datetime", FieldType::DateTime),
    ]
    .map(|(name, field_type)| Field::new(name, field_type))
    .into();
    layer
}

fn mixed() -> Layer {
    Layer::new(id("shapes"), Title::same("Shapes"), Role::Other, GeometryKind::Mixed)
}

fn value_rows() -> impl Strategy<Value = Vec<Vec<Value>>> {
    fn or_null(values: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
        prop_oneof![1 => Just(Value::Null), 5 => values].boxed()
    }
    let day = || {
        (YEARS, 1u32..=366).prop_filter_map("a day", |(year, day)| chrono::NaiveDate::from_yo_opt(year, day))
    };
    let row = vec![
        or_null(any::<bool>().prop_map(Value::Bool)),
        or_null(any::<i64>().prop_map(Value::Int)),
        or_null(prop::num::f64::ANY.prop_filter("a number", |value| !value.is_nan()).prop_map(Value::Real)),
        or_null(
            prop_oneof![".*", "[\\PC\u{1}\u{301}đĐ'\"%;]*", "-?[0-9]{1,20}(\\.[0-9]+)?"]
                .prop_map(|text| Value::Text(text.replace('\0', "\u{1}"))),
        ),
        or_null(day().prop_map(Value::Date)),
        or_null((day(), 0u32..86_400_000).prop_map(|(day, millis)| {
            let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_utc();
            Value::DateTime(midnight + chrono::Duration::milliseconds(i64::from(millis)))
        })),
    ];
    prop::collection::vec(row, 1..20)
}

fn geometries() -> impl Strategy<Value = Option<Geometry>> {
    let coord = || {
        let number = || {
            prop_oneof![
                -180.0..180.0f64,
                prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL
            ]
        };
        (number(), number()).prop_map(|(x, y)| Coord { x, y })
    };
    let none = || Just(vec![]).boxed();
    let line = move || {
        prop_oneof![1 => none(), 4 => prop::collection::vec(coord(), 2..8).boxed()].prop_map(LineString)
    };
    // Closed, a ring has four positions or more: PostGIS refuses three, as of corners that fall together.
    let ring = move || {
        prop::collection::vec(coord(), 3..8)
            .prop_filter("a ring that is closed already", |corners| corners.first() != corners.last())
            .prop_map(LineString)
    };
    let polygon = move || {
        let full = (ring(), prop::collection::vec(ring(), 0..3));
        prop_oneof![1 => Just((LineString(vec![]), vec![])).boxed(), 4 => full.boxed()]
            .prop_map(|(out, holes)| Polygon::new(out, holes))
    };
    let simple = prop_oneof![
        coord().prop_map(|at| Point(at).into()),
        line().prop_map(Geometry::from),
        polygon().prop_map(Geometry::from),
        prop::collection::vec(coord().prop_map(Point), 0..5).prop_map(|many| MultiPoint(many).into()),
        prop::collection::vec(line(), 0..4).prop_map(|many| MultiLineString(many).into()),
        prop::collection::vec(polygon(), 0..4).prop_map(|many| MultiPolygon(many).into()),
    ];
    let nested = simple.prop_recursive(4, 16, 4, |part| {
        prop::collection::vec(part, 0..4)
            .prop_map(|parts| Geometry::GeometryCollection(GeometryCollection(parts)))
    });
    prop::option::weighted(0.9, nested)
}

fn runner(cases: u32) -> TestRunner {
    // The store is shared by the cases, so that shrinking starts from another state: no files.
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Values of every type: extremes, Unicode of every plane, numbers as text, null.
pub(crate) fn every_kind_of_value_comes_back(store: &dyn Store) {
    let rows = value_rows();
    runner(64)
        .run(&rows, |rows| {
            let features =
                rows.iter().map(|values| NewFeature { geometry: None, values: values.clone() }).collect();
            // A layer that is not empty knows like features again, which then keep their numbers and places.
            write(store, &typed(), Mode::Replace, vec![]);
            write(store, &typed(), Mode::Replace, features);
            let back: Vec<_> = read(store, "typed").into_iter().map(|feature| feature.values).collect();
            prop_assert_eq!(back, rows);
            Ok(())
        })
        .unwrap();
    // The years outside the range are rejected, on either side.
    for year in [*YEARS.start() - 1, *YEARS.end() + 1] {
        let mut values = vec![Value::Null; 6];
        values[4] = Value::Date(chrono::NaiveDate::from_ymd_opt(year, 12, 31).unwrap());
        let feature = NewFeature { geometry: None, values };
        let (_, puts) = write(store, &typed(), Mode::Replace, vec![feature]);
        assert_eq!(puts, [citymap_store::Put::Rejected(citymap_store::Refusal::Year)]);
    }
    // What no store can hold: NaN is not a number, and becomes null.
    let mut nan = vec![Value::Null; 6];
    nan[2] = Value::Real(f64::NAN);
    write(store, &typed(), Mode::Replace, vec![NewFeature { geometry: None, values: nan }]);
    assert_eq!(read(store, "typed")[0].values[2], Value::Null);
}

/// U+0000 is in no text of a database: the feature is rejected, and the rest goes on.
pub(crate) fn a_text_with_a_zero_character_is_rejected(store: &dyn Store) {
    use citymap_store::{Edit, Put};
    let row = |text: &str| {
        let mut values = vec![Value::Null; 6];
        values[3] = Value::Text(text.to_owned());
        NewFeature { geometry: None, values }
    };
    let (revision, puts) =
        write(store, &typed(), Mode::Replace, vec![row("a\0b"), row("\0"), row("a"), row("\u{1}")]);
    let [Put::Rejected(one), Put::Rejected(_), Put::Added(1), Put::Added(2)] = &puts[..] else {
        panic!("{puts:?}")
    };
    assert!(one.to_string().contains("U+0000"), "{one}");
    assert_eq!(super::parts::counts(&revision), [2, 0, 0, 0]);
    let mut change = store.begin(citymap_model::CommitMeta::default()).unwrap();
    change.layer(&typed(), Mode::Edit).unwrap();
    assert!(matches!(change.edit(Edit::Update(1, row("\0"))).unwrap(), Put::Rejected(_)));
    assert!(matches!(change.edit(Edit::Insert(None, row("x\0"))).unwrap(), Put::Rejected(_)));
    change.commit().unwrap();
    let texts: Vec<_> = read(store, "typed").into_iter().map(|feature| feature.values[3].clone()).collect();
    assert_eq!(texts, [Value::Text("a".to_owned()), Value::Text("\u{1}".to_owned())]);
}

/// Geometry of every kind: empty, null, many, collections in collections, extreme numbers.
pub(crate) fn every_kind_of_geometry_comes_back(store: &dyn Store) {
    let many = prop::collection::vec(geometries(), 1..30);
    runner(64)
        .run(&many, |many| {
            let features =
                many.iter().map(|geometry| NewFeature { geometry: geometry.clone(), values: vec![] });
            // A layer that is not empty knows like features again, which then keep their numbers and places.
            write(store, &mixed(), Mode::Replace, vec![]);
            write(store, &mixed(), Mode::Replace, features.collect());
            let back: Vec<_> = read(store, "shapes").into_iter().map(|feature| feature.geometry).collect();
            prop_assert_eq!(back, many);
            Ok(())
        })
        .unwrap();
    // What the model has beside: they come back as what they are.
    let line = geo_types::Line::new((106.0, 10.0), (107.0, 11.0));
    let rect = geo_types::Rect::new((106.0, 10.0), (107.0, 11.0));
    write(
        store,
        &mixed(),
        Mode::Replace,
        [line.into(), rect.into()]
            .map(|geometry| NewFeature { geometry: Some(geometry), values: vec![] })
            .into(),
    );
    let back: Vec<_> = read(store, "shapes").into_iter().filter_map(|feature| feature.geometry).collect();
    assert_eq!(
        back,
        [line_string![(x: 106.0, y: 10.0), (x: 107.0, y: 11.0)].into(), rect.to_polygon().into()]
    );
}

/// What cannot be is rejected, and the rest goes on.
pub(crate) fn geometry_that_does_not_fit_is_rejected(store: &dyn Store) {
    use citymap_store::Put;
    let triangle: Geometry = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 0.0, y: 1.0)].into();
    let feature = |geometry: Geometry| NewFeature { geometry: Some(geometry), values: vec![] };
    let wells = Layer::new(id("wells"), Title::same("Wells"), Role::Other, GeometryKind::Point);
    let mut change = store.begin(citymap_model::CommitMeta::default()).unwrap();
    change.layer(&wells, Mode::Replace).unwrap();
    let puts = put_all(
        change.as_mut(),
        vec![
            feature(Point::new(106.0, 10.0).into()),
            feature(triangle),
            feature(Point::new(f64::NAN, 10.0).into()),
            feature(Point::new(106.0, f64::INFINITY).into()),
            feature(MultiPoint(vec![]).into()),
        ],
    );
    assert!(matches!(
        puts[..],
        [Put::Added(_), Put::Rejected(_), Put::Rejected(_), Put::Rejected(_), Put::Added(_)]
    ));
    let Put::Rejected(reason) = &puts[1] else { panic!() };
    let reason = reason.to_string();
    assert!(reason.contains("polygon") && reason.contains("points"), "{reason}");
    let table = Layer::new(id("bare"), Title::same("Table"), Role::Other, GeometryKind::None);
    change.layer(&table, Mode::Replace).unwrap();
    assert!(matches!(change.put(feature(Point::new(1.0, 1.0).into())).unwrap(), Put::Rejected(_)));
    change.commit().unwrap();
    assert_eq!(read(store, "wells").len(), 2);
    assert_eq!(read(store, "bare").len(), 0);
}

/// A line of one point and a ring that encloses nothing are no geometry; empty ones are.
pub(crate) fn geometry_that_is_too_short_is_rejected(store: &dyn Store) {
    use citymap_store::Put;
    let at = |x: f64| Coord { x, y: 10.0 };
    let ring = |count: u32| {
        LineString(
            (0..count).map(|index| Coord { x: f64::from(index), y: f64::from(index * index) }).collect(),
        )
    };
    let point = || LineString(vec![at(106.0)]);
    let good_line = || LineString(vec![at(106.0), at(107.0)]);
    let (good, bad) = (Polygon::new(ring(3), vec![]), Polygon::new(ring(2), vec![]));
    let pierced = Polygon::new(ring(4), vec![ring(2)]);
    let cases: Vec<(Geometry, bool)> = vec![
        (point().into(), false),
        (good_line().into(), true),
        (LineString(vec![]).into(), true),
        (MultiLineString(vec![good_line(), point()]).into(), false),
        (bad.clone().into(), false),
        (good.clone().into(), true),
        (Polygon::new(LineString(vec![]), vec![]).into(), true),
        (pierced.into(), false),
        (MultiPolygon(vec![good, bad.clone()]).into(), false),
        (Geometry::GeometryCollection(GeometryCollection(vec![Point(at(1.0)).into(), bad.into()])), false),
    ];
    let (geometries, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let features =
        geometries.into_iter().map(|geometry| NewFeature { geometry: Some(geometry), values: vec![] });
    let (_, puts) = write(store, &mixed(), Mode::Replace, features.collect());
    let taken: Vec<bool> = puts.iter().map(|put| matches!(put, Put::Added(_))).collect();
    assert_eq!(taken, expected);
}

/// Field names are data: whatever the source has, they come back.
pub(crate) fn names_are_kept_whatever_they_are(store: &dyn Store) {
    let names = [
        "fid",
        "FID",
        "geom",
        "GEOM",
        "rowid",
        "oid",
        "select",
        "order by",
        "a\"b",
        "a'b",
        "a;--",
        "Số tờ",
        "số tờ",
        "",
        " ",
        "x",
        "X",
        "x_2",
        "100%",
        "?1",
        "a.b",
        "a\nb",
        "日本",
        "OGC_FID",
        "_rowid_",
    ];
    let mut layer = Layer::new(id("order"), Title::same("Đơn 'x'"), Role::Other, GeometryKind::Point);
    layer.fields = names.map(|name| Field::new(name, FieldType::Text)).into();
    layer.key = Some("a\"b".to_owned());
    let values: Vec<Value> = names.iter().map(|name| Value::Text(format!("<{name}>"))).collect();
    let feature = || NewFeature { geometry: Some(Point::new(106.0, 10.0).into()), values: values.clone() };
    write(store, &layer, Mode::Replace, vec![feature()]);
    write(store, &layer, Mode::Replace, vec![feature()]);
    write(store, &layer, Mode::Upsert, vec![feature()]);
    assert_eq!(store.view().unwrap().layers().unwrap()[0].layer, layer);
    let back = read(store, "order");
    assert_eq!((back.len(), back[0].fid, &back[0].values), (1, 1, &values));
}
