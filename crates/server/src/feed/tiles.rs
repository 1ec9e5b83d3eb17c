use std::collections::BTreeSet;

use citymap_engine::{Bbox, mercator};
use citymap_live::FeatureEvent;
use citymap_tile::{EXTENT, TileId, TileOptions};

/// The deepest zoom whose tiles are told; deeper ones lie in these.
const ZOOM_MAX: u8 = 18;
/// Tiles of one zoom that are told at most; where there are more, the box counts.
const TILES_MAX: usize = 1_000;

/// The tiles whose content may be another since these features changed, zoom by zoom, as JSON:
/// `{"0":[[x,y]],…}`. A zoom with more than [`TILES_MAX`] of them is left out.
pub(super) fn write(out: &mut Vec<u8>, features: &[FeatureEvent]) {
    let boxes: Vec<Bbox> = features.iter().flat_map(|own| [own.before, own.bbox]).flatten().collect();
    let buffer = TileOptions::default().buffer;
    out.push(b'{');
    let mut first = true;
    for zoom in 0..=ZOOM_MAX {
        let Some(tiles) = of_zoom(&boxes, zoom, buffer) else { continue };
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend(format!("\"{zoom}\":[").as_bytes());
        for (position, tile) in tiles.iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            out.extend(format!("{comma}[{},{}]", tile.x(), tile.y()).as_bytes());
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn of_zoom(boxes: &[Bbox], zoom: u8, buffer: u16) -> Option<BTreeSet<TileId>> {
    let mut tiles = BTreeSet::new();
    for bbox in boxes {
        for tile in touched_tiles(bbox, zoom, buffer) {
            tiles.insert(tile);
            if tiles.len() > TILES_MAX {
                return None;
            }
        }
    }
    Some(tiles)
}

/// The tiles of a zoom whose square, grown by `buffer` tile units, meets the box.
fn touched_tiles(bbox: &Bbox, zoom: u8, buffer: u16) -> impl Iterator<Item = TileId> + use<> {
    let ([one, other], count) = bbox.split();
    let second = (count > 1).then_some(other);
    [Some(one), second].into_iter().flatten().flat_map(move |bbox| {
        // What is rounded to the grid may lie one unit beside its box.
        let reach = f64::from(buffer) + 1.0;
        let side = 2f64.powi(32 - i32::from(zoom));
        let last = f64::from((1u32 << zoom) - 1);
        let [west, south] = mercator::project(bbox.min).map(|unit| f64::from(unit) / side);
        let [east, north] = mercator::project(bbox.max).map(|unit| f64::from(unit) / side);
        let margin = reach / f64::from(EXTENT);
        let range = |low: f64, high: f64| {
            let first = ((low - margin).ceil() - 1.0).clamp(0.0, last);
            // A square's own edges count on both sides.
            first as u32..=(high + margin).floor().clamp(0.0, last) as u32
        };
        let (columns, rows) = (range(west, east), range(north, south));
        rows.flat_map(move |y| columns.clone().filter_map(move |x| TileId::new(zoom, x, y).ok()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(bbox: Bbox, zoom: u8) -> Vec<[u32; 2]> {
        touched_tiles(&bbox, zoom, 64).map(|tile| [tile.x(), tile.y()]).collect()
    }

    #[test]
    fn exactly_the_tiles_whose_grown_square_meets_the_box() {
        let [lon, lat] = [106.698, 10.7725];
        for zoom in 0..=18 {
            for size in [0.0, 1e-5, 1e-3, 0.05] {
                let bbox = Bbox::new(lon, lat, lon + size, lat + size);
                let centre = TileId::at([lon, lat], zoom).unwrap();
                let told = names(bbox, zoom);
                let far = TileId::at(bbox.max, zoom).unwrap();
                let last = (1u32 << zoom) - 1;
                for x in centre.x().saturating_sub(2)..=(far.x() + 2).min(last) {
                    for y in far.y().saturating_sub(2)..=(centre.y() + 2).min(last) {
                        let tile = TileId::new(zoom, x, y).unwrap();
                        let told = told.contains(&[x, y]);
                        assert!(!tile.grown(64.0).intersects(&bbox) || told, "{tile} is missing");
                        assert!(tile.grown(66.0).intersects(&bbox) || !told, "{tile} is too much");
                    }
                }
            }
        }
    }

    #[test]
    fn the_edge_of_the_world_has_tiles_too() {
        assert_eq!(names(Bbox::new(180.0, 90.0, 180.0, 90.0), 1), [[1, 0]]);
        assert_eq!(names(Bbox::new(-180.0, -90.0, 180.0, 90.0), 1).len(), 4);
    }

    #[test]
    fn a_zoom_with_too_many_is_left_out() {
        assert!(of_zoom(&[Bbox::new(106.0, 10.0, 107.0, 11.0)], 12, 64).is_some());
        assert!(of_zoom(&[Bbox::new(106.0, 10.0, 107.0, 11.0)], 18, 64).is_none());
    }
}
