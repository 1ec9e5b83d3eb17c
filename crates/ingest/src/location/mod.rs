//! Holds the coordinate system of a layer against where its data would lie: the area in which the system is
//! used, the city, and the communes that the features name.
//!
//! A system that is known, or was asked for, may still be wrong: degrees under a metric `.prj`, x and y
//! exchanged, the neighbouring zone. Most features decide; odd ones among them are rejected by [`Frame`], and
//! those far from the others are found by [`Outliers`] when all were read.

mod communes;
mod frame;
mod outliers;
mod placing;

use citymap_crs::{AreaOfUse, CityArea, Crs, Transform, vn2000};
use citymap_model::{CityProfile, Layer};

use crate::{
    ImportError, Request,
    source::{SourceLayer, survey::SeenPoint},
    srs,
};
pub(crate) use frame::{Frame, Odd, is_at_zero};
pub(crate) use outliers::{Outlier, Outliers};
pub(crate) use placing::Placing;

/// How the coordinates of a layer are taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    /// Whether x and y are exchanged first.
    pub swap: bool,
    /// What odd features are known by; none where nothing can be said.
    pub frame: Option<Frame>,
    /// The systems that features name other than the layer's, and what odd ones among those are known by.
    pub others: Vec<(Crs, Frame)>,
    /// What there is to say of the layer as a whole.
    pub notes: Vec<String>,
}

/// A layer and the system that it is said to be in.
pub(crate) struct Claim<'a> {
    /// The file as messages name it.
    pub shown: &'a str,
    pub found: &'a SourceLayer,
    /// The layer as it will be, whose meanings say which field names the commune.
    pub layer: &'a Layer,
    pub crs: Crs,
    /// How the system is known.
    pub how: &'a str,
    pub request: &'a Request,
}

/// Degrees beyond the area of use that are still plausible: its edges are rounded, and work near them goes
/// on.
const MARGIN: f64 = 1.0;
/// Where rows lie whose coordinates are missing and were written as numbers.
const ZERO: [f64; 2] = [0.0, 0.0];

/// Where a city is, by its profile.
pub(crate) fn city_area(city: &CityProfile) -> CityArea {
    if city.has_builtin_units() {
        CityArea::Communes
    } else {
        let (lon, lat) = (city.view.lon, city.view.lat);
        CityArea::Box([lon - 1.0, lat - 1.0, lon + 1.0, lat + 1.0])
    }
}

/// Where a system may be used. The register gives zones of VN-2000 the provinces that they are made for;
/// their neighbours use them, too, so a zone is three degrees of Vietnam.
fn area_of(crs: Crs) -> Option<AreaOfUse> {
    const VIETNAM: [f64; 2] = [8.0, 23.5];
    let area = crs.area_of_use()?;
    let Some(zone) = vn2000::zone(crs) else { return Some(area) };
    Some(AreaOfUse {
        west: area.west.min(zone.central_meridian - 1.5),
        south: area.south.min(VIETNAM[0]),
        east: area.east.max(zone.central_meridian + 1.5),
        north: area.north.max(VIETNAM[1]),
    })
}

/// The places of a layer that say where it is, from all parts of it; zeros stand for none. `is` chooses them.
fn seen(found: &SourceLayer, is: impl Fn(&SeenPoint) -> bool) -> Vec<SeenPoint> {
    let points = found.points.spread.items().iter();
    let all = || points.clone().filter(|one| one.at.iter().all(|v| v.is_finite()) && is(one)).copied();
    let real: Vec<SeenPoint> = all().filter(|one| one.at != ZERO).collect();
    if real.is_empty() { all().collect() } else { real }
}

/// Those of features that are in the system of the layer, as stored. `crs` is that system, where it is known.
pub(crate) fn points(found: &SourceLayer, crs: Option<Crs>) -> Vec<[f64; 2]> {
    let is_in_it = |one: &SeenPoint| one.system.is_none() || one.system == crs;
    seen(found, is_in_it).iter().map(|one| one.at).collect()
}

/// Decides how a layer's coordinates are taken.
///
/// # Errors
/// [`ImportError::UnknownCrs`] if most of its features would lie where they cannot be, and nobody insisted
/// with
/// `--crs` or `--swap-xy`.
pub(crate) fn locate(claim: &Claim<'_>) -> Result<Location, ImportError> {
    let points = points(claim.found, Some(claim.crs));
    let mut location = Location { swap: claim.request.swap_xy, ..Location::default() };
    if location.swap {
        location.notes.push("x and y were exchanged, as asked for (--swap-xy)".into());
    }
    let crs = claim.crs;
    let city = city_area(&claim.request.city);
    if points.is_empty() {
        // Features of the layer's own system may come later.
        let known = Known::of(claim, location.swap);
        location.frame = Some(Frame::new(crs, None, &known));
        location.others = others(claim, &known);
        return Ok(location);
    }
    let area = area_of(crs);
    let reading = |swap| {
        Reading::of(&points, crs, swap, &|at| {
            area.is_none_or(|area| area.contains(at, MARGIN)) || city.contains(at)
        })
    };
    let mut stated = reading(location.swap);
    if let (Some([x, y]), false, Some(_)) = (&claim.found.exchangeable, location.swap, vn2000::zone(crs)) {
        let exchanged = reading(true);
        if exchanged.share_inside() > stated.share_inside().max(0.5) {
            location.swap = true;
            stated = exchanged;
            location.notes.push(format!(
                "`{x}` holds northings and `{y}` eastings, as Vietnamese papers write them: they were \
                 exchanged"
            ));
        }
    }
    let known = Known::of(claim, location.swap);
    location.others = others(claim, &known);
    if let Some(reason) = doubt(claim, &points, &stated, location.swap) {
        let proposals = proposals(claim, &points, location.swap);
        refuse_or_note(claim, reason, proposals, &mut location)?;
        location.frame = Some(Frame::new(crs, None, &known));
    } else {
        location.frame = Some(Frame::new(crs, area, &known));
        communes::check(claim, &mut location)?;
        if !known.lonlats.iter().any(|at| city.contains(*at))
            && let Some(note) = elsewhere(claim, &stated, &points)
        {
            location.notes.push(note);
        }
    }
    Ok(location)
}

/// What odd features are known by that name a system other than the layer's.
fn others(claim: &Claim<'_>, known: &Known) -> Vec<(Crs, Frame)> {
    let own = claim.found.systems.iter().filter(|own| **own != claim.crs);
    own.map(|own| (*own, Frame::new(*own, area_of(*own), known))).collect()
}

/// Where the features of a layer are, whatever the system that each is in.
pub(crate) struct Known {
    /// Longitudes and latitudes, WGS 84.
    lonlats: Vec<[f64; 2]>,
    /// How many of them were looked at.
    count: usize,
    /// Whether all are at 0, 0 in the source.
    is_at_zero: bool,
    city: CityArea,
}

impl Known {
    fn of(claim: &Claim<'_>, swap: bool) -> Self {
        let points = seen(claim.found, |_| true);
        let lonlats = points.iter().filter_map(|one| {
            let transform = Transform::new(one.system.unwrap_or(claim.crs), Crs::WGS84).ok()?;
            transform.point(ordered(one.at, swap)).ok()
        });
        Self {
            lonlats: lonlats.collect(),
            count: points.len(),
            is_at_zero: !points.is_empty() && points.iter().all(|one| one.at == ZERO),
            city: city_area(&claim.request.city),
        }
    }
}

/// A position of the source with x before y.
fn ordered([x, y]: [f64; 2], swap: bool) -> [f64; 2] {
    if swap { [y, x] } else { [x, y] }
}

/// The places of a layer under one reading of its coordinates.
pub(crate) struct Reading {
    /// As WGS 84; `None` for those that have no place.
    lonlats: Vec<Option<[f64; 2]>>,
    /// Whether each is in the area of use.
    inside: Vec<bool>,
}

impl Reading {
    fn of(points: &[[f64; 2]], crs: Crs, swap: bool, is_inside: &dyn Fn([f64; 2]) -> bool) -> Self {
        let Ok(transform) = Transform::new(crs, Crs::WGS84) else {
            return Self { lonlats: vec![None; points.len()], inside: vec![false; points.len()] };
        };
        let lonlats: Vec<Option<[f64; 2]>> =
            points.iter().map(|at| transform.point(ordered(*at, swap)).ok()).collect();
        let inside = lonlats.iter().map(|at| at.is_some_and(is_inside)).collect();
        Self { lonlats, inside }
    }

    fn share_inside(&self) -> f64 {
        self.inside.iter().filter(|inside| **inside).count() as f64 / self.inside.len().max(1) as f64
    }

    fn share_in(&self, city: &CityArea) -> f64 {
        let inside = self.lonlats.iter().flatten().filter(|at| city.contains(**at)).count();
        inside as f64 / self.lonlats.len().max(1) as f64
    }

    /// The first place, or the first that is outside, for messages.
    fn example(&self) -> String {
        let outside = self.lonlats.iter().zip(&self.inside).find(|(_, inside)| !**inside).map(|(at, _)| *at);
        match outside.or(self.lonlats.first().copied()).flatten() {
            Some([lon, lat]) => format!(", such as at {lon:.6}, {lat:.6}"),
            None => String::new(),
        }
    }
}

/// Why the stated system cannot be right; `None` where it can.
fn doubt(claim: &Claim<'_>, points: &[[f64; 2]], stated: &Reading, swap: bool) -> Option<String> {
    let Claim { crs, how, .. } = claim;
    if stated.share_inside() < 0.5 {
        return Some(format!(
            "the coordinate system is {crs} ({how}), but most of its features would lie outside the area \
             in which {} is used{}",
            crs.name(),
            stated.example()
        ));
    }
    let city = city_area(&claim.request.city);
    if stated.share_in(&city) >= 0.5 {
        return None;
    }
    // Another zone may be a matter of opinion; degrees for metres, or x for y, are not.
    let other = srs::readings(points, &city).into_iter().find(|other| {
        (other.crs == *crs && other.swapped != swap) || (other.crs.is_geographic() && !crs.is_geographic())
    })?;
    Some(format!(
        "the coordinate system is {crs} ({how}), under which its features lie far from the city{}; {} \
         would put them into it",
        stated.example(),
        if other.swapped == swap {
            other.crs.to_string()
        } else {
            format!("{} with x and y exchanged", other.crs)
        }
    ))
}

/// What to try in place of the stated system.
fn proposals(claim: &Claim<'_>, points: &[[f64; 2]], swap: bool) -> Vec<String> {
    let city = city_area(&claim.request.city);
    let mut found = srs::readings(points, &city);
    found.retain(|one| !(one.crs == claim.crs && one.swapped == swap));
    srs::listed(&found)
}

/// A note where the user insisted on the system, else a refusal.
fn refuse_or_note(
    claim: &Claim<'_>,
    reason: String,
    proposals: Vec<String>,
    location: &mut Location,
) -> Result<(), ImportError> {
    if claim.request.crs.is_some() || claim.request.swap_xy {
        let others = if proposals.is_empty() {
            String::new()
        } else {
            format!("; it would fall inside the city under {}", proposals.join(", "))
        };
        location.notes.push(format!("CHECK THE PLACE: {reason}{others}"));
        return Ok(());
    }
    Err(ImportError::UnknownCrs {
        file: claim.shown.to_owned(),
        layer: claim.found.name.clone(),
        reason: format!("{reason} (--crs {} takes it as it is)", claim.crs),
        proposals,
    })
}

/// What is said of a layer of which nothing is in the city.
fn elsewhere(claim: &Claim<'_>, stated: &Reading, points: &[[f64; 2]]) -> Option<String> {
    let city = city_area(&claim.request.city);
    if stated.share_in(&city) > 0.0 {
        return None;
    }
    let name = &claim.request.city.name.en;
    let [lon, lat] = *stated.lonlats.iter().flatten().next()?;
    // The neighbouring zone is a thought only where the data is near.
    let near = (102.0..=118.0).contains(&lon) && (6.0..=24.0).contains(&lat);
    let zones = if near { proposals(claim, points, claim.request.swap_xy) } else { Vec::new() };
    let zones = if zones.is_empty() {
        String::new()
    } else {
        format!("; it would fall inside it under {}", zones.join(", "))
    };
    Some(format!("none of the features looked at is in {name}; the first is at {lon:.6}, {lat:.6}{zones}"))
}
