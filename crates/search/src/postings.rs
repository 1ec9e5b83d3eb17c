//! The phrases of a layer's three segments, merged as if they were one.

use citymap_engine::{LayerSnapshot, Row};

use crate::{
    delta_segment::{DeltaSegment, Source},
    phrases::{Fit, PhraseQuery, Phrases, closeness},
    similar::Similarity,
    words::NameKind,
};

/// The phrases of a layer's three segments as one: a name in several segments is one phrase, and removed or
/// changed rows are not found.
pub(crate) struct Postings<'a> {
    /// In the order of [`Source::ALL`].
    segments: [&'a Phrases; 3],
    earlier: &'a DeltaSegment,
    snapshot: &'a LayerSnapshot,
}

/// A phrase and its numbers in the segments. At least one segment has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase<'a> {
    kind: NameKind,
    core: &'a str,
    head: usize,
    numbers: [Option<u32>; 3],
}

impl Phrase<'_> {
    /// What the word before the name says it is (ward, street, …).
    pub(crate) fn kind(&self) -> NameKind {
        self.kind
    }

    /// The closeness in all segments, as [`Phrases::closeness`].
    pub(crate) fn closeness(&self, asked: PhraseQuery<'_>) -> f64 {
        closeness(self.kind, self.core, asked)
    }
}

/// A house number and a row.
type HouseRow<'a> = (&'a str, Row);

impl<'a> Postings<'a> {
    pub(crate) fn new(
        segments: [&'a Phrases; 3],
        earlier: &'a DeltaSegment,
        snapshot: &'a LayerSnapshot,
    ) -> Self {
        Self { segments, earlier, snapshot }
    }

    /// The matches in all segments, as [`Phrases::find`].
    pub(crate) fn find(&self, asked: PhraseQuery<'_>, limit: usize) -> Vec<(Fit, Phrase<'a>)> {
        self.merge(limit, |phrases, keep| phrases.find_if(asked, limit, keep))
    }

    /// The similar phrases of all segments, as [`Phrases::find_similar`].
    pub(crate) fn find_similar(&self, asked: PhraseQuery<'_>, limit: usize) -> Vec<(Similarity, Phrase<'a>)> {
        self.merge(limit, |phrases, keep| phrases.find_similar(asked, limit, keep))
    }

    /// Whether a word is one of a phrase's.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        self.segments.iter().any(|phrases| phrases.has_word(word))
    }

    /// What `search` finds in each segment, as one list: the best `limit`.
    fn merge<Q: Ord + Copy>(
        &self,
        limit: usize,
        search: impl Fn(&'a Phrases, &dyn Fn(u32) -> bool) -> Vec<(Q, u32)>,
    ) -> Vec<(Q, Phrase<'a>)> {
        let mut found: Vec<(Q, Phrase<'a>)> = Vec::new();
        for (position, (source, phrases)) in Source::ALL.into_iter().zip(self.segments).enumerate() {
            let exists = |row| self.earlier.snapshot_row(self.snapshot, source, row).is_some();
            let is_used = |phrase: u32| phrases.rows(phrase).any(exists);
            let all_used = match source {
                Source::Base => !self.snapshot.hides_any(),
                Source::EarlierDelta => false,
                Source::Delta => true,
            };
            for (quality, number) in search(phrases, &|phrase| all_used || is_used(phrase)) {
                if found.iter().any(|(_, known)| known.numbers[position] == Some(number)) {
                    continue;
                }
                let (kind, core, head) = phrases.get(number);
                let numbers = self.segments.map(|phrases| phrases.position((kind, core, head)));
                found.push((quality, Phrase { kind, core, head, numbers }));
            }
        }
        found.sort_by_key(|(quality, phrase)| {
            (*quality, phrase.core.len(), phrase.core, phrase.kind as u8, phrase.head)
        });
        found.truncate(limit);
        found
    }

    /// All rows of a phrase, by house number, then by fid.
    pub(crate) fn rows(&self, phrase: Phrase<'a>) -> impl Iterator<Item = Row> + use<'a> {
        self.merged(pick(self.segments, phrase, |phrases, phrase| phrases.entries_of(phrase)))
            .map(|(_, row)| row)
    }

    /// The rows of a phrase with exactly this house number.
    pub(crate) fn rows_numbered(
        &self,
        phrase: Phrase<'a>,
        number: &str,
    ) -> impl Iterator<Item = Row> + use<'a> {
        let exactly = |phrases: &'a Phrases, phrase| phrases.entries_ranked(phrase, phrases.rank(number));
        self.merged(pick(self.segments, phrase, exactly)).map(|(_, row)| row)
    }

    /// The rows of a phrase whose house number continues after `number` (`12` → `12/3`, `12a`, not `120`).
    pub(crate) fn rows_numbered_from<'n>(
        &self,
        phrase: Phrase<'a>,
        number: &'n str,
    ) -> impl Iterator<Item = Row> + use<'a, 'n> {
        let from = |phrases: &'a Phrases, phrase| {
            phrases.entries_ranked(phrase, phrases.numbers.with_prefix(number))
        };
        self.merged(pick(self.segments, phrase, from)).filter_map(move |(found, row)| {
            let next = found.as_bytes().get(number.len())?;
            (!next.is_ascii_digit()).then_some(row)
        })
    }

    /// The entries of all segments in one order: by house number, then by fid.
    fn merged(&self, entries: [&'a [(u32, Row)]; 3]) -> impl Iterator<Item = HouseRow<'a>> + use<'a> {
        let Self { segments, earlier, snapshot } = *self;
        let mut sources = [0, 1, 2].map(|position| {
            let source = Source::ALL[position];
            let existing = move |&(rank, row): &(u32, Row)| {
                Some((segments[position].number(rank), earlier.snapshot_row(snapshot, source, row)?))
            };
            entries[position].iter().filter_map(existing).peekable()
        });
        std::iter::from_fn(move || {
            let order = |entry: &HouseRow<'a>| (entry.0, snapshot.fid(entry.1));
            let next = sources
                .iter_mut()
                .enumerate()
                .filter_map(|(position, source)| Some((order(source.peek()?), position)));
            let (_, position) = next.min()?;
            sources[position].next()
        })
    }
}

/// The entries of a phrase that `of` picks from each segment that has it.
fn pick<'a>(
    segments: [&'a Phrases; 3],
    phrase: Phrase<'a>,
    of: impl Fn(&'a Phrases, u32) -> &'a [(u32, Row)],
) -> [&'a [(u32, Row)]; 3] {
    [0, 1, 2].map(|position| {
        phrase.numbers[position].map_or(&[] as &[(u32, Row)], |number| of(segments[position], number))
    })
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, GeometryKind, Layer, Role, Title};

    use super::*;
    use crate::builder::PhrasesBuilder;

    type Named = (&'static str, NameKind, &'static str, usize);

    fn phrases(rows: &[Named]) -> Phrases {
        let mut builder = PhrasesBuilder::default();
        for (&(number, kind, core, head), row) in rows.iter().zip(0..) {
            let (phrase, number) = (builder.phrase(kind, core, head), builder.number(number));
            builder.entry(phrase, number, row);
        }
        builder.finish()
    }

    const TRAI: (NameKind, &str, usize) = (NameKind::None, "nguien trai phuong cho quan", 11);

    /// Fids 1 to 5 in the base, of which 2 is removed and 4 changed; 4 and 6 in the delta.
    fn snapshot() -> LayerSnapshot {
        let layer =
            Layer::new("houses".parse().unwrap(), Title::same("Houses"), Role::Address, GeometryKind::None);
        let feature = |fid| Feature { fid, geometry: None, values: vec![] };
        let mut builder = SnapshotBuilder::new(layer.clone());
        (1..=5).for_each(|fid| builder.push(&feature(fid)).unwrap());
        let changes = [(2, None), (4, Some(feature(4))), (6, Some(feature(6)))];
        builder.finish(1).apply(layer, 2, changes).unwrap()
    }

    fn on_trai(number: &'static str) -> Named {
        (number, TRAI.0, TRAI.1, TRAI.2)
    }

    #[test]
    fn house_numbers_are_found_within_their_street_in_all_segments() {
        let base =
            phrases(&[on_trai("123"), on_trai("123/4"), on_trai("1230"), on_trai("9"), on_trai("123/4")]);
        let delta = phrases(&[on_trai("123"), on_trai("123/2")]);
        let snapshot = snapshot();
        let (empty, earlier) = (Phrases::empty(), DeltaSegment::default());
        let postings = Postings::new([&base, &empty, &delta], &earlier, &snapshot);
        let found = postings
            .find(PhraseQuery { kind: NameKind::None, core: "nguien trai phuong", partial: true }, 10);
        assert_eq!(found.len(), 1, "a street in both segments is one");
        let fids =
            |rows: &mut dyn Iterator<Item = Row>| -> Vec<i64> { rows.map(|row| snapshot.fid(row)).collect() };
        let street = found[0].1;
        assert_eq!(fids(&mut postings.rows_numbered(street, "123")), [1, 4]);
        assert_eq!(fids(&mut postings.rows_numbered(street, "7")), [0i64; 0]);
        assert_eq!(fids(&mut postings.rows_numbered(street, "9")), [0i64; 0], "it has another number now");
        assert_eq!(fids(&mut postings.rows_numbered(street, "999")), [0i64; 0]);
        assert_eq!(fids(&mut postings.rows_numbered_from(street, "123")), [6, 5], "1230 is another house");
        assert_eq!(fids(&mut postings.rows(street)), [1, 4, 6, 5, 3]);
    }

    #[test]
    fn hidden_phrases_do_not_count_towards_the_limit() {
        let name = |core| ("", NameKind::None, core, 99);
        let base = phrases(&[name("b"), name("aa"), name("aaa b"), name("aab"), name("aabb")]);
        let delta = phrases(&[name("aac"), name("aa c")]);
        let snapshot = snapshot();
        let (empty, earlier) = (Phrases::empty(), DeltaSegment::default());
        let postings = Postings::new([&base, &empty, &delta], &earlier, &snapshot);
        let found = postings.find(PhraseQuery { kind: NameKind::None, core: "aa", partial: true }, 3);
        let cores: Vec<&str> = found.iter().map(|(_, phrase)| phrase.core).collect();
        assert_eq!(cores, ["aac", "aa c", "aabb"]);
        let words = postings.find(PhraseQuery { kind: NameKind::None, core: "b", partial: false }, 3);
        assert_eq!(words.iter().map(|(_, phrase)| phrase.core).collect::<Vec<_>>(), ["b", "aaa b"]);
    }
}
