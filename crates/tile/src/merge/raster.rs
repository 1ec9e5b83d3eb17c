//! One cell as a raster, for the zooms at which its features are smaller than a pixel.

use std::cell::RefCell;

use citymap_engine::{PartKind, Row, ShapeRef};

use super::{
    area::MergeSource,
    cell_grid::{Cell, CellFit, middle},
    labels::{Label, Labels},
};

/// Number of samples across a cell.
const SAMPLES: usize = 256;
/// Number of pixels across the finest level. Each coarser level has half as many.
pub(crate) const FINEST: usize = 64;
/// Number of levels: 64, 32, 16, 8, 4, 2 and 1 pixels across.
pub(crate) const LEVELS: usize = 7;
/// Stands for no class: nothing is there.
pub(crate) const EMPTY: u8 = u8::MAX;

/// What a pixel of a raster shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixel {
    /// The number of the class with the largest part of it, or [`EMPTY`].
    pub(crate) class: u8,
    /// The covered part of the pixel, of 255.
    pub(crate) cover: u8,
    /// Number of features whose boxes are centred in it.
    pub(crate) count: u32,
}

/// A cell at seven resolutions.
#[derive(Debug)]
pub(crate) struct CellRaster {
    pub(crate) labels: Box<[Label]>,
    classes: Box<[u8]>,
    covers: Box<[u8]>,
    counts: Box<[u32]>,
}

/// Number of pixels in the levels before `level`.
fn offset(level: usize) -> usize {
    (0..level).map(|level| (FINEST >> level) * (FINEST >> level)).sum()
}

impl CellRaster {
    /// The pixels of row `y` (from the north) of a level (0 is the finest), from the west.
    pub(crate) fn row(&self, level: usize, y: usize) -> impl Iterator<Item = Pixel> {
        let side = FINEST >> level;
        let start = offset(level) + y * side;
        (start..start + side).map(|at| Pixel {
            class: self.classes[at],
            cover: self.covers[at],
            count: self.counts[at],
        })
    }

    /// Size in bytes, including the labels.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>()
            + self.labels.iter().map(|label| label.len() + size_of::<Label>()).sum::<usize>()
            + self.classes.len() * 2
            + size_of_val(&*self.counts)
    }
}

#[derive(Default)]
struct Canvas {
    samples: Vec<u8>,
    /// Row of samples, and where an edge crosses the centre of the row, in samples.
    crossings: Vec<(u16, f32)>,
}

thread_local! {
    static CANVAS: RefCell<Canvas> = RefCell::default();
}

impl MergeSource<'_> {
    /// Paints the features that meet a cell, in the order of their fids.
    pub(crate) fn raster(&self, cell: Cell) -> CellRaster {
        let mut rows: Vec<Row> = Vec::new();
        self.during.candidates(&self.cell_grid.bbox(cell, 0), |row| rows.push(row));
        self.snapshot.sort(&mut rows);
        CANVAS.with_borrow_mut(|canvas| self.paint(cell, &rows, canvas))
    }

    fn paint(&self, cell: Cell, rows: &[Row], canvas: &mut Canvas) -> CellRaster {
        canvas.samples.clear();
        canvas.samples.resize(SAMPLES * SAMPLES, EMPTY);
        let mut labels = Labels::default();
        let mut counts = vec![0u32; offset(LEVELS)];
        let origin = self.cell_grid.origin(cell);
        let shift = self.cell_grid.shift() - 8;
        for &row in rows {
            let shape = self.snapshot.shape(row);
            let (CellFit::Inside(_, around) | CellFit::Wide(around)) = self.cell_grid.fit(shape) else {
                continue;
            };
            let label = labels.of(self.snapshot, row, self.class, EMPTY.into()) as u8;
            let hit = canvas.fill(shape, origin, shift, label);
            let middle = middle(around);
            if self.cell_grid.cell(middle) == cell {
                let sample = [0, 1].map(|axis| (i64::from(middle[axis]) - origin[axis]) as usize >> shift);
                counts[sample[1] / 4 * FINEST + sample[0] / 4] += 1;
                // A feature that no sample hit is still drawn.
                let at = &mut canvas.samples[sample[1] * SAMPLES + sample[0]];
                if !hit && *at == EMPTY {
                    *at = label;
                }
            }
        }
        let (classes, covers) = reduce(&canvas.samples, &mut counts);
        CellRaster { labels: labels.into_list().into(), classes, covers, counts: counts.into() }
    }
}

impl Canvas {
    /// Paints the samples in a shape with a class. Returns whether any sample in the cell was hit.
    fn fill(&mut self, shape: ShapeRef<'_>, origin: [i64; 2], shift: u32, label: u8) -> bool {
        let scale = 1.0 / f64::from(1u32 << shift);
        let mut hit = false;
        for part in shape.parts().filter(|part| part.kind == PartKind::Polygon) {
            self.crossings.clear();
            for ring in part.rings() {
                for edge in shape.mercator_ring(ring).windows(2) {
                    // In samples; the centre of the first sample is at 0.
                    let place = |world: [u32; 2]| {
                        [0, 1].map(|axis| (i64::from(world[axis]) - origin[axis]) as f64 * scale - 0.5)
                    };
                    let (a, b) = (place(edge[0]), place(edge[1]));
                    let (top, bottom) = if a[1] <= b[1] { (a, b) } else { (b, a) };
                    let first = top[1].ceil().max(0.0);
                    let end = bottom[1].ceil().min(SAMPLES as f64);
                    if first >= end {
                        continue;
                    }
                    let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
                    for row in first as u16..end as u16 {
                        let x = top[0] + (f64::from(row) - top[1]) * slope;
                        self.crossings.push((row, x as f32));
                    }
                }
            }
            self.crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            for pair in self.crossings.chunk_by(|a, b| a.0 == b.0).flat_map(|row| row.chunks_exact(2)) {
                let column = |x: f32| x.ceil().clamp(0.0, SAMPLES as f32) as usize;
                let (from, to) = (column(pair[0].1), column(pair[1].1));
                if from < to {
                    let start = usize::from(pair[0].0) * SAMPLES;
                    self.samples[start + from..start + to].fill(label);
                    hit = true;
                }
            }
        }
        hit
    }
}

/// A few classes with weights. The heaviest wins; of equals the first.
#[derive(Default)]
struct Vote {
    classes: Vec<(u8, u32)>,
}

impl Vote {
    fn add(&mut self, class: u8, weight: u32) {
        if class == EMPTY || weight == 0 {
            return;
        }
        match self.classes.iter_mut().find(|(known, _)| *known == class) {
            Some((_, total)) => *total += weight,
            None => self.classes.push((class, weight)),
        }
    }

    /// The winner and the total weight; empties the vote.
    fn end(&mut self) -> (u8, u32) {
        let winner = self.classes.iter().max_by_key(|(class, weight)| (*weight, std::cmp::Reverse(*class)));
        let all =
            (winner.map_or(EMPTY, |(class, _)| *class), self.classes.iter().map(|(_, total)| total).sum());
        self.classes.clear();
        all
    }
}

/// Computes all levels from the samples: the most frequent class, and the cover. Completes the counts of the
/// levels above the finest one.
fn reduce(samples: &[u8], counts: &mut [u32]) -> (Box<[u8]>, Box<[u8]>) {
    let mut classes = vec![EMPTY; offset(LEVELS)];
    let mut covers = vec![0u8; offset(LEVELS)];
    let mut vote = Vote::default();
    for y in 0..FINEST {
        for x in 0..FINEST {
            let rows = (0..4).map(|row| (4 * y + row) * SAMPLES + 4 * x);
            let first = samples[4 * y * SAMPLES + 4 * x];
            let at = y * FINEST + x;
            if rows.clone().all(|start| samples[start..start + 4].iter().all(|&class| class == first)) {
                (classes[at], covers[at]) = (first, if first == EMPTY { 0 } else { 255 });
                continue;
            }
            rows.for_each(|start| samples[start..start + 4].iter().for_each(|&class| vote.add(class, 1)));
            let (class, weight) = vote.end();
            (classes[at], covers[at]) = (class, (weight * 255 / 16) as u8);
        }
    }
    for level in 1..LEVELS {
        let (side, below) = (FINEST >> level, offset(level - 1));
        for y in 0..side {
            for x in 0..side {
                let at = offset(level) + y * side + x;
                for child in [0, 1, 2 * side, 2 * side + 1] {
                    let child = below + 4 * y * side + 2 * x + child;
                    vote.add(classes[child], covers[child].into());
                    counts[at] += counts[child];
                }
                let (class, weight) = vote.end();
                // Rounded up, so that nothing fades away completely.
                (classes[at], covers[at]) = (class, weight.div_ceil(4) as u8);
            }
        }
    }
    (classes.into(), covers.into())
}
