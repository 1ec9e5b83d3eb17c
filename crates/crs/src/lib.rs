//! Coordinate systems through PROJ, with VN-2000 pinned to the legal datum shift (EPSG:6960).
//!
//! Three rules apply to everything in this crate:
//!
//! - **Axis order is decided here and nowhere else.** A coordinate pair is always `[x, y]`: `[longitude,
//!   latitude]` in degrees for a geographic system, and `[easting, northing]` in metres for a projected one,
//!   whatever the EPSG definition or Vietnamese documents (X = northing) say. [`NamedCrs`] converts to the
//!   order that OGC API – Features requires.
//! - **PROJ never chooses the datum shift.** Between VN-2000 and WGS 84 PROJ prefers EPSG:5194 in the south,
//!   which is 0.80 m away from the legal EPSG:6960 at Bến Thành. Every path between the two uses the pinned
//!   pipeline of [`vn2000`].
//! - **Nothing is guessed.** For a file without a coordinate system, [`propose_zones`] lists the zones in
//!   which it would be inside the city, and a person chooses.
//!
//! ```
//! use citymap_crs::{Crs, Transform};
//!
//! let mut points = [[106.698, 10.7725]];
//! Transform::new(Crs::WGS84, Crs::home())?.apply(&mut points)?;
//! assert!((points[0][0] - 603_481.588).abs() < 0.001);
//! assert!((points[0][1] - 1_191_454.611).abs() < 0.001);
//! # Ok::<(), citymap_crs::CrsError>(())
//! ```

mod area;
mod cache;
mod code;
mod degrees;
mod error;
mod home;
mod measure;
mod named;
mod polynomial_grid;
mod propose;
mod steps;
mod transform;
pub mod vn2000;

pub use area::AreaOfUse;
pub use code::Crs;
pub use degrees::square_degree_area;
pub use error::CrsError;
pub use measure::{ellipsoidal_area, ellipsoidal_length, grid_area, grid_length};
pub use named::{CRS84, NamedCrs};
pub use polynomial_grid::PolynomialGrid;
pub use propose::{CityArea, ZoneProposal, propose_zones};
pub use transform::Transform;
