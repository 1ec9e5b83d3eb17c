//! Overlay of two layers: what each feature of one shares with each feature of the other, exactly.
//!
//! Shapes are projected to the home grid, where edges are straight. The result equals that of
//! PostGIS's planar functions for the projected layers, to 1e-6 m² for each piece. An edge that is straight
//! in longitude and latitude is not exactly the same line on the grid: over 1 km it deviates by 4 mm.
//! [`shared_area`] explains how areas are found without clipping.
//!
//! ```
//! use citymap_engine::{Cancel, Operand, Overlay, OverlayOptions, SnapshotBuilder};
//! use citymap_model::{Feature, GeometryKind, Layer, Role, Title};
//! use geo::Rect;
//!
//! let layer = |id: &str, west: f64| {
//!     let layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Other, GeometryKind::Polygon);
//!     let mut builder = SnapshotBuilder::new(layer);
//!     let square = Rect::new((west, 10.77), (west + 0.001, 10.771)).to_polygon();
//!     builder.push(&Feature { fid: 1, geometry: Some(square.into()), values: vec![] }).unwrap();
//!     builder.finish(1)
//! };
//! let (parcels, zones) = (layer("parcels", 106.7), layer("zones", 106.7005));
//! let overlay = Overlay::new(Operand::new(&parcels), Operand::new(&zones)).unwrap();
//! let mut pieces = Vec::new();
//! let summary = overlay
//!     .run(&OverlayOptions::default(), |some| Ok::<_, std::io::Error>(pieces.extend_from_slice(some)))
//!     .unwrap();
//! assert_eq!((summary.pieces, pieces.len()), (1, 1));
//! assert!((pieces[0].share_a.unwrap() - 0.5).abs() < 1e-5);
//! ```

mod compute;
mod cut;
pub(crate) mod dissolve;
pub(crate) mod ellipsoid;
mod halves;
mod local;
mod operand;
pub(crate) mod pair;
pub(crate) mod planar;
mod plane;
mod run;
pub(crate) mod shared_area;
pub(crate) mod slabs;

pub use self::{
    compute::{Measures, Overlay, OverlayPiece, PieceShapes},
    local::LocalPlane,
    operand::Operand,
    run::{OverlayError, OverlayOptions, Progress, Summary},
};
