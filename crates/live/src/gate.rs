use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets one through at a time, in the order of their coming. A database's own queue of writers is neither: SQLite's asks
/// again after ever longer pauses, and who comes late may be served first.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    next_ticket: u64,
    /// Tickets that wait or are through, oldest first.
    queue: std::collections::VecDeque<u64>,
}

/// The way is free again when this is dropped.
pub(crate) struct Through<'a> {
    gate: &'a Gate,
    ticket: u64,
}

impl Gate {
    /// Waits for its turn; `None` where the time is over first.
    pub(crate) fn pass(&self, timeout: Duration) -> Option<Through<'_>> {
        let end = Instant::now() + timeout;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.queue.push_back(ticket);
        let through = Through { gate: self, ticket };
        while state.queue.front() != Some(&ticket) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Before the ticket is given back, which locks again.
                drop(state);
                return None;
            }
            state = self.moved.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(through)
    }
}

impl Drop for Through<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.queue.retain(|ticket| *ticket != self.ticket);
        drop(state);
        self.gate.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn one_at_a_time_in_order_and_none_for_ever() {
        let gate = Arc::new(Gate::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = gate.pass(Duration::ZERO).unwrap();
        assert!(gate.pass(Duration::from_millis(5)).is_none());
        let mut threads = Vec::new();
        for number in 0..5 {
            let before = gate.state.lock().unwrap().queue.len();
            let (gate_too, order_too) = (Arc::clone(&gate), Arc::clone(&order));
            threads.push(thread::spawn(move || {
                let _through = gate_too.pass(Duration::from_secs(10)).unwrap();
                order_too.lock().unwrap().push(number);
            }));
            while gate.state.lock().unwrap().queue.len() == before {
                thread::yield_now();
            }
        }
        assert!(order.lock().unwrap().is_empty());
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert!(gate.pass(Duration::ZERO).is_some());
    }
}
