//! Edits of many rows, over a temporary table.

use super::statements::RowWrite;
use crate::{
    StoreError,
    columns::{FID, quoted},
    postgis::{
        copy::{CHUNK, Rows},
        entry::Entry,
        publish,
        schema::{self, GeometryColumn},
        session::Session,
    },
};

/// The temporary table for batches, which is created by the first one.
#[derive(Debug, Default)]
pub(super) struct BatchTable(Option<String>);

/// How many rows a batch added and changed.
pub(super) struct Written {
    pub(super) added: u64,
    pub(super) changed: u64,
}

impl BatchTable {
    /// Writes rows to the layer's table, whose geometry column takes `column`.
    pub(super) fn write(
        &mut self,
        session: &mut Session<'_>,
        entry: &Entry,
        column: GeometryColumn,
        batch: &[RowWrite],
    ) -> Result<Written, StoreError> {
        let source = format!("pg_temp.{}", quoted(self.empty(session, entry)?));
        if entry.spatial() && column == GeometryColumn::Kind {
            session.batch(format!("ALTER TABLE {source} ALTER COLUMN geom TYPE geometry"))?;
        }
        let sql = format!("COPY {source} ({FID}{}) FROM STDIN (FORMAT binary)", entry.list(""));
        let copying = session.copy_in(sql)?;
        let mut rows = Rows::default();
        for row in batch {
            rows.add(row.fid, row.feature.cell(entry.spatial()), &row.feature.values);
            if rows.bytes.len() >= CHUNK {
                copying.send(&mut rows);
            }
        }
        copying.send(&mut rows);
        session.copied(copying)?;
        session.batch(format!("ANALYZE {source}"))?;
        let changed = publish::update_from(session, entry, &source)?;
        let added = publish::insert_from(session, entry, &source)?;
        Ok(Written { added, changed })
    }

    /// Creates the table or empties it, and gives its name.
    fn empty(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<&str, StoreError> {
        if let Some(name) = &self.0 {
            session.batch(format!("TRUNCATE pg_temp.{}", quoted(name)))?;
        } else {
            let name = schema::unique(&entry.layer, publish::next_name(session)?);
            session.batch(format!(
                "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}{} FROM {} WHERE false",
                quoted(&name),
                entry.list(""),
                entry.shape().live()
            ))?;
            self.0 = Some(name);
        }
        Ok(self.0.as_deref().unwrap_or_default())
    }

    /// Drops the table, if it was created.
    pub(super) fn drop(self, session: &mut Session<'_>) -> Result<(), StoreError> {
        match self.0 {
            Some(name) => session.batch(format!("DROP TABLE pg_temp.{}", quoted(&name))),
            None => Ok(()),
        }
    }
}
