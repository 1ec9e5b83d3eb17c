//! Work that takes longer than a request: whole-city overlays, as jobs in the manner of OGC API – Processes.
//!
//! Anybody may start one, since all of it is bounded: one runs at a time, on threads that take what others leave over; few
//! wait; results have a size and go away after a time. A job's id is a long random number, and who has it may look, fetch and
//! cancel; the list of all of them is for writers. Jobs live in this process: a restart forgets them, and their files.

mod execute;
mod folder;
mod results;
mod status;

pub(crate) use execute::execute;
pub(crate) use results::results;
pub(crate) use status::{dismiss, job, list};

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use citymap_engine::{Cancel, Summary};
use citymap_output::Format;

use self::folder::Folder;
use crate::{config::Limits, http::problem::Problem};

/// Jobs that are remembered at most; the oldest that have ended go first.
const KEPT: usize = 200;

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// It waits for its turn.
    Accepted,
    Running,
    Successful,
    Failed,
    /// Somebody cancelled it.
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

    /// Whether it is over.
    pub(crate) fn has_ended(self) -> bool {
        !matches!(self, Self::Accepted | Self::Running)
    }
}

/// What is told of a job.
#[derive(Clone, Debug)]
pub(crate) struct JobStatus {
    pub(crate) state: JobState,
    /// From 0 to 100.
    pub(crate) progress: u8,
    pub(crate) message: String,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) updated: DateTime<Utc>,
    pub(crate) finished: Option<DateTime<Utc>>,
    pub(crate) summary: Option<Summary>,
    pub(crate) bytes: u64,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) revision: u64,
    pub(crate) format: Format,
    /// Where its result is, once it is.
    pub(crate) file: PathBuf,
    /// What the result is called when it is saved.
    pub(crate) name: String,
    pub(crate) cancel: Cancel,
    status: Mutex<JobStatus>,
}

impl Job {
    pub(crate) fn status(&self) -> JobStatus {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, JobStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is told of it, unless it is over.
    fn update(&self, change: impl FnOnce(&mut JobStatus)) -> bool {
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
}

/// All jobs of this process.
pub(crate) struct Jobs {
    all: Mutex<Vec<Arc<Job>>>,
    folder: Folder,
    open_max: usize,
    keep: Duration,
    bytes_max: u64,
}

impl Jobs {
    pub(crate) fn new(folder: Option<PathBuf>, limits: &Limits) -> Self {
        Self {
            all: Mutex::default(),
            folder: Folder::new(folder),
            open_max: 1 + limits.jobs_waiting,
            keep: limits.jobs_keep,
            bytes_max: limits.jobs_bytes_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job in; 503 where too many wait, or the disk's share is used up.
    fn open(&self, revision: u64, format: Format, name: String) -> Result<Arc<Job>, Problem> {
        let folder = self.folder.path()?;
        let mut all = self.lock();
        self.forget(&mut all);
        if all.iter().filter(|job| !job.status().state.has_ended()).count() >= self.open_max {
            return Err(Problem::unavailable(
                "a job runs and others wait for their turn; try again later",
                30,
            ));
        }
        if self.used(&all) >= self.bytes_max {
            return Err(Problem::unavailable(
                "the disk's share for results is used up; they go away after a time, and DELETE of a job frees its own",
                300,
            ));
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Problem::internal(format!("no random number for a job: {error}")))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Utc::now();
        let job = Arc::new(Job {
            file: folder.join(format!("{id}.{}", format.ending())),
            id,
            created: now,
            revision,
            format,
            name,
            cancel: Cancel::new(),
            status: Mutex::new(JobStatus {
                state: JobState::Accepted,
                progress: 0,
                message: "waits for its turn".to_owned(),
                started: None,
                updated: now,
                finished: None,
                summary: None,
                bytes: 0,
            }),
        });
        all.push(Arc::clone(&job));
        Ok(job)
    }

    /// Bytes that results have on disk.
    fn used(&self, all: &[Arc<Job>]) -> u64 {
        all.iter().map(|job| job.status().bytes).sum()
    }

    /// Bytes that one more result may have.
    fn left(&self) -> u64 {
        let all = self.lock();
        self.bytes_max.saturating_sub(self.used(&all))
    }

    /// The job with this id.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let mut all = self.lock();
        self.forget(&mut all);
        all.iter().find(|job| job.id == id).cloned().ok_or_else(|| {
            Problem::not_found(
                "there is no such job: ended ones are forgotten after a time, and at a restart",
            )
        })
    }

    /// All jobs, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        let mut all = self.lock();
        self.forget(&mut all);
        all.iter().rev().cloned().collect()
    }

    /// Takes a job away, and its result with it.
    fn remove(&self, job: &Arc<Job>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, job));
        remove_file(job);
    }

    /// Lets go what has been over for long, and the oldest where there are too many.
    fn forget(&self, all: &mut Vec<Arc<Job>>) {
        let now = Utc::now();
        let mut surplus = all.len().saturating_sub(KEPT);
        all.retain(|job| {
            let Some(finished) = job.status().finished else { return true };
            let old = (now - finished).to_std().is_ok_and(|age| age > self.keep);
            if old || surplus > 0 {
                surplus = surplus.saturating_sub(1);
                remove_file(job);
                return false;
            }
            true
        });
    }
}

fn remove_file(job: &Job) {
    if let Err(error) = std::fs::remove_file(&job.file)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %job.file.display(), "the result of a job could not be removed");
    }
}
