//! Files beside the record that hold the layers as they lie in memory, so that a start maps them and reads nothing.
//!
//! A file is never trusted: its head, the checksum of each part and the numbers in it are checked, it must be of the same
//! record (the log's entry of its revision), of the same program's format, and, where the record can be edited past its
//! revisions, nobody may have done so since. Where the record has gone on, the difference is applied; where anything is wrong,
//! the layer is read from the store and a new file is written. Files may be removed at any time.

mod file;
mod keeper;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use citymap_engine::LayerSnapshot;
use citymap_model::{LayerId, Revision, RevisionNumber};
use citymap_store::{LayerEntry, ReadView};

use crate::{Live, LiveError};
use file::{Head, Unfit};
pub(crate) use keeper::Keeper;

/// The layer's file.
fn path(folder: &Path, id: &LayerId) -> PathBuf {
    folder.join(format!("{id}.snapshot"))
}

/// A layer from its file, as it was at revision `city`.
pub(crate) struct Found {
    pub(crate) snapshot: Arc<LayerSnapshot>,
    pub(crate) city: RevisionNumber,
    pub(crate) stamp: String,
}

impl Live {
    /// The layer from its file, where there is one that goes with the record; why not, in the log.
    pub(crate) fn in_file(
        &self,
        view: &dyn ReadView,
        entry: &LayerEntry,
    ) -> Result<Option<Found>, LiveError> {
        let Some(keeper) = &self.shared.keeper else { return Ok(None) };
        let start = Instant::now();
        let id = &entry.layer.id;
        let path = path(keeper.folder(), id);
        let opened = match file::open(&path) {
            Err(Unfit::Missing) => return Ok(None),
            other => other,
        };
        let fit = match &opened {
            Ok(opened) => self.fits(opened.head(), view, entry)?,
            Err(_) => Ok(()),
        };
        let read = opened.and_then(|opened| {
            fit?;
            let (city, stamp) = (opened.head().city, opened.head().stamp.clone());
            Ok((opened.snapshot()?, city, stamp))
        });
        match read {
            Ok((snapshot, city, stamp)) => {
                tracing::info!(
                    layer = %id,
                    features = snapshot.len(),
                    ms = start.elapsed().as_millis() as u64,
                    "layer taken from its snapshot file"
                );
                keeper.has(id, snapshot.base().id());
                Ok(Some(Found { snapshot: Arc::new(snapshot), city, stamp }))
            }
            Err(unfit) => {
                tracing::warn!(
                    layer = %id,
                    file = %path.display(),
                    reason = %unfit,
                    "a snapshot file is of no use; the layer is read from the store and the file written anew"
                );
                Ok(None)
            }
        }
    }

    /// Whether a file is of this record, and of nothing that was edited past its revisions.
    fn fits(
        &self,
        head: &Head,
        view: &dyn ReadView,
        entry: &LayerEntry,
    ) -> Result<Result<(), Unfit>, LiveError> {
        let no = |reason: &str| Ok(Err(Unfit::Other(reason.to_owned())));
        if head.layer.id != entry.layer.id {
            return no("it is of another layer");
        }
        if head.city > view.revision() || head.revision > entry.revision {
            return no("it is of a later revision than the store has");
        }
        if self.head(head.city)? != head.record {
            return no("it is of another record");
        }
        if head.revision == entry.revision && head.layer != entry.layer {
            return no("the layer is defined otherwise");
        }
        match view.stamp(&entry.layer.id)? {
            Some(stamp) if stamp == head.stamp => Ok(Ok(())),
            Some(_) => no("another program has edited the layer since"),
            None => no("nobody knows whether another program has edited the layer since"),
        }
    }
}

/// What a file is written of, taken together.
pub(crate) struct Present {
    pub(crate) snapshot: Arc<LayerSnapshot>,
    pub(crate) city: RevisionNumber,
    pub(crate) record: Option<Revision>,
    pub(crate) stamp: String,
}
