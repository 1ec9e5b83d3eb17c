//! Why an import fails: each case says what is wrong, where, and what to do next.

use citymap_crs::CrsError;
use citymap_files::FileError;
use citymap_model::{LayerId, counted};
use citymap_store::StoreError;

use crate::{Report, worker::WorkerError};

/// Why an import failed. The store is unchanged whenever one of these comes back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is not there, is empty, is of another kind than it says, or cannot be opened.
    #[error("{file}: {reason}; {advice}")]
    Unreadable {
        /// The file as the request names it.
        file: String,
        /// What is wrong with it.
        reason: String,
        /// What to do next.
        advice: String,
    },
    /// The file as a whole is broken at a place.
    #[error("{file}, {place}: {reason}")]
    Malformed {
        /// The file as the request names it.
        file: String,
        /// Line and column, layer and feature, as far as known.
        place: String,
        /// What is wrong there, and what to do.
        reason: String,
    },
    /// Nothing says in which coordinate system the file is.
    #[error("{file}, layer `{layer}`: {reason}. {}", told(.proposals))]
    UnknownCrs {
        /// The file as the request names it.
        file: String,
        /// The name of the layer in its file.
        layer: String,
        /// What was found instead of a coordinate system.
        reason: String,
        /// The systems under which the data would fall inside the city, best first, each as
        /// `EPSG:n name`.
        proposals: Vec<String>,
    },
    /// The request does not fit the files.
    #[error("{0}")]
    Usage(String),
    /// Not one feature could be accepted.
    #[error(
        "none of {} could be accepted, so nothing was imported; the first reason: {first}",
        counted(*.read, "feature", "features")
    )]
    NothingAccepted {
        /// How many features were read.
        read: u64,
        /// The first reject's file, place and reason.
        first: String,
        /// Everything else that is known.
        report: Box<Report>,
    },
    /// A layer would lose all its features for none.
    #[error(
        "{file}: layer `{layer}` has {}, and {}: nothing was changed; --allow-empty empties \
         the layer",
        counted(*.count, "feature", "features"),
        if *read == 0 { "the source has none" } else { "not one of the source could be accepted" }
    )]
    Emptied {
        /// The file that was to replace it.
        file: String,
        /// The layer that would be emptied.
        layer: LayerId,
        /// How many features it has.
        count: u64,
        /// How many features were read for it.
        read: u64,
    },
    /// Features got lost on the way: a fault of this program.
    #[error(
        "{file}, layer `{layer}`: {} read but {accepted} accepted and {rejected} rejected; please report \
         this",
        counted(*.read, "feature was", "features were")
    )]
    Lost {
        /// The file as the request names it.
        file: String,
        /// The name of the layer in its file.
        layer: String,
        /// How many features were read.
        read: u64,
        /// How many of them were accepted.
        accepted: u64,
        /// How many of them were rejected.
        rejected: u64,
    },
    /// The quarantine file could not be written.
    #[error("the rejects cannot be written to {path}: {reason}; give another place with --rejects")]
    Rejects {
        /// The path of the file of rejects.
        path: String,
        /// What GDAL or the system said.
        reason: String,
    },
    /// The process that reads the files did not do what it should.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// A file that the import was to write would overwrite another one, or cannot be written.
    #[error(transparent)]
    Output(#[from] FileError),
    /// The record refused the layer, or could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The coordinate system is of no use.
    #[error(transparent)]
    Crs(#[from] CrsError),
}

impl ImportError {
    pub(crate) fn unreadable(
        file: impl Into<String>,
        reason: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Unreadable { file: file.into(), reason: reason.into(), advice: advice.into() }
    }

    pub(crate) fn malformed(
        file: impl Into<String>,
        place: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Malformed { file: file.into(), place: place.into(), reason: reason.into() }
    }
}

fn told(proposals: &[String]) -> String {
    match proposals {
        [] => {
            "Under no known system does it fall inside the city; find out the system and say it with --crs \
             EPSG:n"
                .into()
        }
        [one] => format!(
            "It would fall inside the city under {one}; if that is right, say so with --crs {}",
            one.split(" (").next().unwrap_or_default()
        ),
        many => format!(
            "It would fall inside the city under {}; say which it is with --crs \
             EPSG:n, and with --swap-xy where that is named",
            many.join(", ")
        ),
    }
}
