//! Helpers of the tile tests: build layers, read tiles with another library, and check what the specification
//! requires of polygons.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use citymap_engine::{LayerSnapshot, SnapshotBuilder, mercator};
use citymap_model::{Feature, Field, Geometry, GeometryKind, Layer, Role, Title, Value};
use citymap_tile::TileId;
use fast_mvt::MvtReaderRef;
use geo::{Area, Coord, LineString, MapCoords, MultiPolygon, Polygon, Validation};

/// A layer of features without fields; fids count from 1.
pub fn layer_of(name: &str, geometries: impl IntoIterator<Item = Geometry>) -> LayerSnapshot {
    let rows = geometries.into_iter().map(|geometry| (Some(geometry), vec![]));
    layer_with(name, vec![], None, rows)
}

/// A layer with fields; fids count from 1.
pub fn layer_with(
    name: &str,
    fields: Vec<Field>,
    key: Option<&str>,
    rows: impl IntoIterator<Item = (Option<Geometry>, Vec<Value>)>,
) -> LayerSnapshot {
    let mut layer = Layer::new(name.parse().unwrap(), Title::same(name), Role::Other, GeometryKind::Mixed);
    layer.fields = fields;
    layer.key = key.map(str::to_owned);
    let mut builder = SnapshotBuilder::new(layer);
    for (index, (geometry, values)) in rows.into_iter().enumerate() {
        builder.push(&Feature { fid: index as i64 + 1, geometry, values }).unwrap();
    }
    builder.finish(1)
}

/// A position in a tile's units as longitude and latitude.
pub fn lonlat(tile: TileId, unit: Coord<f64>) -> Coord<f64> {
    let side = 2f64.powi(32 - i32::from(tile.z()));
    let world =
        [(f64::from(tile.x()) + unit.x / 4096.0) * side, (f64::from(tile.y()) + unit.y / 4096.0) * side];
    let [x, y] = mercator::unproject(world);
    Coord { x, y }
}

/// A geometry in a tile's units as longitude and latitude.
pub fn to_lonlat(tile: TileId, geometry: &Geometry) -> Geometry {
    geometry.map_coords(|unit| lonlat(tile, unit))
}

/// A feature as another library reads it.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Its id; 0 for a merged feature that has none.
    pub id: u64,
    /// 1 for a point, 2 for a line, 3 for a polygon.
    pub kind: i32,
    /// The paths in tile units; rings are closed.
    pub paths: Vec<LineString<f64>>,
    /// The attributes of a feature, by key.
    pub tags: Vec<(String, String)>,
}

/// The features of a layer of a tile.
pub fn decode(tile: &[u8], layer: &str) -> Vec<Decoded> {
    let reader = MvtReaderRef::new(tile).unwrap();
    let Some(layer) = reader.layers().find(|found| found.name() == layer) else { return vec![] };
    assert_eq!((layer.version(), layer.extent()), (2, 4096));
    layer
        .features()
        .map(|feature| {
            feature.geometry().unwrap();
            Decoded {
                id: feature.id().unwrap_or(0),
                kind: feature.geom_type_value().unwrap(),
                paths: paths(feature.geometry_commands()),
                tags: feature
                    .properties()
                    .map(|property| {
                        property.map(|(key, value)| (key.to_owned(), format!("{value:?}"))).unwrap()
                    })
                    .collect(),
            }
        })
        .collect()
}

fn paths(commands: &[u32]) -> Vec<LineString<f64>> {
    let mut paths: Vec<LineString<f64>> = vec![];
    let (mut x, mut y) = (0i32, 0i32);
    let mut rest = commands.iter().copied();
    while let Some(command) = rest.next() {
        match (command & 7, command >> 3) {
            (7, 1) => paths.last_mut().unwrap().close(),
            (id @ (1 | 2), count) => {
                for _ in 0..count {
                    let mut step = || {
                        let value = rest.next().unwrap();
                        (value >> 1) as i32 ^ -((value & 1) as i32)
                    };
                    x += step();
                    y += step();
                    if id == 1 {
                        paths.push(LineString::new(vec![]));
                    }
                    paths.last_mut().unwrap().0.push(Coord { x: x.into(), y: y.into() });
                }
            }
            other => panic!("command {other:?}"),
        }
    }
    assert!(rest.next().is_none());
    paths
}

/// The polygons that the rings form by their direction, after checking each ring and the whole.
pub fn valid_polygons(feature: &Decoded, buffer: f64) -> MultiPolygon<f64> {
    assert_eq!(feature.kind, 3);
    let mut polygons: Vec<Polygon<f64>> = vec![];
    for ring in &feature.paths {
        assert!(ring.0.len() >= 4, "a ring of {} points", ring.0.len());
        assert!(ring.0.windows(2).all(|edge| edge[0] != edge[1]), "repeated point in {ring:?}");
        let inside = |value: f64| (-buffer..=4096.0 + buffer).contains(&value);
        assert!(ring.0.iter().all(|point| inside(point.x) && inside(point.y)), "beyond the buffer: {ring:?}");
        let area = Polygon::new(ring.clone(), vec![]).signed_area();
        assert_ne!(area, 0.0);
        if area > 0.0 {
            polygons.push(Polygon::new(ring.clone(), vec![]));
        } else {
            polygons.last_mut().unwrap_or_else(|| panic!("begins with a hole")).interiors_push(ring.clone());
        }
    }
    let polygons = MultiPolygon::new(polygons);
    if let Err(error) = polygons.check_validation() {
        panic!("{error}: {polygons:?}");
    }
    polygons
}
