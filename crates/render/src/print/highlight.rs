//! The feature that a print is about, which is outlined on the map.

use citymap_engine::{Bbox, LayerSnapshot, Row};
use citymap_model::Geometry;
use geo::{BoundingRect, LineString, MultiPolygon};

use super::PrintArea;

/// How much of its own size is shown around a feature on each side.
const AROUND: f64 = 0.35;
/// The least that is shown around a feature on each side, in degrees: about 11 m.
const AROUND_MIN: f64 = 1e-4;

/// A feature that is outlined on a print.
#[derive(Clone, Debug)]
pub struct Highlight {
    areas: MultiPolygon<f64>,
    bbox: Bbox,
}

impl Highlight {
    /// The areas of a feature; `None` if it has none.
    pub fn of(snapshot: &LayerSnapshot, row: Row) -> Option<Self> {
        let areas = match snapshot.geometry(row)? {
            Geometry::Polygon(area) => MultiPolygon(vec![area]),
            Geometry::MultiPolygon(areas) => areas,
            _ => return None,
        };
        let rect = areas.bounding_rect()?;
        let bbox = Bbox::new(rect.min().x, rect.min().y, rect.max().x, rect.max().y);
        Some(Self { areas, bbox })
    }

    /// The rings of its areas in WGS 84 degrees.
    pub(crate) fn rings(&self) -> impl Iterator<Item = &LineString<f64>> {
        self.areas.iter().flat_map(|area| std::iter::once(area.exterior()).chain(area.interiors()))
    }

    /// The area to print: around its middle at a scale, or with some surroundings at the scale that fits.
    pub fn area(&self, scale: Option<f64>) -> PrintArea {
        let Bbox { min, max } = self.bbox;
        if scale.is_some() {
            return PrintArea::Around(self.bbox.center());
        }
        let by = [0, 1].map(|axis| ((max[axis] - min[axis]) * AROUND).max(AROUND_MIN));
        PrintArea::Box(Bbox::new(min[0] - by[0], min[1] - by[1], max[0] + by[0], max[1] + by[1]))
    }
}
