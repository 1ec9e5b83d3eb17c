//! Where the features of a filter can be, and which keys they can have: what an index needs.

use citymap_cql2::Comparison;
use citymap_model::{FieldType, Value};

use super::{Condition, Filter, Scalar, spatial, spatial::GeometryOperand};
use crate::Bbox;

/// Where the geometry of every feature that meets a filter is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Extent {
    /// No feature meets the filter.
    Nowhere,
    /// It shares a point with this box.
    Box(Bbox),
}

impl Extent {
    /// The one of two that leaves fewer features. Their common part would leave too few: a feature may reach
    /// from one box to another.
    pub(crate) fn narrower(self, other: Self) -> Self {
        match (self, other) {
            (Self::Box(a), Self::Box(b)) if area(&b) < area(&a) => Self::Box(b),
            (Self::Box(_), Self::Box(_)) => self,
            _ => Self::Nowhere,
        }
    }
}

/// Keys that are looked up one by one; more of them are left to the scan.
const KEYS_MAX: usize = 10_000;

impl Filter {
    /// Where the geometry of the features is; `None` if it can be anywhere or missing.
    pub(crate) fn extent(&self) -> Option<Extent> {
        extent(&self.condition)
    }

    /// The values that the field at position `key`, of this type, can have; `None` if it can have any.
    pub(crate) fn keys(&self, key: usize, field_type: FieldType) -> Option<Vec<&Value>> {
        // The index tells −0 from 0.
        (field_type != FieldType::Real).then(|| keys(&self.condition, key, field_type)).flatten()
    }
}

fn extent(condition: &Condition) -> Option<Extent> {
    match condition {
        Condition::Constant(false) => Some(Extent::Nowhere),
        Condition::All(conditions) => conditions.iter().filter_map(extent).reduce(Extent::narrower),
        Condition::Any(conditions) => {
            let all: Option<Vec<Extent>> = conditions.iter().map(extent).collect();
            all?.into_iter().reduce(either)
        }
        Condition::Spatial(relation, GeometryOperand::Feature, GeometryOperand::Constant(geometry))
        | Condition::Spatial(relation, GeometryOperand::Constant(geometry), GeometryOperand::Feature)
            if spatial::needs_contact(*relation) =>
        {
            // No relation but disjointness holds with an empty geometry.
            Some(Bbox::of(geometry).map_or(Extent::Nowhere, Extent::Box))
        }
        _ => None,
    }
}

fn either(a: Extent, b: Extent) -> Extent {
    match (a, b) {
        (Extent::Nowhere, other) | (other, Extent::Nowhere) => other,
        (Extent::Box(a), Extent::Box(b)) => Extent::Box(a.union(b)),
    }
}

/// The area of a box in square degrees; a box that crosses the antimeridian has none and counts as small.
fn area(bbox: &Bbox) -> f64 {
    (bbox.max[0] - bbox.min[0]) * (bbox.max[1] - bbox.min[1])
}

fn keys(condition: &Condition, key: usize, field_type: FieldType) -> Option<Vec<&Value>> {
    let is_key = |scalar: &Scalar| matches!(scalar, Scalar::Field(field, _) if *field == key);
    let fits = |value: &Value| value.field_type() == Some(field_type);
    match condition {
        Condition::Constant(false) => Some(Vec::new()),
        Condition::Compare(Comparison::Eq, field, Scalar::Constant(value))
        | Condition::Compare(Comparison::Eq, Scalar::Constant(value), field)
            if is_key(field) && fits(value) =>
        {
            Some(vec![value])
        }
        Condition::InConstants(field, values) if is_key(field) && values.len() <= KEYS_MAX => {
            values.iter().map(|value| fits(value).then_some(value)).collect()
        }
        Condition::All(conditions) => {
            let found = conditions.iter().filter_map(|condition| keys(condition, key, field_type));
            found.min_by_key(Vec::len)
        }
        Condition::Any(conditions) => {
            let mut all = Vec::new();
            for condition in conditions {
                all.extend(keys(condition, key, field_type)?);
            }
            (all.len() <= KEYS_MAX).then_some(all)
        }
        _ => None,
    }
}
