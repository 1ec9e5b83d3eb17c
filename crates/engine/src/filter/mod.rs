//! Conditions on features: one typed tree, checked against a layer once and tested row by row.
//!
//! A [`Filter`] comes from a CQL2 expression ([`Filter::check`]) or from one comparison
//! ([`Filter::compare`]). It knows the positions of fields, so it belongs to the definition of one layer.
//!
//! # Missing values
//! A condition on a missing value is neither true nor false, and so is what follows from it: `NOT a = 1` does
//! not select features without `a`. A filter selects the features for which it is true. The same holds for
//! what cannot be computed: a division by zero, NaN, an interval that ends before it begins.
//!
//! # Types
//! - Numbers compare as numbers; whole ones exactly. `/` divides as real numbers, `div` and `%` as whole ones
//!   where both are whole.
//! - Texts compare by the codes of their characters in NFC.
//! - A date next to a timestamp is the whole day in UTC, in comparisons and temporal functions. A text next
//!   to a date or timestamp is read as one.
//! - Geometries relate on the plane of longitude and latitude, as GeoJSON lies there.
//!
//! # Performance
//! The condition on a text field is tested once for each distinct text. Comparisons of a number or a time
//! with a constant read the column in place. A relation to a constant geometry is decided by bounding boxes
//! where they suffice; the constant is prepared once. [`Filter`] also says where its features can be
//! (its extent) and which keys they can have, so that an index leaves few candidates.

mod call;
mod check;
mod error;
mod eval;
mod kernel;
mod like;
mod narrow;
mod spatial;
mod temporal;
#[cfg(test)]
mod tests;

use citymap_cql2::Comparison;
use citymap_model::{Feature, FieldType, Value};

pub use call::{FunctionInfo, functions};
pub use error::FilterError;
pub(crate) use kernel::PreparedFilter;
pub(crate) use narrow::Extent;

use call::Function;
use like::Pattern;
use spatial::GeometryOperand;
use temporal::TemporalOperand;

/// A condition on the features of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    condition: Condition,
}

impl Filter {
    /// A comparison of the field at position `field` with a value of its type. With [`Comparison::Eq`], null
    /// and an empty text match rows without a value or with an empty text; other comparisons with null match
    /// nothing.
    pub fn compare(field: usize, comparison: Comparison, value: Value) -> Self {
        let is_empty = value.is_null() || matches!(&value, Value::Text(text) if text.is_empty());
        let condition = if is_empty && comparison == Comparison::Eq {
            Condition::Missing(field)
        } else {
            let field = Scalar::Field(field, value.field_type().unwrap_or(FieldType::Text));
            Condition::Compare(comparison, field, Scalar::Constant(value))
        };
        Self { condition }
    }

    /// Whether the filter is true for a feature of the layer. For many features of a snapshot
    /// [`Query`](crate::Query) is faster.
    pub fn matches(&self, feature: &Feature) -> bool {
        self.condition.eval(&eval::Subject::Feature(feature)) == Some(true)
    }
}

/// A condition: true, false, or neither.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Constant(bool),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A field without a value or with an empty text.
    Missing(usize),
    IsNull(Operand),
    /// A scalar that is a truth value.
    Truth(Scalar),
    /// Both scalars have one [`Kind`].
    Compare(Comparison, Scalar, Scalar),
    Like(Scalar, Pattern),
    In(Scalar, Vec<Scalar>),
    /// A value that is one of these, which have one type and are in ascending order.
    InConstants(Scalar, Vec<Value>),
    Spatial(citymap_cql2::SpatialRelation, GeometryOperand, GeometryOperand),
    Temporal(citymap_cql2::TemporalRelation, TemporalOperand, TemporalOperand),
    Array(citymap_cql2::ArrayRelation, Vec<Scalar>, Vec<Scalar>),
}

/// What can be asked for being null.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Scalar(Scalar),
    Geometry(GeometryOperand),
}

/// A single value that is not a geometry.
#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    Constant(Value),
    /// The position of a field in the layer, and its type.
    Field(usize, FieldType),
    Condition(Box<Condition>),
    Arithmetic(citymap_cql2::Arithmetic, Box<[Self; 2]>),
    /// A text without what these take away.
    Fold(Folding, Box<Self>),
    Call(Function, Box<Operand>),
}

/// What a comparison of texts disregards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folding {
    Case,
    Accents,
}

/// The types among which values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    Time,
}

impl Kind {
    fn of(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Bool => Self::Truth,
            FieldType::Int | FieldType::Real => Self::Number,
            FieldType::Text => Self::Text,
            FieldType::Date | FieldType::DateTime => Self::Time,
        }
    }

    /// How messages call a value of this kind.
    fn described(self) -> &'static str {
        match self {
            Self::Truth => "a truth value",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Time => "a date or timestamp",
        }
    }
}

impl Folding {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Case => citymap_model::text::without_case(text),
            Self::Accents => citymap_model::text::without_accents(text),
        }
    }
}

impl Scalar {
    /// The kind of its values. A constant null has none and counts as a text.
    fn kind(&self) -> Kind {
        match self {
            Self::Constant(value) => value.field_type().map_or(Kind::Text, Kind::of),
            Self::Field(_, field_type) => Kind::of(*field_type),
            Self::Condition(_) => Kind::Truth,
            Self::Arithmetic(..) => Kind::Number,
            Self::Fold(..) => Kind::Text,
            Self::Call(function, _) => function.kind(),
        }
    }

    /// Whether its values are days without a time of day.
    fn is_date(&self) -> bool {
        matches!(self, Self::Constant(Value::Date(_)) | Self::Field(_, FieldType::Date))
    }
}
