//! The versions of one feature, from the log and the differences between neighbouring revisions. This works
//! for every store; its time grows with the length of the layer's history.

use citymap_model::{Feature, Fid, Layer, LayerId, RevisionNumber};

use crate::{Store, StoreError};

/// Revisions of the log that are read together.
const PAGE: usize = 1_000;

/// A feature as one revision left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The revision that made this version.
    pub revision: RevisionNumber,
    /// The definition of the layer at that revision; `None` if the layer was dropped.
    pub layer: Option<Layer>,
    /// The feature at that revision, its values in the order of that layer's fields; `None` if it was
    /// deleted.
    pub feature: Option<Feature>,
}

/// Implements [`Store::versions`] on the rest of the trait.
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
            // The history begins here.
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
        // Changes come in the order of their numbers.
        if passed { Err(StoreError::Stopped("found".to_owned())) } else { Ok(()) }
    });
    match outcome {
        Ok(()) => {}
        Err(StoreError::Stopped(_)) if passed => {}
        // It was added and deleted within the revision.
        Err(StoreError::NoLayer(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let Some(feature) = found else { return Ok(None) };
    let layer = view.layers()?.into_iter().map(|entry| entry.layer).find(|own| own.id == *layer);
    Ok(Some(Version { revision, layer, feature }))
}
