//! Which tiles a revision touched, so that maps and caches drop only those.

use std::collections::BTreeSet;

use citymap_engine::{Bbox, LayerSnapshot};
use citymap_live::{CitySnapshot, LayerEvent};
use citymap_model::RevisionNumber;
use citymap_tile::{TileId, TileOptions, Tiler, touched_tiles};

/// The deepest zoom level whose tiles are listed. Deeper tiles lie within these.
const ZOOM_MAX: u8 = 18;
/// Maximum number of tiles listed for one zoom level. If more were touched, the level is left out and readers
/// go by the box.
const TILES_MAX: usize = 1_000;

/// Where a revision touched a layer (WGS 84 degrees): the boxes of its features before and after, and those
/// of features whose id changed because of it, as far as the city in memory still knows.
pub(crate) fn boxes(event: &LayerEvent, revision: RevisionNumber, city_snapshot: &CitySnapshot) -> Vec<Bbox> {
    let mut boxes: Vec<Bbox> =
        event.features.iter().flat_map(|change| [change.before, change.bbox]).flatten().collect();
    if let Some(known) = city_snapshot.changes.between(&event.layer, revision.saturating_sub(1), revision) {
        boxes.extend(known);
    }
    boxes
}

/// Appends the tiles whose content may have changed because something changed in these boxes, by zoom level,
/// as JSON: `{"0":[[x,y]],…}`. A level with more than [`TILES_MAX`] tiles is left out.
pub(crate) fn write(out: &mut Vec<u8>, boxes: &[Bbox], layer: Option<&LayerSnapshot>, tiler: &Tiler) {
    let buffer = TileOptions::default().buffer;
    out.push(b'{');
    let mut first = true;
    for zoom in 0..=ZOOM_MAX {
        let reach = |bbox: &Bbox| layer.map_or(*bbox, |layer| tiler.reach(layer, bbox, zoom));
        let Some(tiles) = tiles_of_zoom(boxes.iter().map(reach), zoom, buffer) else { continue };
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

fn tiles_of_zoom(boxes: impl Iterator<Item = Bbox>, zoom: u8, buffer: u16) -> Option<BTreeSet<TileId>> {
    let mut tiles = BTreeSet::new();
    for bbox in boxes {
        let range = touched_tiles(&bbox, zoom, buffer).ok()?;
        if range.count() > TILES_MAX as u64 {
            return None;
        }
        tiles.extend(range.tiles());
        if tiles.len() > TILES_MAX {
            return None;
        }
    }
    Some(tiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_places_are_listed_once_each() {
        let [a, b] = [106.698, 106.7].map(|lon| Bbox::new(lon, 10.7725, lon + 1e-5, 10.772_51));
        let at = |bbox: &Bbox| TileId::at(bbox.center(), 18).unwrap();
        let listed = tiles_of_zoom([a, b, a].into_iter(), 18, 64).unwrap();
        assert!(listed.contains(&at(&a)) && listed.contains(&at(&b)), "{listed:?}");
        assert!(
            listed.len() <= 8
                && listed.iter().all(|tile| [a, b].iter().any(|own| tile.grown(68.0).intersects(own)))
        );
    }

    #[test]
    fn a_zoom_with_too_many_is_left_out() {
        assert!(tiles_of_zoom([Bbox::new(106.0, 10.0, 107.0, 11.0)].into_iter(), 12, 64).is_some());
        assert!(tiles_of_zoom([Bbox::new(106.0, 10.0, 107.0, 11.0)].into_iter(), 18, 64).is_none());
    }
}
