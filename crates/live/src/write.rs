use std::time::{Duration, Instant};

use citymap_model::{CommitMeta, Revision, RevisionNumber};
use citymap_store::{StoreError, Transaction};

use crate::{Live, LiveError};

/// How long a writer waits for those of this process that came before.
const TURN: Duration = Duration::from_secs(5);
/// How long a writer waits for a store that does not show yet what it has committed.
const SHOWN: Duration = Duration::from_secs(5);

impl Live {
    /// Commits what `work` writes as one revision, or nothing where it fails; returns when [`Live::city_snapshot`] shows it.
    ///
    /// When `work` runs, nobody else can commit, and [`Live::city_snapshot`] shows all that was committed before. Where the store
    /// reads from a standby that lags, the snapshot may be older, both then and for some seconds after this returns
    /// (waiting is bounded): the revision is committed all the same.
    ///
    /// # Errors
    /// What `work` gives; [`StoreError::Busy`] where others write for too long; [`StoreError::Uncertain`] where the
    /// database went away during the commit and may or may not hold the revision.
    pub fn write<T, E: From<LiveError>>(
        &self,
        meta: CommitMeta,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, E>,
    ) -> Result<(T, Revision), E> {
        let (value, revision) = {
            let Some(_turn) = self.writing.pass(TURN) else {
                return Err(LiveError::from(StoreError::Busy { location: self.location() }).into());
            };
            let mut transaction = self.store.begin(meta).map_err(LiveError::from)?;
            self.refresh()?;
            let value = work(transaction.as_mut())?;
            let revision = transaction.commit().map_err(LiveError::from)?;
            (value, revision)
        };
        self.catch_up(revision.number);
        Ok((value, revision))
    }

    /// Waits until the snapshot shows a revision that the store has, for a bounded time.
    fn catch_up(&self, revision: RevisionNumber) {
        let end = Instant::now() + SHOWN;
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
