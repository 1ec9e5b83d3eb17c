//! One feature from what the source gave to what the store takes, or to a reject with its reason.

use citymap_crs::Crs;
use citymap_geometry::{GeometryFault, drop_empty_holes, wkb};
use citymap_model::{Field, GeometryKind, NewFeature, Value, quote};
use geo::CoordsIter;
use geo_types::Geometry;
use serde::{Deserialize, Serialize};

use crate::{
    FeatureLimits, Issue, IssueKind, RepairBounds, bounds,
    fit::FieldFit,
    location::{Odd, Placing, is_at_zero},
    source::{Original, Parsed, Shape},
    validity::{self, Plane},
    worker::wire,
};

/// What all features of a layer have in common.
pub(crate) struct Rules {
    pub kind: GeometryKind,
    /// How features are placed that are in the system of the layer.
    pub placing: Placing,
    /// How those are that name another one.
    pub others: Vec<Placing>,
    pub repair: RepairBounds,
    pub limits: FeatureLimits,
    /// The position of the key field.
    pub key: Option<usize>,
    /// Whether messages may show keys: a key may be personal data.
    pub key_is_public: bool,
    pub fields: Vec<Field>,
    /// Where the values of the fields come from.
    pub fit: FieldFit,
    /// Keep the source's geometry also of accepted features: the store may still refuse them.
    pub keep_original: bool,
}

/// A feature that was looked at.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Checked {
    pub index: u64,
    pub line: Option<u64>,
    pub verdict: Verdict,
    pub issues: Vec<Issue>,
    pub repaired: bool,
    pub dropped_z: bool,
    pub curved: bool,
    pub position: Position,
    /// Its key, for counting.
    pub key: Option<String>,
    /// Its key or its id in the source, as far as messages may show it.
    pub shown: Option<String>,
}

/// What its coordinates in the source are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Position {
    /// It has no geometry, or none that can be read.
    Absent,
    /// All are 0, 0.
    Zero,
    Given,
}

impl Position {
    fn of(shape: &Shape) -> Self {
        match shape {
            Shape::Good(geometry) if is_at_zero(geometry) => Self::Zero,
            Shape::Good(geometry) if geometry.coords_iter().next().is_some() => Self::Given,
            _ => Self::Absent,
        }
    }
}

/// Whether it is taken.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Verdict {
    Accepted {
        #[serde(with = "wire::feature")]
        feature: NewFeature,
        original: Option<Original>,
    },
    Rejected(Reject),
}

/// What goes to quarantine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reject {
    pub reason: String,
    #[serde(with = "wire::values")]
    pub values: Vec<Value>,
    pub original: Option<Original>,
}

impl Rules {
    pub(crate) fn check(&self, index: u64, line: Option<u64>, mut parsed: Parsed) -> Checked {
        let fitted = self.fit.apply(parsed.values);
        parsed.values = fitted.values;
        bounds::bound(&mut parsed, self.limits, &self.fields);
        parsed.fault = parsed.fault.or(fitted.fault);
        if let (Some(text), Shape::Null) = (fitted.rejected_text, &parsed.geometry) {
            let why = "its geometry is still the text that was rejected; draw it, or clear `geometry_text`";
            parsed.geometry = Shape::Bad(GeometryFault::new(why), Original::Text(text));
        }
        if let Shape::Good(geometry) = &mut parsed.geometry
            && drop_empty_holes(geometry) > 0
        {
            parsed.warnings.push("a hole without positions was dropped".to_owned());
        }
        let key = self.key.and_then(|i| parsed.values.get(i)).and_then(Value::to_key);
        let shown =
            quote::code(key.clone().filter(|_| self.key_is_public)).or_else(|| quote::code(parsed.id));
        let issue = |kind, reason: String| Issue {
            feature: Some(index),
            key: shown.clone(),
            line,
            ..Issue::new(kind, reason)
        };
        let mut issues: Vec<Issue> =
            parsed.warnings.iter().map(|text| issue(IssueKind::Warning, text.clone())).collect();
        let mut repaired = false;
        let position = Position::of(&parsed.geometry);
        let placing = self.placing_of(parsed.system);
        let verdict = match self.geometry(placing, parsed.geometry, parsed.fault) {
            Ok(Taken { lonlat, repair, original, warning }) => {
                issues.extend(warning.map(|text| issue(IssueKind::Warning, text)));
                if let Some(repair) = repair {
                    repaired = true;
                    issues.push(Issue {
                        place: repair.place,
                        lonlat: repair
                            .lonlat
                            .or_else(|| repair.place.and_then(|place| placing.lonlat_point(place))),
                        area_before: Some(repair.before),
                        area_after: Some(repair.after),
                        ..issue(IssueKind::Repair, repair.reason)
                    });
                }
                match citymap_edit::check_types(&parsed.values, &self.fields) {
                    Ok(()) => Verdict::Accepted {
                        feature: NewFeature { geometry: lonlat, values: parsed.values },
                        original,
                    },
                    Err(reason) => {
                        issues.push(issue(IssueKind::Reject, reason.clone()));
                        let original = original.or_else(|| lonlat.map(|g| Original::Wkb(wkb::to_wkb(&g))));
                        Verdict::Rejected(Reject { reason, values: parsed.values, original })
                    }
                }
            }
            Err(refused) => {
                let Refused { reason, place, areas, original } = *refused;
                let place = place.filter(|at| quote::is_coordinate(*at));
                issues.push(Issue {
                    place,
                    lonlat: place.and_then(|at| placing.lonlat_point(at)),
                    area_before: areas.0,
                    area_after: areas.1,
                    ..issue(IssueKind::Reject, reason.clone())
                });
                Verdict::Rejected(Reject { reason, values: parsed.values, original })
            }
        };
        Checked {
            index,
            line,
            verdict,
            issues,
            repaired,
            dropped_z: parsed.dropped_z,
            curved: parsed.curved,
            position,
            key,
            shown: shown.clone(),
        }
    }

    /// How a feature is placed, by the system that it names.
    fn placing_of(&self, system: Option<Crs>) -> &Placing {
        let other = system.and_then(|own| self.others.iter().find(|placing| placing.crs() == Some(own)));
        other.unwrap_or(&self.placing)
    }

    fn geometry(
        &self,
        placing: &Placing,
        shape: Shape,
        fault: Option<String>,
    ) -> Result<Taken, Box<Refused>> {
        let geometry = match shape {
            Shape::Null => {
                return match fault {
                    Some(reason) => {
                        Err(Box::new(Refused { reason, place: None, areas: (None, None), original: None }))
                    }
                    None => Ok(Taken { lonlat: None, repair: None, original: None, warning: None }),
                };
            }
            Shape::Bad(bad, original) => {
                let reason = fault.unwrap_or(bad.reason);
                return Err(Box::new(Refused {
                    reason,
                    place: bad.location,
                    areas: (None, None),
                    original: Some(original),
                }));
            }
            Shape::Good(mut geometry) => {
                placing.order(&mut geometry);
                geometry
            }
        };
        let first = geometry.coords_iter().next().map(|c| [c.x, c.y]);
        let refuse = |reason: String, place: Option<[f64; 2]>, areas| {
            let original = Some(placing.original(&geometry));
            Err(Box::new(Refused { reason, place, areas, original }))
        };
        if let Some(reason) = fault {
            return refuse(reason, first, (None, None));
        }
        if let Some(bad) = geometry.coords_iter().find(|c| !c.x.is_finite() || !c.y.is_finite()) {
            return refuse(
                format!("{} is no number", quote::coordinate([bad.x, bad.y])),
                first,
                (None, None),
            );
        }
        // An empty geometry fits every layer.
        if first.is_some()
            && let Err(mismatch) = self.kind.check(GeometryKind::of(&geometry))
        {
            return refuse(mismatch.to_string(), first, (None, None));
        }
        let keep = |geometry: &Geometry<f64>| self.keep_original.then(|| placing.original(geometry));
        // Degrees and metres are checked before validity is: far away, numbers lose their meaning.
        // Geometry that is in WGS 84 is not copied.
        let moved = match placing.moved(&geometry) {
            Ok(moved) => moved,
            Err(reason) => return refuse(reason, first, (None, None)),
        };
        let lonlat = moved.as_ref().unwrap_or(&geometry);
        let odd = placing.frame().and_then(|frame| frame.odd(&geometry, lonlat));
        let warning = match odd {
            Some(Odd::Reject(reason)) => return refuse(reason, first, (None, None)),
            Some(Odd::Warning(text)) => Some(text),
            None => None,
        };
        let taken = match (validity::fault(&geometry), moved) {
            (None, Some(moved)) => self.settle(placing, moved, None),
            (None, None) => {
                let original = keep(&geometry);
                return Ok(Taken { lonlat: Some(geometry), repair: None, original, warning });
            }
            (Some(found), _) => self.repair(placing, &geometry, found, first),
        };
        match taken {
            Ok((lonlat, repair)) => {
                Ok(Taken { original: keep(&geometry), lonlat: Some(lonlat), repair, warning })
            }
            Err(Unrepaired { reason, place, areas }) => refuse(reason, place.or(first), areas),
        }
    }

    /// Repairs geometry that is invalid in the source, and brings it to WGS 84.
    fn repair(
        &self,
        placing: &Placing,
        geometry: &Geometry<f64>,
        found: GeometryFault,
        first: Option<[f64; 2]>,
    ) -> Result<(Geometry<f64>, Option<Repair>), Unrepaired> {
        let lonlat = |geometry: &Geometry<f64>| placing.to_lonlat(geometry);
        let plane = if placing.is_in_degrees() { Plane::Degrees(&lonlat) } else { Plane::Projected(&lonlat) };
        let place = found.location.or(first);
        let made = validity::repair(geometry, &self.repair, &plane).map_err(|(why, before, after)| {
            Unrepaired { reason: format!("{}, {why}", found.reason), place, areas: (before, after) }
        })?;
        let lonlat = placing.to_lonlat(&made.geometry).map_err(|reason| Unrepaired {
            reason,
            place,
            areas: (None, None),
        })?;
        let repair = Repair {
            reason: found.reason,
            place,
            lonlat: None,
            before: made.area_before,
            after: made.area_after,
        };
        self.settle(placing, lonlat, Some(repair))
    }

    /// Looks at geometry again after its move to WGS 84, where a corner that touched an edge may have come to
    /// lie on its other side, and repairs it there.
    fn settle(
        &self,
        placing: &Placing,
        lonlat: Geometry<f64>,
        repair: Option<Repair>,
    ) -> Result<(Geometry<f64>, Option<Repair>), Unrepaired> {
        if !placing.is_transformed() {
            return Ok((lonlat, repair));
        }
        let Some(found) = validity::fault(&lonlat) else { return Ok((lonlat, repair)) };
        let plane = Plane::Degrees(&|geometry| Ok(geometry.clone()));
        let moved = format!("in longitude and latitude: {}", found.reason);
        let made = validity::repair(&lonlat, &self.repair, &plane).map_err(|(why, before, after)| {
            Unrepaired { reason: format!("{moved}, {why}"), place: None, areas: (before, after) }
        })?;
        let repair = Repair {
            reason: repair
                .as_ref()
                .map_or_else(|| moved.clone(), |first| format!("{}; {moved}", first.reason)),
            place: repair.as_ref().and_then(|first| first.place),
            lonlat: found.location,
            before: repair.as_ref().map_or(made.area_before, |first| first.before),
            after: made.area_after,
        };
        Ok((made.geometry, Some(repair)))
    }
}

struct Taken {
    lonlat: Option<Geometry<f64>>,
    repair: Option<Repair>,
    original: Option<Original>,
    /// What there is to say of its place.
    warning: Option<String>,
}

struct Repair {
    reason: String,
    /// In the source's coordinates.
    place: Option<[f64; 2]>,
    /// In longitude and latitude, where the fault is there only.
    lonlat: Option<[f64; 2]>,
    before: f64,
    after: f64,
}

struct Refused {
    reason: String,
    place: Option<[f64; 2]>,
    areas: (Option<f64>, Option<f64>),
    original: Option<Original>,
}

/// Why geometry cannot be repaired, where, and its areas before and after if they are known.
struct Unrepaired {
    reason: String,
    place: Option<[f64; 2]>,
    areas: (Option<f64>, Option<f64>),
}
