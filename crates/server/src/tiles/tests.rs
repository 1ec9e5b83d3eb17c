//! Which edits invalidate which tiles.

use std::sync::Arc;

use citymap_engine::Cancel;
use citymap_live::{Live, LiveError};
use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Edit, GeoPackage, Store};
use citymap_tile::{ContentEncoding, TileId};
use geo::Point;

use super::{
    cache::TileKey,
    cached::{CachedTile, TileContent, TileSource, Validity},
    format::TileFormat,
};
use crate::{app::App, config::Config, http::negotiate::Encodings};

fn wells() -> Layer {
    let mut layer =
        Layer::new("wells".parse().unwrap(), Title::same("Wells"), Role::Utility, GeometryKind::Point);
    layer.fields = vec![Field::new("key", FieldType::Text)];
    layer.key = Some("key".into());
    layer
}

fn well(key: &str, lon: f64) -> NewFeature {
    NewFeature { geometry: Some(Point::new(lon, 10.77).into()), values: vec![Value::Text(key.into())] }
}

/// Wells 1 to 9 at 106.1 to 106.9 degrees; the last one shares the first one's key.
fn city() -> (tempfile::TempDir, Arc<App>) {
    let folder = tempfile::tempdir().unwrap();
    let store = GeoPackage::open_or_create(&folder.path().join("city.gpkg")).unwrap();
    let mut transaction = store.begin(CommitMeta::default()).unwrap();
    transaction.layer(&wells(), Mode::Replace).unwrap();
    for number in 1..=9 {
        let key = if number == 9 { 1 } else { number };
        transaction.put(well(&format!("w{key}"), 106.0 + f64::from(number) / 10.0)).unwrap();
    }
    transaction.commit().unwrap();
    let live = Arc::new(Live::open(Box::new(store)).unwrap());
    (folder, Arc::new(App::new(live, Config::default()).unwrap()))
}

fn edit(app: &App, edit: Edit) {
    app.live
        .write(CommitMeta::default(), |transaction| {
            transaction.layer(&wells(), Mode::Edit)?;
            transaction.edit(edit)?;
            Ok::<_, LiveError>(())
        })
        .unwrap();
}

fn source(app: &App, well: u32) -> (TileKey, TileSource) {
    let city_snapshot = app.live.snapshot();
    let tile = TileId::at([106.0 + f64::from(well) / 10.0, 10.77], 14).unwrap();
    let layers = vec![Arc::clone(city_snapshot.city.layer("wells").unwrap())];
    let content = TileContent::Vector(TileFormat::Mvt);
    let key = TileKey { layers: "wells".into(), tile, content: content.key(), time: None, past: None };
    (key, TileSource { city_snapshot, layers, tile, time: None, filter: None, content })
}

#[test]
fn an_edit_makes_stale_what_it_touches_and_nothing_else() {
    let (_folder, app) = city();
    let entries: Vec<CachedTile> = (1..=9).map(|well| CachedTile::new(&source(&app, well).1)).collect();
    let old = source(&app, 5).1;
    let look = |well: u32| entries[well as usize - 1].validity(&source(&app, well).1, app.tiles.tiler());
    edit(&app, Edit::Update(5, well("moved", 106.6)));
    for well in 1..=9 {
        let expected = if [5, 6].contains(&well) { Validity::Stale } else { Validity::Valid };
        assert_eq!(look(well), expected, "well {well}: it moved from 5 to 6");
    }
    // 9 had the key of 1 with its number behind; now it has the key alone.
    edit(&app, Edit::Delete(1));
    assert_eq!([1, 2, 9].map(look), [Validity::Stale, Validity::Valid, Validity::Stale]);
    // Found good for the newest, it is still good for who began before.
    assert_eq!(entries[2 - 1].validity(&source(&app, 2).1, app.tiles.tiler()), Validity::Valid);
    let newer = CachedTile::new(&source(&app, 5).1);
    assert_eq!(newer.validity(&old, app.tiles.tiler()), Validity::Newer);
}

#[test]
fn packings_of_one_tile_have_tags_of_their_own_and_unpack_to_the_same() {
    let (_folder, app) = city();
    let (_, source) = source(&app, 3);
    let entry = CachedTile::new(&source);
    let cancel = Cancel::new();
    let gzip = entry.make(&source, ContentEncoding::Gzip, app.tiles.tiler(), &cancel).unwrap();
    // From the packed one: the tile is not cut again.
    let plain = entry.make(&source, ContentEncoding::Identity, app.tiles.tiler(), &cancel).unwrap();
    assert_eq!(citymap_tile::decompress(&gzip.bytes, ContentEncoding::Gzip).unwrap(), plain.bytes);
    assert!(!plain.bytes.is_empty());
    let (gzip, plain) = (gzip.etag.to_str().unwrap(), plain.etag.to_str().unwrap());
    assert!(
        gzip.ends_with("-gzip\"") && gzip.strip_suffix("-gzip\"") != plain.strip_suffix('"'),
        "{gzip} {plain}"
    );
    cancel.cancel();
    assert!(
        entry.make(&source, ContentEncoding::Brotli, app.tiles.tiler(), &cancel).is_err(),
        "nobody waits for it"
    );
}

#[tokio::test]
async fn who_began_before_an_edit_gets_the_tile_of_then_and_leaves_the_new_one_alone() {
    let (_folder, app) = city();
    let all = Encodings::of(&axum::http::HeaderMap::new());
    let (key, old) = source(&app, 5);
    let (then, _) = app.tiles.fetch(key.clone(), old.clone(), &all).await.unwrap();
    let editing = Arc::clone(&app);
    tokio::task::spawn_blocking(move || edit(&editing, Edit::Update(5, well("new", 106.5)))).await.unwrap();
    let new = source(&app, 5).1;
    let (now, _) = app.tiles.fetch(key.clone(), new.clone(), &all).await.unwrap();
    assert_ne!(then.etag, now.etag);
    let (late, _) = app.tiles.fetch(key.clone(), old, &all).await.unwrap();
    assert_eq!((late.etag, late.bytes), (then.etag, then.bytes));
    let (again, _) = app.tiles.fetch(key, new, &all).await.unwrap();
    assert_eq!(again.bytes.as_ptr(), now.bytes.as_ptr(), "the same bytes in memory");
}
