//! Files that are wrong: no crash, no panic, a message that names the file, the store unchanged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use citymap_tests::{Bench, real_data};

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if !path.to_string_lossy().contains(".cli-output")
            && !path.to_string_lossy().contains(".result")
        {
            files.push(path);
        }
    }
}

#[test]
fn every_hostile_file_is_answered_in_words() {
    let Some(folder) = real_data("hostile") else { return };
    let mut files = Vec::new();
    files_below(&folder, &mut files);
    files.sort();
    assert!(files.len() > 100);
    let bench = Bench::new();
    // Something to lose.
    std::fs::write(bench.path("safe.csv"), "lon,lat\n106.7,10.7\n").unwrap();
    bench.expect(0, ["import", "safe.csv", "--crs", "4326"]);
    let (mut refused, mut taken) = (0, 0);
    for file in &files {
        let before = bench.expect(0, ["--json", "layers"]).json();
        let run = bench.run(["import", file.to_str().unwrap(), "--layer", "hostile", "--crs", "4326"]);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (stdout, stderr) = (run.stdout(), run.stderr());
        assert!(!stderr.contains("panicked"), "{name}: {stderr}");
        match run.code() {
            Some(0 | 3) => {
                taken += 1;
                assert!(stdout.contains("accepted"), "{name}: {stdout}");
            }
            Some(1) => {
                refused += 1;
                assert!(stderr.contains(&name), "{name} is not named: {stderr}");
                assert_eq!(bench.expect(0, ["--json", "layers"]).json(), before, "{name}");
            }
            code => panic!("{name}: {code:?} {stdout}{stderr}"),
        }
    }
    println!("{} files: {refused} refused, {taken} taken", files.len());
    bench.expect(0, ["doctor"]);
}

#[test]
fn what_is_wrong_around_a_file_is_said() {
    let bench = Bench::new();
    std::fs::write(bench.path("empty.geojson"), "").unwrap();
    std::fs::write(bench.path("lie.shp"), "this is not a shapefile").unwrap();
    std::fs::write(
        bench.path("cut.geojson"),
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","#,
    )
    .unwrap();
    std::fs::create_dir(bench.path("folder")).unwrap();
    for file in ["empty.geojson", "lie.shp", "cut.geojson", "folder", "missing.gpkg"] {
        let run = bench.expect(1, ["import", file]);
        assert!(run.stderr().contains(file), "{file}: {}", run.stderr());
        assert!(!bench.store().exists(), "{file} left a store behind");
    }
}
