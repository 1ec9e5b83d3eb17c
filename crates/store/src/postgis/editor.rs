//! Changing single features of one layer by their numbers. The table's triggers keep the history, as they do
//! for other programs' edits.

use std::collections::BTreeMap;

use citymap_model::{Fid, FieldType, GeometryKind, Layer, LayerChange, Mode, NewFeature, Value};
use sqlx::{AssertSqlSafe, Postgres, Row as _, postgres::PgArguments, query::Query};

use super::{
    accept::{Accepted, accept},
    copy::{CHUNK, Rows},
    entry::{self, Entry},
    known::Fids,
    publish,
    schema::{self, GeometryColumn},
    session::Session,
};
use crate::{
    Edit, Put, Refusal, StoreError,
    columns::{FID, quoted},
    fit::check_definition,
    refusal::Acceptance,
    turn,
};

/// Maximum number of edits that are collected before they are sent.
const BATCH: usize = 100_000;
/// Up to this many edits are sent as single statements.
const SINGLY: usize = 8;
/// Numbers that are queried one by one before all numbers are read.
const ASKED: u32 = 64;

/// What the edits so far make of a feature.
struct Pending {
    /// Whether it is in the layer's table.
    there: bool,
    /// The feature as it will be; `None` if it is deleted.
    after: Option<Accepted>,
}

/// The layer that a transaction has turned to, to edit single features.
pub(super) struct LayerEditor {
    entry: Entry,
    before: Layer,
    again: bool,
    change: LayerChange,
    /// The rows that the statements so far added, changed and removed.
    done: [u64; 3],
    next_fid: Fid,
    fids: Option<Fids>,
    asked: u32,
    pending: BTreeMap<Fid, Pending>,
    /// The temporary table with the rows as they were before the turn, once it is made.
    remembered: Option<String>,
    /// The temporary table for batches, once it is made.
    batch: Option<String>,
    column: GeometryColumn,
    codes: u8,
}

impl LayerEditor {
    /// Turns to a layer that exists.
    pub(super) fn open(session: &mut Session<'_>, layer: &Layer, revision: i64) -> Result<Self, StoreError> {
        check_definition(layer)?;
        let entry = entry::load(session, &layer.id)?.ok_or_else(|| StoreError::NoLayer(layer.id.clone()))?;
        turn::check_edit(&entry.layer, layer)?;
        let (last_fid, _) = entry::numbering(session, &layer.id)?;
        let column = publish::geometry_column(session, &entry)?;
        let again = entry.revision == revision;
        let before = entry.layer.clone();
        Ok(Self {
            entry: Entry { layer: layer.clone(), revision, ..entry },
            before,
            again,
            change: turn::no_change(&layer.id, Mode::Edit),
            done: [0; 3],
            next_fid: last_fid.saturating_add(1),
            fids: None,
            asked: 0,
            pending: BTreeMap::new(),
            remembered: None,
            batch: None,
            column,
            codes: 0,
        })
    }

    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Counts features of the source that were not accepted.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Makes one edit, which later ones see.
    pub(super) fn edit(&mut self, session: &mut Session<'_>, edit: Edit) -> Result<Put, StoreError> {
        let (put, fid, after) = match edit {
            Edit::Insert(fid, feature) => {
                let feature = match self.accept(feature)? {
                    Acceptance::Accepted(feature) => feature,
                    Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
                };
                let fid = match fid {
                    None => self.next_fid,
                    Some(fid) => {
                        if let Err(refusal) = turn::check_new_fid(fid) {
                            return Ok(Put::Rejected(refusal));
                        }
                        if self.is_there(session, fid)? {
                            return Ok(Put::Rejected(Refusal::FidInUse(fid)));
                        }
                        fid
                    }
                };
                self.next_fid = self.next_fid.max(fid.saturating_add(1));
                (Put::Added(fid), fid, Some(feature))
            }
            Edit::Update(fid, feature) => {
                let feature = match self.accept(feature)? {
                    Acceptance::Accepted(feature) => feature,
                    Acceptance::Refused(refusal) => return Ok(Put::Rejected(refusal)),
                };
                if !self.is_there(session, fid)? {
                    return Ok(Put::Rejected(Refusal::NoFeature(fid)));
                }
                (Put::Changed(fid), fid, Some(feature))
            }
            Edit::Delete(fid) => {
                if !self.is_there(session, fid)? {
                    return Ok(Put::Rejected(Refusal::NoFeature(fid)));
                }
                (Put::Removed(fid), fid, None)
            }
        };
        let there = match self.pending.get(&fid) {
            Some(pending) => pending.there,
            None => !matches!(put, Put::Added(_)),
        };
        self.pending.insert(fid, Pending { there, after });
        if self.pending.len() >= BATCH {
            self.flush(session)?;
        }
        Ok(put)
    }

    fn accept(&self, feature: NewFeature) -> Result<Acceptance<Accepted>, StoreError> {
        accept(&self.entry.layer, self.entry.layer.geometry, feature)
    }

    /// Whether there is a feature with this number after the edits so far.
    fn is_there(&mut self, session: &mut Session<'_>, fid: Fid) -> Result<bool, StoreError> {
        if let Some(pending) = self.pending.get(&fid) {
            return Ok(pending.after.is_some());
        }
        if let Some(fids) = &self.fids {
            return Ok(fids.contains(fid));
        }
        if self.asked < ASKED {
            self.asked += 1;
            let table = self.entry.shape().live();
            // A number needs no quoting.
            let found = session.numbers(format!("SELECT {FID} FROM {table} WHERE {FID} = {fid}"), &[])?;
            return Ok(found.is_some());
        }
        let (fids, _) = Fids::load(session, &self.entry)?;
        Ok(self.fids.insert(fids).contains(fid))
    }

    /// Sends the edits that were collected.
    pub(super) fn flush(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        for after in pending.values().filter_map(|pending| pending.after.as_ref()) {
            self.codes |= after.bit();
        }
        if !self.column.takes(self.codes) {
            publish::rebuild(session, &self.entry)?;
            self.column = GeometryColumn::Kind;
        }
        if self.again {
            let touched: Vec<Fid> = pending.keys().copied().collect();
            self.remember(session, &touched)?;
        }
        if let Some(fids) = &mut self.fids {
            for (fid, pending) in &pending {
                fids.set(*fid, pending.after.is_some());
            }
        }
        let gone: Vec<Fid> =
            pending.iter().filter(|(_, now)| now.there && now.after.is_none()).map(|(fid, _)| *fid).collect();
        if !gone.is_empty() {
            let sql = format!("DELETE FROM {} WHERE {FID} = ANY($1)", self.entry.shape().live());
            self.done[2] += session.ask(async |conn| {
                let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(&gone);
                Ok(query.execute(conn).await?.rows_affected())
            })?;
        }
        let stay: Vec<(Fid, bool, Accepted)> = pending
            .into_iter()
            .filter_map(|(fid, pending)| Some((fid, pending.there, pending.after?)))
            .collect();
        if stay.len() <= SINGLY {
            for (fid, there, after) in stay {
                let done = self.one(session, fid, there, after)?;
                self.done[usize::from(there)] += done;
            }
            return Ok(());
        }
        self.many(session, stay)
    }

    /// Remembers these features as they were before the turn, which is needed for counting if an earlier turn
    /// of the same revision has already written to the history.
    fn remember(&mut self, session: &mut Session<'_>, touched: &[Fid]) -> Result<(), StoreError> {
        let name = match &self.remembered {
            Some(name) => name.clone(),
            None => {
                let name = schema::unique(&self.entry.layer, publish::next_name(session)?);
                // `revision` is a name that no field's column has.
                session.batch(format!(
                    "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}, true AS revision{} FROM {} \
                     WHERE false",
                    quoted(&name),
                    self.entry.list(""),
                    self.entry.shape().live()
                ))?;
                session.batch(format!("ALTER TABLE pg_temp.{} ADD PRIMARY KEY ({FID})", quoted(&name)))?;
                if self.entry.spatial() {
                    session.batch(format!(
                        "ALTER TABLE pg_temp.{} ALTER COLUMN geom TYPE geometry",
                        quoted(&name)
                    ))?;
                }
                self.remembered.insert(name).clone()
            }
        };
        let sql = format!(
            "INSERT INTO pg_temp.{} ({FID}, revision{}) SELECT t.{FID}, l.{FID} IS NOT NULL{} \
             FROM unnest($1::bigint[]) AS t ({FID}) LEFT JOIN {} l ON l.{FID} = t.{FID} ON CONFLICT DO \
             NOTHING",
            quoted(&name),
            self.entry.list(""),
            self.entry.list("l."),
            self.entry.shape().live()
        );
        session.ask(async |conn| {
            sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(touched).execute(conn).await.map(|_| ())
        })
    }

    /// Counts what the turn did, from the rows that were remembered.
    fn recount(&self, session: &mut Session<'_>, name: &str) -> Result<[u64; 3], StoreError> {
        let found = session.numbers(
            format!(
                "SELECT count(*) FILTER (WHERE NOT b.revision AND l.{FID} IS NOT NULL), count(*) FILTER \
                 (WHERE b.revision AND l.{FID} IS NOT NULL AND ROW(l.{FID}{})::record *<> \
                 ROW(b.{FID}{})::record), count(*) FILTER (WHERE b.revision AND l.{FID} IS NULL) FROM \
                 pg_temp.{} b LEFT JOIN {} l ON l.{FID} = b.{FID}",
                self.entry.list("l."),
                self.entry.list("b."),
                quoted(name),
                self.entry.shape().live()
            ),
            &[],
        )?;
        session.batch(format!("DROP TABLE pg_temp.{}", quoted(name)))?;
        let number = |index: usize| {
            found.as_ref().and_then(|found| u64::try_from(found[index]).ok()).unwrap_or_default()
        };
        Ok([number(0), number(1), number(2)])
    }

    /// Writes one row with a statement of its own; gives the number of rows that changed.
    fn one(
        &self,
        session: &mut Session<'_>,
        fid: Fid,
        there: bool,
        after: Accepted,
    ) -> Result<u64, StoreError> {
        let table = self.entry.shape().live();
        let columns = self.entry.quoted();
        let places: Vec<String> = (0..columns.len())
            .map(|index| {
                if self.entry.spatial() && index == 0 {
                    "st_geomfromewkb($2)".to_owned()
                } else {
                    format!("${}", index + 2)
                }
            })
            .collect();
        let sql = if !there {
            let places: String = places.iter().map(|place| format!(", {place}")).collect();
            format!("INSERT INTO {table} ({FID}{}) VALUES ($1{places})", self.entry.list(""))
        } else if columns.is_empty() {
            return Ok(0);
        } else {
            let set: Vec<String> =
                columns.iter().zip(&places).map(|(column, place)| format!("{column} = {place}")).collect();
            format!(
                "UPDATE {table} SET {} WHERE {FID} = $1 AND ROW({})::record *<> ROW({})::record",
                set.join(", "),
                columns.join(", "),
                places.join(", ")
            )
        };
        session.ask(async |conn| {
            let query =
                bound(sqlx::query(AssertSqlSafe(sql)).persistent(false), fid, &self.entry.layer, &after);
            Ok(query.execute(conn).await?.rows_affected())
        })
    }

    /// Writes many rows over a temporary table.
    fn many(
        &mut self,
        session: &mut Session<'_>,
        stay: Vec<(Fid, bool, Accepted)>,
    ) -> Result<(), StoreError> {
        let name = match &self.batch {
            Some(name) => {
                session.batch(format!("TRUNCATE pg_temp.{}", quoted(name)))?;
                name.clone()
            }
            None => {
                let name = schema::unique(&self.entry.layer, publish::next_name(session)?);
                session.batch(format!(
                    "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}{} FROM {} WHERE false",
                    quoted(&name),
                    self.entry.list(""),
                    self.entry.shape().live()
                ))?;
                self.batch.insert(name).clone()
            }
        };
        if self.entry.spatial() && self.column == GeometryColumn::Kind {
            session
                .batch(format!("ALTER TABLE pg_temp.{} ALTER COLUMN geom TYPE geometry", quoted(&name)))?;
        }
        let source = format!("pg_temp.{}", quoted(&name));
        let sql = format!("COPY {source} ({FID}{}) FROM STDIN (FORMAT binary)", self.entry.list(""));
        let copying = session.copy_in(sql)?;
        let mut rows = Rows::default();
        for (fid, _, after) in &stay {
            let geometry = self.entry.spatial().then(|| after.bytes());
            rows.add(*fid, geometry, &after.values);
            if rows.bytes.len() >= CHUNK {
                copying.send(&mut rows);
            }
        }
        copying.send(&mut rows);
        session.copied(copying)?;
        session.batch(format!("ANALYZE {source}"))?;
        self.done[1] += publish::update_from(session, &self.entry, &source)?;
        self.done[0] += publish::insert_from(session, &self.entry, &source)?;
        Ok(())
    }

    /// Turns away from the layer: counts and catalogue become right. Gives what was done, and how many
    /// features there are now.
    pub(super) fn finish(mut self, session: &mut Session<'_>) -> Result<(LayerChange, u64), StoreError> {
        self.flush(session)?;
        if let Some(name) = self.batch.take() {
            session.batch(format!("DROP TABLE pg_temp.{}", quoted(&name)))?;
        }
        let [mut added, mut changed, mut removed] = self.done;
        if let Some(name) = self.remembered.take() {
            [added, changed, removed] = self.recount(session, &name)?;
        } else if added + changed + removed > 0 {
            // What was done and undone within the turn does not count.
            let (id, revision) = (self.entry.layer.id.as_str(), self.entry.revision);
            [added, changed, removed] = session.ask(async |conn| {
                let row = sqlx::query("SELECT added, changed, removed FROM citymap.settle($1, $2)")
                    .bind(id)
                    .bind(revision)
                    .fetch_one(conn)
                    .await?;
                let number = |index: usize| {
                    Ok::<_, sqlx::Error>(row.try_get::<i64, _>(index)?.try_into().unwrap_or(0))
                };
                Ok([number(0)?, number(1)?, number(2)?])
            })?;
        }
        (self.change.added, self.change.changed, self.change.removed) = (added, changed, removed);
        self.entry.count = (self.entry.count + added).saturating_sub(removed);
        let redefined = self.before != self.entry.layer;
        if redefined {
            self.redefine(session)?;
        }
        entry::save(session, &self.entry, self.next_fid - 1, redefined)?;
        Ok((self.change, self.entry.count))
    }

    /// Brings titles and the index over the key in line with the new definition.
    fn redefine(&self, session: &mut Session<'_>) -> Result<(), StoreError> {
        session.batch(schema::comments(&self.entry))?;
        if self.before.key == self.entry.layer.key {
            return Ok(());
        }
        publish::drop_key_index(session, &self.entry)?;
        let Some(key) = self.entry.layer.key_index() else { return Ok(()) };
        let name = format!("{}_key", schema::unique(&self.entry.layer, publish::next_name(session)?));
        session.batch(schema::index_key(&self.entry, self.entry.layer.id.as_str(), &name, key))
    }
}

/// A statement with a row's number, geometry and values for parameters.
fn bound<'q>(
    query: Query<'q, Postgres, PgArguments>,
    fid: Fid,
    layer: &Layer,
    after: &Accepted,
) -> Query<'q, Postgres, PgArguments> {
    let mut query = query.bind(fid);
    if layer.geometry != GeometryKind::None {
        query = query.bind(after.bytes().map(<[u8]>::to_vec));
    }
    for (value, field) in after.values.iter().zip(&layer.fields) {
        query = match value {
            Value::Null => match field.field_type {
                FieldType::Bool => query.bind(None::<bool>),
                FieldType::Int => query.bind(None::<i64>),
                FieldType::Real => query.bind(None::<f64>),
                FieldType::Text => query.bind(None::<String>),
                FieldType::Date => query.bind(None::<chrono::NaiveDate>),
                FieldType::DateTime => query.bind(None::<chrono::DateTime<chrono::Utc>>),
            },
            Value::Real(value) if value.is_nan() => query.bind(None::<f64>),
            Value::Bool(value) => query.bind(*value),
            Value::Int(value) => query.bind(*value),
            Value::Real(value) => query.bind(value + 0.0),
            Value::Text(value) => query.bind(value.clone()),
            Value::Date(value) => query.bind(*value),
            Value::DateTime(value) => query.bind(chrono::SubsecRound::trunc_subsecs(*value, 3)),
        };
    }
    query
}
