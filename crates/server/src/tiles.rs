//! Vector tiles: cut from the snapshot, kept as sent, cut once however many ask.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use citymap_engine::{LayerSnapshot, TimeInterval};
use citymap_tile::{GZIP_LEVEL, MAX_ZOOM, TileId, TileOptions};
use moka::sync::Cache;
use serde_json::json;

use crate::{
    app::{fingerprint, hash_of},
    ask::{Answer, Ask, no_layer},
    base::{query_with, segment},
    datetime::interval,
    negotiate::{accepts_gzip, matches_etag},
    problem::Problem,
    reply::{JSON, Reply},
};

/// What vector tiles are.
const MVT: &str = "application/vnd.mapbox-vector-tile";

/// A tile as sent.
#[derive(Clone)]
struct Encoded {
    bytes: Bytes,
    etag: HeaderValue,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    /// The layers and the revision that last touched each: a new one makes new tiles of that layer only.
    layers: Box<[(Box<str>, u64)]>,
    /// Which record they are of: after a restore the same numbers may mean other features.
    epoch: u64,
    tile: TileId,
    /// As it was asked for.
    time: Option<TimeInterval>,
    gzip: bool,
}

/// Tiles as sent, the ones asked for most and last; so many bytes.
pub(crate) struct TileCache(Cache<Key, Encoded>);

impl TileCache {
    pub(crate) fn new(bytes: u64) -> Self {
        // A key and its place in the cache take about 200 bytes, which empty tiles must pay for too.
        let weigh = |_: &Key, tile: &Encoded| u32::try_from(tile.bytes.len() + 200).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(bytes).weigher(weigh).build())
    }
}

/// `GET /tiles/{layers}/{z}/{x}/{y}`
pub(crate) async fn tile(mut ask: Ask) -> Answer {
    ask.as_of().await?;
    let tile = position(ask.place("z"), ask.place("x"), trimmed(ask.place("y")))?;
    let layers = named(&ask, ask.place("layers"))?;
    send(ask, layers, tile).await
}

/// `GET /api/collections/{layer}/tiles/WebMercatorQuad/{z}/{row}/{col}`: OGC's order.
pub(crate) async fn ogc_tile(mut ask: Ask) -> Answer {
    ask.as_of().await?;
    let tile = position(ask.place("z"), trimmed(ask.place("col")), ask.place("row"))?;
    let layers = vec![ask.layer()?];
    send(ask, layers, tile).await
}

/// A last number may say what comes: `.pbf`, `.mvt`.
fn trimmed(text: &str) -> &str {
    text.strip_suffix(".pbf").or_else(|| text.strip_suffix(".mvt")).unwrap_or(text)
}

fn position(z: &str, x: &str, y: &str) -> Result<TileId, Problem> {
    let number = |name: &str, text: &str| {
        // `parse` would also take a sign.
        let plain = !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u64>().ok()).flatten().ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            Problem::parameter(format!("`{text}` is no {name} of a tile; write whole numbers from 0"))
        })
    };
    let (z, x, y) = (number("zoom", z)?, number("column", x)?, number("row", y)?);
    let none = || {
        Problem::not_found(format!(
            "there is no tile {z}/{x}/{y}; zooms go from 0 to {MAX_ZOOM}, columns and rows from 0 to 2^z - 1"
        ))
    };
    let small = |value: u64| u32::try_from(value).map_err(|_too_large| none());
    let zoom = u8::try_from(z).map_err(|_too_large| none())?;
    TileId::new(zoom, small(x)?, small(y)?).map_err(|_outside| none())
}

/// The layers in the order of their names in the path.
fn named(ask: &Ask, names: &str) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
    let most = ask.app.config.limits.tile_layers_max;
    let names: Vec<&str> = names.split(',').collect();
    if names.len() > most {
        return Err(Problem::parameter(format!("a tile holds {most} layers at most, not {}", names.len())));
    }
    let mut layers = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return Err(Problem::parameter(format!("layer `{name}` is named twice; name it once")));
        }
        let found =
            ask.scene.city.layer(name).ok_or_else(|| Problem::not_found(no_layer(&ask.scene, name)))?;
        layers.push(Arc::clone(found));
    }
    Ok(layers)
}

async fn send(mut ask: Ask, layers: Vec<Arc<LayerSnapshot>>, tile: TileId) -> Answer {
    let asked_version = ask.params.take("rev")?;
    let time = ask.time()?;
    ask.no_more_of(&["rev", "revision", "datetime"])?;
    let gzip = accepts_gzip(&ask.headers);
    let key = Key {
        layers: layers.iter().map(|own| (own.layer().id.as_str().into(), own.revision())).collect(),
        epoch: ask.scene.epoch,
        tile,
        time,
        gzip,
    };
    // Only what differs from store to store too may be kept for a year without asking: a revision's number does not.
    let lasting = asked_version.is_some_and(|version| version == version_of(&layers));
    let app = ask.app.clone();
    let encoded = match app.tiles.0.get(&key) {
        Some(encoded) => encoded,
        None => {
            let cache = app.tiles.0.clone();
            app.pool.run(move || Ok(cache.get_with(key.clone(), || encode(&layers, &key)))).await?
        }
    };
    Ok(answer(&ask, &encoded, gzip, lasting))
}

/// The versions of these layers as one text, for `?rev=`.
fn version_of(layers: &[Arc<LayerSnapshot>]) -> String {
    layers.iter().map(|snapshot| fingerprint(snapshot)).collect::<Vec<_>>().join(".")
}

fn encode(layers: &[Arc<LayerSnapshot>], key: &Key) -> Encoded {
    let layers: Vec<&LayerSnapshot> = layers.iter().map(AsRef::as_ref).collect();
    let plain = citymap_tile::encode(&layers, key.tile, &TileOptions::default().during(key.time));
    let mut hasher = DefaultHasher::new();
    plain.hash(&mut hasher);
    let etag = format!("\"{:016x}{}\"", hasher.finish(), if key.gzip { "-gzip" } else { "" });
    let bytes = if key.gzip && !plain.is_empty() { citymap_tile::gzip(&plain, GZIP_LEVEL) } else { plain };
    // Hexadecimal digits in quotes are always a header.
    let etag = HeaderValue::from_str(&etag).unwrap_or_else(|_never| HeaderValue::from_static("\"tile\""));
    Encoded { bytes: bytes.into(), etag }
}

fn answer(ask: &Ask, encoded: &Encoded, gzip: bool, lasting: bool) -> Response {
    let known = encoded.etag.to_str().is_ok_and(|etag| matches_etag(&ask.headers, etag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if encoded.bytes.is_empty() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Response::new(Body::from(encoded.bytes.clone()))
    };
    let full = response.status() == StatusCode::OK;
    let headers = response.headers_mut();
    if full {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MVT));
        if gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    headers.insert(header::ETAG, encoded.etag.clone());
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// `GET /tiles/{layers}.json`
pub(crate) async fn tilejson(mut ask: Ask) -> Answer {
    ask.as_of().await?;
    let datetime = ask.params.take("datetime")?;
    datetime.as_deref().map(interval).transpose()?;
    let Some(names) = ask.place("layers").strip_suffix(".json") else {
        return Err(Problem::not_found("there is nothing here; a description is /tiles/{layers}.json, a tile /tiles/{layers}/{z}/{x}/{y}").into());
    };
    let layers = named(&ask, names)?;
    ask.no_more_of(&["revision", "datetime"])?;
    let version = version_of(&layers);
    // Tiles of the same time, and of a former state where one is asked for.
    let state = query_with(&ask.given, &[]);
    let etag = format!("W/\"{:x}-{version}-{:x}\"", ask.app.boot, hash_of(&state));
    ask.unless_known(&etag)?;
    let path = names.split(',').map(segment).collect::<Vec<_>>().join(",");
    let url = ask
        .base
        .url(&format!("/tiles/{path}/{{z}}/{{x}}/{{y}}?rev={version}{}", state.replacen('?', "&", 1)));
    let snapshots: Vec<&LayerSnapshot> = layers.iter().map(AsRef::as_ref).collect();
    let mut document = citymap_tile::tilejson(&snapshots, &url);
    document["version"] = json!("1.0.0");
    document["citymap"] = json!({"revision": ask.scene.revision(), "tilesVersion": version});
    Ok(Reply::new(JSON, document.to_string()).tagged(&etag).compressed(&ask.headers).into_response())
}
