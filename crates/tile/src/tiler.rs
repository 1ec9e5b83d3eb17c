//! Cuts tiles by the tile rules of their layers, with a cache of what is derived from each layer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use citymap_engine::{Bbox, Cancel, Cancelled, Filter, LayerSnapshot, TimeInterval};
use citymap_model::{GeometryKind, LayerId, TileRule};

use crate::{
    Explanation, GZIP_LEVEL, Method, TileId, TileOptions,
    encode::{CLUSTER_SIDE, Thinned, encode_clusters, encode_lines, encode_whole},
    gzip,
    layer_tile::LayerTile,
    merge::{self, CellGrid, DerivedLayer, Drawing},
};

/// Cuts tiles by the tile rules of their layers, and caches what it derives from a layer (merged areas and
/// rasters) for the next tile. One instance serves the whole process; all methods may be called from any
/// thread.
#[derive(Debug, Default)]
pub struct Tiler {
    entries: Mutex<Vec<DerivedEntry>>,
}

/// What was derived from one base of a layer, by one rule, for one time.
#[derive(Debug)]
struct DerivedEntry {
    layer: LayerId,
    base: u64,
    rule: TileRule,
    time: Option<TimeInterval>,
    derived: Arc<DerivedLayer>,
}

/// Number of bases of a layer that are kept: the newest, one that requests may still hold, and an earlier
/// one. As many are kept for intervals of time.
const BASES: usize = 3;

impl Tiler {
    /// A tiler with an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// One tile with the given layers as uncompressed MVT 2.1, generalised by the layers' rules for its zoom;
    /// empty if no layer has content there. Equal features give equal bytes, whatever is in the cache.
    pub fn encode(&self, layers: &[&LayerSnapshot], tile: TileId, options: &TileOptions) -> Vec<u8> {
        self.encode_until(layers, tile, options, &Cancel::new()).unwrap_or_default()
    }

    /// As [`Tiler::encode`], but ends soon after `cancel` is set: what takes long is checked feature by
    /// feature, and cell by cell where areas are merged.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn encode_until(
        &self,
        layers: &[&LayerSnapshot],
        tile: TileId,
        options: &TileOptions,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, Cancelled> {
        let mut out = Vec::new();
        for layer in layers {
            let rule = layer.layer().tile_rule();
            let request = LayerTile { snapshot: layer, rule: &rule, tile, options, filter: None, cancel };
            self.draw(request, &mut out);
            cancel.check()?;
        }
        Ok(out)
    }

    /// One tile with the features of a layer for which `filter` is true, drawn as [`Tiler::encode_until`]
    /// draws them: lines are thinned and points clustered after the filter. Polygons cannot be filtered below
    /// the detail zoom ([`Tiler::filters_from`]) and are left out there.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn encode_where(
        &self,
        (layer, filter): (&LayerSnapshot, &Filter),
        tile: TileId,
        options: &TileOptions,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, Cancelled> {
        let mut out = Vec::new();
        let rule = layer.layer().tile_rule();
        if tile.z() >= Self::filters_from(layer) {
            let request =
                LayerTile { snapshot: layer, rule: &rule, tile, options, filter: Some(filter), cancel };
            self.draw(request, &mut out);
        }
        cancel.check()?;
        Ok(out)
    }

    /// The lowest zoom at which tiles of a layer can be filtered: 0, but for polygons, which are merged below
    /// the detail zoom whatever a filter says, that zoom.
    pub fn filters_from(layer: &LayerSnapshot) -> u8 {
        match layer.layer().geometry {
            GeometryKind::Polygon => layer.layer().tile_rule().detail_zoom,
            _ => 0,
        }
    }

    /// Cuts a tile like [`Tiler::encode`], and reports for each layer what was done and why.
    pub fn explain(
        &self,
        layers: &[&LayerSnapshot],
        tile: TileId,
        options: &TileOptions,
    ) -> Vec<Explanation> {
        layers.iter().map(|layer| self.explain_layer(layer, tile, options)).collect()
    }

    fn draw(&self, request: LayerTile<'_>, out: &mut Vec<u8>) -> Drawn {
        let LayerTile { snapshot, rule, tile, options, .. } = request;
        if tile.z() < rule.detail_zoom {
            match snapshot.layer().geometry {
                GeometryKind::Polygon => {
                    let derived = self.derived(snapshot, rule, options.time);
                    return Drawn::Merged(derived.encode(request, out));
                }
                GeometryKind::Line => return Drawn::Lines(encode_lines(request, out)),
                GeometryKind::Point => return Drawn::Clusters(encode_clusters(request, out)),
                GeometryKind::Mixed | GeometryKind::None => {}
            }
        }
        Drawn::Whole(encode_whole(request, out))
    }

    fn explain_layer(&self, layer: &LayerSnapshot, tile: TileId, options: &TileOptions) -> Explanation {
        let rule = layer.layer().tile_rule();
        let start = Instant::now();
        let mut out = Vec::new();
        let cancel = Cancel::new();
        let request =
            LayerTile { snapshot: layer, rule: &rule, tile, options, filter: None, cancel: &cancel };
        let drawn = self.draw(request, &mut out);
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

    /// Derives everything that the tiles of a layer need, on all threads of rayon, and returns when it is
    /// done. Otherwise the first tiles do this work. After merging a delta into a new base, prepare the new
    /// snapshot before cutting tiles from it.
    pub fn prepare(&self, layer: &LayerSnapshot) {
        let rule = layer.layer().tile_rule();
        if rule.detail_zoom > 0 && layer.layer().geometry == GeometryKind::Polygon {
            self.derived(layer, &rule, None).prepare(layer);
        }
    }

    /// A box that contains every place where tiles of a zoom may change when features in `bbox` change (WGS
    /// 84 degrees: their boxes before and after the change). `layer` is the layer after the change.
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

    /// Size in bytes of everything that is cached.
    pub fn memory(&self) -> usize {
        self.entries().iter().map(|entry| entry.derived.weight()).sum()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<DerivedEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn derived(
        &self,
        layer: &LayerSnapshot,
        rule: &TileRule,
        time: Option<TimeInterval>,
    ) -> Arc<DerivedLayer> {
        let definition = layer.layer();
        // In a layer without valid time all features are valid at all times.
        let time = time.filter(|_| definition.valid_from.is_some() || definition.valid_to.is_some());
        let base = layer.base().id();
        let is_same = |entry: &DerivedEntry| {
            entry.base == base && entry.time == time && entry.rule == *rule && entry.layer == definition.id
        };
        if let Some(derived) = self.recent(is_same) {
            return derived;
        }
        // This reads the bounding box of each feature, while other layers and times go on.
        let fresh = Arc::new(DerivedLayer::new(layer, rule, time));
        if let Some(derived) = self.recent(is_same) {
            return derived;
        }
        let derived = Arc::clone(&fresh);
        let mut entries = self.entries();
        entries.push(DerivedEntry { layer: definition.id.clone(), base, rule: rule.clone(), time, derived });
        // Tiles at other times do not displace those of all features.
        let counts =
            |entry: &DerivedEntry| entry.layer == definition.id && entry.time.is_some() == time.is_some();
        if entries.iter().filter(|entry| counts(entry)).count() > BASES
            && let Some(oldest) = entries.iter().position(counts)
        {
            entries.remove(oldest);
        }
        fresh
    }

    /// The entry for which `is_same` is true; it then counts as used last.
    fn recent(&self, is_same: impl Fn(&DerivedEntry) -> bool) -> Option<Arc<DerivedLayer>> {
        let mut entries = self.entries();
        let position = entries.iter().position(is_same)?;
        let entry = entries.remove(position);
        let derived = Arc::clone(&entry.derived);
        entries.push(entry);
        Some(derived)
    }
}

/// How a layer was drawn, with the counts of that method.
enum Drawn {
    /// The number of features whose boxes meet the tile, and of those in it.
    Whole([u64; 2]),
    Merged(Drawing),
    Lines(Thinned),
    Clusters(Thinned),
}

impl Drawn {
    fn report(self, zoom: u8, to: &mut Explanation) {
        let detail = to.rule.detail_zoom;
        let below = format!("zoom {zoom} is below {detail}, from which all features are drawn");
        let too_large = |sizes: &[u64], to: &mut Explanation| {
            for size in sizes {
                let budget = to.rule.budget;
                to.why.push(format!(
                    "{size} bytes (gzip) exceeded the budget of {budget}: drawn more coarsely"
                ));
            }
        };
        match self {
            Self::Whole([candidates, drawn]) => {
                to.why.push(if zoom >= detail {
                    format!("zoom {zoom} is not below {detail}, from which all features are drawn")
                } else {
                    "the layer has several kinds of geometry, or none".to_owned()
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
                        "{} pixels across are as fine as its features at this zoom",
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
