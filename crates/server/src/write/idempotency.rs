//! `Idempotency-Key`: a repeat of a request that was answered, or whose answer got lost, gives that answer and no second
//! feature.
//!
//! Where it is kept: the key's hash stands in the *source* of the revision, because only that is written in the same
//! instant as the edits, on every kind of store and for every server of a database. The log is long, so a document beside
//! the record leads to the place: before the edits it says from which revision on to look, after them it holds the answer.
//! Whoever repeats looks for the hash in the log while it holds the right to write, when nobody else can commit.
//! Documents are a fixed number of drawers, each emptied of what is older than a day whenever it is written to.

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
const DAY: u64 = 24 * 3_600;
/// Letters of a key at most.
const LETTERS: usize = 255;
/// How long to wait for the answer of another server that has just committed.
const PATIENCE: Duration = Duration::from_millis(500);
/// Revisions of the log read at once.
const PAGE: usize = 1_000;

/// A key that a client has sent, with what it was sent for.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    hash: String,
    body: String,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// The revision that it made.
    pub(crate) revision: RevisionNumber,
    /// The document; `None` where the server ended before it could be kept.
    pub(crate) document: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    key: String,
    body: String,
    /// Seconds since 1970.
    at: u64,
    /// The newest revision when it was first asked.
    base: RevisionNumber,
    answer: Option<Answered>,
}

impl Key {
    /// The key of a request, if it has one. It holds for one writer and one path.
    pub(crate) fn of(
        headers: &HeaderMap,
        writer: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let text = value.to_str().ok().map(str::trim).unwrap_or_default();
        if text.is_empty() || text.len() > LETTERS {
            return Err(Problem::parameter(format!(
                "`Idempotency-Key` cannot be used; write 1 to {LETTERS} letters and digits, a UUID for instance"
            )));
        }
        let mut hash = Sha256::new();
        for part in [writer, path, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Some(Self { hash: hex(&hash.finalize()[..16]), body: hex(&Sha256::digest(body)[..16]) }))
    }

    /// What the revision says of its source.
    pub(crate) fn source(&self) -> String {
        format!("Idempotency-Key {}", self.hash)
    }

    fn drawer(&self) -> String {
        format!("idempotency/{}", &self.hash[..3])
    }

    /// Says that the request is being worked on; its answer, if there is one already.
    ///
    /// # Errors
    /// 422 where the key was sent with another body.
    pub(crate) fn begin(&self, store: &dyn Store) -> Result<Option<Answered>, Problem> {
        let base = store.revision()?;
        let mut outcome = Ok(None);
        self.change(store, |entries| match entries.iter().find(|entry| entry.key == self.hash) {
            Some(entry) if entry.body != self.body => {
                outcome = Err(Problem::unprocessable(
                    "the Idempotency-Key was sent with another body before; take a new key for a new request",
                ));
                false
            }
            Some(entry) => {
                outcome = Ok(entry.answer.clone());
                false
            }
            None => {
                let (key, body) = (self.hash.clone(), self.body.clone());
                entries.push(Entry { key, body, at: now(), base, answer: None });
                true
            }
        })?;
        outcome
    }

    /// The answer of an earlier request with the key that was committed. Only for one that may write now: nobody else
    /// commits meanwhile. Its document may still be missing: [`Key::wait`] for it when the right to write is given back,
    /// since who keeps it has to write as well.
    pub(crate) fn committed(&self, store: &dyn Store) -> Result<Option<Answered>, StoreError> {
        let Some(entry) = self.entry(store)? else { return Ok(None) };
        if entry.answer.is_some() {
            return Ok(entry.answer);
        }
        let source = self.source();
        let mut after = entry.base;
        loop {
            let page = store.log_after(after, PAGE)?;
            let Some(last) = page.last() else { return Ok(None) };
            after = last.number;
            if let Some(found) = page.iter().find(|own| own.meta.source.as_deref() == Some(source.as_str())) {
                return Ok(Some(Answered { revision: found.number, document: None }));
            }
        }
    }

    /// The answer that the one who committed is about to keep; without it where that has ended meanwhile.
    pub(crate) fn wait(&self, store: &dyn Store, revision: RevisionNumber) -> Result<Answered, StoreError> {
        let end = Instant::now() + PATIENCE;
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

    /// Keeps the answer. Where that fails, a repeat finds the revision in the log.
    pub(crate) fn finish(&self, store: &dyn Store, answer: &Answered) {
        let kept = self.change(store, |entries| {
            // A twin that was refused may have taken the key back.
            let base = answer.revision.saturating_sub(1);
            entries.retain(|entry| entry.key != self.hash);
            let (key, body) = (self.hash.clone(), self.body.clone());
            entries.push(Entry { key, body, at: now(), base, answer: Some(answer.clone()) });
            true
        });
        if let Err(error) = kept {
            tracing::warn!(%error, revision = answer.revision, "the answer of an Idempotency-Key could not be kept");
        }
    }

    /// Takes the key back where nothing was written, so that the request may be mended and sent again.
    pub(crate) fn withdraw(&self, store: &dyn Store) {
        let gone = self.change(store, |entries| {
            let before = entries.len();
            entries.retain(|entry| entry.key != self.hash || entry.answer.is_some());
            entries.len() != before
        });
        if let Err(error) = gone {
            tracing::warn!(%error, "an Idempotency-Key could not be taken back");
        }
    }

    fn entry(&self, store: &dyn Store) -> Result<Option<Entry>, StoreError> {
        let document = store.document(&self.drawer())?;
        Ok(document.and_then(|document| entries(&document.body).into_iter().find(|own| own.key == self.hash)))
    }

    /// Changes the drawer, again where another one was faster. `change` says whether there is something to write.
    fn change(
        &self,
        store: &dyn Store,
        mut change: impl FnMut(&mut Vec<Entry>) -> bool,
    ) -> Result<(), StoreError> {
        let name = self.drawer();
        loop {
            let document = store.document(&name)?;
            let version = document.as_ref().map_or(0, |document| document.version);
            let mut entries = document.map(|document| entries(&document.body)).unwrap_or_default();
            if !change(&mut entries) {
                return Ok(());
            }
            let oldest = now().saturating_sub(DAY);
            entries.retain(|entry| entry.at >= oldest);
            let body =
                serde_json::to_string(&entries).map_err(|error| StoreError::Stopped(error.to_string()))?;
            if store.put_document(&name, version, Some(&body))? {
                return Ok(());
            }
        }
    }
}

/// What is in a drawer. One that cannot be read is an empty one: its revisions are still in the log.
fn entries(body: &str) -> Vec<Entry> {
    serde_json::from_str(body).unwrap_or_else(|error| {
        tracing::warn!(%error, "a document of Idempotency-Keys cannot be read");
        Vec::new()
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
