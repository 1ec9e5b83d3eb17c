use citymap_model::LayerId;

/// What makes a store that is not there.
fn maker(location: &str) -> String {
    if location.starts_with("postgres") {
        "`citymap migrate --store …` makes its tables, or brings them up to this version".to_owned()
    } else {
        "`citymap demo` or `citymap import` makes one".to_owned()
    }
}

/// Why the record could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process is writing.
    #[error("another import or edit is being written to {location}; try again when it has ended")]
    Busy {
        /// Where the record is.
        location: String,
    },
    /// There is no record there.
    #[error("there is no store at {location}; {}", maker(.location))]
    Missing {
        /// Where it was looked for.
        location: String,
    },
    /// The layer does not exist.
    #[error("there is no layer `{0}`; `citymap layers` lists those there are")]
    NoLayer(LayerId),
    /// The change set's fields do not fit the layer's.
    #[error("layer `{layer}`: {reason}")]
    Schema {
        /// The layer.
        layer: LayerId,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// The file is not a store of ours, or of a later version.
    #[error("{location} is not a citymap store: {reason}")]
    Format {
        /// Where.
        location: String,
        /// What is wrong.
        reason: String,
    },
    /// The database said no.
    #[error("{location}: {reason}")]
    Database {
        /// Where.
        location: String,
        /// What it said.
        reason: String,
    },
    /// The location names a kind of store that this version does not have.
    #[error("{location}: {reason}")]
    Unsupported {
        /// Where.
        location: String,
        /// What is missing, and what to use in its place.
        reason: String,
    },
    /// The database cannot be reached, or cannot be written to (a standby without its primary). What
    /// was read before stays good; try again.
    #[error("{location} cannot be reached: {reason}")]
    Away {
        /// Where.
        location: String,
        /// What was tried.
        reason: String,
    },
    /// The database went away while a change set was committed and did not come back in time to say
    /// whether it holds it: wholly or not at all. The log tells, by the change set's message.
    #[error(
        "{location} went away during a commit, and whether it holds the change is not known yet; `citymap log` will tell: {reason}"
    )]
    Uncertain {
        /// Where.
        location: String,
        /// What happened.
        reason: String,
    },
    /// There is no such revision.
    #[error("there is no revision {asked}; the newest is {newest}")]
    NoRevision {
        /// What was asked for.
        asked: u64,
        /// The newest there is.
        newest: u64,
    },
    /// The revision is in the log, but what the city was then is not kept: the record was begun by an earlier
    /// version of the program, which kept no history.
    #[error("revision {asked} can no longer be read; the history of {location} begins with revision {since}")]
    NoHistory {
        /// Where the record is.
        location: String,
        /// What was asked for.
        asked: u64,
        /// The first revision that can be read.
        since: u64,
    },
    /// The one who reads wanted to stop.
    #[error("{0}")]
    Stopped(String),
}
