//! Tiles as sent, each computed once however many ask, and kept until a change touches it.
//!
//! An entry knows the revision that it was cut at. It is good for a later one if nothing that changed between the two
//! ([`citymap_live::Touches`]) reaches its tile; then that revision is noted, and nobody looks again. So an edit costs the
//! tiles that show it, and no others.

use std::sync::Arc;

use citymap_engine::{Cancel, TimeInterval};
use citymap_model::RevisionNumber;
use citymap_tile::{ContentEncoding, TileId};
use moka::{ops::compute::Op, sync::Cache};

use super::{
    cached::{CachedTile, EncodedTile, TileSource, Validity},
    format::TileFormat,
};
use crate::{
    app::App,
    http::{negotiate::Encodings, problem::Problem},
};

/// Below this zoom a cold tile shows districts at once: it is worked on where large questions are.
const LARGE_BELOW: u8 = 10;

/// Which tile.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TileKey {
    /// The layers' names in their order, with commas between.
    pub(super) layers: Box<str>,
    pub(super) tile: TileId,
    pub(super) format: TileFormat,
    pub(super) time: Option<TimeInterval>,
    /// Of a former city: which one. Its tiles never change.
    pub(super) former: Option<PastState>,
}

/// A former city: its record, the revision that last touched each layer, and what of it is personal now.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PastState {
    pub(super) epoch: u64,
    pub(super) revisions: Box<[RevisionNumber]>,
    pub(super) definitions: u64,
}

/// Tiles as sent, the ones asked for most and last; so many bytes.
pub(crate) struct TileCache(Cache<TileKey, Arc<CachedTile>>);

impl TileCache {
    pub(crate) fn new(bytes: u64) -> Self {
        let weigh = |_: &TileKey, entry: &Arc<CachedTile>| u32::try_from(entry.weight()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }

    /// The entry that holds for the source, an empty one where there is none yet; `false`: it is not to be kept.
    fn entry(&self, key: &TileKey, source: &TileSource, app: &App) -> (Arc<CachedTile>, bool) {
        if let Some(entry) = self.0.get(key)
            && (key.former.is_some() || entry.validity(source, &app.tiler) == Validity::Holds)
        {
            return (entry, true);
        }
        let fresh = Arc::new(CachedTile::new(source));
        let mut newer = false;
        let outcome = self.0.entry_by_ref(key).and_compute_with(|present| match present {
            // Somebody was faster.
            Some(_) if key.former.is_some() => Op::Nop,
            Some(present) => match present.value().validity(source, &app.tiler) {
                Validity::Holds => Op::Nop,
                Validity::Stale => Op::Put(Arc::clone(&fresh)),
                Validity::Newer => {
                    newer = true;
                    Op::Nop
                }
            },
            None => Op::Put(Arc::clone(&fresh)),
        });
        match outcome.into_entry() {
            Some(entry) if !newer => (entry.into_value(), true),
            _ => (fresh, false),
        }
    }

    /// Weighs an entry again that has grown, if it is still the one.
    fn grown(&self, key: TileKey, entry: &Arc<CachedTile>) {
        self.0.entry(key).and_compute_with(|present| match present {
            Some(present) if Arc::ptr_eq(present.value(), entry) => Op::Put(present.into_value()),
            _ => Op::Nop,
        });
    }
}

/// The tile in the encoding that suits the client best.
pub(super) async fn fetch(
    app: &Arc<App>,
    key: TileKey,
    source: TileSource,
    accepted: &Encodings,
) -> Result<(EncodedTile, ContentEncoding), Problem> {
    let (entry, kept) = app.tiles.entry(&key, &source, app);
    let encoding = accepted.best(|encoding| entry.sent(encoding).is_some());
    if let Some(sent) = entry.sent(encoding) {
        return Ok((sent.clone(), encoding));
    }
    let single_flight = Arc::clone(&entry);
    let begin = || {
        let app = Arc::clone(app);
        async move { make(app, key, source, entry, kept, encoding).await }
    };
    let sent = single_flight.flights[encoding as usize].join(begin).await?;
    Ok((sent, encoding))
}

async fn make(
    app: Arc<App>,
    key: TileKey,
    source: TileSource,
    entry: Arc<CachedTile>,
    kept: bool,
    encoding: ContentEncoding,
) -> Result<EncodedTile, Problem> {
    let large = source.tile.z() < LARGE_BELOW;
    let work = {
        let app = Arc::clone(&app);
        move |cancel: &Cancel| {
            let sent = entry.make(&source, encoding, &app.tiler, cancel)?;
            if kept {
                app.tiles.grown(key, &entry);
            }
            Ok(sent)
        }
    };
    if large { app.large.run(work).await } else { app.pool.run_with(Cancel::new(), work).await }
}
