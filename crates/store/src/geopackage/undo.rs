//! The first event of each feature of one generation within a span of revisions.

use std::collections::BTreeMap;

use citymap_model::{Fid, RevisionNumber};
use rusqlite::{Connection, params};

use super::{failure::Failure, history};
use crate::columns::quoted;

/// What a feature was before its first event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Was {
    /// It has had no event.
    Untouched,
    /// It did not exist.
    Absent,
    /// It was as in this row of the history.
    Row(i64),
}

/// The first events in a span of revisions.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// Former rows: feature, revision, row of the history; ordered by feature.
    rows: Vec<(Fid, RevisionNumber, i64)>,
    /// Additions: first and last feature, revision; ascending and disjoint.
    added: Vec<(Fid, Fid, RevisionNumber)>,
}

impl Undo {
    /// Reads the events of the revisions above `after` up to `until`.
    pub(super) fn read(
        conn: &Connection,
        generation: i64,
        after: RevisionNumber,
        until: RevisionNumber,
    ) -> Result<Self, Failure> {
        let mut undo = Self::default();
        if after >= until {
            return Ok(undo);
        }
        // The index covers the query.
        let mut statement = conn.prepare(&format!(
            "SELECT fid, revision, rowid FROM {} WHERE revision > ?1 AND revision <= ?2 ORDER BY revision, \
             fid",
            quoted(&history::table(generation))
        ))?;
        let mut rows = statement.query(params![after, until])?;
        while let Some(row) = rows.next()? {
            undo.rows.push((row.get(0)?, row.get(1)?, row.get(2)?));
        }
        // A stable sort keeps the earliest event first, and is fast on one ascending run for each revision.
        undo.rows.sort_by_key(|(fid, _, _)| *fid);
        undo.rows.dedup_by_key(|(fid, _, _)| *fid);
        let mut statement = conn.prepare_cached(
            "SELECT first, last, revision FROM citymap_added WHERE generation = ?1 AND revision > ?2 AND \
             revision <= ?3 ORDER BY revision, first",
        )?;
        let mut rows = statement.query(params![generation, after, until])?;
        let mut added = BTreeMap::new();
        while let Some(row) = rows.next()? {
            paint(&mut added, row.get(0)?, row.get(1)?, row.get(2)?);
        }
        undo.added = added.into_iter().map(|(first, (last, revision))| (first, last, revision)).collect();
        Ok(undo)
    }

    /// An upper bound of the number of features that were touched; 0 if none. Only counts rows.
    pub(super) fn count(
        conn: &Connection,
        generation: i64,
        after: RevisionNumber,
        until: RevisionNumber,
    ) -> Result<u64, Failure> {
        let rows: u64 = conn
            .prepare_cached(&format!(
                "SELECT count(*) FROM {} WHERE revision > ?1 AND revision <= ?2",
                quoted(&history::table(generation))
            ))?
            .query_row(params![after, until], |row| row.get(0))?;
        let added: u64 = conn
            .prepare_cached(
                "SELECT coalesce(sum(last - first + 1), 0) FROM citymap_added WHERE generation = ?1 \
                 AND revision > ?2 AND revision <= ?3",
            )?
            .query_row(params![generation, after, until], |row| row.get(0))?;
        Ok(rows + added)
    }

    /// Whether there was no event in the span.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.added.is_empty()
    }

    /// What a feature was when the span began.
    pub(super) fn at(&self, fid: Fid) -> Was {
        let row = self.rows.binary_search_by_key(&fid, |(fid, _, _)| *fid).ok().map(|at| self.rows[at]);
        let next = self.added.partition_point(|(_, last, _)| *last < fid);
        let added = self.added.get(next).filter(|(first, _, _)| *first <= fid);
        match (row, added) {
            (None, None) => Was::Untouched,
            (None, Some(_)) => Was::Absent,
            (Some((_, revision, _)), Some((_, _, addition))) if *addition < revision => Was::Absent,
            (Some((_, _, row)), _) => Was::Row(row),
        }
    }

    /// The former rows of features with numbers above `after`, up to `last`: features that have changed or
    /// gone since.
    pub(super) fn former(&self, after: Option<Fid>, last: Fid) -> impl Iterator<Item = (Fid, i64)> + '_ {
        let start = after.map_or(0, |after| self.rows.partition_point(|(fid, _, _)| *fid <= after));
        self.rows[start..].iter().take_while(move |(fid, _, _)| *fid <= last).filter_map(|(fid, _, _)| {
            match self.at(*fid) {
                Was::Row(row) => Some((*fid, row)),
                Was::Untouched | Was::Absent => None,
            }
        })
    }

    /// The features that had an event, in ascending order.
    pub(super) fn fids(&self) -> Fids<'_> {
        Fids { undo: self, row: 0, range: 0, next: Fid::MIN }
    }
}

/// Adds those parts of a range that no earlier revision has: the first addition counts.
fn paint(added: &mut BTreeMap<Fid, (Fid, RevisionNumber)>, first: Fid, last: Fid, revision: RevisionNumber) {
    let mut from = first;
    if let Some((_, (end, _))) = added.range(..=first).next_back() {
        from = from.max(end.saturating_add(1));
    }
    while from <= last {
        let next = added.range(from..=last).next().map(|(start, (end, _))| (*start, *end));
        let until = next.map_or(last, |(start, _)| start - 1);
        if from <= until {
            added.insert(from, (until, revision));
        }
        let Some((_, end)) = next else { break };
        from = end.saturating_add(1);
    }
}

/// Iterates over the features that had an event.
pub(super) struct Fids<'u> {
    undo: &'u Undo,
    row: usize,
    range: usize,
    next: Fid,
}

impl Iterator for Fids<'_> {
    type Item = Fid;

    fn next(&mut self) -> Option<Fid> {
        while self.undo.rows.get(self.row).is_some_and(|(fid, _, _)| *fid < self.next) {
            self.row += 1;
        }
        while self.undo.added.get(self.range).is_some_and(|(_, last, _)| *last < self.next) {
            self.range += 1;
        }
        let row = self.undo.rows.get(self.row).map(|(fid, _, _)| *fid);
        let added = self.undo.added.get(self.range).map(|(first, _, _)| (*first).max(self.next));
        let fid = match (row, added) {
            (Some(row), Some(added)) => row.min(added),
            (row, added) => row.or(added)?,
        };
        self.next = fid.saturating_add(1);
        Some(fid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_event_tells_and_a_row_goes_before_an_addition_of_its_revision() {
        let mut added = BTreeMap::new();
        for (first, last, revision) in [(5, 7, 2), (1, 10, 3), (9, 12, 4), (20, 20, 5)] {
            paint(&mut added, first, last, revision);
        }
        let added: Vec<_> =
            added.into_iter().map(|(first, (last, revision))| (first, last, revision)).collect();
        assert_eq!(added, [(1, 4, 3), (5, 7, 2), (8, 10, 3), (11, 12, 4), (20, 20, 5)]);
        let undo = Undo { rows: vec![(2, 2, 70), (6, 3, 71), (8, 3, 72), (15, 1, 73), (20, 9, 74)], added };
        for (fid, was) in [
            (0, Was::Untouched),
            (1, Was::Absent),
            (2, Was::Row(70)),
            (6, Was::Absent),
            (8, Was::Row(72)),
            (13, Was::Untouched),
            (15, Was::Row(73)),
            (20, Was::Absent),
        ] {
            assert_eq!(undo.at(fid), was, "{fid}");
        }
        let fids: Vec<Fid> = (1..=12).chain([15, 20]).collect();
        assert_eq!(undo.fids().collect::<Vec<_>>(), fids);
        assert_eq!(undo.former(Some(2), 15).collect::<Vec<_>>(), [(8, 72), (15, 73)]);
    }
}
