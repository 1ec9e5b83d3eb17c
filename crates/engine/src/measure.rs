use citymap_crs::{Crs, CrsError};
use citymap_model::Geometry;

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

/// Whether a position is near enough to the home grid's central meridian for its plane to be
/// meant: the zone and its neighbours, in Vietnam's latitudes. Elsewhere a measure is taken on
/// the ellipsoid, and says so.
fn on_home_grid(geometry: &Geometry) -> bool {
    crate::Bbox::of(geometry).is_none_or(|bbox| {
        bbox.min[0] >= 102.0 && bbox.max[0] <= 110.0 && bbox.min[1] >= 6.0 && bbox.max[1] <= 24.0
    })
}

impl Measure {
    /// The area of the polygons in WGS 84 `geometry`: on the home grid (EPSG:9210) where it
    /// reaches, else on the ellipsoid.
    pub fn area(geometry: &Geometry) -> Result<Self, CrsError> {
        if on_home_grid(geometry) {
            let value = citymap_crs::grid_area(geometry, Crs::HOME)?;
            return Ok(Self { value, method: Method::Grid(Crs::HOME) });
        }
        Ok(Self { value: citymap_crs::ellipsoidal_area(geometry), method: Method::Ellipsoid })
    }

    /// The length of the lines in WGS 84 `geometry`, as for [`Measure::area`].
    pub fn length(geometry: &Geometry) -> Result<Self, CrsError> {
        if on_home_grid(geometry) {
            let value = citymap_crs::grid_length(geometry, Crs::HOME)?;
            return Ok(Self { value, method: Method::Grid(Crs::HOME) });
        }
        Ok(Self { value: citymap_crs::ellipsoidal_length(geometry), method: Method::Ellipsoid })
    }
}
