//! Questions to one layer snapshot: by box, geometry, field, time and fid ([`select`]), near a point
//! ([`near`]), and within a drawn area ([`within`]).

pub(crate) mod near;
mod predicate;
pub(crate) mod rows;
pub(crate) mod select;
mod sides;
pub(crate) mod sort;
pub(crate) mod valid;
pub(crate) mod within;
