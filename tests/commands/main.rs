//! Each command of the built binary, one file for each: what it prints, what it writes, how it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod city;
mod layer;
mod printing;
