use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::http::problem::Problem;

/// Does small work at once, on the thread that talks to the client: to hand it to another thread would cost more than it
/// does. Only for what has a bound well below a millisecond.
pub(crate) fn small<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    // A failure ends its own request alone.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| {
        tracing::error!("a question failed");
        Err(Problem::internal("the question could not be answered; the server's log says why"))
    })
}
