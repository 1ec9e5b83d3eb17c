//! How every command prints its results and its errors.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use citymap_tests::Bench;

use crate::city;

/// As `citymap log | head -1`: the reader takes one line and closes the pipe.
#[test]
fn a_closed_standard_output_ends_a_command_quietly() {
    let bench = city();
    // JSON of many lines, so that writing goes on after the pipe is closed.
    let mut child =
        bench.command(["--json", "layers"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::with_capacity(1, child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    drop(output);
    assert_eq!(line, "{\n");
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

/// A command keeps its exit code, whether or not somebody reads what it prints.
#[test]
fn a_closed_standard_output_does_not_hide_a_failure() {
    let bench = Bench::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = bench.command(["--json", "layers"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_printed_fail_the_command() {
    let bench = city();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bench.command(["log"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines[0], "error: the result cannot be printed");
    assert!(lines[1].starts_with("  caused by: No space left on device"), "{errors}");
}

#[test]
fn an_error_is_told_with_its_causes() {
    let bench = city();
    let run =
        bench.expect(1, ["--json", "webhook", "add", "http://127.0.0.1:1/", "--secret-file", "missing"]);
    assert_eq!(
        run.stderr(),
        "error: missing cannot be read\n  caused by: No such file or directory (os error 2)\n"
    );
    let document = run.json();
    assert_eq!(document["error"], "missing cannot be read");
    assert_eq!(document["causes"][0], "No such file or directory (os error 2)");
}
