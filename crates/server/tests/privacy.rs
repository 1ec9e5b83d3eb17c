//! No answer, file, page, event, message or log line of the server holds the value or the name of a personal
//! field.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod common;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use citymap_access::set_personal;
use citymap_model::{Field, FieldType, GeometryKind, Layer, NewFeature, Role, Title, Value};
use common::{BEARER, CORNER, Got, SIDE, Server, TestStore, store, writers};
use geo::Rect;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

/// Parts of the names and of the values of all personal fields; nothing else in the city holds them.
const SECRETS: [&str; 5] = ["kin_7f3a", "Kín 7f3a", "K\u{ed}n 9c41", "079201007777", "0903555777"];

/// A log that the test reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A layer of squares whose key, label and two more fields are personal, in the places of the parcels.
fn register(name: &str, key_is_personal: bool) -> (Layer, Vec<NewFeature>) {
    let title = Title::new("Sổ", "Register");
    let mut layer = Layer::new(name.parse().unwrap(), title, Role::Parcel, GeometryKind::Polygon);
    layer.fields = vec![
        Field::new("cccd_kin_7f3a", FieldType::Text).titled("Số Kín 7f3a", "Number kin_7f3a"),
        Field::new("chu_kin_7f3a", FieldType::Text),
        Field::new("ma", FieldType::Text),
        Field::new("sdt_kin_7f3a", FieldType::Text),
    ];
    for index in [0, 1, 3] {
        set_personal(&mut layer.fields[index], true);
    }
    layer.key = Some(if key_is_personal { "cccd_kin_7f3a" } else { "ma" }.into());
    layer.label = Some("chu_kin_7f3a".into());
    let text = |text: String| Value::Text(text);
    let features = (0..40)
        .map(|index| {
            let west = CORNER[0] + f64::from(index) * SIDE;
            let shape = Rect::new((west, CORNER[1]), (west + SIDE, CORNER[1] + SIDE)).to_polygon();
            NewFeature {
                geometry: Some(shape.into()),
                values: vec![
                    text("079201007777".into()),
                    text(format!("Kín 9c41 {index}")),
                    text(format!("M{index}")),
                    text("0903555777".into()),
                ],
            }
        })
        .collect();
    (layer, features)
}

fn city() -> TestStore {
    let store = store();
    for (name, key_is_personal) in [("secret", true), ("open", false)] {
        let (layer, features) = register(name, key_is_personal);
        store.put(layer, features);
    }
    store
}

/// Fails if the answer, its headers included, holds a secret.
fn is_clean(what: &str, got: &Got) {
    for secret in SECRETS {
        let in_body = got.bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!in_body, "{what}: the answer holds `{secret}`: {}", got.text());
        let headers = format!("{:?}", got.headers);
        assert!(!headers.contains(secret), "{what}: a header holds `{secret}`: {headers}");
        let escaped: String = secret
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) })
            .collect();
        assert!(!got.text().contains(&escaped), "{what}: the answer holds `{escaped}`");
    }
}

/// What a stream of events says within half a second.
fn events(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let request = "GET /api/events?since=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => all.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// The result of an overlay job in a format.
fn job(server: &Server, format: &str) -> Got {
    let inputs = json!({"inputs": {"layer": "secret", "with": "open", "format": format}});
    let started =
        server.post("/api/processes/overlay/execution", "application/json", inputs.to_string().as_bytes());
    assert_eq!(started.status, 201, "{}", started.text());
    is_clean("a job's beginning", &started);
    let id = started.json()["jobID"].as_str().unwrap().to_owned();
    let start = Instant::now();
    loop {
        let state = server.get(&format!("/api/jobs/{id}"));
        is_clean("a job", &state);
        match state.json()["status"].as_str().unwrap() {
            "successful" => break,
            "accepted" | "running" => assert!(start.elapsed() < Duration::from_secs(60)),
            other => panic!("{other}: {}", state.text()),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    server.get(&format!("/api/jobs/{id}/results"))
}

#[test]
fn nothing_that_leaves_the_server_holds_a_personal_value_or_its_field() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(city(), |config| {
        writers(config);
        config.jobs_dir = Some(folder.path().to_owned());
    });
    let [lon, lat] = [CORNER[0] + SIDE / 2.0, CORNER[1] + SIDE / 2.0];

    let mut paths: Vec<String> = [
        "/",
        "/api",
        "/api?f=html",
        "/api/conformance",
        "/api/openapi.json",
        "/api/collections",
        "/api/collections?f=html",
        "/api/processes",
        "/api/processes/overlay",
        "/api/jobs",
        "/api/changes",
        "/api/changes?after=0",
        "/archives",
        "/health/ready",
        "/tiles/all",
        "/api/search?q=M3",
        "/api/search?q=ma%20M3",
        "/api/nothing",
    ]
    .map(str::to_owned)
    .to_vec();
    for layer in ["secret", "open"] {
        let id = if layer == "secret" { "1" } else { "M0" };
        let own = format!("/api/collections/{layer}");
        for rest in [
            "",
            "?f=html",
            "?lang=en",
            "/schema",
            "/queryables",
            "/feature-schema",
            "/gdal-schema",
            "/items",
            "/items?f=html",
            "/items?limit=3&crs=EPSG:9210",
            "/items?ma=M2",
            "/items?ma=M2&f=html",
            "/items?no_such_field=1",
            "/items?bbox=1,2",
            "/items?revision=5",
            "/items/no-such-feature",
        ] {
            paths.push(format!("{own}{rest}"));
        }
        for rest in ["", "?f=html", "/history", "/history?f=html"] {
            paths.push(format!("{own}/items/{id}{rest}"));
        }
        paths.push(format!("/api/overlay?layer={layer}&id={id}&with=secret,open"));
        paths.push(format!("/tiles/{layer}"));
        paths.push(format!("/tiles/{layer}.json"));
    }
    for question in ["at", "near"] {
        for format in ["json", "html"] {
            paths.push(format!("/api/{question}?lon={lon}&lat={lat}&layers=secret,open&f={format}"));
        }
    }
    paths.push(format!(
        "/api/within?bbox={},{},{},{}&layers=secret,open",
        lon - 0.001,
        lat - 0.001,
        lon + 0.001,
        lat + 0.001
    ));
    let mut good = 0;
    for path in &paths {
        let got = server.get_with(path, &[("accept-encoding", "identity")]);
        good += usize::from(got.status == 200);
        is_clean(path, &got);
    }
    assert!(good > 40, "only {good} of {} paths were answered", paths.len());

    // Tiles of all zooms, both encodings.
    let mut tiles = 0;
    for zoom in [0_u32, 8, 12, 14, 16, 18] {
        let n = f64::from(1 << zoom);
        let x = ((lon + 180.0) / 360.0 * n) as u32;
        let y = ((1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * n) as u32;
        for path in [
            format!("/tiles/secret,open/{zoom}/{x}/{y}"),
            format!("/tiles/secret,open/{zoom}/{x}/{y}.pbf"),
            format!("/tiles/secret,open/{zoom}/{x}/{y}.mlt"),
            format!("/api/collections/open/tiles/WebMercatorQuad/{zoom}/{y}/{x}"),
        ] {
            let got = server.get_with(&path, &[("accept-encoding", "identity")]);
            tiles += usize::from(got.status == 200 && !got.bytes.is_empty());
            is_clean(&path, &got);
        }
    }
    assert!(tiles > 6, "only {tiles} tiles were answered");

    // Files of jobs, as far as they are not compressed.
    for format in ["csv", "gpkg"] {
        let got = job(&server, format);
        assert_eq!(got.status, 200, "{}", got.text());
        assert!(got.text().contains("M0"), "{}", got.text());
        is_clean(format, &got);
    }

    // The log so far: later requests name secrets themselves.
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for known in ["layer=open", "tile=", "revision=", "id="] {
        assert!(log.contains(known), "the log does not say `{known}`");
    }
    for secret in SECRETS {
        assert!(!log.contains(secret), "the log holds `{secret}`");
    }

    // Questions about a hidden field are those about one that is not there.
    for template in ["/api/collections/secret/items?FIELD=1", "/api/collections/open/items?FIELD=1"] {
        let [hidden, missing] = ["chu_kin_7f3a", "chu_kin_0000"].map(|field| {
            let got = server.get(&template.replace("FIELD", field));
            (got.status, got.text().replace(field, "FIELD"))
        });
        assert_eq!(hidden, missing, "{template}");
    }
    for value in ["079201007777", "0903555777", "K%C3%ADn%209c41"] {
        let found = server.json(&format!("/api/search?q={value}"));
        assert!(!found.to_string().contains("\"layer\":\"secret\""), "{found}");
        assert!(!found.to_string().contains("\"layer\":\"open\""), "{found}");
    }
    for id in ["079201007777", "079201007777~2"] {
        assert_eq!(server.get(&format!("/api/collections/secret/items/{id}")).status, 404);
    }

    // Writing: what a writer reads back, a refusal, and the events of a change.
    let stranger = json!({"type": "Feature", "geometry": null, "properties": {"ten_khac": 1}});
    let refused = server.write("POST", "/api/collections/open/items", None, Some(&stranger));
    assert_eq!(refused.status, 422, "{}", refused.text());
    is_clean("a refused feature", &refused);
    let tag = server.get("/api/collections/open/items/M1").header("etag").to_owned();
    let patch = json!({"properties": {"ma": "M1b"}});
    let edited = server.write("PATCH", "/api/collections/open/items/M1", Some(&tag), Some(&patch));
    assert_eq!(edited.status, 200, "{}", edited.text());
    is_clean("an edited feature", &edited);
    let start = Instant::now();
    while server.get("/api/collections/open/items/M1b").status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    for path in ["/api/changes?after=0", "/api/collections/open/items/M1b/history"] {
        let got = server.get_with(path, &[("authorization", BEARER)]);
        is_clean(path, &got);
    }
    let told = events(&server);
    assert!(told.contains("event") || told.contains("revision"), "{told}");
    for secret in SECRETS {
        assert!(!told.contains(secret), "an event holds `{secret}`: {told}");
    }
}
