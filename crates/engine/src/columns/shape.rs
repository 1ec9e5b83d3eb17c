use citymap_model::Geometry;

use super::shapes::{ShapeColumn, ShapeKind, ShapePart};
use crate::{Bbox, Row};

/// One row's geometry in its block's buffers; nothing is copied until somebody asks for it.
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

    /// What it is.
    #[inline]
    pub fn kind(&self) -> ShapeKind {
        self.column.kind(self.row)
    }

    /// Its parts.
    #[inline]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = ShapePart> + use<'a> {
        self.column.parts(self.row)
    }

    /// A ring of one of its parts: longitude and latitude in degrees.
    #[inline]
    pub fn ring(&self, ring: u32) -> &'a [[f64; 2]] {
        self.column.ring(ring)
    }

    /// A ring of one of its parts in [`mercator`](crate::mercator) units.
    #[inline]
    pub fn mercator_ring(&self, ring: u32) -> &'a [[u32; 2]] {
        self.column.mercator_ring(ring)
    }

    /// All its coordinates, in degrees.
    pub fn coords(&self) -> &'a [[f64; 2]] {
        self.column.coords(self.row)
    }

    /// All its coordinates, in [`mercator`](crate::mercator) units.
    pub fn mercator_coords(&self) -> &'a [[u32; 2]] {
        self.column.mercator_coords(self.row)
    }

    /// The box around it; `None` for null and empty geometry.
    pub fn bbox(&self) -> Option<Bbox> {
        self.column.bbox(self.row)
    }

    /// The geometry, as stored; `None` for a null one.
    pub fn geometry(&self) -> Option<Geometry> {
        self.column.geometry(self.row)
    }

    /// Whether both are the same, coordinate by coordinate.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.parts().len() == other.parts().len()
            && self.parts().zip(other.parts()).all(|(own, others)| {
                own.kind == others.kind
                    && own.rings().len() == others.rings().len()
                    && own.rings().zip(others.rings()).all(|(a, b)| self.ring(a) == other.ring(b))
            })
    }
}
