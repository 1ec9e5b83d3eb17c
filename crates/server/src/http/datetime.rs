//! The parameter `datetime`: valid time.

use chrono::{DateTime, NaiveTime, Utc};
use citymap_engine::TimeInterval;
use citymap_model::{parse_date, parse_datetime};

use crate::http::problem::Problem;

/// Reads `datetime`: an instant or a day, or two of them separated by `/`; `..` or an empty text is an open
/// end (RFC 3339, OGC API – Features 7.15.4). A day covers all of its hours, UTC; GDAL writes it as
/// `2025-07-01T`. An instant without an offset is UTC, as QGIS writes it.
///
/// # Errors
/// 400 with the reason and examples.
pub(crate) fn interval(text: &str) -> Result<TimeInterval, Problem> {
    let refuse = |why: &str| {
        Problem::parameter(format!(
            "`datetime={text}` cannot be used: {why}; write 2025-07-01, 2025-07-01T00:00:00Z, \
                2025-01-01/2025-12-31, ../2025-12-31 or \
             2025-01-01/.."
        ))
    };
    let Some((from, to)) = text.split_once('/') else {
        let (start, end) = instant(text).ok_or_else(|| refuse("it is neither a day nor an instant"))?;
        return Ok(TimeInterval { start: Some(start), end: Some(end) });
    };
    let end_of = |text: &str| match text.trim() {
        "" | ".." => Ok(None),
        text => instant(text).map(Some).ok_or_else(|| refuse("an end is neither a day nor an instant")),
    };
    let interval =
        TimeInterval { start: end_of(from)?.map(|(start, _)| start), end: end_of(to)?.map(|(_, end)| end) };
    match interval {
        TimeInterval { start: None, end: None } => Err(refuse("both ends are open")),
        TimeInterval { start: Some(start), end: Some(end) } if start > end => {
            Err(refuse("it ends before it begins"))
        }
        interval => Ok(interval),
    }
}

/// The first and the last instant of an instant or a day.
fn instant(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if let Some(day) = parse_date(text.strip_suffix('T').unwrap_or(text)) {
        let end = NaiveTime::from_hms_milli_opt(23, 59, 59, 999)?;
        return Some((day.and_time(NaiveTime::MIN).and_utc(), day.and_time(end).and_utc()));
    }
    // In a query an unescaped `+07:00` arrives as ` 07:00`.
    let offset = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok();
    let instant = offset.map(|instant| instant.with_timezone(&Utc)).or_else(|| parse_datetime(text))?;
    Some((instant, instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_days_and_open_ends_are_read() {
        let day = interval("2025-07-01").unwrap();
        assert_eq!(day.start.unwrap().to_rfc3339(), "2025-07-01T00:00:00+00:00");
        assert_eq!(day.end.unwrap().to_rfc3339(), "2025-07-01T23:59:59.999+00:00");
        assert_eq!(interval("2025-07-01T07:00:00 07:00").unwrap().start, day.start);
        assert_eq!(interval("2025-07-01T").unwrap(), day);
        for text in ["2025-07-01T00:00:00", "2025-07-01T00:00", "2025-07-01 00:00:00"] {
            assert_eq!(interval(text).unwrap().end, day.start, "{text}");
        }
        assert_eq!(interval("../2025-07-01").unwrap(), TimeInterval { start: None, end: day.end });
        assert_eq!(interval("2025-07-01/").unwrap(), TimeInterval { start: day.start, end: None });
        assert_eq!(interval("2025-07-01/2025-07-01").unwrap(), day);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "x",
            "2025",
            "2025-02-30",
            "../..",
            "/",
            "2025-07-02/2025-07-01",
            "2025-07-01/x",
            "a/b/c",
            "2025-07-01T25:00:00Z",
        ] {
            assert!(interval(text).is_err(), "{text}");
        }
    }
}
