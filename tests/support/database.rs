//! PostgreSQL for a test: a database of its own in the cluster that `scripts/with-postgres` started, or a
//! whole cluster.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new database with PostGIS; gone with the value.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A database in the cluster that `scripts/with-postgres` started, or `None`, saying so: the test then
    /// skips.
    pub fn create() -> Option<Self> {
        Some(Self::create_in(&super::database()?))
    }

    /// A database in the cluster at `server` (`postgres://user@host:port/postgres`).
    pub fn create_in(server: &str) -> Self {
        let name = format!("citymap_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        psql(server, &format!("CREATE DATABASE {name}"));
        let database = Self { server: server.to_owned(), name };
        psql(&database.url(), "CREATE EXTENSION postgis");
        database
    }

    /// Its address, for `--store` and for `psql`.
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("the address names a database");
        format!("{server}/{}", self.name)
    }

    /// What `psql` answers, without heads and borders.
    pub fn psql(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = Command::new("psql").args(["-q", &self.server, "-c", &sql]).stderr(Stdio::null()).status();
    }
}

/// Runs SQL; panics where it fails.
pub fn psql(url: &str, sql: &str) -> String {
    let out = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", sql])
        .output()
        .expect("psql starts");
    assert!(out.status.success(), "{sql}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// A PostgreSQL server of the test's own, on a free port of the loopback interface.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
}

impl Cluster {
    /// Makes and starts one; `settings` are lines of `postgresql.conf`. `None`, saying so, where PostgreSQL
    /// is missing.
    pub fn start(settings: &str) -> Option<Self> {
        programs()?;
        let cluster = Self { folder: folder(), port: free_port() };
        cluster.run("initdb", &["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"]);
        cluster.configure(settings);
        cluster.control(&["start"]);
        Some(cluster)
    }

    /// A standby that follows this one from now on.
    pub fn standby(&self, name: &str) -> Self {
        let standby = Self { folder: folder(), port: free_port() };
        let primary = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        standby.run("pg_basebackup", &["-R", "-X", "stream", "-c", "fast", "-d", &primary, "-D"]);
        standby.configure(&format!("primary_conninfo = '{primary}'"));
        standby.control(&["start"]);
        standby
    }

    /// The address of the server.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens: `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Stops it as a power cut would.
    pub fn crash(&self) {
        self.control(&["-m", "immediate", "stop"]);
    }

    /// Starts the server again.
    pub fn start_again(&self) {
        self.control(&["start"]);
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.control(&["promote"]);
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn configure(&self, settings: &str) {
        let socket = self.folder.path().display();
        let text = format!(
            "\nport = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{socket}'\njit = off\n\
             max_wal_size = 2GB\n{settings}\n",
            self.port
        );
        let file = self.data().join("postgresql.auto.conf");
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        std::fs::write(&file, before + &text).expect("its settings can be written");
    }

    fn control(&self, args: &[&str]) {
        let log = self.folder.path().join("log");
        let mut all = vec!["-w", "-s", "-l", log.to_str().expect("a plain path")];
        all.extend(args);
        all.push("-D");
        self.run("pg_ctl", &all);
    }

    /// Runs a program of PostgreSQL's on the data folder, as the user that it wants.
    fn run(&self, program: &str, args: &[&str]) {
        let program = programs().expect("PostgreSQL is here").join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let log = std::fs::File::create(self.folder.path().join("out")).expect("a log");
        let status = command
            .args(args)
            .arg(self.data())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .status()
            .expect("PostgreSQL's program starts");
        let said = std::fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
        assert!(status.success(), "{command:?}: {said}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.crash()));
            if outcome.is_err() {
                let _ =
                    writeln!(std::io::stderr(), "a cluster could not be stopped: {}", self.data().display());
            }
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}

/// A folder that PostgreSQL's user can write to.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("citymap-cluster").tempdir().expect("a temporary folder");
    if is_root() {
        let status = Command::new("chown").arg("postgres").arg(folder.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "the folder can be given to postgres");
    }
    folder
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|socket| socket.local_addr())
        .expect("a free port")
        .port()
}

/// The folder with PostgreSQL's programs, or `None`, saying so.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| Path::new(folder).join("initdb").exists())
        .collect();
    found.sort();
    if found.is_empty() {
        citymap_testing::skip("PostgreSQL is not installed; `scripts/setup test` installs it");
    }
    found.pop()
}
