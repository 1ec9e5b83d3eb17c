//! `citymap backup` and `citymap restore`.

use citymap_tests::{Bench, Run};

use crate::{refused, wells};

/// Runs a command on another store in the same folder.
fn on(bench: &Bench, store: &str, args: &[&str]) -> Run {
    let mut all = vec!["--store", store];
    all.extend(args);
    bench.run(all)
}

#[test]
fn a_backup_comes_back_with_its_history() {
    let bench = wells();
    let made = bench.expect(0, ["--json", "backup", "safe.gpkg"]).json();
    assert_eq!(made["file"], "safe.gpkg");
    assert_eq!(made["manifest"]["revision"], 2);
    let layer = &made["manifest"]["layers"][0];
    assert_eq!((&layer["layer"], &layer["count"]), (&"wells".into(), &2.into()));
    assert_eq!(layer["sha256"].as_str().unwrap().len(), 64);

    let restored = on(&bench, "new.gpkg", &["--json", "restore", "safe.gpkg"]);
    assert_eq!(restored.code(), Some(0), "{}", restored.stderr());
    assert_eq!(restored.json()["manifest"], made["manifest"]);
    for args in [&["--json", "log"][..], &["--json", "diff", "1"], &["--json", "layers", "--as-of", "1"]] {
        assert_eq!(on(&bench, "new.gpkg", args).json(), bench.run(args).json(), "{args:?}");
    }
    assert_eq!(on(&bench, "new.gpkg", &["doctor"]).code(), Some(0));
}

#[test]
fn nothing_is_overwritten() {
    let bench = wells();
    bench.expect(0, ["backup", "safe.gpkg"]);
    let before = std::fs::read(bench.path("safe.gpkg")).unwrap();
    assert!(refused(&bench, ["backup", "safe.gpkg"]).contains("safe.gpkg"));
    assert_eq!(std::fs::read(bench.path("safe.gpkg")).unwrap(), before);
    assert!(refused(&bench, ["restore", "safe.gpkg"]).contains("city.gpkg"));
    assert!(!bench.path("safe.gpkg.part").exists());
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let bench = wells();
    bench.expect(0, ["backup", "safe.gpkg"]);
    // One digit of a value, so that the file is still a sound database.
    let mut bytes = std::fs::read(bench.path("safe.gpkg")).unwrap();
    let name = "Giếng số 1".as_bytes();
    let places: Vec<usize> =
        (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + name.len() - 1] = b'7';
    }
    std::fs::write(bench.path("safe.gpkg"), bytes).unwrap();
    let run = on(&bench, "new.gpkg", &["restore", "safe.gpkg"]);
    assert_eq!(run.code(), Some(1));
    assert!(run.stderr().contains("damaged") && run.stderr().contains("wells"), "{}", run.stderr());
    assert!(!bench.path("new.gpkg").exists());
}

#[test]
fn a_store_without_checksums_is_not_a_backup() {
    let bench = wells();
    let run = on(&bench, "new.gpkg", &["restore", "city.gpkg"]);
    assert_eq!(run.code(), Some(1));
    assert!(run.stderr().contains("checksums") && run.stderr().contains("copy --to"), "{}", run.stderr());
}
