//! Lists of codes that a file keeps for its columns: domains of a File Geodatabase, enumerations of a
//! GeoPackage. The record has lists of its own only, so a note tells what the file says.

use std::collections::BTreeMap;

use gdal::{
    Dataset,
    vector::{LayerAccess, sql::Dialect},
};

use super::prepare::Opener;
use crate::{gdal_log, source::osm::unescaped};

/// Codes that a note shows.
const SHOWN: usize = 12;

/// The codes of a column, each with what it means.
type Codes = Vec<(String, String)>;

/// Notes on the columns of a layer whose codes the file explains.
pub(super) fn notes(opener: &Opener, dataset: &Dataset, driver: &str, layer: &str) -> Vec<String> {
    let columns = match driver {
        "GPKG" => of_geopackage(dataset, layer),
        "OpenFileGDB" => of_geodatabase(opener, dataset, layer),
        _ => BTreeMap::new(),
    };
    gdal_log::take();
    columns
        .into_iter()
        .filter(|(_, codes)| !codes.is_empty())
        .map(|(name, codes)| note(&name, &codes))
        .collect()
}

fn note(column: &str, codes: &[(String, String)]) -> String {
    let shown: Vec<String> =
        codes.iter().take(SHOWN).map(|(code, meaning)| format!("{code} = {meaning}")).collect();
    let more = if codes.len() > SHOWN { ", …" } else { "" };
    format!(
        "the file explains the {} codes of field `{column}`: {}{more}; the values stay codes, and `citymap \
         layer set LAYER --code-list {column}=LIST` gives them a list",
        codes.len(),
        shown.join(", ")
    )
}

/// The enumerations of a table in a GeoPackage (extension `gpkg_schema`).
fn of_geopackage(dataset: &Dataset, table: &str) -> BTreeMap<String, Codes> {
    let sql = format!(
        "SELECT c.column_name, k.value, coalesce(k.description, k.value) FROM gpkg_data_columns c JOIN \
         gpkg_data_column_constraints k ON k.constraint_name = c.constraint_name WHERE c.table_name = '{}' \
         AND k.constraint_type = 'enum' ORDER BY k.rowid",
        table.replace('\'', "''")
    );
    let mut columns: BTreeMap<String, Codes> = BTreeMap::new();
    // The tables are an extension, so most files have none.
    let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, Dialect::DEFAULT) else { return columns };
    for row in rows.features() {
        let text = |column| row.field_as_string(column).ok().flatten();
        if let (Some(column), Some(code), Some(meaning)) = (text(0), text(1), text(2)) {
            columns.entry(column).or_default().push((code, meaning));
        }
    }
    columns
}

/// The coded domains of a layer in a File Geodatabase: its definition names them, a system table holds them.
fn of_geodatabase(opener: &Opener, dataset: &Dataset, layer: &str) -> BTreeMap<String, Codes> {
    let mut columns = BTreeMap::new();
    let Some(definition) = definition(dataset, layer) else { return columns };
    let named: Vec<(String, String)> = elements(&definition, "GPFieldInfoEx")
        .filter_map(|field| Some((element(field, "Name")?, element(field, "DomainName")?)))
        .collect();
    if named.is_empty() {
        return columns;
    }
    let Ok(system) = opener.open_with("LIST_ALL_TABLES=YES") else { return columns };
    let Ok(mut items) = system.layer_by_name("GDB_Items") else { return columns };
    let Ok(position) = items.defn().field_index("Definition") else { return columns };
    for row in items.features() {
        let Some(domain) = row.field_as_string(position).ok().flatten() else { continue };
        if !domain.contains("GPCodedValueDomain2") {
            continue;
        }
        let Some(own) = element(&domain, "DomainName") else { continue };
        for (column, _) in named.iter().filter(|(_, name)| *name == own) {
            let codes = elements(&domain, "CodedValue")
                .filter_map(|value| Some((element(value, "Code")?, element(value, "Name")?)))
                .collect();
            columns.insert(column.clone(), codes);
        }
    }
    columns
}

fn definition(dataset: &Dataset, layer: &str) -> Option<String> {
    let sql = format!("GetLayerDefinition {layer}");
    let mut rows = dataset.execute_sql(sql, None, Dialect::DEFAULT).ok()??;
    rows.features().next()?.field_as_string(0).ok().flatten()
}

/// The contents of the elements of a name, none of which holds another of the same name.
fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    let mut rest = xml;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(&format!("<{name}"))?;
            rest = after;
            // `<Name>` is not `<NameX>`.
            if !after.starts_with(['>', ' ']) {
                continue;
            }
            let (_, inside) = after.split_once('>')?;
            let (content, after) = inside.split_once(&format!("</{name}>"))?;
            rest = after;
            return Some(content);
        }
    })
}

/// The text of the first element of a name.
fn element(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().map(|text| unescaped(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_whole_name() {
        let xml = "<A x='1'><Names>no</Names><Name>a &amp; b</Name></A><A><Name>c</Name></A>";
        assert_eq!(elements(xml, "A").count(), 2);
        let names: Vec<_> = elements(xml, "A").filter_map(|one| element(one, "Name")).collect();
        assert_eq!(names, ["a & b", "c"]);
        assert_eq!(element(xml, "B"), None);
    }
}
