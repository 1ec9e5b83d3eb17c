//! What the roles may do in this database: what they lack, and how they get it.
//!
//! The migrations grant it when they run. A role that the migrating login could not make, and that an
//! administrator makes later, has nothing: [`lacking`] finds that, and [`grant`] does what the migrations
//! would have done.

use sqlx::{Error as Sql, Row as _};

use super::pool::Lease;

const LACKING: &str = include_str!("grants/lacking.sql");
const GRANT: &str = include_str!("grants/grant.sql");

/// What each role that is there lacks in this database: its name, and the things.
pub(super) async fn lacking(lease: &mut Lease) -> Result<Vec<(String, Vec<String>)>, Sql> {
    let rows = sqlx::query(LACKING).persistent(false).fetch_all(&mut **lease).await?;
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let (role, thing): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        match found.iter_mut().find(|(own, _)| *own == role) {
            Some((_, things)) => things.push(thing),
            None => found.push((role, vec![thing])),
        }
    }
    found.iter_mut().for_each(|(_, things)| things.sort());
    found.sort();
    Ok(found)
}

/// Grants to the roles what they are for, where one lacks something; whether anything was done. A login that
/// may not grant it leaves things as they are.
pub(super) async fn grant(lease: &mut Lease) -> Result<bool, Sql> {
    if lacking(lease).await?.is_empty() {
        return Ok(false);
    }
    match sqlx::raw_sql(GRANT).execute(&mut **lease).await {
        Ok(_) => Ok(true),
        Err(error) if super::failure::code(&error).as_deref() == Some("42501") => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "this login may not grant the roles what they lack; `citymap doctor` lists it"
            );
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
