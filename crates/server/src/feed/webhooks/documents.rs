//! What is kept beside the record, as JSON.

use chrono::{DateTime, Utc};
use citymap_model::{LayerId, RevisionNumber};
use citymap_store::Store;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{DeadLetter, Failing, WebhookError};

/// The document of all subscriptions.
pub(super) const LIST: &str = "webhooks/subscriptions";
/// How often a document is written anew where others write it too.
const ATTEMPTS: usize = 50;
/// Dead letters kept for a subscriber at most; the oldest go first.
const LETTERS_MAX: usize = 1_000;

/// All subscriptions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct List {
    pub(super) subscriptions: Vec<Stored>,
}

impl List {
    /// The one with this id or name.
    pub(super) fn find(&mut self, which: &str) -> Result<&mut Stored, WebhookError> {
        let position = self
            .subscriptions
            .iter()
            .position(|own| own.id == which)
            .or_else(|| self.subscriptions.iter().position(|own| own.name == which));
        position
            .and_then(|position| self.subscriptions.get_mut(position))
            .ok_or_else(|| WebhookError::NotFound(which.to_owned()))
    }
}

/// A subscription, its secret too.
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
        // A secret is in no log.
        f.debug_struct("Stored").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// How far a subscriber is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The last revision delivered, given up, or not for it.
    pub(super) revision: RevisionNumber,
    /// What happened to the next one so far.
    pub(super) failing: Option<Failing>,
}

/// What was given up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Dead {
    pub(super) letters: Vec<DeadLetter>,
    /// Letters that are no longer in the list, because there were too many.
    #[serde(default)]
    dropped: u64,
}

impl Dead {
    /// Adds a letter, in the order of revisions; it takes the place of one for the same revision.
    pub(super) fn add(&mut self, letter: DeadLetter) {
        self.letters.retain(|other| other.revision != letter.revision);
        let place = self.letters.partition_point(|other| other.revision < letter.revision);
        self.letters.insert(place, letter);
        if self.letters.len() > LETTERS_MAX {
            self.letters.remove(0);
            self.dropped += 1;
        }
    }
}

/// The name of a subscriber's place.
pub(super) fn position_name(id: &str) -> String {
    format!("webhooks/{id}/position")
}

/// The name of a subscriber's dead letters.
pub(super) fn dead_name(id: &str) -> String {
    format!("webhooks/{id}/dead")
}

/// A document and its version; the default and 0 where there is none.
pub(super) fn read<T: Default + DeserializeOwned>(
    store: &dyn Store,
    name: &str,
) -> Result<(T, u64), WebhookError> {
    let Some(document) = store.document(name)? else { return Ok((T::default(), 0)) };
    let value = serde_json::from_str(&document.body)
        .map_err(|error| WebhookError::Document { name: name.to_owned(), reason: error.to_string() })?;
    Ok((value, document.version))
}

/// Writes a document if it has still this version; whether it was.
pub(super) fn write<T: Serialize>(
    store: &dyn Store,
    name: &str,
    version: u64,
    value: &T,
) -> Result<bool, WebhookError> {
    let body = serde_json::to_string(value)
        .map_err(|error| WebhookError::Document { name: name.to_owned(), reason: error.to_string() })?;
    Ok(store.put_document(name, version, Some(&body))?)
}

/// Changes a document, again where somebody else has meanwhile.
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

/// Takes a document away.
pub(super) fn remove_document(store: &dyn Store, name: &str) -> Result<(), WebhookError> {
    for _ in 0..ATTEMPTS {
        let Some(document) = store.document(name)? else { return Ok(()) };
        if store.put_document(name, document.version, None)? {
            return Ok(());
        }
    }
    Err(WebhookError::Contended)
}
