//! Communes, and wards and districts that no longer exist, from the built-in tables.

use std::sync::LazyLock;

use citymap_engine::{Bbox, Row};
use citymap_model::{
    Title, counted,
    units::{self, Commune},
};

use crate::{
    builder::PhrasesBuilder,
    phrases::Phrases,
    words::{NameKind, Words, split_kind},
};

/// A unit of the built-in tables: a commune, or a ward or district that no longer exists.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) label: String,
    /// What a former unit became; of a commune, empty: it is in the city, whose name its profile has.
    pub(crate) detail: Title,
    pub(crate) bbox: Bbox,
    /// The position in [`citymap_model::units::communes`]; `None` for a former unit.
    pub(crate) commune: Option<usize>,
    /// The communes that it is or was merged into, by their positions.
    pub(crate) communes: Vec<usize>,
}

/// All units and the index of their names.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) list: Vec<Unit>,
    pub(crate) names: Phrases,
}

static UNITS: LazyLock<Units> = LazyLock::new(build);

/// The built-in units, indexed at the first call.
pub(crate) fn all() -> &'static Units {
    &UNITS
}

fn bbox(commune: &Commune) -> Bbox {
    let [west, south, east, north] = commune.bbox;
    Bbox::new(west, south, east, north)
}

/// A former unit that was merged into the communes with these codes; `None` if none of them exists.
fn former(label: String, codes: &[&str]) -> Option<Unit> {
    let communes: Vec<&Commune> = codes.iter().filter_map(|code| units::commune(code)).collect();
    let bbox = communes.iter().map(|commune| bbox(commune)).reduce(Bbox::union)?;
    let detail = became(&communes);
    let position = |code: &&str| units::communes().binary_search_by(|commune| commune.code.cmp(code)).ok();
    Some(Unit { label, detail, bbox, commune: None, communes: codes.iter().filter_map(position).collect() })
}

/// What a former unit became: `nay thuộc Phường Sài Gòn`, `nay thuộc 2 phường, 1 xã: …`.
fn became(communes: &[&Commune]) -> Title {
    let names: Vec<&str> = communes.iter().map(|commune| commune.name).collect();
    let names = names.join(", ");
    if communes.len() == 1 {
        return Title::new(format!("nay thuộc {names}"), format!("now part of {names}"));
    }
    let (mut vi, mut en) = (Vec::new(), Vec::new());
    for (kind, word, [one, many]) in KINDS {
        let count = communes.iter().filter(|commune| commune.kind == kind).count();
        if count > 0 {
            vi.push(format!("{count} {word}"));
            en.push(counted(count, one, many));
        }
    }
    Title::new(
        format!("nay thuộc {}: {names}", vi.join(", ")),
        format!("now part of {}: {names}", en.join(" and ")),
    )
}

/// The kinds of communes, with the words for them.
const KINDS: [(&str, &str, [&str; 2]); 3] = [
    ("phuong", "phường", ["ward", "wards"]),
    ("xa", "xã", ["commune", "communes"]),
    ("dac_khu", "đặc khu", ["special zone", "special zones"]),
];

fn build() -> Units {
    let mut list: Vec<Unit> = units::communes()
        .iter()
        .enumerate()
        .map(|(position, commune)| Unit {
            label: commune.name.to_owned(),
            detail: Title::default(),
            bbox: bbox(commune),
            commune: Some(position),
            communes: vec![position],
        })
        .collect();
    let mut districts: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for unit in units::former_units() {
        // Côn Đảo was a district without wards.
        if unit.name != unit.district {
            list.extend(former(format!("{}, {}", unit.name, unit.district), &unit.new_codes));
        }
        match districts.iter_mut().find(|district| district.0 == unit.district_code) {
            Some(district) => district.2.extend(&unit.new_codes),
            None => districts.push((unit.district_code, unit.district, unit.new_codes.clone())),
        }
    }
    for (_, name, mut codes) in districts {
        codes.sort_unstable();
        codes.dedup();
        list.extend(former(name.to_owned(), &codes));
    }
    let mut builder = PhrasesBuilder::default();
    for (row, unit) in list.iter().enumerate() {
        let words = Words::of(&unit.label);
        let (kind, core) = split_kind(&words.text);
        let phrase = builder.phrase(kind, core, words.head - (words.text.len() - core.len()));
        builder.entry(phrase, 0, row as Row);
    }
    Units { list, names: builder.finish() }
}

/// The kind and bare name of a commune, for comparison with a layer's.
pub(crate) fn commune_name(commune: &Commune) -> (NameKind, String) {
    let words = Words::of(commune.name);
    let (kind, core) = split_kind(&words.text);
    (kind, core.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_old_and_new_is_listed_once() {
        // 168 communes, 441 wards (Côn Đảo had none), 38 districts.
        assert_eq!(all().list.len(), 168 + 441 + 38);
    }

    #[test]
    fn what_a_unit_became_is_counted_by_kind() {
        let became = |codes: &[&str]| {
            let communes: Vec<&Commune> = codes.iter().filter_map(|code| units::commune(code)).collect();
            assert_eq!(communes.len(), codes.len());
            became(&communes)
        };
        let one = became(&["26740"]);
        assert_eq!((&*one.vi, &*one.en), ("nay thuộc Phường Sài Gòn", "now part of Phường Sài Gòn"));
        let wards = became(&["26740", "26743"]);
        assert_eq!(wards.vi, "nay thuộc 2 phường: Phường Sài Gòn, Phường Bến Thành");
        assert_eq!(wards.en, "now part of 2 wards: Phường Sài Gòn, Phường Bến Thành");
        let rural = units::communes().iter().find(|commune| commune.kind == "xa").unwrap();
        let mixed = became(&["26740", rural.code]);
        assert!(mixed.vi.starts_with("nay thuộc 1 phường, 1 xã: "), "{mixed:?}");
        assert!(mixed.en.starts_with("now part of 1 ward and 1 commune: "), "{mixed:?}");
    }
}
