//! The box around what is to be seen of a block, found without looking at most of it.

use geo_index::rtree::{Node, RTreeIndex};

use super::{bits::Bits, block::BoxIndex, tree::Tree};
use crate::Bbox;

/// A node of the index, or one of the boxes in it.
type TreeNode<'a> = Node<'a, f64, Tree>;

/// Whether a box reaches an edge of the extent that it lies in, so that the extent may shrink without it.
pub(crate) fn is_on_edge(bbox: &Bbox, extent: &Bbox) -> bool {
    (0..2).any(|axis| bbox.min[axis] <= extent.min[axis] || bbox.max[axis] >= extent.max[axis])
}

/// The box around all rows that are not hidden.
pub(crate) fn of_shown(index: &BoxIndex, hidden: &Bits) -> Option<Bbox> {
    let tree = index.tree.as_ref()?;
    // Each edge as something to be small: a node's own edge bounds those of all in it.
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
