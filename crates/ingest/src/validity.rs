//! Whether geometry is valid, and what a repair makes of it.
//!
//! `geo` looks first at small ones (a few µs); what it finds wrong, and all that is large, goes to GEOS,
//! which decides, says where, and repairs. On the 13 159 parcels of Cambridge both find the same 24 (a test
//! holds that). `geo` compares every pair of segments: the 168 wards (217 352 vertices) take it 20 s, and
//! GEOS a fraction of one.

use citymap_crs::ellipsoidal_area;
use citymap_geometry::{FaultLocation, GeometryFault, keep_kind, wkb};
use gdal::{cpl::CslStringList, vector::Geometry as Ogr};
use geo::{CoordsIter, Validation};
use geo_types::Geometry;

use crate::{RepairTolerance, gdal_log};

/// Vertices up to which `geo` is the faster one.
const SMALL: usize = 12;

/// Why a geometry is invalid; `None` if it is valid.
pub(crate) fn fault(geometry: &Geometry<f64>) -> Option<GeometryFault> {
    let size = geometry.coords_count();
    if matches!(geometry, Geometry::Point(_) | Geometry::MultiPoint(_))
        || size == 0
        || (size <= SMALL && geometry.is_valid())
    {
        return None;
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

/// What came of a repair.
pub(crate) struct Repaired {
    /// In the source's coordinates.
    pub geometry: Geometry<f64>,
    /// m², on the ellipsoid.
    pub area_before: f64,
    pub area_after: f64,
}

/// Repairs a geometry (GEOS), if that changes neither its kind nor, beyond the tolerance, its area.
pub(crate) fn repair(
    geometry: &Geometry<f64>,
    tolerance: RepairTolerance,
    lonlat: &ToLonLat<'_>,
) -> Result<Repaired, (String, Option<f64>, Option<f64>)> {
    let failed = |reason: String| (reason, None, None);
    let made = to_ogr(geometry)
        .and_then(|ogr| ogr.make_valid(&CslStringList::new()).map_err(|error| error.to_string()))
        .and_then(|ogr| ogr.iso_wkb().map_err(|error| error.to_string()))
        .and_then(|bytes| wkb::read_source(&bytes).map_err(|fault| fault.reason))
        .map_err(|reason| failed(format!("and it cannot be repaired: {reason}")))?;
    gdal_log::take();
    let made = keep_kind(geometry, made.geometry)
        .ok_or_else(|| failed("and a repair would leave no geometry of the same kind".to_owned()))?;
    if fault(&made).is_some() {
        return Err(failed("and it is still invalid after a repair".to_owned()));
    }
    let area = |geometry: &Geometry<f64>| lonlat(geometry).map(|moved| ellipsoidal_area(&moved));
    let (before, after) = match (area(geometry), area(&made)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(reason), _) | (_, Err(reason)) => return Err(failed(reason)),
    };
    let change = (after - before).abs();
    if change <= tolerance.relative * before || change <= tolerance.absolute_m2 {
        Ok(Repaired { geometry: made, area_before: before, area_after: after })
    } else {
        Err((
            format!(
                "and a repair would change its area from {before:.3} m² to {after:.3} m², more than the \
                 tolerance allows"
            ),
            Some(before),
            Some(after),
        ))
    }
}

pub(crate) fn to_ogr(geometry: &Geometry<f64>) -> Result<Ogr, String> {
    Ogr::from_wkb(&wkb::to_wkb(geometry)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let refused =
            repair(&bow, RepairTolerance::default(), &|g| Ok(g.clone())).map(|r| r.geometry).unwrap_err();
        assert!(refused.0.contains("would change its area"), "{}", refused.0);
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
        let refused = repair(&nested, RepairTolerance::default(), &|g| Ok(g.clone())).map(|_| ());
        assert!(refused.unwrap_err().0.contains("cannot be repaired"));
    }

    /// What the shortcut rests on: `geo` and GEOS agree on every parcel of a real city.
    #[test]
    fn geo_and_geos_agree_on_a_real_cadastre() {
        use gdal::vector::LayerAccess;
        let Some(path) = citymap_testing::real_data("cambridge/parcels_fy2013.gpkg") else { return };
        crate::gdal_log::listen();
        let dataset = gdal::Dataset::open(path).unwrap();
        let (mut invalid, mut times) = (0, [std::time::Duration::ZERO; 2]);
        for feature in dataset.layer(0).unwrap().features() {
            let ogr = feature.geometry().unwrap();
            let geometry = wkb::read_source(&ogr.iso_wkb().unwrap()).unwrap().geometry;
            let start = std::time::Instant::now();
            let by_geo = geometry.is_valid();
            times[0] += start.elapsed();
            let start = std::time::Instant::now();
            let by_geos = ogr.is_valid();
            times[1] += start.elapsed();
            assert_eq!(by_geo, by_geos, "feature {:?}", feature.fid());
            invalid += u32::from(!by_geos);
        }
        println!("geo {:?}, GEOS {:?}", times[0], times[1]);
        assert_eq!(invalid, 24);
    }

    #[test]
    fn a_spike_without_area_is_repaired() {
        let spike = geometry(
            "POLYGON ((106 10,106.001 10,106.001 10.001,106.0005 10.001,106.0005 10.002,106.0005 10.001,106 \
             10.001,106 10))",
        );
        assert!(fault(&spike).is_some());
        let made = repair(&spike, RepairTolerance::default(), &|g| Ok(g.clone())).map_err(|e| e.0).unwrap();
        assert!(fault(&made.geometry).is_none());
        assert!((made.area_before - made.area_after).abs() < 0.01);
    }
}
