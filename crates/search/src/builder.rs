//! Builds [`Phrases`] row by row.

use citymap_engine::Row;
use rayon::slice::ParallelSliceMut;
use rustc_hash::FxHashMap;

use crate::{phrases::Phrases, similar::letters_of, text_list::TextList, words::NameKind};

/// Collects phrases, house numbers and rows, and sorts them into [`Phrases`].
#[derive(Debug, Default)]
pub(crate) struct PhrasesBuilder {
    phrases: FxHashMap<Box<str>, u32>,
    list: Vec<(NameKind, u16, Box<str>)>,
    numbers: FxHashMap<Box<str>, u32>,
    entries: Vec<(u32, u32, Row)>,
    key: String,
}

impl PhrasesBuilder {
    /// The number of a phrase, whose part before the first comma is `head` bytes long.
    pub(crate) fn phrase(&mut self, kind: NameKind, core: &str, head: usize) -> u32 {
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

    /// Notes that a row has the phrase, with the house number.
    pub(crate) fn entry(&mut self, phrase: u32, number: u32, row: Row) {
        self.entries.push((phrase, number, row));
    }

    pub(crate) fn finish(self) -> Phrases {
        let Self { list, numbers, mut entries, .. } = self;
        let mut order: Vec<u32> = (0..list.len() as u32).collect();
        let rank = |phrase: u32| {
            let (kind, head, core) = &list[phrase as usize];
            (&**core, *kind as u8, *head)
        };
        order.par_sort_unstable_by(|&a, &b| rank(a).cmp(&rank(b)));
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
            (TextList::default(), Vec::new(), Vec::with_capacity(pairs.len()));
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
        self.letters = (0..words.len()).map(|word| letters_of(words.get(word))).collect();
        (self.words, self.word_starts, self.postings) = (words, word_starts, postings);
    }
}

/// Turns counts, each stored one position to the right, into starting positions.
fn accumulate(counts: &mut [u32]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}
