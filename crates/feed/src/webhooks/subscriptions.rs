//! Subscriptions as people see and change them.

use chrono::{DateTime, Utc};
use citymap_model::{LayerId, RevisionNumber};
use citymap_store::Store;
use serde::{Deserialize, Serialize};

use super::{
    WebhookError,
    documents::{
        DeadLetters, LIST, List, Position, Stored, dead_letters_name, position_name, read, remove_document,
        update,
    },
    post,
    secret::{self, Secret},
};

/// Maximum number of subscriptions: each has a thread in the server that delivers.
pub const SUBSCRIPTIONS_MAX: usize = 64;

/// What a new subscription is made from.
#[derive(Clone, Debug, Default)]
pub struct NewSubscription {
    /// The name that people give it, 1 to 80 characters.
    pub name: String,
    /// The address to send to: `https://…`, or `http://…` within a trusted network.
    pub url: String,
    /// The secret, `whsec_…`; `None` makes a new one.
    pub secret: Option<String>,
    /// Send only revisions that touch one of these layers, and of them only these layers; `None` sends all.
    pub layers: Option<Vec<LayerId>>,
}

/// What whoever makes a subscription learns once, and cannot read again.
#[derive(Clone, Debug, Serialize)]
pub struct Added {
    /// The id, `wh_` and 16 hexadecimal digits.
    pub id: String,
    /// The secret. It cannot be read again.
    pub secret: String,
}

/// A subscription and how far its delivery is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subscription {
    /// The id, `wh_` and 16 hexadecimal digits.
    pub id: String,
    /// The name that people give it, 1 to 80 characters.
    pub name: String,
    /// The address that revisions are sent to.
    pub url: String,
    /// The layers that are sent; `None` means all.
    pub layers: Option<Vec<LayerId>>,
    /// When the subscription was made.
    pub created: DateTime<Utc>,
    /// Whether it is paused. Revisions committed during a pause are sent after it.
    pub paused: bool,
    /// Why it ended, if the receiver ended it by answering 410.
    pub ended: Option<String>,
    /// The last revision that was delivered or did not need to be.
    pub revision: RevisionNumber,
    /// The state of the next revision's delivery, if it has failed so far.
    pub failing: Option<Failing>,
    /// The number of revisions that were given up.
    pub dead: usize,
}

/// A delivery that has failed so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failing {
    /// When the first attempt failed.
    pub since: DateTime<Utc>,
    /// The number of attempts so far.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next: DateTime<Utc>,
    /// Why the last attempt failed.
    pub reason: String,
}

/// A revision that was given up after [`super::WebhookOptions::give_up`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The number of the revision.
    pub revision: RevisionNumber,
    /// The number of attempts so far.
    pub attempts: u32,
    /// When it was first tried.
    pub first: DateTime<Utc>,
    /// When it was last tried.
    pub last: DateTime<Utc>,
    /// Why the last attempt failed.
    pub reason: String,
    /// Whether one more attempt was asked for ([`retry_dead`]).
    #[serde(default)]
    pub again: bool,
}

/// Makes a subscription. The first revision sent is the next one to be committed.
///
/// # Errors
/// [`WebhookError::Url`], [`WebhookError::Secret`] or [`WebhookError::Name`] for what cannot be used,
/// [`WebhookError::TooMany`], and the store's failure.
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
    let outcome = update(store, LIST, |list: &mut List| {
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
/// The store's failure; [`WebhookError::Document`] if a document cannot be read.
pub fn list(store: &dyn Store) -> Result<Vec<Subscription>, WebhookError> {
    let (list, _) = read::<List>(store, LIST)?;
    list.subscriptions
        .into_iter()
        .map(|stored| {
            let (position, _) = read::<Position>(store, &position_name(&stored.id))?;
            let (dead, _) = read::<DeadLetters>(store, &dead_letters_name(&stored.id))?;
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

/// Ends a subscription, named by its id or its name, and deletes what is stored of it.
///
/// # Errors
/// [`WebhookError::NotFound`]; the store's failure.
pub fn remove(store: &dyn Store, which: &str) -> Result<(), WebhookError> {
    let mut id = String::new();
    update(store, LIST, |list: &mut List| {
        id = list.find(which)?.id.clone();
        list.subscriptions.retain(|subscription| subscription.id != id);
        Ok(())
    })?;
    remove_document(store, &position_name(&id))?;
    remove_document(store, &dead_letters_name(&id))
}

/// Pauses a subscription, or resumes it, also one that the receiver ended by answering 410.
///
/// # Errors
/// [`WebhookError::NotFound`]; the store's failure.
pub fn pause(store: &dyn Store, which: &str, paused: bool) -> Result<(), WebhookError> {
    update(store, LIST, |list: &mut List| {
        let subscription = list.find(which)?;
        subscription.paused = paused;
        if !paused {
            subscription.ended = None;
        }
        Ok(())
    })
}

/// The revisions that were given up for a subscriber, oldest first.
///
/// # Errors
/// [`WebhookError::NotFound`]; the store's failure.
pub fn dead_letters(store: &dyn Store, which: &str) -> Result<Vec<DeadLetter>, WebhookError> {
    let id = find(store, which)?;
    Ok(read::<DeadLetters>(store, &dead_letters_name(&id))?.0.letters)
}

/// Asks for one more attempt to deliver dead letters, one of them or all, and returns their number. The
/// delivering server makes it within seconds and removes those that the receiver takes from the list.
///
/// # Errors
/// [`WebhookError::NotFound`]; the store's failure.
pub fn retry_dead(
    store: &dyn Store,
    which: &str,
    revision: Option<RevisionNumber>,
) -> Result<usize, WebhookError> {
    let id = find(store, which)?;
    let mut count = 0;
    update(store, &dead_letters_name(&id), |dead: &mut DeadLetters| {
        let wanted = dead
            .letters
            .iter_mut()
            .filter(|letter| revision.is_none_or(|revision| letter.revision == revision));
        count = wanted.map(|letter| letter.again = true).count();
        Ok(())
    })?;
    Ok(count)
}

fn find(store: &dyn Store, which: &str) -> Result<String, WebhookError> {
    let (mut list, _) = read::<List>(store, LIST)?;
    Ok(list.find(which)?.id.clone())
}
