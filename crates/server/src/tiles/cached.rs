//! One tile of the cache: its encodings, and whether it is still valid.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use axum::{body::Bytes, http::HeaderValue};
use citymap_engine::{Cancel, Filter, LayerSnapshot, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::RevisionNumber;
use citymap_render::raster::Source;
use citymap_tile::{ContentEncoding, TileId, TileOptions, Tiler, touched_tiles};

use super::{format::TileFormat, mlt, pictures::PictureTiles};
use crate::{http::problem::Problem, work::SingleFlight};

/// A tile in one content coding, with the ETag of exactly these bytes.
#[derive(Clone)]
pub(crate) struct EncodedTile {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
}

/// What a tile is cut from.
#[derive(Clone)]
pub(super) struct TileSource {
    pub(super) city_snapshot: CitySnapshot,
    /// In their order in the tile.
    pub(super) layers: Vec<Arc<LayerSnapshot>>,
    pub(super) tile: TileId,
    pub(super) time: Option<TimeInterval>,
    /// Only features of the only layer for which this is true. Such tiles are cut for each request.
    pub(super) filter: Option<Arc<Filter>>,
    pub(super) content: TileContent,
}

/// What the bytes of a tile are.
#[derive(Clone)]
pub(super) enum TileContent {
    /// Features, cut from the layers.
    Vector(TileFormat),
    /// Pictures of a map: the tile is a block of them, which are drawn at once.
    Pictures(Arc<PictureTiles>),
}

/// What tells the contents of tiles at one place apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ContentKey {
    /// A vector tile in this format.
    Vector(TileFormat),
    /// The [`PictureTiles::key`] of pictures.
    Pictures(u64),
}

impl TileContent {
    /// The key of the content in the cache.
    pub(super) fn key(&self) -> ContentKey {
        match self {
            Self::Vector(format) => ContentKey::Vector(*format),
            Self::Pictures(pictures) => ContentKey::Pictures(pictures.key()),
        }
    }
}

impl TileSource {
    fn cut(&self, tiler: &Tiler, cancel: &Cancel) -> Result<Vec<u8>, Problem> {
        let format = match &self.content {
            TileContent::Vector(format) => *format,
            TileContent::Pictures(pictures) => {
                let city = &self.city_snapshot.city;
                return pictures.draw(self.tile, &Source { city, tiler, time: self.time, cancel });
            }
        };
        let layers: Vec<&LayerSnapshot> = self.layers.iter().map(AsRef::as_ref).collect();
        let options = TileOptions::default().during(self.time);
        let mvt = match (&self.filter, layers.as_slice()) {
            (Some(filter), [layer]) => tiler.encode_where((layer, filter), self.tile, &options, cancel),
            _ => tiler.encode_until(&layers, self.tile, &options, cancel),
        };
        let mvt = mvt.map_err(|gone| Problem::unavailable(gone.to_string(), 1))?;
        match format {
            TileFormat::Mvt => Ok(mvt),
            TileFormat::Mlt => mlt::from_mvt(&mvt).map_err(|error| {
                Problem::internal(format!("tile {} could not be converted to MLT: {error}", self.tile))
            }),
        }
    }
}

/// Whether a cached tile is valid for a snapshot of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// Nothing in the tile has changed.
    Valid,
    /// Something in the tile has changed since.
    Stale,
    /// The tile is newer than the snapshot; it is valid for other requests.
    Newer,
}

/// One tile with the encodings that clients have requested.
pub(super) struct CachedTile {
    epoch: u64,
    /// For each layer: the revision that it was cut at, and the newest one for which it is known to be valid.
    layers: Box<[(RevisionNumber, AtomicU64)]>,
    plain: Mutex<Weak<RawTile>>,
    encoded: [OnceLock<EncodedTile>; ContentEncoding::ALL.len()],
    pub(super) flights: [SingleFlight<EncodedTile>; ContentEncoding::ALL.len()],
}

/// The bytes before encoding.
struct RawTile(Vec<u8>);

/// Lets an answer without encoding share the bytes that were cut, without a copy.
struct SharedBytes(Arc<RawTile>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.0
    }
}

impl CachedTile {
    /// A tile without any encoding yet.
    pub(super) fn new(source: &TileSource) -> Self {
        let revision = |layer: &Arc<LayerSnapshot>| (layer.revision(), AtomicU64::new(layer.revision()));
        Self {
            epoch: source.city_snapshot.epoch,
            layers: source.layers.iter().map(revision).collect(),
            plain: Mutex::default(),
            encoded: Default::default(),
            flights: Default::default(),
        }
    }

    /// Whether the tile is valid for the source's city. Changes that do not touch the tile are checked once.
    pub(super) fn validity(&self, source: &TileSource, tiler: &Tiler) -> Validity {
        if self.epoch != source.city_snapshot.epoch || self.layers.len() != source.layers.len() {
            return if self.epoch > source.city_snapshot.epoch { Validity::Newer } else { Validity::Stale };
        }
        let mut newer = false;
        for ((cut, good), layer) in self.layers.iter().zip(&source.layers) {
            let now = layer.revision();
            newer |= now < *cut;
            let until = good.load(Ordering::Acquire);
            if now <= until {
                continue;
            }
            if touched(source, layer, until, tiler) {
                return Validity::Stale;
            }
            good.fetch_max(now, Ordering::AcqRel);
        }
        if newer { Validity::Newer } else { Validity::Valid }
    }

    /// The tile in this encoding, if it has been made.
    pub(super) fn encoded(&self, encoding: ContentEncoding) -> Option<&EncodedTile> {
        self.encoded[encoding as usize].get()
    }

    /// The size in memory in bytes.
    pub(super) fn weight(&self) -> usize {
        // The entry itself, its key and its bookkeeping in the cache.
        600 + self.encoded.iter().filter_map(OnceLock::get).map(|sent| sent.bytes.len()).sum::<usize>()
    }

    /// Makes the tile in an encoding, from another encoding if there is one. CPU work.
    ///
    /// # Errors
    /// 503 if `cancel` is set in the meantime.
    pub(super) fn make(
        &self,
        source: &TileSource,
        encoding: ContentEncoding,
        tiler: &Tiler,
        cancel: &Cancel,
    ) -> Result<EncodedTile, Problem> {
        if let Some(sent) = self.encoded(encoding) {
            return Ok(sent.clone());
        }
        let plain = self.plain(source, tiler, cancel)?;
        cancel.check().map_err(|gone| Problem::unavailable(gone.to_string(), 1))?;
        let bytes = if plain.0.is_empty() {
            Bytes::new()
        } else if encoding == ContentEncoding::Identity {
            Bytes::from_owner(SharedBytes(plain))
        } else {
            citymap_tile::compress(&plain.0, encoding).into()
        };
        // A tag of the encoded bytes: compressors may choose by the processor, so two servers may encode a
        // tile differently.
        let tag = xxhash_rust::xxh3::xxh3_64(&bytes);
        let suffix = encoding.header_value().map_or(String::new(), |name| format!("-{name}"));
        // Letters and digits in quotes are always a valid header value.
        let etag = HeaderValue::from_str(&format!("\"{tag:016x}{suffix}\""))
            .unwrap_or_else(|_never| HeaderValue::from_static("\"tile\""));
        Ok(self.encoded[encoding as usize].get_or_init(|| EncodedTile { bytes, etag }).clone())
    }

    /// The bytes before encoding. They are cut once, even if several encodings are requested at the same
    /// time.
    fn plain(&self, source: &TileSource, tiler: &Tiler, cancel: &Cancel) -> Result<Arc<RawTile>, Problem> {
        let mut plain_slot = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plain) = plain_slot.upgrade() {
            return Ok(plain);
        }
        let bytes = match self.decompressed() {
            Some(bytes) => bytes,
            None => source.cut(tiler, cancel)?,
        };
        let plain = Arc::new(RawTile(bytes));
        *plain_slot = Arc::downgrade(&plain);
        Ok(plain)
    }

    /// The bytes from an encoding that was made earlier.
    fn decompressed(&self) -> Option<Vec<u8>> {
        if let Some(plain) = self.encoded(ContentEncoding::Identity) {
            return Some(plain.bytes.to_vec());
        }
        let (encoding, sent) = ContentEncoding::ALL
            .into_iter()
            .find_map(|encoding| Some((encoding, self.encoded(encoding)?)))?;
        if sent.bytes.is_empty() {
            return Some(Vec::new());
        }
        citymap_tile::decompress(&sent.bytes, encoding)
    }
}

/// True if a change after `until` may show in the tile.
fn touched(source: &TileSource, layer: &LayerSnapshot, until: RevisionNumber, tiler: &Tiler) -> bool {
    let Some(mut boxes) = source.city_snapshot.changes.between(&layer.layer().id, until, layer.revision())
    else {
        return true;
    };
    let zoom = source.tile.z();
    let (drawn_at, buffer) = match &source.content {
        TileContent::Vector(_) => (zoom, TileOptions::default().buffer),
        TileContent::Pictures(pictures) => (pictures.style_zoom(source.tile), pictures.buffer()),
    };
    boxes.any(|bbox| {
        let reach = tiler.reach(layer, bbox, drawn_at);
        touched_tiles(&reach, zoom, buffer).map_or(true, |range| range.contains(source.tile))
    })
}
