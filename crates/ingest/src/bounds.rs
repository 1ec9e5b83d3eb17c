//! How large one feature may be, see [`FeatureLimits`].

use citymap_model::{Field, Value, counted};
use geo::CoordsIter;

use crate::{
    FeatureLimits,
    source::{Original, Parsed, Shape},
};

/// What is kept of a text that is too long, for the file of rejects, in bytes.
const KEPT: usize = 1_000;
/// The largest geometry that goes to the file of rejects, as WKB, in bytes: ten million corners.
const ORIGINAL: usize = 160 << 20;

/// Makes a feature that is too large one that is rejected, and drops of it what is too large to carry.
pub(crate) fn bound(parsed: &mut Parsed, limits: FeatureLimits, fields: &[Field]) {
    let mut together = 0;
    for (index, value) in parsed.values.iter_mut().enumerate() {
        let Value::Text(text) = value else { continue };
        together += text.len();
        let reason = if text.len() > limits.value {
            let name = fields.get(index).map_or("", |field| field.name.as_str());
            format!(
                "field `{name}`: a text of {}; at most {} are taken (--max-value)",
                counted(text.len(), "byte", "bytes"),
                limits.value
            )
        } else if together > limits.value.saturating_mul(FeatureLimits::TEXTS) {
            format!(
                "its texts take more than {} bytes together, {} times the limit on one (--max-value)",
                limits.value.saturating_mul(FeatureLimits::TEXTS),
                FeatureLimits::TEXTS
            )
        } else {
            continue;
        };
        parsed.fault.get_or_insert(reason);
        let end = (0..=KEPT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
        text.push('…');
    }
    let too_large = match &parsed.geometry {
        Shape::Good(geometry) => {
            let corners = geometry.coords_count();
            (corners > limits.corners).then(|| {
                format!(
                    "its geometry has {}; at most {} are taken (--max-corners): divide it",
                    counted(corners, "corner", "corners"),
                    limits.corners
                )
            })
        }
        Shape::Bad(fault, Original::Wkb(bytes)) if bytes.len() > ORIGINAL => Some(fault.reason.clone()),
        Shape::Bad(..) | Shape::Null => None,
    };
    if let Some(reason) = too_large {
        let carried = match &parsed.geometry {
            Shape::Good(geometry) => geometry.coords_count() <= FeatureLimits::CORNERS_MAX,
            _ => false,
        };
        parsed.fault.get_or_insert(reason);
        if !carried {
            parsed.geometry = Shape::Null;
        }
    }
}
