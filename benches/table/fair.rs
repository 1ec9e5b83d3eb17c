//! Small requests while the whole city is overlaid.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{load, measuring::Measuring, table::Table};

/// Measures parcels at points alone, then next to a whole-city job that is started again whenever it ends.
pub(crate) fn run(table: &mut Table, measuring: &Measuring<'_>) {
    let url = measuring.warm.url();
    let place = |n: u64| measuring.place(n);
    let path = |n| format!("/api/at?layers=parcels&lon={}&lat={}", place(n)[0], place(n)[1]);
    let paths: Vec<String> = (0..5_000).map(path).collect();
    let alone = load::get(url, measuring.time, &paths);
    let resident = resident(measuring.warm.pid());

    let over = Instant::now() + measuring.time + Duration::from_secs(1);
    let (beside, jobs) = std::thread::scope(|scope| {
        let jobs = scope.spawn(|| jobs(url, over));
        std::thread::sleep(Duration::from_millis(500));
        let beside = load::get(url, measuring.time, &paths);
        (beside, jobs.join().expect("the jobs are asked for"))
    });
    table.rates(
        "parcel at a point beside a whole-city overlay",
        beside.rate,
        Some(alone.rate),
        &beside.times(),
    );
    let note = format!(
        "5 × the value alone ({:.2} ms); {jobs} whole-city jobs meanwhile; the server grew from \
         {resident:.0} to {:.0} MB",
        alone.p99,
        self::resident(measuring.warm.pid())
    );
    table.limit_noted("… 99 of 100 answered within", [beside.p99, 5.0 * alone.p99], "ms", &note);
}

/// Runs one job after the other until `over`; how many were begun. The last one is cancelled.
fn jobs(url: &str, over: Instant) -> usize {
    let mut begun = 0;
    while Instant::now() < over {
        let inputs =
            json!({"inputs": {"layer": "parcels", "with": "zones", "format": "csv", "geometry": false}});
        let mut answer = ureq::post(format!("{url}/api/processes/overlay/execution"))
            .send_json(&inputs)
            .expect("a job begins");
        let status: Value = answer.body_mut().read_json().expect("its status is JSON");
        let job = format!("{url}/api/jobs/{}", status["jobID"].as_str().expect("a job has an id"));
        begun += 1;
        loop {
            let status: Value = ureq::get(&job)
                .call()
                .and_then(|mut answer| answer.body_mut().read_json())
                .expect("its status");
            match status["status"].as_str() {
                Some("accepted" | "running") if Instant::now() < over => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Some("failed") => panic!("the job failed: {status}"),
                _ => break,
            }
        }
        ureq::delete(&job).call().expect("the job is dismissed");
    }
    begun
}

/// Megabytes of memory that a process holds.
pub(crate) fn resident(process: u32) -> f64 {
    memory(process, "Rss:")
}

/// Megabytes by one line of the process's `smaps_rollup`.
pub(crate) fn memory(process: u32, line: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("the process runs");
    let kilobytes = text
        .lines()
        .find_map(|own| own.strip_prefix(line))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.expect("the kernel says how much") / 1024.0
}
