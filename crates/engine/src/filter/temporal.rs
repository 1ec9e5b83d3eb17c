//! Relations of instants and intervals.

use chrono::{Datelike, NaiveDate, NaiveTime};
use citymap_cql2::TemporalRelation as Relation;

use super::{
    Scalar,
    eval::{Datum, Subject},
};

/// An instant, a day, or an interval whose ends may be open.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TemporalOperand {
    Instant(Scalar),
    Interval(Box<[Option<Scalar>; 2]>),
}

impl TemporalOperand {
    pub(super) fn scalars(&self) -> impl Iterator<Item = &Scalar> {
        let (one, ends): (Option<&Scalar>, &[Option<Scalar>]) = match self {
            Self::Instant(scalar) => (Some(scalar), &[]),
            Self::Interval(ends) => (None, &**ends),
        };
        one.into_iter().chain(ends.iter().flatten())
    }

    /// First and last instant, both included, in days or in microseconds; `None` if a value is missing or the
    /// end is before the beginning.
    fn bounds(&self, subject: &Subject<'_>, unit: Unit) -> Option<[i64; 2]> {
        let [start, end] = match self {
            Self::Instant(scalar) => unit.span(&scalar.eval(subject))?,
            Self::Interval(ends) => {
                let [from, to] = &**ends;
                let start = from.as_ref().map(|from| unit.span(&from.eval(subject)).map(|span| span[0]));
                let end = to.as_ref().map(|to| unit.span(&to.eval(subject)).map(|span| span[1]));
                [start.unwrap_or(Some(i64::MIN))?, end.unwrap_or(Some(i64::MAX))?]
            }
        };
        (start <= end).then_some([start, end])
    }
}

/// In what instants are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Days, where both operands have nothing else.
    Day,
    /// Microseconds; a day is all of its own.
    Microsecond,
}

impl Unit {
    /// The first and the last of these units that a date or timestamp covers.
    fn span(self, value: &Datum<'_>) -> Option<[i64; 2]> {
        const DAY: i64 = 86_400_000_000;
        match value {
            Datum::Date(day) if self == Self::Day => {
                let day = i64::from(day.num_days_from_ce());
                Some([day, day])
            }
            Datum::Date(day) => {
                let start = midnight(*day);
                Some([start, start + DAY - 1])
            }
            Datum::DateTime(instant) => {
                let at = instant.timestamp_micros();
                Some([at, at])
            }
            _ => None,
        }
    }
}

fn midnight(day: NaiveDate) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Whether two operands lie to each other so; `None` if a value is missing.
pub(super) fn relate(
    relation: Relation,
    [a, b]: [&TemporalOperand; 2],
    subject: &Subject<'_>,
) -> Option<bool> {
    let is_days = a.scalars().chain(b.scalars()).all(Scalar::is_date);
    let unit = if is_days { Unit::Day } else { Unit::Microsecond };
    Some(holds(relation, a.bounds(subject, unit)?, b.bounds(subject, unit)?))
}

/// The definitions of the standard, over closed intervals.
fn holds(relation: Relation, [start, end]: [i64; 2], [other_start, other_end]: [i64; 2]) -> bool {
    match relation {
        Relation::After => start > other_end,
        Relation::Before => end < other_start,
        Relation::Contains => start < other_start && end > other_end,
        Relation::Disjoint => end < other_start || start > other_end,
        Relation::During => start > other_start && end < other_end,
        Relation::Equals => start == other_start && end == other_end,
        Relation::FinishedBy => start < other_start && end == other_end,
        Relation::Finishes => start > other_start && end == other_end,
        Relation::Intersects => end >= other_start && start <= other_end,
        Relation::Meets => end == other_start,
        Relation::MetBy => start == other_end,
        Relation::OverlappedBy => start > other_start && start < other_end && end > other_end,
        Relation::Overlaps => start < other_start && end > other_start && end < other_end,
        Relation::StartedBy => start == other_start && end > other_end,
        Relation::Starts => start == other_start && end < other_end,
    }
}
