//! Polygons in tiles are valid, complete, true to the original, and agree at seams.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::f64::consts::TAU;

use citymap_model::Geometry;
use citymap_tile::{MAX_ZOOM, TileId, TileOptions, encode};
use common::{decode, layer_of, to_lonlat, valid_polygons};
use geo::{
    Area, BoundingRect, Coord, Distance, Euclidean, Intersects, LineString, MapCoords, MultiPolygon, Point,
    Polygon, Rect, Validation, polygon,
};
use proptest::prelude::*;

/// A tile far enough from the world's edge for all shapes around it.
fn tile() -> impl Strategy<Value = TileId> {
    (6..=MAX_ZOOM, 0.3..0.7, 0.3..0.7).prop_map(|(z, x, y)| {
        let count = 2f64.powi(z.into());
        TileId::new(z, (x * count) as u32, (y * count) as u32).unwrap()
    })
}

fn star(center: Coord<f64>, radius: f64, arms: &[f64]) -> LineString<f64> {
    let step = TAU / arms.len() as f64;
    let mut ring: LineString<f64> = arms
        .iter()
        .enumerate()
        .map(|(arm, length)| {
            let (sin, cos) = (arm as f64 * step).sin_cos();
            (center.x + radius * length * cos, center.y + radius * length * sin)
        })
        .collect();
    ring.close();
    ring
}

/// Sizes from a hundredth of a unit to five tiles.
fn size() -> impl Strategy<Value = f64> {
    (-2.0..4.3).prop_map(|exponent| 10f64.powf(exponent))
}

fn center() -> impl Strategy<Value = Coord<f64>> {
    let along = || prop_oneof![-300.0..4400.0, Just(0.0), Just(4096.0), Just(-64.0), Just(2048.5)];
    (along(), along()).prop_map(|(x, y)| Coord { x, y })
}

fn arms() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec(0.1..1.0, 3..8),
        prop::collection::vec(0.02..1.0, 8..60),
        // Needles: alternating long and short arms.
        prop::collection::vec(prop_oneof![Just(0.001), Just(1.0)], 4..40),
    ]
}

/// A comb whose teeth reach over the tile's edge.
fn comb() -> impl Strategy<Value = Polygon<f64>> {
    (center(), size(), 2..9usize, 0.05..0.95, any::<bool>()).prop_map(|(at, size, teeth, gap, turned)| {
        let mut points = vec![(0.0, 0.0)];
        for tooth in 0..teeth {
            let y = tooth as f64;
            points.extend([(1.0, y), (1.0, y + gap), (0.1, y + gap), (0.1, y + 1.0)]);
        }
        points.push((0.0, teeth as f64));
        let place = |(x, y): (f64, f64)| {
            let (x, y) = ((x - 0.5) * size, (y - 0.5) * size / teeth as f64);
            if turned { (at.x + y, at.y - x) } else { (at.x + x, at.y + y) }
        };
        Polygon::new(points.into_iter().map(place).collect(), vec![])
    })
}

/// A rectangle with sides on the tile's borders and grid.
fn rectangle() -> impl Strategy<Value = Polygon<f64>> {
    let line = || {
        prop_oneof![
            Just(0.0),
            Just(4096.0),
            Just(-64.0),
            Just(4160.0),
            (-70..4170i32).prop_map(f64::from),
            Just(-4e4),
            Just(4e4)
        ]
    };
    (line(), line(), line(), line())
        .prop_filter("a point or line", |(a, b, c, d)| a != c && b != d)
        .prop_map(|(a, b, c, d)| Rect::new((a, b), (c, d)).to_polygon())
}

fn shape() -> impl Strategy<Value = MultiPolygon<f64>> {
    let holed =
        (center(), size(), arms(), 0.01..0.99, any::<bool>()).prop_map(|(at, size, arms, hole, shifted)| {
            let inner: Vec<f64> = arms.iter().map(|arm| arm * hole).collect();
            let shift = if shifted { size * 0.01 * (1.0 - hole) } else { 0.0 };
            let hole = star(Coord { x: at.x + shift, y: at.y }, size, &inner);
            Polygon::new(star(at, size, &arms), vec![hole])
        });
    let plain =
        (center(), size(), arms()).prop_map(|(at, size, arms)| Polygon::new(star(at, size, &arms), vec![]));
    let one = prop_oneof![3 => plain, 2 => holed, 2 => comb(), 1 => rectangle()];
    prop_oneof![
        3 => one.clone().prop_map(|polygon| MultiPolygon::new(vec![polygon])),
        1 => prop::collection::vec(one, 2..5).prop_map(MultiPolygon::new),
    ]
    .prop_filter("only valid ones come in", |shape| shape.is_valid())
}

fn neighbour(tile: TileId, east: i32, south: i32) -> TileId {
    TileId::new(tile.z(), tile.x().wrapping_add_signed(east), tile.y().wrapping_add_signed(south)).unwrap()
}

fn cut(geometry: &Geometry, tile: TileId) -> Option<MultiPolygon<f64>> {
    let layer = layer_of("shapes", [geometry.clone()]);
    let bytes = encode(&[&layer], tile, &TileOptions::default());
    assert_eq!(bytes, encode(&[&layer], tile, &TileOptions::default()));
    let features = decode(&bytes, "shapes");
    assert!(features.len() <= 1);
    features.first().map(|feature| {
        assert_eq!(feature.id, 1);
        valid_polygons(feature, 64.0)
    })
}

/// The length of the parts of the seam that only one of two tiles covers.
fn disagreement(a: &MultiPolygon<f64>, b: &MultiPolygon<f64>, seam: impl Fn(f64) -> Coord<f64>) -> usize {
    // Vertices are whole numbers, and edges have one wherever they cross the seam, so nothing changes in
    // between.
    (0..4096)
        .filter(|&along| {
            let point = Point(seam(f64::from(along) + 0.5));
            a.intersects(&point) != b.intersects(&point)
        })
        .count()
}

/// Number of cases; `PROPTEST_CASES` overrides the default.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1000)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn polygons_are_valid_present_and_true(
        tile in tile(), shape in shape(), places in prop::collection::vec((0.0..1.0, 0.0..1.0), 50),
    ) {
        let lonlat = to_lonlat(tile, &shape.clone().into());
        let found = cut(&lonlat, tile);
        let square = Rect::new((0.0, 0.0), (4096.0, 4096.0)).to_polygon();
        if shape.intersects(&square) {
            prop_assert!(found.is_some(), "lost");
        }
        // A point that is farther from every edge than rounding moves it (one unit; beyond zoom 20 world
        // units are coarser) is on the same side as before.
        let found = found.unwrap_or_else(|| MultiPolygon::new(vec![]));
        let reach = 1.5 * f64::from(1u32 << tile.z().saturating_sub(20));
        let bounds = shape.bounding_rect().unwrap();
        let along = |low: f64, high: f64, part: f64| {
            let (low, high) = (low.max(-64.0), high.min(4160.0));
            low + (high - low) * part
        };
        for (x, y) in places {
            let (min, max) = (bounds.min(), bounds.max());
            let point = Point::new(along(min.x, max.x, x), along(min.y, max.y, y));
            let edge = shape.iter().flat_map(|polygon| polygon.interiors().iter().chain([polygon.exterior()]))
                .map(|ring| Euclidean.distance(&point, ring)).fold(f64::MAX, f64::min);
            if edge > reach && [point.x(), point.y()].iter().all(|v| (-64.0..=4160.0).contains(v)) {
                prop_assert_eq!(
                    shape.intersects(&point), found.intersects(&point),
                    "{:?}, {} from an edge: {:?}", point, edge, found
                );
            }
        }
    }

    #[test]
    fn polygons_are_there_in_every_tile_above(tile in tile(), shape in shape(), up in 1..=22u8) {
        let lonlat = to_lonlat(tile, &shape.clone().into());
        let z = tile.z().saturating_sub(up);
        let above = TileId::new(z, tile.x() >> (tile.z() - z), tile.y() >> (tile.z() - z)).unwrap();
        let square = Rect::new((0.0, 0.0), (4096.0, 4096.0)).to_polygon();
        if shape.intersects(&square) {
            prop_assert!(cut(&lonlat, above).is_some(), "lost");
        }
    }

    #[test]
    fn rings_that_cross_and_touch_at_will_come_out_valid(
        parts in prop::collection::vec(
            prop::collection::vec(prop::collection::vec((0..9i32, 0..9i32), 3..14), 1..4), 1..4,
        ),
        corner in prop_oneof![
            Just((100.0, 100.0)), Just((-68.0, 2000.0)), Just((4092.0, 4093.0)), Just((4156.0, 4156.0)),
        ],
        stretch in prop_oneof![Just(1.0), Just(3.3), Just(700.0)],
    ) {
        let tile = TileId::new(14, 13_050, 7_700).unwrap();
        let ring = |points: &Vec<(i32, i32)>| {
            let place = |&(x, y): &(i32, i32)| {
                (corner.0 + f64::from(x) * stretch, corner.1 + f64::from(y) * stretch)
            };
            let mut ring: LineString<f64> = points.iter().map(place).collect();
            ring.close();
            ring
        };
        let shape: MultiPolygon<f64> = parts.iter().map(|rings| {
            Polygon::new(ring(&rings[0]), rings[1..].iter().map(ring).collect())
        }).collect();
        let inside = |coord: &Coord<f64>| [coord.x, coord.y].iter().all(|v| (0.0..=4096.0).contains(v));
        let expected = shape.iter().any(|polygon| polygon.exterior().0.iter().any(inside));
        let found = cut(&to_lonlat(tile, &shape.into()), tile);
        prop_assert!(found.is_some() || !expected);
    }

    #[test]
    fn neighbours_agree_at_their_seam(tile in tile(), shape in shape()) {
        // A polygon that is too small for the grid appears as a triangle of one unit, or along a sliver.
        let slack = 2 * shape.0.len();
        agree(tile, shape.into(), slack)?;
    }

    #[test]
    fn neighbours_agree_exactly_on_what_is_not_tiny(
        tile in tile(), at in center(), size in 200.0..20_000.0,
        arms in prop::collection::vec(0.3..1.0, 3..30),
    ) {
        agree(tile, Polygon::new(star(at, size, &arms), vec![]).into(), 0)?;
    }
}

fn agree(tile: TileId, shape: Geometry, slack: usize) -> Result<(), TestCaseError> {
    let lonlat = to_lonlat(tile, &shape);
    let none = || MultiPolygon::new(vec![]);
    let here = cut(&lonlat, tile).unwrap_or_else(none);
    for (east, south) in [(1, 0), (0, 1)] {
        let there = cut(&lonlat, neighbour(tile, east, south)).unwrap_or_else(none);
        let shift = Coord { x: f64::from(east) * 4096.0, y: f64::from(south) * 4096.0 };
        let there = there.map_coords(|coord| coord + shift);
        let off = disagreement(&here, &there, |along| {
            if east == 1 { Coord { x: 4096.0, y: along } } else { Coord { x: along, y: 4096.0 } }
        });
        prop_assert!(off <= slack, "{off} units of the seam at {east}, {south}: {here:?} {there:?}");
    }
    Ok(())
}

#[test]
fn a_polygon_around_the_tile_fills_the_buffered_square() {
    for z in [0, 5, 16, 22] {
        let tile = TileId::at([106.7, 10.77], z).unwrap();
        let around =
            polygon![(x: -179.0, y: -80.0), (x: 179.0, y: -80.0), (x: 179.0, y: 80.0), (x: -179.0, y: 80.0)];
        let found = cut(&around.into(), tile).unwrap();
        if z > 0 {
            assert_eq!(found.bounding_rect().unwrap(), Rect::new((-64.0, -64.0), (4160.0, 4160.0)));
            assert_eq!(found.unsigned_area(), 4224.0 * 4224.0);
            assert_eq!(found.0[0].exterior().0.len(), 5);
        }
    }
}

#[test]
fn what_is_too_small_is_there_at_every_zoom() {
    let at = Coord { x: 106.7, y: 10.77 };
    let lot = star(at, 2e-5, &[1.0, 0.9, 1.0, 0.9]);
    for z in 0..=MAX_ZOOM {
        let tile = TileId::at([at.x, at.y], z).unwrap();
        assert!(cut(&Polygon::new(lot.clone(), vec![]).into(), tile).is_some(), "zoom {z}");
    }
}
