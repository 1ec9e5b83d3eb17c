//! Waiting for the next revision.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often a commit of another process is looked for.
const LOOK: Duration = Duration::from_millis(25);

/// The commits of this process, to any file: those who wait look at theirs.
static COMMITS: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

/// Says that a commit has ended.
pub(super) fn tell() {
    let (commits, told) = &COMMITS;
    let mut commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
    *commits = commits.wrapping_add(1);
    told.notify_all();
}

/// Asks `look` until it gives something above `known` or the time is over; what it gave last.
pub(super) fn wait<E>(
    known: u64,
    timeout: Duration,
    mut look: impl FnMut() -> Result<u64, E>,
) -> Result<u64, E> {
    let start = Instant::now();
    let (commits, told) = &COMMITS;
    loop {
        // Counted before looking: a commit that comes after the look is not missed.
        let seen = *commits.lock().unwrap_or_else(PoisonError::into_inner);
        let found = look()?;
        let left = timeout.saturating_sub(start.elapsed());
        if found > known || left.is_zero() {
            return Ok(found);
        }
        let commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken or not, the next look tells.
        drop(
            told.wait_timeout_while(commits, left.min(LOOK), |commits| *commits == seen)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}
