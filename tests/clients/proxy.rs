//! What nginx does to addresses, tags and streams, and what must be right all the same.

use std::io::{BufRead as _, BufReader};

use citymap_tests::{Bench, Server, WRITER};
use serde_json::{Value, json};

use crate::{
    KEYS, city, escaped,
    nginx::{Nginx, free_port},
    writers,
};

struct Behind {
    _server: Server,
    nginx: Nginx,
    _bench: Bench,
}

/// A server that can be written, behind nginx. `None`, where nginx is not installed.
fn behind_nginx() -> Option<Behind> {
    let (bench, port) = (city(), free_port());
    let base = format!("http://127.0.0.1:{port}/geo");
    let writers = writers(&bench);
    let args = ["--base-url", &base, "--writers", writers.to_str().unwrap()];
    let server = Server::start(bench.store(), &args);
    let nginx = Nginx::start(bench.path("").as_path(), port, server.url(), &[])?;
    Some(Behind { _server: server, nginx, _bench: bench })
}

struct Answer {
    status: u16,
    headers: ureq::http::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

impl Behind {
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        Self::send(method, &self.nginx.at(path), headers, body)
    }

    fn send(method: &str, address: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let mut request = ureq::http::Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => agent.run(request.body(body.to_string()).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {address}: {error}"));
        let body = answer.body_mut().read_to_vec().unwrap();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, None)
    }

    /// The answer where nginx keeps nothing.
    fn get_plain(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        Self::send("GET", &self.nginx.plain(path), headers, None)
    }

    /// Changes the field `so` of a feature at a state that was read.
    fn patch(&self, path: &str, tag: &str, number: i64) -> Answer {
        let bearer = format!("Bearer {WRITER}");
        let headers = [
            ("authorization", &*bearer),
            ("if-match", tag),
            ("content-type", "application/merge-patch+json"),
        ];
        self.ask("PATCH", path, &headers, Some(&json!({"properties": {"so": number}})))
    }
}

/// As browsers, QGIS and proxies write an id that they take for a path: only what must be is escaped.
fn barely_escaped(id: &str) -> String {
    id.chars()
        .map(|own| {
            if "%?#<>\"{}\\ ".contains(own) || !own.is_ascii() {
                escaped(&own.to_string())
            } else {
                own.into()
            }
        })
        .collect()
}

#[test]
fn every_id_is_reachable_in_every_form_and_can_be_edited() {
    let Some(behind) = behind_nginx() else { return };
    let page = behind.get("/api/collections/odd/items?limit=100", &[]).json();
    let features = page["features"].as_array().unwrap();
    assert_eq!(features.len(), KEYS.len());
    for (number, feature) in features.iter().enumerate() {
        let id = feature["id"].as_str().unwrap();
        for (form, written) in [escaped(id), barely_escaped(id)].iter().enumerate() {
            let path = format!("/api/collections/odd/items/{written}");
            let got = behind.get(&path, &[]);
            assert_eq!(got.status, 200, "{path}");
            assert_eq!(got.json()["id"], feature["id"], "{path}");
            let html = behind.get(&format!("{path}?f=html"), &[]);
            assert!(html.header("content-type").starts_with("text/html"), "{path}");
            assert_eq!(behind.get(&format!("{path}/history"), &[]).json()["id"], feature["id"], "{path}");
            let bulk = behind.get(&format!("/api/collections/odd/bulk-items/{written}"), &[]);
            assert_eq!(bulk.json()["id"], feature["id"], "{path}");
            let edited = behind.patch(&path, "*", (1_000 + number * 2 + form) as i64);
            assert_eq!((edited.status, &edited.json()["id"]), (200, &feature["id"]), "{path}");
            assert_eq!(
                behind.get(&path, &[]).json()["properties"]["so"],
                1_000 + number * 2 + form,
                "{path}"
            );
        }
        // What was edited is what comes next in this loop.
        let again = behind.get(&format!("/api/collections/odd/items/{}", escaped(id)), &[]).json();
        assert_eq!(again["properties"]["ma"], feature["properties"]["ma"]);
    }
}

#[test]
fn a_weakened_tag_guards_an_edit() {
    let Some(behind) = behind_nginx() else { return };
    let path = "/api/collections/odd/items/history";
    let got = behind.get(path, &[("accept-encoding", "gzip")]);
    assert_eq!(got.header("content-encoding"), "gzip", "nginx has packed it");
    let seen = got.header("etag").to_owned();
    assert!(seen.starts_with("W/"), "nginx has weakened the tag: {seen}");
    assert_eq!(behind.patch(path, &seen, 1).status, 200);
    assert_eq!(behind.patch(path, &seen, 2).status, 412, "the feature has changed since");
    let seen = behind.get(path, &[("accept-encoding", "gzip")]).header("etag").to_owned();
    assert_eq!(behind.patch(path, &seen, 3).status, 200);
}

#[test]
fn answers_are_revalidated_and_kept_only_where_they_may_be() {
    let Some(behind) = behind_nginx() else { return };
    let tiles = behind.get("/tiles/parcels.json", &[]).json();
    let tile = tiles["tiles"][0].as_str().unwrap().split_once("/geo").unwrap().1.to_owned();
    let tile = tile.replace("{z}", "12").replace("{x}", "3262").replace("{y}", "1924");
    let page = String::from_utf8(behind.get("/", &[]).body).unwrap();
    let script = page.split_once("src=\".").unwrap().1.split_once('"').unwrap().0.to_owned();
    let lasting = [&*tile, &*script, "/fonts/BeVietnamPro-Regular/0-255.pbf"];
    let fresh = [
        "/",
        "/api",
        "/api?f=html",
        "/api/collections",
        "/api/collections/odd/items",
        "/api/collections/odd/items/history",
        "/api/openapi.json",
        "/tiles/parcels.json",
    ];
    for encoding in ["identity", "gzip", "br, zstd;q=0.9, gzip;q=0.8"] {
        let accept = ("accept-encoding", encoding);
        for path in lasting.iter().chain(&fresh) {
            let first = behind.get_plain(path, &[accept]);
            let tag = first.header("etag");
            assert!(matches!(first.status, 200 | 204) && !tag.is_empty(), "{path}: {}", first.status);
            let again = behind.get_plain(path, &[accept, ("if-none-match", tag)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {encoding} {tag}");
        }
        for path in lasting {
            let first = behind.get(path, &[accept]);
            assert_eq!(first.status, 200, "{path}");
            let kept = behind.get(path, &[accept, ("if-none-match", first.header("etag"))]);
            assert_eq!((kept.status, kept.header("x-cache")), (304, "HIT"), "{path} {encoding}");
            let same = behind.get(path, &[accept]);
            assert_eq!(
                same.header("content-encoding"),
                first.header("content-encoding"),
                "{path} {encoding}"
            );
            assert!(same.body == first.body, "{path} {encoding}");
        }
        for path in fresh {
            assert_ne!(behind.get(path, &[accept]).header("x-cache"), "HIT", "{path} may change at any time");
        }
    }
    // An answer in another language or format is another answer, whatever nginx keeps.
    let english = behind.get("/api", &[("accept-language", "en")]).json();
    let vietnamese = behind.get("/api", &[("accept-language", "vi")]).json();
    assert_ne!(english["title"], vietnamese["title"]);
}

#[test]
fn an_edit_shows_at_once_behind_a_cache() {
    let Some(behind) = behind_nginx() else { return };
    let path = "/api/collections/odd/items/history";
    let before = behind.get("/api/collections/odd", &[]).json()["citymap"]["tilesVersion"].clone();
    for number in 100..105 {
        assert_eq!(behind.patch(path, "*", number).status, 200);
        assert_eq!(behind.get(path, &[]).json()["properties"]["so"], number);
        let filtered = behind.get(&format!("/api/collections/odd/items?so={number}"), &[]).json();
        assert_eq!(filtered["numberReturned"], 1);
    }
    assert_ne!(behind.get("/api/collections/odd", &[]).json()["citymap"]["tilesVersion"], before);
}

#[test]
fn a_long_question_is_answered() {
    let Some(behind) = behind_nginx() else { return };
    for length in [500, 1_500, 3_000, 6_000] {
        let changes = format!("/api/changes?limit=1&layers={}odd", "odd,".repeat(length / 4));
        let items =
            |format| format!("/api/collections/odd/items?f={format}&limit=1&ma={}", "x".repeat(length));
        for path in [items("json"), items("html"), changes] {
            assert_eq!(behind.get_plain(&path, &[]).status, 200, "{length} {path}");
            assert_eq!(behind.get(&path, &[]).status, 200, "{length} {path}");
        }
    }
    let path = format!("/api/collections/odd/items?ma={}", "x".repeat(8_150));
    assert_eq!(behind.get_plain(&path, &[]).status, 414, "beyond the bound it is refused, not broken");
}

#[test]
fn events_pass_through_as_they_happen() {
    let Some(behind) = behind_nginx() else { return };
    let open = |encoding: &str| {
        let request = ureq::get(behind.nginx.at("/api/events")).header("accept-encoding", encoding);
        let answer = request.call().unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        BufReader::new(answer.into_body().into_reader())
    };
    let edit = |number| {
        let edited = behind.patch("/api/collections/odd/items/history", "*", number);
        edited.header("citymap-revision").to_owned()
    };
    let mut lines = open("identity").lines();
    assert!(lines.any(|line| line.unwrap() == "event: hello"));
    let revision = edit(71);
    let event = lines.find(|line| line.as_ref().unwrap().starts_with("id: ")).unwrap().unwrap();
    assert_eq!(event, format!("id: {revision}"));
    // Where nginx packs the stream, each event comes as soon as it is there all the same.
    let mut packed = open("gzip");
    for number in 72..75 {
        let some = packed.fill_buf().unwrap().len();
        assert!(some > 0);
        packed.consume(some);
        edit(number);
    }
}
