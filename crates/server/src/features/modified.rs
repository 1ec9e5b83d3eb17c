//! When a feature last changed, as the record says: `Last-Modified`, and what `If-Unmodified-Since` is
//! compared with.

use chrono::{DateTime, SubsecRound, Utc};
use citymap_model::{Fid, LayerId, RevisionNumber};
use citymap_store::{Store, StoreError};

/// The times of a feature's newest versions up to revision `until`, newest first and at most `limit`; fewer
/// where the history does not know them. Blocks.
///
/// # Errors
/// The store's failure.
pub(crate) fn version_times(
    store: &dyn Store,
    layer: &LayerId,
    fid: Fid,
    until: RevisionNumber,
    limit: usize,
) -> Result<Vec<DateTime<Utc>>, StoreError> {
    let mut times = Vec::with_capacity(limit);
    for version in store.versions(layer, fid, until, limit)? {
        let Some(revision) = store.log_after(version.revision - 1, 1)?.into_iter().next() else { break };
        times.push(revision.time);
    }
    Ok(times)
}

/// A time as HTTP writes it (RFC 9110, 5.6.7), to the second.
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads a time as HTTP writes it; `None` for anything else.
pub(crate) fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let time = text.ends_with("GMT").then(|| DateTime::parse_from_rfc2822(text).ok()).flatten()?;
    Some(time.to_utc())
}

/// Whether nothing has changed since `since`, which a client has read as `Last-Modified`. `times` are those
/// of the newest two versions. Two of the same second cannot be told apart, so that they count as a change.
pub(crate) fn is_unmodified(times: &[DateTime<Utc>], since: DateTime<Utc>) -> bool {
    let second = |time: &DateTime<Utc>| time.trunc_subsecs(0);
    match times {
        [] => false,
        [newest] => second(newest) <= since,
        [newest, before, ..] => second(newest) <= since && second(newest) != second(before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_and_read_as_http_has_them() {
        let own = time("1994-11-06T08:49:37.25Z");
        assert_eq!(http_date(own), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(time("1994-11-06T08:49:37Z")));
        for text in ["", "yesterday", "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 +0700"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_change_within_the_second_that_was_read_is_not_overlooked() {
        let [a, b, c] =
            ["2026-01-01T00:00:00.1Z", "2026-01-01T00:00:01.2Z", "2026-01-01T00:00:01.9Z"].map(time);
        assert!(is_unmodified(&[b, a], time("2026-01-01T00:00:01Z")));
        assert!(is_unmodified(&[a], time("2026-01-01T00:00:00Z")));
        assert!(!is_unmodified(&[b, a], time("2026-01-01T00:00:00Z")));
        assert!(!is_unmodified(&[c, b], time("2026-01-01T00:00:01Z")), "either may have been read");
        assert!(!is_unmodified(&[], time("2026-01-01T00:00:01Z")));
    }
}
