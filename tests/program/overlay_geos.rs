//! The overlay of random polygons against GEOS, on the home grid and, elsewhere, in degrees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use citymap_crs::{Crs, Transform, ellipsoidal_area, ellipsoidal_length};
use citymap_engine::{LayerSnapshot, Operand, Overlay, OverlayOptions, OverlayPiece, SnapshotBuilder};
use citymap_geometry::wkb;
use citymap_model::{Feature, Geometry, GeometryKind, Layer, Role, Title};
use gdal::vector::Geometry as Ogr;
use geo::{Area, Coord, CoordsIter, LineString, MapCoords, MultiLineString, MultiPoint, Polygon};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn layer(id: &str, kind: GeometryKind, shapes: &[Geometry]) -> LayerSnapshot {
    let layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Other, kind);
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, shape) in (1..).zip(shapes) {
        builder.push(&Feature { fid, geometry: Some(shape.clone()), values: vec![] }).unwrap();
    }
    builder.finish(1)
}

/// The pieces with their shapes.
fn pieces(a: &LayerSnapshot, b: &LayerSnapshot) -> Vec<(OverlayPiece, Geometry)> {
    let overlay = Overlay::new(Operand::new(a), Operand::new(b)).unwrap();
    let shapes = overlay.shapes();
    let mut pieces = Vec::new();
    overlay
        .run(&OverlayOptions::default(), |some| {
            pieces.extend(some.iter().map(|piece| (*piece, shapes.of(piece).unwrap().unwrap())));
            Ok::<(), ()>(())
        })
        .unwrap();
    pieces
}

fn ogr(geometry: &Geometry) -> Ogr {
    Ogr::from_wkb(&wkb::to_wkb(geometry)).unwrap()
}

/// What both share by GEOS.
fn shared_by_geos(a: &Geometry, b: &Geometry) -> Ogr {
    ogr(a).intersection(&ogr(b)).unwrap()
}

/// A polygon around a centre whose corners go out and in, in metres; valid, because the angles grow.
fn star(random: &mut ChaCha8Rng, centre: [f64; 2], radius: f64, corners: usize) -> Polygon<f64> {
    // Long spikes of many corners would cross those of another polygon millions of times.
    let noise = random.random_range(0.01_f64..0.9).min(60.0 / corners as f64);
    let ring: Vec<(f64, f64)> = (0..corners)
        .map(|i| {
            let angle = std::f64::consts::TAU * (i as f64 + 0.5) / corners as f64;
            let radius = radius * (1.0 - noise * random.random_range(0.0..1.0));
            (centre[0] + radius * angle.cos(), centre[1] + radius * angle.sin())
        })
        .collect();
    Polygon::new(LineString::from(ring), vec![])
}

fn to_degrees(geometry: &Geometry) -> Geometry {
    let mut moved = geometry.clone();
    Transform::new(Crs::home(), Crs::WGS84).unwrap().geometry(&mut moved).unwrap();
    moved
}

fn to_grid(geometry: &Geometry) -> Geometry {
    let mut moved = geometry.clone();
    Transform::new(Crs::WGS84, Crs::home()).unwrap().geometry(&mut moved).unwrap();
    moved
}

/// From small polygons, whose edges are compared pair by pair, to those for which the plane is halved.
#[test]
fn areas_of_random_polygons_are_those_of_geos() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    for corners in [5, 40, 300, 700, 5_000, 40_000] {
        let pairs = if corners > 1_000 { 2 } else { 12 };
        for _ in 0..pairs {
            let mut shape = |corners: usize| {
                let centre = [603_000.0, 1_191_000.0].map(|at| at + random.random_range(-400.0..400.0));
                to_degrees(&star(&mut random, centre, 700.0, corners).into())
            };
            let (a, b) = (shape(corners), shape(corners * 2 / 3 + 3));
            let layers = [&a, &b].map(|one| layer("one", GeometryKind::Polygon, std::slice::from_ref(one)));
            let found = pieces(&layers[0], &layers[1]);
            let theirs = shared_by_geos(&to_grid(&a), &to_grid(&b)).area();
            let ours = found.first().map_or(0.0, |(piece, _)| piece.area);
            // Corners that PROJ and the approximation of it put 10⁻⁸ m apart move long edges.
            let slack = 1e-6 + 1e-9 * perimeter(&to_grid(&a));
            assert!((ours - theirs).abs() < slack, "{corners}: {ours} {theirs}");
            let Some((_, shape)) = found.first() else { continue };
            let shape_area = to_grid(shape).unsigned_area();
            assert!((shape_area - ours).abs() < 1e-4 + 1e-8 * ours, "{corners}: {shape_area} {ours}");
        }
    }
}

/// Far from the home grid, areas are those of the shapes that are cut, which are straight in degrees.
#[test]
fn areas_elsewhere_are_those_of_shapes_that_are_straight_in_degrees() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for _ in 0..40 {
        let mut shape = |corners: usize| {
            let centre = [-71.1, 42.37].map(|at| at + random.random_range(-0.05..0.05));
            Geometry::from(star(&mut random, centre, 0.1, corners))
        };
        let (a, b) = (shape(5), shape(12));
        let layers = [&a, &b].map(|one| layer("one", GeometryKind::Polygon, std::slice::from_ref(one)));
        let found = pieces(&layers[0], &layers[1]);
        let shared = wkb::read_source(&shared_by_geos(&a, &b).wkb().unwrap()).unwrap().geometry;
        let theirs = ellipsoidal_area(&shared);
        let ours = found.first().map_or(0.0, |(piece, _)| piece.area);
        assert!((ours - theirs).abs() < 1e-10 * theirs + 1e-2, "{ours} {theirs}");
        let Some((piece, shape)) = found.first() else { continue };
        // Shapes are cut on a raster of 2⁻³⁰ of their size, about 0.02 mm.
        assert!((ellipsoidal_area(shape) - piece.area).abs() < 1e-7 * theirs + 0.5);
    }
}

/// A piece that is 900 km long and a metre wide has its area, too.
#[test]
fn a_long_thin_piece_in_degrees_has_the_area_of_its_shape() {
    let a = Geometry::from(Polygon::new(
        LineString::from(vec![(-5.0, 40.0), (5.0, 44.0), (5.0, 40.0), (-5.0, 40.0)]),
        vec![],
    ));
    let above = vec![(-5.0, 40.0), (5.0, 44.0), (-5.0, 44.0), (-5.0, 40.0)];
    let b = Geometry::from(Polygon::new(LineString::from(above), vec![]))
        .map_coords(|at| Coord { x: at.x, y: at.y - 1e-5 });
    let layers = [&a, &b].map(|one| layer("one", GeometryKind::Polygon, std::slice::from_ref(one)));
    let (piece, _) = pieces(&layers[0], &layers[1]).remove(0);
    let theirs = wkb::read_source(&shared_by_geos(&a, &b).wkb().unwrap()).unwrap().geometry;
    assert!((piece.area / ellipsoidal_area(&theirs) - 1.0).abs() < 1e-7);
}

/// Lines that run over themselves and points that repeat count once, as in GEOS and PostGIS.
#[test]
fn lines_and_points_that_repeat_count_once() {
    let square = |x: f64, y: f64, size: f64| {
        Geometry::from(Polygon::new(
            LineString::from(vec![(x, y), (x + size, y), (x + size, y + size), (x, y + size)]),
            vec![],
        ))
    };
    for (west, south) in [(603_000.0, 1_191_000.0), (0.0, 0.0)] {
        let home = west > 0.0;
        // On the grid in metres; elsewhere the same numbers as parts of a degree at 42° N.
        let place = |geometry: Geometry| -> Geometry {
            if home {
                to_degrees(&geometry)
            } else {
                geometry.map_coords(|at| Coord { x: -71.0 + at.x * 1e-5, y: 42.0 + at.y * 1e-5 })
            }
        };
        let area = place(square(west, south, 1_000.0));
        let at = |x: f64, y: f64| (west + x, south + y);
        let twice = place(
            MultiLineString(vec![
                LineString::from(vec![
                    at(-100.0, 500.0),
                    at(700.0, 500.0),
                    at(200.0, 500.0),
                    at(200.0, 900.0),
                ]),
                LineString::from(vec![at(200.0, 800.0), at(200.0, 1_200.0)]),
            ])
            .into(),
        );
        let once = place(
            MultiLineString(vec![
                LineString::from(vec![at(0.0, 500.0), at(700.0, 500.0)]),
                LineString::from(vec![at(200.0, 500.0), at(200.0, 1_000.0)]),
            ])
            .into(),
        );
        let expected = if home { length_on_grid(&to_grid(&once)) } else { ellipsoidal_length(&once) };
        let zones = layer("zones", GeometryKind::Polygon, &[area]);
        let roads = layer("roads", GeometryKind::Line, &[twice]);
        let (piece, shape) = pieces(&roads, &zones).remove(0);
        assert!((piece.length - expected).abs() < 1e-3, "{} {expected}", piece.length);
        assert!(shape.coords_count() >= 4);
        assert!(piece.share_a.unwrap() < 1.0);
        let points = [at(500.0, 500.0), at(600.0, 500.0), at(500.0, 500.0), at(2_000.0, 0.0)];
        let points = layer("points", GeometryKind::Point, &[place(MultiPoint::from(points.to_vec()).into())]);
        let (piece, shape) = pieces(&points, &zones).remove(0);
        assert_eq!((piece.count, shape.coords_count()), (2, 2));
        assert!((piece.share_a.unwrap() - 2.0 / 3.0).abs() < 1e-12);
    }
}

fn perimeter(geometry: &Geometry) -> f64 {
    let Geometry::Polygon(polygon) = geometry else { panic!("{geometry:?}") };
    length_on_grid(&MultiLineString(vec![polygon.exterior().clone()]).into())
}

fn length_on_grid(geometry: &Geometry) -> f64 {
    let Geometry::MultiLineString(lines) = geometry else { panic!("{geometry:?}") };
    lines.iter().flat_map(LineString::lines).map(|line| line.dx().hypot(line.dy())).sum()
}

/// Cells of a net that share all their edges: the pieces add up to the whole.
#[test]
fn cells_that_share_edges_add_up() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let grid: Vec<Vec<(f64, f64)>> = (0..=8)
        .map(|i| {
            (0..=8)
                .map(|j| {
                    let mut moved = || random.random_range(-40.0..40.0);
                    (603_000.0 + f64::from(i) * 100.0 + moved(), 1_191_000.0 + f64::from(j) * 100.0 + moved())
                })
                .collect()
        })
        .collect();
    let cell = |i: usize, j: usize| {
        let ring = vec![grid[i][j], grid[i + 1][j], grid[i + 1][j + 1], grid[i][j + 1]];
        Polygon::new(LineString::from(ring), vec![])
    };
    let cells: Vec<Geometry> =
        (0..64).map(|number| to_degrees(&cell(number / 8, number % 8).into())).collect();
    let big = to_degrees(&star(&mut random, [603_400.0, 1_191_400.0], 300.0, 2_000).into());
    let whole = layer("whole", GeometryKind::Polygon, std::slice::from_ref(&big));
    let cells = layer("cells", GeometryKind::Polygon, &cells);
    let sum: f64 = pieces(&whole, &cells).iter().map(|(piece, _)| piece.area).sum();
    let area = to_grid(&big).unsigned_area();
    assert!((sum - area).abs() < 1e-5, "{sum} {area}");
}
