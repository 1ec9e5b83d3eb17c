//! Webhooks, with receivers that are not ours.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use citymap_feed::webhooks::{self, Added, NewSubscription, Subscription, WebhookError};
use citymap_store::Store;
use sha2::{Digest, Sha256};

use super::{
    city::{City, Server, id, wait_for},
    receiver::{Message, Receiver, Say},
};

fn subscribe(city: &City, name: &str, receiver: &Receiver) -> Added {
    let new = NewSubscription { name: name.into(), url: receiver.url(), ..NewSubscription::default() };
    webhooks::add(&city.store, new).unwrap()
}

fn the(city: &City, name: &str) -> Subscription {
    webhooks::list(&city.store).unwrap().into_iter().find(|own| own.name == name).unwrap()
}

/// HMAC as RFC 2104 writes it down, and not as the server does it.
fn signature(secret: &str, message: &Message) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(&key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let text = format!("{}.{}.{}", message.id, message.timestamp, message.body);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    format!("v1,{}", STANDARD.encode(outer))
}

#[test]
fn each_revision_comes_once_in_order_and_signed() {
    let city = City::new();
    let server = Server::start(&city);
    let receiver = Receiver::start();
    let added = subscribe(&city, "sổ địa chính", &receiver);
    for fid in 1..=10 {
        city.touch(fid, "CLN");
    }
    let messages = receiver.has(10);
    thread::sleep(Duration::from_millis(100));
    assert_eq!(receiver.revisions(), (2..=11).collect::<Vec<u64>>(), "only what came after the subscription");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for message in &messages {
        assert_eq!(message.signature, signature(&added.secret, message));
        assert_eq!(message.id, format!("rev-{}-{}", message.revision(), added.id));
        assert!(now - message.timestamp.parse::<u64>().unwrap() < 60);
        assert!(!message.body.contains("Bí Mật") && !message.body.contains("Trần Văn Viết"));
    }
    // What is sent is what is shown.
    let shown = server.json("/api/changes?since=1&limit=1");
    assert_eq!(shown["revisions"][0], messages[0].json());
}

#[test]
fn a_failure_is_tried_again_and_nothing_overtakes_it() {
    let city = City::new();
    let _server = Server::start(&city);
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    receiver.script([Say::Status(500), Say::Cut, Say::Redirect, Say::Status(204), Say::Status(404)]);
    city.touch(1, "x");
    city.touch(2, "y");
    let messages = receiver.has(6);
    assert_eq!(receiver.revisions(), [2, 2, 2, 2, 3, 3]);
    let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]) && ids[4] != ids[0]);
    wait_for("the end of trouble", || {
        let own = the(&city, "a");
        own.failing.is_none() && own.revision == 3
    });
    assert_eq!(the(&city, "a").dead, 0);
}

#[test]
fn waits_between_attempts_grow_and_are_told() {
    let city = City::new();
    let _server = Server::with(&city, |config| {
        config.webhooks.first_retry = Duration::from_millis(100);
        config.webhooks.retry_max = Duration::from_secs(10);
        config.webhooks.give_up = Duration::from_secs(60);
    });
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    receiver.always(Some(Say::Status(503)));
    city.touch(1, "x");
    let messages = receiver.has(4);
    let waits: Vec<f64> = messages.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    for (wait, least) in waits.iter().zip([0.075, 0.150, 0.300]) {
        assert!((least..least * 1.7 + 0.5).contains(wait), "{waits:?}");
    }
    wait_for("the record of it", || the(&city, "a").failing.is_some_and(|own| own.attempts >= 4));
    let failing = the(&city, "a").failing.unwrap();
    assert!(failing.reason.contains("503") && failing.next > failing.since, "{failing:?}");
    receiver.always(None);
}

#[test]
fn a_slow_receiver_stalls_neither_another_nor_the_server() {
    let city = City::new();
    let server = Server::start(&city);
    let (slow, quick) = (Receiver::start(), Receiver::start());
    subscribe(&city, "slow", &slow);
    subscribe(&city, "quick", &quick);
    slow.always(Some(Say::After(Duration::from_millis(700))));
    let start = Instant::now();
    for fid in 1..=5 {
        city.touch(fid, "x");
    }
    quick.has(5);
    assert!(start.elapsed() < Duration::from_millis(2_000), "{:?}", start.elapsed());
    assert_eq!(server.ask("/api/collections/parcels/items", &[]).0, 200);
    slow.has(5);
    assert_eq!(slow.revisions(), [2, 3, 4, 5, 6], "late, and all of it");
}

#[test]
fn one_that_never_answers_is_not_waited_for() {
    let city = City::new();
    let _server = Server::with(&city, |config| config.webhooks.timeout = Duration::from_millis(150));
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    receiver.script([Say::After(Duration::from_secs(3)), Say::Status(200)]);
    city.touch(1, "x");
    let messages = receiver.has(2);
    assert!(messages[1].at - messages[0].at < Duration::from_secs(2));
    wait_for("delivery", || the(&city, "a").revision == 2);
}

#[test]
fn gone_ends_a_subscription_until_somebody_goes_on() {
    let city = City::new();
    let _server = Server::start(&city);
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    receiver.script([Say::Status(410)]);
    city.touch(1, "x");
    wait_for("its end", || the(&city, "a").ended.is_some());
    city.touch(2, "y");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(receiver.revisions(), [2]);
    webhooks::pause(&city.store, "a", false).unwrap();
    receiver.has(3);
    assert_eq!(receiver.revisions(), [2, 2, 3]);
    assert_eq!(the(&city, "a").ended, None);
}

#[test]
fn what_cannot_be_delivered_becomes_a_dead_letter_and_the_rest_goes_on() {
    let city = City::new();
    let _server = Server::start(&city);
    let receiver = Receiver::start();
    let added = subscribe(&city, "a", &receiver);
    receiver.always(Some(Say::Status(500)));
    city.touch(1, "x");
    wait_for("a dead letter", || the(&city, "a").dead == 1);
    receiver.always(None);
    let before = receiver.messages().len();
    let letter = webhooks::dead_letters(&city.store, "a").unwrap().remove(0);
    assert_eq!((letter.revision, letter.again), (2, false));
    assert!(letter.attempts > 2 && letter.reason.contains("500") && letter.last > letter.first, "{letter:?}");
    city.touch(2, "y");
    receiver.has(before + 1);
    assert_eq!(receiver.revisions()[before..], [3]);

    // Once more, and it fails again; then it is taken.
    receiver.script([Say::Status(502)]);
    assert_eq!(webhooks::retry_dead(&city.store, "a", Some(99)).unwrap(), 0);
    assert_eq!(webhooks::retry_dead(&city.store, &added.id, Some(2)).unwrap(), 1);
    wait_for("another failure", || {
        webhooks::dead_letters(&city.store, "a").unwrap()[0].reason.contains("502")
    });
    assert_eq!(webhooks::retry_dead(&city.store, "a", None).unwrap(), 1);
    wait_for("the list is empty", || the(&city, "a").dead == 0);
    assert_eq!(receiver.revisions()[before..], [3, 2, 2]);
    let messages = receiver.messages();
    assert_eq!(messages[0].id, messages[before + 2].id, "the receiver can know it again");
}

#[test]
fn another_server_takes_over_without_a_gap() {
    let city = City::new();
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    let mut servers: Vec<Server> = (0..2).map(|_| Server::start(&city)).collect();
    let mut last = 1;
    for round in 0..4 {
        for fid in 1..=5 {
            last = city.touch(fid, &format!("{round}"));
        }
        if round < 3 {
            // Whichever of them delivers, or both in turn: one goes in the midst of it, a new one comes.
            let mut old = servers.remove(0);
            thread::sleep(Duration::from_millis(20 * round));
            old.stop();
            servers.push(Server::start(&city));
        }
    }
    wait_for("all revisions", || receiver.revisions().last() == Some(&last));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(receiver.revisions(), (2..=last).collect::<Vec<u64>>());
}

#[test]
fn one_server_delivers_and_the_next_waits_for_a_silent_one() {
    let city = City::new();
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    // A server that died a moment ago.
    assert!(city.store.put_document("webhooks/lease", 0, Some("{\"holder\":\"wh_gone\"}")).unwrap());
    let start = Instant::now();
    let _servers: Vec<Server> = (0..3).map(|_| Server::start(&city)).collect();
    for fid in 1..=10 {
        city.touch(fid, "x");
    }
    receiver.has(10);
    assert!(start.elapsed() >= Duration::from_millis(600), "its time was not over");
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(receiver.revisions(), (2..=11).collect::<Vec<u64>>(), "one of three sends each");
    let lease = city.store.document("webhooks/lease").unwrap().unwrap();
    assert!(lease.version > 2 && !lease.body.contains("wh_gone"), "renewed: {lease:?}");
}

#[test]
fn layers_are_chosen_and_pauses_lose_nothing() {
    let city = City::new();
    city.replace("zones", 2);
    let _server = Server::start(&city);
    let receiver = Receiver::start();
    let new = NewSubscription {
        name: "zones".into(),
        url: receiver.url(),
        layers: Some(vec![id("zones")]),
        ..NewSubscription::default()
    };
    webhooks::add(&city.store, new).unwrap();
    city.touch(1, "x");
    let first = city.replace("zones", 3).number;
    receiver.has(1);
    wait_for("its place", || the(&city, "zones").revision == first);
    webhooks::pause(&city.store, "zones", true).unwrap();
    thread::sleep(Duration::from_millis(150));
    let second = city.replace("zones", 4).number;
    thread::sleep(Duration::from_millis(150));
    assert_eq!(receiver.revisions(), [first]);
    webhooks::pause(&city.store, "zones", false).unwrap();
    receiver.has(2);
    assert_eq!(receiver.revisions(), [first, second]);
    // What passes by is remembered too, so that it is not looked at again after a start.
    let passed = city.touch(2, "y");
    wait_for("its place", || the(&city, "zones").revision == passed);
}

#[test]
fn a_store_that_is_away_delays_and_loses_nothing() {
    let city = City::new();
    // Long enough that no other server would take over meanwhile.
    let server = Server::with(&city, |config| config.webhooks.lease = Duration::from_secs(20));
    let receiver = Receiver::start();
    subscribe(&city, "a", &receiver);
    city.touch(1, "x");
    receiver.has(1);
    // Perhaps before it is written down that the revision was taken: it is not sent again for that.
    server.store.disconnect();
    city.touch(2, "y");
    thread::sleep(Duration::from_millis(800));
    server.store.connect(0);
    receiver.has(2);
    assert_eq!(receiver.revisions(), [2, 3]);
}

#[test]
fn subscriptions_are_checked_and_secrets_told_once() {
    let city = City::new();
    let url = "https://a.vn/hook";
    let new = |name: &str, url: &str, secret: Option<&str>| NewSubscription {
        name: name.into(),
        url: url.into(),
        secret: secret.map(str::to_owned),
        layers: None,
    };
    let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let added = webhooks::add(&city.store, new("a", url, Some(secret))).unwrap();
    assert_eq!(added.secret, secret);
    for (name, url, secret) in [
        ("a", url, None),
        ("", url, None),
        ("b\n", "ftp://a.vn", None),
        ("b", "https://u:p@a.vn/", None),
        ("b", url, Some("whsec_AAECAw==")),
    ] {
        let refused = webhooks::add(&city.store, new(name, url, secret));
        assert!(refused.is_err(), "{name} {url}");
    }
    let list = webhooks::list(&city.store).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].revision, 1);
    let shown = format!("{} {list:?}", serde_json::to_string(&list).unwrap());
    assert!(!shown.contains("whsec_") && !shown.contains("AAECAwQF"), "{shown}");
    assert!(matches!(webhooks::remove(&city.store, "nix"), Err(WebhookError::NotFound(_))));
    webhooks::remove(&city.store, "a").unwrap();
    assert!(webhooks::list(&city.store).unwrap().is_empty());
    assert!(city.store.document(&format!("webhooks/{}/position", added.id)).unwrap().is_none());
}
