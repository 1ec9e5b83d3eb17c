use std::cmp::Ordering;

use citymap_model::{FeatureId, Fid, Value};
use rayon::slice::ParallelSliceMut;

use crate::{Column, Row, ValueRef};

/// Finds rows by key, and tells repeated keys apart (see [`FeatureId`]).
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyIndex {
    /// Rows with a key, by key, then by row (rows are in the order of their fids).
    order: Vec<Row>,
    /// Rows whose key an earlier row has, sorted.
    repeated: Vec<Row>,
}

fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    match (a, b) {
        (ValueRef::Real(a), ValueRef::Real(b)) => a.total_cmp(&b),
        (a, b) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

impl KeyIndex {
    pub(crate) fn build(keys: &Column, len: usize) -> Self {
        let mut order: Vec<Row> = (0..len as Row).filter(|&row| !keys.get(row).is_null()).collect();
        order.par_sort_unstable_by(|&a, &b| compare(keys.get(a), keys.get(b)).then(a.cmp(&b)));
        let mut repeated: Vec<Row> = order
            .windows(2)
            .filter(|pair| compare(keys.get(pair[0]), keys.get(pair[1])).is_eq())
            .map(|pair| pair[1])
            .collect();
        repeated.sort_unstable();
        Self { order, repeated }
    }

    pub(crate) fn id(&self, keys: &Column, row: Row, fid: Fid) -> FeatureId {
        match keys.get(row) {
            ValueRef::Null => FeatureId::KeyAndFid(String::new(), fid),
            key if self.is_repeated(row) => FeatureId::KeyAndFid(key.to_text(), fid),
            key => FeatureId::Key(key.to_text()),
        }
    }

    /// Whether an earlier row has the row's key.
    pub(crate) fn is_repeated(&self, row: Row) -> bool {
        self.repeated.binary_search(&row).is_ok()
    }

    /// The rows with this key, in the order of their fids.
    pub(crate) fn rows(&self, keys: &Column, key: &Value) -> &[Row] {
        let key = match key {
            Value::Null => return &[],
            Value::Bool(value) => ValueRef::Bool(*value),
            Value::Int(value) => ValueRef::Int(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value),
            Value::Date(value) => ValueRef::Date(*value),
            Value::DateTime(value) => ValueRef::DateTime(*value),
        };
        let start = self.order.partition_point(|&row| compare(keys.get(row), key).is_lt());
        let tail = &self.order[start..];
        &tail[..tail.partition_point(|&row| compare(keys.get(row), key).is_eq())]
    }

    /// The rows whose text key starts with `prefix`, by key.
    pub(crate) fn prefix<'a>(&'a self, keys: &'a Column, prefix: &'a str) -> impl Iterator<Item = Row> + 'a {
        let start = self.order.partition_point(|&row| compare(keys.get(row), ValueRef::Text(prefix)).is_lt());
        self.order[start..]
            .iter()
            .copied()
            .take_while(move |&row| keys.get(row).as_str().is_some_and(|key| key.starts_with(prefix)))
    }

    pub(crate) fn repeated(&self) -> usize {
        self.repeated.len()
    }
}
