//! Relations of geometries.

use std::cell::OnceCell;

use citymap_cql2::SpatialRelation as Relation;
use citymap_model::Geometry;
use geo::{Intersects, PreparedGeometry, Relate, relate::IntersectionMatrix};

use super::eval::Subject;
use crate::{Bbox, ShapeRef};

/// A geometry of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GeometryOperand {
    /// The geometry of the feature.
    Feature,
    /// A geometry that the filter writes out, valid and in longitude and latitude.
    Constant(Box<Geometry>),
}

impl GeometryOperand {
    /// The geometry; `None` if the feature has none.
    pub(super) fn eval(&self, subject: &Subject<'_>) -> Option<Geometry> {
        match self {
            Self::Feature => subject.geometry(),
            Self::Constant(geometry) => Some((**geometry).clone()),
        }
    }
}

/// The relation seen from the other side.
pub(super) fn converse(relation: Relation) -> Relation {
    match relation {
        Relation::Within => Relation::Contains,
        Relation::Contains => Relation::Within,
        other => other,
    }
}

/// Whether a relation holds only between geometries that share a point.
pub(super) fn needs_contact(relation: Relation) -> bool {
    relation != Relation::Disjoint
}

/// Whether the relation holds between two geometries; `None` if one is missing.
pub(super) fn relate(
    relation: Relation,
    [a, b]: [&GeometryOperand; 2],
    subject: &Subject<'_>,
) -> Option<bool> {
    let (a, b) = (a.eval(subject)?, b.eval(subject)?);
    Some(match relation {
        Relation::Intersects => a.intersects(&b),
        Relation::Disjoint => !a.intersects(&b),
        relation => holds(relation, &a.relate(&b)),
    })
}

fn holds(relation: Relation, matrix: &IntersectionMatrix) -> bool {
    match relation {
        Relation::Intersects => matrix.is_intersects(),
        Relation::Disjoint => matrix.is_disjoint(),
        Relation::Equals => matrix.is_equal_topo(),
        Relation::Touches => matrix.is_touches(),
        Relation::Crosses => matrix.is_crosses(),
        Relation::Within => matrix.is_within(),
        Relation::Contains => matrix.is_contains(),
        Relation::Overlaps => matrix.is_overlaps(),
    }
}

/// A constant geometry, prepared for the relation to many features.
pub(super) struct Related<'a> {
    /// What must hold from the constant to the feature.
    relation: Relation,
    constant: &'a Geometry,
    /// `None` if the constant is empty.
    bbox: Option<Bbox>,
    /// The constant covers its whole box.
    is_box: bool,
    /// Built at the first feature that bounding boxes do not decide.
    prepared: OnceCell<PreparedGeometry<'a, &'a Geometry>>,
}

impl<'a> Related<'a> {
    /// `relation` is seen from the feature.
    pub(super) fn new(relation: Relation, constant: &'a Geometry) -> Self {
        let bbox = Bbox::of(constant);
        let is_box = bbox.is_some_and(|bbox| match constant {
            Geometry::Polygon(polygon) => {
                polygon.interiors().is_empty() && polygon.exterior().0.len() == 5 && {
                    let on_corner =
                        |axis: usize, value: f64| value == bbox.min[axis] || value == bbox.max[axis];
                    let corners = polygon.exterior();
                    corners.coords().all(|at| on_corner(0, at.x) && on_corner(1, at.y))
                        && corners.lines().all(|edge| (edge.dx() == 0.0) != (edge.dy() == 0.0))
                }
            }
            _ => false,
        });
        Self { relation: converse(relation), constant, bbox, is_box, prepared: OnceCell::new() }
    }

    /// Whether the relation holds for a feature; `None` if it has no geometry.
    pub(super) fn test(&self, shape: ShapeRef<'_>) -> Option<bool> {
        let Some(bbox) = shape.bbox() else {
            // An empty geometry shares no point with any other.
            return shape.geometry().map(|_| self.relation == Relation::Disjoint);
        };
        let is_near = self.bbox.is_some_and(|own| own.intersects(&bbox));
        if !is_near {
            return Some(self.relation == Relation::Disjoint);
        }
        if self.is_box && self.bbox.is_some_and(|own| strictly_contains(&own, &bbox)) {
            match self.relation {
                Relation::Intersects | Relation::Contains => return Some(true),
                Relation::Disjoint | Relation::Touches | Relation::Equals | Relation::Within => {
                    return Some(false);
                }
                Relation::Crosses | Relation::Overlaps => {}
            }
        }
        let geometry = shape.geometry()?;
        Some(match self.relation {
            Relation::Intersects => self.constant.intersects(&geometry),
            Relation::Disjoint => !self.constant.intersects(&geometry),
            relation => {
                let prepared = self.prepared.get_or_init(|| PreparedGeometry::from(self.constant));
                holds(relation, &prepared.relate(&geometry))
            }
        })
    }
}

/// Whether the first box has the second one in its interior.
fn strictly_contains(outer: &Bbox, inner: &Bbox) -> bool {
    (0..2).all(|axis| outer.min[axis] < inner.min[axis] && inner.max[axis] < outer.max[axis])
}
