//! Names in SQL, as both stores write them. The rules are those of the GeoPackage format; PostgreSQL adds its
//! own.

use citymap_gpkg::columns::unique_names;
pub(crate) use citymap_gpkg::columns::{FID, GEOM, cut, names, quoted, sql_type};
use citymap_model::Field;

/// A column name for each field in PostgreSQL, which cuts names after 63 bytes and has columns of its own in
/// every table. `revision` is a column of the history tables.
pub(crate) fn postgres_names(fields: &[Field]) -> Vec<String> {
    unique_names(fields, &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "revision"], 63)
}

#[cfg(test)]
mod tests {
    use citymap_model::FieldType;

    use super::*;

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
