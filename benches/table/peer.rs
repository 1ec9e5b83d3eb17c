//! PostGIS at the same work, by prepared statements over as many connections as there are processors.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgArguments, query::Query};

/// A statement and what is bound to it for call n.
pub(crate) type Bind<'a> = &'a (
        dyn for<'q> Fn(Query<'q, sqlx::Postgres, PgArguments>, u64) -> Query<'q, sqlx::Postgres, PgArguments>
            + Sync
    );

/// A connection to the PostGIS server that is measured.
pub(crate) struct Peer {
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl Peer {
    /// The server at `url`.
    pub(crate) fn new(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        Self { url: url.to_owned(), runtime }
    }

    /// Runs statements one after the other.
    pub(crate) fn execute(&self, statements: &[&str]) {
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url).await.expect("PostgreSQL answers");
            for statement in statements {
                let outcome =
                    sqlx::raw_sql(AssertSqlSafe((*statement).to_owned())).execute(&mut connection).await;
                outcome.unwrap_or_else(|error| panic!("{statement}: {error}"));
            }
        });
    }

    /// How often `sql` can be answered in a second by `connections` at once.
    pub(crate) fn rate(&self, connections: usize, time: Duration, sql: &str, bind: Bind<'_>) -> f64 {
        let next = AtomicU64::new(0);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .expect("a runtime");
                    runtime.block_on(async {
                        let mut connection =
                            PgConnection::connect(&self.url).await.expect("PostgreSQL answers");
                        while start.elapsed() < time {
                            let n = next.fetch_add(1, Ordering::Relaxed);
                            let query = bind(sqlx::query(AssertSqlSafe(sql.to_owned())), n);
                            query
                                .fetch_all(&mut connection)
                                .await
                                .unwrap_or_else(|error| panic!("{sql}: {error}"));
                        }
                    });
                });
            }
        });
        next.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
    }
}
