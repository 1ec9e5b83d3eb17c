//! `Range` (RFC 9110, 14).

use std::ops::Range;

/// What part of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// All of it: no range, several, or one that makes no sense.
    All,
    /// These bytes, of which there is one at least.
    Part(Range<u64>),
    /// Bytes beyond its end.
    Beyond,
}

/// What a `Range` header asks of a file so long.
pub(super) fn asked(header: Option<&str>, len: u64) -> ByteRange {
    let Some((first, last)) = header
        .and_then(|text| text.trim().strip_prefix("bytes="))
        .and_then(|text| text.trim().split_once('-'))
    else {
        return ByteRange::All;
    };
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (Some(first), _)
            if first >= len && (last.is_empty() || number(last).is_some_and(|last| last >= first)) =>
        {
            ByteRange::Beyond
        }
        (Some(first), Some(last)) if first <= last => ByteRange::Part(first..last.saturating_add(1).min(len)),
        (Some(first), None) if last.is_empty() => ByteRange::Part(first..len),
        (None, Some(0)) if first.is_empty() => ByteRange::Beyond,
        (None, Some(last)) if first.is_empty() && len > 0 => ByteRange::Part(len.saturating_sub(last)..len),
        (None, Some(_)) if first.is_empty() => ByteRange::Beyond,
        _ => ByteRange::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, expected) in [
            ("bytes=0-99", ByteRange::Part(0..100)),
            ("bytes=990-2000", ByteRange::Part(990..1000)),
            ("bytes=990-", ByteRange::Part(990..1000)),
            ("bytes=-10", ByteRange::Part(990..1000)),
            ("bytes=-5000", ByteRange::Part(0..1000)),
            ("bytes=999-999", ByteRange::Part(999..1000)),
            ("bytes=1000-", ByteRange::Beyond),
            ("bytes=1000-1001", ByteRange::Beyond),
            ("bytes=99999999999999999999999-", ByteRange::Beyond),
            ("bytes=-0", ByteRange::Beyond),
            ("bytes=5-3", ByteRange::All),
            ("bytes=0-1,5-6", ByteRange::All),
            ("bytes=a-b", ByteRange::All),
            ("bytes=-", ByteRange::All),
            ("lines=0-1", ByteRange::All),
        ] {
            assert_eq!(asked(Some(header), 1000), expected, "{header}");
        }
        assert_eq!(asked(None, 1000), ByteRange::All);
        assert_eq!(asked(Some("bytes=0-"), 0), ByteRange::Beyond);
    }
}
