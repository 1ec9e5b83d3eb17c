//! `citymap layer` and `import --meaning`: what fields mean is proposed, shown, and changed as revisions.

use citymap_tests::Bench;
use serde_json::{Value, json};

/// Three parcels as an office may hand them over.
const PARCELS: &str = "\
so_to,So Thua,loai_dat,ghi_chu,tu_ngay,WKT
1,10,ODT,x,2024-01-01,\"POLYGON((106.7 10.77,106.701 10.77,106.701 10.771,106.7 10.77))\"
1,11,CLN,x,2024-02-01,\"POLYGON((106.7 10.78,106.701 10.78,106.701 10.781,106.7 10.78))\"
2,10,LUC,y,2024-03-01,\"POLYGON((106.7 10.79,106.701 10.79,106.701 10.791,106.7 10.79))\"
";

fn parcels(bench: &Bench, arguments: &[&str]) -> citymap_tests::Run {
    let file = bench.path("parcels.csv");
    std::fs::write(&file, PARCELS).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let whole = ["--json", "import", &file, "--crs", "EPSG:4326"];
    bench.run(whole.iter().chain(arguments))
}

/// The meaning of each field that has one.
fn meanings(fields: &Value) -> Value {
    let fields = fields.as_array().unwrap().iter();
    fields
        .filter_map(|field| Some((field["name"].as_str()?.to_owned(), field.get("meaning")?.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn shown(bench: &Bench) -> Value {
    bench.expect(0, ["--json", "layer", "show", "parcels"]).json()
}

#[test]
fn meanings_are_proposed_reported_and_may_be_said_otherwise() {
    let bench = Bench::new();
    let report = parcels(&bench, &[]).json();
    let proposed = json!({"so_to": "sheet", "So Thua": "parcel_number", "loai_dat": "land_use"});
    assert_eq!(meanings(&report["layers"][0]["fields"]), proposed);
    let report = parcels(&bench, &["--meaning", "ghi_chu=status", "--meaning", "loai_dat=none"]).json();
    let said = json!({"so_to": "sheet", "So Thua": "parcel_number", "ghi_chu": "status"});
    assert_eq!(meanings(&report["layers"][0]["fields"]), said);
    assert_eq!(meanings(&shown(&bench)["layer"]["fields"]), said);
}

#[test]
fn a_meaning_for_nothing_is_refused() {
    let bench = Bench::new();
    for (arguments, code, told) in [
        (&["--meaning", "gone=sheet"][..], 1, "So Thua"),
        (&["--meaning", "so_to=colour"], 2, "parcel_number"),
        (&["--meaning", "so_to"], 2, "FIELD=MEANING"),
    ] {
        let run = parcels(&bench, arguments);
        assert_eq!(run.code(), Some(code), "{arguments:?}");
        assert!(run.stderr().contains(told), "{}", run.stderr());
    }
    parcels(&bench, &[]);
    let run = parcels(&bench, &["--mode", "append", "--meaning", "ghi_chu=status"]);
    assert!(run.stderr().contains("citymap layer set parcels"), "{}", run.stderr());
}

#[test]
fn each_change_of_a_definition_is_one_revision_that_can_be_undone() {
    let bench = Bench::new();
    parcels(&bench, &[]);
    let set = |arguments: &[&str]| {
        bench.expect(0, ["--json", "layer", "set", "parcels"].iter().chain(arguments)).json()
    };
    let changed = set(&[
        "--title-vi",
        "Thửa đất",
        "--title-en",
        "Parcels",
        "--steward",
        "Sở NN&MT",
        "--key",
        "So Thua",
        "--meaning",
        "ghi_chu=status",
        "--personal",
        "ghi_chu",
        "--author",
        "lan",
        "--message",
        "Đặt tên",
    ]);
    assert_eq!((&changed["revision"], &changed["layer"]["steward"]), (&json!(2), &json!("Sở NN&MT")));
    let now = shown(&bench);
    assert_eq!((&now["layer"]["title"]["vi"], &now["layer"]["key"]), (&json!("Thửa đất"), &json!("So Thua")));
    assert_eq!((&now["count"], &now["revision"]), (&json!(3), &json!(2)), "the features are as they were");
    let log = bench.expect(0, ["--json", "log"]).json();
    let newest = log.as_array().or_else(|| log["revisions"].as_array()).unwrap()[0].clone();
    assert!(newest.to_string().contains("Đặt tên") && newest.to_string().contains("lan"), "{newest}");
    assert_eq!(set(&["--steward", "Sở NN&MT"])["revision"], Value::Null, "no change is no revision");
    bench.expect(0, ["rollback", "--to", "1"]);
    assert_eq!(shown(&bench)["layer"]["steward"], Value::Null);
}

#[test]
fn a_field_that_became_personal_is_gone_from_what_the_public_sees() {
    let bench = Bench::new();
    parcels(&bench, &[]);
    let server = bench.serve();
    let fields = || server.json("/api/collections/parcels")["citymap"]["fields"].clone();
    let wanted = json!({"so_to": "sheet", "So Thua": "parcel_number", "loai_dat": "land_use",
                        "ghi_chu": null, "tu_ngay": null});
    assert_eq!(meanings(&fields()), wanted);
    bench.expect(0, ["layer", "set", "parcels", "--personal", "ghi_chu", "--theme", "green"]);
    let start = std::time::Instant::now();
    while fields().to_string().contains("ghi_chu") {
        assert!(start.elapsed().as_secs() < 30, "{}", fields());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(server.json("/api/collections/parcels")["citymap"]["theme"], "green");
}

#[test]
fn show_is_for_people_too_and_mistakes_are_explained() {
    let bench = Bench::new();
    parcels(&bench, &[]);
    let text = bench.expect(0, ["layer", "show", "parcels"]).stdout();
    for wanted in ["parcel_number", "land_use", "everybody", "role"] {
        assert!(text.contains(wanted), "{text}");
    }
    for (arguments, told) in [
        (&["show", "gone"][..], "citymap layers"),
        (&["set", "gone", "--key", "none"], "citymap layers"),
        (&["set", "parcels"], "say what to change"),
        (&["set", "parcels", "--key", "gone"], "So Thua"),
        (&["set", "parcels", "--valid-from", "so_to"], "date"),
    ] {
        let run = bench.expect(1, ["layer"].iter().chain(arguments));
        assert!(run.stderr().contains(told), "{arguments:?}: {}", run.stderr());
    }
}
