//! The cache of what is derived from one base of a layer: areas and rasters by cell.

use std::{
    hash::{BuildHasher, BuildHasherDefault},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use citymap_engine::{Cancel, LayerSnapshot, TimeInterval};
use citymap_model::TileRule;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHasher};

use super::{
    area::{CellAreas, MergeSource},
    cell_grid::{Cell, CellGrid},
    raster::CellRaster,
    square_stamps::{CellIndex, SquareStamps},
};

/// Everything that was derived from one base of a layer.
#[derive(Debug)]
pub(crate) struct DerivedLayer {
    pub(crate) cell_grid: CellGrid,
    pub(crate) class: Option<usize>,
    tolerance: f64,
    pub(super) time: Option<TimeInterval>,
    pub(super) cell_index: CellIndex,
    /// Stamps of the last snapshots, by the id of their delta.
    stamp_sets: Mutex<Vec<(u64, Arc<SquareStamps>)>>,
    areas: CellCache<CellAreas>,
    rasters: CellCache<CellRaster>,
}

/// Number of snapshots whose stamps are kept: the newest, and those that requests may still hold.
const STAMP_SETS: usize = 4;

/// Results by cell, each with the stamp of the features that it was derived from.
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
        shard.get(&cell).filter(|(cached, _)| *cached == stamp).map(|(_, value)| Arc::clone(value))
    }

    /// The results for the cells. Missing ones are computed, in parallel if they are many; `make` returns
    /// `None` for what is not wanted any more, which is then left out.
    fn all(
        &self,
        cells: &[Cell],
        stamps: &SquareStamps,
        make: impl Fn(Cell) -> Option<T> + Sync,
    ) -> Vec<(Cell, Arc<T>)> {
        let mut found: Vec<(Cell, Option<Arc<T>>)> =
            cells.iter().map(|&cell| (cell, self.get(cell, stamps.stamp_of(cell)))).collect();
        let missing: Vec<Cell> =
            found.iter().filter(|(_, value)| value.is_none()).map(|(cell, _)| *cell).collect();
        let work = |&cell: &Cell| {
            let value = Arc::new(make(cell)?);
            let entry = (stamps.stamp_of(cell), Arc::clone(&value));
            self.shard(cell).write().unwrap_or_else(PoisonError::into_inner).insert(cell, entry);
            Some(value)
        };
        let made: Vec<Option<Arc<T>>> = if missing.len() > 2 {
            missing.par_iter().map(work).collect()
        } else {
            missing.iter().map(work).collect()
        };
        let mut made = made.into_iter();
        found
            .iter_mut()
            .filter_map(|(cell, value)| {
                value.take().or_else(|| made.next().flatten()).map(|value| (*cell, value))
            })
            .collect()
    }

    fn weight(&self, of: impl Fn(&T) -> usize) -> usize {
        let shards = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner));
        shards.map(|shard| shard.values().map(|(_, value)| of(value) + 40).sum::<usize>()).sum()
    }
}

impl DerivedLayer {
    /// A cache without results. Reads the bounding box of every base row once.
    pub(crate) fn new(snapshot: &LayerSnapshot, rule: &TileRule, time: Option<TimeInterval>) -> Self {
        let cell_grid = CellGrid::new(rule.detail_zoom);
        let class = rule.class.as_deref().and_then(|name| snapshot.layer().field_index(name));
        Self {
            cell_grid,
            class,
            // The rule counts pixels of 1/512, tiles units of 1/4096.
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

    pub(super) fn stamps(&self, snapshot: &LayerSnapshot) -> Arc<SquareStamps> {
        let id = snapshot.delta().id();
        if let Some((_, stamps)) = self.stamp_sets().iter().find(|(delta_id, _)| *delta_id == id) {
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

    pub(super) fn areas(
        &self,
        snapshot: &LayerSnapshot,
        stamps: &SquareStamps,
        cells: &[Cell],
        cancel: &Cancel,
    ) -> Vec<(Cell, Arc<CellAreas>)> {
        let source = self.source(snapshot);
        self.areas.all(cells, stamps, |cell| (!cancel.is_cancelled()).then(|| source.areas(cell)))
    }

    pub(super) fn rasters(
        &self,
        snapshot: &LayerSnapshot,
        stamps: &SquareStamps,
        cells: &[Cell],
        cancel: &Cancel,
    ) -> Vec<(Cell, Arc<CellRaster>)> {
        let source = self.source(snapshot);
        self.rasters.all(cells, stamps, |cell| (!cancel.is_cancelled()).then(|| source.raster(cell)))
    }

    /// Derives everything that tiles of the layer need.
    pub(crate) fn prepare(&self, snapshot: &LayerSnapshot) {
        let stamps = self.stamps(snapshot);
        let cells = self.cell_index.all_cells(&stamps);
        let source = self.source(snapshot);
        // In batches, so that results are not collected a second time.
        for cells in cells.chunks(256) {
            self.areas.all(cells, &stamps, |cell| Some(source.areas(cell)));
            self.rasters.all(cells, &stamps, |cell| Some(source.raster(cell)));
        }
    }

    /// Size in bytes of everything that is cached.
    pub(crate) fn weight(&self) -> usize {
        self.cell_index.weight()
            + self.stamp_sets().iter().map(|(_, stamps)| stamps.weight()).sum::<usize>()
            + self.areas.weight(CellAreas::weight)
            + self.rasters.weight(CellRaster::weight)
    }
}
