//! The undo log of a layer. The layer's table holds the present. For each generation of the layer, the
//! history holds the rows that a revision changed or removed, as they were before it, and the numbers that it
//! added.
//!
//! The state of a feature after revision R is decided by the first event after R: a row of the history is
//! that state; an addition means that the feature did not exist; without an event, the feature is as the
//! table has it. If a revision has both for one number, the row counts: the feature was removed and came back
//! within the revision.

use citymap_model::{Fid, Layer, LayerId, RevisionNumber};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    entry::{self, Entry},
    failure::Failure,
    ranges::Ranges,
};
use crate::columns::quoted;

/// The name of the table with the former rows of a generation.
pub(super) fn table(generation: i64) -> String {
    format!("citymap_history_{generation}")
}

/// Begins a generation and gives its number. The columns of the history are named by their positions, so that
/// a field may have any name.
pub(super) fn begin(conn: &Connection, layer: &Layer, revision: RevisionNumber) -> Result<i64, Failure> {
    conn.execute(
        "INSERT INTO citymap_generation (layer, born) VALUES (?1, ?2)",
        params![layer.id.as_str(), revision],
    )?;
    let generation = conn.last_insert_rowid();
    let mut columns = String::new();
    for index in 0..layer.fields.len() {
        columns.push_str(&format!(", c{index}"));
    }
    // Rows are added by ascending revision and, within one, by ascending number, so that table and index grow
    // only at their ends.
    conn.execute_batch(&format!(
        "CREATE TABLE {} (revision INTEGER NOT NULL, fid INTEGER NOT NULL, geom{columns}, UNIQUE (revision, \
         fid))",
        quoted(&table(generation))
    ))?;
    Ok(generation)
}

/// Writes the events of one revision in one generation of a layer to the history.
#[derive(Debug)]
pub(super) struct Recorder {
    generation: i64,
    revision: RevisionNumber,
    /// Whether the generation began in this revision: then it has no former state.
    young: bool,
    /// The numbers that this revision added.
    added: Ranges,
    copy: String,
}

impl Recorder {
    /// Opens the history of a layer, and continues where an earlier turn of the same revision ended.
    pub(super) fn open(conn: &Connection, entry: &Entry, revision: RevisionNumber) -> Result<Self, Failure> {
        let generation = entry.generation;
        let born: RevisionNumber = conn
            .query_row("SELECT born FROM citymap_generation WHERE number = ?1", [generation], |row| {
                row.get(0)
            })
            .optional()?
            .ok_or_else(|| {
                Failure::Content(format!(
                    "the history of layer `{}` is missing; `citymap doctor` tells more",
                    entry.layer.id
                ))
            })?;
        let mut added = Ranges::default();
        let mut statement = conn.prepare_cached(
            "SELECT first, last FROM citymap_added WHERE generation = ?1 AND revision = ?2",
        )?;
        let mut rows = statement.query(params![generation, revision])?;
        while let Some(row) = rows.next()? {
            added.add(row.get(0)?, row.get(1)?);
        }
        let columns = entry::columns(entry);
        let copy = format!("INSERT OR IGNORE INTO {} SELECT ?1, {columns} FROM ", quoted(&table(generation)));
        Ok(Self { generation, revision, young: born == revision, added, copy })
    }

    /// Whether the generation began in this revision.
    pub(super) fn young(&self) -> bool {
        self.young
    }

    /// Notes that a feature is new.
    pub(super) fn add(&mut self, fid: Fid) {
        self.add_all(fid, fid);
    }

    /// Notes that all features from `first` to `last` are new.
    pub(super) fn add_all(&mut self, first: Fid, last: Fid) {
        if !self.young && first <= last {
            self.added.add(first, last);
        }
    }

    /// Writes a feature to the history as it is in the table `source`, before it is changed or removed.
    pub(super) fn keep(&self, conn: &Connection, source: &str, fid: Fid) -> Result<(), Failure> {
        if self.young || self.added.contains(fid) {
            return Ok(());
        }
        self.copy(conn, source, fid, fid)
    }

    /// Writes all features of the table `source` to the history, except those with these numbers.
    pub(super) fn keep_all_but(
        &self,
        conn: &Connection,
        source: &str,
        mut same: Vec<Fid>,
    ) -> Result<(), Failure> {
        if self.young {
            return Ok(());
        }
        same.sort_unstable();
        let mut left_out: Vec<(Fid, Fid)> = same.into_iter().map(|fid| (fid, fid)).collect();
        left_out.extend(self.added.iter());
        left_out.sort_unstable();
        // One statement for each gap between the exceptions: a single one if everything changed.
        let mut next = Some(Fid::MIN);
        for (first, last) in left_out {
            let Some(from) = next else { break };
            if first > from {
                self.copy(conn, source, from, first - 1)?;
            }
            next = last.checked_add(1).map(|after| after.max(from));
        }
        next.map_or(Ok(()), |from| self.copy(conn, source, from, Fid::MAX))
    }

    fn copy(&self, conn: &Connection, source: &str, first: Fid, last: Fid) -> Result<(), Failure> {
        let sql = format!("{}{} WHERE \"fid\" BETWEEN ?2 AND ?3 ORDER BY \"fid\"", self.copy, quoted(source));
        conn.prepare_cached(&sql)?.execute(params![self.revision, first, last])?;
        Ok(())
    }

    /// Writes the numbers that were added to the history.
    pub(super) fn save(&self, conn: &Connection) -> Result<(), Failure> {
        if self.added.is_empty() {
            return Ok(());
        }
        conn.execute(
            "DELETE FROM citymap_added WHERE generation = ?1 AND revision = ?2",
            params![self.generation, self.revision],
        )?;
        let mut put = conn.prepare_cached("INSERT INTO citymap_added VALUES (?1, ?2, ?3, ?4)")?;
        for (first, last) in self.added.iter() {
            put.execute(params![self.generation, self.revision, first, last])?;
        }
        Ok(())
    }

    /// Drops a generation that began and ended in this revision; it can never be queried.
    pub(super) fn forget(&self, conn: &Connection) -> Result<(), Failure> {
        conn.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&table(self.generation))))?;
        conn.execute("DELETE FROM citymap_generation WHERE number = ?1", [self.generation])?;
        Ok(())
    }
}

/// Writes a layer's definition from `revision` on to the history, if it differs from the one before; `None`
/// for a layer that was dropped.
pub(super) fn save_version(
    conn: &Connection,
    id: &LayerId,
    revision: RevisionNumber,
    version: Option<(&str, &str, i64)>,
) -> Result<(), Failure> {
    let last: Option<(Option<String>, Option<i64>)> = conn
        .query_row(
            "SELECT definition, generation FROM citymap_layer_version WHERE layer = ?1 ORDER BY revision \
             DESC LIMIT 1",
            [id.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (definition, columns, generation) =
        version.map_or((None, None, None), |(a, b, c)| (Some(a), Some(b), Some(c)));
    if last.is_some_and(|last| last.0.as_deref() == definition && last.1 == generation) {
        return Ok(());
    }
    conn.execute(
        "INSERT OR REPLACE INTO citymap_layer_version VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id.as_str(), revision, definition, columns, generation],
    )?;
    Ok(())
}

/// The revision with which the history begins: 0, or the newest one when an earlier version's store was taken
/// over.
pub(super) fn since(conn: &Connection) -> Result<RevisionNumber, Failure> {
    let mut statement = conn.prepare_cached("SELECT value FROM citymap_store WHERE key = 'history_since'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.unwrap_or(0))
}
