//! Paths: one by one for each layer, so that each has its own fields.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::LayerSnapshot;
use serde_json::{Map, Value, json};

use super::{
    edits,
    parameters::{field, place, shared_ref},
};
use crate::{
    config::Limits,
    features::{describe::layer_title, items::KNOWN},
    http::{
        base::{BaseUrl, segment},
        response::{GEOJSON, SCHEMA},
    },
};

/// What says which state of the city a question is about.
const STATE: [&str; 3] = ["datetime", "revision", "min-revision"];
/// What a tile may be, by `Accept` or the address's end.
const TILE_KINDS: [&str; 2] = ["application/vnd.mapbox-vector-tile", "application/vnd.maplibre-tile"];
/// The parameters of a tile.
const TILE: [&str; 4] = ["rev", "datetime", "revision", "min-revision"];

/// What an operation does: its tag, its name, what it says of itself, its parameters.
struct Operation<'a> {
    tag: &'a str,
    id: String,
    summary: String,
    parameters: Vec<Value>,
}

fn operation(
    tag: &str,
    id: impl Into<String>,
    summary: impl Into<String>,
    shared: &[&str],
) -> Operation<'static> {
    let tag = match tag {
        "features" => "features",
        "questions" => "questions",
        "tiles" => "tiles",
        "changes" => "changes",
        _ => "health",
    };
    Operation {
        tag,
        id: id.into(),
        summary: summary.into(),
        parameters: shared.iter().map(|name| shared_ref(name)).collect(),
    }
}

impl Operation<'_> {
    fn with(mut self, parameter: Value) -> Self {
        self.parameters.insert(0, parameter);
        self
    }

    /// The operation with what a good answer is: its media type and its schema.
    fn gives(self, kind: &str, schema: &str) -> Value {
        self.answers(&json!({
            kind: {"schema": {"$ref": format!("#/components/schemas/{schema}")}},
            "text/html": {"schema": {"type": "string"}},
        }))
    }

    fn bytes(self, kinds: &[&str]) -> Value {
        let binary = json!({"schema": {"type": "string", "format": "binary"}});
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), binary.clone())).collect();
        let mut operation = self.answers(&content.into());
        operation["responses"]["204"] = json!({"description": "Nothing lies in this tile"});
        operation
    }

    fn answers(self, content: &Value) -> Value {
        json!({
            "tags": [self.tag], "operationId": self.id, "summary": self.summary, "parameters": self.parameters,
            "responses": {
                "200": {
                    "description": "The answer",
                    "headers": {"Citymap-Revision": {"description": "The data's revision", "schema": {"type": "integer"}}},
                    "content": content,
                },
                "304": {"$ref": "#/components/responses/unchanged"},
                "default": {"$ref": "#/components/responses/problem"},
            },
        })
    }
}

/// All paths, relative to `/api`; those outside of it say so.
pub(super) fn all(layers: &[Arc<LayerSnapshot>], limits: &Limits, base: &BaseUrl) -> Value {
    let mut paths = Map::new();
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    let common = ["f", "lang"];
    let json = "application/json";
    get("/", operation("features", "landing", "Landing page", &common).gives(json, "landingPage"));
    get(
        "/conformance",
        operation("features", "conformance", "Standards kept", &common).gives(json, "conformance"),
    );
    get(
        "/openapi.json",
        operation("features", "openapi", "This document", &common)
            .gives(crate::features::landing::OPENAPI_31, "schema"),
    );
    get(
        "/collections",
        operation("features", "collections", "The layers", &common).gives(json, "collections"),
    );
    for snapshot in layers {
        of_layer(&mut paths, snapshot);
    }
    questions(&mut paths, limits);
    super::jobs::paths(&mut paths, layers);
    feed(&mut paths, limits);
    outside(&mut paths, layers, base);
    paths.into()
}

fn of_layer(paths: &mut Map<String, Value>, snapshot: &LayerSnapshot) {
    let layer = snapshot.layer();
    let (id, title) = (layer.id.as_str(), layer_title(layer, "en"));
    let path = format!("/collections/{id}");
    let common = ["f", "lang"];
    let mut get =
        |tail: &str, operation: Value| paths.insert(format!("{path}{tail}"), json!({"get": operation}));
    let named = |what: &str, say: &str, shared: &[&str]| {
        operation("features", format!("{id}.{what}"), format!("{title}: {say}"), shared)
    };
    get(
        "",
        named("collection", "what it is", &["revision", "min-revision", "f", "lang"])
            .gives("application/json", "collection"),
    );
    get("/schema", named("schema", "schema of the fields", &common).gives(SCHEMA, "schema"));
    get("/queryables", named("queryables", "fields to filter by", &common).gives(SCHEMA, "schema"));
    get("/feature-schema", named("featureSchema", "schema of a feature", &common).gives(SCHEMA, "schema"));
    let mut items = named(
        "items",
        "features",
        &[
            "bbox",
            "bbox-crs",
            "datetime",
            "limit",
            "at-least",
            "after",
            "crs",
            "revision",
            "min-revision",
            "f",
            "lang",
        ],
    );
    let fields = visible(layer, &Audience::Public)
        .iter()
        .filter(|(_, own)| !KNOWN.contains(&own.name.as_str()) && own.name != "lang");
    items.parameters.extend(fields.map(|(_, own)| field(own)));
    get("/items", items.gives(GEOJSON, "featureCollection"));
    let example = snapshot.rows().next().map_or_else(|| "1".to_owned(), |row| snapshot.id(row).to_string());
    let own_id = place("id", "The feature's id", json!({"type": "string"}), example.into());
    let item =
        named("item", "one feature", &["crs", "revision", "min-revision", "f", "lang"]).with(own_id.clone());
    get("/items/{id}", item.gives(GEOJSON, "feature"));
    let history =
        named("history", "what became of one feature", &["before", "history-limit", "crs", "f", "lang"])
            .with(own_id.clone());
    get("/items/{id}/history", history.gives("application/json", "history"));
    let tile = operation("tiles", format!("{id}.tile"), format!("{title}: a vector tile"), &TILE)
        .with(tile_place("col", "Column"))
        .with(tile_place("row", "Row"))
        .with(zoom());
    get("/tiles/WebMercatorQuad/{z}/{row}/{col}", tile.bytes(&TILE_KINDS));
    edits::of_layer(paths, layer, &own_id);
}

fn zoom() -> Value {
    place("z", "Zoom", json!({"type": "integer", "minimum": 0, "maximum": 22}), 0.into())
}

fn tile_place(name: &str, what: &str) -> Value {
    let description = format!("{what}, from 0 to 2^z - 1");
    place(name, &description, json!({"type": "integer", "minimum": 0, "maximum": (1 << 22) - 1}), 0.into())
}

fn questions(paths: &mut Map<String, Value>, limits: &Limits) {
    let json = "application/json";
    let at = ["lon", "lat", "x", "y", "question-crs"];
    let ask = |id: &str, summary: &str, more: &[&str]| {
        operation("questions", id, summary, &[more, &["f", "lang"]].concat())
    };
    let mut get = |path: &str, operation: Value| paths.insert(path.to_owned(), json!({"get": operation}));
    get(
        "/at",
        ask(
            "at",
            "What is here, on every layer?",
            &[&at[..], &["layers", "tolerance", "at-limit"], &STATE].concat(),
        )
        .gives(json, "at"),
    );
    get(
        "/near",
        ask(
            "near",
            "The features nearest to here",
            &[&at[..], &["layers", "distance", "near-limit"], &STATE].concat(),
        )
        .gives(GEOJSON, "featureCollection"),
    );
    get(
        "/search",
        ask(
            "search",
            "Places by name, key, address or coordinates",
            &[&["q", "search-limit"], &at[..]].concat(),
        )
        .gives(json, "search"),
    );
    get(
        "/transform",
        ask("transform", "A position in other systems", &[&at[..], &["to"]].concat())
            .gives(json, "transform"),
    );
    let more = ["question-crs", "layers", "features", "within-limit", "datetime", "revision", "min-revision"];
    let by_box = ask("withinBox", "What lies in this box?", &[&["area-bbox"], &more[..]].concat())
        .gives(json, "within");
    let mut by_area = ask("withinArea", "What lies in this area?", &more).gives(json, "within");
    let area = json!({"schema": {"$ref": "#/components/schemas/geometry"}, "example": {
        "type": "Polygon", "coordinates": [[[106.69, 10.77], [106.7, 10.77], [106.7, 10.78], [106.69, 10.77]]],
    }});
    by_area["requestBody"] = json!({
        "required": true,
        "description": format!(
            "A GeoJSON Polygon or MultiPolygon, a Feature, or {{\"geometry\": …}}; {} vertices and {} bytes at most",
            limits.within_vertices_max, limits.body_bytes_max
        ),
        "content": {"application/geo+json": area, "application/json": area},
    });
    paths.insert("/within".to_owned(), json!({"get": by_box, "post": by_area}));
}

/// What changed.
fn feed(paths: &mut Map<String, Value>, limits: &Limits) {
    let changes = operation(
        "changes",
        "changes",
        "What each revision did, oldest first",
        &["since", "changes-limit", "layers", "f", "lang"],
    );
    let mut events =
        operation("changes", "events", "The same as it happens, as server-sent events", &["since", "layers"])
            .answers(&super::feed::stream());
    events["description"] = super::feed::STREAM.into();
    paths.insert(
        "/changes".to_owned(),
        json!({"get": changes.gives("application/json", "changes"), "post": edits::batch(limits)}),
    );
    paths.insert("/events".to_owned(), json!({"get": events}));
}

/// What lies beside `/api`.
fn outside(paths: &mut Map<String, Value>, layers: &[Arc<LayerSnapshot>], base: &BaseUrl) {
    let example =
        layers.first().map_or_else(|| "parcels".to_owned(), |snapshot| segment(snapshot.layer().id.as_str()));
    let names =
        || place("layers", "Layers, with commas between", json!({"type": "string"}), example.clone().into());
    let text = json!({"type": "string"});
    let mut get = |path: &str, operation: Value| {
        paths.insert(path.to_owned(), json!({"servers": [{"url": base.url("")}], "get": operation}));
    };
    let tile = operation("tiles", "tile", "A vector tile of any layers", &TILE)
        .with(tile_place("y", "Row, from the north"))
        .with(tile_place("x", "Column, from the west"))
        .with(zoom())
        .with(names());
    get("/tiles/{layers}/{z}/{x}/{y}", tile.bytes(&TILE_KINDS));
    let described = operation(
        "tiles",
        "tilejson",
        "What the tiles hold (TileJSON 3.0)",
        &["tile-encoding", "datetime", "revision", "min-revision"],
    )
    .with(names());
    get("/tiles/{layers}.json", described.gives("application/json", "tilejson"));
    let archive = || place("name", "An archive", text.clone(), "city".into());
    let archives =
        operation("tiles", "archives", "Baked tiles: the PMTiles archives there are", &["min-revision"]);
    get("/archives", archives.gives("application/json", "schema"));
    let file = operation(
        "tiles",
        "archive",
        "An archive as it is (.pmtiles, by ranges), or what it holds (.json, TileJSON 3.0)",
        &[],
    )
    .with(place("file", "An archive's name and what of it", text.clone(), "city.pmtiles".into()));
    get("/archives/{file}", file.bytes(&["application/vnd.pmtiles", "application/json"]));
    let baked = operation("tiles", "archivedTile", "A tile of an archive", &["min-revision"])
        .with(tile_place("y", "Row, from the north"))
        .with(tile_place("x", "Column, from the west"))
        .with(zoom())
        .with(archive());
    get("/archives/{name}/{z}/{x}/{y}", baked.bytes(&TILE_KINDS));
    let glyphs = operation("tiles", "glyphs", "Glyphs of a font", &[])
        .with(place("range", "256 letters", text.clone(), "0-255.pbf".into()))
        .with(place("fontstack", "Fonts, with commas between", text.clone(), "BeVietnamPro-Regular".into()));
    get("/fonts/{fontstack}/{range}", glyphs.bytes(&["application/x-protobuf"]));
    let sprite = operation("tiles", "sprite", "The map's symbols", &[]).with(place(
        "file",
        "A file",
        text.clone(),
        "citymap.json".into(),
    ));
    get("/sprites/{file}", sprite.bytes(&["image/png"]));
    let style = operation("tiles", "style", "The map's colours", &[]).with(place(
        "file",
        "A file",
        text,
        "look.json".into(),
    ));
    get("/styles/{file}", style.gives("application/json", "schema"));
    get(
        "/health/live",
        operation("health", "live", "200 while the process runs", &[]).gives("application/json", "health"),
    );
    get(
        "/health/ready",
        operation("health", "ready", "200 when the city is served", &[]).gives("application/json", "health"),
    );
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
        let document = all(&layers, &Limits::default(), &base);
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
