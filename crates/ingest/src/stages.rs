//! Where the time of an import goes, stage by stage.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Seconds that the stages of an import took. [`Stages::look`] and [`Stages::finish`] are wall-clock times of
/// stages that run alone; the others run in parallel and are given in processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Looking the files through before their features are read, and taking their hashes.
    pub look: f64,
    /// Reading features from the files, on one thread.
    pub read: f64,
    /// Parsing, transforming and checking features, on all processors.
    pub check: f64,
    /// Encoding features for the process that holds the store; 0 where one process does everything.
    pub send: f64,
    /// Decoding those features and checking them again; 0 where one process does everything.
    pub receive: f64,
    /// Counting features and handing them to the store, without the work of a database server.
    pub write: f64,
    /// From the last feature to the end of the commit: indexes, history, catalogue.
    pub finish: f64,
}

/// Processor time of a stage, which several threads may take.
#[derive(Debug, Default)]
pub(crate) struct StageClock(AtomicU64);

impl StageClock {
    /// Runs a part of the stage on this thread.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = thread_time();
        let made = work();
        let spent = thread_time().saturating_sub(start);
        self.0.fetch_add(u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        made
    }

    /// The processor time of all parts so far, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        Duration::from_nanos(self.0.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// The processor time that this thread has taken.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_stage_counts_the_work_of_all_its_threads_and_no_waiting() {
        let clock = StageClock::default();
        let work = || (0..2_000_000_u64).fold(0, |sum: u64, i| std::hint::black_box(sum ^ i));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| clock.time(work));
            }
        });
        let three = clock.seconds();
        clock.time(work);
        assert!(three > 0.0 && clock.seconds() > three);
        // However busy the machine is: the longer it takes to wake up, the longer the wait.
        let (before, began) = (clock.seconds(), Instant::now());
        clock.time(|| std::thread::sleep(Duration::from_millis(50)));
        let waited = began.elapsed().as_secs_f64();
        assert!(clock.seconds() - before < waited / 2.0, "waiting is no work");
    }
}
