//! Names in SQL. A field may have any name; its column gets a name that the database takes.

use citymap_model::{Field, FieldType};

/// The column with the feature's number (fid).
pub const FID: &str = "fid";
/// The column with the feature's geometry.
pub const GEOM: &str = "geom";

/// A name as an SQL identifier: in double quotes, with double quotes doubled.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column name in a GeoPackage for each field, see [`unique_names`]. `rowid` and its synonyms would hide
/// the row's number and are not given.
pub fn names(fields: &[Field]) -> Vec<String> {
    unique_names(fields, &["rowid", "_rowid_", "oid"], usize::MAX)
}

/// The start of a name, at most `max_bytes` long, cut between characters.
pub fn cut(name: &str, max_bytes: usize) -> &str {
    let mut end = name.len().min(max_bytes);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A column name for each field, at most `max_bytes` long: the field's own name, or one with a number at its
/// end where that is reserved, too long, or taken by an earlier field. Names that differ only in ASCII case
/// count as the same, as they do in SQLite. `fid` and `geom` are always reserved.
pub fn unique_names(fields: &[Field], reserved: &[&str], max_bytes: usize) -> Vec<String> {
    let mut taken: std::collections::HashSet<String> =
        [FID, GEOM, ""].iter().chain(reserved).map(|name| (*name).to_owned()).collect();
    // A free name goes to the field that has it, even if an earlier field would be renamed to it.
    let own: Vec<Option<String>> = fields
        .iter()
        .map(|field| {
            let fits = !field.name.contains('\0') && field.name.len() <= max_bytes;
            let free = fits && taken.insert(field.name.to_ascii_lowercase());
            free.then(|| field.name.clone())
        })
        .collect();
    own.into_iter()
        .zip(fields)
        .map(|(own, field)| {
            own.unwrap_or_else(|| {
                let stem = field.name.replace('\0', "_");
                let stem = if stem.is_empty() { "field".to_owned() } else { stem };
                (2..)
                    .map(|number| {
                        let end = format!("_{number}");
                        format!("{}{end}", cut(&stem, max_bytes.saturating_sub(end.len())))
                    })
                    .find(|name| taken.insert(name.to_ascii_lowercase()))
                    .unwrap_or_default()
            })
        })
        .collect()
}

/// The SQL type of a field's column, in the terms of GeoPackage.
pub fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Bool => "BOOLEAN",
        FieldType::Int => "INTEGER",
        FieldType::Real => "REAL",
        FieldType::Text => "TEXT",
        FieldType::Date => "DATE",
        FieldType::DateTime => "DATETIME",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_its_name_unless_it_is_taken() {
        let fields: Vec<Field> = ["FID", "tên", "geom", "a", "A", "a_2", "", "x\"y", "rowid", "TÊN"]
            .map(|name| Field::new(name, FieldType::Text))
            .into();
        assert_eq!(
            names(&fields),
            ["FID_2", "tên", "geom_2", "a", "A_3", "a_2", "field_2", "x\"y", "rowid_2", "TÊN"]
        );
        assert_eq!(quoted("x\"y"), "\"x\"\"y\"");
    }

    #[test]
    fn long_names_are_cut_between_characters_and_told_apart() {
        let long = "đ".repeat(40);
        let fields: Vec<Field> =
            [long.clone(), format!("{long}1")].map(|name| Field::new(name, FieldType::Text)).into();
        let stem = "đ".repeat(30);
        assert_eq!(unique_names(&fields, &[], 63), [format!("{stem}_2"), format!("{stem}_3")]);
        assert_eq!(names(&fields)[0], long);
    }
}
