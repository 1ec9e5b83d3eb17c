//! Features far from the others of their layer, found over the whole file in bounded memory.
//!
//! An area of use says little where it is the world (WGS 84) or a country. [`Outliers`] holds each accepted
//! feature against the others instead: the box between the quartiles of their centres does not move when a
//! few of them are wrong. What lies beyond that box and a margin around it is reported, not rejected.

use citymap_crs::CityArea;
use geo::{BoundingRect, Distance, Haversine, Point};
use geo_types::Geometry;

use crate::sample::Reservoir;

/// Maximum number of centres that the quartiles are taken from.
const SAMPLE: usize = 4_096;
/// Features kept at each of the four sides.
const SIDE: usize = 20;
/// Fewer features say nothing about each other.
const ENOUGH: usize = 3;
/// Metres around the box within which nothing is far.
const MARGIN: f64 = 50_000.0;
/// Diagonals of the box around it within which nothing is far.
const DIAGONALS: f64 = 3.0;
/// So few far features are odd in a layer of any size.
const FEW: usize = 3;
/// The share of a layer above which far features are a second place of it and not odd.
const SHARE: f64 = 0.05;

/// Takes the accepted features of a layer one by one.
pub(crate) struct Outliers {
    /// Longitudes are relative to `origin`, so that a layer may cross the antimeridian.
    sample: Reservoir<[f64; 2]>,
    /// The longitude of the first feature; none before it.
    origin: Option<f64>,
    /// The westernmost, southernmost, easternmost and northernmost features, the outermost first.
    sides: [Vec<Outlier>; 4],
}

impl Default for Outliers {
    fn default() -> Self {
        Self { sample: Reservoir::new(SAMPLE), origin: None, sides: Default::default() }
    }
}

/// A feature far from the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outlier {
    /// Its number in its source layer, from 1.
    pub index: u64,
    /// The line on which it starts, for text formats.
    pub line: Option<u64>,
    /// Its key as far as messages may show it.
    pub key: Option<String>,
    /// The centre of its box: longitude, latitude (WGS 84, degrees).
    pub lonlat: [f64; 2],
    /// Metres from the box in which most features are.
    pub metres: f64,
}

/// What is odd about the places of a layer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FarFeatures {
    /// The farthest first; at most 20 on each side of the others.
    pub features: Vec<Outlier>,
    /// Whether there may be more than those.
    pub more: bool,
}

impl Outliers {
    /// Takes a feature in WGS 84. An empty geometry is nowhere.
    pub(crate) fn take(&mut self, geometry: &Geometry<f64>, place: impl FnOnce([f64; 2]) -> Outlier) {
        let Some(bounds) = geometry.bounding_rect() else { return };
        let centre = bounds.center();
        self.origin.get_or_insert(centre.x);
        let at = self.relative([centre.x, centre.y]);
        self.sample.offer(|| at);
        let reach = reach(at);
        let is_outer = |side: usize| {
            let list = &self.sides[side];
            list.len() < SIDE || list.last().is_some_and(|last| reach[side] > self.reach_of(last)[side])
        };
        let outer: Vec<usize> = (0..4).filter(|side| is_outer(*side)).collect();
        if outer.is_empty() {
            return;
        }
        let outlier = place([centre.x, centre.y]);
        for side in outer {
            let before = self.sides[side].partition_point(|own| self.reach_of(own)[side] >= reach[side]);
            self.sides[side].insert(before, outlier.clone());
            self.sides[side].truncate(SIDE);
        }
    }

    /// What lies far from the other features. Nothing in the city is far where most features are in it.
    pub(crate) fn finish(self, city: &CityArea) -> FarFeatures {
        let Some(most) = Quartiles::of(self.sample.items()) else { return FarFeatures::default() };
        let far = |at: [f64; 2]| Some(most.metres_to(at)).filter(|metres| *metres > most.margin());
        let origin = self.origin.unwrap_or_default();
        let in_city = |[x, y]: [f64; 2]| city.contains([(x + origin + 540.0).rem_euclid(360.0) - 180.0, y]);
        let sample = self.sample.items();
        let count = |is: &dyn Fn([f64; 2]) -> bool| sample.iter().filter(|at| is(**at)).count();
        let local = count(&in_city) * 2 > sample.len();
        let is_odd = |at: [f64; 2]| far(at).filter(|_| !(local && in_city(at)));
        let (odd, all) = (count(&|at| is_odd(at).is_some()), sample.len());
        if odd > FEW && odd as f64 > SHARE * all as f64 {
            return FarFeatures::default();
        }
        let mut found = FarFeatures::default();
        for outlier in self.sides.iter().flatten() {
            if let Some(metres) = is_odd(self.relative(outlier.lonlat))
                && found.features.iter().all(|own| own.index != outlier.index)
            {
                found.features.push(Outlier { metres, ..outlier.clone() });
            }
        }
        found.more = self.sides.iter().any(|side| {
            side.len() == SIDE && side.iter().all(|own| is_odd(self.relative(own.lonlat)).is_some())
        });
        found.features.sort_by(|a, b| b.metres.total_cmp(&a.metres).then(a.index.cmp(&b.index)));
        found
    }

    /// A place with its longitude from `origin`, −180 to 180.
    fn relative(&self, [lon, lat]: [f64; 2]) -> [f64; 2] {
        [(lon - self.origin.unwrap_or_default() + 540.0).rem_euclid(360.0) - 180.0, lat]
    }

    fn reach_of(&self, outlier: &Outlier) -> [f64; 4] {
        reach(self.relative(outlier.lonlat))
    }
}

/// How far out a place is to the west, south, east and north, degrees.
fn reach([x, y]: [f64; 2]) -> [f64; 4] {
    [-x, -y, x, y]
}

/// The box between the quartiles of places, in each coordinate by itself.
struct Quartiles {
    min: [f64; 2],
    max: [f64; 2],
}

impl Quartiles {
    /// The inner ranks are taken, so that one odd place among three does not count.
    fn of(places: &[[f64; 2]]) -> Option<Self> {
        let last = places.len().checked_sub(1).filter(|_| places.len() >= ENOUGH)?;
        let axis = |axis: usize| {
            let mut values: Vec<f64> = places.iter().map(|at| at[axis]).collect();
            values.sort_by(f64::total_cmp);
            (values[last.div_ceil(4)], values[last * 3 / 4])
        };
        let (x, y) = (axis(0), axis(1));
        Some(Self { min: [x.0, y.0], max: [x.1, y.1] })
    }

    /// Metres from the box to a place, along a great circle to the corner or edge nearest in degrees; 0
    /// inside.
    fn metres_to(&self, [x, y]: [f64; 2]) -> f64 {
        let nearest = Point::new(x.clamp(self.min[0], self.max[0]), y.clamp(self.min[1], self.max[1]));
        Haversine.distance(Point::new(x, y), nearest)
    }

    fn margin(&self) -> f64 {
        let diagonal = Haversine.distance(Point::from(self.min), Point::from(self.max));
        MARGIN.max(DIAGONALS * diagonal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten kilometres of a town, and what is far from it.
    fn far(places: impl IntoIterator<Item = [f64; 2]>) -> FarFeatures {
        let mut outliers = Outliers::default();
        for (index, [lon, lat]) in (1..).zip(places) {
            let place = |lonlat| Outlier { index, line: None, key: None, lonlat, metres: 0.0 };
            outliers.take(&Point::new(lon, lat).into(), place);
        }
        outliers.finish(&CityArea::Box([0.0, 0.0, 1.0, 1.0]))
    }

    fn town(lon: f64, lat: f64, count: u32) -> impl Iterator<Item = [f64; 2]> {
        let offset = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) % 1_000) / 10_000.0;
        (0..count).map(move |i| [lon + offset(i), lat + offset(i + 7)])
    }

    #[test]
    fn one_far_feature_is_found_wherever_it_is_in_the_file() {
        for (at, metres) in [([30.0, 52.0], 222_000.0), ([30.0, -50.0], 1.11e7), ([27.0, 50.0], 215_000.0)] {
            for (before, after) in [(0, 2), (2, 0), (0, 10_000), (5_000, 5_000), (10_000, 0)] {
                let found = far(town(30.0, 50.0, before).chain([at]).chain(town(30.0, 50.0, after)));
                let features: Vec<u64> = found.features.iter().map(|one| one.index).collect();
                assert_eq!(features, [u64::from(before) + 1], "{at:?} {before}");
                assert!((found.features[0].metres / metres - 1.0).abs() < 0.1, "{:?}", found.features);
                assert!(!found.more);
            }
        }
    }

    #[test]
    fn a_layer_over_the_antimeridian_is_one_place() {
        let over =
            town(179.95, -17.0, 500).map(|[lon, lat]| [if lon > 180.0 { lon - 360.0 } else { lon }, lat]);
        let found = far(over.chain([[170.0, -17.0]]));
        assert_eq!(found.features.iter().map(|one| one.index).collect::<Vec<_>>(), [501]);
    }

    #[test]
    fn a_second_place_is_not_odd_and_many_odd_features_are_counted() {
        let two = |second| far(town(30.0, 50.0, 900).chain(town(40.0, 50.0, second)));
        assert_eq!(two(100), FarFeatures::default());
        let found = two(40);
        assert!(found.more && found.features.len() == SIDE, "{found:?}");
        assert_eq!(two(0), FarFeatures::default());
    }
}
