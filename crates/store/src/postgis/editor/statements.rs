//! Edits as statements of their own, for a few rows.

use citymap_model::{Fid, FieldType, GeometryKind, Layer, Value};
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query::Query};

use crate::{
    StoreError,
    columns::FID,
    postgis::{accept::Accepted, entry::Entry, session::Session},
};

/// A row that is inserted or updated.
pub(super) struct RowWrite {
    pub(super) fid: Fid,
    /// Whether the layer's table has the row, so that it is updated.
    pub(super) there: bool,
    pub(super) feature: Accepted,
}

/// Deletes rows by their numbers. Gives how many there were.
pub(super) fn delete(session: &mut Session<'_>, entry: &Entry, fids: &[Fid]) -> Result<u64, StoreError> {
    if fids.is_empty() {
        return Ok(0);
    }
    let sql = format!("DELETE FROM {} WHERE {FID} = ANY($1)", entry.shape().live());
    session.ask(async |conn| {
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(fids);
        Ok(query.execute(conn).await?.rows_affected())
    })
}

/// Writes one row. Gives 1 if the table has changed; an update to equal values changes nothing.
pub(super) fn write(session: &mut Session<'_>, entry: &Entry, row: &RowWrite) -> Result<u64, StoreError> {
    let table = entry.shape().live();
    let columns = entry.quoted();
    let parameters: Vec<String> = (0..columns.len())
        .map(|index| {
            if entry.spatial() && index == 0 {
                "st_geomfromewkb($2)".to_owned()
            } else {
                format!("${}", index + 2)
            }
        })
        .collect();
    let sql = if !row.there {
        let parameters: String = parameters.iter().map(|parameter| format!(", {parameter}")).collect();
        format!("INSERT INTO {table} ({FID}{}) VALUES ($1{parameters})", entry.list(""))
    } else if columns.is_empty() {
        return Ok(0);
    } else {
        let set: Vec<String> = columns
            .iter()
            .zip(&parameters)
            .map(|(column, parameter)| format!("{column} = {parameter}"))
            .collect();
        format!(
            "UPDATE {table} SET {} WHERE {FID} = $1 AND ROW({})::record *<> ROW({})::record",
            set.join(", "),
            columns.join(", "),
            parameters.join(", ")
        )
    };
    session.ask(async |conn| {
        let query = bind(sqlx::query(AssertSqlSafe(sql)).persistent(false), &entry.layer, row);
        Ok(query.execute(conn).await?.rows_affected())
    })
}

/// Binds number, geometry and values as parameters.
fn bind<'q>(
    query: Query<'q, Postgres, PgArguments>,
    layer: &Layer,
    row: &RowWrite,
) -> Query<'q, Postgres, PgArguments> {
    let mut query = query.bind(row.fid);
    if layer.geometry != GeometryKind::None {
        query = query.bind(row.feature.bytes().map(<[u8]>::to_vec));
    }
    for (value, field) in row.feature.values.iter().zip(&layer.fields) {
        query = match value {
            Value::Null => match field.field_type {
                FieldType::Bool => query.bind(None::<bool>),
                FieldType::Int => query.bind(None::<i64>),
                FieldType::Real => query.bind(None::<f64>),
                FieldType::Text => query.bind(None::<String>),
                FieldType::Date => query.bind(None::<chrono::NaiveDate>),
                FieldType::DateTime => query.bind(None::<chrono::DateTime<chrono::Utc>>),
            },
            Value::Real(value) if value.is_nan() => query.bind(None::<f64>),
            Value::Bool(value) => query.bind(*value),
            Value::Int(value) => query.bind(*value),
            Value::Real(value) => query.bind(value + 0.0),
            Value::Text(value) => query.bind(value.clone()),
            Value::Date(value) => query.bind(*value),
            Value::DateTime(value) => query.bind(chrono::SubsecRound::trunc_subsecs(*value, 3)),
        };
    }
    query
}
