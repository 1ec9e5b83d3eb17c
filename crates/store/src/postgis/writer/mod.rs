//! Writing the features of one layer, from the turn to it until the turn away from it.
//!
//! [`LayerWriter`] decides which number each feature gets. What that takes differs by mode and is in
//! [`Matching`]: an upsert looks for keys ([`upsert`]), a replacement for keys or numbers of the layer before
//! ([`replace`]). The rows go to the database through a [`RowSink`].

mod new_fids;
mod replace;
mod rows;
mod upsert;

use citymap_model::{Fid, Layer, LayerChange, Mode, NewFeature};

use self::{
    new_fids::NewFids,
    replace::{Additions, Filled, Replacement},
    rows::{RowSink, Target},
    upsert::Upsert,
};
use super::{
    accept::{Accepted, accept},
    copy::Copying,
    entry::{self, Entry},
    known::Fids,
    publish,
    schema::{self, GeometryColumn},
    session::Session,
};
use crate::{
    Put, StoreError,
    columns::{self, quoted},
    fit::{FieldMapping, same_shape},
    refusal::Acceptance,
    turn::{self, Call, GrowingFids, UpsertKeys},
};

/// How a feature finds the number that it has in the layer.
enum Matching {
    /// Each feature is new.
    Append,
    /// By its key among the features that are there.
    Upsert(Upsert),
    /// By its key, else by its content, among the features of the layer that is replaced.
    Replace(Replacement),
    /// It brings its number.
    Restore {
        replaced: Replacement,
        /// The numbers of the layer before.
        fids: Fids,
        growing: GrowingFids,
    },
}

/// The layer that a transaction has turned to, to put features into it.
pub(super) struct LayerWriter {
    /// The layer as it will be.
    entry: Entry,
    /// The layer as the change set defines it: the order of the values that features bring.
    given: Layer,
    mapping: FieldMapping,
    matching: Matching,
    change: LayerChange,
    /// Whether the definition is another one from now on.
    redefined: bool,
    /// Whether an earlier turn of the same revision touched the layer.
    again: bool,
    /// The number of features before the turn, of a layer that is not replaced.
    there: u64,
    next_fid: Fid,
    new_fids: NewFids,
    rows: RowSink,
}

impl LayerWriter {
    /// Turns to a layer as [`crate::Transaction::layer`] says.
    pub(super) fn open(
        session: &mut Session<'_>,
        layer: &Layer,
        mode: Mode,
        revision: i64,
    ) -> Result<Self, StoreError> {
        let existing = entry::load(session, &layer.id)?;
        turn::check_turn(existing.as_ref().map(|entry| &entry.layer), layer, mode)?;
        schema::check(layer)?;
        if existing.is_none() {
            refuse_foreign(session, layer)?;
        }
        let (last_fid, last_generation) = entry::numbering(session, &layer.id)?;
        let name = schema::unique(layer, publish::next_name(session)?);
        let again = existing.as_ref().is_some_and(|entry| entry.revision == revision);
        let mut writer = Self {
            entry: Entry {
                layer: layer.clone(),
                columns: columns::postgres_names(&layer.fields),
                generation: last_generation + 1,
                history: name.clone(),
                revision,
                count: 0,
            },
            given: layer.clone(),
            mapping: FieldMapping::default(),
            matching: Matching::Append,
            change: turn::no_change(&layer.id, mode),
            redefined: true,
            again,
            there: 0,
            next_fid: last_fid.saturating_add(1),
            new_fids: NewFids::default(),
            rows: RowSink::new(Target::Aside { name: name.clone(), made: None }),
        };
        if matches!(mode, Mode::Replace | Mode::Restore) {
            writer.take_place_of(session, existing)?;
        } else if let Some(before) = existing {
            writer.add_to(session, before, name)?;
        }
        if mode == Mode::Upsert {
            let keys = UpsertKeys::new(&writer.entry.layer);
            writer.matching = Matching::Upsert(Upsert::new(keys, writer.there));
        }
        Ok(writer)
    }

    /// Prepares to replace a layer, if it is there.
    fn take_place_of(&mut self, session: &mut Session<'_>, before: Option<Entry>) -> Result<(), StoreError> {
        if let Some(before) = &before {
            let after = &self.entry.layer;
            self.redefined = before.layer != *after;
            if same_shape(&before.layer, after) {
                self.entry.columns.clone_from(&before.columns);
                self.entry.history.clone_from(&before.history);
                self.entry.generation = before.generation;
            }
        }
        self.matching = if self.change.mode == Mode::Restore {
            let (replaced, fids) = match before {
                Some(before) => Replacement::by_number(session, before)?,
                None => Default::default(),
            };
            Matching::Restore { replaced, fids, growing: GrowingFids::default() }
        } else {
            Matching::Replace(match before {
                Some(before) => Replacement::by_key(session, before, &self.given)?,
                None => Replacement::default(),
            })
        };
        Ok(())
    }

    /// Goes on with a layer that stays.
    fn add_to(&mut self, session: &mut Session<'_>, before: Entry, name: String) -> Result<(), StoreError> {
        self.mapping = FieldMapping::new(&before.layer, &self.given)?;
        let column = publish::geometry_column(session, &before)?;
        self.rows = RowSink::new(if self.change.mode == Mode::Append {
            Target::Live { column }
        } else {
            Target::Waiting { name, made: false, column }
        });
        self.there = before.count;
        self.entry = Entry { revision: self.entry.revision, ..before };
        self.redefined = false;
        Ok(())
    }

    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The mode of the turn.
    pub(super) fn mode(&self) -> Mode {
        self.change.mode
    }

    /// Counts features of the source that were not accepted.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Takes the COPY that is running, to abort it.
    pub(super) fn stop(&mut self) -> Option<Copying> {
        self.rows.stop()
    }

    /// Takes a feature without a number.
    pub(super) fn put(&mut self, session: &mut Session<'_>, feature: NewFeature) -> Result<Put, StoreError> {
        turn::check_call(&self.given, self.change.mode, Call::Put)?;
        let feature = match self.accept(feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        let found = match &mut self.matching {
            Matching::Append | Matching::Restore { .. } => None,
            Matching::Replace(replaced) => replaced.take(&feature),
            Matching::Upsert(upsert) => match upsert.find(session, &self.entry, &feature.values)? {
                Acceptance::Accepted(found) => {
                    self.rows.hold(upsert.needs_connection());
                    found
                }
                Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
            },
        };
        let (fid, put) = match found {
            Some(fid) => (fid, Put::Changed(fid)),
            None => {
                let fid = self.next_fid;
                self.next_fid = self.next_fid.saturating_add(1);
                self.note_new(fid);
                (fid, Put::Added(fid))
            }
        };
        self.rows.add(session, &self.entry, fid, &feature)?;
        Ok(put)
    }

    /// Takes a feature with its number.
    pub(super) fn put_at(
        &mut self,
        session: &mut Session<'_>,
        fid: Fid,
        feature: NewFeature,
    ) -> Result<Put, StoreError> {
        turn::check_call(&self.given, self.change.mode, Call::PutAt)?;
        if let Matching::Restore { growing, .. } = &self.matching {
            growing.check(&self.given, fid)?;
        }
        let feature = match self.accept(feature)? {
            Acceptance::Accepted(feature) => feature,
            Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
        };
        self.next_fid = self.next_fid.max(fid.saturating_add(1));
        self.rows.add(session, &self.entry, fid, &feature)?;
        if let Matching::Restore { replaced, fids, growing } = &mut self.matching {
            growing.note(fid);
            if fids.contains(fid) {
                replaced.kept += 1;
                return Ok(Put::Changed(fid));
            }
        }
        self.note_new(fid);
        Ok(Put::Added(fid))
    }

    fn accept(&self, feature: NewFeature) -> Result<Acceptance<Accepted>, StoreError> {
        let accepted = accept(&self.given, self.entry.layer.geometry, feature)?;
        Ok(accepted
            .map(|Accepted { geometry, values }| Accepted { geometry, values: self.mapping.apply(values) }))
    }

    /// The columns that the change set has values for, quoted.
    fn given_columns(&self) -> Vec<String> {
        let missing: Vec<String> =
            self.mapping.missing().map(|position| quoted(&self.entry.columns[position])).collect();
        self.entry.quoted().into_iter().filter(|column| !missing.contains(column)).collect()
    }

    fn note_new(&mut self, fid: Fid) {
        self.change.added += 1;
        self.new_fids.note(fid);
    }

    /// Sends all rows and waits until they are there.
    pub(super) fn flush(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        self.rows.flush(session, &self.entry)
    }

    /// Where the rows that were put are, to read one of them.
    pub(super) fn table(&mut self, session: &mut Session<'_>) -> Result<String, StoreError> {
        self.rows.table(session, &self.entry)
    }

    /// Turns away from the layer: history, indexes, counts and catalogue become right. Gives what was done,
    /// and how many features there are now.
    pub(super) fn finish(mut self, session: &mut Session<'_>) -> Result<(LayerChange, u64), StoreError> {
        self.rows.complete(session, &self.entry)?;
        let additions = match self.rows.target() {
            Target::Live { .. } | Target::Waiting { made: false, .. } => Additions::Recorded,
            Target::Waiting { name, made: true, .. } => {
                let source = format!("pg_temp.{}", quoted(name));
                // What the change set does not have stays as it is.
                let given = self.given_columns();
                self.change.changed = publish::update_columns_from(session, &self.entry, &source, &given)?;
                publish::insert_from(session, &self.entry, &source)?;
                session.batch(format!("DROP TABLE {source}"))?;
                Additions::Recorded
            }
            Target::Aside { name, made } => {
                let filled = Filled {
                    entry: &self.entry,
                    name,
                    column: made.unwrap_or(GeometryColumn::Kind),
                    codes: self.rows.codes(),
                    again: self.again,
                };
                match &self.matching {
                    Matching::Replace(replaced) | Matching::Restore { replaced, .. } => {
                        replaced.swap(session, &filled, &mut self.change)?
                    }
                    Matching::Append | Matching::Upsert(_) => {
                        Replacement::default().swap(session, &filled, &mut self.change)?
                    }
                }
            }
        };
        let kept = match &self.matching {
            Matching::Append | Matching::Upsert(_) => self.there,
            Matching::Replace(replaced) | Matching::Restore { replaced, .. } => replaced.kept,
        };
        self.entry.count = kept + self.change.added;
        entry::save(session, &self.entry, self.next_fid - 1, self.redefined)?;
        if additions == Additions::ToRecord {
            self.new_fids.save(session, &self.entry, self.again)?;
        }
        Ok((self.change, self.entry.count))
    }
}

/// Refuses a layer for whose name there is a table that another program made.
fn refuse_foreign(session: &mut Session<'_>, layer: &Layer) -> Result<(), StoreError> {
    let found = session.numbers(
        "SELECT 1::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'city' AND c.relname = $1",
        &[layer.id.as_str()],
    )?;
    if found.is_none() { Ok(()) } else { Err(turn::foreign_table(layer)) }
}
