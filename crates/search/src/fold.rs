use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Two bytes a character: every letter of Vietnamese lies below this, precomposed or not.
const TABLE: usize = 0x2000;
/// In the table: a mark that vanishes.
const NOTHING: u8 = 0;
/// In the table: look it up the long way.
const LONG_WAY: u8 = 1;

/// What a character becomes, where that is one ASCII letter or digit, or nothing, or a space.
static FOLDED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..TABLE as u32)
        .map(|code| {
            let Some(letter) = char::from_u32(code) else { return b' ' };
            let mut text = String::new();
            fold_slowly(letter, &mut text);
            match text.as_bytes() {
                [] if is_combining_mark(letter) => NOTHING,
                [] => b' ',
                [byte] => *byte,
                _ => LONG_WAY,
            }
        })
        .collect()
});

/// One letter without case, diacritics and the difference of i and y; nothing for what is neither
/// letter nor digit.
fn fold_slowly(letter: char, out: &mut String) {
    for part in std::iter::once(letter).nfkd().flat_map(char::to_lowercase).nfkd() {
        match part {
            'đ' => out.push('d'),
            'y' => out.push('i'),
            _ if part.is_alphanumeric() && !is_combining_mark(part) => out.push(part),
            _ => {}
        }
    }
}

/// Appends what `letter` folds to; `false` where it separates words instead.
pub(crate) fn push_folded(letter: char, out: &mut String) -> bool {
    match FOLDED.get(letter as usize) {
        Some(&NOTHING) => true,
        Some(&b' ') => false,
        Some(&byte) if byte != LONG_WAY => {
            out.push(char::from(byte));
            true
        }
        _ => {
            let before = out.len();
            fold_slowly(letter, out);
            out.len() > before || is_combining_mark(letter)
        }
    }
}

/// Folds a text to what search compares: lower case, no diacritics (đ is d), tone marks wherever they
/// stood, i for y, any Unicode form, one space for punctuation and blanks.
///
/// A slash between letters or digits stays: `123/4` is a house number, and not two. Folding twice is folding once.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if push_folded(letter, &mut out) {
            continue;
        }
        let inside = letter == '/'
            && out.chars().next_back().is_some_and(char::is_alphanumeric)
            && letters.peek().is_some_and(|&next| is_word(next));
        if inside {
            out.push('/');
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a letter leaves something of itself when folded.
pub(crate) fn is_word(letter: char) -> bool {
    let mut scratch = String::new();
    push_folded(letter, &mut scratch) && !scratch.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writings_of_one_name_fold_alike() {
        for (one, other) in [
            ("Phường Hòa Hưng", "PHƯỜNG HOÀ HƯNG"),
            ("Quý", "Quí"),
            ("Đường Điện Biên Phủ", "duong dien bien phu"),
            ("Nguyễn Trãi", "Nguye\u{302}\u{303}n Tra\u{303}i"),
            ("P. Bến  Thành,", "p ben thanh"),
            ("Bà Rịa - Vũng Tàu", "ba ria vung tau"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_eq!(fold("123/4/5 Nguyễn Trãi"), "123/4/5 nguien trai");
        assert_eq!(fold("a / b"), "a b");
        assert_eq!(fold(" — "), "");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn unicode_form_and_case_do_not_matter(text in "[a-zA-ZàáảãạăắằâấầđĐêếềôốồơớờưứừỳýỷỹỵÀÁẢÃẠƯỨỪ ,./]{0,40}") {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&text.nfd().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&text.to_uppercase()), &folded);
        }
    }
}
