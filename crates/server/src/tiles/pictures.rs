//! Tiles that are pictures of the map, for clients that cannot draw vector tiles.
//!
//! Tiles are drawn in square blocks, so that labels are cut at fewer edges and a map on a screen costs few
//! drawings. A block is cached as vector tiles are: until a change reaches it.

use std::sync::Arc;

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use citymap_crs::Crs;
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_render::{
    annotation::Annotation,
    raster::{Ground, ImageFormat, Picture, Source, View},
    spec::{LayerSource, Style},
};
use citymap_tile::{EXTENT, TileId};
use tracing::{Span, field::display};

use super::{
    cached::{EncodedTile, TileContent, TileSource},
    key_of,
};
use crate::{
    hash::hash_of,
    http::{
        negotiate::{Encodings, matches_etag},
        problem::Problem,
        request::{HandlerResult, RequestContext},
    },
    maps::{Drawn, paint},
    styles::parsed::ParsedStyle,
};

/// Pixels of the side of a block, unless a tile alone is larger.
const BLOCK_SIDE: u32 = 1_024;

/// The side of a tile in pixels, by which the tile matrix set is defined.
const TILE_SIDE: u32 = 256;

/// Half of the width of the square world in EPSG:3857, metres.
const HALF_WORLD: f64 = std::f64::consts::PI * 6_378_137.0;

/// How tiles are drawn.
#[derive(Clone)]
pub(crate) struct PictureLook {
    pub(crate) style: Arc<ParsedStyle>,
    /// Twice as many pixels a side, for screens of high density.
    pub(crate) is_double: bool,
    /// Pixels of a plain tile to a pixel of the style.
    pub(crate) ratio: f64,
    pub(crate) ground: Ground,
    pub(crate) image: ImageFormat,
}

/// The tiles of a block.
pub(super) struct PictureTiles {
    look: PictureLook,
    /// The binary logarithm of the number of tiles on a side of a block.
    steps: u8,
}

/// The place of a tile in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaceInBlock {
    pub(super) block: TileId,
    index: usize,
}

impl PictureTiles {
    /// The block of a tile, and where the tile is in it. A block has at most `side_max` pixels on a side.
    ///
    /// # Errors
    /// 500 if the block is not a tile, which cannot be.
    pub(super) fn around(
        tile: TileId,
        look: PictureLook,
        side_max: u32,
    ) -> Result<(Self, PlaceInBlock), Problem> {
        let side = look.side();
        let most = (BLOCK_SIDE.min(side_max) / side).max(1).ilog2();
        let steps = tile.z().min(u8::try_from(most).unwrap_or(0));
        let block = TileId::new(tile.z() - steps, tile.x() >> steps, tile.y() >> steps)
            .map_err(|error| Problem::internal(error.to_string()))?;
        let mask = (1 << steps) - 1;
        let index = ((tile.y() & mask) << steps) + (tile.x() & mask);
        Ok((Self { look, steps }, PlaceInBlock { block, index: index as usize }))
    }

    /// Tells tiles that are drawn differently apart.
    pub(super) fn key(&self) -> u64 {
        let PictureLook { style, is_double, ratio, ground, image } = &self.look;
        let ground = match ground {
            Ground::Style => None,
            Ground::Transparent => Some([0; 4]),
            Ground::Color(color) => Some(color.to_rgba8()),
        };
        hash_of(&(style.hash, is_double, ratio.to_bits(), ground, image, self.steps))
    }

    /// The zoom of the vector tiles that blocks are drawn from, below the zoom of details.
    pub(super) fn style_zoom(&self, block: TileId) -> u8 {
        self.view(block).map_or(0, |view| view.zoom().floor().clamp(0.0, 22.0) as u8)
    }

    /// How far beyond its edge a block shows features, in tile units.
    pub(super) fn buffer(&self) -> u16 {
        let units = View::MARGIN / f64::from(self.block_side()) * f64::from(EXTENT);
        units.ceil() as u16 + 1
    }

    fn block_side(&self) -> u32 {
        self.look.side() << self.steps
    }

    fn view(&self, block: TileId) -> Result<View, Problem> {
        let metres = 2.0 * HALF_WORLD / f64::from(1_u32 << block.z());
        let low =
            [f64::from(block.x()) * metres - HALF_WORLD, HALF_WORLD - f64::from(block.y() + 1) * metres];
        let extent = [low, low.map(|value| value + metres)];
        let view = View::new(Crs::WEB_MERCATOR, extent, [self.block_side(); 2]);
        let view = view.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(view.with_ratio(self.look.ratio * f64::from(self.look.side() / TILE_SIDE)))
    }

    /// Draws a block: its tiles as files one after the other, in rows from the north, behind their lengths.
    ///
    /// # Errors
    /// 400 if the block shows too much, 503 if the work was cancelled.
    pub(super) fn draw(&self, block: TileId, source: &Source<'_>) -> Result<Vec<u8>, Problem> {
        let impossible = || Problem::internal("a tile cannot be drawn; see the server's log");
        let view = self.view(block)?;
        let mut picture = Picture::new(view.size()).ok_or_else(impossible)?;
        let over = &Annotation::default();
        let drawn = Drawn { style: &self.look.style.style, view: &view, ground: self.look.ground, over };
        paint(drawn, source, &mut picture)?;
        let (side, count) = (self.look.side(), 1_u32 << self.steps);
        let mut lengths = Vec::new();
        let mut files = Vec::new();
        for (row, column) in (0..count).flat_map(|row| (0..count).map(move |column| (row, column))) {
            let part = picture.part([column * side, row * side], [side; 2]).ok_or_else(impossible)?;
            let file = part.encode(self.look.image);
            let file = file.map_err(|error| Problem::internal(error.to_string()))?;
            lengths.extend(u32::try_from(file.len()).unwrap_or(u32::MAX).to_le_bytes());
            files.extend(file);
        }
        lengths.extend(files);
        Ok(lengths)
    }

    /// One tile of a block that [`PictureTiles::draw`] gave, without a copy.
    ///
    /// # Errors
    /// 500 if these are not the bytes of a block.
    pub(super) fn take(&self, block: &Bytes, place: PlaceInBlock) -> Result<EncodedTile, Problem> {
        let count = 1_usize << (2 * self.steps);
        let lengths = block.get(..4 * count).map(|lengths| lengths.as_chunks::<4>().0);
        let range = lengths.map(|lengths| {
            let length = |index: usize| u32::from_le_bytes(lengths[index]) as usize;
            let start = 4 * count + (0..place.index).map(length).sum::<usize>();
            start..start + length(place.index)
        });
        let range = range.filter(|range| range.end <= block.len());
        let range = range.ok_or_else(|| Problem::internal("a block of tiles is broken"))?;
        let bytes = block.slice(range);
        // Hexadecimal digits in quotes are always a valid header value.
        let etag = HeaderValue::from_str(&format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(&bytes)))
            .unwrap_or_else(|_never| HeaderValue::from_static("\"tile\""));
        Ok(EncodedTile { bytes, etag })
    }
}

impl PictureLook {
    /// The side of a tile in pixels.
    fn side(&self) -> u32 {
        if self.is_double { 2 * TILE_SIDE } else { TILE_SIDE }
    }
}

/// Sends a map tile: from the cache, or drawn with its block.
///
/// # Errors
/// 503 if too many tiles wait to be drawn.
pub(crate) async fn send(
    context: RequestContext,
    tile: TileId,
    look: PictureLook,
    time: Option<TimeInterval>,
) -> HandlerResult {
    Span::current().record("tile", display(tile));
    let limits = &context.app.config.limits;
    let side_max = limits.map_side_max.min(limits.map_pixels_max.isqrt());
    let image = look.image;
    let (tiles, place) = PictureTiles::around(tile, look, u32::try_from(side_max).unwrap_or(u32::MAX))?;
    let zoom = tiles.view(place.block)?.zoom();
    let layers = drawn_layers(&context, &tiles.look.style.style, zoom);
    let tiles = Arc::new(tiles);
    let content = TileContent::Pictures(Arc::clone(&tiles));
    let key = key_of(&context, &layers, (place.block, &content, time));
    let city_snapshot = context.city_snapshot.clone();
    let source = TileSource { city_snapshot, layers, tile: place.block, time, filter: None, content };
    // Pictures are packed already.
    let plain = Encodings::of(&HeaderMap::new());
    let service = Arc::clone(&context.app.tiles);
    let (block, _) = service.fetch(key, source, &plain).await?;
    let EncodedTile { bytes, etag } = tiles.take(&block.bytes, place)?;
    let is_known = etag.to_str().is_ok_and(|etag| matches_etag(&context.headers, etag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, image.media_type())], bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Language"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The layers of the city that a style draws at a zoom.
fn drawn_layers(context: &RequestContext, style: &Style, zoom: f64) -> Vec<Arc<LayerSnapshot>> {
    let layer = |source: &LayerSource| match source {
        LayerSource::City(id) => context.city_snapshot.city.layer(id).cloned(),
        LayerSource::Inline(_) => None,
    };
    style.sources(zoom).into_iter().filter_map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(is_double: bool) -> PictureLook {
        let style = Style::parse(&serde_json::json!({"version": 8, "sources": {}, "layers": []})).unwrap();
        let style = Arc::new(ParsedStyle { style, hash: 1 });
        PictureLook { style, is_double, ratio: 1.0, ground: Ground::Style, image: ImageFormat::Png }
    }

    #[test]
    fn a_block_holds_the_tiles_around_a_tile() {
        let tile = TileId::new(16, 52_193, 30_783).unwrap();
        let (tiles, place) = PictureTiles::around(tile, look(false), 4_096).unwrap();
        assert_eq!((tiles.steps, place.block), (2, TileId::new(14, 13_048, 7_695).unwrap()));
        assert_eq!(place.index, 4 * 3 + 1);
        let (tiles, place) = PictureTiles::around(tile, look(true), 4_096).unwrap();
        assert_eq!((tiles.steps, place.block.z(), tiles.block_side()), (1, 15, 1_024));
        // The whole world, and a server that allows small pictures only.
        let world = TileId::new(0, 0, 0).unwrap();
        assert_eq!(PictureTiles::around(world, look(false), 4_096).unwrap().0.steps, 0);
        assert_eq!(PictureTiles::around(tile, look(false), 100).unwrap().0.steps, 0);
    }

    #[test]
    fn a_tile_is_drawn_at_the_zoom_of_its_scale() {
        for (zoom, is_double) in [(0, false), (1, true), (12, false), (17, true), (22, false)] {
            let tile = TileId::new(zoom, (1 << zoom) / 2, (1 << zoom) / 2).unwrap();
            let (tiles, place) = PictureTiles::around(tile, look(is_double), 4_096).unwrap();
            let drawn = tiles.view(place.block).unwrap().zoom();
            assert!((drawn - (f64::from(zoom) - 1.0)).abs() < 1e-6, "{zoom}: {drawn}");
            assert_eq!(tiles.style_zoom(place.block), zoom.saturating_sub(1));
        }
    }

    #[test]
    fn what_is_drawn_otherwise_has_another_key() {
        let tile = TileId::new(16, 52_193, 30_783).unwrap();
        let key = |look: PictureLook| PictureTiles::around(tile, look, 4_096).unwrap().0.key();
        let plain = key(look(false));
        assert_eq!(plain, key(look(false)));
        for other in [
            look(true),
            PictureLook { ratio: 2.0, ..look(false) },
            PictureLook { ground: Ground::Transparent, ..look(false) },
            PictureLook { image: ImageFormat::WebP, ..look(false) },
        ] {
            assert_ne!(plain, key(other));
        }
    }

    #[test]
    fn a_broken_block_is_an_error_and_not_another_tile() {
        let tile = TileId::new(16, 52_193, 30_783).unwrap();
        let (tiles, place) = PictureTiles::around(tile, look(false), 4_096).unwrap();
        for bytes in [Bytes::new(), Bytes::from(vec![255; 64]), Bytes::from(vec![1; 63])] {
            assert!(tiles.take(&bytes, place).is_err());
        }
        let mut block: Vec<u8> = (1..=16_u32).flat_map(u32::to_le_bytes).collect();
        block.extend((1..=16_u8).flat_map(|number| vec![number; usize::from(number)]));
        assert_eq!(tiles.take(&block.into(), place).unwrap().bytes, vec![14; 14]);
    }
}
