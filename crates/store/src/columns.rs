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
    let mut taken: std::collections::HashSet<String> =
        [FID, GEOM, "rowid", "_rowid_", "oid", ""].into_iter().map(str::to_owned).collect();
    // A name that is free goes to the field that has it, whatever stands before that field.
    let own: Vec<Option<String>> = fields
        .iter()
        .map(|field| {
            let free = !field.name.contains('\0') && taken.insert(field.name.to_ascii_lowercase());
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
                    .map(|number| format!("{stem}_{number}"))
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
}
