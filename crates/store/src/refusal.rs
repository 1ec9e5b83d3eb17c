//! Why a feature was not taken.

use citymap_geometry::{KindMismatch, TooFewPositions};
use citymap_model::{Fid, YEARS};

/// Why a feature that was put into a transaction was not taken; the text is the end of a sentence about it,
/// and holds no value of the feature, which may be personal. A refusal leaves the transaction as it was: the
/// caller reports it and goes on with the next feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A coordinate is NaN or infinite.
    #[error("a coordinate is not a finite number")]
    NotFinite,
    /// The layer does not hold geometry of this kind.
    #[error(transparent)]
    Kind(#[from] KindMismatch),
    /// A line or a ring has too few positions, which PostGIS does not store.
    #[error(transparent)]
    Positions(#[from] TooFewPositions),
    /// A date or an instant outside [`YEARS`].
    #[error("a date is outside the years {} to {}", YEARS.start(), YEARS.end())]
    Year,
    /// A text with the character U+0000.
    #[error("a text holds the character U+0000, which no database stores; remove it")]
    ZeroCharacter,
    /// An upsert without a key.
    #[error("it has no key: field `{field}` is empty")]
    NoKey {
        /// The layer's key field.
        field: String,
    },
    /// An upsert with the key of an earlier feature of the same source.
    #[error("its key is in field `{field}` of an earlier feature too")]
    RepeatedKey {
        /// The layer's key field.
        field: String,
        /// The key, as text.
        key: String,
    },
    /// An upsert with a key that several features of the layer have.
    #[error("the layer has several features with its key")]
    AmbiguousKey {
        /// The key, as text.
        key: String,
    },
    /// A number below 1, or the highest there is.
    #[error("{0} cannot be the number of a feature; give one above 0")]
    InvalidFid(Fid),
    /// A new feature with the number of one that is in the layer.
    #[error("there is already a feature {0}; update it, or give no number")]
    FidInUse(Fid),
    /// An edit of a feature that is not in the layer.
    #[error("there is no feature {0}")]
    NoFeature(Fid),
}

/// A feature as a store would write it, or why it is not taken.
pub(crate) enum Acceptance<T> {
    /// It may be written.
    Accepted(T),
    /// It is reported to the caller as [`crate::Put::Rejected`].
    Refused(Refusal),
}

impl<T> Acceptance<T> {
    /// The same verdict on another form of the feature.
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Acceptance<U> {
        match self {
            Self::Accepted(feature) => Acceptance::Accepted(form(feature)),
            Self::Refused(refusal) => Acceptance::Refused(refusal),
        }
    }
}

impl<T> From<Result<T, Refusal>> for Acceptance<T> {
    fn from(outcome: Result<T, Refusal>) -> Self {
        match outcome {
            Ok(feature) => Self::Accepted(feature),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}
