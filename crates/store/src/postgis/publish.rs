//! A table that was filled under another name becomes the layer's: the layer's former rows go to the history,
//! then the tables are swapped. If only a few rows differ, those are changed in place instead.

use citymap_model::{CityProfile, Layer};
use sqlx::Row as _;

use super::{
    entry::{self, Entry},
    schema::{self, GeometryColumn},
    session::Session,
};
use crate::{
    StoreError,
    columns::{FID, quoted},
    fit::{same_fields, same_shape, unfit},
};

/// How long to wait for readers of a table that is to be swapped.
pub(super) const SWAP_WAIT: &str = "SET LOCAL lock_timeout = '60s'";

/// How two tables of a layer differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Differences {
    /// Rows that are in both and differ.
    pub(super) changed: u64,
    /// Rows that are in the layer's table only.
    pub(super) removed: u64,
    /// Rows that are in the other table only, as far as the caller has counted them.
    pub(super) added: u64,
}

/// A number that makes a name in the database unique.
pub(super) fn next_name(session: &mut Session<'_>) -> Result<i64, StoreError> {
    let found = session.numbers("SELECT nextval('citymap.relation')", &[])?;
    Ok(found.map_or(0, |numbers| numbers[0]))
}

/// The declared type of a layer's geometry column.
pub(super) fn geometry_column(
    session: &mut Session<'_>,
    entry: &Entry,
) -> Result<GeometryColumn, StoreError> {
    if !entry.spatial() {
        return Ok(GeometryColumn::Kind);
    }
    let id = entry.layer.id.as_str();
    let stated = session.ask(async |conn| {
        sqlx::query(
            "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = \
             a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'city' AND c.relname \
             = $1 AND a.attname = 'geom'",
        )
        .bind(id)
        .fetch_optional(conn)
        .await?
        .map(|row| row.try_get::<String, _>(0))
        .transpose()
    })?;
    Ok(GeometryColumn::parse(&stated.unwrap_or_default()))
}

/// Locks a layer's table against writers but not against readers. A program that edits the table and waits
/// for this transaction holds a lock on it too; its wait times out soon, so a few attempts are made.
pub(super) fn lock(session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
    let sql = format!("LOCK TABLE city.{} IN SHARE ROW EXCLUSIVE MODE", quoted(entry.layer.id.as_str()));
    for _ in 0..8 {
        session.batch("SAVEPOINT citymap_lock")?;
        match session.batch(sql.clone()) {
            Err(StoreError::Busy { .. }) => session.batch("ROLLBACK TO SAVEPOINT citymap_lock")?,
            outcome => {
                outcome?;
                return session.batch("RELEASE SAVEPOINT citymap_lock");
            }
        }
    }
    session.batch(sql)
}

/// The SQL condition for equal rows; `o` is the layer's table, `n` the other one.
fn same_row(entry: &Entry) -> String {
    format!("ROW(o.{FID}{})::record *= ROW(n.{FID}{})::record", entry.list("o."), entry.list("n."))
}

/// The SQL condition that leaves out features that this revision has added in an earlier turn.
fn but_added(entry: &Entry) -> String {
    let id = entry.layer.id.as_str();
    // A layer's id has letters, digits and `_` only.
    format!(" AND NOT citymap.was_added('{id}', {}, {}, o.{FID})", entry.generation, entry.revision)
}

/// Finds the rows of a layer that differ in the table `name` or are missing there, and writes their numbers
/// into the temporary table `found`. Gives how many differ and how many are missing.
pub(super) fn find_differing(
    session: &mut Session<'_>,
    entry: &Entry,
    name: &str,
    found: &str,
) -> Result<Differences, StoreError> {
    session.batch(format!(
        "CREATE TEMPORARY TABLE {found} ON COMMIT DROP AS SELECT o.{FID}, n.{FID} IS NULL AS gone FROM \
         city.{} o LEFT JOIN city.{} n ON n.{FID} = o.{FID} WHERE n.{FID} IS NULL OR NOT {}; ANALYZE \
         pg_temp.{found}",
        quoted(entry.layer.id.as_str()),
        quoted(name),
        same_row(entry),
        found = quoted(found),
    ))?;
    let counted = session.numbers(
        format!(
            "SELECT count(*) FILTER (WHERE NOT gone), count(*) FILTER (WHERE gone) FROM pg_temp.{}",
            quoted(found)
        ),
        &[],
    )?;
    let number = |index: usize| {
        counted.as_ref().and_then(|counted| u64::try_from(counted[index]).ok()).unwrap_or_default()
    };
    Ok(Differences { changed: number(0), removed: number(1), added: 0 })
}

/// Writes the rows that [`find_differing`] found to the history. `again` says that this revision has touched
/// the layer before.
pub(super) fn keep_found(
    session: &mut Session<'_>,
    entry: &Entry,
    found: &str,
    again: bool,
) -> Result<(), StoreError> {
    // In the order of the history's key, so that its index grows only at the end.
    session
        .affect(
            format!(
                "INSERT INTO history.{} (revision, {FID}{}) SELECT $1, o.{FID}{} FROM city.{} o \
                 JOIN pg_temp.{} d ON d.{FID} = o.{FID} WHERE true{} ORDER BY o.{FID} ON CONFLICT DO NOTHING",
                quoted(&entry.history),
                entry.list(""),
                entry.list("o."),
                quoted(entry.layer.id.as_str()),
                quoted(found),
                if again { but_added(entry) } else { String::new() },
            ),
            &[entry.revision],
        )
        .map(|_| ())
}

/// Writes all rows of a layer to the history, because its table is dropped or gets other fields.
pub(super) fn keep_all(
    session: &mut Session<'_>,
    entry: &Entry,
    revision: i64,
    again: bool,
) -> Result<(), StoreError> {
    let entry = &Entry { revision, ..entry.clone() };
    session
        .affect(
            format!(
                "INSERT INTO history.{} (revision, {FID}{}) SELECT $1, o.{FID}{} FROM city.{} o WHERE true{} \
                 ON CONFLICT DO NOTHING",
                quoted(&entry.history),
                entry.list(""),
                entry.list("o."),
                quoted(entry.layer.id.as_str()),
                if again { but_added(entry) } else { String::new() },
            ),
            &[revision],
        )
        .map(|_| ())
}

/// Counts what differs between the layer as it is and the table `name` of the layer as it will be. If the
/// fields differ, values cannot be compared, and every row that stays counts as changed.
pub(super) fn count(
    session: &mut Session<'_>,
    before: &Entry,
    after: &Entry,
    name: &str,
) -> Result<Differences, StoreError> {
    let differs = if same_shape(&before.layer, &after.layer) {
        format!("NOT {}", same_row(before))
    } else if same_fields(&before.layer, &after.layer) {
        let side = |entry: &Entry, of: &str| {
            let geom = if entry.spatial() { format!("{of}.geom") } else { "NULL::geometry".to_owned() };
            let columns: String =
                entry.columns.iter().map(|column| format!(", {of}.{}", quoted(column))).collect();
            format!("ROW({geom}{columns})::record")
        };
        format!("{} *<> {}", side(before, "o"), side(after, "n"))
    } else {
        "true".to_owned()
    };
    let found = session.numbers(
        format!(
            "SELECT count(*) FILTER (WHERE n.{FID} IS NOT NULL AND {differs}), count(*) FILTER (WHERE \
             n.{FID} IS NULL) FROM city.{} o LEFT JOIN city.{} n ON n.{FID} = o.{FID}",
            quoted(before.layer.id.as_str()),
            quoted(name)
        ),
        &[],
    )?;
    let number =
        |index: usize| found.as_ref().and_then(|found| u64::try_from(found[index]).ok()).unwrap_or_default();
    Ok(Differences { changed: number(0), removed: number(1), added: 0 })
}

/// Changes the rows of the layer's table to those of the table `name`, which has the same columns, where
/// [`find_differing`] found a difference, and adds the new ones. The triggers of the table write the history.
pub(super) fn change_in_place(
    session: &mut Session<'_>,
    entry: &Entry,
    name: &str,
    found: &str,
    differences: Differences,
) -> Result<(), StoreError> {
    let (table, other, found) = (quoted(entry.layer.id.as_str()), quoted(name), quoted(found));
    if differences.removed > 0 {
        session.affect(
            format!("DELETE FROM city.{table} o USING pg_temp.{found} d WHERE d.gone AND d.{FID} = o.{FID}"),
            &[],
        )?;
    }
    if differences.changed > 0 {
        let source =
            format!("(SELECT n.* FROM city.{other} n JOIN pg_temp.{found} d USING ({FID}) WHERE NOT d.gone)");
        update_from(session, entry, &source)?;
    }
    if differences.added > 0 {
        insert_from(session, entry, &format!("city.{other}"))?;
    }
    session.batch(format!("DROP TABLE city.{other}"))
}

/// Changes the rows of a layer that differ in `source`, a table of the same columns. Gives how many differed.
pub(super) fn update_from(session: &mut Session<'_>, entry: &Entry, source: &str) -> Result<u64, StoreError> {
    update_columns_from(session, entry, source, &entry.quoted())
}

/// As [`update_from`], but only these columns, quoted; the others stay as they are.
pub(super) fn update_columns_from(
    session: &mut Session<'_>,
    entry: &Entry,
    source: &str,
    columns: &[String],
) -> Result<u64, StoreError> {
    let set: Vec<String> = columns.iter().map(|column| format!("{column} = n.{column}")).collect();
    if set.is_empty() {
        return Ok(0);
    }
    let side = |of: &str| -> String { columns.iter().map(|column| format!(", {of}.{column}")).collect() };
    session.affect(
        format!(
            "UPDATE city.{} o SET {} FROM {source} n WHERE n.{FID} = o.{FID} AND NOT ROW(o.{FID}{})::record \
             *= ROW(n.{FID}{})::record",
            quoted(entry.layer.id.as_str()),
            set.join(", "),
            side("o"),
            side("n")
        ),
        &[],
    )
}

/// Adds the rows of `source` that the layer lacks. Gives how many there were.
pub(super) fn insert_from(session: &mut Session<'_>, entry: &Entry, source: &str) -> Result<u64, StoreError> {
    let table = quoted(entry.layer.id.as_str());
    session.affect(
        format!(
            "INSERT INTO city.{table} ({FID}{}) SELECT n.{FID}{} FROM {source} n \
             WHERE NOT EXISTS (SELECT FROM city.{table} o WHERE o.{FID} = n.{FID}) ORDER BY n.{FID}",
            entry.list(""),
            entry.list("n."),
        ),
        &[],
    )
}

/// What a layer has before a filled table becomes its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the layer is new.
    NoTable,
    /// A table, which is dropped.
    Table,
}

/// Makes the filled table `name` the layer's, with indexes, triggers, titles and view.
pub(super) fn publish(
    session: &mut Session<'_>,
    entry: &Entry,
    name: &str,
    geometry: GeometryColumn,
    before: Before,
) -> Result<(), StoreError> {
    session.batch(schema::index(entry, name))?;
    session.batch(format!("ANALYZE city.{}", quoted(name)))?;
    let mut grants = Vec::new();
    if before == Before::Table {
        refuse_views(session, &entry.layer)?;
        grants = granted(session, entry)?;
        session.batch(SWAP_WAIT)?;
        session.batch(schema::drop(&entry.layer))?;
    }
    let home = home_srid(session)?;
    session.batch(format!(
        "ALTER TABLE city.{} RENAME TO {}; {} {} {} {} {}",
        quoted(name),
        quoted(entry.layer.id.as_str()),
        schema::triggers(entry),
        schema::comments(entry),
        schema::view(entry, geometry, home),
        schema::share(entry)?,
        grants.join(" ")
    ))
}

/// The EPSG code of the city's home grid, on which the schema `city_vn2000` shows layers.
fn home_srid(session: &mut Session<'_>) -> Result<u32, StoreError> {
    let body = session.ask(async |conn| {
        sqlx::query_scalar::<_, Option<String>>("SELECT body FROM citymap.document WHERE name = $1")
            .bind(CityProfile::DOCUMENT)
            .fetch_optional(conn)
            .await
    })?;
    // A profile that cannot be read is told where it is read for itself; the views are then on the built-in
    // grid.
    let profile = body.flatten().and_then(|body| serde_json::from_str::<CityProfile>(&body).ok());
    Ok(profile.map_or(CityProfile::builtin().crs, |profile| profile.crs))
}

/// Makes the views in `city_vn2000` anew that are on another grid than the city's home grid.
///
/// # Errors
/// [`StoreError::Schema`] if other programs' views show one of them.
pub(super) fn renew_home_views(session: &mut Session<'_>) -> Result<(), StoreError> {
    const OTHERS: &str = "SELECT f_table_name::text FROM public.geometry_columns \
                          WHERE f_table_schema = 'city_vn2000' AND srid <> $1 ORDER BY 1";
    let home = home_srid(session)?;
    let srid = i32::try_from(home).unwrap_or(i32::MAX);
    let names =
        session.ask(async |conn| sqlx::query_scalar::<_, String>(OTHERS).bind(srid).fetch_all(conn).await)?;
    for id in names.iter().filter_map(|name| name.parse().ok()) {
        let Some(entry) = entry::load(session, &id)? else { continue };
        refuse_views(session, &entry.layer)?;
        let geometry = geometry_column(session, &entry)?;
        let grants = granted(session, &entry)?;
        session.batch(SWAP_WAIT)?;
        session.batch(format!(
            "{} {} {} {}",
            schema::drop_view(&entry.layer),
            schema::view(&entry, geometry, home),
            schema::share(&entry)?,
            grants.join(" ")
        ))?;
    }
    Ok(())
}

/// The views of other programs over a layer's table or one of its views.
pub(super) fn foreign_views(session: &mut Session<'_>, layer: &Layer) -> Result<Vec<String>, StoreError> {
    let id = layer.id.as_str();
    session.ask(async |conn| {
        sqlx::query(
            "WITH ours AS (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
             n.nspname IN ('city', 'city_vn2000', 'city_public') AND c.relname = $1) SELECT DISTINCT \
             r.ev_class::regclass::text FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid WHERE \
             d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN \
             (SELECT oid FROM ours) AND r.ev_class NOT IN (SELECT oid FROM ours)",
        )
        .bind(id)
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect()
    })
}

/// Refuses to drop a table over which other programs have views.
pub(super) fn refuse_views(session: &mut Session<'_>, layer: &Layer) -> Result<(), StoreError> {
    let views = foreign_views(session, layer)?;
    if views.is_empty() {
        return Ok(());
    }
    Err(unfit(
        layer,
        &format!(
            "its table cannot be replaced or taken away while views in the database show it ({}); drop them \
             first, and make them again afterwards",
            views.join(", ")
        ),
    ))
}

/// The privileges of others on a layer's table and view, as `GRANT` statements for the table that takes its
/// place. Those of `citymap_reader` follow from the definition ([`schema::share`]).
fn granted(session: &mut Session<'_>, entry: &Entry) -> Result<Vec<String>, StoreError> {
    let (id, spatial) = (entry.layer.id.as_str(), entry.spatial());
    session.ask(async |conn| {
        sqlx::query(
            "SELECT format('GRANT %s ON %I.%I TO %s%s;', a.privilege_type, n.nspname, c.relname, \
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, \
             CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a \
             WHERE (n.nspname IN ('city', 'city_public') OR $2 AND n.nspname = 'city_vn2000') \
             AND c.relname = $1 AND a.grantee <> c.relowner \
             AND a.grantee IS DISTINCT FROM to_regrole('citymap_reader')::oid",
        )
        .bind(id)
        .bind(spatial)
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect()
    })
}

/// Copies a layer's table into one whose geometry column takes every type of its kind, and swaps the two.
/// (`ALTER COLUMN` would make the table empty for readers that see an earlier moment.)
pub(super) fn rebuild(session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
    lock(session, entry)?;
    let name = schema::unique(&entry.layer, next_name(session)?);
    session.batch(schema::create(entry, &name, GeometryColumn::Kind))?;
    session.batch(format!(
        "INSERT INTO city.{} ({FID}{}) SELECT {FID}{} FROM city.{} ORDER BY {FID}",
        quoted(&name),
        entry.list(""),
        entry.list(""),
        quoted(entry.layer.id.as_str())
    ))?;
    publish(session, entry, &name, GeometryColumn::Kind, Before::Table)
}

/// Drops the index over the key.
pub(super) fn drop_key_index(session: &mut Session<'_>, entry: &Entry) -> Result<(), StoreError> {
    let id = entry.layer.id.as_str();
    let names: Vec<String> = session.ask(async |conn| {
        sqlx::query(
            "SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid \
             JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
             WHERE n.nspname = 'city' AND t.relname = $1 AND i.relname ~ '~[0-9]+_key$'",
        )
        .bind(id)
        .fetch_all(conn)
        .await?
        .iter()
        .map(|row| row.try_get(0))
        .collect()
    })?;
    names.iter().try_for_each(|name| session.batch(format!("DROP INDEX city.{}", quoted(name))))
}
