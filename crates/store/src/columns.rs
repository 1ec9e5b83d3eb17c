//! Names in SQL: fields keep theirs in the catalogue and get a safe one in the table.

use citymap_model::{Field, FieldType};

/// The column with the feature's number.
pub(crate) const FID: &str = "fid";
/// The column with the geometry.
pub(crate) const GEOM: &str = "geom";

/// A name as an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column name for each field: its own, or one with a number behind it where the own one is
/// taken. SQLite compares names without ASCII case; `rowid` and its like would hide the row's number.
pub(crate) fn names(fields: &[Field]) -> Vec<String> {
    names_within(fields, &["rowid", "_rowid_", "oid"], usize::MAX)
}

/// As [`names`], for PostgreSQL: it cuts names after 63 bytes, and has columns of its own in every table. `revision`
/// is a column of history tables.
pub(crate) fn postgres_names(fields: &[Field]) -> Vec<String> {
    names_within(fields, &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "revision"], 63)
}

/// The start of a name that has at most so many bytes.
pub(crate) fn cut(name: &str, longest: usize) -> &str {
    let mut end = name.len().min(longest);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

fn names_within(fields: &[Field], system: &[&str], longest: usize) -> Vec<String> {
    let mut taken: std::collections::HashSet<String> =
        [FID, GEOM, ""].iter().chain(system).map(|name| (*name).to_owned()).collect();
    // A name that is free goes to the field that has it, whatever stands before that field.
    let own: Vec<Option<String>> = fields
        .iter()
        .map(|field| {
            let fits = !field.name.contains('\0') && field.name.len() <= longest;
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
                        format!("{}{end}", cut(&stem, longest.saturating_sub(end.len())))
                    })
                    .find(|name| taken.insert(name.to_ascii_lowercase()))
                    .unwrap_or_default()
            })
        })
        .collect()
}

/// The SQL type of a field, in GeoPackage's words.
pub(crate) fn sql_type(field_type: FieldType) -> &'static str {
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
    fn long_names_are_cut_apart_and_between_letters() {
        let long = "đ".repeat(40);
        let fields: Vec<Field> = [long.clone(), format!("{long}1"), "xmin".to_owned(), "Revision".to_owned()]
            .map(|name| Field::new(name, FieldType::Text))
            .into();
        let stem = "đ".repeat(30);
        assert_eq!(
            postgres_names(&fields),
            [format!("{stem}_2"), format!("{stem}_3"), "xmin_2".to_owned(), "Revision_2".to_owned()]
        );
        assert_eq!(names(&fields)[0], long);
    }
}
