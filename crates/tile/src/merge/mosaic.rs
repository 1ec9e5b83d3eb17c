//! Puts the rasters of cells together to the pixels of one tile.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    cell_grid::{Cell, CellGrid},
    labels::Label,
    raster::{CellRaster, EMPTY, FINEST, LEVELS},
};
use crate::{TileId, cut::grid::SIDE};

/// Number of pixels beyond the buffer: what a pixel at the edge shows depends on the pixels around it.
const MARGIN: usize = 4;

/// Cover (of 255) from which a pixel is drawn. A pixel with less is drawn if nothing next to it is.
const DRAWN_COVER: u32 = 128;

/// How a tile is divided into pixels, and which cells they belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    tile: TileId,
    /// Width of a pixel in tile units.
    pub(crate) unit: i32,
    /// Number of pixels across the tile.
    pub(crate) inner: usize,
    /// Number of additional pixels on each side.
    pub(crate) margin: usize,
    /// A cell is 2 to the power of this many pixels wide; negative if pixels are wider than cells.
    per_cell: i32,
}

impl Frame {
    /// The pixels of a tile: 256 to its side, halved `step` times.
    pub(crate) fn new(tile: TileId, cell_grid: CellGrid, buffer: u16, step: u8) -> Self {
        let unit = 16i32 << step;
        let margin = usize::from(buffer).div_ceil(unit as usize) + MARGIN;
        let per_cell = 8 - i32::from(step) - (i32::from(cell_grid.zoom()) - i32::from(tile.z()));
        Self { tile, unit, inner: (SIDE / i64::from(unit)) as usize, margin, per_cell }
    }

    /// Number of pixels across the frame, including those around the tile.
    pub(crate) fn side(&self) -> usize {
        self.inner + 2 * self.margin
    }

    /// The first column and row on the zoom's grid of pixels.
    fn start(&self) -> [i64; 2] {
        [self.tile.x(), self.tile.y()].map(|at| i64::from(at) * self.inner as i64 - self.margin as i64)
    }

    fn cell_of(&self, pixel: i64) -> i64 {
        if self.per_cell >= 0 { pixel >> self.per_cell } else { pixel << -self.per_cell }
    }

    /// The first and the last column and row of the cells that the frame meets.
    pub(crate) fn cells(&self, cell_grid: CellGrid) -> [[u32; 2]; 2] {
        let last = (1i64 << cell_grid.zoom()) - 1;
        let clamp = |cell: i64| cell.clamp(0, last) as u32;
        let start = self.start();
        let end = start.map(|pixel| pixel + self.side() as i64);
        let high = if self.per_cell >= 0 {
            end.map(|pixel| clamp(self.cell_of(pixel - 1)))
        } else {
            end.map(|pixel| clamp(self.cell_of(pixel) - 1))
        };
        [start.map(|pixel| clamp(self.cell_of(pixel))), high]
    }
}

/// What the pixels of a frame show.
#[derive(Default)]
pub(crate) struct Mosaic {
    /// The distinct classes, in the order of their first occurrence.
    pub(crate) labels: Vec<Label>,
    /// For each pixel the number of its class plus one, or 0 if nothing is drawn.
    pub(crate) classes: Vec<u16>,
    /// How much of each pixel is covered: up to 255 for each cell in it, or for its part of one cell.
    covers: Vec<u32>,
    /// The cover of the cell that gave a pixel its class.
    best: Vec<u8>,
    /// Number of features that each drawn pixel stands for.
    pub(crate) counts: Vec<u32>,
    drawn: Vec<bool>,
}

impl Mosaic {
    /// Puts the cells together, then decides which pixels are drawn.
    pub(crate) fn assemble(&mut self, frame: &Frame, cells: &[(Cell, Arc<CellRaster>)]) {
        let pixels = frame.side() * frame.side();
        self.labels.clear();
        refill(&mut self.covers, pixels);
        refill(&mut self.counts, pixels);
        refill(&mut self.classes, pixels);
        refill(&mut self.best, pixels);
        let mut numbers: FxHashMap<&Label, u16> = FxHashMap::default();
        let mut map: Vec<u16> = Vec::new();
        for (cell, raster) in cells {
            map.clear();
            for label in &raster.labels {
                let next = numbers.len() as u16 + 1;
                map.push(*numbers.entry(label).or_insert_with(|| {
                    self.labels.push(label.clone());
                    next
                }));
            }
            self.lay(frame, *cell, raster, &map);
        }
        // Number of cells that share a pixel.
        let shared = 1u32 << (-2 * frame.per_cell).clamp(0, 24);
        self.settle(frame.side(), DRAWN_COVER.saturating_mul(shared));
    }

    fn lay(&mut self, frame: &Frame, cell: Cell, raster: &CellRaster, map: &[u16]) {
        let side = frame.side() as i64;
        let shift = frame.per_cell;
        let level = (6 - shift).clamp(0, LEVELS as i32 - 1) as usize;
        let place = |at: u32, start: i64| {
            (if shift >= 0 { i64::from(at) << shift } else { i64::from(at) >> -shift }) - start
        };
        let [left, top] = frame.start();
        let (left, top) = (place(cell.x, left), place(cell.y, top));
        for y in 0..FINEST >> level {
            let row = top + y as i64;
            if !(0..side).contains(&row) {
                continue;
            }
            for (x, pixel) in raster.row(level, y).enumerate() {
                let column = left + x as i64;
                if !(0..side).contains(&column) {
                    continue;
                }
                let at = (row * side + column) as usize;
                if pixel.class != EMPTY && pixel.cover > self.best[at] {
                    self.best[at] = pixel.cover;
                    self.classes[at] = map[usize::from(pixel.class)];
                }
                self.covers[at] += u32::from(pixel.cover);
                self.counts[at] += pixel.count;
            }
        }
    }

    /// Decides which pixels are drawn: those with enough cover; of the others, gaps enclosed on three sides,
    /// and those that would otherwise leave nothing where there is something. The counts of pixels that are
    /// not drawn go to the drawn neighbour with the most cover.
    fn settle(&mut self, side: usize, min_cover: u32) {
        self.drawn.clear();
        self.drawn.extend(self.covers.iter().map(|&cover| cover >= min_cover));
        let around = |at: usize| {
            let (x, y) = (at % side, at / side);
            let columns = x.saturating_sub(1)..=(x + 1).min(side - 1);
            (y.saturating_sub(1)..=(y + 1).min(side - 1))
                .flat_map(move |y| columns.clone().map(move |x| y * side + x))
                .filter(move |&other| other != at)
        };
        let weak: Vec<usize> =
            (0..side * side).filter(|&at| !self.drawn[at] && self.classes[at] != 0).collect();
        // A gap enclosed on three sides is not a street.
        let is_nook = |at: usize| {
            let (x, y) = (at % side, at / side);
            let beside =
                [(x > 0, -1), (x + 1 < side, 1), (y > 0, -(side as isize)), (y + 1 < side, side as isize)];
            beside.iter().filter(|(there, way)| *there && self.drawn[at.wrapping_add_signed(*way)]).count()
                >= 3
        };
        let more: Vec<usize> = weak
            .iter()
            .copied()
            .filter(|&at| is_nook(at) || !around(at).any(|other| self.drawn[other]))
            .collect();
        more.iter().for_each(|&at| self.drawn[at] = true);
        // Counts move all at once, based on the state before.
        let mut moves = Vec::new();
        for at in weak {
            if self.drawn[at] {
                continue;
            }
            self.classes[at] = 0;
            if self.counts[at] > 0 {
                let better = around(at).filter(|&other| self.drawn[other]);
                // Of equal neighbours the first one.
                let best = better.max_by_key(|&other| (self.covers[other], std::cmp::Reverse(other)));
                moves.extend(best.map(|best| (at, best)));
            }
        }
        for (from, to) in moves {
            self.counts[to] += std::mem::take(&mut self.counts[from]);
        }
    }
}

fn refill<T: Clone + Default>(list: &mut Vec<T>, len: usize) {
    list.clear();
    list.resize(len, T::default());
}
