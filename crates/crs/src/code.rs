//! A coordinate system by its code, and the forms in which it is written.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{LazyLock, Mutex, PoisonError},
};

use proj::{Area, Proj};

use crate::{CrsError, steps::Family, vn2000};

/// An EPSG code that PROJ knows. WGS 84 is 4326 (also written `CRS84`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Crs(pub(crate) u32);

/// What PROJ knows about a system of neither the VN-2000 nor the WGS 84 family.
#[derive(Clone)]
struct Foreign {
    name: String,
    geographic: bool,
}

/// Systems of neither family that were requested. Only systems that PROJ knows are kept, so requests cannot
/// make it grow beyond the EPSG register.
static FOREIGN: LazyLock<Mutex<HashMap<u32, Foreign>>> = LazyLock::new(Mutex::default);

impl Crs {
    /// WGS 84, longitude and latitude in degrees.
    pub const WGS84: Self = Self(4326);
    /// Web Mercator, the system of map tiles.
    pub const WEB_MERCATOR: Self = Self(3857);
    /// VN-2000, longitude and latitude in degrees.
    pub const VN2000: Self = Self(4756);

    /// The system with this EPSG code.
    ///
    /// Code 4979, WGS 84 with heights, becomes WGS 84: the program is two-dimensional.
    ///
    /// # Errors
    /// [`CrsError::Unknown`] if PROJ does not know the code, or the system has no horizontal coordinates
    /// (heights, geocentric).
    pub fn new(code: u32) -> Result<Self, CrsError> {
        let crs = if code == 4979 { Self::WGS84 } else { Self(code) };
        if Family::of(crs).is_none() {
            foreign(crs)?;
        }
        Ok(crs)
    }

    /// The EPSG code as a number.
    pub fn code(self) -> u32 {
        self.0
    }

    /// The OGC URI that names the system *with our axis order*: CRS84 for WGS 84, the EPSG URI for others.
    pub fn uri(self) -> String {
        if self == Self::WGS84 {
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84".to_owned()
        } else {
            format!("http://www.opengis.net/def/crs/EPSG/0/{}", self.0)
        }
    }

    /// The name, the same in every language: `VN-2000 / TM-3 105-45`.
    pub fn name(self) -> String {
        if let Some(zone) = vn2000::zone(self) {
            return zone.name.to_owned();
        }
        match self.0 {
            4326 => "WGS 84".to_owned(),
            3857 => "WGS 84 / Pseudo-Mercator".to_owned(),
            4756 => "VN-2000".to_owned(),
            32601..=32660 => format!("WGS 84 / UTM zone {}N", self.0 - 32600),
            32701..=32760 => format!("WGS 84 / UTM zone {}S", self.0 - 32700),
            _ => foreign(self).map_or_else(|_| self.to_string(), |known| known.name),
        }
    }

    /// Whether coordinates are longitude and latitude in degrees.
    pub fn is_geographic(self) -> bool {
        match Family::of(self) {
            Some(_) => matches!(self.0, 4326 | 4756),
            None => foreign(self).is_ok_and(|known| known.geographic),
        }
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

impl FromStr for Crs {
    type Err = CrsError;

    /// Reads `EPSG:9210`, `epsg:9210`, `9210`, `CRS84`, `OGC:CRS84`, and OGC's URNs
    /// (`urn:ogc:def:crs:EPSG::9210`) and URIs (`http://www.opengis.net/def/crs/EPSG/0/9210`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || CrsError::Unknown(text.chars().take(200).collect());
        match parse(text).ok_or_else(unknown)? {
            Self::WGS84 => Ok(Self::WGS84),
            crs => Self::new(crs.0).map_err(|_unknown_code| unknown()),
        }
    }
}

/// The code that a text states, whether or not PROJ knows it.
fn parse(text: &str) -> Option<Crs> {
    let text = text.trim().to_ascii_uppercase();
    let (authority, code) = if let Some(rest) = text.strip_prefix("URN:OGC:DEF:CRS:") {
        // The parts are authority, version (often empty) and code.
        let mut parts = rest.split(':');
        let found = (parts.next()?, parts.nth(1)?);
        if parts.next().is_some() {
            return None;
        }
        found
    } else if let Some(rest) = ["HTTP://", "HTTPS://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme)?.strip_prefix("WWW.OPENGIS.NET/DEF/CRS/"))
    {
        let mut parts = rest.trim_end_matches('/').split('/');
        let found = (parts.next()?, parts.nth(1)?);
        if parts.next().is_some() {
            return None;
        }
        found
    } else {
        match text.split_once(':') {
            Some((authority, code)) => (authority, code),
            None if text == "CRS84" => ("OGC", "CRS84"),
            None => ("EPSG", text.as_str()),
        }
    };
    match (authority, code) {
        ("OGC", "CRS84") => Some(Crs::WGS84),
        // Only digits: `parse` would also accept a sign.
        ("EPSG", digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().map(Crs)
        }
        _ => None,
    }
}

/// Asks PROJ about a system of neither family.
fn foreign(crs: Crs) -> Result<Foreign, CrsError> {
    let known = || FOREIGN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known().get(&crs.0) {
        return Ok(found.clone());
    }
    let found = probe(crs).ok_or_else(|| CrsError::Unknown(crs.to_string()))?;
    known().insert(crs.0, found.clone());
    Ok(found)
}

/// What PROJ's database knows about the system; `None` if it is unknown or not horizontal.
///
/// PROJ's safe interface reports neither kind nor unit, so a known point is transformed there and back: a
/// hundredth of a degree stays small in a geographic system and becomes a large number in the unit of a grid.
fn probe(crs: Crs) -> Option<Foreign> {
    const STEP: f64 = 0.01;
    let system = Proj::new(&crs.to_string()).ok()?;
    // PROJ adds a height only to a two-dimensional system. This excludes heights, which would pass everything
    // below unchanged, and geocentric and compound systems.
    Proj::new(&format!("{crs}+5773")).ok()?;
    let name = system.proj_info().description?;
    let (area, _) = system.area_of_use().ok()?;
    let [lon, lat] = inner_point(area?);
    let there = Proj::new_known_crs("EPSG:4326", &crs.to_string(), None).ok()?;
    let back = Proj::new_known_crs(&crs.to_string(), "EPSG:4326", None).ok()?;
    let here: (f64, f64) = there.convert((lon, lat)).ok()?;
    let east: (f64, f64) = there.convert((lon + STEP, lat)).ok()?;
    let again: (f64, f64) = back.convert(here).ok()?;
    let good = (again.0 - lon).abs() < 1e-4 && (again.1 - lat).abs() < 1e-4;
    let step = (east.0 - here.0).hypot(east.1 - here.1);
    (good && step.is_finite()).then_some(Foreign { name, geographic: step < 0.1 })
}

/// A point in an area of use (longitude, latitude); the area may cross the date line. It is not the centre:
/// that of the world is on the equator, where even a geocentric system returns its input.
fn inner_point(area: Area) -> [f64; 2] {
    let east = if area.east < area.west { area.east + 360.0 } else { area.east };
    let lon = f64::midpoint(area.west, east);
    [if lon > 180.0 { lon - 360.0 } else { lon }, area.south + 0.4 * (area.north - area.south)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_way_of_writing_a_system_is_read() {
        for text in [
            "EPSG:9210",
            "epsg:9210",
            " 9210 ",
            "urn:ogc:def:crs:EPSG::9210",
            "urn:ogc:def:crs:EPSG:10.1:9210",
            "http://www.opengis.net/def/crs/EPSG/0/9210",
            "https://www.opengis.net/def/crs/EPSG/0/9210",
        ] {
            assert_eq!(text.parse::<Crs>().unwrap(), Crs::home(), "{text}");
        }
        for text in [
            "CRS84",
            "OGC:CRS84",
            "urn:ogc:def:crs:OGC:1.3:CRS84",
            "urn:ogc:def:crs:OGC::CRS84",
            "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            "EPSG:4326",
        ] {
            assert_eq!(text.parse::<Crs>().unwrap(), Crs::WGS84, "{text}");
        }
    }

    #[test]
    fn what_proj_does_not_know_is_refused() {
        for text in [
            "",
            "EPSG:",
            "EPSG:0",
            "EPSG:99999999",
            "99999999999",
            "+9210",
            "-1",
            "EPSG:9210:1",
            "ESRI:102100",
            "wgs84",
            "+proj=longlat",
            "http://www.opengis.net/def/crs/EPSG/0",
            "http://example.org/def/crs/EPSG/0/9210",
            "9210; drop",
            "EPSG:32600",
            "EPSG:32661x",
        ] {
            assert!(matches!(text.parse::<Crs>(), Err(CrsError::Unknown(_))), "{text}");
        }
    }

    #[test]
    fn heights_and_geocentric_systems_have_no_place_on_a_map() {
        for code in [5773, 4978, 3855, 7405] {
            assert!(Crs::new(code).is_err(), "{code}");
        }
        assert_eq!(Crs::new(4979).unwrap(), Crs::WGS84);
    }

    #[test]
    fn other_codes_are_known_by_name_and_kind() {
        for (code, name, geographic) in [
            (4807, "NTF (Paris)", true),
            (4269, "NAD83", true),
            (27700, "OSGB36 / British National Grid", false),
            (2249, "NAD83 / Massachusetts Mainland (ftUS)", false),
            (3148, "Indian 1960 / UTM zone 48N", false),
        ] {
            let crs = Crs::new(code).unwrap();
            assert_eq!(crs.name(), name);
            assert_eq!(crs.is_geographic(), geographic, "{name}");
        }
        assert!(Crs::WGS84.is_geographic() && Crs::VN2000.is_geographic());
        assert!(!Crs::home().is_geographic() && !Crs::WEB_MERCATOR.is_geographic());
        assert_eq!(Crs::home().name(), "VN-2000 / TM-3 105-45");
        assert_eq!(Crs::new(32648).unwrap().name(), "WGS 84 / UTM zone 48N");
    }

    #[test]
    fn the_uri_reads_back() {
        for code in [4326, 9210, 3857, 4756, 27700] {
            let crs = Crs::new(code).unwrap();
            assert_eq!(crs.uri().parse::<Crs>().unwrap(), crs);
        }
        assert!(Crs::WGS84.uri().ends_with("OGC/1.3/CRS84"), "our axis order is longitude first");
    }
}
