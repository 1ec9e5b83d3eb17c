//! Polygons from lines: the faces of the plane that lines enclose.
//!
//! Cadastral drawings hold boundaries as lines, each drawn once, and often on another level where it is
//! also the edge of a road or of water. [`polygonize`] joins them: ends that nearly meet are snapped, lines
//! are cut where they cross or touch, and each face that they enclose becomes a polygon with its holes.
//! What encloses nothing is reported with its place, because it is usually a parcel that is not closed.
//!
//! # Examples
//! ```
//! use citymap_geometry::polygonize;
//! use geo_types::line_string;
//!
//! // A square, and a line through it that ends 2 mm before its other side.
//! let square = line_string![(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 9.), (x: 0., y: 0.)];
//! let fence = line_string![(x: 3., y: 0.), (x: 3., y: 8.998)];
//! let built = polygonize(&[square, fence], 0.01);
//! assert_eq!((built.polygons.len(), built.dangling.len()), (2, 0));
//! ```

mod faces;
mod network;

use std::collections::HashMap;

use geo_types::{Coord, LineString, Polygon};

use self::network::Network;

/// What lines enclose, and what they leave open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygonized {
    /// The faces, each valid by the rules of OGC Simple Features, without the faces in their holes. Their
    /// interiors have no point in common.
    pub polygons: Vec<Polygon>,
    /// Lines with an end at which nothing continues.
    pub dangling: Vec<OpenLine>,
    /// Lines whose two sides are the same face, such as a line between a boundary and an island.
    pub bridges: Vec<OpenLine>,
}

/// A line that is part of no polygon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenLine {
    /// Its loose end; for a bridge its beginning.
    pub at: Coord,
    /// Its length, in the unit of the coordinates.
    pub length: f64,
    /// How far the loose end is from the nearest other line. `None` for bridges, and if there is no other
    /// line.
    pub gap: Option<f64>,
}

/// The polygons that `lines` enclose. Ends and vertices that are at most `tolerance` from each other, or from
/// a line, become one; 0 joins only what is equal.
///
/// # Performance
/// O(n log n) for n segments that cross few others.
pub fn polygonize(lines: &[LineString], tolerance: f64) -> Polygonized {
    let mut network = Network::new(lines, tolerance.max(0.0));
    let dangling = network.remove_dangling();
    let bridges = network.remove_bridges();
    let polygons = faces::polygons(&network);
    Polygonized { polygons, dangling, bridges }
}

/// Numbers of the places that are in each cell of a square grid.
#[derive(Debug)]
struct CellMap {
    size: f64,
    cells: HashMap<[i64; 2], Vec<u32>>,
}

impl CellMap {
    fn new(size: f64) -> Self {
        Self { size, cells: HashMap::new() }
    }

    fn cell(&self, at: Coord) -> [i64; 2] {
        [(at.x / self.size).floor() as i64, (at.y / self.size).floor() as i64]
    }

    fn add(&mut self, at: Coord, number: u32) {
        self.cells.entry(self.cell(at)).or_default().push(number);
    }

    /// The numbers in the cell of a place and in the eight around it.
    fn near(&self, at: Coord) -> impl Iterator<Item = u32> + '_ {
        let [column, row] = self.cell(at);
        (-1..=1)
            .flat_map(move |dx| (-1..=1).map(move |dy| [column + dx, row + dy]))
            .filter_map(|cell| self.cells.get(&cell))
            .flatten()
            .copied()
    }
}
