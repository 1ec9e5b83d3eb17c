//! The overlay of the demo city's layers against PostGIS's planar one, on the same coordinates: the home
//! grid.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use citymap_crs::{Crs, PolynomialGrid, Transform};
use citymap_engine::{City, LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece, SnapshotBuilder};
use citymap_live::Live;
use citymap_model::{Feature, Field, FieldType, Geometry, GeometryKind, Layer, Meaning, Role, Title, Value};
use citymap_planning::{CheckHooks, CheckKind, CheckOptions, check};
use citymap_tests::{Bench, Database};
use geo::Area;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The layer on the home grid, as a table.
fn load(database: &Database, bench: &Bench, table: &str, layer: &LayerSnapshot) {
    let home = Transform::new(Crs::WGS84, Crs::home()).unwrap();
    let mut text = String::new();
    for row in layer.rows() {
        let Some(mut geometry) = layer.geometry(row) else { continue };
        home.geometry(&mut geometry).unwrap();
        let mut bytes = Vec::new();
        wkb::writer::write_geometry(&mut bytes, &geometry, &Default::default()).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("{}\t{hex}\n", layer.fid(row)));
    }
    let file = bench.path(table);
    std::fs::write(&file, text).unwrap();
    database.psql(&format!("CREATE TABLE {table} (fid bigint, geom geometry)"));
    database.psql(&format!("\\copy {table} FROM '{}'", file.display()));
    database.psql(&format!("CREATE INDEX ON {table} USING gist (geom)"));
}

fn pieces(a: &LayerSnapshot, b: &LayerSnapshot) -> Vec<OverlayPiece> {
    let mut pieces = Vec::new();
    let overlay = Overlay::new(Operand::new(a), Operand::new(b)).unwrap();
    overlay
        .run(&OverlayOptions::default(), |some| {
            pieces.extend_from_slice(some);
            Ok::<(), ()>(())
        })
        .unwrap();
    pieces
}

/// Compares measures by the pair of features: what one side lacks counts as nothing.
fn compare(database: &Database, measure: &str, ours: &BTreeMap<(i64, i64), f64>, slack: f64) {
    let theirs = database.psql(&format!(
        "SELECT a.fid, b.fid, {measure}(ST_Intersection(a.geom, b.geom)) FROM a JOIN b ON \
         ST_Intersects(a.geom, b.geom)"
    ));
    let mut rest = ours.clone();
    let mut total = 0.0;
    for line in theirs.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let pair = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
        let theirs: f64 = fields[2].parse().unwrap();
        let ours = rest.remove(&pair).unwrap_or(0.0);
        assert!((ours - theirs).abs() < slack, "{pair:?}: {ours} here, {theirs} there");
        total += theirs;
    }
    assert!(rest.values().all(|value| *value < slack), "pieces that PostGIS has not: {rest:?}");
    let sum: f64 = ours.values().sum();
    assert!(total > 0.0 && (sum / total - 1.0).abs() < 1e-9, "{sum} {total}");
}

#[test]
fn areas_and_lengths_are_those_of_postgis() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::new();
    bench.expect(0, ["demo", "--parcels", "5000", "--seed", "3"]);
    let live = Live::open(citymap_store::open(&bench.location(), false).unwrap()).unwrap();
    let city = live.snapshot().city;
    let layer = |id: &str| city.layer(id).unwrap();
    let by_pair =
        |a: &LayerSnapshot, b: &LayerSnapshot, of: fn(&OverlayPiece) -> f64| -> BTreeMap<(i64, i64), f64> {
            pieces(a, b).iter().map(|piece| ((a.fid(piece.row_a), b.fid(piece.row_b)), of(piece))).collect()
        };
    let (parcels, zones) = (layer("parcels"), layer("zones"));
    load(&database, &bench, "a", parcels);
    load(&database, &bench, "b", zones);
    let areas = by_pair(parcels, zones, |piece| piece.area);
    compare(&database, "ST_Area", &areas, 1e-6);
    // The other way round it is the same.
    let turned = by_pair(zones, parcels, |piece| piece.area);
    assert_eq!(turned.len(), areas.len());
    for ((zone, parcel), area) in turned {
        assert!((areas[&(parcel, zone)] - area).abs() < 1e-7);
    }
    database.psql("DROP TABLE a");
    load(&database, &bench, "a", layer("roads"));
    compare(&database, "ST_Length", &by_pair(layer("roads"), zones, |piece| piece.length), 1e-5);
}

/// A square of `side` metres whose south-west corner is so far east and north of a place on the home grid.
fn square(east: f64, north: f64, side: f64) -> Geometry {
    let corner = |x: f64, y: f64| {
        let at = [603_000.0 + east + x, 1_191_000.0 + north + y];
        let [lon, lat] = PolynomialGrid::from_home().point(at).unwrap();
        geo::Coord { x: lon, y: lat }
    };
    let ring = vec![corner(0.0, 0.0), corner(side, 0.0), corner(side, side), corner(0.0, side)];
    geo::Polygon::new(geo::LineString::new(ring), vec![]).into()
}

fn snapshot(id: &str, role: Role, kind: GeometryKind, rows: Vec<(Geometry, Value)>) -> LayerSnapshot {
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), role, kind);
    layer.fields = vec![Field::new("width", FieldType::Real).means(Meaning::RightOfWay)];
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, (geometry, value)) in (1..).zip(rows) {
        builder.push(&Feature { fid, geometry: Some(geometry), values: vec![value] }).unwrap();
    }
    builder.finish(1)
}

/// The faults of checks of a generated district equal what PostGIS finds: the number and the sum of areas.
#[test]
fn totals_of_checks_are_those_of_postgis() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::new();
    let mut rng = ChaCha8Rng::seed_from_u64(14);
    // Blocks of 5 by 5 parcels of 10 m with a street between; each parcel is moved by up to 6 cm, so that
    // neighbours overlap, nearly meet, or leave slits that others close.
    let mut plots = Vec::new();
    for block in 0..36_i32 {
        for own in 0..25_i32 {
            let at = |block: i32, own: i32| f64::from(block) * 58.0 + f64::from(own) * 10.0;
            let mut noise = || if rng.random_bool(0.6) { 0.0 } else { rng.random_range(-0.06..0.06) };
            let (east, north) = (at(block % 6, own % 5) + noise(), at(block / 6, own / 5) + noise());
            plots.push((square(east, north, 10.0 + noise()), Value::Null));
        }
    }
    let roads = (0..7).map(|road| {
        let line = |x: f64, y: f64| {
            let [lon, lat] = PolynomialGrid::from_home().point([603_000.0 + x, 1_191_000.0 + y]).unwrap();
            geo::Coord { x: lon, y: lat }
        };
        let north = f64::from(road) * 58.0 - 4.0;
        let geometry = geo::LineString::new(vec![line(-50.0, north), line(400.0, north)]);
        (geometry.into(), Value::Real(10.0 + f64::from(road)))
    });
    let roads = snapshot("roads", Role::Road, GeometryKind::Line, roads.collect());
    let parcels = snapshot("parcels", Role::Parcel, GeometryKind::Polygon, plots);
    load(&database, &bench, "a", &parcels);
    load(&database, &bench, "b", &roads);
    let layers = [parcels, roads].map(|layer| (layer.layer().id.clone(), Arc::new(layer)));
    let city = City { revision: 1, layers: layers.into(), ..City::default() };
    let options = CheckOptions::default();
    let ours = |kind: CheckKind| check(&city, kind, &options, &CheckHooks::default()).unwrap();
    let theirs = |query: &str| -> (u64, f64) {
        let found = database.psql(query);
        let fields: Vec<&str> = found.trim().split('|').collect();
        (fields[0].parse().unwrap(), fields[1].parse().unwrap())
    };
    let compare = |kind: CheckKind, query: &str| {
        let (own, other) = (ours(kind), theirs(query));
        assert!(other.0 > 10, "{kind:?}: the district has such faults: {other:?}");
        assert_eq!(own.found, other.0, "{kind:?}");
        assert!((own.measure - other.1).abs() < 1e-3, "{kind:?}: {} and {}", own.measure, other.1);
        assert_eq!(own.faults.len() as u64, own.found);
    };
    compare(
        CheckKind::ParcelOverlaps,
        "SELECT count(*), sum(area) FROM (SELECT ST_Area(ST_Intersection(a.geom, c.geom)) AS area FROM a \
         JOIN a c ON a.fid < c.fid AND ST_Intersects(a.geom, c.geom)) pair WHERE area > 0.01",
    );
    compare(
        CheckKind::ParcelGaps,
        "SELECT count(*), sum(ST_Area(hole)) FROM (SELECT (ST_DumpRings(part)).path[1] AS ring, \
         ST_MakePolygon(ST_ExteriorRing((ST_DumpRings(part)).geom)) AS hole FROM \
         (SELECT (ST_Dump(ST_Union(geom, 1e-6))).geom AS part FROM a) parts) rings \
         WHERE ring > 0 AND 2 * ST_Area(hole) / ST_Perimeter(hole) BETWEEN 0.001 AND 0.5",
    );
    compare(
        CheckKind::NearEdges,
        "SELECT count(*), max(worst) FROM (SELECT max(d) AS worst FROM (SELECT a.fid AS one, \
         c.fid AS other, ST_Distance((ST_DumpPoints(a.geom)).geom, ST_Boundary(c.geom)) AS d \
         FROM a JOIN a c ON a.fid <> c.fid AND ST_DWithin(a.geom, c.geom, 0.2)) corner \
         WHERE d > 0.001 AND d <= 0.1 GROUP BY least(one, other), greatest(one, other)) pairs",
    );
    compare(
        CheckKind::RightOfWay,
        "SELECT count(*), sum(area) FROM (SELECT ST_Area(ST_Intersection(a.geom, ST_Union(ST_Buffer(b.geom, \
         width / 2, 'endcap=flat')))) AS area FROM a JOIN (SELECT geom, fid + 9.0 AS width FROM b) b ON \
         ST_DWithin(a.geom, b.geom, width / 2) GROUP BY a.fid, a.geom) cut WHERE area > 0.01",
    );
}

#[test]
fn shapes_have_the_areas_that_are_told_of_them() {
    let bench = Bench::new();
    bench.expect(0, ["demo", "--parcels", "2000", "--seed", "4"]);
    let live = Live::open(citymap_store::open(&bench.location(), false).unwrap()).unwrap();
    let city = live.snapshot().city;
    let (parcels, zones) = (city.layer("parcels").unwrap(), city.layer("zones").unwrap());
    let home = Transform::new(Crs::WGS84, Crs::home()).unwrap();
    let overlay = Overlay::new(Operand::new(parcels), Operand::new(zones)).unwrap();
    let shapes = overlay.shapes();
    let mut cut = 0;
    for piece in pieces(parcels, zones) {
        let mut shape = shapes.of(&piece).unwrap().expect("a piece has a shape");
        home.geometry(&mut shape).unwrap();
        let area = shape.unsigned_area();
        // Shapes are cut on a raster of their own size; the figures are not.
        assert!((area - piece.area).abs() < 1e-5 + 1e-8 * area, "{area} {piece:?}");
        cut += usize::from(!piece.is_whole_a());
    }
    assert!(cut > 0, "some parcels are cut");
}
