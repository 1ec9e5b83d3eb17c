//! What a layer holds before a change set: the number of each key, and which numbers are in use.

use std::collections::{HashMap, HashSet, hash_map::Entry as Place};

use citymap_model::{Fid, FieldType};

use super::{copy::Unpacker, entry::Entry, read, session::Session};
use crate::{
    StoreError,
    by_content::ByContent,
    columns::{FID, quoted},
    fit::key_of,
};

/// Keys and their numbers; `None` for a key that several features have, or that was taken.
pub(super) type Keys = HashMap<Box<str>, Option<Fid>>;

/// Reads all keys of a layer, of the field at `key`, and counts its features.
pub(super) fn keys(session: &mut Session<'_>, entry: &Entry, key: usize) -> Result<(Keys, u64), StoreError> {
    let column = quoted(&entry.columns[key]);
    let field_type = entry.layer.fields[key].field_type;
    let sql = format!(
        "COPY (SELECT {}, {column}::{} FROM {}) TO STDOUT (FORMAT binary)",
        quoted(FID),
        read::sql_type(field_type),
        entry.shape().live()
    );
    let mut keys = Keys::with_capacity(usize::try_from(entry.count).unwrap_or(0));
    let mut count = 0;
    let mut unpacker = Unpacker::default();
    session.copy_out(sql, |bytes| {
        unpacker.pairs(bytes, |fid, key| {
            count += 1;
            let Some((fid, key)) = number(fid).zip(key) else { return };
            let Some(key) = text(key, field_type) else { return };
            match keys.entry(key) {
                Place::Vacant(place) => {
                    place.insert(Some(fid));
                }
                Place::Occupied(mut place) => {
                    place.insert(None);
                }
            }
        });
    })?;
    Ok((keys, count))
}

/// Reads the features of a layer that its key, the field at `key`, does not tell apart, by their content:
/// those without a key and those that share it; all of them where there is no key.
pub(super) fn alike(
    session: &mut Session<'_>,
    entry: &Entry,
    key: Option<usize>,
) -> Result<ByContent, StoreError> {
    let shape = entry.shape();
    let (fid, live) = (quoted(FID), shape.live());
    let only = key.map_or_else(String::new, |key| {
        let key = quoted(&entry.columns[key]);
        format!(
            " WHERE t.{fid} IN (SELECT {fid} FROM (SELECT {fid}, {key}::text AS key, count(*) OVER \
             (PARTITION BY {key}) AS alike FROM {live}) AS keys WHERE alike > 1 OR coalesce(key, '') = '')"
        )
    });
    let list = shape.list(|column| format!("t.{column}"));
    let sql = format!("COPY (SELECT t.{fid}, {list} FROM {live} t{only}) TO STDOUT (FORMAT binary)");
    let mut alike = ByContent::default();
    let mut unpacker = Unpacker::default();
    session.copy_out(sql, |bytes| {
        unpacker.contents(bytes, |fid, print| {
            if let Some(fid) = number(fid) {
                alike.add(fid, print);
            }
        });
    })?;
    alike.settle();
    Ok(alike)
}

fn number(bytes: Option<&[u8]>) -> Option<Fid> {
    Some(i64::from_be_bytes(bytes?.try_into().ok()?))
}

fn text(bytes: &[u8], field_type: FieldType) -> Option<Box<str>> {
    if field_type == FieldType::Text {
        return std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()).map(Into::into);
    }
    key_of(&read::value(bytes, field_type).ok()?).map(|key| key.as_ref().into())
}

/// The first feature that has a key, and whether others have it too.
pub(super) fn with_key(
    session: &mut Session<'_>,
    entry: &Entry,
    key: usize,
    text: &str,
) -> Result<(Option<Fid>, bool), StoreError> {
    let sql = format!(
        "SELECT min(fid), count(*) FROM (SELECT {} AS fid FROM {} WHERE {} = $1::text::{} LIMIT 2) found \
         HAVING count(*) > 0",
        quoted(FID),
        entry.shape().live(),
        quoted(&entry.columns[key]),
        read::sql_type(entry.layer.fields[key].field_type)
    );
    let found = session.numbers(sql, &[text])?;
    Ok(found.map_or((None, false), |found| (Some(found[0]), found[1] > 1)))
}

/// A set of numbers: bits for the low ones, which a city's features usually have, and a hash set for the
/// others.
#[derive(Clone, Debug, Default)]
pub(super) struct Fids {
    bits: Vec<u64>,
    far: HashSet<Fid>,
}

impl Fids {
    /// Bits for 128 million features are 16 MB.
    const BITS: usize = 1 << 21;

    /// Reads all numbers of a layer.
    pub(super) fn load(session: &mut Session<'_>, entry: &Entry) -> Result<(Self, u64), StoreError> {
        let mut fids = Self::default();
        let mut count = 0;
        let mut unpacker = Unpacker::default();
        let sql = format!(
            "COPY (SELECT {}, NULL::bigint FROM {}) TO STDOUT (FORMAT binary)",
            quoted(FID),
            entry.shape().live()
        );
        session.copy_out(sql, |bytes| {
            unpacker.pairs(bytes, |fid, _| {
                count += 1;
                if let Some(fid) = number(fid) {
                    fids.set(fid, true);
                }
            });
        })?;
        Ok((fids, count))
    }

    fn place(fid: Fid) -> Option<(usize, u64)> {
        let fid = usize::try_from(fid).ok()?;
        (fid / 64 < Self::BITS).then(|| (fid / 64, 1 << (fid % 64)))
    }

    pub(super) fn contains(&self, fid: Fid) -> bool {
        match Self::place(fid) {
            Some((word, bit)) => self.bits.get(word).is_some_and(|bits| bits & bit != 0),
            None => self.far.contains(&fid),
        }
    }

    pub(super) fn set(&mut self, fid: Fid, there: bool) {
        match Self::place(fid) {
            None => {
                if there {
                    self.far.insert(fid);
                } else {
                    self.far.remove(&fid);
                }
            }
            Some((word, bit)) => {
                if self.bits.len() <= word {
                    self.bits.resize(word + 1, 0);
                }
                if there {
                    self.bits[word] |= bit;
                } else {
                    self.bits[word] &= !bit;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_near_and_far_are_kept() {
        let mut fids = Fids::default();
        for fid in [1, 63, 64, 1_000_000, Fid::MAX] {
            assert!(!fids.contains(fid));
            fids.set(fid, true);
            assert!(fids.contains(fid) && !fids.contains(fid - 1));
            fids.set(fid, false);
            assert!(!fids.contains(fid));
        }
    }
}
