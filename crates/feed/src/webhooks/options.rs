//! How often, how long and by which server revisions are delivered.

use std::time::Duration;

/// How revisions are delivered.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Whether this server delivers at all. Default true.
    pub enabled: bool,
    /// How long a receiver may take to answer. Default 10 s.
    pub timeout: Duration,
    /// How long to wait after the first failure; the wait doubles with each further one. Default 2 s.
    pub first_retry: Duration,
    /// Maximum wait between two attempts. Default 1 h.
    pub retry_max: Duration,
    /// How long after its first failure a revision is given up and becomes a dead letter. Default 24 h.
    pub give_up: Duration,
    /// How long the delivering server must have been silent before this one takes over. Default 15 s.
    pub lease: Duration,
    /// How often the list of subscriptions is read. Default 2 s.
    pub poll: Duration,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            timeout: Duration::from_secs(10),
            first_retry: Duration::from_secs(2),
            retry_max: Duration::from_secs(3_600),
            give_up: Duration::from_secs(24 * 3_600),
            lease: Duration::from_secs(15),
            poll: Duration::from_secs(2),
        }
    }
}
