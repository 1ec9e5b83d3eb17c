//! As much of HTTP/2 as an attacker needs: frames written by hand, and a look at the answers' heads.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// A frame: its length, type, flags and stream, then its payload.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What a client sends first; its window takes no byte of any answer.
pub(crate) fn opening() -> Vec<u8> {
    let mut window = INITIAL_WINDOW_SIZE.to_be_bytes().to_vec();
    window.extend(0u32.to_be_bytes());
    [PREFACE.to_vec(), frame(SETTINGS, 0, 0, &window)].concat()
}

/// A GET without a body (END_STREAM and END_HEADERS are set), with entries of the static table for GET, http,
/// `:path` and `:authority`.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    let mut head = vec![0x82, 0x86, 0x04];
    assert!(path.len() < 127, "the length takes one byte");
    head.push(path.len() as u8);
    head.extend(path.as_bytes());
    head.extend([0x01, 1, b'x']);
    frame(HEADERS, 0x05, stream, &head)
}

/// Counts the answers that come within `time`.
pub(crate) fn answers(stream: &mut TcpStream, time: Duration, to: &mut BTreeMap<String, usize>) {
    let mut add = |what: &str| *to.entry(what.to_owned()).or_default() += 1;
    let end = Instant::now() + time;
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (mut bytes, mut part) = (Vec::new(), [0; 16 << 10]);
    while Instant::now() < end {
        match stream.read(&mut part) {
            Ok(0) => {
                add("connection closed");
                break;
            }
            Ok(read) => bytes.extend_from_slice(&part[..read]),
            // Nothing came within the time.
            Err(_) => {}
        }
        while let Some((kind, payload)) = next(&mut bytes) {
            match kind {
                // `:status: 200` is entry 8 of the static table.
                HEADERS if payload.first() == Some(&0x88) => add("200"),
                HEADERS => add("429 or 503"),
                RST_STREAM => add("stream refused"),
                GOAWAY => add("connection refused"),
                SETTINGS => drop(stream.write_all(&frame(SETTINGS, 1, 0, &[]))),
                _ => {}
            }
        }
    }
}

/// Takes the first frame, if all of it is there: its type and its payload.
fn next(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let head = bytes.get(..9)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let kind = head[3];
    if bytes.len() < 9 + length {
        return None;
    }
    let payload = bytes[9..9 + length].to_vec();
    bytes.drain(..9 + length);
    Some((kind, payload))
}
