//! What the city was: former revisions, and what differs between any two.

use citymap_model::{
    CommitMeta, Domain, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
    codes::Code,
};
use citymap_store::{Edit, Store, StoreError, Touched};

use super::{
    editing::edit,
    parts::{id, parcel, parcels, put_all, square, write},
    seen::{Seen, changes, differ_as_read, see, see_newest, the_past_is_as_it_was},
};

/// Parcels with a third field.
fn noted() -> Layer {
    let mut layer = parcels();
    layer.fields.push(Field::new("ghi_chu", FieldType::Text));
    layer
}

fn with_note(key: &str, at: u32, area: f64) -> NewFeature {
    let mut feature = parcel(key, at, area);
    feature.values.push(Value::Text(format!("{key}?")));
    feature
}

/// One revision after the other in every mode; what each view showed when it was the newest.
fn a_life(store: &dyn Store) -> Vec<Seen> {
    let mut seen = vec![see_newest(store)];
    let mut step = |work: &dyn Fn(&dyn Store)| {
        work(store);
        seen.push(see_newest(store));
    };
    let many =
        |from: u32, to: u32, area: f64| (from..to).map(|at| parcel(&format!("k{at}"), at, area)).collect();
    step(&|store| drop(write(store, &parcels(), Mode::Replace, many(0, 40, 1.0))));
    step(&|store| drop(write(store, &parcels(), Mode::Append, many(40, 50, 1.0))));
    step(&|store| drop(write(store, &parcels(), Mode::Upsert, many(45, 55, 2.0))));
    step(&|store| {
        let gone = (1..=5).map(Edit::Delete);
        let changed = (6..=9).map(|fid| Edit::Update(fid, parcel("u", 90, 3.0)));
        let came = (0..3).map(|at| Edit::Insert(None, parcel("n", at, 4.0)));
        edit(store, gone.chain(changed).chain(came).collect());
    });
    step(&|store| drop(edit(store, vec![Edit::Insert(Some(2), parcel("k1", 1, 1.0)), Edit::Delete(56)])));
    step(&|store| drop(write(store, &parcels(), Mode::Replace, many(30, 70, 1.0))));
    let retitled = || {
        let mut layer = parcels();
        layer.title = Title::same("Renamed");
        let codes = ["1", "2"].map(|code| Code::new(code, Title::new(code, "text")));
        layer.fields[1].domain = Some(Domain::Codes(codes.into()));
        layer
    };
    step(&|store| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&retitled(), Mode::Edit).unwrap();
        change.commit().unwrap();
    });
    // Other fields, then those of before again: features keep their numbers by their keys.
    step(&|store| {
        let features = (35..45).map(|at| with_note(&format!("k{at}"), at, 1.0)).collect();
        write(store, &noted(), Mode::Replace, features);
    });
    step(&|store| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&noted(), Mode::Edit).unwrap();
        change.edit(Edit::Delete(37)).unwrap();
        change.edit(Edit::Update(38, with_note("x", 3, 3.0))).unwrap();
        change.commit().unwrap();
    });
    step(&|store| drop(write(store, &parcels(), Mode::Replace, many(36, 48, 1.0))));
    // Another layer, and a revision of none.
    let lines = Layer::new(id("wells"), Title::same("Wells"), Role::Utility, GeometryKind::None);
    step(&|store| {
        write(store, &lines, Mode::Append, vec![NewFeature { geometry: None, values: vec![] }]);
    });
    step(&|store| drop(store.begin(CommitMeta::default()).unwrap().commit().unwrap()));
    // Everything in one.
    step(&|store| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), Mode::Append).unwrap();
        put_all(change.as_mut(), many(80, 84, 1.0));
        change.layer(&parcels(), Mode::Upsert).unwrap();
        put_all(change.as_mut(), many(82, 86, 2.0));
        put_all(change.as_mut(), many(40, 42, 2.0));
        change.layer(&parcels(), Mode::Edit).unwrap();
        change.edit(Edit::Delete(41)).unwrap();
        change.layer(&parcels(), Mode::Replace).unwrap();
        put_all(change.as_mut(), many(38, 44, 5.0));
        change.layer(&noted(), Mode::Replace).unwrap();
        change.put(with_note("k39", 1, 1.0)).unwrap();
        change.layer(&parcels(), Mode::Replace).unwrap();
        put_all(change.as_mut(), many(38, 44, 6.0));
        change.layer(&lines, Mode::Drop).unwrap();
        change.commit().unwrap();
    });
    step(&|store| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), Mode::Drop).unwrap();
        change.commit().unwrap();
    });
    step(&|store| drop(write(store, &parcels(), Mode::Append, many(0, 3, 1.0))));
    // Back to the third revision, with its numbers.
    let third = seen[3].clone();
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Restore).unwrap();
    for feature in &third.features["parcels"] {
        let new = NewFeature { geometry: feature.geometry.clone(), values: feature.values.clone() };
        change.put_at(feature.fid, new).unwrap();
    }
    change.commit().unwrap();
    seen.push(see_newest(store));
    assert_eq!(seen.last().unwrap().features["parcels"], third.features["parcels"]);
    seen
}

pub(crate) fn former_revisions_are_as_they_were(store: &dyn Store) {
    let seen = a_life(store);
    for (then, number) in seen.iter().zip(0..) {
        assert_eq!(then.revision, number);
        assert_eq!(see(store.view_at(number).unwrap().as_ref()), *then, "revision {number}");
    }
}

pub(crate) fn changes_are_what_two_full_reads_differ_in(store: &dyn Store) {
    let seen = a_life(store);
    for (at, after) in seen.iter().enumerate() {
        for before in &seen[..=at] {
            differ_as_read(store, before, after);
        }
    }
    // What no revision between touched is known to be the same without a look.
    let view = store.view_at(13).unwrap();
    assert_eq!(view.touched(&id("wells"), 12).unwrap(), Touched::Whole, "dropped in 13");
    let view = store.view_at(12).unwrap();
    assert_eq!(view.touched(&id("wells"), 11).unwrap(), Touched::Features(0));
    assert_eq!(view.touched(&parcels().id, 10).unwrap(), Touched::Features(0));
    assert_eq!(view.touched(&parcels().id, 12).unwrap(), Touched::Features(0));
    let view = store.view_at(7).unwrap();
    assert_eq!(view.touched(&parcels().id, 6).unwrap(), Touched::Features(0), "another title only");
    let view = store.view_at(4).unwrap();
    assert_eq!(view.touched(&parcels().id, 3).unwrap(), Touched::Features(12));
}

pub(crate) fn a_revision_that_is_not_there_is_refused(store: &dyn Store) {
    assert_eq!(see(store.view_at(0).unwrap().as_ref()).layers, []);
    write(store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    let empty = store.view_at(0).unwrap();
    assert_eq!((empty.revision(), empty.layers().unwrap().len()), (0, 0));
    assert!(matches!(empty.read(&parcels().id, &mut |_| Ok(())), Err(StoreError::NoLayer(_))));
    for asked in [2, u64::MAX / 2] {
        let error = store.view_at(asked).err().unwrap();
        assert!(matches!(error, StoreError::NoRevision { newest: 1, .. }), "{error}");
    }
    let error = empty.changes(&parcels().id, 1, &mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, StoreError::NoRevision { .. }), "{error}");
    let view = store.view().unwrap();
    assert!(matches!(view.changes(&id("wells"), 0, &mut |_| Ok(())), Err(StoreError::NoLayer(_))));
    // The sink ends the reading here as well.
    let stop = &mut |_| Err(StoreError::Stopped("enough".to_owned()));
    assert!(matches!(view.changes(&parcels().id, 0, stop), Err(StoreError::Stopped(_))));
}

pub(crate) fn a_former_view_stays_while_others_write(store: &dyn Store) {
    let all = |area: f64| (0..3000).map(|at| parcel(&at.to_string(), at, area)).collect::<Vec<_>>();
    write(store, &parcels(), Mode::Replace, all(1.0));
    write(store, &parcels(), Mode::Replace, all(2.0));
    let (before, first) = (see_newest(store), see(store.view_at(1).unwrap().as_ref()));
    let view = store.view_at(1).unwrap();
    write(store, &parcels(), Mode::Replace, all(3.0)[..10].to_vec());
    edit(store, vec![Edit::Delete(1), Edit::Update(2, parcel("q", 1, 1.0))]);
    assert_eq!(see(view.as_ref()), first);
    drop(view);
    assert_eq!(see(store.view_at(1).unwrap().as_ref()), first);
    assert_eq!(see(store.view_at(2).unwrap().as_ref()), before);
    // Only what differs is handed over, ordered, with both sides.
    let view = store.view().unwrap();
    let told = changes(view.as_ref(), "parcels", 3);
    assert_eq!(told.iter().map(|change| change.fid).collect::<Vec<_>>(), [1, 2]);
    assert!(told[0].after.is_none() && told[1].after.as_ref().unwrap().geometry == Some(square(1)));
    assert_eq!(told[1].before.as_ref().unwrap().values[1], Value::Real(3.0));
    assert_eq!(view.touched(&parcels().id, 3).unwrap(), Touched::Features(2));
    assert_eq!(changes(view.as_ref(), "parcels", 1).len(), 3000);
}

/// A replace that changes little keeps little: what is the same is not in the way of those who follow.
pub(crate) fn a_replace_by_nearly_the_same_touches_little(store: &dyn Store) {
    let all = || (0..3000).map(|at| parcel(&at.to_string(), at, 1.0)).collect::<Vec<_>>();
    write(store, &parcels(), Mode::Replace, all());
    let mut other = all();
    other[7] = parcel("7", 8, 2.0);
    other.swap(100, 2000);
    other.truncate(2999);
    let (revision, _) = write(store, &parcels(), Mode::Replace, other);
    assert_eq!(super::parts::counts(&revision), [0, 1, 1, 0]);
    let view = store.view().unwrap();
    let told = changes(view.as_ref(), "parcels", 1);
    assert_eq!(told.iter().map(|change| change.fid).collect::<Vec<_>>(), [8, 3000]);
    assert_eq!(view.touched(&parcels().id, 1).unwrap(), Touched::Features(2));
    drop(view);
    write(store, &parcels(), Mode::Upsert, all()[..2000].to_vec());
    assert_eq!(store.view().unwrap().touched(&parcels().id, 2).unwrap(), Touched::Features(1));
}

/// A kind of geometry that widens begins anew, and what was stays readable; so does a value that spells
/// another way.
pub(crate) fn another_kind_of_geometry_keeps_the_past(store: &dyn Store) {
    let mut seen = vec![see_newest(store)];
    let mut mixed = parcels();
    mixed.geometry = GeometryKind::Mixed;
    let mut bare = parcels();
    bare.geometry = GeometryKind::None;
    for layer in [parcels(), mixed, bare, parcels()] {
        let features = ["a", "b", ""].iter().zip(1..).map(|(key, at)| {
            let mut feature = parcel(key, at, 1.0);
            if layer.geometry == GeometryKind::None {
                feature.geometry = None;
            } else if layer.geometry == GeometryKind::Mixed && at == 2 {
                feature.geometry = Some(geo_types::Point::new(106.0, 10.0).into());
            }
            feature
        });
        write(store, &layer, Mode::Replace, features.collect());
        seen.push(see_newest(store));
    }
    the_past_is_as_it_was(store, &seen);
}
