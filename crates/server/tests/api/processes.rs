//! OGC API – Processes: processes, their execution at once or as a job, and the list of jobs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::time::Duration;

use crate::common::{BEARER, Got, Server, TestStore, middle, parcels, store};
use serde_json::{Value, json};

const EXCEPTIONS: &str = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0";

fn execute(server: &Server, process: &str, prefer: &str, body: &Value) -> Got {
    let path = format!("/api/processes/{process}/execution");
    let headers = [("content-type", "application/json"), ("prefer", prefer)];
    server.ask("POST", &path, &headers, Some(&body.to_string()))
}

/// Waits until the job has ended.
fn ended(server: &Server, job: &Value) -> Value {
    let path = format!("/api/jobs/{}", job["jobID"].as_str().unwrap());
    for _ in 0..3_000 {
        let job = server.json(&path);
        if !["accepted", "running"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{path} does not end");
}

#[test]
fn processes_and_jobs_are_linked_and_listed_in_pages() {
    let server = Server::start();
    let landing = server.json("/api");
    for (name, path) in [("processes", "/api/processes"), ("job-list", "/api/jobs")] {
        let rel = format!("http://www.opengis.net/def/rel/ogc/1.0/{name}");
        let links = landing["links"].as_array().unwrap();
        assert!(links.iter().any(|link| link["rel"] == *rel && link["href"] == *server.url(path)), "{rel}");
    }
    let first = server.json("/api/processes?limit=1");
    assert_eq!(first["processes"].as_array().unwrap().len(), 1);
    let next = first["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next").unwrap();
    let second = server.json(next["href"].as_str().unwrap().strip_prefix(&server.url("")).unwrap());
    assert_eq!(
        (&first["processes"][0]["id"], &second["processes"][0]["id"]),
        (&json!("overlay"), &json!("print"))
    );
    let last = server.json("/api/processes?limit=100");
    assert!(last["links"].as_array().unwrap().iter().all(|link| link["rel"] != "next"));
    assert_eq!(server.json("/api/processes?offset=99")["processes"], json!([]));
    assert_eq!(server.problem("/api/processes?limit=0").0, 400);
    let classes = server.json("/api/conformance")["conformsTo"].to_string();
    for class in ["processes-1/1.0/conf/core", "processes-1/1.0/conf/job-list", "tiles-1/1.0/conf/core"] {
        assert!(classes.contains(class), "{class}");
    }
}

#[test]
fn exceptions_have_the_types_of_the_standard() {
    let server = Server::start();
    for (path, name) in [
        ("/api/processes/nix", "no-such-process"),
        ("/api/jobs/nix", "no-such-job"),
        ("/api/jobs/nix/results", "no-such-job"),
    ] {
        let got = server.get(path);
        assert_eq!(
            (got.status, got.json()["type"].as_str().unwrap()),
            (404, &*format!("{EXCEPTIONS}/{name}"))
        );
        got.problem();
    }
    let got = execute(&server, "nix", "", &json!({"inputs": {}}));
    assert_eq!(
        (got.status, got.json()["type"].clone()),
        (404, format!("{EXCEPTIONS}/no-such-process").into())
    );
}

#[test]
fn an_echo_answers_at_once_unless_a_job_is_preferred() {
    let server = Server::start();
    let body = |response: &str| json!({"inputs": {"message": "xin \"chào\""}, "response": response});
    let raw = execute(&server, "echo", "", &body("raw"));
    assert_eq!((raw.status, raw.json()), (200, json!("xin \"chào\"")));
    let document = execute(&server, "echo", "respond-sync", &body("document"));
    assert_eq!((document.status, document.json()), (200, json!({"message": "xin \"chào\""})));

    let got = execute(&server, "echo", "wait=5, respond-async", &body("document"));
    assert_eq!((got.status, got.header("preference-applied")), (201, "respond-async"));
    let job = got.json();
    let links = job["links"].as_array().unwrap();
    assert!(links.iter().any(|link| link["rel"] == "monitor" && link["href"] == got.header("location")));
    let done = ended(&server, &job);
    assert_eq!(done["status"], "successful");
    let results = server.json(&format!("/api/jobs/{}/results", job["jobID"].as_str().unwrap()));
    assert_eq!(results, json!({"message": "xin \"chào\""}));
}

#[test]
fn a_request_that_cannot_be_met_is_refused_and_not_read_past() {
    let server = Server::start();
    for body in [
        json!({"inputs": {}}),
        json!({"inputs": {"message": 1}}),
        json!({"inputs": {"message": "a", "more": "b"}}),
        json!({"inputs": {"message": "a"}, "response": "xml"}),
        json!({"inputs": {"message": "a"}, "response": null}),
        json!({"inputs": {"message": "a"}, "subscriber": {"successUri": "http://example.vn"}}),
        json!({"inputs": {"message": "a"}, "outputs": {"nix": {}}}),
        json!({"inputs": {"message": "a"}, "outputs": {"message": {"transmissionMode": "reference"}}}),
        json!([1]),
    ] {
        assert_eq!(execute(&server, "echo", "", &body).problem().0, 400, "{body}");
    }
    let outputs = json!({"inputs": {"message": "a"}, "outputs": {"message": {"transmissionMode": "value"}}});
    assert_eq!(execute(&server, "echo", "", &outputs).status, 200);
}

#[test]
fn a_document_refers_to_the_file() {
    let server = Server::start();
    let inputs = json!({"layer": "parcels", "with": "parcels", "format": "csv", "geometry": false});
    let job = execute(&server, "overlay", "", &json!({"inputs": inputs, "response": "document"})).json();
    assert_eq!(ended(&server, &job)["status"], "successful");
    let path = format!("/api/jobs/{}/results", job["jobID"].as_str().unwrap());
    let document = server.json(&path);
    assert!(document["pieces"]["type"].as_str().unwrap().starts_with("text/csv"));
    assert_eq!(document["pieces"]["href"], *server.url(&format!("{path}/pieces")));
    let file = server.ask("GET", &format!("{path}/pieces"), &[], None);
    assert!(file.status == 200 && file.header("content-type").starts_with("text/csv"));
    assert_eq!(server.ask("GET", &format!("{path}/other"), &[], None).status, 404);
}

#[test]
fn writers_find_jobs_by_the_parameters_of_the_standard() {
    let server = Server::writing();
    let echo = execute(&server, "echo", "respond-async", &json!({"inputs": {"message": "a"}})).json();
    let inputs = json!({"layer": "parcels", "with": "parcels", "format": "csv"});
    let overlay = execute(&server, "overlay", "respond-sync", &json!({"inputs": inputs}));
    assert_eq!(overlay.status, 201, "it runs as a job only");
    for job in [&echo, &overlay.json()] {
        assert_eq!(ended(&server, job)["status"], "successful");
    }
    let count = |query: &str| {
        let got = server.get_with(&format!("/api/jobs?{query}"), &[("authorization", BEARER)]);
        assert_eq!(got.status, 200, "{query}: {}", got.text());
        got.json()["jobs"].as_array().unwrap().len()
    };
    for (query, jobs) in [
        ("", 2),
        ("type=process", 2),
        ("processID=echo", 1),
        ("processID=echo,overlay", 2),
        ("processID=nix", 0),
        ("status=successful,failed", 2),
        ("status=running", 0),
        ("datetime=2000-01-01/..", 2),
        ("datetime=../2000-01-01", 0),
        ("minDuration=0&maxDuration=3600", 2),
        ("minDuration=3600", 0),
        ("limit=1", 1),
        ("limit=1&offset=2", 0),
    ] {
        assert_eq!(count(query), jobs, "{query}");
    }
    assert_eq!(server.json("/api/jobs?status=successful")["jobs"], json!([]), "without a token none");
    for query in ["status=done", "type=cake", "minDuration=-1", "datetime=then", "nix=1"] {
        assert_eq!(server.problem(&format!("/api/jobs?{query}")).0, 400, "{query}");
    }
}

/// The text objects of a PDF file cannot be read as they are; its size and its links can.
fn pdf_text(got: &Got) -> String {
    assert_eq!((got.status, got.header("content-type")), (200, "application/pdf"), "{}", got.text());
    assert!(got.bytes.starts_with(b"%PDF-1.7"));
    String::from_utf8_lossy(&got.bytes).into_owned()
}

#[test]
fn one_sheet_is_printed_at_once() {
    let server = Server::start();
    let [lon, lat] = middle(30);
    let inputs = json!({"center": [lon, lat], "scale": 500, "paper": "A4", "lang": "en", "title": "Tờ thử"});
    let got = execute(&server, "print", "", &json!({"inputs": inputs}));
    let text = pdf_text(&got);
    assert!(got.header("content-disposition").contains("map-"), "{}", got.header("content-disposition"));
    assert_eq!(text.matches("/Type /Page ").count(), 1);
    // A4 upright in points, and the way back to the map.
    assert!(text.contains("/MediaBox [0 0 595.276 841.890]"));
    assert!(text.contains(&format!("/URI ({}#map=", server.url("/"))), "the code leads to the same view");
    // The same order gives the same bytes; the parcel's outline another file.
    assert_eq!(got.bytes, execute(&server, "print", "", &json!({"inputs": inputs})).bytes);
    let parcel = server.json("/api/collections/parcels/items?limit=1")["features"][0]["id"].clone();
    let parcel = parcel.as_str().map_or_else(|| parcel.to_string(), str::to_owned);
    let inputs = json!({"parcel": parcel, "layer": "parcels", "paper": "A3", "orientation": "landscape"});
    assert!(
        pdf_text(&execute(&server, "print", "", &json!({"inputs": inputs}))).contains("1190.551 841.890")
    );
    // A former revision, and one that there is not.
    let revision = server.json("/api/collections/parcels")["citymap"]["revision"].clone();
    let inputs = json!({"center": [lon, lat], "revision": revision});
    assert!(
        pdf_text(&execute(&server, "print", "", &json!({"inputs": inputs})))
            .contains(&format!("&rev={revision}"))
    );
    let inputs = json!({"center": [lon, lat], "revision": 999});
    assert_eq!(execute(&server, "print", "", &json!({"inputs": inputs})).problem().0, 400);
    let papers = &server.json("/api/processes/print")["citymap:papers"];
    assert!(papers["A4"]["portrait"][0].as_f64().is_some_and(|width| width > 150.0), "{papers}");
}

#[test]
fn a_series_of_sheets_is_a_job() {
    let server = Server::start();
    let [[west, south], [east, north]] = [middle(0), middle(50)];
    let [west, east] = [west.min(east), west.max(east)];
    let [south, north] = [south.min(north), south.max(north)];
    let bbox = [west - 0.002, south - 0.001, east + 0.002, north + 0.001];
    let body = json!({"inputs": {"bbox": bbox, "scale": 1000}});
    let got = execute(&server, "print", "", &body);
    assert_eq!(got.status, 201, "{}", got.text());
    let done = ended(&server, &got.json());
    assert_eq!(done["status"], "successful", "{done}");
    let sheets = done["summary"]["sheets"].as_u64();
    assert!(sheets.is_some_and(|sheets| sheets > 1), "{done}");
    let path = format!("/api/jobs/{}/results", done["jobID"].as_str().unwrap());
    let text = pdf_text(&server.get(&path));
    assert_eq!(text.matches("/Type /Page ").count() as u64, sheets.unwrap() + 1, "and an index");
}

#[test]
fn prints_that_cannot_be_made_are_refused() {
    let server = Server::start();
    let center = middle(0);
    for (inputs, advice) in [
        (json!({}), "center"),
        (json!({"center": center, "bbox": [106.0, 10.0, 107.0, 11.0]}), "not both"),
        (json!({"center": center, "scale": 100}), "200"),
        (json!({"center": center, "paper": "B5"}), "A4"),
        (json!({"center": center, "orientation": "up"}), "portrait"),
        (json!({"center": center, "style": "nothing"}), "/api/styles"),
        (json!({"center": center, "lang": "fr"}), "vi, en"),
        (json!({"center": [1, 2, 3]}), "2 numbers"),
        (json!({"center": center, "title": "a".repeat(300)}), "200"),
        (json!({"parcel": "nothing"}), "no parcel"),
        (json!({"bbox": [106.0, 10.0, 107.0, 11.0], "scale": 200}), "sheets"),
        (json!({"bbox": [106.0, 10.0, 107.0, 11.0]}), "too large for one sheet"),
    ] {
        let (status, detail) = execute(&server, "print", "", &json!({"inputs": inputs})).problem();
        assert!(status == 400 && detail.contains(advice), "{inputs}: {status} {detail}");
    }
}

/// A revision of the parcels in which one is a copy of another.
fn with_an_overlap(store: &TestStore) {
    let (layer, mut features) = parcels();
    let copy = features[40].geometry.clone();
    features[41].geometry = copy;
    store.put(layer, features);
}

#[test]
fn a_check_gives_its_faults_as_a_file_and_compares_revisions() {
    let store = store();
    let server = Server::with(store.clone(), |_| {});
    let run = |inputs: Value| {
        let job = execute(&server, "check", "", &json!({"inputs": inputs}));
        assert_eq!(job.status, 201, "{}", job.text());
        let job = ended(&server, &job.json());
        assert_eq!(job["status"], "successful", "{job}");
        let results = server.get(&format!("/api/jobs/{}/results", job["jobID"].as_str().unwrap()));
        assert_eq!(results.status, 200);
        (job, results)
    };
    let overlaps = json!({"check": "parcel-overlaps"});
    let (job, clean) = run(overlaps.clone());
    assert_eq!((&clean.json()["features"], &job["summary"]["found"]), (&json!([]), &json!(0)), "{job}");
    let before = server.json("/api/collections")["revision"].as_u64();
    let before = before.unwrap_or_else(|| clean.header("citymap-revision").parse().unwrap());
    with_an_overlap(&store);
    server.json(&format!("/api/collections?min-revision={}", before + 1));
    let compared = json!({"check": "parcel-overlaps", "compareTo": before});
    let (job, found) = run(compared);
    assert!(found.header("content-type").starts_with("application/geo+json"));
    assert_eq!((&job["summary"]["new"], &job["summary"]["gone"]), (&json!(1), &json!(0)), "{job}");
    let found = found.json();
    let properties = &found["features"][0]["properties"];
    assert_eq!(properties["state"], "new", "{found}");
    assert_eq!((&properties["id"], &properties["other_id"]), (&json!("26740-1-40"), &json!("26740-1-41")));
    assert!(properties["area_m2"].as_f64().unwrap() > 400.0 && properties["reason_vi"] != "");
    let link = properties["link"].as_str().unwrap();
    assert_eq!(server.get(link.strip_prefix(&server.url("")).unwrap()).status, 200, "{link}");
    assert!(!found.to_string().contains("Bí Mật"));
    let (_, table) = run(json!({"check": "parcel-overlaps", "format": "csv", "minArea": 1e5}));
    assert_eq!(table.text().lines().count(), 1, "only the header: {}", table.text());
    for inputs in [
        json!({}),
        json!({"check": "nix"}),
        json!({"check": "parcel-overlaps", "format": "pdf"}),
        json!({"check": "parcel-overlaps", "minArea": -1}),
        json!({"check": "parcel-overlaps", "compareTo": 9_999}),
        json!({"check": "parcel-overlaps", "compareTo": "then"}),
    ] {
        assert_eq!(execute(&server, "check", "", &json!({"inputs": inputs})).problem().0, 400, "{inputs}");
    }
    let job = execute(&server, "check", "", &json!({"inputs": {"check": "zone-gaps"}})).json();
    let job = ended(&server, &job);
    assert_eq!(job["status"], "failed", "{job}");
    assert!(job["message"].as_str().unwrap().contains("role `zone`"), "{job}");
}
