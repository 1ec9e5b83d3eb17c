//! What a layer held before it is replaced: the row of each key or number, and whether it differs.

use std::collections::{HashMap, hash_map::Entry as Place};

use citymap_model::{Fid, Layer, Mode};
use rusqlite::{Connection, Row};

use super::{
    entry::{self, Entry},
    failure::Failure,
    rows::{self, Fingerprint},
};
use crate::fit::{key_of, same_fields};

/// The features of a layer that is being replaced.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// The number of features before.
    pub(super) count: u64,
    /// The number of features that are there before and after, so far.
    pub(super) kept: u64,
    by_key: HashMap<Box<str>, Slot>,
    /// By ascending number; those before the position `passed` are no longer needed.
    by_fid: Vec<(Fid, u64)>,
    passed: usize,
    /// Whether rows before and after can be compared, because the fields are the same.
    comparable: bool,
}

/// A feature before; `None` after it was taken over, or if several have its key.
type Slot = Option<(Fid, u64)>;

/// A feature that is there before and after.
pub(super) struct Kept {
    pub(super) fid: Fid,
    /// Its fingerprint before, if that can be compared with the one after.
    print: Option<u64>,
}

impl Kept {
    /// Whether the feature is the same as before.
    pub(super) fn is_same(&self, print: impl FnOnce() -> u64) -> bool {
        self.print.is_some_and(|before| before == print())
    }
}

impl Former {
    /// Reads the layer before it is replaced. In [`Mode::Replace`] features keep their numbers by key, if the
    /// key is the same field after; in [`Mode::Restore`] they bring their numbers.
    pub(super) fn read(
        conn: &Connection,
        before: &Entry,
        after: &Layer,
        mode: Mode,
    ) -> Result<Self, Failure> {
        let key = before.layer.key_index().filter(|_| before.layer.key == after.key);
        if mode != Mode::Restore && key.is_none() {
            let table = crate::columns::quoted(before.layer.id.as_str());
            let count = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            return Ok(Self { count, ..Self::default() });
        }
        let mut former = Self { comparable: same_fields(&before.layer, after), ..Self::default() };
        let width = before.columns.len();
        let mut statement = conn.prepare(&format!("{} ORDER BY \"fid\"", entry::select(before)))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            former.count += 1;
            if mode == Mode::Restore {
                former.by_fid.push((row.get(0)?, former.print(row, width)?));
                continue;
            }
            let Some(key) = key else { continue };
            let Ok(value) = rows::from_sql(row.get_ref(key + 2)?, before.layer.fields[key].field_type) else {
                continue;
            };
            let Some(key) = key_of(&value) else { continue };
            let slot = (row.get(0)?, former.print(row, width)?);
            match former.by_key.entry(key.into()) {
                Place::Vacant(place) => {
                    place.insert(Some(slot));
                }
                Place::Occupied(mut place) => {
                    place.insert(None);
                }
            }
        }
        Ok(former)
    }

    fn print(&self, row: &Row<'_>, width: usize) -> rusqlite::Result<u64> {
        if self.comparable { Fingerprint::of_row(row, width) } else { Ok(0) }
    }

    /// The feature before that has this key; only the first call for a key gets it.
    pub(super) fn take(&mut self, key: &str) -> Option<Kept> {
        let (fid, print) = self.by_key.get_mut(key)?.take()?;
        Some(self.keep(fid, print))
    }

    /// The feature before that has this number; numbers must grow from call to call.
    pub(super) fn take_at(&mut self, fid: Fid) -> Option<Kept> {
        while self.by_fid.get(self.passed).is_some_and(|(before, _)| *before < fid) {
            self.passed += 1;
        }
        let (_, print) = *self.by_fid.get(self.passed).filter(|(before, _)| *before == fid)?;
        self.passed += 1;
        Some(self.keep(fid, print))
    }

    fn keep(&mut self, fid: Fid, print: u64) -> Kept {
        self.kept += 1;
        Kept { fid, print: self.comparable.then_some(print) }
    }
}
