//! What differs between a snapshot and its base, as one stamp for each cell.

use std::hash::{Hash, Hasher};

use citymap_engine::{LayerSnapshot, Row, ShapeRef};
use rustc_hash::{FxHashMap, FxHasher};

use super::cell_grid::{Cell, CellFit, CellGrid, WorldBox};

/// Which cells the features of a base reach, and which rows are not merged.
#[derive(Debug, Default)]
pub(crate) struct CellIndex {
    /// The cells that boxes of polygons meet, sorted; including those of hidden rows.
    cells: Vec<Cell>,
    /// Rows that are [`CellFit::Wide`], with their boxes.
    wide: Vec<(Row, WorldBox)>,
    /// Rows that are [`CellFit::Single`], with their boxes.
    single: Vec<(Row, WorldBox)>,
}

/// The cells of a snapshot that changes reach, and the rows that are drawn individually.
#[derive(Debug, Default)]
pub(crate) struct SquareStamps {
    /// For each cell that a change reaches a number that tells this state of it from every other one over the
    /// same base.
    stamps: FxHashMap<Cell, u64>,
    /// The cells that only changed features meet, sorted.
    cells: Vec<Cell>,
    /// The visible rows that are wide, and those that are drawn individually at every zoom.
    pub(crate) wide: Vec<(Row, WorldBox)>,
    pub(crate) single: Vec<(Row, WorldBox)>,
}

impl CellIndex {
    pub(crate) fn of_base(snapshot: &LayerSnapshot, cell_grid: CellGrid) -> Self {
        let mut cell_index = Self::default();
        for row in 0..snapshot.base().len() as Row {
            cell_index.add(snapshot.shape(row), row, cell_grid);
        }
        cell_index.finish();
        cell_index
    }

    fn add(&mut self, shape: ShapeRef<'_>, row: Row, cell_grid: CellGrid) {
        match cell_grid.fit(shape) {
            CellFit::Empty => {}
            CellFit::Single(around) => self.single.push((row, around)),
            fit @ (CellFit::Wide(around) | CellFit::Inside(_, around)) => {
                if matches!(fit, CellFit::Wide(_)) {
                    self.wide.push((row, around));
                }
                for cell in cell_grid.cells(around, 0) {
                    // Rows near each other often follow each other.
                    if self.cells.last() != Some(&cell) {
                        self.cells.push(cell);
                    }
                }
                if self.cells.len() > 1 << 20 {
                    self.finish();
                }
            }
        }
    }

    fn finish(&mut self) {
        self.cells.sort_unstable();
        self.cells.dedup();
    }

    /// Size in bytes of the lists.
    pub(crate) fn weight(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
            + (self.wide.capacity() + self.single.capacity()) * size_of::<(Row, WorldBox)>()
    }

    /// The cells of the base and of a snapshot over it that are in a rectangle of cells, in order.
    pub(crate) fn cells(&self, stamps: &SquareStamps, [low, high]: [[u32; 2]; 2]) -> Vec<Cell> {
        let mut found = Vec::new();
        for list in [&self.cells, &stamps.cells] {
            let from = list.partition_point(|cell| cell.x < low[0]);
            let columns = list[from..].iter().take_while(|cell| cell.x <= high[0]);
            found.extend(columns.filter(|cell| (low[1]..=high[1]).contains(&cell.y)).copied());
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Every cell of the base and of a snapshot over it.
    pub(crate) fn all_cells(&self, stamps: &SquareStamps) -> Vec<Cell> {
        self.cells(stamps, [[0; 2], [u32::MAX; 2]])
    }
}

impl SquareStamps {
    pub(crate) fn new(snapshot: &LayerSnapshot, cell_index: &CellIndex, cell_grid: CellGrid) -> Self {
        let mut stamps = Self::default();
        let mut added = CellIndex::default();
        if snapshot.hides_any() {
            for row in (0..snapshot.base().len() as Row).filter(|&row| snapshot.is_hidden(row)) {
                stamps.stamp(snapshot.shape(row), cell_grid, (false, snapshot.fid(row), 0));
            }
        }
        for (delta_row, &stamp) in snapshot.delta_stamps().iter().enumerate() {
            let row = snapshot.row_of_delta(delta_row as Row);
            added.add(snapshot.shape(row), row, cell_grid);
            stamps.stamp(snapshot.shape(row), cell_grid, (true, snapshot.fid(row), stamp));
        }
        added.finish();
        let shown = |list: &[(Row, WorldBox)]| {
            list.iter().filter(|(row, _)| !snapshot.is_hidden(*row)).copied().collect::<Vec<_>>()
        };
        stamps.wide = shown(&cell_index.wide);
        stamps.wide.append(&mut added.wide);
        stamps.single = shown(&cell_index.single);
        stamps.single.append(&mut added.single);
        stamps.cells = added.cells;
        stamps
    }

    /// Records a change in every cell whose areas may depend on it: features of a cell reach half a cell
    /// beyond it, and snap to the vertices of their neighbours.
    fn stamp(&mut self, shape: ShapeRef<'_>, cell_grid: CellGrid, change: (bool, i64, u64)) {
        let (CellFit::Inside(_, around) | CellFit::Wide(around)) = cell_grid.fit(shape) else { return };
        let mut hasher = FxHasher::default();
        change.hash(&mut hasher);
        let hash = hasher.finish() | 1;
        for cell in cell_grid.cells(around, reach(cell_grid)) {
            let stamp = self.stamps.entry(cell).or_default();
            *stamp = stamp.wrapping_add(hash);
        }
    }

    /// The stamp that valid results of a cell have.
    pub(crate) fn stamp_of(&self, cell: Cell) -> u64 {
        self.stamps.get(&cell).copied().unwrap_or(0)
    }

    /// Size in bytes of the stamps and lists.
    pub(crate) fn weight(&self) -> usize {
        self.stamps.capacity() * size_of::<(Cell, u64)>()
            + self.cells.capacity() * size_of::<Cell>()
            + (self.wide.capacity() + self.single.capacity()) * size_of::<(Row, WorldBox)>()
    }
}

/// How far (in world units) beyond its box a feature may change the areas of cells: half a cell and two area
/// units.
pub(crate) fn reach(cell_grid: CellGrid) -> u32 {
    (1 << (cell_grid.shift() - 1)) + (1 << (cell_grid.shift() - 10))
}
