//! What people read in place of the names of columns: titles of a GeoPackage, aliases of other formats.

use std::collections::HashMap;

use gdal::{
    Dataset,
    vector::{LayerAccess, sql::Dialect},
};

use crate::gdal_log;

/// The titles of a table's columns in a GeoPackage (`gpkg_data_columns`): the title, or else the name that is
/// meant for people.
pub(super) fn of_geopackage(dataset: &Dataset, table: &str) -> HashMap<String, String> {
    let sql = format!(
        "SELECT column_name, coalesce(nullif(title, ''), name) FROM gpkg_data_columns \
         WHERE table_name = '{}'",
        table.replace('\'', "''")
    );
    let mut titles = HashMap::new();
    // The table is an extension, so most files have none.
    if let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, Dialect::DEFAULT) {
        for row in rows.features() {
            let text = |column| row.field_as_string(column).ok().flatten();
            if let (Some(column), Some(title)) = (text(0), text(1)) {
                titles.insert(column, title);
            }
        }
    }
    gdal_log::take();
    titles
}
