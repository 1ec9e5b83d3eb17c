//! The store that the command line names.

use std::{process::ExitCode, time::Duration};

use citymap_model::AsOf;
use citymap_store::{Options, Pool, Store, StoreError, View};

use crate::{
    args::Cli,
    output::{self, Failure},
};

/// Opens the store. With `create`, a GeoPackage file that is not there is made.
pub(crate) fn open(cli: &Cli, create: bool) -> Result<Box<dyn Store>, StoreError> {
    citymap_store::open_with(&cli.store, &Options { create, ..options(cli) })
}

/// The options that the command line gives.
pub(crate) fn options(cli: &Cli) -> Options {
    let args = &cli.database;
    let pool = Pool {
        size: args.db_pool,
        connect_timeout: Duration::from_secs_f64(args.db_connect_timeout),
        statement_timeout: Duration::from_secs_f64(args.db_statement_timeout),
        idle_timeout: Duration::from_secs_f64(args.db_idle_timeout),
        max_lifetime: Duration::from_secs_f64(args.db_max_lifetime),
        writer_wait: Duration::from_secs_f64(args.db_writer_wait),
    };
    Options { create: false, migrate: args.migrate, pool }
}

/// The city as of a revision; the newest without one.
pub(crate) fn view<'a>(store: &'a dyn Store, as_of: Option<AsOf>) -> Result<Box<dyn View + 'a>, StoreError> {
    match as_of {
        None => store.view(),
        Some(as_of) => store.view_at(number(store, as_of)?),
    }
}

/// The revision that is meant.
pub(crate) fn number(store: &dyn Store, as_of: AsOf) -> Result<u64, StoreError> {
    match as_of {
        AsOf::Revision(number) => Ok(number),
        AsOf::Instant(instant) => store.revision_at(instant),
    }
}

/// Whether the location is a database and no file.
pub(crate) fn is_database(location: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| location.starts_with(scheme))
}

/// The location without what may be a password.
pub(crate) fn shown(location: &str) -> String {
    match location.split_once("://").zip(location.rsplit_once('@')) {
        Some(((scheme, _), (_, host))) if is_database(location) => {
            format!("{scheme}://{}", host.split('?').next().unwrap_or(host))
        }
        _ => location.to_owned(),
    }
}

/// `citymap migrate`.
pub(crate) fn migrate(cli: &Cli) -> Result<ExitCode, Failure> {
    if !is_database(&cli.store) {
        return Err(Failure(format!(
            "{} is a GeoPackage file, which is brought up to date whenever it is opened; `migrate` is for postgres://…",
            cli.store
        )));
    }
    let applied = citymap_store::Postgis::migrate(&cli.store, &options(cli))?;
    if cli.json {
        output::print_json(&serde_json::json!({ "applied": applied }));
    } else if applied.is_empty() {
        println!("{} is up to date", shown(&cli.store));
    } else {
        applied.iter().for_each(|name| println!("applied {name}"));
        println!("{} is ready", shown(&cli.store));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(shown("postgres://gis:s3c@ret@db:5432/city?sslmode=require"), "postgres://db:5432/city");
        assert_eq!(shown("postgres://db/city"), "postgres://db/city");
        assert_eq!(shown("var/a@b.gpkg"), "var/a@b.gpkg");
    }
}
