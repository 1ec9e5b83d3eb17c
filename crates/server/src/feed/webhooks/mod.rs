//! Webhooks: each revision sent to those who subscribed, signed, in order, at least once.
//!
//! Subscriptions are kept beside the record ([`citymap_store::Document`]), so that every server of a city knows them, and the
//! command line can change them while servers run. One server delivers, by a lease; another takes over when it goes.
//!
//! What is sent is what `/api/changes` shows of a revision. The headers are those of Standard Webhooks: `webhook-id` is the
//! same for each attempt to deliver one revision to one subscriber, `webhook-timestamp` is the attempt's time (seconds since
//! 1970), `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body` under the secret. Whoever
//! receives answers 2xx when it has taken the revision, and should know revisions it has had by their `webhook-id`. Any
//! other answer, or none within ten seconds, is tried again; 410 ends the subscription.
//!
//! A secret is told when the subscription is made, and never again. It is kept as it is (a signature needs it): who can
//! read the store's documents can read it.

mod delivery;
mod documents;
mod lease;
mod manager;
mod post;
mod secret;

use std::time::Duration;

use chrono::{DateTime, Utc};
use citymap_model::{LayerId, RevisionNumber};
use citymap_store::{Store, StoreError};
use serde::{Deserialize, Serialize};

use documents::{Dead, List, Position, Stored, dead_name, position_name, read, remove_document, update};
pub(crate) use manager::{Webhooks, start};
use secret::Secret;

/// Subscriptions at most: each has a thread in the server that delivers.
pub const SUBSCRIPTIONS_MAX: usize = 64;

/// How revisions are delivered.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Whether this server delivers at all. Default yes.
    pub enabled: bool,
    /// How long a receiver may take to answer. Default 10 s.
    pub timeout: Duration,
    /// How long to wait after the first failure; each further one doubles it. Default 2 s.
    pub first_retry: Duration,
    /// How long to wait between two attempts at most. Default 1 h.
    pub retry_max: Duration,
    /// How long after the first failure a revision is given up and becomes a dead letter. Default 24 h.
    pub give_up: Duration,
    /// How long another server must have been silent before this one takes over. Default 15 s.
    pub lease: Duration,
    /// How often the subscriptions are looked at. Default 2 s.
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

/// Why a subscription could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing can be sent to this address.
    #[error("`{url}` cannot be a webhook's address: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The secret is none.
    #[error(
        "the secret cannot be used: write `whsec_` and the base64 of 24 to 64 bytes, or leave it out and one is made"
    )]
    Secret,
    /// The name stands already, or is none.
    #[error("`{0}` cannot name a subscription: use 1 to 80 characters, and a name that no other one has")]
    Name(String),
    /// There are too many.
    #[error("there are {SUBSCRIPTIONS_MAX} subscriptions already; remove one first")]
    TooMany,
    /// There is no such subscription.
    #[error("there is no subscription `{0}`; list them to see their names and ids")]
    NotFound(String),
    /// What is kept beside the record is not ours.
    #[error("the store's document `{name}` cannot be read: {reason}")]
    Document {
        /// The document.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Others write the same document without end.
    #[error("the subscriptions are changed by others at the same time; try again")]
    Contended,
    /// The system gave no random bytes.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// A new subscription.
#[derive(Clone, Debug, Default)]
pub struct NewSubscription {
    /// What people call it.
    pub name: String,
    /// Where to send to: `https://…`, or `http://…` within a network that is trusted.
    pub url: String,
    /// `whsec_…`; one is made where there is none.
    pub secret: Option<String>,
    /// Only revisions that touch one of these, and of them only these layers; all where it is `None`.
    pub layers: Option<Vec<LayerId>>,
}

/// A subscription that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Added {
    /// Its id.
    pub id: String,
    /// Its secret, told this once.
    pub secret: String,
}

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Where revisions are sent to.
    pub url: String,
    /// The layers it is for; all where it is `None`.
    pub layers: Option<Vec<LayerId>>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Whether somebody has asked for a pause. What is committed meanwhile is sent afterwards.
    pub paused: bool,
    /// Why it ended by itself, if it did: the receiver said 410.
    pub ended: Option<String>,
    /// The last revision that was delivered, or need not be.
    pub revision: RevisionNumber,
    /// What the next revision's delivery fails with, if it does.
    pub failing: Option<Failing>,
    /// Revisions that were given up.
    pub dead: usize,
}

/// A delivery that has failed so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failing {
    /// When it failed first.
    pub since: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it will be tried again.
    pub next: DateTime<Utc>,
    /// What happened last.
    pub reason: String,
}

/// A revision that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The revision.
    pub revision: RevisionNumber,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first.
    pub first: DateTime<Utc>,
    /// When it was tried last.
    pub last: DateTime<Utc>,
    /// What happened last.
    pub reason: String,
    /// Whether somebody has asked to try it once more.
    #[serde(default)]
    pub again: bool,
}

/// Subscribes. The first revision sent is the next one to be committed.
///
/// # Errors
/// What is wrong with the address, the secret or the name; what the store fails with.
pub fn add(store: &dyn Store, new: NewSubscription) -> Result<Added, WebhookError> {
    post::check_url(&new.url)?;
    let secret = match &new.secret {
        Some(text) => Secret::parse(text).ok_or(WebhookError::Secret)?,
        None => Secret::random()?,
    };
    let id = secret::random_id()?;
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(WebhookError::Name(name));
    }
    let revision = store.revision()?;
    update(store, &position_name(&id), |position: &mut Position| {
        position.revision = revision;
        Ok(())
    })?;
    let stored = Stored {
        id: id.clone(),
        name,
        url: new.url,
        secret: secret.to_text(),
        layers: new.layers,
        created: Utc::now(),
        paused: false,
        ended: None,
    };
    let outcome = update(store, documents::LIST, |list: &mut List| {
        if list.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(WebhookError::TooMany);
        }
        if list.subscriptions.iter().any(|other| other.name == stored.name) {
            return Err(WebhookError::Name(stored.name.clone()));
        }
        list.subscriptions.push(stored.clone());
        Ok(())
    });
    if outcome.is_err() {
        remove_document(store, &position_name(&id))?;
    }
    outcome?;
    Ok(Added { id, secret: secret.to_text() })
}

/// All subscriptions, oldest first, without their secrets.
///
/// # Errors
/// What the store fails with.
pub fn list(store: &dyn Store) -> Result<Vec<Subscription>, WebhookError> {
    let (list, _) = read::<List>(store, documents::LIST)?;
    list.subscriptions
        .into_iter()
        .map(|stored| {
            let (position, _) = read::<Position>(store, &position_name(&stored.id))?;
            let (dead, _) = read::<Dead>(store, &dead_name(&stored.id))?;
            Ok(Subscription {
                id: stored.id,
                name: stored.name,
                url: stored.url,
                layers: stored.layers,
                created: stored.created,
                paused: stored.paused,
                ended: stored.ended,
                revision: position.revision,
                failing: position.failing,
                dead: dead.letters.len(),
            })
        })
        .collect()
}

/// Ends a subscription, named by its id or its name, and forgets what it was.
///
/// # Errors
/// [`WebhookError::NotFound`]; what the store fails with.
pub fn remove(store: &dyn Store, which: &str) -> Result<(), WebhookError> {
    let mut id = String::new();
    update(store, documents::LIST, |list: &mut List| {
        id = list.find(which)?.id.clone();
        list.subscriptions.retain(|own| own.id != id);
        Ok(())
    })?;
    remove_document(store, &position_name(&id))?;
    remove_document(store, &dead_name(&id))
}

/// Stops sending to a subscriber for a while, or goes on with it: also with one that ended by a 410.
///
/// # Errors
/// [`WebhookError::NotFound`]; what the store fails with.
pub fn pause(store: &dyn Store, which: &str, paused: bool) -> Result<(), WebhookError> {
    update(store, documents::LIST, |list: &mut List| {
        let own = list.find(which)?;
        own.paused = paused;
        if !paused {
            own.ended = None;
        }
        Ok(())
    })
}

/// The revisions that were given up for a subscriber, oldest first.
///
/// # Errors
/// [`WebhookError::NotFound`]; what the store fails with.
pub fn dead_letters(store: &dyn Store, which: &str) -> Result<Vec<DeadLetter>, WebhookError> {
    let id = find(store, which)?;
    Ok(read::<Dead>(store, &dead_name(&id))?.0.letters)
}

/// Asks that dead letters are tried once more, one of them or all; how many. The server that delivers does it within
/// seconds, and takes them off the list as they are taken.
///
/// # Errors
/// [`WebhookError::NotFound`]; what the store fails with.
pub fn retry_dead(
    store: &dyn Store,
    which: &str,
    revision: Option<RevisionNumber>,
) -> Result<usize, WebhookError> {
    let id = find(store, which)?;
    let mut count = 0;
    update(store, &dead_name(&id), |dead: &mut Dead| {
        let wanted =
            dead.letters.iter_mut().filter(|own| revision.is_none_or(|wanted| own.revision == wanted));
        count = wanted.map(|letter| letter.again = true).count();
        Ok(())
    })?;
    Ok(count)
}

fn find(store: &dyn Store, which: &str) -> Result<String, WebhookError> {
    let (mut list, _) = read::<List>(store, documents::LIST)?;
    Ok(list.find(which)?.id.clone())
}
