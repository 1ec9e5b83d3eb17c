//! `kill -9` during an import: the store is at the old revision or the new one, never between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use citymap_tests::Bench;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A grid of squares as newline-delimited GeoJSON; `version` is in a field of each.
fn squares(version: u32, count: u32) -> String {
    let mut text = String::new();
    for n in 0..count {
        let (x, y) = (106.6 + f64::from(n % 200) * 1e-4, 10.7 + f64::from(n / 200) * 1e-4);
        let (x1, y1) = (x + 9e-5, y + 9e-5);
        let ring = format!("[[{x},{y}],[{x1},{y}],[{x1},{y1}],[{x},{y1}],[{x},{y}]]");
        text.push_str(&format!(r#"{{"type":"Feature","properties":{{"code":"S{n}","version":{version}}},"#));
        text.push_str(&format!(r#""geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}"#));
        text.push('\n');
    }
    text
}

#[test]
fn killed_at_random_moments_the_store_is_old_or_new() {
    const ROUNDS: u32 = 20;
    const COUNT: u32 = 20_000;
    let bench = Bench::new();
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);

    let import = |version: u32| {
        let file = bench.path(&format!("squares{version}.geojsonl"));
        std::fs::write(&file, squares(version, COUNT + version)).unwrap();
        let mut command =
            bench.command(["import", "--layer", "squares", "--key", "code", "--author", "test"]);
        command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = Instant::now();
    assert!(import(0).status().unwrap().success());
    let whole = start.elapsed();

    let mut shown = 0;
    let (mut old, mut new) = (0, 0);
    for version in 1..=ROUNDS {
        let before = bench.expect(0, ["--json", "layers"]).json();
        let mut child = import(version).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(rng.random_range(0..whole.as_micros() as u64 * 11 / 10)));
        kill_tree(child.id());
        child.wait().unwrap();
        // The reading process ends with its parent; only then is the store at rest.
        std::thread::sleep(Duration::from_millis(20));

        let after = bench.expect(0, ["--json", "layers"]).json();
        let layer = &after["layers"][0];
        if after["revision"] == before["revision"] {
            assert_eq!(after, before);
            old += 1;
        } else {
            assert_eq!(after["revision"].as_u64(), before["revision"].as_u64().map(|number| number + 1));
            shown = version;
            new += 1;
        }
        assert_eq!(layer["count"].as_u64(), Some(u64::from(COUNT + shown)));
        // Not one feature of another version, whatever the catalogue says.
        let sum = Command::new("ogrinfo")
            .args(["-q", "-sql", "SELECT count(*) AS n, min(version) AS a, max(version) AS b FROM squares"])
            .arg(bench.store())
            .output()
            .unwrap();
        let sum = String::from_utf8_lossy(&sum.stdout).into_owned();
        for expected in [
            format!("n (Integer) = {}", COUNT + shown),
            format!("a (Integer) = {shown}"),
            format!("b (Integer) = {shown}"),
        ] {
            assert!(sum.replace("Integer64", "Integer").contains(&expected), "{expected} not in {sum}");
        }
        bench.expect(0, ["doctor"]);
    }
    println!("{ROUNDS} kills: {old} times the old revision, {new} times the new one");
    assert!(old > 0, "not one kill came in time");
}

#[test]
fn a_reading_process_that_is_killed_changes_nothing_and_is_explained() {
    let bench = Bench::new();
    std::fs::write(bench.path("first.geojsonl"), squares(0, 10)).unwrap();
    bench.expect(0, ["import", "first.geojsonl", "--layer", "squares", "--key", "code"]);
    let before = bench.expect(0, ["--json", "layers"]).json();
    std::fs::write(bench.path("large.geojsonl"), squares(1, 200_000)).unwrap();
    let temporary = bench.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let child = bench
        .command(["import", "large.geojsonl", "--layer", "squares", "--key", "code"])
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let reading = loop {
        if let Some(pid) = children(child.id()).first() {
            break pid.clone();
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no process reads");
        std::thread::sleep(Duration::from_millis(1));
    };
    Command::new("kill").args(["-9", &reading]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("was killed") && said.contains("the store is as it was"), "{said}");
    assert_eq!(bench.expect(0, ["--json", "layers"]).json(), before);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "temporary files stay");
    bench.expect(0, ["doctor"]);
}

#[test]
fn an_import_that_takes_too_much_memory_or_time_says_which_option_allows_more() {
    let bench = Bench::new();
    let point = r#""geometry":{"type":"Point","coordinates":[106.7,10.7]}"#;
    let text = "x".repeat(100 << 20);
    let one = format!(r#"{{"type":"Feature","properties":{{"a":"{text}"}},{point}}}"#);
    std::fs::write(bench.path("long.geojson"), one).unwrap();
    let run = bench.expect(1, ["import", "long.geojson", "--max-memory", "64"]);
    assert!(run.stderr().contains("64 MiB") && run.stderr().contains("--max-memory"), "{}", run.stderr());
    // With enough of it the feature is rejected, because of its size.
    let run = bench.expect(1, ["import", "long.geojson", "--max-memory", "4000"]);
    assert!(run.stderr().contains("--max-value"), "{}", run.stderr());
    std::fs::write(bench.path("many.geojsonl"), squares(0, 300_000)).unwrap();
    let run = bench.expect(1, ["import", "many.geojsonl", "--max-time", "1"]);
    assert!(run.stderr().contains("1 second,") && run.stderr().contains("--max-time"), "{}", run.stderr());
    assert!(!bench.store().exists());
}

/// Starts an import that takes a while, and gives its reading process once it reads.
#[allow(clippy::zombie_processes, reason = "the caller waits; a failed test ends it with the program")]
fn long_import(bench: &Bench, temporary: &std::path::Path) -> (std::process::Child, String) {
    std::fs::write(bench.path("large.geojsonl"), squares(1, 200_000)).unwrap();
    std::fs::create_dir_all(temporary).unwrap();
    let child = bench
        .command(["import", "large.geojsonl", "--layer", "squares", "--key", "code", "--report", "r.json"])
        .env("TMPDIR", temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        if let Some(pid) = children(child.id()).first() {
            return (child, pid.clone());
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no process reads");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a process has ended.
fn wait_for_the_end_of(pid: &str) {
    let start = Instant::now();
    while std::path::Path::new("/proc").join(pid).exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "process {pid} goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_import_that_is_asked_to_stop_leaves_nothing() {
    for signal in ["-INT", "-TERM"] {
        let bench = Bench::new();
        let temporary = bench.path("temporary");
        let (child, reading) = long_import(&bench, &temporary);
        Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{signal}: {said}");
        assert!(said.contains("was stopped") && said.contains("the store is as it was"), "{said}");
        wait_for_the_end_of(&reading);
        let left: Vec<_> =
            std::fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "only the source and the folder stay: {left:?}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "temporary files stay");
    }
}

#[test]
fn a_reading_process_ends_with_its_parent_and_its_folder_goes_with_the_next_import() {
    let bench = Bench::new();
    let temporary = bench.path("temporary");
    let (mut child, reading) = long_import(&bench, &temporary);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for_the_end_of(&reading);
    let folder = std::fs::read_dir(&temporary).unwrap().next().unwrap().unwrap().path();
    let old = std::time::SystemTime::now() - Duration::from_secs(3_600);
    std::fs::File::open(&folder).unwrap().set_modified(old).unwrap();
    std::fs::write(bench.path("one.geojsonl"), squares(0, 1)).unwrap();
    let run = bench.command(["import", "one.geojsonl"]).env("TMPDIR", &temporary).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(!folder.exists(), "the folder of the import that was killed stays");
}

#[test]
fn temporary_files_have_a_bound_together() {
    let bench = Bench::new();
    std::fs::write(bench.path("many.geojsonl"), squares(0, 20_000)).unwrap();
    let zip = "import zipfile; zipfile.ZipFile('m.zip', 'w', zipfile.ZIP_DEFLATED).write('many.geojsonl')";
    let Some(mut python) = citymap_tests::python() else { return };
    let made = python.arg("-c").arg(zip).current_dir(bench.path("")).status();
    assert!(made.unwrap().success());
    let run = bench.expect(1, ["import", "m.zip", "--max-temporary", "500000"]);
    let said = run.stderr();
    assert!(said.contains("500000 bytes") && said.contains("--max-temporary"), "{said}");
    assert!(!bench.store().exists());
    bench.expect(0, ["import", "m.zip", "--max-temporary", "100000000"]);
}

/// The numbers of a process's children.
fn children(pid: u32) -> Vec<String> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(str::to_owned).collect()
}

/// Ends the process and its children at once, as the machine's loss would.
fn kill_tree(pid: u32) {
    let pids: Vec<String> = std::iter::once(pid.to_string()).chain(children(pid)).collect();
    Command::new("kill").arg("-9").args(pids).stderr(Stdio::null()).status().unwrap();
}
