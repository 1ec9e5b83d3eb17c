//! `Idempotency-Key`: a repeat of a request that was answered, or whose answer was lost, gets that answer and
//! makes no second feature.
//!
//! The hash of the key is in the *source* of the revision, because only that is written in the same instant
//! as the edits, in every kind of store and for every server of a database. The log is long, so a document
//! next to the record says where to look: before the edits it names the revision after which to search, after
//! them it holds the answer. A repeat searches the log while it holds the right to write, when nobody else
//! can commit.
//!
//! There is a fixed number of documents, called drawers. Each write to a drawer drops what is older than a
//! day.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName};
use citymap_model::{RevisionNumber, hex};
use citymap_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http::problem::Problem;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// How long an answer is kept, in seconds.
const KEPT_SECONDS: u64 = 24 * 3_600;
/// Maximum length of a key, in bytes.
const KEY_MAX: usize = 255;
/// How long to wait for the answer of another server that has just committed.
const ANSWER_WAIT: Duration = Duration::from_millis(500);
/// The number of log entries read in one go.
const LOG_PAGE: usize = 1_000;

/// A key that a client has sent, with the request it was sent for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// The hash of the writer, the path and the key.
    hash: String,
    /// The hash of the body.
    body: String,
}

/// The answer to a request that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// The revision that the request made.
    pub(crate) revision: RevisionNumber,
    /// The document of the answer; `None` if the server ended before it was kept.
    pub(crate) document: Option<Value>,
}

/// What a drawer holds of one key.
#[derive(Debug, Serialize, Deserialize)]
struct DrawerEntry {
    key: String,
    body: String,
    /// When the entry was written, in seconds since 1970.
    at: u64,
    /// The newest revision when the request first came.
    base: RevisionNumber,
    answer: Option<Answered>,
}

impl Key {
    /// The key of a request, if it has one. It is valid for one writer and one path.
    ///
    /// # Errors
    /// 400 for a key that is empty or too long.
    pub(crate) fn of(
        headers: &HeaderMap,
        writer: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let text = value.to_str().ok().map(str::trim).unwrap_or_default();
        if text.is_empty() || text.len() > KEY_MAX {
            return Err(Problem::parameter(format!(
                "`Idempotency-Key` cannot be used; write 1 to {KEY_MAX} letters and digits, for instance a \
                 UUID"
            )));
        }
        let mut hash = Sha256::new();
        for part in [writer, path, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Some(Self { hash: hex(&hash.finalize()[..16]), body: hex(&Sha256::digest(body)[..16]) }))
    }

    /// The source that the log shows of a revision made with this key.
    pub(crate) fn source(&self) -> String {
        format!("Idempotency-Key {}", self.hash)
    }

    /// The name of the document that holds the entry of this key.
    fn drawer(&self) -> String {
        format!("idempotency/{}", &self.hash[..3])
    }

    /// Notes that the request is being worked on. Returns its answer, if there is one already.
    ///
    /// # Errors
    /// 422 if the key was sent with another body before; the store's failure.
    pub(crate) fn begin(&self, store: &dyn Store) -> Result<Option<Answered>, Problem> {
        let base = store.revision()?;
        let mut outcome = Ok(None);
        self.change(store, |entries| match entries.iter().find(|entry| entry.key == self.hash) {
            Some(entry) if entry.body != self.body => {
                outcome = Err(Problem::unprocessable(
                    "the Idempotency-Key was sent with another body before; use a new key for a new request",
                ));
                false
            }
            Some(entry) => {
                outcome = Ok(entry.answer.clone());
                false
            }
            None => {
                let (key, body) = (self.hash.clone(), self.body.clone());
                entries.push(DrawerEntry { key, body, at: now(), base, answer: None });
                true
            }
        })?;
        outcome
    }

    /// The answer to an earlier request with the key that was committed. Only for a caller that holds the
    /// right to write, so that nobody commits in the meantime. The document may still be missing: wait for it
    /// ([`Key::wait`]) after giving the right back, because whoever keeps it has to write as well.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) fn committed(&self, store: &dyn Store) -> Result<Option<Answered>, StoreError> {
        let Some(entry) = self.entry(store)? else { return Ok(None) };
        if entry.answer.is_some() {
            return Ok(entry.answer);
        }
        let source = self.source();
        let mut after = entry.base;
        loop {
            let page = store.log_after(after, LOG_PAGE)?;
            let Some(last) = page.last() else { return Ok(None) };
            after = last.number;
            if let Some(found) =
                page.iter().find(|entry| entry.meta.source.as_deref() == Some(source.as_str()))
            {
                return Ok(Some(Answered { revision: found.number, document: None }));
            }
        }
    }

    /// The answer that another server is about to keep; without a document if that does not happen in time.
    pub(crate) fn wait(&self, store: &dyn Store, revision: RevisionNumber) -> Result<Answered, StoreError> {
        let end = Instant::now() + ANSWER_WAIT;
        loop {
            if let Some(answer) = self.entry(store)?.and_then(|entry| entry.answer) {
                return Ok(answer);
            }
            if Instant::now() >= end {
                return Ok(Answered { revision, document: None });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Keeps the answer. If that fails, a repeat finds the revision in the log.
    pub(crate) fn finish(&self, store: &dyn Store, answer: &Answered) {
        let kept = self.change(store, |entries| {
            // A simultaneous request that was refused may have removed the entry.
            let base = answer.revision.saturating_sub(1);
            entries.retain(|entry| entry.key != self.hash);
            let (key, body) = (self.hash.clone(), self.body.clone());
            entries.push(DrawerEntry { key, body, at: now(), base, answer: Some(answer.clone()) });
            true
        });
        if let Err(error) = kept {
            let revision = answer.revision;
            tracing::warn!(%error, revision, "the answer to an Idempotency-Key could not be kept");
        }
    }

    /// Removes the entry because nothing was written, so that the request may be corrected and sent again.
    pub(crate) fn withdraw(&self, store: &dyn Store) {
        let gone = self.change(store, |entries| {
            let before = entries.len();
            entries.retain(|entry| entry.key != self.hash || entry.answer.is_some());
            entries.len() != before
        });
        if let Err(error) = gone {
            tracing::warn!(%error, "the entry of an Idempotency-Key could not be removed");
        }
    }

    fn entry(&self, store: &dyn Store) -> Result<Option<DrawerEntry>, StoreError> {
        let document = store.document(&self.drawer())?;
        Ok(document
            .and_then(|document| entries(&document.body).into_iter().find(|entry| entry.key == self.hash)))
    }

    /// Reads, changes and writes the drawer, again if another server wrote it first. `change` returns whether
    /// there is something to write.
    fn change(
        &self,
        store: &dyn Store,
        mut change: impl FnMut(&mut Vec<DrawerEntry>) -> bool,
    ) -> Result<(), StoreError> {
        let name = self.drawer();
        loop {
            let document = store.document(&name)?;
            let version = document.as_ref().map_or(0, |document| document.version);
            let mut entries = document.map(|document| entries(&document.body)).unwrap_or_default();
            if !change(&mut entries) {
                return Ok(());
            }
            let oldest = now().saturating_sub(KEPT_SECONDS);
            entries.retain(|entry| entry.at >= oldest);
            let body =
                serde_json::to_string(&entries).map_err(|error| StoreError::Stopped(error.to_string()))?;
            if store.put_document(&name, version, Some(&body))? {
                return Ok(());
            }
        }
    }
}

/// The entries of a drawer. A drawer that cannot be read counts as empty: its revisions are still in the log.
fn entries(body: &str) -> Vec<DrawerEntry> {
    serde_json::from_str(body).unwrap_or_else(|error| {
        tracing::warn!(%error, "a document of Idempotency-Keys cannot be read");
        Vec::new()
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
