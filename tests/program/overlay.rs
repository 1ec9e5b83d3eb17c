//! The overlay of the demo city's layers against PostGIS's planar one, on the same coordinates: the home
//! grid.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use citymap_crs::{Crs, Transform};
use citymap_engine::{LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece};
use citymap_live::Live;
use citymap_tests::{Bench, Database};
use geo::Area;

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
