//! `citymap doctor` for each layer: whether the table is what the catalogue says, and whether the history
//! fits it.

use std::collections::BTreeMap;

use citymap_model::{GeometryKind, counted};
use sqlx::{AssertSqlSafe, Error as Sql, Row as _};

use super::{
    connect::Database,
    failure,
    pool::Lease,
    read::{Shape, sql_type},
    reading::parse,
};
use crate::{
    columns::{FID, GEOM, quoted},
    report::Report,
};

/// The triggers that turn other programs' edits into revisions.
const TRIGGERS: [&str; 4] = ["citymap_enter", "citymap_insert", "citymap_update", "citymap_delete"];

/// The condition for a geometry that cannot be read, as `citymap.capture` refuses it.
const UNREADABLE: &str = "st_astext(geom) ~* 'circular|compound|curve|surface|tin|triangle' OR \
     st_astext(geom) ~ 'COLLECTION.*COLLECTION' AND citymap.nested_deep(st_astext(geom))";

/// A layer, and the counts that the catalogue has of it.
struct Entry {
    shape: Shape,
    revision: i64,
    count: i64,
    last_fid: i64,
}

/// Examines every layer of the catalogue.
pub(super) async fn all(database: &Database, lease: &mut Lease, report: &mut Report) -> Result<(), Sql> {
    const SQL: &str = "SELECT l.id, l.definition, l.columns, l.spatial, l.generation, l.history, l.revision, \
        l.count, coalesce(n.last_fid, 0) FROM citymap.layer l LEFT JOIN citymap.numbering n ON n.layer = \
        l.id ORDER BY l.id";
    let rows = sqlx::query(SQL).fetch_all(&mut **lease).await?;
    let mut known = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, definition): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        known.push(id.clone());
        let layer = match parse(database, &id, &definition) {
            Ok(layer) => layer,
            Err(error) => {
                report.error(error.to_string());
                continue;
            }
        };
        let shape = Shape {
            layer,
            columns: row.try_get(2)?,
            spatial: row.try_get(3)?,
            generation: row.try_get(4)?,
            history: row.try_get(5)?,
        };
        let entry =
            Entry { shape, revision: row.try_get(6)?, count: row.try_get(7)?, last_fid: row.try_get(8)? };
        let before = report.len();
        // A table that another program has made unreadable aborts the transaction, but not the report.
        sqlx::raw_sql("SAVEPOINT layer").execute(&mut **lease).await?;
        match one(lease, &entry, report).await {
            Ok(()) => {}
            Err(error) if failure::lost(&error) => return Err(error),
            Err(error) => {
                report.error(format!("layer `{id}` cannot be looked at: {}", failure::plain(&error)));
            }
        }
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT layer; RELEASE SAVEPOINT layer").execute(&mut **lease).await?;
        if report.len() == before {
            report
                .good(format!("layer `{id}`: {}, all in order", counted(entry.count, "feature", "features")));
        }
    }
    strangers(lease, &known, report).await
}

/// Reports tables in schema `city` that are not layers.
async fn strangers(lease: &mut Lease, known: &[String], report: &mut Report) -> Result<(), Sql> {
    const SQL: &str = "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'city' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relname = ANY ($1) \
         ORDER BY 1";
    let rows = sqlx::query(SQL).bind(known).fetch_all(&mut **lease).await?;
    for row in rows {
        report.warning(format!(
            "schema city holds `{}`, which is no layer of the catalogue: move it elsewhere, or import it as \
             a layer",
            row.try_get::<String, _>(0)?
        ));
    }
    Ok(())
}

async fn one(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    if !columns(lease, entry, report).await? {
        return Ok(());
    }
    indexes(lease, entry, report).await?;
    triggers(lease, entry, report).await?;
    if entry.shape.spatial {
        geometry(lease, entry, report).await?;
    }
    readers(lease, entry, report).await?;
    numbers(lease, entry, report).await?;
    history(lease, entry, report).await
}

/// Whether the table exists with the columns of the catalogue, so that the rest can be examined.
async fn columns(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<bool, Sql> {
    const SQL: &str = "SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a \
         JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped";
    let id = &entry.shape.layer.id;
    for (schema, table) in [("city", id.as_str()), ("history", entry.shape.history.as_str())] {
        let rows = sqlx::query(SQL).bind(schema).bind(table).fetch_all(&mut **lease).await?;
        let there: BTreeMap<String, String> =
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Sql>>()?;
        if there.is_empty() {
            report.error(format!(
                "layer `{id}` has no table {schema}.{table}; restore it from a backup, or import it again"
            ));
            return Ok(false);
        }
        let fields = entry.shape.columns.iter().zip(&entry.shape.layer.fields);
        let mut expected: Vec<(&str, &str)> =
            fields.map(|(column, field)| (column.as_str(), sql_type(field.field_type))).collect();
        expected.push((FID, "bigint"));
        if entry.shape.spatial {
            expected.push((GEOM, "geometry"));
        }
        for (column, wanted) in &expected {
            let wanted = if *wanted == "timestamptz" { "timestamp with time zone" } else { wanted };
            let qualified = format!(".{wanted}");
            match there.get(*column) {
                None => {
                    report.error(format!(
                        "table {schema}.{table} lacks the column `{column}` ({wanted}): another program took \
                         it away; add it again, or import the layer again"
                    ));
                    return Ok(false);
                }
                // The type has its schema before it if PostGIS is not on the search path.
                Some(found) if found != wanted && !found.ends_with(&qualified) => report.warning(format!(
                    "column `{column}` of {schema}.{table} is {found}, the catalogue says {wanted}: another \
                     program changed it; make it {wanted} again, or import the layer again"
                )),
                Some(_) => {}
            }
        }
        if schema == "city" {
            let more: Vec<&str> = there
                .keys()
                .map(String::as_str)
                .filter(|column| expected.iter().all(|(expected, _)| expected != column))
                .collect();
            if !more.is_empty() {
                report.warning(format!(
                    "table city.{table} has columns that the catalogue does not know, so that they are in \
                     no revision: {}",
                    more.join(", ")
                ));
            }
        }
    }
    Ok(true)
}

async fn indexes(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    const SQL: &str = "SELECT m.amname::text, i.indisprimary, a.attname::text, i.indisvalid AND i.indisready \
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam JOIN pg_attribute a ON \
        a.attrelid = t.oid AND a.attnum = i.indkey[0] WHERE n.nspname = 'city' AND t.relname = $1";
    let shape = &entry.shape;
    let id = &shape.layer.id;
    let rows = sqlx::query(SQL).bind(id.as_str()).fetch_all(&mut **lease).await?;
    let mut there = Vec::new();
    for row in &rows {
        let index: (String, bool, String, bool) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        there.push(index);
    }
    if !there.iter().any(|(_, primary, column, good)| *primary && column == FID && *good) {
        report.error(format!(
            "table city.{id} has no primary key on fid; run `ALTER TABLE city.\"{id}\" ADD PRIMARY KEY (fid)`"
        ));
    }
    if shape.spatial
        && !there.iter().any(|(method, _, column, good)| method == "gist" && column == GEOM && *good)
    {
        report.error(format!(
            "table city.{id} has no valid GiST index on geom; run `CREATE INDEX ON city.\"{id}\" USING gist \
             (geom)`"
        ));
    }
    if let Some(key) = shape.layer.key_index() {
        let column = &shape.columns[key];
        if !there.iter().any(|(method, _, indexed, good)| method == "btree" && indexed == column && *good) {
            report.warning(format!(
                "table city.{id} has no index on its key; run `CREATE INDEX ON city.\"{id}\" ({})`",
                quoted(column)
            ));
        }
    }
    Ok(())
}

async fn triggers(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    const SQL: &str = "SELECT t.tgname::text, t.tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = \
        t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'city' AND c.relname = $1 \
        AND NOT t.tgisinternal";
    let id = &entry.shape.layer.id;
    let rows = sqlx::query(SQL).bind(id.as_str()).fetch_all(&mut **lease).await?;
    let there: BTreeMap<String, String> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Sql>>()?;
    for trigger in TRIGGERS {
        match there.get(trigger).map(String::as_str) {
            Some("O" | "A") => {}
            Some(_) => report.error(format!(
                "the trigger {trigger} of city.{id} is disabled, so that edits by other programs are in no \
                 revision; run `ALTER TABLE city.\"{id}\" ENABLE TRIGGER {trigger}`"
            )),
            None => report.error(format!(
                "the trigger {trigger} of city.{id} is missing, so that edits by other programs are in no \
                 revision; import the layer again with --mode replace"
            )),
        }
    }
    Ok(())
}

async fn geometry(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    let id = &entry.shape.layer.id;
    let sql = "SELECT srid FROM geometry_columns WHERE f_table_schema = 'city' AND f_table_name = $1 \
         AND f_geometry_column = 'geom'";
    let srid = sqlx::query(sql).bind(id.as_str()).fetch_optional(&mut **lease).await?;
    let srid: Option<i32> = srid.map(|row| row.try_get(0)).transpose()?;
    if srid != Some(4326) {
        report.error(format!(
            "geom of city.{id} is declared with SRID {}, and must be 4326; another program changed it",
            srid.map_or("none".to_owned(), |srid| srid.to_string())
        ));
    }
    // Dimensions and types that another program may have written, where the column allows them.
    let found = ask(lease, format!("{} WHERE st_ndims(geom) > 2", first_of(&entry.shape.live()))).await?;
    if let (count, Some(first)) = found {
        report.warning(format!(
            "city.{id}: {} heights or measures, which are not read; the first is of feature {first}; \
             `ST_Force2D(geom)` takes them away",
            counted(count, "geometry has", "geometries have")
        ));
    }
    let tables = [
        (entry.shape.live(), ["feature", "features"]),
        (entry.shape.past(), ["former state", "former states"]),
    ];
    for (table, [one, many]) in tables {
        if let (count, Some(first)) = ask(lease, format!("{} WHERE {UNREADABLE}", first_of(&table))).await? {
            report.warning(format!(
                "{} in {table} with arcs, surfaces of patches or deeply nested collections, the first is of \
                 feature {first}: shown without geometry; `ST_CurveToLine(geom)` and \
                 `ST_CollectionHomogenize(geom)` mend such a feature",
                counted(count, one, many)
            ));
        }
    }
    let declared = entry.shape.layer.geometry;
    if declared == GeometryKind::None {
        report.error(format!(
            "layer `{id}` is declared without geometry, but the catalogue gives it a column geom"
        ));
    }
    Ok(())
}

/// The start of a query for how many rows a table has, and the lowest number of them.
fn first_of(table: &str) -> String {
    format!("SELECT count(*), min(fid) FROM {table}")
}

/// A count, and the lowest number of a feature that is counted.
async fn ask(lease: &mut Lease, sql: String) -> Result<(i64, Option<i64>), Sql> {
    let row = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_one(&mut **lease).await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Reports personal fields that readers may see.
async fn readers(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    const SQL: &str = "SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = format('city.%I', \
         $1::text)::regclass AND a.attname = ANY ($2) AND to_regrole('citymap_reader') IS NOT NULL AND \
         has_column_privilege(to_regrole('citymap_reader')::oid, a.attrelid, a.attnum, 'SELECT')";
    let id = &entry.shape.layer.id;
    let fields = entry.shape.columns.iter().zip(&entry.shape.layer.fields);
    let personal: Vec<&str> =
        fields.filter(|(_, field)| field.personal).map(|(column, _)| column.as_str()).collect();
    if personal.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(SQL).bind(id.as_str()).bind(&personal).fetch_all(&mut **lease).await?;
    let seen: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, Sql>>()?;
    if !seen.is_empty() {
        report.error(format!(
            "citymap_reader may read personal fields of city.{id}: {}; run `REVOKE ALL ON city.\"{id}\" FROM \
             citymap_reader` and grant the other columns",
            seen.join(", ")
        ));
    }
    Ok(())
}

/// Compares the counts, and the numbers that will be given next.
async fn numbers(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    let id = &entry.shape.layer.id;
    let sql =
        format!("SELECT count(*), coalesce(max(fid), 0), coalesce(min(fid), 1) FROM {}", entry.shape.live());
    let row = sqlx::query(AssertSqlSafe(sql)).persistent(false).fetch_one(&mut **lease).await?;
    let (count, highest, lowest): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if count != entry.count {
        report.error(format!(
            "layer `{id}` has {}, and had {} in revision {}: it was edited past its triggers, \
             which is in no revision",
            counted(count, "feature", "features"),
            entry.count,
            entry.revision
        ));
    }
    if highest > entry.last_fid || lowest < 1 {
        report.error(format!(
            "layer `{id}` has features from number {lowest} to {highest}, the highest number ever given is \
             {}",
            entry.last_fid
        ));
    }
    let sql = "SELECT pg_get_serial_sequence(format('city.%I', $1), 'fid') IS NOT NULL";
    let row = sqlx::query(sql).bind(id.as_str()).fetch_one(&mut **lease).await?;
    if !row.try_get::<bool, _>(0)? {
        report.error(format!(
            "fid of city.{id} is no identity column any more, so that other programs cannot add features; \
             run `ALTER TABLE city.\"{id}\" ALTER fid ADD GENERATED BY DEFAULT AS IDENTITY`"
        ));
    }
    Ok(())
}

async fn history(lease: &mut Lease, entry: &Entry, report: &mut Report) -> Result<(), Sql> {
    let shape = &entry.shape;
    let id = &shape.layer.id;
    let sql = format!(
        "SELECT (SELECT count(*) FROM {} h WHERE NOT EXISTS (SELECT FROM citymap.change c WHERE c.revision = \
         h.revision AND c.layer = $1)), (SELECT count(*) FROM citymap.added a WHERE a.layer = $1 AND a.last \
         > $2), (SELECT count_after FROM citymap.change c WHERE c.layer = $1 ORDER BY revision DESC, \
         position DESC LIMIT 1), (SELECT revision FROM citymap.change c WHERE c.layer = $1 ORDER BY revision \
         DESC, position DESC LIMIT 1)",
        shape.past()
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(id.as_str())
        .bind(entry.last_fid)
        .persistent(false)
        .fetch_one(&mut **lease)
        .await?;
    let (strays, beyond): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    if strays > 0 {
        report.error(format!(
            "{strays} former states of layer `{id}` belong to revisions that did not touch it"
        ));
    }
    if beyond > 0 {
        report.error(format!(
            "{beyond} ranges of added features of layer `{id}` go beyond the highest number given"
        ));
    }
    let (count, revision): (Option<i64>, Option<i64>) = (row.try_get(2)?, row.try_get(3)?);
    if (count, revision) != (Some(entry.count), Some(entry.revision)) {
        report.error(format!(
            "the log says that layer `{id}` was last touched by revision {revision:?} and has {count:?} \
             features, the catalogue says {} and {}",
            entry.revision, entry.count
        ));
    }
    Ok(())
}
