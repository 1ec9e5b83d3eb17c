use citymap_crs::{Crs, CrsError};
use citymap_model::Geometry;

use crate::Bbox;

/// How a measure was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// On the plane of a grid.
    Grid(Crs),
    /// On the WGS 84 ellipsoid.
    Ellipsoid,
}

/// An area (m²) or a length (m), and how it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Square metres or metres.
    pub value: f64,
    /// How it was taken.
    pub method: Method,
}

impl Method {
    /// How geometry within `bbox` is measured: on the home grid (EPSG:9210) in Vietnam's
    /// longitudes and latitudes, where that plane is meant; elsewhere on the ellipsoid.
    pub fn within(bbox: Option<Bbox>) -> Self {
        let home = Bbox::new(102.0, 6.0, 110.0, 24.0);
        if bbox.is_none_or(|bbox| home.contains(&bbox)) { Self::Grid(Crs::HOME) } else { Self::Ellipsoid }
    }

    /// The area of the polygons in WGS 84 `geometry`, m².
    pub fn area(self, geometry: &Geometry) -> Result<f64, CrsError> {
        match self {
            Self::Grid(grid) => citymap_crs::grid_area(geometry, grid),
            Self::Ellipsoid => Ok(citymap_crs::ellipsoidal_area(geometry)),
        }
    }

    /// The length of the lines in WGS 84 `geometry`, m.
    pub fn length(self, geometry: &Geometry) -> Result<f64, CrsError> {
        match self {
            Self::Grid(grid) => citymap_crs::grid_length(geometry, grid),
            Self::Ellipsoid => Ok(citymap_crs::ellipsoidal_length(geometry)),
        }
    }
}

impl Measure {
    /// The area of the polygons in WGS 84 `geometry`, by the method for where it lies.
    pub fn area(geometry: &Geometry) -> Result<Self, CrsError> {
        let method = Method::within(Bbox::of(geometry));
        Ok(Self { value: method.area(geometry)?, method })
    }

    /// The length of the lines in WGS 84 `geometry`, by the method for where it lies.
    pub fn length(geometry: &Geometry) -> Result<Self, CrsError> {
        let method = Method::within(Bbox::of(geometry));
        Ok(Self { value: method.length(geometry)?, method })
    }
}
