//! Cutting one feature's geometry to a tile on the integer grid of a zoom.
//!
//! Read from the top down: [`polygon`] and [`line`] cut a shape; [`repair`] makes rings valid after rounding,
//! with the exact tests of [`simple`] and the tracing of [`trace`]; [`clip`], [`rings`], [`segment`] and
//! [`grid`] are the ground.

pub(crate) mod clip;
pub(crate) mod grid;
pub(crate) mod line;
pub(crate) mod point;
pub(crate) mod polygon;
pub(crate) mod repair;
pub(crate) mod rings;
mod segment;
pub(crate) mod simple;
pub(crate) mod simplify;
mod sliver;
pub(crate) mod trace;
