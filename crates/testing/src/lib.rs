//! What tests of all crates share: the real data, the test database, one way to skip a test, and a store that
//! can be taken away ([`SwitchStore`]).
//!
//! A test that needs something which is not there, a file of real data for instance, cannot run. It must not
//! look as if it had passed. So every test that skips does it through [`skip`], which
//!
//! - fails the test if `CITYMAP_REQUIRE=all` is set, as in continuous integration;
//! - otherwise prints the reason on standard error, even where the test harness captures the output of tests,
//!   and appends it to the file that `CITYMAP_SKIPPED` names, so that `make test` can list at its end what
//!   was not tested.
//!
//! # Examples
//! ```
//! # fn test() {
//! let Some(file) = citymap_testing::real_data("hcmc/hcmc_wards_2025.geojson") else { return };
//! assert!(file.exists());
//! # }
//! ```

mod switch_store;

use std::{
    env,
    fmt::Display,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

pub use switch_store::SwitchStore;

/// Reports that the running test cannot run, and why. The test returns afterwards.
///
/// # Panics
/// If `CITYMAP_REQUIRE=all` is set, so that the test fails.
pub fn skip(reason: impl Display) {
    assert!(!required(), "this test may not be skipped (CITYMAP_REQUIRE=all): {reason}");
    let line = line(&reason);
    // Not `eprintln!`, whose output the test harness captures.
    let _ = writeln!(io::stderr(), "skipped: {line}");
    if let Some(path) = env::var_os("CITYMAP_SKIPPED") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        // One write call for each line, so that lines of several processes do not mix.
        let _ = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    }
}

/// Whether every test must run: `CITYMAP_REQUIRE=all`.
pub fn required() -> bool {
    env::var_os("CITYMAP_REQUIRE").is_some_and(|value| value == "all")
}

/// A file or folder of the real data. If it is not there, the test is skipped.
///
/// The data is below the folder that `CITYMAP_REAL_DATA` names, by default `../shared/data` next to the
/// repository.
pub fn real_data(path: &str) -> Option<PathBuf> {
    let folder = env::var_os("CITYMAP_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file);
    }
    skip(format_args!("no real data at {}; CITYMAP_REAL_DATA names its folder", file.display()));
    None
}

/// The PostgreSQL server that `scripts/with-postgres` started, as the URL of its database `postgres`. Without
/// it, the test is skipped.
pub fn database() -> Option<String> {
    let url = env::var("CITYMAP_TEST_DATABASE").ok();
    if url.is_none() {
        skip("CITYMAP_TEST_DATABASE is not set; run the tests with `scripts/with-postgres cargo test`");
    }
    url
}

/// Whether a program of a Debian package can be started. If not, the test is skipped.
pub fn installed(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip(format_args!("`{program}` is not installed; it is in the Debian package {package}"));
    }
    found
}

/// The Python that `scripts/setup test` installs below `target/`, with DuckDB, pyshp and a recent GDAL
/// (pyogrio). Without it, the test is skipped.
pub fn python() -> Option<Command> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv");
    // `scripts/setup` makes this file when the packages are complete.
    if tools.join(".test").exists() {
        return Some(Command::new(tools.join("bin/python")));
    }
    skip(
        "the Python packages of scripts/requirements-test.txt are not installed; `scripts/setup test` \
         does it",
    );
    None
}

/// The name of the running test and the reason, in one line.
fn line(reason: &impl Display) -> String {
    let name = thread::current().name().unwrap_or("unnamed test").to_owned();
    format!("{name}: {reason}").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_test() {
        assert_eq!(line(&"no\ndata"), "tests::a_line_names_the_test: no data");
    }

    /// Runs this test program again, where one test skips.
    #[test]
    fn a_skipped_test_fails_where_all_are_required_and_is_listed_elsewhere() {
        let list = env::temp_dir().join(format!("citymap-skipped-{}", std::process::id()));
        let run = |require: &str| {
            let output = Command::new(env::current_exe().unwrap())
                .args(["--exact", "tests::skips_when_told_to"])
                .env("CITYMAP_TEST_SKIP", "1")
                .env("CITYMAP_REQUIRE", require)
                .env("CITYMAP_SKIPPED", &list)
                .output()
                .unwrap();
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let (passed, errors) = run("");
        assert!(
            passed && errors.contains("skipped: tests::skips_when_told_to: the moon is away"),
            "{errors}"
        );
        let (passed, _) = run("all");
        assert!(!passed);
        let listed = std::fs::read_to_string(&list).unwrap();
        std::fs::remove_file(&list).unwrap();
        assert_eq!(listed, "tests::skips_when_told_to: the moon is away\n");
    }

    #[test]
    fn skips_when_told_to() {
        if env::var_os("CITYMAP_TEST_SKIP").is_some() {
            skip("the moon is away");
        }
    }
}
