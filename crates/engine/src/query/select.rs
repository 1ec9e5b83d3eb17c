//! Selection of rows by box, geometry, filters, time and fid, page by page.

use std::cell::Cell;

use citymap_model::{Fid, Geometry, Value};
use geo::Intersects;

use super::{rows::RowsByFid, sort::SortKey, valid::TimeInterval};
use crate::{
    Bbox, Cancel, Filter, LayerSnapshot, Row,
    filter::{Extent, PreparedFilter},
};

/// Which rows are wanted. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The geometry shares a point with this box (WGS 84 degrees).
    pub bbox: Option<Bbox>,
    /// The geometry shares a point with this one (WGS 84 degrees).
    pub intersects: Option<Geometry>,
    /// Features without geometry, or with an empty one, meet the box and the geometry too.
    pub shapeless: bool,
    /// Conditions on fields, all of which must hold.
    pub filters: Vec<Filter>,
    /// Valid at some instant of the interval. A layer without valid time is always valid.
    pub time: Option<TimeInterval>,
    /// Only these rows; each counts once.
    pub only: Option<Vec<Row>>,
    /// The order of the rows; by fid if there is none.
    pub sort: Vec<SortKey>,
    /// Only rows that come after the one with this fid: [`Page::next`] of the page before.
    pub after: Option<Fid>,
    /// The values of the fields of `sort` that the row of `after` had on the page before. They decide, so
    /// that no other row is missed or repeated if that row has changed in the meantime.
    pub sort_after: Vec<Value>,
    /// Maximum number of rows; `None` for all.
    pub limit: Option<usize>,
    /// Ends the selection early. The page is then incomplete, and the caller must check the flag.
    pub cancel: Cancel,
}

/// Rows in the order of the query, and where the next page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows in the order of the query.
    pub rows: Vec<Row>,
    /// The fid to set as [`Query::after`] for the next page; `None` if this is the last one.
    pub next: Option<Fid>,
}

/// Which index left the candidates of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexUse {
    /// None: every row is a candidate.
    None,
    /// The rows that [`Query::only`] names.
    Only,
    /// The index of the key field.
    Key,
    /// The R-tree of the geometries.
    Space,
}

impl IndexUse {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Only => "ids",
            Self::Key => "key",
            Self::Space => "space",
        }
    }
}

/// How a selection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The index that left the candidates.
    pub index: IndexUse,
    /// Number of rows that the index left; all rows of the layer without an index.
    pub candidates: usize,
    /// Number of rows that were tested against the conditions; fewer than the candidates where the page was
    /// full before.
    pub tested: usize,
    /// Number of tested rows that match. With [`Query::sort`] all that match are found, and those of the page
    /// are sorted.
    pub matched: usize,
}

/// The rows that an index leaves, in the order of their fids.
struct Candidates {
    index: IndexUse,
    rows: Vec<Row>,
    /// Rows without geometry are candidates too.
    shapeless: bool,
}

impl LayerSnapshot {
    /// The rows that match the query, in the order of [`Query::sort`] and of their fids.
    ///
    /// # Complexity
    /// Candidates come from the index that leaves the fewest: the key index for equality on the key field,
    /// the R-tree for a box or a geometry of the query or of a filter, with the index of rows without
    /// geometry if they are wanted, otherwise all rows from `after` on. Each candidate is then tested
    /// exactly until the page is full.
    pub fn select(&self, query: &Query) -> Page {
        self.select_explained(query).0
    }

    /// The rows of [`LayerSnapshot::select`], and how they were found.
    pub fn select_explained(&self, query: &Query) -> (Page, Plan) {
        if !query.sort.is_empty() {
            return self.select_sorted(query);
        }
        let limit = query.limit.unwrap_or(usize::MAX);
        let filters: Vec<PreparedFilter<'_>> =
            query.filters.iter().map(|filter| PreparedFilter::new(self, filter)).collect();
        let moment = self.during(query.time);
        let meets_all = |row: Row| {
            filters.iter().all(|filter| filter.matches(row)) && moment.has(row) && self.meets(row, query)
        };
        let [tested, matched] = [Cell::new(0), Cell::new(0)];
        let matches = |row: Row| {
            tested.set(tested.get() + 1);
            let matches = meets_all(row);
            matched.set(matched.get() + usize::from(matches));
            matches
        };
        let mut plan = Plan { index: IndexUse::None, candidates: self.len(), tested: 0, matched: 0 };
        let mut rows = Vec::new();
        if let Some(candidates) = self.narrow(query) {
            let Candidates { index, rows: candidates, shapeless } = candidates;
            let without_geometry = if shapeless { self.shapeless_count() } else { 0 };
            plan = Plan { index, candidates: candidates.len() + without_geometry, ..plan };
            let first =
                query.after.map_or(0, |after| candidates.partition_point(|&row| self.fid(row) <= after));
            let candidates = candidates[first..].iter().copied();
            let shapeless = shapeless.then(|| self.shapeless(query.after)).into_iter().flatten();
            for row in self.by_fid(candidates, shapeless) {
                if rows.len() > limit || query.cancel.is_cancelled() {
                    break;
                }
                if matches(row) {
                    rows.push(row);
                }
            }
        } else {
            let all = RowsByFid::new(self, query.after);
            let all = all.take_while(|_| !query.cancel.is_cancelled());
            rows.extend(all.filter(|&row| matches(row)).take(limit.saturating_add(1)));
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            Some(rows.last().map_or(query.after.unwrap_or(0), |&row| self.fid(row)))
        } else {
            None
        };
        (Page { rows, next }, Plan { tested: tested.get(), matched: matched.get(), ..plan })
    }

    /// The visible rows without geometry and with a higher fid than `after`, in the order of their fids.
    fn shapeless(&self, after: Option<Fid>) -> impl Iterator<Item = Row> {
        let [base, delta] = [self.base(), self.delta()].map(|block| {
            let rows = block.shapeless();
            let first = after.map_or(0, |after| rows.partition_point(|&row| block.fid(row) <= after));
            rows[first..].iter().copied()
        });
        let base = base.filter(|&row| !self.is_hidden(row));
        self.by_fid(base, delta.map(|row| self.row_of_delta(row)))
    }

    /// The number of rows without geometry, hidden ones included. O(n) at the first call for a base.
    pub fn shapeless_count(&self) -> usize {
        self.base().shapeless().len() + self.delta().shapeless().len()
    }

    /// The rows of two iterators, each in the order of fids, in that order.
    fn by_fid<'a>(
        &'a self,
        first: impl Iterator<Item = Row> + 'a,
        second: impl Iterator<Item = Row> + 'a,
    ) -> impl Iterator<Item = Row> + 'a {
        let (mut first, mut second) = (first.peekable(), second.peekable());
        std::iter::from_fn(move || match (first.peek(), second.peek()) {
            (Some(&a), Some(&b)) if self.fid(b) < self.fid(a) => second.next(),
            (Some(_), _) => first.next(),
            (None, _) => second.next(),
        })
    }

    /// The candidates that an index leaves; `None` if no index helps.
    fn narrow(&self, query: &Query) -> Option<Candidates> {
        if let Some(only) = &query.only {
            let mut rows = only.clone();
            self.sort(&mut rows);
            rows.dedup();
            return Some(Candidates { index: IndexUse::Only, rows, shapeless: false });
        }
        if let Some(keys) = self.keys(query) {
            let mut rows: Vec<Row> = keys.into_iter().flat_map(|key| self.rows_of_key(key)).collect();
            self.sort(&mut rows);
            rows.dedup();
            return Some(Candidates { index: IndexUse::Key, rows, shapeless: false });
        }
        let wanted = match &query.intersects {
            Some(geometry) => Some(Bbox::of(geometry).map_or(Extent::Nowhere, Extent::Box)),
            None => query.bbox.map(Extent::Box),
        };
        // Features that a filter relates to a geometry have one themselves.
        let filtered = query.filters.iter().filter_map(Filter::extent).reduce(|a, b| a.narrower(b));
        let (extent, shapeless) = match (wanted, filtered) {
            (None, None) => return None,
            (Some(wanted), None) => (wanted, query.shapeless),
            (None, Some(filtered)) => (filtered, false),
            (Some(wanted), Some(filtered)) => (wanted.narrower(filtered), false),
        };
        let mut rows = Vec::new();
        if let Extent::Box(bbox) = extent {
            // A box around everything leaves every row.
            if wanted.is_none() && self.extent().is_some_and(|all| bbox.contains(&all)) {
                return None;
            }
            self.candidates(&bbox, |row| rows.push(row));
        }
        self.sort(&mut rows);
        rows.dedup();
        Some(Candidates { index: IndexUse::Space, rows, shapeless })
    }

    /// The fewest keys that a filter leaves.
    fn keys<'q>(&self, query: &'q Query) -> Option<Vec<&'q Value>> {
        let key = self.layer().key_index()?;
        let field_type = self.layer().fields[key].field_type;
        query.filters.iter().filter_map(|filter| filter.keys(key, field_type)).min_by_key(Vec::len)
    }

    /// Whether the row's geometry meets the box and the geometry of the query. Exact.
    fn meets(&self, row: Row, query: &Query) -> bool {
        if query.bbox.is_none() && query.intersects.is_none() {
            return true;
        }
        let Some(row_bbox) = self.bbox(row) else { return query.shapeless };
        if let Some(bbox) = query.bbox {
            let (boxes, count) = bbox.split();
            let hit = boxes[..count].iter().any(|bbox| {
                bbox.contains(&row_bbox)
                    || (bbox.intersects(&row_bbox)
                        && self.geometry(row).is_some_and(|geometry| geometry.intersects(&bbox.to_polygon())))
            });
            if !hit {
                return false;
            }
        }
        match &query.intersects {
            Some(wanted) => self.geometry(row).is_some_and(|geometry| geometry.intersects(wanted)),
            None => true,
        }
    }
}
