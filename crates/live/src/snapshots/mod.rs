//! Snapshot files: layers as they are in memory, so that a start maps them instead of reading the store.
//!
//! A file is never trusted. Its head, the checksum of each section and the numbers in it are checked. It must
//! be of the same record (the log's entry of its revision) and in the format of this program, and if other
//! programs can edit the record, none may have done so since. If the record has later revisions, their
//! changes are applied. If anything is wrong, the layer is read from the store and a new file is written.
//! Files may be deleted at any time.

mod file;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use citymap_engine::LayerSnapshot;
use citymap_model::{LayerId, Revision, RevisionNumber};
use citymap_store::{LayerEntry, ReadView};

use crate::{Live, LiveError};
use file::{Head, Unusable};
pub(crate) use writer::SnapshotWriter;

/// The path of a layer's snapshot file.
fn file_path(folder: &Path, id: &LayerId) -> PathBuf {
    folder.join(format!("{id}.snapshot"))
}

/// A layer from its snapshot file.
pub(crate) struct FileLayer {
    pub(crate) snapshot: Arc<LayerSnapshot>,
    /// The revision of the city at which the file was written.
    pub(crate) city_revision: RevisionNumber,
    /// The store's stamp of the layer at that revision.
    pub(crate) stamp: String,
}

impl Live {
    /// The layer from its snapshot file; `None` if there is no file that fits the record. The log says why
    /// not.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) fn read_snapshot_file(
        &self,
        view: &dyn ReadView,
        entry: &LayerEntry,
    ) -> Result<Option<FileLayer>, LiveError> {
        let Some(writer) = &self.shared.snapshot_writer else { return Ok(None) };
        let start = Instant::now();
        let id = &entry.layer.id;
        let path = file_path(writer.folder(), id);
        let opened = match file::open(&path) {
            Err(Unusable::Missing) => return Ok(None),
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
                writer.remember(id, snapshot.base().id());
                Ok(Some(FileLayer { snapshot: Arc::new(snapshot), city_revision: city, stamp }))
            }
            Err(unusable) => {
                tracing::warn!(
                    layer = %id,
                    file = %path.display(),
                    reason = %unusable,
                    "a snapshot file cannot be used; the layer is read from the store, and the file rewritten"
                );
                Ok(None)
            }
        }
    }

    /// Whether a file is of this record, and no other program has edited the layer since it was written. The
    /// outer error is the store's.
    fn fits(
        &self,
        head: &Head,
        view: &dyn ReadView,
        entry: &LayerEntry,
    ) -> Result<Result<(), Unusable>, LiveError> {
        let no = |reason: &str| Ok(Err(Unusable::Other(reason.to_owned())));
        if head.layer.id != entry.layer.id {
            return no("it is of a different layer");
        }
        if head.city > view.revision() || head.revision > entry.revision {
            return no("it is of a later revision than the store has");
        }
        if self.head(head.city)? != head.record {
            return no("it is of a different record");
        }
        if head.revision == entry.revision && head.layer != entry.layer {
            return no("the definition of the layer is different");
        }
        match view.stamp(&entry.layer.id)? {
            Some(stamp) if stamp == head.stamp => Ok(Ok(())),
            Some(_) => no("another program has edited the layer since"),
            None => no("it is unknown whether another program has edited the layer since"),
        }
    }
}

/// What a snapshot file is written from, all as of one moment.
pub(crate) struct FileContent {
    pub(crate) snapshot: Arc<LayerSnapshot>,
    /// The revision of the city.
    pub(crate) city_revision: RevisionNumber,
    /// The log's entry of that revision.
    pub(crate) record: Option<Revision>,
    pub(crate) stamp: String,
}
