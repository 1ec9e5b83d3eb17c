//! Work that is cheaper than handing it to another thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::http::problem::Problem;

/// Runs `work` immediately, on the calling I/O thread. Only for work that is bounded well below a
/// millisecond.
///
/// # Errors
/// The error of `work`; 500 if it panics.
pub(crate) fn small<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    // A panic must fail this request only.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        tracing::error!("a request panicked");
        Err(Problem::internal("the request could not be answered; see the server's log"))
    })
}
