//! What the server's process takes: memory and processor time, as Linux counts them.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A running process, by its id.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

/// A thread that watches the memory of a process.
pub(crate) struct Watch {
    most: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self(pid)
    }

    /// Resident memory in megabytes.
    pub(crate) fn resident_mb(self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Processor time of all its threads, counted in hundredths of a second.
    pub(crate) fn processor(self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).expect("the server runs");
        // The name before it may have spaces.
        let after = stat.rsplit_once(") ").unwrap().1;
        let ticks = |position: usize| after.split(' ').nth(position).unwrap().parse::<u64>().unwrap();
        Duration::from_millis(10 * (ticks(11) + ticks(12)))
    }

    /// Waits until the process takes no processor time for a second.
    pub(crate) fn wait_until_idle(self) {
        loop {
            let before = self.processor();
            thread::sleep(Duration::from_secs(1));
            if self.processor() <= before + Duration::from_millis(20) {
                return;
            }
        }
    }

    /// Watches the memory from now on.
    pub(crate) fn watch(self) -> Watch {
        let (most, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (Arc::clone(&most), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                seen.fetch_max(self.resident_mb(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(10));
            }
        });
        Watch { most, stop, thread }
    }
}

impl Watch {
    /// Ends the watch; the most memory that was seen, in megabytes.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}
