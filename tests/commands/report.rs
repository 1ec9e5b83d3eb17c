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
