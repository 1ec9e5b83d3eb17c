//! The edges of a large planar in horizontal bands, so that a small one meets those beside it and no others.

use super::planar::{Edge, PlanarShape};

/// Edges from which bands are worth their making.
const FROM: usize = 24;

/// A planar made ready for many others.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreparedShape {
    pub(crate) planar: PlanarShape,
    /// Bands to the metre; 0 where there are none.
    density: f64,
    /// Where each band begins in `order`, and where the last one ends.
    starts: Vec<u32>,
    /// Positions of edges, band by band; in a band by their easternmost point, furthest east first.
    order: Vec<u32>,
}

impl PreparedShape {
    /// Makes the bands of a planar of many edges.
    pub(crate) fn prepare(&mut self) {
        self.density = 0.0;
        let edges = &self.planar.edges;
        let height = self.planar.size[1];
        if edges.len() < FROM || height <= 0.0 {
            return;
        }
        // So many that an edge stands in four on the average.
        let rise: f64 = edges.iter().map(|edge| edge.high[1] - edge.low[1]).sum();
        let count = ((3.0 * edges.len() as f64 * height / rise) as usize).clamp(1, edges.len());
        self.density = count as f64 / height;
        self.starts.clear();
        self.starts.resize(count + 1, 0);
        for edge in edges {
            for band in band(edge.low[1], self.density, count)..=band(edge.high[1], self.density, count) {
                self.starts[band + 1] += 1;
            }
        }
        for band in 0..count {
            self.starts[band + 1] += self.starts[band];
        }
        let mut next = self.starts.clone();
        self.order.clear();
        self.order.resize(self.starts[count] as usize, 0);
        for (position, edge) in edges.iter().enumerate() {
            let (first, last) =
                (band(edge.low[1], self.density, count), band(edge.high[1], self.density, count));
            for place in &mut next[first..=last] {
                self.order[*place as usize] = position as u32;
                *place += 1;
            }
        }
        for band in 0..count {
            let band = &mut self.order[self.starts[band] as usize..self.starts[band + 1] as usize];
            band.sort_unstable_by(|&a, &b| {
                edges[b as usize].east().total_cmp(&edges[a as usize].east()).then(a.cmp(&b))
            });
        }
    }

    /// Does without bands: for a planar that meets few others.
    pub(crate) fn plain(&mut self) {
        self.density = 0.0;
    }

    /// Calls `visit` once for each edge that shares a northing with [south, north] and does not lie wholly west of
    /// `west`; all from the planar's base.
    #[inline]
    pub(crate) fn visit(&self, [south, north]: [f64; 2], west: f64, mut visit: impl FnMut(&Edge)) {
        let edges = &self.planar.edges;
        if self.density == 0.0 {
            for edge in edges {
                if edge.low[1] <= north && edge.high[1] >= south && edge.east() >= west {
                    visit(edge);
                }
            }
            return;
        }
        let count = self.starts.len() - 1;
        if north < 0.0 || south > self.planar.size[1] {
            return;
        }
        let (first, last) = (band(south, self.density, count), band(north, self.density, count));
        for number in first..=last {
            for &position in &self.order[self.starts[number] as usize..self.starts[number + 1] as usize] {
                let edge = &edges[position as usize];
                if edge.east() < west {
                    break;
                }
                // An edge of several bands is met in the first of them only.
                if edge.low[1] <= north
                    && edge.high[1] >= south
                    && number == first.max(band(edge.low[1], self.density, count))
                {
                    visit(edge);
                }
            }
        }
    }
}

#[inline]
fn band(y: f64, density: f64, count: usize) -> usize {
    // A negative one becomes 0.
    ((y * density) as usize).min(count - 1)
}
