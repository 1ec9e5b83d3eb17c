//! Valid time: a snapshot as it is at an instant or during an interval.

use chrono::{DateTime, NaiveTime, Utc};

use crate::{Bbox, Cancel, EngineError, Filter, LayerSnapshot, Row, ValueRef, filter::PreparedFilter};

/// A closed interval of time. A missing end is unbounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TimeInterval {
    /// The first instant of the interval.
    pub start: Option<DateTime<Utc>>,
    /// The last instant of the interval, included.
    pub end: Option<DateTime<Utc>>,
}

/// A snapshot restricted to the features that are valid at some instant of an interval. Made by
/// [`LayerSnapshot::during`].
#[derive(Clone, Copy, Debug)]
pub struct During<'a> {
    pub(crate) snapshot: &'a LayerSnapshot,
    interval: Option<TimeInterval>,
    /// Positions of the fields that bound validity: `[from, to)`, unbounded where a field is missing or null.
    from: Option<usize>,
    to: Option<usize>,
    cancel: Option<&'a Cancel>,
}

impl LayerSnapshot {
    /// The features that are valid at some instant of `interval`. All features if there is no interval or the
    /// layer has no valid time.
    pub fn during(&self, interval: Option<TimeInterval>) -> During<'_> {
        let field = |name: &Option<String>| name.as_deref().and_then(|name| self.layer().field_index(name));
        let [from, to] = match interval {
            Some(_) => [field(&self.layer().valid_from), field(&self.layer().valid_to)],
            None => [None, None],
        };
        During { snapshot: self, interval, from, to, cancel: None }
    }
}

impl<'a> During<'a> {
    /// Ends queries soon after `cancel` is set: with
    /// [`EngineError::Cancelled`] where they have errors; where they have
    /// none ([`During::near`]) their result is then incomplete, and the
    /// caller must check `cancel`.
    #[must_use]
    pub fn until(self, cancel: &'a Cancel) -> Self {
        Self { cancel: Some(cancel), ..self }
    }

    /// The snapshot that is restricted.
    pub fn snapshot(&self) -> &'a LayerSnapshot {
        self.snapshot
    }

    /// An error once the flag of [`During::until`] is set.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub fn check(&self) -> Result<(), EngineError> {
        Ok(self.cancel.map_or(Ok(()), Cancel::check)?)
    }

    /// Whether the row's feature is valid at some instant of the interval.
    pub fn has(&self, row: Row) -> bool {
        let Some(interval) = &self.interval else { return true };
        let bound = |field: Option<usize>| field.and_then(|field| instant(self.snapshot.value(row, field)));
        let begun = match (bound(self.from), interval.end) {
            (Some(from), Some(end)) => from <= end,
            _ => true,
        };
        let not_ended = match (bound(self.to), interval.start) {
            (Some(to), Some(start)) => to > start,
            _ => true,
        };
        begun && not_ended
    }

    /// Calls `visit` for each valid row whose bounding box meets `bbox`, in no particular order.
    pub fn candidates(&self, bbox: &Bbox, mut visit: impl FnMut(Row)) {
        if self.from.is_none() && self.to.is_none() {
            return self.snapshot.candidates(bbox, visit);
        }
        self.snapshot.candidates(bbox, |row| {
            if self.has(row) {
                visit(row);
            }
        });
    }

    /// Like [`During::candidates`], among the rows that match a filter. After a cancellation
    /// ([`During::until`]) no further row is tested, and the caller must check.
    pub fn candidates_where(&self, filter: &Filter, bbox: &Bbox, mut visit: impl FnMut(Row)) {
        let filter = PreparedFilter::new(self.snapshot, filter);
        self.candidates(bbox, |row| {
            if !self.cancel.is_some_and(Cancel::is_cancelled) && filter.matches(row) {
                visit(row);
            }
        });
    }
}

fn instant(value: ValueRef<'_>) -> Option<DateTime<Utc>> {
    match value {
        ValueRef::Date(day) => Some(day.and_time(NaiveTime::MIN).and_utc()),
        ValueRef::DateTime(instant) => Some(instant),
        _ => None,
    }
}
