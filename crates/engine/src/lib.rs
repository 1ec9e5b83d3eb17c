//! Columnar layer snapshots with a packed R-tree and exact predicates.
