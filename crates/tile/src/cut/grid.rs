//! The integer grid of a zoom, seen from one tile.

use crate::{EXTENT, TileId};

/// A position in tile units, x to the east and y to the south, with the tile's north-west corner at zero.
/// Before clipping it may be as far away as the world is wide (2³⁴ units at zoom 22).
pub(crate) type WidePoint = [i64; 2];

/// A position in tile units within the clip box.
pub(crate) type TilePoint = [i32; 2];

/// [`EXTENT`] in the type that the arithmetic uses.
pub(crate) const SIDE: i64 = EXTENT as i64;

/// The position of a tile on the grid of its zoom, and the box that its content is clipped to.
///
/// Coordinates are rounded to the grid of the whole zoom before the corner of the tile is subtracted. So a
/// vertex has one place per zoom, whichever tile shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    z: u8,
    origin: WidePoint,
    /// West and north edge of the clip box.
    pub(crate) low: i64,
    /// East and south edge of the clip box.
    pub(crate) high: i64,
}

impl Grid {
    pub(crate) fn new(tile: TileId, buffer: u16) -> Self {
        Self {
            z: tile.z(),
            origin: [i64::from(tile.x()) * SIDE, i64::from(tile.y()) * SIDE],
            low: -i64::from(buffer),
            high: SIDE + i64::from(buffer),
        }
    }

    /// Converts world units (2³² to the world) to tile units, rounded half up.
    #[inline]
    pub(crate) fn place(&self, world: [u32; 2]) -> WidePoint {
        let unit = |world: u32, origin: i64| {
            let world = i64::from(world);
            // The grid of zoom 20 consists of the world units.
            let on_grid = match self.z {
                0..=19 => (world + (1 << (19 - self.z))) >> (20 - self.z),
                _ => world << (self.z - 20),
            };
            on_grid - origin
        };
        [unit(world[0], self.origin[0]), unit(world[1], self.origin[1])]
    }

    /// Whether the position is in the clip box, edges included.
    pub(crate) fn holds(&self, [x, y]: WidePoint) -> bool {
        self.low <= x && x <= self.high && self.low <= y && y <= self.high
    }
}

/// The other coordinate of the point where the segment from `a` to `b` crosses the line on which coordinate
/// `axis` is `at`, rounded half up. The exact value is rounded, so the result is the same from either end and
/// in every tile. The segment must not run along the line.
pub(crate) fn crossing(a: WidePoint, b: WidePoint, axis: usize, at: i64) -> i64 {
    let other = 1 - axis;
    let (run, rise, step) = (b[axis] - a[axis], b[other] - a[other], at - a[axis]);
    let (run, step) = if run < 0 { (-run, -step) } else { (run, step) };
    const SHORT: i64 = 1 << 30;
    let offset = if run < SHORT && rise.abs() < SHORT {
        (2 * rise * step + run).div_euclid(2 * run)
    } else {
        let (run, rise, step) = (i128::from(run), i128::from(rise), i128::from(step));
        (2 * rise * step + run).div_euclid(2 * run) as i64
    };
    a[other] + offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vertex_has_one_place_per_zoom() {
        for z in 0..=22u8 {
            let last = ((1u64 << z) - 1) as u32;
            let world = [3_421_337_913, 2_017_645_511];
            let [a, b] = [0, last].map(|n| {
                let tile = TileId::new(z, n, n).unwrap();
                let place = Grid::new(tile, 64).place(world);
                [place[0] + i64::from(n) * SIDE, place[1] + i64::from(n) * SIDE]
            });
            assert_eq!(a, b, "zoom {z}");
        }
    }

    #[test]
    fn a_crossing_does_not_depend_on_direction_or_origin() {
        let (a, b) = ([-7, -13], [30, 18]);
        for at in -6..30 {
            let y = crossing(a, b, 0, at);
            assert_eq!(y, crossing(b, a, 0, at));
            assert_eq!(y - 5000, crossing([a[0], a[1] - 5000], [b[0], b[1] - 5000], 0, at));
            let exact = -13.0 + 31.0 * (at + 7) as f64 / 37.0;
            assert!((y as f64 - exact).abs() <= 0.5);
        }
        let far = 1i64 << 34;
        assert_eq!(crossing([-far, -far], [far, far], 1, 4095), 4095);
    }
}
