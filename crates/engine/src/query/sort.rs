//! Rows in the order of the values of fields, page by page.

use std::cmp::Ordering;

use citymap_model::{Fid, Value};

use super::select::{Page, Plan, Query};
use crate::{LayerSnapshot, Row, ValueRef};

/// A field by which rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Position of the field in the layer's definition.
    pub field: usize,
    /// Whether larger values come first.
    pub descending: bool,
}

/// The order of two values. Missing values come last in both directions, and so do numbers that are not
/// finite.
fn order(key: SortKey, a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    let is_missing = |value: ValueRef<'_>| match value {
        ValueRef::Null => true,
        ValueRef::Real(value) => !value.is_finite(),
        _ => false,
    };
    match (is_missing(a), is_missing(b)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
            if key.descending { order.reverse() } else { order }
        }
    }
}

impl LayerSnapshot {
    /// The rows that match the query in the order of [`Query::sort`], then of their fids.
    ///
    /// # Complexity
    /// Finds all rows that match, O(n), and sorts those of the page.
    pub(super) fn select_sorted(&self, query: &Query) -> (Page, Plan) {
        let limit = query.limit.unwrap_or(usize::MAX);
        let all =
            Query { sort: Vec::new(), sort_after: Vec::new(), after: None, limit: None, ..query.clone() };
        let (Page { mut rows, .. }, plan) = self.select_explained(&all);
        if let Some(after) = query.after {
            rows.retain(|&row| self.is_after(query, row, after));
        }
        let order = |a: &Row, b: &Row| {
            let orders = query
                .sort
                .iter()
                .map(|key| order(*key, self.value(*a, key.field), self.value(*b, key.field)));
            orders.fold(Ordering::Equal, Ordering::then).then_with(|| self.fid(*a).cmp(&self.fid(*b)))
        };
        if limit < rows.len() {
            rows.select_nth_unstable_by(limit, order);
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.sort_unstable_by(order);
        let next = rows.last().filter(|_| more).map(|&row| self.fid(row));
        (Page { rows, next }, plan)
    }

    /// Whether a row comes after the values of [`Query::sort_after`] and the fid `after`.
    fn is_after(&self, query: &Query, row: Row, after: Fid) -> bool {
        let values = query.sort_after.iter().chain(std::iter::repeat(&Value::Null));
        let mut orders = query
            .sort
            .iter()
            .zip(values)
            .map(|(key, value)| order(*key, self.value(row, key.field), value.into()));
        let order = orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        order.then(self.fid(row).cmp(&after)).is_gt()
    }
}
