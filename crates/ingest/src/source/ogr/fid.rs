//! The column that numbers the rows of a table: a primary key, which GDAL keeps apart from the fields.

use gdal::{
    Dataset,
    vector::{LayerAccess, sql::Dialect},
};

use crate::Request;

/// Names that programs give such a column by themselves; `reject_fid` is ours.
const PLAIN: [&str; 3] = ["fid", "ogc_fid", "reject_fid"];

/// The numbering column of a layer.
pub(super) struct FidColumn {
    pub name: String,
    /// Whether it becomes a field: somebody gave it its name, or the request asks for it.
    pub kept: bool,
}

impl FidColumn {
    /// The numbering column of a layer, where its format has one.
    pub(super) fn of(dataset: &Dataset, driver: &str, layer: &str, request: &Request) -> Option<Self> {
        let name = match driver {
            "GPKG" => primary_key(dataset, layer)?,
            "OpenFileGDB" => object_id(dataset, layer)?,
            _ => return None,
        };
        let named = request.key.iter().chain(&request.personal).chain(&request.public);
        let asked = named.chain(request.meanings.iter().map(|(field, _)| field)).any(|field| *field == name);
        let kept = asked || !PLAIN.contains(&name.to_lowercase().as_str());
        Some(Self { name, kept })
    }
}

/// The integer primary key of a table of a GeoPackage; none of a view.
fn primary_key(dataset: &Dataset, table: &str) -> Option<String> {
    let sql = format!(
        "SELECT name FROM pragma_table_info('{}') WHERE pk = 1 AND upper(type) = 'INTEGER'",
        table.replace('\'', "''")
    );
    first_text(dataset, &sql)
}

/// The column `OBJECTID` of a File Geodatabase, by the name that the layer's definition gives.
fn object_id(dataset: &Dataset, layer: &str) -> Option<String> {
    let definition = first_text(dataset, &format!("GetLayerDefinition {layer}"))?;
    let (_, rest) = definition.split_once("<OIDFieldName>")?;
    let (name, _) = rest.split_once("</OIDFieldName>")?;
    (!name.is_empty()).then(|| name.to_owned())
}

fn first_text(dataset: &Dataset, sql: &str) -> Option<String> {
    let mut rows = dataset.execute_sql(sql, None, Dialect::DEFAULT).ok()??;
    rows.features().next()?.field_as_string(0).ok().flatten()
}
