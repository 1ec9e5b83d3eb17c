//! `citymap report`.

use std::fs;

use crate::city;

#[test]
fn reports_are_written_in_order_and_an_interrupted_run_goes_on() {
    let bench = city();
    let out = bench.path("reports.ndjson");
    let file = out.to_str().unwrap();
    let done = bench.expect(0, ["--json", "report", "--all", "--out", file]).json();
    assert_eq!((&done["reports"], &done["failed"], &done["left"]), (&100.into(), &0.into(), &0.into()));
    let whole = fs::read_to_string(&out).unwrap();
    let reports: Vec<serde_json::Value> =
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), 100);
    for report in &reports {
        let pieces = report["plans"]["pieces"].as_array().unwrap();
        let prevailing: f64 = pieces.iter().map(|piece| piece["prevailing"]["area"].as_f64().unwrap()).sum();
        let sum = prevailing + report["plans"]["uncovered"].as_f64().unwrap();
        assert!((sum - report["areas"]["grid"].as_f64().unwrap()).abs() < 0.01, "{report}");
    }
    // As a run that was killed leaves it: in the middle of a line.
    let line = whole.match_indices('\n').nth(41).unwrap().0;
    fs::write(&out, &whole[..line + 300]).unwrap();
    bench.expect(1, ["report", "--all", "--out", file]);
    assert_eq!(fs::read_to_string(&out).unwrap().len(), line + 300, "a file is not overwritten");
    bench.expect(0, ["report", "--all", "--out", file, "--continue"]);
    assert_eq!(fs::read_to_string(&out).unwrap(), whole);
    let other = bench.expect(1, ["report", "--all", "--out", file, "--continue", "--valid-on", "1999-01-01"]);
    assert!(other.stderr().contains("name another file"), "{}", other.stderr());
    assert_eq!(fs::read_to_string(&out).unwrap(), whole);
}

#[test]
fn an_id_without_a_parcel_is_an_error_of_its_own() {
    let bench = city();
    let list = bench.path("ids.txt");
    let all = bench.expect(0, ["report", "--all", "--out", bench.path("all.ndjson").to_str().unwrap()]);
    assert!(all.stdout().contains("100 reports"), "{}", all.stdout());
    let whole = fs::read_to_string(bench.path("all.ndjson")).unwrap();
    let first: serde_json::Value = serde_json::from_str(whole.lines().next().unwrap()).unwrap();
    let id = first["id"].as_str().unwrap();
    fs::write(&list, format!("\u{feff}nix\r\n\r\n{id}\r\n")).unwrap();
    let run = bench.expect(1, ["report", "--list", list.to_str().unwrap()]);
    let printed = run.stdout();
    let lines: Vec<&str> = printed.lines().collect();
    let error: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(error, serde_json::json!({"id": "nix", "error": "no parcel has this id"}));
    assert_eq!(lines[1], whole.lines().next().unwrap(), "one report is the same whatever is asked with it");
    assert!(bench.expect(1, ["report", id, "--layer", "zones"]).stderr().contains("no layer of parcels"));
}

/// The names of the files in a folder, sorted.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn pdf_files_are_written_one_for_each_parcel_and_an_interrupted_run_goes_on() {
    let bench = city();
    let lines = bench.expect(0, ["report", "--all"]).stdout();
    let ids: Vec<String> = lines
        .lines()
        .take(6)
        .map(|line| {
            let report: serde_json::Value = serde_json::from_str(line).unwrap();
            report["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let list = bench.path("ids.txt");
    // One of them twice, and two ids without a parcel.
    fs::write(&list, format!("{}\n{}\nnix/1\nnix\n", ids.join("\n"), ids[0])).unwrap();
    let folder = bench.path("reports");
    let (list, out) = (list.to_str().unwrap(), folder.to_str().unwrap());
    let day = "2026-06-30";
    let run = ["--json", "report", "--list", list, "--format", "pdf", "--out", out, "--valid-on", day];
    let counts = |run: &citymap_tests::Run| {
        let done = run.json();
        ["asked", "written", "kept", "refused", "left"].map(|name| done[name].as_u64().unwrap())
    };
    let first = bench.expect(1, run);
    assert_eq!(counts(&first), [8, 6, 0, 2, 0]);
    assert_eq!(first.json()["reasons"], serde_json::json!({"no parcel has this id": 2}));
    let mut expected: Vec<String> = ids.iter().map(|id| format!("{id}.pdf")).collect();
    expected.push("refused.ndjson".to_owned());
    expected.sort();
    assert_eq!(names(&folder), expected);
    let refused = fs::read_to_string(folder.join("refused.ndjson")).unwrap();
    assert!(refused.contains("\"nix/1\"") && refused.lines().count() == 2, "{refused}");
    let file = |id: &str| folder.join(format!("{id}.pdf"));
    let bytes = fs::read(file(&ids[3])).unwrap();
    assert!(bytes.starts_with(b"%PDF-") && bytes.ends_with(b"%%EOF\n"));

    // As a run that was killed leaves it: some files are missing.
    fs::remove_file(file(&ids[3])).unwrap();
    fs::remove_file(file(&ids[5])).unwrap();
    let again = bench.expect(1, run);
    assert!(again.stderr().contains("--continue"), "{}", again.stderr());
    let mut with_continue = run.to_vec();
    with_continue.push("--continue");
    let resumed = bench.expect(1, with_continue.clone());
    assert_eq!(counts(&resumed), [8, 2, 4, 2, 0]);
    assert_eq!(fs::read(file(&ids[3])).unwrap(), bytes, "the same bytes");
    with_continue.extend(["--lang", "en"]);
    let other = bench.expect(1, with_continue);
    assert!(other.stderr().contains("name another folder"), "{}", other.stderr());

    let single = bench.path("one.pdf");
    let single = single.to_str().unwrap();
    let of_one = ["report", &ids[3], "--format", "pdf", "--out", single, "--valid-on", "2026-06-30"];
    bench.expect(0, of_one);
    assert_eq!(fs::read(single).unwrap(), bytes);
    assert!(bench.expect(1, of_one).stderr().contains("exists"));
    bench.expect(2, ["report", &ids[3], "--format", "pdf"]);
}
