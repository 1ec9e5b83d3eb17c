//! A layer as it was at one revision: its table, less what the history says has happened since.

use citymap_model::{Feature, Fid, RevisionNumber};
use sqlx::Row as _;

use super::{
    added::Added,
    connect::Database,
    read::Shape,
    reading::{Known, Question, Reading, Rows, Stop, signed, unreadable},
};

/// The memory that sorting former states may take on the server: enough for some hundred thousand without
/// using its disk.
pub(super) const SORT_MEMORY: &str = "SET LOCAL enable_sort = on; SET LOCAL work_mem = '64MB'";

/// The features that a layer had at a revision, ordered by number, while they are read.
pub(super) struct State<'s> {
    rows: Rows<'s>,
    shape: &'s Shape,
    added: Added,
    database: &'s Database,
}

impl<'s> State<'s> {
    /// Queries those whose numbers are above `after`.
    pub(super) fn query(
        reading: &'s mut Reading<'_>,
        known: &Known,
        shape: &'s Shape,
        revision: RevisionNumber,
        after: Fid,
    ) -> Result<Self, Stop> {
        let tables = Tables::of(known, shape, revision);
        let added = match tables {
            Tables::Live => Added::default(),
            Tables::LiveAndPast | Tables::Past => reading.added(shape.generation, revision)?,
        };
        reading.set(match tables {
            // In the order of the key from the start, without a sort that would hold all of the layer first.
            Tables::Live => "SET LOCAL enable_sort = off",
            Tables::LiveAndPast | Tables::Past => SORT_MEMORY,
        })?;
        let database = reading.database;
        Ok(Self { rows: reading.rows(state_query(shape, tables, revision, after)), shape, added, database })
    }

    /// The next feature in the order of numbers; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<Feature>, Stop> {
        while let Some(row) = self.rows.next()? {
            let fid: Fid = row.try_get(0)?;
            // Decided by the earliest event after the revision: a former state, or that there was none yet.
            let former: Option<i64> = row.try_get(1)?;
            let there = match (former, self.added.earliest(fid)) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(former), Some(added)) => former <= added,
            };
            if there {
                let feature = self.shape.feature(&row, fid, 2);
                return feature
                    .map(Some)
                    .map_err(|problem| unreadable(self.database, &self.shape.layer.id, fid, problem));
            }
        }
        Ok(None)
    }
}

/// The tables in which the features of a state are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// The layer's table alone: nothing has happened since the revision.
    Live,
    /// The layer's table and the history of its generation.
    LiveAndPast,
    /// The history alone: the layer's table holds a later generation, or the layer was dropped.
    Past,
}

impl Tables {
    fn of(known: &Known, shape: &Shape, revision: RevisionNumber) -> Self {
        match (known.lives(shape), known.untouched_since(revision)) {
            (true, true) => Self::Live,
            (true, false) => Self::LiveAndPast,
            (false, _) => Self::Past,
        }
    }
}

/// The query for the rows of a layer at a revision: number, the revision that changed the feature next (null
/// where none did), columns.
fn state_query(shape: &Shape, tables: Tables, revision: RevisionNumber, after: Fid) -> Question {
    let list = |table: &str| shape.list(|column| format!("{table}.{column}"));
    let (live, past) = (shape.live(), shape.past());
    if tables == Tables::Live {
        let sql = format!(
            "SELECT l.fid, NULL::bigint, {} FROM {live} l WHERE l.fid > $1 ORDER BY l.fid",
            list("l")
        );
        return Question { sql, numbers: vec![after], lists: None };
    }
    let mut sql = format!(
        "SELECT h.fid, h.revision, {} FROM (SELECT DISTINCT ON (fid) fid, revision{} FROM {past} \
         WHERE revision > $2 AND fid > $1 ORDER BY fid, revision) h",
        list("h"),
        shape.bare()
    );
    if tables == Tables::LiveAndPast {
        sql.push_str(&format!(
            " UNION ALL SELECT l.fid, NULL::bigint, {} FROM {live} l WHERE l.fid > $1 AND NOT EXISTS \
             (SELECT FROM {past} h WHERE h.fid = l.fid AND h.revision > $2)",
            list("l")
        ));
    }
    sql.push_str(" ORDER BY 1");
    Question { sql, numbers: vec![after, signed(revision)], lists: None }
}
