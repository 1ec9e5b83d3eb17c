//! Tiles of real layers: the communes of the city, and zones, parks, streets and hydrants of another city.
//! `CITYMAP_REAL_DATA` names the folder with the files.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::HashSet;

use citymap_engine::{LayerSnapshot, Row, mercator};
use citymap_model::Geometry;
use citymap_tile::{TileId, TileOptions, encode};
use common::{Decoded, decode, layer_of, valid_polygons};
use geo::{Coord, Intersects, MapCoords, MultiPolygon, Point, Rect};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const FILES: [(&str, &str); 6] = [
    ("communes", "hcmc/hcmc_wards_2025.geojson"),
    ("city", "hcmc/hcmc_province_2025.geojson"),
    ("zones", "cambridge/CDD_ZoningDistricts.geojson"),
    ("parks", "cambridge/RECREATION_OpenSpace.geojson"),
    ("streets", "cambridge/TRANS_Centerlines.geojson"),
    ("hydrants", "cambridge/INFRA_Hydrants.geojson"),
];

fn layers() -> Option<Vec<(&'static str, LayerSnapshot)>> {
    let read = |(name, file): (&'static str, &str)| {
        let text = std::fs::read_to_string(citymap_testing::real_data(file)?).unwrap();
        let collection =
            geojson::FeatureCollection::try_from(text.parse::<geojson::GeoJson>().unwrap()).unwrap();
        let geometries = collection.features.into_iter().filter_map(|feature| feature.geometry);
        Some((name, layer_of(name, geometries.map(|geometry| Geometry::try_from(geometry).unwrap()))))
    };
    FILES.into_iter().map(read).collect()
}

/// A geometry in tile units, not rounded.
fn in_tile(geometry: &Geometry, tile: TileId) -> Geometry {
    geometry.map_coords(|coord| {
        let count = f64::from(1u32 << tile.z());
        let sin = coord.y.clamp(-mercator::MAX_LAT, mercator::MAX_LAT).to_radians().sin();
        let y = 0.5 - ((1.0 + sin) / (1.0 - sin)).ln() / (4.0 * std::f64::consts::PI);
        Coord {
            x: ((coord.x + 180.0) / 360.0 * count - f64::from(tile.x())) * 4096.0,
            y: (y * count - f64::from(tile.y())) * 4096.0,
        }
    })
}

fn polygons(features: &[Decoded], id: u64) -> MultiPolygon<f64> {
    let found = features.iter().find(|feature| feature.id == id && feature.kind == 3);
    found.map_or_else(|| MultiPolygon::new(vec![]), |feature| valid_polygons(feature, 64.0))
}

#[test]
fn a_thousand_tiles_are_valid_complete_and_agree() {
    let Some(layers) = layers() else { return };
    let mut dice = ChaCha8Rng::seed_from_u64(2025);
    let options = TileOptions::default();
    let square = Rect::new((0.0, 0.0), (4096.0, 4096.0)).to_polygon();
    let (mut shown, mut elsewhere, mut rings, mut along, mut off) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for _ in 0..1000 {
        let (name, layer) = &layers[dice.random_range(0..layers.len())];
        let row = dice.random_range(0..layer.len()) as Row;
        let coords = layer.shape(row).coords();
        let z = dice.random_range(8..=18);
        let tile = TileId::at(coords[dice.random_range(0..coords.len())], z).unwrap();
        let features = decode(&encode(&[layer], tile, &options), name);
        assert!(features.windows(2).all(|pair| pair[0].id < pair[1].id), "{name} {tile}: order");

        // Every feature is valid.
        for feature in features.iter().filter(|feature| feature.kind == 3) {
            rings += feature.paths.len();
            valid_polygons(feature, 64.0);
        }
        // Nothing is missing, compared with the index and an exact test.
        let ids: HashSet<u64> = features.iter().map(|feature| feature.id).collect();
        layer.candidates(&tile.bounds(), |row| {
            let id = layer.fid(row) as u64;
            if ids.contains(&id) {
                shown += 1;
            } else {
                let geometry = in_tile(&layer.geometry(row).unwrap(), tile);
                assert!(!geometry.intersects(&square), "{name} {tile}: {id} is lost");
                elsewhere += 1;
            }
        });
        // The seams agree with the neighbours to the east and south.
        for (east, south) in [(1, 0), (0, 1)] {
            let next = TileId::new(z, tile.x() + east, tile.y() + south).unwrap();
            let there = decode(&encode(&[layer], next, &options), name);
            let reaches = |feature: &&Decoded| {
                let mut coords = feature.paths.iter().flat_map(|path| &path.0);
                feature.kind == 3
                    && coords.any(|coord| if east == 1 { coord.x >= 4096.0 } else { coord.y >= 4096.0 })
            };
            for feature in features.iter().filter(reaches) {
                let (a, b) = (polygons(&features, feature.id), polygons(&there, feature.id));
                for _ in 0..20 {
                    let place = f64::from(dice.random_range(0..4096)) + 0.5;
                    let (here, beyond) = if east == 1 {
                        (Point::new(4096.0, place), Point::new(0.0, place))
                    } else {
                        (Point::new(place, 4096.0), Point::new(place, 0.0))
                    };
                    along += 1;
                    off += usize::from(a.intersects(&here) != b.intersects(&beyond));
                }
            }
        }
    }
    println!(
        "1000 tiles: of the features in whose box they are {shown} are there, {elsewhere} rightly not, \
         {rings} rings valid, {off} of {along} seam places differ"
    );
    assert!(shown > 5_000 && rings > 5_000 && along > 50_000, "{shown} {rings} {along}");
    assert!(off * 100_000 <= along, "{off} of {along} places on seams differ");
}
