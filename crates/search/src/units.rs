//! Communes, and wards and districts that no longer exist, from the built-in tables.

use std::sync::LazyLock;

use citymap_engine::{Bbox, Row};
use citymap_model::units::{self, Commune};

use crate::{
    builder::PhrasesBuilder,
    phrases::Phrases,
    words::{NameKind, Words, split_kind},
};

/// A unit of the built-in tables: a commune, or a ward or district that no longer exists.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) label: String,
    pub(crate) detail: String,
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
    let names: Vec<&str> = communes.iter().map(|commune| commune.name).collect();
    let detail = match names[..] {
        [one] => format!("nay thuộc {one}"),
        _ => format!("nay thuộc {} phường, xã: {}", names.len(), names.join(", ")),
    };
    let position = |code: &&str| units::communes().binary_search_by(|commune| commune.code.cmp(code)).ok();
    Some(Unit { label, detail, bbox, commune: None, communes: codes.iter().filter_map(position).collect() })
}

fn build() -> Units {
    let mut list: Vec<Unit> = units::communes()
        .iter()
        .enumerate()
        .map(|(position, commune)| Unit {
            label: commune.name.to_owned(),
            // The city's name, which its profile has.
            detail: String::new(),
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
}
