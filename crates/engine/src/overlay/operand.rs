//! Which features of a layer take part in an overlay.

use citymap_model::Geometry;

use crate::{Filter, LayerSnapshot, Query, Row, TimeInterval};

/// A layer of an overlay, optionally restricted to some features.
#[derive(Clone, Debug)]
pub struct Operand<'a> {
    pub(crate) snapshot: &'a LayerSnapshot,
    query: Query,
    rows: Option<Vec<Row>>,
}

impl<'a> Operand<'a> {
    /// All features of a layer.
    pub fn new(snapshot: &'a LayerSnapshot) -> Self {
        Self { snapshot, query: Query::default(), rows: None }
    }

    /// Restricts the operand to features that are valid at some instant of `interval`.
    pub fn during(mut self, interval: Option<TimeInterval>) -> Self {
        self.query.time = interval;
        self
    }

    /// Restricts the operand to features that match all of these filters.
    pub fn filtered(mut self, filters: Vec<Filter>) -> Self {
        self.query.filters = filters;
        self
    }

    /// Restricts the operand to features that share a point with this geometry in WGS 84 degrees. They are
    /// not clipped to it.
    pub fn meeting(mut self, geometry: Option<Geometry>) -> Self {
        self.query.intersects = geometry;
        self
    }

    /// Restricts the operand to these rows.
    pub fn rows(mut self, rows: Vec<Row>) -> Self {
        self.rows = Some(rows);
        self
    }

    pub(crate) fn is_restricted(&self) -> bool {
        self.rows.is_some()
            || self.query.time.is_some()
            || self.query.intersects.is_some()
            || !self.query.filters.is_empty()
    }

    /// The rows that take part, in the order of their fids.
    pub(crate) fn list(&self) -> Vec<Row> {
        if !self.is_restricted() {
            return self.snapshot.rows().collect();
        }
        let mut rows = self.snapshot.select(&self.query).rows;
        if let Some(only) = &self.rows {
            let mut only = only.clone();
            only.sort_unstable();
            rows.retain(|row| only.binary_search(row).is_ok());
        }
        rows
    }

    /// The rows that take part, as a set to test single rows against.
    pub(crate) fn selected(&self) -> Selected {
        if !self.is_restricted() {
            return Selected(None);
        }
        let mut flags = vec![false; self.snapshot.base().len() + self.snapshot.delta().len()];
        self.list().into_iter().for_each(|row| flags[row as usize] = true);
        Selected(Some(flags))
    }
}

/// The rows that take part; `None` for all of them.
#[derive(Debug)]
pub(crate) struct Selected(Option<Vec<bool>>);

impl Selected {
    #[inline]
    pub(crate) fn has(&self, row: Row) -> bool {
        self.0.as_ref().is_none_or(|flags| flags[row as usize])
    }
}
