//! A relay between the store and its server that cuts the wire where it is told to.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Where the wire is cut next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    Not,
    /// A COMMIT does not reach the server.
    BeforeCommit,
    /// A COMMIT reaches the server, its answer does not come back.
    AfterCommit,
    /// After so many bytes to the server.
    After(usize),
}

/// The relay between client and server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: Arc<Mutex<Cut>>,
}

impl Proxy {
    pub(crate) fn new(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(Mutex::new(Cut::Not));
        let shared = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                relay(client, server, &shared);
            }
        });
        Self { port, cut }
    }

    /// Arms the next cut.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = cut;
    }

    /// Whether the cut has been made.
    pub(crate) fn is_done(&self) -> bool {
        *self.cut.lock().unwrap() == Cut::Not
    }
}

fn relay(client: TcpStream, server: TcpStream, cut: &Arc<Mutex<Cut>>) {
    let muted = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (cut, mute) = (Arc::clone(cut), Arc::clone(&muted));
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = from_client.read(&mut buffer) {
            let bytes = &buffer[..count];
            let commits = bytes.windows(7).any(|word| word == b"COMMIT\0");
            let mut next = cut.lock().unwrap();
            let (forward, close) = match *next {
                Cut::BeforeCommit if commits => (0, true),
                Cut::AfterCommit if commits => (count, true),
                Cut::After(left) if left <= count => (left, true),
                Cut::After(left) => {
                    *next = Cut::After(left - count);
                    (count, false)
                }
                _ => (count, false),
            };
            if close {
                *next = Cut::Not;
                mute.store(true, Ordering::SeqCst);
            }
            drop(next);
            if to_server.write_all(&bytes[..forward]).is_err() {
                break;
            }
            if close {
                // Time for the server to do it, unheard.
                thread::sleep(Duration::from_millis(if forward > 0 { 30 } else { 0 }));
                break;
            }
        }
        let _ = from_client.shutdown(Shutdown::Both);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut from_server, mut to_client) = (server, client);
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = from_server.read(&mut buffer) {
            if muted.load(Ordering::SeqCst) {
                continue;
            }
            if to_client.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = from_server.shutdown(Shutdown::Both);
        let _ = to_client.shutdown(Shutdown::Both);
    });
}
