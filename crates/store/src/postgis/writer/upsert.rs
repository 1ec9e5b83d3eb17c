//! Finding the feature that has a key, for an upsert.

use citymap_model::{Fid, Value};

use crate::{
    Refusal, StoreError,
    postgis::{
        entry::Entry,
        known::{self, Keys},
        session::Session,
    },
    refusal::Acceptance,
    turn::UpsertKeys,
};

/// Keys that are queried one by one before all are read.
const SINGLE_QUERIES: u32 = 100;

/// What an upsert knows of the layer's keys.
pub(super) struct Upsert {
    brought: UpsertKeys,
    lookup: Lookup,
}

/// How the number of a key is found.
enum Lookup {
    /// The layer was empty when the turn began.
    Empty,
    /// One query for each key; so many were made.
    Queries(u32),
    /// All keys as they were when the turn began.
    Table(Keys),
}

impl Upsert {
    /// Begins an upsert of a layer with `there` features.
    pub(super) fn new(brought: UpsertKeys, there: u64) -> Self {
        Self { brought, lookup: if there == 0 { Lookup::Empty } else { Lookup::Queries(0) } }
    }

    /// Whether the connection must stay free for more queries, so that no row may be sent yet.
    pub(super) fn needs_connection(&self) -> bool {
        matches!(self.lookup, Lookup::Queries(_))
    }

    /// The feature that had the key of these values when the turn began; `None` if none had.
    pub(super) fn find(
        &mut self,
        session: &mut Session<'_>,
        entry: &Entry,
        values: &[Value],
    ) -> Result<Acceptance<Option<Fid>>, StoreError> {
        let key = match self.brought.take(values) {
            Ok(key) => key,
            Err(refusal) => return Ok(Acceptance::Refused(refusal)),
        };
        let Some(position) = self.brought.position() else { return Ok(Acceptance::Accepted(None)) };
        if let Lookup::Queries(made) = &mut self.lookup {
            if *made < SINGLE_QUERIES {
                *made += 1;
                let (fid, several) = known::with_key(session, entry, position, &key)?;
                return Ok(verdict(&key, fid, several));
            }
            // No row was sent so far, so the table is as it was and the connection is free.
            self.lookup = Lookup::Table(known::keys(session, entry, position)?.0);
        }
        Ok(match &self.lookup {
            Lookup::Table(keys) => match keys.get(&key) {
                None => Acceptance::Accepted(None),
                Some(fid) => verdict(&key, *fid, fid.is_none()),
            },
            Lookup::Empty | Lookup::Queries(_) => Acceptance::Accepted(None),
        })
    }
}

fn verdict(key: &str, fid: Option<Fid>, several: bool) -> Acceptance<Option<Fid>> {
    if several {
        Acceptance::Refused(Refusal::AmbiguousKey { key: key.to_owned() })
    } else {
        Acceptance::Accepted(fid)
    }
}
