//! What is kept in the store's documents, as JSON.

use chrono::{DateTime, Utc};
use citymap_model::{LayerId, RevisionNumber};
use citymap_store::Store;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{DeadLetter, Failing, WebhookError};

/// The document of all subscriptions.
pub(super) const LIST: &str = "webhooks/subscriptions";
/// How often a change is tried again if others write the same document.
const ATTEMPTS: usize = 50;
/// Maximum number of dead letters kept for a subscriber; the oldest are dropped first.
const LETTERS_MAX: usize = 1_000;

/// The list of all subscriptions, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct List {
    pub(super) subscriptions: Vec<Stored>,
}

impl List {
    /// The subscription with this id, or else with this name.
    ///
    /// # Errors
    /// [`WebhookError::NotFound`].
    pub(super) fn find(&mut self, which: &str) -> Result<&mut Stored, WebhookError> {
        let position = self
            .subscriptions
            .iter()
            .position(|subscription| subscription.id == which)
            .or_else(|| self.subscriptions.iter().position(|subscription| subscription.name == which));
        position
            .and_then(|position| self.subscriptions.get_mut(position))
            .ok_or_else(|| WebhookError::NotFound(which.to_owned()))
    }
}

/// A subscription with its secret.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) layers: Option<Vec<LayerId>>,
    pub(super) created: DateTime<Utc>,
    pub(super) paused: bool,
    pub(super) ended: Option<String>,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Secrets must not appear in logs.
        f.debug_struct("Stored").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// How far the delivery to a subscriber is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The last revision that was delivered, given up, or touched none of the subscriber's layers.
    pub(super) revision: RevisionNumber,
    /// The failures of the next revision so far.
    pub(super) failing: Option<Failing>,
}

/// The revisions that were given up for a subscriber.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct DeadLetters {
    pub(super) letters: Vec<DeadLetter>,
    /// The number of letters that were dropped from the list because there were too many.
    #[serde(default)]
    dropped: u64,
}

impl DeadLetters {
    /// Inserts a letter in the order of revisions, replacing one for the same revision.
    pub(super) fn add(&mut self, letter: DeadLetter) {
        self.letters.retain(|other| other.revision != letter.revision);
        let position = self.letters.partition_point(|other| other.revision < letter.revision);
        self.letters.insert(position, letter);
        if self.letters.len() > LETTERS_MAX {
            self.letters.remove(0);
            self.dropped += 1;
        }
    }
}

/// The name of the document of a subscriber's [`Position`].
pub(super) fn position_name(id: &str) -> String {
    format!("webhooks/{id}/position")
}

/// The name of the document of a subscriber's [`DeadLetters`].
pub(super) fn dead_letters_name(id: &str) -> String {
    format!("webhooks/{id}/dead")
}

/// A document and its version; the default value and 0 if it does not exist.
pub(super) fn read<T: Default + DeserializeOwned>(
    store: &dyn Store,
    name: &str,
) -> Result<(T, u64), WebhookError> {
    let Some(document) = store.document(name)? else { return Ok((T::default(), 0)) };
    let value = serde_json::from_str(&document.body)
        .map_err(|source| WebhookError::Document { name: name.to_owned(), source })?;
    Ok((value, document.version))
}

/// Writes a document if its version is still `version`; false if it has changed.
pub(super) fn write<T: Serialize>(
    store: &dyn Store,
    name: &str,
    version: u64,
    value: &T,
) -> Result<bool, WebhookError> {
    let body = serde_json::to_string(value)
        .map_err(|source| WebhookError::Document { name: name.to_owned(), source })?;
    Ok(store.put_document(name, version, Some(&body))?)
}

/// Reads, changes and writes a document, again if it was changed in the meantime.
///
/// # Errors
/// What `change` refuses; [`WebhookError::Contended`] after many attempts.
pub(super) fn update<T: Default + DeserializeOwned + Serialize>(
    store: &dyn Store,
    name: &str,
    mut change: impl FnMut(&mut T) -> Result<(), WebhookError>,
) -> Result<(), WebhookError> {
    for _ in 0..ATTEMPTS {
        let (mut value, version) = read::<T>(store, name)?;
        change(&mut value)?;
        if write(store, name, version, &value)? {
            return Ok(());
        }
    }
    Err(WebhookError::Contended)
}

/// Deletes a document, if it exists.
///
/// # Errors
/// [`WebhookError::Contended`] if it keeps being changed.
pub(super) fn remove_document(store: &dyn Store, name: &str) -> Result<(), WebhookError> {
    for _ in 0..ATTEMPTS {
        let Some(document) = store.document(name)? else { return Ok(()) };
        if store.put_document(name, document.version, None)? {
            return Ok(());
        }
    }
    Err(WebhookError::Contended)
}
