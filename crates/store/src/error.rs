use citymap_model::LayerId;

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
    #[error("there is no store at {location}; `citymap demo` or `citymap import` makes one")]
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
    /// The one who reads wanted to stop.
    #[error("{0}")]
    Stopped(String),
}
