//! What a [`Store`] is, as tests: each function takes an empty store and judges it. A store of
//! another kind runs the same functions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod editing;
mod layers;
mod lives;
mod model;
mod parts;
mod past;
mod record;
mod seen;
mod values;
mod writing;

pub(crate) use editing::*;
pub(crate) use layers::*;
pub(crate) use lives::a_random_life_is_remembered;
pub(crate) use model::random_operations_agree_with_a_model;
pub(crate) use past::*;
pub(crate) use record::*;
pub(crate) use values::*;
pub(crate) use writing::*;

use citymap_store::{Severity, Store};

/// Passes if `check` finds nothing but what is good.
pub(crate) fn nothing_is_wrong(store: &dyn Store) {
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}
