use citymap_model::{FieldType, LayerId};

/// Why a snapshot could not be made or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A value is not of its field's type.
    #[error(
        "layer `{layer}`, feature {fid}: field `{field}` holds a {found:?} where {expected:?} is declared"
    )]
    Type {
        /// The layer.
        layer: LayerId,
        /// The feature.
        fid: i64,
        /// The field.
        field: String,
        /// What the layer declares.
        expected: FieldType,
        /// What was found.
        found: FieldType,
    },
    /// A feature has more or fewer values than its layer has fields.
    #[error("layer `{layer}`, feature {fid}: {found} values for {expected} fields")]
    Width {
        /// The layer.
        layer: LayerId,
        /// The feature.
        fid: i64,
        /// Fields of the layer.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// Features must come in the order of their numbers.
    #[error("layer `{layer}`: feature {fid} came after a higher number")]
    Order {
        /// The layer.
        layer: LayerId,
        /// The feature.
        fid: i64,
    },
    /// A change says that a feature with another number is this one.
    #[error("layer `{layer}`: the change of feature {fid} carries feature {found}")]
    Number {
        /// The layer.
        layer: LayerId,
        /// The number that the change names.
        fid: i64,
        /// The number that its feature has.
        found: i64,
    },
    /// The layer's definition differs in more than titles, so a change of single features does not lead to it.
    #[error("layer `{layer}` has other fields or another key than before; read it whole")]
    Definition {
        /// The layer.
        layer: LayerId,
    },
    /// More than a snapshot's 32-bit offsets can hold.
    #[error("layer `{layer}` is larger than a snapshot can hold (2^32 coordinates or bytes of text a field)")]
    TooLarge {
        /// The layer.
        layer: LayerId,
    },
    /// Pieces of bytes that are no snapshot.
    #[error("layer `{layer}`: the piece `{section}` is damaged: {reason}")]
    Section {
        /// The layer.
        layer: LayerId,
        /// The piece's name.
        section: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A measure could not be taken.
    #[error(transparent)]
    Crs(#[from] citymap_crs::CrsError),
    /// The area given is not one.
    #[error("{0}")]
    InvalidArea(String),
    /// The layers cannot be laid over one another.
    #[error("{0}")]
    Overlay(String),
}
