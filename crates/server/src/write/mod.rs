//! Edits over HTTP: OGC API – Features part 4 for single features, `POST /api/changes` for many at once.
//!
//! An edit is read and checked before it takes the right to write; what depends on the present state (whether the feature
//! is still the one that the client has seen) is checked within the transaction.

mod apply;
pub(crate) mod batch;
mod draft;
pub(crate) mod etag;
mod fault;
mod geometry;
mod idempotency;
mod request;
pub(crate) mod single;
mod valid;

pub(crate) use request::MESSAGE_LETTERS;
