//! The control points of `data/vn2000_control_points.tsv`: each grid to a millimetre, there and back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_crs::{Crs, Transform};

const TABLE: &str = include_str!("../../../data/vn2000_control_points.tsv");
const GRIDS: [u32; 3] = [9210, 5899, 3405];

/// Name, WGS 84 lon/lat, and easting/northing on each of [`GRIDS`].
type Point = (&'static str, [f64; 2], [[f64; 2]; 3]);

fn points() -> Vec<Point> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .map(|line| {
            let (name, numbers) = line.split_once('\t').unwrap();
            let n: Vec<f64> = numbers.split('\t').map(|cell| cell.parse().unwrap()).collect();
            (name, [n[1], n[0]], [[n[2], n[3]], [n[4], n[5]], [n[6], n[7]]])
        })
        .collect()
}

#[test]
fn every_control_point_agrees_to_a_millimetre_on_every_grid() {
    let points = points();
    assert_eq!(points.len(), 8);
    for (name, lonlat, grids) in points {
        for (code, expected) in GRIDS.into_iter().zip(grids) {
            let grid = Crs::new(code).unwrap();
            let [x, y] = Transform::new(Crs::WGS84, grid).unwrap().point(lonlat).unwrap();
            assert!(
                (x - expected[0]).abs() < 0.001 && (y - expected[1]).abs() < 0.001,
                "{name} {grid}: {x} {y}"
            );
            let [lon, lat] = Transform::new(grid, Crs::WGS84).unwrap().point(expected).unwrap();
            // The table's last digit is 0.1 mm.
            assert!(
                (lon - lonlat[0]).abs() < 2e-9 && (lat - lonlat[1]).abs() < 2e-9,
                "{name} {grid}: {lon} {lat}"
            );
        }
    }
}

#[test]
fn from_grid_to_grid_no_datum_is_shifted() {
    for (name, _, grids) in points() {
        for (from, start) in GRIDS.into_iter().zip(grids) {
            for (to, expected) in GRIDS.into_iter().zip(grids) {
                let transform = Transform::new(Crs::new(from).unwrap(), Crs::new(to).unwrap()).unwrap();
                let [x, y] = transform.point(start).unwrap();
                assert!((x - expected[0]).hypot(y - expected[1]) < 0.001, "{name} {from} to {to}: {x} {y}");
            }
        }
    }
}
