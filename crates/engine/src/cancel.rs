use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Why a computation ended early: nobody wants its result any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was cancelled: whoever asked for it went away, or its time was over")]
pub struct Cancelled;

/// A flag by which whoever asked for long work says that it is wanted no more. Long loops ask it between pieces
/// ([`Cancel::check`], a few nanoseconds) and end early; clones share the flag. The default one nobody has to set.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets it, for all its clones, for good.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is set.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For `?` in a loop.
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
