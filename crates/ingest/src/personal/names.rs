//! Which texts name persons: a Vietnamese full name begins with one of some forty surnames, and has two to
//! five syllables.
//!
//! Streets, wards and schools are named after persons too. Those that many cities honour are listed; a text
//! with a word for a kind of place, or one that begins with a house number, names no person. What follows a
//! title (`ông`, `bà`, `hộ ông`) does.

use std::{collections::HashSet, sync::LazyLock};

use citymap_model::text::without_diacritics;

use crate::encoding::is_plain_syllable;

/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 8_192;

/// The surnames of most people, with their marks.
const SURNAMES: &str = "nguyễn trần lê phạm huỳnh hoàng phan vũ võ đặng bùi đỗ hồ ngô dương lý đào \
    đoàn vương trịnh trương đinh lâm phùng mai tô tăng hà lương lưu châu tạ la thạch kim cao quách thái tôn \
    kiều đồng nghiêm từ triệu hứa giang lại chu phó diệp khổng ninh bành danh";

/// Surnames, folded, that also begin names of places and things: alone they name a person only in three
/// syllables or more.
const AMBIGUOUS: &str = "ho kim cao ha la thai mai lam chau to tu giang lai chu danh dong phan ninh pho";

/// Persons after whom streets, wards and schools are named all over the country, and places that look like
/// names of persons; folded, separated by commas.
const HONOURED: &str = include_str!("honoured.txt");

/// Words for people before their names, folded.
const TITLES: [&str; 12] = ["ong", "ba", "anh", "chi", "cu", "co", "chu", "bac", "mr", "mrs", "ms", "hgd"];

/// Words, folded, of which one says that a text is of a place.
const PLACES: &str = "duong pho hem ngo ngach kiet phuong xa quan huyen tinh thanh-pho tp tx p q ap thon khu \
    kp to-dan truong thcs thpt th tieu-hoc mam mau-giao benh cong-vien cau cho chua dinh-lang street road \
    ward district school st rd park bridge market song kenh rach ho-nuoc ben toa-nha chung-cu cong-ty cty \
    khach-san nha-hang";

/// What a text says of persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nothing: no part has the form of a name.
    Nobody,
    /// It has the form of a name of two syllables, as many streets have.
    Short,
    /// It has the form of a full name of three syllables and more.
    Full,
    /// A title or a word such as "nhà ông" says that a person is meant.
    Titled,
}

fn words_of(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

/// What `text` says of persons; its length is bounded.
pub(super) fn named(text: &str) -> Named {
    static OF_PLACES: LazyLock<HashSet<&str>> = LazyLock::new(|| words_of(PLACES));
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    let parts: Vec<Vec<&str>> = parts(text);
    let mut best = Named::Nobody;
    for part in &parts {
        let found = titled(part);
        if found == Named::Titled {
            return found;
        }
        if let rank @ (Named::Short | Named::Full) = form(part)
            && best != Named::Full
        {
            best = rank;
        }
    }
    let folded: Vec<String> = parts.iter().flatten().map(|word| without_diacritics(word)).collect();
    let place = folded.iter().enumerate().any(|(at, word)| {
        OF_PLACES.contains(word.as_str())
            || folded.get(at + 1).is_some_and(|next| OF_PLACES.contains(format!("{word}-{next}").as_str()))
    });
    // `cho` and its like are also words within names: a text that is one name and nothing else stays one.
    if place && !(parts.len() == 1 && best == Named::Full && !OF_PLACES.contains(folded[0].as_str())) {
        return Named::Nobody;
    }
    best
}

/// The words of each part of a text, without the marks around them.
fn parts(text: &str) -> Vec<Vec<&str>> {
    let spaced = text.split(|c: char| ",;\n\r\t()/+&|:=<>[]".contains(c));
    spaced
        .flat_map(|part| part.split(" - "))
        .flat_map(|part| part.split(" và "))
        .map(|part| {
            part.split(|c: char| c.is_whitespace() || c == '.')
                .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
                .filter(|word| !word.is_empty())
                .collect::<Vec<&str>>()
        })
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether a part has a title and a name after it.
fn titled(words: &[&str]) -> Named {
    let folded: Vec<String> = words.iter().map(|word| without_diacritics(word)).collect();
    for (at, word) in folded.iter().enumerate() {
        let family = word == "dinh" && at > 0 && folded[at - 1] == "gia";
        let household = words[at].to_lowercase() == "hộ";
        if !(TITLES.contains(&word.as_str()) || family || household) || words.len() == at + 1 {
            continue;
        }
        let rest = &words[at + 1..];
        let house = at > 0 && matches!(folded[at - 1].as_str(), "nha" | "ho" | "dat");
        let capital = rest[0].chars().next().is_some_and(char::is_uppercase);
        let name = (2..=rest.len().min(5)).any(|len| form(&rest[..len]) != Named::Nobody);
        if name || house && capital {
            return Named::Titled;
        }
    }
    Named::Nobody
}

/// Whether the words are a surname and the rest of a name.
fn form(words: &[&str]) -> Named {
    static WITH_MARKS: LazyLock<HashSet<&str>> = LazyLock::new(|| words_of(SURNAMES));
    static FOLDED: LazyLock<HashSet<String>> =
        LazyLock::new(|| SURNAMES.split_whitespace().map(without_diacritics).collect());
    static PLACES_TOO: LazyLock<HashSet<&str>> = LazyLock::new(|| words_of(AMBIGUOUS));
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        HONOURED.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).collect()
    });
    if !(2..=5).contains(&words.len()) {
        return Named::Nobody;
    }
    let folded: Vec<String> = words.iter().map(|word| without_diacritics(word)).collect();
    let marked = words.iter().any(|word| !word.is_ascii());
    let surname = match words[0].to_lowercase() {
        short if short == "ng" => true,
        written if marked => WITH_MARKS.contains(written.as_str()),
        _ => FOLDED.contains(&folded[0]),
    };
    let capitals = words.iter().filter(|word| word.chars().next().is_some_and(char::is_uppercase)).count();
    let syllables = folded.iter().skip(1).all(|word| is_plain_syllable(word) || word.len() == 1);
    let letters = words.iter().all(|word| word.chars().all(char::is_alphabetic));
    let cased = capitals == words.len() || capitals == 0;
    if !(surname && syllables && letters && cased) || KNOWN.contains(folded.join(" ").as_str()) {
        return Named::Nobody;
    }
    match words.len() {
        2 if PLACES_TOO.contains(folded[0].as_str()) => Named::Nobody,
        2 => Named::Short,
        _ => Named::Full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_are_told_from_those_of_places() {
        for person in [
            "Nguyễn Văn An",
            "TRẦN THỊ BÌNH",
            "Le Thi Hong Gam Nho",
            "Phạm Q. Minh",
            "Ng.Văn Tám",
            "12/3 Lê Lợi - Nguyễn Văn Tám",
            "Nguyễn Văn Bảy và Trần Thị Tám",
            "Huỳnh Thị Cẩm (đã mất)",
            "Vũ Thị Chợ",
        ] {
            assert_eq!(named(person), Named::Full, "{person}");
        }
        for titled in [
            "Hộ ông Trần Bảy",
            "Hộ Trần Văn Bảy",
            "nhà bà Tư, 12/3 Lê Lợi",
            "Ông Nguyễn Văn Tám",
            "ba Le Thi Sau Em",
        ] {
            assert_eq!(named(titled), Named::Titled, "{titled}");
        }
        for place in [
            "Nguyễn Huệ",
            "Lê Lợi",
            "Trần Hưng Đạo",
            "Nguyễn Thị Minh Khai",
            "Võ Văn Kiệt",
            "Nguyen Thi Minh Khai",
            "Phường Nguyễn Thái Bình",
            "THCS Lê Quý Đôn",
            "Trường Trần Văn Ơn",
            "12 Nguyễn Văn Tám, Phường 5",
            "Đường Nguyễn Văn Tám",
            "Hồ Trị An",
            "Hà Nội",
            "Lâm Đồng",
            "Cầu Ông Lãnh",
            "Chợ Bà Chiểu",
            "Đất ở tại đô thị",
            "Kim loại màu",
            "Bà Triệu",
            "",
        ] {
            assert_eq!(named(place), Named::Nobody, "{place}");
        }
    }
}
