use std::ops::Range;

use citymap_engine::Row;
use rayon::slice::ParallelSliceMut;
use rustc_hash::FxHashMap;

use crate::words::Kind;

/// How well a phrase fits a question; the better, the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It is what was asked, or its part before the comma is.
    Exact,
    /// It starts with what was asked.
    Prefix,
    /// It has the words one after the other.
    Inside,
    /// It has every word.
    Words,
}

/// Distinct names and streets of one layer, sorted, each with its rows by house number.
///
/// A city has a million addresses and some thousand streets: the words are searched over streets, and a house
/// number is a binary search within one.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    /// Sorted; without the word that says the kind.
    cores: Texts,
    kinds: Vec<Kind>,
    /// Length in bytes of the part before the comma.
    heads: Vec<u16>,
    /// Phrase `p` has the entries `starts[p]..starts[p + 1]`.
    starts: Vec<u32>,
    /// Rank of the house number (0: none) and row, by phrase, then by rank.
    entries: Vec<(u32, Row)>,
    /// House numbers, sorted; the one with rank `r` is at `r - 1`.
    numbers: Texts,
    /// Every word of the phrases, sorted.
    words: Texts,
    word_starts: Vec<u32>,
    /// The phrases that have the word.
    postings: Vec<u32>,
}

/// Many texts in one piece of memory.
#[derive(Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// The first index whose text is not before `text`, of sorted texts.
    fn lower_bound(&self, text: &str) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle) < text { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The texts that start with `prefix`, of sorted texts.
    fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let start = self.lower_bound(prefix);
        let (mut low, mut high) = (start, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).starts_with(prefix) { low = middle + 1 } else { high = middle }
        }
        start..low
    }
}

/// What is asked of the phrases.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) kind: Kind,
    /// Words with one space between them.
    pub(crate) core: &'a str,
    /// Whether the last word may go on.
    pub(crate) partial: bool,
}

/// How many phrases one question looks at in one layer.
const LOOKED_AT: usize = 20_000;

impl Phrases {
    /// The phrase's kind and text, and the length of its part before the comma.
    pub(crate) fn get(&self, phrase: u32) -> (Kind, &str, usize) {
        let phrase = phrase as usize;
        (self.kinds[phrase], self.cores.get(phrase), self.heads[phrase] as usize)
    }

    /// The phrases that fit, at most `limit`: the better fit first, then the shorter text.
    pub(crate) fn find(&self, asked: Asked<'_>, limit: usize) -> Vec<(Fit, u32)> {
        if asked.core.is_empty() {
            return Vec::new();
        }
        let range = self.cores.with_prefix(asked.core);
        let mut found = Vec::new();
        for phrase in range.clone().take(LOOKED_AT) {
            let core = self.cores.get(phrase);
            let rest = &core[asked.core.len()..];
            if !(asked.partial || rest.is_empty() || rest.starts_with(' '))
                || !self.is_kind(phrase, asked.kind)
            {
                continue;
            }
            let exact = rest.is_empty() || asked.core.len() == self.heads[phrase] as usize;
            found.push((if exact { Fit::Exact } else { Fit::Prefix }, phrase as u32));
        }
        if found.len() < limit {
            self.find_by_words(asked, &range, &mut found);
        }
        let order = |&(fit, phrase): &(Fit, u32)| (fit, self.cores.get(phrase as usize).len(), phrase);
        found.sort_unstable_by_key(order);
        found.truncate(limit);
        found
    }

    fn find_by_words(&self, asked: Asked<'_>, done: &Range<usize>, found: &mut Vec<(Fit, u32)>) {
        let wanted: Vec<&str> = asked.core.split(' ').collect();
        let last = wanted.len() - 1;
        // The rarest word says where to look; the unfinished last one stands for many.
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
        let mut candidates: Vec<u32> = postings.iter().copied().take(LOOKED_AT).collect();
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
                core.split(' ')
                    .any(|own| own == *word || position == last && asked.partial && own.starts_with(word))
            };
            if wanted.iter().enumerate().all(has) {
                found.push((if follows(core, asked) { Fit::Inside } else { Fit::Words }, phrase));
            }
        }
    }

    fn is_kind(&self, phrase: usize, asked: Kind) -> bool {
        let own = self.kinds[phrase];
        // Streets are written with and without their `Đường`.
        asked == Kind::None || own == asked || asked == Kind::Road && own == Kind::None
    }

    /// All rows of a phrase.
    pub(crate) fn rows(&self, phrase: u32) -> impl Iterator<Item = Row> + '_ {
        self.entries_of(phrase).iter().map(|&(_, row)| row)
    }

    /// The rows of a phrase with exactly this house number.
    pub(crate) fn rows_numbered<'a>(&'a self, phrase: u32, number: &str) -> impl Iterator<Item = Row> + 'a {
        let at = self.numbers.lower_bound(number);
        let found = at < self.numbers.len() && self.numbers.get(at) == number;
        self.rows_ranked(phrase, at..at + usize::from(found))
    }

    /// The rows of a phrase whose house number goes on after `number` (`12` → `12/3`, `12a`, not `120`).
    pub(crate) fn rows_numbered_from<'a>(
        &'a self,
        phrase: u32,
        number: &'a str,
    ) -> impl Iterator<Item = Row> + 'a {
        let ranks = self.numbers.with_prefix(number);
        let entries = self.entries_ranked(phrase, ranks);
        entries.iter().filter_map(move |&(rank, row)| {
            let next = self.numbers.get(rank as usize - 1).as_bytes().get(number.len())?;
            (!next.is_ascii_digit()).then_some(row)
        })
    }

    fn rows_ranked(&self, phrase: u32, ranks: Range<usize>) -> impl Iterator<Item = Row> + '_ {
        self.entries_ranked(phrase, ranks).iter().map(|&(_, row)| row)
    }

    /// The entries of a phrase whose house numbers lie in `ranks`, counted from 0.
    fn entries_ranked(&self, phrase: u32, ranks: Range<usize>) -> &[(u32, Row)] {
        let entries = self.entries_of(phrase);
        let start = entries.partition_point(|&(rank, _)| (rank as usize) < ranks.start + 1);
        let end = entries.partition_point(|&(rank, _)| (rank as usize) < ranks.end + 1);
        &entries[start..end.max(start)]
    }

    fn entries_of(&self, phrase: u32) -> &[(u32, Row)] {
        let phrase = phrase as usize;
        &self.entries[self.starts[phrase] as usize..self.starts[phrase + 1] as usize]
    }
}

/// Grows [`Phrases`] row by row.
#[derive(Debug, Default)]
pub(crate) struct PhrasesBuilder {
    phrases: FxHashMap<Box<str>, u32>,
    list: Vec<(Kind, u16, Box<str>)>,
    numbers: FxHashMap<Box<str>, u32>,
    entries: Vec<(u32, u32, Row)>,
    key: String,
}

impl PhrasesBuilder {
    /// The number of a phrase, whose part before the comma is `head` bytes long.
    pub(crate) fn phrase(&mut self, kind: Kind, core: &str, head: usize) -> u32 {
        let head = u16::try_from(head.min(core.len())).unwrap_or(u16::MAX);
        self.key.clear();
        self.key.push(char::from(kind as u8));
        self.key.push_str(&core[..core.len().min(head as usize)]);
        self.key.push('\u{1f}');
        self.key.push_str(&core[core.len().min(head as usize)..]);
        if let Some(&known) = self.phrases.get(self.key.as_str()) {
            return known;
        }
        let new = self.list.len() as u32;
        self.phrases.insert(self.key.as_str().into(), new);
        self.list.push((kind, head, core.into()));
        new
    }

    /// The number of a house number; 0 for none.
    pub(crate) fn number(&mut self, number: &str) -> u32 {
        if number.is_empty() {
            return 0;
        }
        if let Some(&known) = self.numbers.get(number) {
            return known;
        }
        let new = self.numbers.len() as u32 + 1;
        self.numbers.insert(number.into(), new);
        new
    }

    /// Says that a row has the phrase, with the house number.
    pub(crate) fn entry(&mut self, phrase: u32, number: u32, row: Row) {
        self.entries.push((phrase, number, row));
    }

    pub(crate) fn finish(self) -> Phrases {
        let Self { list, numbers, mut entries, .. } = self;
        let mut order: Vec<u32> = (0..list.len() as u32).collect();
        order.par_sort_unstable_by(|&a, &b| list[a as usize].2.cmp(&list[b as usize].2).then(a.cmp(&b)));
        let mut phrases = Phrases::default();
        let mut rank_of_phrase = vec![0; list.len()];
        for (rank, &old) in order.iter().enumerate() {
            let (kind, head, core) = &list[old as usize];
            rank_of_phrase[old as usize] = rank as u32;
            phrases.kinds.push(*kind);
            phrases.heads.push(*head);
            phrases.cores.push(core);
        }
        let mut sorted: Vec<(&str, u32)> = numbers.iter().map(|(number, &id)| (&**number, id)).collect();
        sorted.par_sort_unstable();
        let mut rank_of_number = vec![0; sorted.len() + 1];
        for (rank, &(number, id)) in sorted.iter().enumerate() {
            rank_of_number[id as usize] = rank as u32 + 1;
            phrases.numbers.push(number);
        }
        for (phrase, number, _) in &mut entries {
            (*phrase, *number) = (rank_of_phrase[*phrase as usize], rank_of_number[*number as usize]);
        }
        entries.par_sort_unstable();
        entries.dedup();
        phrases.starts.resize(order.len() + 1, 0);
        for &(phrase, ..) in &entries {
            phrases.starts[phrase as usize + 1] += 1;
        }
        accumulate(&mut phrases.starts);
        phrases.entries = entries.into_iter().map(|(_, number, row)| (number, row)).collect();
        phrases.index_words();
        phrases
    }
}

impl Phrases {
    fn index_words(&mut self) {
        let mut pairs: Vec<(&str, u32)> = (0..self.cores.len())
            .flat_map(|phrase| self.cores.get(phrase).split(' ').map(move |word| (word, phrase as u32)))
            .collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        let (mut words, mut word_starts, mut postings) =
            (Texts::default(), Vec::new(), Vec::with_capacity(pairs.len()));
        let mut last = None;
        for (word, phrase) in pairs {
            if last != Some(word) {
                word_starts.push(postings.len() as u32);
                words.push(word);
                last = Some(word);
            }
            postings.push(phrase);
        }
        word_starts.push(postings.len() as u32);
        (self.words, self.word_starts, self.postings) = (words, word_starts, postings);
    }
}

/// Whether the words asked for stand in the text one after the other.
fn follows(core: &str, asked: Asked<'_>) -> bool {
    core.match_indices(asked.core).any(|(at, _)| {
        let rest = &core[at + asked.core.len()..];
        (at == 0 || core[..at].ends_with(' ')) && (asked.partial || rest.is_empty() || rest.starts_with(' '))
    })
}

/// Turns counts (each one place to the right) into starts.
fn accumulate(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases() -> Phrases {
        let mut builder = PhrasesBuilder::default();
        for (row, (number, kind, core, head)) in [
            ("123", Kind::None, "nguien trai phuong cho quan", 11),
            ("123/4", Kind::None, "nguien trai phuong cho quan", 11),
            ("1230", Kind::None, "nguien trai phuong cho quan", 11),
            ("", Kind::Road, "nguien trai", 11),
            ("", Kind::Ward, "nguien cu trinh", 15),
            ("7", Kind::None, "le loi", 6),
        ]
        .into_iter()
        .enumerate()
        {
            let (phrase, number) = (builder.phrase(kind, core, head), builder.number(number));
            builder.entry(phrase, number, row as Row);
        }
        builder.finish()
    }

    fn rows(kind: Kind, core: &str, partial: bool) -> Vec<(Fit, Vec<Row>)> {
        let phrases = phrases();
        let found = phrases.find(Asked { kind, core, partial }, 10);
        found.into_iter().map(|(fit, phrase)| (fit, phrases.rows(phrase).collect())).collect()
    }

    #[test]
    fn exact_comes_before_prefix_before_words() {
        assert_eq!(
            rows(Kind::None, "nguien trai", true),
            [(Fit::Exact, vec![3]), (Fit::Exact, vec![0, 1, 2])]
        );
        assert_eq!(
            rows(Kind::Road, "nguien tr", true),
            [(Fit::Prefix, vec![3]), (Fit::Prefix, vec![0, 1, 2])]
        );
        assert_eq!(rows(Kind::None, "trinh nguien", true), [(Fit::Words, vec![4])]);
        assert_eq!(rows(Kind::None, "quan trai", false), [(Fit::Words, vec![0, 1, 2])]);
        assert_eq!(rows(Kind::None, "cho qu", true), [(Fit::Inside, vec![0, 1, 2])]);
        assert_eq!(rows(Kind::Ward, "nguien trai", true), []);
        assert_eq!(rows(Kind::None, "nguien tr", false), []);
    }

    #[test]
    fn house_numbers_are_found_within_their_street() {
        let phrases = phrases();
        let (_, street) =
            phrases.find(Asked { kind: Kind::None, core: "nguien trai phuong", partial: true }, 10)[0];
        assert_eq!(phrases.rows_numbered(street, "123").collect::<Vec<_>>(), [0]);
        assert_eq!(phrases.rows_numbered(street, "7").count(), 0);
        assert_eq!(phrases.rows_numbered(street, "999").count(), 0);
        assert_eq!(
            phrases.rows_numbered_from(street, "123").collect::<Vec<_>>(),
            [1],
            "1230 is another house"
        );
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let empty = PhrasesBuilder::default().finish();
        assert_eq!(empty.find(Asked { kind: Kind::None, core: "a", partial: true }, 10), []);
    }
}
