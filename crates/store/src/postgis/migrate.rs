//! Brings a database's tables up to this version: the files of `migrations/`, in order, each once.

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Error as Sql, Row as _};

use super::{connect::Database, failure, grants, pool::Lease};
use crate::StoreError;

/// The migrations, in the order in which they are applied.
pub(super) const ALL: [(&str, &str); 4] = [
    ("0001_record", include_str!("../../../../migrations/0001_record.sql")),
    ("0002_spatial_ref_sys", include_str!("../../../../migrations/0002_spatial_ref_sys.sql")),
    ("0003_roles", include_str!("../../../../migrations/0003_roles.sql")),
    ("0004_readers", include_str!("../../../../migrations/0004_readers.sql")),
];

/// One process migrates a database at a time.
const LOCK: &str = "1667855481, 3";

/// The table of what was applied; created with the first migration.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS citymap.migration (name text PRIMARY KEY, sha256 text NOT \
    NULL, applied timestamptz NOT NULL DEFAULT clock_timestamp(), applied_by text NOT NULL DEFAULT \
    session_user)";

/// The SHA-256 of a migration's text, which shows whether it was changed after it was applied.
pub(super) fn checksum(sql: &str) -> String {
    citymap_model::hex(&Sha256::digest(sql))
}

/// Applies the migrations that are missing, grants to roles what they lack, and gives the names of what was
/// done.
///
/// # Errors
/// [`StoreError::Format`] if a later version of the program was here, [`StoreError::Database`] with what to
/// ask the administrator for where rights are missing.
pub(super) async fn migrate(database: &Database) -> Result<Vec<String>, StoreError> {
    let mut lease = database.writer().await?;
    let mut applied = Vec::new();
    extension(database, &mut lease).await?;
    for (name, sql) in ALL {
        if one(&mut lease, name, sql).await.map_err(|error| told(database, name, error))? {
            applied.push(name.to_owned());
        }
    }
    known(database, &mut lease).await?;
    // A role that an administrator has made since then.
    if grants::grant(&mut lease).await.map_err(|error| database.failed(error))? {
        applied.push("grants to roles".to_owned());
    }
    lease.give_back();
    Ok(applied)
}

async fn extension(database: &Database, lease: &mut Lease) -> Result<(), StoreError> {
    // Queried first, because `IF NOT EXISTS` demands the privilege even if there is nothing to do.
    let there = sqlx::query("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")
        .fetch_optional(&mut **lease)
        .await
        .map_err(|error| database.failed(error))?;
    if there.is_some() {
        return Ok(());
    }
    match sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS postgis").execute(&mut **lease).await {
        Ok(_) => Ok(()),
        // Two processes may get here at the same time.
        Err(error) if failure::code(&error).as_deref() == Some("23505") => Ok(()),
        Err(error) if failure::lost(&error) => Err(database.failed(error)),
        Err(error) => Err(StoreError::database(
            database.location().to_owned(),
            format!(
                "it has no PostGIS, and this user may not add it; ask the administrator to install PostGIS 3 \
                 and run `CREATE EXTENSION postgis` in this database ({})",
                failure::plain(&error)
            ),
        )),
    }
}

/// Applies one migration in its own transaction, unless it was applied before. Gives whether it was applied
/// now.
async fn one(lease: &mut Lease, name: &str, sql: &'static str) -> Result<bool, Sql> {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL client_min_messages = warning; \
         SELECT pg_advisory_xact_lock({LOCK})"
    )))
    .execute(&mut **lease)
    .await?;
    let begun: bool = sqlx::query("SELECT to_regclass('citymap.migration') IS NOT NULL")
        .fetch_one(&mut **lease)
        .await?
        .try_get(0)?;
    let there = begun
        && sqlx::query("SELECT 1 FROM citymap.migration WHERE name = $1")
            .bind(name)
            .persistent(false)
            .fetch_optional(&mut **lease)
            .await?
            .is_some();
    if !there {
        sqlx::raw_sql(sql).execute(&mut **lease).await?;
        sqlx::raw_sql(TABLE).execute(&mut **lease).await?;
        sqlx::query("INSERT INTO citymap.migration (name, sha256) VALUES ($1, $2)")
            .bind(name)
            .bind(checksum(sql))
            .persistent(false)
            .execute(&mut **lease)
            .await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut **lease).await?;
    Ok(!there)
}

fn told(database: &Database, name: &str, error: Sql) -> StoreError {
    match failure::code(&error).as_deref() {
        Some("42501") => StoreError::database(
            database.location().to_owned(),
            format!(
                "this user may not make its tables ({}); let the database's owner run `citymap migrate`, or \
                 ask the administrator for `GRANT CREATE ON DATABASE … TO …`",
                failure::plain(&error)
            ),
        ),
        Some("42P06" | "42P07") => StoreError::format(
            database.location().to_owned(),
            format!(
                "a schema or table that migration {name} makes is there already and is not ours ({}); use a \
                 database of its own",
                failure::plain(&error)
            ),
        ),
        _ => database.failed(error),
    }
}

/// Refuses a database that a later version of the program has migrated.
async fn known(database: &Database, lease: &mut Lease) -> Result<(), StoreError> {
    let names: Vec<String> = sqlx::query("SELECT name FROM citymap.migration ORDER BY name")
        .fetch_all(&mut **lease)
        .await
        .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect())
        .map_err(|error| database.failed(error))?;
    match names.iter().find(|name| ALL.iter().all(|(known, _)| known != name)) {
        None => Ok(()),
        Some(later) => Err(StoreError::format(
            database.location().to_owned(),
            format!("a later version of citymap has been here (migration {later}); use that one"),
        )),
    }
}

/// Whether the tables are those of this version of the program.
///
/// # Errors
/// [`StoreError::Missing`] if there are none or some are lacking, [`StoreError::Format`] if a later version
/// made them.
pub(super) async fn verify(database: &Database, lease: &mut Lease) -> Result<(), StoreError> {
    let missing = || StoreError::Missing { location: database.location().to_owned() };
    let there: bool = sqlx::query("SELECT to_regclass('citymap.migration') IS NOT NULL")
        .fetch_one(&mut **lease)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| database.failed(error))?;
    if !there {
        return Err(missing());
    }
    known(database, lease).await?;
    let count: i64 = sqlx::query("SELECT count(*) FROM citymap.migration")
        .fetch_one(&mut **lease)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| database.failed(error))?;
    if usize::try_from(count).is_ok_and(|count| count < ALL.len()) { Err(missing()) } else { Ok(()) }
}
