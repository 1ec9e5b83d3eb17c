//! The R-tree of a layer (GeoPackage's extension `gpkg_rtree_index`) and the triggers that keep it
//! and the feature count right when another program edits the file. Our own writes do without
//! them: they are dropped and made again inside the transaction, so that the file at rest has them.

use citymap_model::LayerId;
use rusqlite::{Connection, params};

use super::{
    blob::Bounds,
    bulk_rtree::{self, Box32},
    edited,
    failure::Failure,
};
use crate::columns::{FID, GEOM, quoted};

/// The name of a layer's R-tree.
pub(super) fn name(id: &LayerId) -> String {
    format!("rtree_{id}_{GEOM}")
}

/// Bounds as an R-tree holds them: rounded outwards, since an index may find too much but never
/// too little.
pub(super) fn rounded(bounds: Bounds) -> [f32; 4] {
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

/// Makes the R-tree and fills it.
pub(super) fn create(conn: &Connection, id: &LayerId, boxes: Vec<Box32>) -> Result<(), Failure> {
    let name = name(id);
    conn.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)",
        quoted(&name)
    ))?;
    bulk_rtree::fill(conn, &name, boxes)
}

/// Takes the R-tree away.
pub(super) fn drop(conn: &Connection, id: &LayerId) -> Result<(), Failure> {
    Ok(conn.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(&name(id))))?)
}

/// All boxes of the R-tree.
pub(super) fn boxes(conn: &Connection, id: &LayerId) -> Result<Vec<Box32>, Failure> {
    let mut statement =
        conn.prepare(&format!("SELECT id, minx, maxx, miny, maxy FROM {}", quoted(&name(id))))?;
    let mut rows = statement.query([])?;
    let mut boxes = Vec::new();
    while let Some(row) = rows.next()? {
        boxes.push(Box32 { id: row.get(0)?, bounds: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?] });
    }
    Ok(boxes)
}

/// Changes single boxes: `None` takes one out.
pub(super) fn change(
    conn: &Connection,
    id: &LayerId,
    changes: &[(i64, Option<[f32; 4]>)],
) -> Result<(), Failure> {
    let name = quoted(&name(id));
    let mut put = conn.prepare(&format!("INSERT OR REPLACE INTO {name} VALUES (?1, ?2, ?3, ?4, ?5)"))?;
    let mut take = conn.prepare(&format!("DELETE FROM {name} WHERE id = ?1"))?;
    for (fid, bounds) in changes {
        match bounds {
            Some([a, b, c, d]) => put.execute(params![fid, a, b, c, d])?,
            None => take.execute([fid])?,
        };
    }
    Ok(())
}

/// The names and texts of a layer's triggers: GeoPackage 1.3, annex F.3, and GDAL's counts.
pub(super) fn triggers(id: &LayerId, spatial: bool) -> Vec<(String, String)> {
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
    let take = format!("DELETE FROM {rtree} WHERE id = OLD.{fid};");
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
            take.clone(),
        ),
        (
            "update3",
            format!("AFTER UPDATE ON {table} WHEN OLD.{fid} != NEW.{fid} AND {filled}"),
            format!("{take} {put}"),
        ),
        (
            "update4",
            format!("AFTER UPDATE ON {table} WHEN OLD.{fid} != NEW.{fid} AND {empty}"),
            format!("DELETE FROM {rtree} WHERE id IN (OLD.{fid}, NEW.{fid});"),
        ),
        ("delete", format!("AFTER DELETE ON {table} WHEN OLD.{geom} NOT NULL"), take),
    ] {
        let name = format!("{}_{event}", name(id));
        let sql = format!("CREATE TRIGGER {} {when} BEGIN {then} END", quoted(&name));
        triggers.push((name, sql));
    }
    triggers
}

/// Drops these triggers, under whatever names GDAL and QGIS know for them; others are left alone.
pub(super) fn drop_triggers(conn: &Connection, id: &LayerId) -> Result<(), Failure> {
    let mut statement = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE")?;
    let names: Vec<String> =
        statement.query_map([id.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        let rtree = name.starts_with(&format!("rtree_{id}_"));
        if rtree
            || name.starts_with("trigger_insert_feature_count")
            || name.starts_with("trigger_delete_feature_count")
            || name.starts_with(edited::PREFIX)
        {
            conn.execute_batch(&format!("DROP TRIGGER {}", quoted(&name)))?;
        }
    }
    Ok(())
}

/// The triggers that a layer lacks.
pub(super) fn missing_triggers(
    conn: &Connection,
    id: &LayerId,
    spatial: bool,
) -> Result<Vec<String>, Failure> {
    // GDAL knows update1 in two parts.
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

/// Makes the triggers anew if another program took some of them away.
pub(super) fn mend_triggers(conn: &Connection, id: &LayerId, spatial: bool) -> Result<(), Failure> {
    if missing_triggers(conn, id, spatial)?.is_empty() {
        return Ok(());
    }
    drop_triggers(conn, id)?;
    create_triggers(conn, id, spatial)
}

/// Makes the triggers.
pub(super) fn create_triggers(conn: &Connection, id: &LayerId, spatial: bool) -> Result<(), Failure> {
    for (_, sql) in triggers(id, spatial) {
        conn.execute_batch(&sql)?;
    }
    edited::create(conn, id)
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
