//! Cooperative cancellation of long computations.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The error of a computation that ended early because its result is no longer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was cancelled: its client disconnected, or its time limit was reached")]
pub struct Cancelled;

/// A flag with which a caller ends long work whose result it no longer needs.
///
/// Long loops test it between pieces of work ([`Cancel::check`], a few nanoseconds) and return early. Clones
/// share the flag. A default flag that is never set never cancels.
///
/// ```
/// use citymap_engine::Cancel;
///
/// let cancel = Cancel::new();
/// let held_by_the_worker = cancel.clone();
/// assert!(held_by_the_worker.check().is_ok());
/// cancel.cancel();
/// assert!(held_by_the_worker.check().is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A new flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag for all of its clones. It cannot be reset.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is set; one relaxed atomic load.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error once the flag is set, for use with `?` in a loop.
    ///
    /// # Errors
    /// [`Cancelled`] once the flag is set.
    #[inline]
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag_and_others_do_not() {
        let (cancel, other) = (Cancel::new(), Cancel::new());
        let seen = cancel.clone();
        assert_eq!(seen.check(), Ok(()));
        cancel.cancel();
        assert_eq!(seen.check(), Err(Cancelled));
        assert!(seen.is_cancelled() && !other.is_cancelled());
    }
}
