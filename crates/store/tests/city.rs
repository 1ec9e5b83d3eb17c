//! The city profile in both stores.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod databases;
#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use citymap_model::{CityProfile, CommitMeta, Mode, Title};
use citymap_store::{GeoPackage, Options, Postgis, Store, city_profile, set_city_profile};
use databases::Database;
use parts::{parcel, parcels, write};

fn hanoi() -> CityProfile {
    CityProfile { name: Title::new("Thành phố Hà Nội", "Hanoi"), crs: 5897, ..CityProfile::default() }
}

/// What holds of any store.
fn a_profile_is_kept_with_a_revision_for_each_change(store: &dyn Store) {
    assert_eq!(&city_profile(store).unwrap(), CityProfile::builtin());
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let meta = CommitMeta { message: "Hà Nội".to_owned(), ..CommitMeta::default() };
    let revision = set_city_profile(store, &hanoi(), meta).unwrap();
    assert_eq!((revision.number, revision.changes.len()), (2, 0));
    assert_eq!(city_profile(store).unwrap(), hanoi());
    assert_eq!(store.revision().unwrap(), 2);
    assert_eq!(store.log(1).unwrap()[0].meta.message, "Hà Nội");
    assert_eq!(store.view().unwrap().layers().unwrap()[0].revision, 1, "no layer has changed");
}

#[test]
fn a_file_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    a_profile_is_kept_with_a_revision_for_each_change(&GeoPackage::open_or_create(&path).unwrap());
    assert_eq!(city_profile(&GeoPackage::open(&path).unwrap()).unwrap(), hanoi());
}

#[test]
fn a_database_keeps_it_and_shows_layers_on_its_grid() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    let mut psql = database.session();
    let grid = "SELECT DISTINCT st_srid(geom) FROM city_vn2000.parcels";
    a_profile_is_kept_with_a_revision_for_each_change(&store);
    assert_eq!(psql.ask(grid), ["5897"], "the view that was there");
    write(&store, &parcels(), Mode::Replace, vec![parcel("b", 2, 1.0)]);
    assert_eq!(psql.ask(grid), ["5897"], "a view that is made anew");

    // A view of another program is not taken away from it.
    psql.run("CREATE VIEW public.mine AS SELECT * FROM city_vn2000.parcels").unwrap();
    let error = set_city_profile(&store, CityProfile::builtin(), CommitMeta::default()).unwrap_err();
    assert!(error.to_string().contains("mine"), "{error}");
    assert_eq!(psql.ask(grid), ["5897"]);
    psql.run("DROP VIEW public.mine").unwrap();
    store.renew_home_views().unwrap();
    assert_eq!(psql.ask(grid), [CityProfile::builtin().crs.to_string()]);
    drop(Postgis::open(&database.address(), &Options { migrate: true, ..Options::default() }).unwrap());
    assert_eq!(psql.ask(grid), [CityProfile::builtin().crs.to_string()]);
}
