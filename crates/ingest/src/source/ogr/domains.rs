//! What a file says of its columns besides their names and types: titles, units, and the values that they may
//! have. Domains of a File Geodatabase and of Esri JSON, the schema extension and the `CHECK` constraints of
//! a GeoPackage, and the schema next to a GML file.

mod check;
mod xsd;

use std::{collections::BTreeMap, path::Path};

use citymap_gpkg::data_columns::ColumnNotes;
use citymap_model::{Domain, Field, Title, ValueRange, codes::Code};
use gdal::{
    Dataset,
    vector::{LayerAccess, sql::Dialect},
};

use super::{esri_json, prepare::Opener};
use crate::{gdal_log, source::osm::unescaped};

/// Codes of a column that are read; more than a field can have, so that the refusal says that there are more.
const READ: usize = 20_000;

/// What a file says of a column.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ColumnFacts {
    pub title: Option<Title>,
    pub unit: Option<String>,
    /// As the file has it: not yet held against the type of the field.
    pub domain: Option<Domain>,
}

impl ColumnFacts {
    pub(super) fn codes(codes: impl Iterator<Item = (String, String)>) -> Self {
        let codes = codes.take(READ).map(|(code, text)| Code::new(code, Title::same(text)));
        let codes: Vec<Code> = codes.collect();
        Self { domain: (!codes.is_empty()).then_some(Domain::Codes(codes)), ..Self::default() }
    }
}

/// What a file says of columns, by their names.
pub(super) type Facts = BTreeMap<String, ColumnFacts>;

/// What a file says of the columns of a layer.
pub(super) fn facts(opener: &Opener, dataset: &Dataset, driver: &str, layer: &str, path: &Path) -> Facts {
    let facts = match driver {
        "GPKG" => {
            let mut facts = check::of_table(dataset, layer);
            merge(&mut facts, of_geopackage(dataset, layer));
            facts
        }
        "OpenFileGDB" => of_geodatabase(opener, dataset, layer),
        "ESRIJSON" => esri_json::facts(path).unwrap_or_default(),
        "GML" => xsd::beside(path),
        _ => Facts::new(),
    };
    gdal_log::take();
    facts
}

/// Takes over what `other` says; it counts before what is there.
fn merge(facts: &mut Facts, other: Facts) {
    for (name, own) in other {
        let there = facts.entry(name).or_default();
        there.title = own.title.or(there.title.take());
        there.unit = own.unit.or(there.unit.take());
        there.domain = own.domain.or(there.domain.take());
    }
}

/// Gives fields what the file says of their columns. `names` are those of the columns, in the order of the
/// fields.
pub(super) fn apply(facts: &Facts, names: &[String], fields: &mut [Field]) {
    for (field, name) in fields.iter_mut().zip(names) {
        // SQL does not tell case.
        let own = facts.get(name).or_else(|| {
            let lower = name.to_lowercase();
            facts.iter().find(|(other, _)| other.to_lowercase() == lower).map(|(_, own)| own)
        });
        let Some(own) = own else { continue };
        if let Some(title) = own.title.as_ref().filter(|title| title.vi != field.name) {
            field.title = title.clone();
        }
        field.unit = field.unit.take().or_else(|| own.unit.clone());
        field.domain = field.domain.take().or_else(|| own.domain.clone());
    }
}

/// A name or text as a literal of SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What the schema extension of a GeoPackage says: the title of a column, or else the name that is meant for
/// people, notes in the description, and the constraint.
fn of_geopackage(dataset: &Dataset, table: &str) -> Facts {
    let mut facts = Facts::new();
    let mut constraints: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // The tables are an extension, so most files have none. Their columns have had several names.
    let sql = format!("SELECT * FROM gpkg_data_columns WHERE lower(table_name) = lower({})", literal(table));
    let Ok(Some(mut rows)) = dataset.execute_sql(sql, None, Dialect::DEFAULT) else { return facts };
    for row in rows.features() {
        let text = |name: &str| {
            let value = row.field_as_string(row.field_index(name).ok()?).ok().flatten();
            value.filter(|text| !text.is_empty())
        };
        let Some(column) = text("column_name") else { continue };
        let notes = ColumnNotes::read(&text("description").unwrap_or_default());
        let title = text("title").or_else(|| text("name"));
        let title = title.map(|vi| match notes.en {
            Some(en) => Title::new(vi, en),
            None => Title::same(vi),
        });
        if let Some(constraint) = text("constraint_name") {
            constraints.entry(constraint).or_default().push(column.clone());
        }
        facts.insert(column, ColumnFacts { title, unit: notes.unit, domain: None });
    }
    for (constraint, columns) in constraints {
        let domain = constraint_of_geopackage(dataset, &constraint);
        for column in columns {
            if let Some(own) = facts.get_mut(&column) {
                own.domain.clone_from(&domain);
            }
        }
    }
    facts
}

/// A constraint of a GeoPackage as a domain.
fn constraint_of_geopackage(dataset: &Dataset, name: &str) -> Option<Domain> {
    let sql = format!(
        "SELECT * FROM gpkg_data_column_constraints WHERE constraint_name = {} ORDER BY rowid LIMIT {READ}",
        literal(name)
    );
    let mut rows = dataset.execute_sql(sql, None, Dialect::DEFAULT).ok()??;
    let mut codes = Vec::new();
    for row in rows.features() {
        let index = |names: &[&str]| names.iter().find_map(|name| row.field_index(name).ok());
        let text = |name: &str| row.field_as_string(index(&[name])?).ok().flatten();
        let number = |name: &str| row.field_as_string(index(&[name])?).ok().flatten()?.trim().parse().ok();
        let excluded = |names: &[&str]| {
            let said = index(names).and_then(|at| row.field_as_string(at).ok().flatten());
            said.is_some_and(|said| matches!(said.trim(), "0" | "false" | "FALSE"))
        };
        match text("constraint_type")?.to_lowercase().as_str() {
            "range" => {
                return Some(Domain::Range(ValueRange {
                    min: number("min"),
                    max: number("max"),
                    min_excluded: excluded(&["min_is_inclusive", "minIsInclusive"]),
                    max_excluded: excluded(&["max_is_inclusive", "maxIsInclusive"]),
                }));
            }
            "glob" => return text("value").map(Domain::Glob),
            "enum" => {
                if let Some(code) = text("value") {
                    codes.push((code, text("description").unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
    ColumnFacts::codes(codes.into_iter()).domain
}

/// The domains of a layer in a File Geodatabase: its definition names them, a system table holds them. The
/// column of subtypes has their names.
fn of_geodatabase(opener: &Opener, dataset: &Dataset, layer: &str) -> Facts {
    let mut facts = Facts::new();
    let Some(definition) = definition(dataset, layer) else { return facts };
    if let Some(column) = element(&definition, "SubtypeFieldName").filter(|name| !name.is_empty()) {
        let subtypes = elements(&definition, "Subtype")
            .filter_map(|own| Some((element(own, "SubtypeCode")?, element(own, "SubtypeName")?)));
        facts.insert(column, ColumnFacts::codes(subtypes));
    }
    let named: Vec<(String, String)> = elements(&definition, "GPFieldInfoEx")
        .filter_map(|field| Some((element(field, "Name")?, element(field, "DomainName")?)))
        .collect();
    if named.is_empty() {
        return facts;
    }
    let Ok(system) = opener.open_with("LIST_ALL_TABLES=YES") else { return facts };
    let Ok(mut items) = system.layer_by_name("GDB_Items") else { return facts };
    let Ok(position) = items.defn().field_index("Definition") else { return facts };
    for row in items.features() {
        let Some(text) = row.field_as_string(position).ok().flatten() else { continue };
        let Some(own) = element(&text, "DomainName") else { continue };
        for (column, _) in named.iter().filter(|(_, name)| *name == own) {
            let found = domain_of_geodatabase(&text);
            if found.domain.is_some() {
                facts.insert(column.clone(), found);
            }
        }
    }
    facts
}

fn domain_of_geodatabase(text: &str) -> ColumnFacts {
    if text.contains("GPCodedValueDomain2") {
        return ColumnFacts::codes(
            elements(text, "CodedValue")
                .filter_map(|value| Some((element(value, "Code")?, element(value, "Name")?))),
        );
    }
    if text.contains("GPRangeDomain2") {
        // A range of dates has texts that are no numbers, and is not kept.
        let number = |name: &str| element(text, name)?.parse::<f64>().ok();
        if let (Some(min), Some(max)) = (number("MinValue"), number("MaxValue")) {
            let range = ValueRange { min: Some(min), max: Some(max), ..ValueRange::default() };
            return ColumnFacts { domain: Some(Domain::Range(range)), ..ColumnFacts::default() };
        }
    }
    ColumnFacts::default()
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

    #[test]
    fn a_range_of_dates_in_a_geodatabase_is_left_out() {
        let range = |min: &str| {
            format!(
                "<GPRangeDomain2 xsi:type='typens:GPRangeDomain2'><DomainName>cao</DomainName>\
                 <MaxValue xsi:type='xs:double'>40</MaxValue><MinValue xsi:type='xs:double'>{min}</MinValue>\
                 </GPRangeDomain2>"
            )
        };
        let Some(Domain::Range(found)) = domain_of_geodatabase(&range("1.5")).domain else { panic!() };
        assert_eq!((found.min, found.max), (Some(1.5), Some(40.0)));
        assert_eq!(domain_of_geodatabase(&range("2020-01-01T00:00:00")).domain, None);
    }
}
