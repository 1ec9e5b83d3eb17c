//! Writing the features of one layer, from the turn to it until the turn away from it.

use std::collections::HashSet;

use citymap_model::{Fid, Layer, LayerChange, Mode, NewFeature, Value};
use sqlx::Row as _;

use super::{
    accept::{Accepted, accept},
    copy::{CHUNK, Copying, Rows},
    entry::{self, Entry},
    known::{self, Fids, Keys},
    publish,
    schema::{self, GeometryColumn},
    session::Session,
};
use crate::{
    Put, StoreError,
    columns::{self, FID, quoted},
    fit::{check_definition, key_of, mapping, same_shape, unfit},
};

/// Bytes of rows that are looked at before the type of a new geometry column is settled: some thousand features.
const FIRST_LOOK: usize = 1 << 20;
/// Keys that are asked for one by one before all are read.
const SINGLY: u32 = 100;

/// Where rows go.
enum Target {
    /// Into a table of this name that takes the layer's place in the end; made when the first rows are sent.
    Aside { name: String, made: Option<GeometryColumn> },
    /// Into the layer's table.
    Live { column: GeometryColumn },
    /// Into a temporary table of this name, from which the layer's is changed in the end.
    Waiting { name: String, made: bool, column: GeometryColumn },
}

/// The layer that a transaction has turned to, to put features into it.
pub(super) struct LayerWriter {
    /// The layer as it will be.
    entry: Entry,
    /// The layer as it was, if it is made anew.
    before: Option<Entry>,
    /// Whether the definition is another one from now on.
    new: bool,
    /// Whether an earlier turn of the same revision touched the layer.
    again: bool,
    given: Layer,
    /// For each column, the given value that goes there; `None` if they are the same.
    mapping: Option<Vec<Option<usize>>>,
    change: LayerChange,
    key: Option<usize>,
    /// Keys of before; `None` as long as they are asked for one by one.
    keys: Option<Keys>,
    asked: u32,
    /// Numbers of before ([`Mode::Restore`]).
    fids: Fids,
    /// Features before, and how many of them stay.
    there: u64,
    kept: u64,
    /// Keys that an upsert has brought so far.
    seen: HashSet<Box<str>>,
    next_fid: Fid,
    /// The last number that [`LayerWriter::put_at`] was given.
    last_at: Fid,
    /// Numbers that are new, as ranges.
    added: Vec<(Fid, Fid)>,
    target: Target,
    rows: Rows,
    copying: Option<Copying>,
    /// The WKB types that came: bit n for code n.
    codes: u8,
}

impl LayerWriter {
    /// Turns to a layer as [`crate::Transaction::layer`] says.
    pub(super) fn open(
        session: &mut Session<'_>,
        layer: &Layer,
        mode: Mode,
        revision: i64,
    ) -> Result<Self, StoreError> {
        check_definition(layer)?;
        schema::check(layer)?;
        let existing = entry::load(session, &layer.id)?;
        if existing.is_none() {
            refuse_foreign(session, layer)?;
        }
        if mode == Mode::Upsert && existing.as_ref().map_or(layer, |entry| &entry.layer).key.is_none() {
            return Err(unfit(
                layer,
                "it has no key, so nothing can be matched; use the mode append or replace",
            ));
        }
        let (last_fid, last_generation) = entry::numbering(session, &layer.id)?;
        let anew = existing.is_none() || matches!(mode, Mode::Replace | Mode::Restore);
        let number = publish::next_name(session)?;
        let name = schema::unique(layer, number);
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
            before: None,
            new: true,
            again,
            given: layer.clone(),
            mapping: None,
            change: LayerChange {
                layer: layer.id.clone(),
                mode,
                added: 0,
                changed: 0,
                removed: 0,
                rejected: 0,
            },
            key: None,
            keys: None,
            asked: 0,
            fids: Fids::default(),
            there: 0,
            kept: 0,
            seen: HashSet::new(),
            next_fid: last_fid.saturating_add(1),
            last_at: 0,
            added: Vec::new(),
            target: Target::Aside { name: name.clone(), made: None },
            rows: Rows::default(),
            copying: None,
            codes: 0,
        };
        match existing {
            Some(before) if anew => writer.take_place_of(session, before)?,
            Some(entry) => {
                writer.mapping = mapping(&entry.layer, layer)?;
                let column = publish::geometry_column(session, &entry)?;
                writer.target = if mode == Mode::Append {
                    Target::Live { column }
                } else {
                    Target::Waiting { name, made: false, column }
                };
                writer.there = entry.count;
                writer.entry = Entry { revision, ..entry };
                writer.new = false;
            }
            None => {}
        }
        writer.key = writer.entry.layer.key_index();
        Ok(writer)
    }

    /// Reads what must be known of the layer that is made anew.
    fn take_place_of(&mut self, session: &mut Session<'_>, before: Entry) -> Result<(), StoreError> {
        publish::lock(session, &before)?;
        let after = &self.entry.layer;
        if self.change.mode == Mode::Restore {
            (self.fids, self.there) = Fids::load(session, &before)?;
        } else if let Some(key) = before.layer.key_index().filter(|_| before.layer.key == after.key) {
            let (keys, count) = known::keys(session, &before, key)?;
            (self.keys, self.there) = (Some(keys), count);
        } else {
            let table = before.shape().live();
            let found = session.numbers(format!("SELECT count(*) FROM {table}"), &[])?;
            self.there = found.map_or(0, |found| found[0]).try_into().unwrap_or(0);
        }
        self.new = before.layer != *after;
        if same_shape(&before.layer, after) {
            self.entry.columns.clone_from(&before.columns);
            self.entry.history.clone_from(&before.history);
            self.entry.generation = before.generation;
        }
        self.before = Some(before);
        Ok(())
    }

    /// The layer as it will be.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Counts features that did not come this far.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// The COPY that is on its way, to give it up.
    pub(super) fn stop(&mut self) -> Option<Copying> {
        self.copying.take()
    }

    /// Takes a feature without a number.
    pub(super) fn put(&mut self, session: &mut Session<'_>, feature: NewFeature) -> Result<Put, StoreError> {
        let feature = match self.accept(feature)? {
            Ok(feature) => feature,
            Err(reason) => return Ok(Put::Rejected(reason)),
        };
        match self.change.mode {
            Mode::Append => self.add(session, feature),
            Mode::Replace => {
                let kept = self
                    .key
                    .and_then(|key| key_of(&feature.values[key]))
                    .and_then(|key| self.keys.as_mut()?.get_mut(&*key)?.take());
                match kept {
                    None => self.add(session, feature),
                    Some(fid) => {
                        self.kept += 1;
                        self.keep(session, fid, &feature)?;
                        Ok(Put::Changed(fid))
                    }
                }
            }
            Mode::Upsert => self.upsert(session, feature),
            Mode::Edit | Mode::Restore | Mode::Drop => {
                Err(unfit(&self.given, "in this mode its features come with their numbers"))
            }
        }
    }

    /// Takes a feature with its number.
    pub(super) fn put_at(
        &mut self,
        session: &mut Session<'_>,
        fid: Fid,
        feature: NewFeature,
    ) -> Result<Put, StoreError> {
        if self.change.mode != Mode::Restore {
            return Err(unfit(&self.given, "features come with their numbers in mode restore only"));
        }
        if fid <= self.last_at {
            let reason = format!("feature {fid} came after {}, but numbers must grow", self.last_at);
            return Err(unfit(&self.given, &reason));
        }
        let feature = match self.accept(feature)? {
            Ok(feature) => feature,
            Err(reason) => return Ok(Put::Rejected(reason)),
        };
        self.last_at = fid;
        self.next_fid = self.next_fid.max(fid.saturating_add(1));
        self.keep(session, fid, &feature)?;
        if self.fids.contains(fid) {
            self.kept += 1;
            return Ok(Put::Changed(fid));
        }
        self.note_added(fid);
        Ok(Put::Added(fid))
    }

    fn accept(&self, feature: NewFeature) -> Result<Result<Accepted, String>, StoreError> {
        let accepted = accept(&self.given, self.entry.layer.geometry, feature)?;
        let Some(mapping) = &self.mapping else { return Ok(accepted) };
        Ok(accepted.map(|Accepted { geometry, mut values }| {
            let place =
                |from: &Option<usize>| from.map_or(Value::Null, |from| std::mem::take(&mut values[from]));
            Accepted { geometry, values: mapping.iter().map(place).collect() }
        }))
    }

    fn add(&mut self, session: &mut Session<'_>, feature: Accepted) -> Result<Put, StoreError> {
        let fid = self.next_fid;
        self.next_fid = self.next_fid.saturating_add(1);
        self.note_added(fid);
        self.keep(session, fid, &feature)?;
        Ok(Put::Added(fid))
    }

    fn note_added(&mut self, fid: Fid) {
        self.change.added += 1;
        match self.added.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(fid) => *last = fid,
            _ => self.added.push((fid, fid)),
        }
    }

    fn upsert(&mut self, session: &mut Session<'_>, feature: Accepted) -> Result<Put, StoreError> {
        let name = self.entry.layer.key.as_deref().unwrap_or_default();
        let Some(key) = self.key.map(|key| &feature.values[key]).and_then(key_of) else {
            return Ok(Put::Rejected(format!("it has no key: field `{name}` is empty")));
        };
        let key: Box<str> = key.as_ref().into();
        if !self.seen.insert(key.clone()) {
            return Ok(Put::Rejected(format!(
                "its key `{key}` stands in field `{name}` of an earlier one too"
            )));
        }
        let (fid, more) = self.find(session, &key)?;
        if more {
            return Ok(Put::Rejected(format!("the layer has several features with its key `{key}`")));
        }
        match fid {
            None => self.add(session, feature),
            Some(fid) => {
                self.keep(session, fid, &feature)?;
                Ok(Put::Changed(fid))
            }
        }
    }

    /// The feature that had this key when the turn began, and whether there were more.
    fn find(&mut self, session: &mut Session<'_>, key: &str) -> Result<(Option<Fid>, bool), StoreError> {
        if self.there == 0 {
            return Ok((None, false));
        }
        let Some(place) = self.key else { return Ok((None, false)) };
        if self.keys.is_none() {
            if self.asked < SINGLY {
                self.asked += 1;
                return known::with_key(session, &self.entry, place, key);
            }
            // No row was sent so far, so that the table is as it was and the connection free.
            self.keys = Some(known::keys(session, &self.entry, place)?.0);
        }
        Ok(match self.keys.as_ref().and_then(|keys| keys.get(key)) {
            None => (None, false),
            Some(None) => (None, true),
            Some(found) => (*found, false),
        })
    }

    /// Keeps a row for the next sending.
    fn keep(&mut self, session: &mut Session<'_>, fid: Fid, feature: &Accepted) -> Result<(), StoreError> {
        self.codes |= feature.bit();
        let limit = match &self.target {
            Target::Aside { made: None, .. } => FIRST_LOOK,
            Target::Aside { made: Some(column), .. } | Target::Live { column } => {
                if !column.takes(self.codes) {
                    self.widen(session)?;
                }
                CHUNK
            }
            // Until all keys are known, the connection is needed to ask for them.
            Target::Waiting { .. } if self.keys.is_none() && self.there > 0 => usize::MAX,
            Target::Waiting { .. } => CHUNK,
        };
        let geometry = self.entry.spatial().then(|| feature.bytes());
        self.rows.add(fid, geometry, &feature.values);
        if self.rows.bytes.len() >= limit {
            self.send(session)?;
        }
        Ok(())
    }

    /// Sends the rows that were kept back.
    fn send(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        if self.copying.is_none() {
            let mut freeze = "";
            let table = match &mut self.target {
                Target::Live { .. } => self.entry.shape().live(),
                Target::Aside { name, made } => {
                    if made.is_none() {
                        let column = GeometryColumn::narrowest(self.codes, self.entry.layer.geometry);
                        session.batch(schema::create(&self.entry, name, column))?;
                        *made = Some(column);
                    }
                    freeze = ", FREEZE true";
                    format!("city.{}", quoted(name))
                }
                Target::Waiting { name, made, .. } => {
                    if !*made {
                        session.batch(format!(
                            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}{} FROM {} WHERE false",
                            quoted(name),
                            self.entry.list(""),
                            self.entry.shape().live()
                        ))?;
                        if self.entry.spatial() {
                            // It may get what the layer's table does not take yet.
                            session.batch(format!(
                                "ALTER TABLE pg_temp.{} ALTER COLUMN geom TYPE geometry",
                                quoted(name)
                            ))?;
                        }
                        *made = true;
                    }
                    format!("pg_temp.{}", quoted(name))
                }
            };
            let sql =
                format!("COPY {table} ({FID}{}) FROM STDIN (FORMAT binary{freeze})", self.entry.list(""));
            self.copying = Some(session.copy_in(sql)?);
        }
        if let Some(copying) = &self.copying {
            copying.send(&mut self.rows);
        }
        Ok(())
    }

    /// Sends all rows and waits until they are there.
    pub(super) fn flush(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let must = match &self.target {
            Target::Aside { made, .. } => made.is_none(),
            _ => false,
        };
        if must || self.rows.count > 0 {
            self.send(session)?;
        }
        match self.copying.take() {
            Some(copying) => session.copied(copying).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Makes the geometry column take what came.
    fn widen(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        self.flush(session)?;
        match &mut self.target {
            Target::Aside { name, made } => {
                *made = Some(GeometryColumn::Kind);
                session.batch(schema::widen(&self.entry, name))
            }
            Target::Live { column } | Target::Waiting { column, .. } => {
                *column = GeometryColumn::Kind;
                publish::rebuild(session, &self.entry)
            }
        }
    }

    /// Where the rows that were put are, to read one of them.
    pub(super) fn table(&mut self, session: &mut Session<'_>) -> Result<String, StoreError> {
        self.flush(session)?;
        match &self.target {
            Target::Aside { name, .. } => Ok(format!("city.{}", quoted(name))),
            Target::Live { .. } => Ok(self.entry.shape().live()),
            Target::Waiting { name, made, .. } => Ok(if *made {
                // What waits goes before what is there.
                format!(
                    "(SELECT {FID}{list} FROM pg_temp.{waiting} UNION ALL SELECT {FID}{list} FROM {live} l \
                     WHERE NOT EXISTS (SELECT FROM pg_temp.{waiting} w WHERE w.{FID} = l.{FID}))",
                    list = self.entry.list(""),
                    waiting = quoted(name),
                    live = self.entry.shape().live()
                )
            } else {
                self.entry.shape().live()
            }),
        }
    }

    /// Turns away from the layer: history, indexes, counts and catalogue become right. What was done, and how many
    /// features there are now.
    pub(super) fn finish(mut self, session: &mut Session<'_>) -> Result<(LayerChange, u64), StoreError> {
        self.flush(session)?;
        let narrow = matches!(&self.target, Target::Waiting { column, .. } if !column.takes(self.codes));
        if narrow {
            self.widen(session)?;
        }
        let mut recorded = false;
        match &self.target {
            Target::Live { .. } => recorded = true,
            Target::Waiting { name, made, .. } => {
                if *made {
                    let source = format!("pg_temp.{}", quoted(name));
                    self.change.changed = publish::update_from(session, &self.entry, &source)?;
                    publish::insert_from(session, &self.entry, &source)?;
                    session.batch(format!("DROP TABLE {source}"))?;
                }
                recorded = true;
            }
            Target::Aside { name, made } => {
                let (name, column) = (name.clone(), made.unwrap_or(GeometryColumn::Kind));
                match self.before.take() {
                    Some(before) => recorded = self.replace(session, &before, &name, column)?,
                    None => {
                        session.batch(schema::create_history(&self.entry))?;
                        publish::publish(session, &self.entry, &name, column, false)?;
                    }
                }
            }
        }
        self.entry.count = if matches!(self.change.mode, Mode::Replace | Mode::Restore) {
            self.kept + self.change.added
        } else {
            self.there + self.change.added
        };
        entry::save(session, &self.entry, self.next_fid - 1, self.new)?;
        if !recorded {
            self.save_added(session)?;
        }
        Ok((self.change, self.entry.count))
    }

    /// Lets the filled table take the place of the layer's. Whether the triggers recorded what was added.
    fn replace(
        &mut self,
        session: &mut Session<'_>,
        before: &Entry,
        name: &str,
        column: GeometryColumn,
    ) -> Result<bool, StoreError> {
        self.change.removed = self.there - self.kept;
        if !same_shape(&before.layer, &self.entry.layer) {
            self.change.changed = publish::count(session, before, &self.entry, name)?.changed;
            publish::keep_all(session, before, self.entry.revision, self.again)?;
            session.batch(schema::create_history(&self.entry))?;
            publish::publish(session, &self.entry, name, column, true)?;
            return Ok(false);
        }
        let found = format!("{name}_d");
        let differences = publish::find_differing(session, &self.entry, name, &found)?;
        self.change.changed = differences.changed;
        let differing = differences.changed + differences.removed + self.change.added;
        let same_key = before.layer.key == self.entry.layer.key;
        let fits = publish::geometry_column(session, before)?.takes(self.codes);
        let shown = !publish::foreign_views(session, &before.layer)?.is_empty();
        if same_key && fits && (shown || differing * 8 <= self.there) {
            let new = self.change.added > 0;
            publish::change_in_place(session, &self.entry, name, &found, differences, new)?;
            session.batch(format!("DROP TABLE pg_temp.{}", quoted(&found)))?;
            if before.layer != self.entry.layer {
                session.batch(schema::comments(&self.entry))?;
            }
            return Ok(true);
        }
        publish::keep_found(session, &self.entry, &found, self.again)?;
        session.batch(format!("DROP TABLE pg_temp.{}", quoted(&found)))?;
        publish::publish(session, &self.entry, name, column, true)?;
        Ok(false)
    }

    /// Writes down what was added, as one with what earlier turns of the revision added.
    fn save_added(&mut self, session: &mut Session<'_>) -> Result<(), StoreError> {
        let id = self.entry.layer.id.as_str();
        let (generation, revision) = (self.entry.generation, self.entry.revision);
        let mut ranges = std::mem::take(&mut self.added);
        session.ask(async |conn| {
            if self.again {
                let before = sqlx::query(
                    "DELETE FROM citymap.added WHERE layer = $1 AND generation = $2 AND revision = $3 \
                     RETURNING first, last",
                )
                .bind(id)
                .bind(generation)
                .bind(revision)
                .fetch_all(&mut *conn)
                .await?;
                for row in before {
                    ranges.push((row.try_get(0)?, row.try_get(1)?));
                }
            }
            let (firsts, lasts): (Vec<i64>, Vec<i64>) = merged(ranges).into_iter().unzip();
            sqlx::query(
                "INSERT INTO citymap.added SELECT $1, $2, $3, first, last FROM unnest($4::bigint[], $5::bigint[]) \
                 AS range (first, last)",
            )
            .bind(id)
            .bind(generation)
            .bind(revision)
            .bind(&firsts)
            .bind(&lasts)
            .execute(conn)
            .await
            .map(|_| ())
        })
    }
}

/// Ranges of numbers, first and last included, as ascending ones that are apart.
fn merged(mut ranges: Vec<(Fid, Fid)>) -> Vec<(Fid, Fid)> {
    ranges.sort_unstable();
    let mut apart: Vec<(Fid, Fid)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match apart.last_mut() {
            Some((_, end)) if end.saturating_add(1) >= first => *end = last.max(*end),
            _ => apart.push((first, last)),
        }
    }
    apart
}

/// Refuses a layer for which there is a table that another program made.
fn refuse_foreign(session: &mut Session<'_>, layer: &Layer) -> Result<(), StoreError> {
    let found = session.numbers(
        "SELECT 1::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'city' AND c.relname = $1",
        &[layer.id.as_str()],
    )?;
    if found.is_none() {
        return Ok(());
    }
    Err(unfit(
        layer,
        "the database has a table of this name that another program made; choose another name for the layer",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        assert_eq!(merged(vec![(5, 7), (1, 2), (6, 6), (8, 9), (3, 3)]), [(1, 3), (5, 9)]);
        assert_eq!(merged(vec![(1, Fid::MAX), (7, 8)]), [(1, Fid::MAX)]);
    }
}
