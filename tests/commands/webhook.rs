//! `citymap webhook`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;

use crate::{import, refused, well, wells};

#[test]
fn a_subscription_is_added_paused_resumed_and_removed() {
    let bench = wells();
    let add = ["--json", "webhook", "add", "http://127.0.0.1:9/x", "--name", "hop", "--layer", "wells"];
    let added = bench.expect(0, add).json();
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"), "{added}");
    let list = || bench.expect(0, ["--json", "webhook", "list"]).json();
    let found = list();
    assert_eq!((&found[0]["id"], &found[0]["name"]), (&added["id"], &"hop".into()));
    assert_eq!((&found[0]["layers"][0], &found[0]["revision"]), (&"wells".into(), &2.into()));
    // The secret is not told again.
    assert!(!found.to_string().contains("whsec_"));
    bench.expect(0, ["webhook", "pause", "hop"]);
    assert_eq!(list()[0]["paused"], true);
    bench.expect(0, ["webhook", "resume", "hop"]);
    assert_eq!(list()[0]["paused"], false);
    assert_eq!(bench.expect(0, ["--json", "webhook", "dead", "hop"]).json(), serde_json::json!([]));
    bench.expect(0, ["webhook", "retry", "hop"]);
    bench.expect(0, ["webhook", "remove", added["id"].as_str().unwrap()]);
    assert_eq!(list(), serde_json::json!([]));
    assert!(refused(&bench, ["webhook", "remove", "hop"]).contains("`hop`"));
}

#[test]
fn wrong_addresses_and_secrets_are_refused() {
    let bench = wells();
    assert!(refused(&bench, ["webhook", "add", "nonsense"]).contains("https://"));
    std::fs::write(bench.path("secret"), "short").unwrap();
    refused(&bench, ["webhook", "add", "http://127.0.0.1:9/", "--secret-file", "secret"]);
    assert_eq!(bench.expect(0, ["--json", "webhook", "list"]).json(), serde_json::json!([]));
}

/// A server that runs delivers what is committed by another process.
#[test]
fn a_subscriber_is_called_with_the_next_revision() {
    let bench = wells();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    bench.expect(0, ["webhook", "add", &url]);
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
        send.send((head, body)).unwrap();
    });
    let _server = bench.serve();
    import(&bench, &[well("B1", None, 1.0, [106.7, 10.7])], "Đợt ba");
    let (head, body) = receive.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(head.starts_with("post /hook ") && head.contains("webhook-signature: v1,"), "{head}");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(body.to_string().contains("\"revision\":3"), "{body}");
}
