//! Web Mercator (EPSG:3857) as 32-bit integers: the world is 2³² units wide, x runs east from the
//! antimeridian, y south from 85.0511° N. One unit is 9 mm at the equator, a quarter of a tile unit at zoom
//! 18.
//!
//! Tiles are cut from these coordinates, so every tile rounds from the same integers.

use std::f64::consts::PI;

/// Latitude in degrees of the northern edge of the square world.
pub const MAX_LAT: f64 = 85.051_128_779_806_6;

const WORLD: f64 = 4_294_967_296.0;

/// Converts WGS 84 longitude and latitude in degrees to world units. Points beyond the edge of the square
/// world are moved to it.
pub fn project(lonlat: [f64; 2]) -> [u32; 2] {
    let x = (lonlat[0] + 180.0) / 360.0;
    let sin = lonlat[1].clamp(-MAX_LAT, MAX_LAT).to_radians().sin();
    let y = 0.5 - ((1.0 + sin) / (1.0 - sin)).ln() / (4.0 * PI);
    // A float-to-integer cast saturates, so the far edges come out as the last unit.
    [(x * WORLD).round() as u32, (y * WORLD).round() as u32]
}

/// Converts world units to WGS 84 longitude and latitude in degrees. Fractions and values beyond the world
/// are allowed.
pub fn unproject(world: [f64; 2]) -> [f64; 2] {
    let lon = world[0] / WORLD * 360.0 - 180.0;
    let lat = (PI * (1.0 - 2.0 * world[1] / WORLD)).sinh().atan().to_degrees();
    [lon, lat]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_fits_and_comes_back() {
        assert_eq!(project([-180.0, 90.0]), [0, 0]);
        assert_eq!(project([0.0, 0.0]), [1 << 31, 1 << 31]);
        assert_eq!(project([180.0, -90.0]), [u32::MAX, u32::MAX]);
        for lonlat in [[106.698, 10.7725], [-71.1, 42.37], [106.607, 8.683]] {
            let [x, y] = project(lonlat);
            let back = unproject([x.into(), y.into()]);
            assert!((back[0] - lonlat[0]).abs() < 5e-8 && (back[1] - lonlat[1]).abs() < 5e-8, "{back:?}");
        }
    }
}
