//! A plane around one feature, on which others are cut and measured.

use geo::{Coord, LineString, MultiLineString, MultiPolygon};

use super::{cut::polygons, plane::Plane};
use crate::{Bbox, EngineError, LayerSnapshot, Method, PartKind, Row};

/// The home grid around a feature: metres to the east and to the north of the south-west corner of its box.
/// Coordinates are small, so that what is computed with them loses no digits.
///
/// # Precision
/// Edges are straight on the grid, as in an [`Overlay`](crate::Overlay).
#[derive(Clone, Copy, Debug)]
pub struct LocalPlane {
    plane: Plane,
    base: [f64; 2],
    /// What lies outside is cut away, in metres from the base.
    window: [[f64; 2]; 2],
}

impl LocalPlane {
    /// The plane around a feature; what is farther from its box than `margin` metres can be cut away. `None`
    /// for a feature without geometry, and where the home grid does not apply ([`Method::within`]).
    ///
    /// # Errors
    /// [`EngineError::Crs`] if the feature cannot be projected.
    pub fn around(snapshot: &LayerSnapshot, row: Row, margin: f64) -> Result<Option<Self>, EngineError> {
        let shape = snapshot.shape(row);
        let plane = Plane::of(Method::within(shape.bbox()));
        if plane != Plane::Grid {
            return Ok(None);
        }
        let mut bounds: Option<[[f64; 2]; 2]> = None;
        for &at in shape.coords() {
            let [x, y] = plane.place(at)?;
            let [min, max] = bounds.get_or_insert([[x, y], [x, y]]);
            *min = [min[0].min(x), min[1].min(y)];
            *max = [max[0].max(x), max[1].max(y)];
        }
        Ok(bounds.map(|[min, max]| {
            let window = [[-margin, -margin], [max[0] - min[0] + margin, max[1] - min[1] + margin]];
            Self { plane, base: min, window }
        }))
    }

    /// The polygons of a feature in metres from the base. Where they reach beyond the window they are cut
    /// off, along its sides.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if the feature cannot be projected.
    pub fn polygons(&self, snapshot: &LayerSnapshot, row: Row) -> Result<MultiPolygon<f64>, EngineError> {
        polygons(self.plane, snapshot.shape(row), self.base, Some(self.window))
    }

    /// The lines of a feature in metres from the base, whole.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if the feature cannot be projected.
    pub fn lines(&self, snapshot: &LayerSnapshot, row: Row) -> Result<MultiLineString<f64>, EngineError> {
        let shape = snapshot.shape(row);
        let mut lines = Vec::new();
        for part in shape.parts().filter(|part| part.kind == PartKind::Line) {
            for ring in part.rings() {
                let coords = shape.ring(ring).iter().map(|&at| {
                    let [x, y] = self.plane.place(at)?;
                    Ok(Coord { x: x - self.base[0], y: y - self.base[1] })
                });
                lines.push(LineString::new(coords.collect::<Result<_, EngineError>>()?));
            }
        }
        Ok(MultiLineString::new(lines))
    }

    /// A position of the plane on the home grid: easting and northing in metres.
    pub fn grid(&self, at: Coord<f64>) -> [f64; 2] {
        [at.x + self.base[0], at.y + self.base[1]]
    }

    /// A position of the plane in WGS 84 longitude and latitude.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if it is beyond the grid.
    pub fn lonlat(&self, at: Coord<f64>) -> Result<[f64; 2], EngineError> {
        Ok(self.plane.degrees(self.grid(at))?)
    }

    /// The box of the window in WGS 84 degrees, slightly widened, to look for features in.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if it is beyond the grid.
    pub fn bbox(&self) -> Result<Bbox, EngineError> {
        let [min, max] = self.window;
        let mut bbox: Option<Bbox> = None;
        for [x, y] in [min, [max[0], min[1]], max, [min[0], max[1]]] {
            let [lon, lat] = self.lonlat(Coord { x, y })?;
            // The grid is turned against the meridian by less than a hundredth.
            let corner = Bbox::new(lon - 1e-6, lat - 1e-6, lon + 1e-6, lat + 1e-6);
            bbox = Some(bbox.map_or(corner, |bbox| bbox.union(corner)));
        }
        Ok(bbox.unwrap_or(Bbox::new(0.0, 0.0, 0.0, 0.0)))
    }
}
