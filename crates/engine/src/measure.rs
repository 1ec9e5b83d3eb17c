//! Lengths and areas, on the home grid or on the ellipsoid.

use citymap_crs::{Crs, CrsError};
use citymap_model::Geometry;

use crate::Bbox;

/// How a length or an area is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// On the plane of a projected grid.
    Grid(Crs),
    /// Geodesically, on the WGS 84 ellipsoid.
    Ellipsoid,
}

/// An area (m²) or a length (m) and the method that it was computed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Square metres for an area, metres for a length.
    pub value: f64,
    /// The method that `value` was computed with.
    pub method: Method,
}

impl Method {
    /// The method for geometry within `bbox` (WGS 84 degrees): the home grid if the box is within
    /// Vietnam's longitudes and latitudes, where that grid applies; otherwise the ellipsoid.
    pub fn within(bbox: Option<Bbox>) -> Self {
        let home = Bbox::new(102.0, 6.0, 110.0, 24.0);
        if bbox.is_none_or(|bbox| home.contains(&bbox)) { Self::Grid(Crs::home()) } else { Self::Ellipsoid }
    }

    /// The area in m² of the polygons of a geometry in WGS 84 degrees.
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub fn area(self, geometry: &Geometry) -> Result<f64, CrsError> {
        match self {
            Self::Grid(grid) => citymap_crs::grid_area(geometry, grid),
            Self::Ellipsoid => Ok(citymap_crs::ellipsoidal_area(geometry)),
        }
    }

    /// The length in m of the lines of a geometry in WGS 84 degrees.
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub fn length(self, geometry: &Geometry) -> Result<f64, CrsError> {
        match self {
            Self::Grid(grid) => citymap_crs::grid_length(geometry, grid),
            Self::Ellipsoid => Ok(citymap_crs::ellipsoidal_length(geometry)),
        }
    }
}

impl Measure {
    /// The area of the polygons of a geometry in WGS 84 degrees, by the [method for its
    /// place](Method::within).
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub fn area(geometry: &Geometry) -> Result<Self, CrsError> {
        let method = Method::within(Bbox::of(geometry));
        Ok(Self { value: method.area(geometry)?, method })
    }

    /// The length of the lines of a geometry in WGS 84 degrees, by the [method for its
    /// place](Method::within).
    ///
    /// # Errors
    /// [`CrsError`] if a coordinate cannot be projected to the grid.
    pub fn length(geometry: &Geometry) -> Result<Self, CrsError> {
        let method = Method::within(Bbox::of(geometry));
        Ok(Self { value: method.length(geometry)?, method })
    }
}
