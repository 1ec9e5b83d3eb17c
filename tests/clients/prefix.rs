//! Every link below a path prefix leads to an answer below it, however the server learns of the prefix.

use citymap_tests::{Bench, Server};

use crate::{
    city,
    crawl::{Found, Searched, crawl},
    nginx::{Nginx, free_port},
};

/// Waits until the server has its index of names, without which searches are 503.
fn wait_for_search(server: &Server) {
    while server.get("/api/search?q=a").0 == 503 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A server behind nginx, and what a crawl from the map and the landing page finds.
fn crawled(
    bench: &Bench,
    port: u16,
    args: &[&str],
    headers: &[(&str, &str)],
    searched: Searched,
) -> Option<Found> {
    let server = Server::start(bench.store(), args);
    let nginx = Nginx::start(bench.path("").as_path(), port, server.url(), headers)?;
    wait_for_search(&server);
    let start = [
        "/",
        "/api",
        "/api?f=html",
        "/api/collections/odd/items?limit=100&f=html",
        "/api/collections/odd/items/12/34/history",
    ];
    let found = crawl(&start.map(|path| nginx.at(path)), &nginx.url, searched, [1_500, 30]);
    println!(
        "{} addresses, {} pages, {} JSON documents",
        found.answers.len(),
        found.count("", "text/html"),
        found.count("", "application/")
    );
    Some(found)
}

fn check(found: &Found, documents: bool) {
    assert_eq!(
        found.outside.iter().collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "links out of the prefix"
    );
    assert_eq!(found.dead.iter().collect::<Vec<_>>(), Vec::<&(String, u16, String)>::new(), "dead links");
    assert!(found.count("/assets/", "text/javascript") > 0, "the web map's script was reached");
    assert!(
        found.count("/api/collections/odd/items/", "text/html") >= crate::KEYS.len(),
        "a page for each id"
    );
    assert!(found.count("/api/at", "text/html") > 0);
    if documents {
        for (address, kind) in [
            ("/api/collections/parcels/items/", "application/geo+json"),
            ("/history", "application/json"),
            ("/tiles/parcels/", "application/vnd.mapbox-vector-tile"),
            ("/api/openapi.json", "application/vnd.oai.openapi+json"),
            ("/feature-schema", "application/schema+json"),
            ("/api/events", "text/event-stream"),
        ] {
            assert!(found.count(address, kind) > 0, "nothing like {address} as {kind} was reached");
        }
    }
}

#[test]
fn with_a_base_address_every_link_is_below_the_prefix() {
    let (bench, port) = (city(), free_port());
    let base = format!("http://127.0.0.1:{port}/geo");
    let Some(found) = crawled(&bench, port, &["--base-url", &base], &[], Searched::Everything) else {
        return;
    };
    check(&found, true);
}

#[test]
fn with_the_headers_of_a_trusted_proxy_every_link_is_below_the_prefix() {
    let (bench, port) = (city(), free_port());
    let host = format!("127.0.0.1:{port}");
    let headers =
        [("X-Forwarded-Prefix", "/geo"), ("X-Forwarded-Host", &*host), ("X-Forwarded-Proto", "$scheme")];
    let args = ["--trust-proxy", "127.0.0.1"];
    let Some(found) = crawled(&bench, port, &args, &headers, Searched::Everything) else { return };
    check(&found, true);
}

#[test]
fn pages_and_the_map_work_below_a_prefix_that_the_server_does_not_know() {
    let (bench, port) = (city(), free_port());
    let headers = [("Host", "$http_host")];
    let Some(found) = crawled(&bench, port, &[], &headers, Searched::Pages) else { return };
    check(&found, false);
}

#[test]
fn the_prefix_without_its_slash_leads_to_the_map() {
    let (bench, port) = (city(), free_port());
    let server = bench.serve();
    let Some(nginx) = Nginx::start(bench.path("").as_path(), port, server.url(), &[]) else { return };
    let mut answer = ureq::get(&nginx.url).call().unwrap();
    assert!(answer.body_mut().read_to_string().unwrap().contains("src=\"./assets/"));
}

#[test]
fn a_base_address_that_cannot_be_used_is_refused() {
    let bench = Bench::new();
    for base in ["map.example.vn/geo", "https://map.example.vn/geo?x=1", "https://map.example.vn//geo"] {
        let run = bench.expect(2, ["serve", "--base-url", base]);
        assert!(
            run.stderr().contains("https://map.example.vn/geo") || run.stderr().contains("prefix"),
            "{}",
            run.stderr()
        );
    }
}
