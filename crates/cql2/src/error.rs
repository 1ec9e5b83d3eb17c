//! Why a filter cannot be read.

/// Why a text is not a CQL2 filter.
///
/// Messages name what was found by its kind: a filter may hold values that logs must not repeat.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cql2Error {
    /// The text form breaks the grammar.
    #[error("the filter cannot be read at character {position}: expected {expected}, found {found}")]
    Syntax {
        /// The position of what was found, in characters, from 1.
        position: usize,
        /// What may be there.
        expected: String,
        /// What kind of thing is there instead.
        found: String,
    },
    /// The JSON form is not JSON.
    #[error("the filter is not JSON: {source}; write an object such as {{\"op\":\"=\",\"args\":[…]}}")]
    Json {
        /// What the reader of JSON reports.
        source: serde_json::Error,
    },
    /// The JSON form breaks the grammar.
    #[error("the filter cannot be read at `{path}`: expected {expected}")]
    Structure {
        /// The member, as a JSON Pointer; empty for the whole filter.
        path: String,
        /// What may be there.
        expected: String,
    },
    /// The filter is longer than [`BYTES_MAX`](crate::BYTES_MAX).
    #[error("the filter is longer than {max} bytes; simplify its geometry or shorten its lists")]
    TooLong {
        /// The maximum in bytes.
        max: usize,
    },
    /// The filter is nested deeper than [`DEPTH_MAX`](crate::DEPTH_MAX).
    #[error(
        "the filter is nested more than {max} deep; write it with fewer parentheses and chained operators"
    )]
    TooDeep {
        /// The maximum depth of nesting.
        max: usize,
    },
    /// The filter has more parts than [`NODES_MAX`](crate::NODES_MAX).
    #[error("the filter has more than {max} operators, values and names; shorten its lists")]
    TooManyParts {
        /// The maximum number of parts.
        max: usize,
    },
}
