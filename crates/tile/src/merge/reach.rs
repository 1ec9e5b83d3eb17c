//! How far tiles may change when features change.

use citymap_engine::{Bbox, mercator};

use super::{
    cell_grid::{CellGrid, degrees},
    square_stamps,
    tile::MAX_STEPS,
};

/// A box that contains every place where tiles of a zoom below the detail zoom may change with the features
/// in `bbox`.
pub(crate) fn reach(cell_grid: CellGrid, bbox: &Bbox, zoom: u8) -> Bbox {
    let [low, high] =
        [mercator::project([bbox.min[0], bbox.max[1]]), mercator::project([bbox.max[0], bbox.min[1]])];
    if zoom + 1 == cell_grid.zoom() {
        // All cells that may be derived again, and how far their areas may reach beyond them.
        let margin = square_stamps::reach(cell_grid);
        let shift = cell_grid.shift();
        let first = low.map(|value| i64::from(value.saturating_sub(margin) >> shift) << shift);
        let end = high.map(|value| (i64::from(value.saturating_add(margin) >> shift) + 1) << shift);
        let margin = i64::from(margin);
        return degrees([first.map(|value| value - margin), end.map(|value| value + margin)]);
    }
    // Whole pixels at their largest, and the pixels that depend on them.
    let margin = 6i64 << (32 - 8 - u32::from(zoom.min(18)) + u32::from(MAX_STEPS));
    degrees([low.map(|value| i64::from(value) - margin), high.map(|value| i64::from(value) + margin)])
}

/// A box grown to whole squares of `side` units, on a grid of 2 to the power of `bits` units to the world.
pub(crate) fn grown_to(bbox: &Bbox, bits: u32, side: i64) -> Bbox {
    let [low, high] =
        [mercator::project([bbox.min[0], bbox.max[1]]), mercator::project([bbox.max[0], bbox.min[1]])];
    // Rules end at zoom 18, so a unit is 4 world units or more. One more on each side for rounding.
    let unit = 1i64 << (32 - bits);
    let whole = side * unit;
    degrees([
        low.map(|value| (i64::from(value) - unit).div_euclid(whole) * whole - unit),
        high.map(|value| ((i64::from(value) + unit).div_euclid(whole) + 1) * whole + unit),
    ])
}
