//! VN-2000: its grids, and the legal transformation between it and WGS 84.
//!
//! Parameters: Decision 05/2007/QĐ-BTNMT, EPSG:6960 (coordinate-frame rotation). The ellipsoid is that of WGS
//! 84; TM-3 zones have scale 0.9999 and false easting 500 000 m.

use crate::Crs;

/// The datum shift WGS 84 ← VN-2000 as a PROJ step (EPSG:6960).
pub(crate) const HELMERT: &str = "+proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 \
     +rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame";

/// The parameters of a grid of VN-2000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// The grid's coordinate system.
    pub crs: Crs,
    /// The EPSG name, with the central meridian in degrees and minutes where EPSG numbers the zone.
    pub name: &'static str,
    /// Central meridian in degrees east.
    pub central_meridian: f64,
    /// Scale factor on the central meridian.
    pub scale: f64,
    /// Metres added to the easting.
    pub false_easting: f64,
    /// Metres added to the northing.
    pub false_northing: f64,
    /// Whether EPSG has withdrawn the code; such codes still occur in files.
    pub deprecated: bool,
}

const fn tm3(code: u32, name: &'static str, central_meridian: f64) -> Zone {
    Zone {
        crs: Crs(code),
        name,
        central_meridian,
        scale: 0.9999,
        false_easting: 500_000.0,
        false_northing: 0.0,
        deprecated: false,
    }
}

const fn utm(code: u32, name: &'static str, central_meridian: f64) -> Zone {
    Zone { scale: 0.9996, ..tm3(code, name, central_meridian) }
}

/// EPSG withdrew these because false easting and northing were exchanged. They are applied as defined: data
/// labelled 6957 was either written with that mistake, or must be relabelled with `--crs`.
const fn withdrawn(code: u32, name: &'static str, central_meridian: f64) -> Zone {
    Zone {
        false_easting: 0.0,
        false_northing: 500_000.0,
        deprecated: true,
        ..tm3(code, name, central_meridian)
    }
}

/// Every grid of VN-2000: TM-3 from west to east, UTM, then the withdrawn codes.
pub const ZONES: [Zone; 24] = [
    tm3(5896, "VN-2000 / TM-3 102-00", 102.0),
    tm3(9205, "VN-2000 / TM-3 103-00", 103.0),
    tm3(9206, "VN-2000 / TM-3 104-00", 104.0),
    tm3(9207, "VN-2000 / TM-3 104-30", 104.5),
    tm3(9208, "VN-2000 / TM-3 104-45", 104.75),
    tm3(5897, "VN-2000 / TM-3 105-00", 105.0),
    tm3(9209, "VN-2000 / TM-3 105-30", 105.5),
    tm3(9210, "VN-2000 / TM-3 105-45", 105.75),
    tm3(9211, "VN-2000 / TM-3 106-00", 106.0),
    tm3(9212, "VN-2000 / TM-3 106-15", 106.25),
    tm3(9213, "VN-2000 / TM-3 106-30", 106.5),
    tm3(9214, "VN-2000 / TM-3 107-00", 107.0),
    tm3(9215, "VN-2000 / TM-3 107-15", 107.25),
    tm3(9216, "VN-2000 / TM-3 107-30", 107.5),
    tm3(5899, "VN-2000 / TM-3 107-45", 107.75),
    tm3(5898, "VN-2000 / TM-3 108-00", 108.0),
    tm3(9217, "VN-2000 / TM-3 108-15", 108.25),
    tm3(9218, "VN-2000 / TM-3 108-30", 108.5),
    utm(3405, "VN-2000 / UTM zone 48N", 105.0),
    utm(3406, "VN-2000 / UTM zone 49N", 111.0),
    withdrawn(6956, "VN-2000 / TM-3 102-00 (withdrawn)", 102.0),
    withdrawn(6957, "VN-2000 / TM-3 105-00 (withdrawn)", 105.0),
    withdrawn(6958, "VN-2000 / TM-3 108-00 (withdrawn)", 108.0),
    withdrawn(6959, "VN-2000 / TM-3 107-45 (withdrawn)", 107.75),
];

/// The grid with this code; `None` for VN-2000 itself (4756) and for every other system.
pub fn zone(crs: Crs) -> Option<&'static Zone> {
    ZONES.iter().find(|zone| zone.crs == crs)
}

/// The grid that land offices use at this place (WGS 84 longitude, latitude): 107-45 in the former Bà
/// Rịa–Vũng Tàu, 105-45 elsewhere in the city, and beyond it the TM-3 zone with the nearest central meridian.
///
/// In a process with another home grid than the built-in one it is that grid.
///
/// The decision is by boxes and not by boundaries. Use it as a default to show, never as proof.
pub fn home_zone_for(lonlat: [f64; 2]) -> Crs {
    if !Crs::is_builtin_home() {
        return Crs::home();
    }
    let [lon, lat] = lonlat;
    let within =
        |[west, south, east, north]: [f64; 4]| lon >= west && lon <= east && lat >= south && lat <= north;
    if within([106.98, 10.30, 107.60, 10.82]) {
        return Crs(5899);
    }
    let is_tm3 = |zone: &&Zone| zone.scale == 0.9999 && !zone.deprecated;
    if within([106.30, 8.5, 107.12, 11.55])
        && let Some(zone) = ZONES.iter().filter(is_tm3).find(|zone| zone.central_meridian == 105.75)
    {
        return zone.crs;
    }
    let away = |zone: &&Zone| (zone.central_meridian - lon).abs();
    ZONES
        .iter()
        .filter(is_tm3)
        .min_by(|a, b| away(a).total_cmp(&away(b)))
        .map_or(Crs::home(), |zone| zone.crs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_tm3_goes_east() {
        let mut codes: Vec<_> = ZONES.iter().map(|zone| zone.crs).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ZONES.len());
        assert!(ZONES[..18].is_sorted_by(|a, b| a.central_meridian < b.central_meridian));
        for zone in &ZONES[..18] {
            let whole = zone.central_meridian.floor();
            let meridian = format!("{whole:.0}-{:02.0}", (zone.central_meridian - whole) * 60.0);
            assert!(zone.name.ends_with(&meridian), "{}", zone.name);
        }
    }

    #[test]
    fn proj_defines_every_zone_as_we_do() {
        for zone in &ZONES {
            let known = proj::Proj::new_known_crs("EPSG:4756", &zone.crs.to_string(), None).unwrap();
            let point = (zone.central_meridian + 0.7, 12.0);
            let theirs: (f64, f64) = known.convert(point).unwrap();
            let mut ours = [[point.0, point.1]];
            crate::Transform::new(Crs::VN2000, zone.crs).unwrap().apply(&mut ours).unwrap();
            // The withdrawn grids have northing as their first axis; PROJ normalises that as well.
            let gap = (theirs.0 - ours[0][0]).hypot(theirs.1 - ours[0][1]);
            assert!(gap < 1e-6, "{}: {theirs:?} {ours:?}", zone.name);
        }
    }

    #[test]
    fn land_offices_keep_their_grids() {
        assert_eq!(home_zone_for([106.698, 10.7725]), Crs::home());
        assert_eq!(home_zone_for([107.0843, 10.346]), Crs(5899), "Vũng Tàu");
        assert_eq!(home_zone_for([106.9537, 10.4114]), Crs::home(), "Cần Giờ");
        assert_eq!(home_zone_for([105.85, 21.03]).code(), 9210);
        assert_eq!(home_zone_for([108.2, 16.06]).code(), 9217);
    }
}
