//! A lock that is granted in the order in which it was asked for.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A mutual exclusion that is fair and has a timeout. A database's own queue of writers is neither: SQLite
/// asks again after ever longer pauses, so that a late writer may come first.
#[derive(Default)]
pub(crate) struct FairMutex {
    tickets: Mutex<Tickets>,
    changed: Condvar,
}

#[derive(Default)]
struct Tickets {
    next: u64,
    /// Tickets that wait, after the one that holds the lock.
    queue: VecDeque<u64>,
}

/// Holds the lock until it is dropped.
pub(crate) struct FairGuard<'a> {
    mutex: &'a FairMutex,
    ticket: u64,
}

impl FairMutex {
    /// Waits for the lock; `None` if the time is over first.
    pub(crate) fn lock(&self, timeout: Duration) -> Option<FairGuard<'_>> {
        let end = Instant::now() + timeout;
        let mut tickets = self.tickets();
        let ticket = tickets.next;
        tickets.next += 1;
        tickets.queue.push_back(ticket);
        let guard = FairGuard { mutex: self, ticket };
        while tickets.queue.front() != Some(&ticket) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Dropping the guard takes the ticket out of the queue, for which it needs this lock.
                drop(tickets);
                return None;
            }
            tickets = self.changed.wait_timeout(tickets, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(guard)
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FairGuard<'_> {
    fn drop(&mut self) {
        self.mutex.tickets().queue.retain(|ticket| *ticket != self.ticket);
        self.mutex.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn one_at_a_time_in_order_and_none_for_ever() {
        let mutex = Arc::new(FairMutex::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = mutex.lock(Duration::ZERO).unwrap();
        assert!(mutex.lock(Duration::from_millis(5)).is_none());
        let mut threads = Vec::new();
        for number in 0..5 {
            let before = mutex.tickets().queue.len();
            let (mutex_too, order_too) = (Arc::clone(&mutex), Arc::clone(&order));
            threads.push(thread::spawn(move || {
                let _guard = mutex_too.lock(Duration::from_secs(10)).unwrap();
                order_too.lock().unwrap().push(number);
            }));
            while mutex.tickets().queue.len() == before {
                thread::yield_now();
            }
        }
        assert!(order.lock().unwrap().is_empty());
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert!(mutex.lock(Duration::ZERO).is_some());
    }
}
