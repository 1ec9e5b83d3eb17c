//! Load over HTTP by `wrk`, which costs the processors that it shares with the server far less than clients
//! of our own would.

use std::{fmt::Write as _, process::Command, time::Duration};

/// Connections that ask at once.
pub(crate) const CONNECTIONS: usize = 16;

/// What the clients saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Number of answers per second.
    pub(crate) rate: f64,
    /// Milliseconds from request to answer within which half of the answers came.
    pub(crate) p50: f64,
    /// The same for 95 of 100 answers.
    pub(crate) p95: f64,
    /// The same for 99 of 100 answers.
    pub(crate) p99: f64,
    /// Bytes of an answer, its head included, on the mean.
    pub(crate) bytes: f64,
}

impl Load {
    /// The times, for a table's last column.
    pub(crate) fn times(&self) -> String {
        format!(
            "p50 {:.2}, p95 {:.2}, p99 {:.2} ms, {:.1} kB",
            self.p50,
            self.p95,
            self.p99,
            self.bytes / 1e3
        )
    }
}

/// Requests one path after the other, repeatedly, on [`CONNECTIONS`] kept connections. Any answer but a
/// success ends the benchmark.
pub(crate) fn get(url: &str, time: Duration, paths: &[String]) -> Load {
    run(url, time, "gzip", paths)
}

/// As [`get`], with the content codings that are accepted.
pub(crate) fn run(url: &str, time: Duration, accept: &str, paths: &[String]) -> Load {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = folder.path().join("load.lua");
    let mut lua = String::from("local requests = {}\nlocal paths = {\n");
    for path in paths {
        writeln!(lua, "{path:?},").expect("a text grows");
    }
    write!(
        lua,
        r#"}}
local started = 0
function setup(thread) thread:set("first", started); started = started + 1 end
function init(args)
    for i, path in ipairs(paths) do
        requests[i] = wrk.format("GET", path, {{["Accept-Encoding"] = "{accept}"}})
    end
    at = math.floor(first * #requests / 2)
end
function request() at = at % #requests + 1; return requests[at] end
function done(summary, latency, all)
    local e = summary.errors
    io.write(string.format("RESULT %d %d %d %d %f %f %f\n", summary.requests, summary.duration, summary.bytes,
        e.connect + e.read + e.write + e.status + e.timeout,
        latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"#
    )
    .expect("a text grows");
    std::fs::write(&script, lua).expect("the script is written");
    let out = Command::new("wrk")
        .args(["--threads", &CONNECTIONS.min(2).to_string(), "--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{}s", time.as_secs_f64().ceil()), "--timeout", "60s", "--script"])
        .args([script.as_os_str(), url.as_ref()])
        .output()
        .expect("wrk starts; `scripts/setup test` installs it");
    let text = String::from_utf8_lossy(&out.stdout);
    let numbers: Vec<f64> = text
        .lines()
        .find_map(|line| line.strip_prefix("RESULT "))
        .unwrap_or_else(|| panic!("wrk said: {text}{}", String::from_utf8_lossy(&out.stderr)))
        .split(' ')
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [answers, micros, bytes, failures, p50, p95, p99] = numbers[..] else { panic!("wrk said: {text}") };
    assert!(failures == 0.0 && answers > 0.0, "{failures} of {answers} answers of {} failed", paths[0]);
    Load {
        rate: answers / (micros / 1e6),
        p50: p50 / 1e3,
        p95: p95 / 1e3,
        p99: p99 / 1e3,
        bytes: bytes / answers,
    }
}
