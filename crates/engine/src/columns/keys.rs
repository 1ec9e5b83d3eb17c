//! The index of keys, and the public identifiers that follow from keys.

use std::cmp::Ordering;

use citymap_model::Fid;
use rayon::slice::ParallelSliceMut;

use super::{
    bits::Bits,
    buffer::Buffer,
    column::{Column, ValueRef},
    spans::{NO_ROW, RowMap},
};
use crate::Row;

/// Finds the rows of a block by key, and marks rows that repeat a key (see [`citymap_model::FeatureId`]).
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyIndex {
    /// The rows that have a key, ordered by key, then by row, which is the order of fids.
    pub(crate) order: Buffer<Row>,
    /// Rows whose key a row with a lower fid has too. In a base only rows of the base count, in a delta all
    /// visible rows.
    pub(crate) repeated: Bits,
}

/// What [`KeyIndex::gather`] reads of a source block.
#[derive(Clone, Copy)]
pub(crate) struct KeyedRows<'a> {
    pub(crate) index: &'a KeyIndex,
    /// The values of the key field, by row.
    pub(crate) keys: &'a Column,
    /// The fids, by row, ascending.
    pub(crate) fids: &'a [Fid],
}

/// The total order of keys: −0 is below +0, and NaN has a place too.
pub(crate) fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    match (a, b) {
        (ValueRef::Real(a), ValueRef::Real(b)) => a.total_cmp(&b),
        (a, b) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

impl KeyIndex {
    /// Sorts the rows of a single block.
    pub(crate) fn build(keys: &Column, len: usize) -> Self {
        let mut order: Vec<Row> = (0..len as Row).filter(|&row| !keys.get(row).is_null()).collect();
        order.par_sort_unstable_by(|&a, &b| compare(keys.get(a), keys.get(b)).then(a.cmp(&b)));
        let mut repeated = Bits::default();
        for pair in order.windows(2) {
            if compare(keys.get(pair[0]), keys.get(pair[1])).is_eq() {
                repeated.insert(pair[1]);
            }
        }
        Self { order: order.into(), repeated }
    }

    /// The key order of the block that two blocks are merged into. Which keys are repeated is left to the
    /// caller. Fast if the second block is much smaller than the first.
    pub(crate) fn gather([first, second]: [KeyedRows<'_>; 2], map: &RowMap) -> Self {
        let mut order = Vec::with_capacity(first.index.order.len() + second.index.order.len());
        let mut rest = &*first.index.order;
        let push = |order: &mut Vec<Row>, rows: &[Row]| {
            order.extend(rows.iter().map(|&row| map.rows[0][row as usize]).filter(|&row| row != NO_ROW));
        };
        for &other in &*second.index.order {
            let to = map.rows[1][other as usize];
            if to == NO_ROW {
                continue;
            }
            let (key, fid) = (second.keys.get(other), second.fids[other as usize]);
            let before = |&row: &Row| {
                compare(first.keys.get(row), key).then_with(|| first.fids[row as usize].cmp(&fid)).is_lt()
            };
            let (sooner, later) = rest.split_at(rest.partition_point(before));
            push(&mut order, sooner);
            order.push(to);
            rest = later;
        }
        push(&mut order, rest);
        Self { order: order.into(), repeated: Bits::default() }
    }

    /// The rows with this key in the order of their fids; empty for null.
    pub(crate) fn rows(&self, keys: &Column, key: ValueRef<'_>) -> &[Row] {
        if key.is_null() {
            return &[];
        }
        let start = self.order.partition_point(|&row| compare(keys.get(row), key).is_lt());
        let tail = &self.order[start..];
        &tail[..tail.partition_point(|&row| compare(keys.get(row), key).is_eq())]
    }

    /// The rows whose text key starts with `prefix`, in key order.
    pub(crate) fn prefix<'a>(&'a self, keys: &'a Column, prefix: &'a str) -> impl Iterator<Item = Row> + 'a {
        let start = self.order.partition_point(|&row| compare(keys.get(row), ValueRef::Text(prefix)).is_lt());
        self.order[start..]
            .iter()
            .copied()
            .take_while(move |&row| keys.get(row).as_str().is_some_and(|key| key.starts_with(prefix)))
    }
}
