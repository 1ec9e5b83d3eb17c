//! Why a record could not be read or written.

use std::error::Error;

use citymap_model::LayerId;

use crate::location::is_database;

/// The command that creates the store that is missing.
fn how_to_create(location: &str) -> &'static str {
    if is_database(location) {
        "`citymap migrate --store …` creates its tables, or brings them up to this version"
    } else {
        "`citymap demo` or `citymap import` creates one"
    }
}

/// The error of a database, a file system or a format that is behind a [`StoreError`].
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a record could not be read or written. The texts name the location and say what to do where that is
/// known; `source()` gives the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process is writing.
    #[error("another import or edit is being written to {location}; try again when it has ended")]
    Busy {
        /// Where the record is.
        location: String,
    },
    /// There is no record at this location.
    #[error("there is no store at {location}; {}", how_to_create(.location))]
    Missing {
        /// Where a record was expected.
        location: String,
    },
    /// The layer does not exist.
    #[error("there is no layer `{0}`; `citymap layers` lists those there are")]
    NoLayer(LayerId),
    /// The definition or the fields of a change set do not fit the layer.
    #[error("layer `{layer}`: {reason}")]
    Schema {
        /// The layer that the change set names.
        layer: LayerId,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// What is at the location is not a store of this program, or of a later version.
    #[error("{location} is not a citymap store: {reason}")]
    Format {
        /// Where the file or database is.
        location: String,
        /// What is wrong, and what to do.
        reason: String,
        /// The error behind it, if there is one.
        #[source]
        source: Option<Cause>,
    },
    /// The database or the file refused, or holds what it should not.
    #[error("{location}: {reason}")]
    Database {
        /// Where the record is.
        location: String,
        /// What happened, and what to do.
        reason: String,
        /// The error behind it, if there is one.
        #[source]
        source: Option<Cause>,
    },
    /// The location names a kind of store that this version does not have.
    #[error("{location}: {reason}")]
    Unsupported {
        /// The location as it was given, without a password.
        location: String,
        /// What is missing, and what to use instead.
        reason: String,
    },
    /// The database cannot be reached, or cannot be written to (a standby without its primary). What was read
    /// before stays valid; try again.
    #[error("{location} cannot be reached: {reason}")]
    Away {
        /// Where the record is.
        location: String,
        /// Which hosts were tried, and what they answered.
        reason: String,
        /// The error behind it, if there is one.
        #[source]
        source: Option<Cause>,
    },
    /// The connection was lost while a change set was committed, and was not restored in time to find out
    /// whether the record holds it: all of it or nothing. The log tells, by the change set's message.
    #[error(
        "{location} went away during a commit, and whether it holds the change is not known yet; `citymap \
         log` will show it: {reason}"
    )]
    Uncertain {
        /// Where the record is.
        location: String,
        /// What happened during the commit.
        reason: String,
        /// The error behind it, if there is one.
        #[source]
        source: Option<Cause>,
    },
    /// The revision does not exist.
    #[error("there is no revision {asked}; the newest is {newest}")]
    NoRevision {
        /// The revision that was asked for.
        asked: u64,
        /// The newest revision there is.
        newest: u64,
    },
    /// The revision is in the log, but the city as it was then is not kept: the record was begun by an
    /// earlier version of the program, which kept no history.
    #[error("revision {asked} can no longer be read; the history of {location} begins with revision {since}")]
    NoHistory {
        /// Where the record is.
        location: String,
        /// The revision that was asked for.
        asked: u64,
        /// The first revision that can be read.
        since: u64,
    },
    /// The reader stopped, for this reason.
    #[error("{0}")]
    Stopped(String),
}

impl StoreError {
    /// A [`StoreError::Database`] without a cause; [`StoreError::because`] adds one.
    pub fn database(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Database { location: location.into(), reason: reason.into(), source: None }
    }

    /// A [`StoreError::Away`] without a cause.
    pub fn away(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Away { location: location.into(), reason: reason.into(), source: None }
    }

    /// A [`StoreError::Format`] without a cause.
    pub fn format(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Format { location: location.into(), reason: reason.into(), source: None }
    }

    /// A [`StoreError::Uncertain`] without a cause.
    pub fn uncertain(location: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Uncertain { location: location.into(), reason: reason.into(), source: None }
    }

    /// The same error with the error that is behind it, for those that keep one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        if let Self::Format { source, .. }
        | Self::Database { source, .. }
        | Self::Away { source, .. }
        | Self::Uncertain { source, .. } = &mut self
        {
            *source = Some(cause.into());
        }
        self
    }
}
