//! How connections are opened: what each kind needs, and which files are refused.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use citymap_files::create_private;
use citymap_gpkg::schema::has_table;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{edited, failure::Failure, schema, upgrade};
use crate::StoreError;

/// Opens connections to one GeoPackage file.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    pub(super) path: PathBuf,
    pub(super) wait: Duration,
}

impl Opener {
    pub(super) fn new(path: &Path, wait: Duration) -> Self {
        Self { path: path.to_owned(), wait }
    }

    /// Where the file is, for people.
    pub(super) fn location(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn failed(&self, failure: impl Into<Failure>) -> StoreError {
        failure.into().at(&self.location())
    }

    fn format(&self, reason: &str) -> StoreError {
        StoreError::format(self.location(), reason.to_owned())
    }

    fn missing(&self) -> StoreError {
        StoreError::Missing { location: self.location() }
    }

    /// The first connection: creates the store if that is wanted, and refuses files that are not ours.
    pub(super) fn first(&self, create: bool) -> Result<Connection, StoreError> {
        match fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => {
                return Err(self.format("it is a folder; give the path of a .gpkg file"));
            }
            Ok(_) => {}
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::database(self.location(), error.to_string()));
            }
            Err(_) if !create => return Err(self.missing()),
            Err(_) => {
                if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    fs::create_dir_all(folder).map_err(|error| {
                        StoreError::database(
                            self.location(),
                            format!("the folder {} cannot be made: {error}", folder.display()),
                        )
                    })?;
                }
                // SQLite takes an empty file for none, and gives its journals the mode of the file.
                match create_private(&self.path) {
                    Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                        return Err(StoreError::database(self.location(), error.to_string()));
                    }
                    _ => {}
                }
            }
        }
        let extra = if create { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        let mut conn = self.connect(extra)?;
        match self.patiently(|| kind(&conn)).map_err(|failure| self.failed(failure))? {
            Kind::Ours => {}
            Kind::Former => upgrade::upgrade(&mut conn).map_err(|failure| self.failed(failure))?,
            Kind::Empty if !create => return Err(self.missing()),
            Kind::Empty => {
                // The journal mode cannot change within a transaction. A crash before the transaction below
                // ends leaves an empty database, which does not count as a store.
                self.patiently(|| start_journal(&conn))
                    .and_then(|()| schema::create(&mut conn))
                    .map_err(|failure| self.failed(failure))?;
            }
            Kind::Foreign => {
                return Err(self.format(
                    "it is a GeoPackage of another program; bring its layers in with `citymap import FILE \
                     --layer ID`",
                ));
            }
            Kind::NoGeoPackage => return Err(self.format("it is a SQLite database, but no GeoPackage")),
            Kind::Later(version) => {
                return Err(self.format(&format!(
                    "it was written by a later version of citymap (store version {version}, this one knows \
                     {}); use that one",
                    schema::STORE_VERSION
                )));
            }
        }
        // Another program may have turned it off. If it cannot be turned on again (a read-only file), reading
        // still works and `check` reports it.
        if journal_mode(&conn).map_err(|failure| self.failed(failure))? != "wal" {
            let _ = start_journal(&conn);
        }
        // Likewise: without the triggers it cannot be decided whether a snapshot file is current, and none is
        // used.
        let _ = edited::mend(&mut conn);
        Ok(conn)
    }

    /// Tries again, within the time for which writers wait, while another connection starts the write-ahead
    /// log: SQLite then refuses at once instead of waiting.
    fn patiently<T>(&self, work: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
        let begun = Instant::now();
        loop {
            match work() {
                Err(failure) if failure.is_busy() && begun.elapsed() < self.wait => {
                    thread::sleep(Duration::from_millis(5));
                }
                outcome => return outcome,
            }
        }
    }

    /// A connection for reading.
    pub(super) fn reader(&self) -> Result<Connection, StoreError> {
        let conn = self.connect(OpenFlags::empty())?;
        // Not memory-mapped: that would read a fifth faster, but a bad sector would end the whole server with
        // SIGBUS, while a plain read fails for one request only.
        conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384")
            .map_err(|error| self.failed(error))?;
        Ok(conn)
    }

    /// A connection for writing, with a cache large enough for the pages that a bulk write touches
    /// repeatedly.
    pub(super) fn writer(&self) -> Result<Connection, StoreError> {
        let conn = self.connect(OpenFlags::empty())?;
        // `legacy_alter_table`: a layer's table is renamed while the layer is replaced, and views of other
        // programs must keep referring to the layer's name.
        conn.execute_batch("PRAGMA cache_size = -131072; PRAGMA legacy_alter_table = ON")
            .map_err(|error| self.failed(error))?;
        citymap_gpkg::register_functions(&conn).map_err(|error| self.failed(error))?;
        Ok(conn)
    }

    pub(super) fn connect(&self, extra: OpenFlags) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
        let open = || -> Result<Connection, Failure> {
            let conn = Connection::open_with_flags(&self.path, flags)?;
            conn.busy_timeout(self.wait)?;
            // `journal_size_limit` frees the space of a large import after the checkpoint.
            conn.execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 16777216",
            )?;
            Ok(conn)
        };
        open().map_err(|failure| self.failed(failure))
    }
}

/// Turns the write-ahead log on.
fn start_journal(conn: &Connection) -> Result<(), Failure> {
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(Failure::Content(format!(
        "SQLite cannot keep its write-ahead log here (it stays in mode `{mode}`); use a local disk"
    )))
}

/// SQLite's journal mode, in lower case.
pub(super) fn journal_mode(conn: &Connection) -> Result<String, Failure> {
    Ok(conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?)
}

/// Finds out what kind of file a connection is to.
fn kind(conn: &Connection) -> Result<Kind, Failure> {
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Kind::Empty);
    }
    if has_table(conn, "citymap_store")? {
        let version: Option<i64> = conn
            .query_row("SELECT value FROM citymap_store WHERE key = 'version'", [], |row| row.get(0))
            .optional()?;
        return Ok(match version {
            Some(schema::STORE_VERSION) => Kind::Ours,
            Some(version) if version < schema::STORE_VERSION => Kind::Former,
            Some(version) => Kind::Later(version),
            None => Kind::Foreign,
        });
    }
    Ok(if has_table(conn, "gpkg_contents")? { Kind::Foreign } else { Kind::NoGeoPackage })
}

/// What an SQLite file turned out to be.
enum Kind {
    Ours,
    /// Ours, written by an earlier version of the program.
    Former,
    /// No tables: new, or left by a process that was killed while it created the store.
    Empty,
    Foreign,
    NoGeoPackage,
    Later(i64),
}
