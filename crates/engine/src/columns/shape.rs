//! A view of the geometry of one row.

use citymap_model::Geometry;

use super::shapes::{ShapeColumn, ShapeKind, ShapePart};
use crate::{Bbox, Row};

/// The geometry of one row, read in place from the buffers of its block. Nothing is copied until
/// [`ShapeRef::geometry`].
#[derive(Clone, Copy, Debug)]
pub struct ShapeRef<'a> {
    column: &'a ShapeColumn,
    row: Row,
}

impl<'a> ShapeRef<'a> {
    #[inline]
    pub(crate) fn new(column: &'a ShapeColumn, row: Row) -> Self {
        Self { column, row }
    }

    /// The kind of the geometry.
    #[inline]
    pub fn kind(&self) -> ShapeKind {
        self.column.kind(self.row)
    }

    /// The points, lines and polygons that the geometry consists of.
    #[inline]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = ShapePart> + use<'a> {
        self.column.parts(self.row)
    }

    /// The coordinates of a ring of one of its parts: longitude and latitude in degrees.
    #[inline]
    pub fn ring(&self, ring: u32) -> &'a [[f64; 2]] {
        self.column.ring(ring)
    }

    /// The coordinates of a ring of one of its parts in [`mercator`](crate::mercator) units.
    #[inline]
    pub fn mercator_ring(&self, ring: u32) -> &'a [[u32; 2]] {
        self.column.mercator_ring(ring)
    }

    /// All coordinates of the row: longitude and latitude in degrees.
    pub fn coords(&self) -> &'a [[f64; 2]] {
        self.column.coords(self.row)
    }

    /// All coordinates of the row in [`mercator`](crate::mercator) units.
    pub fn mercator_coords(&self) -> &'a [[u32; 2]] {
        self.column.mercator_coords(self.row)
    }

    /// The bounding box in degrees; `None` for null and empty geometry.
    pub fn bbox(&self) -> Option<Bbox> {
        self.column.bbox(self.row)
    }

    /// An owned copy of the geometry as stored; `None` if it is null.
    pub fn geometry(&self) -> Option<Geometry> {
        self.column.geometry(self.row)
    }

    /// Whether both geometries are equal coordinate by coordinate.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.parts().len() == other.parts().len()
            && self.parts().zip(other.parts()).all(|(part, other_part)| {
                part.kind == other_part.kind
                    && part.rings().len() == other_part.rings().len()
                    && part.rings().zip(other_part.rings()).all(|(a, b)| self.ring(a) == other.ring(b))
            })
    }
}
