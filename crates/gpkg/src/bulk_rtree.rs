//! Fills an empty SQLite R-tree in one pass: sort-tile-recursive packing, written directly into the tables in
//! which SQLite keeps its nodes (`_node`, `_parent`, `_rowid`).
//!
//! A million single inserts take SQLite about 5 s, because each walks down the tree and splits nodes. Packed
//! nodes take a tenth of that, and queries on them are faster because the nodes are full and hardly overlap.
//! The format of a node is in the comment at the head of SQLite's `rtree.c`: two bytes of depth (root only),
//! two of the number of cells, then 8 bytes of id and four 4-byte coordinates for each cell, all big endian.
//! The tests let SQLite's own `rtreecheck` judge the result.

use rayon::prelude::*;
use rusqlite::{Connection, params};

use crate::columns::quoted;

/// The box of one feature in a spatial index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RtreeBox {
    /// The number of the feature.
    pub fid: i64,
    /// `[min x, max x, min y, max y]` in degrees, rounded outwards.
    pub bounds: [f32; 4],
}

/// Bytes of a cell in a node: an id and four coordinates.
const CELL: usize = 24;

/// The number of SQLite's root node.
const ROOT: i64 = 1;

/// Fills the R-tree `name`, which must be empty.
pub(crate) fn fill(conn: &Connection, name: &str, boxes: Vec<RtreeBox>) -> rusqlite::Result<()> {
    if boxes.is_empty() {
        return Ok(());
    }
    let table = |suffix: &str| quoted(&format!("{name}{suffix}"));
    let node_size: usize = conn.query_row(
        &format!("SELECT length(data) FROM {} WHERE nodeno = 1", table("_node")),
        [],
        |row| row.get(0),
    )?;
    // A tenth of each node is left free, because the first edit of a full node would split it.
    let capacity = (node_size.saturating_sub(4) / CELL * 9 / 10).max(2);

    let mut put_node = conn.prepare(&format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", table("_node")))?;
    let mut put_parent = conn.prepare(&format!("INSERT INTO {} VALUES (?1, ?2)", table("_parent")))?;
    let mut put_rowid =
        conn.prepare(&format!("INSERT INTO {} (rowid, nodeno) VALUES (?1, ?2)", table("_rowid")))?;

    let mut next = ROOT + 1;
    let mut level = boxes;
    let mut parents: Vec<(i64, i64)> = Vec::new();
    let mut leaf_of: Vec<(i64, i64)> = Vec::with_capacity(level.len());
    for depth in 0u16.. {
        let is_root = level.len() <= capacity;
        if !is_root {
            tile(&mut level, capacity);
        }
        let mut above = Vec::with_capacity(level.len() / capacity + 1);
        for cells in level.chunks(capacity) {
            let node = if is_root { ROOT } else { next };
            next += i64::from(!is_root);
            put_node.execute(params![node, encode(cells, if is_root { depth } else { 0 }, node_size)])?;
            let target = if depth == 0 { &mut leaf_of } else { &mut parents };
            target.extend(cells.iter().map(|cell| (cell.fid, node)));
            above.push(RtreeBox { fid: node, bounds: union(cells) });
        }
        if is_root {
            break;
        }
        level = above;
    }
    // In the order of the tables' keys, so that each page is written once.
    leaf_of.par_sort_unstable();
    parents.sort_unstable();
    for (id, node) in leaf_of {
        put_rowid.execute([id, node])?;
    }
    for (node, parent) in parents {
        put_parent.execute([node, parent])?;
    }
    Ok(())
}

/// Orders boxes so that each run of `capacity` of them is close together: vertical slices by x, each ordered
/// by y (Leutenegger, Lopez, Edgington: STR, 1997).
fn tile(boxes: &mut [RtreeBox], capacity: usize) {
    let nodes = boxes.len().div_ceil(capacity);
    let slices = nodes.isqrt().max(1);
    let slice = nodes.div_ceil(slices) * capacity;
    boxes.par_sort_unstable_by(|a, b| (a.bounds[0] + a.bounds[1]).total_cmp(&(b.bounds[0] + b.bounds[1])));
    boxes.par_chunks_mut(slice).for_each(|slice| {
        slice.sort_unstable_by(|a, b| (a.bounds[2] + a.bounds[3]).total_cmp(&(b.bounds[2] + b.bounds[3])));
    });
}

fn union(cells: &[RtreeBox]) -> [f32; 4] {
    let mut all = [f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY, f32::NEG_INFINITY];
    for RtreeBox { bounds, .. } in cells {
        all = [all[0].min(bounds[0]), all[1].max(bounds[1]), all[2].min(bounds[2]), all[3].max(bounds[3])];
    }
    all
}

fn encode(cells: &[RtreeBox], depth: u16, node_size: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(node_size);
    data.extend_from_slice(&depth.to_be_bytes());
    // A node has at most 51 cells.
    data.extend_from_slice(&u16::try_from(cells.len()).unwrap_or(u16::MAX).to_be_bytes());
    for cell in cells {
        data.extend_from_slice(&cell.fid.to_be_bytes());
        for bound in cell.bounds {
            data.extend_from_slice(&bound.to_be_bytes());
        }
    }
    data.resize(node_size, 0);
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u16) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE VIRTUAL TABLE r USING rtree(id, minx, maxx, miny, maxy)").unwrap();
        let boxes = (0..count)
            .map(|index| {
                let (x, y) = (f32::from(index % 1000), f32::from(index.wrapping_mul(91) % 777));
                RtreeBox { fid: i64::from(index) * 3 + 1, bounds: [x, x + 1.5, y, y + 0.5] }
            })
            .collect();
        fill(&conn, "r", boxes).unwrap();
        conn
    }

    fn number(conn: &Connection, sql: &str) -> i64 {
        conn.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn sqlite_finds_nothing_wrong_with_packed_trees_of_every_depth() {
        for count in [0, 1, 2, 45, 46, 47, 51, 52, 500, 2025, 2026, 2116, 2117, 20_000] {
            let conn = filled(count);
            let verdict: String = conn.query_row("SELECT rtreecheck('r')", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok", "{count}");
            assert_eq!(number(&conn, "SELECT count(*) FROM r"), i64::from(count));
        }
    }

    #[test]
    fn a_window_finds_what_a_scan_finds() {
        let conn = filled(5000);
        let window = "maxx >= 100 AND minx <= 250 AND maxy >= 300 AND miny <= 400";
        let found = number(&conn, &format!("SELECT count(*) FROM r WHERE {window}"));
        let scanned = number(
            &conn,
            &format!(
                "SELECT count(*) FROM (SELECT * FROM r ORDER BY +id) WHERE +{}",
                window.replace("AND ", "AND +")
            ),
        );
        assert!(found > 0 && found == scanned, "{found} {scanned}");
    }

    #[test]
    fn a_packed_tree_takes_edits() {
        let conn = filled(3000);
        for id in (0..3000).step_by(7) {
            conn.execute("DELETE FROM r WHERE id = ?1", [id * 3 + 1]).unwrap();
            conn.execute("INSERT INTO r VALUES (?1, 5, 6, 5, 6)", [100_000 + id]).unwrap();
        }
        let verdict: String = conn.query_row("SELECT rtreecheck('r')", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
        assert_eq!(number(&conn, "SELECT count(*) FROM r"), 3000);
    }
}
