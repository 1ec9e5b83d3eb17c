//! Writing to the record: one revision, shown when the call returns.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use citymap_model::{CommitMeta, Revision, RevisionNumber};
use citymap_store::{StoreError, Transaction};

use crate::{Live, LiveError};

/// How long a writer waits for earlier writers of this process.
const WRITER_WAIT: Duration = Duration::from_secs(5);
/// How long a writer waits until a lagging store shows what it has committed.
const CATCH_UP_WAIT: Duration = Duration::from_secs(5);

/// What to do with a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision<T, A> {
    /// Commit the transaction as one revision.
    Commit(T),
    /// Drop the transaction, so that nothing changes.
    Abandon(A),
}

/// What became of a change set.
#[derive(Clone, Debug, PartialEq)]
pub enum Written<T, A> {
    /// It is this revision.
    Committed(T, Revision),
    /// The transaction was dropped; nothing was committed.
    Abandoned(A),
}

impl Live {
    /// Commits what `work` writes as one revision, or nothing if it fails. Returns when [`Live::snapshot`]
    /// shows the revision. Blocks.
    ///
    /// When `work` runs, nobody else can commit, and [`Live::snapshot`] shows all that was committed before.
    /// If the store reads from a standby that lags, the snapshot may be older, both then and for some seconds
    /// after this returns (waiting is bounded): the revision is committed all the same.
    ///
    /// # Errors
    /// The error of `work`; [`StoreError::Busy`] if others write for too long; [`StoreError::Uncertain`] if
    /// the database went away during the commit and may or may not hold the revision.
    pub fn write<T, E: From<LiveError>>(
        &self,
        meta: CommitMeta,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, E>,
    ) -> Result<(T, Revision), E> {
        match self.write_or_abandon::<T, Infallible, E>(meta, |transaction| {
            work(transaction).map(Decision::Commit)
        })? {
            Written::Committed(value, revision) => Ok((value, revision)),
            Written::Abandoned(never) => match never {},
        }
    }

    /// As [`Live::write`], for work that may find that there is nothing to commit, which is not a failure.
    ///
    /// # Errors
    /// As [`Live::write`].
    pub fn write_or_abandon<T, A, E: From<LiveError>>(
        &self,
        meta: CommitMeta,
        work: impl FnOnce(&mut dyn Transaction) -> Result<Decision<T, A>, E>,
    ) -> Result<Written<T, A>, E> {
        let (value, revision) = {
            let Some(_turn) = self.write_turn.lock(WRITER_WAIT) else {
                return Err(LiveError::from(StoreError::Busy { location: self.location() }).into());
            };
            let mut transaction = self.store.begin(meta).map_err(LiveError::from)?;
            self.refresh()?;
            match work(transaction.as_mut())? {
                Decision::Abandon(reason) => return Ok(Written::Abandoned(reason)),
                Decision::Commit(value) => (value, transaction.commit().map_err(LiveError::from)?),
            }
        };
        self.catch_up(revision.number);
        Ok(Written::Committed(value, revision))
    }

    /// Waits until the snapshot shows a revision that the store has, for a bounded time.
    fn catch_up(&self, revision: RevisionNumber) {
        let end = Instant::now() + CATCH_UP_WAIT;
        while self.snapshot().revision() < revision {
            if let Err(error) = self.refresh() {
                tracing::warn!(%error, revision, "a revision is committed and cannot be shown yet");
            }
            let shown = self.snapshot().revision();
            let left = end.saturating_duration_since(Instant::now());
            if shown >= revision || left.is_zero() {
                return;
            }
            if self.store.wait(shown, left.min(Duration::from_millis(100))).is_err() {
                std::thread::sleep(Duration::from_millis(50).min(left));
            }
        }
    }
}
