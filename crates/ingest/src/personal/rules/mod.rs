//! Which words in a field's name say that it holds personal data.
//!
//! [`owners`], [`people`], [`papers`] and [`contacts`] hold the words by subject, [`plain`] those that mean
//! nothing here. The words are those of Vietnamese land offices, with their abbreviations, and the English
//! ones of common exports. Each rule lists phrases, and what excuses them: words right before or after (`ghi
//! chu`, `chu vi`), or anywhere in the name (`loai`). A new spelling is a new phrase here and a line in the
//! table of the tests.

mod contacts;
mod owners;
mod papers;
mod people;
mod plain;

use std::sync::LazyLock;

use papers::THINGS;
use plain::{ALONE, PLAIN};

use super::words::{Glue, Lexicon, may_be_cut};

/// What kind of personal data a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Owner,
    Person,
    PersonName,
    IdentityNumber,
    Certificate,
    Phone,
    Email,
    Birth,
    HomeAddress,
    Account,
}

impl Kind {
    /// The kind in the words of a report: "its name says that it holds …".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "the owner or user of something",
            Self::Person => "data of a person",
            Self::PersonName => "names of persons",
            Self::IdentityNumber => "identity papers or their numbers",
            Self::Certificate => "the number of a land certificate",
            Self::Phone => "phone numbers or other ways to reach a person",
            Self::Email => "e-mail addresses",
            Self::Birth => "birth dates or the like",
            Self::HomeAddress => "where a person lives",
            Self::Account => "tax or bank numbers",
        }
    }
}

/// Phrases of one kind, and what excuses them. Words are separated by one space.
struct Rule {
    kind: Kind,
    phrases: &'static [&'static str],
    /// Not if one of these comes right before the phrase,
    before: &'static [&'static str],
    /// or right after it,
    after: &'static [&'static str],
    /// or is anywhere in the name.
    anywhere: &'static [&'static str],
}

/// Names that say it only as a whole: in longer ones they mean other things (`doi_tuong_su_dung` is a class
/// of users, `so_ho` a number of households). The values can tell otherwise.
const WHOLE: &[(&str, Kind)] = &[
    ("ho", Kind::Owner),
    ("doi tuong", Kind::Owner),
    ("ten doi tuong", Kind::Owner),
    ("qsd", Kind::Certificate),
    ("qsdd", Kind::Certificate),
    ("so qsd", Kind::Certificate),
    ("so qsdd", Kind::Certificate),
    ("so do hong", Kind::Certificate),
];

/// Words for kinds of places. Streets, wards and schools have the names of people: `Nguyễn Huệ`.
const PLACES: &[&str] = &[
    "duong",
    "pho",
    "hem",
    "ngo",
    "tuyen",
    "phuong",
    "xa",
    "quan",
    "huyen",
    "tinh",
    "thanh pho",
    "tp",
    "tx",
    "khu pho",
    "ap",
    "thon",
    "dvhc",
    "dia danh",
    "dia diem",
    "vi tri",
    "dia chi",
    "ten truong",
    "truong hoc",
    "cong vien",
    "cong trinh",
    "du an",
    "chung cu",
    "benh vien",
    "cho",
    "cau",
    "chua",
    "tram",
    "street",
    "road",
    "ward",
    "commune",
    "district",
    "province",
    "city",
    "village",
    "school",
    "hospital",
    "park",
    "building",
    "project",
    "address",
    "addr",
    "place",
    "location",
    "station",
    "route",
];

const SUBJECTS: [&[Rule]; 4] = [owners::RULES, people::RULES, papers::RULES, contacts::RULES];

fn rules() -> impl Iterator<Item = &'static Rule> {
    SUBJECTS.into_iter().flatten()
}

/// The words of all phrases.
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
        let phrases = rules().flat_map(|rule| [rule.phrases, rule.before, rule.after, rule.anywhere]);
        let words = phrases.chain([PLAIN, PLACES]).flatten().flat_map(|phrase| phrase.split(' '));
        Lexicon::new(words.map(|word| (word, if ALONE.contains(&word) { Glue::No } else { Glue::Yes })))
    });
    &LEXICON
}

/// What a field's name says of persons; none if nothing.
pub(super) fn kind_of_name(name: &str) -> Option<Kind> {
    let words = lexicon().words(name);
    let cut = may_be_cut(name);
    let whole = WHOLE.iter().find(|(phrase, _)| is_whole(&words, phrase)).map(|(_, kind)| *kind);
    whole.or_else(|| rules().find(|rule| rule.applies(&words, cut)).map(|rule| rule.kind))
}

fn is_whole(words: &[String], phrase: &str) -> bool {
    phrase.split(' ').eq(words.iter().map(String::as_str))
}

/// Whether the name says as often something else as a person, so that the values have to tell: `full_name`,
/// `ten_ho`, `doi_tuong`.
pub(super) fn values_decide(name: &str) -> bool {
    let words = lexicon().words(name);
    ["full name", "fullname", "ten ho"].iter().any(|phrase| positions(&words, phrase, false).next().is_some())
        || WHOLE.iter().any(|(phrase, _)| is_whole(&words, phrase))
}

/// Whether the name says that the values name places.
pub(super) fn names_a_place(name: &str) -> bool {
    let words = lexicon().words(name);
    PLACES.iter().any(|place| positions(&words, place, false).next().is_some())
}

/// Whether the name says that the values identify something that is no person.
pub(super) fn identifies_a_thing(name: &str) -> bool {
    let words = lexicon().words(name);
    THINGS.iter().any(|thing| positions(&words, thing, false).next().is_some())
}

impl Rule {
    fn applies(&self, words: &[String], cut: bool) -> bool {
        let excused_anywhere =
            self.anywhere.iter().any(|phrase| positions(words, phrase, false).next().is_some());
        !excused_anywhere
            && self.phrases.iter().any(|phrase| {
                let len = phrase.split(' ').count();
                positions(words, phrase, cut).any(|at| {
                    let before = self.before.iter().any(|phrase| ends_with(&words[..at], phrase));
                    let after = self
                        .after
                        .iter()
                        .any(|phrase| starts_with(&words[(at + len).min(words.len())..], phrase));
                    !before && !after
                })
            })
    }
}

/// Where `phrase` begins in `words`. With `cut`, the last word may be the beginning (two letters at least) of
/// the phrase's last word, if that is not its only one.
fn positions<'a>(words: &'a [String], phrase: &'a str, cut: bool) -> impl Iterator<Item = usize> + 'a {
    let len = phrase.split(' ').count();
    (0..(words.len() + 1).saturating_sub(len)).filter(move |&at| {
        words[at..at + len].iter().zip(phrase.split(' ')).enumerate().all(|(step, (word, wanted))| {
            let last = cut && at + step + 1 == words.len() && step > 0;
            word == wanted || last && word.len() >= 2 && wanted.starts_with(word.as_str())
        })
    })
}

fn starts_with(words: &[String], phrase: &str) -> bool {
    phrase.split(' ').count() <= words.len()
        && words.iter().zip(phrase.split(' ')).all(|(word, wanted)| word == wanted)
}

fn ends_with(words: &[String], phrase: &str) -> bool {
    let len = phrase.split(' ').count();
    len <= words.len() && starts_with(&words[words.len() - len..], phrase)
}
