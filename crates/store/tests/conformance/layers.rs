//! What is done to a layer as a whole by numbers: drop and restore.

use citymap_model::{CommitMeta, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value};
use citymap_store::{Put, Store, StoreError};
use geo_types::Point;

use super::{
    editing::three,
    parts::{areas, counts, id, parcel, parcels, put_all, read, write},
    seen::see_newest,
};

fn named(name: &str, fid: i64, area: f64) -> (String, i64, f64) {
    (name.to_owned(), fid, area)
}

pub(crate) fn a_dropped_layer_is_gone_and_its_numbers_stay_taken(store: &dyn Store) {
    let error = store.begin(CommitMeta::default()).unwrap().layer(&parcels(), Mode::Drop).unwrap_err();
    assert!(matches!(error, StoreError::NoLayer(_)), "{error}");
    three(store);
    let wells = Layer::new(id("wells"), Title::same("Wells"), Role::Utility, GeometryKind::Point);
    write(store, &wells, Mode::Replace, vec![]);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Drop).unwrap();
    assert_eq!(change.definition(&parcels().id).unwrap(), None);
    let revision = change.commit().unwrap();
    assert_eq!((revision.changes[0].mode, counts(&revision)), (Mode::Drop, [0, 0, 3, 0]));
    let view = store.view().unwrap();
    assert_eq!(view.layers().unwrap().len(), 1);
    assert!(matches!(view.read(&parcels().id, &mut |_| Ok(())), Err(StoreError::NoLayer(_))));
    assert_eq!(super::seen::changes(view.as_ref(), "parcels", 2).len(), 3);
    drop(view);
    let error = store.begin(CommitMeta::default()).unwrap().layer(&parcels(), Mode::Edit).unwrap_err();
    assert!(matches!(error, StoreError::NoLayer(_)), "{error}");
    let (revision, puts) = write(store, &parcels(), Mode::Append, vec![parcel("a", 1, 1.0)]);
    assert_eq!((counts(&revision), puts), ([1, 0, 0, 0], vec![Put::Added(4)]));
    // Dropped and made again within one revision, with other fields; and made and dropped.
    let mut other = parcels();
    other.fields.truncate(1);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Drop).unwrap();
    change.layer(&other, Mode::Append).unwrap();
    let row = NewFeature { geometry: None, values: vec![Value::Null] };
    assert_eq!(change.put(row).unwrap(), Put::Added(5));
    let passing = Layer::new(id("passing"), Title::same("P"), Role::Other, GeometryKind::None);
    change.layer(&passing, Mode::Append).unwrap();
    change.put(NewFeature { geometry: None, values: vec![] }).unwrap();
    change.layer(&passing, Mode::Drop).unwrap();
    let revision = change.commit().unwrap();
    let modes: Vec<_> =
        revision.changes.iter().map(|change| (change.mode, change.added, change.removed)).collect();
    assert_eq!(modes, [(Mode::Drop, 0, 1), (Mode::Append, 1, 0), (Mode::Append, 1, 0), (Mode::Drop, 0, 1)]);
    let names: Vec<String> =
        see_newest(store).layers.iter().map(|entry| entry.layer.id.to_string()).collect();
    assert_eq!(names, ["parcels", "wells"]);
}

pub(crate) fn a_restored_layer_has_the_numbers_it_is_given(store: &dyn Store) {
    three(store);
    let restore = |features: Vec<(i64, NewFeature)>| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), Mode::Restore).unwrap();
        let puts: Vec<Put> =
            features.into_iter().map(|(fid, feature)| change.put_at(fid, feature).unwrap()).collect();
        (change.commit().unwrap(), puts)
    };
    // 1 goes, 2 is as it was, 3 changes though its key is another's, 7 comes.
    let (revision, puts) =
        restore(vec![(2, parcel("b", 2, 1.0)), (3, parcel("a", 1, 1.0)), (7, parcel("c", 3, 1.0))]);
    assert_eq!(puts, [Put::Changed(2), Put::Changed(3), Put::Added(7)]);
    assert_eq!((revision.changes[0].mode, counts(&revision)), (Mode::Restore, [1, 1, 1, 0]));
    assert_eq!(areas(store), [named("b", 2, 1.0), named("a", 3, 1.0), named("c", 7, 1.0)]);
    // 1 comes back, and what is no feature of the layer is rejected here too.
    let mut point = parcel("p", 1, 1.0);
    point.geometry = Some(Point::new(106.0, 10.0).into());
    let (revision, puts) = restore(vec![(1, parcel("a", 1, 1.0)), (5, point), (7, parcel("c", 3, 1.0))]);
    assert!(matches!(puts[..], [Put::Added(1), Put::Rejected(_), Put::Changed(7)]), "{puts:?}");
    assert_eq!(counts(&revision), [1, 0, 2, 0]);
    assert_eq!(write(store, &parcels(), Mode::Append, vec![parcel("n", 1, 1.0)]).1, [Put::Added(8)]);
    // Numbers grow: the same one twice would be two features.
    for (first, second) in [(5, 5), (5, 4), (0, 1), (-3, 1)] {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), Mode::Restore).unwrap();
        let outcome = change
            .put_at(first, parcel("a", 1, 1.0))
            .and_then(|_| change.put_at(second, parcel("a", 1, 1.0)));
        assert!(outcome.is_err() || matches!(outcome, Ok(Put::Rejected(_))), "{first} {second}");
    }
    // A layer that is not there, and one with other fields.
    let mut other = parcels();
    other.fields.truncate(1);
    for name in ["new_one", "parcels"] {
        other.id = id(name);
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&other, Mode::Restore).unwrap();
        change.put_at(7, NewFeature { geometry: None, values: vec![Value::Text("x".to_owned())] }).unwrap();
        let revision = change.commit().unwrap();
        let expected = if name == "parcels" { [0, 1, 2, 0] } else { [1, 0, 0, 0] };
        assert_eq!(counts(&revision), expected, "{name}");
        assert_eq!(read(store, name)[0].fid, 7);
    }
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&other, Mode::Append).unwrap();
    let puts = put_all(change.as_mut(), vec![NewFeature { geometry: None, values: vec![Value::Null] }]);
    assert_eq!(puts, [Put::Added(9)]);
}
