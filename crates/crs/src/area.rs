//! Where a coordinate system is meant to be used.

use proj::Proj;

use crate::Crs;

/// The area of use of a system, WGS 84 degrees. It may cross the date line: `west` is greater than `east`
/// then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaOfUse {
    /// The western edge, −180 to 180.
    pub west: f64,
    /// The southern edge, −90 to 90.
    pub south: f64,
    /// The eastern edge, −180 to 180.
    pub east: f64,
    /// The northern edge, −90 to 90.
    pub north: f64,
}

impl AreaOfUse {
    /// Whether a place (longitude, latitude) is in the area or at most `margin` degrees outside of it.
    pub fn contains(&self, [lon, lat]: [f64; 2], margin: f64) -> bool {
        if !(lat >= self.south - margin && lat <= self.north + margin) {
            return false;
        }
        let (west, east) = (self.west - margin, self.east + margin);
        let width = if self.west > self.east { east + 360.0 - west } else { east - west };
        width >= 360.0 || (lon - west).rem_euclid(360.0) <= width
    }
}

impl Crs {
    /// The area in which this system is meant to be used, as the EPSG register has it; `None` where it says
    /// nothing.
    ///
    /// ```
    /// use citymap_crs::Crs;
    ///
    /// let area = Crs::new(9210)?.area_of_use().unwrap();
    /// assert!(area.contains([106.7, 10.8], 0.0) && !area.contains([112.0, 5.4], 1.0));
    /// # Ok::<(), citymap_crs::CrsError>(())
    /// ```
    pub fn area_of_use(self) -> Option<AreaOfUse> {
        let (area, _name) = Proj::new(&self.to_string()).ok()?.area_of_use().ok()?;
        let area = area?;
        Some(AreaOfUse { west: area.west, south: area.south, east: area.east, north: area.north })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_may_cross_the_date_line() {
        let fiji = AreaOfUse { west: 176.8, south: -20.8, east: -178.15, north: -12.4 };
        assert!(fiji.contains([179.0, -17.0], 0.0) && fiji.contains([-179.0, -17.0], 0.0));
        assert!(!fiji.contains([0.0, -17.0], 1.0) && !fiji.contains([179.0, 0.0], 1.0));
        let world = AreaOfUse { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
        assert!([[-180.0, 0.0], [180.0, 90.0], [0.0, 0.0]].iter().all(|at| world.contains(*at, 0.0)));
        assert!(world.contains([12.0, 3.0], 1.0));
    }

    #[test]
    fn every_vietnamese_zone_and_the_usual_systems_have_one() {
        for zone in crate::vn2000::ZONES {
            assert!(zone.crs.area_of_use().is_some(), "{}", zone.crs);
        }
        for code in [4326, 4756, 3857, 32648, 2263, 2249, 27700] {
            assert!(Crs::new(code).unwrap().area_of_use().is_some(), "{code}");
        }
    }
}
