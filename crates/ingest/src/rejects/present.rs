//! A rejects file that is there already: how it is known, and what its own columns are called.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use citymap_files::{FileError, create_private};
use citymap_model::Field;
use gdal::vector::OGRFieldType;
use rusqlite::{Connection, OpenFlags};

use super::OPTION;
use crate::ImportError;

/// The columns before the source's own.
pub(super) const OWN: [(&str, OGRFieldType::Type); 4] = [
    ("reason", OGRFieldType::OFTString),
    ("feature_index", OGRFieldType::OFTInteger64),
    ("line", OGRFieldType::OFTInteger64),
    ("geometry_text", OGRFieldType::OFTString),
];
/// What the name of one of them begins with where a field of the source has it.
const PREFIX: &str = "reject_";

/// The names of our own columns beside those of a source, which keep theirs.
pub(super) fn own_names(fields: &[Field]) -> [String; 4] {
    OWN.map(|(name, _)| {
        let mut name = name.to_owned();
        // Column names in SQL do not tell case.
        while fields.iter().any(|field| field.name.eq_ignore_ascii_case(&name)) {
            name.insert_str(0, PREFIX);
        }
        name
    })
}

/// How many of a table's first columns are ours: four in a table of rejects, else none.
pub(crate) fn own_columns<'a>(names: impl IntoIterator<Item = &'a str>) -> usize {
    let mut names = names.into_iter();
    let ours =
        OWN.iter().all(|(own, _)| names.next().is_some_and(|name| name.trim_start_matches(PREFIX) == *own));
    if ours { OWN.len() } else { 0 }
}

/// What is at the path of a rejects file.
#[derive(Debug)]
pub(super) enum Present {
    /// Nothing, or an empty file.
    Absent,
    /// A rejects file of earlier imports, with these tables.
    Ours(Vec<String>),
}

impl Present {
    /// Looks at the path.
    ///
    /// # Errors
    /// [`ImportError::Output`] if there is a file that is no rejects file, [`ImportError::Rejects`] if
    /// another program has it open.
    pub(super) fn look(path: &Path) -> Result<Self, ImportError> {
        match fs::metadata(path) {
            Err(_absent) => return Ok(Self::Absent),
            Ok(found) if found.is_file() && found.len() == 0 => return Ok(Self::Absent),
            Ok(_) => {}
        }
        // SQLite would wait for the other end of a pipe.
        let tables =
            if fs::metadata(path).is_ok_and(|found| found.is_file()) { reject_tables(path) } else { None };
        let Some(tables) = tables else {
            return Err(ImportError::Output(FileError::Foreign {
                option: OPTION.to_owned(),
                path: path.to_owned(),
                expected: "a rejects file of an earlier import".to_owned(),
            }));
        };
        let journal = ["-wal", "-journal"].iter().map(|suffix| beside(path, suffix));
        if journal.into_iter().any(|path| fs::metadata(path).is_ok_and(|found| found.len() > 0)) {
            return Err(ImportError::Rejects {
                path: path.display().to_string(),
                reason: "another program, such as QGIS, has unfinished changes in it; close it there first"
                    .to_owned(),
            });
        }
        Ok(Self::Ours(tables))
    }

    /// The names of the tables of earlier imports.
    pub(super) fn tables(&self) -> &[String] {
        match self {
            Self::Absent => &[],
            Self::Ours(tables) => tables,
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The tables of a rejects file; `None` if it is none: every table of features must be one of rejects, and
/// only R-trees may be virtual.
fn reject_tables(path: &Path) -> Option<Vec<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).ok()?;
    let foreign: i64 = conn
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name LIKE 'citymap\\_%' ESCAPE '\\' OR type = 'view' \
             OR (sql LIKE 'CREATE VIRTUAL%' AND sql NOT LIKE '% USING rtree(%')",
            [],
            |row| row.get(0),
        )
        .ok()?;
    let names = |sql: &str, table: Option<&str>| -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(sql)?;
        statement.query_map(rusqlite::params_from_iter(table), |row| row.get(0))?.collect()
    };
    let tables = names("SELECT table_name FROM gpkg_contents ORDER BY table_name", None).ok()?;
    let ours = |table: &String| {
        names("SELECT name FROM pragma_table_info(?1) WHERE pk = 0 AND name <> 'reject_geom'", Some(table))
            .is_ok_and(|columns| own_columns(columns.iter().map(String::as_str)) > 0)
    };
    (foreign == 0 && !tables.is_empty() && tables.iter().all(ours)).then_some(tables)
}

/// Copies a rejects file to a path at which nothing is, readable by its owner only.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let text = to.to_str().ok_or("its path is not UTF-8")?;
    create_private(to).map_err(|error| error.to_string())?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copied = Connection::open_with_flags(from, flags)
        .and_then(|conn| conn.execute("VACUUM INTO ?1", [text]).map(|_| ()));
    copied.map_err(|error| error.to_string())
}
