//! One job and its status.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use citymap_engine::Cancel;
use serde_json::{Map, Value};

use crate::http::client::Client;

/// The state of a job, with the names of OGC API – Processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Waiting to be admitted.
    Accepted,
    Running,
    Successful,
    Failed,
    /// Cancelled by a client.
    Dismissed,
}

impl JobState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Running => "running",
            Self::Successful => "successful",
            Self::Failed => "failed",
            Self::Dismissed => "dismissed",
        }
    }

    /// True if the job will not change any more.
    pub(crate) fn has_ended(self) -> bool {
        !matches!(self, Self::Accepted | Self::Running)
    }
}

/// The part of a job that changes.
#[derive(Clone, Debug)]
pub(crate) struct JobStatus {
    pub(crate) state: JobState,
    /// Percent, 0 to 100.
    pub(crate) progress: u8,
    pub(crate) message: String,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) finished: Option<DateTime<Utc>>,
    /// Figures of a successful job, as its process names them.
    pub(crate) summary: Option<Map<String, Value>>,
    /// The size of the result on disk.
    pub(crate) bytes: u64,
}

/// The file that a job will make.
#[derive(Clone, Debug)]
pub(crate) struct ResultFile {
    pub(crate) media_type: &'static str,
    /// The file name that a browser is offered.
    pub(crate) name: String,
    /// The file name's extension, without a dot.
    pub(crate) extension: &'static str,
    /// The output whose value the file is, if the client asked for a document: the results are then a JSON
    /// object that refers to the file.
    pub(crate) referred_as: Option<&'static str>,
}

/// A job: what it was started with, and its status.
#[derive(Debug)]
pub(crate) struct Job {
    /// 128 random bits in hexadecimal digits.
    pub(crate) id: String,
    /// The id of the process that it runs.
    pub(crate) process: &'static str,
    pub(crate) created: DateTime<Utc>,
    /// The revision of the data that it reads.
    pub(crate) revision: u64,
    pub(crate) result: ResultFile,
    /// The path of the result, which exists once the job is successful.
    pub(crate) file: PathBuf,
    pub(crate) cancel: Cancel,
    /// The client that started it; `None` for a job that the program starts itself.
    pub(super) client: Option<Client>,
    status: Mutex<JobStatus>,
}

impl Job {
    /// A job that waits to be admitted, of the client whose request is answered.
    pub(super) fn accepted(
        id: String,
        process: &'static str,
        revision: u64,
        result: ResultFile,
        file: PathBuf,
    ) -> Self {
        let now = Utc::now();
        let status = JobStatus {
            state: JobState::Accepted,
            progress: 0,
            message: "waiting to run".to_owned(),
            started: None,
            updated: now,
            finished: None,
            summary: None,
            bytes: 0,
        };
        let (created, cancel) = (now, Cancel::new());
        let client = Client::current();
        Self { id, process, created, revision, result, file, cancel, client, status: Mutex::new(status) }
    }

    pub(crate) fn status(&self) -> JobStatus {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, JobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the status; returns false, and changes nothing, if the job has ended already.
    pub(crate) fn update(&self, change: impl FnOnce(&mut JobStatus)) -> bool {
        let mut status = self.lock();
        if status.state.has_ended() {
            return false;
        }
        change(&mut status);
        status.updated = Utc::now();
        if status.state.has_ended() {
            status.finished = Some(status.updated);
        }
        true
    }

    /// Ends the job as cancelled, if it has not ended.
    pub(crate) fn dismiss(&self) {
        self.update(|status| {
            status.state = JobState::Dismissed;
            status.message = "cancelled; no result was kept".to_owned();
        });
    }

    /// Ends the job as successful, with the result as it is on disk now. If the job was dismissed in the
    /// meantime, its result is removed instead.
    pub(crate) fn succeed(&self, message: String, summary: Map<String, Value>) {
        let bytes = std::fs::metadata(&self.file).map_or(0, |found| found.len());
        let updated = self.update(|status| {
            status.state = JobState::Successful;
            status.progress = 100;
            status.message = message;
            status.summary = Some(summary);
            status.bytes = bytes;
        });
        if !updated {
            self.remove_file();
        }
    }

    /// Removes the result from disk, if there is one.
    pub(crate) fn remove_file(&self) {
        if let Err(error) = std::fs::remove_file(&self.file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(error = &error as &dyn std::error::Error, file = %self.file.display(), "the \
                result of a job could not be removed");
        }
    }
}
