//! Phrases that differ from a query by typing errors.
//!
//! One error is a letter that is missing, too many or another one, or two neighbours exchanged (the optimal
//! string alignment distance). A short word may have one error, a long one two; numbers none.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::phrases::{COMPARED_MAX, Fit, PhraseQuery, Phrases};

/// Words of more letters than this may have two errors.
const SHORT: usize = 5;
/// Queries of fewer letters than this have no similar phrases: half of all names would be similar.
const LETTERS_MIN: usize = 3;

/// How a phrase differs from the query: the number of errors, then how it fits apart from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Similarity {
    pub(crate) errors: u8,
    pub(crate) fit: Fit,
}

/// The number of errors that a word may have.
fn errors_allowed(word: &str) -> usize {
    match word.len() {
        _ if word.bytes().any(|byte| byte.is_ascii_digit()) => 0,
        0..=SHORT => 1,
        _ => 2,
    }
}

/// The number of errors that all words of a query may have together.
fn errors_allowed_together(text: &str) -> u8 {
    match text.bytes().filter(u8::is_ascii_alphabetic).count() {
        0..=SHORT => 1,
        6..=14 => 2,
        _ => 3,
    }
}

/// The number of errors between a typed and a known word, if there are at most `allowed`.
pub(crate) fn errors_between(typed: &str, known: &str, allowed: usize) -> Option<u8> {
    if typed.len().abs_diff(known.len()) > allowed {
        return None;
    }
    let errors = strsim::osa_distance(typed, known);
    (errors <= allowed).then_some(errors as u8)
}

/// Which letters and digits a word has, one bit for each.
pub(crate) fn letters_of(word: &str) -> u32 {
    word.bytes().fold(0, |letters, byte| {
        let bit = match byte {
            b'a'..=b'z' => byte - b'a',
            b'0'..=b'9' => 26,
            _ => 27,
        };
        letters | 1 << bit
    })
}

/// The known words that a typed word may stand for, with the errors of each, and whether the known word goes
/// on after what was typed.
type Alternatives = FxHashMap<u32, (u8, bool)>;

impl Phrases {
    /// The phrases in which each word of the query has a similar word of its own, at most `limit`: fewer
    /// errors first. Phrases for which `keep` is false are left out. A query without errors is found too.
    ///
    /// # Complexity
    /// O(v) for v distinct words in the index, for each word of the query, and the phrases that have the
    /// rarest of them, of which at most 20 000 are compared.
    pub(crate) fn find_similar(
        &self,
        asked: PhraseQuery<'_>,
        limit: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Vec<(Similarity, u32)> {
        let letters = asked.core.bytes().filter(|byte| *byte != b' ').count();
        if letters < LETTERS_MIN {
            return Vec::new();
        }
        let wanted: Vec<&str> = asked.core.split(' ').collect();
        let mut alternatives: Vec<Alternatives> = Vec::with_capacity(wanted.len());
        for (position, word) in wanted.iter().enumerate() {
            let partial = asked.partial && position + 1 == wanted.len();
            let found = self.alternatives(word, partial);
            if found.is_empty() {
                return Vec::new();
            }
            alternatives.push(found);
        }
        let allowed = errors_allowed_together(asked.core);
        let mut found: Vec<(Similarity, u32)> = self
            .with_rarest(&alternatives)
            .into_iter()
            .filter(|&phrase| self.is_kind(phrase as usize, asked.kind))
            .filter_map(|phrase| Some((self.similarity(phrase, &alternatives, allowed)?, phrase)))
            .filter(|&(_, phrase)| keep(phrase))
            .collect();
        found.sort_unstable_by_key(|&(similarity, phrase)| {
            (similarity, self.cores.get(phrase as usize).len(), phrase)
        });
        found.truncate(limit);
        found
    }

    /// The known words for a typed one. If it may be unfinished, also those that begin with it, or, from
    /// five letters on, nearly do.
    fn alternatives(&self, word: &str, partial: bool) -> Alternatives {
        let allowed = errors_allowed(word);
        let letters = letters_of(word);
        let mut found = Alternatives::default();
        let spread = 2 * allowed as u32;
        for known in 0..self.words.len() {
            // Each error changes at most one letter of each of the two words.
            if !partial && (letters ^ self.letters[known]).count_ones() > spread {
                continue;
            }
            let text = self.words.get(known);
            let errors = if partial && text.starts_with(word) {
                Some((0, text.len() > word.len()))
            } else {
                let whole = errors_between(word, text, allowed).map(|errors| (errors, false));
                whole.or_else(|| {
                    let begun = partial && word.len() >= SHORT && text.len() > word.len();
                    let errors = begun.then(|| errors_between(word, text.get(..word.len())?, 1)).flatten();
                    errors.map(|errors| (errors, true))
                })
            };
            if let Some(errors) = errors {
                found.insert(known as u32, errors);
            }
        }
        found
    }

    /// The phrases that have an alternative of the word whose alternatives are rarest.
    fn with_rarest(&self, alternatives: &[Alternatives]) -> BTreeSet<u32> {
        let postings = |word: u32| {
            let word = word as usize;
            &self.postings[self.word_starts[word] as usize..self.word_starts[word + 1] as usize]
        };
        let size = |words: &Alternatives| words.keys().map(|&word| postings(word).len()).sum::<usize>();
        let Some(rarest) = alternatives.iter().min_by_key(|words| size(words)) else {
            return BTreeSet::new();
        };
        // The nearest words first, so that the bound does not cut them off.
        let mut words: Vec<((u8, bool), u32)> =
            rarest.iter().map(|(&word, &errors)| (errors, word)).collect();
        words.sort_unstable();
        words.into_iter().flat_map(|(_, word)| postings(word).iter().copied()).take(COMPARED_MAX).collect()
    }

    /// How a phrase fits, if each word of the query has a word of its own in it.
    fn similarity(&self, phrase: u32, alternatives: &[Alternatives], allowed: u8) -> Option<Similarity> {
        let core = self.cores.get(phrase as usize);
        let words: Vec<&str> = core.split(' ').collect();
        if words.len() < alternatives.len() {
            return None;
        }
        let known: Vec<Option<u32>> = words
            .iter()
            .map(|word| {
                let at = self.words.lower_bound(word);
                (at < self.words.len() && self.words.get(at) == *word).then_some(at as u32)
            })
            .collect();
        let (mut used, mut errors, mut unfinished) = (0_u64, 0_u8, false);
        let mut places = Vec::with_capacity(alternatives.len());
        for (position, words) in alternatives.iter().enumerate() {
            // The word at the same position is taken before one elsewhere.
            let ((fewest, begun), _, at) = known
                .iter()
                .enumerate()
                .take(64)
                .filter(|(at, _)| used & (1 << at) == 0)
                .filter_map(|(at, word)| Some((*words.get(&(*word)?)?, at.abs_diff(position), at)))
                .min()?;
            used |= 1 << at;
            errors = errors.saturating_add(fewest);
            unfinished |= begun;
            places.push(at);
        }
        if errors > allowed {
            return None;
        }
        let head = core[..self.heads[phrase as usize] as usize].split(' ').count();
        let in_order = places.iter().enumerate().all(|(position, at)| position == *at);
        let fit = match in_order {
            true if !unfinished && (places.len() == words.len() || places.len() == head) => Fit::Exact,
            true => Fit::Prefix,
            false if places.windows(2).all(|pair| pair[1] == pair[0] + 1) => Fit::Inside,
            false => Fit::Words,
        };
        Some(Similarity { errors, fit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{builder::PhrasesBuilder, words::NameKind};

    fn found(core: &str) -> Vec<(u8, Fit, String)> {
        let mut builder = PhrasesBuilder::default();
        for (row, core) in
            ["ben thanh", "ben nghe", "le van viet", "nguien hue", "duong so 46"].iter().enumerate()
        {
            let phrase = builder.phrase(NameKind::None, core, core.len());
            builder.entry(phrase, 0, row as u32);
        }
        let phrases = builder.finish();
        let asked = PhraseQuery { kind: NameKind::None, core, partial: false };
        let similar = phrases.find_similar(asked, 10, |_| true);
        let told = |(similarity, phrase): (Similarity, u32)| {
            (similarity.errors, similarity.fit, phrases.cores.get(phrase as usize).to_owned())
        };
        similar.into_iter().map(told).collect()
    }

    #[test]
    fn one_error_in_short_words_and_two_in_long_ones() {
        for typed in ["ben thanhh", "bne thanh", "ben thnh", "be thanh", "ben tranh", "ebn thanh"] {
            let first = &found(typed)[0];
            assert_eq!((first.1, first.2.as_str()), (Fit::Exact, "ben thanh"), "{typed}");
        }
        assert_eq!(found("le van vit")[0].2, "le van viet");
        assert_eq!(found("ngueinn hue")[0], (2, Fit::Exact, "nguien hue".into()));
        assert_eq!(found("hue ngguien")[0], (1, Fit::Words, "nguien hue".into()));
        assert!(found("xyz thanh").is_empty(), "three errors in one word");
    }

    #[test]
    fn numbers_have_no_errors_and_short_texts_no_similar_names() {
        assert_eq!(found("dung so 46")[0].2, "duong so 46");
        assert!(found("duong so 47").is_empty());
        assert!(found("bn").is_empty());
    }
}
