//! What other users of the machine can see of a command.

use std::{fs, net::TcpListener, process::Stdio};

/// A database that takes the connection and says nothing, so that the command waits.
#[test]
fn a_password_is_not_in_the_arguments_of_the_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("postgres://an:s3cr3t@{}/city", listener.local_addr().unwrap());
    let mut command = std::process::Command::new(citymap_tests::citymap());
    command.args(["--store", &store, "layers"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // It has parsed its arguments once it connects.
    let connection = listener.accept().unwrap();
    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(connection);
    assert!(arguments.contains("layers") && !arguments.contains("s3cr3t"), "{arguments}");
}
