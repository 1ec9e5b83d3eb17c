//! Where CPU work runs, by its size, so that no request waits behind a larger one.
//!
//! | size | work | place |
//! |---|---|---|
//! | small | a cached tile, what is at a point, one feature | immediately, on the I/O thread ([`small`]) |
//! | middle | uncached tiles, pages, searches | [`BlockingPool`]: some at once, the rest in a bounded queue |
//! | large | whole districts, tiles of the whole city, jobs | [`BatchPool`]: threads at low priority |
//! | former states | the city at a former revision | [`FormerStates`]: one is made at a time, unless kept |
//!
//! Every queue is bounded; when it is full the answer is 503 with an estimate of when to try again. When a
//! client disconnects or its time is up, its slot is freed: a queued request at once, a running one as soon
//! as it checks its [`Cancel`](citymap_engine::Cancel).

mod batch;
mod blocking;
mod former;
mod latency;
mod shares;
mod single_flight;
mod small;

pub(crate) use batch::BatchPool;
pub(crate) use blocking::{BlockingPool, Load};
pub(crate) use former::FormerStates;
pub(crate) use shares::{ByteBudget, ByteLoan, Share, Shares};
pub(crate) use single_flight::SingleFlight;
pub(crate) use small::small;

use citymap_engine::Cancel;

use crate::http::problem::Problem;

/// Sets the cancel flag when dropped, unless the work has ended by then.
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

/// The result of cancelled work. Nobody reads it: the client has disconnected.
fn cancelled_by_client() -> Problem {
    Problem::unavailable("the request was cancelled before its answer was ready", 1)
}
