//! Databases for tests: each test gets one of its own, copied from one that was migrated once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use citymap_store::{Options, Pool, Postgis};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

static NUMBER: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: OnceLock<()> = OnceLock::new();

/// The server to test against; `None`, with a message, where there is none.
pub(crate) fn server() -> Option<String> {
    citymap_testing::database()
}

/// A database that is gone when the test ends.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A database with the tables of a record; `None` where there is no server.
    pub(crate) fn new() -> Option<Self> {
        let server = server()?;
        let template = format!("citymap_template_{}", std::process::id());
        TEMPLATE.get_or_init(|| {
            let made = run(async {
                let mut conn = PgConnection::connect(&server).await?;
                conn.execute(AssertSqlSafe(format!("CREATE DATABASE {template}"))).await
            });
            made.unwrap();
            let options = Options { migrate: true, ..Options::default() };
            drop(Postgis::open(&address(&server, &template), &options).unwrap());
        });
        let name = format!("citymap_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        for attempt in 0.. {
            let made = run(async {
                let mut conn = PgConnection::connect(&server).await?;
                conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}"))).await
            });
            match made {
                Ok(_) => break,
                // A session on the template that has not quite ended.
                Err(_) if attempt < 50 => std::thread::sleep(Duration::from_millis(100)),
                Err(error) => panic!("{error}"),
            }
        }
        Some(Self { server, name })
    }

    /// The address of the database.
    pub(crate) fn address(&self) -> String {
        address(&self.server, &self.name)
    }

    /// The store in it, with little patience.
    pub(crate) fn store(&self) -> Postgis {
        let pool = Pool { writer_wait: Duration::from_millis(200), ..Pool::default() };
        Postgis::open(&self.address(), &Options { pool, ..Options::default() }).unwrap()
    }

    /// The session of another program.
    #[allow(dead_code, reason = "not every test has another program")]
    pub(crate) fn session(&self) -> Session {
        Session::open(&self.address()).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = run(async {
            let mut conn = PgConnection::connect(&self.server).await?;
            conn.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))).await
        });
    }
}

/// The address of another database, or of the same one as another user, on a server.
pub(crate) fn address(server: &str, database: &str) -> String {
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{database}")
}

fn run<T>(future: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A connection of another program, as `psql` has one.
#[allow(dead_code, reason = "not every test has another program")]
pub(crate) struct Session {
    runtime: tokio::runtime::Runtime,
    conn: PgConnection,
}

#[allow(dead_code, reason = "not every test has another program")]
impl Session {
    pub(crate) fn open(address: &str) -> Result<Self, sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let conn = runtime.block_on(PgConnection::connect(&format!("{address}?application_name=QGIS")))?;
        Ok(Self { runtime, conn })
    }

    /// Runs statements one after the other.
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        self.runtime.block_on(sqlx::raw_sql(sql).execute(&mut self.conn)).map(|_| ())
    }

    /// The first column of what a statement gives, as texts.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<String> {
        use sqlx::Row as _;
        let sql = AssertSqlSafe(format!("SELECT t::text FROM ({sql}) AS s (t)"));
        let rows = self.runtime.block_on(sqlx::raw_sql(sql).fetch_all(&mut self.conn)).unwrap();
        rows.iter().map(|row| row.try_get::<Option<String>, _>(0).unwrap().unwrap_or_default()).collect()
    }

    /// Copies rows in, as text.
    pub(crate) fn copy_in(&mut self, sql: &str, rows: &str) -> Result<(), sqlx::Error> {
        let Self { runtime, conn } = self;
        runtime.block_on(async {
            let mut copy = conn.copy_in_raw(sql).await?;
            copy.send(rows.as_bytes()).await?;
            copy.finish().await.map(|_| ())
        })
    }
}
