//! Edits, former revisions and who may write, over real HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod auth;
mod batch;
mod edits;
mod faults;
mod former;
mod repeat;
mod timestamps;
