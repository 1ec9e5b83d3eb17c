//! Which values say that a field holds personal data, whatever its name.
//!
//! Identity numbers, phone numbers, e-mail addresses and names ([`names`]) have a form, and free text names
//! what it holds ([`super::labels`]). A share of a field's first values with
//! such a form makes it personal. The shares are low, because a note that holds a phone number in one row of
//! three is as personal as a column of numbers. What looks alike, keys above all, is told apart by how its
//! first digits vary.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher,
};

use citymap_model::{Value, text::without_diacritics};

use super::{
    labels::Labels,
    names::{self, Named},
    rules::Kind,
};

/// Values that are looked at, of each field.
const LOOKED_AT: usize = 2_000;
/// Per cent of the values that are there that must hold an identity number or an e-mail address.
const PLAIN_SHARE: usize = 20;
/// Per cent of them that must hold a phone number.
const PHONE_SHARE: usize = 30;
/// Per cent of them that must be nine digits, as identity cards had until 2016: much else has nine digits
/// too.
const OLD_SHARE: usize = 90;
/// Fewer values than these say nothing about nine digits.
const OLD_LEAST: usize = 5;
/// Per cent of them that must be names of persons without a title.
const NAMES_SHARE: usize = 50;
/// Per cent of the names that must differ: the same street is named again and again.
const NAMES_DIFFER: usize = 30;
/// Digits by which keys of one place begin alike, and people's numbers do not.
const PREFIX: usize = 5;

/// What the name of a field says of what its values are; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct About {
    /// They identify things that are no persons, so that their digits mean nothing.
    pub things: bool,
    /// They name places, which have the names of persons.
    pub places: bool,
}

/// What the values of one field say of persons; none if nothing.
pub(super) fn kind_of_values<'a>(values: impl Iterator<Item = &'a Value>, about: About) -> Option<Kind> {
    let mut seen = Seen::default();
    for value in values.take(LOOKED_AT) {
        match value {
            Value::Text(text) if !text.trim().is_empty() => seen.text(text),
            Value::Int(number) => seen.number(*number),
            Value::Null | Value::Text(_) => {}
            _ => seen.count += 1,
        }
    }
    seen.kind(about)
}

/// Whether no value can be a name or the number of a paper: all are numbers or short codes, as `GDC`.
pub(super) fn are_codes<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    const CODE: usize = 6;
    let mut any = false;
    let codes = values.take(LOOKED_AT).filter(|value| !matches!(value, Value::Null)).all(|value| {
        any = true;
        match value {
            Value::Text(text) => {
                text.chars().count() <= CODE && text.chars().all(|letter| letter.is_alphanumeric())
            }
            Value::Int(number) => number.abs() < 1_000_000,
            _ => true,
        }
    });
    any && codes
}

/// Words that names of places begin or end with, without marks.
const PLACES: [&str; 22] = [
    "phuong", "xa", "dac", "quan", "huyen", "tinh", "thanh", "thi", "duong", "pho", "hem", "ho", "song",
    "kenh", "rach", "ward", "commune", "district", "province", "city", "street", "lake",
];

/// Whether at least half of the texts begin or end with a word for a kind of place.
pub(super) fn name_places<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    let (mut count, mut places) = (0, 0);
    for value in values.take(LOOKED_AT) {
        let Value::Text(text) = value else { continue };
        let folded = without_diacritics(text);
        // A household (`hộ`) is no lake (`hồ`).
        let household = text.trim_start().to_lowercase().starts_with("hộ");
        let mut words = folded.split_whitespace().skip(usize::from(household));
        let Some(first) = words.next() else { continue };
        count += 1;
        places +=
            usize::from([Some(first), words.last()].into_iter().flatten().any(|word| PLACES.contains(&word)));
    }
    places > 0 && places * 2 >= count
}

#[derive(Default)]
struct Seen {
    /// Values that are there.
    count: usize,
    emails: usize,
    identities: usize,
    phones: usize,
    phone_prefixes: HashSet<String>,
    old: usize,
    old_prefixes: HashSet<String>,
    /// Names of persons, those of three syllables and more among them, and hashes of all.
    names: usize,
    full: usize,
    different: HashSet<u64>,
    hasher: RandomState,
    /// Texts in which a title or a label says that a person is meant.
    titled: usize,
    labels: Labels,
}

impl Seen {
    fn text(&mut self, text: &str) {
        self.count += 1;
        self.emails += usize::from(text.split_whitespace().any(is_email));
        let named = names::named(text);
        if matches!(named, Named::Short | Named::Full) {
            self.names += 1;
            self.full += usize::from(named == Named::Full);
            self.different.insert(self.hasher.hash_one(text.trim()));
        }
        self.titled += usize::from(named == Named::Titled || self.labels.speak_of_persons(text));
        let numbers = numbers(text);
        self.identities += usize::from(numbers.iter().any(|number| is_identity(number)));
        if let Some(phone) = numbers.iter().find(|number| is_phone(number)) {
            self.phones += 1;
            self.phone_prefixes.insert(prefix(phone));
        }
        if let [number] = numbers.as_slice()
            && is_old_identity(number)
            && text.trim() == number
        {
            self.old += 1;
            self.old_prefixes.insert(prefix(number));
        }
    }

    /// A number that a spreadsheet made of a phone number: it has lost the 0 at its beginning.
    fn number(&mut self, number: i64) {
        self.count += 1;
        let text = format!("0{number}");
        if is_mobile(&text) {
            self.phones += 1;
            self.phone_prefixes.insert(prefix(&text));
        }
        self.identities += usize::from(is_identity(&text));
    }

    fn kind(&self, about: About) -> Option<Kind> {
        let share = |part: usize, least: usize| part > 0 && part * 100 >= self.count * least;
        if share(self.emails, PLAIN_SHARE) {
            return Some(Kind::Email);
        }
        if !about.things
            && let Some(kind) = self.numbers()
        {
            return Some(kind);
        }
        if share(self.titled, PLAIN_SHARE) {
            return Some(Kind::PersonName);
        }
        let differ = self.different.len() * 100 >= self.names * NAMES_DIFFER;
        if !about.places && share(self.names, NAMES_SHARE) && differ && self.full * 2 >= self.names {
            return Some(Kind::PersonName);
        }
        None
    }

    /// What the numbers say.
    fn numbers(&self) -> Option<Kind> {
        let share = |part: usize, least: usize| part > 0 && part * 100 >= self.count * least;
        // Numbers of one place begin alike; those of people do not.
        let varied =
            |part: usize, prefixes: &HashSet<String>| prefixes.len() * 10 >= part * 4 || prefixes.len() >= 20;
        if share(self.identities, PLAIN_SHARE) {
            return Some(Kind::IdentityNumber);
        }
        if share(self.phones, PHONE_SHARE) && varied(self.phones, &self.phone_prefixes) {
            return Some(Kind::Phone);
        }
        let old = self.old >= OLD_LEAST && share(self.old, OLD_SHARE) && varied(self.old, &self.old_prefixes);
        old.then_some(Kind::IdentityNumber)
    }
}

fn prefix(number: &str) -> String {
    number.chars().take(PREFIX).collect()
}

/// Runs of digits in a text, each with what may stand inside a number (spaces, dots, hyphens, brackets) left
/// out, and `+84` as `0`. Runs beside letters are no numbers but codes.
fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut run = String::new();
    let mut letters = false;
    for letter in text.chars().chain([';']) {
        match letter {
            '0'..='9' | '+' => run.push(letter),
            ' ' | '.' | '-' | '(' | ')' if !run.is_empty() => run.push(' '),
            _ => {
                if !letters && !letter.is_alphabetic() || run.contains(' ') || !letter.is_alphabetic() {
                    split(&run, &mut found);
                }
                run.clear();
            }
        }
        letters = letter.is_alphabetic();
    }
    found
}

/// A run with spaces is one number if it then has the form of one, else several.
fn split(run: &str, found: &mut Vec<String>) {
    let whole: String = run.split(' ').collect();
    let whole = national(&whole);
    if is_identity(&whole) || is_phone(&whole) {
        found.push(whole);
        return;
    }
    found.extend(run.split(' ').filter(|part| !part.is_empty()).map(national));
}

fn national(number: &str) -> String {
    number
        .strip_prefix("+84")
        .map_or_else(|| number.to_owned(), |rest| format!("0{}", rest.trim_start_matches('0')))
}

/// Twelve digits, the first three of which are a province's (001 to 096): an identity number since 2016.
fn is_identity(number: &str) -> bool {
    number.len() == 12
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number[..3].parse::<u8>().is_ok_and(|province| (1..=96).contains(&province))
}

/// Nine digits, the first two of which were a province's (01 to 38).
fn is_old_identity(number: &str) -> bool {
    number.len() == 9
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && number[..2].parse::<u8>().is_ok_and(|province| (1..=38).contains(&province))
}

/// A mobile number (ten digits, 03, 05, 07, 08 or 09) or a landline one (eleven digits, 02).
fn is_phone(number: &str) -> bool {
    is_mobile(number)
        || number.len() == 11 && number.starts_with("02") && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_mobile(number: &str) -> bool {
    number.len() == 10
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(number.as_bytes(), [b'0', b'3' | b'5' | b'7' | b'8' | b'9', ..])
}

fn is_email(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && host.split_once('.').is_some_and(|(name, end)| !name.is_empty() && end.len() >= 2)
            && !host.contains('@')
            && !host.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<Kind> {
        let values: Vec<Value> = values.iter().map(|value| Value::Text((*value).to_owned())).collect();
        kind_of_values(values.iter(), About::default())
    }

    #[test]
    fn numbers_and_addresses_of_people_are_known_by_their_form() {
        for (values, kind) in [
            (&["079201001234", "001199012345"][..], Kind::IdentityNumber),
            (&["CCCD: 079201001234", "chưa có", "079 185 003 321"], Kind::IdentityNumber),
            (&["0903123456", "0281 234 5678", "+84 912 345 678"], Kind::Phone),
            (&["ông Nam, ĐT 0903.123.456", "-", "gọi 0918-765-432 sau 17h"], Kind::Phone),
            (&["(028) 3822 1234", "02438251234"], Kind::Phone),
            (&["a.nguyen@example.vn", "<b@example.com>"], Kind::Email),
            (&["023456789", "271234567", "361987654", "012345678", "281765432"], Kind::IdentityNumber),
        ] {
            assert_eq!(of(values), Some(kind), "{values:?}");
        }
        let numbers: Vec<Value> = [903_123_456, 987_654_321, 356_789_012].map(Value::Int).to_vec();
        assert_eq!(kind_of_values(numbers.iter(), About::default()), Some(Kind::Phone));
    }

    #[test]
    fn names_of_places_are_told_from_those_of_people() {
        let texts = |values: &[&str]| -> Vec<Value> {
            values.iter().map(|value| Value::Text((*value).to_owned())).collect()
        };
        for values in
            [&["Phường Bến Thành", "Xã Bình Chánh"][..], &["Ben Thanh Ward"], &["Hồ Trị An", "Hồ Kỳ Hòa"]]
        {
            assert!(name_places(texts(values).iter()), "{values:?}");
        }
        for values in [&["Nguyễn Văn An", "Trần Thị Bình"][..], &[""], &[]] {
            assert!(!name_places(texts(values).iter()), "{values:?}");
        }
    }

    #[test]
    fn keys_codes_measures_and_names_are_not() {
        for values in [
            &["26734", "26735", "26736"][..],
            &["000000000001", "000000000002", "000000000003"],
            &["267340001", "267340002", "267340003", "267340004", "267340005", "267340006"],
            &["0792673401", "0792673402", "0792673403", "0792673404"],
            &["ODT", "CLN", "LUC"],
            &["12/3 Lê Lợi", "0", "7B"],
            &["2026-07-01", "10.776900, 106.700900"],
            &["QĐ 1234/2021/QĐ-UBND", "2021-07-01 10:00:00"],
            &["123.45", "1 234,5"],
            &["http://example.vn/@a", "@a"],
            &[""],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
        let areas: Vec<Value> = [120, 85, 1_200].map(Value::Int).to_vec();
        assert_eq!(kind_of_values(areas.iter(), About::default()), None);
        let parcel = [Value::Text("079201001234".into())];
        assert_eq!(
            kind_of_values(parcel.iter(), About { things: true, places: false }),
            None,
            "the name says that it is a parcel's"
        );
    }
}
