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
    area::{CellAreas, Source},
    cell_grid::{Cell, degrees},
    raster::CellRaster,
    square_stamps::{Census, View},
};
pub(crate) use self::{
    cell_grid::Lattice,
    labels::Labels,
    tile::Drawing,
    write::{COUNT_KEY, MERGED_ID},
};

/// What was derived from one base of one layer.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) lattice: Lattice,
    pub(crate) class: Option<usize>,
    tolerance: f64,
    time: Option<TimeInterval>,
    census: Census,
    /// Of the last snapshots, by the ids of their deltas.
    views: Mutex<Vec<(u64, Arc<View>)>>,
    areas: Kept<CellAreas>,
    rasters: Kept<CellRaster>,
}

/// How many snapshots' views are kept: the newest, and those that requests may still hold.
const VIEWS: usize = 4;

/// Results by square, each with the stamp of what it follows from.
#[derive(Debug)]
struct Kept<T> {
    shards: [RwLock<Shard<T>>; 16],
}

type Shard<T> = FxHashMap<Cell, (u64, Arc<T>)>;

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()) }
    }
}

impl<T: Send + Sync> Kept<T> {
    fn shard(&self, cell: Cell) -> &RwLock<Shard<T>> {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(cell);
        &self.shards[(hash >> 40) as usize % self.shards.len()]
    }

    fn get(&self, cell: Cell, stamp: u64) -> Option<Arc<T>> {
        let shard = self.shard(cell).read().unwrap_or_else(PoisonError::into_inner);
        shard.get(&cell).filter(|(own, _)| *own == stamp).map(|(_, value)| Arc::clone(value))
    }

    /// The results for squares, made where they are missing; by all threads where many are.
    fn all(&self, cells: &[Cell], view: &View, make: impl Fn(Cell) -> T + Sync) -> Vec<(Cell, Arc<T>)> {
        let mut found: Vec<(Cell, Option<Arc<T>>)> =
            cells.iter().map(|&cell| (cell, self.get(cell, view.stamp_of(cell)))).collect();
        let missing: Vec<Cell> =
            found.iter().filter(|(_, value)| value.is_none()).map(|(cell, _)| *cell).collect();
        let work = |&cell: &Cell| {
            let value = Arc::new(make(cell));
            let entry = (view.stamp_of(cell), Arc::clone(&value));
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

impl Merged {
    /// Nothing derived yet, but that all of the base was looked at once.
    pub(crate) fn new(snapshot: &LayerSnapshot, rule: &TileRule, time: Option<TimeInterval>) -> Self {
        let lattice = Lattice::new(rule.detail_zoom);
        let class = rule.class.as_deref().and_then(|name| snapshot.layer().field_index(name));
        Self {
            lattice,
            class,
            // Pixels of 1/512 to units of 1/4096.
            tolerance: rule.simplify * 8.0,
            time,
            census: Census::of_base(snapshot, lattice),
            views: Mutex::default(),
            areas: Kept::default(),
            rasters: Kept::default(),
        }
    }

    fn views(&self) -> MutexGuard<'_, Vec<(u64, Arc<View>)>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self, snapshot: &LayerSnapshot) -> Arc<View> {
        let id = snapshot.delta().id();
        if let Some((_, view)) = self.views().iter().find(|(own, _)| *own == id) {
            return Arc::clone(view);
        }
        let view = Arc::new(View::new(snapshot, &self.census, self.lattice));
        let mut views = self.views();
        if views.len() >= VIEWS {
            views.remove(0);
        }
        views.push((id, Arc::clone(&view)));
        view
    }

    fn source<'a>(&self, snapshot: &'a LayerSnapshot) -> Source<'a> {
        Source {
            snapshot,
            during: snapshot.during(self.time),
            lattice: self.lattice,
            class: self.class,
            tolerance: self.tolerance,
        }
    }

    fn areas(&self, snapshot: &LayerSnapshot, view: &View, cells: &[Cell]) -> Vec<(Cell, Arc<CellAreas>)> {
        let source = self.source(snapshot);
        self.areas.all(cells, view, |cell| source.areas(cell))
    }

    fn rasters(&self, snapshot: &LayerSnapshot, view: &View, cells: &[Cell]) -> Vec<(Cell, Arc<CellRaster>)> {
        let source = self.source(snapshot);
        self.rasters.all(cells, view, |cell| source.raster(cell))
    }

    /// Derives what all tiles need.
    pub(crate) fn prepare(&self, snapshot: &LayerSnapshot) {
        let view = self.view(snapshot);
        let cells = self.census.all_cells(&view);
        let source = self.source(snapshot);
        // A batch at a time, so that what was made is not gathered a second time.
        for cells in cells.chunks(256) {
            self.areas.all(cells, &view, |cell| source.areas(cell));
            self.rasters.all(cells, &view, |cell| source.raster(cell));
        }
    }

    /// Bytes held.
    pub(crate) fn weight(&self) -> usize {
        self.census.weight()
            + self.views().iter().map(|(_, view)| view.weight()).sum::<usize>()
            + self.areas.weight(CellAreas::weight)
            + self.rasters.weight(CellRaster::weight)
    }
}

/// How far tiles of a zoom below the layer's detail zoom may change with the features of a box.
pub(crate) fn reach(lattice: Lattice, bbox: &Bbox, zoom: u8) -> Bbox {
    let [low, high] =
        [mercator::project([bbox.min[0], bbox.max[1]]), mercator::project([bbox.max[0], bbox.min[1]])];
    if zoom + 1 == lattice.zoom() {
        // All squares that may be done again, and what of them may reach beyond them.
        let margin = square_stamps::reach(lattice);
        let shift = lattice.shift();
        let first = low.map(|value| i64::from(value.saturating_sub(margin) >> shift) << shift);
        let end = high.map(|value| (i64::from(value.saturating_add(margin) >> shift) + 1) << shift);
        let margin = i64::from(margin);
        return degrees([first.map(|value| value - margin), end.map(|value| value + margin)]);
    }
    // Whole pixels, as wide as they get, and those that look at them.
    let margin = 6i64 << (32 - 8 - u32::from(zoom.min(18)) + u32::from(tile::MOST_STEPS));
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
