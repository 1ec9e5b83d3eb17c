//! One who receives webhooks: an HTTP server of a few lines that answers as it is told and remembers what
//! came.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use super::city::wait_for;

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: String,
    pub(crate) at: Instant,
}

impl Message {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.json()["revision"].as_u64().unwrap()
    }
}

/// How the next message is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Say {
    Status(u16),
    /// 200, after a while.
    After(Duration),
    /// Nothing; the line is cut.
    Cut,
    /// Redirects to another address.
    Redirect,
}

#[derive(Default)]
struct Inner {
    messages: Vec<Message>,
    /// What to say next; 204 where nothing is left.
    script: VecDeque<Say>,
    /// What to say always, instead.
    always: Option<Say>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), inner: Arc::default() };
        let own = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                thread::spawn(move || own.talk(stream));
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn script(&self, says: impl IntoIterator<Item = Say>) {
        self.inner.lock().unwrap().script.extend(says);
    }

    pub(crate) fn always(&self, say: Option<Say>) {
        self.inner.lock().unwrap().always = say;
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.inner.lock().unwrap().messages.clone()
    }

    pub(crate) fn revisions(&self) -> Vec<u64> {
        self.messages().iter().map(Message::revision).collect()
    }

    /// Waits until so many messages have come.
    pub(crate) fn has(&self, count: usize) -> Vec<Message> {
        wait_for(&format!("{count} messages"), || self.messages().len() >= count);
        self.messages()
    }

    fn talk(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        loop {
            let mut headers = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                if line.trim().is_empty() {
                    break;
                }
                headers.push(line.trim().to_owned());
            }
            let header = |name: &str| {
                let found = headers.iter().filter_map(|line| line.split_once(": "));
                found
                    .filter(|(own, _)| own.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.to_owned())
                    .next()
                    .unwrap_or_default()
            };
            assert!(headers[0].starts_with("POST /hook HTTP/1.1"), "{}", headers[0]);
            let mut body = vec![0; header("content-length").parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let message = Message {
                id: header("webhook-id"),
                timestamp: header("webhook-timestamp"),
                signature: header("webhook-signature"),
                body: String::from_utf8(body).unwrap(),
                at: Instant::now(),
            };
            let say = {
                let mut inner = self.inner.lock().unwrap();
                inner.messages.push(message);
                inner.always.or_else(|| inner.script.pop_front()).unwrap_or(Say::Status(204))
            };
            let (status, more) = match say {
                Say::Status(status) => (status, ""),
                Say::After(time) => {
                    thread::sleep(time);
                    (200, "")
                }
                Say::Cut => return,
                Say::Redirect => (307, "location: http://127.0.0.1:1/\r\n"),
            };
            let length = if status == 204 { "" } else { "content-length: 0\r\n" };
            if writer.write_all(format!("HTTP/1.1 {status} X\r\n{more}{length}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    }
}
