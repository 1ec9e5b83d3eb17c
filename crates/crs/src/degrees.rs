//! Areas and lengths on the WGS 84 ellipsoid of shapes whose edges are straight in longitude and latitude.
//!
//! Features are stored, cut and repaired as such shapes (RFC 7946, section 3.1.1), so their areas must be
//! those of the same shapes: a geodesic between the corners encloses another area, 0.3 m² more along 550 m
//! at 10° N and 2 445 m² more along 11 km.
//!
//! # Precision
//! The area left of an edge is the integral over it of the ellipsoid's area below a latitude, which has a
//! closed form (Snyder 1987, 3-12). It is taken relative to a latitude of the ring, so that small rings lose
//! no digits, with Gauss's rule of three nodes: better than 1e-12 of the area.

use geo::{Coord, Line, LineString};

/// Semi-major axis in m.
const A: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Square of the eccentricity.
const E2: f64 = FLATTENING * (2.0 - FLATTENING);
/// Semi-minor axis in m.
const B: f64 = A * (1.0 - FLATTENING);
/// Latitude in radians that one application of the rule of three nodes covers at most.
const STEP: f64 = 0.05;
/// Gauss's nodes on [0, 1] and their weights.
const NODES: [(f64, f64); 3] =
    [(0.112_701_665_379_258_31, 5.0 / 18.0), (0.5, 4.0 / 9.0), (0.887_298_334_620_741_7, 5.0 / 18.0)];

/// The area in m² that a closed ring in degrees encloses, whichever way it runs. Parts that it encloses twice
/// count twice, parts around which it runs the other way count against the rest.
pub(crate) fn ring_area(ring: &LineString<f64>) -> f64 {
    let Some(first) = ring.0.first() else { return 0.0 };
    let from = first.y.to_radians();
    let below = |edge: Line<f64>| {
        let width = edge.dx().to_radians();
        if width == 0.0 { 0.0 } else { width * mean(edge, |latitude| area_between(from, latitude)) }
    };
    ring.lines().map(below).sum::<f64>().abs()
}

/// The area in m² of a degree of longitude by a degree of latitude at a latitude (degrees) on the WGS 84
/// ellipsoid, as if it were the same all over that square.
pub fn square_degree_area(latitude: f64) -> f64 {
    let (sine, cosine) = latitude.to_radians().sin_cos();
    let w = 1.0 - E2 * sine * sine;
    A * A * (1.0 - E2) * cosine / (w * w) * 1.0_f64.to_radians().powi(2)
}

/// The length in m of a line in degrees.
pub(crate) fn line_length(line: &LineString<f64>) -> f64 {
    let of = |edge: Line<f64>| {
        let Coord { x: east, y: north } = edge.delta();
        let (east, north) = (east.to_radians(), north.to_radians());
        mean(edge, |latitude| {
            let sine = latitude.sin();
            let w = 1.0 - E2 * sine * sine;
            let prime_vertical = A / w.sqrt();
            let meridian = prime_vertical * (1.0 - E2) / w;
            (prime_vertical * latitude.cos() * east).hypot(meridian * north)
        })
    };
    line.lines().map(of).sum()
}

/// The mean of a function of the latitude (radians) along an edge in degrees.
fn mean(edge: Line<f64>, of: impl Fn(f64) -> f64) -> f64 {
    let (south, rise) = (edge.start.y.to_radians(), edge.dy().to_radians());
    if rise == 0.0 {
        return of(south);
    }
    let steps = (rise.abs() / STEP).ceil().clamp(1.0, 100.0);
    let at = |step: f64| -> f64 {
        NODES.iter().map(|(node, weight)| weight * of(south + rise * (step + node) / steps)).sum()
    };
    (0..steps as u32).map(|step| at(f64::from(step))).sum::<f64>() / steps
}

/// The area in m² of the ellipsoid between two latitudes (radians), for each radian of longitude; negative if
/// the second is south of the first.
fn area_between(from: f64, to: f64) -> f64 {
    let eccentricity = E2.sqrt();
    let (s, t) = (from.sin(), to.sin());
    // The difference of the sines without their cancellation.
    let difference = 2.0 * ((to + from) / 2.0).cos() * ((to - from) / 2.0).sin();
    let rational = difference * (1.0 + E2 * s * t) / ((1.0 - E2 * s * s) * (1.0 - E2 * t * t));
    let logarithm = (eccentricity * difference / (1.0 - E2 * s * t)).atanh() / eccentricity;
    B * B / 2.0 * (rational + logarithm)
}

#[cfg(test)]
mod tests {
    use geo::{Densify, Euclidean, GeodesicArea, Polygon};

    use super::*;

    fn ring(corners: &[(f64, f64)]) -> LineString<f64> {
        let mut ring = LineString::from(corners.to_vec());
        ring.close();
        ring
    }

    #[test]
    fn the_whole_globe_has_the_area_of_the_ellipsoid() {
        let globe = ring(&[(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)]);
        let expected = 510_065_621_724_088.4;
        assert!((ring_area(&globe) / expected - 1.0).abs() < 1e-13, "{}", ring_area(&globe));
    }

    /// The geodesic area of a ring with many corners on its straight edges tends to the area wanted.
    #[test]
    fn areas_are_those_of_geodesic_rings_with_corners_close_together() {
        for (x, y, size) in [(106.7, 10.7, 0.1), (-71.1, 42.37, 0.01), (5.0, 60.0, 0.5), (20.0, -33.0, 0.05)]
        {
            let ring = ring(&[
                (x, y),
                (x + size, y + 0.1 * size),
                (x + 0.8 * size, y + 0.9 * size),
                (x + 0.3 * size, y + 0.4 * size),
            ]);
            let dense = Euclidean.densify(&ring, size / 5000.0);
            let expected = Polygon::new(dense, vec![]).geodesic_area_unsigned();
            assert!((ring_area(&ring) / expected - 1.0).abs() < 1e-8, "{} {expected}", ring_area(&ring));
        }
    }

    #[test]
    fn lengths_along_a_meridian_and_the_equator_are_known() {
        let quarter = line_length(&LineString::from(vec![(10.0, 0.0), (10.0, 90.0)]));
        assert!((quarter - 10_001_965.729_3).abs() < 1e-3, "{quarter}");
        let degree = line_length(&LineString::from(vec![(10.0, 0.0), (11.0, 0.0)]));
        assert!((degree - A.to_radians()).abs() < 1e-9);
    }

    #[test]
    fn a_corner_more_on_an_edge_changes_no_area() {
        let plain = ring(&[(106.7, 10.7), (106.8, 10.75), (106.75, 10.8)]);
        let more = ring(&[(106.7, 10.7), (106.75, 10.725), (106.8, 10.75), (106.75, 10.8)]);
        let (plain, more) = (ring_area(&plain), ring_area(&more));
        assert!((plain - more).abs() < 1e-4 && plain > 1e7, "{plain} {more}");
    }
}
