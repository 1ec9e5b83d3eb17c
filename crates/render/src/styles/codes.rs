//! The colours of a code list, and the hatchings that tell codes of one colour apart.

use std::collections::BTreeMap;

use citymap_model::{Field, codes::Code};

use super::palette::Palette;
use crate::styles::Rgb;

/// The hatchings of `tiles/sprites`, in the order in which codes of one colour receive them; the first code
/// of a colour stays plain.
pub(crate) const HATCHINGS: [&str; 9] =
    ["diagonal", "dots", "antidiagonal", "horizontal", "vertical", "grid", "cross", "dashes", "wide"];

/// How one code is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodeLook<'a> {
    pub(crate) code: &'a Code,
    /// The colour that is seen: opaque, so that nothing below changes it.
    pub(crate) color: Rgb,
    /// The hatching over it, as the sprite calls it after `hatch-`.
    pub(crate) hatching: Option<&'static str>,
}

/// How the codes of a field are drawn. The law gives many uses the same colour: from the second code of a
/// colour on each gets a hatching, so that the first ten differ; later ones repeat a hatching and differ by
/// their label.
///
/// Codes without an official colour are not listed, unless none has one: then they get those that the palette
/// has for layers of no known kind.
pub(crate) fn looks<'a>(field: &'a Field, palette: &Palette) -> Vec<CodeLook<'a>> {
    let codes = field.codes();
    let is_official = codes.iter().any(|code| code.color.is_some());
    let mut used: BTreeMap<Rgb, usize> = BTreeMap::new();
    let mut looks = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        let color = if is_official {
            // A colour that cannot be read counts as none: `model` checks the built-in lists.
            let Some(color) = code.color.as_deref().and_then(|text| text.parse::<Rgb>().ok()) else {
                continue;
            };
            color
        } else if palette.others.is_empty() {
            palette.no_code
        } else {
            palette.others[index % palette.others.len()]
        };
        let before = used.entry(color).or_insert(0);
        let hatching = before.checked_sub(1).map(|number| HATCHINGS[number % HATCHINGS.len()]);
        *before += 1;
        let color = color.toned(palette.ground, palette.code_strength);
        looks.push(CodeLook { code, color, hatching });
    }
    looks
}

/// The codes of each hatching, in the order of [`HATCHINGS`].
pub(crate) fn hatched<'a>(looks: &[CodeLook<'a>]) -> Vec<(&'static str, Vec<&'a str>)> {
    let of = |hatching: &'static str| {
        let codes = looks.iter().filter(|look| look.hatching == Some(hatching));
        (hatching, codes.map(|look| look.code.code.as_str()).collect::<Vec<_>>())
    };
    HATCHINGS.into_iter().map(of).filter(|(_, codes)| !codes.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use citymap_model::{Domain, FieldType, Title};

    use super::*;
    use crate::styles::palette::{Appearance, Palettes};

    #[test]
    fn codes_of_one_colour_get_hatchings() {
        let palettes = Palettes::with(None).unwrap();
        let field = Field::new("use", FieldType::Text).coded("land_use");
        let looks = looks(&field, palettes.of(Appearance::Light));
        let official = field.codes().iter().filter(|code| code.color.is_some()).count();
        assert_eq!(looks.len(), official);
        let salmon: Vec<_> =
            looks.iter().filter(|look| look.code.color.as_deref() == Some("#FFAAA0")).collect();
        assert!(salmon.len() > 9);
        assert_eq!(salmon[0].hatching, None);
        assert_eq!(salmon[1].hatching, Some("diagonal"));
        assert!(salmon.iter().all(|look| look.color == salmon[0].color));
        let hatched = hatched(&looks);
        assert!(hatched.iter().map(|(_, codes)| codes.len()).sum::<usize>() < looks.len());
        assert!(hatched[0].1.contains(&salmon[1].code.code.as_str()));
    }

    #[test]
    fn codes_without_official_colours_get_ours() {
        let palettes = Palettes::with(None).unwrap();
        let palette = palettes.of(Appearance::Light);
        let codes = (0..10).map(|n| Code::new(n.to_string(), Title::default())).collect();
        let field = Field::new("risk", FieldType::Text).within(Domain::Codes(codes));
        let looks = looks(&field, palette);
        assert_eq!(looks.len(), 10);
        assert_ne!(looks[0].color, looks[1].color);
        assert_eq!((looks[8].color, looks[8].hatching), (looks[0].color, Some("diagonal")));
    }
}
