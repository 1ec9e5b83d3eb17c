//! A well-behaved client at another address, which asks all the while and measures.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::net::TcpSocket;

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(4);

/// A thread that asks.
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Seen>,
}

/// How long the answers took, and how many failed.
#[derive(Default)]
pub(crate) struct Seen {
    millis: Vec<f64>,
    failures: usize,
}

impl Probe {
    /// Asks the server at `url`, in turn, whether it lives and what is at `place`.
    pub(crate) fn start(url: &str, place: [f64; 2]) -> Self {
        let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let [lon, lat] = place;
        let paths = ["/health/live".to_owned(), format!("/api/at?lon={lon}&lat={lat}")];
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (mut seen, mut stream) = (Seen::default(), None);
            for path in paths.iter().cycle() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let start = Instant::now();
                match ask(&mut stream, address, path) {
                    Ok(200) => seen.millis.push(start.elapsed().as_secs_f64() * 1e3),
                    Ok(_) => seen.failures += 1,
                    Err(_) => {
                        seen.failures += 1;
                        stream = None;
                    }
                }
                thread::sleep(PAUSE);
            }
            seen
        });
        Self { stop, thread }
    }

    /// Ends the thread and returns what it saw.
    pub(crate) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.millis.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| sorted.get(((sorted.len() as f64 - 1.0) * part).round() as usize);
        let of = |part: f64| at(part).map_or("–".to_owned(), |millis| format!("{millis:.1}"));
        write!(f, "{}, {}, {}", of(0.5), of(0.99), of(1.0))?;
        if self.failures > 0 {
            write!(f, "; {} failed", self.failures)?;
        }
        Ok(())
    }
}

/// The status of a GET on a kept connection, which is opened first if there is none.
fn ask(stream: &mut Option<TcpStream>, address: SocketAddr, path: &str) -> io::Result<u16> {
    let stream = match stream {
        Some(stream) => stream,
        none => none.insert(connect(address)?),
    };
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    loop {
        let read = stream.read(&mut part)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&part[..read]);
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if answer.len() >= head + 4 + length.unwrap_or(0usize) {
            return Ok(text.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0));
        }
    }
}

/// A connection from 127.0.0.2: another client than the attacker.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into())?;
        socket.connect(address).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}
