//! One square as a raster, for the zooms at which its features are smaller than a pixel.

use std::cell::RefCell;

use citymap_engine::{PartKind, Row, ShapeRef};

use super::{
    area::MergeSource,
    cell_grid::{Cell, CellFit, middle},
    labels::{Label, Labels},
};

/// Samples to a side.
const SAMPLES: usize = 256;
/// Pixels to a side of the finest level; each level above has half as many.
pub(crate) const FINEST: usize = 64;
/// 64, 32, 16, 8, 4, 2, 1.
pub(crate) const LEVELS: usize = 7;
/// No class: nothing there.
pub(crate) const EMPTY: u8 = u8::MAX;

/// What a pixel of a raster shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixel {
    /// The number of the class that most of it has, or [`EMPTY`].
    pub(crate) class: u8,
    /// How much of it is covered, of 255.
    pub(crate) cover: u8,
    /// How many features have their middle in it.
    pub(crate) count: u32,
}

/// A square at seven resolutions.
#[derive(Debug)]
pub(crate) struct CellRaster {
    pub(crate) labels: Box<[Label]>,
    classes: Box<[u8]>,
    covers: Box<[u8]>,
    counts: Box<[u32]>,
}

/// How many pixels the levels before one have.
fn offset(level: usize) -> usize {
    (0..level).map(|level| (FINEST >> level) * (FINEST >> level)).sum()
}

impl CellRaster {
    /// The pixels of a row (from the north) of a level (0: the finest), from the west.
    pub(crate) fn row(&self, level: usize, y: usize) -> impl Iterator<Item = Pixel> {
        let side = FINEST >> level;
        let start = offset(level) + y * side;
        (start..start + side).map(|at| Pixel {
            class: self.classes[at],
            cover: self.covers[at],
            count: self.counts[at],
        })
    }

    /// Bytes held.
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
    /// Row, and where an edge crosses its middle, in samples.
    crossings: Vec<(u16, f32)>,
}

thread_local! {
    static CANVAS: RefCell<Canvas> = RefCell::default();
}

impl MergeSource<'_> {
    /// Paints what meets a square, in the order of fids.
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
                // What no sample met is still there.
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
    /// Gives the samples in a shape a class; whether there were any in the square.
    fn fill(&mut self, shape: ShapeRef<'_>, origin: [i64; 2], shift: u32, label: u8) -> bool {
        let scale = 1.0 / f64::from(1u32 << shift);
        let mut hit = false;
        for part in shape.parts().filter(|part| part.kind == PartKind::Polygon) {
            self.crossings.clear();
            for ring in part.rings() {
                for edge in shape.mercator_ring(ring).windows(2) {
                    // In samples, the middle of the first at 0.
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

/// A few classes with their weights; the heaviest wins, the first of equals.
#[derive(Default)]
struct Vote {
    classes: Vec<(u8, u32)>,
}

impl Vote {
    fn add(&mut self, class: u8, weight: u32) {
        if class == EMPTY || weight == 0 {
            return;
        }
        match self.classes.iter_mut().find(|(own, _)| *own == class) {
            Some((_, own)) => *own += weight,
            None => self.classes.push((class, weight)),
        }
    }

    /// The winner, and the weight of all.
    fn end(&mut self) -> (u8, u32) {
        let winner = self.classes.iter().max_by_key(|(class, weight)| (*weight, std::cmp::Reverse(*class)));
        let all = (winner.map_or(EMPTY, |(class, _)| *class), self.classes.iter().map(|(_, own)| own).sum());
        self.classes.clear();
        all
    }
}

/// Makes all levels from the samples: the class that most has, and how much is covered. Fills in the counts above the
/// finest level.
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
                // Rounded up: what is there never fades away.
                (classes[at], covers[at]) = (class, weight.div_ceil(4) as u8);
            }
        }
    }
    (classes.into(), covers.into())
}
