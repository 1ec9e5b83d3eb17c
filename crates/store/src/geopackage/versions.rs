//! The versions of one feature, from its own rows of the history only.

use std::collections::BTreeMap;

use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    catalogue,
    changes::same,
    connection::Opener,
    decode::Decoder,
    entry::{self, Entry},
    failure::Failure,
    history, revisions,
};
use crate::{StoreError, Version, columns::quoted, fit::same_fields};

/// Implements [`crate::Store::versions`] for this store.
pub(super) fn versions(
    opener: &Opener,
    layer: &LayerId,
    fid: Fid,
    until: RevisionNumber,
    limit: usize,
) -> Result<Vec<Version>, StoreError> {
    let conn = opener.reader()?;
    let read = || -> Result<_, Failure> {
        conn.execute_batch("BEGIN")?;
        let newest = revisions::newest(&conn)?;
        if until > newest {
            return Err(StoreError::NoRevision { asked: until, newest }.into());
        }
        let since = history::since(&conn)?;
        let mut found = states(&conn, layer, fid, until)?;
        found.retain(|(revision, _)| since == 0 || *revision > since);
        found.reverse();
        found.truncate(limit);
        let version = |(revision, feature)| {
            let entry = catalogue::former(&conn, revision, Some(layer))?.pop();
            Ok(Version { revision, layer: entry.map(|entry| entry.layer), feature })
        };
        found.into_iter().map(version).collect::<Result<Vec<_>, Failure>>()
    };
    read().map_err(|failure| failure.at(&opener.location()))
}

type States = Vec<(RevisionNumber, Option<Feature>)>;

/// The versions of the feature by revision, where they differ from the version before.
fn states(conn: &Connection, layer: &LayerId, fid: Fid, until: RevisionNumber) -> Result<States, Failure> {
    let live = catalogue::get(conn, layer)?;
    let mut spans: Vec<(RevisionNumber, Option<i64>)> = Vec::new();
    let mut statement = conn.prepare_cached(
        "SELECT revision, generation FROM citymap_layer_version WHERE layer = ?1 ORDER BY revision",
    )?;
    let mut rows = statement.query([layer.as_str()])?;
    while let Some(row) = rows.next()? {
        let generation = row.get(1)?;
        if spans.last().is_none_or(|(_, last)| *last != generation) {
            spans.push((row.get(0)?, generation));
        }
    }
    let mut found: States = Vec::new();
    let mut before: Option<Entry> = None;
    for (position, (start, generation)) in spans.iter().enumerate() {
        if *start > until {
            break;
        }
        let end = spans.get(position + 1).map_or(RevisionNumber::MAX, |(next, _)| *next);
        let entry = match generation {
            None => None,
            Some(_) => catalogue::former(conn, *start, Some(layer))?.pop(),
        };
        let Some(entry) = entry else {
            if found.last().is_some_and(|(_, last)| last.is_some()) {
                found.push((*start, None));
            }
            continue;
        };
        let comparable = before.as_ref().is_some_and(|before| same_fields(&before.layer, &entry.layer));
        let live = live.as_ref().filter(|live| live.generation == entry.generation);
        for (revision, state) in of_generation(conn, &entry, live, fid, *start..end.min(until + 1))? {
            let last = found.last().and_then(|(_, last)| last.as_ref());
            let other_fields = revision == *start && !comparable && last.is_some();
            if other_fields || !same(last, state.as_ref()) {
                found.push((revision, state));
            }
        }
        before = Some(entry);
    }
    Ok(found)
}

/// The states within one generation: at its beginning, and after each event.
fn of_generation(
    conn: &Connection,
    entry: &Entry,
    live: Option<&Entry>,
    fid: Fid,
    span: std::ops::Range<RevisionNumber>,
) -> Result<States, Failure> {
    let table = quoted(&history::table(entry.generation));
    // The feature before each revision that changed it: a row, or absent. If there are both, the row counts.
    let mut events: BTreeMap<RevisionNumber, Option<i64>> = BTreeMap::new();
    let mut statement = conn.prepare_cached(
        "SELECT revision, NULL FROM citymap_added WHERE generation = ?1 AND first <= ?2 AND last >= ?2",
    )?;
    let mut rows = statement.query(params![entry.generation, fid])?;
    while let Some(row) = rows.next()? {
        events.insert(row.get(0)?, None);
    }
    // The index begins with the revision: one lookup for each revision of the layer.
    let mut statement = conn.prepare(&format!(
        "SELECT h.revision, h.rowid FROM (SELECT DISTINCT revision FROM citymap_change WHERE layer = ?2) c \
         CROSS JOIN {table} h ON h.revision = c.revision AND h.fid = ?1"
    ))?;
    let mut rows = statement.query(params![fid, entry.layer.id.as_str()])?;
    while let Some(row) = rows.next()? {
        events.insert(row.get(0)?, Some(row.get(1)?));
    }
    let decoder = Decoder::new(entry);
    let mut columns = "fid, geom".to_owned();
    for index in 0..entry.columns.len() {
        columns.push_str(&format!(", c{index}"));
    }
    let mut former = conn.prepare(&format!("SELECT {columns} FROM {table} WHERE rowid = ?1"))?;
    let mut state = |revision: RevisionNumber| -> Result<Option<Feature>, Failure> {
        match events.range(revision + 1..).next() {
            Some((_, None)) => Ok(None),
            Some((_, Some(row))) => {
                let mut rows = former.query([row])?;
                rows.next()?.map(|row| decoder.feature(row)).transpose()
            }
            None => now(conn, live, fid),
        }
    };
    let start = span.start;
    let revisions =
        std::iter::once(start).chain(events.range(start + 1..span.end.max(start + 1)).map(|(own, _)| *own));
    revisions.map(|revision| Ok((revision, state(revision)?))).collect()
}

/// The feature as it is in the layer's table.
fn now(conn: &Connection, live: Option<&Entry>, fid: Fid) -> Result<Option<Feature>, Failure> {
    let Some(live) = live else { return Ok(None) };
    let decoder = Decoder::new(live);
    let mut statement = conn.prepare(&format!("{} WHERE \"fid\" = ?1", entry::select(live)))?;
    statement.query_row([fid], |row| Ok(decoder.feature(row))).optional()?.transpose()
}
