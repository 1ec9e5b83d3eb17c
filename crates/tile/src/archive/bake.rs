//! Bakes all tiles of a range of zooms into an archive, in chunks that survive a killed process.

use std::{ops::RangeInclusive, path::Path};

use citymap_engine::{Bbox, LayerSnapshot};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{
    enumerate,
    error::BakeError,
    header::{Header, TileType},
    number::tile_of_number,
    work::{Hash, WorkFolder, at, hash},
    write,
};
use crate::{ContentEncoding, Effort, TileOptions, Tiler, compress_for, tilejson};

/// Number of tiles between two checkpoints. Their encoded bytes are in memory at the same time.
const CHUNK: usize = 256;

/// Which tiles to bake, and how to encode them.
#[derive(Clone, Debug)]
pub struct BakeOptions {
    /// First and last zoom.
    pub zooms: RangeInclusive<u8>,
    /// Only tiles whose square meets this box (WGS 84 degrees).
    pub bbox: Option<Bbox>,
    /// How each tile is compressed.
    pub encoding: ContentEncoding,
    /// How tiles are cut.
    pub tiles: TileOptions,
    /// Discards the work of an unfinished bake to the same file.
    pub anew: bool,
}

/// How much of a bake is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Number of tiles processed so far, including empty ones.
    pub done: u64,
    /// Number of tiles to process.
    pub total: u64,
}

/// Totals of a finished bake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Baked {
    /// Number of tiles that are not empty.
    pub tiles: u64,
    /// Number of directory entries: runs of tiles with equal content.
    pub entries: u64,
    /// Number of distinct contents.
    pub contents: u64,
    /// Length of the archive in bytes.
    pub bytes: u64,
    /// Number of tiles that an earlier, unfinished bake had already processed.
    pub taken_over: u64,
    /// Why the work of an unfinished bake could not be used: what has changed since. `None` if it was used or
    /// there was none.
    pub begun_anew: Option<String>,
}

/// Bakes all tiles of the zooms with the given layers into one PMTiles archive at `out`, on all threads of
/// rayon.
///
/// Finished tiles are kept in a folder `<out>.baking`, so that the same call continues after the process was
/// killed, to the same bytes. The archive appears when it is complete; then the folder is removed. All layers
/// must be of one revision. Memory use: the encoded bytes of 256 tiles, plus some 80 bytes for each tile.
///
/// # Errors
/// [`BakeError`] if a file cannot be written, another bake is running, or there are no tiles or too many.
pub fn bake(
    tiler: &Tiler,
    layers: &[&LayerSnapshot],
    out: &Path,
    options: &BakeOptions,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Baked, BakeError> {
    let numbers = enumerate::tiles(layers, &options.zooms, options.bbox.as_ref(), &options.tiles)?;
    let total = numbers.len() as u64;
    let mut folder = out.file_name().unwrap_or_default().to_owned();
    folder.push(".baking");
    let folder = out.with_file_name(folder);
    let manifest = manifest(layers, options, total);
    let (mut work, begun_anew) = WorkFolder::open(&folder, &manifest, options.anew)?;
    let taken_over = (work.chunks * CHUNK as u64).min(total);
    layers.iter().for_each(|layer| tiler.prepare(layer));
    progress(Progress { done: taken_over, total });
    for chunk in numbers.chunks(CHUNK).skip(work.chunks as usize) {
        let tiles: Vec<(u64, Hash, Vec<u8>)> = chunk
            .par_iter()
            .filter_map(|&number| {
                let bytes = tiler.encode(layers, tile_of_number(number)?, &options.tiles);
                if bytes.is_empty() {
                    return None;
                }
                let encoded = compress_for(&bytes, options.encoding, Effort::Once);
                Some((number, hash(&encoded), encoded))
            })
            .collect();
        work.keep(&tiles)?;
        progress(Progress { done: (work.chunks * CHUNK as u64).min(total), total });
    }
    let tiles = work.placed.len() as u64;
    if tiles == 0 {
        work.remove()?;
        return Err(BakeError::Nothing);
    }
    let contents = work.content_count();
    let header = header(layers, options);
    let metadata = metadata(layers, options).to_string();
    let (entries, bytes) = write::archive(out, header, metadata.as_bytes(), &mut work)?;
    work.remove()?;
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        // Make sure that the new name is on disk too.
        std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(at(parent))?;
    }
    Ok(Baked { tiles, entries, contents, bytes, taken_over, begun_anew })
}

fn encoding_name(encoding: ContentEncoding) -> &'static str {
    encoding.header_value().unwrap_or("none")
}

/// Everything that the bytes depend on. An unfinished bake is continued only if this is unchanged.
fn manifest(layers: &[&LayerSnapshot], options: &BakeOptions, total: u64) -> String {
    let revision = layers.iter().map(|layer| layer.revision()).max();
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| {
            json!({
                "definition": layer.layer(),
                "features": layer.len(),
                "extent": layer.extent().map(|extent| [extent.min, extent.max]),
            })
        })
        .collect();
    let manifest = json!({
        "program": env!("CARGO_PKG_VERSION"),
        "revision": revision,
        "layers": layers,
        "zooms": [options.zooms.start(), options.zooms.end()],
        "bbox": options.bbox.map(|bbox| [bbox.min, bbox.max]),
        "packing": encoding_name(options.encoding),
        "cut": format!("{:?}", options.tiles),
        "tiles": total,
        "chunk": CHUNK,
    });
    format!("{manifest:#}\n")
}

fn bounds(layers: &[&LayerSnapshot], options: &BakeOptions) -> Bbox {
    let world = Bbox::new(-180.0, -85.0, 180.0, 85.0);
    let extent = layers.iter().filter_map(|layer| layer.extent()).reduce(Bbox::union).unwrap_or(world);
    match options.bbox {
        Some(bbox) if bbox.intersects(&extent) => Bbox::new(
            extent.min[0].max(bbox.min[0]),
            extent.min[1].max(bbox.min[1]),
            extent.max[0].min(bbox.max[0]),
            extent.max[1].min(bbox.max[1]),
        ),
        _ => extent,
    }
}

fn header(layers: &[&LayerSnapshot], options: &BakeOptions) -> Header {
    let bounds = bounds(layers, options);
    let middle = [0, 1].map(|axis| (bounds.min[axis] + bounds.max[axis]) / 2.0);
    let zooms = [*options.zooms.start(), *options.zooms.end()];
    Header {
        root: (0, 0),
        metadata: (0, 0),
        leaves: (0, 0),
        data: (0, 0),
        counts: [0; 3],
        clustered: true,
        inner: ContentEncoding::Gzip,
        encoding: options.encoding,
        tile_type: TileType::Mvt,
        zooms,
        bounds,
        center: (middle, zooms[0].max(11).min(zooms[1])),
    }
}

/// The metadata of the archive: what TileJSON says about the layers.
fn metadata(layers: &[&LayerSnapshot], options: &BakeOptions) -> Value {
    let mut description = tilejson(layers, "");
    if let Some(description) = description.as_object_mut() {
        for name in ["tilejson", "tiles", "scheme", "minzoom", "maxzoom", "bounds"] {
            description.shift_remove(name);
        }
        if let Some(layers) = description.get_mut("vector_layers").and_then(Value::as_array_mut) {
            for layer in layers {
                layer["minzoom"] = json!(options.zooms.start());
                layer["maxzoom"] = json!(options.zooms.end());
            }
        }
        description.insert("type".into(), "overlay".into());
        description.insert("generator".into(), concat!("citymap ", env!("CARGO_PKG_VERSION")).into());
        description
            .insert("citymap_revision".into(), json!(layers.iter().map(|layer| layer.revision()).max()));
    }
    description
}
