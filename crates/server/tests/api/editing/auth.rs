//! Who may write.

use serde_json::json;

use crate::common::{BEARER, OTHER_TOKEN, Server};

const ITEMS: &str = "/api/collections/wells/items";

fn well() -> String {
    json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [106.7, 10.8]},
        "properties": {"sau": 2.5}})
    .to_string()
}

#[test]
fn writing_is_off_unless_tokens_are_there_and_says_how_to_turn_it_on() {
    let server = Server::start();
    let body = well();
    let kind = ("content-type", "application/geo+json");
    for (method, path) in [
        ("POST", ITEMS),
        ("PUT", "/api/collections/wells/items/1"),
        ("PATCH", "/api/collections/wells/items/1"),
        ("DELETE", "/api/collections/wells/items/1"),
        ("POST", "/api/changes"),
    ] {
        let got = server.ask(method, path, &[kind, ("authorization", BEARER)], Some(&body));
        let (status, detail) = got.problem();
        assert!(status == 403 && detail.contains("--writers"), "{method} {path}: {status} {detail}");
    }
    assert_eq!(server.json(ITEMS)["numberReturned"], 6);
}

#[test]
fn without_a_good_token_nothing_is_written() {
    let server = Server::writing();
    let body = well();
    let kind = ("content-type", "application/geo+json");
    for bearer in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer 0123456789abcdef0123456789abcdeF"),
        Some("Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6"),
        Some("0123456789abcdef0123456789abcdef"),
    ] {
        let mut headers = vec![kind];
        headers.extend(bearer.map(|bearer| ("authorization", bearer)));
        let got = server.ask("POST", ITEMS, &headers, Some(&body));
        assert_eq!(got.problem().0, 401, "{bearer:?}");
        assert_eq!(got.header("www-authenticate"), "Bearer realm=\"citymap\"");
    }
    assert_eq!(server.get(ITEMS).header("citymap-revision"), "4");
}

#[test]
fn the_author_is_the_token_s_name_and_the_message_what_the_writer_says() {
    let server = Server::writing();
    let kind = ("content-type", "application/geo+json");
    let message = ("citymap-message", "%C4%90o%20l%E1%BA%A1i%20gi%E1%BA%BFng");
    let got = server.ask("POST", ITEMS, &[kind, ("authorization", BEARER), message], Some(&well()));
    assert_eq!(got.status, 201, "{}", got.text());
    let other = format!("bearer {OTHER_TOKEN}");
    let got = server.ask("POST", ITEMS, &[kind, ("authorization", &other)], Some(&well()));
    assert_eq!(got.status, 201, "{}", got.text());
    let log = citymap_store::Store::log(&*server.store, 2).unwrap();
    assert_eq!((log[1].meta.author.as_str(), log[1].meta.message.as_str()), ("đo đạc", "Đo lại giếng"));
    assert_eq!(
        (log[0].meta.author.as_str(), log[0].meta.message.as_str()),
        ("other", "Create a feature of wells")
    );
    for bad in ["%FF", "a%0Ab", "%20"] {
        let headers = [kind, ("authorization", BEARER), ("citymap-message", bad)];
        assert_eq!(server.ask("POST", ITEMS, &headers, Some(&well())).problem().0, 400, "{bad}");
    }
}

#[test]
fn a_browser_of_another_host_may_ask_to_write() {
    let server = Server::start();
    let ask = [("origin", "https://a.vn"), ("access-control-request-method", "PUT")];
    for path in ["/api/collections/wells/items/1", ITEMS, "/api/changes", "/api/at"] {
        let got = server.ask("OPTIONS", path, &ask, None);
        // `Allow` is of who asks, and a preflight carries no token.
        assert_eq!((got.status, got.header("allow")), (200, "GET, HEAD, OPTIONS"), "{path}");
        for method in ["PUT", "PATCH", "DELETE"] {
            assert!(got.header("access-control-allow-methods").contains(method));
        }
        for header in ["If-Match", "Authorization", "Content-Crs", "Idempotency-Key", "Citymap-Message"] {
            assert!(got.header("access-control-allow-headers").contains(header), "{header}");
        }
    }
    let got = server.ask("PUT", ITEMS, &[], Some("{}"));
    assert_eq!(got.problem().0, 405);
}
