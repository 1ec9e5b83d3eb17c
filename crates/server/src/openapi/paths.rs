//! The paths of the OpenAPI document. Each layer has paths of its own, so that they list its fields.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::LayerSnapshot;
use citymap_tile::MAX_ZOOM;
use serde_json::{Map, Value, json};

use super::{
    OpenApiQuery, edits,
    parameters::{field, path_parameter, shared_ref},
};
use crate::{
    changes::{events::EventsQuery, history::HistoryQuery, pages::ChangesQuery},
    config::Limits,
    features::{
        describe::layer_title,
        items::{ItemQuery, ItemsQuery},
        landing::{LayerQuery, OPENAPI_31, PageQuery},
        schema::SchemaQuery,
    },
    http::{
        base::{BaseUrl, segment},
        parameters::MIN_REVISION,
        query::Query,
        response::{GEOJSON, JSON, SCHEMA},
    },
    maps::{
        CityMapQuery, CityMapTileQuery, CityMapTilesetQuery, MapFormat, MapQuery, MapTileQuery,
        MapTilesetQuery,
    },
    questions::{
        at::AtQuery,
        near::NearQuery,
        search::SearchParameters,
        transform::TransformQuery,
        within::{WithinBoxQuery, WithinQuery},
    },
    styles::{CollectionStyleQuery, LegendQuery, MAPBOX_STYLE, StyleQuery},
    tiles::{
        TileJsonQuery, TileQuery,
        tilesets::{CityTileQuery, CityTilesetQuery, TilesetQuery},
    },
};

/// The media types of tiles, chosen by `Accept` or by the suffix of the address.
const TILE_KINDS: [&str; 2] = ["application/vnd.mapbox-vector-tile", "application/vnd.maplibre-tile"];

/// The group in which a reader of the document finds an operation.
#[derive(Clone, Copy)]
enum Tag {
    Features,
    Questions,
    Tiles,
    Maps,
    Styles,
    Changes,
    Health,
}

impl Tag {
    fn as_str(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Questions => "questions",
            Self::Tiles => "tiles",
            Self::Maps => "maps",
            Self::Styles => "styles",
            Self::Changes => "changes",
            Self::Health => "health",
        }
    }
}

/// An operation: its group, its id, its summary and its parameters.
struct Operation {
    tag: Tag,
    id: String,
    summary: String,
    parameters: Vec<Value>,
}

/// An operation without query parameters.
fn plain(tag: Tag, id: impl Into<String>, summary: impl Into<String>) -> Operation {
    Operation { tag, id: id.into(), summary: summary.into(), parameters: Vec::new() }
}

/// An operation with the parameters of a query.
fn operation<Q: Query>(tag: Tag, id: impl Into<String>, summary: impl Into<String>) -> Operation {
    let parameters = Q::declared().into_iter().map(shared_ref).collect();
    Operation { parameters, ..plain(tag, id, summary) }
}

impl Operation {
    fn with(mut self, parameter: Value) -> Self {
        self.parameters.insert(0, parameter);
        self
    }

    /// The operation with its answer, which has no page: a media type and a schema.
    fn gives_only(self, kind: &str, schema: &str) -> Value {
        self.answers(&json!({kind: {"schema": {"$ref": format!("#/components/schemas/{schema}")}}}))
    }

    /// The operation with its answer, which is a page too: a media type and a schema.
    fn gives(self, kind: &str, schema: &str) -> Value {
        self.answers(&json!({
            kind: {"schema": {"$ref": format!("#/components/schemas/{schema}")}},
            "text/html": {"schema": {"type": "string"}},
        }))
    }

    fn bytes(self, kinds: &[&str]) -> Value {
        let schema = |kind: &str| match kind {
            JSON => json!({"schema": {"type": "object"}}),
            _ => json!({"schema": {"type": "string", "format": "binary"}}),
        };
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), schema(kind))).collect();
        let mut operation = self.answers(&content.into());
        operation["responses"]["204"] = json!({"description": "The tile is empty"});
        operation
    }

    /// The operation with its answer, which is a picture of one of these media types.
    fn pictures(self, kinds: &[&str]) -> Value {
        let schema = json!({"schema": {"type": "string", "format": "binary"}});
        let kinds = kinds.iter().map(|kind| ((*kind).to_owned(), schema.clone()));
        self.answers(&Map::from_iter(kinds).into())
    }

    /// The operation with its answer, which is a picture, and the headers that say where it is.
    fn picture(self) -> Value {
        let mut operation = self.pictures(&MapFormat::ALL.map(MapFormat::media_type));
        let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
        let headers = &mut operation["responses"]["200"]["headers"];
        headers["Content-Bbox"] = text("The box of the picture, in the system of `Content-Crs`");
        headers["Content-Crs"] = text("The system of the picture; CRS84 if it is missing");
        operation["responses"]["413"] = json!({"$ref": "#/components/responses/problem"});
        operation
    }

    fn answers(self, content: &Value) -> Value {
        json!({
            "tags": [self.tag.as_str()], "operationId": self.id, "summary": self.summary,
                "parameters": self.parameters,
            "responses": {
                "200": {
                    "description": "The answer",
                    "headers": {"Citymap-Revision": {"description": "The data's \
                        revision", "schema": {"type": "integer"}}},
                    "content": content,
                },
                "304": {"$ref": "#/components/responses/unchanged"},
                "default": {"$ref": "#/components/responses/problem"},
            },
        })
    }
}

/// All paths, relative to `/api`; those outside of it name their server.
pub(super) fn all(layers: &[Arc<LayerSnapshot>], limits: &Limits, base: &BaseUrl, writing: bool) -> Value {
    let mut paths = Map::new();
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    let page = |id: &str, summary: &str| operation::<PageQuery>(Tag::Features, id, summary);
    get("/", page("landing", "Landing page").gives(JSON, "landingPage"));
    get("/conformance", page("conformance", "Standards that are met").gives(JSON, "conformance"));
    get("/functions", page("getFunctions", "Functions that filters may call").gives(JSON, "functions"));
    let openapi = operation::<OpenApiQuery>(Tag::Features, "openapi", "This document");
    get("/openapi.json", openapi.gives(OPENAPI_31, "schema"));
    let collections = operation::<LayerQuery>(Tag::Features, "collections", "The layers");
    get("/collections", collections.gives(JSON, "collections"));
    for snapshot in layers {
        of_layer(&mut paths, snapshot, writing);
    }
    tilesets(&mut paths);
    styles(&mut paths);
    questions(&mut paths, limits);
    super::jobs::paths(&mut paths, layers, limits);
    feed(&mut paths);
    if writing && let Some(changes) = paths.get_mut("/changes") {
        changes["post"] = edits::batch(limits);
    }
    outside(&mut paths, layers, base);
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        refusals(operation);
    }
    paths.into()
}

/// Adds the refusals that have causes outside of the request's own content, which every operation may answer
/// with: a client that has its share, a server that is busy, and for bodies their size and type.
fn refusals(operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut add = |status: &str, name: &str| {
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        responses.entry(status).or_insert(reference);
    };
    add("429", "busy");
    add("503", "busy");
    if has_body {
        add("413", "problem");
        add("415", "problem");
    }
}

fn of_layer(paths: &mut Map<String, Value>, snapshot: &LayerSnapshot, writing: bool) {
    let layer = snapshot.layer();
    let (id, title) = (layer.id.as_str(), layer_title(layer, "en"));
    let path = format!("/collections/{id}");
    let mut get =
        |tail: &str, operation: Value| paths.insert(format!("{path}{tail}"), json!({"get": operation}));
    let of = |what: &str| format!("{id}.{what}");
    let says = |what: &str| format!("{title}: {what}");
    let described = operation::<LayerQuery>(Tag::Features, of("collection"), says("what it is"));
    get("", described.gives(JSON, "collection"));
    let fields = operation::<SchemaQuery>(Tag::Features, of("schema"), says("schema of the fields"));
    get("/schema", fields.gives(SCHEMA, "schema"));
    for (path, id, summary) in [
        ("/queryables", "queryables", "fields to filter by"),
        ("/feature-schema", "featureSchema", "schema of a feature"),
        ("/gdal-schema", "gdalSchema", "schema of a feature in which null counts as absent, for GDAL"),
    ] {
        get(path, operation::<PageQuery>(Tag::Features, of(id), says(summary)).gives(SCHEMA, "schema"));
    }
    let mut items = operation::<ItemsQuery>(Tag::Features, of("items"), says("features"));
    let known: Vec<&str> = ItemsQuery::declared().iter().map(|parameter| parameter.name()).collect();
    let fields = visible(layer, &Audience::Public).iter();
    let filters = fields.filter(|(_, field)| !known.contains(&field.name.as_str()));
    items.parameters.extend(filters.map(|(_, own)| field(own)));
    let mut bulk = operation::<ItemsQuery>(Tag::Features, of("bulkItems"), says("features, many a page"));
    bulk.parameters.clone_from(&items.parameters);
    for (path, operation) in [("/items", items), ("/bulk-items", bulk)] {
        let mut operation = operation.gives(GEOJSON, "featureCollection");
        // With `explain=true`.
        let explanation = json!({"schema": {"$ref": "#/components/schemas/explanation"}});
        operation["responses"]["200"]["content"][JSON] = explanation;
        get(path, operation);
    }
    let example = snapshot.rows().next().map_or_else(|| "1".to_owned(), |row| snapshot.id(row).to_string());
    let own_id =
        path_parameter("id", "The feature's id", json!({"type": "string", "minLength": 1}), example.into());
    let item = operation::<ItemQuery>(Tag::Features, of("item"), says("one feature")).with(own_id.clone());
    get("/items/{id}", item.gives(GEOJSON, "feature"));
    let item =
        operation::<ItemQuery>(Tag::Features, of("bulkItem"), says("one feature")).with(own_id.clone());
    get("/bulk-items/{id}", item.gives(GEOJSON, "feature"));
    let history =
        operation::<HistoryQuery>(Tag::Features, of("history"), says("the versions of one feature"))
            .with(own_id.clone());
    get("/items/{id}/history", history.gives(JSON, "history"));
    let vector = |what: &str| of(&format!("collection.vector.{what}"));
    let list = operation::<TilesetQuery>(Tag::Tiles, vector("getTileSetsList"), says("the tilesets"));
    get("/tiles", list.gives(JSON, "tilesets"));
    let tileset = operation::<TilesetQuery>(Tag::Tiles, vector("getTileSet"), says("what its tiles are"));
    get(TILESET, tileset.gives(JSON, "tileset"));
    let tile = operation::<TileQuery>(Tag::Tiles, vector("getTile"), says("a vector tile"));
    get(&format!("{TILESET}{TILE_OF_MATRIX}"), of_matrix(tile).bytes(&TILE_KINDS));
    let map = operation::<MapQuery>(Tag::Maps, of("collection.map.getMap"), says("a picture of it"));
    get("/map", map.picture());
    let map =
        operation::<MapQuery>(Tag::Maps, of("collection.style.map.getMap"), says("a picture in a style"));
    get("/styles/{styleId}/map", map.with(style_id()).picture());
    map_tiles::<MapTileQuery, MapTilesetQuery>(&mut get, "/map", &of("collection.map"), title);
    let (path, id) = ("/styles/{styleId}/map", of("collection.style.map"));
    map_tiles::<MapTileQuery, MapTilesetQuery>(&mut get, path, &id, title);
    let list = operation::<LayerQuery>(Tag::Styles, of("getStyles"), says("the styles that draw it"));
    get("/styles", list.gives(JSON, "styles"));
    let style = operation::<CollectionStyleQuery>(Tag::Styles, of("getStyle"), says("a style of it alone"));
    get("/styles/{styleId}", style.with(style_id()).answers(&style_content()));
    if writing {
        edits::of_layer(paths, layer, &own_id);
    }
}

/// The path of a tileset below its owner.
const TILESET: &str = "/tiles/WebMercatorQuad";
/// The path of a tile below its tileset.
const TILE_OF_MATRIX: &str = "/{tileMatrix}/{tileRow}/{tileCol}";

/// The media types of map tiles.
const PICTURE_KINDS: [&str; 3] = ["image/png", "image/jpeg", "image/webp"];

/// The tilesets of a map below its path, whose operations begin with `id`.
fn map_tiles<T: Query, S: Query>(
    get: &mut impl FnMut(&str, Value) -> Option<Value>,
    path: &str,
    id: &str,
    whose: &str,
) {
    let styled = |operation: Operation| {
        if path.contains("{styleId}") { operation.with(style_id()) } else { operation }
    };
    let described = |what: &str, summary: &str| {
        styled(operation::<S>(Tag::Maps, format!("{id}.{what}"), format!("{whose}: {summary}")))
    };
    let list = described("getTileSetsList", "the tilesets of its map");
    get(&format!("{path}/tiles"), list.gives(JSON, "tilesets"));
    let tileset = described("getTileSet", "what the tiles of its map are");
    get(&format!("{path}{TILESET}"), tileset.gives(JSON, "tileset"));
    let tile = operation::<T>(Tag::Maps, format!("{id}.getTile"), format!("{whose}: a tile of its map"));
    get(&format!("{path}{TILESET}{TILE_OF_MATRIX}"), styled(of_matrix(tile)).pictures(&PICTURE_KINDS));
}

/// The tilesets of the city, and the tile matrix set of all.
fn tilesets(paths: &mut Map<String, Value>) {
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    let vector = |what: &str| format!("dataset.vector.{what}");
    let described = |id: &str, summary: &str| operation::<CityTilesetQuery>(Tag::Tiles, vector(id), summary);
    get("/tiles", described("getTileSetsList", "The tilesets of all layers").gives(JSON, "tilesets"));
    get(TILESET, described("getTileSet", "What the tiles of all layers are").gives(JSON, "tileset"));
    let tile =
        operation::<CityTileQuery>(Tag::Tiles, vector("getTile"), "A vector tile of all layers, or some");
    get(&format!("{TILESET}{TILE_OF_MATRIX}"), of_matrix(tile).bytes(&TILE_KINDS));
    let sets = operation::<PageQuery>(Tag::Tiles, "getTileMatrixSetsList", "The tile matrix sets");
    get("/tileMatrixSets", sets.gives(JSON, "schema"));
    let set = operation::<PageQuery>(Tag::Tiles, "getTileMatrixSet", "The tile matrix set of all tiles");
    get("/tileMatrixSets/WebMercatorQuad", set.gives(JSON, "schema"));
}

/// The styles of the city.
fn styles(paths: &mut Map<String, Value>) {
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    let list = operation::<PageQuery>(Tag::Styles, "getStyles", "The styles of the map");
    get("/styles", list.gives(JSON, "styles"));
    let style = operation::<StyleQuery>(Tag::Styles, "getStyle", "A style of the map");
    get("/styles/{styleId}", style.with(style_id()).answers(&style_content()));
    let map = operation::<CityMapQuery>(Tag::Maps, "dataset.map.getMap", "A picture of the city");
    get("/map", map.picture());
    let map = operation::<CityMapQuery>(Tag::Maps, "style.map.getMap", "A picture of the city in a style");
    get("/styles/{styleId}/map", map.with(style_id()).picture());
    map_tiles::<CityMapTileQuery, CityMapTilesetQuery>(&mut get, "/map", "dataset.map", "The city");
    let path = "/styles/{styleId}/map";
    map_tiles::<CityMapTileQuery, CityMapTilesetQuery>(&mut get, path, "style.map", "The city in a style");
    let legend = operation::<LegendQuery>(Tag::Styles, "getStyleLegend", "What a style draws at a zoom");
    let mut legend = legend.with(style_id()).gives(JSON, "legend");
    let picture = json!({"schema": {"type": "string", "format": "binary"}});
    for kind in [MapFormat::Png, MapFormat::Svg] {
        legend["responses"]["200"]["content"][kind.media_type()] = picture.clone();
    }
    legend["responses"]["413"] = json!({"$ref": "#/components/responses/problem"});
    get("/styles/{styleId}/legend", legend);
    let metadata = operation::<PageQuery>(Tag::Styles, "getStyleMetadata", "What a style is");
    get("/styles/{styleId}/metadata", metadata.with(style_id()).gives(JSON, "styleDescription"));
}

fn style_id() -> Value {
    let schema = json!({"type": "string", "minLength": 1});
    path_parameter("styleId", "The id of a style", schema, "cadastre".into())
}

/// A style, under its own media type or as any JSON, or a page.
fn style_content() -> Value {
    let style = json!({"schema": {"$ref": "#/components/schemas/style"}});
    json!({MAPBOX_STYLE: style, JSON: style, "text/html": {"schema": {"type": "string"}}})
}

/// A tile with the names that OGC API – Tiles gives to the parameters of its path.
fn of_matrix(operation: Operation) -> Operation {
    let matrix: Vec<String> = (0..=MAX_ZOOM).map(|zoom| zoom.to_string()).collect();
    let matrix = json!({"type": "string", "enum": matrix});
    operation.with(tile_index("tileCol", "Column")).with(tile_index("tileRow", "Row")).with(path_parameter(
        "tileMatrix",
        "Zoom level",
        matrix,
        "0".into(),
    ))
}

fn zoom() -> Value {
    path_parameter("z", "Zoom", json!({"type": "integer", "minimum": 0, "maximum": MAX_ZOOM}), 0.into())
}

fn tile_index(name: &str, what: &str) -> Value {
    let description = format!("{what}, from 0 to 2^z - 1");
    let schema = json!({"type": "integer", "minimum": 0, "maximum": (1 << MAX_ZOOM) - 1});
    path_parameter(name, &description, schema, 0.into())
}

fn questions(paths: &mut Map<String, Value>, limits: &Limits) {
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    let at = operation::<AtQuery>(Tag::Questions, "at", "What is here, on every layer?");
    get("/at", at.gives(JSON, "at"));
    let near = operation::<NearQuery>(Tag::Questions, "near", "The features nearest to here");
    get("/near", near.gives(GEOJSON, "featureCollection"));
    let search = operation::<SearchParameters>(
        Tag::Questions,
        "search",
        "Places by name, key, address or coordinates",
    );
    get("/search", search.gives(JSON, "search"));
    let transform = operation::<TransformQuery>(Tag::Questions, "transform", "A position in other systems");
    get("/transform", transform.gives(JSON, "transform"));
    let by_box = operation::<WithinBoxQuery>(Tag::Questions, "withinBox", "What is in this box?")
        .gives(JSON, "within");
    let mut by_area =
        operation::<WithinQuery>(Tag::Questions, "withinArea", "What is in this area?").gives(JSON, "within");
    let area = json!({"schema": {"$ref": "#/components/schemas/geometry"}, "example": {
        "type": "Polygon", "coordinates": [[[106.69, 10.77], [106.7, 10.77], [106.7, 10.78],
            [106.69, 10.77]]],
    }});
    by_area["requestBody"] = json!({
        "required": true,
        "description": format!(
            "A GeoJSON Polygon or MultiPolygon, a Feature, or {{\"geometry\": …}}; at most {} vertices and \
                {} bytes",
            limits.within_vertices_max, limits.body_bytes_max
        ),
        "content": {"application/geo+json": area, "application/json": area},
    });
    paths.insert("/within".to_owned(), json!({"get": by_box, "post": by_area}));
}

fn feed(paths: &mut Map<String, Value>) {
    let changes =
        operation::<ChangesQuery>(Tag::Changes, "changes", "What each revision changed, oldest first");
    let mut events =
        operation::<EventsQuery>(Tag::Changes, "events", "The same as it happens, as server-sent events")
            .answers(&super::feed::stream());
    events["description"] = super::feed::STREAM.into();
    paths.insert("/changes".to_owned(), json!({"get": changes.gives(JSON, "changes")}));
    paths.insert("/events".to_owned(), json!({"get": events}));
}

/// The paths outside `/api`.
fn outside(paths: &mut Map<String, Value>, layers: &[Arc<LayerSnapshot>], base: &BaseUrl) {
    let example =
        layers.first().map_or_else(|| "parcels".to_owned(), |snapshot| segment(snapshot.layer().id.as_str()));
    let text = || json!({"type": "string", "minLength": 1});
    let names = || path_parameter("layers", "Layers, separated by commas", text(), example.clone().into());
    let position = |operation: Operation| {
        operation
            .with(tile_index("y", "Row, from the north"))
            .with(tile_index("x", "Column, from the west"))
            .with(zoom())
    };
    let mut get = |path: &str, operation: Value| {
        paths.insert(path.to_owned(), json!({"servers": [{"url": base.url("")}], "get": operation}));
    };
    let tile = position(operation::<TileQuery>(Tag::Tiles, "tile", "A vector tile of any layers"));
    get("/tiles/{layers}/{z}/{x}/{y}", tile.with(names()).bytes(&TILE_KINDS));
    let described =
        operation::<TileJsonQuery>(Tag::Tiles, "tilejson", "What the tiles contain (TileJSON 3.0)");
    get("/tiles/{layers}.json", described.with(names()).gives_only(JSON, "tilejson"));
    let mut archives = plain(Tag::Tiles, "archives", "Baked tiles: the PMTiles archives");
    archives.parameters.push(shared_ref(&MIN_REVISION));
    get("/archives", archives.gives_only(JSON, "schema"));
    let file = plain(
        Tag::Tiles,
        "archive",
        "A whole archive (.pmtiles, by ranges), or what it contains (.json, TileJSON 3.0)",
    )
    .with(path_parameter("file", "The name of an archive with a suffix", text(), "city.pmtiles".into()));
    get("/archives/{file}", file.bytes(&["application/vnd.pmtiles", JSON]));
    let mut baked = plain(Tag::Tiles, "archivedTile", "A tile of an archive");
    baked.parameters.push(shared_ref(&MIN_REVISION));
    let baked = position(baked).with(path_parameter("name", "An archive", text(), "city".into()));
    get("/archives/{name}/{z}/{x}/{y}", baked.bytes(&TILE_KINDS));
    let stack = "BeVietnamPro-Regular".into();
    let glyphs = plain(Tag::Tiles, "glyphs", "Glyphs of a font")
        .with(path_parameter("range", "256 characters", text(), "0-255.pbf".into()))
        .with(path_parameter("fontstack", "Fonts, separated by commas", text(), stack));
    get("/fonts/{fontstack}/{range}", glyphs.bytes(&["application/x-protobuf"]));
    let file = |example: &str| path_parameter("file", "A file", text(), example.into());
    let sprite = plain(Tag::Tiles, "sprite", "The map's symbols").with(file("citymap.json"));
    get("/sprites/{file}", sprite.bytes(&["image/png", JSON]));
    let style = plain(Tag::Tiles, "style", "The map's colours").with(file("look.json"));
    get("/styles/{file}", style.gives_only(JSON, "schema"));
    let live = plain(Tag::Health, "live", "200 while the process runs");
    get("/health/live", live.gives_only(JSON, "health"));
    let ready = plain(Tag::Health, "ready", "200 when the city is served");
    get("/health/ready", ready.gives_only(JSON, "health"));
    let load = plain(Tag::Health, "load", "What the server holds and does now, next to its bounds");
    get("/health/load", load.gives_only(JSON, "load"));
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Uri};
    use citymap_engine::SnapshotBuilder;
    use citymap_model::{GeometryKind, Layer, Role, Title};

    use super::*;
    use crate::routes::routes;

    #[test]
    fn the_document_holds_every_route_and_no_other() {
        let layer = Layer::new(
            "parcels".parse().unwrap(),
            Title::same("Parcels"),
            Role::Parcel,
            GeometryKind::Polygon,
        );
        let layers = [Arc::new(SnapshotBuilder::new(layer).finish(1))];
        let base = BaseUrl::of(None, &HeaderMap::new(), &Uri::default());
        let document = all(&layers, &Limits::default(), &base, true);
        let mut documented: Vec<String> = document
            .as_object()
            .unwrap()
            .iter()
            .map(
                |(path, item)| {
                    if item.get("servers").is_some() { path.clone() } else { format!("/api{path}") }
                },
            )
            .map(|path| path.trim_end_matches('/').to_owned())
            .collect();
        let mut served: Vec<String> = routes()
            .into_iter()
            .map(|(path, _)| match path.as_str() {
                // One segment to the router; its ending is part of the name.
                "/tiles/{layers}" => "/tiles/{layers}.json".to_owned(),
                path => path.replace("/{layer}", "/parcels"),
            })
            .collect();
        documented.sort();
        served.sort();
        assert_eq!(documented, served);
        assert!(document["/within"]["post"].is_object());
    }
}
