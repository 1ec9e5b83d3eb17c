//! Layers of lines below their detail zoom: simplified, and thinned until the byte budget is met.

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Row};

use super::{Scratch, Thinned};
use crate::{GZIP_LEVEL, cut::grid::Grid, gzip, layer_tile::LayerTile};

/// The attempts to meet the budget: the factor of the tolerance, and the minimum size of a line's box in tile
/// units (8 to a pixel of 1/512).
const STEPS: [(f64, i64); 5] = [(1.0, 0), (4.0, 0), (8.0, 16), (16.0, 32), (32.0, 64)];

impl Scratch {
    pub(super) fn encode_lines(&mut self, request: LayerTile<'_>, out: &mut Vec<u8>) -> Thinned {
        let LayerTile { snapshot, rule, tile, options, cancel, .. } = request;
        let layer = snapshot.layer();
        let mut thinned = Thinned::default();
        self.candidates.clear();
        let reach = tile.grown(f64::from(options.buffer) + 1.0);
        request.candidates(&reach, |row| self.candidates.push(row));
        thinned.candidates = self.candidates.len() as u64;
        let class = rule.class.as_deref().and_then(|name| layer.field_index(name));
        if let Some(field) = class.filter(|_| !rule.class_zooms.is_empty()) {
            self.candidates.retain(|&row| {
                let class = snapshot.value(row, field).to_text();
                let drawn = rule.class_zooms.get(&class).is_none_or(|&zoom| tile.z() >= zoom);
                if !drawn {
                    *thinned.dropped.entry(class).or_default() += 1;
                }
                drawn
            });
        }
        snapshot.sort(&mut self.candidates);
        // At this scale a line carries only its class and its name.
        let label = visible(layer, &Audience::Public).label_index();
        let carried: Vec<usize> = class.into_iter().chain(label).collect();
        let grid = Grid::new(tile, options.buffer);
        let start = out.len();
        for (step, (factor, min_size)) in STEPS.into_iter().enumerate() {
            out.truncate(start);
            if min_size > 0 {
                let before = self.candidates.len();
                self.candidates.retain(|&row| is_wide(snapshot, row, &grid, min_size));
                let small = before - self.candidates.len();
                *thinned.dropped.entry(String::new()).or_default() += small as u64;
            }
            self.tolerance = rule.simplify * 8.0 * factor;
            self.lines.simplified = 0;
            self.write_geometry(snapshot, &grid, cancel);
            thinned.drawn = self.rows.len() as u64;
            thinned.simplified = self.lines.simplified;
            if self.rows.is_empty() || cancel.is_cancelled() {
                break;
            }
            self.values.collect(snapshot, &self.rows, Some(&carried));
            self.write_features(snapshot, cancel);
            self.write_layer(layer.id.as_str(), out);
            if out.len() - start <= rule.budget as usize || step + 1 == STEPS.len() {
                break;
            }
            let encoded = gzip(&out[start..], GZIP_LEVEL).len();
            if encoded <= rule.budget as usize {
                break;
            }
            thinned.too_large.push(encoded as u64);
        }
        thinned
    }
}

/// Whether a row's box is at least `min_size` units wide or high.
fn is_wide(snapshot: &LayerSnapshot, row: Row, grid: &Grid, min_size: i64) -> bool {
    let (mut low, mut high) = ([i64::MAX; 2], [i64::MIN; 2]);
    for &world in snapshot.shape(row).mercator_coords() {
        let [x, y] = grid.place(world);
        low = [low[0].min(x), low[1].min(y)];
        high = [high[0].max(x), high[1].max(y)];
    }
    (0..2).any(|axis| high[axis].saturating_sub(low[axis]) >= min_size)
}
