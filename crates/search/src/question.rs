//! How a typed text may be read: what is looked for and the place that restricts it, and the words where
//! spaces are missing or too many.

use citymap_model::CityProfile;

use crate::words::{KIND_WORDS, NameKind, Words, split_kind};

/// The words for a city or province in front of its name, folded.
const KINDS: [&str; 2] = ["thanh pho", "tinh"];
/// Words between what is looked for and the place.
pub(crate) const BETWEEN: [&str; 4] = ["o", "tai", "thuoc", "cua"];
/// Maximum number of readings of one text.
const READINGS_MAX: usize = 40;
/// Maximum number of words that a text without spaces is taken apart into.
const PIECES_MAX: usize = 6;

/// A text read as something in a place; both folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InPlace<'a> {
    pub(crate) main: &'a str,
    pub(crate) place: &'a str,
    /// A coarser place that was named after it: `phường sài gòn, quận 1`.
    pub(crate) around: Option<&'a str>,
    /// Whether a comma or a word for a kind of unit shows where the place begins.
    pub(crate) marked: bool,
}

/// The ways to read a text as something in a place, the likely ones first: the place begins at a comma, at a
/// word for a kind of unit, or at any word; or it stands in front of a comma.
pub(crate) fn in_places<'a>(words: &'a Words, city: &CityProfile) -> Vec<InPlace<'a>> {
    let text = without_city(&words.text, city);
    let mut commas: Vec<usize> = words.commas.iter().copied().filter(|comma| *comma < text.len()).collect();
    // `52, Đường số 46`: the number belongs to the street.
    if commas.first().is_some_and(|&comma| is_house_number(&text[..comma])) {
        commas.remove(0);
    }
    let spaces: Vec<usize> = text.match_indices(' ').map(|(space, _)| space).collect();
    let begins_unit =
        |space: &usize| !matches!(split_kind(&text[space + 1..]).0, NameKind::None | NameKind::Road);
    let marked: Vec<usize> =
        spaces.iter().copied().filter(|space| commas.contains(space) || begins_unit(space)).collect();
    let mut found = Vec::new();
    let mut push = |reading: InPlace<'a>| {
        if !reading.main.is_empty()
            && !reading.place.is_empty()
            && !found
                .iter()
                .any(|known: &InPlace<'a>| known.main == reading.main && known.place == reading.place)
        {
            found.push(reading);
        }
    };
    for &at in &marked {
        let (main, place) = (without_between(&text[..at]), &text[at + 1..]);
        push(InPlace { main, place, around: None, marked: true });
        for &end in marked.iter().filter(|end| **end > at) {
            let (place, around) = (&text[at + 1..end], Some(&text[end + 1..]));
            push(InPlace { main, place, around, marked: true });
        }
    }
    for &at in &commas {
        push(InPlace { main: &text[at + 1..], place: &text[..at], around: None, marked: true });
    }
    let led = !matches!(split_kind(text).0, NameKind::None | NameKind::Road);
    for &at in &spaces {
        let main = without_between(&text[..at]);
        push(InPlace { main, place: &text[at + 1..], around: None, marked: false });
        if led {
            push(InPlace { main: &text[at + 1..], place: &text[..at], around: None, marked: false });
        }
    }
    found.truncate(READINGS_MAX);
    found
}

/// Whether a text is a house number and nothing else.
fn is_house_number(text: &str) -> bool {
    let last = text.rsplit(' ').next().unwrap_or_default();
    let before = text[..text.len() - last.len()].trim_end();
    last.starts_with(|letter: char| letter.is_ascii_digit())
        && ["", "so", "no", "nha", "so nha", "nha so", "hem"].contains(&before)
}

fn without_between(text: &str) -> &str {
    BETWEEN.iter().find_map(|word| text.strip_suffix(word)?.strip_suffix(' ')).unwrap_or(text)
}

/// The text without the city's own name at its end, which narrows nothing down.
fn without_city<'a>(text: &'a str, city: &CityProfile) -> &'a str {
    let text = [" viet nam", " vietnam"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    let name = Words::of(city.name.get("vi")).text;
    let (kind, own) =
        KINDS.iter().find_map(|kind| Some((*kind, name.strip_prefix(kind)?))).unwrap_or(("", &name));
    // English writes the word for the kind behind the name; folded, y is i.
    let is_own = |rest: &&str| !own.is_empty() && rest.ends_with(own);
    let text = text.strip_suffix(" citi").filter(is_own).unwrap_or(text);
    match text.strip_suffix(own.trim_start()).filter(|rest| !own.is_empty() && rest.ends_with(' ')) {
        Some(rest) => {
            let rest = rest.trim_end();
            rest.strip_suffix(kind).map_or(rest, str::trim_end)
        }
        None => text,
    }
}

/// The text with other spaces: between letters and digits that stand together, without one space between two
/// words, and with words taken apart into words that `knows` knows. Never the text itself.
pub(crate) fn spaced(text: &str, knows: &dyn Fn(&str) -> bool) -> Vec<String> {
    let unglued = unglue(text);
    let words: Vec<&str> = unglued.split(' ').collect();
    let mut found = Vec::new();
    let with = |range: std::ops::Range<usize>, between: &str| {
        let mut all: Vec<&str> = words[..range.start].to_vec();
        all.push(between);
        all.extend(&words[range.end..]);
        all.join(" ")
    };
    if unglued != text {
        found.push(unglued.clone());
    }
    // All unknown words taken apart at once.
    let apart: Vec<String> = words
        .iter()
        .map(|word| if is_known(word, knows) { (*word).to_owned() } else { take_apart(word, knows) })
        .collect();
    found.push(apart.join(" "));
    for (at, word) in words.iter().enumerate() {
        let pieces = take_apart(word, knows);
        if pieces.len() > word.len() {
            found.push(with(at..at + 1, &pieces));
        }
    }
    for at in 1..words.len() {
        let both = [words[at - 1], words[at]].concat();
        if both.bytes().all(|byte| byte.is_ascii_alphabetic()) && is_known(&both, knows) {
            found.push(with(at - 1..at + 1, &both));
        }
    }
    let mut seen = vec![text.to_owned()];
    found.retain(|reading| {
        let new = !seen.contains(reading);
        seen.push(reading.clone());
        new
    });
    found.truncate(READINGS_MAX);
    found
}

fn is_known(word: &str, knows: &dyn Fn(&str) -> bool) -> bool {
    KIND_WORDS.contains(&word) || word.bytes().any(|byte| byte.is_ascii_digit()) || knows(word)
}

/// A word as the fewest known words that it can be put together from; itself if there are none.
fn take_apart(word: &str, knows: &dyn Fn(&str) -> bool) -> String {
    if word.len() < 4 || word.len() > 60 || !word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return word.to_owned();
    }
    // For each position, the fewest pieces up to it and where the last of them begins.
    let mut fewest: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
    fewest[0] = Some((0, 0));
    for end in 2..=word.len() {
        // No syllable is longer than seven letters; kinds are words of these tables as well.
        for start in end.saturating_sub(8)..end - 1 {
            let Some((pieces, _)) = fewest[start] else { continue };
            let better = fewest[end].is_none_or(|(known, _)| pieces + 1 < known);
            if better && (start, end) != (0, word.len()) && is_known(&word[start..end], knows) {
                fewest[end] = Some((pieces + 1, start));
            }
        }
    }
    match fewest[word.len()] {
        Some((pieces, _)) if pieces <= PIECES_MAX => {}
        _ => return word.to_owned(),
    }
    let (mut parts, mut end) = (Vec::new(), word.len());
    while let Some((pieces, start)) = fewest[end]
        && pieces > 0
    {
        parts.push(&word[start..end]);
        end = start;
    }
    parts.reverse();
    parts.join(" ")
}

/// The text with a space between two or more letters and the digits after them: `quan1`, `so46`, and between
/// digits and three or more letters after them.
fn unglue(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for (position, word) in text.split(' ').enumerate() {
        if position > 0 {
            out.push(' ');
        }
        let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &word[letters.max(digits)..];
        if letters >= 2 && rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            out.push_str(&word[..letters]);
            out.push(' ');
            out.push_str(rest);
        } else if digits > 0 && rest.len() >= 3 && rest.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            out.push_str(&word[..digits]);
            out.push(' ');
            out.push_str(rest);
        } else {
            out.push_str(word);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(String, String)> {
        let words = Words::of(text);
        let found = in_places(&words, &CityProfile::default());
        found.first().map(|reading| (reading.main.to_owned(), reading.place.to_owned()))
    }

    #[test]
    fn the_place_begins_at_a_comma_or_a_kind_of_unit() {
        let told = |main: &str, place: &str| Some((main.to_owned(), place.to_owned()));
        assert_eq!(first("123 Nguyễn Trãi, Quận 5"), told("123 nguien trai", "quan 5"));
        assert_eq!(first("52, Đường số 46, Quận 1"), told("52 duong so 46", "quan 1"));
        assert_eq!(first("nguyen trai q5"), told("nguien trai", "quan 5"));
        assert_eq!(first("trường học ở phường Bến Thành"), told("truong hoc", "phuong ben thanh"));
        assert_eq!(first("123 Nguyễn Trãi, Quận 5, TP. Hồ Chí Minh"), told("123 nguien trai", "quan 5"));
        assert_eq!(
            first("123 Nguyen Trai Street, District 5, Ho Chi Minh City, Vietnam"),
            told("123 nguien trai street", "district 5")
        );
        assert_eq!(first("lê lợi"), told("le", "loi"), "any word may begin a place");
        assert_eq!(first("lê"), None);
    }

    #[test]
    fn spaces_are_put_in_and_taken_out() {
        let knows = |word: &str| ["ben", "thanh", "le", "van", "viet", "so", "nguien", "hue"].contains(&word);
        let first = |text: &str| spaced(text, &knows).into_iter().next();
        assert_eq!(first("benthanh").as_deref(), Some("ben thanh"));
        assert_eq!(first("levanviet").as_deref(), Some("le van viet"));
        assert_eq!(first("phuongbenthanh").as_deref(), Some("phuong ben thanh"));
        assert_eq!(first("quan1").as_deref(), Some("quan 1"));
        assert!(spaced("duongso46", &knows).contains(&"duong so 46".to_owned()));
        assert!(spaced("ngu ien hue", &knows).contains(&"nguien hue".to_owned()));
        assert_eq!(spaced("ben thanh", &knows), Vec::<String>::new());
    }
}
