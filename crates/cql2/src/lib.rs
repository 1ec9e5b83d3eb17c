//! CQL2 (OGC 21-065r2), the query language of filters: its text and its JSON form, and the tree between them.
//!
//! [`Expr::parse_text`] and [`Expr::parse_json`] read a filter; [`Expr::to_text`] and [`Expr::to_json`] write
//! it. Both forms give the same tree, and what is written is read back as the same tree. The crate knows the
//! grammar and how many arguments an operator takes. It does not know fields, functions or types: the engine
//! checks a tree against a layer and evaluates it.
//!
//! Every construct of the standard is read: comparisons, `LIKE`, `BETWEEN`, `IN`, `IS NULL`, `CASEI` and
//! `ACCENTI`, spatial, temporal and array functions, arithmetic, and calls of other functions.
//!
//! # Bounds
//! A filter has at most [`BYTES_MAX`] bytes and [`NODES_MAX`] parts and is nested at most [`DEPTH_MAX`] deep,
//! so that no filter exhausts the stack or the memory of its reader. Reading takes time proportional to the
//! length.
//!
//! # Texts and numbers
//! Names and texts get the Unicode form of the record, NFC. In the text form a quote inside a text is doubled
//! (`'O''Neil'`), and so is one inside a quoted name. Names of other characters than letters, digits, `_`,
//! `.` and `:` are quoted: `"Diện tích"`. A whole number that 64 bits cannot hold is read as a real one.
//! Heights of coordinates are ignored.
//!
//! # Examples
//! ```
//! use citymap_cql2::Expr;
//!
//! let filter = Expr::parse_text("loai_dat IN ('ODT','ONT') AND dien_tich * 2 >= 500")?;
//! assert_eq!(
//!     filter.to_json().to_string(),
//!     r#"{"op":"and","args":[{"op":"in","args":[{"property":"loai_dat"},["ODT","ONT"]]},"#.to_owned()
//!         + r#"{"op":">=","args":[{"op":"*","args":[{"property":"dien_tich"},2]},500]}]}"#
//! );
//! assert_eq!(Expr::parse_json(&filter.to_json().to_string())?, filter);
//!
//! let error = Expr::parse_text("dien_tich >").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "the filter cannot be read at character 12: expected a value, a name or `(`, found its end"
//! );
//! # Ok::<(), citymap_cql2::Cql2Error>(())
//! ```

mod bounds;
mod error;
mod json;
mod operator;
#[cfg(test)]
mod tests;
mod text;

use chrono::{DateTime, NaiveDate, Utc};
use citymap_model::Geometry;

pub use bounds::{BYTES_MAX, DEPTH_MAX, NODES_MAX};
pub use error::Cql2Error;
pub use operator::{Arithmetic, ArrayRelation, Comparison, Operator, SpatialRelation, TemporalRelation};

/// A filter, or a part of one.
///
/// The number of arguments of an operator is always one that it takes ([`Operator::arity`]).
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A truth value, `TRUE` or `FALSE`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A finite number that is not whole, or was written with a point or an exponent.
    Real(f64),
    /// A text, in NFC.
    Text(String),
    /// A day of the calendar: `DATE('2025-07-01')`.
    Date(NaiveDate),
    /// An instant in UTC: `TIMESTAMP('2025-07-01T00:00:00Z')`.
    Timestamp(DateTime<Utc>),
    /// From one instant to another, both included: `INTERVAL('2025-07-01','..')`. An end is a date, a
    /// timestamp, a property or a call; `None` is an open end.
    Interval(Box<[Option<Expr>; 2]>),
    /// A geometry, with its coordinates as they were written.
    Geometry(Geometry),
    /// West, south, east and north as they were written; a west above the east crosses the antimeridian.
    Bbox([f64; 4]),
    /// A list of values: `('a','b')`.
    Array(Vec<Self>),
    /// The name of a property, in NFC.
    Property(String),
    /// An operator with its arguments.
    Op(Operator, Vec<Self>),
    /// A call of a function that is not part of the language, with its name as it was written.
    Call(String, Vec<Self>),
}

impl Expr {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`Cql2Error`] with the position of the first character that does not fit, or the bound that is
    /// exceeded.
    pub fn parse_text(text: &str) -> Result<Self, Cql2Error> {
        bounds::check_bytes(text)?;
        bounds::checked(text::parse(&citymap_model::normalize_text(text.to_owned()))?)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`Cql2Error`] with the path of the first member that does not fit, or the bound that is exceeded.
    pub fn parse_json(text: &str) -> Result<Self, Cql2Error> {
        bounds::check_bytes(text)?;
        let value = serde_json::from_str(text).map_err(|source| Cql2Error::Json { source })?;
        bounds::checked(json::parse(&value)?)
    }

    /// The text form, with no more parentheses than it needs.
    pub fn to_text(&self) -> String {
        text::print(self)
    }

    /// The JSON form, which [`Expr::parse_json`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        json::print(self)
    }

    /// The parts of this expression, from left to right.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let (ends, rest): (&[Option<Self>], &[Self]) = match self {
            Self::Interval(ends) => (&**ends, &[]),
            Self::Array(args) | Self::Op(_, args) | Self::Call(_, args) => (&[], args),
            _ => (&[], &[]),
        };
        ends.iter().flatten().chain(rest)
    }

    /// Calls `visit` for this expression and each one in it, parents first; `visit` may replace it.
    ///
    /// # Errors
    /// The first error of `visit`.
    pub fn try_visit_mut<E>(&mut self, visit: &mut impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        visit(self)?;
        match self {
            Self::Interval(ends) => ends.iter_mut().flatten().try_for_each(|end| end.try_visit_mut(visit)),
            Self::Array(args) | Self::Op(_, args) | Self::Call(_, args) => {
                args.iter_mut().try_for_each(|arg| arg.try_visit_mut(visit))
            }
            _ => Ok(()),
        }
    }

    /// The filter that holds where both of these hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::Op(Operator::And, mut args) => {
                args.push(other);
                Self::Op(Operator::And, args)
            }
            one => Self::Op(Operator::And, vec![one, other]),
        }
    }

    /// How deep the expression is nested; 1 for one without parts.
    pub(crate) fn depth(&self) -> usize {
        1 + self.children().map(Self::depth).max().unwrap_or(0)
    }

    /// The number of expressions in this one, itself included.
    pub(crate) fn nodes(&self) -> usize {
        1 + self.children().map(Self::nodes).sum::<usize>()
    }
}
