//! Merges polygons by class: into areas at the zoom just below a layer's detail zoom, and on a raster at the
//! zooms below.
//!
//! A layer is divided into the cells of its detail zoom ([`cell_grid`]). Once for each cell, polygons are
//! merged where they share borders with others of their class ([`area`]), and painted on a raster
//! ([`raster`]). A tile of the zoom above shows the areas of its four cells. A tile further above is put
//! together from the rasters of its cells ([`mosaic`]) and traced to polygons again ([`contour`]). The result
//! of a cell depends only on the features around it, so an edit invalidates only the cells near it
//! ([`square_stamps`]).

mod arcs;
mod area;
mod area_cutter;
mod cell_grid;
mod contour;
mod derived;
mod labels;
mod mosaic;
mod raster;
mod reach;
mod snap;
mod square_stamps;
mod tile;
mod write;

pub(crate) use self::{
    cell_grid::CellGrid,
    derived::DerivedLayer,
    labels::Labels,
    reach::{grown_to, reach},
    tile::Drawing,
    write::{COUNT_KEY, MERGED_ID},
};
