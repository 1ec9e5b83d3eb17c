//! Layers of points below their detail zoom: points near each other are drawn as one.

use citymap_engine::{Row, ShapeKind};
use rustc_hash::FxHashMap;

use super::{MvtType, Scratch, Thinned};
use crate::{
    TileId,
    cut::grid::{Grid, SIDE, WidePoint},
    layer_tile::LayerTile,
    merge::{Labels, MERGED_ID},
    mvt::pbf::{self, Commands},
};

/// Width in tile units of the squares whose points become one cluster: 64 pixels of 1/512.
pub(crate) const CLUSTER_SIDE: i64 = 512;

/// The points of one square and class.
struct Cluster {
    square: WidePoint,
    label: u16,
    count: u64,
    /// The sums of their coordinates in world units.
    sum: [u64; 2],
}

impl Scratch {
    pub(super) fn encode_clusters(&mut self, request: LayerTile<'_>, out: &mut Vec<u8>) -> Thinned {
        let LayerTile { snapshot, rule, tile, options, cancel, .. } = request;
        let grid = Grid::new(tile, options.buffer);
        let class = rule.class.as_deref().and_then(|name| snapshot.layer().field_index(name));
        // Covers every square that meets the clip box completely, so that a cluster is the same in every tile
        // that shows it.
        let first = grid.low.div_euclid(CLUSTER_SIDE);
        let last = grid.high.div_euclid(CLUSTER_SIDE);
        let reach = tile.grown((-first * CLUSTER_SIDE + 2) as f64);
        let side = (last - first + 1) as u32;
        let mut numbers: FxHashMap<(u32, u16), u32> = FxHashMap::default();
        let mut clusters: Vec<Cluster> = Vec::new();
        let mut labels = Labels::default();
        let mut thinned = Thinned::default();
        // The rows that may be alone, each with its cluster; `None` for a row that is not a point.
        let mut alone: Vec<(Row, Option<u32>)> = Vec::new();
        request.candidates(&reach, |row| {
            if cancel.is_cancelled() {
                return;
            }
            thinned.candidates += 1;
            let shape = snapshot.shape(row);
            let place = match shape.kind() {
                ShapeKind::Point | ShapeKind::MultiPoint => shape.mercator_coords().first().copied(),
                _ => None,
            };
            let Some(world) = place else { return alone.push((row, None)) };
            let square = grid.place(world).map(|unit| unit.div_euclid(CLUSTER_SIDE));
            if square.iter().any(|at| !(first..=last).contains(at)) {
                // Another point of a multi-point may be in the tile.
                if shape.kind() == ShapeKind::MultiPoint {
                    alone.push((row, None));
                }
                return;
            }
            let label = labels.of(snapshot, row, class, u16::MAX);
            let [x, y] = square.map(|at| (at - first) as u32);
            let next = clusters.len() as u32;
            let number = *numbers.entry((y * side + x, label)).or_insert(next);
            if number == next {
                clusters.push(Cluster { square, label, count: 0, sum: [0; 2] });
            }
            let cluster = &mut clusters[number as usize];
            cluster.count += 1;
            cluster.sum = [0, 1].map(|axis| cluster.sum[axis] + u64::from(world[axis]));
            if cluster.count == 1 {
                alone.push((row, Some(number)));
            }
        });
        // A point that is alone is drawn as itself.
        self.candidates.clear();
        let is_alone =
            |cluster: Option<u32>| cluster.is_none_or(|number| clusters[number as usize].count == 1);
        self.candidates.extend(alone.iter().filter(|(_, cluster)| is_alone(*cluster)).map(|(row, _)| *row));
        snapshot.sort(&mut self.candidates);
        let labels = labels.into_list();
        clusters.retain(|cluster| cluster.count > 1);
        clusters.sort_unstable_by_key(|cluster| (cluster.square, &labels[usize::from(cluster.label)]));
        self.tolerance = 0.0;
        self.write_geometry(snapshot, &grid, cancel);
        thinned.drawn = self.rows.len() as u64;
        self.values.collect(snapshot, &self.rows, None);
        self.write_features(snapshot, cancel);

        let mut keys: Option<[u32; 3]> = None;
        let name = class.map_or("", |field| snapshot.layer().fields[field].name.as_str());
        for cluster in &clusters {
            let label = &labels[usize::from(cluster.label)];
            let mean = cluster.sum.map(|sum| (sum / cluster.count) as u32);
            let place = grid.place(mean);
            if !grid.holds(place) {
                continue;
            }
            let [count_key, cluster_key, class_key] = *keys.get_or_insert_with(|| {
                let values = &mut self.values;
                // If single points carry the class, it already has a key.
                [values.add_key("point_count"), values.add_key("cluster"), u32::MAX]
            });
            self.tags.clear();
            let mut wire = Vec::with_capacity(8);
            pbf::key(&mut wire, 5, pbf::VARINT);
            pbf::varint(&mut wire, cluster.count);
            for (key, value) in [(count_key, &wire[..]), (cluster_key, &[7 << 3, 1])] {
                let value = self.values.add_value(value);
                pbf::varint(&mut self.tags, key.into());
                pbf::varint(&mut self.tags, value.into());
            }
            if !label.is_empty() {
                let key = if class_key == u32::MAX { self.class_key(name, &mut keys) } else { class_key };
                let value = self.values.add_value(label);
                pbf::varint(&mut self.tags, key.into());
                pbf::varint(&mut self.tags, value.into());
            }
            self.write_cluster(cluster.square, place, tile, class.is_none());
            thinned.clusters += 1;
            thinned.clustered += cluster.count;
        }
        if !self.features.is_empty() {
            self.write_layer(snapshot.layer().id.as_str(), out);
        }
        thinned
    }

    fn class_key(&mut self, name: &str, keys: &mut Option<[u32; 3]>) -> u32 {
        let number = self.values.key_number(name).unwrap_or_else(|| self.values.add_key(name));
        if let Some(keys) = keys {
            keys[2] = number;
        }
        number
    }

    /// Appends a point with the attributes in `self.tags`.
    fn write_cluster(&mut self, square: [i64; 2], place: WidePoint, tile: TileId, named: bool) {
        self.commands.clear();
        Commands::new(&mut self.commands).points(&[place.map(|unit| unit as i32)]);
        let squares = SIDE / CLUSTER_SIDE;
        let global = |tile: u32, square: i64| (i64::from(tile) * squares + square) as u64 & 0xff_ffff;
        let id = MERGED_ID | global(tile.x(), square[0]) << 24 | global(tile.y(), square[1]);
        let mut len = 2 + 2 + self.tags.len() + 2 + self.commands.len();
        if named {
            len += 1 + pbf::varint_len(id);
        }
        let out = &mut self.features;
        pbf::key(out, 2, pbf::BYTES);
        pbf::varint(out, len as u64);
        if named {
            pbf::key(out, 1, pbf::VARINT);
            pbf::varint(out, id);
        }
        // The lengths below are all less than 128, so each takes one byte.
        pbf::bytes(out, 2, &self.tags);
        pbf::key(out, 3, pbf::VARINT);
        pbf::varint(out, MvtType::Point as u64);
        pbf::bytes(out, 4, &self.commands);
    }
}
