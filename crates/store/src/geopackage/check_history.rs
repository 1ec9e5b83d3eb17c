//! `citymap doctor`: whether the history is complete.

use citymap_gpkg::schema;
use rusqlite::{Connection, OptionalExtension, params};

use super::{entry::Entry, failure::Failure, history, query::number};
use crate::{columns::quoted, report::Report};

/// Examines the times of the log, the versions of definitions, former rows and additions.
pub(super) fn check(conn: &Connection, entries: &[Entry], report: &mut Report) -> Result<(), Failure> {
    let before = report.errors();
    times(conn, report)?;
    versions(conn, entries, report)?;
    additions(conn, report)?;
    let mut rows = 0;
    for generation in generations(conn)? {
        rows += former_rows(conn, &generation, report)?;
    }
    if report.errors() == before {
        let since = history::since(conn)?;
        report.good(format!("the history is whole: {rows} former features, from revision {since} on"));
    }
    Ok(())
}

fn times(conn: &Connection, report: &mut Report) -> Result<(), Failure> {
    let back = number(
        conn,
        "SELECT count(*) FROM citymap_revision a JOIN citymap_revision b ON b.number = a.number + 1 WHERE \
         b.time < a.time",
    )?;
    if back > 0 {
        report.error(format!("{back} revisions have a time before that of the revision before them"));
    }
    Ok(())
}

/// Checks that each layer's newest definition is that of the catalogue, and that layers without one were
/// dropped.
fn versions(conn: &Connection, entries: &[Entry], report: &mut Report) -> Result<(), Failure> {
    for entry in entries {
        let id = &entry.layer.id;
        let found: Option<(bool, Option<i64>)> = conn
            .query_row(
                "SELECT v.definition IS l.definition, v.generation FROM citymap_layer_version v, \
                 citymap_layer l WHERE v.layer = ?1 AND l.id = ?1 ORDER BY v.revision DESC LIMIT 1",
                [id.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        if found != Some((true, Some(entry.generation))) {
            report.error(format!(
                "layer `{id}` has another definition than the history says; former revisions of it may be \
                 wrong"
            ));
        }
        let then: Option<Option<u64>> = conn
            .query_row(
                "SELECT count_after FROM citymap_change WHERE layer = ?1 ORDER BY revision DESC, position \
                 DESC LIMIT 1",
                [id.as_str()],
                |row| row.get(0),
            )
            .optional()?;
        if then != Some(Some(entry.count_then)) {
            report.error(format!("the log does not tell how many features layer `{id}` has"));
        }
    }
    let strays = number(
        conn,
        "SELECT count(*) FROM citymap_layer_version v WHERE definition IS NOT NULL AND revision = (SELECT \
         max(revision) FROM citymap_layer_version w WHERE w.layer = v.layer) AND layer NOT IN (SELECT id \
         FROM citymap_layer)",
    )?;
    if strays > 0 {
        report.error(format!("{strays} layers of the history are gone without having been dropped"));
    }
    Ok(())
}

fn additions(conn: &Connection, report: &mut Report) -> Result<(), Failure> {
    let strays = number(
        conn,
        "SELECT count(*) FROM citymap_added a LEFT JOIN citymap_generation g ON g.number = a.generation \
         LEFT JOIN citymap_last_fid f ON f.layer = g.layer WHERE g.number IS NULL OR a.revision <= g.born \
         OR a.revision NOT IN (SELECT number FROM citymap_revision) OR a.first > a.last OR a.last > \
         coalesce(f.fid, 0)",
    )?;
    if strays > 0 {
        report.error(format!(
            "{strays} additions of the history are of no revision, or of features that never were"
        ));
    }
    Ok(())
}

struct Generation {
    number: i64,
    layer: String,
    born: u64,
    last_fid: i64,
}

fn generations(conn: &Connection) -> Result<Vec<Generation>, Failure> {
    let mut statement = conn.prepare(
        "SELECT g.number, g.layer, g.born, coalesce(f.fid, 0) FROM citymap_generation g \
         LEFT JOIN citymap_last_fid f ON f.layer = g.layer ORDER BY g.number",
    )?;
    let found = statement.query_map([], |row| {
        Ok(Generation { number: row.get(0)?, layer: row.get(1)?, born: row.get(2)?, last_fid: row.get(3)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Checks that the former rows of a generation are within the revisions of its life. Gives how many there
/// are.
fn former_rows(conn: &Connection, generation: &Generation, report: &mut Report) -> Result<u64, Failure> {
    let Generation { number, layer, born, last_fid } = generation;
    let table = history::table(*number);
    if !schema::has_table(conn, &table)? {
        report.error(format!("the history of layer `{layer}` from revision {born} on is missing ({table})"));
        return Ok(0);
    }
    let (count, strays): (u64, u64) = conn.query_row(
        &format!(
            "SELECT count(*), count(*) FILTER (WHERE revision <= ?1 OR fid > ?2 OR \
             revision NOT IN (SELECT number FROM citymap_revision)) FROM {}",
            quoted(&table)
        ),
        params![born, last_fid],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if strays > 0 {
        report.error(format!(
            "{strays} former features of layer `{layer}` ({table}) are of no revision, or never had a number"
        ));
    }
    Ok(count)
}
