//! The layer that filters are tested on: fields of every type with missing values, and geometries on a coarse
//! lattice, so that they touch, cross and equal each other and those of the filters.

use citymap_engine::{LayerSnapshot, SnapshotBuilder};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, parse_date, parse_datetime,
};
use geo::{Coord, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::postgis::{HOME_GRID, wkb};

pub(super) const FIELDS: [(&str, FieldType); 9] = [
    ("ma", FieldType::Text),
    ("tên", FieldType::Text),
    ("so", FieldType::Int),
    ("tang", FieldType::Int),
    ("dien_tich", FieldType::Real),
    ("ngay", FieldType::Date),
    ("luc", FieldType::DateTime),
    ("het", FieldType::DateTime),
    ("co", FieldType::Bool),
];

pub(super) const TEXTS: [&str; 24] = [
    "",
    "Nguyễn Huệ",
    "nguyễn huệ",
    "NGUYEN HUE",
    "Nguyễn  Trãi",
    "12/3 Nguyễn Trãi,",
    "Lê Lợi",
    "Lê Lai",
    "LÊ LỢI",
    "Đồng Khởi",
    "đồng khởi",
    "Dong Khoi",
    "Hòa Hưng",
    "Hoà Hưng",
    "Lý Thường Kiệt",
    "Ly Thuong Kiet",
    "O'Neil",
    "100%",
    "a_b",
    "a\\b",
    "Ấp 1 - Tổ 2",
    "Straße",
    "STRASSE",
    "z",
];

const ROWS: i64 = 240;
/// Rows from here on are in the delta.
const DELTA_FROM: i64 = 200;
/// Points of the lattice on each axis.
const LATTICE: i32 = 7;

/// A position of the lattice; binary fractions, so that both sides compute with the same numbers.
pub(super) fn at(x: i32, y: i32) -> Coord {
    Coord { x: 106.5 + f64::from(x) / 1024.0, y: 10.5 + f64::from(y) / 1024.0 }
}

fn position(rng: &mut ChaCha8Rng) -> [i32; 2] {
    [rng.random_range(0..LATTICE), rng.random_range(0..LATTICE)]
}

fn line(rng: &mut ChaCha8Rng) -> LineString {
    let mut places = vec![position(rng)];
    let length = rng.random_range(2..=3);
    while places.len() < length {
        let next = position(rng);
        if !places.contains(&next) {
            places.push(next);
        }
    }
    places.into_iter().map(|[x, y]| at(x, y)).collect()
}

fn rectangle([x, y]: [i32; 2], [width, height]: [i32; 2]) -> Polygon {
    let corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]];
    Polygon::new(corners.into_iter().map(|[x, y]| at(x, y)).collect(), vec![])
}

fn polygon(rng: &mut ChaCha8Rng) -> Polygon {
    let [x, y] = position(rng);
    let size = [rng.random_range(1..4), rng.random_range(1..4)];
    match rng.random_range(0..4) {
        0 => loop {
            let [a, b, c] = [position(rng), position(rng), position(rng)];
            let twice = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
            if twice != 0 {
                let ring = [a, b, c, a].into_iter().map(|[x, y]| at(x, y)).collect();
                return Polygon::new(ring, vec![]);
            }
        },
        1 => {
            let hole = rectangle([x + 1, y + 1], [1, 1]).exterior().clone();
            Polygon::new(rectangle([x, y], [3, 3]).exterior().clone(), vec![hole])
        }
        _ => rectangle([x, y], size),
    }
}

/// A valid geometry of any kind but a collection, whose relations the standard does not define.
pub(super) fn geometry(rng: &mut ChaCha8Rng) -> Geometry {
    match rng.random_range(0..9) {
        0 | 1 => {
            let [x, y] = position(rng);
            Point::from(at(x, y)).into()
        }
        2 | 3 => line(rng).into(),
        4 => {
            let mut places = [position(rng), position(rng)];
            places[1][0] += i32::from(places[0] == places[1]);
            MultiPoint::new(places.into_iter().map(|[x, y]| at(x, y).into()).collect()).into()
        }
        5 => MultiLineString::new(vec![line(rng), line(rng)]).into(),
        6 => {
            let [x, y] = position(rng);
            MultiPolygon::new(vec![rectangle([x, y], [1, 2]), rectangle([x + 2, y], [2, 1])]).into()
        }
        _ => polygon(rng).into(),
    }
}

/// A day of four weeks in summer 2025.
pub(super) fn day(rng: &mut ChaCha8Rng) -> String {
    format!("2025-{:02}-{:02}", rng.random_range(6..8), rng.random_range(1..5))
}

/// An instant of these days; often midnight or the last millisecond.
pub(super) fn instant(rng: &mut ChaCha8Rng) -> String {
    let times = ["00:00:00Z", "00:00:00.001Z", "09:30:00Z", "12:00:00.5Z", "23:59:59Z", "23:59:59.999Z"];
    format!("{}T{}", day(rng), times[rng.random_range(0..times.len())])
}

fn feature(fid: i64, rng: &mut ChaCha8Rng) -> Feature {
    let some = |rng: &mut ChaCha8Rng, value: Value| {
        if rng.random_bool(0.15) { Value::Null } else { value }
    };
    let text = |rng: &mut ChaCha8Rng| Value::Text(TEXTS[rng.random_range(0..TEXTS.len())].to_owned());
    let time = |text: String| Value::DateTime(parse_datetime(&text).unwrap());
    let mut values = vec![Value::Text(format!("T{:03}", fid % 230))];
    let own = text(rng);
    values.push(some(rng, own));
    for range in [-6..7, 0..4] {
        let whole = Value::Int(rng.random_range(range));
        values.push(some(rng, whole));
    }
    let real = Value::Real(f64::from(rng.random_range(-20..400)) / 4.0);
    values.push(some(rng, real));
    let date = Value::Date(parse_date(&day(rng)).unwrap());
    values.push(some(rng, date));
    for _ in 0..2 {
        let instant = time(instant(rng));
        values.push(some(rng, instant));
    }
    let truth = Value::Bool(rng.random());
    values.push(some(rng, truth));
    let geometry = rng.random_bool(0.93).then(|| geometry(rng));
    Feature { fid, geometry, values }
}

/// The layer, with a base and a delta.
pub(super) fn snapshot() -> LayerSnapshot {
    let title = Title::same("Things");
    let mut layer = Layer::new("things".parse().unwrap(), title, Role::Other, GeometryKind::Mixed);
    layer.fields = FIELDS.iter().map(|(name, field_type)| Field::new(*name, *field_type)).collect();
    layer.key = Some("ma".to_owned());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut features: Vec<Feature> = (1..=ROWS).map(|fid| feature(fid, &mut rng)).collect();
    let delta = features.split_off(DELTA_FROM as usize);
    let mut builder = SnapshotBuilder::new(layer.clone());
    features.iter().for_each(|feature| builder.push(feature).unwrap());
    // Some rows of the base are hidden by changed ones.
    let changed = [7, 8, 9].map(|fid| feature(fid, &mut rng));
    let changes = changed.into_iter().chain(delta).map(|feature| (feature.fid, Some(feature)));
    builder.finish(1).apply(layer, 2, changes).unwrap()
}

fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Bool => "boolean",
        FieldType::Int => "bigint",
        FieldType::Real => "float8",
        FieldType::Text => "text COLLATE \"C\"",
        FieldType::Date => "date",
        FieldType::DateTime => "timestamptz",
    }
}

/// The same table in the connection's temporary schema, with the measures of each geometry on the home grid.
pub(super) async fn load(connection: &mut PgConnection, snapshot: &LayerSnapshot) {
    sqlx::query(HOME_GRID).execute(&mut *connection).await.unwrap();
    sqlx::query("SET TIME ZONE 'UTC'").execute(&mut *connection).await.unwrap();
    let columns = FIELDS.map(|(name, field_type)| format!("\"{name}\" {}", sql_type(field_type)));
    let create = format!(
        "CREATE TEMP TABLE t (fid bigint PRIMARY KEY, geom geometry, {}, area float8, length float8)",
        columns.join(", ")
    );
    sqlx::query(AssertSqlSafe(create)).execute(&mut *connection).await.unwrap();
    for feature in snapshot.features() {
        let values = feature.values.iter().map(|value| match value.to_key() {
            None => "NULL".to_owned(),
            Some(text) => format!("'{}'", text.replace('\'', "''")),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let insert = format!("INSERT INTO t VALUES ({}, ST_GeomFromWKB($1), {values})", feature.fid);
        let shape = feature.geometry.as_ref().map(wkb);
        sqlx::query(AssertSqlSafe(insert))
            .persistent(false)
            .bind(shape)
            .execute(&mut *connection)
            .await
            .unwrap();
    }
    let measure = "UPDATE t SET area = ST_Area(ST_Transform(ST_SetSRID(geom, 4326), 909210)), \
                   length = ST_Length(ST_Transform(ST_SetSRID(geom, 4326), 909210))";
    sqlx::query(measure).execute(&mut *connection).await.unwrap();
}
