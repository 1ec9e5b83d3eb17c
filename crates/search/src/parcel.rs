//! Parcels as papers name them: map sheet and parcel number.

use crate::words::Words;

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
}

/// Reads `tờ 12 thửa 345`, `thửa đất số 345, tờ bản đồ số 12, phường Sài Gòn`, `12/345`, `12-345` or
/// `26740-12-345`; `None` for any other text.
pub fn parse_parcel(text: &str) -> Option<ParcelNumber> {
    written(&Words::of(text).text).or_else(|| keyed(text.trim()))
}

/// Reads sheet and parcel number from words.
fn written(text: &str) -> Option<ParcelNumber> {
    let (mut sheet, mut parcel, mut rest) = (None, None, Vec::new());
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        let (slot, filler): (_, &[&str]) = match word {
            "to" if sheet.is_none() => (&mut sheet, &["ban", "do", "so"]),
            "thua" if parcel.is_none() => (&mut parcel, &["dat", "so"]),
            _ => {
                rest.push(word);
                continue;
            }
        };
        while words.next_if(|next| filler.contains(next)).is_some() {}
        *slot = Some(words.next_if(|next| is_number(next))?.to_owned());
    }
    Some(ParcelNumber { commune: None, sheet: sheet?, parcel: parcel?, rest: rest.join(" ") })
}

/// Reads sheet and parcel number from a key.
fn keyed(text: &str) -> Option<ParcelNumber> {
    let parts: Vec<&str> = text.split(['-', '/', '_']).collect();
    if !parts.iter().all(|part| is_number(part)) {
        return None;
    }
    let bare = |part: &str| Words::of(part).text;
    let (commune, sheet, parcel) = match parts[..] {
        [sheet, parcel] => (None, sheet, parcel),
        [commune, sheet, parcel] if commune.len() == 5 => (Some(commune.to_owned()), sheet, parcel),
        _ => return None,
    };
    Some(ParcelNumber { commune, sheet: bare(sheet), parcel: bare(parcel), rest: String::new() })
}

/// Whether a text is a number, perhaps followed by a letter: `12`, `345a`.
fn is_number(text: &str) -> bool {
    text.len() <= 8
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
            "TỜ BẢN ĐỒ 12, THỬA 345",
        ] {
            let found = parse_parcel(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.sheet.as_str(), found.parcel.as_str()), ("12", "345"), "{text}");
            assert_eq!((found.commune, found.rest.as_str()), (None, ""), "{text}");
        }
        assert_eq!(parse_parcel("26740-12-345").unwrap().commune.as_deref(), Some("26740"));
        assert_eq!(parse_parcel("tờ 12 thửa 345 Phường Sài Gòn").unwrap().rest, "phuong sai gon");
    }

    #[test]
    fn other_texts_are_not_parcels() {
        for text in [
            "",
            "12",
            "tờ 12",
            "thửa",
            "tờ thửa 12",
            "123/4/5",
            "123/4 Nguyễn Trãi",
            "Quận 1",
            "a-b",
            "1-2-3-4",
        ] {
            assert_eq!(parse_parcel(text), None, "{text}");
        }
    }
}
