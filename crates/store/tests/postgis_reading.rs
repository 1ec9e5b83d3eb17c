//! Reading what others wrote, changed and cut: foreign values, drift, sessions that end while a layer is
//! read, waiting.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cluster;
#[allow(dead_code, reason = "the suite's makers of samples")]
#[path = "conformance/parts.rs"]
mod parts;

use std::{
    thread,
    time::{Duration, Instant},
};

use citymap_model::{
    CommitMeta, Field, FieldType, Geometry, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
};
use citymap_store::{Options, Postgis, Severity, Store, StoreError};
use cluster::{Cluster, programs};
use parts::{id, parcel, parcels, read, square, write};

fn opened(cluster: &Cluster, name: &str) -> Postgis {
    let options = Options { migrate: true, ..Options::default() };
    Postgis::open(&cluster.database(name), &options).unwrap()
}

/// One server; each part has a database of its own.
#[test]
fn what_others_do_to_the_tables_is_read_or_told() {
    let Some(bin) = programs() else { return };
    let cluster = Cluster::new(&bin, "reading", "autovacuum = off");
    foreign_values(&cluster);
    drift(&cluster);
    ended_while_reading(&cluster);
    within_a_reading(&cluster);
    waiting(&cluster);
}

fn wells() -> Layer {
    let mut layer = Layer::new(id("wells"), Title::same("Wells"), Role::Utility, GeometryKind::Mixed);
    layer.fields = [
        ("depth", FieldType::Real),
        ("count", FieldType::Int),
        ("dug", FieldType::Date),
        ("seen", FieldType::DateTime),
    ]
    .map(|(name, field_type)| Field::new(name, field_type))
    .into();
    layer
}

fn well(geometry: Geometry) -> NewFeature {
    NewFeature { geometry: Some(geometry), values: vec![Value::Null; 4] }
}

fn failure(store: &dyn Store, layer: &str) -> String {
    store.view().unwrap().read(&id(layer), &mut |_| Ok(())).unwrap_err().to_string()
}

fn told(store: &dyn Store, severity: Severity, words: &str) {
    let found = store.check().unwrap();
    assert!(
        found.iter().any(|finding| finding.severity == severity && finding.message.contains(words)),
        "{words}: {found:#?}"
    );
}

/// What a table may hold when another program has loosened it.
fn foreign_values(cluster: &Cluster) {
    let store = opened(cluster, "foreign_values");
    let sql = |text: &str| cluster.psql("foreign_values", text);
    let square = square(1);
    write(
        &store,
        &wells(),
        Mode::Replace,
        vec![well(geo_types::Point::new(106.7, 10.8).into()), well(square.clone())],
    );
    sql("UPDATE city.wells SET depth = 'NaN', seen = '2025-07-01 07:00:00.123456+07' WHERE fid = 1");
    sql("INSERT INTO city.wells (geom, depth) VALUES ('SRID=4326;POINT EMPTY', 'Infinity'), (NULL, NULL)");
    let features = read(&store, "wells");
    assert_eq!(features[0].values[0], Value::Null, "NaN is no number");
    assert_eq!(features[0].values[3], Value::DateTime("2025-07-01T00:00:00.123Z".parse().unwrap()));
    assert_eq!(features[1].geometry, Some(square));
    assert_eq!(features[2].geometry, Some(geo_types::MultiPoint::<f64>(vec![]).into()));
    assert_eq!(features[2].values[0], Value::Real(f64::INFINITY));
    assert_eq!(features[3].geometry, None);
    assert_eq!(store.revision().unwrap(), 3);
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }

    sql("DROP VIEW city_vn2000.wells, city_public.wells");
    sql("DO $$ DECLARE c record; BEGIN FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = \
         'city.wells'::regclass AND contype = 'c' LOOP EXECUTE format('ALTER TABLE city.wells DROP \
         CONSTRAINT %I', c.conname); END LOOP; END $$");
    sql("ALTER TABLE city.wells ALTER geom TYPE geometry");
    // Heights are read over.
    sql("ALTER TABLE city.wells DISABLE TRIGGER USER; \
         UPDATE city.wells SET geom = 'SRID=4326;POINT Z (106.7 10.8 5)' WHERE fid = 4");
    assert_eq!(read(&store, "wells")[3].geometry, Some(geo_types::Point::new(106.7, 10.8).into()));
    told(&store, Severity::Warning, "heights");
    told(&store, Severity::Error, "ENABLE TRIGGER citymap_update");
    sql(
        "UPDATE city.wells SET geom = 'SRID=4326;CIRCULARSTRING(106 10, 106.1 10.1, 106.2 10)' WHERE fid = 4",
    );
    // What no feature can hold is absent, and an edit of the feature is refused.
    let edited = |word: &str| {
        let mut change = store.begin(CommitMeta::default()).unwrap();
        let error = change.feature(&id("wells"), 4).unwrap_err().to_string();
        assert!(error.contains("layer `wells`, feature 4") && error.contains(word), "{error}");
    };
    assert_eq!(read(&store, "wells")[3].geometry, None);
    edited("curves");
    told(&store, Severity::Warning, "arcs");
    sql("UPDATE city.wells SET geom = NULL, dug = 'infinity' WHERE fid = 4");
    assert!(read(&store, "wells")[3].values.iter().all(Value::is_null));
    edited("field `dug`: its date is infinite");
}

/// Tables that are no longer what the catalogue says.
fn drift(cluster: &Cluster) {
    let store = opened(cluster, "drift");
    let sql = |text: &str| cluster.psql("drift", text);
    write(&store, &parcels(), Mode::Replace, vec![parcel("a", 1, 1.0), parcel("b", 2, 2.0)]);
    sql("CREATE TABLE city.notes (id int)");
    told(&store, Severity::Warning, "`notes`, which is no layer");
    sql("ALTER TABLE city.parcels ADD colour text");
    told(&store, Severity::Warning, "colour");
    sql("ALTER TABLE city.parcels DROP colour; DROP TABLE city.notes");
    sql("DO $$ DECLARE i text; BEGIN SELECT indexrelid::regclass INTO i FROM pg_index JOIN pg_class c ON \
         c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam WHERE indrelid = 'city.parcels'::regclass AND \
         amname = 'gist'; EXECUTE 'DROP INDEX ' || i; END $$");
    told(&store, Severity::Error, "GiST");
    sql("CREATE INDEX ON city.parcels USING gist (geom)");
    sql("ALTER TABLE city.parcels DISABLE TRIGGER USER; DELETE FROM city.parcels WHERE fid = 2; \
         ALTER TABLE city.parcels ENABLE TRIGGER USER");
    told(&store, Severity::Error, "has 1 feature, and had 2");
    sql("DROP TRIGGER citymap_insert ON city.parcels");
    told(&store, Severity::Error, "citymap_insert");
    // Another type that holds the same is read all the same.
    sql("DROP VIEW city_vn2000.parcels, city_public.parcels");
    sql("ALTER TABLE city.parcels ALTER dien_tich TYPE numeric");
    let view = store.view().unwrap();
    view.read(&id("parcels"), &mut |feature| {
        assert_eq!(feature.values[1], Value::Real(1.0));
        Ok(())
    })
    .unwrap();
    told(&store, Severity::Warning, "is numeric");
    sql("ALTER TABLE city.parcels ALTER dien_tich TYPE text USING 'large'");
    let error = failure(&store, "parcels");
    assert!(error.contains("another program changed it"), "{error}");
    sql("ALTER TABLE city.parcels DROP dien_tich");
    let error = failure(&store, "parcels");
    assert!(error.contains("another program changed it") && error.contains("dien_tich"), "{error}");
    told(&store, Severity::Error, "lacks the column `dien_tich`");
    sql("DROP TABLE city.parcels");
    let error = failure(&store, "parcels");
    assert!(error.contains("has no table"), "{error}");
    told(&store, Severity::Error, "has no table");
}

fn many(count: u32) -> Vec<NewFeature> {
    (0..count).map(|at| parcel(&format!("k{at}"), at, f64::from(at))).collect()
}

/// A reading whose session ends goes on where it was: each feature once, in order.
fn ended_while_reading(cluster: &Cluster) {
    const COUNT: u32 = 60_000;
    let store = opened(cluster, "ended");
    write(&store, &parcels(), Mode::Replace, many(COUNT));
    write(
        &store,
        &parcels(),
        Mode::Replace,
        (0..COUNT).map(|at| parcel(&format!("k{at}"), at, -1.0)).collect(),
    );
    let end = || {
        cluster.psql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'citymap'",
        )
    };
    for revision in [1, 2] {
        let view = store.view_at(revision).unwrap();
        let mut fids = Vec::new();
        let mut ended = 0;
        view.read(&id("parcels"), &mut |feature| {
            fids.push(feature.fid);
            if fids.len() == 10 || fids.len() == 30_000 {
                end();
                ended += 1;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!((ended, fids.len()), (2, COUNT as usize));
        assert!(fids.is_sorted_by(|a, b| a < b), "revision {revision}");
    }
    let view = store.view().unwrap();
    let mut seen = 0i64;
    view.changes(&id("parcels"), 1, &mut |change| {
        seen += 1;
        assert_eq!(change.fid, seen);
        assert!(change.before.is_some() && change.after.is_some());
        if seen == 100 {
            end();
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, i64::from(COUNT));
    end();
    assert_eq!(store.revision().unwrap(), 2);
}

/// Whoever is handed a feature may use the store.
fn within_a_reading(cluster: &Cluster) {
    let mut options = Options { migrate: true, ..Options::default() };
    options.pool.size = 2;
    options.pool.connect_timeout = Duration::from_millis(500);
    let store = Postgis::open(&cluster.database("within"), &options).unwrap();
    write(&store, &parcels(), Mode::Replace, many(10));
    let mut nested = 0;
    let view = store.view().unwrap();
    view.read(&id("parcels"), &mut |feature| {
        nested += read(&store, "parcels").len();
        // A third connection there is not.
        if feature.fid == 1 {
            let inner = store.view()?;
            inner
                .read(&id("parcels"), &mut |_| {
                    let error = store.revision().unwrap_err();
                    assert!(
                        matches!(error, StoreError::Away { .. }) && error.to_string().contains("in use"),
                        "{error}"
                    );
                    Err(StoreError::Stopped("enough".to_owned()))
                })
                .unwrap_err();
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(nested, 100);
}

/// Who waits hears of a commit by another store, and of an edit by `psql`, at once.
#[allow(clippy::print_stdout, reason = "the figure is for the reader of the log")]
fn waiting(cluster: &Cluster) {
    let store = opened(cluster, "waiting");
    let other = opened_again(cluster, "waiting");
    assert_eq!(store.wait(0, Duration::from_millis(100)).unwrap(), 0);
    let mut slowest = Duration::ZERO;
    for round in 1..=10u64 {
        thread::scope(|scope| {
            let waiter =
                scope.spawn(|| (store.wait(round - 1, Duration::from_secs(10)).unwrap(), Instant::now()));
            thread::sleep(Duration::from_millis(50));
            if round % 2 == 1 {
                write(&other, &parcels(), Mode::Replace, many(u32::try_from(round).unwrap()));
            } else {
                cluster
                    .psql("waiting", &format!("UPDATE city.parcels SET dien_tich = {round} WHERE fid = 1"));
            }
            let committed = Instant::now();
            let (revision, heard) = waiter.join().unwrap();
            assert_eq!(revision, round);
            slowest = slowest.max(heard.saturating_duration_since(committed));
        });
    }
    println!("the slowest of 10 commits was heard of after {slowest:?}");
    assert!(slowest < Duration::from_millis(900), "the notification, not the look each second: {slowest:?}");
    assert_eq!(store.wait(3, Duration::ZERO).unwrap(), 10);
    let begun = Instant::now();
    assert_eq!(store.wait(10, Duration::from_millis(300)).unwrap(), 10);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    cluster.stop("fast");
    let error = store.wait(10, Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error}");
    cluster.start();
    let next = thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            loop {
                // Away as long as the server is.
                if let Ok(next) = store.wait(10, Duration::from_secs(2)) {
                    break next;
                }
            }
        });
        write(&other, &parcels(), Mode::Replace, many(3));
        waiter.join().unwrap()
    });
    assert!((10..=11).contains(&next));
    assert_eq!(store.wait(10, Duration::from_secs(10)).unwrap(), 11);
}

fn opened_again(cluster: &Cluster, name: &str) -> Postgis {
    Postgis::open(&cluster.address(name), &Options::default()).unwrap()
}
