//! A reader of server-sent events that is not a browser: HTTP/1.1 by hand, so that it sees what is sent and
//! when.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value as Json;

use super::city::Server;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    pub(crate) kind: String,
    pub(crate) data: Json,
}

/// An open stream of events.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    pub(crate) head: String,
    text: String,
    /// Comments seen, the first one too.
    pub(crate) comments: usize,
    pub(crate) retry: Option<u64>,
    /// The last id seen, as a browser remembers it.
    pub(crate) last: Option<u64>,
}

impl Events {
    pub(crate) fn open(server: &Server, query: &str, last: Option<u64>) -> Self {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let last_id = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        let request = format!(
            "GET /api/events{query} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\naccept-encoding: \
             gzip\r\n{last_id}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        Self { reader, head: head.to_ascii_lowercase(), text: String::new(), comments: 0, retry: None, last }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                if let Some(event) = self.take(&block) {
                    return Some(event);
                }
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// The next event's id and its data.
    pub(crate) fn revision(&mut self) -> (u64, Json) {
        let event = self.next().expect("the stream goes on");
        assert_eq!(event.kind, "revision");
        (event.id.unwrap(), event.data)
    }

    /// Reads until a comment has come.
    pub(crate) fn comment(&mut self) {
        let seen = self.comments;
        while self.comments == seen {
            assert!(self.more(), "the stream goes on");
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                assert_eq!(self.take(&block), None, "nothing but a comment");
            }
        }
    }

    fn take(&mut self, block: &str) -> Option<Event> {
        let mut event = Event { id: None, kind: "message".into(), data: Json::Null };
        let mut some = false;
        for line in block.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap();
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "" => self.comments += 1,
                "retry" => self.retry = Some(value.parse().unwrap()),
                "id" => {
                    event.id = Some(value.parse().unwrap());
                    self.last = event.id;
                }
                "event" => value.clone_into(&mut event.kind),
                "data" => {
                    event.data = serde_json::from_str(value).unwrap();
                    some = true;
                }
                other => panic!("a field {other}"),
            }
        }
        some.then_some(event)
    }

    /// Reads one chunk of the body; false at its end.
    fn more(&mut self) -> bool {
        let mut size = String::new();
        if self.reader.read_line(&mut size).unwrap() == 0 {
            return false;
        }
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).unwrap();
        // Pieces end with an event, so that letters are never cut.
        self.text.push_str(std::str::from_utf8(&chunk[..size]).unwrap());
        size > 0
    }
}
