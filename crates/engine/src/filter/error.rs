//! Why a filter does not fit a layer.

use crate::AreaError;

/// Why an expression is not a condition on the features of a layer.
///
/// Messages name fields, functions and types, and repeat no value of the filter.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// No visible field has this name.
    #[error("the filter names `{name}`, which is not a field here; the fields are: {known}")]
    UnknownField {
        /// The name in the filter, shortened.
        name: String,
        /// The names that are known, nearest first.
        known: String,
    },
    /// No function has this name.
    #[error("the filter calls `{name}`, which is not a function here; the functions are: {known}")]
    UnknownFunction {
        /// The name in the filter, shortened.
        name: String,
        /// The functions that are known.
        known: String,
    },
    /// Something stands where another type is needed.
    #[error("the filter has {found} where {place} needs {expected}")]
    Operand {
        /// The operator or function.
        place: String,
        /// The type that it takes.
        expected: &'static str,
        /// The type that was given.
        found: &'static str,
    },
    /// Two values of different types are compared.
    #[error("the filter compares {left} with {right}; compare values of one type")]
    Mixed {
        /// The type of the first value.
        left: &'static str,
        /// The type of the second value.
        right: &'static str,
    },
    /// A text that is compared with a date or timestamp is neither.
    #[error(
        "the filter compares a date or timestamp with a text that is neither; write DATE('2025-07-01') or \
            TIMESTAMP('2025-07-01T00:00:00Z')"
    )]
    NotTime,
    /// A polygon of the filter breaks the rules of OGC Simple Features.
    #[error("a polygon of the filter cannot be used: {source}")]
    InvalidPolygon {
        /// The rule that is broken, and where.
        source: AreaError,
    },
    /// The south of a box is above its north.
    #[error("a box of the filter has its south above its north; write west, south, east, north")]
    InvalidBox,
    /// A line of the filter has one position.
    #[error("a line of the filter has too few positions; write two or more")]
    ShortLine,
}
