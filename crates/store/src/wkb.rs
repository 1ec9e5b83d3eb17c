//! Well-known binary for other files than the record.

use citymap_model::Geometry;

use crate::wkb_write::Met;

/// Appends a geometry as well-known binary (little endian, two dimensions). Its bounds, `[min x, min y, max x, max y]`;
/// `None` where it is empty.
pub fn write_wkb(out: &mut Vec<u8>, geometry: &Geometry) -> Option<[f64; 4]> {
    let mut met = Met::NOTHING;
    met.write(out, geometry);
    let [min_x, max_x, min_y, max_y] = met.bounds;
    (!met.is_empty()).then_some([min_x, min_y, max_x, max_y])
}
