//! Limits on the readers of the feed.

use std::time::Duration;

use citymap_limits::limits;

limits! {
    /// What the readers of the event stream may use together.
    pub struct FeedLimits under "Limits" {
        /// Maximum number of open streams of /api/events; more are answered 503.
        pub streams_max: usize = 1_000, flag "event-streams-max", unit Count;
        /// Maximum time for which a stream of events is silent before a comment shows that the connection is
        /// alive.
        pub heartbeat: Duration = Duration::from_secs(15), flag "event-heartbeat", unit Seconds;
    }
}
