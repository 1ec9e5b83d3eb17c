//! Writing the features of one layer, from the turn to it until the turn away from it.

use std::collections::{HashMap, HashSet};

use citymap_model::{Fid, GeometryKind, Layer, LayerChange, Mode, NewFeature, Value};
use rusqlite::{Connection, OptionalExtension};

use super::{
    blob::{self, Blob, Bounds},
    bulk_rtree::Box32,
    catalogue::{self, Entry},
    failure::Failure,
    former::{Former, key_of},
    rows::{self, Fingerprint},
    rtree, schema,
};
use crate::Put;
use crate::{
    columns::{self, FID, GEOM, quoted},
    fit::{check_definition, check_values, mapping, misfit, unfit, unstorable},
};

/// Rows that are kept before they are handed to SQLite together.
const BATCH: usize = 1024;

/// The layer that a transaction has turned to.
pub(super) struct LayerWriter {
    /// The layer as it will be.
    entry: Entry,
    /// The change set's own idea of the layer: the order of the values it brings.
    given: Layer,
    /// For each column, the given value that goes there; `None` if they are the same.
    mapping: Option<Vec<Option<usize>>>,
    change: LayerChange,
    /// The place of the key among the columns.
    key: Option<usize>,
    former: Former,
    /// Keys that an upsert has brought so far.
    seen: HashSet<Box<str>>,
    /// Whether the table was made in this turn.
    fresh: bool,
    was_empty: bool,
    next_fid: Fid,
    insert: String,
    find: String,
    pending: Vec<Row>,
    boxes: Vec<(Fid, Option<[f32; 4]>)>,
    extent: Option<Bounds>,
    /// The WKB types that came: bit n for code n.
    codes: u8,
}

struct Row {
    fid: Fid,
    geometry: Option<Vec<u8>>,
    values: Vec<Value>,
}

impl LayerWriter {
    /// Turns to a layer as [`crate::Transaction::layer`] says.
    pub(super) fn open(conn: &Connection, layer: &Layer, mode: Mode, revision: u64) -> Result<Self, Failure> {
        check_definition(layer)?;
        let existing = catalogue::get(conn, &layer.id)?;
        if existing.is_none() && schema::has_table(conn, layer.id.as_str())? {
            return Err(unfit(
                layer,
                "the file has a table of this name that another program made; choose another name for the layer",
            )
            .into());
        }
        if mode == Mode::Upsert && existing.as_ref().map_or(layer, |entry| &entry.layer).key.is_none() {
            return Err(unfit(
                layer,
                "it has no key, so nothing can be matched; use the mode append or replace",
            )
            .into());
        }
        let last_fid = catalogue::last_fid(conn, &layer.id, existing.is_some())?;
        let mut former = Former::default();
        let fresh = existing.is_none() || mode == Mode::Replace;
        let (mut entry, mapping) = match existing {
            Some(entry) if mode != Mode::Replace => {
                let mapping = mapping(&entry.layer, layer)?;
                rtree::drop_triggers(conn, &layer.id)?;
                (entry, mapping)
            }
            existing => {
                if let Some(before) = &existing {
                    former = Former::read(conn, before, layer)?;
                    catalogue::drop(conn, before)?;
                }
                let columns = columns::names(&layer.fields);
                catalogue::create(conn, layer, &columns)?;
                catalogue::set_last_fid(conn, &layer.id, last_fid)?;
                let layer = layer.clone();
                (Entry { layer, columns, revision, count: 0, count_then: 0 }, None)
            }
        };
        entry.revision = revision;
        let key = entry.layer.key_index();
        if mode == Mode::Upsert && !fresh {
            make_key_index(conn, &entry)?;
        }
        let find = key.map_or_else(String::new, |key| {
            format!("{} WHERE {} = ?1 LIMIT 2", catalogue::select(&entry), quoted(&entry.columns[key]))
        });
        Ok(Self {
            given: layer.clone(),
            mapping,
            change: LayerChange {
                layer: layer.id.clone(),
                mode,
                added: 0,
                changed: 0,
                removed: 0,
                rejected: 0,
            },
            key,
            former,
            seen: HashSet::new(),
            fresh,
            was_empty: entry.count == 0,
            next_fid: last_fid.saturating_add(1),
            insert: insert(&entry, mode),
            find,
            pending: Vec::new(),
            boxes: Vec::new(),
            extent: if fresh { None } else { catalogue::extent(conn, &layer.id)? },
            codes: 0,
            entry,
        })
    }

    /// Counts features that did not come this far.
    pub(super) fn rejected(&mut self, count: u64) {
        self.change.rejected += count;
    }

    /// Takes a feature.
    pub(super) fn put(&mut self, conn: &Connection, feature: NewFeature) -> Result<Put, Failure> {
        let NewFeature { geometry, values } = feature;
        check_values(&self.given, &values)?;
        if let Some(reason) = unstorable(&values) {
            return Ok(Put::Rejected(reason));
        }
        let blob = match &geometry {
            None => None,
            Some(geometry) => match blob::write(geometry) {
                Err(blob::NotFinite) => {
                    return Ok(Put::Rejected("a coordinate is no finite number".to_owned()));
                }
                Ok(blob) => match misfit(self.entry.layer.geometry, blob.code, blob.bounds.is_none()) {
                    Some(reason) => return Ok(Put::Rejected(reason)),
                    None => Some(blob),
                },
            },
        };
        let values = match &self.mapping {
            None => values,
            Some(mapping) => {
                let mut values = values;
                let place =
                    |from: &Option<usize>| from.map_or(Value::Null, |from| std::mem::take(&mut values[from]));
                mapping.iter().map(place).collect()
            }
        };
        match self.change.mode {
            Mode::Append => self.add(conn, blob, values),
            Mode::Replace => self.replace(conn, blob, values),
            Mode::Upsert => self.upsert(conn, blob, values),
            Mode::Edit | Mode::Restore | Mode::Drop => {
                Err(unfit(&self.given, "its features come with their numbers in this mode").into())
            }
        }
    }

    fn add(&mut self, conn: &Connection, blob: Option<Blob>, values: Vec<Value>) -> Result<Put, Failure> {
        let fid = self.next_fid;
        self.next_fid = self.next_fid.saturating_add(1);
        self.change.added += 1;
        self.keep(conn, fid, blob, values)?;
        Ok(Put::Added(fid))
    }

    fn replace(&mut self, conn: &Connection, blob: Option<Blob>, values: Vec<Value>) -> Result<Put, Failure> {
        let kept = self.key.and_then(|key| key_of(&values[key])).and_then(|key| self.former.take(&key));
        let Some(kept) = kept else { return self.add(conn, blob, values) };
        let print = kept.print.map(|_| Fingerprint::of(blob.as_ref().map(|blob| &*blob.bytes), &values));
        if print.is_none() || print != kept.print {
            self.change.changed += 1;
        }
        self.keep(conn, kept.fid, blob, values)?;
        Ok(Put::Changed(kept.fid))
    }

    fn upsert(&mut self, conn: &Connection, blob: Option<Blob>, values: Vec<Value>) -> Result<Put, Failure> {
        let name = self.entry.layer.key.as_deref().unwrap_or_default();
        let Some((value, key)) =
            self.key.map(|key| &values[key]).and_then(|value| Some((value, key_of(value)?)))
        else {
            return Ok(Put::Rejected(format!("it has no key: field `{name}` is empty")));
        };
        if !self.seen.insert(key.as_ref().into()) {
            return Ok(Put::Rejected(format!(
                "its key `{key}` stands in field `{name}` of an earlier one too"
            )));
        }
        if self.was_empty {
            return self.add(conn, blob, values);
        }
        let mut statement = conn.prepare_cached(&self.find)?;
        let mut found = statement.query([rows::to_sql(value)])?;
        let (fid, print) = match found.next()? {
            None => {
                std::mem::drop(found);
                std::mem::drop(statement);
                return self.add(conn, blob, values);
            }
            Some(row) => {
                let mut print = Fingerprint::default();
                for index in 1..self.entry.columns.len() + 2 {
                    print.add(row.get_ref(index)?);
                }
                (row.get::<_, Fid>(0)?, print.finish())
            }
        };
        if found.next()?.is_some() {
            return Ok(Put::Rejected(format!("the layer has several features with its key `{key}`")));
        }
        std::mem::drop(found);
        std::mem::drop(statement);
        if print != Fingerprint::of(blob.as_ref().map(|blob| &*blob.bytes), &values) {
            self.change.changed += 1;
            if blob.as_ref().is_none_or(|blob| blob.bounds.is_none()) {
                self.boxes.push((fid, None));
            }
            self.keep(conn, fid, blob, values)?;
        }
        Ok(Put::Changed(fid))
    }

    /// Keeps a row for the next batch.
    fn keep(
        &mut self,
        conn: &Connection,
        fid: Fid,
        blob: Option<Blob>,
        values: Vec<Value>,
    ) -> Result<(), Failure> {
        let geometry = blob.map(|blob| {
            self.codes |= 1 << blob.code;
            if let Some(bounds) = blob.bounds {
                self.boxes.push((fid, Some(rtree::rounded(bounds))));
                self.extent = Some(self.extent.map_or(bounds, |extent| {
                    [
                        extent[0].min(bounds[0]),
                        extent[1].max(bounds[1]),
                        extent[2].min(bounds[2]),
                        extent[3].max(bounds[3]),
                    ]
                }));
            }
            blob.bytes
        });
        self.pending.push(Row { fid, geometry, values });
        if self.pending.len() >= BATCH { self.flush(conn) } else { Ok(()) }
    }

    fn flush(&mut self, conn: &Connection) -> Result<(), Failure> {
        let spatial = self.entry.layer.geometry != GeometryKind::None;
        let mut statement = conn.prepare_cached(&self.insert)?;
        for row in self.pending.drain(..) {
            statement.raw_bind_parameter(1, row.fid)?;
            if spatial {
                statement.raw_bind_parameter(2, &row.geometry)?;
            }
            for (index, value) in row.values.iter().enumerate() {
                statement.raw_bind_parameter(2 + usize::from(spatial) + index, rows::to_sql(value))?;
            }
            statement.raw_execute()?;
        }
        Ok(())
    }

    /// Turns away from the layer: index, triggers, counts and catalogue become right.
    pub(super) fn finish(mut self, conn: &Connection, time: &str) -> Result<LayerChange, Failure> {
        self.flush(conn)?;
        let id = self.entry.layer.id.clone();
        let spatial = self.entry.layer.geometry != GeometryKind::None;
        if spatial {
            catalogue::widen_type(conn, &id, self.codes, self.was_empty)?;
            self.index(conn)?;
        }
        if self.fresh {
            make_key_index(conn, &self.entry)?;
        }
        rtree::create_triggers(conn, &id, spatial)?;
        if self.change.mode == Mode::Replace {
            self.change.removed = self.former.count - self.former.kept;
            self.entry.count = self.former.kept + self.change.added;
        } else {
            self.entry.count += self.change.added;
        }
        catalogue::save(conn, &self.entry, self.extent, time)?;
        Ok(self.change)
    }

    /// Brings the R-tree up to date: filled at once where much changed, else box by box.
    fn index(&mut self, conn: &Connection) -> Result<(), Failure> {
        let id = &self.entry.layer.id;
        let changes = std::mem::take(&mut self.boxes);
        if self.fresh {
            let boxes = changes.into_iter().filter_map(|(id, bounds)| Some(Box32 { id, bounds: bounds? }));
            return rtree::create(conn, id, boxes.collect());
        }
        let many = changes.len() > 2000 && changes.len() as u64 > self.entry.count / 10;
        if !many {
            return rtree::change(conn, id, &changes);
        }
        let changed: HashMap<Fid, Option<[f32; 4]>> = changes.into_iter().collect();
        let mut boxes = rtree::boxes(conn, id)?;
        boxes.retain(|one| !changed.contains_key(&one.id));
        boxes.extend(changed.into_iter().filter_map(|(id, bounds)| Some(Box32 { id, bounds: bounds? })));
        rtree::drop(conn, id)?;
        rtree::create(conn, id, boxes)
    }
}

/// Makes the index over the key, by which an upsert finds its features.
fn make_key_index(conn: &Connection, entry: &Entry) -> Result<(), Failure> {
    let Some(key) = entry.layer.key_index() else { return Ok(()) };
    let id = &entry.layer.id;
    let name = catalogue::key_index(id);
    let there = conn
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1", [&name], |_| Ok(()))
        .optional()?;
    if there.is_none() {
        conn.execute_batch(&format!(
            "CREATE INDEX {} ON {} ({})",
            quoted(&name),
            quoted(id.as_str()),
            quoted(&entry.columns[key])
        ))?;
    }
    Ok(())
}

fn insert(entry: &Entry, mode: Mode) -> String {
    let mut names = vec![quoted(FID)];
    if entry.layer.geometry != GeometryKind::None {
        names.push(quoted(GEOM));
    }
    names.extend(entry.columns.iter().map(|column| quoted(column)));
    let verb = if mode == Mode::Upsert { "INSERT OR REPLACE" } else { "INSERT" };
    let places = vec!["?"; names.len()].join(", ");
    format!("{verb} INTO {} ({}) VALUES ({places})", quoted(entry.layer.id.as_str()), names.join(", "))
}
