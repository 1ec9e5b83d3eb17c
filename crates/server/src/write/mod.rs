//! Edits over HTTP: OGC API – Features part 4 for single features, `POST /api/changes` for many at once.
//!
//! The rules of an edit are in `citymap-edit`. This module reads requests and answers them; whether a request
//! is a repeat of an earlier one is decided here as well ([`idempotency`]).

pub(crate) mod batch;
mod commit;
mod idempotency;
mod if_match;
mod if_unmodified_since;
mod refusal;
mod request;
pub(crate) mod single;

pub(crate) use request::MESSAGE_CHARACTERS;
