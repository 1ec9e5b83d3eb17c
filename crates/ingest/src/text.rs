//! Names: Vietnamese to plain ASCII, file names to layer names.

use citymap_model::{LayerId, text::without_diacritics};

/// The layer name of a text without any letter or digit of ASCII.
pub(crate) const NAMELESS: &str = "layer_";

/// A layer name out of any text: `Thửa đất 2025.v2` → `thua_dat_2025_v2`.
pub(crate) fn layer_name(text: &str) -> String {
    let mut name = String::new();
    for letter in without_diacritics(text).chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.to_owned()
    } else {
        format!("{NAMELESS}{name}")
    }
}

/// A layer id out of a name, cut to length; `taken` are ids that it must not be.
pub(crate) fn layer_id(name: &str, taken: &[LayerId]) -> Option<LayerId> {
    let cut: String = name.chars().take(60).collect();
    let candidates = std::iter::once(cut.clone()).chain((2..100).map(|number| format!("{cut}_{number}")));
    candidates
        .filter_map(|name| {
            name.parse()
                .or_else(|_| format!("layer_{name}").chars().take(63).collect::<String>().parse())
                .ok()
        })
        .find(|id: &LayerId| !taken.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_become_layer_names() {
        for (text, name) in [
            ("Thửa đất 2025.v2", "thua_dat_2025_v2"),
            ("ĐƯỜNG-Phố", "duong_pho"),
            ("2025", "layer_2025"),
            ("_x_", "x"),
            ("数据", "layer_"),
        ] {
            assert_eq!(layer_name(text), name);
            assert!(layer_id(&layer_name(text), &[]).is_some(), "{text}");
        }
        let taken = [layer_id("a", &[]).unwrap()];
        assert_eq!(layer_id("a", &taken).unwrap().as_str(), "a_2");
        assert_eq!(layer_id("gpkg_x", &[]).unwrap().as_str(), "layer_gpkg_x");
    }
}
