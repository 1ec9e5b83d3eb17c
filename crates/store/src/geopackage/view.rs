//! Reading all layers as of one revision, newest or former.

use citymap_model::{Feature, LayerId, RevisionNumber};
use rusqlite::Connection;

use super::{
    catalogue,
    changes::Span,
    connection::Opener,
    decode::Decoder,
    edited,
    entry::{self, Entry},
    failure::Failure,
    history, revisions,
    state::State,
};
use crate::{Change, LayerEntry, ReadView, StoreError, Touched};

/// A read transaction on its own connection: it does not see what is committed after it began.
pub(super) struct GeoPackageView {
    conn: Connection,
    location: String,
    revision: RevisionNumber,
    /// The newest revision that the connection sees.
    newest: RevisionNumber,
    /// The revision with which the history begins.
    since: RevisionNumber,
}

impl GeoPackageView {
    /// Opens a view at a revision, or at the newest.
    pub(super) fn open(opener: &Opener, at: Option<RevisionNumber>) -> Result<Self, StoreError> {
        let conn = opener.reader()?;
        let location = opener.location();
        let start = || -> Result<_, Failure> {
            conn.execute_batch("BEGIN")?;
            // The first read determines what the transaction sees.
            Ok((revisions::newest(&conn)?, history::since(&conn)?))
        };
        let (newest, since) = start().map_err(|failure| failure.at(&location))?;
        let view = Self { conn, location, revision: at.unwrap_or(newest), newest, since };
        view.reach(view.revision, newest)?;
        Ok(view)
    }

    /// Checks that a revision can be read and is not above `newest`.
    fn reach(&self, revision: RevisionNumber, newest: RevisionNumber) -> Result<(), StoreError> {
        if revision > newest {
            return Err(StoreError::NoRevision { asked: revision, newest });
        }
        if revision > 0 && revision < self.since {
            return Err(StoreError::NoHistory {
                location: self.location.clone(),
                asked: revision,
                since: self.since,
            });
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<Entry>, Failure> {
        if self.revision == self.newest {
            catalogue::all(&self.conn)
        } else {
            catalogue::former(&self.conn, self.revision, None)
        }
    }

    fn entry(&self, layer: &LayerId, revision: RevisionNumber) -> Result<Option<Entry>, Failure> {
        if revision == self.newest {
            return catalogue::get(&self.conn, layer);
        }
        Ok(catalogue::former(&self.conn, revision, Some(layer))?.pop())
    }

    /// A layer between a revision and this view.
    fn span(&self, layer: &LayerId, from: RevisionNumber) -> Result<Span<'_>, Failure> {
        self.reach(from, self.revision)?;
        let (before, after) = (self.entry(layer, from)?, self.entry(layer, self.revision)?);
        if before.is_none() && after.is_none() {
            return Err(StoreError::NoLayer(layer.clone()).into());
        }
        let live = self.entry(layer, self.newest)?;
        Ok(Span { conn: &self.conn, from, to: self.revision, newest: self.newest, before, after, live })
    }

    fn read_newest(
        &self,
        entry: &Entry,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), Failure> {
        let decoder = Decoder::new(entry);
        let mut statement = self.conn.prepare(&format!("{} ORDER BY \"fid\"", entry::select(entry)))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            sink(decoder.feature(row)?)?;
        }
        Ok(())
    }

    fn read_former(
        &self,
        entry: &Entry,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), Failure> {
        let live = self.entry(&entry.layer.id, self.newest)?;
        let state = State::open(&self.conn, entry, live.as_ref(), self.revision, self.newest)?;
        let mut features = state.features();
        while let Some(feature) = features.next()? {
            sink(feature)?;
        }
        Ok(())
    }

    fn told<T>(&self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        outcome.map_err(|failure| failure.at(&self.location))
    }
}

impl ReadView for GeoPackageView {
    fn revision(&self) -> RevisionNumber {
        self.revision
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        let entries = self.told(self.entries())?;
        Ok(entries
            .into_iter()
            .map(|entry| LayerEntry { layer: entry.layer, revision: entry.revision, count: entry.count })
            .collect())
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let entry =
            self.told(self.entry(layer, self.revision))?.ok_or_else(|| StoreError::NoLayer(layer.clone()))?;
        self.told(if self.revision == self.newest {
            self.read_newest(&entry, sink)
        } else {
            self.read_former(&entry, sink)
        })
    }

    fn stamp(&self, layer: &LayerId) -> Result<Option<String>, StoreError> {
        if self.revision != self.newest {
            return Ok(None);
        }
        self.told(edited::stamp(&self.conn, layer))
    }

    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError> {
        self.told(self.span(layer, from).and_then(|span| span.touched()))
    }

    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.told(self.span(layer, from).and_then(|span| span.changes(sink)))
    }
}
