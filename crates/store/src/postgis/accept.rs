//! What a feature must be to be taken into a layer, and the form in which it is written.

use citymap_geometry::{check_positions, wkb};
use citymap_model::{Geometry, GeometryKind, Layer, NewFeature, Value};

use super::copy::GeometryCell;
use crate::{
    Refusal, StoreError,
    fit::{check_kind, check_storable, check_values},
    refusal::Acceptance,
};

/// A feature that may be written.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    /// Extended WKB with the coordinate system, and the code of its type.
    pub(super) geometry: Option<(Vec<u8>, u32)>,
    pub(super) values: Vec<Value>,
}

impl Accepted {
    /// The geometry as it is written; `None` for a feature without geometry.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.geometry.as_ref().map(|(bytes, _)| bytes.as_slice())
    }

    /// The geometry as a cell of a row; `spatial` says whether the table has a column for it.
    pub(super) fn cell(&self, spatial: bool) -> GeometryCell<'_> {
        match self.bytes() {
            _ if !spatial => GeometryCell::NoColumn,
            None => GeometryCell::Null,
            Some(bytes) => GeometryCell::Wkb(bytes),
        }
    }

    /// The WKB type of the geometry as a bit: bit n for code n; 0 without geometry.
    pub(super) fn bit(&self) -> u8 {
        self.geometry.as_ref().map_or(0, |(_, code)| 1 << code)
    }
}

/// Judges a feature with the fields of `given` for a layer that holds `kind`.
///
/// # Errors
/// [`StoreError::Schema`] if the values do not fit the fields, a mistake in the program.
pub(super) fn accept(
    given: &Layer,
    kind: GeometryKind,
    feature: NewFeature,
) -> Result<Acceptance<Accepted>, StoreError> {
    let NewFeature { geometry, values } = feature;
    check_values(given, &values)?;
    let geometry = check_storable(&values)
        .and_then(|()| geometry.as_ref().map(|geometry| extended(geometry, kind)).transpose());
    Ok(geometry.map(|geometry| Accepted { geometry, values }).into())
}

/// A geometry as extended WKB with its coordinate system, as PostGIS takes it, and the code of its type.
fn extended(geometry: &Geometry, kind: GeometryKind) -> Result<(Vec<u8>, u32), Refusal> {
    /// The bit of the type that says that the number of a coordinate system follows.
    const WITH_SRID: u32 = 0x2000_0000;
    let code = wkb::type_code(geometry);
    // The head with a coordinate system is four bytes longer than the plain one, which it overwrites.
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&[0; 4]);
    let written = wkb::write(&mut bytes, geometry);
    if !written.is_finite() {
        return Err(Refusal::NotFinite);
    }
    check_kind(kind, code, written.is_empty())?;
    check_positions(geometry)?;
    bytes[0] = 1;
    bytes[1..5].copy_from_slice(&(code | WITH_SRID).to_le_bytes());
    bytes[5..9].copy_from_slice(&4326u32.to_le_bytes());
    Ok((bytes, code))
}
