//! Coordinate systems as OGC API – Features names them: a system together with its axis order.
//!
//! Inside the program a pair is always `[x, y]`. OGC API – Features Part 2 wants coordinates in the order
//! that the authority gives each system, and GDAL and QGIS expect it: latitude first in EPSG:4326 and
//! EPSG:4756, longitude first in CRS84, easting first in every grid listed here.

use std::borrow::Cow;

use crate::{Crs, CrsError, vn2000};

/// The URI of WGS 84 with longitude first: the system of every answer that names none.
pub const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// A coordinate system with the axis order that its URI implies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCrs {
    /// The system without an axis order.
    pub crs: Crs,
    /// True if latitude (y) is the first number of a pair.
    pub swapped: bool,
    /// The OGC URI, for instance `http://www.opengis.net/def/crs/EPSG/0/9210`.
    pub uri: Cow<'static, str>,
}

impl NamedCrs {
    /// WGS 84 with longitude first.
    pub fn crs84() -> Self {
        Self { crs: Crs::WGS84, swapped: false, uri: Cow::Borrowed(CRS84) }
    }

    /// The system with x (easting or longitude) first, whatever order the authority gives it.
    pub fn xy(crs: Crs) -> Self {
        Self { crs, swapped: false, uri: crs.uri().into() }
    }

    fn epsg(crs: Crs) -> Self {
        let uri = format!("http://www.opengis.net/def/crs/EPSG/0/{}", crs.code()).into();
        Self { crs, swapped: crs.is_geographic(), uri }
    }

    /// The systems in which features are offered: CRS84 (as stored) first, the home grid second.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::crs84(), Self::epsg(Crs::home())];
        let zones = vn2000::ZONES
            .iter()
            .filter(|zone| !zone.deprecated && zone.crs != Crs::home())
            .map(|zone| zone.crs);
        let others = [Crs::WGS84, Crs::VN2000, Crs::WEB_MERCATOR].into_iter();
        let utm = [32648, 32649].into_iter().filter_map(|code| Crs::new(code).ok());
        all.extend(others.chain(zones).chain(utm).map(Self::epsg));
        all
    }

    /// Finds the offered system that a URI, `EPSG:n`, `[EPSG:n]` or `CRS84` names; `None` for a system that
    /// PROJ knows but in which features are not offered.
    ///
    /// ```
    /// use citymap_crs::NamedCrs;
    ///
    /// let latitude_first = NamedCrs::find("EPSG:4326")?.unwrap();
    /// assert_eq!(latitude_first.turn([10.7725, 106.698]), [106.698, 10.7725]);
    /// assert!(NamedCrs::find("EPSG:27700")?.is_none());
    /// # Ok::<(), citymap_crs::CrsError>(())
    /// ```
    ///
    /// # Errors
    /// [`CrsError::Unknown`] if the text names no coordinate system.
    pub fn find(text: &str) -> Result<Option<Self>, CrsError> {
        let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
        let crs: Crs = bare.parse()?;
        let longitude_first = bare.to_ascii_uppercase().ends_with("CRS84");
        Ok(Self::all()
            .into_iter()
            .find(|known| known.crs == crs && (crs != Crs::WGS84 || known.swapped != longitude_first)))
    }

    /// Converts a pair between `[x, y]` and the system's own axis order; the conversion is its own inverse.
    pub fn turn(&self, [a, b]: [f64; 2]) -> [f64; 2] {
        if self.swapped { [b, a] } else { [a, b] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_says_which_axis_comes_first() {
        for (text, swapped) in [
            ("CRS84", false),
            (CRS84, false),
            ("EPSG:4326", true),
            ("http://www.opengis.net/def/crs/EPSG/0/4326", true),
            ("[EPSG:4326]", true),
            ("http://www.opengis.net/def/crs/EPSG/0/4756", true),
            ("http://www.opengis.net/def/crs/EPSG/0/9210", false),
        ] {
            assert_eq!(NamedCrs::find(text).unwrap().unwrap().swapped, swapped, "{text}");
        }
        assert!(NamedCrs::find("EPSG:27700").unwrap().is_none());
        assert!(NamedCrs::find("EPSG:0").is_err());
    }
}
