//! Writing meanings into the definitions of a record that is from before fields had any.
//!
//! Reading does not depend on this: a definition without meanings gets the proposed ones whenever it is read
//! ([`citymap_model::Layer::from_definition`]), also those of former revisions. Writing them down makes them
//! part of the record, where the steward finds and changes them, and other programs read them.

use citymap_model::{CommitMeta, Mode, Revision};

use crate::{Store, StoreError};

/// Writes the meanings that are proposed for fields into all definitions that are from before there were any,
/// as one revision; `None` where there is no such definition, and then nothing is written.
///
/// # Errors
/// [`StoreError::Busy`] if another writer does not end in time; what reading and writing fail with, and then
/// nothing has changed.
pub fn add_meanings(store: &dyn Store) -> Result<Option<Revision>, StoreError> {
    if store.former_definitions()?.is_empty() {
        return Ok(None);
    }
    let meta = CommitMeta {
        author: "citymap".to_owned(),
        message: "Say what fields mean, as their names suggest".to_owned(),
        source: None,
        source_sha256: None,
    };
    let mut transaction = store.begin(meta)?;
    // Nobody else writes from here on. Another process may have done the same until then.
    let former = store.former_definitions()?;
    for id in &former {
        if let Some(layer) = transaction.definition(id)? {
            transaction.layer(&layer, Mode::Edit)?;
        }
    }
    if former.is_empty() { Ok(None) } else { transaction.commit().map(Some) }
}
