//! Why a subscription could not be made, changed or served.

use std::io;

use citymap_store::StoreError;

use super::SUBSCRIPTIONS_MAX;

/// Why a subscription could not be made, changed or served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The store failed to read or write a subscription.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be sent to this address.
    #[error("`{url}` cannot be a webhook's address: {reason}")]
    Url {
        /// The address as it was given.
        url: String,
        /// What is wrong with it, and what to write instead.
        reason: &'static str,
    },
    /// The secret has the wrong form or length.
    #[error(
        "the secret cannot be used: write `whsec_` and the base64 of 24 to 64 bytes, or omit it to get \
         a new one"
    )]
    Secret,
    /// The name is empty, too long or already in use.
    #[error(
        "`{0}` cannot name a subscription: use 1 to 80 characters, and a name that no other subscription has"
    )]
    Name(String),
    /// The maximum number of subscriptions exists.
    #[error("there are {SUBSCRIPTIONS_MAX} subscriptions already; remove one first")]
    TooMany,
    /// No subscription has this id or name.
    #[error("there is no subscription `{0}`; list them to see their names and ids")]
    NotFound(String),
    /// A document of the store does not have the form that this program writes.
    #[error("the store's document `{name}` cannot be read or written as JSON")]
    Document {
        /// The name of the document.
        name: String,
        /// What the JSON reader or writer found.
        #[source]
        source: serde_json::Error,
    },
    /// Other programs kept changing the same document.
    #[error("the subscriptions are being changed by others at the same time; try again")]
    Contended,
    /// The system gave no random bytes.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// The thread that delivers to a subscriber could not be started.
    #[error("no thread can be started to deliver to `{subscription}`")]
    Thread {
        /// The id of the subscription.
        subscription: String,
        /// What the system reported.
        #[source]
        source: io::Error,
    },
}
