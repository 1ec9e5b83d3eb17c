//! The overlay of two layers, feature by feature, and the pieces that it finds.

use citymap_model::{Geometry, GeometryKind};
use rayon::prelude::*;

use super::{
    cut,
    operand::{Operand, Selected},
    pair::Pair,
    plane::Plane,
    shared_area::Scratch,
    slabs::PreparedShape,
};
use crate::{Bbox, Cancel, EngineError, LayerSnapshot, Method, Row};

/// Number of coordinates from which a feature of the second layer is prepared once for the whole run.
const LARGE: usize = 16;

/// Number of edges from which a feature is indexed by slabs even for few pairs.
const INDEXED: usize = 256;

/// What a feature of the first layer shares with a feature of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayPiece {
    /// Row of the feature in the first layer.
    pub row_a: Row,
    /// Row of the feature in the second layer.
    pub row_b: Row,
    /// Area in m² that their polygons share; 0 if none.
    pub area: f64,
    /// Length in m of the lines of either feature that are in the polygons of the other.
    pub length: f64,
    /// Number of points of either feature that are in the polygons of the other.
    pub count: u32,
    /// The fraction of the first feature that the piece is, from 0 to 1: of its area, or of its length, or of
    /// its points. `None` if the feature has another dimension than the piece (a polygon that a line passes
    /// through).
    pub share_a: Option<f64>,
    /// The fraction of the second feature that the piece is, from 0 to 1.
    pub share_b: Option<f64>,
}

impl OverlayPiece {
    /// Whether the first feature is completely in the second, within 1e-7 m².
    pub fn is_whole_a(&self) -> bool {
        self.share_a.is_some_and(|share| self.rest(share) <= 1e-7)
    }

    /// Whether the second feature is completely in the first, within 1e-7 m².
    pub fn is_whole_b(&self) -> bool {
        self.share_b.is_some_and(|share| self.rest(share) <= 1e-7)
    }

    /// The part of the feature outside of the piece, in the unit of the piece.
    fn rest(&self, share: f64) -> f64 {
        let measure = if self.area > 0.0 {
            self.area
        } else if self.length > 0.0 {
            self.length
        } else {
            f64::from(self.count)
        };
        if share > 0.0 { measure / share - measure } else { f64::INFINITY }
    }
}

/// Which measures the pieces of two layers can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Pieces have areas: both layers have polygons.
    pub area: bool,
    /// Pieces have lengths: lines meet polygons.
    pub length: bool,
    /// Pieces have counts: points meet polygons.
    pub count: bool,
}

/// The overlay of two layers, for single features ([`Overlay::of`]) or for all of them ([`Overlay::run`]).
///
/// # Validity
/// Polygons must be valid by the rules of OGC Simple Features. A polygon that overlaps itself counts the
/// overlap as often as it covers it; see decision 13.
///
/// # Precision
/// On the home grid the area of a piece is accurate to 1e-6 m², which is also the default threshold
/// ([`Overlay::min_measure`]). The areas of zones that share edges add up to the parcel.
///
/// # Complexity
/// One search in the R-tree of the second layer for each feature of the first. For each pair the edges near
/// both are compared: O(m + n) for small features; large features of the second layer are indexed by slabs
/// once, so that each pair visits only edges at its own northings.
#[derive(Debug)]
pub struct Overlay<'a> {
    pub(super) a: Operand<'a>,
    pub(super) b: Operand<'a>,
    selected_b: Selected,
    measures: Measures,
    method: Method,
    /// Degrees by which bounding boxes are widened, because edges that are straight in degrees bend on the
    /// grid.
    pub(super) slack: f64,
    /// Pieces whose measure is at most this are dropped; m² or m.
    min_measure: f64,
    /// Large features of the second layer on the grid, by row. Empty until [`Overlay::prepare`].
    prepared: Vec<Option<Box<PreparedShape>>>,
}

impl<'a> Overlay<'a> {
    /// The overlay of the features that the operands select.
    ///
    /// # Errors
    /// [`EngineError::NoPolygons`] if neither layer has polygons: lines and points have no measure in common.
    pub fn new(a: Operand<'a>, b: Operand<'a>) -> Result<Self, EngineError> {
        let (kind_a, kind_b) = (a.snapshot.layer().geometry, b.snapshot.layer().geometry);
        let has = |kind: GeometryKind, asked: GeometryKind| kind == asked || kind == GeometryKind::Mixed;
        let meet = |asked: GeometryKind| {
            has(kind_a, asked) && has(kind_b, GeometryKind::Polygon)
                || has(kind_b, asked) && has(kind_a, GeometryKind::Polygon)
        };
        let measures = Measures {
            area: has(kind_a, GeometryKind::Polygon) && has(kind_b, GeometryKind::Polygon),
            length: meet(GeometryKind::Line),
            count: meet(GeometryKind::Point),
        };
        if !(measures.area || measures.length || measures.count) {
            return Err(EngineError::NoPolygons {
                a: a.snapshot.layer().id.clone(),
                b: b.snapshot.layer().id.clone(),
            });
        }
        let extent =
            [a.snapshot, b.snapshot].iter().filter_map(|snapshot| snapshot.extent()).reduce(Bbox::union);
        let selected_b = b.selected();
        // The slack suits an edge of 50 km; a run of the whole layer measures the longest edge.
        Ok(Self {
            a,
            b,
            selected_b,
            measures,
            method: Method::within(extent),
            slack: 1e-4,
            min_measure: 1e-6,
            prepared: Vec::new(),
        })
    }

    /// Drops pieces of at most `min_measure` square metres (or metres). The default, 1e-6, is the precision
    /// of the computation.
    pub fn min_measure(mut self, min_measure: f64) -> Self {
        self.min_measure = min_measure.max(1e-6);
        self
    }

    /// The snapshot of the first layer.
    pub fn a(&self) -> &'a LayerSnapshot {
        self.a.snapshot
    }

    /// The snapshot of the second layer.
    pub fn b(&self) -> &'a LayerSnapshot {
        self.b.snapshot
    }

    /// Which measures pieces can have, by the kinds of geometry of the layers.
    pub fn measures(&self) -> Measures {
        self.measures
    }

    /// The method for areas and lengths: on the home grid or on the ellipsoid.
    pub fn method(&self) -> Method {
        self.method
    }

    /// How much larger areas are on the home grid than on the ellipsoid, where the first layer lies and is
    /// farthest from the grid's central meridian: 0.002 for 0.2 %. `None` for areas on the ellipsoid, and
    /// without features.
    pub fn grid_excess(&self) -> Option<f64> {
        let Method::Grid(_) = self.method else { return None };
        let extent = self.a.snapshot.extent()?;
        let [west, east] = [extent.min[0], extent.max[0]];
        let y = f64::midpoint(extent.min[1], extent.max[1]);
        let excess = |x: f64| {
            let square = geo::Rect::new((x - 5e-4, y - 5e-4), (x + 5e-4, y + 5e-4)).to_polygon().into();
            let [grid, ellipsoid] = [self.method, Method::Ellipsoid].map(|method| method.area(&square).ok());
            Some(grid? / ellipsoid? - 1.0)
        };
        [west, east].into_iter().filter_map(excess).reduce(|a, b| if b.abs() > a.abs() { b } else { a })
    }

    /// The pieces of one feature of the first layer, ordered by fids of the second, and the number of
    /// features that only touch it.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a feature cannot be projected to the grid.
    pub fn of(&self, row: Row) -> Result<(Vec<OverlayPiece>, u64), EngineError> {
        self.of_until(row, &Cancel::default())
    }

    /// As [`Overlay::of`], and ends soon after `cancel` is set.
    ///
    /// # Errors
    /// As [`Overlay::of`]; [`EngineError::Cancelled`] once `cancel` is set.
    pub fn of_until(&self, row: Row, cancel: &Cancel) -> Result<(Vec<OverlayPiece>, u64), EngineError> {
        let mut worker = Worker::until(cancel);
        let mut pieces = Vec::new();
        self.row(row, &mut worker, &mut pieces)?;
        Ok((pieces, worker.contacts))
    }

    /// Computes the shapes of pieces. Independent of this overlay, so it can be used while the overlay runs.
    pub fn shapes(&self) -> PieceShapes<'a> {
        PieceShapes { a: self.a.snapshot, b: self.b.snapshot, method: self.method }
    }

    /// Projects the large features of the second layer to the grid once, for a run over many features of the
    /// first.
    pub(super) fn prepare(&mut self) -> Result<(), EngineError> {
        let snapshot = self.b.snapshot;
        let rows = snapshot.base().len() + snapshot.delta().len();
        let (selected, plane) = (&self.selected_b, Plane::of(self.method));
        self.prepared = (0..rows as Row)
            .into_par_iter()
            .with_min_len(64)
            .map(|row| -> Result<_, EngineError> {
                let shape = snapshot.shape(row);
                if shape.coords().len() < LARGE || snapshot.is_hidden(row) || !selected.has(row) {
                    return Ok(None);
                }
                let mut prepared = Box::<PreparedShape>::default();
                prepared.planar.read_on(plane, shape)?;
                prepared.prepare();
                Ok(Some(prepared))
            })
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Appends the pieces of a feature of the first layer.
    pub(super) fn row(
        &self,
        row: Row,
        worker: &mut Worker,
        out: &mut Vec<OverlayPiece>,
    ) -> Result<(), EngineError> {
        let shape = self.a.snapshot.shape(row);
        let Some(bbox) = shape.bbox() else { return Ok(()) };
        let slack = self.slack;
        let wide =
            Bbox::new(bbox.min[0] - slack, bbox.min[1] - slack, bbox.max[0] + slack, bbox.max[1] + slack);
        worker.others.clear();
        let others = &mut worker.others;
        self.b.snapshot.candidates(&wide, |other| {
            if self.selected_b.has(other) {
                others.push(other);
            }
        });
        if others.is_empty() {
            return Ok(());
        }
        self.b.snapshot.sort(others);
        worker.pairs += others.len() as u64;
        let plane = Plane::of(self.method);
        worker.first.planar.read_on(plane, shape)?;
        let first = &worker.first.planar;
        let first_is_large = first.edges.len() + first.line_coords.len() >= INDEXED;
        if worker.others.len() > 4 || first_is_large {
            // Does nothing for lines.
            worker.first.prepare();
        } else {
            worker.first.plain();
        }
        for &other in &worker.others {
            worker.cancel.check()?;
            let second = match self.prepared.get(other as usize) {
                Some(Some(prepared)) => prepared,
                _ => {
                    worker.other.planar.read_on(plane, self.b.snapshot.shape(other))?;
                    if first_is_large && worker.other.planar.edges.len() >= INDEXED {
                        worker.other.prepare();
                    } else {
                        worker.other.plain();
                    }
                    &worker.other
                }
            };
            let pair = Pair::of(&worker.first, second, self.min_measure, &mut worker.scratch);
            match pair {
                Pair::Apart => {}
                Pair::Contact => worker.contacts += 1,
                Pair::Shares { area, length, count, share_a, share_b } => {
                    out.push(OverlayPiece {
                        row_a: row,
                        row_b: other,
                        area,
                        length,
                        count,
                        share_a,
                        share_b,
                    });
                }
            }
        }
        Ok(())
    }
}

/// Computes the shapes of an overlay's pieces.
#[derive(Clone, Copy, Debug)]
pub struct PieceShapes<'a> {
    a: &'a LayerSnapshot,
    b: &'a LayerSnapshot,
    method: Method,
}

impl<'a> PieceShapes<'a> {
    /// The snapshot of the first layer.
    pub fn a(&self) -> &'a LayerSnapshot {
        self.a
    }

    /// The snapshot of the second layer.
    pub fn b(&self) -> &'a LayerSnapshot {
        self.b
    }

    /// The shape of a piece in WGS 84 degrees; `None` if the features only touch. A feature that is
    /// completely in the other is returned as it is stored.
    ///
    /// # Errors
    /// [`EngineError::Crs`] if a feature cannot be projected to the grid.
    pub fn of(&self, piece: &OverlayPiece) -> Result<Option<Geometry>, EngineError> {
        let (a, b) = (self.a.shape(piece.row_a), self.b.shape(piece.row_b));
        if piece.is_whole_a() {
            return Ok(a.geometry());
        }
        if piece.is_whole_b() {
            return Ok(b.geometry());
        }
        cut::geometry(Plane::of(self.method), a, b)
    }
}

/// Buffers and counters that one thread reuses from feature to feature.
#[derive(Default)]
pub(super) struct Worker {
    first: PreparedShape,
    other: PreparedShape,
    others: Vec<Row>,
    scratch: Scratch,
    pub(super) cancel: Cancel,
    pub(super) pairs: u64,
    pub(super) contacts: u64,
}

impl Worker {
    /// A worker that stops once `cancel` is set.
    pub(super) fn until(cancel: &Cancel) -> Self {
        Self { cancel: cancel.clone(), ..Self::default() }
    }
}
