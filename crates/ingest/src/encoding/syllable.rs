//! Whether a word can be a Vietnamese syllable: initial, rime and at most one tone.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization;

const INITIALS: [&str; 28] = [
    "", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p",
    "ph", "qu", "r", "s", "t", "th", "tr", "v", "x",
];

const RIMES: &str = "\
    a ac ach ai am an ang anh ao ap at au ay ă ăc ăm ăn ăng ăp ăt â âc âm ân âng âp ât âu ây e ec em \
    en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu \
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om \
    on ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơng ơp ơt u ua uân uâng uât uây uc uê \
    uêch uên uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up ut uy uya uych uyên uyêt uynh uyt uyu ư \
    ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêt yêu ynh yt";

/// Whether `word` (any case, composed or not) is formed like a Vietnamese syllable.
pub(super) fn is_syllable(word: &str) -> bool {
    static RIMES_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| RIMES.split_whitespace().collect());
    // A capital after a small letter does not happen inside a word.
    let mut small = false;
    for letter in word.chars() {
        if letter.is_uppercase() && small {
            return false;
        }
        small |= letter.is_lowercase();
    }
    let mut tones = 0;
    let plain: String = word
        .to_lowercase()
        .nfd()
        .filter(|c| {
            let tone = matches!(c, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}');
            tones += usize::from(tone);
            !tone
        })
        .nfc()
        .collect();
    tones <= 1
        && INITIALS.iter().any(|initial| {
            plain
                .strip_prefix(initial)
                .is_some_and(|rime| RIMES_SET.contains(rime) || (*initial == "gi" && rime.is_empty()))
        })
}

/// Whether `word` is a syllable with a tone that it can have: one that ends in a stop rises or falls heavily.
pub(super) fn is_word(word: &str) -> bool {
    if !is_syllable(word) {
        return false;
    }
    let parts: Vec<char> = word.to_lowercase().nfd().collect();
    let plain: String = parts.iter().filter(|c| c.is_ascii()).collect();
    let stops = ["c", "ch", "p", "t"].iter().any(|end| plain.ends_with(end));
    !stops || parts.iter().any(|c| matches!(c, '\u{301}' | '\u{323}'))
}

/// Whether `word` (ASCII, lower case) is formed like a Vietnamese syllable without its marks: `duong`, `so`.
pub(crate) fn is_plain_syllable(word: &str) -> bool {
    static PLAIN: LazyLock<HashSet<String>> = LazyLock::new(|| {
        RIMES.split_whitespace().map(|rime| rime.nfd().filter(char::is_ascii).collect()).collect()
    });
    INITIALS.iter().any(|initial| {
        let initial = if *initial == "đ" { "d" } else { initial };
        word.strip_prefix(initial)
            .is_some_and(|rime| PLAIN.contains(rime) || (initial == "gi" && rime.is_empty()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_citys_names_are_syllables_and_wrongly_read_ones_are_not() {
        for good in ["Phường", "Thủ", "ĐỨC", "Quý", "giữa", "Nguyễn", "Huệ", "khuyến", "đường", "gì", "Sương"]
        {
            assert!(is_syllable(good), "{good}");
        }
        for good in ["duong", "thua", "nghieng", "gi", "uyen", "quyet"] {
            assert!(is_plain_syllable(good), "{good}");
        }
        for bad in ["", "f", "ownr", "sdd", "chusd", "thuaa"] {
            assert!(!is_plain_syllable(bad), "{bad}");
        }
        for bad in ["Ph\u{AD}êng", "Thñ", "§øc", "ThÀnh", "façade", "Àrbol", "Tháành", "Zürich"] {
            assert!(!is_syllable(bad), "{bad}");
        }
    }
}
