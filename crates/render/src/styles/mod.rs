//! MapLibre styles made from layer definitions.
