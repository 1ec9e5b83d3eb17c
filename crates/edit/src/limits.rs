//! Bounds on one edit and on a batch of edits.

/// How large edits may be.
#[derive(Clone, Debug)]
pub struct EditLimits {
    /// Maximum number of vertices in the geometry of one edit. Default 20 000.
    pub vertices_max: usize,
    /// Maximum number of edits in one batch (`POST /api/changes`). Default 10 000.
    pub batch_edits_max: usize,
    /// Maximum size of the body of a batch, in bytes. Default 32 MiB.
    pub batch_bytes_max: usize,
}

impl Default for EditLimits {
    fn default() -> Self {
        Self { vertices_max: 20_000, batch_edits_max: 10_000, batch_bytes_max: 32 << 20 }
    }
}
