//! The PostGIS store's connections: migrations, roles, TLS, documents, waiting, the doctor's eye for what is
//! missing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cluster;

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use citymap_store::{Options, Postgis, Severity, Store, StoreError};
use cluster::{Cluster, give, programs};

fn migrated() -> Options {
    Options { migrate: true, ..Options::default() }
}

fn good(store: &dyn Store) {
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}

fn told(store: &dyn Store, severity: Severity, words: &str) {
    let found = store.check().unwrap();
    assert!(
        found.iter().any(|finding| finding.severity == severity && finding.message.contains(words)),
        "{words}: {found:#?}"
    );
}

/// One server for what needs no fault; each part has a database of its own.
#[test]
fn a_database_is_opened_migrated_and_looked_after() {
    let Some(bin) = programs() else { return };
    let cluster = Cluster::new(&bin, "connecting", "fsync = on");
    migrations(&cluster);
    least_rights(&cluster);
    zones(&cluster);
    documents(&cluster);
    errors(&cluster);
    tls(&cluster);
}

fn migrations(cluster: &Cluster) {
    let address = cluster.database("migrations");
    let error = Postgis::open(&address, &Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains("citymap migrate"), "{error}");
    // Several at once: one does the work.
    let applied: usize = thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Postgis::migrate(&address, &Options::default()).unwrap().len()))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(
        applied,
        fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations")).unwrap().count() - 1
    );
    let store = Postgis::open(&address, &Options::default()).unwrap();
    assert_eq!(store.revision().unwrap(), 0);
    assert!(store.view().unwrap().layers().unwrap().is_empty());
    good(&store);
    cluster.psql("migrations", "INSERT INTO citymap.migration VALUES ('9999_from_the_future', 'x')");
    let error = Postgis::open(&address, &migrated()).unwrap_err();
    assert!(matches!(error, StoreError::Format { .. }), "{error:?}");
    told(&store, Severity::Error, "later version");
    cluster.psql("migrations", "DELETE FROM citymap.migration WHERE name LIKE '9999%'");
    cluster.psql(
        "migrations",
        "INSERT INTO citymap.revision (number, time, author, message) VALUES (2, now(), '', '')",
    );
    told(&store, Severity::Error, "missing from the log");
}

/// A login that owns its database but nothing else; one that may nothing.
fn least_rights(cluster: &Cluster) {
    cluster.psql("postgres", "CREATE ROLE small LOGIN; CREATE ROLE nobody_in_particular LOGIN");
    cluster.psql("postgres", "CREATE DATABASE small OWNER small");
    let address = cluster.address("small").replace("postgres@", "small@");
    let error = Postgis::open(&address, &migrated()).unwrap_err().to_string();
    assert!(error.contains("CREATE EXTENSION postgis"), "{error}");
    cluster.psql("small", "CREATE EXTENSION postgis");
    let store = Postgis::open(&address, &migrated()).unwrap();
    told(&store, Severity::Warning, "0002_spatial_ref_sys.sql");
    let other = Postgis::open(&address.replace("small@", "nobody_in_particular@"), &Options::default());
    assert!(other.unwrap_err().to_string().contains("citymap_reader"));
    // The roles of another database of the cluster are there; with the right to give them, everything is
    // theirs.
    let roles = cluster.psql(
        "migrations",
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'citymap\\_%' AND NOT rolcanlogin",
    );
    assert_eq!(roles, "4");
    let owner =
        cluster.psql("migrations", "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'citymap'");
    assert_eq!(owner, "citymap_owner");
    cluster.psql("migrations", "GRANT citymap_reader TO nobody_in_particular");
    let reader = cluster.address("migrations").replace("postgres@", "nobody_in_particular@");
    let store = Postgis::open(&reader, &Options::default()).unwrap();
    assert_eq!(store.log(10).unwrap().len(), 1);
    assert!(store.document("webhooks").unwrap_err().to_string().contains("citymap_owner"));
}

/// PostGIS gives the legal coordinates to the millimetre, in each zone that was added.
fn zones(cluster: &Cluster) {
    let _ = Postgis::open(&cluster.database("zones"), &migrated()).unwrap();
    let at = |srid: u32, lon: f64, lat: f64| {
        let said = cluster.psql(
            "zones",
            &format!(
                "SELECT st_x(p) || ' ' || st_y(p) FROM st_transform(st_setsrid(st_makepoint({lon}, \
                {lat}), 4326), {srid}) p"
            ),
        );
        let (x, y) = said.split_once(' ').unwrap();
        (x.parse::<f64>().unwrap(), y.parse::<f64>().unwrap())
    };
    // citymap-crs's figures, which agree with the control points.
    let (x, y) = at(9210, 106.698, 10.7725);
    assert!((x - 603_481.588).hypot(y - 1_191_454.611) < 0.001, "{x} {y}");
    let zones = cluster.psql(
        "zones",
        "SELECT count(*) FROM spatial_ref_sys WHERE srid BETWEEN 9205 AND 9218 AND auth_name IS NULL",
    );
    assert_eq!(zones, "14");
    // Far from a zone's meridian the same ground has other numbers; on it, the easting is the false one, but
    // for the shift.
    for (srid, meridian) in [(9205, 103.0), (9208, 104.75), (9213, 106.5), (9218, 108.5)] {
        let (x, _) = at(srid, meridian, 10.8);
        assert!((x - 500_000.0).abs() < 250.0, "{srid}: {x}");
    }
    let Some(points) = control_points() else { return };
    let mut tested = 0;
    for line in points.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| parts[index].parse::<f64>().unwrap();
        let (x, y) = at(9210, number(2), number(1));
        assert!((x - number(3)).hypot(y - number(4)) < 0.001, "{line}: {x} {y}");
        tested += 1;
    }
    assert!(tested > 5);
}

fn control_points() -> Option<String> {
    let file = citymap_testing::real_data("vietnam/sample_points_vn2000.tsv")?;
    Some(fs::read_to_string(file).unwrap())
}

fn documents(cluster: &Cluster) {
    let store = Postgis::open(&cluster.database("documents"), &migrated()).unwrap();
    assert_eq!(store.document("a").unwrap(), None);
    assert!(store.put_document("a", 0, None).unwrap());
    assert!(!store.put_document("a", 1, Some("x")).unwrap());
    assert!(store.put_document("a", 0, Some("x")).unwrap());
    assert!(!store.put_document("a", 0, Some("y")).unwrap());
    assert!(store.put_document("a", 1, Some("y")).unwrap());
    let there = store.document("a").unwrap().unwrap();
    assert_eq!((there.version, there.body.as_str()), (2, "y"));
    assert!(!store.put_document("a", 1, None).unwrap());
    assert!(store.put_document("a", 2, None).unwrap());
    assert_eq!(store.document("a").unwrap(), None);
    // Of many who write at once, one wins each round.
    let won: usize = thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|at| {
                scope.spawn({
                    let store = &store;
                    move || store.put_document("race", 0, Some(&at.to_string())).unwrap()
                })
            })
            .collect();
        all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    });
    assert_eq!(won, 1);
}

fn errors(cluster: &Cluster) {
    let quick = || {
        let mut options = Options::default();
        options.pool.connect_timeout = Duration::from_millis(500);
        options
    };
    let error = Postgis::open("postgres://postgres:secret@127.0.0.1:1/city", &quick()).unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error:?}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("127.0.0.1:1") && !said.contains("secret"), "{said}");
    let error = Postgis::open(&cluster.address("not_there"), &quick()).unwrap_err().to_string();
    assert!(error.contains("no such database"), "{error}");
    let error = Postgis::open(&cluster.address("postgres"), &quick()).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    // A host that takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = Instant::now();
    let error =
        Postgis::open(&format!("postgres://x@{}/city", silent.local_addr().unwrap()), &quick()).unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Past it, the second host of the address is found.
    let port = silent.local_addr().unwrap().port();
    let address = cluster.address("zones").replace("127.0.0.1:", &format!("127.0.0.1:{port},127.0.0.1:"));
    let store = Postgis::open(&address, &quick()).unwrap();
    assert_eq!(store.revision().unwrap(), 0);
    // All connections in use is said as such.
    assert!(
        Postgis::open("postgres://db/city?colour=red", &quick()).unwrap_err().to_string().contains("colour")
    );
}

/// A server with a certificate of an authority of its own.
fn tls(cluster: &Cluster) {
    let openssl = |args: &[&str]| {
        Command::new("openssl")
            .args(args)
            .current_dir(&cluster.dir)
            .output()
            .is_ok_and(|done| done.status.success())
    };
    let made = openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-days",
        "2",
        "-subj",
        "/CN=ca",
    ]) && openssl(&[
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]) && openssl(&[
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-out",
        "server.crt",
        "-copy_extensions",
        "copy",
    ]);
    if !made {
        citymap_testing::skip("certificates need a recent `openssl`");
        return;
    }
    let file = |name: &str| cluster.dir.join(name);
    let key = fs::metadata(file("server.key")).unwrap();
    let mut mode = key.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o600);
    fs::set_permissions(file("server.key"), mode).unwrap();
    give(&file("server.key"));
    let text = |name: &str| file(name).to_str().unwrap().to_owned();
    cluster.configure(&format!(
        "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'",
        text("server.crt"),
        text("server.key")
    ));
    cluster.stop("fast");
    cluster.start();
    let open = |host: &str, query: &str| {
        let address = cluster.address("zones").replace("127.0.0.1", host);
        Postgis::open(&format!("{address}?application_name=tls_test&{query}"), &Options::default())
    };
    let encrypted = || {
        cluster.psql(
            "postgres",
            "SELECT bool_or(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING \
            (pid) WHERE a.application_name = 'tls_test'",
        )
    };
    let root = format!("sslrootcert={}", text("ca.crt"));
    let plain = open("127.0.0.1", "sslmode=disable").unwrap();
    assert_eq!(encrypted(), "f");
    drop(plain);
    for (host, query) in [
        ("127.0.0.1", "sslmode=prefer".to_owned()),
        ("127.0.0.1", "sslmode=require".to_owned()),
        ("127.0.0.1", format!("sslmode=verify-ca&{root}")),
        ("localhost", format!("sslmode=verify-full&{root}")),
    ] {
        let store = open(host, &query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(encrypted(), "t", "{query}");
        drop(store);
    }
    // Another name than the certificate's, and an authority that nobody knows.
    assert!(open("127.0.0.1", &format!("sslmode=verify-full&{root}")).is_err());
    let error = open("localhost", "sslmode=verify-full").unwrap_err().to_string();
    assert!(error.contains("TLS") || error.contains("certificate"), "{error}");
}
