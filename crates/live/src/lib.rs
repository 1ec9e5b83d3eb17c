//! One city in memory, kept in step with its record.
