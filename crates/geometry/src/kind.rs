//! The kinds of geometry that a layer can hold, and their names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Geometry;

/// The kind of geometry that a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GeometryKind {
    /// Points and multi-points only.
    Point,
    /// Lines and multi-lines only.
    Line,
    /// Polygons and multi-polygons only.
    Polygon,
    /// More than one of the above, or collections.
    Mixed,
    /// A table without geometry.
    None,
}

impl GeometryKind {
    /// The kind of one geometry; a collection is [`GeometryKind::Mixed`] whatever its parts are.
    pub fn of(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Point(_) | Geometry::MultiPoint(_) => Self::Point,
            Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Self::Line,
            Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {
                Self::Polygon
            }
            Geometry::GeometryCollection(_) => Self::Mixed,
        }
    }

    /// The kind of a layer that holds geometry of both kinds.
    #[must_use]
    pub fn joined_with(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }

    /// The name in the catalogue, in JSON and in the HTTP interface: `point`, `line`, `polygon`, `mixed` or
    /// `none`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Line => "line",
            Self::Polygon => "polygon",
            Self::Mixed => "mixed",
            Self::None => "none",
        }
    }

    /// One geometry of this kind in a sentence, with its article: `a point`.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Point => "a point",
            Self::Line => "a line",
            Self::Polygon => "a polygon",
            Self::Mixed => "a collection",
            Self::None => "nothing",
        }
    }

    /// What a layer of this kind holds, in a sentence: `points`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Point => "points",
            Self::Line => "lines",
            Self::Polygon => "polygons",
            Self::Mixed => "geometry of several kinds",
            Self::None => "no geometry",
        }
    }

    /// Checks that a layer of this kind can hold a geometry of the kind `found`. Whether an empty geometry
    /// fits a layer of another kind is for the caller to decide.
    ///
    /// # Errors
    /// [`KindMismatch`] if it cannot.
    pub fn check(self, found: Self) -> Result<(), KindMismatch> {
        let fits = match self {
            Self::Mixed => true,
            Self::None => false,
            _ => self == found,
        };
        if fits { Ok(()) } else { Err(KindMismatch { layer: self, found }) }
    }
}

impl fmt::Display for GeometryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A geometry of a kind that its layer does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its geometry is {}, but the layer holds {}", .found.singular(), .layer.plural())]
pub struct KindMismatch {
    /// The kind that the layer holds.
    pub layer: GeometryKind,
    /// The kind of the geometry.
    pub found: GeometryKind,
}

#[cfg(test)]
mod tests {
    use geo_types::{GeometryCollection, Point};

    use super::*;

    #[test]
    fn a_mixed_layer_takes_all_kinds_and_a_table_none() {
        for kind in [GeometryKind::Point, GeometryKind::Line, GeometryKind::Polygon, GeometryKind::Mixed] {
            assert_eq!(GeometryKind::Mixed.check(kind), Ok(()));
            assert!(GeometryKind::None.check(kind).is_err());
        }
        let point = GeometryKind::of(&Point::new(1.0, 2.0).into());
        let refused = GeometryKind::Polygon.check(point).unwrap_err();
        assert_eq!(refused.to_string(), "its geometry is a point, but the layer holds polygons");
        let collection = Geometry::GeometryCollection(GeometryCollection(vec![]));
        assert!(GeometryKind::Point.check(GeometryKind::of(&collection)).is_err());
    }

    #[test]
    fn two_kinds_join_to_mixed() {
        assert_eq!(GeometryKind::Line.joined_with(GeometryKind::Line), GeometryKind::Line);
        assert_eq!(GeometryKind::Line.joined_with(GeometryKind::Point), GeometryKind::Mixed);
    }
}
