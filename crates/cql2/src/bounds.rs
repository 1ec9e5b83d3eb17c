//! How large a filter may be.

use crate::{Cql2Error, Expr};

/// Maximum length of a filter in bytes, in either form.
pub const BYTES_MAX: usize = 1 << 20;
/// Maximum number of operators, values and names of a filter.
pub const NODES_MAX: usize = 10_000;
/// Maximum depth to which a filter is nested. serde_json reads 128 levels, of which an operator takes two.
pub const DEPTH_MAX: usize = 48;

/// Refuses a text that is too long to be read.
pub(crate) fn check_bytes(text: &str) -> Result<(), Cql2Error> {
    if text.len() > BYTES_MAX { Err(Cql2Error::TooLong { max: BYTES_MAX }) } else { Ok(()) }
}

/// The expression, unless it is too deep or has too many parts.
pub(crate) fn checked(expr: Expr) -> Result<Expr, Cql2Error> {
    if expr.depth() > DEPTH_MAX {
        return Err(Cql2Error::TooDeep { max: DEPTH_MAX });
    }
    if expr.nodes() > NODES_MAX {
        return Err(Cql2Error::TooManyParts { max: NODES_MAX });
    }
    Ok(expr)
}
