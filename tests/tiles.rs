//! Tiles of the running server, decoded by somebody else's decoder.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use citymap_engine::{Bbox, City, Query};
use citymap_live::Live;
use citymap_model::Fid;
use citymap_tests::{Bench, Server, real_data};
use citymap_tile::TileId;
use fast_mvt::{MvtGeometry, MvtReaderRef};
use geo::{CoordsIter, MapCoords, Validation};
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
            features.entry(feature.id().unwrap()).or_default().push(feature.geometry().unwrap());
        }
    }
    decoded
}

/// Every ring valid: as polygons, in floating point, by geo's rules (those of OGC).
fn check_valid(tile: TileId, decoded: &Tile) {
    for (layer, features) in decoded {
        for (id, geometry) in features.iter().flat_map(|(id, shapes)| shapes.iter().map(move |shape| (id, shape))) {
            let real = geometry.map_coords(|coord| geo::Coord { x: f64::from(coord.x), y: f64::from(coord.y) });
            if let Err(error) = real.check_validation() {
                panic!("{tile:?} {layer} {id}: {error}: {real:?}");
            }
        }
    }
}

/// Every feature whose geometry meets the tile's square, by the R-tree and exact tests, is there.
fn check_complete(city: &City, tile: TileId, decoded: &Tile) -> usize {
    let mut expected = 0;
    for (id, snapshot) in &city.layers {
        let query = Query { bbox: Some(tile.bounds()), ..Query::default() };
        let wanted: BTreeSet<Fid> = snapshot.select(&query).rows.iter().map(|&row| snapshot.fid(row)).collect();
        expected += wanted.len();
        let found = decoded.get(id.as_str());
        let missing: Vec<_> =
            wanted.iter().filter(|fid| !found.is_some_and(|found| found.contains_key(&(**fid as u64)))).collect();
        assert!(missing.is_empty(), "{tile:?} {id}: {missing:?} are missing");
    }
    expected
}

/// The corners in the stretch that both tiles hold are the same, tile by tile and feature by feature.
fn check_seam(left: &Tile, right: &Tile, dx: i32, dy: i32) -> usize {
    let near = |v: i32, seam: i32| (v - seam).abs() < 32;
    let corners = |tile: &Tile, shift: (i32, i32), seam: (i32, i32)| -> BTreeSet<(String, u64, i32, i32)> {
        let mut set = BTreeSet::new();
        for (layer, features) in tile {
            for (id, shapes) in features {
                for coord in shapes.iter().flat_map(|shape| shape.coords_iter()) {
                    let across = if dx != 0 { near(coord.x, seam.0) && (0..=4096).contains(&coord.y) } else { near(coord.y, seam.1) && (0..=4096).contains(&coord.x) };
                    if across {
                        set.insert((layer.clone(), *id, coord.x - shift.0, coord.y - shift.1));
                    }
                }
            }
        }
        set
    };
    let ours = corners(left, (4096 * dx, 4096 * dy), (4096 * dx, 4096 * dy));
    let theirs = corners(right, (0, 0), (0, 0));
    let differing: Vec<_> = ours.symmetric_difference(&theirs).take(8).collect();
    assert!(differing.is_empty(), "{differing:?}");
    ours.len()
}

fn check_tiles(bench: &Bench, tiles: usize, seed: u64) {
    let live = Live::open(citymap_store::open(bench.store().to_str().unwrap(), false).unwrap()).unwrap();
    let city = live.scene().city;
    let server = bench.serve();
    let layers = city.layers.keys().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
    let snapshots: Vec<_> = city.layers.values().filter(|snapshot| !snapshot.is_empty()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start = Instant::now();
    let (mut expected, mut shared) = (0, 0);
    for n in 0..tiles {
        // A place where something is, or any place in the layer's extent.
        let snapshot = snapshots[rng.random_range(0..snapshots.len())];
        let row = rng.random_range(0..snapshot.len() as u32);
        let place: Bbox = snapshot.shapes().bbox(row).or(snapshot.extent()).unwrap();
        let at = if n % 4 == 0 { place.center() } else { place.min };
        let z = rng.random_range(8..=18);
        let tile = TileId::at(at, z).unwrap();
        let decoded = fetch(&server, &layers, tile);
        check_valid(tile, &decoded);
        expected += check_complete(&city, tile, &decoded);
        if n % 5 == 0 {
            let (dx, dy) = if n % 10 == 0 { (1, 0) } else { (0, 1) };
            let next = TileId::new(z, tile.x() + dx, tile.y() + dy).unwrap();
            shared += check_seam(&decoded, &fetch(&server, &layers, next), dx as i32, dy as i32);
        }
    }
    println!(
        "{tiles} tiles, {expected} features expected and found, {shared} corners shared at seams, {:.0} s",
        start.elapsed().as_secs_f64()
    );
    assert!(expected > tiles && shared > 0);
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
        assert!(matches!(bench.run(["import", file.to_str().unwrap(), "--layer", layer]).code(), Some(0 | 3)));
    }
    check_tiles(&bench, 300, 22);
}
