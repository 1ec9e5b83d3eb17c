//! The edits since a base block was packed, as a small block next to it: the *delta*.
//!
//! A snapshot is a base and a delta ([`state`]). A commit makes a new delta and shares the base ([`apply`]);
//! from time to time both are merged into a new base ([`merge`]). [`repeats`] keeps track of which keys occur
//! more than once over both.

mod apply;
mod merge;
mod repeats;
mod state;

pub(crate) use state::Delta;
