//! Programs of others, where they are installed: Martin (a tile server on PostGIS) and tippecanoe (which
//! bakes tiles).

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Whether a program can be started.
pub(crate) fn installed(name: &str) -> bool {
    Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A running Martin, its cache off.
pub(crate) struct Martin {
    child: Child,
    url: String,
}

impl Martin {
    /// Serves the tables of `database`; `None` where Martin is not installed.
    pub(crate) fn start(database: &str) -> Option<Self> {
        if !installed("martin") {
            return None;
        }
        let socket = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = socket.expect("a free port").to_string();
        let child = Command::new("martin")
            .args(["--listen-addresses", &address, "--cache-size", "0", database])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("martin starts");
        let martin = Self { child, url: format!("http://{address}") };
        let start = Instant::now();
        while ureq::get(format!("{}/health", martin.url)).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "Martin did not become ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(martin)
    }

    /// The address at which it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Martin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds that tippecanoe takes for the zooms of a file of GeoJSON lines; `None` where it is not installed.
pub(crate) fn tippecanoe(lines: &Path, to: &Path, [least, most]: [u8; 2]) -> Option<f64> {
    if !installed("tippecanoe") {
        return None;
    }
    let start = Instant::now();
    let out = Command::new("tippecanoe")
        .args(["--quiet", "--force", "--read-parallel", "--layer", "parcels", "--drop-densest-as-needed"])
        .args(["--minimum-zoom", &least.to_string(), "--maximum-zoom", &most.to_string(), "--output"])
        .args([to, lines])
        .output()
        .expect("tippecanoe starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(start.elapsed().as_secs_f64())
}

/// A database's address (`postgres://user@host:port/name`) as GDAL takes it.
pub(crate) fn pg(database: &str) -> String {
    // GDAL 3.6 appends to the string in libpq's other notation.
    let address = database.trim_start_matches("postgres://").replace(['@', ':', '/'], " ");
    let words: Vec<&str> = address.split(' ').collect();
    let [user, host, port, name] = words[..] else {
        panic!("{database} is not postgres://user@host:port/name")
    };
    format!("PG:host={host} port={port} user={user} dbname={name}")
}

/// Copies the layer `parcels` with `ogr2ogr`.
pub(crate) fn ogr2ogr(to: &Path, from: &Path, format: &str, more: &[&str]) {
    ogr2ogr_layer("parcels", to, from, format, more);
}

/// Copies one layer with `ogr2ogr`, with these further arguments.
pub(crate) fn ogr2ogr_layer(layer: &str, to: &Path, from: &Path, format: &str, more: &[&str]) {
    let mut command = Command::new("ogr2ogr");
    command.args(["-f", format]).args(more).arg(to).arg(from).arg(layer).env("OGR_SQLITE_PRAGMA", "");
    let out = command.output().expect("ogr2ogr starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}
