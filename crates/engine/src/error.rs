//! The errors of this crate.

use citymap_geometry::GeometryFault;
use citymap_model::{FieldType, LayerId};

/// Why a snapshot could not be built or queried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The type of a value differs from the type of its field.
    #[error(
        "layer `{layer}`, feature {fid}: field `{field}` holds a {found:?} where {expected:?} is declared"
    )]
    Type {
        /// Layer of the feature.
        layer: LayerId,
        /// Fid of the feature.
        fid: i64,
        /// Name of the field.
        field: String,
        /// Type that the layer declares for the field.
        expected: FieldType,
        /// Type of the value that was given.
        found: FieldType,
    },
    /// A feature has more or fewer values than its layer has fields.
    #[error("layer `{layer}`, feature {fid}: {found} values for {expected} fields")]
    Width {
        /// Layer of the feature.
        layer: LayerId,
        /// Fid of the feature.
        fid: i64,
        /// Number of fields of the layer.
        expected: usize,
        /// Number of values of the feature.
        found: usize,
    },
    /// Features must come in ascending order of their fids.
    #[error("layer `{layer}`: feature {fid} comes after a feature with a higher number")]
    Order {
        /// Layer of the feature.
        layer: LayerId,
        /// Fid that came too late.
        fid: i64,
    },
    /// A change names one fid and carries a feature with another.
    #[error("layer `{layer}`: the change of feature {fid} carries feature {found}")]
    Number {
        /// Layer of the change.
        layer: LayerId,
        /// Fid that the change names.
        fid: i64,
        /// Fid of the feature that it carries.
        found: i64,
    },
    /// The new definition of the layer has other fields or another key, so edits of single features do not
    /// lead to it.
    #[error("layer `{layer}` has other fields or another key than before; read the whole layer again")]
    Definition {
        /// Layer whose definition changed.
        layer: LayerId,
    },
    /// The layer needs more than the 32-bit offsets of a snapshot.
    #[error("layer `{layer}` is larger than a snapshot can hold (2^32 coordinates or bytes of text a field)")]
    TooLarge {
        /// Layer that is too large.
        layer: LayerId,
    },
    /// The bytes given are not the sections of a snapshot.
    #[error("layer `{layer}`: the section `{section}` is damaged: {reason}")]
    Section {
        /// Layer that was read.
        layer: LayerId,
        /// Name of the damaged section.
        section: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The work was cancelled through its [`Cancel`](crate::Cancel).
    #[error(transparent)]
    Cancelled(#[from] crate::Cancelled),
    /// A coordinate could not be transformed or a length or area not be computed.
    #[error(transparent)]
    Crs(#[from] citymap_crs::CrsError),
    /// The geometry given as an area cannot be used.
    #[error(transparent)]
    InvalidArea(#[from] AreaError),
    /// The fields by which an area was to be divided have too many different values in it.
    #[error("the fields have more than {max} different values in this area")]
    TooManyGroups {
        /// The maximum number of groups.
        max: usize,
    },
    /// Neither layer of an overlay has polygons, so they have no area, length or count in common.
    #[error("`{a}` and `{b}` share no area and no length: one of the two must have polygons")]
    NoPolygons {
        /// First layer of the overlay.
        a: LayerId,
        /// Second layer of the overlay.
        b: LayerId,
    },
}

/// Why a geometry cannot be used as an [`Area`](crate::Area).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AreaError {
    /// The geometry is neither a polygon nor a multi-polygon.
    #[error("the area must be a Polygon or a MultiPolygon")]
    Kind,
    /// The polygons break the rules of OGC Simple Features.
    #[error("the area cannot be used: {source}{}; draw it without crossings", near(source))]
    Invalid {
        /// The rule that is broken, and where.
        source: GeometryFault,
    },
    /// Rings share positions, and the area has too many corners for the check whether they only touch.
    #[error(
        "rings of the area touch each other; such an area may have {max} corners: use fewer, or smaller parts"
    )]
    TouchingRings {
        /// Maximum number of corners of such an area.
        max: usize,
    },
    /// The geometry has no coordinates.
    #[error("the area is empty")]
    Empty,
}

/// Where a fault of an area is, as the end of a sentence: degrees to about a metre.
fn near(fault: &GeometryFault) -> String {
    fault
        .location
        .map_or_else(String::new, |[lon, lat]| format!(" near longitude {lon:.5}, latitude {lat:.5}"))
}
