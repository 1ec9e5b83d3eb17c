//! Replacing a layer: which of its features are there before and after, and how the new table takes the old
//! one's place.

use citymap_model::{Fid, Layer, LayerChange};

use crate::{
    StoreError,
    by_content::ByContent,
    columns::quoted,
    fit::{key_of, same_fields, same_shape},
    postgis::{
        accept::Accepted,
        copy,
        entry::Entry,
        known::{self, Fids, Keys},
        publish::{self, Before, Differences},
        schema::{self, GeometryColumn},
        session::Session,
    },
};

/// The layer that is replaced. The default is the replacement of a layer that is not there.
#[derive(Default)]
pub(super) struct Replacement {
    before: Option<Entry>,
    /// The number of features before.
    there: u64,
    /// The position of the key field after, and the numbers of the features before by their keys; `None`
    /// where the key is another field now, or where features bring their numbers.
    keys: Option<(usize, Keys)>,
    /// The features before that no key tells apart, by their content, where the fields are the same after.
    alike: ByContent,
    /// The number of features that are there before and after.
    pub(super) kept: u64,
}

/// Who records the numbers of the features that are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Additions {
    /// The triggers of the layer's table did.
    Recorded,
    /// The writer must, since a filled table took the place of the layer's.
    ToRecord,
}

/// A filled table that is to become the layer's.
pub(super) struct Filled<'a> {
    /// The layer as it will be.
    pub(super) entry: &'a Entry,
    /// The name of the table, in schema `city`.
    pub(super) name: &'a str,
    pub(super) column: GeometryColumn,
    /// The WKB types in it: bit n for code n.
    pub(super) codes: u8,
    /// Whether an earlier turn of the same revision touched the layer.
    pub(super) again: bool,
}

impl Replacement {
    /// Prepares to replace a layer whose features keep their numbers by key, if the key is the same field
    /// after, and by their content where no key tells them apart.
    pub(super) fn by_key(
        session: &mut Session<'_>,
        before: Entry,
        after: &Layer,
    ) -> Result<Self, StoreError> {
        publish::lock(session, &before)?;
        let same_key = before.layer.key == after.key;
        let (keys, there) = match before.layer.key_index().filter(|_| same_key) {
            Some(key) => {
                let (keys, there) = known::keys(session, &before, key)?;
                // The field may be at another position now.
                (after.key_index().map(|position| (position, keys)), there)
            }
            None => {
                let table = before.shape().live();
                let found = session.numbers(format!("SELECT count(*) FROM {table}"), &[])?;
                (None, found.map_or(0, |found| found[0]).try_into().unwrap_or(0))
            }
        };
        let unique = keys.as_ref().map_or(0, |(_, keys)| keys.values().flatten().count());
        let alike = if same_fields(&before.layer, after) && there > unique as u64 {
            let key = before.layer.key_index().filter(|_| same_key);
            known::alike(session, &before, key)?
        } else {
            ByContent::default()
        };
        Ok(Self { before: Some(before), there, keys, alike, kept: 0 })
    }

    /// Prepares to replace a layer whose features bring their numbers; gives the numbers before.
    pub(super) fn by_number(session: &mut Session<'_>, before: Entry) -> Result<(Self, Fids), StoreError> {
        publish::lock(session, &before)?;
        let (fids, there) = Fids::load(session, &before)?;
        Ok((Self { before: Some(before), there, ..Self::default() }, fids))
    }

    /// The number of the feature before that has the key of this one, else of one with the same content that
    /// no key tells apart; each is given once.
    pub(super) fn take(&mut self, feature: &Accepted) -> Option<Fid> {
        let by_key = self
            .keys
            .as_mut()
            .and_then(|(position, keys)| keys.get_mut(&*key_of(&feature.values[*position])?)?.take());
        let fid = match by_key {
            Some(fid) => fid,
            None if self.alike.is_empty() => return None,
            None => self.alike.take(copy::print(feature.bytes(), &feature.values))?,
        };
        self.kept += 1;
        Some(fid)
    }

    /// Lets a filled table become the layer's: row by row where little differs, else as a whole.
    pub(super) fn swap(
        &self,
        session: &mut Session<'_>,
        filled: &Filled<'_>,
        change: &mut LayerChange,
    ) -> Result<Additions, StoreError> {
        let Filled { entry, name, column, codes, again } = *filled;
        let Some(before) = &self.before else {
            session.batch(schema::create_history(entry))?;
            publish::publish(session, entry, name, column, Before::NoTable)?;
            return Ok(Additions::ToRecord);
        };
        change.removed = self.there - self.kept;
        if !same_shape(&before.layer, &entry.layer) {
            change.changed = publish::count(session, before, entry, name)?.changed;
            publish::keep_all(session, before, entry.revision, again)?;
            session.batch(schema::create_history(entry))?;
            publish::publish(session, entry, name, column, Before::Table)?;
            return Ok(Additions::ToRecord);
        }
        let found = format!("{name}_d");
        let differences = publish::find_differing(session, entry, name, &found)?;
        change.changed = differences.changed;
        let differing = differences.changed + differences.removed + change.added;
        let same_key = before.layer.key == entry.layer.key;
        let fits = publish::geometry_column(session, before)?.takes(codes);
        let shown = !publish::foreign_views(session, &before.layer)?.is_empty();
        if same_key && fits && (shown || differing * 8 <= self.there) {
            let differences = Differences { added: change.added, ..differences };
            publish::change_in_place(session, entry, name, &found, differences)?;
            session.batch(format!("DROP TABLE pg_temp.{}", quoted(&found)))?;
            if before.layer != entry.layer {
                session.batch(format!("{} {}", schema::comments(entry), schema::share(entry)?))?;
            }
            return Ok(Additions::Recorded);
        }
        publish::keep_found(session, entry, &found, again)?;
        session.batch(format!("DROP TABLE pg_temp.{}", quoted(&found)))?;
        publish::publish(session, entry, name, column, Before::Table)?;
        Ok(Additions::ToRecord)
    }
}
