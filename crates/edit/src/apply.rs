//! Edits written into a transaction, each after a check against the state there.

use std::{fmt, sync::Arc};

use citymap_access::{Audience, visible};
use citymap_engine::{City, LayerSnapshot};
use citymap_model::{Feature, FeatureId, Fid, Layer, LayerId, Mode, Value};
use citymap_store::{Edit, Put, StoreError, Transaction};

use crate::{ApplyError, Draft, EditKind, ExpectedState, Fault, Refusal, content_tag};

/// Maximum number of characters of an id in a message.
const ID_SHOWN: usize = 80;

/// An edit that has been read and checked as far as that is possible without the record.
pub struct PreparedEdit {
    /// The layer that the edit was checked against.
    pub layer: Arc<LayerSnapshot>,
    /// What to do with which feature.
    pub change: EditChange,
    /// Where the feature is in the request's body (JSON pointer).
    pub pointer: String,
}

impl fmt::Debug for PreparedEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedEdit")
            .field("layer", &self.layer.layer().id)
            .field("kind", &self.change.kind())
            .field("pointer", &self.pointer)
            .finish_non_exhaustive()
    }
}

/// What an edit does with which feature.
#[derive(Clone, Debug, PartialEq)]
pub enum EditChange {
    /// Adds a feature with the draft's geometry and values.
    Create(Draft),
    /// Gives a feature a new geometry and new public values.
    Replace(Target, Draft),
    /// Changes what the draft names.
    Update(Target, Draft),
    /// Removes a feature; its history stays.
    Delete(Target),
}

/// The feature that an edit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id by which the outside knows it.
    pub id: String,
    /// The states of it that the client has seen.
    pub expected: ExpectedState,
}

impl EditChange {
    /// The kind of the edit.
    pub fn kind(&self) -> EditKind {
        match self {
            Self::Create(_) => EditKind::Create,
            Self::Replace(..) => EditKind::Replace,
            Self::Update(..) => EditKind::Update,
            Self::Delete(_) => EditKind::Delete,
        }
    }
}

/// An edit that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct AppliedEdit {
    /// What was done to the feature.
    pub kind: EditKind,
    /// The layer of the feature.
    pub layer: LayerId,
    /// The number of the feature in the store.
    pub fid: Fid,
    /// The id of the feature, as far as it was known during the transaction ([`settle_ids`] completes it).
    pub id: FeatureId,
    /// The [`content_tag`] of the feature; `None` for a removed one.
    pub tag: Option<String>,
}

/// Writes all edits into a transaction, or none of them. Within a layer they are made in their order; layers
/// are written one after the other. `city` is the newest city in memory; ids are looked up in it. Blocks.
///
/// The transaction must not be committed after an error.
///
/// # Errors
/// [`ApplyError::Refused`] lists every edit that cannot be made; [`ApplyError::Store`] is the store's
/// failure.
pub fn apply(
    transaction: &mut dyn Transaction,
    city: &City,
    edits: Vec<PreparedEdit>,
) -> Result<Vec<AppliedEdit>, ApplyError> {
    let mut layers: Vec<LayerId> = Vec::new();
    for edit in &edits {
        let id = &edit.layer.layer().id;
        if !layers.contains(id) {
            layers.push(id.clone());
        }
    }
    let count = edits.len();
    let mut edits: Vec<Option<PreparedEdit>> = edits.into_iter().map(Some).collect();
    let mut applied: Vec<Option<AppliedEdit>> = vec![None; count];
    let mut refused: Vec<(usize, Refusal)> = Vec::new();
    for id in &layers {
        let definition = transaction.definition(id)?;
        let snapshot = city.layers.get(id).map(AsRef::as_ref);
        let mut turned = false;
        for position in 0..count {
            if edits[position].as_ref().is_none_or(|edit| &edit.layer.layer().id != id) {
                continue;
            }
            let Some(edit) = edits[position].take() else { continue };
            let Some(layer) = definition.as_ref().filter(|layer| same_fields(layer, edit.layer.layer()))
            else {
                refused.push((position, Refusal::LayerRedefined { layer: id.clone() }));
                continue;
            };
            if !turned {
                transaction.layer(layer, Mode::Edit)?;
                turned = true;
            }
            match (LayerEditor { transaction: &mut *transaction, layer, snapshot }).make(edit) {
                Ok(edit) => applied[position] = Some(edit),
                Err(EditError::Refused(refusal)) => refused.push((position, refusal)),
                Err(EditError::Store(error)) => return Err(error.into()),
            }
        }
    }
    if !refused.is_empty() {
        refused.sort_by_key(|(position, _)| *position);
        return Err(ApplyError::Refused(refused));
    }
    Ok(applied.into_iter().flatten().collect())
}

/// Gives each edited feature the id that it has in `city`, the city after the edits. Whether a key is
/// repeated is known for sure only when all edits are made.
pub fn settle_ids(applied: &mut [AppliedEdit], city: &City) {
    for edit in applied {
        if let Some(snapshot) = city.layers.get(&edit.layer)
            && let Some(row) = snapshot.row_of_fid(edit.fid)
        {
            edit.id = snapshot.id(row);
        }
    }
}

/// Whether edits that were checked against one definition hold for the other.
fn same_fields(a: &Layer, b: &Layer) -> bool {
    let fields = |layer: &Layer| {
        let public = visible(layer, &Audience::Public);
        let parts = layer.fields.iter().enumerate().map(|(index, field)| {
            let domain = (field.code_list.clone(), field.domain.clone());
            (field.name.clone(), field.field_type, public.contains(index), domain)
        });
        parts.collect::<Vec<_>>()
    };
    a.geometry == b.geometry && a.key == b.key && fields(a) == fields(b)
}

/// Why one edit was not made: refused, or the store failed and all edits end.
enum EditError {
    Refused(Refusal),
    Store(StoreError),
}

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for EditError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes edits in one layer, to which the transaction has turned.
struct LayerEditor<'a> {
    transaction: &'a mut dyn Transaction,
    layer: &'a Layer,
    /// The layer in memory; `None` if the city does not have it yet.
    snapshot: Option<&'a LayerSnapshot>,
}

impl LayerEditor<'_> {
    fn make(&mut self, edit: PreparedEdit) -> Result<AppliedEdit, EditError> {
        let PreparedEdit { change, pointer, .. } = edit;
        let kind = change.kind();
        let change = match change {
            EditChange::Create(draft) => {
                Edit::Insert(None, draft.into_feature(None).map_err(Refusal::Invalid)?)
            }
            EditChange::Replace(target, draft) | EditChange::Update(target, draft) => {
                let present = self.find(&target)?;
                Edit::Update(present.fid, draft.into_feature(Some(&present)).map_err(Refusal::Invalid)?)
            }
            EditChange::Delete(target) => Edit::Delete(self.find(&target)?.fid),
        };
        let layer = self.layer.id.clone();
        let fid = match self.transaction.edit(change)? {
            Put::Added(fid) | Put::Changed(fid) => fid,
            Put::Removed(fid) => {
                let id = self.snapshot.and_then(|snapshot| Some(snapshot.id(snapshot.row_of_fid(fid)?)));
                return Ok(AppliedEdit {
                    kind,
                    layer,
                    fid,
                    id: id.unwrap_or(FeatureId::Fid(fid)),
                    tag: None,
                });
            }
            Put::Rejected(reason) => {
                return Err(Refusal::Invalid(vec![Fault::new(pointer, reason.to_string())]).into());
            }
        };
        let stored = self.transaction.feature(&self.layer.id, fid)?.ok_or(Refusal::Lost)?;
        let (id, tag) = (self.likely_id(&stored), Some(content_tag(self.layer, &stored)));
        Ok(AppliedEdit { kind, layer, fid, id, tag })
    }

    /// The feature as the transaction sees it, if it is in an expected state.
    fn find(&mut self, target: &Target) -> Result<Feature, EditError> {
        let id = || target.id.chars().take(ID_SHOWN).collect::<String>();
        let missing = || Refusal::NotFound { layer: self.layer.id.clone(), id: id() };
        let row = self.snapshot.and_then(|snapshot| Some((snapshot, snapshot.row_of_id(&target.id)?)));
        let (snapshot, row) = row.ok_or_else(missing)?;
        let feature = self.transaction.feature(&self.layer.id, snapshot.fid(row))?.ok_or_else(missing)?;
        // Where the snapshot is older than the record, the id may belong to another feature now.
        let same_key = visible(self.layer, &Audience::Public).key_index().is_none_or(|key| {
            feature.values.get(key).is_some_and(|value| *value == snapshot.value(row, key).to_value())
        });
        if !same_key {
            return Err(Refusal::KeyChanged { id: target.id.clone() }.into());
        }
        let tag = content_tag(self.layer, &feature);
        if target.expected.matches(&tag) { Ok(feature) } else { Err(Refusal::Stale { tag }.into()) }
    }

    /// The id that a stored feature will have, as far as the city in memory can tell.
    fn likely_id(&self, stored: &Feature) -> FeatureId {
        let Some(key) = visible(self.layer, &Audience::Public).key_index() else {
            return FeatureId::Fid(stored.fid);
        };
        let key = stored.values.get(key).unwrap_or(&Value::Null);
        match self.snapshot {
            Some(snapshot) => snapshot.likely_id(key, stored.fid),
            None => FeatureId::of_key(key.to_key(), stored.fid, false),
        }
    }
}
