//! What differs between two revisions of a layer.

use std::cmp::Ordering;

use citymap_geometry::wkb;
use citymap_model::{Feature, Fid, RevisionNumber};
use rusqlite::Connection;

use super::{
    entry::Entry,
    failure::Failure,
    state::{CHUNK, State},
    undo::Undo,
};
use crate::{
    Change, StoreError, Touched,
    fit::{same_fields, same_shape},
};

/// A layer at both ends of a span of revisions, and as it is now.
pub(super) struct Span<'c> {
    pub(super) conn: &'c Connection,
    pub(super) from: RevisionNumber,
    pub(super) to: RevisionNumber,
    pub(super) newest: RevisionNumber,
    pub(super) before: Option<Entry>,
    pub(super) after: Option<Entry>,
    pub(super) live: Option<Entry>,
}

type Sink<'s> = &'s mut dyn FnMut(Change) -> Result<(), StoreError>;

impl Span<'_> {
    /// An upper bound of what differs.
    pub(super) fn touched(&self) -> Result<Touched, Failure> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Ok(Touched::Whole) };
        if !same_shape(&before.layer, &after.layer) {
            return Ok(Touched::Whole);
        }
        if before.generation != after.generation {
            // It had other fields in between, or did not exist.
            return Ok(Touched::Features(before.count + after.count));
        }
        Ok(Touched::Features(Undo::count(self.conn, before.generation, self.from, self.to)?))
    }

    /// Hands each feature that differs to `sink`.
    pub(super) fn changes(&self, sink: Sink<'_>) -> Result<(), Failure> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before.generation == after.generation => {
                self.events(before, after, sink)
            }
            _ => self.whole(sink),
        }
    }

    /// Compares the features that had an event in the span.
    fn events(&self, before: &Entry, after: &Entry, sink: Sink<'_>) -> Result<(), Failure> {
        let live = self.live.as_ref();
        let undo = Undo::read(self.conn, before.generation, self.from, self.to)?;
        if undo.is_empty() {
            return Ok(());
        }
        // A feature that had no event in the span is never read.
        let fids: Vec<Fid> = undo.fids().collect();
        let later = State::open(self.conn, after, live, self.to, self.newest)?;
        let earlier = State::with(self.conn, before, live, undo);
        for fids in fids.chunks(CHUNK) {
            for ((fid, before), after) in fids.iter().zip(earlier.get(fids)?).zip(later.get(fids)?) {
                if !same(before.as_ref(), after.as_ref()) {
                    sink(Change { fid: *fid, before, after })?;
                }
            }
        }
        Ok(())
    }

    /// Compares all features of both ends.
    fn whole(&self, sink: Sink<'_>) -> Result<(), Failure> {
        let open = |entry, revision| State::open(self.conn, entry, self.live.as_ref(), revision, self.newest);
        let earlier = self.before.as_ref().map(|entry| open(entry, self.from)).transpose()?;
        let later = self.after.as_ref().map(|entry| open(entry, self.to)).transpose()?;
        let comparable = self
            .before
            .as_ref()
            .zip(self.after.as_ref())
            .is_some_and(|(a, b)| same_fields(&a.layer, &b.layer));
        let mut earlier = earlier.as_ref().map(State::features);
        let mut later = later.as_ref().map(State::features);
        let mut next_earlier =
            || -> Result<Option<Feature>, Failure> { earlier.as_mut().map_or(Ok(None), |all| all.next()) };
        let mut next_later =
            || -> Result<Option<Feature>, Failure> { later.as_mut().map_or(Ok(None), |all| all.next()) };
        let (mut before, mut after) = (next_earlier()?, next_later()?);
        loop {
            let order = match (&before, &after) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => before.fid.cmp(&after.fid),
            };
            let gone = if order.is_le() { std::mem::replace(&mut before, next_earlier()?) } else { None };
            let come = if order.is_ge() { std::mem::replace(&mut after, next_later()?) } else { None };
            let fid = gone.as_ref().or(come.as_ref()).map_or(0, |feature| feature.fid);
            if !comparable || !same(gone.as_ref(), come.as_ref()) {
                sink(Change { fid, before: gone, after: come })?;
            }
        }
    }
}

/// Whether two states are the same. Geometry is compared bit by bit, as in a checksum: -0.0 is not 0.0.
pub(super) fn same(a: Option<&Feature>, b: Option<&Feature>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b && bytes(a) == bytes(b),
        _ => false,
    }
}

fn bytes(feature: &Feature) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(geometry) = &feature.geometry {
        wkb::write(&mut bytes, geometry);
    }
    bytes
}
