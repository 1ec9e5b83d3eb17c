use std::sync::{
    Arc, Mutex, OnceLock, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use axum::{body::Bytes, http::HeaderValue};
use citymap_engine::{Cancel, LayerSnapshot, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::RevisionNumber;
use citymap_tile::{ContentEncoding, TileId, TileOptions, Tiler, touched_tiles};

use super::{format::TileFormat, mlt, single_flight::SingleFlight};
use crate::http::problem::Problem;

/// A tile as sent.
#[derive(Clone)]
pub(crate) struct EncodedTile {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
}

/// What a tile is cut from.
#[derive(Clone)]
pub(super) struct TileSource {
    pub(super) city_snapshot: CitySnapshot,
    /// In the order that they have in the tile.
    pub(super) layers: Vec<Arc<LayerSnapshot>>,
    pub(super) tile: TileId,
    pub(super) time: Option<TimeInterval>,
    pub(super) format: TileFormat,
}

impl TileSource {
    fn cut(&self, tiler: &Tiler, cancel: &Cancel) -> Result<Vec<u8>, Problem> {
        let layers: Vec<&LayerSnapshot> = self.layers.iter().map(AsRef::as_ref).collect();
        let mvt = tiler.encode(&layers, self.tile, &TileOptions::default().during(self.time));
        cancel.check().map_err(|gone| Problem::unavailable(gone.to_string(), 1))?;
        match self.format {
            TileFormat::Mvt => Ok(mvt),
            TileFormat::Mlt => mlt::from_mvt(&mvt).map_err(|error| {
                Problem::internal(format!("tile {} cannot be had as MLT: {error}", self.tile))
            }),
        }
    }
}

/// Whether what was computed holds for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Holds,
    /// Something in the tile has changed since.
    Stale,
    /// It is of a later city than the snapshot: good for others.
    Newer,
}

/// One tile with the encodings of it that somebody has asked for.
pub(super) struct CachedTile {
    epoch: u64,
    /// For each layer: the revision that it was cut at, and the last one known to have changed nothing in it.
    layers: Box<[(RevisionNumber, AtomicU64)]>,
    plain: Mutex<Weak<RawTile>>,
    sent: [OnceLock<EncodedTile>; ContentEncoding::ALL.len()],
    pub(super) flights: [SingleFlight<EncodedTile>; ContentEncoding::ALL.len()],
}

/// The bytes before they are packed.
struct RawTile(Vec<u8>);

/// So that the bytes of an unpacked answer are the ones that were cut, not a copy.
struct SharedBytes(Arc<RawTile>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.0
    }
}

impl CachedTile {
    pub(super) fn new(source: &TileSource) -> Self {
        let revision = |layer: &Arc<LayerSnapshot>| (layer.revision(), AtomicU64::new(layer.revision()));
        Self {
            epoch: source.city_snapshot.epoch,
            layers: source.layers.iter().map(revision).collect(),
            plain: Mutex::default(),
            sent: Default::default(),
            flights: Default::default(),
        }
    }

    /// Whether it holds for the source's city. What has been found unchanged is looked at once.
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
        if newer { Validity::Newer } else { Validity::Holds }
    }

    pub(super) fn sent(&self, encoding: ContentEncoding) -> Option<&EncodedTile> {
        self.sent[encoding as usize].get()
    }

    /// Bytes in memory.
    pub(super) fn weight(&self) -> usize {
        // The entry itself, its key and its places in the cache.
        600 + self.sent.iter().filter_map(OnceLock::get).map(|sent| sent.bytes.len()).sum::<usize>()
    }

    /// Makes the tile in an encoding, from what there is of it. CPU work.
    pub(super) fn make(
        &self,
        source: &TileSource,
        encoding: ContentEncoding,
        tiler: &Tiler,
        cancel: &Cancel,
    ) -> Result<EncodedTile, Problem> {
        if let Some(sent) = self.sent(encoding) {
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
        // Of the bytes as sent: packers may choose by the processor, and then two servers send one tile in two ways.
        let tag = xxhash_rust::xxh3::xxh3_64(&bytes);
        let suffix = encoding.header_value().map_or(String::new(), |name| format!("-{name}"));
        // Digits and letters in quotes are always a header.
        let etag = HeaderValue::from_str(&format!("\"{tag:016x}{suffix}\""))
            .unwrap_or_else(|_never| HeaderValue::from_static("\"tile\""));
        Ok(self.sent[encoding as usize].get_or_init(|| EncodedTile { bytes, etag }).clone())
    }

    /// The bytes before encoding: cut once, also where several encodings are asked for at once.
    fn plain(&self, source: &TileSource, tiler: &Tiler, cancel: &Cancel) -> Result<Arc<RawTile>, Problem> {
        let mut place = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plain) = place.upgrade() {
            return Ok(plain);
        }
        let bytes = match self.unpacked() {
            Some(bytes) => bytes,
            None => source.cut(tiler, cancel)?,
        };
        let plain = Arc::new(RawTile(bytes));
        *place = Arc::downgrade(&plain);
        Ok(plain)
    }

    /// From an encoding that somebody has asked for before.
    fn unpacked(&self) -> Option<Vec<u8>> {
        if let Some(plain) = self.sent(ContentEncoding::Identity) {
            return Some(plain.bytes.to_vec());
        }
        let (encoding, sent) =
            ContentEncoding::ALL.into_iter().find_map(|encoding| Some((encoding, self.sent(encoding)?)))?;
        if sent.bytes.is_empty() {
            return Some(Vec::new());
        }
        citymap_tile::decompress(&sent.bytes, encoding)
    }
}

/// Whether a change since `until` may show in the tile.
fn touched(source: &TileSource, layer: &LayerSnapshot, until: RevisionNumber, tiler: &Tiler) -> bool {
    let Some(mut boxes) = source.city_snapshot.touches.between(&layer.layer().id, until, layer.revision())
    else {
        return true;
    };
    let (zoom, buffer) = (source.tile.z(), TileOptions::default().buffer);
    boxes.any(|bbox| {
        let reach = tiler.reach(layer, bbox, zoom);
        touched_tiles(&reach, zoom, buffer).map_or(true, |range| range.contains(source.tile))
    })
}
