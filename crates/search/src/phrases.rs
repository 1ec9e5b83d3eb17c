//! The distinct names and streets of one block, and how they are searched.

use std::ops::Range;

use citymap_engine::Row;

use crate::{text_list::TextList, words::NameKind};

/// How well a phrase fits a query, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// The phrase, or its part before the comma, is the query.
    Exact,
    /// The phrase begins with the query.
    Prefix,
    /// The phrase contains the words of the query in a row.
    Inside,
    /// The phrase contains every word of the query.
    Words,
}

/// Distinct names and streets, sorted, each with its rows by house number.
///
/// A city has a million addresses and some thousand streets. Words are searched among the streets, and a
/// house number by binary search within a street.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    /// The texts without the word for the kind, sorted.
    pub(crate) cores: TextList,
    pub(crate) kinds: Vec<NameKind>,
    /// Length in bytes of the part before the comma.
    pub(crate) heads: Vec<u16>,
    /// The entries of phrase `p` are `starts[p]..starts[p + 1]`.
    pub(crate) starts: Vec<u32>,
    /// The rank of the house number (0: none) and the row; ordered by phrase, then by rank.
    pub(crate) entries: Vec<(u32, Row)>,
    /// House numbers, sorted; the number of rank `r` is at `r - 1`.
    pub(crate) numbers: TextList,
    /// The distinct words of all phrases, sorted.
    pub(crate) words: TextList,
    /// Which letters each word has ([`letters_of`](crate::similar::letters_of)).
    pub(crate) letters: Vec<u32>,
    pub(crate) word_starts: Vec<u32>,
    /// The phrases that contain a word; those of word `w` are `word_starts[w]..word_starts[w + 1]`.
    pub(crate) postings: Vec<u32>,
}

/// What to look for among phrases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PhraseQuery<'a> {
    pub(crate) kind: NameKind,
    /// Folded words with one space between them.
    pub(crate) core: &'a str,
    /// Whether the last word may be unfinished.
    pub(crate) partial: bool,
}

/// Maximum number of phrases that one query compares in one block.
pub(crate) const COMPARED_MAX: usize = 20_000;

impl Phrases {
    /// The phrase's kind and text, and the length of its part before the comma.
    pub(crate) fn get(&self, phrase: u32) -> (NameKind, &str, usize) {
        let phrase = phrase as usize;
        (self.kinds[phrase], self.cores.get(phrase), self.heads[phrase] as usize)
    }

    /// Up to 0.015, which orders equal fits: more for a phrase that is hardly longer than the query and of
    /// the same kind.
    pub(crate) fn closeness(&self, phrase: u32, asked: PhraseQuery<'_>) -> f64 {
        let (kind, core, _) = self.get(phrase);
        closeness(kind, core, asked)
    }

    /// An index without phrases.
    pub(crate) fn empty() -> Self {
        Self { starts: vec![0], word_starts: vec![0], ..Self::default() }
    }

    /// The phrase with this kind, text and part before the comma.
    pub(crate) fn position(&self, (kind, core, head): (NameKind, &str, usize)) -> Option<u32> {
        let first = self.cores.lower_bound(core);
        (first..self.cores.len())
            .take_while(|&phrase| self.cores.get(phrase) == core)
            .find(|&phrase| self.kinds[phrase] == kind && self.heads[phrase] as usize == head)
            .map(|phrase| phrase as u32)
    }

    /// The phrases that fit, at most `limit`: better fits first, then shorter texts.
    pub(crate) fn find(&self, asked: PhraseQuery<'_>, limit: usize) -> Vec<(Fit, u32)> {
        self.find_if(asked, limit, |_| true)
    }

    /// As [`Phrases::find`], but only phrases for which `keep` is true.
    pub(crate) fn find_if(
        &self,
        asked: PhraseQuery<'_>,
        limit: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Vec<(Fit, u32)> {
        if asked.core.is_empty() {
            return Vec::new();
        }
        let range = self.cores.with_prefix(asked.core);
        let mut found = Vec::new();
        for phrase in range.clone().take(COMPARED_MAX) {
            let core = self.cores.get(phrase);
            let rest = &core[asked.core.len()..];
            if !(asked.partial || rest.is_empty() || rest.starts_with(' '))
                || !self.is_kind(phrase, asked.kind)
            {
                continue;
            }
            let exact = rest.is_empty() || asked.core.len() == self.heads[phrase] as usize;
            if keep(phrase as u32) {
                found.push((if exact { Fit::Exact } else { Fit::Prefix }, phrase as u32));
            }
        }
        if found.len() < limit {
            self.find_by_words(asked, &range, &mut found, keep);
        }
        let order = |&(fit, phrase): &(Fit, u32)| (fit, self.cores.get(phrase as usize).len(), phrase);
        found.sort_unstable_by_key(order);
        found.truncate(limit);
        found
    }

    /// Adds the phrases that contain every word of the query, except those in `done`.
    fn find_by_words(
        &self,
        asked: PhraseQuery<'_>,
        done: &Range<usize>,
        found: &mut Vec<(Fit, u32)>,
        keep: impl Fn(u32) -> bool,
    ) {
        let wanted: Vec<&str> = asked.core.split(' ').collect();
        let last = wanted.len() - 1;
        // Only phrases with the rarest word are compared. An unfinished last word means all words that
        // begin with it.
        let mut rarest: Option<Range<usize>> = None;
        for (position, word) in wanted.iter().enumerate() {
            let range = if position == last && asked.partial {
                self.words.with_prefix(word)
            } else {
                let at = self.words.lower_bound(word);
                if at < self.words.len() && self.words.get(at) == *word { at..at + 1 } else { 0..0 }
            };
            if range.is_empty() {
                return;
            }
            let size = |range: &Range<usize>| self.word_starts[range.end] - self.word_starts[range.start];
            if rarest.as_ref().is_none_or(|best| size(&range) < size(best)) {
                rarest = Some(range);
            }
        }
        let Some(range) = rarest else { return };
        let postings =
            &self.postings[self.word_starts[range.start] as usize..self.word_starts[range.end] as usize];
        let mut candidates: Vec<u32> = postings.iter().copied().take(COMPARED_MAX).collect();
        if range.len() > 1 {
            candidates.sort_unstable();
            candidates.dedup();
        }
        for phrase in candidates {
            if done.contains(&(phrase as usize)) || !self.is_kind(phrase as usize, asked.kind) {
                continue;
            }
            let core = self.cores.get(phrase as usize);
            let has = |(position, word): (usize, &&str)| {
                core.split(' ').any(|found| {
                    found == *word || position == last && asked.partial && found.starts_with(word)
                })
            };
            if wanted.iter().enumerate().all(has) && keep(phrase) {
                found.push((if follows(core, asked) { Fit::Inside } else { Fit::Words }, phrase));
            }
        }
    }

    /// Whether a word is one of a phrase's.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        let at = self.words.lower_bound(word);
        at < self.words.len() && self.words.get(at) == word
    }

    /// Whether a phrase may be of the kind that was asked for.
    pub(crate) fn is_kind(&self, phrase: usize, asked: NameKind) -> bool {
        let kind = self.kinds[phrase];
        // Streets are written with and without the word for street.
        asked == NameKind::None || kind == asked || asked == NameKind::Road && kind == NameKind::None
    }

    /// All rows of a phrase.
    pub(crate) fn rows(&self, phrase: u32) -> impl Iterator<Item = Row> + '_ {
        self.entries_of(phrase).iter().map(|&(_, row)| row)
    }

    /// The house number of a rank; empty for rank 0.
    pub(crate) fn number(&self, rank: u32) -> &str {
        rank.checked_sub(1).map_or("", |index| self.numbers.get(index as usize))
    }

    /// The position of exactly this house number in `numbers`: a range of length one or zero.
    pub(crate) fn rank(&self, number: &str) -> Range<usize> {
        let at = self.numbers.lower_bound(number);
        at..at + usize::from(at < self.numbers.len() && self.numbers.get(at) == number)
    }

    /// The entries of a phrase whose house numbers have positions in `ranks`.
    pub(crate) fn entries_ranked(&self, phrase: u32, ranks: Range<usize>) -> &[(u32, Row)] {
        let entries = self.entries_of(phrase);
        let start = entries.partition_point(|&(rank, _)| (rank as usize) < ranks.start + 1);
        let end = entries.partition_point(|&(rank, _)| (rank as usize) < ranks.end + 1);
        &entries[start..end.max(start)]
    }

    /// The entries of a phrase, ordered by the rank of the house number, then by row.
    pub(crate) fn entries_of(&self, phrase: u32) -> &[(u32, Row)] {
        let phrase = phrase as usize;
        &self.entries[self.starts[phrase] as usize..self.starts[phrase + 1] as usize]
    }
}

/// [`Phrases::closeness`] of a phrase with this kind and text.
pub(crate) fn closeness(kind: NameKind, core: &str, asked: PhraseQuery<'_>) -> f64 {
    let length = asked.core.len().min(core.len()) as f64 / core.len().max(1) as f64;
    0.01 * length + if kind == asked.kind { 0.005 } else { 0.0 }
}

/// Whether the text contains the words of the query in a row.
fn follows(core: &str, asked: PhraseQuery<'_>) -> bool {
    core.match_indices(asked.core).any(|(at, _)| {
        let rest = &core[at + asked.core.len()..];
        (at == 0 || core[..at].ends_with(' ')) && (asked.partial || rest.is_empty() || rest.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::PhrasesBuilder;

    fn phrases() -> Phrases {
        let mut builder = PhrasesBuilder::default();
        for (row, (number, kind, core, head)) in [
            ("123", NameKind::None, "nguien trai phuong cho quan", 11),
            ("123/4", NameKind::None, "nguien trai phuong cho quan", 11),
            ("1230", NameKind::None, "nguien trai phuong cho quan", 11),
            ("", NameKind::Road, "nguien trai", 11),
            ("", NameKind::Ward, "nguien cu trinh", 15),
            ("7", NameKind::None, "le loi", 6),
        ]
        .into_iter()
        .enumerate()
        {
            let (phrase, number) = (builder.phrase(kind, core, head), builder.number(number));
            builder.entry(phrase, number, row as Row);
        }
        builder.finish()
    }

    fn rows(kind: NameKind, core: &str, partial: bool) -> Vec<(Fit, Vec<Row>)> {
        let phrases = phrases();
        let found = phrases.find(PhraseQuery { kind, core, partial }, 10);
        found.into_iter().map(|(fit, phrase)| (fit, phrases.rows(phrase).collect())).collect()
    }

    #[test]
    fn exact_comes_before_prefix_before_words() {
        assert_eq!(
            rows(NameKind::None, "nguien trai", true),
            [(Fit::Exact, vec![3]), (Fit::Exact, vec![0, 1, 2])]
        );
        assert_eq!(
            rows(NameKind::Road, "nguien tr", true),
            [(Fit::Prefix, vec![3]), (Fit::Prefix, vec![0, 1, 2])]
        );
        assert_eq!(rows(NameKind::None, "trinh nguien", true), [(Fit::Words, vec![4])]);
        assert_eq!(rows(NameKind::None, "quan trai", false), [(Fit::Words, vec![0, 1, 2])]);
        assert_eq!(rows(NameKind::None, "cho qu", true), [(Fit::Inside, vec![0, 1, 2])]);
        assert_eq!(rows(NameKind::Ward, "nguien trai", true), []);
        assert_eq!(rows(NameKind::None, "nguien tr", false), []);
    }

    #[test]
    fn a_phrase_is_found_again_by_what_it_is() {
        let phrases = phrases();
        for phrase in 0..phrases.cores.len() as u32 {
            assert_eq!(phrases.position(phrases.get(phrase)), Some(phrase));
        }
        assert_eq!(phrases.position((NameKind::Ward, "nguien trai", 11)), None);
        assert_eq!(Phrases::empty().position((NameKind::None, "", 0)), None);
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let empty = PhrasesBuilder::default().finish();
        assert_eq!(empty.find(PhraseQuery { kind: NameKind::None, core: "a", partial: true }, 10), []);
    }
}
