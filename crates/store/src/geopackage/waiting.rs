//! Waiting for the next revision of a GeoPackage store.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often the file is read to notice commits of other processes.
const LOOK: Duration = Duration::from_millis(25);

/// Counts the commits of this process, to any file: each waiter then reads its own file.
static COMMITS: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

/// Wakes all waiters after a commit.
pub(super) fn tell() {
    let (commits, told) = &COMMITS;
    let mut commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
    *commits = commits.wrapping_add(1);
    told.notify_all();
}

/// Calls `look` until it gives a revision above `known` or the time is over. Gives what it gave last.
pub(super) fn wait<E>(
    known: u64,
    timeout: Duration,
    mut look: impl FnMut() -> Result<u64, E>,
) -> Result<u64, E> {
    let start = Instant::now();
    let (commits, told) = &COMMITS;
    loop {
        // Counted before the call, so that a commit after it is not missed.
        let seen = *commits.lock().unwrap_or_else(PoisonError::into_inner);
        let found = look()?;
        let left = timeout.saturating_sub(start.elapsed());
        if found > known || left.is_zero() {
            return Ok(found);
        }
        let commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken or not, the next call decides.
        drop(
            told.wait_timeout_while(commits, left.min(LOOK), |commits| *commits == seen)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}
