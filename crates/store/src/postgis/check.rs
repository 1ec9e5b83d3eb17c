//! `citymap doctor`: the server, the schema and the log. What concerns one layer is in `check_layer`.

use citymap_model::counted;
use sqlx::{Error as Sql, Row as _, postgres::PgRow};
use tokio::time::timeout;

use super::{
    check_layer,
    connect::Database,
    failure, grants, migrate,
    pool::{Lease, Purpose},
    roles::{OWNER, ROLES},
};
use crate::{Finding, StoreError, report::Report};

/// The lag of a standby that is not worth a warning, in seconds.
const LAGS: f64 = 10.0;

/// Things that a role lacks that one message lists.
const LISTED: usize = 5;

/// Examines the database, on the primary or, if there is none, on a standby.
pub(super) fn check(database: &Database) -> Result<Vec<Finding>, StoreError> {
    let mut report = Report::default();
    database.run(async {
        hosts(database, &mut report).await;
        let mut lease = match database.fresh(Purpose::Write).await {
            Ok(lease) => lease,
            Err(StoreError::Away { reason, .. }) => {
                report.warning(format!("nothing can be written at present: {reason}"));
                database.fresh(Purpose::Read).await?
            }
            Err(error) => return Err(error),
        };
        look(database, &mut lease, &mut report).await.map_err(|error| database.failed(error))
    })?;
    Ok(report.into_findings())
}

async fn look(database: &Database, lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    // One moment of the database, and enough time to count what it holds.
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
        .execute(&mut **lease)
        .await?;
    server(lease, report).await?;
    if !migrations(lease, report).await? {
        return Ok(());
    }
    revisions(lease, report).await?;
    zones(lease, report).await?;
    roles(lease, report).await?;
    check_layer::all(database, lease, report).await?;
    sqlx::raw_sql("COMMIT").execute(&mut **lease).await?;
    Ok(())
}

/// Reports which hosts of the address answer, and their roles.
async fn hosts(database: &Database, report: &mut Report) {
    const SQL: &str = "SELECT pg_is_in_recovery(), CASE WHEN pg_last_wal_receive_lsn() = \
         pg_last_wal_replay_lsn() THEN 0 ELSE coalesce(extract(epoch FROM clock_timestamp() - \
         pg_last_xact_replay_timestamp()), 0) END::double precision, EXISTS (SELECT FROM \
         pg_stat_wal_receiver), current_setting('synchronous_standby_names'), \
         pg_has_role('pg_read_all_stats', 'USAGE') AND NOT EXISTS (SELECT FROM pg_stat_replication WHERE \
         sync_state IN ('sync', 'quorum'))";
    for (at, host) in database.lender().address.hosts.iter().enumerate() {
        let name = &host.name;
        if host.unverified() {
            report.warning(format!(
                "{name} is another machine and its certificate is not verified: add \
                 `?sslmode=verify-full&sslrootcert=FILE` to the address"
            ));
        }
        let mut conn = match database.lender().beside(at).await {
            Ok(conn) => conn,
            Err(error) => {
                report.warning(format!("a host of the address does not answer: {error}"));
                continue;
            }
        };
        let asked = timeout(database.patience(), async {
            let row = sqlx::query(SQL).fetch_one(&mut conn).await?;
            Ok::<_, Sql>(Host {
                standby: row.try_get(0)?,
                lag: row.try_get(1)?,
                follows: row.try_get(2)?,
                waits_for: row.try_get(3)?,
                alone: row.try_get(4)?,
            })
        });
        match asked.await {
            Ok(Ok(host)) => host.report(name, report),
            Ok(Err(error)) => report.warning(format!("{name}: {}", failure::plain(&error))),
            Err(_) => report.warning(format!("{name} does not answer")),
        }
    }
}

/// The state of one host.
struct Host {
    standby: bool,
    /// The lag of a standby in seconds.
    lag: f64,
    /// Whether a standby is connected to its primary.
    follows: bool,
    /// The standbys that commits wait for.
    waits_for: String,
    /// Whether none of them is connected.
    alone: bool,
}

impl Host {
    fn report(&self, name: &str, report: &mut Report) {
        match (self.standby, self.follows) {
            (false, _) if self.alone && !self.waits_for.is_empty() => report.warning(format!(
                "{name} is the primary, and no synchronous standby ({}) is connected: commits wait until \
                 one is",
                self.waits_for
            )),
            (false, _) => report.good(format!("{name} is the primary")),
            (true, false) => {
                report.warning(format!("{name} is a standby without a primary: what it shows grows old"));
            }
            (true, true) if self.lag < LAGS => report.good(format!(
                "{name} is a standby, {:.1} s \
                behind",
                self.lag
            )),
            (true, true) => report.warning(format!(
                "{name} is a standby, {:.0} s behind its \
                primary",
                self.lag
            )),
        }
    }
}

async fn one(lease: &mut Lease, sql: &'static str) -> Result<PgRow, Sql> {
    sqlx::query(sql).fetch_one(&mut **lease).await
}

async fn server(lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    let row = one(
        lease,
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), (SELECT \
         extversion FROM pg_extension WHERE extname = 'postgis'), current_setting('server_encoding'), \
         current_setting('fsync'), current_setting('full_page_writes'), \
         current_setting('synchronous_commit')",
    )
    .await?;
    let (number, version): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
    let postgis: Option<String> = row.try_get(2)?;
    match (number, &postgis) {
        (_, None) => report.error("the extension PostGIS is gone; run `CREATE EXTENSION postgis`".to_owned()),
        (140_000.., Some(postgis)) if postgis.starts_with('3') => {
            report.good(format!("PostgreSQL {version} with PostGIS {postgis}"));
        }
        (_, Some(postgis)) => report.warning(format!(
            "PostgreSQL {version} with PostGIS {postgis}: citymap is tested from PostgreSQL 14 and PostGIS \
             3 on"
        )),
    }
    let encoding: String = row.try_get(3)?;
    if encoding != "UTF8" {
        report.error(format!(
            "the database's encoding is {encoding}; Vietnamese needs UTF8: copy into such a database"
        ));
    }
    for (index, setting) in [(4, "fsync"), (5, "full_page_writes")] {
        if row.try_get::<String, _>(index)? == "off" {
            report.warning(format!(
                "{setting} is off: a crash of the machine may destroy the record; turn it on"
            ));
        }
    }
    if row.try_get::<String, _>(6)? == "off" {
        report.warning(
            "synchronous_commit is off: our own commits wait for the disk all the same, edits by other \
             programs may be lost in a crash"
                .to_owned(),
        );
    }
    Ok(())
}

/// Whether the rest can be examined.
async fn migrations(lease: &mut Lease, report: &mut Report) -> Result<bool, Sql> {
    if !one(lease, "SELECT to_regclass('citymap.migration') IS NOT NULL").await?.try_get::<bool, _>(0)? {
        report.error("the tables are not there; `citymap migrate` makes them".to_owned());
        return Ok(false);
    }
    let rows = sqlx::query("SELECT name, sha256 FROM citymap.migration ORDER BY name")
        .fetch_all(&mut **lease)
        .await?;
    let mut before = report.len();
    for row in &rows {
        let (name, sha256): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        match migrate::ALL.iter().find(|(known, _)| *known == name) {
            None => report.error(format!("migration {name} is of a later version of citymap; use that one")),
            Some((_, sql)) if migrate::checksum(sql) != sha256 => report.warning(format!(
                "migration {name} was another text when it was applied: this version of citymap was not made \
                 for these tables"
            )),
            Some(_) => {}
        }
    }
    if rows.len() < migrate::ALL.len() {
        report.error(
            "the tables are of an earlier version; `citymap migrate` brings them up to this one".to_owned(),
        );
        before = usize::MAX;
    }
    if report.len() == before {
        report.good(format!(
            "the tables are of this version ({})",
            counted(rows.len(), "migration", "migrations")
        ));
    }
    Ok(before != usize::MAX)
}

async fn revisions(lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    let row = one(
        lease,
        "SELECT count(*), coalesce(min(number), 0), coalesce(max(number), 0), (SELECT count(*) FROM (SELECT \
         time < lag(time) OVER (ORDER BY number) AS back FROM citymap.revision) t WHERE back), (SELECT \
         count(*) FROM citymap.change c WHERE NOT EXISTS (SELECT FROM citymap.revision r WHERE r.number = \
         c.revision)) + (SELECT count(*) FROM citymap.layer_version v WHERE NOT EXISTS (SELECT FROM \
         citymap.revision r WHERE r.number = v.revision)) + (SELECT count(*) FROM citymap.added a WHERE NOT \
         EXISTS (SELECT FROM citymap.revision r WHERE r.number = a.revision)), count(*) FILTER (WHERE open) \
         FROM citymap.revision",
    )
    .await?;
    let (count, low, high): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if count == high && (low == 1 || count == 0) {
        report.good(format!("{} without a gap", counted(count, "revision", "revisions")));
    } else {
        report.error(format!("revisions are missing from the log: it has {count}, from {low} to {high}"));
    }
    let back: i64 = row.try_get(3)?;
    if back > 0 {
        report.error(format!("{} older than the one before", counted(back, "revision is", "revisions are")));
    }
    let strays: i64 = row.try_get(4)?;
    if strays > 0 {
        report.error(format!(
            "{} to revisions that are not in the log",
            counted(strays, "row of the history belongs", "rows of the history belong")
        ));
    }
    if row.try_get::<i64, _>(5)? > 0 {
        report.error("a revision is marked as on its way, though its transaction is over".to_owned());
    }
    Ok(())
}

/// Reports VN-2000 zones that PostGIS lacks, and a datum shift other than the legal one.
async fn zones(lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    /// The accepted distance from the legal transformation, in metres.
    const NEAR: f64 = 0.001;
    let row = one(lease, "SELECT count(*) FROM spatial_ref_sys WHERE srid BETWEEN 9205 AND 9218").await?;
    let there: i64 = row.try_get(0)?;
    if there < 14 {
        report.warning(format!(
            "spatial_ref_sys has {there} of the 14 VN-2000 zones EPSG:9205–9218, without which the views of \
             schema city_vn2000 fail; let its owner run migrations/0002_spatial_ref_sys.sql"
        ));
        return Ok(());
    }
    // 106.698 E, 10.7725 N by the transformation of Decision 05/2007/QĐ-BTNMT.
    let row = one(
        lease,
        "SELECT st_x(p), st_y(p) FROM st_transform(st_setsrid(st_makepoint(106.698, 10.7725), 4326), 9210) p",
    )
    .await?;
    let (x, y): (f64, f64) = (row.try_get(0)?, row.try_get(1)?);
    let off = (x - 603_481.588).hypot(y - 1_191_454.611);
    if off <= NEAR {
        report.good("the VN-2000 zones are there, with the legal datum shift".to_owned());
    } else {
        report.warning(format!(
            "the VN-2000 zone EPSG:9210 of spatial_ref_sys is {off:.3} m off the legal datum shift: delete \
             its rows 9205–9218 and let their owner run migrations/0002_spatial_ref_sys.sql"
        ));
    }
    Ok(())
}

/// Reports which of the roles are missing.
async fn roles(lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    let rows = sqlx::query("SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'citymap\\_%'")
        .fetch_all(&mut **lease)
        .await?;
    let there: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut complete = true;
    for (role, purpose) in ROLES.iter().filter(|(role, _)| there.iter().all(|there| there != role)) {
        complete = false;
        let then = match *role {
            OWNER => {
                format!("`GRANT {role} TO LOGIN` and `REASSIGN OWNED BY LOGIN TO {role}` in this database")
            }
            _ => "`citymap migrate`, which grants it what it is for".to_owned(),
        };
        report.warning(format!(
            "the role {role} (for {purpose}) is missing, since the login that migrated may make none: let an \
             administrator run `CREATE ROLE {role} NOLOGIN`, then {then}"
        ));
    }
    for (role, things) in grants::lacking(lease).await? {
        complete = false;
        let more = things.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        report.warning(format!(
            "the role {role} lacks rights: {}{more}; `citymap migrate` grants them",
            things[..things.len().min(LISTED)].join(", ")
        ));
    }
    if complete {
        let names: Vec<&str> = ROLES.iter().map(|(role, _)| *role).collect();
        report.good(format!("the roles {} are there with their rights", names.join(", ")));
    }
    Ok(())
}
