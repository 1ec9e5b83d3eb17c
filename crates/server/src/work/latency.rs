//! How long work of one kind has taken recently.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// An exponentially weighted mean of durations, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct LatencyEstimate(AtomicU64);

impl LatencyEstimate {
    /// Records work that began at `start` and ends now.
    pub(super) fn record(&self, start: Instant) {
        let took = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX).min(1 << 50);
        // Of two concurrent updates one may be lost: this is an estimate.
        let mean = self.0.load(Ordering::Relaxed);
        let next = if mean == 0 { took } else { mean - mean / 8 + took / 8 };
        self.0.store(next, Ordering::Relaxed);
    }

    /// Seconds, from 1 to 60, until `waiting` queued tasks are done if `running` of them run at once.
    pub(super) fn retry_after(&self, waiting: usize, running: usize) -> u32 {
        let mean = Duration::from_nanos(self.0.load(Ordering::Relaxed));
        let seconds = mean.as_secs_f64() * waiting as f64 / running.max(1) as f64;
        seconds.ceil().clamp(1.0, 60.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_follows_recent_durations_and_is_bounded() {
        let latency = LatencyEstimate::default();
        assert_eq!(latency.retry_after(256, 2), 1);
        for _ in 0..50 {
            latency.record(Instant::now().checked_sub(Duration::from_millis(100)).unwrap());
        }
        assert_eq!(latency.retry_after(256, 2), 13);
        assert_eq!(latency.retry_after(100_000, 1), 60);
    }
}
