//! The spatial index of a layer (GeoPackage's extension `gpkg_rtree_index`) and the triggers that keep it and
//! the feature count right when another program edits the file.
//!
//! The index is an SQLite R-tree with one box for each geometry that is not empty. Writing many features does
//! without the triggers: the writer drops them, fills the index in one pass with [`create`], and makes them
//! again within the same transaction, so that the file at rest always has them.

use citymap_model::LayerId;
use rusqlite::{Connection, params};

use crate::{
    GpkgError, RtreeBox,
    blob::Bounds,
    bulk_rtree,
    columns::{FID, GEOM, quoted},
};

/// The name of a layer's R-tree.
pub fn name(id: &LayerId) -> String {
    format!("rtree_{id}_{GEOM}")
}

/// Bounds as an R-tree holds them: 32-bit numbers, rounded outwards, since an index may find too much but
/// never too little.
pub fn rounded(bounds: Bounds) -> [f32; 4] {
    let [min_x, max_x, min_y, max_y] = bounds;
    [down(min_x), up(max_x), down(min_y), up(max_y)]
}

fn down(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value { near.next_down() } else { near }
}

fn up(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

/// Creates the R-tree of a layer and fills it in one pass.
///
/// # Errors
/// [`GpkgError::Sqlite`] if there is one, or it cannot be written.
///
/// # Performance
/// O(n log n) for n boxes, all of which are in memory: about half a second for a million, a tenth of single
/// inserts.
pub fn create(conn: &Connection, id: &LayerId, boxes: Vec<RtreeBox>) -> Result<(), GpkgError> {
    let name = name(id);
    conn.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)",
        quoted(&name)
    ))?;
    Ok(bulk_rtree::fill(conn, &name, boxes)?)
}

/// Drops the R-tree of a layer, if there is one.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn drop(conn: &Connection, id: &LayerId) -> Result<(), GpkgError> {
    Ok(conn.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&name(id))))?)
}

/// Reads all boxes of the R-tree, in no order.
///
/// # Errors
/// [`GpkgError::Sqlite`] if there is no R-tree.
pub fn boxes(conn: &Connection, id: &LayerId) -> Result<Vec<RtreeBox>, GpkgError> {
    let mut statement =
        conn.prepare(&format!("SELECT id, minx, maxx, miny, maxy FROM {}", quoted(&name(id))))?;
    let mut rows = statement.query([])?;
    let mut boxes = Vec::new();
    while let Some(row) = rows.next()? {
        let bounds = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
        boxes.push(RtreeBox { fid: row.get(0)?, bounds });
    }
    Ok(boxes)
}

/// Sets or removes (`None`) the boxes of single features.
///
/// # Errors
/// [`GpkgError::Sqlite`] if it cannot be written.
pub fn change(conn: &Connection, id: &LayerId, changes: &[(i64, Option<[f32; 4]>)]) -> Result<(), GpkgError> {
    let name = quoted(&name(id));
    let mut put = conn.prepare(&format!("INSERT OR REPLACE INTO {name} VALUES (?1, ?2, ?3, ?4, ?5)"))?;
    let mut remove = conn.prepare(&format!("DELETE FROM {name} WHERE id = ?1"))?;
    for (fid, bounds) in changes {
        match bounds {
            Some([min_x, max_x, min_y, max_y]) => put.execute(params![fid, min_x, max_x, min_y, max_y])?,
            None => remove.execute([fid])?,
        };
    }
    Ok(())
}

/// The name and the SQL of each trigger of a layer: those of GeoPackage 1.3, annex F.3, and those that keep
/// GDAL's count of features.
pub fn triggers(id: &LayerId, spatial: bool) -> Vec<(String, String)> {
    let table = quoted(id.as_str());
    let mut triggers = Vec::new();
    for (event, sign) in [("insert", '+'), ("delete", '-')] {
        let name = format!("trigger_{event}_feature_count_{id}");
        let sql = format!(
            "CREATE TRIGGER {} AFTER {} ON {table} BEGIN UPDATE gpkg_ogr_contents SET feature_count = \
             feature_count {sign} 1 WHERE lower(table_name) = lower('{id}'); END",
            quoted(&name),
            event.to_ascii_uppercase()
        );
        triggers.push((name, sql));
    }
    if !spatial {
        return triggers;
    }
    let rtree = quoted(&name(id));
    let (fid, geom) = (quoted(FID), quoted(GEOM));
    let filled = format!("(NEW.{geom} NOT NULL AND NOT ST_IsEmpty(NEW.{geom}))");
    let empty = format!("(NEW.{geom} ISNULL OR ST_IsEmpty(NEW.{geom}))");
    let put = format!(
        "INSERT OR REPLACE INTO {rtree} VALUES (NEW.{fid}, ST_MinX(NEW.{geom}), ST_MaxX(NEW.{geom}), \
         ST_MinY(NEW.{geom}), ST_MaxY(NEW.{geom}));"
    );
    let remove = format!("DELETE FROM {rtree} WHERE id = OLD.{fid};");
    for (event, when, then) in [
        ("insert", format!("AFTER INSERT ON {table} WHEN {filled}"), put.clone()),
        (
            "update1",
            format!("AFTER UPDATE OF {geom} ON {table} WHEN OLD.{fid} = NEW.{fid} AND {filled}"),
            put.clone(),
        ),
        (
            "update2",
            format!("AFTER UPDATE OF {geom} ON {table} WHEN OLD.{fid} = NEW.{fid} AND {empty}"),
            remove.clone(),
        ),
        (
            "update3",
            format!("AFTER UPDATE ON {table} WHEN OLD.{fid} != NEW.{fid} AND {filled}"),
            format!("{remove} {put}"),
        ),
        (
            "update4",
            format!("AFTER UPDATE ON {table} WHEN OLD.{fid} != NEW.{fid} AND {empty}"),
            format!("DELETE FROM {rtree} WHERE id IN (OLD.{fid}, NEW.{fid});"),
        ),
        ("delete", format!("AFTER DELETE ON {table} WHEN OLD.{geom} NOT NULL"), remove),
    ] {
        let name = format!("{}_{event}", name(id));
        let sql = format!("CREATE TRIGGER {} {when} BEGIN {then} END", quoted(&name));
        triggers.push((name, sql));
    }
    triggers
}

/// Whether a trigger of a layer's table is one of those that [`triggers`] makes, also under the names that
/// GDAL and QGIS give them.
pub fn is_format_trigger(id: &LayerId, trigger: &str) -> bool {
    trigger.starts_with(&format!("rtree_{id}_"))
        || trigger.starts_with("trigger_insert_feature_count")
        || trigger.starts_with("trigger_delete_feature_count")
}

/// The names of the triggers that a layer lacks.
///
/// # Errors
/// [`GpkgError::Sqlite`] if the file cannot be read.
pub fn missing_triggers(conn: &Connection, id: &LayerId, spatial: bool) -> Result<Vec<String>, GpkgError> {
    // A trigger counts if its name begins with ours: GDAL splits `update1` in two.
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, length(?1)) = ?1",
    )?;
    let mut missing = Vec::new();
    for (name, _) in triggers(id, spatial) {
        if !statement.exists([&name])? {
            missing.push(name);
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_grow_outwards_and_never_shrink() {
        for value in [106.698, -106.698, 0.1, 0.0, 10.772_5, 1e-40, 16_777_217.0] {
            assert!(f64::from(down(value)) <= value && f64::from(up(value)) >= value, "{value}");
            assert!(up(value) <= down(value).next_up(), "{value}");
        }
    }
}
