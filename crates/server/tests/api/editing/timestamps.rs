//! `Last-Modified` and `If-Unmodified-Since`: the optimistic locking of clients that keep times.

use std::time::Duration;

use serde_json::json;

use crate::common::{BEARER, Got, Server};

const WELL: &str = "/api/collections/wells/items/1";

fn change(server: &Server, depth: f64, since: &str) -> Got {
    let headers = [
        ("authorization", BEARER),
        ("content-type", "application/merge-patch+json"),
        ("if-unmodified-since", since),
    ];
    server.ask("PATCH", WELL, &headers, Some(&json!({"properties": {"sau": depth}}).to_string()))
}

/// Waits until the next second begins, so that changes have different times.
fn next_second() {
    let millis = chrono::Utc::now().timestamp_subsec_millis();
    std::thread::sleep(Duration::from_millis(u64::from(1_005 - millis.min(1_000))));
}

#[test]
fn a_feature_tells_when_it_changed_and_is_changed_by_that_time() {
    let server = Server::writing();
    let other = server.get("/api/collections/wells/items/2");
    let before = server.get(WELL).header("last-modified").to_owned();
    assert!(before.ends_with(" GMT"), "{before}");
    next_second();
    assert_eq!(change(&server, 2.0, &before).status, 200);
    let after = server.get(WELL).header("last-modified").to_owned();
    assert_ne!(before, after);
    let again = server.get("/api/collections/wells/items/2");
    assert_eq!(again.header("last-modified"), other.header("last-modified"), "of the feature, not the layer");
    assert_eq!(server.get(&format!("{WELL}?revision=4")).header("last-modified"), before);

    // What was read before the change is refused, what is read now is taken.
    let (status, detail) = change(&server, 3.0, &before).problem();
    assert!(status == 412 && detail.contains("If-Unmodified-Since"), "{detail}");
    next_second();
    assert_eq!(change(&server, 3.0, &after).status, 200);
    assert_eq!(server.json(WELL)["properties"]["sau"], 3.0);
}

#[test]
fn two_changes_of_one_second_are_not_taken_for_one() {
    let server = Server::writing();
    next_second();
    for depth in [5.0, 6.0] {
        assert_eq!(
            server.write("PATCH", WELL, Some("*"), Some(&json!({"properties": {"sau": depth}}))).status,
            200
        );
    }
    let read = server.get(WELL);
    // The two may lie in two seconds after all, on a slow machine.
    let versions = server.json(&format!("{WELL}/history"))["versions"].clone();
    let second = |index: usize| versions[index]["fromTime"].as_str().unwrap()[..19].to_owned();
    let expected = if second(0) == second(1) { 412 } else { 200 };
    assert_eq!(change(&server, 7.0, read.header("last-modified")).status, expected);
}

#[test]
fn a_tag_takes_precedence_and_what_is_no_time_is_ignored() {
    let server = Server::writing();
    assert_eq!(change(&server, 2.0, "yesterday").problem().0, 428);
    let tag = server.get(WELL).header("etag").to_owned();
    let headers = [
        ("authorization", BEARER),
        ("content-type", "application/merge-patch+json"),
        ("if-match", tag.as_str()),
        ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ];
    let body = json!({"properties": {"sau": 9.0}}).to_string();
    assert_eq!(server.ask("PATCH", WELL, &headers, Some(&body)).status, 200);
    assert_eq!(
        server.ask("PATCH", "/api/collections/wells/items/99", &headers[..2], Some(&body)).status,
        428
    );
}
