use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use citymap_engine::{Bbox, LayerSnapshot, TimeInterval};
use citymap_model::{GeometryKind, LayerId, TileRule};

use crate::{
    TileId, TileOptions, encode,
    merge::{self, Lattice, Merged},
};

/// Cuts tiles by the rules of their layers, and keeps what it derives from a layer (merged areas and rasters) for the
/// next tile. One for the whole process; every call may come from any thread.
#[derive(Debug, Default)]
pub struct Tiler {
    merged: Mutex<Vec<Entry>>,
}

/// What was derived from a base of a layer by a rule, for a time.
#[derive(Debug)]
struct Entry {
    layer: LayerId,
    base: u64,
    rule: TileRule,
    time: Option<TimeInterval>,
    merged: Arc<Merged>,
}

/// How many bases of a layer are kept: the newest, one that requests may still hold, and a former one. With a time of its
/// own each counts as one too.
const BASES: usize = 3;

impl Tiler {
    /// One that has derived nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One tile with the given layers as uncompressed MVT 2.1, generalised as the layers' rules say for its zoom; empty
    /// where no layer has anything in it. Equal features give equal bytes, whatever was derived before.
    pub fn encode(&self, layers: &[&LayerSnapshot], tile: TileId, options: &TileOptions) -> Vec<u8> {
        let mut out = Vec::new();
        for layer in layers {
            let rule = layer.layer().tile_rule();
            if tile.z() >= rule.detail_zoom {
                out.extend_from_slice(&encode(&[layer], tile, options));
                continue;
            }
            match layer.layer().geometry {
                GeometryKind::Polygon => {
                    let merged = self.merged(layer, &rule, options.time);
                    merged.encode(layer, tile, options, rule.budget, &mut out);
                }
                _ => out.extend_from_slice(&encode(&[layer], tile, options)),
            }
        }
        out
    }

    /// Derives ahead what the tiles of a layer need, on all of rayon's threads; returns when it is there. Without it the
    /// first tiles do it. Where a layer's base is packed anew, prepare the new snapshot before tiles are cut from it.
    pub fn prepare(&self, layer: &LayerSnapshot) {
        let rule = layer.layer().tile_rule();
        if rule.detail_zoom > 0 && layer.layer().geometry == GeometryKind::Polygon {
            self.merged(layer, &rule, None).prepare(layer);
        }
    }

    /// How far the tiles of a zoom may change when features in `bbox` (WGS 84 degrees: their boxes before and after)
    /// change: a box that holds it. `layer` is the layer after the change.
    pub fn reach(&self, layer: &LayerSnapshot, bbox: &Bbox, zoom: u8) -> Bbox {
        let rule = layer.layer().tile_rule();
        if zoom >= rule.detail_zoom {
            return *bbox;
        }
        match layer.layer().geometry {
            GeometryKind::Polygon => merge::reach(Lattice::new(rule.detail_zoom), bbox, zoom),
            _ => *bbox,
        }
    }

    /// Bytes held in what was derived.
    pub fn memory(&self) -> usize {
        self.entries().iter().map(|entry| entry.merged.weight()).sum()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.merged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn merged(&self, layer: &LayerSnapshot, rule: &TileRule, time: Option<TimeInterval>) -> Arc<Merged> {
        let own = layer.layer();
        // In a layer without valid time all features are there at all times.
        let time = time.filter(|_| own.valid_from.is_some() || own.valid_to.is_some());
        let base = layer.base().id();
        let mut entries = self.entries();
        let found = entries.iter().position(|entry| {
            entry.base == base && entry.time == time && entry.rule == *rule && entry.layer == own.id
        });
        // The last used is last.
        let entry = match found {
            Some(index) => entries.remove(index),
            None => {
                // Nobody waits here for long: this looks at each feature's box once.
                let merged = Arc::new(Merged::new(layer, rule, time));
                Entry { layer: own.id.clone(), base, rule: rule.clone(), time, merged }
            }
        };
        let merged = Arc::clone(&entry.merged);
        entries.push(entry);
        if entries.iter().filter(|entry| entry.layer == own.id).count() > BASES
            && let Some(oldest) = entries.iter().position(|entry| entry.layer == own.id)
        {
            entries.remove(oldest);
        }
        merged
    }
}
