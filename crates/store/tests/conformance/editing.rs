//! What an edit does, and what it cannot do.

use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Revision, Role, Title, Value,
};
use citymap_store::{Edit, Put, Store, StoreError};
use geo_types::Point;

use super::{
    parts::{areas, counts, id, parcel, parcels, read, square, write},
    seen::see_newest,
};

fn named(name: &str, fid: i64, area: f64) -> (String, i64, f64) {
    (name.to_owned(), fid, area)
}

/// Three parcels: a, b, c with the numbers 1, 2, 3.
pub(super) fn three(store: &dyn Store) {
    let features = ["a", "b", "c"].iter().zip(1..).map(|(key, at)| parcel(key, at, 1.0));
    write(store, &parcels(), Mode::Replace, features.collect());
}

/// Edits parcels in one turn and commits.
pub(crate) fn edit(store: &dyn Store, edits: Vec<Edit>) -> (Revision, Vec<Put>) {
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    let puts = edits.into_iter().map(|edit| change.edit(edit).unwrap()).collect();
    (change.commit().unwrap(), puts)
}

fn is_rejected(put: &Put, words: &[&str]) {
    let Put::Rejected(reason) = put else { panic!("{put:?}") };
    let reason = reason.to_string();
    assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
}

pub(crate) fn an_edit_adds_changes_and_removes(store: &dyn Store) {
    three(store);
    let (revision, puts) = edit(
        store,
        vec![
            Edit::Insert(None, parcel("d", 4, 4.0)),
            Edit::Update(2, parcel("b", 20, 2.0)),
            Edit::Delete(1),
            Edit::Insert(None, parcel("", 5, 5.0)),
        ],
    );
    assert_eq!(puts, [Put::Added(4), Put::Changed(2), Put::Removed(1), Put::Added(5)]);
    assert_eq!((revision.number, counts(&revision)), (2, [2, 1, 1, 0]));
    assert_eq!((revision.changes.len(), revision.changes[0].mode), (1, Mode::Edit));
    assert_eq!(areas(store), [named("b", 2, 2.0), named("c", 3, 1.0), named("d", 4, 4.0), named("", 5, 5.0)]);
    assert_eq!(read(store, "parcels")[0].geometry, Some(square(20)));
    assert_eq!(store.log(1).unwrap(), [revision]);
    // The place in the index follows, also to nowhere and back.
    let mut nowhere = parcel("c", 0, 1.0);
    nowhere.geometry = None;
    edit(store, vec![Edit::Update(3, nowhere.clone())]);
    assert_eq!(read(store, "parcels")[1].geometry, None);
    super::nothing_is_wrong(store);
    edit(store, vec![Edit::Update(3, parcel("c", 9_999, 1.0)), Edit::Insert(None, nowhere)]);
    super::nothing_is_wrong(store);
    // What is the same is no change.
    let (revision, puts) = edit(store, vec![Edit::Update(3, parcel("c", 9_999, 1.0))]);
    assert_eq!((puts, counts(&revision)), (vec![Put::Changed(3)], [0, 0, 0, 0]));
    assert_eq!(
        store.view().unwrap().layers().unwrap()[0].revision,
        5,
        "an empty turn is a touch all the same"
    );
}

pub(crate) fn an_edit_of_every_kind_of_layer(store: &dyn Store) {
    let point = |x: f64| Some(Point::new(x, 10.0).into());
    for (kind, geometry) in [
        (GeometryKind::Point, point(106.0)),
        (GeometryKind::Mixed, Some(square(3))),
        (GeometryKind::None, None),
    ] {
        for fields in
            [vec![], vec![Field::new("fid", FieldType::Int), Field::new("revision", FieldType::Text)]]
        {
            let name = format!("l_{}_{}", format!("{kind:?}").to_lowercase(), fields.len());
            let mut layer = Layer::new(id(&name), Title::same("X"), Role::Other, kind);
            let values = |text: &str| match fields.len() {
                0 => vec![],
                _ => vec![Value::Int(7), Value::Text(text.to_owned())],
            };
            layer.fields = fields.clone();
            let feature = |text: &str| NewFeature { geometry: geometry.clone(), values: values(text) };
            write(store, &layer, Mode::Append, vec![feature("1"), feature("2")]);
            let mut change = store.begin(CommitMeta::default()).unwrap();
            change.layer(&layer, Mode::Edit).unwrap();
            assert_eq!(change.edit(Edit::Update(1, feature("3"))).unwrap(), Put::Changed(1));
            assert_eq!(change.edit(Edit::Delete(2)).unwrap(), Put::Removed(2));
            assert_eq!(change.edit(Edit::Insert(None, feature("4"))).unwrap(), Put::Added(3));
            let revision = change.commit().unwrap();
            let changed = u64::from(!fields.is_empty());
            assert_eq!(counts(&revision), [1, changed, 1, 0]);
            let back: Vec<_> = read(store, &name)
                .into_iter()
                .map(|feature| (feature.fid, feature.geometry, feature.values))
                .collect();
            assert_eq!(back, [(1, geometry.clone(), values("3")), (3, geometry.clone(), values("4"))]);
        }
    }
}

pub(crate) fn edits_are_seen_by_those_after_them(store: &dyn Store) {
    three(store);
    let wells = Layer::new(id("wells"), Title::same("Wells"), Role::Utility, GeometryKind::Point);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    assert_eq!(change.number(), 2);
    assert_eq!(change.definition(&wells.id).unwrap(), None);
    assert_eq!(change.definition(&parcels().id).unwrap(), Some(parcels()));
    assert_eq!(change.feature(&parcels().id, 1).unwrap().unwrap().values[1], Value::Real(1.0));
    assert_eq!(change.feature(&parcels().id, 4).unwrap(), None);
    let mut titled = parcels();
    titled.title = Title::same("Other");
    change.layer(&titled, Mode::Edit).unwrap();
    assert_eq!(change.definition(&parcels().id).unwrap(), Some(titled.clone()));
    change.edit(Edit::Update(1, parcel("a", 1, 2.0))).unwrap();
    assert_eq!(change.feature(&parcels().id, 1).unwrap().unwrap().values[1], Value::Real(2.0));
    change.edit(Edit::Delete(1)).unwrap();
    assert_eq!(change.feature(&parcels().id, 1).unwrap(), None);
    is_rejected(&change.edit(Edit::Update(1, parcel("a", 1, 3.0))).unwrap(), &["1"]);
    is_rejected(&change.edit(Edit::Delete(1)).unwrap(), &["1"]);
    assert_eq!(change.edit(Edit::Insert(None, parcel("d", 1, 4.0))).unwrap(), Put::Added(4));
    assert_eq!(change.edit(Edit::Update(4, parcel("d", 1, 5.0))).unwrap(), Put::Changed(4));
    // Another layer between, and back: what was done before is still there.
    change.layer(&wells, Mode::Append).unwrap();
    assert_eq!(change.put(NewFeature { geometry: None, values: vec![] }).unwrap(), Put::Added(1));
    assert!(change.feature(&wells.id, 1).unwrap().is_some(), "what was put is seen too");
    assert_eq!(change.feature(&parcels().id, 4).unwrap().unwrap().values[1], Value::Real(5.0));
    change.layer(&titled, Mode::Edit).unwrap();
    assert_eq!(change.edit(Edit::Delete(4)).unwrap(), Put::Removed(4));
    assert_eq!(change.edit(Edit::Insert(None, parcel("e", 1, 6.0))).unwrap(), Put::Added(5));
    change.layer(&parcels(), Mode::Upsert).unwrap();
    assert_eq!(change.put(parcel("e", 1, 7.0)).unwrap(), Put::Changed(5));
    let revision = change.commit().unwrap();
    let told: Vec<_> = revision.changes.iter().map(|one| (one.added, one.changed, one.removed)).collect();
    assert_eq!(told, [(1, 0, 1), (1, 0, 0), (1, 0, 1), (0, 1, 0)]);
    assert_eq!(areas(store), [named("b", 2, 1.0), named("c", 3, 1.0), named("e", 5, 7.0)]);
    assert_eq!(store.view().unwrap().layers().unwrap()[0].layer, titled);
}

pub(crate) fn edits_of_one_turn_count_by_what_they_come_to(store: &dyn Store) {
    three(store);
    let (revision, _) = edit(
        store,
        vec![
            // Changed twice, changed and back, changed and removed, removed and back as it was, come and
            // gone.
            Edit::Update(1, parcel("a", 1, 2.0)),
            Edit::Update(1, parcel("a", 1, 3.0)),
            Edit::Update(2, parcel("b", 2, 9.0)),
            Edit::Update(2, parcel("b", 2, 1.0)),
            Edit::Insert(None, parcel("d", 4, 1.0)),
            Edit::Delete(4),
            Edit::Delete(3),
            Edit::Insert(Some(3), parcel("c", 3, 1.0)),
        ],
    );
    assert_eq!(counts(&revision), [0, 1, 0, 0]);
    let view = store.view().unwrap();
    let changed: Vec<i64> =
        super::seen::changes(view.as_ref(), "parcels", 1).iter().map(|change| change.fid).collect();
    assert_eq!(changed, [1]);
    drop(view);
    let (revision, puts) = edit(store, vec![Edit::Insert(None, parcel("e", 5, 1.0))]);
    assert_eq!((counts(&revision), puts), ([1, 0, 0, 0], vec![Put::Added(5)]), "4 was given");
}

pub(crate) fn what_an_edit_cannot_do_is_rejected(store: &dyn Store) {
    three(store);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    let mut wrong_kind = parcel("x", 1, 1.0);
    wrong_kind.geometry = Some(Point::new(106.0, 10.0).into());
    let mut endless = parcel("x", 1, 1.0);
    let ring = vec![(106.0, 10.0), (f64::INFINITY, 10.0), (107.0, 11.0), (106.0, 10.0)];
    endless.geometry = Some(geo_types::Polygon::new(ring.into(), vec![]).into());
    for feature in [wrong_kind, endless] {
        for edit in [
            Edit::Insert(None, feature.clone()),
            Edit::Insert(Some(70), feature.clone()),
            Edit::Update(1, feature),
        ] {
            is_rejected(&change.edit(edit).unwrap(), &[]);
        }
    }
    is_rejected(&change.edit(Edit::Update(4, parcel("d", 1, 1.0))).unwrap(), &["4"]);
    is_rejected(&change.edit(Edit::Delete(-7)).unwrap(), &["-7"]);
    is_rejected(&change.edit(Edit::Insert(Some(2), parcel("d", 1, 1.0))).unwrap(), &["2"]);
    is_rejected(&change.edit(Edit::Insert(Some(0), parcel("d", 1, 1.0))).unwrap(), &["0"]);
    is_rejected(&change.edit(Edit::Insert(Some(-1), parcel("d", 1, 1.0))).unwrap(), &["-1"]);
    assert_eq!(
        change.edit(Edit::Insert(None, parcel("d", 1, 1.0))).unwrap(),
        Put::Added(4),
        "the rest goes on"
    );
    change.rejected(3).unwrap();
    assert_eq!(counts(&change.commit().unwrap()), [1, 0, 0, 3]);
    assert_eq!(areas(store).len(), 4);
}

pub(crate) fn a_removed_feature_comes_back_with_its_number(store: &dyn Store) {
    three(store);
    edit(store, vec![Edit::Delete(3), Edit::Delete(1)]);
    let (_, puts) = edit(store, vec![Edit::Insert(None, parcel("x", 7, 7.0))]);
    assert_eq!(puts, [Put::Added(4)], "3 is not given to another feature");
    let (revision, puts) = edit(store, vec![Edit::Insert(Some(3), parcel("c", 3, 1.0))]);
    assert_eq!((puts, counts(&revision)), (vec![Put::Added(3)], [1, 0, 0, 0]));
    // A number above all that were given: those between stay free, those after it go on.
    let (_, puts) = edit(
        store,
        vec![Edit::Insert(Some(100), parcel("y", 8, 8.0)), Edit::Insert(None, parcel("z", 9, 9.0))],
    );
    assert_eq!(puts, [Put::Added(100), Put::Added(101)]);
    edit(store, vec![Edit::Delete(101)]);
    let (_, puts) = write(store, &parcels(), Mode::Append, vec![parcel("n", 1, 1.0)]);
    assert_eq!(puts, [Put::Added(102)]);
    let fids: Vec<i64> = areas(store).iter().map(|(_, fid, _)| *fid).collect();
    assert_eq!(fids, [2, 3, 4, 100, 102]);
}

pub(crate) fn an_edit_leaves_the_fields_as_they_are(store: &dyn Store) {
    let error = store.begin(CommitMeta::default()).unwrap().layer(&parcels(), Mode::Edit).unwrap_err();
    assert!(matches!(error, StoreError::NoLayer(_)), "{error}");
    three(store);
    let mut fewer = parcels();
    fewer.fields.truncate(1);
    let mut more = parcels();
    more.fields.push(Field::new("chu", FieldType::Text));
    let mut retyped = parcels();
    retyped.fields[1].field_type = FieldType::Int;
    let mut renamed = parcels();
    renamed.fields[1].name = "area".to_owned();
    let mut lines = parcels();
    lines.geometry = GeometryKind::Line;
    for layer in [fewer, more, retyped, renamed, lines] {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        let error = change.layer(&layer, Mode::Edit).unwrap_err();
        assert!(matches!(error, StoreError::Schema { .. }), "{error}");
        assert!(change.commit().is_err());
    }
    // The rest of the definition becomes the new one's, the key too.
    let mut other = parcels();
    other.title = Title::new("Khác", "Other");
    other.role = Role::Other;
    other.fields[1] = other.fields[1].clone().titled("Rộng", "Wide");
    other.key = None;
    other.label = Some("ma".to_owned());
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&other, Mode::Edit).unwrap();
    assert_eq!(counts(&change.commit().unwrap()), [0, 0, 0, 0]);
    assert_eq!(store.view().unwrap().layers().unwrap()[0].layer, other);
    super::nothing_is_wrong(store);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    change.commit().unwrap();
    assert_eq!(write(store, &parcels(), Mode::Upsert, vec![parcel("b", 5, 5.0)]).1, [Put::Changed(2)]);
    assert_eq!(store.view_at(2).unwrap().layers().unwrap()[0].layer, other);
    assert_eq!(store.view_at(3).unwrap().layers().unwrap()[0].layer, parcels());
}

pub(crate) fn an_aborted_edit_leaves_no_trace(store: &dyn Store) {
    three(store);
    let before = see_newest(store);
    let edits = || {
        vec![
            Edit::Delete(1),
            Edit::Update(2, parcel("b", 30, 3.0)),
            Edit::Insert(None, parcel("d", 1, 1.0)),
            Edit::Insert(Some(50), parcel("e", 1, 1.0)),
        ]
    };
    for fails in [false, true] {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        let mut titled = parcels();
        titled.title = Title::same("Other");
        change.layer(&titled, Mode::Edit).unwrap();
        for edit in edits() {
            change.edit(edit).unwrap();
        }
        if fails {
            let wrong = NewFeature { geometry: None, values: vec![] };
            assert!(matches!(change.edit(Edit::Update(3, wrong)), Err(StoreError::Schema { .. })));
            assert!(change.commit().is_err());
        } else {
            change.layer(&titled, Mode::Drop).unwrap();
            drop(change);
        }
        assert_eq!(see_newest(store), before);
        assert!(store.view().unwrap().changes(&id("parcels"), 1, &mut |change| panic!("{change:?}")).is_ok());
    }
    // The numbers were not given: nobody has seen them.
    assert_eq!(edit(store, vec![Edit::Insert(None, parcel("d", 1, 1.0))]).1, [Put::Added(4)]);
    // An edit where features are put, or the other way round, is a mistake that is told.
    for (mode, with_edit) in
        [(Mode::Append, true), (Mode::Edit, false), (Mode::Restore, true), (Mode::Restore, false)]
    {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), mode).unwrap();
        let refused = if with_edit {
            change.edit(Edit::Delete(1)).is_err()
        } else {
            change.put(parcel("a", 1, 1.0)).is_err()
        };
        assert!(refused, "{mode} {with_edit}");
    }
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Replace).unwrap();
    assert!(change.put_at(1, parcel("a", 1, 1.0)).is_err());
}
