//! What a GeoPackage says of the columns of a table for people and programs, by the schema extension of the
//! format (`gpkg_schema`): titles, units, and which values a column may have.
//!
//! The extension has no place for a second language and for units. They stand in the description of a column,
//! a line each: `en: Area` and `unit: m²` ([`ColumnNotes`]).

use citymap_model::{Domain, Field, FieldType, Layer, LayerId, Title};
use rusqlite::{Connection, params};

use crate::GpkgError;

/// The tables of the extension; a file that has them keeps them.
const TABLES: &str = r"
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
  mime_type TEXT,
  constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
  min_is_inclusive BOOLEAN,
  max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
INSERT INTO gpkg_extensions SELECT name, NULL, 'gpkg_schema',
  'http://www.geopackage.org/spec130/#extension_schema', 'read-write'
  FROM (SELECT 'gpkg_data_columns' AS name UNION ALL SELECT 'gpkg_data_column_constraints')
  WHERE NOT EXISTS (SELECT 1 FROM gpkg_extensions WHERE table_name = name AND extension_name = 'gpkg_schema');
";

/// Creates the tables of the extension where they are missing, and declares it.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn create(conn: &Connection) -> Result<(), GpkgError> {
    Ok(conn.execute_batch(TABLES)?)
}

/// Writes titles, units and domains of the fields of a layer, whose columns have these names.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written, or the columns are described already ([`forget`]).
pub fn describe(conn: &Connection, layer: &Layer, columns: &[String]) -> Result<(), GpkgError> {
    let id = layer.id.as_str();
    let mut described =
        conn.prepare("INSERT INTO gpkg_data_columns VALUES (?1, ?2, ?3, ?4, ?5, NULL, ?6)")?;
    for (field, column) in layer.fields.iter().zip(columns) {
        let notes = ColumnNotes::of(field).to_description();
        let constraint = constrain(conn, id, field, column)?;
        if !field.title.is_empty() || field.name != *column || notes.is_some() || constraint.is_some() {
            let title = Some(field.title.get("vi")).filter(|title| !title.is_empty());
            described.execute(params![id, column, field.name, title, notes, constraint])?;
        }
    }
    Ok(())
}

/// Removes what is said of the columns of a layer.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn forget(conn: &Connection, id: &LayerId) -> Result<(), GpkgError> {
    let id = id.as_str();
    conn.execute("DELETE FROM gpkg_data_columns WHERE lower(table_name) = ?1", [id])?;
    conn.execute(
        "DELETE FROM gpkg_data_column_constraints \
         WHERE lower(substr(constraint_name, 1, length(?1) + 1)) = ?1 || '.'",
        [id],
    )?;
    Ok(())
}

/// Writes the domain of a field; gives the name of the constraint, if the field has one. Layers have no dot
/// in their ids, so that the name belongs to one column only.
fn constrain(conn: &Connection, id: &str, field: &Field, column: &str) -> Result<Option<String>, GpkgError> {
    let name = format!("{id}.{column}");
    let mut insert = conn
        .prepare_cached("INSERT INTO gpkg_data_column_constraints VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    match &field.domain {
        Some(Domain::Range(range)) => {
            let (min, max) = (!range.min_excluded, !range.max_excluded);
            insert.execute(params![
                name,
                "range",
                None::<&str>,
                range.min,
                min,
                range.max,
                max,
                None::<&str>
            ])?;
        }
        Some(Domain::Glob(pattern)) => {
            let none = None::<f64>;
            insert.execute(params![name, "glob", pattern, none, none, none, none, None::<&str>])?;
        }
        _ if field.codes().is_empty() => return Ok(None),
        _ => {
            let none = None::<f64>;
            for entry in field.codes() {
                // SQLite has no truths: a column of them holds 0 and 1.
                let code = match (field.field_type, entry.code.as_str()) {
                    (FieldType::Bool, "true") => "1",
                    (FieldType::Bool, "false") => "0",
                    (_, code) => code,
                };
                let text = Some(entry.title.get("vi")).filter(|text| !text.is_empty());
                insert.execute(params![name, "enum", code, none, none, none, none, text])?;
            }
        }
    }
    Ok(Some(name))
}

/// What the description of a column says in lines of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNotes {
    /// The title in English, where it is another than the title of the column.
    pub en: Option<String>,
    /// The unit of the numbers.
    pub unit: Option<String>,
}

impl ColumnNotes {
    fn of(field: &Field) -> Self {
        let Title { vi, en } = &field.title;
        Self {
            en: Some(en.clone()).filter(|en| !en.is_empty() && !vi.is_empty() && en != vi),
            unit: field.unit.clone(),
        }
    }

    fn to_description(&self) -> Option<String> {
        let lines = [("en", &self.en), ("unit", &self.unit)];
        let lines = lines.into_iter().filter_map(|(key, text)| Some(format!("{key}: {}", text.as_ref()?)));
        let lines: Vec<String> = lines.collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Reads a description. Lines that say neither are left to whoever wrote them.
    ///
    /// ```
    /// use citymap_gpkg::data_columns::ColumnNotes;
    ///
    /// let notes = ColumnNotes::read("en: Area\nunit: m²");
    /// assert_eq!((notes.en.as_deref(), notes.unit.as_deref()), (Some("Area"), Some("m²")));
    /// assert_eq!(ColumnNotes::read("Diện tích theo giấy tờ"), ColumnNotes::default());
    /// ```
    pub fn read(description: &str) -> Self {
        let said = |keys: &[&str]| {
            description.lines().find_map(|line| {
                let (key, text) = line.split_once(':')?;
                let key = key.trim().to_lowercase();
                Some(text.trim().to_owned()).filter(|text| keys.contains(&key.as_str()) && !text.is_empty())
            })
        };
        Self { en: said(&["en"]), unit: said(&["unit", "units", "đơn vị", "đơn vị tính", "đvt"]) }
    }
}

#[cfg(test)]
mod tests {
    use citymap_model::{GeometryKind, Role, ValueRange, codes::Code};

    use super::*;
    use crate::{PlainGeoPackage, schema::create_metadata, table};

    fn layer() -> Layer {
        let mut layer =
            Layer::new("thua".parse().unwrap(), Title::same("Thửa"), Role::Other, GeometryKind::None);
        let codes = ["1", "0"].map(|code| Code::new(code, Title::same(format!("mã {code}"))));
        let codes = Domain::Codes(codes.into()).fitted(FieldType::Bool).unwrap();
        let range =
            ValueRange { min: Some(0.0), max_excluded: true, max: Some(9.5), ..ValueRange::default() };
        layer.fields = vec![
            Field::new("co", FieldType::Bool).within(codes),
            Field::new("cao", FieldType::Real).titled("Cao", "Height").unit("m").within(Domain::Range(range)),
            Field::new("so", FieldType::Text).within(Domain::Glob("[0-9]*".into())),
            Field::new("loai", FieldType::Text).coded("road_class"),
            Field::new("tron", FieldType::Text),
        ];
        layer
    }

    #[test]
    fn what_is_said_of_columns_is_written_and_forgotten() {
        let conn = Connection::open_in_memory().unwrap();
        create_metadata(&conn).unwrap();
        create(&conn).unwrap();
        let layer = layer();
        let columns: Vec<String> = layer.fields.iter().map(|field| field.name.clone()).collect();
        describe(&conn, &layer, &columns).unwrap();
        let text = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
        let rows = "SELECT group_concat(c.column_name || ' ' || k.constraint_type || ' ' || \
                    coalesce(k.value, k.min || '..' || k.max || k.max_is_inclusive), '; ' ORDER BY k.rowid) \
                    FROM gpkg_data_columns c JOIN gpkg_data_column_constraints k USING (constraint_name) \
                    WHERE c.column_name != 'loai'";
        assert_eq!(text(rows), "co enum 1; co enum 0; cao range 0..9.50; so glob [0-9]*");
        let said = "SELECT title || '|' || description FROM gpkg_data_columns WHERE column_name = 'cao'";
        assert_eq!(text(said), "Cao|en: Height\nunit: m");
        let count = |sql: &str| -> i64 { conn.query_row(sql, [], |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT count(*) FROM gpkg_data_column_constraints"), 4 + 7);
        assert_eq!(count("SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'"), 2);
        assert_eq!(count("SELECT count(*) FROM gpkg_data_columns"), 4);
        forget(&conn, &"thu".parse().unwrap()).unwrap();
        assert_eq!(count("SELECT count(*) FROM gpkg_data_columns"), 4, "another layer");
        forget(&conn, &layer.id).unwrap();
        let left = "SELECT (SELECT count(*) FROM gpkg_data_columns) + \
                    (SELECT count(*) FROM gpkg_data_column_constraints)";
        assert_eq!(count(left), 0);
    }

    #[test]
    fn a_changed_definition_replaces_what_was_said() {
        let conn = Connection::open_in_memory().unwrap();
        create_metadata(&conn).unwrap();
        let mut layer = layer();
        let columns: Vec<String> = layer.fields.iter().map(|field| field.name.clone()).collect();
        table::create(&conn, &layer, &columns).unwrap();
        for field in &mut layer.fields {
            (field.domain, field.code_list) = (None, None);
        }
        layer.fields[4] = layer.fields[4].clone().within(Domain::Glob("x*".into()));
        table::retitle(&conn, &layer, &columns).unwrap();
        let sql = "SELECT group_concat(constraint_name || ' ' || value) FROM gpkg_data_column_constraints";
        let text: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(text, "thua.tron x*");
    }

    #[test]
    fn a_plain_file_says_what_its_columns_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        PlainGeoPackage::create(&path, &layer()).unwrap().finish().unwrap();
        let conn = Connection::open(&path).unwrap();
        let sql = "SELECT k.description FROM gpkg_data_columns c JOIN gpkg_data_column_constraints k \
                   USING (constraint_name) WHERE c.column_name = 'co' AND k.value = '1'";
        let text: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(text, "mã 1");
    }
}
