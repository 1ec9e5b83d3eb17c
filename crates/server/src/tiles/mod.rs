//! Vector tiles: cut from the snapshot once however many clients wait, and cached as they are sent.

mod cache;
mod cached;
mod format;
mod mlt;
pub(crate) mod pictures;
pub(crate) mod service;
#[cfg(test)]
mod tests;
pub(crate) mod tilesets;

use std::{fmt, marker::PhantomData, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_access::{Audience, visible};
use citymap_cql2::Expr;
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_model::{AsOf, Field};
use citymap_tile::{ContentEncoding, MAX_ZOOM, TileId, Tiler};
use serde_json::json;
use tracing::{Span, field::display};

use cache::{PastState, TileKey};
use cached::{EncodedTile, TileContent, TileSource};
use format::TileFormat;

use crate::{
    hash::hash_of,
    http::{
        base::{query_with, segment},
        filter::{OPTIONAL_FILTER, check_filter_of_one},
        negotiate::{Encodings, matches_etag},
        parameters::{AS_OF, Choice, DATETIME, Text},
        problem::Problem,
        query::{Declared, Nested, Parameter, query},
        request::{HandlerResult, RequestContext, no_layer},
        response::{JSON, ResponseBuilder},
    },
};

static REV: Parameter<Text> = Parameter::new(
    "rev",
    "The version that TileJSON and the collection's `tilesVersion` name: the tile may then be cached for a \
        year",
    Text,
);

static ENCODING: Parameter<Choice> = Parameter::new(
    "encoding",
    "The format of the tiles that are described: Mapbox or MapLibre",
    Choice { values: &["mvt", "mlt"], default: Some("mvt") },
)
.component("tile-encoding");

query! {
    /// The state of the city that tiles show.
    pub(crate) struct TileState {
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
    }
}

static STATE: Nested<TileState> = Nested(PhantomData);

query! {
    /// The query of a tile.
    pub(crate) struct TileQuery {
        rev: Option<String> = REV,
        filter: Option<Expr> = OPTIONAL_FILTER,
        state: TileState = STATE,
    }
}

query! {
    /// The query of TileJSON.
    pub(crate) struct TileJsonQuery {
        encoding: Option<&'static str> = ENCODING,
        /// The addresses of the tiles carry it, and the state.
        filter: Option<Expr> = OPTIONAL_FILTER,
        state: TileState = STATE,
    }
}

/// The parameters that the OpenAPI document shares between layers.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 2] = [&ENCODING, &REV];

/// A tile as the path names it.
struct TileRequest {
    layers: Vec<Arc<LayerSnapshot>>,
    tile: TileId,
    /// From the suffix; without one, `Accept` decides.
    format: Option<TileFormat>,
}

/// The handler of `GET /tiles/{layers}/{z}/{x}/{y}`.
pub(crate) async fn tile(mut context: RequestContext) -> HandlerResult {
    let query: TileQuery = context.query()?;
    context.as_of(query.state.revision).await?;
    let (y, format) = TileFormat::of_suffix(context.path_param("y"));
    let tile = position(context.path_param("z"), context.path_param("x"), y)?;
    let layers = named(&context, context.path_param("layers"))?;
    send(context, query, TileRequest { layers, tile, format }).await
}

/// Reads the tile that a path names.
///
/// # Errors
/// 400 for what is not a number, 404 for a tile that does not exist.
pub(crate) fn position(z: &str, x: &str, y: &str) -> Result<TileId, Problem> {
    let number = |name: &str, range: &str, text: &str| {
        // `parse` would accept a sign.
        let plain = !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u64>().ok()).flatten().ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            Problem::parameter(format!("`{text}` is not a valid {name}; use {range}"))
        })
    };
    let zooms = format!("0 to {MAX_ZOOM}");
    let z = number("zoom level", &zooms, z)?;
    let (x, y) = (number("column", "0 to 2^z - 1", x)?, number("row", "0 to 2^z - 1", y)?);
    let none = || {
        Problem::not_found(format!(
            "there is no tile {z}/{x}/{y}; zoom levels are 0 to {MAX_ZOOM}, columns and rows 0 to 2^z - 1"
        ))
    };
    let small = |value: u64| u32::try_from(value).map_err(|_too_large| none());
    let zoom = u8::try_from(z).map_err(|_too_large| none())?;
    TileId::new(zoom, small(x)?, small(y)?).map_err(|_outside| none())
}

/// The layers in the order in which the path names them.
fn named(context: &RequestContext, names: &str) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
    let max = context.app.config.limits.tile_layers_max;
    let names: Vec<&str> = names.split(',').collect();
    if names.len() > max {
        return Err(Problem::parameter(format!("a tile has at most {max} layers, not {}", names.len())));
    }
    let mut layers = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return Err(Problem::parameter(format!("layer `{name}` is named twice; name it once")));
        }
        let found = context
            .city_snapshot
            .city
            .layer(name)
            .ok_or_else(|| Problem::not_found(no_layer(&context.city_snapshot, name)))?;
        layers.push(Arc::clone(found));
    }
    Ok(layers)
}

/// The ids of layers in the log, separated by commas.
struct Names<'a>(&'a [Arc<LayerSnapshot>]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, snapshot) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}", snapshot.layer().id)?;
        }
        Ok(())
    }
}

async fn send(context: RequestContext, query: TileQuery, request: TileRequest) -> HandlerResult {
    let TileRequest { layers, tile, format } = request;
    Span::current().record("tile", display(tile)).record("layer", display(Names(&layers)));
    let time = query.state.time;
    let format = format.unwrap_or_else(|| TileFormat::of_accept(&context.headers));
    let accepted = Encodings::of(&context.headers);
    let content = TileContent::Vector(format);
    let filter = check_filter_of_one(query.filter.as_ref(), &layers)?.map(Arc::new);
    if let (Some(_), [layer]) = (&filter, layers.as_slice()) {
        let lowest = Tiler::filters_from(layer);
        if tile.z() < lowest {
            let id = &layer.layer().id;
            return Err(Problem::parameter(format!(
                "`filter`: below zoom {lowest} tiles of `{id}` show merged areas, which cannot be filtered; \
                    use zoom {lowest} or higher"
            ))
            .into());
        }
    }
    let key = key_of(&context, &layers, (tile, &content, time));
    // Only a version that also differs between stores, unlike a revision number, may be cached for a year
    // without asking.
    let lasting = query.rev.is_some_and(|version| version == version_of(&context, &layers));
    let city_snapshot = context.city_snapshot.clone();
    let source = TileSource { city_snapshot, layers, tile, time, filter, content };
    let tiles = Arc::clone(&context.app.tiles);
    let (sent, encoding) = tiles.fetch(key, source, &accepted).await?;
    Ok(answer(&context, &sent, format, encoding, lasting))
}

/// The key of a tile of these layers, as the request's city has them.
fn key_of(
    context: &RequestContext,
    layers: &[Arc<LayerSnapshot>],
    (tile, content, time): (TileId, &TileContent, Option<TimeInterval>),
) -> TileKey {
    let past = context.past.then(|| PastState {
        epoch: context.city_snapshot.epoch,
        revisions: layers.iter().map(|own| own.revision()).collect(),
        definitions: definitions(layers),
    });
    let names: Vec<&str> = layers.iter().map(|own| own.layer().id.as_str()).collect();
    TileKey { layers: names.join(",").into(), tile, content: content.key(), time, past }
}

/// A hash of the fields of the layers and of which of them are public, as far as it shows in tiles.
fn definitions(layers: &[Arc<LayerSnapshot>]) -> u64 {
    let fields = |own: &Arc<LayerSnapshot>| {
        let layer = own.layer();
        let seen = visible(layer, &Audience::Public);
        let field = |(index, field): (usize, &Field)| (field.name.clone(), !seen.contains(index));
        layer.fields.iter().enumerate().map(field).collect::<Vec<_>>()
    };
    hash_of(&layers.iter().map(fields).collect::<Vec<_>>())
}

/// The versions of these layers as the parameter `rev` names them.
fn version_of(context: &RequestContext, layers: &[Arc<LayerSnapshot>]) -> String {
    layers.iter().map(|snapshot| context.app.versions.of(snapshot)).collect::<Vec<_>>().join(".")
}

fn answer(
    context: &RequestContext,
    sent: &EncodedTile,
    format: TileFormat,
    encoding: ContentEncoding,
    lasting: bool,
) -> Response {
    let known = sent.etag.to_str().is_ok_and(|etag| matches_etag(&context.headers, etag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if sent.bytes.is_empty() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Response::new(Body::from(sent.bytes.clone()))
    };
    let full = response.status() == StatusCode::OK;
    let headers = response.headers_mut();
    if full {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        if let Some(name) = encoding.header_value() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
    }
    headers.insert(header::ETAG, sent.etag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// The handler of `GET /tiles/{layers}.json`.
pub(crate) async fn tilejson(mut context: RequestContext) -> HandlerResult {
    let TileJsonQuery { encoding, filter, state } = context.query()?;
    context.as_of(state.revision).await?;
    let format = if encoding == Some("mlt") { TileFormat::Mlt } else { TileFormat::Mvt };
    let Some(names) = context.path_param("layers").strip_suffix(".json") else {
        return Err(Problem::not_found(
            "there is nothing here; a description is /tiles/{layers}.json, a tile \
            /tiles/{layers}/{z}/{x}/{y}",
        )
        .into());
    };
    let layers = named(&context, names)?;
    let is_filtered = check_filter_of_one(filter.as_ref(), &layers)?.is_some();
    let version = version_of(&context, &layers);
    // The addresses of the tiles keep the filter, the valid time, and the past state if one was asked for.
    let state = query_with(&context.given, &[("encoding", None)]);
    let suffix = if format == TileFormat::Mlt { ".mlt" } else { "" };
    let etag = format!(
        "W/\"{:x}-{version}-{:x}\"",
        context.app.boot,
        hash_of(&(&state, suffix, context.base().as_str()))
    );
    context.check_if_none_match(&etag)?;
    let path = names.split(',').map(segment).collect::<Vec<_>>().join(",");
    let url = context.base().url(&format!(
        "/tiles/{path}/{{z}}/{{x}}/{{y}}{suffix}?rev={version}{}",
        state.replacen('?', "&", 1)
    ));
    let snapshots: Vec<&LayerSnapshot> = layers.iter().map(AsRef::as_ref).collect();
    let mut document = citymap_tile::tilejson(&snapshots, &url);
    document["version"] = json!("1.0.0");
    if is_filtered && let [layer] = layers.as_slice() {
        let lowest = Tiler::filters_from(layer);
        document["minzoom"] = json!(lowest);
        document["vector_layers"][0]["minzoom"] = json!(lowest);
    }
    if format == TileFormat::Mlt {
        document["encoding"] = json!("mlt");
    }
    document["citymap"] = json!({"revision": context.city_snapshot.revision(), "tilesVersion": version});
    Ok(ResponseBuilder::new(JSON, document.to_string())
        .tagged(&etag)
        .compressed(&context.headers)
        .into_response())
}
