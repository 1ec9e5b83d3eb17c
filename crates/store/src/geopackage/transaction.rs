//! One change set: an SQLite transaction from the first layer to the revision's row.

use chrono::{DateTime, SubsecRound, Utc};
use citymap_model::{
    CommitMeta, Feature, Fid, Layer, LayerChange, LayerId, Mode, NewFeature, Revision, RevisionNumber,
};
use rusqlite::Connection;

use super::{connection::Opener, failure::Failure, revisions, writer::LayerWriter};
use crate::{Edit, Put, StoreError, Transaction};

/// Holds SQLite's write lock until it is committed or dropped.
pub(super) struct GeoPackageTransaction {
    conn: Connection,
    location: String,
    meta: CommitMeta,
    number: RevisionNumber,
    changes: Vec<LayerChange>,
    current: Option<LayerWriter>,
    /// Whether a call failed half way: nothing of it may then become a revision.
    broken: bool,
}

impl GeoPackageTransaction {
    pub(super) fn begin(opener: &Opener, meta: CommitMeta) -> Result<Self, StoreError> {
        let conn = opener.writer()?;
        let location = opener.location();
        let start = || {
            conn.execute_batch("BEGIN IMMEDIATE")?;
            revisions::newest(&conn)
        };
        let number = start().map_err(|failure: Failure| failure.at(&location))? + 1;
        Ok(Self { conn, location, meta, number, changes: Vec::new(), current: None, broken: false })
    }

    fn turn_away(&mut self, time: &DateTime<Utc>) -> Result<(), Failure> {
        if let Some(writer) = self.current.take() {
            self.changes.push(writer.finish(&self.conn, &revisions::time_text(time))?);
        }
        Ok(())
    }

    fn turn_to(&mut self, layer: &Layer, mode: Mode) -> Result<(), Failure> {
        self.turn_away(&now())?;
        self.current = Some(LayerWriter::open(&self.conn, layer, mode, self.number)?);
        Ok(())
    }

    fn finish(&mut self) -> Result<Revision, Failure> {
        let time = now();
        self.turn_away(&time)?;
        let (meta, changes) = (std::mem::take(&mut self.meta), std::mem::take(&mut self.changes));
        let revision = Revision { number: self.number, time, meta, changes };
        revisions::add(&self.conn, &revision)?;
        self.conn.execute_batch("COMMIT")?;
        Ok(revision)
    }

    fn not_yet<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::Unsupported { location: self.location.clone(), reason: "not yet".to_owned() })
    }

    /// A feature before the first layer is a mistake of the program, not of the data.
    fn without_layer(&self) -> StoreError {
        StoreError::Database {
            location: self.location.clone(),
            reason: "a feature came before its layer, a mistake in the program".to_owned(),
        }
    }

    fn settle<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, StoreError> {
        outcome.map_err(|failure| {
            self.broken = true;
            failure.at(&self.location)
        })
    }
}

/// Now, to the millisecond that the log holds.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

impl Transaction for GeoPackageTransaction {
    fn number(&self) -> RevisionNumber {
        self.number
    }

    fn layer(&mut self, layer: &Layer, mode: Mode) -> Result<(), StoreError> {
        let outcome = self.turn_to(layer, mode);
        self.settle(outcome)
    }

    fn put(&mut self, feature: NewFeature) -> Result<Put, StoreError> {
        let Some(writer) = self.current.as_mut() else { return Err(self.without_layer()) };
        let outcome = writer.put(&self.conn, feature);
        self.settle(outcome)
    }

    fn put_at(&mut self, _fid: Fid, _feature: NewFeature) -> Result<Put, StoreError> {
        self.not_yet()
    }

    fn edit(&mut self, _edit: Edit) -> Result<Put, StoreError> {
        self.not_yet()
    }

    fn feature(&mut self, _layer: &LayerId, _fid: Fid) -> Result<Option<Feature>, StoreError> {
        self.not_yet()
    }

    fn definition(&mut self, _layer: &LayerId) -> Result<Option<Layer>, StoreError> {
        self.not_yet()
    }

    fn commit_as(self: Box<Self>, _revision: &Revision) -> Result<(), StoreError> {
        self.not_yet()
    }

    fn rejected(&mut self, count: u64) -> Result<(), StoreError> {
        let Some(writer) = self.current.as_mut() else { return Err(self.without_layer()) };
        writer.rejected(count);
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<Revision, StoreError> {
        if self.broken {
            return Err(StoreError::Database {
                location: self.location.clone(),
                reason: "the change set failed half way, and nothing of it was committed".to_owned(),
            });
        }
        let outcome = self.finish();
        self.settle(outcome)
    }
}
