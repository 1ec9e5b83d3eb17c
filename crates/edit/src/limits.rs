//! Limits on one edit and on a batch of edits.

use citymap_limits::limits;

limits! {
    /// How large edits may be.
    pub struct EditLimits under "Limits" {
        /// Maximum number of vertices in the geometry of one edit.
        pub vertices_max: usize = 20_000, flag "edit-vertices-max", unit Count;
        /// Maximum number of edits in one batch (POST /api/changes).
        pub batch_edits_max: usize = 10_000, flag "batch-edits-max", unit Count;
        /// Maximum size of the body of a batch.
        pub batch_bytes_max: usize = 32 << 20, flag "batch-max", unit Bytes;
    }
}
