//! Proposes coordinate systems for data that does not say its own.

use std::sync::LazyLock;

use crate::{Crs, CrsError, Transform, vn2000::ZONES};

/// A coordinate system in which some of the data would be inside the city.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneProposal {
    /// The coordinate system that is proposed.
    pub crs: Crs,
    /// Whether x and y must be exchanged first (Vietnamese documents write X for northing).
    pub swapped: bool,
    /// Fraction of the points, 0 to 1, that fall into the box of some commune.
    pub share_inside: f64,
    /// Where the first such point would be, as WGS 84 longitude and latitude.
    pub sample_lonlat: [f64; 2],
    /// The commune whose box is centred nearest to it; empty for a city whose communes are not known.
    pub sample_commune: &'static str,
}

/// Where a city is, for proposals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CityArea {
    /// In the boxes of the communes of `data/admin_units_2025.tsv`.
    Communes,
    /// In a box: west, south, east, north (WGS 84 degrees).
    Box([f64; 4]),
}

impl CityArea {
    /// Whether a place (longitude, latitude) is in the city.
    pub fn contains(&self, lonlat: [f64; 2]) -> bool {
        match self {
            Self::Communes => COMMUNES.iter().any(|commune| within(commune.bounds, lonlat)),
            Self::Box(bounds) => within(*bounds, lonlat),
        }
    }

    fn nearest(&self, lonlat: [f64; 2]) -> &'static str {
        if *self == Self::Communes { nearest_commune(lonlat) } else { "" }
    }
}

/// Maximum number of points that are tested; more would not change the result.
const SAMPLE: usize = 2_000;

/// A commune's name and box (`[west, south, east, north]`, WGS 84 degrees).
struct Commune {
    name: &'static str,
    bounds: [f64; 4],
}

/// The communes of `data/admin_units_2025.tsv`.
static COMMUNES: LazyLock<Vec<Commune>> = LazyLock::new(|| {
    include_str!("../../../data/admin_units_2025.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split('\t').skip(1);
            let name = cells.next()?;
            let mut numbers = cells.skip(4).map(str::parse::<f64>);
            let mut next = || numbers.next()?.ok();
            Some(Commune { name, bounds: [next()?, next()?, next()?, next()?] })
        })
        .collect()
});

/// The systems in which the data would fall inside the city, the most plausible first; none are dropped
/// because another looks better.
///
/// Neighbouring TM-3 zones lie 15 or 30 minutes (27 or 55 km) apart and the city is 150 km wide, so several
/// answers are the rule. Between equal shares the order is: coordinates as they are before exchanged ones,
/// the city's own grids before others, current codes before withdrawn ones. A person decides, with the
/// sample's commune as a hint.
///
/// # Errors
/// [`CrsError`] if PROJ cannot make the transformation of one of the zones.
pub fn propose_zones(points: &[[f64; 2]], city: &CityArea) -> Result<Vec<ZoneProposal>, CrsError> {
    // Evenly spaced, so that a file sorted by place is sampled from end to end.
    let stride = points.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<[f64; 2]> =
        points.iter().step_by(stride).copied().filter(|pair| pair.iter().all(|v| v.is_finite())).collect();
    let mut found = Vec::new();
    for swapped in [false, true] {
        for crs in candidates() {
            let transform = Transform::new(crs, Crs::WGS84)?;
            let lonlats = sample.iter().filter_map(|&[x, y]| {
                // One by one: a point that has no place in this system is outside, and says nothing about the
                // others.
                transform.point(if swapped { [y, x] } else { [x, y] }).ok()
            });
            let inside: Vec<[f64; 2]> = lonlats.filter(|&lonlat| city.contains(lonlat)).collect();
            if let Some(&sample_lonlat) = inside.first() {
                found.push(ZoneProposal {
                    crs,
                    swapped,
                    share_inside: inside.len() as f64 / sample.len() as f64,
                    sample_lonlat,
                    sample_commune: city.nearest(sample_lonlat),
                });
            }
        }
    }
    found.sort_by(|a, b| {
        b.share_inside
            .total_cmp(&a.share_inside)
            .then(a.swapped.cmp(&b.swapped))
            .then(rank(a.crs).cmp(&rank(b.crs)))
    });
    Ok(found)
}

/// All systems worth trying.
fn candidates() -> impl Iterator<Item = Crs> {
    let home = Crs::home();
    let listed = [Crs::WGS84, Crs::VN2000, Crs::WEB_MERCATOR, Crs(32648), Crs(32649)];
    let zones = ZONES.iter().map(|zone| zone.crs);
    let own = (!listed.contains(&home) && ZONES.iter().all(|zone| zone.crs != home)).then_some(home);
    listed.into_iter().chain(zones).chain(own)
}

/// The usual systems of the city's files first, then TM-3, UTM and the withdrawn codes.
fn rank(crs: Crs) -> usize {
    let usual = [Crs::home().code(), 4326, 5899, 3405, 4756, 32648, 3857, 5897];
    usual
        .iter()
        .position(|&code| code == crs.code())
        .unwrap_or_else(|| usual.len() + ZONES.iter().position(|zone| zone.crs == crs).unwrap_or(ZONES.len()))
}

fn within([west, south, east, north]: [f64; 4], [lon, lat]: [f64; 2]) -> bool {
    lon >= west && lon <= east && lat >= south && lat <= north
}

fn nearest_commune([lon, lat]: [f64; 2]) -> &'static str {
    let away = |commune: &&Commune| {
        let [west, south, east, north] = commune.bounds;
        (f64::midpoint(west, east) - lon).hypot(f64::midpoint(south, north) - lat)
    };
    COMMUNES.iter().min_by(|a, b| away(a).total_cmp(&away(b))).map_or("", |commune| commune.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The centres of the communes' boxes in `crs`.
    fn city(crs: Crs, swapped: bool) -> Vec<[f64; 2]> {
        let mut points: Vec<_> = COMMUNES
            .iter()
            .map(|commune| {
                let [west, south, east, north] = commune.bounds;
                [f64::midpoint(west, east), f64::midpoint(south, north)]
            })
            .collect();
        Transform::new(Crs::WGS84, crs).unwrap().apply(&mut points).unwrap();
        if swapped {
            points.iter_mut().for_each(|pair| pair.reverse());
        }
        points
    }

    #[test]
    fn all_communes_are_read() {
        assert_eq!(COMMUNES.len(), 168);
        let city = CityArea::Communes;
        assert!(city.contains([106.698, 10.7725]) && !city.contains([105.85, 21.03]));
    }

    #[test]
    fn trap_4_the_true_zone_of_the_whole_city_comes_first() {
        for code in [9210, 5899, 9214, 3405, 4326, 3857] {
            for swapped in [false, true] {
                let crs = Crs(code);
                let proposals = propose_zones(&city(crs, swapped), &CityArea::Communes).unwrap();
                let first = &proposals[0];
                // VN-2000 and WGS 84 UTM differ by 200 m and cannot be told apart by the city's outline.
                assert_eq!(first.share_inside, 1.0);
                assert_eq!((first.crs, first.swapped), (crs, swapped), "{proposals:?}");
            }
        }
    }

    #[test]
    fn trap_4_a_small_extract_fits_several_zones_and_all_are_named() {
        let home = Transform::new(Crs::WGS84, Crs::home()).unwrap();
        let block: Vec<_> =
            (0..9).map(|i| home.point([106.68 + 0.001 * f64::from(i), 11.08]).unwrap()).collect();
        let proposals = propose_zones(&block, &CityArea::Communes).unwrap();
        let codes: Vec<u32> =
            proposals.iter().filter(|p| p.share_inside == 1.0).map(|p| p.crs.code()).collect();
        assert_eq!(codes[0], 9210);
        assert!(codes.contains(&9209) && codes.contains(&9211), "15 minutes to either side: {codes:?}");
    }

    #[test]
    fn what_lies_nowhere_in_the_city_gets_no_proposal() {
        assert_eq!(propose_zones(&[[0.0, 0.0], [1.0, 1.0]], &CityArea::Communes).unwrap(), []);
        assert_eq!(propose_zones(&[], &CityArea::Communes).unwrap(), []);
        assert_eq!(propose_zones(&[[f64::NAN, 1.0]], &CityArea::Communes).unwrap(), []);
    }
}
