//! Reading all layers as of one revision.

use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use sqlx::Row as _;

use super::{
    added::Added,
    changes,
    connect::Database,
    pool::Purpose,
    read::Shape,
    reading::{self, Known, Question, Reading, Rows, Stop, parse, signed, unreadable},
};
use crate::{Change, LayerEntry, StoreError, Touched, View};

/// What sorting former states may take of the server's memory: enough to keep some hundred thousand off its disk.
pub(super) const ROOM: &str = "SET LOCAL enable_sort = on; SET LOCAL work_mem = '64MB'";

/// A revision, and where to read of it.
#[derive(Debug)]
pub(super) struct PostgisView<'a> {
    pub(super) database: &'a Database,
    pub(super) revision: RevisionNumber,
}

impl View for PostgisView<'_> {
    fn revision(&self) -> RevisionNumber {
        self.revision
    }

    fn stamp(&self, _layer: &LayerId) -> Result<Option<String>, StoreError> {
        // Other programs' edits are revisions here.
        Ok(Some(String::new()))
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        const SQL: &str = "SELECT v.layer, v.definition, c.revision, c.count_after FROM \
             (SELECT DISTINCT ON (layer) layer, definition FROM citymap.layer_version WHERE revision <= $1 \
             ORDER BY layer, revision DESC) v CROSS JOIN LATERAL \
             (SELECT c.revision, c.count_after FROM citymap.change c WHERE c.layer = v.layer AND c.revision <= $1 \
             ORDER BY c.revision DESC, c.position DESC LIMIT 1) c WHERE v.definition IS NOT NULL";
        let revision = signed(self.revision);
        let rows = self.database.run(self.database.ask(Purpose::Read, async |lease| {
            sqlx::query(SQL)
                .bind(revision)
                .fetch_all(&mut **lease)
                .await?
                .iter()
                .map(|row| {
                    let (revision, count): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
                    Ok((row.try_get(0)?, row.try_get(1)?, revision, count))
                })
                .collect::<Result<Vec<(String, String, i64, i64)>, sqlx::Error>>()
        }))?;
        let mut entries = Vec::with_capacity(rows.len());
        for (id, definition, revision, count) in rows {
            let layer = parse(self.database, &id, &definition)?;
            entries.push(LayerEntry {
                layer,
                revision: revision.unsigned_abs(),
                count: count.unsigned_abs(),
            });
        }
        entries.sort_by(|a, b| a.layer.id.cmp(&b.layer.id));
        Ok(entries)
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut last = Fid::MIN;
        reading::read(self.database, layer, |reading, progress| {
            let known = reading.known(self.revision, self.revision)?;
            let shape = known.at.as_ref().ok_or_else(|| Stop::Store(StoreError::NoLayer(layer.clone())))?;
            let mut state = State::ask(reading, &known, shape, self.revision, last)?;
            while let Some(feature) = state.next()? {
                last = feature.fid;
                *progress += 1;
                sink(feature)?;
            }
            Ok(())
        })
    }

    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError> {
        changes::touched(self.database, layer, from, self.revision)
    }

    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        changes::changes(self.database, layer, from, self.revision, sink)
    }
}

/// The features that a layer had at a revision, ordered by number.
pub(super) struct State<'s> {
    rows: Rows<'s>,
    shape: &'s Shape,
    added: Added,
    database: &'s Database,
}

impl<'s> State<'s> {
    /// Asks for those whose numbers are above `after`.
    pub(super) fn ask(
        reading: &'s mut Reading<'_>,
        known: &Known,
        shape: &'s Shape,
        revision: RevisionNumber,
        after: Fid,
    ) -> Result<Self, Stop> {
        let lives = known.lives(shape);
        let now = lives && known.untouched_since(revision);
        let added = if now { Added::default() } else { reading.added(shape.generation, revision)? };
        // In the order of the key from the start, without a sort that would hold all of the layer first.
        reading.set(if now { "SET LOCAL enable_sort = off" } else { ROOM })?;
        let database = reading.database;
        Ok(Self { rows: reading.rows(question(shape, now, lives, revision, after)), shape, added, database })
    }

    /// The next feature.
    pub(super) fn next(&mut self) -> Result<Option<Feature>, Stop> {
        while let Some(row) = self.rows.next()? {
            let fid: Fid = row.try_get(0)?;
            // Told by the earliest event after the revision: a former state, or that there was none yet.
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

/// The rows of a layer at a revision: number, the revision that changed it next (null where none did), columns.
fn question(shape: &Shape, now: bool, lives: bool, revision: RevisionNumber, after: Fid) -> Question {
    let list = |table: &str| shape.list(|column| format!("{table}.{column}"));
    let (live, past) = (shape.live(), shape.past());
    if now {
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
    if lives {
        sql.push_str(&format!(
            " UNION ALL SELECT l.fid, NULL::bigint, {} FROM {live} l WHERE l.fid > $1 AND NOT EXISTS \
             (SELECT FROM {past} h WHERE h.fid = l.fid AND h.revision > $2)",
            list("l")
        ));
    }
    sql.push_str(" ORDER BY 1");
    Question { sql, numbers: vec![after, signed(revision)], lists: None }
}
