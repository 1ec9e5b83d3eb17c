//! Parameters, with the limits that hold.

use std::borrow::Cow;

use citymap_crs::NamedCrs;
use citymap_model::{Field, FieldType, codes};
use serde_json::{Value, json};

use crate::{
    changes::{changes, history},
    config::Limits,
    features::describe::field_title,
    questions::{at, near, search, within},
};

/// A parameter that several paths share.
pub(super) fn shared_ref(name: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{name}")})
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema})
}

/// A parameter of a path.
pub(super) fn place(name: &str, description: &str, schema: Value, example: Value) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

/// A `limit` of its own: `name` in the components, its default and its highest value.
fn limit(default: usize, max: usize) -> Value {
    query(
        "limit",
        "How many features at most; more than the maximum counts as the maximum",
        json!({"type": "integer", "minimum": 1, "maximum": max, "default": default.min(max)}),
    )
}

/// All shared parameters by the names that [`shared_ref`] takes.
pub(super) fn shared(limits: &Limits) -> Value {
    let systems: Vec<Cow<'static, str>> = NamedCrs::all().into_iter().map(|crs| crs.uri).collect();
    let degree = |max: f64| json!({"type": "number", "minimum": -max, "maximum": max});
    let metre = json!({"type": "number"});
    let numbers = json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6});
    let mut bbox = query(
        "bbox",
        "Four numbers (six with heights, which do not count), in the axis order of `bbox-crs`: west, south, \
        east, north in CRS84. West above east crosses the antimeridian.",
        numbers.clone(),
    );
    let mut box_of_question =
        query("bbox", "west, south, east, north in longitude and latitude, or in x and y of `crs`", numbers);
    for parameter in [&mut bbox, &mut box_of_question] {
        parameter["style"] = "form".into();
        parameter["explode"] = false.into();
        parameter["example"] = json!([106.69, 10.77, 106.7, 10.78]);
    }
    box_of_question["required"] = true.into();
    let system = json!({"type": "string", "enum": systems});
    let mut shared = json!({
        "since": query("since", "The revisions above this one; 0 and the newest one can be asked with, one above it cannot",
            json!({"type": "integer", "minimum": 0})),
        "before": query("before", "Versions of revisions below this one; the `next` link carries it",
            json!({"type": "integer", "minimum": 1})),
        "history-limit": limit(history::LIMIT, history::LIMIT),
        "changes-limit": limit(changes::LIMIT, changes::LIMIT_MAX),
        "revision": query("revision", "The state of the record: a revision's number, an instant, or a day (its end in Vietnam, UTC+7); \
            without it the newest", json!({"type": "string"})),
        "min-revision": query("min-revision", "The revision that the answer must show at least: waits some seconds for it, then 503",
            json!({"type": "integer", "minimum": 0})),
        "f": query("f", "Format, instead of Accept", json!({"type": "string", "enum": ["json", "html"]})),
        "lang": query("lang", "Language of titles, instead of Accept-Language", json!({"type": "string", "enum": ["vi", "en"]})),
        // GDAL reads the page size from the parameter whose reference has `limit` in it.
        "limit": limit(limits.items_limit_default, limits.items_limit_max),
        "at-least": query(
            "at-least",
            "Features a page at least, whatever `limit` says, up to its maximum: for clients that set a small one by themselves",
            json!({"type": "integer", "minimum": 1, "maximum": 1_000_000_000}),
        ),
        "at-limit": limit(limits.at_limit, limits.at_limit),
        "near-limit": limit(near::LIMIT, limits.near_limit_max),
        "within-limit": limit(within::LIMIT, limits.within_limit_max),
        "search-limit": limit(search::LIMIT, limits.search_limit_max),
        "bbox": bbox,
        "area-bbox": box_of_question,
        "bbox-crs": query("bbox-crs", "The system of `bbox`", system.clone()),
        "crs": query("crs", "The system of the answer's coordinates", system),
        "datetime": query("datetime", "A day or an instant, or an interval with / (.. is an open end): features valid at some \
            instant of it. Layers without valid time do not heed it.", json!({"type": "string"})),
        "after": query("after", "The feature number at which the page before ended; the `next` link carries it",
            json!({"type": "integer", "minimum": 0})),
        "lon": query("lon", "Longitude, degrees, WGS 84; with lat", degree(180.0)),
        "lat": query("lat", "Latitude, degrees, WGS 84; with lon", degree(90.0)),
        "x": query("x", "Easting (or longitude) in `crs`; instead of lon and lat", metre.clone()),
        "y": query("y", "Northing (or latitude) in `crs`", metre),
        "question-crs": query("crs", "The system of the coordinates asked with: EPSG:9210, 9210, CRS84 or an OGC URI; x is easting \
            or longitude always", json!({"type": "string"})),
        "layers": query("layers", "Layers, with commas between; all where it is absent", json!({"type": "string"})),
        "tolerance": query("tolerance", "Metres from which points and lines count as here",
            json!({"type": "number", "minimum": 0, "maximum": limits.at_tolerance_max, "default": at::TOLERANCE})),
        "distance": query("distance", "Metres to look around",
            json!({"type": "number", "minimum": 0, "maximum": limits.near_distance_max, "default": near::DISTANCE})),
        "features": query("features", "Whether to list the features, not only count them",
            json!({"type": "boolean", "default": false})),
        "q": query("q", "What to look for: a name, an address, a parcel key, coordinates; with or without diacritics",
            json!({"type": "string", "minLength": 1, "maxLength": search::LETTERS})),
        "to": query("to", "Systems, with commas between", json!({"type": "string"})),
        "tile-encoding": query("encoding", "What the tiles that are described are: Mapbox or MapLibre ones",
            json!({"type": "string", "enum": ["mvt", "mlt"], "default": "mvt"})),
        "rev": query("rev", "The version that TileJSON and the collection's `tilesVersion` name: the tile may then be kept for a year",
            json!({"type": "string"})),
    });
    for (name, example) in [
        ("datetime", "2025-07-01/.."),
        ("question-crs", "EPSG:9210"),
        ("q", "ben thanh"),
        ("to", "EPSG:9210,EPSG:3857"),
    ] {
        shared[name]["example"] = example.into();
    }
    shared["q"]["required"] = true.into();
    shared
}

/// A field as a filter.
pub(super) fn field(field: &Field) -> Value {
    let mut schema = match field.field_type {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Int => json!({"type": "integer", "format": "int64"}),
        FieldType::Real => json!({"type": "number"}),
        FieldType::Text => json!({"type": "string"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
    };
    if let Some(list) = field.code_list.as_deref().and_then(codes::builtin) {
        let some: Vec<&str> = list.entries.iter().map(|entry| entry.code.as_str()).collect();
        schema["x-citymap-codes"] = json!(some);
    }
    query(&field.name, &format!("{}: features whose value is this one", field_title(field, "en")), schema)
}
