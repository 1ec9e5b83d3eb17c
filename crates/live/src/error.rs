//! Why the city could not be kept in step with its record.

use citymap_engine::EngineError;
use citymap_model::RevisionNumber;
use citymap_store::StoreError;

/// Why the city could not be read from its store, or written to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The store did not answer, or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds cannot be held in memory.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store has had fewer revisions than the city in memory for some seconds: it is a standby that lags,
    /// or was restored from a backup.
    #[error(
        "the store shows revision {found}, below revision {shown} of the city in memory; \
         a standby that lags will catch up; \
         after a restore from a backup, restart the server"
    )]
    Behind {
        /// The revision in memory.
        shown: RevisionNumber,
        /// The newest revision of the store.
        found: RevisionNumber,
    },
    /// Requests hold as many former cities as may be in memory.
    #[error(
        "former states of the city take {} MiB in memory now, of {} MiB that they may take; \
         try again in some seconds",
        held >> 20, max >> 20
    )]
    FormerFull {
        /// Bytes that they take.
        held: u64,
        /// Bytes that they may take.
        max: u64,
    },
}
