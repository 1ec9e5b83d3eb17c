//! What can be done with revisions, whatever store holds them: going back to one, and repeating them in another store.

use std::time::{Duration, Instant};

use citymap_model::{CommitMeta, LayerId, Mode, NewFeature, Revision, RevisionNumber};

use crate::{Change, Edit, LayerEntry, Put, ReadView, Store, StoreError, Touched, Transaction};

/// Up to so many features are always changed one by one.
const FEW: u64 = 1_000;
/// Above one in so many features, a layer is written anew: cheaper than single changes with their index entries.
const SHARE: u64 = 10;

/// How long to wait for a standby that lags behind.
const LAG: Duration = Duration::from_secs(10);

/// Makes the city what it was at revision `to`: its layers, their definitions and features, with their numbers. What
/// was since stays in the history; the return is a revision like any other. Layers that are as they were are not touched.
///
/// # Errors
/// [`StoreError::NoRevision`] if `to` is not below the newest revision; what reading and writing fail with, and then
/// nothing has changed.
pub fn roll_back(store: &dyn Store, to: RevisionNumber, meta: CommitMeta) -> Result<Revision, StoreError> {
    let mut transaction = store.begin(meta)?;
    let newest = transaction.number() - 1;
    if to >= newest {
        return Err(StoreError::NoRevision { asked: to, newest: newest.saturating_sub(1) });
    }
    // Where reads come from a standby, it must have what the transaction stands on.
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
            // A layer that no later revision touched needs no look at its features.
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

/// Brings one layer back.
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

/// Writes a layer anew as a view has it.
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

/// What a store has held, it must take: a rejection here is a fault, and nothing is committed.
fn taken(layer: &LayerId, fid: i64, put: Put) -> Result<(), StoreError> {
    match put {
        Put::Added(_) | Put::Changed(_) | Put::Removed(_) => Ok(()),
        Put::Rejected(reason) => Err(StoreError::Schema {
            layer: layer.clone(),
            reason: format!("feature {fid} cannot be written again: {reason}"),
        }),
    }
}

/// Repeats in `to` the revisions of `from` that it lacks, one by one, with their numbers, times, authors and counts;
/// how many. `progress` is told the revision that comes next and the newest.
///
/// # Errors
/// [`StoreError::Format`] if `to` has revisions that `from` does not have. What reading and writing fail with; what
/// was repeated until then stays, and the next call goes on behind it.
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

/// Whether all that `to` has is the beginning of what `from` has.
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
            // Gone, or made and taken away within this one revision.
            if let Some(layer) = transaction.definition(id)? {
                transaction.layer(&layer, Mode::Drop)?;
            }
            continue;
        };
        let few = transaction.definition(id)?.is_some()
            && matches!(view.touched(id, before)?, Touched::Features(features) if is_few(features, entry.count));
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
