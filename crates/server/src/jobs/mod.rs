//! Work that takes longer than a request, in the manner of OGC API – Processes.
//!
//! This is the runtime, which knows no particular process: the registry, the folder of results, and the
//! routes below `/api/jobs`. What a job does comes from [`crate::processes`].
//!
//! Anybody may start a job, because everything is bounded: one job runs at a time, on threads of low
//! priority; few wait; results have a maximum size and expire. A job's id is a long random number, and
//! whoever has it may look at the job, fetch its result and cancel it; only writers get the list of all jobs.
//! Jobs live in this process: a restart forgets them and removes their files.

mod folder;
pub(crate) mod job;
pub(crate) mod limits;
pub(crate) mod registry;
pub(crate) mod results;
pub(crate) mod status;
