//! Readers, encodings, validation and quarantine: files to change sets.

pub mod encoding;
