//! Edits made straight in the tables, as QGIS and psql make them: each transaction is a revision, and comes
//! to the same as the same edit by the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../databases/mod.rs"]
mod databases;
#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "../conformance/parts.rs"]
mod parts;
mod readers;
#[allow(dead_code, reason = "the suite's ways to look")]
#[path = "../conformance/seen.rs"]
mod seen;

use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Change, Edit, Postgis, Put, Severity, Store};
use databases::{Database, Session};
use parts::{areas, counts, id, parcel, parcels, write};
use seen::{changes, see, see_newest, the_past_is_as_it_was};

/// Three parcels in revision 1.
fn three(database: &Database) -> (Postgis, Session) {
    let store = database.store();
    let features = ["a", "b", "c"].iter().zip(1..).map(|(key, at)| parcel(key, at, 1.0)).collect();
    write(&store, &parcels(), Mode::Replace, features);
    (store, database.session())
}

fn nothing_is_wrong(store: &dyn Store) {
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}

/// added, changed, removed of the newest revision.
fn newest(store: &Postgis) -> (u64, [u64; 3]) {
    let revision = store.log(1).unwrap().remove(0);
    let [added, changed, removed, _] = counts(&revision);
    (revision.number, [added, changed, removed])
}

fn named(name: &str, fid: i64, area: f64) -> (String, i64, f64) {
    (name.to_owned(), fid, area)
}

#[test]
fn an_edit_by_psql_is_a_revision() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = three(&database);
    psql.run("INSERT INTO city.parcels (ma, dien_tich) VALUES ('d', 4), ('e', 5)").unwrap();
    assert_eq!(newest(&store), (2, [2, 0, 0]));
    psql.run("UPDATE city.parcels SET dien_tich = dien_tich + 1 WHERE fid < 3").unwrap();
    assert_eq!(newest(&store), (3, [0, 2, 0]));
    psql.run("DELETE FROM city.parcels WHERE ma = 'c'").unwrap();
    assert_eq!(newest(&store), (4, [0, 0, 1]));
    assert_eq!(
        areas(&store),
        [named("a", 1, 2.0), named("b", 2, 2.0), named("d", 4, 4.0), named("e", 5, 5.0)]
    );
    let revision = store.log(1).unwrap().remove(0);
    assert_eq!(revision.meta.message, "edited in the database (QGIS)");
    assert_eq!(revision.meta.author, psql.ask("SELECT session_user")[0]);
    assert_eq!((revision.changes.len(), revision.changes[0].mode), (1, Mode::Edit));
    // What was is there still.
    let view = store.view().unwrap();
    let told: Vec<i64> = changes(view.as_ref(), "parcels", 1).iter().map(|change| change.fid).collect();
    assert_eq!(told, [1, 2, 3, 4, 5]);
    assert_eq!(store.view_at(3).unwrap().layers().unwrap()[0].count, 5);
    // The program's own numbers go on behind.
    let (_, puts) = write(&store, &parcels(), Mode::Append, vec![parcel("f", 6, 6.0)]);
    assert_eq!(puts, [Put::Added(6)]);
    psql.run("INSERT INTO city.parcels (ma) VALUES ('g')").unwrap();
    assert_eq!(psql.ask("SELECT fid FROM city.parcels WHERE ma = 'g'"), ["7"]);
    drop(view);
    nothing_is_wrong(&store);
}

/// Runs edits by the program in one database and by psql in another; both must hold the same tables
/// afterwards.
fn comes_to_the_same(edits: Vec<Edit>, sql: &str) {
    let (Some(one), Some(other)) = (Database::new(), Database::new()) else { return };
    let (by_program, mut first) = three(&one);
    let mut change = by_program.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    for edit in edits {
        assert!(!matches!(change.edit(edit).unwrap(), Put::Rejected(_)));
    }
    change.commit().unwrap();
    let (by_psql, mut second) = three(&other);
    second.run(sql).unwrap();
    for what in [
        "SELECT t FROM city.parcels t ORDER BY fid",
        "SELECT t FROM history.\"parcels~1\" t ORDER BY revision, fid",
        "SELECT t FROM citymap.added t ORDER BY t",
        "SELECT t FROM citymap.change t ORDER BY t",
        "SELECT t FROM citymap.layer t",
        "SELECT t FROM citymap.layer_version t",
        "SELECT t FROM citymap.numbering t",
        "SELECT (number, source, open) FROM citymap.revision ORDER BY number",
    ] {
        assert_eq!(first.ask(what), second.ask(what), "{sql}: {what}");
    }
    assert_eq!(see_newest(&by_program), see_newest(&by_psql));
    nothing_is_wrong(&by_psql);
}

#[test]
fn an_edit_by_psql_comes_to_the_same_as_by_the_program() {
    let Some(citymap_model::Geometry::Polygon(polygon)) = parcel("d", 4, 4.0).geometry else { panic!() };
    let corners: Vec<String> =
        polygon.exterior().0.iter().map(|corner| format!("{:?} {:?}", corner.x, corner.y)).collect();
    let d = format!("ST_GeomFromText('POLYGON(({}))', 4326)", corners.join(", "));
    comes_to_the_same(
        vec![Edit::Insert(None, parcel("d", 4, 4.0))],
        &format!("INSERT INTO city.parcels (geom, ma, dien_tich) VALUES ({d}, 'd', 4)"),
    );
    comes_to_the_same(
        vec![Edit::Update(2, parcel("b", 2, 9.0)), Edit::Delete(3)],
        "BEGIN; UPDATE city.parcels SET dien_tich = 9 WHERE fid = 2; DELETE FROM city.parcels WHERE fid = \
         3; COMMIT",
    );
    // Changed and back, removed and back, come and gone.
    comes_to_the_same(
        vec![
            Edit::Update(1, parcel("a", 1, 7.0)),
            Edit::Update(2, parcel("b", 2, 9.0)),
            Edit::Update(2, parcel("b", 2, 1.0)),
            Edit::Insert(None, parcel("d", 4, 4.0)),
            Edit::Delete(4),
        ],
        &format!(
            "BEGIN; UPDATE city.parcels SET dien_tich = 7 WHERE fid = 1; UPDATE city.parcels SET dien_tich = \
             9 WHERE fid = 2; UPDATE city.parcels SET dien_tich = 1 WHERE fid = 2; INSERT INTO city.parcels \
             (geom, ma, dien_tich) VALUES ({d}, 'd', 4); DELETE FROM city.parcels WHERE ma = 'd'; COMMIT"
        ),
    );
}

#[test]
fn a_transaction_is_one_revision_and_a_rolled_back_one_is_none() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = three(&database);
    let bare = Layer::new(id("bare"), Title::same("Bare"), Role::Other, GeometryKind::None);
    write(&store, &bare, Mode::Append, vec![]);
    psql.run(
        "BEGIN; INSERT INTO city.bare DEFAULT VALUES; UPDATE city.parcels SET ma = 'x' WHERE fid = 1; \
         SAVEPOINT s; DELETE FROM city.parcels; ROLLBACK TO s; INSERT INTO city.bare DEFAULT VALUES; COMMIT",
    )
    .unwrap();
    let revision = store.log(1).unwrap().remove(0);
    let told: Vec<_> = revision
        .changes
        .iter()
        .map(|change| (change.layer.as_str(), change.added, change.changed, change.removed))
        .collect();
    assert_eq!((revision.number, told), (3, vec![("bare", 2, 0, 0), ("parcels", 0, 1, 0)]));
    psql.run("BEGIN; DELETE FROM city.parcels; ROLLBACK").unwrap();
    // Everything within a savepoint that is rolled back.
    psql.run("BEGIN; SAVEPOINT s; DELETE FROM city.parcels; ROLLBACK TO s; COMMIT").unwrap();
    // What comes to nothing is no revision, and takes no number.
    psql.run("UPDATE city.parcels SET ma = ma").unwrap();
    psql.run("UPDATE city.parcels SET ma = 'y' WHERE false").unwrap();
    psql.run(
        "BEGIN; DELETE FROM city.parcels; INSERT INTO city.bare DEFAULT VALUES; DELETE FROM city.bare \
        WHERE fid > 2; ROLLBACK",
    )
    .unwrap();
    psql.run("BEGIN; INSERT INTO city.bare DEFAULT VALUES; DELETE FROM city.bare WHERE fid > 2; COMMIT")
        .unwrap();
    assert_eq!(store.revision().unwrap(), 3);
    assert_eq!(write(&store, &bare, Mode::Append, vec![]).0.number, 4);
    nothing_is_wrong(&store);
}

#[test]
fn truncate_copy_and_renumbering_are_edits_too() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = three(&database);
    let mut seen = vec![see(store.view_at(0).unwrap().as_ref()), see_newest(&store)];
    psql.copy_in("COPY city.parcels (ma, dien_tich) FROM STDIN", "d\t4\ne\t5\nf\t6\n").unwrap();
    assert_eq!(newest(&store), (2, [3, 0, 0]));
    seen.push(see_newest(&store));
    // Another number is another feature.
    psql.run("UPDATE city.parcels SET fid = 40 WHERE fid = 4").unwrap();
    assert_eq!(newest(&store), (3, [1, 0, 1]));
    seen.push(see_newest(&store));
    psql.run("TRUNCATE city.parcels").unwrap();
    assert_eq!(newest(&store), (4, [0, 0, 6]));
    seen.push(see_newest(&store));
    psql.run("TRUNCATE city.parcels").unwrap();
    psql.run("INSERT INTO city.parcels (fid, ma) VALUES (2, 'again')").unwrap();
    seen.push(see_newest(&store));
    psql.run(
        "INSERT INTO city.parcels (fid, ma) VALUES (2, 'u'), (41, 'v') ON CONFLICT (fid) DO UPDATE SET ma = \
         excluded.ma",
    )
    .unwrap();
    assert_eq!(newest(&store), (6, [1, 1, 0]));
    seen.push(see_newest(&store));
    psql.run("BEGIN; TRUNCATE city.parcels; INSERT INTO city.parcels (ma) VALUES ('w'); COMMIT").unwrap();
    assert_eq!(newest(&store), (7, [1, 0, 2]));
    assert_eq!(psql.ask("SELECT fid FROM city.parcels"), ["42"]);
    seen.push(see_newest(&store));
    the_past_is_as_it_was(&store, &seen);
    nothing_is_wrong(&store);
}

#[test]
fn one_waits_for_the_other_and_says_so() {
    let Some(database) = Database::new() else { return };
    let (store, mut one) = three(&database);
    let mut other = database.session();
    one.run("BEGIN; UPDATE city.parcels SET ma = 'x' WHERE fid = 1").unwrap();
    // The program's writer does not wait long in these tests; nobody who reads waits at all.
    assert!(matches!(store.begin(CommitMeta::default()), Err(citymap_store::StoreError::Busy { .. })));
    assert_eq!(areas(&store).len(), 3);
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| other.run("UPDATE city.parcels SET ma = 'y' WHERE fid = 2"));
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(!waiting.is_finished());
        one.run("COMMIT").unwrap();
        waiting.join().unwrap()
    });
    waiting.unwrap();
    assert_eq!(store.revision().unwrap(), 3);
    // And not for ever.
    let held = store.begin(CommitMeta::default()).unwrap();
    let error = other.run("DELETE FROM city.parcels").unwrap_err().to_string();
    assert!(error.contains("another import or edit"), "{error}");
    drop(held);
    other.run("DELETE FROM city.parcels WHERE fid = 3").unwrap();
    // A transaction that sees the city as it was cannot edit it as it is.
    one.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM city.parcels").unwrap();
    other.run("UPDATE city.parcels SET ma = 'z' WHERE fid = 2").unwrap();
    let error = one.run("INSERT INTO city.parcels (ma) VALUES ('late')").unwrap_err().to_string();
    assert!(error.contains("changed since"), "{error}");
    one.run("ROLLBACK").unwrap();
    assert_eq!(store.revision().unwrap(), 5);
    nothing_is_wrong(&store);
}

#[test]
fn what_is_no_feature_of_the_layer_is_refused() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    let mut layer = Layer::new(id("shapes"), Title::same("Shapes"), Role::Other, GeometryKind::Polygon);
    layer.fields = vec![Field::new("d", FieldType::Date), Field::new("t", FieldType::DateTime)];
    write(&store, &layer, Mode::Replace, vec![]);
    let mut psql = database.session();
    for bad in [
        "INSERT INTO city.shapes (geom) VALUES ('SRID=4326;POINT(1 2)')",
        "INSERT INTO city.shapes (geom) VALUES ('SRID=4326;POLYGON Z((0 0 1, 1 0 1, 0 1 1, 0 0 1))')",
        "INSERT INTO city.shapes (geom) VALUES ('SRID=3857;POLYGON((0 0, 1 0, 0 1, 0 0))')",
        "INSERT INTO city.shapes (geom) VALUES ('SRID=4326;CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 4 4, 0 4, \
         0 0))')",
        "INSERT INTO city.shapes (geom) SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY[ST_MakePoint(0, \
         0), ST_MakePoint('NaN', 0), ST_MakePoint(0, 1), ST_MakePoint(0, 0)])), 4326)",
        "INSERT INTO city.shapes (geom) SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY[ST_MakePoint(0, \
         0), ST_MakePoint('Infinity', 0), ST_MakePoint(0, 1), ST_MakePoint(0, 0)])), 4326)",
        "INSERT INTO city.shapes (fid) VALUES (0)",
        "INSERT INTO city.shapes (d) VALUES ('infinity')",
        "INSERT INTO city.shapes (d) VALUES ('20000-01-01')",
        "INSERT INTO city.shapes (t) VALUES ('-infinity')",
    ] {
        assert!(psql.run(bad).is_err(), "{bad}");
    }
    for good in [
        "INSERT INTO city.shapes (geom) VALUES ('SRID=4326;MULTIPOLYGON(((0 0, 1 0, 0 1, 0 0)))')",
        "INSERT INTO city.shapes (geom) VALUES ('SRID=4326;POLYGON EMPTY'), (NULL)",
        "INSERT INTO city.shapes (d, t) VALUES ('0001-01-01 BC', '2025-07-01T07:30:00.250+07')",
    ] {
        psql.run(good).unwrap();
    }
    assert_eq!(store.revision().unwrap(), 4);
    assert_eq!(see_newest(&store).features["shapes"].len(), 4);
    nothing_is_wrong(&store);
}

#[test]
fn a_geometry_column_is_narrow_and_widens() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    let mut psql = database.session();
    let mut stated = || {
        psql.ask(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute \
             WHERE attrelid = 'city.parcels'::regclass AND attname = 'geom'",
        )
        .remove(0)
    };
    let many = |feature: NewFeature| {
        let Some(citymap_model::Geometry::Polygon(polygon)) = feature.geometry else { panic!() };
        NewFeature { geometry: Some(geo_types::MultiPolygon(vec![polygon]).into()), ..feature }
    };
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
    assert_eq!(stated(), "geometry(Polygon,4326)");
    let mut seen = vec![see(store.view_at(0).unwrap().as_ref()), see_newest(&store)];
    let view = store.view().unwrap();
    write(
        &store,
        &parcels(),
        Mode::Append,
        vec![parcel("b", 2, 1.0), many(parcel("c", 3, 1.0)), parcel("d", 4, 1.0)],
    );
    assert_eq!(stated(), "geometry(Geometry,4326)");
    assert_eq!(see(view.as_ref()), seen[1], "who reads the former revision reads it still");
    seen.push(see_newest(&store));
    // As narrow as may be again, and widened by the other ways of writing.
    for mode in [Mode::Upsert, Mode::Edit] {
        write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0)]);
        assert_eq!(stated(), "geometry(Polygon,4326)");
        seen.push(see_newest(&store));
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&parcels(), mode).unwrap();
        if mode == Mode::Upsert {
            change.put(many(parcel("a", 1, 1.0))).unwrap();
        } else {
            change.edit(Edit::Update(1, many(parcel("a", 1, 1.0)))).unwrap();
        }
        assert_eq!(counts(&change.commit().unwrap())[1], 1);
        assert_eq!(stated(), "geometry(Geometry,4326)");
        seen.push(see_newest(&store));
    }
    // The other kind comes late, when most is on its way already.
    let late = (0..20_000).map(|at| parcel(&at.to_string(), at, 1.0)).chain([many(parcel("m", 1, 1.0))]);
    write(&store, &parcels(), Mode::Replace, late.collect());
    assert_eq!(stated(), "geometry(Geometry,4326)");
    seen.push(see_newest(&store));
    the_past_is_as_it_was(&store, &seen);
    nothing_is_wrong(&store);
}

#[test]
fn long_names_of_layers_and_fields_fit() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    let mut seen = vec![see_newest(&store)];
    for end in ["a", "b"] {
        let name = format!("{}{end}", "x".repeat(62));
        let mut layer = Layer::new(id(&name), Title::same("X"), Role::Other, GeometryKind::Point);
        let long = "Tên trường rất dài mà không cơ sở dữ liệu nào giữ được trọn vẹn cả, nhất là";
        layer.fields = ["1", "2", "3"].map(|end| Field::new(format!("{long}{end}"), FieldType::Text)).into();
        layer.key = Some(layer.fields[1].name.clone());
        for text in ["k", "l"] {
            let values = vec![Value::Null, Value::Text("key".to_owned()), Value::Text(text.to_owned())];
            let feature = NewFeature { geometry: Some(geo_types::Point::new(106.0, 10.0).into()), values };
            let (_, puts) = write(&store, &layer, Mode::Replace, vec![feature]);
            assert!(matches!(puts[0], Put::Added(1) | Put::Changed(1)));
            seen.push(see_newest(&store));
        }
        database.session().run(&format!("DELETE FROM city.{name}")).unwrap();
        seen.push(see_newest(&store));
    }
    the_past_is_as_it_was(&store, &seen);
    nothing_is_wrong(&store);
}

#[test]
fn a_writer_may_edit_rows_and_nothing_else() {
    let Some(database) = Database::new() else { return };
    let (store, mut admin) = three(&database);
    let name = format!("an_{}", std::process::id());
    admin.run(&format!("CREATE ROLE {name} LOGIN IN ROLE citymap_writer")).unwrap();
    let user = database.address().replacen("postgres@", &format!("{name}@"), 1);
    let outcome = std::panic::catch_unwind(|| {
        let mut an = Session::open(&user).unwrap();
        an.run("INSERT INTO city.parcels (ma) VALUES ('n'); UPDATE city.parcels SET ma = 'm' WHERE fid = 1")
            .unwrap();
        for forbidden in [
            "INSERT INTO citymap.revision (number, time, author, message) VALUES (99, now(), '', '')",
            "UPDATE citymap.layer SET count = 0",
            "DELETE FROM history.\"parcels~1\"",
            "INSERT INTO history.\"parcels~1\" (revision, fid) VALUES (1, 1)",
            "DELETE FROM citymap.added",
            "SELECT * FROM citymap.document",
            "SELECT citymap.settle('parcels', 1)",
            "SELECT citymap.open_revision()",
            "ALTER TABLE city.parcels DISABLE TRIGGER ALL",
            "DROP TABLE city.parcels",
            "CREATE TABLE city.mine (a int)",
        ] {
            let error = an.run(forbidden).unwrap_err().to_string();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{forbidden}: {error}"
            );
        }
        assert_eq!(an.ask("SELECT count(*) FROM history.\"parcels~1\""), ["1"]);
    });
    let author = store.log(1).unwrap().remove(0).meta.author;
    let told = newest(&store);
    // The rights stay when an import swaps the table.
    write(&store, &parcels(), Mode::Replace, vec![parcel("z", 1, 1.0)]);
    let after = Session::open(&user).and_then(|mut an| an.run("DELETE FROM city.parcels"));
    admin.run(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).unwrap();
    outcome.unwrap();
    after.unwrap();
    assert_eq!((author, told), (name, (2, [1, 1, 0])));
    nothing_is_wrong(&store);
}

#[test]
fn a_view_of_another_program_is_not_broken_by_an_import() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = three(&database);
    psql.run("CREATE VIEW public.shown AS SELECT fid, ma FROM city.parcels").unwrap();
    // The same fields: the rows change in place.
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 2.0), parcel("z", 2, 1.0)]);
    assert_eq!(psql.ask("SELECT ma FROM public.shown ORDER BY fid"), ["a", "z"]);
    // Others: it is said what stands in the way.
    let mut fewer = parcels();
    fewer.fields.truncate(1);
    let mut change = store.begin(CommitMeta::default()).unwrap();
    let told = change
        .layer(&fewer, Mode::Replace)
        .and_then(|()| change.commit().map(|_| ()))
        .unwrap_err()
        .to_string();
    assert!(told.contains("shown") && told.contains("drop"), "{told}");
    assert_eq!(areas(&store), [named("a", 1, 2.0), named("z", 4, 1.0)]);
    nothing_is_wrong(&store);
}

#[test]
fn the_tables_tell_what_they_are() {
    let Some(database) = Database::new() else { return };
    let (_store, mut psql) = three(&database);
    assert_eq!(psql.ask("SELECT obj_description('city.parcels'::regclass)"), ["Thửa đất – Parcels"]);
    assert_eq!(
        psql.ask(
            "SELECT coalesce(col_description(attrelid, attnum), attname || ' ' || format_type(atttypid, \
             atttypmod)) FROM pg_attribute WHERE attrelid = 'city.parcels'::regclass AND attnum > 0 ORDER BY \
             attnum"
        ),
        ["fid bigint", "geom geometry(Polygon,4326)", "Mã – Key", "Diện tích – Area"]
    );
    // VN-2000, easting and northing in metres, to the millimetre that its own tests hold it to.
    let place =
        psql.ask("SELECT round(ST_XMin(geom)::numeric) FROM city_vn2000.parcels WHERE fid = 1").remove(0);
    assert!((500_000..600_000).contains(&place.parse::<i64>().unwrap()), "{place}");
    assert_eq!(psql.ask("SELECT DISTINCT ST_SRID(geom) FROM city_vn2000.parcels"), ["9210"]);
}

#[test]
fn many_edits_at_once_are_fast_and_right() {
    let Some(database) = Database::new() else { return };
    let store = database.store();
    let all = |area: f64| (0..50_000u32).map(move |at| parcel(&at.to_string(), at, area));
    write(&store, &parcels(), Mode::Replace, all(1.0).collect());
    let mut change = store.begin(CommitMeta::default()).unwrap();
    change.layer(&parcels(), Mode::Edit).unwrap();
    for (fid, feature) in (1..).zip(all(2.0)) {
        let edit = if fid % 5 == 0 { Edit::Delete(fid) } else { Edit::Update(fid, feature) };
        change.edit(edit).unwrap();
    }
    for feature in all(3.0).take(30_000) {
        change.edit(Edit::Insert(None, feature)).unwrap();
    }
    assert_eq!(counts(&change.commit().unwrap()), [30_000, 40_000, 10_000, 0]);
    let view = store.view().unwrap();
    let told = changes(view.as_ref(), "parcels", 1);
    assert_eq!(told.len(), 80_000);
    assert!(matches!(&told[4], Change { fid: 5, before: Some(_), after: None }));
    drop(view);
    nothing_is_wrong(&store);
}
