//! The operators of the language, and their names in both forms.

use std::ops::RangeInclusive;

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The values are equal, `=`.
    Eq,
    /// The values are not equal, `<>`.
    Ne,
    /// Less, earlier or before, `<`.
    Lt,
    /// Less than or equal, `<=`.
    Le,
    /// Greater, later or after, `>`.
    Gt,
    /// Greater than or equal, `>=`.
    Ge,
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// The sum of both, `+`.
    Add,
    /// The first without the second, `-`.
    Subtract,
    /// The product of both, `*`.
    Multiply,
    /// The quotient as a real number, `/`.
    Divide,
    /// The whole part of the quotient, `div`.
    WholeDivide,
    /// The remainder of the division, `%`.
    Remainder,
    /// The first to the power of the second, `^`.
    Power,
}

/// How two geometries lie to each other (OGC Simple Features).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpatialRelation {
    /// They share a point.
    Intersects,
    /// They share no point.
    Disjoint,
    /// They are the same set of points.
    Equals,
    /// They share points of their boundaries only.
    Touches,
    /// They share some interior points, of a lower dimension than the larger one.
    Crosses,
    /// The first one is in the second.
    Within,
    /// The second one is in the first.
    Contains,
    /// They have one dimension, and share a part of that dimension but not all.
    Overlaps,
}

/// How two instants or intervals lie to each other (Allen's relations).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TemporalRelation {
    /// The first one begins after the second ends.
    After,
    /// The first one ends before the second begins.
    Before,
    /// The first interval begins before the second and ends after it.
    Contains,
    /// They share no instant.
    Disjoint,
    /// The first interval begins after the second and ends before it.
    During,
    /// They begin and end together.
    Equals,
    /// They end together, and the first interval begins before the second.
    FinishedBy,
    /// They end together, and the first interval begins after the second.
    Finishes,
    /// They share an instant.
    Intersects,
    /// The first interval ends when the second begins.
    Meets,
    /// The first interval begins when the second ends.
    MetBy,
    /// The first interval begins within the second and ends after it.
    OverlappedBy,
    /// The first interval begins before the second and ends within it.
    Overlaps,
    /// They begin together, and the first interval ends after the second.
    StartedBy,
    /// They begin together, and the first interval ends before the second.
    Starts,
}

/// How two lists lie to each other, as sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArrayRelation {
    /// The first has every value of the second.
    Contains,
    /// The second has every value of the first.
    ContainedBy,
    /// They have the same values.
    Equals,
    /// They have a value in common.
    Overlaps,
}

/// An operator of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// All arguments hold, `AND`; two or more.
    And,
    /// An argument holds, `OR`; two or more.
    Or,
    /// The argument does not hold, `NOT`.
    Not,
    /// A comparison of two values.
    Compare(Comparison),
    /// A text matches a pattern, `LIKE`: `%` stands for any characters, `_` for one, `\` before one of them
    /// for itself.
    Like,
    /// The first value is between the other two, both included: `BETWEEN`.
    Between,
    /// The first value is one of those in the second argument, a list: `IN`.
    In,
    /// There is no value, `IS NULL`.
    IsNull,
    /// A text without regard to case, `CASEI`.
    CaseI,
    /// A text without regard to accents, `ACCENTI`.
    AccentI,
    /// An operation on two numbers.
    Arithmetic(Arithmetic),
    /// A relation of two geometries.
    Spatial(SpatialRelation),
    /// A relation of two instants or intervals.
    Temporal(TemporalRelation),
    /// A relation of two lists.
    Array(ArrayRelation),
}

use ArrayRelation as A;
use Operator::{Spatial, Temporal};
use SpatialRelation as S;
use TemporalRelation as T;

/// The operators with their names in JSON. In the text form those with letters are written in upper case.
const NAMES: [(Operator, &str); 50] = [
    (Operator::And, "and"),
    (Operator::Or, "or"),
    (Operator::Not, "not"),
    (Operator::Compare(Comparison::Eq), "="),
    (Operator::Compare(Comparison::Ne), "<>"),
    (Operator::Compare(Comparison::Lt), "<"),
    (Operator::Compare(Comparison::Le), "<="),
    (Operator::Compare(Comparison::Gt), ">"),
    (Operator::Compare(Comparison::Ge), ">="),
    (Operator::Like, "like"),
    (Operator::Between, "between"),
    (Operator::In, "in"),
    (Operator::IsNull, "isNull"),
    (Operator::CaseI, "casei"),
    (Operator::AccentI, "accenti"),
    (Operator::Arithmetic(Arithmetic::Add), "+"),
    (Operator::Arithmetic(Arithmetic::Subtract), "-"),
    (Operator::Arithmetic(Arithmetic::Multiply), "*"),
    (Operator::Arithmetic(Arithmetic::Divide), "/"),
    (Operator::Arithmetic(Arithmetic::WholeDivide), "div"),
    (Operator::Arithmetic(Arithmetic::Remainder), "%"),
    (Operator::Arithmetic(Arithmetic::Power), "^"),
    (Spatial(S::Intersects), "s_intersects"),
    (Spatial(S::Disjoint), "s_disjoint"),
    (Spatial(S::Equals), "s_equals"),
    (Spatial(S::Touches), "s_touches"),
    (Spatial(S::Crosses), "s_crosses"),
    (Spatial(S::Within), "s_within"),
    (Spatial(S::Contains), "s_contains"),
    (Spatial(S::Overlaps), "s_overlaps"),
    (Temporal(T::After), "t_after"),
    (Temporal(T::Before), "t_before"),
    (Temporal(T::Contains), "t_contains"),
    (Temporal(T::Disjoint), "t_disjoint"),
    (Temporal(T::During), "t_during"),
    (Temporal(T::Equals), "t_equals"),
    (Temporal(T::FinishedBy), "t_finishedBy"),
    (Temporal(T::Finishes), "t_finishes"),
    (Temporal(T::Intersects), "t_intersects"),
    (Temporal(T::Meets), "t_meets"),
    (Temporal(T::MetBy), "t_metBy"),
    (Temporal(T::OverlappedBy), "t_overlappedBy"),
    (Temporal(T::Overlaps), "t_overlaps"),
    (Temporal(T::StartedBy), "t_startedBy"),
    (Temporal(T::Starts), "t_starts"),
    (Operator::Array(A::Contains), "a_contains"),
    (Operator::Array(A::ContainedBy), "a_containedBy"),
    (Operator::Array(A::Equals), "a_equals"),
    (Operator::Array(A::Overlaps), "a_overlaps"),
    // The older name, which some clients still write; `between` is above, so that it is the one written.
    (Operator::Between, "isBetween"),
];

impl Operator {
    /// All operators, each once.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES[..NAMES.len() - 1].iter().map(|(operator, _)| *operator)
    }

    /// The operator with this name in JSON, in any case of letters.
    pub fn of_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, own)| own.eq_ignore_ascii_case(name)).map(|(operator, _)| *operator)
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(operator, _)| *operator == self).map_or("", |(_, name)| name)
    }

    /// How many arguments the operator takes.
    pub fn arity(self) -> RangeInclusive<usize> {
        match self {
            Self::And | Self::Or => 2..=usize::MAX,
            Self::Not | Self::IsNull | Self::CaseI | Self::AccentI => 1..=1,
            Self::Between => 3..=3,
            Self::Compare(_)
            | Self::Like
            | Self::In
            | Self::Arithmetic(_)
            | Self::Spatial(_)
            | Self::Temporal(_)
            | Self::Array(_) => 2..=2,
        }
    }

    /// Whether an argument may be an array that is written out. The list of [`Operator::In`] is not counted.
    pub(crate) fn takes_arrays(self) -> bool {
        matches!(self, Self::Array(_))
    }

    /// Whether the text form is a call: `S_INTERSECTS(a,b)`.
    pub(crate) fn is_call(self) -> bool {
        matches!(self, Self::CaseI | Self::AccentI | Self::Spatial(_) | Self::Temporal(_) | Self::Array(_))
    }
}
