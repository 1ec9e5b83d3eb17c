//! The running server as its clients see it.

use std::{io::Read, time::Duration};

use crate::rate;

/// How many GETs a second `threads` clients with kept connections get answered; `path(n)` is the n-th.
pub(crate) fn rate(url: &str, threads: usize, time: Duration, path: impl Fn(u64) -> String + Sync) -> f64 {
    // One agent a thread keeps one connection open.
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .max_idle_connections(threads * 2)
        .max_idle_connections_per_host(threads * 2)
        .build()
        .into();
    rate::of(threads, time, |n| {
        let mut answer = agent
            .get(format!("{url}{}", path(n)))
            .header("Accept-Encoding", "gzip")
            .call()
            .unwrap_or_else(|error| panic!("{}: {error}", path(n)));
        let mut body = Vec::new();
        answer.body_mut().as_reader().read_to_end(&mut body).expect("the body ends");
    })
}
