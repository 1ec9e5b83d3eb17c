//! Parcels as papers name them: map sheet and parcel number.

use crate::{question::BETWEEN, words::Words};

/// A parcel as papers name it: map sheet (*tờ bản đồ*) and parcel number (*số thửa*), with or without a
/// commune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelNumber {
    /// The five-digit code of the commune, if it was given.
    pub commune: Option<String>,
    /// The number of the map sheet.
    pub sheet: String,
    /// The number of the parcel on the sheet.
    pub parcel: String,
    /// The other words of the text, folded; they may name a place.
    pub rest: String,
    /// Whether the text says which number is the sheet's. If not, it may also be the second one.
    pub labelled: bool,
}

/// Words before the number of a sheet, after the word for it.
const SHEET_FILLERS: [&str; 5] = ["ban", "do", "so", "bd", "bds"];
/// Words before the number of a parcel, after the word for it.
const PARCEL_FILLERS: [&str; 2] = ["dat", "so"];

/// Words whose numbers belong to them.
const NUMBERED: [&str; 4] = ["phuong", "quan", "ap", "khu"];

/// What the next number of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    None,
    Sheet,
    Parcel,
}

/// Reads `tờ 12 thửa 345`, `sheet 12, parcel 345`, `thửa đất số 345, tờ bản đồ số 12, phường Sài Gòn`,
/// `12/345`, `12-345`,
/// `26740-12-345` or `26740 12 345`, with a commune in front, between or behind; `None` for any other text.
///
/// Other words make [`ParcelNumber::rest`]. Where the numbers are not labelled, the text is a parcel only if
/// these words name a place, which the caller must look up.
pub fn parse_parcel(text: &str) -> Option<ParcelNumber> {
    let text = Words::of(&text.replace('_', " ")).text;
    let (mut sheet, mut parcel, mut numbers, mut rest) = (None, None, Vec::new(), Vec::new());
    let mut label = Label::None;
    let words: Vec<&str> = text.split([' ', '/']).flat_map(unglued).collect();
    for (position, &word) in words.iter().enumerate() {
        let number_follows = words[position + 1..]
            .iter()
            .find(|next| !SHEET_FILLERS.contains(next) && !PARCEL_FILLERS.contains(next))
            .is_some_and(|next| is_number(next));
        match word {
            "to" | "tbd" | "sheet" if sheet.is_none() && number_follows => label = Label::Sheet,
            "thua" | "td" | "parcel" if parcel.is_none() && number_follows => label = Label::Parcel,
            _ if label == Label::Sheet && SHEET_FILLERS.contains(&word) => {}
            _ if label == Label::Parcel && PARCEL_FILLERS.contains(&word) => {}
            // The number of a ward or district.
            _ if label == Label::None && position > 0 && NUMBERED.contains(&words[position - 1]) => {
                rest.push(word);
            }
            _ if is_number(word) => {
                match label {
                    Label::Sheet => sheet = Some(word),
                    Label::Parcel => parcel = Some(word),
                    Label::None => numbers.push(word),
                }
                label = Label::None;
            }
            _ => rest.push(word),
        }
    }
    let labelled = sheet.is_some() || parcel.is_some();
    let mut commune = None;
    let missing = usize::from(sheet.is_none()) + usize::from(parcel.is_none());
    if numbers.len() == missing + 1 {
        let code = numbers.iter().position(|number| is_commune_code(number))?;
        commune = Some(numbers.remove(code).to_owned());
    }
    // Numbers are left that are neither: `Phường 4`, `Quận 3`.
    if labelled && numbers.len() > missing || !labelled && numbers.len() != missing {
        return None;
    }
    let mut numbers = numbers.into_iter();
    let sheet = sheet.or_else(|| numbers.next())?.to_owned();
    let parcel = parcel.or_else(|| numbers.next())?.to_owned();
    if rest.first().is_some_and(|word| BETWEEN.contains(word)) {
        rest.remove(0);
    }
    Some(ParcelNumber { commune, sheet, parcel, rest: rest.join(" "), labelled })
}

/// A word and the number after it that stand together: `to12`, `thua45`.
fn unglued(word: &str) -> impl Iterator<Item = &str> {
    let number = ["to", "tbd", "thua", "td"].iter().find_map(|label| word.strip_prefix(label));
    let (label, number) = match number.filter(|number| is_number(number)) {
        Some(number) => (&word[..word.len() - number.len()], number),
        None => ("", word),
    };
    [label, number].into_iter().filter(|part| !part.is_empty())
}

/// Whether a text is a number, perhaps followed by a letter: `12`, `345a`.
fn is_number(text: &str) -> bool {
    text.len() <= 8
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_commune_code(text: &str) -> bool {
    text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_and_parcels_are_read_however_they_are_written() {
        for text in [
            "tờ 12 thửa 345",
            "Thửa 345 tờ 12",
            "thửa đất số 345, tờ bản đồ số 12",
            "to 012 thua 345",
            "12/345",
            "12-345",
            "12 345",
            "to12 thua345",
            "tờ 12/345",
            "TBĐ 12 thửa 345",
            "TỜ BẢN ĐỒ 12, THỬA 345",
            "Sheet 12, parcel 345",
            "parcel 345 sheet 12",
        ] {
            let found = parse_parcel(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.sheet.as_str(), found.parcel.as_str()), ("12", "345"), "{text}");
            assert_eq!((found.commune, found.rest.as_str()), (None, ""), "{text}");
        }
        for text in ["26740-12-345", "26740 12 345", "tờ 12 thửa 345 26740", "12/345 26740"] {
            let found = parse_parcel(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.sheet.as_str(), found.parcel.as_str()), ("12", "345"), "{text}");
            assert_eq!(found.commune.as_deref(), Some("26740"), "{text}");
        }
    }

    #[test]
    fn a_place_may_stand_in_front_between_or_behind() {
        for text in [
            "tờ 12 thửa 345 Phường Sài Gòn",
            "Phường Sài Gòn, tờ 12, thửa 345",
            "thửa 345 Phường Sài Gòn tờ 12",
            "Phường Sài Gòn 12/345",
            "12 345 Phường Sài Gòn",
            "tờ 12 thửa 345 ở Phường Sài Gòn",
        ] {
            let found = parse_parcel(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.sheet.as_str(), found.parcel.as_str()), ("12", "345"), "{text}");
            assert_eq!(found.rest, "phuong sai gon", "{text}");
        }
    }

    #[test]
    fn numbers_of_wards_are_not_those_of_parcels() {
        let found = parse_parcel("tờ 12 thửa 345 P.4, Q.3").unwrap();
        assert_eq!((found.sheet.as_str(), found.rest.as_str()), ("12", "phuong 4 quan 3"));
    }

    #[test]
    fn other_texts_are_not_parcels() {
        for text in
            ["", "12", "tờ 12", "thửa", "tờ thửa 12", "123/4/5", "Quận 1", "a-b", "1-2-3-4", "215 3 tháng 2"]
        {
            assert_eq!(parse_parcel(text), None, "{text}");
        }
    }
}
