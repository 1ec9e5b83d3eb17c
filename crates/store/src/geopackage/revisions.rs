//! The log of revisions.

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, LayerChange, Revision, RevisionNumber, parse_datetime};
use rusqlite::{Connection, OptionalExtension, params};

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

/// The time of the newest revision.
pub(super) fn newest_time(conn: &Connection) -> Result<Option<DateTime<Utc>>, Failure> {
    let time: Option<String> = conn
        .query_row("SELECT time FROM citymap_revision ORDER BY number DESC LIMIT 1", [], |row| row.get(0))
        .optional()?;
    time.map(|time| time_of(&time)).transpose()
}

fn time_of(text: &str) -> Result<DateTime<Utc>, Failure> {
    parse_datetime(text)
        .ok_or_else(|| Failure::Content(format!("a revision has `{text}` for a time; restore a backup")))
}

/// The newest revision that was committed at `time` or before; 0 if none was.
pub(super) fn at(conn: &Connection, time: DateTime<Utc>) -> Result<RevisionNumber, Failure> {
    // Times grow with the numbers, so the newest of those before is found by halving.
    let (mut low, mut high) = (0, newest(conn)?);
    let mut statement = conn.prepare_cached("SELECT time FROM citymap_revision WHERE number = ?1")?;
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let text: String = statement.query_row([middle], |row| row.get(0))?;
        if time_of(&text)? <= time {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// Adds a revision; `counts` are the features of each change's layer after it.
pub(super) fn add(conn: &Connection, revision: &Revision, counts: &[u64]) -> Result<(), Failure> {
    let CommitMeta { author, message, source, source_sha256 } = &revision.meta;
    conn.execute(
        "INSERT INTO citymap_revision VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![revision.number, time_text(&revision.time), author, message, source, source_sha256],
    )?;
    for (position, change) in revision.changes.iter().enumerate() {
        conn.execute(
            "INSERT INTO citymap_change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                revision.number,
                position,
                change.layer.as_str(),
                change.mode.as_str(),
                change.added,
                change.changed,
                change.removed,
                change.rejected,
                counts.get(position)
            ],
        )?;
    }
    Ok(())
}

/// The newest `limit` revisions, newest first.
pub(super) fn log(conn: &Connection, limit: usize) -> Result<Vec<Revision>, Failure> {
    list(
        conn,
        "SELECT * FROM citymap_revision WHERE number > ?1 ORDER BY number DESC LIMIT ?2",
        "DESC",
        0,
        limit,
    )
}

/// At most `limit` revisions above `after`, oldest first.
pub(super) fn log_after(
    conn: &Connection,
    after: RevisionNumber,
    limit: usize,
) -> Result<Vec<Revision>, Failure> {
    list(
        conn,
        "SELECT * FROM citymap_revision WHERE number > ?1 ORDER BY number LIMIT ?2",
        "ASC",
        after,
        limit,
    )
}

fn list(
    conn: &Connection,
    which: &str,
    order: &str,
    after: RevisionNumber,
    limit: usize,
) -> Result<Vec<Revision>, Failure> {
    // One statement, so that both tables are read as of one moment.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT r.number, r.time, r.author, r.message, r.source, r.source_sha256, c.layer, c.mode, c.added, \
         c.changed, c.removed, c.rejected FROM ({which}) r LEFT JOIN citymap_change c ON c.revision = \
         r.number ORDER BY r.number {order}, c.position"
    ))?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![i64::try_from(after).unwrap_or(i64::MAX), limit])?;
    let mut log: Vec<Revision> = Vec::new();
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        if log.last().is_none_or(|last| last.number != number) {
            let time = time_of(&row.get::<_, String>(1)?)?;
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
