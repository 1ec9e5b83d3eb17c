//! The header `Range` (RFC 9110, section 14).

use std::ops::Range;

/// The part of a file that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    /// The whole file: no range, several ranges, or one that is not valid.
    All,
    /// These bytes, at least one.
    Section(Range<u64>),
    /// Bytes beyond the end of the file.
    Beyond,
}

/// Reads the `Range` header of a request for a file of `len` bytes.
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
        (Some(first), Some(last)) if first <= last => {
            ByteRange::Section(first..last.saturating_add(1).min(len))
        }
        (Some(first), None) if last.is_empty() => ByteRange::Section(first..len),
        (None, Some(0)) if first.is_empty() => ByteRange::Beyond,
        (None, Some(last)) if first.is_empty() && len > 0 => {
            ByteRange::Section(len.saturating_sub(last)..len)
        }
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
            ("bytes=0-99", ByteRange::Section(0..100)),
            ("bytes=990-2000", ByteRange::Section(990..1000)),
            ("bytes=990-", ByteRange::Section(990..1000)),
            ("bytes=-10", ByteRange::Section(990..1000)),
            ("bytes=-5000", ByteRange::Section(0..1000)),
            ("bytes=999-999", ByteRange::Section(999..1000)),
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
