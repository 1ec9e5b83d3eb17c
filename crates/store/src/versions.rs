//! What became of one feature, from the log and what differs between neighbouring revisions: right in every store, and
//! only as quick as the layer's history is short.

use citymap_model::{Feature, Fid, Layer, LayerId, RevisionNumber};

use crate::{Store, StoreError};

/// Revisions of the log that are read at once.
const PAGE: usize = 1_000;

/// What a revision made of a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The revision.
    pub revision: RevisionNumber,
    /// The layer as of that revision; `None` where it was dropped.
    pub layer: Option<Layer>,
    /// The feature as of that revision, its values in the order of that layer's fields; `None` where it went.
    pub feature: Option<Feature>,
}

/// See [`Store::versions`].
pub(crate) fn walk<S: Store + ?Sized>(
    store: &S,
    layer: &LayerId,
    fid: Fid,
    until: RevisionNumber,
    limit: usize,
) -> Result<Vec<Version>, StoreError> {
    let newest = store.revision()?;
    if until > newest {
        return Err(StoreError::NoRevision { asked: until, newest });
    }
    let mut versions = Vec::new();
    for revision in touching(store, layer, until)?.into_iter().rev() {
        if versions.len() == limit {
            break;
        }
        match version(store, layer, fid, revision) {
            Ok(found) => versions.extend(found),
            // Here the history begins.
            Err(StoreError::NoHistory { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(versions)
}

/// The revisions up to `until` that touched a layer.
fn touching<S: Store + ?Sized>(
    store: &S,
    layer: &LayerId,
    until: RevisionNumber,
) -> Result<Vec<RevisionNumber>, StoreError> {
    let mut found = Vec::new();
    let mut after = 0;
    while after < until {
        let page = store.log_after(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.number;
        let touching = page.iter().filter(|own| own.changes.iter().any(|change| change.layer == *layer));
        found.extend(touching.map(|own| own.number).filter(|number| *number <= until));
    }
    Ok(found)
}

fn version<S: Store + ?Sized>(
    store: &S,
    layer: &LayerId,
    fid: Fid,
    revision: RevisionNumber,
) -> Result<Option<Version>, StoreError> {
    let view = store.view_at(revision)?;
    let (mut found, mut passed) = (None, false);
    let outcome = view.changes(layer, revision - 1, &mut |change| {
        passed = change.fid >= fid;
        if change.fid == fid {
            found = Some(change.after);
        }
        // They come by their numbers.
        if passed { Err(StoreError::Stopped("found".to_owned())) } else { Ok(()) }
    });
    match outcome {
        Ok(()) => {}
        Err(StoreError::Stopped(_)) if passed => {}
        // It came and went within the revision.
        Err(StoreError::NoLayer(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let Some(feature) = found else { return Ok(None) };
    let layer = view.layers()?.into_iter().map(|entry| entry.layer).find(|own| own.id == *layer);
    Ok(Some(Version { revision, layer, feature }))
}
