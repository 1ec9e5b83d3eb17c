//! Clients that are Python programs, and GDAL's command line: each asks the running server and compares the
//! answers with the rows of the store, which it reads as SQLite.

use std::process::Command;

use citymap_tests::{Bench, Server, installed, python, root};

use crate::{OVERWRITER, city, writers};

/// Runs a program of this folder with the address of the API, the store and a token. It must succeed; what it
/// prints is shown with `--nocapture`.
fn run(mut program: Command, script: &str, args: &[&str]) {
    let (bench, server) = served();
    let output = program
        .arg(root().join("tests/clients").join(script))
        .arg(format!("{}/api", server.url()))
        .arg(bench.store())
        .args(args)
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn served() -> (Bench, Server) {
    let bench = city();
    let writers = writers(&bench);
    let server = Server::start(bench.store(), &["--writers", writers.to_str().unwrap()]);
    (bench, server)
}

#[test]
fn owslib_reads_edits_and_runs_processes() {
    let Some(python) = python() else { return };
    run(python, "owslib_client.py", &[OVERWRITER]);
}

#[test]
fn pyogrio_reads_every_layer_by_id_attribute_and_date() {
    let Some(python) = python() else { return };
    run(python, "ogr_client.py", &["pyogrio"]);
}

#[test]
fn gdal_reads_every_layer_by_id_attribute_and_date() {
    let (Some(python), true) = (python(), installed("ogrinfo", "gdal-bin")) else { return };
    run(python, "ogr_client.py", &["ogrinfo"]);
}

#[test]
fn conditions_of_gdal_reach_the_server_and_count_right() {
    let (Some(python), true) = (python(), installed("ogrinfo", "gdal-bin")) else { return };
    // One process of GDAL for each of 60 conditions: some seconds.
    run(python, "where_client.py", &[]);
}
