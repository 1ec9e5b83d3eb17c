//! How the server behaves as a server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use crate::common::{BEARER, Server, store};

/// Sends text as it is; the whole answer.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    crate::common::small_names(&String::from_utf8_lossy(&answer))
}

#[test]
fn every_answer_carries_the_revision_and_a_request_number() {
    let server = Server::start();
    for path in [
        "/",
        "/api",
        "/health/live",
        "/health/ready",
        "/health/load",
        "/nix",
        "/api/nix",
        "/tiles/nix/1/0/0",
        "/fonts/x/y",
        "/api/at",
    ] {
        let got = server.get(path);
        assert_eq!(got.header("citymap-revision"), "4", "{path}");
        assert!(!got.header("x-request-id").is_empty(), "{path}");
        assert_eq!(got.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
        assert!(got.header("content-security-policy").contains("default-src"), "{path}");
    }
    let named = server.get_with("/api", &[("x-request-id", "abc-1.2_Z")]);
    assert_eq!(named.header("x-request-id"), "abc-1.2_Z");
    let bad = server.get_with("/api", &[("x-request-id", "a b<script>")]);
    assert!(!bad.header("x-request-id").contains('<'));
}

#[test]
fn pages_of_other_origins_read_only_what_the_server_allows() {
    let gis = [("origin", "https://gis.example.vn")];
    let preflight = [gis[0], ("access-control-request-method", "PATCH")];
    for (cors, allowed) in
        [("none", ""), ("https://gis.example.vn", gis[0].1), ("https://other.example.vn", "")]
    {
        let server = Server::with(crate::common::store(), |config| config.cors = cors.parse().unwrap());
        for got in [server.get_with("/api", &gis), server.ask("OPTIONS", "/api", &preflight, None)] {
            assert_eq!(got.header("access-control-allow-origin"), allowed, "{cors}");
            let permits = got.headers.keys().any(|name| name.as_str() == "access-control-allow-methods");
            assert!(!(allowed.is_empty() && permits), "{cors}");
            let varies = got.headers.get_all("vary").iter().any(|value| value == "Origin");
            assert_eq!(varies, cors != "none", "{cors}");
        }
        assert_eq!(server.get("/api").header("access-control-allow-origin"), "");
    }
}

#[test]
fn what_is_not_there_and_what_is_not_allowed_are_problems() {
    let server = Server::start();
    for path in [
        "/nix",
        "/api/nix",
        "/api/collections/parcels/nix",
        "/tiles",
        "/fonts/Nix/0-255.pbf",
        "/sprites/nix.png",
        "/styles/../README.md",
        "/..%2f..%2fCargo.toml",
    ] {
        assert_eq!(server.problem(path).0, 404, "{path}");
    }
    for (method, path) in [
        ("POST", "/api"),
        ("DELETE", "/api/collections/parcels/items"),
        ("PUT", "/tiles/parcels/1/0/0"),
        ("POST", "/"),
        ("POST", "/nix"),
        ("DELETE", "/api/within"),
    ] {
        let answer = raw(
            &server,
            &format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        );
        let head = answer.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 405"), "{method} {path}: {answer}");
        assert!(
            head.contains("content-type: application/problem+json") && head.contains("citymap-revision: 4"),
            "{answer}"
        );
        assert!(head.contains("allow: get, head"), "{method} {path}: {answer}");
    }
}

#[test]
fn allow_lists_exactly_the_methods_that_the_interface_describes() {
    // Without writers nothing is edited; a writer who sends If-Match may use all.
    allow_is_as_described(&Server::start(), "");
    allow_is_as_described(&Server::writing(), &format!("authorization: {BEARER}\r\nif-match: *\r\n"));
}

fn allow_is_as_described(server: &Server, headers: &str) {
    let document = server.json("/api/openapi.json");
    for (template, item) in document["paths"].as_object().unwrap() {
        let prefix = if item.get("servers").is_some() { "" } else { "/api" };
        let mut path = format!("{prefix}{template}");
        let mut expected = vec!["OPTIONS".to_owned()];
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            expected.push(method.to_ascii_uppercase());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if parameter["in"] == "path" {
                    let example = parameter["example"].as_str().map(str::to_owned);
                    let example = example.unwrap_or_else(|| parameter["example"].to_string());
                    path = path.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &example);
                }
            }
        }
        if expected.contains(&"GET".to_owned()) {
            expected.push("HEAD".to_owned());
        }
        expected.sort_unstable();
        let request = format!("OPTIONS {path} HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
        let answer = raw(server, &request);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        let allow = answer.lines().find_map(|line| line.strip_prefix("allow: "));
        assert_eq!(allow, Some(expected.join(", ").as_str()), "{path}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let server = Server::start();
    for path in [
        "/api",
        "/api/collections/parcels/items",
        "/tiles/parcels.json",
        "/health/live",
        "/",
        "/fonts/BeVietnamPro-Regular/0-255.pbf",
    ] {
        let get = raw(&server, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        let head = raw(&server, &format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(head.ends_with("\r\n\r\n"), "{path}: no body");
        let length = |text: &str| {
            text.lines().find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned)).unwrap()
        };
        assert_eq!(length(&get), length(&head), "{path}");
    }
}

#[test]
fn a_browser_may_ask_from_another_page() {
    let server = Server::start();
    let answer = raw(
        &server,
        "OPTIONS /api/within HTTP/1.1\r\nhost: x\r\norigin: https://a.vn\r\naccess-control-request-method: \
         POST\r\nconnection: close\r\n\r\n",
    );
    assert!(
        answer.starts_with("HTTP/1.1 200")
            && answer.contains("access-control-allow-methods: GET, HEAD, POST, PUT, PATCH, DELETE"),
        "{answer}"
    );
}

#[test]
fn an_address_that_is_too_long_is_414() {
    let server = Server::with(store(), |config| config.limits.url_bytes_max = 300);
    assert_eq!(server.problem(&format!("/api/search?q={}", "a".repeat(400))).0, 414);
}

#[test]
fn a_full_queue_is_503_and_says_when_to_come_back() {
    let server = Arc::new(Server::with(store(), |config| {
        config.limits.max_concurrent = 1;
        config.limits.queue = 1;
    }));
    let barrier = Arc::new(Barrier::new(32));
    let crowd: Vec<_> = (0..32)
        .map(|number| {
            let (server, barrier) = (Arc::clone(&server), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                // Each asks for something else, and for all of it: nothing can be answered from memory.
                server.get(&format!("/api/collections/parcels/items?limit=10000&after={number}&f=html"))
            })
        })
        .collect();
    let answers: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
    let refused: Vec<_> = answers.iter().filter(|own| own.status == 503).collect();
    assert!(!refused.is_empty(), "a queue of one cannot hold 32");
    assert!(answers.iter().any(|own| own.status == 200));
    assert!(answers.iter().all(|own| own.status == 200 || own.status == 503));
    for own in refused {
        assert_eq!(own.header("retry-after"), "1");
        own.problem();
    }
    assert_eq!(server.get("/health/ready").status, 200, "health does not stand in the queue");
    assert_eq!(server.get("/api/collections/parcels/items").status, 200);
}

#[test]
fn what_takes_too_long_is_503() {
    let server = Server::with(store(), |config| config.limits.request_timeout = Duration::from_nanos(1));
    let got = server.get("/api/within?bbox=106,10,107,11");
    let (status, detail) = got.problem();
    assert!(status == 503 && detail.contains("longer"), "{detail}");
    assert_eq!(got.header("retry-after"), "10");
}

#[test]
fn ready_says_why_it_is_not() {
    let server = Server::start();
    assert_eq!(server.json("/health/ready")["status"], "ready");
    server.store.set_broken(true);
    let start = Instant::now();
    while server.get("/health/ready").status == 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "it never noticed");
        thread::sleep(Duration::from_millis(5));
    }
    let (status, detail) = server.problem("/health/ready");
    // The reason of the store is for the log: it may name the store's address.
    assert!(status == 503 && detail.contains("the store does not answer"), "{detail}");
    assert!(!detail.contains("pulled the plug"), "{detail}");
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/api/collections/parcels/items").status, 200, "the city is served from memory");
    server.store.set_broken(false);
    while server.get("/health/ready").status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "it never recovered");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_request_under_way_ends_after_the_signal_to_stop() {
    let mut server = Server::start();
    let body = r#"{"type":"Polygon","coordinates":[[[106,10],[107,10],[107,11],[106,11],[106,10]]]}"#;
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: \
         {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..20]).unwrap();
    thread::sleep(Duration::from_millis(200));
    server.signal();
    thread::sleep(Duration::from_millis(200));
    assert!(TcpStream::connect(server.address).is_err(), "nobody new is let in");
    stream.write_all(&body.as_bytes()[20..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("]}"), "{answer}");
    server.wait();
}

#[test]
fn a_client_that_does_not_finish_is_left_when_the_time_of_grace_is_over() {
    let mut server =
        Server::with(store(), |config| config.limits.shutdown_grace = Duration::from_millis(300));
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").unwrap();
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    server.wait();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_slow_head_does_not_keep_its_place() {
    let server = Server::with(store(), |config| config.limits.header_timeout = Duration::from_millis(200));
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /api HTTP/1.1\r\nhost:").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut rest = Vec::new();
    let start = Instant::now();
    // Closed by the server, with or without a word.
    let _ = stream.read_to_end(&mut rest);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_map_may_come_from_a_folder_and_nothing_above_it() {
    let folder = std::env::temp_dir().join(format!("citymap-assets-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    std::fs::write(folder.join("index.html"), "<p>mine").unwrap();
    std::fs::write(folder.join("assets/app-1a2b.js"), "let a = 1;\n".repeat(500)).unwrap();
    let server = Server::with(store(), |config| config.assets = Some(folder.clone()));
    let page = server.get("/");
    assert_eq!(
        (page.text().as_str(), page.header("content-type"), page.header("cache-control")),
        ("<p>mine", "text/html; charset=utf-8", "no-cache")
    );
    let script = server.get("/assets/app-1a2b.js");
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    let packed = server.get_with("/assets/app-1a2b.js", &[("accept-encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.bytes.len() < script.bytes.len());
    // Where the build left the file compressed with Brotli, that is what a browser gets.
    let browser = [("accept-encoding", "gzip, deflate, br, zstd")];
    let got = server.get_with("/assets/app-1a2b.js", &browser);
    assert_eq!(got.header("content-encoding"), "gzip", "nothing smaller is there");
    let small = citymap_tile::compress(&script.bytes, citymap_tile::ContentEncoding::Brotli);
    std::fs::write(folder.join("assets/app-1a2b.js.br"), &small).unwrap();
    let got = server.get_with("/assets/app-1a2b.js", &browser);
    assert_eq!((got.header("content-encoding"), &got.bytes), ("br", &small));
    assert_eq!(got.header("content-type"), "text/javascript; charset=utf-8");
    assert_ne!(got.header("etag"), packed.header("etag"));
    let got = server.get_with("/assets/app-1a2b.js", &[("accept-encoding", "gzip, br;q=0.1")]);
    assert_eq!(got.header("content-encoding"), "gzip", "weights are heeded");
    let changed = std::fs::File::options().write(true).open(folder.join("assets/app-1a2b.js")).unwrap();
    changed.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
    let got = server.get_with("/assets/app-1a2b.js", &browser);
    assert_eq!(got.header("content-encoding"), "gzip", "what was compressed before a change is not sent");
    let again = server.get_with("/assets/app-1a2b.js", &[("if-none-match", script.header("etag"))]);
    assert_eq!(again.status, 304);
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/assets",
        "/assets/..%2f..%2f..%2fetc/passwd",
    ] {
        assert_eq!(server.problem(path).0, 404, "{path}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn fonts_fall_back_along_their_stack() {
    let server = Server::start();
    let one = server.get("/fonts/BeVietnamPro-Regular/7680-7935.pbf");
    assert_eq!((one.status, one.header("content-type")), (200, "application/x-protobuf"));
    let stack = server.get("/fonts/Nix,BeVietnamPro-Regular/7680-7935.pbf");
    assert_eq!(stack.bytes, one.bytes);
    // Chinese, which our fonts do not have: nothing, but no error.
    let none = server.get("/fonts/BeVietnamPro-Regular/19968-20223.pbf");
    assert_eq!((none.status, none.header("content-type")), (200, "application/x-protobuf"));
    assert!(none.bytes.is_empty());
    for path in
        ["/fonts/build.sh/0-255.pbf", "/fonts/Nix/19968-20223.pbf", "/fonts/BeVietnamPro-Regular/1-2.pbf"]
    {
        assert_eq!(server.problem(path).0, 404, "{path}");
    }
    assert_eq!(server.get("/styles/look.json").header("content-type"), "application/json");
}
