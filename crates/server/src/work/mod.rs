//! Where CPU work is done, by its size, so that none waits behind what is larger than itself.
//!
//! | class | what | where |
//! |---|---|---|
//! | small | a tile from the cache, what is at a place, the ten nearest, one feature | at once, on the thread that talks to the client ([`small`]) |
//! | middle | cold tiles, pages, searches | [`BlockingPool`]: so many at once, the rest in a bounded queue |
//! | large | whole districts, tiles of the whole city, overlays, exports | [`BatchPool`]: threads of their own that the system runs when no other wants to |
//!
//! Whatever waits has a bound; beyond it the answer is 503 with an estimate of when to come back. Who goes away, or whose
//! time is over, gives the place back: a queued question at once, a running one as soon as it looks at its
//! [`Cancel`](citymap_engine::Cancel).

mod batch;
mod blocking;
mod latency;
mod small;

pub(crate) use batch::BatchPool;
pub(crate) use blocking::BlockingPool;
pub(crate) use small::small;

use citymap_engine::Cancel;

use crate::http::problem::Problem;

/// Cancels when it is dropped, unless the work came to its end before.
struct CancelOnDrop {
    cancel: Cancel,
    ended: bool,
}

impl CancelOnDrop {
    fn new(cancel: Cancel) -> Self {
        Self { cancel, ended: false }
    }

    fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if !self.ended {
            self.cancel.cancel();
        }
    }
}

/// What nobody reads: whoever asked has gone.
fn cancelled_by_client() -> Problem {
    Problem::unavailable("the question was given up before its answer came", 1)
}
