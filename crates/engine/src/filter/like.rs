//! Patterns of `LIKE`.

/// A pattern: `%` stands for any characters, `_` for one, and `\` before a character for that character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Letter(char),
    One,
    Any,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut letters = text.chars();
        let mut parts = Vec::new();
        while let Some(letter) = letters.next() {
            parts.push(match letter {
                '%' if parts.last() == Some(&Part::Any) => continue,
                '%' => Part::Any,
                '_' => Part::One,
                '\\' => Part::Letter(letters.next().unwrap_or('\\')),
                letter => Part::Letter(letter),
            });
        }
        Self { parts }
    }

    /// Whether a text matches; at most as many steps as the product of both lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut letters, mut part) = (text.chars(), 0);
        // Where to try again: after the last `%`, with one more letter under it.
        let mut again: Option<(std::str::Chars<'_>, usize)> = None;
        loop {
            let before = letters.clone();
            match (self.parts.get(part), letters.next()) {
                (Some(Part::Any), _) => {
                    part += 1;
                    letters = before;
                    again = Some((letters.clone(), part));
                }
                (Some(Part::One), Some(_)) => part += 1,
                (Some(Part::Letter(wanted)), Some(letter)) if *wanted == letter => part += 1,
                (None, None) => return true,
                _ => {
                    let Some((from, after)) = &mut again else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    letters = from.clone();
                    part = *after;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_stand_for_letters() {
        for (pattern, text, matches) in [
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("_", "ố", true),
            ("_%", "", false),
            ("Ng%n", "Nguyễn", true),
            ("Ng%n", "Nguyễn A", false),
            ("%a%b%", "xxaxxb", true),
            ("%a_b", "aab", true),
            ("100\\%", "100%", true),
            ("100\\%", "1000", false),
            ("\\_\\\\", "_\\", true),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), matches, "{pattern} {text}");
        }
        let slow = "%a".repeat(50);
        assert!(!Pattern::new(&slow).matches(&("a".repeat(49) + "b")));
    }

    /// The definition of the match, by trying every way.
    fn by_trying(parts: &[Part], text: &[char]) -> bool {
        match (parts, text) {
            ([], []) => true,
            ([Part::Any, rest @ ..], _) => (0..=text.len()).any(|from| by_trying(rest, &text[from..])),
            ([Part::One, rest @ ..], [_, text @ ..]) => by_trying(rest, text),
            ([Part::Letter(wanted), rest @ ..], [letter, text @ ..]) => {
                wanted == letter && by_trying(rest, text)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_way(pattern in "[ab%_]{0,8}", text in "[ab]{0,8}") {
            let pattern = Pattern::new(&pattern);
            let letters: Vec<char> = text.chars().collect();
            prop_assert_eq!(pattern.matches(&text), by_trying(&pattern.parts, &letters));
        }
    }
}
