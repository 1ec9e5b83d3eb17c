//! What can be done with the revisions of any store: going back to one, and repeating them in another store.

use std::time::{Duration, Instant};

use citymap_model::{CommitMeta, LayerId, Mode, NewFeature, Revision, RevisionNumber};

use crate::{Change, Edit, LayerEntry, Put, ReadView, Store, StoreError, Touched, Transaction};

/// Up to this many features are always changed one by one.
const FEW: u64 = 1_000;
/// If more than one feature in this many differs, the layer is written again as a whole, which is cheaper
/// than single changes with their index entries.
const SHARE: u64 = 10;

/// How long to wait for a standby that lags behind.
const LAG: Duration = Duration::from_secs(10);

/// Makes the city what it was at revision `to`: layers, definitions and features, with their numbers. What
/// happened since stays in the history, and going back is a revision like any other. Layers that have not
/// changed are not touched.
///
/// # Errors
/// [`StoreError::NoRevision`] if `to` is not below the newest revision; the errors of reading and writing.
/// After an error nothing has changed.
pub fn roll_back(store: &dyn Store, to: RevisionNumber, meta: CommitMeta) -> Result<Revision, StoreError> {
    let mut transaction = store.begin(meta)?;
    let newest = transaction.number() - 1;
    if to >= newest {
        return Err(StoreError::NoRevision { asked: to, newest: newest.saturating_sub(1) });
    }
    // If reads come from a standby, it must have the revision on which the transaction is based.
    let start = Instant::now();
    while store.revision()? < newest {
        if start.elapsed() > LAG {
            let reason =
                format!("what is read is behind revision {newest}, on which the change stands; try again");
            return Err(StoreError::away(store.location(), reason));
        }
        store.wait(newest - 1, LAG)?;
    }
    let (now, then) = (store.view()?.layers()?, store.view_at(to)?.layers()?);
    for entry in &now {
        let id = &entry.layer.id;
        match then.iter().find(|former| former.layer.id == *id) {
            None => transaction.layer(&entry.layer, Mode::Drop)?,
            // A layer that no later revision touched is not read.
            Some(_) if entry.revision <= to => {}
            Some(former) => bring_back(store, transaction.as_mut(), former, entry.count, to)?,
        }
    }
    for former in then.iter().filter(|former| now.iter().all(|entry| entry.layer.id != former.layer.id)) {
        let view = store.view_at(to)?;
        restore(view.as_ref(), transaction.as_mut(), former)?;
    }
    transaction.commit()
}

/// Makes one layer what it was.
fn bring_back(
    store: &dyn Store,
    transaction: &mut dyn Transaction,
    former: &LayerEntry,
    count: u64,
    to: RevisionNumber,
) -> Result<(), StoreError> {
    let id = &former.layer.id;
    let view = store.view()?;
    let few = match view.touched(id, to)? {
        Touched::Whole => false,
        Touched::Features(features) => is_few(features, count),
    };
    if few {
        transaction.layer(&former.layer, Mode::Edit)?;
        return view.changes(id, to, &mut |Change { fid, before, after }| {
            let as_new = |feature: citymap_model::Feature| NewFeature {
                geometry: feature.geometry,
                values: feature.values,
            };
            let edit = match (before, after) {
                (Some(before), Some(_)) => Edit::Update(fid, as_new(before)),
                (Some(before), None) => Edit::Insert(Some(fid), as_new(before)),
                (None, Some(_)) => Edit::Delete(fid),
                (None, None) => return Ok(()),
            };
            taken(id, fid, transaction.edit(edit)?)
        });
    }
    drop(view);
    restore(store.view_at(to)?.as_ref(), transaction, former)
}

fn is_few(features: u64, count: u64) -> bool {
    features <= FEW || features <= count / SHARE
}

/// Writes a layer again as a whole, as a view has it.
fn restore(
    view: &dyn ReadView,
    transaction: &mut dyn Transaction,
    entry: &LayerEntry,
) -> Result<(), StoreError> {
    let id = &entry.layer.id;
    transaction.layer(&entry.layer, Mode::Restore)?;
    view.read(id, &mut |feature| {
        let new = NewFeature { geometry: feature.geometry, values: feature.values };
        taken(id, feature.fid, transaction.put_at(feature.fid, new)?)
    })
}

/// A store must take what it has held before: a rejection is an error here, and nothing is committed.
fn taken(layer: &LayerId, fid: i64, put: Put) -> Result<(), StoreError> {
    match put {
        Put::Added(_) | Put::Changed(_) | Put::Removed(_) => Ok(()),
        Put::Rejected(reason) => Err(StoreError::Schema {
            layer: layer.clone(),
            reason: format!("feature {fid} cannot be written again: {reason}"),
        }),
    }
}

/// Repeats in `to` the revisions of `from` that it lacks, one by one, with their numbers, times, authors and
/// counts. Gives how many there were. `progress` is called with the next revision and the newest.
///
/// # Errors
/// [`StoreError::Format`] if `to` has revisions that `from` does not have; the errors of reading and writing.
/// What was repeated before an error stays, and the next call continues after it.
pub fn copy(
    from: &dyn Store,
    to: &dyn Store,
    progress: &mut dyn FnMut(RevisionNumber, RevisionNumber),
) -> Result<u64, StoreError> {
    let (start, newest) = (to.revision()?, from.revision()?);
    same_log(from, to, start)?;
    let mut copied = 0;
    loop {
        let revisions = from.log_after(start + copied, 100)?;
        if revisions.is_empty() {
            return Ok(copied);
        }
        for revision in &revisions {
            progress(revision.number, newest);
            repeat(from, to, revision)?;
            copied += 1;
        }
    }
}

/// Checks that the revisions of `to` are the first revisions of `from`.
fn same_log(from: &dyn Store, to: &dyn Store, newest: RevisionNumber) -> Result<(), StoreError> {
    let mut after = 0;
    while after < newest {
        let (theirs, ours) = (to.log_after(after, 1_000)?, from.log_after(after, 1_000)?);
        for revision in &theirs {
            if ours.iter().find(|own| own.number == revision.number) != Some(revision) {
                return Err(StoreError::format(
                    to.location(),
                    format!(
                        "its revision {} is another one than that of {}; copy into an empty store",
                        revision.number,
                        from.location()
                    ),
                ));
            }
            after = revision.number;
        }
        if theirs.is_empty() {
            break;
        }
    }
    Ok(())
}

fn repeat(from: &dyn Store, to: &dyn Store, revision: &Revision) -> Result<(), StoreError> {
    let mut transaction = to.begin(revision.meta.clone())?;
    let mut layers: Vec<&LayerId> = revision.changes.iter().map(|change| &change.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let before = revision.number - 1;
    for id in layers {
        let view = from.view_at(revision.number)?;
        let Some(entry) = view.layers()?.into_iter().find(|entry| entry.layer.id == *id) else {
            // Dropped, or created and dropped within this revision.
            if let Some(layer) = transaction.definition(id)? {
                transaction.layer(&layer, Mode::Drop)?;
            }
            continue;
        };
        let few = transaction.definition(id)?.is_some()
            && match view.touched(id, before)? {
                Touched::Features(features) => is_few(features, entry.count),
                Touched::Whole => false,
            };
        if !few {
            restore(view.as_ref(), transaction.as_mut(), &entry)?;
            continue;
        }
        transaction.layer(&entry.layer, Mode::Edit)?;
        view.changes(id, before, &mut |Change { fid, before, after }| {
            let edit = match (before, after) {
                (None, Some(after)) => {
                    Edit::Insert(Some(fid), NewFeature { geometry: after.geometry, values: after.values })
                }
                (Some(_), Some(after)) => {
                    Edit::Update(fid, NewFeature { geometry: after.geometry, values: after.values })
                }
                (Some(_), None) => Edit::Delete(fid),
                (None, None) => return Ok(()),
            };
            taken(id, fid, transaction.edit(edit)?)
        })?;
    }
    transaction.commit_as(revision)
}
