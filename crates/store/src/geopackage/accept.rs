//! What a feature must be to be taken into a layer, and the form in which it is written.

use citymap_geometry::check_positions;
use citymap_gpkg::blob::{self, Blob};
use citymap_model::{Geometry, GeometryKind, Layer, NewFeature, Value};

use super::failure::Failure;
use crate::{
    Refusal,
    fit::{check_kind, check_storable, check_values},
    refusal::Acceptance,
};

/// A feature that may be written.
pub(super) struct Accepted {
    pub(super) blob: Option<Blob>,
    pub(super) values: Vec<Value>,
}

impl Accepted {
    /// The geometry as it is written; `None` for a feature without geometry.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.blob.as_ref().map(|blob| &*blob.bytes)
    }
}

/// Judges a feature with the fields of `given` for a layer that holds `kind`.
///
/// # Errors
/// [`Failure::Store`] if the values do not fit the fields, a mistake in the program.
pub(super) fn accept(
    given: &Layer,
    kind: GeometryKind,
    feature: NewFeature,
) -> Result<Acceptance<Accepted>, Failure> {
    let NewFeature { geometry, values } = feature;
    check_values(given, &values)?;
    let blob = check_storable(&values)
        .and_then(|()| geometry.as_ref().map(|geometry| encode(geometry, kind)).transpose());
    Ok(blob.map(|blob| Accepted { blob, values }).into())
}

fn encode(geometry: &Geometry, kind: GeometryKind) -> Result<Blob, Refusal> {
    let blob = blob::write(geometry).map_err(|_not_finite| Refusal::NotFinite)?;
    // This file would hold it, but the same rule must hold in every store.
    check_positions(geometry)?;
    check_kind(kind, blob.code, blob.bounds.is_none())?;
    Ok(blob)
}
