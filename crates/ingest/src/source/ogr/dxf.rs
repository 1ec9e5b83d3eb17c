//! AutoCAD's escapes for letters beyond the drawing's page: `Ph\U+01B0\U+1EDDng`.

use unicode_normalization::UnicodeNormalization;

/// The text with its escapes as letters, composed (NFC); `None` if it has none. What only looks like an
/// escape stays.
pub(super) fn unescaped(text: &str) -> Option<String> {
    const MARK: &str = r"\U+";
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find(MARK) {
        let tail = &rest[at + MARK.len()..];
        let letter = tail
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32)
            .filter(|letter| !letter.is_control());
        out.push_str(&rest[..at]);
        match letter {
            Some(letter) => {
                out.push(letter);
                rest = &tail[4..];
                found = true;
            }
            None => {
                out.push_str(MARK);
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    found.then(|| out.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_letters() {
        assert_eq!(unescaped(r"Ph\U+01B0\U+1EDDng S\U+00E0i G\U+00F2n").as_deref(), Some("Phường Sài Gòn"));
        // A letter and a mark of its own are one letter.
        assert_eq!(unescaped(r"a\U+0300").as_deref(), Some("à"));
        assert_eq!(unescaped("Phường"), None);
        for whole in [r"\U+", r"\U+12", r"\U+ZZZZ", r"\U+D800", r"\U+0000", r"\U+1Đ23"] {
            assert_eq!(unescaped(whole), None, "{whole}");
        }
        assert_eq!(unescaped(r"\U+D800\U+1EA1").as_deref(), Some(r"\U+D800ạ"));
    }
}
