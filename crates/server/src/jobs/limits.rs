//! Limits on jobs and their results.

use std::time::Duration;

use citymap_limits::limits;

limits! {
    /// How many jobs wait, and how large and how old results may be.
    pub struct JobLimits under "Jobs" {
        /// Maximum number of jobs that wait while one runs; more are answered 503 with Retry-After.
        pub waiting: usize = 4, flag "jobs-waiting", unit Count;
        /// Maximum number of jobs of one client that run or wait; more are answered 429 with Retry-After.
        pub per_client: usize = 2, flag "jobs-per-client", unit Count;
        /// Time for which the result of a job is kept.
        pub keep: Duration = Duration::from_secs(3_600), flag "jobs-keep", unit Seconds;
        /// Maximum size of all results together; one client has a quarter.
        pub bytes_max: u64 = 4 << 30, flag "jobs-bytes", unit Bytes;
    }
}
