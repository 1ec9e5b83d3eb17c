//! What fields are called in formats whose names are short and plain.

use citymap_model::Field;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::Format;

/// The longest name of a column of a .dbf, in bytes.
const DBF: usize = 10;
/// The longest name of a column of a MapInfo table, in bytes.
const MAPINFO: usize = 31;

/// The names of the fields in a file of a format: as they are where it takes them, else short, of plain
/// letters and all different.
pub(super) fn names(format: Format, fields: &[Field]) -> Vec<String> {
    let longest = match format {
        Format::Shapefile => DBF,
        Format::Tab | Format::Mif => MAPINFO,
        Format::Gpx => usize::MAX,
        _ => return fields.iter().map(|field| field.name.clone()).collect(),
    };
    let mut names: Vec<String> = Vec::new();
    for field in fields {
        let plain = if format == Format::Gpx { element(&field.name) } else { plain(&field.name) };
        let taken = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
        let candidates = std::iter::once(String::new()).chain((2..).map(|number| format!("_{number}")));
        let name = candidates
            .map(|suffix| format!("{}{suffix}", &plain[..plain.floor_char_boundary(longest - suffix.len())]))
            .find(|name| !taken(name));
        names.push(name.unwrap_or(plain));
    }
    names
}

/// A name of letters, digits and `_` of ASCII that begins with no digit: `Tên chủ` is `Ten_chu`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.nfd().filter(|letter| !is_combining_mark(*letter)) {
        plain.push(match letter {
            'đ' => 'd',
            'Đ' => 'D',
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        });
    }
    if plain.is_empty() || plain.starts_with(|first: char| first.is_ascii_digit()) {
        plain.insert(0, '_');
    }
    plain
}

/// A name that an element of XML can have: letters, digits, `_`, `-` and `.`, a letter or `_` first.
fn element(name: &str) -> String {
    let fits = |letter: char| {
        if letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.') { letter } else { '_' }
    };
    let name: String = name.chars().map(fits).collect();
    if name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
        name
    } else {
        format!("_{name}")
    }
}

/// The note about names that are others in the file; `None` if all are the same.
pub(super) fn note(fields: &[Field], names: &[String]) -> Option<String> {
    let others: Vec<String> = fields
        .iter()
        .zip(names)
        .filter(|(field, name)| field.name != **name)
        .map(|(field, name)| format!("`{}` is `{name}`", field.name))
        .collect();
    (!others.is_empty()).then(|| format!("fields have other names in the file: {}", others.join(", ")))
}

#[cfg(test)]
mod tests {
    use citymap_model::FieldType;

    use super::*;

    #[test]
    fn names_are_plain_short_and_different() {
        let fields: Vec<Field> =
            ["Tên", "ten", "TÊN", "Đường phố chính", "duong_pho_chinh_2", "2025", "数据", "fid"]
                .map(|name| Field::new(name, FieldType::Text))
                .to_vec();
        assert_eq!(
            names(Format::Shapefile, &fields),
            ["Ten", "ten_2", "TEN_3", "Duong_pho_", "duong_ph_2", "_2025", "__", "fid"]
        );
        assert_eq!(names(Format::Tab, &fields)[3], "Duong_pho_chinh");
        assert_eq!(names(Format::GeoJson, &fields)[0], "Tên");
        assert!(note(&fields, &names(Format::Tab, &fields)).unwrap().contains("`Tên` is `Ten`"));
        assert_eq!(note(&fields, &names(Format::FlatGeobuf, &fields)), None);
    }
}
