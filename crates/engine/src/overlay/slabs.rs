//! An index of the edges of a large shape by horizontal slabs, so that a small shape visits only the edges
//! next to it.

use super::planar::{Edge, PlanarShape};

/// Number of edges from which an index pays.
const FROM: usize = 24;

/// A planar shape with an optional index of its edges.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreparedShape {
    pub(crate) planar: PlanarShape,
    /// Number of slabs for each metre; 0 if there is no index.
    density: f64,
    /// Where each slab begins in `order`, and where the last one ends.
    starts: Vec<u32>,
    /// Positions of edges, slab by slab. Within a slab the edges are sorted by their easternmost point, from
    /// east to west.
    order: Vec<u32>,
}

impl PreparedShape {
    /// Builds the index if the shape has many edges.
    pub(crate) fn prepare(&mut self) {
        self.density = 0.0;
        let edges = &self.planar.edges;
        let height = self.planar.size[1];
        if edges.len() < FROM || height <= 0.0 {
            return;
        }
        // The number of slabs is such that an edge is in four of them on average.
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

    /// Drops the index: for a shape that meets few others.
    pub(crate) fn plain(&mut self) {
        self.density = 0.0;
    }

    /// Calls `visit` once for each edge that has a northing in common with [south, north] and is not
    /// completely west of `west`, all relative to the shape's base.
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
                // An edge in several slabs is visited in the first of them only.
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
    // A negative value saturates to slab 0.
    ((y * density) as usize).min(count - 1)
}
