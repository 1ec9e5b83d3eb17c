//! The tilesets of OGC API – Tiles: what tiles there are, of which layers, and in which tile matrix set.
//!
//! There is one tile matrix set, `WebMercatorQuad`. Vector tiles are those of `/tiles/…`; tiles of maps are
//! pictures ([`crate::maps::tiles`]).

use std::{f64::consts::PI, marker::PhantomData, sync::Arc};

use axum::response::{IntoResponse, Response};
use citymap_access::{Audience, visible};
use citymap_crs::CRS84;
use citymap_engine::{Bbox, LayerSnapshot};
use citymap_model::GeometryKind;
use citymap_render::raster::ImageFormat;
use citymap_tile::{MAX_ZOOM, touched_tiles, vector_layer};
use serde_json::{Map, Value, json};

use super::{TileQuery, TileRequest, TileState, format::TileFormat, named, position, send};
use crate::{
    features::{
        describe::{field_title, layer_title, link, self_links},
        landing::PageQuery,
    },
    hash::hash_of,
    http::{
        base::{BaseUrl, query_with, segment},
        html::{self, Page, say},
        negotiate::Representation,
        parameters::{REPRESENTATION, Raw},
        params::Params,
        problem::Problem,
        query::{Declared, Nested, Parameter, query},
        request::{HandlerResult, Rejection, RequestContext, catalogue},
        response::{JSON, SCHEMA},
    },
    maps::{CityMapTilesetQuery, MapTilesetQuery, ground_of, standard_style},
    styles::lists::no_style,
};

/// The relation of a link to a list of tilesets of vector tiles.
pub(crate) const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";
/// The relation of a link to a list of tilesets of maps.
pub(crate) const MAP_TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-map";
/// The relation of a link to the definition of a tile matrix set.
const TILING_SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";
/// The relation of a link to the schema of a layer.
const SCHEMA_REL: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";
const MATRIX_SET: &str = "WebMercatorQuad";
const MATRIX_SET_TITLE: &str = "Google Maps Compatible for the World";
const MATRIX_SET_URI: &str = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";
const MATRIX_SET_CRS: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";
/// Half of the width of the square world in EPSG:3857, metres.
const HALF_WORLD: f64 = PI * 6_378_137.0;
/// The side of a tile in pixels, by which scales are defined.
const TILE_PIXELS: f64 = 256.0;
/// The side of a pixel in metres, by which scale denominators are defined (OGC 17-083).
const PIXEL: f64 = 0.28e-3;

static COLLECTIONS: Parameter<Raw> = Parameter::new(
    "collections",
    "The layers in the tiles, separated by commas; all that have shapes if it is missing",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}),
        style: || json!({"style": "form", "explode": false}),
    },
);

static TILE: Nested<TileQuery> = Nested(PhantomData);
static STATE: Nested<TileState> = Nested(PhantomData);

query! {
    /// The query of a tile of the whole city.
    pub(crate) struct CityTileQuery {
        collections: Option<String> = COLLECTIONS,
        tile: TileQuery = TILE,
    }
}

query! {
    /// The query of what describes tiles of one layer.
    pub(crate) struct TilesetQuery {
        state: TileState = STATE,
        representation: Representation = REPRESENTATION,
    }
}

query! {
    /// The query of what describes tiles of the whole city.
    pub(crate) struct CityTilesetQuery {
        collections: Option<String> = COLLECTIONS,
        state: TileState = STATE,
        representation: Representation = REPRESENTATION,
    }
}

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 1] = [&COLLECTIONS];

/// Whose tiles: the path below which their tilesets are, and the layers.
struct TileOwner {
    path: String,
    title: String,
    layers: Vec<Arc<LayerSnapshot>>,
    data: TileData,
}

/// What the tiles of a tileset are.
enum TileData {
    /// Features in vector tiles.
    Vector,
    /// Pictures of a map in the style with this id and title.
    Map { style: String, title: String },
}

impl TileData {
    /// The name of the kind in descriptions of tilesets.
    fn name(&self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Map { .. } => "map",
        }
    }

    /// The media types of the tiles, with the suffixes of their addresses.
    fn kinds(&self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Vector => [(TileFormat::Mvt, ""), (TileFormat::Mlt, ".mlt")]
                .map(|(own, end)| (own.media_type(), end))
                .to_vec(),
            Self::Map { .. } => {
                [(ImageFormat::Png, ".png"), (ImageFormat::Jpeg, ".jpg"), (ImageFormat::WebP, ".webp")]
                    .map(|(own, end)| (own.media_type(), end))
                    .to_vec()
            }
        }
    }
}

impl TileOwner {
    /// The city, with the layers that `collections` names, or all that have shapes.
    fn city(context: &RequestContext, collections: Option<&str>, lang: &str) -> Result<Self, Problem> {
        let layers = city_layers(context, collections)?;
        let title = context.city_snapshot.city.profile.name.get(lang).to_owned();
        Ok(Self { path: "/api/tiles".to_owned(), title, layers, data: TileData::Vector })
    }

    /// The map that the path names: of the city or of a layer, in a style or in the standard one.
    ///
    /// # Errors
    /// 404 if there is no such layer or style.
    fn map(context: &RequestContext, collections: Option<Vec<String>>, lang: &str) -> Result<Self, Problem> {
        let named = context.path_param("styleId");
        let id = if named.is_empty() { standard_style(context) } else { named.to_owned() };
        let entry = context.app.styles.book.entry(&id).ok_or_else(|| no_style(context, &id))?;
        let title = entry.title.get(lang).to_owned();
        let style = if named.is_empty() { String::new() } else { format!("/styles/{}", segment(named)) };
        let (owner, layers, whose) = if context.path_param("layer").is_empty() {
            let name = context.city_snapshot.city.profile.name.get(lang).to_owned();
            let layers = match collections {
                Some(names) => context.layers(Some(&names.join(",")))?,
                None => catalogue(&context.city_snapshot),
            };
            ("/api".to_owned(), layers, name)
        } else {
            let layer = context.layer()?;
            let whose = layer_title(layer.layer(), lang).to_owned();
            (format!("/api/collections/{}", segment(layer.layer().id.as_str())), vec![layer], whose)
        };
        let path = format!("{owner}{style}/map/tiles");
        let data = TileData::Map { style: id, title: title.clone() };
        Ok(Self { path, title: format!("{whose} – {title}"), layers, data })
    }

    /// The layer of the path.
    fn layer(context: &RequestContext, lang: &str) -> Result<Self, Problem> {
        let layer = context.layer()?;
        let path = format!("/api/collections/{}/tiles", segment(layer.layer().id.as_str()));
        Ok(Self {
            path,
            title: layer_title(layer.layer(), lang).to_owned(),
            layers: vec![layer],
            data: TileData::Vector,
        })
    }
}

/// The layers of a tile of the city.
fn city_layers(
    context: &RequestContext,
    collections: Option<&str>,
) -> Result<Vec<Arc<LayerSnapshot>>, Problem> {
    if let Some(names) = collections {
        return named(context, names);
    }
    let with_shapes = |layer: &Arc<LayerSnapshot>| layer.layer().geometry != GeometryKind::None;
    let layers: Vec<_> = catalogue(&context.city_snapshot).into_iter().filter(with_shapes).collect();
    let max = context.app.config.limits.tile_layers_max;
    if layers.len() > max {
        let detail = format!(
            "a tile has at most {max} layers, and the city has {}; name some: collections=a,b",
            layers.len()
        );
        return Err(Problem::parameter(detail));
    }
    Ok(layers)
}

/// The handler of `GET /api/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}`.
pub(crate) async fn city_tile(mut context: RequestContext) -> HandlerResult {
    let CityTileQuery { collections, tile: query } = context.query()?;
    context.as_of(query.state.revision).await?;
    let layers = city_layers(&context, collections.as_deref())?;
    tile_of_path(context, query, layers).await
}

/// The handler of `GET /api/collections/{layer}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}`.
pub(crate) async fn layer_tile(mut context: RequestContext) -> HandlerResult {
    let query: TileQuery = context.query()?;
    context.as_of(query.state.revision).await?;
    let layers = vec![context.layer()?];
    tile_of_path(context, query, layers).await
}

/// The tile that the path names: the row comes before the column in OGC API – Tiles.
async fn tile_of_path(
    context: RequestContext,
    query: TileQuery,
    layers: Vec<Arc<LayerSnapshot>>,
) -> HandlerResult {
    let (column, format) = TileFormat::of_suffix(context.path_param("tileCol"));
    let tile = position(context.path_param("tileMatrix"), column, context.path_param("tileRow"))?;
    send(context, query, TileRequest { layers, tile, format }).await
}

/// The handler of `GET /api/tiles`.
pub(crate) async fn of_city(mut context: RequestContext) -> HandlerResult {
    let CityTilesetQuery { collections, state, representation } = context.query()?;
    context.as_of(state.revision).await?;
    let owner = TileOwner::city(&context, collections.as_deref(), representation.lang)?;
    list(&context, &owner, representation)
}

/// The handler of `GET /api/collections/{layer}/tiles`.
pub(crate) async fn of_layer(mut context: RequestContext) -> HandlerResult {
    let TilesetQuery { state, representation } = context.query()?;
    context.as_of(state.revision).await?;
    let owner = TileOwner::layer(&context, representation.lang)?;
    list(&context, &owner, representation)
}

/// The handler of `GET /api/tiles/WebMercatorQuad`.
pub(crate) async fn city_tileset(mut context: RequestContext) -> HandlerResult {
    let CityTilesetQuery { collections, state, representation } = context.query()?;
    context.as_of(state.revision).await?;
    let owner = TileOwner::city(&context, collections.as_deref(), representation.lang)?;
    tileset(&context, &owner, representation)
}

/// The handler of `GET /api/collections/{layer}/tiles/WebMercatorQuad`.
pub(crate) async fn layer_tileset(mut context: RequestContext) -> HandlerResult {
    let TilesetQuery { state, representation } = context.query()?;
    context.as_of(state.revision).await?;
    let owner = TileOwner::layer(&context, representation.lang)?;
    tileset(&context, &owner, representation)
}

/// The map whose tiles a request describes.
async fn map_owner(context: &mut RequestContext) -> Result<(TileOwner, Representation), Rejection> {
    let (query, collections) = if context.path_param("layer").is_empty() {
        let CityMapTilesetQuery { collections, tileset } = context.query()?;
        (tileset, collections)
    } else {
        (context.query()?, None)
    };
    let MapTilesetQuery { drawn, look, representation } = query;
    // The addresses of the tiles carry it.
    ground_of(&drawn.ground)?;
    context.as_of(look.state.revision).await?;
    let owner = TileOwner::map(context, collections, representation.lang)?;
    Ok((owner, representation))
}

/// The handler of the lists of map tilesets, `…/map/tiles`.
pub(crate) async fn of_map(mut context: RequestContext) -> HandlerResult {
    let (owner, representation) = map_owner(&mut context).await?;
    list(&context, &owner, representation)
}

/// The handler of the map tilesets, `…/map/tiles/WebMercatorQuad`.
pub(crate) async fn map_tileset(mut context: RequestContext) -> HandlerResult {
    let (owner, representation) = map_owner(&mut context).await?;
    tileset(&context, &owner, representation)
}

/// The parameters of a request that the addresses of its tiles keep: the layers and the state of the city.
fn kept(given: &Params, format: Option<&str>) -> String {
    query_with(given, &[("f", format), ("lang", None)])
}

/// The links of a tileset: to itself, to the tile matrix set, and the templates of its tiles.
fn tileset_links(context: &RequestContext, owner: &TileOwner) -> Vec<Value> {
    let base = context.base();
    let path = format!("{}/{MATRIX_SET}", owner.path);
    let mut links = self_links(&base, &path, |format| kept(&context.given, Some(format)), JSON);
    let definition = base.url(&format!("/api/tileMatrixSets/{MATRIX_SET}?f=json"));
    links.push(link(TILING_SCHEME, JSON, MATRIX_SET, definition));
    let query = match owner.data {
        TileData::Vector => kept(&context.given, None),
        // The labels of a map have a language.
        TileData::Map { .. } => query_with(&context.given, &[("f", None)]),
    };
    for (kind, suffix) in owner.data.kinds() {
        let href = base.url(&format!("{path}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{suffix}{query}"));
        let mut template = link("item", kind, "The tiles", href);
        template["templated"] = true.into();
        links.push(template);
    }
    links
}

/// What a list of tilesets says of each of them.
fn summary(context: &RequestContext, owner: &TileOwner) -> Value {
    let mut summary = json!({
        "title": owner.title,
        "dataType": owner.data.name(),
        "crs": MATRIX_SET_CRS,
        "tileMatrixSetId": MATRIX_SET,
        "tileMatrixSetURI": MATRIX_SET_URI,
        "links": tileset_links(context, owner),
    });
    if let TileData::Map { style, title } = &owner.data {
        summary["style"] = json!({"id": style, "title": title});
    }
    summary
}

fn list(context: &RequestContext, owner: &TileOwner, representation: Representation) -> HandlerResult {
    let etag = etag(context, representation);
    context.check_if_none_match(&etag)?;
    let links = self_links(&context.base(), &owner.path, |format| kept(&context.given, Some(format)), JSON);
    let document = json!({"links": links, "tilesets": [summary(context, owner)]});
    let title = format!("{} – {}", owner.title, say(representation.lang, "bộ ô bản đồ", "tilesets"));
    Ok(shown(context, representation, &title, &etag, &document))
}

fn tileset(context: &RequestContext, owner: &TileOwner, representation: Representation) -> HandlerResult {
    let etag = etag(context, representation);
    context.check_if_none_match(&etag)?;
    let mut document = summary(context, owner);
    if matches!(owner.data, TileData::Vector) {
        let layers = owner.layers.iter().map(|layer| described(layer, &context.base(), representation.lang));
        document["layers"] = layers.collect::<Vec<_>>().into();
    }
    if let Some(extent) = owner.layers.iter().filter_map(|layer| layer.extent()).reduce(Bbox::union) {
        document["boundingBox"] = json!({"lowerLeft": extent.min, "upperRight": extent.max, "crs": CRS84});
        document["tileMatrixSetLimits"] = limits(&extent).into();
    }
    Ok(shown(context, representation, &owner.title, &etag, &document))
}

/// The ETag of a description, which depends on the parameters too.
fn etag(context: &RequestContext, representation: Representation) -> String {
    let given = hash_of(&kept(&context.given, None));
    format!("{}-{given:x}\"", context.etag(representation).trim_end_matches('"'))
}

fn shown(
    context: &RequestContext,
    representation: Representation,
    title: &str,
    etag: &str,
    document: &Value,
) -> Response {
    html::reply(context, &Page { representation, title, kind: JSON, etag }, document).into_response()
}

/// A layer of a tileset.
fn described(snapshot: &LayerSnapshot, base: &BaseUrl, lang: &str) -> Value {
    let layer = snapshot.layer();
    let path = format!("/api/collections/{}", segment(layer.id.as_str()));
    let fields = vector_layer(snapshot)["fields"].take();
    let public = visible(layer, &Audience::Public);
    let property = |(name, kind): (&String, &Value)| {
        let kind = match kind.as_str() {
            Some("Number") => "number",
            Some("Boolean") => "boolean",
            _ => "string",
        };
        let mut schema = json!({"type": kind});
        if let Some((_, field)) = public.get(name) {
            schema["title"] = field_title(field, lang).into();
        }
        (name.clone(), schema)
    };
    let properties: Map<String, Value> = fields.as_object().into_iter().flatten().map(property).collect();
    let mut described = json!({
        "id": layer.id.as_str(),
        "title": layer_title(layer, lang),
        "dataType": "vector",
        "minTileMatrix": "0",
        "maxTileMatrix": MAX_ZOOM.to_string(),
        "propertiesSchema": {"type": "object", "properties": properties},
        "links": [link(SCHEMA_REL, SCHEMA, "Schema of the fields", base.url(&format!("{path}/schema")))],
    });
    let dimension = match layer.geometry {
        GeometryKind::Point => Some(0),
        GeometryKind::Line => Some(1),
        GeometryKind::Polygon => Some(2),
        GeometryKind::Mixed | GeometryKind::None => None,
    };
    if let Some(dimension) = dimension {
        described["geometryDimension"] = dimension.into();
    }
    described
}

/// The rows and columns of each tile matrix in which there are features.
fn limits(extent: &Bbox) -> Vec<Value> {
    let ranges = (0..=MAX_ZOOM).filter_map(|zoom| touched_tiles(extent, zoom, 0).ok());
    ranges
        .map(|range| {
            json!({
                "tileMatrix": range.z().to_string(),
                "minTileRow": range.y().start(), "maxTileRow": range.y().end(),
                "minTileCol": range.x().start(), "maxTileCol": range.x().end(),
            })
        })
        .collect()
}

/// The handler of `GET /api/tileMatrixSets`.
pub(crate) async fn matrix_sets(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let base = context.base();
    let links = self_links(&base, "/api/tileMatrixSets", |format| format!("?f={format}"), JSON);
    let path = format!("/api/tileMatrixSets/{MATRIX_SET}");
    let set = json!({
        "id": MATRIX_SET, "title": MATRIX_SET_TITLE, "uri": MATRIX_SET_URI, "crs": MATRIX_SET_CRS,
        "links": self_links(&base, &path, |format| format!("?f={format}"), JSON),
    });
    let document = json!({"links": links, "tileMatrixSets": [set]});
    let title = say(representation.lang, "Các lưới ô bản đồ", "Tile matrix sets");
    Ok(shown(&context, representation, title, &etag, &document))
}

/// The handler of `GET /api/tileMatrixSets/WebMercatorQuad`: the definition of OGC 17-083, two-dimensional
/// tile matrix sets.
pub(crate) async fn matrix_set(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let matrices: Vec<Value> = (0..=MAX_ZOOM).map(matrix).collect();
    let document = json!({
        "id": MATRIX_SET,
        "title": MATRIX_SET_TITLE,
        "uri": MATRIX_SET_URI,
        "crs": MATRIX_SET_CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    });
    Ok(shown(&context, representation, MATRIX_SET, &etag, &document))
}

/// The tile matrix of one zoom level.
fn matrix(zoom: u8) -> Value {
    let count = 1_u32 << zoom;
    let cell = 2.0 * HALF_WORLD / (TILE_PIXELS * f64::from(count));
    json!({
        "id": zoom.to_string(),
        "scaleDenominator": cell / PIXEL,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-HALF_WORLD, HALF_WORLD],
        "tileWidth": TILE_PIXELS as u32,
        "tileHeight": TILE_PIXELS as u32,
        "matrixWidth": count,
        "matrixHeight": count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrices_are_those_of_the_registered_set() {
        let first = matrix(0);
        let near = |value: &Value, wanted: f64| (value.as_f64().unwrap() / wanted - 1.0).abs() < 1e-9;
        assert!(near(&first["scaleDenominator"], 559_082_264.028_717_2));
        assert!(near(&first["cellSize"], 156_543.033_928_041));
        assert!(near(&first["pointOfOrigin"][1], 20_037_508.342_789_2));
        assert_eq!(matrix(18)["matrixWidth"], 262_144);
    }

    #[test]
    fn the_limits_hold_the_tiles_of_the_extent() {
        let extent = Bbox { min: [106.69, 10.76], max: [106.70, 10.78] };
        let limits = limits(&extent);
        assert_eq!(limits.len(), usize::from(MAX_ZOOM) + 1);
        assert_eq!(
            limits[0],
            json!({"tileMatrix": "0", "minTileRow": 0, "maxTileRow": 0, "minTileCol": 0, "maxTileCol": 0})
        );
        let middle = citymap_tile::TileId::at([106.695, 10.77], 16).unwrap();
        let at = |name: &str| limits[16][name].as_u64().unwrap();
        assert!((at("minTileRow")..=at("maxTileRow")).contains(&u64::from(middle.y())));
        assert!((at("minTileCol")..=at("maxTileCol")).contains(&u64::from(middle.x())));
    }
}
