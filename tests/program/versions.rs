//! Revisions on the command line, on both stores: the log, what differs, former states, the way back,
//! backups, copies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use citymap_tests::{Bench, Database};
use serde_json::Value;

/// Wells by code, with a depth.
fn wells(bench: &Bench, rows: &[(&str, f64, i64)], mode: &str) {
    let text: String =
        rows.iter().map(|(code, lon, depth)| format!("{code},{lon},10.77,{depth}\n")).collect();
    fs::write(bench.path("wells.csv"), format!("code,lon,lat,depth\n{text}")).unwrap();
    let args = ["import", "wells.csv", "--layer", "wells", "--key", "code", "--crs", "4326", "--mode", mode];
    bench.expect(0, args);
}

fn export(bench: &Bench, name: &str, as_of: Option<&str>) -> Value {
    let mut args = vec!["export", "wells", "--to", name];
    args.extend(as_of.map(|as_of| ["--as-of", as_of]).iter().flatten());
    bench.expect(0, args);
    serde_json::from_slice(&fs::read(bench.path(name)).unwrap()).unwrap()
}

/// Every command on one store; `other` is a second, empty place for a store.
fn story(bench: &Bench, other: &str) {
    let first = [("W1", 106.70, 10), ("W2", 106.71, 20), ("W3", 106.72, 30)];
    let second = [("W1", 106.70, 10), ("W2", 106.71, 25), ("W4", 106.73, 40)];
    wells(bench, &first, "replace");
    wells(bench, &second, "replace");

    let log = bench.expect(0, ["--json", "log"]).json();
    assert_eq!(
        (log[0]["number"].as_u64(), log[1]["number"].as_u64(), log[2].is_null()),
        (Some(2), Some(1), true)
    );
    let change = &log[0]["changes"][0];
    assert_eq!(
        ["added", "changed", "removed"].map(|word| change[word].as_u64()),
        [Some(1), Some(1), Some(1)],
        "{log}"
    );
    assert_eq!(log[0]["source"], "wells.csv");
    assert_eq!(log[0]["source_sha256"].as_str().map(str::len), Some(64));
    assert!(bench.expect(0, ["log", "--layer", "roads"]).stdout().contains("no revision"));

    let diff = bench.expect(0, ["--json", "diff", "1", "2", "--geojson", "diff.geojson"]).json();
    let told: Vec<_> = diff["layers"][0]["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| (feature["key"].as_str().unwrap(), feature["op"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("W2", "changed"), ("W3", "removed"), ("W4", "added")]);
    let changed = &diff["layers"][0]["features"][0];
    assert_eq!((&changed["before"]["depth"], &changed["after"]["depth"]), (&20.into(), &25.into()));
    assert!(changed["after"].get("code").is_none(), "only what differs: {changed}");
    let file: Value = serde_json::from_slice(&fs::read(bench.path("diff.geojson")).unwrap()).unwrap();
    assert_eq!(file["features"].as_array().map(Vec::len), Some(3));
    assert_eq!(file["features"][1]["geometry"]["type"], "Point", "a removed feature as it was");
    assert!(bench.expect(0, ["diff", "1", "2"]).stdout().contains("depth: 20 → 25"));
    assert!(bench.expect(1, ["diff", "2", "1"]).stderr().contains("citymap diff 1 2"));
    assert!(bench.expect(1, ["diff", "1", "9"]).stderr().contains("no revision 9"));

    let now = export(bench, "now.geojson", None);
    let then = export(bench, "then.geojson", Some("1"));
    assert_eq!(
        (now["features"].as_array().unwrap().len(), then["features"].as_array().unwrap().len()),
        (3, 3)
    );
    assert_eq!(then["features"][2]["properties"]["code"], "W3");
    let layers = bench.expect(0, ["--json", "layers", "--as-of", "1"]).json();
    assert_eq!((&layers["revision"], &layers["layers"][0]["revision"]), (&1.into(), &1.into()));
    let long_ago = bench.expect(0, ["--json", "layers", "--as-of", "2001-01-01"]).json();
    assert_eq!((&long_ago["revision"], long_ago["layers"].as_array().unwrap().len()), (&0.into(), 0));

    bench.expect(0, ["rollback", "--to", "1", "--message", "Sai tệp"]);
    assert_eq!(export(bench, "back.geojson", None), then);
    assert!(bench.expect(0, ["diff", "1", "3"]).stdout().contains("are equal"));
    assert!(bench.expect(0, ["log", "-n", "1"]).stdout().contains("Sai tệp"));
    // The return itself can be undone, and then the layer that came later goes and comes.
    bench.expect(0, ["rollback", "--to", "2"]);
    assert_eq!(export(bench, "again.geojson", None), now);
    bench.expect(0, ["rollback", "--to", "0"]);
    assert_eq!(bench.expect(0, ["--json", "layers"]).json()["layers"].as_array().map(Vec::len), Some(0));
    bench.expect(0, ["rollback", "--to", "4"]);
    assert_eq!(export(bench, "at_last.geojson", None), now);
    assert!(bench.expect(1, ["rollback", "--to", "6"]).stderr().contains("no revision 6"));

    // The whole record in one file, and out of it again.
    bench.expect(0, ["backup", "backup.gpkg"]);
    assert!(bench.expect(1, ["backup", "backup.gpkg"]).stderr().contains("exists already"));
    assert!(!bench.path("backup.gpkg.part").exists());
    let on_other = |args: &[&str], code: i32| {
        let mut all = vec!["--store", other, "--migrate"];
        all.extend(args);
        bench.expect(code, all)
    };
    let told = on_other(&["restore", "backup.gpkg"], 0).stdout();
    assert!(told.contains("every checksum"), "{told}");
    let log = bench.expect(0, ["--json", "log"]).json();
    assert_eq!(on_other(&["--json", "log"], 0).json(), log);
    on_other(&["export", "wells", "--to", "other.geojson", "--as-of", "1"], 0);
    assert_eq!(fs::read(bench.path("other.geojson")).unwrap(), fs::read(bench.path("then.geojson")).unwrap());
    on_other(&["restore", "backup.gpkg"], 1);
    on_other(&["doctor"], 0);
    bench.expect(0, ["doctor"]);

    // A copy goes on where it ended.
    wells(bench, &first, "replace");
    let copied = bench.expect(0, ["--json", "copy", "--to", other]).json();
    assert_eq!(copied["copied"], 1, "{copied}");
    // What went another way is not mixed up.
    on_other(&["rollback", "--to", "1"], 0);
    wells(bench, &second, "replace");
    assert!(bench.expect(1, ["copy", "--to", other]).stderr().contains("another one"));

    damaged(bench);
}

/// A backup with one wrong byte is found out before anything is written.
fn damaged(bench: &Bench) {
    let mut bytes = fs::read(bench.path("backup.gpkg")).unwrap();
    let place = bytes.windows(2).rposition(|pair| pair == b"W4").expect("the key stands in the file");
    bytes[place] = b'V';
    fs::write(bench.path("damaged.gpkg"), bytes).unwrap();
    let run = bench.run(["--store", "fresh.gpkg", "restore", "damaged.gpkg"]);
    // The byte may lie in the present, or in the history that the checksums of the present do not cover.
    if run.code() == Some(0) {
        let whole =
            bench.run(["--store", "damaged.gpkg", "--json", "export", "wells", "--to", "damaged.geojson"]);
        assert_eq!(whole.code(), Some(0));
        let (damaged, now) = (bench.path("damaged.geojson"), bench.path("now.geojson"));
        assert_eq!(fs::read(damaged).unwrap(), fs::read(now).unwrap(), "restored as if whole");
    } else {
        assert!(run.stderr().contains("damaged"), "{}", run.stderr());
        assert!(!bench.path("fresh.gpkg").exists());
    }
}

#[test]
fn revisions_in_a_geopackage() {
    let bench = Bench::new();
    let other = bench.path("other.gpkg");
    story(&bench, other.to_str().unwrap());
}

#[test]
fn revisions_in_postgis() {
    let Some(database) = Database::create() else { return };
    let other = Database::create().unwrap();
    story(&Bench::on(&database.url()), &other.url());
}

#[test]
fn from_a_file_to_postgis_and_back() {
    let Some(database) = Database::create() else { return };
    let bench = Bench::new();
    wells(&bench, &[("W1", 106.7, 1)], "replace");
    wells(&bench, &[("W2", 106.7, 2)], "append");
    let url = database.url();
    bench.expect(1, ["copy", "--to", &url]);
    bench.expect(0, ["copy", "--migrate", "--to", &url]);
    assert_eq!(database.psql("SELECT count(*), sum(depth) FROM city.wells"), "2|3");
    let back = bench.path("back.gpkg");
    bench.expect(0, ["--store", &url, "copy", "--to", back.to_str().unwrap()]);
    let log = |store: &str| bench.expect(0, ["--store", store, "--json", "log"]).json();
    assert_eq!(log(&url), log(back.to_str().unwrap()));
    assert!(Path::new(&back).exists());
}
