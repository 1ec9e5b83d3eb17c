//! Whether geometry is valid, and what a repair makes of it.
//!
//! GEOS decides, says where the fault is, and repairs. Most parcels do not reach it: a small polygon whose
//! edges meet only at its corners is [proven valid](is_plainly_valid) in less than a microsecond.

use citymap_crs::ellipsoidal_area;
use citymap_geometry::{FaultLocation, GeometryFault, check_positions, is_plainly_valid, keep_kind, wkb};
use gdal::{cpl::CslStringList, vector::Geometry as Ogr};
use geo::{Area, BoundingRect, CoordsIter};
use geo_types::Geometry;

use crate::{RepairBounds, crossings, gdal_log};

/// Why a geometry is invalid by GEOS; `None` if it is valid.
pub(crate) fn fault(geometry: &Geometry<f64>) -> Option<GeometryFault> {
    if is_plainly_valid(geometry) || geometry.coords_count() == 0 {
        return None;
    }
    // GEOS makes no line of one position, and says so in words of its own.
    if let Err(few) = check_positions(geometry) {
        return Some(GeometryFault::new(few.to_string()));
    }
    gdal_log::take();
    // What cannot even be built for GEOS has not been judged, so it does not pass for valid.
    let ogr = match to_ogr(geometry) {
        Ok(ogr) => ogr,
        Err(error) => {
            let reason = gdal_log::first().unwrap_or(error);
            return Some(GeometryFault::new(format!("its validity cannot be judged: {reason}")));
        }
    };
    gdal_log::take();
    if ogr.is_valid() {
        return None;
    }
    let reason = gdal_log::first().unwrap_or_else(|| "the geometry is invalid".to_owned());
    let location = location(&reason);
    Some(GeometryFault { reason, location })
}

/// The coordinates in `Self-intersection at or near point 106.7 10.8`.
fn location(message: &str) -> Option<FaultLocation> {
    let (_, tail) = message.split_once("point ")?;
    let mut numbers =
        tail.split_whitespace().map_while(|word| word.trim_end_matches([',', '.']).parse().ok());
    Some([numbers.next()?, numbers.next()?])
}

/// Brings geometry of the source to WGS 84.
pub(crate) type ToLonLat<'a> = dyn Fn(&Geometry<f64>) -> Result<Geometry<f64>, String> + 'a;

/// The plane in which the edges of a source are straight: areas before and after a repair are compared there,
/// where a corner more on an edge changes nothing.
pub(crate) enum Plane<'a> {
    /// Longitude and latitude; the function brings them to WGS 84.
    Degrees(&'a ToLonLat<'a>),
    /// A projected system; the function brings it to WGS 84.
    Projected(&'a ToLonLat<'a>),
}

impl Plane<'_> {
    /// The areas in m² on the ellipsoid of two geometries that lie in about the same place.
    fn areas(&self, one: &Geometry<f64>, other: &Geometry<f64>) -> Result<[f64; 2], String> {
        match self {
            Self::Degrees(lonlat) => Ok([ellipsoidal_area(&lonlat(one)?), ellipsoidal_area(&lonlat(other)?)]),
            Self::Projected(lonlat) => {
                let planar = [one.unsigned_area(), other.unsigned_area()];
                let Some(frame) = one.bounding_rect().filter(|frame| frame.unsigned_area() > 0.0) else {
                    return Ok(planar);
                };
                let scale = ellipsoidal_area(&lonlat(&frame.to_polygon().into())?) / frame.unsigned_area();
                Ok(planar.map(|area| area * scale))
            }
        }
    }
}

/// What came of a repair.
pub(crate) struct Repaired {
    /// In the source's coordinates.
    pub geometry: Geometry<f64>,
    /// m², on the ellipsoid.
    pub area_before: f64,
    pub area_after: f64,
}

/// Repairs a geometry (GEOS), if that changes neither its kind nor, beyond the tolerance, its area. The error
/// is the reason, with the areas in m² before and after where they are known.
pub(crate) fn repair(
    geometry: &Geometry<f64>,
    bounds: &RepairBounds,
    plane: &Plane<'_>,
) -> Result<Repaired, (String, Option<f64>, Option<f64>)> {
    let failed = |reason: String| (reason, None, None);
    if crossings::are_more_than(bounds.crossings, geometry) {
        return Err(failed(format!(
            "and it crosses itself more than {} times, which is too often for a repair \
             (--max-repair-crossings N): mend it where it was drawn",
            bounds.crossings
        )));
    }
    let made = made_valid(geometry).map_err(failed)?;
    let [before, after] = plane.areas(geometry, &made).map_err(failed)?;
    let change = (after - before).abs();
    if change <= bounds.tolerance.relative * before || change <= bounds.tolerance.absolute_m2 {
        Ok(Repaired { geometry: made, area_before: before, area_after: after })
    } else {
        Err((
            format!(
                "and a repair would change its area from {before:.3} m² to {after:.3} m², more than the \
                 tolerance allows: mend it where it was drawn"
            ),
            Some(before),
            Some(after),
        ))
    }
}

/// A valid geometry of the same kind, by the first of GEOS's methods that gives one.
fn made_valid(geometry: &Geometry<f64>) -> Result<Geometry<f64>, String> {
    if check_positions(geometry).is_err() {
        return Err("and it cannot be repaired: mend it where it was drawn".to_owned());
    }
    let mut reason = String::new();
    gdal_log::take();
    for method in ["LINEWORK", "STRUCTURE"] {
        let mut options = CslStringList::new();
        let made = options
            .set_name_value("METHOD", method)
            .map_err(|error| error.to_string())
            .and_then(|()| to_ogr(geometry))
            .and_then(|ogr| {
                ogr.make_valid(&options).map_err(|error| gdal_log::first().unwrap_or(error.to_string()))
            })
            .and_then(|ogr| ogr.iso_wkb().map_err(|error| error.to_string()))
            .and_then(|bytes| wkb::read_source(&bytes).map_err(|fault| fault.reason));
        gdal_log::take();
        match made.map(|made| keep_kind(geometry, made.geometry)) {
            Err(why) => reason = format!("and it cannot be repaired: {why}"),
            Ok(None) => reason = "and a repair would leave no geometry of the same kind".to_owned(),
            // A polygon whose corners are all on one line has no inside.
            Ok(Some(made)) if made.coords_count() == 0 => {
                reason = "and a repair would leave nothing of it".to_owned();
            }
            Ok(Some(made)) if fault(&made).is_some() => {
                reason = "and it is still invalid after a repair".to_owned();
            }
            Ok(Some(made)) => return Ok(made),
        }
    }
    Err(reason)
}

pub(crate) fn to_ogr(geometry: &Geometry<f64>) -> Result<Ogr, String> {
    Ogr::from_wkb(&wkb::to_wkb(geometry)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEGREES: Plane<'_> = Plane::Degrees(&|geometry| Ok(geometry.clone()));

    fn geometry(text: &str) -> Geometry<f64> {
        crate::gdal_log::listen();
        wkb::read_source(&Ogr::from_wkt(text).unwrap().iso_wkb().unwrap()).unwrap().geometry
    }

    #[test]
    fn a_bow_tie_is_found_with_its_place_and_not_repaired() {
        let bow = geometry("POLYGON ((106 10,106.001 10.001,106.001 10,106 10.001,106 10))");
        let found = fault(&bow).unwrap();
        assert!(found.reason.contains("Self-intersection"), "{}", found.reason);
        let [x, y] = found.location.unwrap();
        assert!((x - 106.0005).abs() < 1e-9 && (y - 10.0005).abs() < 1e-9);
        let refused = repair(&bow, &RepairBounds::default(), &DEGREES).map(|r| r.geometry).unwrap_err();
        assert!(refused.0.contains("would change its area"), "{}", refused.0);
    }

    #[test]
    fn too_few_positions_are_a_fault_in_plain_words() {
        for (text, words) in [
            ("LINESTRING (106 10)", "a line has only one position"),
            ("MULTILINESTRING ((106 10,107 11),(106 10))", "a line has only one position"),
        ] {
            let short = geometry(text);
            let reason = fault(&short).unwrap().reason;
            assert!(reason.contains(words), "{text}: {reason}");
            let refused = repair(&short, &RepairBounds::default(), &DEGREES).map(|_| ()).unwrap_err().0;
            assert!(refused.contains("cannot be repaired: mend it"), "{text}: {refused}");
        }
    }

    #[test]
    fn a_polygon_without_an_inside_is_not_repaired() {
        let flat = geometry("POLYGON ((106 10,107 11,105 9,106 10))");
        assert!(fault(&flat).is_some());
        let refused = repair(&flat, &RepairBounds::default(), &DEGREES).map(|r| r.geometry).unwrap_err();
        assert!(refused.0.contains("would leave nothing"), "{}", refused.0);
    }

    #[test]
    fn what_gdal_cannot_build_is_a_fault() {
        crate::gdal_log::listen();
        let line: Vec<(f64, f64)> = (0..20).map(|i| (106.0, 10.0 + f64::from(i) / 1e4)).collect();
        let mut nested = Geometry::from(geo_types::LineString::from(line));
        assert!(fault(&nested).is_none());
        // GDAL follows collections in collections for 32 steps.
        for _ in 0..40 {
            nested = Geometry::GeometryCollection(geo_types::GeometryCollection(vec![nested]));
        }
        let reason = fault(&nested).unwrap().reason;
        assert!(reason.starts_with("its validity cannot be judged: "), "{reason}");
        let refused = repair(&nested, &RepairBounds::default(), &DEGREES).map(|_| ());
        assert!(refused.unwrap_err().0.contains("cannot be repaired"));
    }

    /// What the shortcut rests on: what it proves is valid by GEOS too, on every parcel of a real city.
    #[test]
    fn what_is_plainly_valid_in_a_real_cadastre_is_valid_by_geos() {
        use gdal::vector::LayerAccess;
        let Some(path) = citymap_testing::real_data("cambridge/parcels_fy2013.gpkg") else { return };
        crate::gdal_log::listen();
        let dataset = gdal::Dataset::open(path).unwrap();
        let (mut all, mut proven, mut invalid) = (0, 0, 0);
        for feature in dataset.layer(0).unwrap().features() {
            let ogr = feature.geometry().unwrap();
            let geometry = wkb::read_source(&ogr.iso_wkb().unwrap()).unwrap().geometry;
            let (plain, valid) = (is_plainly_valid(&geometry), ogr.is_valid());
            assert!(valid || !plain, "feature {:?}", feature.fid());
            all += 1;
            proven += u32::from(plain);
            invalid += u32::from(!valid);
        }
        assert_eq!((all, invalid), (13_159, 24));
        assert!(proven > 12_000, "{proven}");
    }

    /// A polygon of random corners crosses itself so often that GEOS would need minutes and gigabytes.
    #[test]
    fn a_polygon_that_crosses_itself_too_often_is_refused_at_once() {
        crate::gdal_log::listen();
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let corners: Vec<(f64, f64)> = (0..10_000).map(|_| (106.0 + random(), 10.0 + random())).collect();
        let tangle = Geometry::from(geo_types::Polygon::new(corners.into(), vec![]));
        let start = std::time::Instant::now();
        assert!(fault(&tangle).is_some());
        let refused = repair(&tangle, &RepairBounds::default(), &DEGREES).map(|_| ()).unwrap_err();
        assert!(refused.0.contains("--max-repair-crossings"), "{}", refused.0);
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }

    /// A corner that a repair sets on a long edge does not change the area of a shape in degrees.
    #[test]
    fn a_repair_on_a_long_edge_is_judged_in_degrees() {
        let notch = geometry(
            "POLYGON ((106.7 10.7,106.9 10.7,106.9 10.9,106.7 10.9,106.7 10.7),(106.78 10.8,106.8 \
             10.900000000001,106.82 10.8,106.78 10.8))",
        );
        assert!(fault(&notch).is_some());
        let made = repair(&notch, &RepairBounds::default(), &DEGREES).map_err(|error| error.0).unwrap();
        assert!((made.area_before / made.area_after - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_spike_without_area_is_repaired() {
        let spike = geometry(
            "POLYGON ((106 10,106.001 10,106.001 10.001,106.0005 10.001,106.0005 10.002,106.0005 10.001,106 \
             10.001,106 10))",
        );
        assert!(fault(&spike).is_some());
        let made = repair(&spike, &RepairBounds::default(), &DEGREES).map_err(|e| e.0).unwrap();
        assert!(fault(&made.geometry).is_none());
        assert!((made.area_before - made.area_after).abs() < 0.01);
    }
}
