//! Keeping the city in step with its store for as long as the program runs.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Live, LiveError};

/// The first pause after a failure, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

impl Live {
    /// Keeps the city in step with its store until `stop` becomes true, which is checked every `step`.
    /// Blocks; run it on a thread of its own. A store that does not answer is asked again after pauses that
    /// grow up to 5 s. In the meantime [`Live::failure`] says why, and the city stays readable.
    pub fn follow(&self, step: Duration, stop: &AtomicBool) {
        let mut pause = None;
        while !stop.load(Ordering::Relaxed) {
            match self.follow_once(step) {
                Ok(()) => {
                    if pause.take().is_some() {
                        tracing::info!("the store answers again");
                    }
                }
                Err(error) => {
                    if pause.is_none() {
                        tracing::error!(%error, "the store does not answer; the city is served from memory");
                    }
                    let length = pause.map_or(PAUSES[0], |last: Duration| (last * 2).min(PAUSES[1]));
                    pause = Some(length);
                    sleep(length, step, stop);
                }
            }
        }
    }

    fn follow_once(&self, step: Duration) -> Result<(), LiveError> {
        if let Err(error) = self.store.wait(self.snapshot().revision(), step) {
            self.shared.note_failure(Some(error.to_string()));
            return Err(error.into());
        }
        let touched = self.refresh()?;
        if !touched.is_empty() {
            let layers = touched.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            tracing::info!(revision = self.snapshot().revision(), layers, "new revision");
        }
        Ok(())
    }
}

/// Sleeps for `length` in parts of at most `step`, and ends early when `stop` becomes true.
fn sleep(length: Duration, step: Duration, stop: &AtomicBool) {
    let end = Instant::now() + length;
    while !stop.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(step));
    }
}
