//! What the tests that drive the built binary share: where it is, a store of its own for each
//! test, a server that ends with the test, and the real data where it is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or a benchmark fails by panicking")]

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

mod database;
mod http;

pub use citymap_testing::{database, installed, python, real_data, skip};
pub use database::{Cluster, Database, psql};
pub use http::{Answer, WRITER};

/// The `citymap` binary next to the running test (`cargo test --workspace` builds it).
pub fn citymap() -> PathBuf {
    if let Some(path) = std::env::var_os("CITYMAP_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the running test has a path");
    let bin = test.ancestors().skip(1).map(|dir| dir.join("citymap")).find(|path| path.is_file());
    bin.expect("target/…/citymap is there: run `cargo build -p citymap-cli` or the tests with --workspace")
}

/// The repository's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

/// A folder with a store that ends with the test.
#[derive(Debug)]
pub struct Bench {
    folder: tempfile::TempDir,
    /// A store elsewhere: a database.
    elsewhere: Option<String>,
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

impl Bench {
    /// An empty folder; the store in it does not exist yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), elsewhere: None }
    }

    /// An empty folder, and a store in a database, which is migrated.
    pub fn on(database: &str) -> Self {
        let bench = Self { elsewhere: Some(database.to_owned()), ..Self::new() };
        bench.expect(0, ["migrate"]);
        bench
    }

    /// A file with one writer, [`WRITER`], for `serve --writers`.
    pub fn writers(&self) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.path("writers");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .expect("a file of writers");
        std::io::Write::write_all(&mut file, format!("tester:{WRITER}\n").as_bytes()).expect("is written");
        path
    }

    /// Where the store is, for `--store`.
    pub fn location(&self) -> String {
        self.elsewhere.clone().unwrap_or_else(|| self.store().to_string_lossy().into_owned())
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The store's file, unless it is a database.
    pub fn store(&self) -> PathBuf {
        self.path("city.gpkg")
    }

    /// A command line of `citymap` on the store.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(citymap());
        command
            .env("CITYMAP_STORE", self.location())
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs `citymap` and waits.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        Run(self.command(args).output().expect("citymap starts"))
    }

    /// Runs `citymap`, which must end with `code`.
    pub fn expect<S: AsRef<std::ffi::OsStr>>(&self, code: i32, args: impl IntoIterator<Item = S>) -> Run {
        let run = self.run(args);
        assert_eq!(run.code(), Some(code), "{}{}", run.stdout(), run.stderr());
        run
    }

    /// Serves the store on a free port.
    pub fn serve(&self) -> Server {
        Server::start(self.location(), &[])
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Run(pub Output);

impl Run {
    /// The exit code; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    /// What was written to standard output.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// What was written to standard error.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}{}", self.stdout(), self.stderr()))
    }
}

/// A running `citymap serve`; ends with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Serves `store` on a free port of the loopback interface and waits until it is ready.
    pub fn start(store: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let mut child = Command::new(citymap())
            .arg("--store")
            .arg(store.as_ref())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .args(args)
            // Tests take databases away on purpose; what the server logs about it is of no interest.
            .env("CITYMAP_LOG", std::env::var("CITYMAP_LOG").unwrap_or_else(|_unset| "off".to_owned()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("citymap serve starts");
        // Whatever it prints is read, so that it never waits for us.
        let output = child.stdout.take().expect("its output is piped");
        std::thread::spawn(move || BufReader::new(output).lines().for_each(drop));
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        while ureq::get(format!("{}/health/ready", server.url)).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(120), "the server did not become ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// The address, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The running server process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The answer to a GET as JSON; it must be a success.
    pub fn json(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let mut answer = ureq::get(&url).call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
        answer.body_mut().read_json().unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    /// Status and body of a GET, whatever they are.
    pub fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(format!("{}{path}", self.url)).call().expect("the server answers");
        let mut body = Vec::new();
        answer.body_mut().as_reader().read_to_end(&mut body).expect("the body ends");
        (answer.status().as_u16(), body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
