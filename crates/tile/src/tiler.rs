use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use citymap_engine::{Bbox, LayerSnapshot, TimeInterval};
use citymap_model::{GeometryKind, LayerId, TileRule};

use crate::{
    Explanation, GZIP_LEVEL, Method, TileId, TileOptions,
    encode::{CLUSTER_SIDE, Thinned, encode_clusters, encode_lines, encode_whole},
    gzip,
    merge::{self, CellGrid, DerivedLayer, Drawing},
};

/// Cuts tiles by the rules of their layers, and keeps what it derives from a layer (merged areas and rasters) for the
/// next tile. One for the whole process; every call may come from any thread.
#[derive(Debug, Default)]
pub struct Tiler {
    merged: Mutex<Vec<DerivedEntry>>,
}

/// What was derived from a base of a layer by a rule, for a time.
#[derive(Debug)]
struct DerivedEntry {
    layer: LayerId,
    base: u64,
    rule: TileRule,
    time: Option<TimeInterval>,
    merged: Arc<DerivedLayer>,
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
            self.draw(layer, &layer.layer().tile_rule(), tile, options, &mut out);
        }
        out
    }

    /// Cuts a tile as [`Tiler::encode`] does and says, layer by layer, what was done and why.
    pub fn explain(
        &self,
        layers: &[&LayerSnapshot],
        tile: TileId,
        options: &TileOptions,
    ) -> Vec<Explanation> {
        layers.iter().map(|layer| self.explain_layer(layer, tile, options)).collect()
    }

    fn draw(
        &self,
        layer: &LayerSnapshot,
        rule: &TileRule,
        tile: TileId,
        options: &TileOptions,
        out: &mut Vec<u8>,
    ) -> Drawn {
        if tile.z() < rule.detail_zoom {
            match layer.layer().geometry {
                GeometryKind::Polygon => {
                    let merged = self.merged(layer, rule, options.time);
                    return Drawn::Merged(merged.encode(layer, tile, options, rule.budget, out));
                }
                GeometryKind::Line => return Drawn::Lines(encode_lines(layer, rule, tile, options, out)),
                GeometryKind::Point => {
                    return Drawn::Clusters(encode_clusters(layer, rule, tile, options, out));
                }
                GeometryKind::Mixed | GeometryKind::None => {}
            }
        }
        Drawn::Whole(encode_whole(layer, tile, options, out))
    }

    fn explain_layer(&self, layer: &LayerSnapshot, tile: TileId, options: &TileOptions) -> Explanation {
        let rule = layer.layer().tile_rule();
        let start = Instant::now();
        let mut out = Vec::new();
        let drawn = self.draw(layer, &rule, tile, options, &mut out);
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let compressed = if out.is_empty() { 0 } else { gzip(&out, GZIP_LEVEL).len() as u64 };
        let mut explanation = Explanation {
            layer: layer.layer().id.clone(),
            own_rule: layer.layer().tiles.as_ref() == Some(&rule),
            method: Method::Whole,
            why: Vec::new(),
            candidates: 0,
            drawn: 0,
            merged: 0,
            dropped: BTreeMap::new(),
            simplified_vertices: 0,
            bytes: out.len() as u64,
            gzip: compressed,
            milliseconds,
            rule,
        };
        drawn.report(tile.z(), &mut explanation);
        explanation
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
            GeometryKind::Polygon => merge::reach(CellGrid::new(rule.detail_zoom), bbox, zoom),
            GeometryKind::Point => merge::grown_to(bbox, u32::from(zoom) + 12, CLUSTER_SIDE),
            _ => *bbox,
        }
    }

    /// Bytes held in what was derived.
    pub fn memory(&self) -> usize {
        self.entries().iter().map(|entry| entry.merged.weight()).sum()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<DerivedEntry>> {
        self.merged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn merged(
        &self,
        layer: &LayerSnapshot,
        rule: &TileRule,
        time: Option<TimeInterval>,
    ) -> Arc<DerivedLayer> {
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
                let merged = Arc::new(DerivedLayer::new(layer, rule, time));
                DerivedEntry { layer: own.id.clone(), base, rule: rule.clone(), time, merged }
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

/// How a layer was drawn.
enum Drawn {
    /// Features whose boxes meet the tile, and those in it.
    Whole([u64; 2]),
    Merged(Drawing),
    Lines(Thinned),
    Clusters(Thinned),
}

impl Drawn {
    fn report(self, zoom: u8, to: &mut Explanation) {
        let detail = to.rule.detail_zoom;
        let below = format!("zoom {zoom} is below {detail}, from which everything is drawn");
        let too_large = |sizes: &[u64], to: &mut Explanation| {
            for size in sizes {
                let budget = to.rule.budget;
                to.why.push(format!(
                    "{size} bytes (gzip) were more than the budget of {budget}: drawn more coarsely"
                ));
            }
        };
        match self {
            Self::Whole([candidates, drawn]) => {
                to.why.push(if zoom >= detail {
                    format!("zoom {zoom} is not below {detail}, from which everything is drawn whatever the budget")
                } else {
                    "the layer mixes kinds of geometry, or has none".to_owned()
                });
                (to.candidates, to.drawn) = (candidates, drawn);
            }
            Self::Merged(drawing) => {
                to.why.push(below);
                too_large(&drawing.too_large, to);
                to.method = Method::Areas;
                if let Some(step) = drawing.raster {
                    to.method = Method::Raster;
                    to.why.push(format!(
                        "{} pixels to a side are as fine as its features are here",
                        256 >> step
                    ));
                }
                (to.candidates, to.drawn, to.merged) = (drawing.candidates, drawing.single, drawing.areas);
                to.simplified_vertices = drawing.simplified;
            }
            Self::Clusters(thinned) => {
                to.why.push(below);
                to.method = Method::Clusters;
                (to.candidates, to.drawn, to.merged) = (thinned.candidates, thinned.drawn, thinned.clusters);
                if thinned.clustered > 0 {
                    to.why.push(format!("{} points have others within 64 pixels", thinned.clustered));
                }
            }
            Self::Lines(thinned) => {
                to.why.push(below);
                too_large(&thinned.too_large, to);
                to.method = Method::Lines;
                (to.candidates, to.drawn, to.merged) = (thinned.candidates, thinned.drawn, thinned.clusters);
                to.simplified_vertices = thinned.simplified;
                to.dropped = thinned.dropped;
            }
        }
    }
}
