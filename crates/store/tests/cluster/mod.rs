//! PostgreSQL servers of a test's own, below `target/`, that it may kill.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The newest PostgreSQL's programs; `None`, and a word about it, where there is none.
pub(crate) fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort_by_key(|bin| bin.parent().and_then(|dir| dir.file_name()?.to_str()?.parse::<u32>().ok()));
    if found.is_empty() {
        citymap_testing::skip("PostgreSQL is not installed; `scripts/setup test` installs it");
    }
    found.pop()
}

/// How many rounds a test of faults goes through.
pub(crate) fn rounds() -> u32 {
    std::env::var("CITYMAP_FAULT_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// A port of the loopback interface that was free just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether PostgreSQL's programs need another user: they refuse to run as root.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

/// A program of PostgreSQL, as a user it runs as.
fn run(program: &Path, args: &[&str]) -> Output {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(args).current_dir("/").stdin(Stdio::null()).output().unwrap()
}

/// A folder that PostgreSQL's user can reach.
pub(crate) fn folder(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    fs::create_dir_all(&target).unwrap();
    for root in [target.canonicalize().unwrap(), std::env::temp_dir()] {
        let dir = root.join(format!("citymap-{name}.{}-{}", std::process::id(), free_port()));
        fs::create_dir(&dir).unwrap();
        give(&dir);
        if !is_root() || run(Path::new("/usr/bin/test"), &["-w", dir.to_str().unwrap()]).status.success() {
            return dir;
        }
        fs::remove_dir(&dir).unwrap();
    }
    panic!("the user postgres can write neither below target/ nor in the temporary folder");
}

/// Lets PostgreSQL's user own a file.
pub(crate) fn give(path: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
    }
}

/// A PostgreSQL server of the cluster.
pub(crate) struct Cluster {
    bin: PathBuf,
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
}

impl Cluster {
    /// A new, running server with these settings, one a line; `initdb` too may have its own.
    pub(crate) fn new(bin: &Path, name: &str, settings: &str) -> Self {
        let cluster = Self { bin: bin.to_owned(), dir: folder(name), port: free_port() };
        let data = cluster.data();
        let made = run(
            &bin.join("initdb"),
            &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.configure(settings);
        cluster.start();
        cluster
    }

    /// A standby of this one, running, at a port of its own or at this one.
    pub(crate) fn standby(&self, name: &str, port: Option<u16>) -> Self {
        let standby = Self { bin: self.bin.clone(), dir: folder(name), port: port.unwrap_or_else(free_port) };
        let made = run(
            &self.bin.join("pg_basebackup"),
            &[
                "-D",
                &standby.data(),
                "-d",
                &format!("{} application_name={name}", self.libpq()),
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "-N",
            ],
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // Alone, after a promotion, it is not to wait for another.
        standby.configure("synchronous_standby_names = ''");
        standby.start();
        standby
    }

    fn libpq(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres", self.port)
    }

    fn data(&self) -> String {
        self.dir.join("data").to_str().unwrap().to_owned()
    }

    /// Adds settings; the later one of two counts.
    pub(crate) fn configure(&self, settings: &str) {
        let path = self.dir.join("data/postgresql.auto.conf");
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text.push_str(&format!(
            "\nport = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\n{settings}\n",
            self.port,
            self.dir.display()
        ));
        fs::write(&path, text).unwrap();
        give(&path);
    }

    /// Starts it; after a kill, the former server's children may hold on for a moment.
    pub(crate) fn start(&self) {
        let log = self.dir.join("log");
        for _ in 0..50 {
            let started = run(
                &self.bin.join("pg_ctl"),
                &["-D", &self.data(), "-w", "-l", log.to_str().unwrap(), "start"],
            );
            if started.status.success() {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
        panic!("PostgreSQL does not start:\n{}", fs::read_to_string(log).unwrap_or_default());
    }

    /// Reads its settings again.
    pub(crate) fn reload(&self) {
        run(&self.bin.join("pg_ctl"), &["-D", &self.data(), "reload"]);
    }

    /// Stops it: `fast`, or `immediate`, which is a crash.
    pub(crate) fn stop(&self, mode: &str) {
        run(&self.bin.join("pg_ctl"), &["-D", &self.data(), "-m", mode, "-w", "stop"]);
    }

    /// `kill -9` of the server.
    pub(crate) fn kill(&self) {
        let pid = fs::read_to_string(self.dir.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    }

    /// Makes the standby a primary, and waits until it is.
    pub(crate) fn promote(&self) {
        let done = run(&self.bin.join("pg_ctl"), &["-D", &self.data(), "-w", "promote"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// The address of a database.
    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL; what it prints.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        psql(&self.bin, &self.address(database), sql)
    }

    /// A new database with PostGIS.
    pub(crate) fn database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        self.psql(name, "CREATE EXTENSION postgis");
        self.address(name)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop("immediate");
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Runs SQL in a database; what it prints.
pub(crate) fn psql(bin: &Path, address: &str, sql: &str) -> String {
    let done = Command::new(bin.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", address, "-c", sql])
        .output()
        .unwrap();
    assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
