//! The numbers of tiles in an archive: positions along a Hilbert curve.

use crate::{MAX_ZOOM, TileId};

/// The number of tiles of all zooms below `z`.
fn first(z: u8) -> u64 {
    ((1u64 << (2 * u32::from(z))) - 1) / 3
}

/// The number of a tile in an archive: zoom by zoom, along a Hilbert curve in each.
pub fn tile_number(tile: TileId) -> u64 {
    let (mut x, mut y) = (tile.x(), tile.y());
    let mut along = 0;
    for level in (0..tile.z()).rev() {
        let side = 1u32 << level;
        let (right, down) = (x & side != 0, y & side != 0);
        along += (u64::from(side) * u64::from(side)) * u64::from((3 * u32::from(right)) ^ u32::from(down));
        (x, y) = turned(x & (side - 1), y & (side - 1), side, right, down);
    }
    first(tile.z()) + along
}

/// The tile with a number; `None` beyond [`MAX_ZOOM`].
pub fn tile_of_number(number: u64) -> Option<TileId> {
    let z = (0..=MAX_ZOOM).rev().find(|&z| first(z) <= number)?;
    let mut along = number - first(z);
    let (mut x, mut y) = (0, 0);
    for level in 0..z {
        let side = 1u32 << level;
        let quarter = (along & 3) as u32;
        let right = quarter >= 2;
        let down = quarter == 1 || quarter == 2;
        (x, y) = turned(x, y, side, right, down);
        x += if right { side } else { 0 };
        y += if down { side } else { 0 };
        along >>= 2;
    }
    if along > 0 { None } else { TileId::new(z, x, y).ok() }
}

/// The position in a quarter, in the orientation in which the curve passes through it.
fn turned(x: u32, y: u32, side: u32, right: bool, down: bool) -> (u32, u32) {
    match (right, down) {
        (_, true) => (x, y),
        (false, false) => (y, x),
        (true, false) => (side - 1 - y, side - 1 - x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_specification() {
        for (number, z, x, y) in [
            (0, 0, 0, 0),
            (1, 1, 0, 0),
            (2, 1, 0, 1),
            (3, 1, 1, 1),
            (4, 1, 1, 0),
            (5, 2, 0, 0),
            (19_078_479, 12, 3423, 1763),
        ] {
            let tile = TileId::new(z, x, y).unwrap();
            assert_eq!(tile_number(tile), number, "{tile}");
            assert_eq!(tile_of_number(number), Some(tile));
        }
    }

    #[test]
    fn every_tile_has_a_number_of_its_own_and_neighbours_follow() {
        let mut before: Option<TileId> = None;
        for number in 0..first(8) {
            let tile = tile_of_number(number).unwrap();
            assert_eq!(tile_number(tile), number);
            if let Some(before) = before.filter(|before| before.z() == tile.z()) {
                assert_eq!(before.x().abs_diff(tile.x()) + before.y().abs_diff(tile.y()), 1);
            }
            before = Some(tile);
        }
        let last = (1 << MAX_ZOOM) - 1;
        let tile = TileId::new(MAX_ZOOM, last, 0).unwrap();
        assert_eq!(tile_of_number(tile_number(tile)), Some(tile));
        assert_eq!(tile_of_number(tile_number(tile) + 1), None);
        assert_eq!(tile_of_number(u64::MAX), None);
    }
}
