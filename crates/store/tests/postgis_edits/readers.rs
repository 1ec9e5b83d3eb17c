//! What readers may see of a layer with personal fields, and rows that no feature can hold.

use citymap_model::{
    CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Postgis, Severity, Store};

use crate::{
    databases::{Database, Session},
    newest, nothing_is_wrong,
    parts::{self, id, write},
    seen::{changes, see, see_newest},
};

/// A layer of mixed geometry with a public and a personal field, and a feature of each of these geometries.
fn owners(database: &Database, geometries: &[geo_types::Geometry]) -> (Postgis, Session) {
    let store = database.store();
    let mut layer = Layer::new(id("owners"), Title::same("O"), Role::Other, GeometryKind::Mixed);
    layer.fields = vec![Field::new("ma", FieldType::Text), Field::new("chu", FieldType::Text)];
    layer.fields[1].personal = true;
    let values = vec![Value::Text("a".to_owned()), Value::Text("Nguyễn Văn An".to_owned())];
    let feature =
        |shape: &geo_types::Geometry| NewFeature { geometry: Some(shape.clone()), values: values.clone() };
    write(&store, &layer, Mode::Replace, geometries.iter().map(feature).collect());
    (store, database.session())
}

fn point() -> geo_types::Geometry {
    geo_types::Point::new(106.0, 10.0).into()
}

fn line() -> geo_types::Geometry {
    geo_types::LineString::from(vec![(106.0, 10.0), (106.5, 10.5)]).into()
}

#[test]
fn geometry_that_no_feature_holds_is_refused() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = owners(&database, &[point(), line()]);
    let deep = format!("{}POINT(1 1){}", "GEOMETRYCOLLECTION(".repeat(70), ")".repeat(70));
    for (shape, told) in [
        ("GEOMETRYCOLLECTION(CIRCULARSTRING(106 10,106.5 10.5,107 10))", "no arcs"),
        ("GEOMETRYCOLLECTION(POINT(1 1),MULTICURVE((0 0,1 1)))", "no arcs"),
        ("GEOMETRYCOLLECTION(CURVEPOLYGON((0 0,1 1,1 0,0 0)))", "no arcs"),
        ("GEOMETRYCOLLECTION(TIN(((0 0,0 1,1 1,0 0))))", "no arcs"),
        ("GEOMETRYCOLLECTION(POLYHEDRALSURFACE(((0 0,0 1,1 1,0 0))))", "no arcs"),
        ("TRIANGLE((0 0,0 1,1 1,0 0))", "geometry_kind"),
        (deep.as_str(), "too deep"),
    ] {
        let edit = format!(
            "INSERT INTO city.owners (ma, geom) VALUES ('x', ST_SetSRID(ST_GeomFromText('{shape}'), 4326))"
        );
        let mut session = database.session();
        let error = session.run(&edit).unwrap_err().to_string();
        assert!(error.contains(told), "{shape}: {error}");
    }
    psql.run(
        "INSERT INTO city.owners (ma, geom) VALUES ('n', ST_SetSRID(ST_GeomFromText( \
         'GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 1)),LINESTRING(0 0,1 1))'), 4326))",
    )
    .unwrap();
    assert_eq!(newest(&store), (2, [1, 0, 0]));
    nothing_is_wrong(&store);
}

#[test]
fn a_row_that_cannot_be_read_stops_nothing() {
    let Some(database) = Database::new() else { return };
    let (store, mut psql) = owners(&database, &[point(), line()]);
    let mut seen = vec![see_newest(&store)];
    // Past the check, as only the owner can.
    psql.run("ALTER TABLE city.owners DISABLE TRIGGER citymap_update").unwrap();
    let arc =
        "ST_SetSRID(ST_GeomFromText('GEOMETRYCOLLECTION(CIRCULARSTRING(106 10,106.5 10.5,107 10))'), 4326)";
    psql.run(&format!("UPDATE city.owners SET geom = {arc} WHERE fid = 1")).unwrap();
    psql.run("ALTER TABLE city.owners ENABLE TRIGGER citymap_update").unwrap();
    // A revision that takes the row into the history, and one that mends it.
    psql.run("UPDATE city.owners SET ma = 'b', geom = ST_SetSRID(ST_MakePoint(106, 10), 4326) WHERE fid = 1")
        .unwrap();
    assert_eq!(newest(&store), (2, [0, 1, 0]));
    let former = see(store.view_at(1).unwrap().as_ref());
    seen.push(see_newest(&store));
    assert_ne!(format!("{former:?}"), format!("{:?}", seen[1]));
    assert_eq!(changes(store.view().unwrap().as_ref(), "owners", 1).len(), 1);
    let told = store.check().unwrap();
    let told = told.iter().find(|finding| finding.message.contains("former state ")).unwrap();
    assert!(told.severity == Severity::Warning && told.message.contains("feature 1"), "{}", told.message);
    // The feature as it is now cannot be read: it is shown without geometry, and not edited blindly.
    psql.run(&format!(
        "ALTER TABLE city.owners DISABLE TRIGGER citymap_update; UPDATE city.owners SET geom = {arc} WHERE \
         fid = 1"
    ))
    .unwrap();
    psql.run("ALTER TABLE city.owners ENABLE TRIGGER citymap_update").unwrap();
    let found = parts::read(&store, "owners");
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].geometry.is_none(), &found[0].values[0]), (true, &Value::Text("b".to_owned())));
    let mut change = store.begin(CommitMeta::default()).unwrap();
    let error = change.feature(&id("owners"), 1).unwrap_err().to_string();
    assert!(error.contains("feature 1: its geometry cannot be read"), "{error}");
    drop(change);
    let told = store.check().unwrap();
    assert!(told.iter().any(|finding| finding.message.contains("feature in")), "{told:?}");
}

#[test]
fn a_reader_sees_public_fields_only() {
    let Some(database) = Database::new() else { return };
    let (store, mut admin) = owners(&database, &[point()]);
    let login = |end: &str| format!("mai_{end}_{}", std::process::id());
    let (small, full) = (login("small"), login("full"));
    admin
        .run(&format!(
            "CREATE ROLE {small} LOGIN IN ROLE citymap_reader; CREATE ROLE {full} LOGIN IN ROLE \
             citymap_reader_personal"
        ))
        .unwrap();
    let address = |name: &str| database.address().replacen("postgres@", &format!("{name}@"), 1);
    let outcome = std::panic::catch_unwind(|| {
        let refused = |sql: &str| {
            let error = Session::open(&address(&small)).unwrap().run(sql).unwrap_err().to_string();
            assert!(error.contains("permission denied"), "{sql}: {error}");
        };
        let (mut reader, mut all) =
            (Session::open(&address(&small)).unwrap(), Session::open(&address(&full)).unwrap());
        let mut mind = |personal: bool| {
            for sql in [
                "SELECT * FROM city.owners",
                "SELECT chu FROM city.owners",
                "SELECT chu FROM city_vn2000.owners",
                "SELECT * FROM history.\"owners~1\"",
            ] {
                if personal {
                    refused(sql);
                } else if !sql.contains("history") {
                    reader.run(sql).unwrap();
                }
                all.run(sql).unwrap();
            }
            assert_eq!(reader.ask("SELECT ma FROM city.owners"), ["a"]);
            assert_eq!(reader.ask("SELECT ma FROM city_vn2000.owners"), ["a"]);
            let columns = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = \
                 'city_public' AND table_name = 'owners' ORDER BY ordinal_position";
            let shown: &[&str] =
                if personal { &["fid", "geom", "ma"] } else { &["fid", "geom", "ma", "chu"] };
            assert_eq!(all.ask(columns), shown);
            reader.run("SELECT * FROM city_public.owners").unwrap();
            refused("SELECT * FROM citymap.document");
        };
        mind(true);
        // An import that swaps the table keeps it so.
        let mut layer = store.view().unwrap().layers().unwrap().remove(0).layer;
        let values = vec![Value::Text("a".to_owned()), Value::Text("Trần Thị Bình".to_owned())];
        let feature = |values| NewFeature { geometry: Some(point()), values };
        write(&store, &layer, Mode::Replace, vec![feature(values)]);
        mind(true);
        // A field that is public after all, and one that becomes personal. The history of what was personal
        // stays closed.
        layer.fields[1].personal = false;
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&layer, Mode::Edit).unwrap();
        change.commit().unwrap();
        mind(false);
        refused("SELECT * FROM history.\"owners~1\"");
        layer.fields[1].personal = true;
        let mut change = store.begin(CommitMeta::default()).unwrap();
        change.layer(&layer, Mode::Edit).unwrap();
        change.commit().unwrap();
        mind(true);
    });
    admin.run(&format!("DROP OWNED BY {small}, {full}; DROP ROLE {small}, {full}")).unwrap();
    outcome.unwrap();
    nothing_is_wrong(&store);
    admin.run("GRANT SELECT ON city.owners TO citymap_reader").unwrap();
    let told = store.check().unwrap();
    assert!(
        told.iter().any(|finding| finding.message.contains("personal fields of city.owners: chu")),
        "{told:?}"
    );
}

#[test]
fn a_role_that_lost_its_rights_is_found_and_gets_them_again() {
    let Some(database) = Database::new() else { return };
    let (store, mut admin) = owners(&database, &[point()]);
    let told = || {
        let found = store.check().unwrap();
        let lacks = found.into_iter().filter(|one| one.message.contains("lacks rights"));
        lacks.map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(told(), [""; 0], "a new database grants all");
    admin
        .run(
            "REVOKE ALL ON ALL TABLES IN SCHEMA city, city_vn2000, city_public, history, citymap FROM \
             citymap_reader_personal; REVOKE USAGE ON SCHEMA city FROM citymap_writer; REVOKE ALL ON \
             city_public.owners FROM citymap_reader",
        )
        .unwrap();
    let found = told();
    for (role, thing) in [
        ("citymap_reader_personal", "city.owners"),
        ("citymap_writer", "the schema city"),
        ("citymap_reader ", "city_public.owners"),
    ] {
        let named = found.iter().any(|one| {
            one.contains(role) && one.contains(thing) && one.contains("`citymap migrate` grants them")
        });
        assert!(named, "{role}: {found:?}");
    }
    let options = citymap_store::Options::default();
    assert_eq!(Postgis::migrate(&database.address(), &options).unwrap(), ["grants to roles"]);
    assert_eq!(told(), [""; 0]);
    assert_eq!(Postgis::migrate(&database.address(), &options).unwrap(), [""; 0]);
    // Readers still see public fields only, and nobody the secrets of webhooks.
    let sees = |role: &str, what: &str| {
        let sql = format!("SELECT 'x' WHERE has_any_column_privilege('{role}', '{what}', 'SELECT')");
        !database.session().ask(&sql).is_empty()
    };
    assert!(sees("citymap_reader_personal", "history.\"owners~1\"") && sees("citymap_reader", "city.owners"));
    assert!(!sees("citymap_reader", "history.\"owners~1\""));
    for role in ["citymap_reader", "citymap_reader_personal", "citymap_writer"] {
        assert!(!sees(role, "citymap.document"), "{role}");
    }
    let personal = "SELECT 'x' WHERE has_column_privilege('citymap_reader', 'city.owners', 'chu', 'SELECT')";
    assert_eq!(database.session().ask(personal), [""; 0]);
}
