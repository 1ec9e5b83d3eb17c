//! What a [`Store`] is, as tests: each function takes an empty store and judges it. A store of
//! another kind runs the same functions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod model;
mod parts;
mod values;
mod writing;

pub(crate) use model::random_operations_agree_with_a_model;
pub(crate) use values::*;
pub(crate) use writing::*;

use citymap_store::{Severity, Store};

/// Passes if `check` finds nothing but what is good.
pub(crate) fn nothing_is_wrong(store: &dyn Store) {
    for finding in store.check().unwrap() {
        assert_eq!(finding.severity, Severity::Good, "{}", finding.message);
    }
}
