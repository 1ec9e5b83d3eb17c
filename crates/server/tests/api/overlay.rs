//! One feature's overlay, and overlays as jobs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::common::{BEARER, COLUMNS, CORNER, PARCELS, SIDE, Server, TOKEN, TestStore, store};
use citymap_model::{Field, FieldType, GeometryKind, Layer, NewFeature, Role, Title, Value};
use citymap_server::{Config, Writer};
use geo::Rect;
use serde_json::{Value as Json, json};

/// Two zones that halve the city down the middle of a column of parcels.
fn with_zones() -> TestStore {
    let store = store();
    let title = Title::new("Ô quy hoạch", "Zones");
    let mut layer = Layer::new("zones".parse().unwrap(), title, Role::Zone, GeometryKind::Polygon);
    let mut secret = Field::new("ghi_chu_kin", FieldType::Text);
    secret.personal = true;
    layer.fields = vec![Field::new("ma", FieldType::Text), secret];
    layer.key = Some("ma".into());
    let middle = CORNER[0] + (COLUMNS / 2) as f64 * SIDE + SIDE / 2.0;
    let zone = |name: &str, west: f64, east: f64| NewFeature {
        geometry: Some(Rect::new((west, CORNER[1] - 0.01), (east, CORNER[1] + 0.03)).to_polygon().into()),
        values: vec![Value::Text(name.into()), Value::Text("Nguyễn Thị Bí Mật".into())],
    };
    store.put(layer, vec![zone("west", CORNER[0] - 0.01, middle), zone("east", middle, CORNER[0] + 0.03)]);
    store
}

fn config(folder: &Path) -> impl FnOnce(&mut Config) {
    let folder = folder.to_owned();
    move |config| {
        config.jobs_dir = Some(folder);
        config.writers = vec![Writer::new("tester", TOKEN).unwrap()];
        config.limits.jobs.waiting = 1;
    }
}

fn server(folder: &Path) -> Server {
    Server::with(with_zones(), config(folder))
}

fn send(
    server: &Server,
    method: &str,
    path: &str,
    body: Option<&Json>,
    token: bool,
) -> (u16, String, Vec<u8>) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request =
        ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", server.address));
    if token {
        request = request.header("Authorization", BEARER);
    }
    let answer = match body {
        Some(body) => {
            agent.run(request.header("Content-Type", "application/json").body(body.to_string()).unwrap())
        }
        None => agent.run(request.body(()).unwrap()),
    };
    let mut answer = answer.unwrap();
    let place =
        answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned()).unwrap_or_default();
    let bytes = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
    (answer.status().as_u16(), place, bytes)
}

fn start(server: &Server, inputs: &Json) -> (u16, Json) {
    let body = json!({"inputs": inputs});
    let (status, place, bytes) = send(server, "POST", "/api/processes/overlay/execution", Some(&body), false);
    let job: Json = serde_json::from_slice(&bytes).unwrap();
    if status == 201 {
        assert!(place.ends_with(&format!("/api/jobs/{}", job["jobID"].as_str().unwrap())), "{place}");
    }
    (status, job)
}

/// Waits until the job is over.
fn ended(server: &Server, id: &str) -> Json {
    let start = Instant::now();
    loop {
        let (status, _, bytes) = send(server, "GET", &format!("/api/jobs/{id}"), None, false);
        assert_eq!(status, 200);
        let job: Json = serde_json::from_slice(&bytes).unwrap();
        if !["accepted", "running"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{job}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn files(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder).unwrap().flatten();
    folders.map(|folder| std::fs::read_dir(folder.path()).unwrap().count()).sum()
}

#[test]
fn one_feature_is_shared_out_among_the_zones() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    // A parcel of the column that the border halves.
    let id = format!("26740-1-{}", COLUMNS / 2);
    let path = format!("/api/overlay?layer=parcels&id={id}&with=zones,wells,roads");
    let got = server.json(&path);
    let zones = &got["layers"].as_array().unwrap().iter().find(|layer| layer["layer"] == "zones").unwrap();
    let pieces = zones["pieces"].as_array().unwrap();
    assert_eq!(pieces.len(), 2, "{got}");
    let shares: f64 = pieces.iter().map(|piece| piece["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-8, "{got}");
    assert!((pieces[0]["share"].as_f64().unwrap() - 0.5).abs() < 1e-3, "{got}");
    assert_eq!(pieces[0]["area"]["crs"], "EPSG:9210");
    assert_eq!(pieces[0]["properties"], json!({"ma": "west"}), "personal fields are absent");
    // The road through the first row, along that parcel's middle.
    let roads = got["layers"].as_array().unwrap().iter().find(|layer| layer["layer"] == "roads").unwrap();
    let length = roads["pieces"][0]["length"]["value"].as_f64().unwrap();
    assert!((21.0..23.0).contains(&length), "{got}");
    let tag = server.get(&path).header("etag").to_owned();
    assert_eq!(server.get_with(&path, &[("if-none-match", &tag)]).status, 304);
    assert_eq!(server.problem("/api/overlay?layer=parcels&id=nix&with=zones").0, 404);
    assert_eq!(server.problem("/api/overlay?layer=parcels&id=26740-1-1").0, 400);
    assert_eq!(server.problem("/api/overlay?layer=wells&id=1&with=roads").0, 400);
}

#[test]
fn a_job_runs_tells_and_gives_its_file_as_a_whole_and_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let inputs = json!({"layer": "parcels", "with": "zones", "format": "csv", "geometry": false});
    let (status, job) = start(&server, &inputs);
    assert_eq!(status, 201, "{job}");
    let id = job["jobID"].as_str().unwrap();
    let job = ended(&server, id);
    assert_eq!(
        (job["status"].as_str().unwrap(), job["progress"].as_u64()),
        ("successful", Some(100)),
        "{job}"
    );
    assert!(job["started"].is_string() && job["finished"].is_string());
    let path = format!("/api/jobs/{id}/results");
    let whole = server.get(&path);
    assert_eq!(whole.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert!(whole.header("content-disposition").contains("parcels_zones.csv"));
    let text = String::from_utf8(whole.bytes.clone()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
    let pieces = job["summary"]["pieces"].as_u64().unwrap() as usize;
    let halved = PARCELS.div_ceil(COLUMNS)
        - usize::from(PARCELS % COLUMNS <= COLUMNS / 2 && !PARCELS.is_multiple_of(COLUMNS));
    assert_eq!((lines.len() - 1, pieces), (pieces, PARCELS + halved));
    assert!(!text.contains("Bí Mật") && lines[0].contains("parcels_id") && lines[0].contains("zones_ma"));
    let part = server.get_with(&path, &[("range", "bytes=5-14")]);
    assert_eq!((part.status, &part.bytes[..]), (206, &whole.bytes[5..15]));
    assert_eq!(part.header("content-range"), format!("bytes 5-14/{}", whole.bytes.len()));
    assert_eq!(server.get_with(&path, &[("range", "bytes=99999999-")]).status, 416);
    // The list is for writers.
    let list = |token| -> Json {
        serde_json::from_slice(&send(&server, "GET", "/api/jobs", None, token).2).unwrap()
    };
    assert_eq!(
        (list(true)["jobs"].as_array().unwrap().len(), list(false)["jobs"].as_array().unwrap().len()),
        (1, 0)
    );
    assert_eq!(files(folder.path()), 1);
    let (status, _, _) = send(&server, "DELETE", &format!("/api/jobs/{id}"), None, false);
    assert_eq!((status, server.problem(&path).0, files(folder.path())), (200, 404, 0));
}

#[test]
fn what_cannot_be_done_is_said_before_a_job_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    for inputs in [
        json!({"layer": "parcels"}),
        json!({"layer": "parcels", "with": "nix"}),
        json!({"layer": "wells", "with": "roads"}),
        json!({"layer": "parcels", "with": "zones", "format": "shp"}),
        json!({"layer": "parcels", "with": "zones", "filter": {"zones": {"ghi_chu_kin": "x"}}}),
        json!({"layer": "parcels", "with": "zones",
            "within": {"type": "Point", "coordinates": [106.7, 10.7]}}),
        json!({"layer": "parcels", "with": "zones", "wiht": 1}),
    ] {
        assert_eq!(start(&server, &inputs).0, 400, "{inputs}");
    }
    assert_eq!(files(folder.path()), 0);
    let (_, description) = (0, server.json("/api/processes/overlay"));
    assert!(description["inputs"]["layer"].is_object());
    assert_eq!(server.json("/api/processes")["processes"][0]["id"], "overlay");
}

/// Parcels upon parcels upon parcels: an overlay that takes long.
fn slow() -> TestStore {
    let store = TestStore::default();
    for name in ["a", "b"] {
        let layer = Layer::new(name.parse().unwrap(), Title::same(name), Role::Other, GeometryKind::Polygon);
        let feature = |n: i32| {
            let shift = f64::from(n) * 1e-6;
            let corners: Vec<(f64, f64)> = (0..200)
                .map(|k| {
                    let angle = f64::from(k) / 200.0 * std::f64::consts::TAU;
                    (106.7 + shift + 0.01 * angle.cos(), 10.77 + 0.01 * angle.sin())
                })
                .collect();
            let ring = geo::Polygon::new(corners.into(), vec![]);
            NewFeature { geometry: Some(ring.into()), values: vec![] }
        };
        store.put(layer, (0..3_000).map(feature).collect());
    }
    store
}

#[test]
fn a_job_is_cancelled_midway_others_wait_and_one_too_many_is_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(slow(), config(folder.path()));
    let inputs = json!({"layer": "a", "with": "b", "format": "csv"});
    let (_, first) = start(&server, &inputs);
    let id = first["jobID"].as_str().unwrap().to_owned();
    let running = Instant::now();
    loop {
        let job = server.json(&format!("/api/jobs/{id}"));
        if job["status"] == "running" {
            break;
        }
        assert!(running.elapsed() < Duration::from_secs(20), "{job}");
    }
    assert_eq!(server.problem(&format!("/api/jobs/{id}/results")).0, 404);
    let (status, second) = start(&server, &inputs);
    assert_eq!((status, second["status"].as_str().unwrap()), (201, "accepted"));
    assert_eq!(start(&server, &inputs).0, 503);
    let clock = Instant::now();
    let (status, _, bytes) = send(&server, "DELETE", &format!("/api/jobs/{id}"), None, false);
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_slice::<Json>(&bytes).unwrap()["status"], "dismissed");
    // Its place is the next one's soon after.
    let second = second["jobID"].as_str().unwrap();
    while server.json(&format!("/api/jobs/{second}"))["status"] == "accepted" {
        assert!(clock.elapsed() < Duration::from_secs(5), "the cancelled job goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
    send(&server, "DELETE", &format!("/api/jobs/{second}"), None, false);
    let clock = Instant::now();
    while files(folder.path()) > 0 {
        assert!(clock.elapsed() < Duration::from_secs(5), "something is left");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(server);
}
