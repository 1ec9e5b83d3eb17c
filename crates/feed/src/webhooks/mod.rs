//! Webhooks: each revision is sent to those who subscribed, signed, in order, at least once.
//!
//! Subscriptions are kept next to the record ([`citymap_store::Document`]), so that every server of a city
//! knows them and the command line can change them while servers run. One server delivers, by a lease;
//! another one takes over when it stops.
//!
//! The body is what `/api/changes` shows of a revision. The headers are those of
//! [Standard Webhooks](https://www.standardwebhooks.com):
//!
//! - `webhook-id` is the same for each attempt to deliver one revision to one subscriber;
//! - `webhook-timestamp` is the time of the attempt, in seconds since 1970;
//! - `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body` under the secret.
//!
//! A receiver answers 2xx when it has stored the revision, and should recognise a revision that it already
//! has by its `webhook-id`. Any other answer, or none within ten seconds, is tried again; 410 ends the
//! subscription.
//!
//! A secret is shown when the subscription is made, and never again. It is stored as it is, because signing
//! needs it: whoever can read the store's documents can read it.

mod delivery;
mod documents;
mod error;
mod lease;
mod manager;
mod options;
mod post;
mod secret;
mod shared;
mod subscriptions;

pub use error::WebhookError;
pub use manager::{Webhooks, start};
pub use options::WebhookOptions;
pub use subscriptions::{
    Added, DeadLetter, Failing, NewSubscription, SUBSCRIPTIONS_MAX, Subscription, add, dead_letters, list,
    pause, remove, retry_dead,
};
