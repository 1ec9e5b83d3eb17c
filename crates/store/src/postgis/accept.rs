//! What a feature must be to be taken into a layer, and its form there.

use citymap_model::{Geometry, GeometryKind, Layer, NewFeature, Value};

use crate::{
    StoreError,
    fit::{check_values, misfit, too_short, unstorable},
    wkb_write::Met,
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

/// A geometry as PostGIS takes it: the coordinate system stands behind the type of the outermost one.
fn extended(geometry: &Geometry, kind: GeometryKind) -> Result<(Vec<u8>, u32), String> {
    /// Says that the number of a coordinate system follows.
    const WITH_SRID: u32 = 0x2000_0000;
    let mut wkb = Vec::with_capacity(256);
    // Room for what is longer, so that nothing need be moved: the plain head is written over.
    wkb.extend_from_slice(&[0; 4]);
    let mut met = Met::NOTHING;
    met.write(&mut wkb, geometry);
    if !met.finite {
        return Err("a coordinate is no finite number".to_owned());
    }
    let mut code = [0; 4];
    code.copy_from_slice(&wkb[5..9]);
    let code = u32::from_le_bytes(code);
    if let Some(reason) = misfit(kind, code, met.is_empty()).or_else(|| too_short(geometry)) {
        return Err(reason);
    }
    wkb[0] = 1;
    wkb[1..5].copy_from_slice(&(code | WITH_SRID).to_le_bytes());
    wkb[5..9].copy_from_slice(&4326u32.to_le_bytes());
    Ok((wkb, code))
}
