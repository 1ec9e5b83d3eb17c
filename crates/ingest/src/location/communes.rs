//! Whether features lie in the communes that they name: a wrong zone of a grid moves them by some 27 km,
//! which is still inside the city.

use std::{collections::HashMap, sync::LazyLock};

use citymap_crs::{Crs, Transform};
use citymap_model::{Layer, Meaning, Value, text::fold, units};

use super::{Claim, Location, city_area, refuse_or_note};
use crate::{ImportError, source::SourceLayer, srs};

/// A box: west, south, east, north, WGS 84 degrees.
type Bounds = [f64; 4];

/// Degrees around the box of a commune that still count as it, about a kilometre.
const MARGIN: f64 = 0.01;
/// Features that it takes to judge by.
const ENOUGH: usize = 3;

/// The boxes of communes and former wards by their folded names, with and without their kind.
static BY_NAME: LazyLock<HashMap<String, Vec<Bounds>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<Bounds>> = HashMap::new();
    let mut put = |name: &str, bounds: Bounds| {
        let folded = fold(name);
        for kind in ["phuong ", "xa ", "thi tran ", "dac khu "] {
            if let Some(bare) = folded.strip_prefix(kind) {
                names.entry(bare.to_owned()).or_default().push(bounds);
            }
        }
        names.entry(folded).or_default().push(bounds);
    };
    for commune in units::communes() {
        put(commune.name, commune.bbox);
    }
    for unit in units::former_units() {
        for bounds in
            unit.new_codes.iter().filter_map(|code| units::commune(code)).map(|commune| commune.bbox)
        {
            put(unit.name, bounds);
        }
    }
    names
});

/// The boxes that a value names, by code or by name. A code was a ward's before 1 July 2025, mostly another
/// one.
fn named(value: &Value) -> Vec<Bounds> {
    let text = match value {
        Value::Int(code) => code.to_string(),
        Value::Text(text) => text.clone(),
        _ => return Vec::new(),
    };
    if text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let former =
            units::former_units().iter().filter(|unit| unit.code == text).flat_map(|unit| &unit.new_codes);
        let communes =
            units::commune(&text).into_iter().chain(former.filter_map(|code| units::commune(code)));
        return communes.map(|commune| commune.bbox).collect();
    }
    // Names that are numbers (Phường 5) are in every district.
    let folded = fold(&text);
    if folded.chars().any(|c| c.is_ascii_digit()) {
        Vec::new()
    } else {
        BY_NAME.get(&folded).cloned().unwrap_or_default()
    }
}

/// Each place of a layer with the boxes of the commune that its feature names.
fn claims(found: &SourceLayer, layer: &Layer, crs: Crs) -> Vec<([f64; 2], Vec<Bounds>)> {
    let by_field = |index: usize| -> Vec<([f64; 2], Vec<Bounds>)> {
        found
            .points
            .first
            .iter()
            .filter(|point| point.system.is_none_or(|own| own == crs))
            .filter_map(|point| {
                let bounds = named(found.sample.get(point.row?)?.get(index)?);
                (!bounds.is_empty()).then_some((point.at, bounds))
            })
            .collect()
    };
    let meant = |meaning: Meaning| layer.fields.iter().position(|field| field.meaning == Some(meaning));
    if let Some(index) = meant(Meaning::CommuneCode).or_else(|| meant(Meaning::FormerCommuneCode)) {
        let found = by_field(index);
        if found.len() >= ENOUGH {
            return found;
        }
    }
    // Without a field of that meaning, one most of whose values are names of communes.
    (0..layer.fields.len())
        .map(by_field)
        .filter(|claims| claims.len() >= ENOUGH && claims.len() * 2 > found.points.first.len())
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

fn share(claims: &[([f64; 2], Vec<Bounds>)], crs: Crs, swap: bool) -> f64 {
    let Ok(transform) = Transform::new(crs, Crs::WGS84) else { return 0.0 };
    let inside = claims
        .iter()
        .filter(|([x, y], boxes)| {
            let at = transform.point(if swap { [*y, *x] } else { [*x, *y] });
            at.is_ok_and(|[lon, lat]| {
                boxes.iter().any(|[west, south, east, north]| {
                    (west - MARGIN..=east + MARGIN).contains(&lon)
                        && (south - MARGIN..=north + MARGIN).contains(&lat)
                })
            })
        })
        .count();
    inside as f64 / claims.len().max(1) as f64
}

/// Holds the features against the communes that they name.
///
/// # Errors
/// [`ImportError::UnknownCrs`] if most lie outside of them, another system would put them there, and nobody
/// insisted on this one.
pub(super) fn check(claim: &Claim<'_>, location: &mut Location) -> Result<(), ImportError> {
    if !claim.request.city.has_builtin_units() {
        return Ok(());
    }
    let claims = claims(claim.found, claim.layer, claim.crs);
    if claims.len() < ENOUGH {
        return Ok(());
    }
    let stated = share(&claims, claim.crs, location.swap);
    if stated >= 0.5 {
        return Ok(());
    }
    let points: Vec<[f64; 2]> = claims.iter().map(|(at, _)| *at).collect();
    let mut others = srs::readings(&points, &city_area(&claim.request.city));
    others.retain(|other| {
        (other.crs != claim.crs || other.swapped != location.swap)
            && share(&claims, other.crs, other.swapped) >= 0.8
    });
    let reason = format!(
        "the coordinate system is {} ({}), but only {:.0} % of the features looked at lie in the commune \
         that they name",
        claim.crs,
        claim.how,
        100.0 * stated
    );
    if others.is_empty() {
        location.notes.push(format!("CHECK THE PLACE: {reason}"));
        return Ok(());
    }
    refuse_or_note(claim, reason, srs::listed(&others), location)
}
