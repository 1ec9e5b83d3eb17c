//! Maps as tiles (OGC API – Tiles, map tilesets), for clients that cannot draw vector tiles.
//!
//! | path | what it shows |
//! |---|---|
//! | `/api/map/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}` | the city in the standard style |
//! | `/api/styles/{styleId}/map/tiles/…` | the city in a style |
//! | `/api/collections/{layer}/map/tiles/…` | one layer |
//! | `/api/collections/{layer}/styles/{styleId}/map/tiles/…` | one layer in a style |
//!
//! A tile has 256 pixels on a side. Behind the column may stand `@2x` for 512 pixels, and a suffix for the
//! format.

use std::sync::Arc;

use axum::http::HeaderMap;
use citymap_model::LayerId;
use citymap_render::raster::{ImageFormat, PIXEL_M};

use super::{CityMapTileQuery, MapTileQuery, ground_of, standard_style};
use crate::{
    http::{
        negotiate::{Representation, weight_of},
        problem::Problem,
        request::{HandlerResult, RequestContext},
    },
    styles::{
        documents::{StyleOrder, named_layers},
        parsed::{ParsedStyle, parsed},
    },
    tiles::{
        pictures::{PictureLook, send},
        position,
    },
};

/// The handler of all map tiles: what they show follows from the parameters of the path.
pub(crate) async fn tile(mut context: RequestContext) -> HandlerResult {
    let is_city = context.path_param("layer").is_empty();
    let (query, collections): (MapTileQuery, _) = if is_city {
        let CityMapTileQuery { collections, tile } = context.query()?;
        (tile, collections)
    } else {
        (context.query()?, None)
    };
    context.as_of(query.look.state.revision).await?;
    let layers = if is_city {
        named_layers(&context, collections)?
    } else {
        Some(vec![context.layer()?.layer().id.clone()])
    };
    let (column, suffix) = Suffix::of(context.path_param("tileCol"));
    let tile = position(context.path_param("tileMatrix"), column, context.path_param("tileRow"))?;
    let image =
        suffix.image.or_else(|| query.format.map(named)).unwrap_or_else(|| accepted(&context.headers));
    let ground = ground_of(&query.drawn.ground)?;
    let ratio = PIXEL_M * 1e3 / query.drawn.mm_per_pixel.unwrap_or(PIXEL_M * 1e3);
    let time = query.look.state.time;
    let app = Arc::clone(&context.app);
    let (context, style) = app
        .pool
        .run(move || {
            let style = style_of(&context, &query, layers.as_deref())?;
            Ok((context, style))
        })
        .await?;
    let look = PictureLook { style, is_double: suffix.is_double, ratio, ground, image };
    send(context, tile, look, time).await
}

/// The style that the path names, or the standard one, of some layers or of all.
fn style_of(
    context: &RequestContext,
    query: &MapTileQuery,
    layers: Option<&[LayerId]>,
) -> Result<Arc<ParsedStyle>, Problem> {
    let named = context.path_param("styleId");
    let standard = standard_style(context);
    let id = if named.is_empty() { &standard } else { named };
    let lang = query.lang.unwrap_or_else(|| Representation::choose(None, None, &context.headers).lang);
    parsed(context, &StyleOrder { id, look: &query.look, layers, lang })
}

/// What stands behind the number of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Suffix {
    /// `@2x`: twice as many pixels.
    is_double: bool,
    image: Option<ImageFormat>,
}

impl Suffix {
    /// Splits a last path segment such as `52193@2x.png` into the number and what it says of the picture.
    fn of(text: &str) -> (&str, Self) {
        let suffixes = [
            (".png", ImageFormat::Png),
            (".jpg", ImageFormat::Jpeg),
            (".jpeg", ImageFormat::Jpeg),
            (".webp", ImageFormat::WebP),
        ];
        let found = suffixes.into_iter().find_map(|(end, image)| Some((text.strip_suffix(end)?, image)));
        let (text, image) = found.map_or((text, None), |(rest, image)| (rest, Some(image)));
        match text.strip_suffix("@2x") {
            Some(rest) => (rest, Self { is_double: true, image }),
            None => (text, Self { is_double: false, image }),
        }
    }
}

/// The format with this name of the parameter `f`.
fn named(name: &str) -> ImageFormat {
    match name {
        "jpeg" => ImageFormat::Jpeg,
        "webp" => ImageFormat::WebP,
        _ => ImageFormat::Png,
    }
}

/// The format that `Accept` likes best; PNG of equal ones.
fn accepted(headers: &HeaderMap) -> ImageFormat {
    let weight = |format: &ImageFormat| weight_of(headers, &[format.media_type()]);
    // Of equal weights the last one counts.
    ImageFormat::ALL.into_iter().rev().max_by_key(weight).unwrap_or(ImageFormat::Png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_says_density_and_format() {
        let double = |image| Suffix { is_double: true, image };
        for (text, number, suffix) in [
            ("7", "7", Suffix::default()),
            ("7.png", "7", Suffix { is_double: false, image: Some(ImageFormat::Png) }),
            ("7@2x", "7", double(None)),
            ("7@2x.jpg", "7", double(Some(ImageFormat::Jpeg))),
            ("7@2x.webp", "7", double(Some(ImageFormat::WebP))),
            ("7@3x.png", "7@3x", Suffix { is_double: false, image: Some(ImageFormat::Png) }),
        ] {
            assert_eq!(Suffix::of(text), (number, suffix), "{text}");
        }
    }
}
