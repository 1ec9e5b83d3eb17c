//! Rows on their way to the database, in chunks over COPY.

use citymap_model::Fid;

use crate::{
    StoreError,
    columns::{FID, quoted},
    postgis::{
        accept::Accepted,
        copy::{CHUNK, Copying, Rows},
        entry::Entry,
        publish,
        schema::{self, GeometryColumn},
        session::Session,
    },
};

/// Bytes of rows that are collected before the type of a new geometry column is settled: some thousand
/// features.
const FIRST_CHUNK: usize = 1 << 20;

/// The table into which rows are written.
pub(super) enum Target {
    /// Into a table of this name that takes the layer's place in the end; made when the first rows are sent.
    Aside { name: String, made: Option<GeometryColumn> },
    /// Into the layer's table.
    Live { column: GeometryColumn },
    /// Into a temporary table of this name, from which the layer's is changed in the end.
    Waiting { name: String, made: bool, column: GeometryColumn },
}

/// Takes rows and sends them to their target.
pub(super) struct RowSink {
    target: Target,
    rows: Rows,
    copying: Option<Copying>,
    /// The WKB types that were added: bit n for code n.
    codes: u8,
    /// Whether rows stay in memory because the connection is needed for queries.
    held: bool,
}

impl RowSink {
    pub(super) fn new(target: Target) -> Self {
        Self { target, rows: Rows::default(), copying: None, codes: 0, held: false }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The WKB types that were added: bit n for code n.
    pub(super) fn codes(&self) -> u8 {
        self.codes
    }

    /// Says whether the connection is needed for queries, so that no row may be sent.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Takes the COPY that is running, to abort it.
    pub(super) fn stop(&mut self) -> Option<Copying> {
        self.copying.take()
    }

    /// Adds a row, and sends those that were collected if they are enough.
    pub(super) fn add(
        &mut self,
        session: &mut Session<'_>,
        entry: &Entry,
        fid: Fid,
        feature: &Accepted,
    ) -> Result<(), StoreError> {
        self.codes |= feature.bit();
        let limit = match &self.target {
            Target::Aside { made: None, .. } => FIRST_CHUNK,
            Target::Aside { made: Some(column), .. } | Target::Live { column } => {
                if !column.takes(self.codes) {
                    self.widen(session, entry)?;
                }
                CHUNK
            }
            Target::Waiting { .. } if self.held => usize::MAX,
            Target::Waiting { .. } => CHUNK,
        };
        self.rows.add(fid, feature.cell(entry.spatial()), &feature.values);
        if self.rows.bytes.len() >= limit { self.send(session, entry) } else { Ok(()) }
    }

    /// Sends the rows that were collected.
    fn send(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
        if self.copying.is_none() {
            let mut freeze = "";
            let table = match &mut self.target {
                Target::Live { .. } => entry.shape().live(),
                Target::Aside { name, made } => {
                    if made.is_none() {
                        let column = GeometryColumn::narrowest(self.codes, entry.layer.geometry);
                        session.batch(schema::create(entry, name, column))?;
                        *made = Some(column);
                    }
                    freeze = ", FREEZE true";
                    format!("city.{}", quoted(name))
                }
                Target::Waiting { name, made, .. } => {
                    if !*made {
                        create_waiting(session, entry, name)?;
                        *made = true;
                    }
                    format!("pg_temp.{}", quoted(name))
                }
            };
            let sql = format!("COPY {table} ({FID}{}) FROM STDIN (FORMAT binary{freeze})", entry.list(""));
            self.copying = Some(session.copy_in(sql)?);
        }
        if let Some(copying) = &self.copying {
            copying.send(&mut self.rows);
        }
        Ok(())
    }

    /// Sends all rows and waits until they are there.
    pub(super) fn flush(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
        let table_is_missing = matches!(&self.target, Target::Aside { made: None, .. });
        if table_is_missing || self.rows.count > 0 {
            self.send(session, entry)?;
        }
        match self.copying.take() {
            Some(copying) => session.copied(copying).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Sends all rows, and makes the layer's geometry column take those that wait to be moved to it.
    pub(super) fn complete(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
        self.flush(session, entry)?;
        if matches!(&self.target, Target::Waiting { column, .. } if !column.takes(self.codes)) {
            self.widen(session, entry)?;
        }
        Ok(())
    }

    /// Makes the geometry column take every type of the layer's kind.
    fn widen(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
        self.flush(session, entry)?;
        match &mut self.target {
            Target::Aside { name, made } => {
                *made = Some(GeometryColumn::Kind);
                session.batch(schema::widen(entry, name))
            }
            Target::Live { column } | Target::Waiting { column, .. } => {
                *column = GeometryColumn::Kind;
                publish::rebuild(session, entry)
            }
        }
    }

    /// Sends all rows; gives where they are now together with those that were there, as a table for SQL.
    pub(super) fn table(&mut self, session: &mut Session<'_>, entry: &Entry) -> Result<String, StoreError> {
        self.flush(session, entry)?;
        let live = entry.shape().live();
        Ok(match &self.target {
            Target::Aside { name, .. } => format!("city.{}", quoted(name)),
            Target::Live { .. } | Target::Waiting { made: false, .. } => live,
            // A row that waits hides the row in the layer's table.
            Target::Waiting { name, made: true, .. } => format!(
                "(SELECT {FID}{list} FROM pg_temp.{waiting} UNION ALL SELECT {FID}{list} FROM {live} l \
                 WHERE NOT EXISTS (SELECT FROM pg_temp.{waiting} w WHERE w.{FID} = l.{FID}))",
                list = entry.list(""),
                waiting = quoted(name),
            ),
        })
    }
}

/// Creates the temporary table of a layer's columns.
fn create_waiting(session: &mut Session<'_>, entry: &Entry, name: &str) -> Result<(), StoreError> {
    session.batch(format!(
        "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {FID}{} FROM {} WHERE false",
        quoted(name),
        entry.list(""),
        entry.shape().live()
    ))?;
    if entry.spatial() {
        // It may get types of geometry that the layer's table does not take yet.
        session.batch(format!("ALTER TABLE pg_temp.{} ALTER COLUMN geom TYPE geometry", quoted(name)))?;
    }
    Ok(())
}
