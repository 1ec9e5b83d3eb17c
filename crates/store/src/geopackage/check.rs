//! `citymap doctor`: whether the file holds what it states, and states what it must.

use std::collections::HashSet;

use citymap_gpkg::{blob, rtree, schema, table};
use citymap_model::{GeometryKind, counted};
use rusqlite::{Connection, functions::FunctionFlags, types::ValueRef};

use super::{
    beside, catalogue, check_history,
    connection::{self, Opener},
    entry::Entry,
    failure::Failure,
    query::number,
};
use crate::columns::{FID, GEOM, quoted};
use crate::{Finding, StoreError, report::Report};

/// Examines the whole file as of one revision.
pub(super) fn check(opener: &Opener) -> Result<Vec<Finding>, StoreError> {
    let conn = opener.reader()?;
    let mut report = Report::default();
    let run = |report: &mut Report| -> Result<(), Failure> {
        conn.execute_batch("BEGIN")?;
        if !integrity(&conn, report) {
            return Ok(());
        }
        header(&conn, opener, report)?;
        revisions(&conn, report)?;
        bounds_function(&conn)?;
        let entries = catalogue::all(&conn)?;
        check_history::check(&conn, &entries, report)?;
        for entry in entries {
            let before = report.len();
            layer(&conn, &entry, report)?;
            if report.len() == before {
                report.good(format!(
                    "layer `{}`: {}, all in order",
                    entry.layer.id,
                    counted(entry.count, "feature", "features")
                ));
            }
        }
        Ok(())
    };
    match run(&mut report) {
        Ok(()) => Ok(report.into_findings()),
        Err(failure) => match failure.at(&opener.location()) {
            // A damaged file is a finding, not a failure of the check.
            StoreError::Database { reason, .. } => {
                report.error(format!("the rest could not be looked at: {reason}"));
                Ok(report.into_findings())
            }
            other => Err(other),
        },
    }
}

/// Whether the rest can be examined.
fn integrity(conn: &Connection, report: &mut Report) -> bool {
    let lines = || -> rusqlite::Result<Vec<String>> {
        conn.prepare("PRAGMA quick_check(20)")?.query_map([], |row| row.get(0))?.collect()
    };
    let told = match lines() {
        Ok(lines) if lines == ["ok"] => {
            report.good("SQLite finds the file whole".to_owned());
            return true;
        }
        Ok(lines) => lines.join("; "),
        Err(error) => error.to_string(),
    };
    report.error(format!("the file is damaged; restore it from a backup. SQLite says: {told}"));
    false
}

fn header(conn: &Connection, opener: &Opener, report: &mut Report) -> Result<(), Failure> {
    let application = number(conn, "PRAGMA application_id")?;
    let version = number(conn, "PRAGMA user_version")?;
    if (application, version) == (schema::APPLICATION_ID, schema::USER_VERSION) {
        report.good("the header says GeoPackage 1.3".to_owned());
    } else {
        report.error(format!(
            "the header says application {application:#x}, version {version}; GDAL may not open it"
        ));
    }
    match connection::journal_mode(conn)?.as_str() {
        "wal" => {
            let wal = std::fs::metadata(beside(&opener.path, "-wal")).map_or(0, |found| found.len());
            report.good(format!("the journal is a write-ahead log ({})", counted(wal, "byte", "bytes")));
        }
        other => report.warning(format!(
            "the journal mode is `{other}`: readers wait while an import writes; open the store where the \
             file and its folder may be written to, and it is mended"
        )),
    }
    Ok(())
}

fn revisions(conn: &Connection, report: &mut Report) -> Result<(), Failure> {
    let (count, low, high) = conn.query_row(
        "SELECT count(*), coalesce(min(number), 0), coalesce(max(number), 0) FROM citymap_revision",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
    )?;
    if count == high && (low == 1 || count == 0) {
        report.good(format!("{} without a gap", counted(count, "revision", "revisions")));
    } else {
        report.error(format!("revisions are missing from the log: it has {count}, from {low} to {high}"));
    }
    let strays = number(
        conn,
        "SELECT (SELECT count(*) FROM citymap_change WHERE revision NOT IN (SELECT number FROM \
         citymap_revision)) + (SELECT count(*) FROM citymap_layer WHERE revision NOT IN (SELECT number FROM \
         citymap_revision))",
    )?;
    if strays > 0 {
        report.error(format!("{strays} changes or layers belong to revisions that are not in the log"));
    }
    Ok(())
}

/// Registers `citymap_bound(blob, i)`: one bound of a geometry, NULL if it is empty.
fn bounds_function(conn: &Connection) -> Result<(), Failure> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("citymap_bound", 2, flags, |context| {
        let index: usize = context.get(1)?;
        let ValueRef::Blob(bytes) = context.get_raw(0) else { return Ok(None) };
        let bounds = blob::bounds(bytes).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))?;
        Ok(bounds.and_then(|bounds| bounds.get(index).copied()))
    })?;
    Ok(())
}

fn layer(conn: &Connection, entry: &Entry, report: &mut Report) -> Result<(), Failure> {
    let id = &entry.layer.id;
    if !schema::has_table(conn, id.as_str())? {
        report.error(format!("layer `{id}` has no table; import it again"));
        return Ok(());
    }
    let mut statement = conn.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let there: HashSet<String> =
        statement.query_map([id.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let spatial = entry.layer.geometry != GeometryKind::None;
    let expected = entry.columns.iter().map(String::as_str).chain([FID]).chain(spatial.then_some(GEOM));
    let missing: Vec<&str> = expected.filter(|column| !there.contains(*column)).collect();
    if !missing.is_empty() {
        report.error(format!("layer `{id}` lacks the columns {}; import it again", missing.join(", ")));
        return Ok(());
    }
    let table = quoted(id.as_str());
    let count = conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u64>(0))?;
    if count != entry.count {
        report.error(format!(
            "layer `{id}` has {}, the file's own count says {}",
            counted(count, "feature", "features"),
            entry.count
        ));
    } else if count != entry.count_then {
        report.warning(format!(
            "layer `{id}` has {}, and had {} in revision {}: another program edited it, which is in \
             no revision",
            counted(count, "feature", "features"),
            entry.count_then,
            entry.revision
        ));
    }
    for name in rtree::missing_triggers(conn, id, spatial)? {
        report.warning(format!("layer `{id}` lacks the trigger {name}: edits by QGIS spoil its index"));
    }
    if spatial { index(conn, entry, report) } else { Ok(()) }
}

fn index(conn: &Connection, entry: &Entry, report: &mut Report) -> Result<(), Failure> {
    let id = &entry.layer.id;
    let (table, rtree) = (quoted(id.as_str()), rtree::name(id));
    if !schema::has_table(conn, &rtree)? {
        report.error(format!("layer `{id}` has no spatial index; import it again"));
        return Ok(());
    }
    let verdict: String = conn.query_row("SELECT rtreecheck(?1)", [&rtree], |row| row.get(0))?;
    if verdict != "ok" {
        report.error(format!("the spatial index of layer `{id}` is damaged: {verdict}"));
        return Ok(());
    }
    // Joined by number. A box that is too small is an error; a larger one is not, since boxes are rounded
    // outwards.
    let read = conn.query_row(
        &format!(
            "SELECT count(*), count(r.id), count(*) FILTER (WHERE r.minx > b.a OR r.maxx < b.b OR r.miny > \
             b.c OR r.maxy < b.d), min(b.a), max(b.b), min(b.c), max(b.d) FROM (SELECT \"fid\", \
             citymap_bound(\"geom\", 0) a, citymap_bound(\"geom\", 1) b, citymap_bound(\"geom\", 2) c, \
             citymap_bound(\"geom\", 3) d FROM {table} WHERE citymap_bound(\"geom\", 0) IS NOT NULL) b LEFT \
             JOIN {} r ON r.id = b.\"fid\"",
            quoted(&rtree)
        ),
        [],
        |row| {
            let bounds: [Option<f64>; 4] = [row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, bounds))
        },
    );
    let (filled, indexed, small, bounds) = match read {
        Ok(read) => read,
        Err(error) => {
            report.error(format!("layer `{id}` holds a geometry that cannot be read: {error}"));
            return Ok(());
        }
    };
    let boxes = number(conn, &format!("SELECT count(*) FROM {}", quoted(&format!("{rtree}_rowid"))))?;
    if filled != indexed || boxes != filled || small != 0 {
        report.error(format!(
            "the spatial index of layer `{id}` does not fit it: {filled} geometries, {boxes} boxes, {} of \
             them missing, {small} too small",
            filled - indexed
        ));
    }
    let [Some(a), Some(b), Some(c), Some(d)] = bounds else { return Ok(()) };
    let covered = table::extent(conn, id)?
        .is_some_and(|extent| extent[0] <= a && extent[1] >= b && extent[2] <= c && extent[3] >= d);
    if !covered {
        report.warning(format!("the extent that the file states for layer `{id}` does not hold all of it"));
    }
    Ok(())
}
