//! Cells of a GeoPackage that are not of the type of their column. SQLite keeps any value in any column;
//! GDAL reads a text in a column of whole numbers as 0, cuts a number in a `MEDIUMINT` to 32 bits, takes 7
//! for true, and drops a date that is not written as the format has them. The columns that hold such cells
//! are read here.

use std::{collections::BTreeMap, path::Path};

use citymap_model::{FieldType, Value, counted};
use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// A column with cells of other types.
#[derive(Debug)]
struct OddColumn {
    name: String,
    /// The type that all its cells fit.
    own: FieldType,
}

/// The columns with cells of other types, by their tables.
#[derive(Debug, Default)]
pub(super) struct OddCells {
    tables: BTreeMap<String, Vec<OddColumn>>,
    /// What there is to say of them.
    pub notes: Vec<String>,
}

/// What a column's cells are if they are not of its type, by what the type begins with.
const TYPES: [(&str, &str); 10] = [
    ("TINYINT", SHORT),
    ("SMALLINT", SHORT),
    ("MEDIUMINT", SHORT),
    ("INT", "typeof(c) NOT IN ('integer','null')"),
    ("BOOLEAN", "typeof(c) NOT IN ('integer','null') OR c NOT IN (0, 1)"),
    ("DATETIME", INSTANT),
    ("DATE", DAY),
    ("DOUBLE", REAL),
    ("FLOAT", REAL),
    ("REAL", REAL),
];
/// GDAL keeps 32 bits of these.
const SHORT: &str = "typeof(c) NOT IN ('integer','null') OR c NOT BETWEEN -2147483648 AND 2147483647";
/// Whole numbers above 2^53 lose digits as numbers with decimals.
const REAL: &str = "typeof(c) NOT IN ('real','integer','null') OR \
                    (typeof(c) = 'integer' AND c NOT BETWEEN -9007199254740992 AND 9007199254740992)";

/// A day that is not of the calendar is another one to SQLite.
const DAY: &str =
    "typeof(c) NOT IN ('text','null') OR (typeof(c) = 'text' AND trim(c) <> '' AND date(c) IS NOT c)";
/// SQLite takes some texts for instants that begin with no day.
const INSTANT: &str = "typeof(c) NOT IN ('text','null') OR (typeof(c) = 'text' AND trim(c) <> '' AND \
                       (datetime(c) IS NULL OR date(substr(c, 1, 10)) IS NOT substr(c, 1, 10)))";

/// How many cells of a column are what.
struct Counts {
    /// Not of the column's type.
    odd: f64,
    /// Texts of nothing but blanks.
    blank: f64,
    /// Other texts, and bytes.
    texts: f64,
    /// How many are numbers with decimals.
    reals: f64,
    /// Whole numbers that one with decimals would not hold.
    large: f64,
    /// The number of the first row whose cell is not of the column's type.
    first: i64,
}

impl Counts {
    const COLUMNS: usize = 6;

    fn sql(test: &str, name: &str) -> String {
        format!(
            "total({test}), total(typeof({name}) = 'text' AND trim({name}) = ''), \
             total(typeof({name}) IN ('text','blob') AND trim({name}) <> ''), total(typeof({name}) = \
             'real'), \
             total(typeof({name}) = 'integer' AND {name} NOT BETWEEN -9007199254740992 AND \
             9007199254740992), \
             ifnull(min(CASE WHEN {test} THEN rowid END), 0)"
        )
    }

    fn read(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            odd: row.get(at)?,
            blank: row.get(at + 1)?,
            texts: row.get(at + 2)?,
            reals: row.get(at + 3)?,
            large: row.get(at + 4)?,
            first: row.get(at + 5)?,
        })
    }

    /// The type that all cells fit; blanks are none.
    fn own(&self) -> FieldType {
        if self.texts > 0.0 || (self.reals > 0.0 && self.large > 0.0) {
            FieldType::Text
        } else if self.reals > 0.0 {
            FieldType::Real
        } else {
            FieldType::Int
        }
    }
}

/// A test of [`TYPES`] of the column of this name in place of `c`.
fn with_column(test: &str, name: &str) -> String {
    let own = |word: &str| if word == "c" { name.to_owned() } else { word.to_owned() };
    let is_word = |letter: char| letter.is_ascii_alphanumeric();
    let mut out = String::new();
    let mut rest = test;
    while !rest.is_empty() {
        let word = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        out.push_str(&own(&rest[..word]));
        rest = &rest[word..];
        let gap = rest.find(is_word).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        rest = &rest[gap..];
    }
    out
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The database, to be read only.
///
/// # Errors
/// [`rusqlite::Error`] if it cannot be opened.
fn connected(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

impl OddCells {
    /// Looks through the tables of a GeoPackage.
    ///
    /// # Errors
    /// [`rusqlite::Error`] if it cannot be read.
    pub(super) fn of(path: &Path) -> rusqlite::Result<Self> {
        let connection = connected(path)?;
        let mut found = Self::default();
        let sql = "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features','attributes')";
        let mut tables = connection.prepare(sql)?;
        let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for table in tables {
            if let Err(error) = found.table(&connection, table.clone()) {
                found.notes.push(format!(
                    "table `{table}`: it was not looked whether its cells are of the types of their columns \
                     ({error})"
                ));
            }
        }
        Ok(found)
    }

    fn table(&mut self, connection: &Connection, table: String) -> rusqlite::Result<()> {
        let mut columns =
            connection.prepare("SELECT name, upper(type) FROM pragma_table_info(?1) WHERE pk = 0")?;
        let columns = columns.query_map([&table], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let columns: Vec<(String, String)> = columns.collect::<Result<_, _>>()?;
        let tested: Vec<(String, String, bool)> = columns
            .into_iter()
            .filter_map(|(name, declared)| {
                let (start, test) = TYPES.iter().find(|(start, _)| declared.starts_with(start))?;
                let is_number = !matches!(*start, "BOOLEAN" | "DATE" | "DATETIME");
                Some((with_column(test, &quoted(&name)), name, is_number))
            })
            .collect();
        if tested.is_empty() {
            return Ok(());
        }
        let sums: Vec<String> =
            tested.iter().map(|(test, name, _)| Counts::sql(test, &quoted(name))).collect();
        let sql = format!("SELECT {} FROM {}", sums.join(", "), quoted(&table));
        let counts: Vec<Counts> = connection.query_row(&sql, [], |row| {
            (0..tested.len()).map(|at| Counts::read(row, at * Counts::COLUMNS)).collect()
        })?;
        for ((_, name, is_number), counts) in tested.into_iter().zip(counts) {
            if counts.odd == 0.0 {
                continue;
            }
            let own = counts.own();
            if own == FieldType::Text || !is_number {
                self.notes.push(format!(
                    "table `{table}`: {} not of the type of the column `{name}`, the first in the row with \
                     the number {}; it is {}, as the values are",
                    counted(counts.odd as u64, "cell is", "cells are"),
                    counts.first,
                    if own == FieldType::Text { "text" } else { "a number" }
                ));
            } else if counts.blank > 0.0 {
                self.notes.push(format!(
                    "table `{table}`: column `{name}` has empty texts in place of numbers, {}; they are null",
                    counted(counts.blank as u64, "cell", "cells")
                ));
            }
            self.tables.entry(table.clone()).or_default().push(OddColumn { name, own });
        }
        Ok(())
    }

    /// The type of a column that is read here.
    pub(super) fn type_of(&self, table: &str, name: &str) -> Option<FieldType> {
        self.tables.get(table)?.iter().find(|column| column.name == name).map(|column| column.own)
    }

    /// A reading of the columns of a table that are read here; `None` if there are none.
    ///
    /// # Errors
    /// [`rusqlite::Error`] if the database cannot be read again.
    pub(super) fn reading(&self, path: &Path, table: &str) -> rusqlite::Result<Option<CellReading<'_>>> {
        let Some(columns) = self.tables.get(table) else { return Ok(None) };
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!("SELECT {} FROM {} WHERE rowid = ?1", names.join(", "), quoted(table));
        Ok(Some(CellReading { connection: connected(path)?, sql, columns }))
    }
}

/// A reading of single cells.
pub(super) struct CellReading<'a> {
    connection: Connection,
    sql: String,
    columns: &'a [OddColumn],
}

impl CellReading<'_> {
    /// Puts the cells of a row in the place of what GDAL made of them. `names` are the names of the values.
    ///
    /// # Errors
    /// [`rusqlite::Error`] if the row cannot be read.
    pub(super) fn put_back(
        &self,
        row: Option<u64>,
        names: &[String],
        values: &mut [Value],
    ) -> rusqlite::Result<()> {
        let Some(row) = row.and_then(|row| i64::try_from(row).ok()) else { return Ok(()) };
        let mut statement = self.connection.prepare_cached(&self.sql)?;
        statement.query_row([row], |cells| {
            for (at, column) in self.columns.iter().enumerate() {
                let slot =
                    names.iter().position(|name| *name == column.name).and_then(|at| values.get_mut(at));
                if let Some(slot) = slot {
                    *slot = value(cells.get_ref(at)?, column.own);
                }
            }
            Ok(())
        })
    }
}

fn value(cell: ValueRef<'_>, own: FieldType) -> Value {
    let text = match cell {
        ValueRef::Null => return Value::Null,
        ValueRef::Integer(number) if own == FieldType::Int => return Value::Int(number),
        ValueRef::Integer(number) if own == FieldType::Real => return Value::Real(number as f64),
        ValueRef::Real(number) if own == FieldType::Real => return Value::Real(number),
        ValueRef::Text(text) if own != FieldType::Text && text.trim_ascii().is_empty() => return Value::Null,
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => citymap_model::format_real(number),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    Value::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_of_its_column() {
        assert_eq!(
            with_column("typeof(c) = 'c1' OR c IS 0", "\"a c\""),
            "typeof(\"a c\") = 'c1' OR \"a c\" IS 0"
        );
    }

    #[test]
    fn days_and_instants_are_told_from_other_texts() {
        let connection = Connection::open_in_memory().unwrap();
        let odd = |test: &str, value: &str| -> i64 {
            connection
                .query_row(
                    &format!("SELECT ({}) IS TRUE FROM (SELECT {value} AS v)", with_column(test, "v")),
                    [],
                    |row| row.get(0),
                )
                .unwrap()
        };
        for (value, day, instant) in [
            ("'2025-07-01'", 0, 0),
            ("'2025-02-31'", 1, 1),
            ("'01/07/2025'", 1, 1),
            ("'2025-07-01T08:30:15.5Z'", 1, 0),
            ("'2025-07-01 08:30'", 1, 0),
            ("'2025-02-31T08:30:00Z'", 1, 1),
            ("'2025-07-01T25:30:00Z'", 1, 1),
            ("'now'", 1, 1),
            ("'2460000'", 1, 1),
            ("20250701", 1, 1),
            ("' '", 0, 0),
            ("null", 0, 0),
        ] {
            assert_eq!((odd(DAY, value), odd(INSTANT, value)), (day, instant), "{value}");
        }
    }
}
