//! OGC API – Maps: a layer as a picture, drawn on the server (`GET /api/collections/{layer}/map`).
//!
//! A picture is drawn by one thread of a pool and ends when its client leaves; how many pixels it may have,
//! and how many features it may show, is bounded.

mod area;
mod parameters;

use std::sync::Arc;

use axum::{
    http::HeaderName,
    response::{IntoResponse, Response},
};
use citymap_crs::{Crs, NamedCrs};
use citymap_engine::{Cancel, EngineError, LayerSnapshot};
use citymap_model::GeometryKind;
use citymap_render::{
    plain::plain_style,
    raster::{Ground, ImageFormat, Picture, RenderError, Source, View, draw},
    spec::{Color, Style},
};

pub(crate) use parameters::{MapQuery, SHARED_PARAMETERS};

use crate::{
    hash::hash_of,
    http::{
        negotiate::{DocumentFormat, Representation},
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::ResponseBuilder,
    },
};

/// The relation of a link to a picture.
pub(crate) const MAP: &str = "http://www.opengis.net/def/rel/ogc/1.0/map";

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
const CONTENT_BBOX: HeaderName = HeaderName::from_static("content-bbox");

/// A picture with at most this many pixels, at this zoom or above, is work of middle size.
const MIDDLE_PIXELS: u64 = 2_200_000;
const MIDDLE_ZOOM: f64 = 10.0;

/// What is drawn, once the request has been read.
struct Order {
    layer: Arc<LayerSnapshot>,
    query: MapQuery,
    view: View,
    ground: Ground,
}

/// The handler of `GET /api/collections/{layer}/map`.
pub(crate) async fn map(mut context: RequestContext) -> HandlerResult {
    let query: MapQuery = context.query()?;
    context.as_of(query.state.revision).await?;
    let layer = context.layer()?;
    if layer.layer().geometry == GeometryKind::None {
        return Err(Problem::not_found("the layer has no geometry, and therefore no map").into());
    }
    let view = area::view_of(&query.area, layer.extent(), &context.app.config.limits)?;
    let ground = ground_of(&query)?;
    let etag = etag(&context, query.format);
    context.check_if_none_match(&etag)?;
    let [width, height] = view.size().map(u64::from);
    let middle = width * height <= MIDDLE_PIXELS && view.zoom() >= MIDDLE_ZOOM;
    let app = Arc::clone(&context.app);
    let (crs, format, shown) = (query.area.crs.clone(), query.format, view.clone());
    let order = Order { layer, query, view, ground };
    let work = move |cancel: &Cancel| picture(&context, &order, cancel);
    let drawn = if middle { app.pool.run_with(Cancel::new(), work).await } else { app.batch.run(work).await };
    Ok(answer(drawn?, format, (&shown, &crs), &etag))
}

/// What is under the map.
///
/// # Errors
/// 400 for a colour that cannot be read.
fn ground_of(query: &MapQuery) -> Result<Ground, Problem> {
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
fn etag(context: &RequestContext, format: ImageFormat) -> String {
    let representation = Representation { format: DocumentFormat::Json, lang: "vi" };
    let asked: Vec<&(String, String)> = context.given.pairs().collect();
    let own = hash_of(&(asked, context.path(), format));
    format!("{}-{own:x}\"", context.etag(representation).trim_end_matches('"'))
}

/// Draws and encodes a picture.
fn picture(context: &RequestContext, order: &Order, cancel: &Cancel) -> Result<Vec<u8>, Problem> {
    let Order { layer, query, view, ground } = order;
    let style = Style::parse(&plain_style(layer.layer()))
        .map_err(|error| Problem::internal(format!("the standard style cannot be drawn: {error}")))?;
    let city = &context.city_snapshot.city;
    let source = Source { city, tiler: context.app.tiles.tiler(), time: query.state.time, cancel };
    let mut picture = Picture::new(view.size())
        .ok_or_else(|| Problem::internal("a picture of this size cannot be made; see the server's log"))?;
    draw(&style, view, &source, *ground, &mut picture).map_err(refusal)?;
    cancel.check().map_err(EngineError::from)?;
    picture.encode(query.format).map_err(|error| Problem::internal(error.to_string()))
}

fn refusal(error: RenderError) -> Problem {
    match error {
        RenderError::Cancelled(cancelled) => EngineError::from(cancelled).into(),
        RenderError::TooLarge { .. } | RenderError::Outside(_) => Problem::parameter(error.to_string()),
        other => Problem::internal(other.to_string()),
    }
}

/// The picture with the headers that say where it is.
fn answer(bytes: Vec<u8>, format: ImageFormat, (view, crs): (&View, &NamedCrs), etag: &str) -> Response {
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
