//! What a feature must be to be taken into a layer, and its form there.

use citymap_geometry::{check_positions, wkb};
use citymap_model::{Geometry, GeometryKind, Layer, NewFeature, Value};

use crate::{
    StoreError,
    fit::{check_kind, check_values, unstorable},
};

/// A feature that may be written.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    /// Extended WKB with the coordinate system, and the code of its type.
    pub(super) geometry: Option<(Vec<u8>, u32)>,
    pub(super) values: Vec<Value>,
}

impl Accepted {
    /// The geometry's bytes.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.geometry.as_ref().map(|(bytes, _)| bytes.as_slice())
    }

    /// The geometry's type as a bit: bit n for code n.
    pub(super) fn bit(&self) -> u8 {
        self.geometry.as_ref().map_or(0, |(_, code)| 1 << code)
    }
}

/// A feature with the fields of `given` for a layer that holds `kind`; `Ok(Err(…))` says why it is not taken.
pub(super) fn accept(
    given: &Layer,
    kind: GeometryKind,
    feature: NewFeature,
) -> Result<Result<Accepted, String>, StoreError> {
    let NewFeature { geometry, values } = feature;
    check_values(given, &values)?;
    if let Some(reason) = unstorable(&values) {
        return Ok(Err(reason));
    }
    let Some(geometry) = geometry else { return Ok(Ok(Accepted { geometry: None, values })) };
    Ok(extended(&geometry, kind).map(|geometry| Accepted { geometry: Some(geometry), values }))
}

/// A geometry as extended WKB with its coordinate system, as PostGIS takes it, and the code of its type.
fn extended(geometry: &Geometry, kind: GeometryKind) -> Result<(Vec<u8>, u32), String> {
    /// The bit of the type that says that the number of a coordinate system follows.
    const WITH_SRID: u32 = 0x2000_0000;
    let code = wkb::type_code(geometry);
    // The head with a coordinate system is four bytes longer than the plain one, which it overwrites.
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&[0; 4]);
    let written = wkb::write(&mut bytes, geometry);
    if !written.is_finite() {
        return Err("a coordinate is not a finite number".to_owned());
    }
    check_kind(kind, code, written.is_empty()).map_err(|mismatch| mismatch.to_string())?;
    check_positions(geometry).map_err(|fault| fault.to_string())?;
    bytes[0] = 1;
    bytes[1..5].copy_from_slice(&(code | WITH_SRID).to_le_bytes());
    bytes[5..9].copy_from_slice(&4326u32.to_le_bytes());
    Ok((bytes, code))
}
