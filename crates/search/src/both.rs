use citymap_engine::{LayerSnapshot, Row};

use crate::{
    phrases::{Asked, Fit, Phrases, closeness},
    words::Kind,
};

/// The phrases of a snapshot's base and of its overlay as one: a name in both is one name, and what is hidden in the base
/// is not found.
pub(crate) struct Both<'a> {
    base: &'a Phrases,
    overlay: &'a Phrases,
    snapshot: &'a LayerSnapshot,
}

/// A phrase and its numbers in the two parts; it is in one of them at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase<'a> {
    kind: Kind,
    core: &'a str,
    parts: [Option<u32>; 2],
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

impl<'a> Both<'a> {
    pub(crate) fn new([base, overlay]: [&'a Phrases; 2], snapshot: &'a LayerSnapshot) -> Self {
        Self { base, overlay, snapshot }
    }

    /// As [`Phrases::find`].
    pub(crate) fn find(&self, asked: Asked<'_>, limit: usize) -> Vec<(Fit, Phrase<'a>)> {
        let alive = |phrase: u32| self.base.rows(phrase).any(|row| !self.snapshot.is_hidden(row));
        let base = if self.snapshot.hides_any() {
            self.base.find_if(asked, limit, alive)
        } else {
            self.base.find(asked, limit)
        };
        let overlay = self.overlay.find(asked, limit);
        let mut found: Vec<(Fit, Phrase<'a>)> = base
            .into_iter()
            .map(|(fit, phrase)| {
                let (kind, core, head) = self.base.get(phrase);
                let other = self.overlay.position((kind, core, head));
                (fit, Phrase { kind, core, parts: [Some(phrase), other] })
            })
            .collect();
        if overlay.is_empty() {
            return found;
        }
        let known: Vec<u32> = found.iter().filter_map(|(_, phrase)| phrase.parts[1]).collect();
        for (fit, phrase) in overlay.into_iter().filter(|(_, phrase)| !known.contains(phrase)) {
            let (kind, core, head) = self.overlay.get(phrase);
            let other = self.base.position((kind, core, head));
            found.push((fit, Phrase { kind, core, parts: [other, Some(phrase)] }));
        }
        found.sort_by_key(|(fit, phrase)| (*fit, phrase.core.len(), phrase.core, phrase.kind as u8));
        found.truncate(limit);
        found
    }

    /// All rows of a phrase, by house number, then by fid.
    pub(crate) fn rows(&self, phrase: Phrase<'a>) -> impl Iterator<Item = Row> + use<'a> {
        let [base, overlay] = self.slices(phrase, |phrases, phrase| phrases.entries_of(phrase));
        self.merged(base, overlay).map(|(_, row)| row)
    }

    /// The rows of a phrase with exactly this house number.
    pub(crate) fn rows_numbered(
        &self,
        phrase: Phrase<'a>,
        number: &str,
    ) -> impl Iterator<Item = Row> + use<'a> {
        let [base, overlay] =
            self.slices(phrase, |phrases, phrase| phrases.entries_ranked(phrase, phrases.rank(number)));
        self.merged(base, overlay).map(|(_, row)| row)
    }

    /// The rows of a phrase whose house number goes on after `number` (`12` → `12/3`, `12a`, not `120`).
    pub(crate) fn rows_numbered_from<'n>(
        &self,
        phrase: Phrase<'a>,
        number: &'n str,
    ) -> impl Iterator<Item = Row> + use<'a, 'n> {
        let [base, overlay] = self.slices(phrase, |phrases, phrase| {
            phrases.entries_ranked(phrase, phrases.numbers.with_prefix(number))
        });
        self.merged(base, overlay).filter_map(move |(own, row)| {
            let next = own.as_bytes().get(number.len())?;
            (!next.is_ascii_digit()).then_some(row)
        })
    }

    fn slices(
        &self,
        phrase: Phrase<'a>,
        of: impl Fn(&'a Phrases, u32) -> &'a [(u32, Row)],
    ) -> [&'a [(u32, Row)]; 2] {
        let part = |phrases: &'a Phrases, number: Option<u32>| {
            number.map_or(&[] as &[(u32, Row)], |number| of(phrases, number))
        };
        [part(self.base, phrase.parts[0]), part(self.overlay, phrase.parts[1])]
    }

    /// The entries of both parts in the order of one: by house number, then by fid.
    fn merged(
        &self,
        base: &'a [(u32, Row)],
        overlay: &'a [(u32, Row)],
    ) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let Self { base: own, overlay: over, snapshot } = *self;
        let shown = base.iter().filter(move |(_, row)| !snapshot.is_hidden(*row));
        let mut base = shown.map(move |&(rank, row)| (own.number(rank), row)).peekable();
        let moved = move |&(rank, row): &(u32, Row)| (over.number(rank), snapshot.row_of_overlay(row));
        let mut overlay = overlay.iter().map(moved).peekable();
        let place = move |&(number, row): &Entry<'a>| (number, snapshot.fid(row));
        std::iter::from_fn(move || match (base.peek(), overlay.peek()) {
            (Some(a), Some(b)) if place(a) < place(b) => base.next(),
            (_, Some(_)) => overlay.next(),
            (_, None) => base.next(),
        })
    }
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

    /// Fids 1 to 5 in the base, of which 2 is removed and 4 changed; 4 and 6 in the overlay.
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
    fn house_numbers_are_found_within_their_street_over_both_parts() {
        let base =
            phrases(&[on_trai("123"), on_trai("123/4"), on_trai("1230"), on_trai("9"), on_trai("123/4")]);
        let overlay = phrases(&[on_trai("123"), on_trai("123/2")]);
        let snapshot = snapshot();
        let both = Both::new([&base, &overlay], &snapshot);
        let found = both.find(Asked { kind: Kind::None, core: "nguien trai phuong", partial: true }, 10);
        assert_eq!(found.len(), 1, "a street in both parts is one");
        let fids =
            |rows: &mut dyn Iterator<Item = Row>| -> Vec<i64> { rows.map(|row| snapshot.fid(row)).collect() };
        let street = found[0].1;
        assert_eq!(fids(&mut both.rows_numbered(street, "123")), [1, 4]);
        assert_eq!(fids(&mut both.rows_numbered(street, "7")), [0i64; 0]);
        assert_eq!(fids(&mut both.rows_numbered(street, "9")), [0i64; 0], "it has another number now");
        assert_eq!(fids(&mut both.rows_numbered(street, "999")), [0i64; 0]);
        assert_eq!(fids(&mut both.rows_numbered_from(street, "123")), [6, 5], "1230 is another house");
        assert_eq!(fids(&mut both.rows(street)), [1, 4, 6, 5, 3]);
    }

    #[test]
    fn what_is_hidden_takes_no_place_among_the_found() {
        let name = |core| ("", Kind::None, core, 99);
        let base = phrases(&[name("b"), name("aa"), name("aaa b"), name("aab"), name("aabb")]);
        let overlay = phrases(&[name("aac"), name("aa c")]);
        let snapshot = snapshot();
        let both = Both::new([&base, &overlay], &snapshot);
        let found = both.find(Asked { kind: Kind::None, core: "aa", partial: true }, 3);
        let cores: Vec<&str> = found.iter().map(|(_, phrase)| phrase.core).collect();
        assert_eq!(cores, ["aac", "aa c", "aabb"]);
        let words = both.find(Asked { kind: Kind::None, core: "b", partial: false }, 3);
        assert_eq!(words.iter().map(|(_, phrase)| phrase.core).collect::<Vec<_>>(), ["b", "aaa b"]);
    }
}
