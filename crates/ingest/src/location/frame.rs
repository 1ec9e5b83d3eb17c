//! Odd features of a layer whose others are where they should be.

use citymap_crs::{AreaOfUse, CityArea, Crs, Transform};
use geo::CoordsIter;
use geo_types::Geometry;

use super::{Known, MARGIN, ZERO};

/// Where the features of a layer are expected.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    crs: Crs,
    /// The area of use of the system.
    area: Option<AreaOfUse>,
    city: CityArea,
    /// Whether most features of the layer are in the city.
    is_local: bool,
    zero: ZeroRule,
    /// From the system to WGS 84, for another order of x and y.
    transform: Option<Transform>,
}

/// Which features at 0, 0 have no coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ZeroRule {
    /// Other features are near it: it is a place like any other.
    Near,
    /// It is far from the other features: any position there is odd.
    Far,
    /// No other feature is known: what lies there as a whole is odd; a corner may be there.
    Alone,
}

/// What there is to say of a feature that is odd.
#[derive(Debug, PartialEq)]
pub(crate) enum Odd {
    /// It cannot be where its coordinates say.
    Reject(String),
    /// It may be there; but look at it.
    Warning(String),
}

/// Whether all positions of a geometry, if it has any, are 0, 0.
pub(crate) fn is_at_zero(geometry: &Geometry<f64>) -> bool {
    geometry.coords_iter().next().is_some() && geometry.coords_iter().all(|c| [c.x, c.y] == ZERO)
}

/// Maximum number of places, all at 0, 0, that are taken for what they say.
const SAMPLE: usize = 2;

/// Degrees from the area of use beyond which nothing in the system makes sense.
const FAR: f64 = 15.0;

impl Frame {
    /// `known` are the places of the layer, in whatever system; those at 0, 0 are among them only where
    /// there is no other. Without an area, only 0, 0 is odd.
    pub(super) fn new(crs: Crs, area: Option<AreaOfUse>, known: &Known) -> Self {
        let transform = Transform::new(crs, Crs::WGS84).ok();
        let zero = transform.and_then(|transform| transform.point(ZERO).ok());
        let near =
            |[lon, lat]: [f64; 2]| known.lonlats.iter().any(|at| (at[0] - lon).hypot(at[1] - lat) < MARGIN);
        let zero = match zero {
            // One or two features may be a sample that somebody made at 0, 0; many are not.
            _ if known.count == 0 || (known.is_at_zero && known.count <= SAMPLE) => ZeroRule::Near,
            _ if known.is_at_zero => ZeroRule::Alone,
            Some(zero) if near(zero) => ZeroRule::Near,
            _ => ZeroRule::Far,
        };
        let in_city = known.lonlats.iter().filter(|at| known.city.contains(**at)).count();
        let is_local = in_city * 2 > known.count;
        Self { crs, area, city: known.city, is_local, zero, transform }
    }

    /// What is odd about a feature, by its coordinates in the source (exchanged where those of the layer
    /// are) and in WGS 84.
    pub(crate) fn odd(&self, source: &Geometry<f64>, lonlat: &Geometry<f64>) -> Option<Odd> {
        let no_coordinates = match self.zero {
            ZeroRule::Near => false,
            ZeroRule::Far => source.coords_iter().any(|c| [c.x, c.y] == ZERO),
            ZeroRule::Alone => is_at_zero(source),
        };
        if no_coordinates {
            return Some(Odd::Reject(
                "a position of it is 0, 0, which stands for no coordinates; give the position, or leave \
                 the cells empty"
                    .into(),
            ));
        }
        let area = self.area.as_ref()?;
        if let Some(reason) = self.exchanged_out_of_city(source, lonlat) {
            return Some(Odd::Reject(reason));
        }
        let (at, lonlat) = source
            .coords_iter()
            .zip(lonlat.coords_iter())
            .map(|(at, moved)| ([at.x, at.y], [moved.x, moved.y]))
            .find(|(_, lonlat)| !area.contains(*lonlat, MARGIN) && !self.city.contains(*lonlat))?;
        let place = format!(
            "it would lie at {:.6}, {:.6}, outside the area in which {} is used",
            lonlat[0],
            lonlat[1],
            self.crs.name()
        );
        if self.is_inside([at[1], at[0]]) {
            return Some(Odd::Reject(format!(
                "{place}: its x and y are exchanged, unlike those of most features"
            )));
        }
        if !self.crs.is_geographic() && at.iter().all(|v| v.abs() <= 180.0) {
            return Some(Odd::Reject(format!(
                "{place}: its coordinates look like degrees, unlike those of most features"
            )));
        }
        Some(if area.contains(lonlat, FAR) {
            Odd::Warning(format!("{place}; check its coordinates"))
        } else {
            Odd::Reject(format!("{place}, while most features are inside; correct its coordinates"))
        })
    }

    /// A feature that would be in the city, as most are, if its x and y were exchanged, and is not. An area
    /// of use that is the world says nothing of it.
    fn exchanged_out_of_city(&self, source: &Geometry<f64>, lonlat: &Geometry<f64>) -> Option<String> {
        let moved = lonlat.coords_iter().next()?;
        if !self.is_local || self.city.contains([moved.x, moved.y]) {
            return None;
        }
        let at = source.coords_iter().next()?;
        let exchanged = self.transform?.point([at.y, at.x]).ok()?;
        self.city.contains(exchanged).then(|| {
            format!(
                "it would lie at {:.6}, {:.6}: its x and y are exchanged, unlike those of most features",
                moved.x, moved.y
            )
        })
    }

    fn is_inside(&self, source: [f64; 2]) -> bool {
        let moved = self.transform.and_then(|transform| transform.point(source).ok());
        moved.is_some_and(|at| {
            self.city.contains(at) || self.area.is_none_or(|area| area.contains(at, MARGIN))
        })
    }
}
