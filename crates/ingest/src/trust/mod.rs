//! What is looked at before a format library opens a file that came from elsewhere.
//!
//! Formats can name other files: an SQLite database by a virtual table, a MapInfo table by the tables that it
//! joins, XML by an entity. A library that follows such a name reads a file of whoever imports, and the
//! import publishes it. So a file that names others is refused before it is opened, whatever the library
//! would do.
//! The limits on the reading process (see [`crate::worker`]) hold in addition.

mod references;
mod settings;
mod sql;
mod sqlite;

pub(crate) use references::check_references;
pub(crate) use settings::set_up_gdal;
pub(crate) use sqlite::check_sqlite;
