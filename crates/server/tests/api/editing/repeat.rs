//! A request that is sent again.

use std::{sync::Arc, thread};

use citymap_model::CommitMeta;
use citymap_store::Store;
use serde_json::json;

use crate::common::{BEARER, Got, OTHER_TOKEN, Server, writers};

fn create(server: &Server, key: &str, depth: f64) -> Got {
    create_as(server, BEARER, key, depth)
}

fn create_as(server: &Server, bearer: &str, key: &str, depth: f64) -> Got {
    let body = json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [106.7, 10.8]},
        "properties": {"sau": depth}});
    let headers =
        [("authorization", bearer), ("content-type", "application/geo+json"), ("idempotency-key", key)];
    server.ask("POST", "/api/collections/wells/items", &headers, Some(&body.to_string()))
}

#[test]
fn a_repeat_gets_the_same_answer_from_every_server_and_no_second_feature() {
    let server = Server::writing();
    let first = create(&server, "a-1", 1.0);
    assert_eq!(first.status, 201, "{}", first.text());
    let twin = Server::with(server.store.another(), writers);
    for server in [&server, &twin] {
        let again = create(server, "a-1", 1.0);
        assert_eq!((again.status, again.json()), (201, first.json()));
        assert_eq!(again.header("etag"), first.header("etag"));
        assert_eq!(again.header("citymap-revision"), "5");
    }
    assert_eq!(server.json("/api/collections/wells/items")["numberMatched"], 7);
    // Another body under the same key is a mistake; another writer's key is another key.
    assert_eq!(create(&server, "a-1", 2.0).problem().0, 422);
    assert_eq!(create_as(&server, &format!("Bearer {OTHER_TOKEN}"), "a-1", 1.0).status, 201);
    assert_eq!(create(&server, "a-2", 1.0).status, 201);
    assert_eq!(server.json("/api/collections/wells/items")["numberMatched"], 9);
    assert_eq!(create(&server, &"x".repeat(300), 1.0).problem().0, 400);
}

#[test]
fn many_repeats_at_once_on_two_servers_make_one_feature() {
    let server = Arc::new(Server::writing());
    let twin = Arc::new(Server::with(server.store.another(), writers));
    for round in 0..3 {
        let crowd: Vec<_> = (0..8)
            .map(|n| {
                let server = Arc::clone(if n % 2 == 0 { &server } else { &twin });
                thread::spawn(move || {
                    let got = create(&server, &format!("key {round}"), f64::from(round));
                    assert_eq!(got.status, 201, "{}", got.text());
                    got.json()
                })
            })
            .collect();
        let answers: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(Store::revision(&*server.store).unwrap(), 7);
}

#[test]
fn a_refused_request_may_be_mended_and_sent_again() {
    let server = Server::writing();
    let body = json!({"edits": [{"op": "delete", "layer": "wells", "id": 1, "ifMatch": "\"no\""}]});
    let send = |body: &serde_json::Value| {
        let headers =
            [("authorization", BEARER), ("content-type", "application/json"), ("idempotency-key", "k")];
        server.ask("POST", "/api/changes", &headers, Some(&body.to_string()))
    };
    assert_eq!(send(&body).problem().0, 412);
    let body = json!({"edits": [{"op": "delete", "layer": "wells", "id": 1, "ifMatch": "*"}]});
    let done = send(&body);
    assert_eq!(done.status, 200, "{}", done.text());
    let again = send(&body);
    assert_eq!((again.status, again.json()), (200, done.json()), "though the feature is gone");
}

#[test]
fn a_revision_whose_answer_got_lost_is_found_in_the_log() {
    let server = Server::writing();
    let first = create(&server, "lost", 1.0);
    assert_eq!(first.status, 201);
    // As if the server had ended between the commit and the keeping of its answer.
    let log = server.store.log(1).unwrap();
    let hash = log[0].meta.source.as_deref().unwrap().strip_prefix("Idempotency-Key ").unwrap().to_owned();
    let drawer = format!("idempotency/{}", &hash[..3]);
    let document = server.store.document(&drawer).unwrap().unwrap();
    let mut entries: serde_json::Value = serde_json::from_str(&document.body).unwrap();
    entries[0]["answer"] = serde_json::Value::Null;
    assert!(server.store.put_document(&drawer, document.version, Some(&entries.to_string())).unwrap());
    for n in 0..3 {
        drop(
            server
                .store
                .begin(CommitMeta { message: n.to_string(), ..CommitMeta::default() })
                .unwrap()
                .commit(),
        );
    }
    let again = create(&server, "lost", 1.0);
    assert_eq!((again.status, &again.json()["revision"]), (200, &json!(5)), "{}", again.text());
    assert_eq!(server.json("/api/collections/wells/items?min-revision=5")["numberMatched"], 7);
}
