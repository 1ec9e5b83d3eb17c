//! Opening the store that the command line names, and `citymap migrate`.

use std::{process::ExitCode, time::Duration};

use chrono::{DateTime, Utc};
use citymap_access::conceal;
use citymap_crs::Crs;
use citymap_engine::City;
use citymap_live::read_layer;
use citymap_model::{AsOf, Layer, Revision};
use citymap_store::{Options, Pool, ReadView, Store, StoreError, add_meanings, city_profile, is_database};

use crate::{
    failure::Failure,
    global::Global,
    output::{self, say},
};

/// Opens the store. With `create`, a GeoPackage file that does not exist is created.
pub(crate) fn open(global: &Global, create: bool) -> Result<Box<dyn Store>, StoreError> {
    let store = citymap_store::open_with(&global.store, &Options { create, ..options(global) })?;
    use_home_grid(store.as_ref());
    Ok(store)
}

/// Makes the home grid of the record's city that of this process. One that cannot be used is told and left:
/// every command would fail otherwise, also the one that mends it.
fn use_home_grid(store: &dyn Store) {
    let grid = city_profile(store).map(|profile| profile.crs);
    match grid.map(|code| Crs::new(code).and_then(Crs::make_home)) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the home grid of the city profile cannot be used"),
        Err(error) => tracing::warn!(%error, "the city profile cannot be used"),
    }
}

/// Opens the store to change it, and brings it up to date first.
pub(crate) fn open_to_write(global: &Global) -> Result<Box<dyn Store>, StoreError> {
    let store = open(global, false)?;
    bring_up_to_date(global, store.as_ref())?;
    Ok(store)
}

/// Writes what fields mean into a GeoPackage file of an earlier version of the program ([`add_meanings`]). A
/// database is brought up to date by `citymap migrate`, whose rights others need not have.
pub(crate) fn bring_up_to_date(global: &Global, store: &dyn Store) -> Result<(), StoreError> {
    if is_database(&global.store) { Ok(()) } else { add_meanings(store).map(drop) }
}

/// The options for opening a store that the command line gives; `create` is off.
pub(crate) fn options(global: &Global) -> Options {
    let args = &global.database;
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

/// The city as of a revision, or the newest one.
pub(crate) fn view<'a>(
    store: &'a dyn Store,
    as_of: Option<AsOf>,
) -> Result<Box<dyn ReadView + 'a>, StoreError> {
    match as_of {
        None => store.view(),
        Some(as_of) => store.view_at(number(store, as_of)?),
    }
}

/// The layers of the city that a command reads, as the public may see them, as of a revision.
pub(crate) fn city(
    store: &dyn Store,
    as_of: Option<AsOf>,
    is_read: impl Fn(&Layer) -> bool,
) -> Result<City, Failure> {
    let now = store.view()?.layers()?;
    let view = view(store, as_of)?;
    let mut city =
        City { revision: view.revision(), profile: city_profile(store)?.into(), ..City::default() };
    for mut entry in view.layers()? {
        if !is_read(&entry.layer) {
            continue;
        }
        // What has become personal since then is personal in the past too.
        if let Some(present) = now.iter().find(|own| own.layer.id == entry.layer.id) {
            conceal(&mut entry.layer, &present.layer);
        }
        let snapshot = read_layer(view.as_ref() as &dyn ReadView, entry)?;
        city.layers.insert(snapshot.layer().id.clone(), snapshot.into());
    }
    Ok(city)
}

/// The number of the revision that was the newest at `as_of`.
pub(crate) fn number(store: &dyn Store, as_of: AsOf) -> Result<u64, StoreError> {
    match as_of {
        AsOf::Revision(number) => Ok(number),
        AsOf::Instant(instant) => store.revision_at(instant),
        AsOf::Day(day) => {
            store.revision_at(city_profile(store)?.end_of(day).unwrap_or(DateTime::<Utc>::MAX_UTC))
        }
    }
}

/// The location without user and password, for messages.
pub(crate) fn shown(location: &str) -> String {
    match location.split_once("://").zip(location.rsplit_once('@')) {
        Some(((scheme, _), (_, host))) if is_database(location) => {
            format!("{scheme}://{}", host.split('?').next().unwrap_or(host))
        }
        _ => location.to_owned(),
    }
}

/// Runs `citymap migrate` on the store that the command line names.
pub(crate) fn migrate(global: &Global) -> Result<ExitCode, Failure> {
    let applied = if is_database(&global.store) {
        citymap_store::Postgis::migrate(&global.store, &options(global))?
    } else {
        // Opening a file brings its tables up to date.
        let added = add_meanings(open(global, false)?.as_ref())?;
        let told = |revision: Revision| format!("meanings of fields (revision {})", revision.number);
        added.map(told).into_iter().collect()
    };
    if global.json {
        output::print_json(&serde_json::json!({ "applied": applied }))?;
    } else if applied.is_empty() {
        say!("{} is up to date", shown(&global.store))?;
    } else {
        for name in &applied {
            say!("applied {name}")?;
        }
        say!("{} is ready", shown(&global.store))?;
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
