//! The city profile in the record: a document, so that every program that opens the record finds it, with a
//! revision for each change, so that everybody who follows the record notices.

use citymap_model::{CityProfile, CommitMeta, Revision};

use crate::{Store, StoreError};

/// The profile of the city whose record this is; the built-in one where the record has none.
///
/// # Errors
/// [`StoreError::Format`] if the profile in the record cannot be read; what reading fails with.
pub fn city_profile(store: &dyn Store) -> Result<CityProfile, StoreError> {
    let Some(document) = store.document_for_reading(CityProfile::DOCUMENT)? else {
        return Ok(CityProfile::default());
    };
    serde_json::from_str(&document.body).map_err(|error| {
        let reason = "its city profile cannot be read; `citymap city set` writes it again";
        StoreError::format(store.location(), reason).because(error)
    })
}

/// Writes the profile, and commits a revision without changes to layers: running servers and caches go by
/// revisions.
///
/// # Errors
/// [`StoreError::Busy`] if somebody else changed the profile at the same moment; what writing fails with.
/// [`StoreError::Schema`] if other programs depend on the former grid: the profile is written then, and
/// `citymap migrate` goes on.
pub fn set_city_profile(
    store: &dyn Store,
    profile: &CityProfile,
    meta: CommitMeta,
) -> Result<Revision, StoreError> {
    let version = store.document(CityProfile::DOCUMENT)?.map_or(0, |document| document.version);
    let body = serde_json::to_string(profile).map_err(|error| {
        StoreError::format(store.location(), "the city profile cannot be written").because(error)
    })?;
    // Whoever sees the revision finds the profile: it is written first.
    if !store.put_document(CityProfile::DOCUMENT, version, Some(&body))? {
        return Err(StoreError::Busy { location: store.location() });
    }
    let revision = store.begin(meta)?.commit()?;
    store.renew_home_views()?;
    Ok(revision)
}
