//! The record in a PostgreSQL database with PostGIS, which other programs read and write too.
//!
//! A layer is a table in schema `city` with a column for each field and `geom` in WGS 84 degrees. Schema
//! `history` holds former rows, schema `citymap` the catalogue and the log (`migrations/`). Edits that other
//! programs make in the tables are revisions too: triggers record them. The address may name several hosts:
//! writers find the primary among them, readers use the first that answers, and both try again after a
//! failure, so that a standby that was promoted is found.
//!
//! ```no_run
//! use citymap_store::{Options, Postgis, Store};
//!
//! let location = "postgres://citymap@db1:5432,db2:5432/city?sslmode=verify-full";
//! let options = Options { migrate: true, ..Options::default() };
//! let store = Postgis::open(location, &options).unwrap();
//! println!("{} is at revision {}", store.location(), store.revision().unwrap());
//! ```

mod accept;
mod added;
mod changes;
mod check;
mod check_layer;
mod commit;
mod connect;
mod copy;
mod documents;
mod editor;
mod entry;
mod failure;
mod grants;
mod known;
mod log;
mod migrate;
mod pool;
mod publish;
mod read;
mod reading;
mod roles;
mod schema;
mod session;
mod state;
mod transaction;
mod unreadable;
mod url;
mod view;
mod wait;
mod writer;

use std::time::Duration;

use chrono::{DateTime, Utc};
use citymap_model::{CommitMeta, Layer, LayerId, Revision, RevisionNumber};

use self::{
    connect::Database, pool::Purpose, session::Session, transaction::PostgisTransaction, view::PostgisView,
    wait::Waiter,
};
use crate::{Document, Finding, Options, ReadView, Store, StoreError, Transaction, add_meanings};

/// The record of a city in a PostGIS database.
#[derive(Debug)]
pub struct Postgis {
    database: Database,
    waiter: Waiter,
}

impl Postgis {
    /// Opens the record in the database at `location`, which is a libpq address:
    /// `postgres://user@host:5432/database`, several hosts separated by commas, `?sslmode=…&sslrootcert=…`
    /// for TLS. What it leaves out, such as a password, comes from `PGPASSWORD`, `PGPASSFILE` and the other
    /// variables of libpq.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] for an address that cannot be used, [`StoreError::Away`] if no host
    /// answers, [`StoreError::Missing`] if the tables are not there and `options.migrate` is false,
    /// [`StoreError::Format`] if a later version made them.
    pub fn open(location: &str, options: &Options) -> Result<Self, StoreError> {
        if options.migrate {
            return Ok(Self::migrated(location, options)?.0);
        }
        let database = Database::new(location, options)?;
        database.run(async {
            let mut lease = database.reader().await?;
            migrate::verify(&database, &mut lease).await?;
            lease.give_back();
            Ok::<_, StoreError>(())
        })?;
        Ok(Self { database, waiter: Waiter::default() })
    }

    /// Opens the record and brings it up to this version of the program. Gives the record and what was done.
    fn migrated(location: &str, options: &Options) -> Result<(Self, Vec<String>), StoreError> {
        let database = Database::new(location, options)?;
        // The tables are made on the primary; a standby that readers use will have them in a moment.
        let mut applied = database.run(migrate::migrate(&database))?;
        let store = Self { database, waiter: Waiter::default() };
        if let Some(revision) = add_meanings(&store)? {
            applied.push(format!("meanings of fields (revision {})", revision.number));
        }
        store.renew_home_views()?;
        Ok((store, applied))
    }

    /// Brings the tables of the database up to this version of the program. Gives the names of the migrations
    /// that were applied.
    ///
    /// # Errors
    /// As [`Postgis::open`]; [`StoreError::Database`] if privileges are missing, with what to ask the
    /// administrator for.
    pub fn migrate(location: &str, options: &Options) -> Result<Vec<String>, StoreError> {
        Ok(Self::migrated(location, options)?.1)
    }
}

impl Store for Postgis {
    fn location(&self) -> String {
        self.database.location().to_owned()
    }

    fn revision(&self) -> Result<RevisionNumber, StoreError> {
        log::newest(&self.database)
    }

    fn wait(&self, known: RevisionNumber, timeout: Duration) -> Result<RevisionNumber, StoreError> {
        self.waiter.wait(&self.database, known, timeout)
    }

    fn view(&self) -> Result<Box<dyn ReadView + '_>, StoreError> {
        let revision = log::newest(&self.database)?;
        Ok(Box::new(PostgisView { database: &self.database, revision }))
    }

    fn view_at(&self, revision: RevisionNumber) -> Result<Box<dyn ReadView + '_>, StoreError> {
        let newest = log::newest(&self.database)?;
        if revision > newest {
            return Err(StoreError::NoRevision { asked: revision, newest });
        }
        Ok(Box::new(PostgisView { database: &self.database, revision }))
    }

    fn begin(&self, meta: CommitMeta) -> Result<Box<dyn Transaction + '_>, StoreError> {
        Ok(Box::new(PostgisTransaction::begin(&self.database, meta)?))
    }

    fn log(&self, limit: usize) -> Result<Vec<Revision>, StoreError> {
        log::newest_first(&self.database, limit)
    }

    fn log_after(&self, after: RevisionNumber, limit: usize) -> Result<Vec<Revision>, StoreError> {
        log::after(&self.database, after, limit)
    }

    fn revision_at(&self, time: DateTime<Utc>) -> Result<RevisionNumber, StoreError> {
        log::at(&self.database, time)
    }

    fn document_names(&self) -> Result<Vec<String>, StoreError> {
        documents::names(&self.database)
    }

    fn document(&self, name: &str) -> Result<Option<Document>, StoreError> {
        documents::get(&self.database, name)
    }

    fn document_for_reading(&self, name: &str) -> Result<Option<Document>, StoreError> {
        documents::get_for_reading(&self.database, name)
    }

    fn put_document(&self, name: &str, expected: u64, body: Option<&str>) -> Result<bool, StoreError> {
        documents::put(&self.database, name, expected, body)
    }

    fn former_definitions(&self) -> Result<Vec<LayerId>, StoreError> {
        const DEFINITIONS: &str = "SELECT id, definition FROM citymap.layer ORDER BY id COLLATE \"C\"";
        let rows = self.database.run(self.database.ask(Purpose::Write, async |lease| {
            sqlx::query_as::<_, (String, String)>(DEFINITIONS).fetch_all(&mut **lease).await
        }))?;
        let former = rows.into_iter().filter(|(_, definition)| Layer::lacks_meanings(definition));
        Ok(former.filter_map(|(id, _)| id.parse().ok()).collect())
    }

    fn renew_home_views(&self) -> Result<(), StoreError> {
        let mut session = Session::open(&self.database)?;
        session.batch("BEGIN")?;
        match publish::renew_home_views(&mut session) {
            Ok(()) => session.end(),
            Err(error) => {
                session.roll_back(None);
                Err(error)
            }
        }
    }

    fn check(&self) -> Result<Vec<Finding>, StoreError> {
        check::check(&self.database)
    }
}
