//! The bounding box of the visible rows of a block, found without visiting most of them.
//!
//! After an edit the extent shrinks only if a hidden row touched its edge. Then each edge is searched in the
//! R-tree, which skips every node that cannot improve it.

use geo_index::rtree::{Node, RTreeIndex};

use super::{bits::Bits, block::BoxIndex, tree::Tree};
use crate::Bbox;

/// An inner node of the R-tree, or one of its items.
type TreeNode<'a> = Node<'a, f64, Tree>;

/// Whether a box touches an edge of the extent, so that the extent may shrink without it.
pub(crate) fn is_on_edge(bbox: &Bbox, extent: &Bbox) -> bool {
    (0..2).any(|axis| bbox.min[axis] <= extent.min[axis] || bbox.max[axis] >= extent.max[axis])
}

/// The bounding box of all rows that are not hidden.
pub(crate) fn of_shown(index: &BoxIndex, hidden: &Bits) -> Option<Bbox> {
    let tree = index.tree.as_ref()?;
    // Each edge as a value to minimise. The edge of a node is a lower bound for all items in it.
    let edges: [fn(&TreeNode<'_>) -> f64; 4] =
        [|node| node.min_x(), |node| node.min_y(), |node| -node.max_x(), |node| -node.max_y()];
    let [west, south, east, north] = edges.map(|edge| {
        let mut best = f64::INFINITY;
        find_min(&tree.root(), &edge, index, hidden, &mut best);
        best
    });
    west.is_finite().then(|| Bbox::new(west, south, -east, -north))
}

fn find_min(
    node: &TreeNode<'_>,
    edge: &impl Fn(&TreeNode<'_>) -> f64,
    index: &BoxIndex,
    hidden: &Bits,
    best: &mut f64,
) {
    if edge(node) >= *best {
        return;
    }
    match node.insertion_index() {
        Some(item) => {
            if !hidden.contains(index.row(item)) {
                *best = edge(node);
            }
        }
        None => {
            let mut children: Vec<_> = node.children().into_iter().flatten().collect();
            children.sort_unstable_by(|a, b| edge(a).total_cmp(&edge(b)));
            children.iter().for_each(|child| find_min(child, edge, index, hidden, best));
        }
    }
}
