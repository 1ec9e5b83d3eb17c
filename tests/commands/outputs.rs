//! What commands write beside the store: over nothing that others made, and whole.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Command, Stdio},
};

use citymap_tests::{Bench, citymap};

use crate::{refused, wells};

/// Two points, of which one is nowhere.
const POINTS: &str = "ma,reason,lon,lat\nA,a,106.7,10.77\nB,b,206.7,10.77\n";

fn points() -> Bench {
    let bench = Bench::new();
    fs::write(bench.path("q.csv"), POINTS).unwrap();
    bench
}

const IMPORT: [&str; 4] = ["import", "q.csv", "--crs", "EPSG:4326"];

fn import_with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    IMPORT.iter().chain(more).copied().collect()
}

/// The tables of a GeoPackage.
fn tables(bench: &Bench, name: &str) -> Vec<String> {
    let dataset = bench.path(name);
    let out = Command::new("ogrinfo").args(["-q", "-ro"]).arg(dataset).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let names = text.lines().filter_map(|line| line.split_once(": ")?.1.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn no_output_of_an_import_takes_the_place_of_another_file() {
    let bench = points();
    bench.expect(3, IMPORT);
    fs::write(bench.path("notes.txt"), "kept").unwrap();
    fs::write(bench.path("empty.json"), "").unwrap();
    symlink(bench.store(), bench.path("link.gpkg")).unwrap();
    fs::hard_link(bench.path("q.csv"), bench.path("hard.csv")).unwrap();
    let before = ["city.gpkg", "q.csv", "notes.txt"].map(|name| fs::read(bench.path(name)).unwrap());
    for option in ["--report", "--rejects"] {
        for name in ["city.gpkg", "city.gpkg-wal", "link.gpkg", "./q.csv", "hard.csv", "notes.txt", "."] {
            let run = bench.expect(1, import_with(&[option, name]));
            assert!(run.stderr().contains(option) && run.stderr().contains(name), "{}", run.stderr());
        }
    }
    let run = bench.expect(1, import_with(&["--report", "r.gpkg", "--rejects", "r.gpkg"]));
    assert!(run.stderr().contains("is the rejects file"), "{}", run.stderr());
    let run = bench.expect(1, import_with(&["--report", "no/folder/r.json"]));
    assert!(run.stderr().contains("no/folder/r.json"), "{}", run.stderr());
    let after = ["city.gpkg", "q.csv", "notes.txt"].map(|name| fs::read(bench.path(name)).unwrap());
    assert!(before == after, "files were changed");
    assert_eq!(bench.expect(0, ["--json", "layers"]).json()["revision"], 1, "nothing was imported");
    bench.expect(3, import_with(&["--report", "empty.json"]));
}

#[test]
fn no_output_becomes_a_part_of_a_source() {
    let bench = points();
    fs::write(bench.path("q.prj"), "GEOGCS[]").unwrap();
    for option in ["--report", "--rejects"] {
        for name in ["q.prj", "q.cpg", "q.qmd", "q.csvt", "Q.PRJ", "./q.qml", "q.csv.xml"] {
            let run = bench.expect(1, import_with(&[option, name]));
            assert!(run.stderr().contains("a part of") && run.stderr().contains("q.csv"), "{}", run.stderr());
        }
    }
    assert_eq!(fs::read(bench.path("q.prj")).unwrap(), b"GEOGCS[]");
    fs::remove_file(bench.path("q.prj")).unwrap();
    bench.expect(3, IMPORT);
    // Other commands do not either: the file would be read as a part of one that is there.
    fs::write(bench.path("r.csv"), POINTS).unwrap();
    let run = bench.expect(1, ["diff", "0", "1", "--geojson", "r.prj"]);
    assert!(run.stderr().contains("a part of"), "{}", run.stderr());
    let run = bench.expect(1, ["export", "q", "--to", "r.shp"]);
    assert!(run.stderr().contains("r.prj") && run.stderr().contains("a part of"), "{}", run.stderr());
    let mut left: Vec<_> = fs::read_dir(bench.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with("city.gpkg"))
        .collect();
    left.sort();
    assert_eq!(left, ["q.csv", "q.rejects.gpkg", "r.csv"]);
}

#[test]
fn a_report_goes_into_a_pipe_that_is_read_and_rejects_into_none() {
    let bench = points();
    let made = Command::new("mkfifo").arg(bench.path("pipe")).status().unwrap();
    assert!(made.success());
    let run = bench.expect(1, import_with(&["--report", "pipe"]));
    assert!(run.stderr().contains("no program reads the pipe"), "{}", run.stderr());
    let run = bench.expect(1, import_with(&["--rejects", "pipe"]));
    assert!(run.stderr().contains("not a rejects file"), "{}", run.stderr());
    assert!(!bench.store().exists());
    let reader = Command::new("cat").arg(bench.path("pipe")).stdout(Stdio::piped()).spawn().unwrap();
    // The reader may open the pipe a moment later.
    let start = std::time::Instant::now();
    let mut run = bench.run(import_with(&["--report", "pipe"]));
    while run.code() == Some(1) && start.elapsed().as_secs() < 60 {
        run = bench.run(import_with(&["--report", "pipe"]));
    }
    assert_eq!(run.code(), Some(3), "{}", run.stderr());
    let output = reader.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["read"], 2);
}

#[test]
fn a_report_is_its_owner_s_alone() {
    let bench = points();
    bench.expect(3, import_with(&["--report", "r.json"]));
    assert_eq!(fs::metadata(bench.path("r.json")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_import_adds_to_the_rejects_and_replaces_the_report() {
    let bench = points();
    for _ in 0..2 {
        bench.expect(3, import_with(&["--report", "r.json", "--rejects", "r.gpkg"]));
    }
    assert_eq!(tables(&bench, "r.gpkg"), ["q_rejects", "q_rejects_2"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(bench.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["rejects_tables"], serde_json::json!(["q_rejects_2"]));
    assert_eq!(report["revision"], 2);
    // The field of the source keeps its name.
    let out = Command::new("ogrinfo").args(["-al", "-so"]).arg(bench.path("r.gpkg")).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("reason: String") && text.contains("reject_reason: String"), "{text}");
    assert_eq!(fs::metadata(bench.path("r.gpkg")).unwrap().permissions().mode() & 0o777, 0o600);
    // A clean import leaves it and says so.
    fs::write(bench.path("q.csv"), "ma,reason,lon,lat\nA,a,106.7,10.77\n").unwrap();
    let run = bench.expect(0, import_with(&["--rejects", "r.gpkg"]));
    assert!(run.stdout().contains("r.gpkg holds rejects of earlier imports, none of this one"));
    assert_eq!(tables(&bench, "r.gpkg").len(), 2);
}

#[test]
fn a_report_can_go_into_a_pipe_and_a_full_disk_does_not_undo_a_commit() {
    let bench = points();
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = bench.command(import_with(&["--report", "/dev/full"]));
    let out = command.stdout(full()).output().unwrap();
    let error = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{error}");
    assert!(error.contains("is at revision 1, but what follows failed"), "{error}");
    assert_eq!(bench.expect(0, ["--json", "layers"]).json()["revision"], 1);
    let run = bench.expect(3, import_with(&["--report", "/dev/stderr"]));
    assert!(run.stderr().contains("\"rejects_tables\""), "{}", run.stderr());
}

#[test]
fn a_closed_pipe_ends_no_command_with_an_error() {
    let bench = wells();
    for args in [
        &["import", "wells.geojson", "--layer", "w"][..],
        &["diff", "1", "2"],
        &["log"],
        &["--json", "layers"],
        &["layer", "show", "wells"],
        &["doctor"],
    ] {
        let mut child = bench.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!((out.status.code(), error.as_str()), (Some(0), ""), "{args:?}");
    }
    // Not even where nobody reads the errors either.
    let mut command = Command::new(citymap());
    let mut child =
        command.args(["--store", "/nowhere/city.gpkg", "layers"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn backup_bake_and_diff_overwrite_nothing_of_others() {
    let bench = wells();
    fs::write(bench.path("notes.txt"), "kept").unwrap();
    let store = fs::read(bench.store()).unwrap();
    assert!(refused(&bench, ["bake", "--out", "city.gpkg"]).contains("is not a PMTiles archive"));
    assert!(refused(&bench, ["backup", "notes.txt"]).contains("exists already"));
    assert!(refused(&bench, ["diff", "1", "2", "--geojson", "notes.txt"]).contains("exists already"));
    assert_eq!(fs::read_to_string(bench.path("notes.txt")).unwrap(), "kept");
    assert!(fs::read(bench.store()).unwrap() == store);
}

#[test]
fn stores_and_backups_are_readable_by_their_owner_only_and_doctor_tells_of_open_ones() {
    let bench = wells();
    bench.expect(0, ["backup", "b.gpkg"]);
    bench.expect(0, ["copy", "--to", "c.gpkg"]);
    for name in ["city.gpkg", "b.gpkg", "c.gpkg"] {
        let mode = fs::metadata(bench.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name} has mode {mode:o}");
    }
    fs::set_permissions(bench.store(), fs::Permissions::from_mode(0o644)).unwrap();
    let run = bench.expect(0, ["doctor"]);
    assert!(run.stdout().contains("chmod 600"), "{}", run.stdout());
}
