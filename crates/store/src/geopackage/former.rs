//! What a layer held before it is replaced: the row of each key, content or number, and whether it differs.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry as Place},
};

use citymap_model::{Fid, Layer, Mode};
use rusqlite::{Connection, Row};

use super::{
    entry::{self, Entry},
    failure::Failure,
    rows::{self, Fingerprint},
};
use crate::{
    by_content::ByContent,
    fit::{key_of, same_fields},
};

/// The features of a layer that is being replaced.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// The number of features before.
    pub(super) count: u64,
    /// The number of features that are there before and after, so far.
    pub(super) kept: u64,
    by_key: HashMap<Box<str>, Slot>,
    /// The features that no key tells apart, by their content.
    by_content: ByContent,
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
    /// key is the same field after, and where they have none, or others have the same, by their content if
    /// the fields are the same; in [`Mode::Restore`] they bring their numbers.
    pub(super) fn read(
        conn: &Connection,
        before: &Entry,
        after: &Layer,
        mode: Mode,
    ) -> Result<Self, Failure> {
        let key = before.layer.key_index().filter(|_| before.layer.key == after.key);
        let comparable = same_fields(&before.layer, after);
        if mode != Mode::Restore && key.is_none() && !comparable {
            let table = crate::columns::quoted(before.layer.id.as_str());
            let count = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            return Ok(Self { count, ..Self::default() });
        }
        let mut former = Self { comparable, ..Self::default() };
        let width = before.columns.len();
        let mut statement = conn.prepare(&format!("{} ORDER BY \"fid\"", entry::select(before)))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            former.count += 1;
            if mode == Mode::Restore {
                former.by_fid.push((row.get(0)?, former.print(row, width)?));
                continue;
            }
            let slot = (row.get(0)?, former.print(row, width)?);
            let value = match key {
                Some(key) => rows::from_sql(row.get_ref(key + 2)?, before.layer.fields[key].field_type).ok(),
                None => None,
            };
            former.note(value.as_ref().and_then(key_of), slot);
        }
        former.by_content.settle();
        Ok(former)
    }

    /// Notes a feature by its key, or by its content if it has none or shares it.
    fn note(&mut self, key: Option<Cow<'_, str>>, slot: (Fid, u64)) {
        let alike = match key.map(|key| self.by_key.entry(key.into())) {
            None => [Some(slot), None],
            Some(Place::Occupied(mut place)) => [place.insert(None), Some(slot)],
            Some(Place::Vacant(place)) => {
                place.insert(Some(slot));
                return;
            }
        };
        if self.comparable {
            alike.into_iter().flatten().for_each(|(fid, print)| self.by_content.add(fid, print));
        }
    }

    fn print(&self, row: &Row<'_>, width: usize) -> rusqlite::Result<u64> {
        if self.comparable { Fingerprint::of_row(row, width) } else { Ok(0) }
    }

    /// The feature before that has this key; only the first call for a key gets it.
    pub(super) fn take(&mut self, key: &str) -> Option<Kept> {
        let (fid, print) = self.by_key.get_mut(key)?.take()?;
        Some(self.keep(fid, print))
    }

    /// A feature before with this content that no key tells apart; each is given once.
    pub(super) fn take_like(&mut self, print: impl FnOnce() -> u64) -> Option<Kept> {
        if self.by_content.is_empty() {
            return None;
        }
        let print = print();
        let fid = self.by_content.take(print)?;
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
