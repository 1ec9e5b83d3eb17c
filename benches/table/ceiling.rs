//! The limit: an axum server that does nothing except send bytes, in a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::Path, routing::get};

use crate::load;

/// The first argument with which the benchmark is that server.
pub(crate) const ARGUMENT: &str = "ceiling";

/// Serves `/n` as n bytes at `address`, by default on a free port of the loopback interface, and prints its
/// address. Never returns.
pub(crate) fn serve(address: Option<String>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let bytes = Bytes::from(vec![b'x'; 4 << 20]);
        let send = move |Path(n): Path<usize>| async move { bytes.slice(..n.min(bytes.len())) };
        let router = Router::new().route("/{n}", get(send));
        let listener = tokio::net::TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0"))
            .await
            .expect("a free port");
        println!("http://{}", listener.local_addr().expect("its address"));
        axum::serve(listener, router).await.expect("it serves");
    });
}

/// A running server of that kind.
pub(crate) struct Ceiling {
    child: Child,
    url: String,
}

impl Ceiling {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let own = std::env::current_exe().expect("this program");
        let mut child =
            Command::new(own).arg(ARGUMENT).stdout(Stdio::piped()).spawn().expect("this program starts");
        let mut url = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output).read_line(&mut url).expect("it says where it is");
        Self { child, url: url.trim().to_owned() }
    }

    /// Answers a second, each with a body of `bytes` bytes.
    pub(crate) fn rate(&self, bytes: usize, time: Duration) -> f64 {
        load::get(&self.url, time, &[format!("/{bytes}")]).rate
    }
}

impl Drop for Ceiling {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
