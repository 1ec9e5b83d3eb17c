//! The overlay of two layers as a job.

pub(crate) mod inputs;
