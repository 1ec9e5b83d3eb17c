//! Encodes a layer of a tile: all features as they are, or thinned below the detail zoom.

mod clusters;
mod thinned;

use std::{cell::RefCell, collections::BTreeMap};

use citymap_engine::{Cancel, LayerSnapshot, Row, ShapeKind, ShapeRef};

use crate::{
    EXTENT, TileId, TileOptions,
    cut::{
        grid::{Grid, TilePoint},
        line::LineCutter,
        point,
        polygon::PolygonCutter,
    },
    layer_tile::LayerTile,
    mvt::{
        pbf::{self, Commands},
        values::Values,
    },
};

/// One tile with the given layers as uncompressed MVT 2.1; empty if no layer has a feature in it. The name of
/// a layer in the tile is its id. Its attributes are the public fields, and `_id` if it has a public key.
/// Dates and instants are texts; null values are absent. Layers keep the order given, and features are
/// ordered by fid. A layer that is given twice is in the tile twice.
///
/// Takes from milliseconds (a tile of a dense city at zoom 14) to seconds (the whole city in one tile), so do
/// not call it on an async worker thread.
pub fn encode(layers: &[&LayerSnapshot], tile: TileId, options: &TileOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let cancel = Cancel::new();
    for layer in layers {
        let rule = layer.layer().tile_rule();
        let request =
            LayerTile { snapshot: layer, rule: &rule, tile, options, filter: None, cancel: &cancel };
        encode_whole(request, &mut out);
    }
    out
}

/// Appends a layer with all its features and public fields. Returns the number of features whose boxes meet
/// the tile and the number of features in it.
pub(crate) fn encode_whole(request: LayerTile<'_>, out: &mut Vec<u8>) -> [u64; 2] {
    with_scratch(|scratch| scratch.encode_layer(request, out))
}

/// What was drawn of a layer whose features are thinned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thinned {
    /// Number of features whose boxes meet the tile.
    pub(crate) candidates: u64,
    /// Number of features drawn individually.
    pub(crate) drawn: u64,
    /// Number of clusters, and of the features in them.
    pub(crate) clusters: u64,
    pub(crate) clustered: u64,
    /// Number of features that were left out, by class; under an empty name those that are too small.
    pub(crate) dropped: BTreeMap<String, u64>,
    /// Number of vertices removed from lines.
    pub(crate) simplified: u64,
    /// Size (gzip, in bytes) of each attempt that exceeded the budget.
    pub(crate) too_large: Vec<u64>,
}

/// Appends a layer of lines, thinned by class and simplified as its rule says.
pub(crate) fn encode_lines(request: LayerTile<'_>, out: &mut Vec<u8>) -> Thinned {
    with_scratch(|scratch| scratch.encode_lines(request, out))
}

/// Appends a layer of points; points near each other become one with their number.
pub(crate) fn encode_clusters(request: LayerTile<'_>, out: &mut Vec<u8>) -> Thinned {
    with_scratch(|scratch| scratch.encode_clusters(request, out))
}

pub(crate) use clusters::CLUSTER_SIDE;

fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(|scratch| {
        let done = work(scratch);
        // A huge tile must not keep its memory on this thread forever.
        if scratch.weight() > MAX_KEPT {
            *scratch = Scratch::default();
        }
        done
    })
}

/// Maximum number of bytes that a thread keeps for its next tile.
const MAX_KEPT: usize = 16 << 20;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The geometry types of the MVT specification.
#[derive(Clone, Copy)]
enum MvtType {
    Point = 1,
    Line = 2,
    Polygon = 3,
}

/// A feature whose geometry has been written.
struct WrittenFeature {
    kind: MvtType,
    /// Where its commands end in the common buffer.
    end: usize,
}

/// Buffers that a thread reuses from tile to tile.
#[derive(Default)]
struct Scratch {
    candidates: Vec<Row>,
    /// The row of each feature in `written`.
    rows: Vec<Row>,
    written: Vec<WrittenFeature>,
    commands: Vec<u8>,
    points: Vec<TilePoint>,
    lines: LineCutter,
    polygons: PolygonCutter,
    values: Values,
    tags: Vec<u8>,
    features: Vec<u8>,
    /// Maximum distance in tile units of simplified lines from the exact ones; 0 for no simplification.
    tolerance: f64,
}

impl Scratch {
    fn weight(&self) -> usize {
        self.commands.capacity()
            + self.features.capacity()
            + self.values.weight()
            + (self.candidates.capacity() + self.rows.capacity()) * size_of::<Row>()
            + self.written.capacity() * size_of::<WrittenFeature>()
    }

    fn encode_layer(&mut self, request: LayerTile<'_>, out: &mut Vec<u8>) -> [u64; 2] {
        let LayerTile { snapshot, tile, options, cancel, .. } = request;
        // One unit more than the clip box, for features that rounding moves in.
        let reach = tile.grown(f64::from(options.buffer) + 1.0);
        self.candidates.clear();
        request.candidates(&reach, |row| self.candidates.push(row));
        snapshot.sort(&mut self.candidates);
        self.tolerance = 0.0;
        self.write_geometry(snapshot, &Grid::new(tile, options.buffer), cancel);
        if !self.rows.is_empty() && !cancel.is_cancelled() {
            self.values.collect(snapshot, &self.rows, None);
            self.write_features(snapshot, cancel);
            self.write_layer(snapshot.layer().id.as_str(), out);
        }
        [self.candidates.len() as u64, self.rows.len() as u64]
    }

    fn write_geometry(&mut self, snapshot: &LayerSnapshot, grid: &Grid, cancel: &Cancel) {
        self.rows.clear();
        self.written.clear();
        self.commands.clear();
        for index in 0..self.candidates.len() {
            if cancel.is_cancelled() {
                return;
            }
            let row = self.candidates[index];
            let shape = snapshot.shape(row);
            match shape.kind() {
                ShapeKind::Null => {}
                ShapeKind::Point | ShapeKind::MultiPoint => self.write_points(shape, row, grid),
                ShapeKind::Line | ShapeKind::MultiLine => self.write_lines(shape, row, grid),
                ShapeKind::Polygon | ShapeKind::MultiPolygon => self.write_polygons(shape, row, grid),
                ShapeKind::Collection => {
                    self.write_points(shape, row, grid);
                    self.write_lines(shape, row, grid);
                    self.write_polygons(shape, row, grid);
                }
            }
        }
    }

    fn write_points(&mut self, shape: ShapeRef<'_>, row: Row, grid: &Grid) {
        point::cut(shape, grid, &mut self.points);
        if !self.points.is_empty() {
            Commands::new(&mut self.commands).points(&self.points);
            self.end_feature(row, MvtType::Point);
        }
    }

    fn write_lines(&mut self, shape: ShapeRef<'_>, row: Row, grid: &Grid) {
        self.lines.cut_simplified(shape, grid, self.tolerance);
        let mut commands = Commands::new(&mut self.commands);
        let mut any = false;
        for piece in self.lines.pieces() {
            commands.line(piece);
            any = true;
        }
        if any {
            self.end_feature(row, MvtType::Line);
        }
    }

    fn write_polygons(&mut self, shape: ShapeRef<'_>, row: Row, grid: &Grid) {
        let rings = self.polygons.cut(shape, grid);
        if rings.rings.is_empty() {
            return;
        }
        let mut commands = Commands::new(&mut self.commands);
        rings.iter().for_each(|ring| commands.ring(ring));
        self.end_feature(row, MvtType::Polygon);
    }

    fn end_feature(&mut self, row: Row, kind: MvtType) {
        self.rows.push(row);
        self.written.push(WrittenFeature { kind, end: self.commands.len() });
    }

    fn write_features(&mut self, snapshot: &LayerSnapshot, cancel: &Cancel) {
        self.features.clear();
        let out = &mut self.features;
        let mut start = 0;
        for (index, (&row, written)) in self.rows.iter().zip(&self.written).enumerate() {
            if cancel.is_cancelled() {
                return;
            }
            let geometry = &self.commands[start..written.end];
            start = written.end;
            self.tags.clear();
            self.values.write_tags(index, &mut self.tags);
            let id = snapshot.fid(row) as u64;
            // Four keys, the type and its value take a byte each.
            let mut len = 1 + pbf::varint_len(id) + 2;
            len += 1 + pbf::varint_len(geometry.len() as u64) + geometry.len();
            if !self.tags.is_empty() {
                len += 1 + pbf::varint_len(self.tags.len() as u64) + self.tags.len();
            }
            pbf::key(out, 2, pbf::BYTES);
            pbf::varint(out, len as u64);
            pbf::key(out, 1, pbf::VARINT);
            pbf::varint(out, id);
            if !self.tags.is_empty() {
                pbf::bytes(out, 2, &self.tags);
            }
            pbf::key(out, 3, pbf::VARINT);
            pbf::varint(out, written.kind as u64);
            pbf::bytes(out, 4, geometry);
        }
    }

    fn write_layer(&mut self, name: &str, out: &mut Vec<u8>) {
        let mut head = Vec::with_capacity(name.len() + 8);
        pbf::key(&mut head, 15, pbf::VARINT);
        pbf::varint(&mut head, 2);
        pbf::bytes(&mut head, 1, name.as_bytes());
        let mut tail = Vec::with_capacity(4);
        pbf::key(&mut tail, 5, pbf::VARINT);
        pbf::varint(&mut tail, u64::from(EXTENT));
        let parts = [&head, &self.features, &self.values.keys, &self.values.values, &tail];
        let len: usize = parts.iter().map(|part| part.len()).sum();
        out.reserve(len + 6);
        pbf::key(out, 3, pbf::BYTES);
        pbf::varint(out, len as u64);
        parts.iter().for_each(|part| out.extend_from_slice(part));
    }
}
