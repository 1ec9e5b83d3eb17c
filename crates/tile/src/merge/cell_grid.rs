//! The grid of cells that a layer is divided into, and the cell that each feature belongs to.

use citymap_engine::{Bbox, ShapeKind, ShapeRef, mercator};

/// The cells of one zoom. Everything derived from a layer is derived cell by cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CellGrid {
    /// The cells are the tiles of this zoom, 1 to 18: the layer's detail zoom.
    zoom: u8,
}

/// One cell: column from the west, row from the north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) x: u32,
    pub(crate) y: u32,
}

/// A box in world units ([`mercator`]): north-west corner, then south-east corner, both included.
pub(crate) type WorldBox = [[u32; 2]; 2];

/// How a feature fits into the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellFit {
    /// The feature has no geometry.
    Empty,
    /// Polygons no wider than a cell: merged with the other features whose boxes are centred in the same
    /// cell.
    Inside(Cell, WorldBox),
    /// Polygons wider than a cell: drawn individually where others are merged as areas, and painted on the
    /// raster with them below.
    Wide(WorldBox),
    /// Not polygons, or in more than [`MAX_CELLS`] cells: drawn individually at every zoom.
    Single(WorldBox),
}

/// Maximum number of cells that a polygon on the raster may reach.
const MAX_CELLS: u64 = 4096;

/// Width of a cell in area units: half a tile of the zoom above.
pub(crate) const CELL_SIDE: i32 = 2048;

impl CellGrid {
    pub(crate) fn new(zoom: u8) -> Self {
        Self { zoom: zoom.clamp(1, 18) }
    }

    pub(crate) fn zoom(&self) -> u8 {
        self.zoom
    }

    /// Width of a cell as a power of two of world units.
    pub(crate) fn shift(&self) -> u32 {
        32 - u32::from(self.zoom)
    }

    /// Width of an area unit as a power of two of world units: the unit of tiles of the zoom above.
    fn unit_shift(&self) -> u32 {
        self.shift() - 11
    }

    pub(crate) fn cell(&self, world: [u32; 2]) -> Cell {
        Cell { x: world[0] >> self.shift(), y: world[1] >> self.shift() }
    }

    /// The north-west corner of a cell in world units.
    pub(crate) fn origin(&self, cell: Cell) -> [i64; 2] {
        [i64::from(cell.x) << self.shift(), i64::from(cell.y) << self.shift()]
    }

    /// The bounding box of a cell grown by `margin` world units, in degrees.
    pub(crate) fn bbox(&self, cell: Cell, margin: i64) -> Bbox {
        let [x, y] = self.origin(cell);
        let side = 1i64 << self.shift();
        degrees([[x - margin, y - margin], [x + side + margin, y + side + margin]])
    }

    /// Converts world units to area units from the cell's corner, rounded half up like tiles.
    #[inline]
    pub(crate) fn local(&self, cell: Cell, world: [u32; 2]) -> [i32; 2] {
        let shift = self.unit_shift();
        let unit = |world: u32, cell: u32| {
            let on_grid = (i64::from(world) + (1 << (shift - 1))) >> shift;
            (on_grid - i64::from(cell) * i64::from(CELL_SIDE)) as i32
        };
        [unit(world[0], cell.x), unit(world[1], cell.y)]
    }

    /// The cells that a box meets after it is grown by `margin` world units.
    pub(crate) fn cells(&self, [low, high]: WorldBox, margin: u32) -> impl Iterator<Item = Cell> + use<> {
        let first = self.cell(low.map(|value| value.saturating_sub(margin)));
        let last = self.cell(high.map(|value| value.saturating_add(margin)));
        (first.y..=last.y).flat_map(move |y| (first.x..=last.x).map(move |x| Cell { x, y }))
    }

    /// How a shape fits into the cells.
    pub(crate) fn fit(&self, shape: ShapeRef<'_>) -> CellFit {
        let Some(around) = world_box(shape.mercator_coords()) else { return CellFit::Empty };
        if !matches!(shape.kind(), ShapeKind::Polygon | ShapeKind::MultiPolygon) {
            return CellFit::Single(around);
        }
        let [low, high] = around;
        let side = 1u64 << self.shift();
        let width = |axis: usize| u64::from(high[axis] - low[axis]);
        if width(0) <= side && width(1) <= side {
            return CellFit::Inside(self.cell(middle(around)), around);
        }
        let cells = |axis: usize| u64::from((high[axis] >> self.shift()) - (low[axis] >> self.shift())) + 1;
        if cells(0) * cells(1) <= MAX_CELLS { CellFit::Wide(around) } else { CellFit::Single(around) }
    }
}

/// The centre of a box in world units.
pub(crate) fn middle([low, high]: WorldBox) -> [u32; 2] {
    [0, 1].map(|axis| low[axis] + (high[axis] - low[axis]) / 2)
}

/// The bounding box of coordinates; `None` if there are none.
pub(crate) fn world_box(coords: &[[u32; 2]]) -> Option<WorldBox> {
    let (&first, rest) = coords.split_first()?;
    Some(rest.iter().fold([first, first], |[low, high], &[x, y]| {
        [[low[0].min(x), low[1].min(y)], [high[0].max(x), high[1].max(y)]]
    }))
}

/// Converts a box from world units to degrees, enlarged a little for rounding. The box may reach beyond the
/// world.
pub(crate) fn degrees([low, high]: [[i64; 2]; 2]) -> Bbox {
    let corner = |[x, y]: [i64; 2], grow: f64| mercator::unproject([x as f64 + grow, y as f64 + grow]);
    let [west, north] = corner(low, -2.0);
    let [east, south] = corner(high, 2.0);
    Bbox::new(west, south, east, north)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_tile_the_world_and_units_are_those_of_tiles() {
        let cell_grid = CellGrid::new(15);
        let world = mercator::project([106.7, 10.77]);
        let cell = cell_grid.cell(world);
        let [x, y] = cell_grid.origin(cell);
        assert!(x <= world[0].into() && i64::from(world[1]) - y < 1 << cell_grid.shift());
        let tile = crate::TileId::at([106.7, 10.77], 14).unwrap();
        let [u, v] = crate::cut::grid::Grid::new(tile, 0).place(world);
        let local = cell_grid.local(cell, world);
        let offset = |cell: u32, tile: u32| i64::from(cell - 2 * tile) * i64::from(CELL_SIDE);
        assert_eq!(
            [i64::from(local[0]) + offset(cell.x, tile.x()), i64::from(local[1]) + offset(cell.y, tile.y())],
            [u, v]
        );
        let around = [[world[0] - 5, world[1]], [world[0] + 5, world[1] + 9]];
        assert_eq!(cell_grid.cells(around, 0).collect::<Vec<_>>(), [cell]);
        assert_eq!(cell_grid.cells(around, 1 << cell_grid.shift()).count(), 9);
    }
}
