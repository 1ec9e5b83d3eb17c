//! Records from before fields had meanings, in both stores.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod databases;
#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use citymap_model::{CommitMeta, Field, FieldType, Layer, Meaning, Mode, Theme};
use citymap_store::{GeoPackage, Store, add_meanings};
use databases::Database;
use parts::{id, parcels, write};
use rusqlite::Connection;

/// A layer of hydrants with a sheet, and nothing said about what that means.
fn hydrants() -> Layer {
    let mut layer = Layer { id: id("hydrants"), ..parcels() };
    layer.geometry = citymap_model::GeometryKind::Point;
    layer.fields.push(Field::new("so_to", FieldType::Int));
    layer
}

/// Takes out of definitions what a program without meanings did not write.
fn former(definition: &str) -> String {
    let mut document: serde_json::Value = serde_json::from_str(definition).unwrap();
    document.as_object_mut().unwrap().remove("theme").unwrap();
    for field in document["fields"].as_array_mut().unwrap() {
        field.as_object_mut().unwrap().remove("meaning");
    }
    document.to_string()
}

/// The meanings of the sheet, and the theme, in the newest revision and in the first one.
fn read(store: &dyn Store) -> Vec<(Option<Meaning>, Option<Theme>)> {
    let views = [store.view().unwrap(), store.view_at(1).unwrap()];
    let layers = views.iter().map(|view| {
        let entries = view.layers().unwrap();
        entries.into_iter().find(|entry| entry.layer.id == id("hydrants")).unwrap().layer
    });
    let sheet = |layer: &Layer| layer.fields[layer.field_index("so_to").unwrap()].meaning;
    layers.map(|layer| (sheet(&layer), layer.theme)).collect()
}

/// What holds of any store whose newest revision is 1 and whose definitions are from before.
fn meanings_are_read_and_then_written(store: &dyn Store) {
    let wanted = (Some(Meaning::Sheet), Some(Theme::Hydrant));
    assert_eq!(store.former_definitions().unwrap(), [id("hydrants")]);
    assert_eq!(read(store), [wanted; 2], "reading does not wait for the migration");
    assert_eq!(store.revision().unwrap(), 1, "and writes nothing");

    let revision = add_meanings(store).unwrap().unwrap();
    assert_eq!((revision.number, revision.changes.len()), (2, 1));
    assert_eq!((revision.changes[0].mode, revision.changes[0].changed), (Mode::Edit, 0));
    assert!(store.former_definitions().unwrap().is_empty());
    assert_eq!(read(store), [wanted; 2]);
    assert_eq!(add_meanings(store).unwrap(), None, "once is enough");

    // What the steward says afterwards stays.
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    let mut layer = transaction.definition(&id("hydrants")).unwrap().unwrap();
    let sheet = layer.field_index("so_to").unwrap();
    layer.set_meaning(sheet, None);
    layer.theme = None;
    transaction.layer(&layer, Mode::Edit).unwrap();
    transaction.commit().unwrap();
    assert_eq!(add_meanings(store).unwrap(), None);
    assert_eq!(read(store), [(None, None), wanted]);
}

#[test]
fn a_file_from_before_meanings_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("city.gpkg");
    write(&GeoPackage::open_or_create(&path).unwrap(), &hydrants(), Mode::Replace, Vec::new());
    let conn = Connection::open(&path).unwrap();
    for table in ["citymap_layer", "citymap_layer_version"] {
        let definition: String =
            conn.query_row(&format!("SELECT definition FROM {table}"), [], |row| row.get(0)).unwrap();
        conn.execute(&format!("UPDATE {table} SET definition = ?1"), [former(&definition)]).unwrap();
    }
    drop(conn);
    meanings_are_read_and_then_written(&GeoPackage::open(&path).unwrap());
}

#[test]
fn a_database_from_before_meanings_gets_them() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    write(&store, &hydrants(), Mode::Replace, Vec::new());
    let mut psql = database.session();
    for table in ["citymap.layer", "citymap.layer_version"] {
        let definition = psql.ask(&format!("SELECT definition FROM {table}")).remove(0);
        psql.run(&format!("UPDATE {table} SET definition = $def${}$def$", former(&definition))).unwrap();
    }
    meanings_are_read_and_then_written(&store);
}
