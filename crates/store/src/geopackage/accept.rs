//! What a feature must be to be taken into a layer, and its form there.

use citymap_geometry::check_positions;
use citymap_gpkg::blob::{self, Blob};
use citymap_model::{GeometryKind, Layer, NewFeature, Value};

use super::failure::Failure;
use crate::fit::{check_kind, check_values, unstorable};

/// A feature that may be written.
pub(super) struct Accepted {
    pub(super) blob: Option<Blob>,
    pub(super) values: Vec<Value>,
}

impl Accepted {
    /// The geometry's bytes.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.blob.as_ref().map(|blob| &*blob.bytes)
    }
}

/// A feature with the fields of `given` for a layer that holds `kind`; `Ok(Err(…))` says why it is not taken.
pub(super) fn accept(
    given: &Layer,
    kind: GeometryKind,
    feature: NewFeature,
) -> Result<Result<Accepted, String>, Failure> {
    let NewFeature { geometry, values } = feature;
    check_values(given, &values)?;
    if let Some(reason) = unstorable(&values) {
        return Ok(Err(reason));
    }
    let Some(geometry) = geometry else { return Ok(Ok(Accepted { blob: None, values })) };
    let Ok(blob) = blob::write(&geometry) else {
        return Ok(Err("a coordinate is not a finite number".to_owned()));
    };
    // This file would hold it, but the same must hold in every store.
    if let Err(fault) = check_positions(&geometry) {
        return Ok(Err(fault.to_string()));
    }
    Ok(match check_kind(kind, blob.code, blob.bounds.is_none()) {
        Err(mismatch) => Err(mismatch.to_string()),
        Ok(()) => Ok(Accepted { blob: Some(blob), values }),
    })
}
