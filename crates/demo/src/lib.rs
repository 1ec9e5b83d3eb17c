//! A synthetic city from a seed.
