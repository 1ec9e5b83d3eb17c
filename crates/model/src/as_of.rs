//! Which state of the record a question is about: a revision, or an instant.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};

use crate::{RevisionNumber, parse_date, parse_datetime};

/// A state of the record: by its number, or by when it was the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsOf {
    /// The revision with this number.
    Revision(RevisionNumber),
    /// The newest revision at this instant.
    Instant(DateTime<Utc>),
    /// The newest revision at the end of this day in the city's time, see [`crate::CityProfile::end_of`].
    Day(NaiveDate),
}

/// A text that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no revision; write its number, a day (2026-07-01: its end, the city's time) or an instant \
     (2026-07-01T09:30:00+07:00)"
)]
pub struct InvalidAsOf(pub String);

impl FromStr for AsOf {
    type Err = InvalidAsOf;

    /// A number, a bare day, or an RFC 3339 instant; one without an offset counts as UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAsOf(text.chars().take(60).collect());
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Revision).map_err(|_too_large| invalid());
        }
        if let Some(day) = parse_date(text) {
            return Ok(Self::Day(day));
        }
        parse_datetime(text).map(Self::Instant).ok_or_else(invalid)
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(number) => write!(f, "{number}"),
            Self::Instant(instant) => f.write_str(&crate::format_datetime(instant)),
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_days_and_instants() {
        assert_eq!("7".parse(), Ok(AsOf::Revision(7)));
        let day: AsOf = "2026-07-01".parse().unwrap();
        assert_eq!((day, day.to_string().as_str()), (AsOf::Day("2026-07-01".parse().unwrap()), "2026-07-01"));
        let instant: AsOf = "2026-07-01T09:30:00+07:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-07-01T02:30:00Z");
        for text in ["", "-1", "7a", "2026-13-01", "99999999999999999999"] {
            assert!(text.parse::<AsOf>().is_err(), "{text}");
        }
    }
}
