//! What a layer held before it is replaced: which key had which number, and whether it changed.

use std::collections::{HashMap, hash_map::Entry as Place};

use citymap_model::{Fid, Layer, Value};
use rusqlite::Connection;

use super::{
    catalogue::{self, Entry},
    failure::Failure,
    rows::{self, Fingerprint},
};

/// The key of a feature as text, `None` where it has none. An empty text is no key.
pub(super) fn key_of(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    let key: std::borrow::Cow<'_, str> = match value {
        Value::Text(text) => text.as_str().into(),
        other => other.to_key()?.into(),
    };
    (!key.is_empty()).then_some(key)
}

/// The features of a layer that is being replaced.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// How many there were.
    pub(super) count: u64,
    /// How many have been taken over so far.
    pub(super) kept: u64,
    by_key: HashMap<Box<str>, Slot>,
    /// Whether rows of before and after can be compared: the fields are the same.
    comparable: bool,
}

/// A feature of before; `None` once it is taken over, or where its key repeats.
type Slot = Option<(Fid, u64)>;

/// A feature that is there before and after.
pub(super) struct Kept {
    pub(super) fid: Fid,
    /// Its fingerprint before, if it can be compared with the one after.
    pub(super) print: Option<u64>,
}

impl Former {
    /// Reads all of the layer as it is. Features keep their numbers by key only if the layer's
    /// key is the same field after it.
    pub(super) fn read(conn: &Connection, before: &Entry, after: &Layer) -> Result<Self, Failure> {
        let table = crate::columns::quoted(before.layer.id.as_str());
        let key = before.layer.key_index().filter(|_| before.layer.key == after.key);
        let Some(key) = key else {
            let count = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            return Ok(Self { count, ..Self::default() });
        };
        let shape = |layer: &Layer| -> Vec<_> {
            layer.fields.iter().map(|field| (field.name.clone(), field.field_type)).collect()
        };
        let mut former = Self { comparable: shape(&before.layer) == shape(after), ..Self::default() };
        let key_type = before.layer.fields[key].field_type;
        let width = before.columns.len();
        let mut statement = conn.prepare(&catalogue::select(before))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            former.count += 1;
            let Ok(value) = rows::from_sql(row.get_ref(key + 2)?, key_type) else { continue };
            let Some(key) = key_of(&value) else { continue };
            let print = if former.comparable {
                let mut print = Fingerprint::default();
                for index in 1..width + 2 {
                    print.add(row.get_ref(index)?);
                }
                print.finish()
            } else {
                0
            };
            match former.by_key.entry(key.into()) {
                Place::Vacant(place) => {
                    place.insert(Some((row.get(0)?, print)));
                }
                Place::Occupied(mut place) => {
                    place.insert(None);
                }
            }
        }
        Ok(former)
    }

    /// The feature of before whose place one with this key takes: the first one to ask gets it.
    pub(super) fn take(&mut self, key: &str) -> Option<Kept> {
        let (fid, print) = self.by_key.get_mut(key)?.take()?;
        self.kept += 1;
        Some(Kept { fid, print: self.comparable.then_some(print) })
    }
}
