//! Bounds on the readers of the feed.

use std::time::Duration;

/// What the readers of the event stream may take together.
#[derive(Clone, Debug)]
pub struct FeedLimits {
    /// Maximum number of open streams of `/api/events`; more are answered 503. Default 1 000.
    pub streams_max: usize,
    /// Maximum time a stream is silent before it sends a comment that shows the connection is alive. Default
    /// 15 s.
    pub heartbeat: Duration,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self { streams_max: 1_000, heartbeat: Duration::from_secs(15) }
    }
}
