//! Selection of rows by box, geometry, filters, time and fid, page by page.

use citymap_model::{Fid, Geometry};
use geo::Intersects;

use super::{
    filter::{Comparison, Filter, PreparedFilter, TimeInterval, is_empty},
    rows::RowsByFid,
};
use crate::{Bbox, Cancel, LayerSnapshot, Row};

/// Which rows are wanted. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The geometry shares a point with this box (WGS 84 degrees).
    pub bbox: Option<Bbox>,
    /// The geometry shares a point with this one (WGS 84 degrees).
    pub intersects: Option<Geometry>,
    /// Conditions on fields, all of which must hold.
    pub filters: Vec<Filter>,
    /// Valid at some instant of the interval. A layer without valid time is always valid.
    pub time: Option<TimeInterval>,
    /// Only rows with a higher fid: [`Page::next`] of the page before.
    pub after: Option<Fid>,
    /// Maximum number of rows; `None` for all.
    pub limit: Option<usize>,
    /// Ends the selection early. The page is then incomplete, and the caller must check the flag.
    pub cancel: Cancel,
}

/// Rows in the order of their fids, and where the next page starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows in the order of their fids.
    pub rows: Vec<Row>,
    /// The fid to set as [`Query::after`] for the next page; `None` if this is the last one.
    pub next: Option<Fid>,
}

impl LayerSnapshot {
    /// The rows that match the query, in the order of their fids.
    ///
    /// # Complexity
    /// Candidates come from the index that leaves the fewest: the key index for equality on the key field,
    /// the R-tree for a box or a geometry, otherwise all rows from `after` on. Each candidate is then tested
    /// exactly until the page is full.
    pub fn select(&self, query: &Query) -> Page {
        let limit = query.limit.unwrap_or(usize::MAX);
        let filters: Vec<PreparedFilter<'_>> =
            query.filters.iter().map(|filter| PreparedFilter::new(self, filter)).collect();
        let moment = self.during(query.time);
        let matches = |row: Row| {
            filters.iter().all(|filter| filter.matches(row)) && moment.has(row) && self.meets(row, query)
        };
        let mut rows = Vec::new();
        if let Some(candidates) = self.narrow(query) {
            let first =
                query.after.map_or(0, |after| candidates.partition_point(|&row| self.fid(row) <= after));
            for &row in &candidates[first..] {
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
        Page { rows, next }
    }

    /// The candidates that an index leaves, by fid; `None` if no index helps.
    fn narrow(&self, query: &Query) -> Option<Vec<Row>> {
        if let Some(key) = query.filters.iter().find(|filter| {
            filter.comparison == Comparison::Eq
                && !is_empty(&filter.value)
                && Some(filter.field) == self.layer().key_index()
        }) && self.layer().fields[key.field].field_type == key.value.field_type()?
        {
            return Some(self.rows_of_key(&key.value));
        }
        let bbox = match (&query.bbox, &query.intersects) {
            (_, Some(geometry)) => match Bbox::of(geometry) {
                Some(bbox) => bbox,
                None => return Some(Vec::new()),
            },
            (Some(bbox), None) => *bbox,
            (None, None) => return None,
        };
        let mut rows = Vec::new();
        self.candidates(&bbox, |row| rows.push(row));
        self.sort(&mut rows);
        rows.dedup();
        Some(rows)
    }

    /// Whether the row's geometry meets the box and the geometry of the query. Exact.
    fn meets(&self, row: Row, query: &Query) -> bool {
        if query.bbox.is_none() && query.intersects.is_none() {
            return true;
        }
        let Some(row_bbox) = self.bbox(row) else { return false };
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
