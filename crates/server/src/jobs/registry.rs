//! All jobs of this process, within their bounds of number, time and disk.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::Utc;
use citymap_engine::Cancel;

use super::{
    folder::Folder,
    job::{Job, JobState, ResultFile},
    limits::JobLimits,
};
use crate::{
    http::{
        client::Client,
        problem::{Problem, exception},
    },
    work::{BatchPool, Load},
};

/// Maximum number of jobs that are remembered; the oldest that have ended are forgotten first.
const REMEMBERED_MAX: usize = 200;

/// One client has the disk's share of one in this many.
const SHARE: u64 = 4;

/// The jobs that run, wait, or ended not long ago.
pub(crate) struct Jobs {
    all: Mutex<Vec<Arc<Job>>>,
    folder: Folder,
    /// Runs one job at a time.
    pool: BatchPool,
    /// Jobs that run or wait.
    open_max: usize,
    /// The same of one client.
    open_per_client: usize,
    keep: Duration,
    /// Of all results together.
    bytes_max: u64,
}

impl Jobs {
    /// No jobs yet. Results are kept below `folder`, or below the system's folder for temporary files.
    pub(crate) fn new(folder: Option<PathBuf>, limits: &JobLimits, pool: BatchPool) -> Self {
        Self {
            all: Mutex::default(),
            folder: Folder::new(folder),
            pool,
            open_max: 1 + limits.waiting,
            open_per_client: limits.per_client,
            keep: limits.keep,
            bytes_max: limits.bytes_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a job that waits to run.
    ///
    /// # Errors
    /// 503 if too many jobs wait, or if the results have used up their disk space; 429 if the client has its
    /// share of either.
    pub(crate) fn open(
        &self,
        process: &'static str,
        revision: u64,
        result: ResultFile,
    ) -> Result<Arc<Job>, Problem> {
        let folder = self.folder.path()?;
        let mut all = self.lock();
        self.forget(&mut all);
        if all.iter().filter(|job| !job.status().state.has_ended()).count() >= self.open_max {
            return Err(Problem::unavailable("a job is running and others are waiting; try again later", 30));
        }
        if used(all.iter()) >= self.bytes_max {
            return Err(Problem::unavailable(
                "the disk space for results is used up; results expire, and DELETE of a job frees its space",
                300,
            ));
        }
        let own = all.iter().filter(|job| job.client.is_some() && job.client == Client::current());
        if own.clone().filter(|job| !job.status().state.has_ended()).count() >= self.open_per_client {
            let detail = format!(
                "{} jobs of this client run or wait, which is the maximum; try again later",
                self.open_per_client
            );
            return Err(Problem::too_many(detail, 30));
        }
        if used(own) >= self.bytes_max / SHARE {
            return Err(Problem::too_many(
                "the results of this client take its share of the disk; they expire, and DELETE of a job \
                 frees its space",
                300,
            ));
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Problem::internal(format!("no random number for a job: {error}")))?;
        let id: String = citymap_model::hex(&bytes);
        let file = folder.join(format!("{id}.{}", result.extension));
        let job = Arc::new(Job::accepted(id, process, revision, result, file));
        all.push(Arc::clone(&job));
        Ok(job)
    }

    /// Runs `work` as the job, in the background, as soon as the jobs before it have ended. `work` gets the
    /// number of bytes that the result may have and the flag that cancels it. An error becomes the message of
    /// the failed job.
    pub(crate) fn start(
        self: &Arc<Self>,
        job: Arc<Job>,
        work: impl FnOnce(&Job, u64, &Cancel) -> Result<(), Problem> + Send + 'static,
    ) {
        let jobs = Arc::clone(self);
        tokio::spawn(async move {
            let (shared, running) = (Arc::clone(&jobs), Arc::clone(&job));
            let run = move |cancel: &Cancel| {
                let started = running.update(|status| {
                    status.state = JobState::Running;
                    status.started = Some(Utc::now());
                    status.message = "running".to_owned();
                });
                if started { work(&running, shared.bytes_left(&running), cancel) } else { Ok(()) }
            };
            if let Err(problem) = jobs.pool.run_with(job.cancel.clone(), run).await {
                job.update(|status| {
                    status.state = JobState::Failed;
                    problem.detail().clone_into(&mut status.message);
                });
            }
        });
    }

    /// The number of bytes that the result of a job may have.
    fn bytes_left(&self, job: &Job) -> u64 {
        let all = self.lock();
        let left = self.bytes_max.saturating_sub(used(all.iter()));
        let own = all.iter().filter(|other| other.client.is_some() && other.client == job.client);
        left.min((self.bytes_max / SHARE).saturating_sub(used(own)))
    }

    /// What runs and what waits now.
    pub(crate) fn load(&self) -> Load {
        self.pool.load()
    }

    /// The job with this id.
    ///
    /// # Errors
    /// 404 if there is none, or none any more.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let mut all = self.lock();
        self.forget(&mut all);
        all.iter().find(|job| job.id == id).cloned().ok_or_else(|| {
            Problem::not_found(
                "there is no such job: jobs are forgotten some time after they end, and at a restart",
            )
            .with("type", exception("no-such-job"))
        })
    }

    /// All jobs, newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        let mut all = self.lock();
        self.forget(&mut all);
        all.iter().rev().cloned().collect()
    }

    /// Forgets a job and removes its result.
    pub(crate) fn remove(&self, job: &Arc<Job>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, job));
        job.remove_file();
    }

    /// Forgets jobs that ended long ago, and the oldest if there are too many.
    fn forget(&self, all: &mut Vec<Arc<Job>>) {
        let now = Utc::now();
        let mut surplus = all.len().saturating_sub(REMEMBERED_MAX);
        all.retain(|job| {
            let Some(finished) = job.status().finished else { return true };
            let old = (now - finished).to_std().is_ok_and(|age| age > self.keep);
            if old || surplus > 0 {
                surplus = surplus.saturating_sub(1);
                job.remove_file();
                return false;
            }
            true
        });
    }
}

/// The bytes that the results of these jobs have on disk.
fn used<'a>(jobs: impl Iterator<Item = &'a Arc<Job>>) -> u64 {
    jobs.map(|job| job.status().bytes).sum()
}
