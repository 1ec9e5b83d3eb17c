//! `citymap import`: how a batch meets the layer that is there.

use std::fs;

use citymap_tests::{Bench, Run};
use serde_json::{Value, json};

use crate::refused;

/// A GeoJSON file of points with these properties, one after the other to the east.
fn batch(bench: &Bench, name: &str, properties: &[Value]) -> String {
    let point = |(at, properties): (usize, &Value)| {
        let lonlat = [106.7 + at as f64 * 0.001, 10.77];
        json!({"type": "Feature", "properties": properties,
               "geometry": {"type": "Point", "coordinates": lonlat}})
    };
    let features: Vec<Value> = properties.iter().enumerate().map(point).collect();
    let path = bench.path(name);
    fs::write(&path, json!({"type": "FeatureCollection", "features": features}).to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn import(bench: &Bench, code: i32, file: &str, more: &[&str]) -> Run {
    bench.expect(code, ["--json", "import", file, "--layer", "t"].iter().chain(more))
}

/// added, changed, unchanged and removed of the only layer.
fn counts(report: &Value) -> [u64; 4] {
    ["added", "changed", "unchanged", "removed"].map(|name| report["layers"][0][name].as_u64().unwrap())
}

/// The properties of all features, in the order of their numbers.
fn rows(bench: &Bench) -> Vec<Value> {
    let _ = fs::remove_file(bench.path("rows.geojson"));
    bench.expect(0, ["export", "t", "--to", "rows.geojson", "--personal"]);
    let text = fs::read(bench.path("rows.geojson")).unwrap();
    let found: Value = serde_json::from_slice(&text).unwrap();
    found["features"].as_array().unwrap().iter().map(|feature| feature["properties"].clone()).collect()
}

fn notes(report: &Value) -> String {
    report["layers"][0]["issues"].to_string()
}

#[test]
fn a_batch_is_read_with_the_types_of_the_layer() {
    let bench = Bench::new();
    let first = json!({"ma": "A", "dien_tich": 1.5, "ngay": "2025-07-01", "so": "007"});
    import(&bench, 0, &batch(&bench, "1.geojson", &[first]), &["--key", "ma"]);
    // Whole numbers into a real field, codes that look like numbers into a text, a column of nulls.
    let second = batch(&bench, "2.geojson", &[json!({"ma": 12, "dien_tich": 7, "ngay": null, "so": 8})]);
    import(&bench, 0, &second, &["--mode", "append"]);
    let empty = batch(&bench, "3.geojson", &[]);
    import(&bench, 0, &empty, &["--mode", "append"]);
    let wrong = [
        json!({"ma": "B", "dien_tich": "7.25", "ngay": "2025-07-02", "so": null}),
        json!({"ma": "C", "dien_tich": "abc", "ngay": "2025-07-02", "so": null}),
        json!({"ma": "D", "dien_tich": 1, "ngay": "hôm qua", "so": null}),
    ];
    let report = import(&bench, 3, &batch(&bench, "4.geojson", &wrong), &["--mode", "append"]).json();
    assert_eq!((&report["accepted"], &report["rejected"]), (&1.into(), &2.into()));
    assert!(notes(&report).contains("`dien_tich` is of the type real"), "{report}");
    assert!(notes(&report).contains("`ngay` is of the type date"), "{report}");
    assert_eq!(
        rows(&bench),
        [
            json!({"ma": "A", "dien_tich": 1.5, "ngay": "2025-07-01", "so": "007"}),
            json!({"ma": "12", "dien_tich": 7.0, "ngay": null, "so": "8"}),
            json!({"ma": "B", "dien_tich": 7.25, "ngay": "2025-07-02", "so": null}),
        ]
    );
}

#[test]
fn corrected_rejects_come_back() {
    let bench = Bench::new();
    let table = |rows: &str| {
        fs::write(bench.path("q.csv"), format!("ma,dien_tich,lon,lat\n{rows}")).unwrap();
        bench.path("q.csv").to_str().unwrap().to_owned()
    };
    let file = table("A,1.5,106.7,10.77\nB,2.5,206.7,10.77\n");
    import(&bench, 3, &file, &["--crs", "EPSG:4326", "--key", "ma", "--rejects", "r.gpkg"]);
    let status = std::process::Command::new("ogr2ogr")
        .args(["-update", "-overwrite", "-a_srs", "EPSG:4326", "-dialect", "SQLite", "-sql"])
        .arg(
            "SELECT reason, feature_index, line, geometry_text, ma, dien_tich, lon, lat, \
             MakePoint(106.8, 10.78, 4326) AS reject_geom FROM t_rejects",
        )
        .args(["-nln", "fixed"])
        .args([bench.path("fixed.gpkg"), bench.path("r.gpkg")])
        .status()
        .unwrap();
    assert!(status.success());
    let fixed = bench.path("fixed.gpkg").to_str().unwrap().to_owned();
    let report = import(&bench, 0, &fixed, &["--mode", "append", "--rejects", "r.gpkg"]).json();
    assert!(notes(&report).contains("it is a table of rejects"), "{report}");
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    let report = import(&bench, 0, &fixed, &["--mode", "upsert", "--rejects", "r.gpkg"]).json();
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    let keys: Vec<Value> = rows(&bench).iter().map(|row| row["ma"].clone()).collect();
    assert_eq!(keys, ["A", "B"]);
    // As they are, they are rejected again, and the file that is read stays whole.
    let rejects = bench.path("r.gpkg").to_str().unwrap().to_owned();
    import(&bench, 1, &rejects, &["--mode", "append", "--rejects", "r2.gpkg"]);
}

#[test]
fn fields_are_renamed_left_out_and_typed() {
    let bench = Bench::new();
    import(
        &bench,
        0,
        &batch(&bench, "1.geojson", &[json!({"ma": "A", "SHAPE_Leng": 1.5})]),
        &["--key", "ma"],
    );
    let report = import(
        &bench,
        0,
        &batch(&bench, "2.geojson", &[json!({"ma": "B", "Shape_Leng": 2})]),
        &["--mode", "append"],
    )
    .json();
    assert!(notes(&report).contains("field `Shape_Leng` was taken as `SHAPE_Leng`"), "{report}");
    let more = batch(&bench, "3.geojson", &[json!({"code": "C", "SHAPE_Leng": 3, "them": true})]);
    let error = bench.expect(1, ["import", &more, "--layer", "t", "--mode", "append"]).stderr();
    assert!(error.contains("--drop-field code") && error.contains("--field code=NEW"), "{error}");
    import(&bench, 0, &more, &["--mode", "append", "--field", "code=ma", "--drop-field", "them"]);
    let keys: Vec<Value> = rows(&bench).iter().map(|row| row["ma"].clone()).collect();
    assert_eq!(keys, ["A", "B", "C"]);
    let error = refused(&bench, ["import", &more, "--drop-field", "thm"]);
    assert!(error.contains("--drop-field: there is no field `thm`; the nearest are: them"), "{error}");
    let error = refused(&bench, ["import", &more, "--field", "code=them"]);
    assert!(error.contains("two fields would be called `them`"), "{error}");
    let report =
        bench.expect(0, ["--json", "import", &more, "--layer", "typed", "--type", "SHAPE_Leng=text"]);
    assert_eq!(report.json()["layers"][0]["fields"][1], json!({"name": "SHAPE_Leng", "type": "text"}));
}

#[test]
fn what_a_replacement_takes_away_is_counted_and_nothing_empties_a_layer_unasked() {
    let bench = Bench::new();
    let [a, b, c] = ["A", "B", "C"].map(|ma| json!({"ma": ma, "sau": 1}));
    let both = batch(&bench, "1.geojson", &[a.clone(), b]);
    import(&bench, 0, &both, &["--key", "ma"]);
    let next = batch(&bench, "2.geojson", &[a, c]);
    let dry = import(&bench, 0, &next, &["--dry-run"]).json();
    let report = import(&bench, 0, &next, &[]).json();
    assert_eq!((counts(&dry), counts(&report)), ([1, 0, 1, 1], [1, 0, 1, 1]));
    let text = bench.expect(0, ["import", &both, "--layer", "t"]).stdout();
    assert!(text.contains("1 added, 0 changed, 1 unchanged, 1 removed"), "{text}");
    let none = batch(&bench, "3.geojson", &[]);
    let error = bench.expect(1, ["import", &none, "--layer", "t"]).stderr();
    assert!(error.contains("has 2 features") && error.contains("--allow-empty"), "{error}");
    let table = bench.path("t.csv");
    fs::write(&table, "ma,sau\nA,1\n").unwrap();
    let error = bench.expect(1, ["import", table.to_str().unwrap(), "--layer", "t"]).stderr();
    assert!(error.contains("holds points") && error.contains("--layer ID"), "{error}");
    let report = import(&bench, 0, &none, &["--allow-empty"]).json();
    let layer = &report["layers"][0];
    assert_eq!(
        (&layer["removed"], &layer["geometry"], &layer["key"]),
        (&2.into(), &json!("point"), &json!("ma"))
    );
}

#[test]
fn a_field_that_is_personal_stays_so_and_does_not_go_in_silence() {
    let bench = Bench::new();
    let first = batch(&bench, "1.geojson", &[json!({"ma": "A", "ghi": "kín", "mau": "đỏ"})]);
    import(&bench, 0, &first, &["--key", "ma", "--personal", "ghi"]);
    // The same field in capitals.
    let second = batch(&bench, "2.geojson", &[json!({"ma": "A", "GHI": "kín", "mau": "đỏ"})]);
    let report = import(&bench, 0, &second, &[]).json();
    assert_eq!(report["layers"][0]["public_fields"], json!(["ma", "mau"]), "{report}");
    // Without it: it is refused, and what goes is named.
    let third = batch(&bench, "3.geojson", &[json!({"ma": "A"})]);
    let refused = import(&bench, 1, &third, &[]).stderr();
    assert!(
        refused.contains("would be lost: `GHI`") && refused.contains("--allow-drop-personal"),
        "{refused}"
    );
    let told = notes(&import(&bench, 0, &third, &["--allow-drop-personal"]).json());
    assert!(told.contains("`GHI` (personal)") && told.contains("`mau`"), "{told}");
    // It comes back as what it was.
    let report = import(&bench, 0, &first, &[]).json();
    assert_eq!(report["layers"][0]["public_fields"], json!(["ma", "mau"]), "{report}");
}

#[test]
fn a_public_export_does_not_replace_the_layer_it_came_from() {
    let bench = Bench::new();
    let rows = [json!({"ma": "A", "chu_su_dung": "Nguyễn Kín"})];
    import(&bench, 0, &batch(&bench, "1.geojson", &rows), &["--key", "ma"]);
    bench.expect(0, ["export", "t", "--to", "public.geojson"]);
    let file = bench.path("public.geojson").to_str().unwrap().to_owned();
    let refused = import(&bench, 1, &file, &[]).stderr();
    assert!(refused.contains("export it with --personal"), "{refused}");
    // Named on purpose: left out, or under another name.
    import(&bench, 0, &batch(&bench, "2.geojson", &rows), &["--field", "chu_su_dung=ghi_2"]);
    let report =
        import(&bench, 0, &batch(&bench, "3.geojson", &[json!({"ma": "A", "ghi_2": "x"})]), &[]).json();
    assert_eq!(report["layers"][0]["public_fields"], json!(["ma"]), "{report}");
    import(
        &bench,
        0,
        &batch(&bench, "4.geojson", &[json!({"ma": "A", "ghi_2": "x"})]),
        &["--drop-field", "ghi_2"],
    );
    let report =
        import(&bench, 0, &batch(&bench, "5.geojson", &[json!({"ma": "A", "Ghi_2": "x"})]), &[]).json();
    assert_eq!(report["layers"][0]["public_fields"], json!(["ma"]), "{report}");
    let report = import(
        &bench,
        0,
        &batch(&bench, "6.geojson", &[json!({"ma": "A", "ghi_2": "x"})]),
        &["--public", "ghi_2"],
    );
    assert_eq!(report.json()["layers"][0]["public_fields"], json!(["ma", "ghi_2"]));
}

#[test]
fn a_report_into_a_pipe_puts_no_rejects_beside_it() {
    let bench = Bench::new();
    fs::write(bench.path("p.csv"), "ma,lon,lat\nA,106.7,10.77\nB,x,10.77\n").unwrap();
    let run = bench.expect(3, ["import", "p.csv", "--report", "/dev/stderr"]);
    assert!(run.stderr().contains("\"rejected\": 1"), "{}", run.stderr());
    assert!(bench.path("p.rejects.gpkg").exists());
    assert!(!std::path::Path::new("/dev/stderr.rejects.gpkg").exists());
}

#[test]
fn settings_of_a_layer_survive_a_replacement() {
    let bench = Bench::new();
    let file = batch(&bench, "1.geojson", &[json!({"ma": "A", "ten": "x", "so_to": "1", "ghi_chu": "y"})]);
    import(&bench, 0, &file, &[]);
    bench.expect(
        0,
        [
            "layer",
            "set",
            "t",
            "--title-vi",
            "Giếng",
            "--title-en",
            "Wells",
            "--role",
            "utility",
            "--key",
            "ma",
            "--label",
            "ghi_chu",
            "--meaning",
            "so_to=none",
            "--personal",
            "ten",
            "--theme",
            "water",
            "--steward",
            "Sở",
            "--code-list",
            "ma=land_use",
            "--shown",
            "no",
        ],
    );
    let shown = |bench: &Bench| bench.expect(0, ["--json", "layer", "show", "t"]).json();
    let before = shown(&bench);
    let report = import(&bench, 0, &file, &[]).json();
    assert_eq!(counts(&report), [0, 0, 1, 0]);
    let mut after = shown(&bench);
    after["revision"] = before["revision"].clone();
    assert_eq!(after, before);
    assert_eq!(after["layer"]["shown"], json!(false));
    import(&bench, 0, &file, &["--title", "Other", "--role", "place", "--meaning", "so_to=sheet"]);
    let after = shown(&bench).to_string();
    assert!(after.contains("Other") && after.contains("\"place\"") && after.contains("sheet"), "{after}");
}

#[test]
fn files_of_two_names_do_not_become_one_layer_by_accident() {
    let bench = Bench::new();
    let run = |name: &str, layer: &[&str], code: i32| {
        let file = batch(&bench, name, &[json!({"ma": "A"})]);
        bench.expect(code, ["import", file.as_str()].iter().chain(layer)).stderr()
    };
    assert!(run("数据.geojson", &[], 1).contains("--layer ID"));
    run("Thửa đất.geojson", &[], 0);
    run("Thửa đất.geojson", &[], 0);
    let error = run("Thua dat.geojson", &[], 1);
    assert!(error.contains("`thua_dat`") && error.contains("`Thửa đất.geojson`"), "{error}");
    run("Thua dat.geojson", &["--layer", "thua_dat"], 0);
}

#[test]
fn an_upsert_leaves_what_it_does_not_bring_and_goes_by_the_key_of_the_layer() {
    let bench = Bench::new();
    let first = batch(&bench, "1.geojson", &[json!({"ma": "A", "ten": "x", "gt": 2})]);
    import(&bench, 0, &first, &["--key", "ma"]);
    let fewer = batch(&bench, "2.geojson", &[json!({"ma": "A", "ten": "y"}), json!({"ma": "B", "ten": "z"})]);
    let report = import(&bench, 0, &fewer, &["--mode", "upsert"]).json();
    assert!(notes(&report).contains("the source has no `gt`"), "{report}");
    assert_eq!(counts(&report), [1, 1, 0, 0]);
    let expected = [json!({"ma": "A", "ten": "y", "gt": 2}), json!({"ma": "B", "ten": "z", "gt": null})];
    assert_eq!(rows(&bench), expected);
    let other = ["import", &fewer, "--layer", "t", "--mode", "upsert", "--key", "ten"];
    let error = bench.expect(1, other).stderr();
    assert!(error.contains("is `ma`") && error.contains("citymap layer set t --key ten"), "{error}");
    let keyless = batch(&bench, "3.geojson", &[json!({"ten": "y"})]);
    let error = bench.expect(1, ["import", &keyless, "--layer", "t", "--mode", "upsert"]).stderr();
    assert!(error.contains("--field OLD=ma"), "{error}");
    let twice = batch(&bench, "4.geojson", &[json!({"ma": "A", "ten": "1"}), json!({"ma": "A", "ten": "2"})]);
    let report = import(&bench, 3, &twice, &["--mode", "upsert"]).json();
    assert!(notes(&report).contains("the first of each was taken, and the others were rejected"), "{report}");
}

#[test]
fn the_same_file_again_changes_nothing() {
    let bench = Bench::new();
    let row = |ma: &str, ten: i32| json!({"ma": ma, "ten": ten});
    let file = batch(&bench, "1.geojson", &[row("A", 1), row("A", 2), row("", 3), row("B", 4), row("A", 1)]);
    for key in [&["--key", "ma"][..], &[]] {
        let bench = Bench::new();
        import(&bench, 0, &file, key);
        let report = import(&bench, 0, &file, key).json();
        assert_eq!(counts(&report), [0, 0, 5, 0], "{key:?}");
    }
}

#[test]
fn an_exported_table_goes_back_by_upsert() {
    let bench = Bench::new();
    let row = |ma: &str| json!({"ma": ma, "so": "007", "gt": 1.5, "dung": true, "chu_su_dung": "Lan"});
    import(&bench, 0, &batch(&bench, "1.geojson", &[row("1"), row("2")]), &["--key", "ma"]);
    let before = rows(&bench);
    for (name, personal) in [("public.csv", None), ("all.csv", Some("--personal"))] {
        bench.expect(0, ["export", "t", "--to", name].iter().copied().chain(personal));
        let file = bench.path(name).to_str().unwrap().to_owned();
        let report = import(&bench, 0, &file, &["--mode", "upsert"]).json();
        assert_eq!(counts(&report), [0, 0, 2, 0], "{name}: {report}");
        assert_eq!(rows(&bench), before);
    }
}

#[test]
fn a_difference_shows_the_fields_that_differ_only() {
    let bench = Bench::new();
    import(
        &bench,
        0,
        &batch(&bench, "1.geojson", &[json!({"ma": "A", "ten": "x", "gt": 2})]),
        &["--key", "ma"],
    );
    let more = batch(&bench, "2.geojson", &[json!({"ma": "A", "ten": "x", "gt": 3, "moi": true})]);
    import(&bench, 0, &more, &[]);
    let diff = bench.expect(0, ["--json", "diff", "1", "2"]).json();
    let feature = &diff["layers"][0]["features"][0];
    assert_eq!(feature["before"], json!({"gt": 2}));
    assert_eq!(feature["after"], json!({"gt": 3, "moi": true}));
}

#[test]
fn names_are_compared_in_one_form_and_steer_no_terminal() {
    let bench = Bench::new();
    let decomposed = "So\u{302}\u{301} to\u{31b}\u{300}";
    let rows = [json!({decomposed: "1", "b\u{202e}c": "x", "x\ny": "y", "bo\u{309}": "z"})];
    let file = batch(&bench, "1.geojson", &rows);
    let run = bench.expect(
        0,
        ["import", &file, "--layer", "t", "--key", "Số tờ", "--drop-field", "bỏ", "--title", "a\u{1b}[2Jb"],
    );
    let fields = bench.expect(0, ["--json", "layer", "show", "t"]).json();
    let names: Vec<&str> = fields["layer"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Số tờ", "bc", "x y"], "{}", run.stdout());
    assert_eq!(fields["layer"]["title"]["vi"], "a [2Jb");
    bench.expect(0, ["layer", "set", "t", "--label", decomposed, "--message", "a\u{202e}b\nc"]);
    let log = bench.expect(0, ["log"]).stdout();
    assert!(log.contains("a\\u{202e}b\\u{a}c"), "{log}");
    let log = bench.expect(0, ["--json", "log"]);
    assert!(!log.stdout().contains('\u{202e}') && log.json().to_string().contains('\u{202e}'));
}

#[test]
fn several_files_are_added_to_the_layer_that_is_named() {
    let bench = Bench::new();
    let [one, two] = ["1", "2"].map(|name| batch(&bench, &format!("{name}.geojson"), &[json!({"ma": name})]));
    let adding = ["--json", "import", &one, &two, "--layer", "t", "--mode", "append"];
    let refused = bench.expect(1, adding).stderr();
    assert!(refused.contains("one layer, which must be there"), "{refused}");
    import(&bench, 0, &batch(&bench, "0.geojson", &[json!({"ma": "0"})]), &[]);
    bench.expect(0, adding);
    let layers = bench.expect(0, ["layers"]).stdout();
    assert!(!layers.contains("t_"), "{layers}");
    assert_eq!(rows(&bench).len(), 3);
}
