//! Tiles of the running server, decoded by somebody else's decoder.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what it tried"
)]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use citymap_engine::{Bbox, City, Query};
use citymap_live::Live;
use citymap_model::{Fid, GeometryKind};
use citymap_tests::{Bench, Server, real_data};
use citymap_tile::TileId;
use fast_mvt::{MvtGeometry, MvtReaderRef};
use geo::{Coord, CoordsIter, Geometry, Intersects, MapCoords, Point, Validation};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A decoded tile: layer, feature → what was drawn.
type Tile = HashMap<String, BTreeMap<u64, Vec<MvtGeometry>>>;

fn fetch(server: &Server, layers: &str, tile: TileId) -> Tile {
    let (status, bytes) = server.get(&format!("/tiles/{layers}/{}/{}/{}", tile.z(), tile.x(), tile.y()));
    if status == 204 {
        assert!(bytes.is_empty());
        return Tile::new();
    }
    assert_eq!(status, 200);
    let reader = MvtReaderRef::new(&bytes).unwrap();
    let mut decoded = Tile::new();
    for layer in reader.layers() {
        let features = decoded.entry(layer.name().to_owned()).or_default();
        for feature in layer.features() {
            // What was merged from pixels has no number; all of it together covers what it covers.
            let id = feature.id().unwrap_or(u64::MAX);
            features.entry(id).or_default().push(feature.geometry().unwrap());
        }
    }
    decoded
}

/// Every ring valid: as polygons, in floating point, by geo's rules (those of OGC).
fn check_valid(tile: TileId, decoded: &Tile) {
    for (layer, features) in decoded {
        for (id, geometry) in
            features.iter().flat_map(|(id, shapes)| shapes.iter().map(move |shape| (id, shape)))
        {
            let real = geometry.map_coords(|coord| Coord { x: f64::from(coord.x), y: f64::from(coord.y) });
            if let Err(error) = real.check_validation() {
                panic!("{tile:?} {layer} {id}: {error}: {real:?}");
            }
        }
    }
}

/// Every feature whose geometry meets the tile's square, by the R-tree and exact tests, is there from the
/// layer's detail zoom on; below it something stands for them, but for lines, of which classes are left out.
fn check_complete(city: &City, tile: TileId, decoded: &Tile) -> usize {
    let mut expected = 0;
    for (id, snapshot) in &city.layers {
        let query = Query { bbox: Some(tile.bounds()), ..Query::default() };
        let wanted: BTreeSet<Fid> =
            snapshot.select(&query).rows.iter().map(|&row| snapshot.fid(row)).collect();
        let found = decoded.get(id.as_str());
        if tile.z() < snapshot.layer().tile_rule().detail_zoom {
            let lines = snapshot.layer().geometry == GeometryKind::Line;
            assert!(lines || wanted.is_empty() || found.is_some(), "{tile:?} {id}: nothing is left");
            continue;
        }
        expected += wanted.len();
        let missing: Vec<_> = wanted
            .iter()
            .filter(|fid| !found.is_some_and(|found| found.contains_key(&(**fid as u64))))
            .collect();
        assert!(missing.is_empty(), "{tile:?} {id}: {missing:?} are missing");
    }
    expected
}

/// What was compared along seams, and what differed.
#[derive(Default)]
struct Seams {
    crossings: usize,
    crossings_off: usize,
    places: usize,
    places_off: usize,
}

impl Seams {
    /// On the seam itself, which both tiles hold, lines cross at the same units and polygons cover the same
    /// places.
    fn compare(&mut self, here: &Tile, there: &Tile, east: bool, rng: &mut ChaCha8Rng) {
        let empty = BTreeMap::new();
        let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
        for name in names {
            let (ours, theirs) = (here.get(name).unwrap_or(&empty), there.get(name).unwrap_or(&empty));
            let ids: BTreeSet<u64> = ours.keys().chain(theirs.keys()).copied().collect();
            for id in ids {
                let (ours, theirs) = (parts(ours.get(&id)), parts(theirs.get(&id)));
                let (a, b) = (crossings(&ours, 4096, east), crossings(&theirs, 0, east));
                self.crossings += a.len().max(b.len());
                self.crossings_off += a.symmetric_difference(&b).count();
                if !covers_some(&ours) && !covers_some(&theirs) {
                    continue;
                }
                for _ in 0..10 {
                    let place = f64::from(rng.random_range(0..4096)) + 0.5;
                    let at = |seam: f64| if east { Point::new(seam, place) } else { Point::new(place, seam) };
                    let covered = |parts: &[Geometry], point: Point| {
                        parts.iter().filter(|part| is_polygon(part)).any(|part| part.intersects(&point))
                    };
                    self.places += 1;
                    self.places_off += usize::from(covered(&ours, at(4096.0)) != covered(&theirs, at(0.0)));
                }
            }
        }
    }
}

fn parts(shapes: Option<&Vec<MvtGeometry>>) -> Vec<Geometry> {
    let real = |shape: &MvtGeometry| {
        shape.map_coords(|coord| Coord { x: f64::from(coord.x), y: f64::from(coord.y) })
    };
    shapes.into_iter().flatten().map(real).collect()
}

fn is_polygon(shape: &Geometry) -> bool {
    matches!(shape, Geometry::Polygon(_) | Geometry::MultiPolygon(_))
}

fn covers_some(shapes: &[Geometry]) -> bool {
    shapes.iter().any(is_polygon)
}

/// Where the corners of lines lie on the seam, between the tile's corners.
fn crossings(shapes: &[Geometry], seam: i32, east: bool) -> BTreeSet<i32> {
    let lines = shapes.iter().filter(|shape| !is_polygon(shape)).flat_map(|shape| shape.coords_iter());
    lines
        .map(|coord| if east { (coord.x as i32, coord.y as i32) } else { (coord.y as i32, coord.x as i32) })
        .filter(|&(across, along)| across == seam && (1..4096).contains(&along))
        .map(|(_, along)| along)
        .collect()
}

fn check_tiles(bench: &Bench, tiles: usize, seed: u64) {
    let live = Live::open(citymap_store::open(bench.store().to_str().unwrap(), false).unwrap()).unwrap();
    let city = live.snapshot().city;
    let server = bench.serve();
    let layers = city.layers.keys().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
    let snapshots: Vec<_> = city.layers.values().filter(|snapshot| !snapshot.is_empty()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start = Instant::now();
    let (mut expected, mut seams) = (0, Seams::default());
    for n in 0..tiles {
        // A place where something is, or any place in the layer's extent.
        let snapshot = snapshots[rng.random_range(0..snapshots.len())];
        let row = rng.random_range(0..snapshot.len() as u32);
        let place: Bbox = snapshot.bbox(row).or(snapshot.extent()).unwrap();
        let at = if n % 4 == 0 { place.center() } else { place.min };
        let z = rng.random_range(8..=18);
        let tile = TileId::at(at, z).unwrap();
        let decoded = fetch(&server, &layers, tile);
        check_valid(tile, &decoded);
        expected += check_complete(&city, tile, &decoded);
        if n % 5 == 0 {
            let east = n % 10 == 0;
            let (dx, dy) = if east { (1, 0) } else { (0, 1) };
            let next = TileId::new(z, tile.x() + dx, tile.y() + dy).unwrap();
            seams.compare(&decoded, &fetch(&server, &layers, next), east, &mut rng);
        }
    }
    println!(
        "{tiles} tiles, {expected} features expected and found; at seams {} of {} crossings of lines and {} \
         of {} places in \
         polygons differ; {:.0} s",
        seams.crossings_off,
        seams.crossings,
        seams.places_off,
        seams.places,
        start.elapsed().as_secs_f64()
    );
    assert!(expected > tiles && seams.crossings > 0 && seams.places > 1000);
    assert_eq!(seams.crossings_off, 0);
    // A sliver that rounding makes vanish is shown, one unit wide, in the tile where it must be.
    assert!(seams.places_off * 10_000 <= seams.places);
}

#[test]
fn a_thousand_random_tiles_of_the_demo_city() {
    let bench = Bench::new();
    bench.expect(0, ["demo", "--parcels", "10000", "--seed", "3"]);
    check_tiles(&bench, 1000, 21);
}

#[test]
fn random_tiles_of_real_data() {
    let (Some(communes), Some(osm), Some(cambridge)) = (
        real_data("hcmc/hcmc_wards_2025.geojson"),
        real_data("hcmc/hcm_2018.osm.pbf"),
        real_data("cambridge/parcels_fy2013.gpkg"),
    ) else {
        return;
    };
    let bench = Bench::new();
    for (file, layer) in [(communes, "communes"), (osm, "osm"), (cambridge, "cambridge")] {
        assert!(matches!(
            bench.run(["import", file.to_str().unwrap(), "--layer", layer]).code(),
            Some(0 | 3)
        ));
    }
    check_tiles(&bench, 200, 22);
}
