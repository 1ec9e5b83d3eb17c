//! Edits, checked against what is there and made in one transaction.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::LayerSnapshot;
use citymap_live::{Live, LiveError};
use citymap_model::{CommitMeta, Feature, FeatureId, Fid, Field, Layer, LayerId, Mode, Revision, Value};
use citymap_store::{Edit, Put, StoreError, Transaction};

use super::{
    draft::Draft,
    etag::{self, Seen},
    fault::{self, Fault},
    idempotency::{Answered, Key},
};
use crate::http::problem::Problem;

/// What is done with a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Create,
    Replace,
    Update,
    Delete,
}

impl Op {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Replace, Self::Update, Self::Delete].into_iter().find(|op| op.as_str() == text)
    }
}

/// An edit that has been read and checked as far as that goes without the record.
pub(crate) struct Prepared {
    pub(crate) op: Op,
    /// The layer that it was checked against.
    pub(crate) layer: Arc<LayerSnapshot>,
    /// The feature; `None` for a new one.
    pub(crate) id: Option<String>,
    /// What the client has seen of it; `None` for a new one.
    pub(crate) seen: Option<Seen>,
    /// What it is to be; `None` where it goes.
    pub(crate) draft: Option<Draft>,
    /// Where the feature stands in the body.
    pub(crate) pointer: String,
}

/// An edit that was made.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) op: Op,
    pub(crate) layer: LayerId,
    pub(crate) fid: Fid,
    pub(crate) id: FeatureId,
    /// The tag of its content; `None` where it went.
    pub(crate) etag: Option<String>,
}

/// Why nothing was written.
pub(crate) enum Refused {
    /// The record, or the whole request.
    Problem(Problem),
    /// Some edits, by their position.
    Edits(Vec<(usize, Problem)>),
    /// It was written before, under the same key.
    Answered(Answered),
}

impl From<LiveError> for Refused {
    fn from(error: LiveError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

/// Makes all edits one revision, or none of them. Blocks.
pub(crate) fn commit(
    live: &Live,
    meta: CommitMeta,
    key: Option<&Key>,
    edits: Vec<Prepared>,
) -> Result<(Vec<Done>, Revision), Refused> {
    let (mut done, revision) = live.write(meta, |transaction| {
        if let Some(answered) = key.map(|key| key.committed(live.store())).transpose()?.flatten() {
            return Err(Refused::Answered(answered));
        }
        perform(transaction, live, edits)
    })?;
    // What the interface calls a feature is known for sure when all edits are made: keys may repeat.
    let city_snapshot = live.snapshot();
    if city_snapshot.revision() >= revision.number {
        for one in &mut done {
            let snapshot = city_snapshot.city.layers.get(&one.layer);
            if let Some((snapshot, row)) = snapshot.and_then(|own| Some((own, own.row_of_fid(one.fid)?))) {
                one.id = snapshot.id(row);
            }
        }
    }
    Ok((done, revision))
}

fn perform(
    transaction: &mut dyn Transaction,
    live: &Live,
    edits: Vec<Prepared>,
) -> Result<Vec<Done>, Refused> {
    // Layers are written one after the other; within one, edits keep their order.
    let mut layers: Vec<LayerId> = Vec::new();
    for edit in &edits {
        let id = &edit.layer.layer().id;
        if !layers.contains(id) {
            layers.push(id.clone());
        }
    }
    let city_snapshot = live.snapshot();
    let count = edits.len();
    let mut edits: Vec<Option<Prepared>> = edits.into_iter().map(Some).collect();
    let mut done: Vec<Option<Done>> = vec![None; count];
    let mut failed: Vec<(usize, Problem)> = Vec::new();
    for id in &layers {
        let definition = transaction.definition(id)?;
        let mut turned = false;
        for position in 0..count {
            if edits[position].as_ref().is_none_or(|edit| &edit.layer.layer().id != id) {
                continue;
            }
            let Some(edit) = edits[position].take() else { continue };
            let Some(layer) = definition.as_ref().filter(|layer| same_shape(layer, edit.layer.layer()))
            else {
                failed.push((
                    position,
                    Problem::conflict(format!(
                        "layer `{id}` has become another one meanwhile; read its schema again"
                    )),
                ));
                continue;
            };
            if !turned {
                transaction.layer(layer, Mode::Edit)?;
                turned = true;
            }
            let present = city_snapshot.city.layers.get(id);
            match one(transaction, layer, present.map(AsRef::as_ref), edit)? {
                Ok(made) => done[position] = Some(made),
                Err(problem) => failed.push((position, problem)),
            }
        }
    }
    if !failed.is_empty() {
        failed.sort_by_key(|(position, _)| *position);
        return Err(Refused::Edits(failed));
    }
    Ok(done.into_iter().flatten().collect())
}

/// Whether edits that were checked against one definition fit the other.
fn same_shape(a: &Layer, b: &Layer) -> bool {
    let fields = |layer: &Layer| {
        let seen = visible(layer, &Audience::Public);
        let own = |(index, field): (usize, &Field)| {
            (field.name.clone(), field.field_type, seen.contains(index), field.code_list.clone())
        };
        layer.fields.iter().enumerate().map(own).collect::<Vec<_>>()
    };
    a.geometry == b.geometry && a.key == b.key && fields(a) == fields(b)
}

/// Makes one edit; the outer error ends all of them.
fn one(
    transaction: &mut dyn Transaction,
    layer: &Layer,
    snapshot: Option<&LayerSnapshot>,
    edit: Prepared,
) -> Result<Result<Done, Problem>, StoreError> {
    let Prepared { op, id, seen, draft, pointer, .. } = edit;
    let present = match &id {
        None => None,
        Some(id) => match find(transaction, layer, snapshot, id)? {
            Ok(present) => Some(present),
            Err(problem) => return Ok(Err(problem)),
        },
    };
    if let Some(present) = &present {
        let content = etag::content(layer, present);
        match &seen {
            None => return Ok(Err(etag::missing())),
            Some(seen) if !seen.matches(&content) => return Ok(Err(stale(&content))),
            Some(_) => {}
        }
    }
    let feature = match draft.map(|draft| draft.into_feature(present.as_ref())).transpose() {
        Ok(feature) => feature,
        Err(faults) => return Ok(Err(fault::problem(&faults))),
    };
    let request = match (&present, feature) {
        (None, Some(feature)) => Edit::Insert(None, feature),
        (Some(present), Some(feature)) => Edit::Update(present.fid, feature),
        (Some(present), None) => Edit::Delete(present.fid),
        (None, None) => return Ok(Err(Problem::internal("an edit has neither a feature nor an id"))),
    };
    let fid = match transaction.edit(request)? {
        Put::Added(fid) | Put::Changed(fid) => fid,
        Put::Removed(fid) => {
            let id = snapshot.and_then(|own| Some(own.id(own.row_of_fid(fid)?)));
            let id = id.unwrap_or(FeatureId::Fid(fid));
            return Ok(Ok(Done { op, layer: layer.id.clone(), fid, id, etag: None }));
        }
        Put::Rejected(reason) => return Ok(Err(fault::problem(&[Fault::new(pointer, reason)]))),
    };
    let Some(stored) = transaction.feature(&layer.id, fid)? else {
        return Ok(Err(Problem::internal("a feature that was written cannot be read back")));
    };
    Ok(Ok(Done {
        op,
        layer: layer.id.clone(),
        fid,
        id: likely_id(layer, snapshot, &stored),
        etag: Some(etag::content(layer, &stored)),
    }))
}

/// The feature that the interface calls `id`, as the transaction sees it.
fn find(
    transaction: &mut dyn Transaction,
    layer: &Layer,
    snapshot: Option<&LayerSnapshot>,
    id: &str,
) -> Result<Result<Feature, Problem>, StoreError> {
    let missing = || {
        let id: String = id.chars().take(80).collect();
        Problem::not_found(format!("layer `{}` has no feature `{id}`", layer.id))
    };
    let Some((snapshot, row)) = snapshot.and_then(|own| Some((own, own.row_of_id(id)?))) else {
        return Ok(Err(missing()));
    };
    let Some(feature) = transaction.feature(&layer.id, snapshot.fid(row))? else { return Ok(Err(missing())) };
    // Where the snapshot is older than the record, the name may have gone over to another feature.
    let same_key = visible(layer, &Audience::Public).key_index().is_none_or(|key| {
        feature.values.get(key).is_some_and(|own| *own == snapshot.value(row, key).to_value())
    });
    if same_key {
        Ok(Ok(feature))
    } else {
        let detail = format!("the feature that was called `{id}` has another key now; read it again");
        Ok(Err(Problem::stale(detail)))
    }
}

fn stale(content: &str) -> Problem {
    Problem::stale(
        "the feature is another one than If-Match says: somebody has changed it meanwhile. Read it again, and make the change \
         in what is there now",
    )
    .with("etag", format!("\"{content}\""))
}

/// What the interface will call a feature, as far as the city in memory can tell.
fn likely_id(layer: &Layer, snapshot: Option<&LayerSnapshot>, stored: &Feature) -> FeatureId {
    let Some(key) = visible(layer, &Audience::Public).key_index() else {
        return FeatureId::Fid(stored.fid);
    };
    let key = stored.values.get(key).unwrap_or(&Value::Null);
    match snapshot {
        Some(snapshot) => snapshot.likely_id(key, stored.fid),
        None => FeatureId::of_key(key.to_key(), stored.fid, false),
    }
}
