//! Layer on layer: what each feature of one shares with each of the other, exactly.
//!
//! Figures are brought to the plane of the home grid (EPSG:9210), where edges are straight: what comes out is what PostGIS's
//! planar functions say of the projected layers (to 1e-6 m² a piece). An edge that is straight in longitude and latitude is
//! not quite the same line: over 1 km it bows by 4 mm.
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
//! let summary = overlay.run(&OverlayOptions::default(), |some| Ok::<_, std::io::Error>(pieces.extend_from_slice(some))).unwrap();
//! assert_eq!((summary.pieces, pieces.len()), (1, 1));
//! assert!((pieces[0].share_a.unwrap() - 0.5).abs() < 1e-5);
//! ```

mod cut;
pub(crate) mod ellipsoid;
mod operand;
pub(crate) mod pair;
mod planar;
mod run;
pub(crate) mod shared_area;
pub(crate) mod slabs;

use citymap_model::{Geometry, GeometryKind};
use rayon::prelude::*;

use self::{operand::Selected, pair::Pair, shared_area::Scratch, slabs::PreparedShape};
use crate::{Bbox, EngineError, LayerSnapshot, Method, Row};

pub use self::{
    operand::Operand,
    run::{OverlayError, OverlayOptions, Progress, Summary},
};

/// Coordinates from which a feature of the second layer is prepared once for all.
const LARGE: usize = 16;

/// What a feature of one layer shares with one of the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayPiece {
    /// The feature of the first layer.
    pub row_a: Row,
    /// The feature of the second layer.
    pub row_b: Row,
    /// What their polygons share, m²; 0 where there is nothing.
    pub area: f64,
    /// How much of the one's lines lies in the other's polygons, m.
    pub length: f64,
    /// How many of the one's points lie in the other's polygons.
    pub count: u32,
    /// The part of the first feature that this is, from 0 to 1: of its area, else of its length, else of its points. `None`
    /// where it is of another dimension than the piece (a polygon that a line goes through).
    pub share_a: Option<f64>,
    /// The same of the second one.
    pub share_b: Option<f64>,
}

impl OverlayPiece {
    /// Whether the first feature lies wholly in the second, as far as figures of 1e-7 m² can tell.
    pub fn is_whole_a(&self) -> bool {
        self.share_a.is_some_and(|share| self.rest(share) <= 1e-7)
    }

    /// Whether the second feature lies wholly in the first.
    pub fn is_whole_b(&self) -> bool {
        self.share_b.is_some_and(|share| self.rest(share) <= 1e-7)
    }

    /// What the feature has beside the piece, in the piece's measure.
    fn rest(&self, share: f64) -> f64 {
        let own = if self.area > 0.0 {
            self.area
        } else if self.length > 0.0 {
            self.length
        } else {
            f64::from(self.count)
        };
        if share > 0.0 { own / share - own } else { f64::INFINITY }
    }
}

/// What the pieces of two layers can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Polygons meet polygons: pieces have areas.
    pub area: bool,
    /// Lines meet polygons: pieces have lengths.
    pub length: bool,
    /// Points meet polygons: pieces have counts.
    pub count: bool,
}

/// The overlay of two layers, ready to be asked for single features or for all of them.
#[derive(Debug)]
pub struct Overlay<'a> {
    a: Operand<'a>,
    b: Operand<'a>,
    selected_b: Selected,
    measures: Measures,
    method: Method,
    /// Degrees by which a box is widened, since edges bow between degrees and the grid.
    slack: f64,
    /// Pieces of no more than this are none.
    min_measure: f64,
    /// Large features of the second layer on the grid, by row; empty until [`Overlay::prepare`].
    prepared: Vec<Option<Box<PreparedShape>>>,
}

impl<'a> Overlay<'a> {
    /// The overlay of what the operands select.
    ///
    /// # Errors
    /// [`EngineError::Overlay`] where neither layer has polygons: lines and points share no measure.
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
            return Err(EngineError::Overlay(format!(
                "`{}` and `{}` share no area and no length: one of the two must have polygons",
                a.snapshot.layer().id,
                b.snapshot.layer().id
            )));
        }
        let extent =
            [a.snapshot, b.snapshot].iter().filter_map(|snapshot| snapshot.extent()).reduce(Bbox::union);
        let selected_b = b.selected();
        // Enough for an edge of 50 km; a whole run measures the longest there is.
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

    /// With pieces of more than so many square metres (or metres) only. The default is 1e-6, which is what the figures
    /// are good for.
    pub fn min_measure(mut self, min_measure: f64) -> Self {
        self.min_measure = min_measure.max(1e-6);
        self
    }

    /// The first layer.
    pub fn a(&self) -> &'a LayerSnapshot {
        self.a.snapshot
    }

    /// The second layer.
    pub fn b(&self) -> &'a LayerSnapshot {
        self.b.snapshot
    }

    /// What pieces can be.
    pub fn measures(&self) -> Measures {
        self.measures
    }

    /// How areas and lengths are taken.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The pieces of one feature of the first layer, by the second's numbers; how many features only touch it is told too.
    ///
    /// # Errors
    /// [`EngineError::Crs`] where a feature has no place on the grid.
    pub fn of(&self, row: Row) -> Result<(Vec<OverlayPiece>, u64), EngineError> {
        let mut worker = Worker::default();
        let mut pieces = Vec::new();
        self.row(row, &mut worker, &mut pieces)?;
        Ok((pieces, worker.contacts))
    }

    /// What tells the shapes of pieces, also while the overlay runs.
    pub fn shapes(&self) -> PieceShapes<'a> {
        PieceShapes { a: self.a.snapshot, b: self.b.snapshot, method: self.method }
    }

    /// Brings the large features of the second layer to the grid once, for a run over many features of the first.
    fn prepare(&mut self) -> Result<(), EngineError> {
        let snapshot = self.b.snapshot;
        let rows = snapshot.base().len() + snapshot.delta().len();
        let selected = &self.selected_b;
        self.prepared = (0..rows as Row)
            .into_par_iter()
            .with_min_len(64)
            .map(|row| -> Result<_, EngineError> {
                let shape = snapshot.shape(row);
                if shape.coords().len() < LARGE || snapshot.is_hidden(row) || !selected.has(row) {
                    return Ok(None);
                }
                let mut prepared = Box::<PreparedShape>::default();
                prepared.planar.read(shape)?;
                prepared.prepare();
                Ok(Some(prepared))
            })
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Adds the pieces of a feature of the first layer.
    fn row(&self, row: Row, worker: &mut Worker, out: &mut Vec<OverlayPiece>) -> Result<(), EngineError> {
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
        if self.method == Method::Ellipsoid {
            return self.row_on_ellipsoid(row, worker, out);
        }
        worker.own.planar.read(shape)?;
        if worker.others.len() > 4 {
            worker.own.prepare()
        } else {
            worker.own.plain()
        }
        for &other in &worker.others {
            let second = match self.prepared.get(other as usize) {
                Some(Some(prepared)) => prepared,
                _ => {
                    worker.other.planar.read(self.b.snapshot.shape(other))?;
                    worker.other.plain();
                    &worker.other
                }
            };
            let pair = Pair::of(&worker.own, second, self.min_measure, &mut worker.scratch);
            match pair {
                Pair::Apart => {}
                Pair::Contact => worker.contacts += 1,
                Pair::Shares { area, length, count, share_a, share_b } => {
                    out.push(OverlayPiece { row_a: row, row_b: other, area, length, count, share_a, share_b })
                }
            }
        }
        Ok(())
    }

    /// The same where the home grid is not meant: cut in degrees, measured on the ellipsoid.
    fn row_on_ellipsoid(
        &self,
        row: Row,
        worker: &mut Worker,
        out: &mut Vec<OverlayPiece>,
    ) -> Result<(), EngineError> {
        let own = self.a.snapshot.shape(row);
        for &other in &worker.others {
            match ellipsoid::pair(own, self.b.snapshot.shape(other), self.method, self.min_measure)? {
                Pair::Apart => {}
                Pair::Contact => worker.contacts += 1,
                Pair::Shares { area, length, count, share_a, share_b } => {
                    out.push(OverlayPiece { row_a: row, row_b: other, area, length, count, share_a, share_b })
                }
            }
        }
        Ok(())
    }
}

/// The shapes of an overlay's pieces.
#[derive(Clone, Copy, Debug)]
pub struct PieceShapes<'a> {
    a: &'a LayerSnapshot,
    b: &'a LayerSnapshot,
    method: Method,
}

impl<'a> PieceShapes<'a> {
    /// The first layer.
    pub fn a(&self) -> &'a LayerSnapshot {
        self.a
    }

    /// The second layer.
    pub fn b(&self) -> &'a LayerSnapshot {
        self.b
    }

    /// The shape of a piece, WGS 84; `None` where it has none (its features touch). A feature that is wholly in the other
    /// is told as it is stored.
    ///
    /// # Errors
    /// [`EngineError::Crs`] where a feature has no place on the grid.
    pub fn of(&self, piece: &OverlayPiece) -> Result<Option<Geometry>, EngineError> {
        let (a, b) = (self.a.shape(piece.row_a), self.b.shape(piece.row_b));
        if piece.is_whole_a() {
            return Ok(a.geometry());
        }
        if piece.is_whole_b() {
            return Ok(b.geometry());
        }
        if self.method == Method::Ellipsoid { Ok(ellipsoid::geometry(a, b)) } else { cut::geometry(a, b) }
    }
}

/// What one thread uses again and again.
#[derive(Default)]
struct Worker {
    own: PreparedShape,
    other: PreparedShape,
    others: Vec<Row>,
    scratch: Scratch,
    pairs: u64,
    contacts: u64,
}
