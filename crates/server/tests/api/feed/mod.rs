//! The change feed over real HTTP, from a GeoPackage that others write to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

mod changes;
mod city;
mod events;
mod history;
mod receiver;
mod stream;
mod webhooks;
