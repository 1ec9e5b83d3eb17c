//! OGC API – Maps: the city as pictures, drawn on the server from the same styles that the web map uses.
//!
//! | path | what it shows |
//! |---|---|
//! | `/api/map` | the city in the standard style |
//! | `/api/styles/{styleId}/map` | the city in a style |
//! | `/api/collections/{layer}/map` | one layer |
//! | `/api/collections/{layer}/styles/{styleId}/map` | one layer in a style |
//!
//! Below each of these paths `/tiles` has the same map as tiles ([`tiles`]).
//!
//! A picture is drawn by one thread of a pool and ends when its client leaves; how many pixels it may have,
//! and how many features it may show, is bounded.

mod area;
mod format;
mod parameters;
pub(crate) mod tiles;

use std::sync::Arc;

use axum::{
    http::HeaderName,
    response::{IntoResponse, Response},
};
use citymap_crs::{Crs, NamedCrs};
use citymap_engine::{Bbox, Cancel, EngineError, TimeInterval};
use citymap_render::{
    annotation::Annotation,
    pdf::{PdfDocument, PdfInfo},
    raster::{Canvas, Ground, Notes, PIXEL_M, Picture, RenderError, Source, View, draw},
    spec::{Color, Style},
    svg::SvgPicture,
};

pub(crate) use format::MapFormat;
pub(crate) use parameters::{
    CityMapQuery, CityMapTileQuery, CityMapTilesetQuery, MM_PER_PIXEL, MapQuery, MapTileQuery,
    MapTilesetQuery, SHARED_PARAMETERS, TRANSPARENT,
};

use parameters::GroundQuery;

use crate::{
    hash::hash_of,
    http::{
        negotiate::{DocumentFormat, Representation},
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::ResponseBuilder,
    },
    styles::{
        documents::{StyleOrder, named_layers},
        parsed::parsed,
    },
};

/// The relation of a link to a picture.
pub(crate) const MAP: &str = "http://www.opengis.net/def/rel/ogc/1.0/map";

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
const CONTENT_BBOX: HeaderName = HeaderName::from_static("content-bbox");

/// A picture with at most this many pixels, at this zoom or above, is work of middle size.
const MIDDLE_PIXELS: u64 = 2_200_000;
const MIDDLE_ZOOM: f64 = 10.0;

/// The handler of `GET /api/map`.
pub(crate) async fn city(context: RequestContext) -> HandlerResult {
    let style = standard_style(&context);
    send(context, style, Shown::City).await
}

/// The handler of `GET /api/styles/{styleId}/map`.
pub(crate) async fn styled(context: RequestContext) -> HandlerResult {
    let style = context.path_param("styleId").to_owned();
    send(context, style, Shown::City).await
}

/// The handler of `GET /api/collections/{layer}/map`.
pub(crate) async fn layer(context: RequestContext) -> HandlerResult {
    let style = standard_style(&context);
    send(context, style, Shown::Layer).await
}

/// The handler of `GET /api/collections/{layer}/styles/{styleId}/map`.
pub(crate) async fn styled_layer(context: RequestContext) -> HandlerResult {
    let style = context.path_param("styleId").to_owned();
    send(context, style, Shown::Layer).await
}

/// The style of pictures for which none is named: the first one, which the list of styles names as default.
pub(crate) fn standard_style(context: &RequestContext) -> String {
    let entries = context.app.styles.book.entries();
    entries.first().map(|entry| entry.id.to_owned()).unwrap_or_default()
}

/// What a picture shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    City,
    /// The layer that the path names.
    Layer,
}

async fn send(mut context: RequestContext, style: String, shown: Shown) -> HandlerResult {
    let (mut query, collections): (MapQuery, _) = match shown {
        Shown::Layer => (context.query()?, None),
        Shown::City => {
            let CityMapQuery { collections, map } = context.query()?;
            (map, collections)
        }
    };
    context.as_of(query.look.state.revision).await?;
    let (whole, layers) = match shown {
        Shown::Layer => {
            let layer = context.layer()?;
            (layer.extent(), Some(vec![layer.layer().id.clone()]))
        }
        Shown::City => (Some(first_view(&context)), named_layers(&context, collections)?),
    };
    let annotation = query.over.annotation();
    area::show(&annotation.markers, &mut query.area, &context.app.config.limits)?;
    let view = area::view_of(&query.area, whole, &context.app.config.limits)?;
    let ground = ground_of(&query.ground)?;
    let lang = query.lang.unwrap_or_else(|| Representation::choose(None, None, &context.headers).lang);
    let etag = etag(&context, &query, &style, lang);
    context.check_if_none_match(&etag)?;
    let [width, height] = view.size().map(u64::from);
    let middle = width * height <= MIDDLE_PIXELS && view.zoom() >= MIDDLE_ZOOM;
    let app = Arc::clone(&context.app);
    let crs = query.area.crs.clone();
    let format = query.format;
    let shown = view.clone();
    let work = move |cancel: &Cancel| {
        let order = StyleOrder { id: &style, look: &query.look, layers: layers.as_deref(), lang };
        let style = parsed(&context, &order)?;
        let drawn = Drawn { style: &style.style, view: &shown, ground, over: &annotation };
        picture(&context, drawn, (query.look.state.time, lang), (format, cancel))
    };
    let bytes =
        if middle { app.pool.run_with(Cancel::new(), work).await } else { app.batch.run(work).await }?;
    Ok(answer(bytes, format, (&view, &crs), &etag))
}

/// The box of the city's first view, about as large as a screen.
fn first_view(context: &RequestContext) -> Bbox {
    let view = &context.city_snapshot.city.profile.view;
    // Degrees of longitude of 1024 pixels of the style, and as many metres of latitude.
    let span = 360.0 / 2_f64.powf(view.zoom) * 2.0;
    let [lon, lat] = [span / 2.0, span / 2.0 * view.lat.to_radians().cos()];
    Bbox::new(view.lon - lon, view.lat - lat, view.lon + lon, view.lat + lat)
}

/// What is under the map.
///
/// # Errors
/// 400 for a colour that cannot be read.
pub(crate) fn ground_of(query: &GroundQuery) -> Result<Ground, Problem> {
    let Some(text) = &query.bgcolor else {
        return Ok(if query.transparent { Ground::Transparent } else { Ground::Style });
    };
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).map(|digits| format!("#{digits}"));
    let color = Color::parse(hex.as_deref().unwrap_or(text)).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        Problem::parameter(format!(
            "`bgcolor={text}` is not a colour; write 0xRRGGBB, for example 0xf6f4ef, or a name such as white"
        ))
    })?;
    Ok(if query.transparent { Ground::Transparent } else { Ground::Color(color) })
}

/// The tag of a picture: it changes with the city, the program and everything that the request says.
fn etag(context: &RequestContext, query: &MapQuery, style: &str, lang: &'static str) -> String {
    let representation = Representation { format: DocumentFormat::Json, lang };
    let asked: Vec<&(String, String)> = context.given.pairs().collect();
    let own = hash_of(&(asked, context.path(), style, query.format));
    format!("{}-{own:x}\"", context.etag(representation).trim_end_matches('"'))
}

/// A map, what is under it, and what is over it.
#[derive(Clone, Copy)]
pub(crate) struct Drawn<'a> {
    pub(crate) style: &'a Style,
    pub(crate) view: &'a View,
    pub(crate) ground: Ground,
    pub(crate) over: &'a Annotation,
}

/// Draws and encodes a picture.
fn picture(
    context: &RequestContext,
    drawn: Drawn<'_>,
    (time, lang): (Option<TimeInterval>, &str),
    (format, cancel): (MapFormat, &Cancel),
) -> Result<Vec<u8>, Problem> {
    let view = drawn.view;
    let city = &context.city_snapshot.city;
    let source = Source { city, tiler: context.app.tiles.tiler(), time, cancel };
    let bytes_max = context.app.config.limits.answer_bytes_max;
    let too_large = |detail: String| Problem::picture_too_large(detail);
    let Some(image) = format.image() else {
        if format == MapFormat::Svg {
            let mut picture = SvgPicture::new(view.size(), bytes_max);
            paint(drawn, &source, &mut picture)?;
            return picture.finish().map(String::into_bytes).map_err(|error| too_large(error.to_string()));
        }
        let info = PdfInfo { title: "citymap", lang, bytes_max: bytes_max as u64 };
        let failed = |error: citymap_render::pdf::PdfError| match error {
            citymap_render::pdf::PdfError::TooLarge { .. } => too_large(error.to_string()),
            other => Problem::internal(other.to_string()),
        };
        let mut document = PdfDocument::new(Vec::new(), &info).map_err(failed)?;
        // The ratio says how wide a pixel is.
        let mm_per_pixel = PIXEL_M * 1e3 / view.ratio();
        let mut page = document.page_in(view.size().map(|side| side as f32), mm_per_pixel as f32);
        paint(drawn, &source, &mut page)?;
        document.add(page).map_err(failed)?;
        return document.finish().map_err(failed);
    };
    let mut picture = Picture::new(view.size())
        .ok_or_else(|| Problem::internal("a picture of this size cannot be made; see the server's log"))?;
    paint(drawn, &source, &mut picture)?;
    picture.encode(image).map_err(|error| Problem::internal(error.to_string()))
}

/// Draws a map on any canvas.
pub(crate) fn paint(
    Drawn { style, view, ground, over }: Drawn<'_>,
    source: &Source<'_>,
    canvas: &mut impl Canvas,
) -> Result<(), Problem> {
    let Notes { missing_images, .. } = draw(style, view, source, ground, canvas).map_err(refusal)?;
    over.draw(view, canvas).map_err(refusal)?;
    if !missing_images.is_empty() {
        tracing::debug!(images = ?missing_images, "the sprite lacks images of a style");
    }
    source.cancel.check().map_err(EngineError::from)?;
    Ok(())
}

fn refusal(error: RenderError) -> Problem {
    match error {
        RenderError::Cancelled(cancelled) => EngineError::from(cancelled).into(),
        RenderError::TooLarge { .. } | RenderError::Outside(_) => Problem::parameter(error.to_string()),
        RenderError::Font { .. } => Problem::unprocessable(error.to_string()),
        other => Problem::internal(other.to_string()),
    }
}

/// The picture with the headers that say where it is.
fn answer(bytes: Vec<u8>, format: MapFormat, (view, crs): (&View, &NamedCrs), etag: &str) -> Response {
    let (_, [low, high]) = view.extent();
    let ([a, b], [c, d]) = (crs.turn(low), crs.turn(high));
    let mut response = ResponseBuilder::new(format.media_type(), bytes)
        .tagged(etag)
        .with(CONTENT_BBOX, &format!("{a},{b},{c},{d}"));
    // Without the header it is CRS84.
    if crs.crs != Crs::WGS84 || crs.swapped {
        response = response.with(CONTENT_CRS, &format!("<{}>", crs.uri));
    }
    response.into_response()
}
