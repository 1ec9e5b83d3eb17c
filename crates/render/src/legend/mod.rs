//! Legends: what a style draws, as labelled entries in the colours that are seen.
