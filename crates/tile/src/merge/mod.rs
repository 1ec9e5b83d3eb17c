//! Merging polygons by class: into areas just below a layer's detail zoom, into a raster further below.
//!
//! A layer is divided into the squares of its detail zoom ([`cell_grid`]). Once for each square, polygons are merged where
//! they share borders with others of their class ([`area`]), and painted on a raster ([`raster`]). A tile of the zoom
//! above shows the areas of its four squares; one further above is put together from the rasters of its squares
//! ([`mosaic`]) and drawn as polygons again ([`contour`]). What a square gives follows from the features around it
//! alone, so edits make only their squares be done again.

mod arcs;
mod area;
mod area_cutter;
mod cell_grid;
mod contour;
mod labels;
mod mosaic;
mod raster;
mod snap;
mod square_stamps;
mod tile;
mod write;

use std::{
    hash::{BuildHasher, BuildHasherDefault},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use citymap_engine::{Bbox, LayerSnapshot, TimeInterval, mercator};
use citymap_model::TileRule;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHasher};

use self::{
    area::{CellAreas, MergeSource},
    cell_grid::{Cell, degrees},
    raster::CellRaster,
    square_stamps::{CellIndex, SquareStamps},
};
pub(crate) use self::{
    cell_grid::CellGrid,
    labels::Labels,
    tile::Drawing,
    write::{COUNT_KEY, MERGED_ID},
};

/// What was derived from one base of one layer.
#[derive(Debug)]
pub(crate) struct DerivedLayer {
    pub(crate) cell_grid: CellGrid,
    pub(crate) class: Option<usize>,
    tolerance: f64,
    time: Option<TimeInterval>,
    cell_index: CellIndex,
    /// Of the last snapshots, by the ids of their deltas.
    stamp_sets: Mutex<Vec<(u64, Arc<SquareStamps>)>>,
    areas: CellCache<CellAreas>,
    rasters: CellCache<CellRaster>,
}

/// How many snapshots' stamp_sets are kept: the newest, and those that requests may still hold.
const STAMP_SETS: usize = 4;

/// Results by square, each with the stamp of what it follows from.
#[derive(Debug)]
struct CellCache<T> {
    shards: [RwLock<Shard<T>>; 16],
}

type Shard<T> = FxHashMap<Cell, (u64, Arc<T>)>;

impl<T> Default for CellCache<T> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()) }
    }
}

impl<T: Send + Sync> CellCache<T> {
    fn shard(&self, cell: Cell) -> &RwLock<Shard<T>> {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(cell);
        &self.shards[(hash >> 40) as usize % self.shards.len()]
    }

    fn get(&self, cell: Cell, stamp: u64) -> Option<Arc<T>> {
        let shard = self.shard(cell).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&cell).filter(|(own, _)| *own == stamp).map(|(_, value)| Arc::clone(value))
    }

    /// The results for squares, made where they are missing; by all threads where many are.
    fn all(
        &self,
        cells: &[Cell],
        stamps: &SquareStamps,
        make: impl Fn(Cell) -> T + Sync,
    ) -> Vec<(Cell, Arc<T>)> {
        let mut found: Vec<(Cell, Option<Arc<T>>)> =
            cells.iter().map(|&cell| (cell, self.get(cell, stamps.stamp_of(cell)))).collect();
        let missing: Vec<Cell> =
            found.iter().filter(|(_, value)| value.is_none()).map(|(cell, _)| *cell).collect();
        let work = |&cell: &Cell| {
            let value = Arc::new(make(cell));
            let entry = (stamps.stamp_of(cell), Arc::clone(&value));
            self.shard(cell).write().unwrap_or_else(PoisonError::into_inner).insert(cell, entry);
            value
        };
        let made: Vec<Arc<T>> = if missing.len() > 2 {
            missing.par_iter().map(work).collect()
        } else {
            missing.iter().map(work).collect()
        };
        let mut made = made.into_iter();
        found
            .iter_mut()
            .filter_map(|(cell, value)| value.take().or_else(|| made.next()).map(|value| (*cell, value)))
            .collect()
    }

    fn weight(&self, of: impl Fn(&T) -> usize) -> usize {
        let shards = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner));
        shards.map(|shard| shard.values().map(|(_, value)| of(value) + 40).sum::<usize>()).sum()
    }
}

impl DerivedLayer {
    /// Nothing derived yet, but that all of the base was looked at once.
    pub(crate) fn new(snapshot: &LayerSnapshot, rule: &TileRule, time: Option<TimeInterval>) -> Self {
        let cell_grid = CellGrid::new(rule.detail_zoom);
        let class = rule.class.as_deref().and_then(|name| snapshot.layer().field_index(name));
        Self {
            cell_grid,
            class,
            // Pixels of 1/512 to units of 1/4096.
            tolerance: rule.simplify * 8.0,
            time,
            cell_index: CellIndex::of_base(snapshot, cell_grid),
            stamp_sets: Mutex::default(),
            areas: CellCache::default(),
            rasters: CellCache::default(),
        }
    }

    fn stamp_sets(&self) -> MutexGuard<'_, Vec<(u64, Arc<SquareStamps>)>> {
        self.stamp_sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamps(&self, snapshot: &LayerSnapshot) -> Arc<SquareStamps> {
        let id = snapshot.delta().id();
        if let Some((_, stamps)) = self.stamp_sets().iter().find(|(own, _)| *own == id) {
            return Arc::clone(stamps);
        }
        let stamps = Arc::new(SquareStamps::new(snapshot, &self.cell_index, self.cell_grid));
        let mut stamp_sets = self.stamp_sets();
        if stamp_sets.len() >= STAMP_SETS {
            stamp_sets.remove(0);
        }
        stamp_sets.push((id, Arc::clone(&stamps)));
        stamps
    }

    fn source<'a>(&self, snapshot: &'a LayerSnapshot) -> MergeSource<'a> {
        MergeSource {
            snapshot,
            during: snapshot.during(self.time),
            cell_grid: self.cell_grid,
            class: self.class,
            tolerance: self.tolerance,
        }
    }

    fn areas(
        &self,
        snapshot: &LayerSnapshot,
        stamps: &SquareStamps,
        cells: &[Cell],
    ) -> Vec<(Cell, Arc<CellAreas>)> {
        let source = self.source(snapshot);
        self.areas.all(cells, stamps, |cell| source.areas(cell))
    }

    fn rasters(
        &self,
        snapshot: &LayerSnapshot,
        stamps: &SquareStamps,
        cells: &[Cell],
    ) -> Vec<(Cell, Arc<CellRaster>)> {
        let source = self.source(snapshot);
        self.rasters.all(cells, stamps, |cell| source.raster(cell))
    }

    /// Derives what all tiles need.
    pub(crate) fn prepare(&self, snapshot: &LayerSnapshot) {
        let stamps = self.stamps(snapshot);
        let cells = self.cell_index.all_cells(&stamps);
        let source = self.source(snapshot);
        // A batch at a time, so that what was made is not gathered a second time.
        for cells in cells.chunks(256) {
            self.areas.all(cells, &stamps, |cell| source.areas(cell));
            self.rasters.all(cells, &stamps, |cell| source.raster(cell));
        }
    }

    /// Bytes held.
    pub(crate) fn weight(&self) -> usize {
        self.cell_index.weight()
            + self.stamp_sets().iter().map(|(_, stamps)| stamps.weight()).sum::<usize>()
            + self.areas.weight(CellAreas::weight)
            + self.rasters.weight(CellRaster::weight)
    }
}

/// How far tiles of a zoom below the layer's detail zoom may change with the features of a box.
pub(crate) fn reach(cell_grid: CellGrid, bbox: &Bbox, zoom: u8) -> Bbox {
    let [low, high] =
        [mercator::project([bbox.min[0], bbox.max[1]]), mercator::project([bbox.max[0], bbox.min[1]])];
    if zoom + 1 == cell_grid.zoom() {
        // All squares that may be done again, and what of them may reach beyond them.
        let margin = square_stamps::reach(cell_grid);
        let shift = cell_grid.shift();
        let first = low.map(|value| i64::from(value.saturating_sub(margin) >> shift) << shift);
        let end = high.map(|value| (i64::from(value.saturating_add(margin) >> shift) + 1) << shift);
        let margin = i64::from(margin);
        return degrees([first.map(|value| value - margin), end.map(|value| value + margin)]);
    }
    // Whole pixels, as wide as they get, and those that look at them.
    let margin = 6i64 << (32 - 8 - u32::from(zoom.min(18)) + u32::from(tile::MAX_STEPS));
    degrees([low.map(|value| i64::from(value) - margin), high.map(|value| i64::from(value) + margin)])
}

/// A box grown to whole squares of a grid of 2 to the power of `bits` units to the world, squares of `side` units.
pub(crate) fn grown_to(bbox: &Bbox, bits: u32, side: i64) -> Bbox {
    let [low, high] =
        [mercator::project([bbox.min[0], bbox.max[1]]), mercator::project([bbox.max[0], bbox.min[1]])];
    // Rules end at zoom 18: a unit is 4 world units or more. One more on each side for rounding.
    let unit = 1i64 << (32 - bits);
    let whole = side * unit;
    degrees([
        low.map(|value| (i64::from(value) - unit).div_euclid(whole) * whole - unit),
        high.map(|value| ((i64::from(value) + unit).div_euclid(whole) + 1) * whole + unit),
    ])
}
