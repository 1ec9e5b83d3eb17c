//! The log of revisions.

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, LayerChange, Revision, RevisionNumber, parse_datetime};
use rusqlite::{Connection, params};

use super::failure::Failure;

/// The newest revision; 0 for an empty city.
pub(super) fn newest(conn: &Connection) -> Result<RevisionNumber, Failure> {
    let mut statement = conn.prepare_cached("SELECT coalesce(max(number), 0) FROM citymap_revision")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// An instant as the log holds it.
pub(super) fn time_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Adds a revision.
pub(super) fn add(conn: &Connection, revision: &Revision) -> Result<(), Failure> {
    let CommitMeta { author, message, source, source_sha256 } = &revision.meta;
    conn.execute(
        "INSERT INTO citymap_revision VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![revision.number, time_text(&revision.time), author, message, source, source_sha256],
    )?;
    for (position, change) in revision.changes.iter().enumerate() {
        conn.execute(
            "INSERT INTO citymap_change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                revision.number,
                position,
                change.layer.as_str(),
                change.mode.as_str(),
                change.added,
                change.changed,
                change.removed,
                change.rejected
            ],
        )?;
    }
    Ok(())
}

/// The newest `limit` revisions, newest first.
pub(super) fn log(conn: &Connection, limit: usize) -> Result<Vec<Revision>, Failure> {
    // One statement, so that both tables are read as of one moment.
    let mut statement = conn.prepare_cached(
        "SELECT r.number, r.time, r.author, r.message, r.source, r.source_sha256, \
         c.layer, c.mode, c.added, c.changed, c.removed, c.rejected \
         FROM (SELECT * FROM citymap_revision ORDER BY number DESC LIMIT ?1) r \
         LEFT JOIN citymap_change c ON c.revision = r.number ORDER BY r.number DESC, c.position",
    )?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut log: Vec<Revision> = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        if log.last().is_none_or(|last| last.number != number) {
            let time: String = row.get(1)?;
            let time = parse_datetime(&time)
                .ok_or_else(|| Failure::Content(format!("revision {number} has `{time}` for a time")))?;
            let meta = CommitMeta {
                author: row.get(2)?,
                message: row.get(3)?,
                source: row.get(4)?,
                source_sha256: row.get(5)?,
            };
            log.push(Revision { number, time, meta, changes: Vec::new() });
        }
        let (Some(layer), Some(last)) = (row.get::<_, Option<String>>(6)?, log.last_mut()) else { continue };
        let damaged =
            |what: String| Failure::Content(format!("the log of revision {number} is damaged: {what}"));
        let mode: String = row.get(7)?;
        last.changes.push(LayerChange {
            layer: layer.parse().map_err(|error| damaged(format!("{error}")))?,
            mode: mode.parse().map_err(|error| damaged(format!("{error}")))?,
            added: row.get(8)?,
            changed: row.get(9)?,
            removed: row.get(10)?,
            rejected: row.get(11)?,
        });
    }
    Ok(log)
}
