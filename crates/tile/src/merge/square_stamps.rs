//! What a snapshot has over its base, square by square.

use std::hash::{Hash, Hasher};

use citymap_engine::{LayerSnapshot, Row, Shape};
use rustc_hash::{FxHashMap, FxHasher};

use super::cell_grid::{Cell, Home, Lattice, WorldBox};

/// Which squares a base reaches, and which of its rows are merged nowhere.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// The squares that boxes of polygons meet, sorted; those of hidden rows too.
    cells: Vec<Cell>,
    /// See [`Home::Wide`].
    wide: Vec<(Row, WorldBox)>,
    /// See [`Home::Single`].
    single: Vec<(Row, WorldBox)>,
}

/// A snapshot as its base's census and what differs from it.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// For each square that changes reach what tells this state of it from every other one over the same base.
    stamps: FxHashMap<Cell, u64>,
    /// The squares that only changed features meet, sorted.
    cells: Vec<Cell>,
    /// The wide rows, and those that stand alone.
    pub(crate) wide: Vec<(Row, WorldBox)>,
    pub(crate) single: Vec<(Row, WorldBox)>,
}

impl Census {
    pub(crate) fn of_base(snapshot: &LayerSnapshot, lattice: Lattice) -> Self {
        let mut census = Self::default();
        for row in 0..snapshot.base().len() as Row {
            census.add(snapshot.shape(row), row, lattice);
        }
        census.finish();
        census
    }

    fn add(&mut self, shape: Shape<'_>, row: Row, lattice: Lattice) {
        match lattice.home(shape) {
            Home::Nowhere => {}
            Home::Single(around) => self.single.push((row, around)),
            home @ (Home::Wide(around) | Home::In(_, around)) => {
                if matches!(home, Home::Wide(_)) {
                    self.wide.push((row, around));
                }
                for cell in lattice.cells(around, 0) {
                    // Rows near each other often come one after the other.
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

    /// Bytes held.
    pub(crate) fn weight(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
            + (self.wide.capacity() + self.single.capacity()) * size_of::<(Row, WorldBox)>()
    }

    /// The squares of the base and of a view over it that lie in a rectangle, in order.
    pub(crate) fn cells(&self, view: &View, [low, high]: [[u32; 2]; 2]) -> Vec<Cell> {
        let mut found = Vec::new();
        for list in [&self.cells, &view.cells] {
            let from = list.partition_point(|cell| cell.x < low[0]);
            let columns = list[from..].iter().take_while(|cell| cell.x <= high[0]);
            found.extend(columns.filter(|cell| (low[1]..=high[1]).contains(&cell.y)).copied());
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// All squares.
    pub(crate) fn all_cells(&self, view: &View) -> Vec<Cell> {
        self.cells(view, [[0; 2], [u32::MAX; 2]])
    }
}

impl View {
    pub(crate) fn new(snapshot: &LayerSnapshot, census: &Census, lattice: Lattice) -> Self {
        let mut view = Self::default();
        let mut added = Census::default();
        if snapshot.hides_any() {
            for row in (0..snapshot.base().len() as Row).filter(|&row| snapshot.is_hidden(row)) {
                view.stamp(snapshot.shape(row), lattice, (false, snapshot.fid(row), 0));
            }
        }
        for (own, &stamp) in snapshot.delta_stamps().iter().enumerate() {
            let row = snapshot.row_of_delta(own as Row);
            added.add(snapshot.shape(row), row, lattice);
            view.stamp(snapshot.shape(row), lattice, (true, snapshot.fid(row), stamp));
        }
        added.finish();
        let shown = |list: &[(Row, WorldBox)]| {
            list.iter().filter(|(row, _)| !snapshot.is_hidden(*row)).copied().collect::<Vec<_>>()
        };
        view.wide = shown(&census.wide);
        view.wide.append(&mut added.wide);
        view.single = shown(&census.single);
        view.single.append(&mut added.single);
        view.cells = added.cells;
        view
    }

    /// Notes a change in all squares whose areas may follow from it: features of a square reach half a square beyond it,
    /// and stop where those next to them have vertices.
    fn stamp(&mut self, shape: Shape<'_>, lattice: Lattice, change: (bool, i64, u64)) {
        let (Home::In(_, around) | Home::Wide(around)) = lattice.home(shape) else { return };
        let mut hasher = FxHasher::default();
        change.hash(&mut hasher);
        let hash = hasher.finish() | 1;
        for cell in lattice.cells(around, reach(lattice)) {
            let stamp = self.stamps.entry(cell).or_default();
            *stamp = stamp.wrapping_add(hash);
        }
    }

    /// What a square's results must be stamped with.
    pub(crate) fn stamp_of(&self, cell: Cell) -> u64 {
        self.stamps.get(&cell).copied().unwrap_or(0)
    }

    /// Bytes held.
    pub(crate) fn weight(&self) -> usize {
        self.stamps.capacity() * size_of::<(Cell, u64)>()
            + self.cells.capacity() * size_of::<Cell>()
            + (self.wide.capacity() + self.single.capacity()) * size_of::<(Row, WorldBox)>()
    }
}

/// How far (world units) beyond its box a feature may change the areas of squares: half a square, and two area units.
pub(crate) fn reach(lattice: Lattice) -> u32 {
    (1 << (lattice.shift() - 1)) + (1 << (lattice.shift() - 10))
}
