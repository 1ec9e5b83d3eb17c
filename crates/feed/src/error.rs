//! Why revisions could not be given to a reader.

use citymap_live::LiveError;

/// Why the next revisions could not be given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The store did not give the revisions.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// Another reader's attempt failed within the last half second; the store is not asked again so soon.
    #[error("{0}")]
    FailedRecently(String),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The task that reads the revisions failed. This is a fault of the program.
    #[error("the task that reads the revisions failed")]
    Task(#[source] tokio::task::JoinError),
}
