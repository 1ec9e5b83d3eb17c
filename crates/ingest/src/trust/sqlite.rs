//! A GeoPackage, looked at with our own SQLite before GDAL opens it.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use super::sql;
use crate::{ImportError, source::parts};

/// The first bytes of every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The first bytes of a rollback journal that is in use.
const JOURNAL: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];
/// The byte of the header that is 2 where the database keeps a write-ahead log.
const READ_VERSION: usize = 19;
/// Maximum number of objects in a schema.
const OBJECTS: usize = 100_000;

/// A database that holds only data.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The file to open: the one that was asked for, or a copy.
    pub path: PathBuf,
    /// Holds the copy, where the database keeps a write-ahead log, which can be read only by writing.
    pub copy: Option<TempDir>,
}

/// Refuses an SQLite database that holds more than data and the GeoPackage format's own views, triggers and
/// R-trees. `shown` names the file in messages.
///
/// # Errors
/// [`ImportError::Unreadable`] naming what is refused, or if the file is not a sound database.
pub(crate) fn check_sqlite(path: &Path, shown: &str) -> Result<Checked, ImportError> {
    let damaged =
        |reason: String| ImportError::unreadable(shown, reason, "it may be damaged or cut off: get it again");
    let unread = |error: io::Error| {
        ImportError::unreadable(shown, format!("cannot be read ({error})"), "check the disk it is on")
    };
    let mut header = [0; READ_VERSION + 1];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut header))
        .map_err(|error| damaged(format!("cannot be read as an SQLite database ({error})")))?;
    if !header.starts_with(MAGIC) {
        return Err(damaged("is named like a GeoPackage, but is not an SQLite database".into()));
    }
    if starts_with_journal(&beside(path, "-journal")).map_err(unread)? {
        return Err(ImportError::unreadable(
            shown,
            "has an unfinished change, in the file beside it whose name ends in -journal",
            "open it once in the program that wrote it, close it there, and import it again",
        ));
    }
    let mut checked = Checked { path: path.to_owned(), copy: None };
    if header[READ_VERSION] == 2 {
        checked = without_log(path).map_err(|error| match error {
            Failed::Io(error) => unread(error),
            Failed::Sqlite(error) => damaged(format!("cannot be read as an SQLite database ({error})")),
        })?;
    }
    let found = schema(&checked.path)
        .map_err(|error| damaged(format!("cannot be read as an SQLite database ({error})")))?;
    if found.len() >= OBJECTS {
        return Err(damaged(format!("holds {OBJECTS} tables, indexes and triggers or more")));
    }
    match found.iter().find_map(|statement| sql::check(statement).err()) {
        None => Ok(checked),
        Some(sql::Refused { what, why }) => Err(ImportError::unreadable(
            shown,
            format!("holds {what}, and that {why}"),
            "copy the layers into a new GeoPackage (in QGIS: Export, Save Features As) and import that",
        )),
    }
}

/// The statements of the schema. Whatever their type says they are, SQLite executes their text.
fn schema(path: &Path) -> Result<Vec<String>, rusqlite::Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri(path), flags)?;
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    let mut statement =
        conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid LIMIT ?1")?;
    let limit = i64::try_from(OBJECTS).unwrap_or(i64::MAX);
    statement.query_map([limit], |row| row.get(0))?.collect()
}

/// The path as a URI: the file is read as it is, without locks and logs.
fn uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

enum Failed {
    Io(io::Error),
    Sqlite(rusqlite::Error),
}

/// A copy of a database into which its write-ahead log is taken, so that nothing that was committed is
/// missing and no reader writes next to the original.
fn without_log(path: &Path) -> Result<Checked, Failed> {
    let folder = tempfile::tempdir().map_err(Failed::Io)?;
    let copy = folder.path().join("copy.gpkg");
    parts::copy(path, &copy).map_err(Failed::Io)?;
    let log = beside(path, "-wal");
    if log.exists() {
        parts::copy(&log, &beside(&copy, "-wal")).map_err(Failed::Io)?;
    }
    let conn = Connection::open(&copy).map_err(Failed::Sqlite)?;
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA journal_mode = DELETE;")
        .map_err(Failed::Sqlite)?;
    conn.close().map_err(|(_, error)| Failed::Sqlite(error))?;
    Ok(Checked { path: copy, copy: Some(folder) })
}

fn starts_with_journal(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(8).read_to_end(&mut head)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(head == JOURNAL)
}

/// The path with `end` at the end of its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(end);
    name.into()
}
