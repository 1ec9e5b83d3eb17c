//! Rows on their way to a layer's table, and what the index must know of them.

use std::collections::HashMap;

use citymap_gpkg::{
    RtreeBox,
    blob::{self, Bounds},
    rtree,
};
use citymap_model::{Fid, GeometryKind, LayerId, Value};
use rusqlite::Connection;

use super::{accept::Accepted, entry::Entry, failure::Failure, history::Recorder, rows};

/// Rows that are kept in memory before they are handed to SQLite together.
const BATCH: usize = 1024;

/// Boxes that are changed one by one in an index; above that, and above a tenth of the index, it is filled
/// again.
const SINGLE_BOXES: usize = 2000;

/// A row that is not yet written.
struct PendingRow {
    fid: Fid,
    geometry: Option<Vec<u8>>,
    values: Vec<Value>,
    /// Whether it takes the place of a row in the same table, which then goes to the history.
    replaces: bool,
}

/// Takes rows, and writes them in batches.
pub(super) struct RowBatch {
    id: LayerId,
    spatial: bool,
    insert: String,
    pending: Vec<PendingRow>,
    /// The box of each row that was added; `None` for a row that has no box any more.
    boxes: Vec<(Fid, Option<[f32; 4]>)>,
    /// The bounds of the layer, those of former rows included.
    pub(super) extent: Option<Bounds>,
    /// The WKB types that were added: bit n for code n.
    pub(super) codes: u8,
}

impl RowBatch {
    /// Begins to write rows with the statement `insert`: fid, geometry if the layer has any, values.
    pub(super) fn new(entry: &Entry, insert: String, extent: Option<Bounds>) -> Self {
        Self {
            id: entry.layer.id.clone(),
            spatial: entry.layer.geometry != GeometryKind::None,
            insert,
            pending: Vec::new(),
            boxes: Vec::new(),
            extent,
            codes: 0,
        }
    }

    /// Adds a row with a number that is not in the table.
    pub(super) fn add(
        &mut self,
        conn: &Connection,
        recorder: &Recorder,
        fid: Fid,
        feature: Accepted,
    ) -> Result<(), Failure> {
        self.push(fid, feature, false);
        self.flush_if_full(conn, recorder)
    }

    /// Adds a row in the place of the one with its number.
    pub(super) fn replace(
        &mut self,
        conn: &Connection,
        recorder: &Recorder,
        fid: Fid,
        feature: Accepted,
    ) -> Result<(), Failure> {
        if feature.blob.as_ref().is_none_or(|blob| blob.bounds.is_none()) {
            self.boxes.push((fid, None));
        }
        self.push(fid, feature, true);
        self.flush_if_full(conn, recorder)
    }

    fn push(&mut self, fid: Fid, feature: Accepted, replaces: bool) {
        let Accepted { blob, values } = feature;
        let geometry = blob.map(|blob| {
            self.codes |= 1 << blob.code;
            if let Some(bounds) = blob.bounds {
                self.boxes.push((fid, Some(rtree::rounded(bounds))));
                self.extent = Some(blob::union(self.extent, bounds));
            }
            blob.bytes
        });
        self.pending.push(PendingRow { fid, geometry, values, replaces });
    }

    fn flush_if_full(&mut self, conn: &Connection, recorder: &Recorder) -> Result<(), Failure> {
        if self.pending.len() >= BATCH { self.flush(conn, recorder) } else { Ok(()) }
    }

    /// Writes the rows that are in memory; `recorder` keeps those that they replace.
    pub(super) fn flush(&mut self, conn: &Connection, recorder: &Recorder) -> Result<(), Failure> {
        let mut statement = conn.prepare_cached(&self.insert)?;
        for row in self.pending.drain(..) {
            if row.replaces {
                recorder.keep(conn, self.id.as_str(), row.fid)?;
            }
            statement.raw_bind_parameter(1, row.fid)?;
            if self.spatial {
                statement.raw_bind_parameter(2, &row.geometry)?;
            }
            for (index, value) in row.values.iter().enumerate() {
                let parameter = 2 + usize::from(self.spatial) + index;
                statement.raw_bind_parameter(parameter, rows::to_sql(value))?;
            }
            statement.raw_execute()?;
        }
        Ok(())
    }

    /// Brings the R-tree up to date. `before` is the number of features before, `None` where there is no
    /// R-tree yet.
    pub(super) fn index(
        &mut self,
        conn: &Connection,
        id: &LayerId,
        before: Option<u64>,
    ) -> Result<(), Failure> {
        let changes = std::mem::take(&mut self.boxes);
        let filled = |(fid, bounds): (Fid, Option<[f32; 4]>)| Some(RtreeBox { fid, bounds: bounds? });
        let Some(before) = before else {
            return Ok(rtree::create(conn, id, changes.into_iter().filter_map(filled).collect())?);
        };
        if changes.len() <= SINGLE_BOXES || changes.len() as u64 <= before / 10 {
            return Ok(rtree::change(conn, id, &changes)?);
        }
        let changed: HashMap<Fid, Option<[f32; 4]>> = changes.into_iter().collect();
        let mut boxes = rtree::boxes(conn, id)?;
        boxes.retain(|kept| !changed.contains_key(&kept.fid));
        boxes.extend(changed.into_iter().filter_map(filled));
        rtree::drop(conn, id)?;
        Ok(rtree::create(conn, id, boxes)?)
    }
}
