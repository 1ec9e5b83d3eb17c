use citymap_engine::{LayerSnapshot, Row};

use crate::{
    older::Older,
    phrases::{Asked, Fit, Phrases, closeness},
    words::Kind,
};

/// The phrases of a layer's three parts as one: a name in several is one name, and what is no longer there is not found.
pub(crate) struct All<'a> {
    parts: [&'a Phrases; 3],
    older: &'a Older,
    snapshot: &'a LayerSnapshot,
}

/// A phrase and its numbers in the parts; it is in one of them at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase<'a> {
    kind: Kind,
    core: &'a str,
    head: usize,
    numbers: [Option<u32>; 3],
}

impl Phrase<'_> {
    /// What the word before the name says it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// As [`Phrases::closeness`].
    pub(crate) fn closeness(&self, asked: Asked<'_>) -> f64 {
        closeness(self.kind, self.core, asked)
    }
}

/// A row and its house number.
type Entry<'a> = (&'a str, Row);

impl<'a> All<'a> {
    pub(crate) fn new(parts: [&'a Phrases; 3], older: &'a Older, snapshot: &'a LayerSnapshot) -> Self {
        Self { parts, older, snapshot }
    }

    /// As [`Phrases::find`].
    pub(crate) fn find(&self, asked: Asked<'_>, limit: usize) -> Vec<(Fit, Phrase<'a>)> {
        let mut found: Vec<(Fit, Phrase<'a>)> = Vec::new();
        for (part, phrases) in self.parts.into_iter().enumerate() {
            let shown = |row| self.older.shown(self.snapshot, part, row).is_some();
            let alive = |phrase: u32| phrases.rows(phrase).any(shown);
            let all = part == 0 && !self.snapshot.hides_any() || part == 2;
            for (fit, number) in phrases.find_if(asked, limit, |phrase| all || alive(phrase)) {
                if found.iter().any(|(_, known)| known.numbers[part] == Some(number)) {
                    continue;
                }
                let (kind, core, head) = phrases.get(number);
                let numbers = self.parts.map(|phrases| phrases.position((kind, core, head)));
                found.push((fit, Phrase { kind, core, head, numbers }));
            }
        }
        found.sort_by_key(|(fit, phrase)| {
            (*fit, phrase.core.len(), phrase.core, phrase.kind as u8, phrase.head)
        });
        found.truncate(limit);
        found
    }

    /// All rows of a phrase, by house number, then by fid.
    pub(crate) fn rows(&self, phrase: Phrase<'a>) -> impl Iterator<Item = Row> + use<'a> {
        self.merged(pick(self.parts, phrase, |phrases, phrase| phrases.entries_of(phrase)))
            .map(|(_, row)| row)
    }

    /// The rows of a phrase with exactly this house number.
    pub(crate) fn rows_numbered(
        &self,
        phrase: Phrase<'a>,
        number: &str,
    ) -> impl Iterator<Item = Row> + use<'a> {
        let exactly = |phrases: &'a Phrases, phrase| phrases.entries_ranked(phrase, phrases.rank(number));
        self.merged(pick(self.parts, phrase, exactly)).map(|(_, row)| row)
    }

    /// The rows of a phrase whose house number goes on after `number` (`12` → `12/3`, `12a`, not `120`).
    pub(crate) fn rows_numbered_from<'n>(
        &self,
        phrase: Phrase<'a>,
        number: &'n str,
    ) -> impl Iterator<Item = Row> + use<'a, 'n> {
        let from = |phrases: &'a Phrases, phrase| {
            phrases.entries_ranked(phrase, phrases.numbers.with_prefix(number))
        };
        self.merged(pick(self.parts, phrase, from)).filter_map(move |(own, row)| {
            let next = own.as_bytes().get(number.len())?;
            (!next.is_ascii_digit()).then_some(row)
        })
    }

    /// The entries of the parts in the order of one: by house number, then by fid.
    fn merged(&self, entries: [&'a [(u32, Row)]; 3]) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let Self { parts, older, snapshot } = *self;
        let mut sources = [0, 1, 2].map(|part| {
            let shown = move |&(rank, row): &(u32, Row)| {
                Some((parts[part].number(rank), older.shown(snapshot, part, row)?))
            };
            entries[part].iter().filter_map(shown).peekable()
        });
        std::iter::from_fn(move || {
            let place = |entry: &Entry<'a>| (entry.0, snapshot.fid(entry.1));
            let first =
                sources.iter_mut().enumerate().filter_map(|(part, own)| Some((place(own.peek()?), part)));
            let (_, part) = first.min()?;
            sources[part].next()
        })
    }
}

/// The entries of a phrase that `of` picks from each part that has it.
fn pick<'a>(
    parts: [&'a Phrases; 3],
    phrase: Phrase<'a>,
    of: impl Fn(&'a Phrases, u32) -> &'a [(u32, Row)],
) -> [&'a [(u32, Row)]; 3] {
    [0, 1, 2].map(|part| phrase.numbers[part].map_or(&[] as &[(u32, Row)], |number| of(parts[part], number)))
}

#[cfg(test)]
mod tests {
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{Feature, GeometryKind, Layer, Role, Title};

    use super::*;
    use crate::builder::PhrasesBuilder;

    type Named = (&'static str, Kind, &'static str, usize);

    fn phrases(rows: &[Named]) -> Phrases {
        let mut builder = PhrasesBuilder::default();
        for (&(number, kind, core, head), row) in rows.iter().zip(0..) {
            let (phrase, number) = (builder.phrase(kind, core, head), builder.number(number));
            builder.entry(phrase, number, row);
        }
        builder.finish()
    }

    const TRAI: (Kind, &str, usize) = (Kind::None, "nguien trai phuong cho quan", 11);

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
    fn house_numbers_are_found_within_their_street_over_all_parts() {
        let base =
            phrases(&[on_trai("123"), on_trai("123/4"), on_trai("1230"), on_trai("9"), on_trai("123/4")]);
        let delta = phrases(&[on_trai("123"), on_trai("123/2")]);
        let snapshot = snapshot();
        let (empty, older) = (Phrases::empty(), Older::default());
        let all = All::new([&base, &empty, &delta], &older, &snapshot);
        let found = all.find(Asked { kind: Kind::None, core: "nguien trai phuong", partial: true }, 10);
        assert_eq!(found.len(), 1, "a street in both parts is one");
        let fids =
            |rows: &mut dyn Iterator<Item = Row>| -> Vec<i64> { rows.map(|row| snapshot.fid(row)).collect() };
        let street = found[0].1;
        assert_eq!(fids(&mut all.rows_numbered(street, "123")), [1, 4]);
        assert_eq!(fids(&mut all.rows_numbered(street, "7")), [0i64; 0]);
        assert_eq!(fids(&mut all.rows_numbered(street, "9")), [0i64; 0], "it has another number now");
        assert_eq!(fids(&mut all.rows_numbered(street, "999")), [0i64; 0]);
        assert_eq!(fids(&mut all.rows_numbered_from(street, "123")), [6, 5], "1230 is another house");
        assert_eq!(fids(&mut all.rows(street)), [1, 4, 6, 5, 3]);
    }

    #[test]
    fn what_is_hidden_takes_no_place_among_the_found() {
        let name = |core| ("", Kind::None, core, 99);
        let base = phrases(&[name("b"), name("aa"), name("aaa b"), name("aab"), name("aabb")]);
        let delta = phrases(&[name("aac"), name("aa c")]);
        let snapshot = snapshot();
        let (empty, older) = (Phrases::empty(), Older::default());
        let all = All::new([&base, &empty, &delta], &older, &snapshot);
        let found = all.find(Asked { kind: Kind::None, core: "aa", partial: true }, 3);
        let cores: Vec<&str> = found.iter().map(|(_, phrase)| phrase.core).collect();
        assert_eq!(cores, ["aac", "aa c", "aabb"]);
        let words = all.find(Asked { kind: Kind::None, core: "b", partial: false }, 3);
        assert_eq!(words.iter().map(|(_, phrase)| phrase.core).collect::<Vec<_>>(), ["b", "aaa b"]);
    }
}
