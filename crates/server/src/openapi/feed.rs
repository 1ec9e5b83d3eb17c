//! The change feed in the OpenAPI document.

use serde_json::{Value, json};

/// How a stream of events is read.
pub(super) const STREAM: &str = "A stream that does not end by itself. An event `revision` has the \
    revision's number as its \
    `id` and the revision as its data. A client that reconnects with `Last-Event-ID` (browsers do so by \
    themselves) gets what it has \
    missed, and nothing twice. Without it and without `since` the stream begins with an event `hello`, \
    whose data is \
    `{\"revision\": N}`, the newest. A comment comes every 15 s.";

/// The media type of the stream.
pub(super) fn stream() -> Value {
    json!({"text/event-stream": {"schema": {"type": "string"}}})
}

/// The schema of a page of revisions.
pub(super) fn changes() -> Value {
    json!({
        "type": "object", "required": ["revisions", "newest", "links"],
        "properties": {
            "revisions": {"type": "array", "items": {"$ref": "#/components/schemas/revision"}},
            "newest": {"type": "integer", "minimum": 0},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    })
}

/// The schema of the versions of a feature.
pub(super) fn history() -> Value {
    json!({
        "type": "object", "required": ["id", "fid", "versions", "links"],
        "properties": {
            "id": {"type": "string"},
            "fid": {"type": "integer"},
            "versions": {"type": "array", "description": "Newest first", "items": {
                "type": "object", "required": ["from", "fromTime", "until", "op", "message", "feature"],
                "properties": {
                    "from": {"type": "integer", "description": "The revision that made this version"},
                    "fromTime": {"description": "When that was committed"},
                    "until": {"description": "The revision that changed or removed it, or null"},
                    "op": {"type": "string", "enum": ["added", "changed", "removed"]},
                    "message": {"description": "The message of the revision"},
                    "author": {"type": "string", "description": "For callers with a writer's token only"},
                    "feature": {"description": "The feature as GeoJSON; null if it was removed"},
                },
            }},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    })
}

/// The schema of one revision.
pub(super) fn revision() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    // A box or null, which OpenAPI 3.0 and 3.1 would write differently: the type is left out.
    let bbox = json!({"description": "west, south, east, north; null if there is no geometry, or if \
        computing it costs too much"});
    let feature = json!({
        "type": "object", "required": ["id", "fid", "op", "bbox", "before"],
        "properties": {
            "id": {"description": "Its public id at that time: its key, or its number"},
            "formerId": {"description": "Its id before, if that was another one"},
            "fid": {"type": "integer", "description": "Its number, as in tiles"},
            "op": {"type": "string", "enum": ["added", "changed", "removed"]},
            "bbox": bbox, "before": bbox,
        },
    });
    json!({
        "type": "object", "required": ["revision", "time", "message", "source", "layers"],
        "properties": {
            "revision": {"type": "integer", "minimum": 1},
            "time": {"type": "string", "format": "date-time"},
            "message": {"type": "string"},
            "source": {"description": "The source file's name, or null"},
            "author": {"type": "string", "description": "For callers with a writer's token only"},
            "layers": {"type": "array", "items": {
                "type": "object",
                "required": ["layer", "mode", "added", "changed", "removed", "rejected", "whole",
                    "truncated", "bbox", "features", "tiles"],
                "properties": {
                    "layer": {"type": "string"},
                    "mode": {"type": "string",
                        "enum": ["replace", "append", "upsert", "edit", "restore", "drop"]},
                    "added": count, "changed": count, "removed": count, "rejected": count,
                    "whole": {"type": "boolean", "description": "Read the layer again: its fields changed, \
                        it was added or removed, or \
                        more than 1 000 of its features were touched"},
                    "truncated": {"type": "boolean", "description": "Whether `features` is empty because \
                        there would be too many"},
                    "bbox": bbox,
                    "features": {"type": "array", "items": feature},
                    "tiles": {"description": "Zoom (0 to 18) to [column, row] of every tile touched; a zoom \
                        level with more than 1 000 is \
                        left out; null if the layer changed as a whole"},
                },
            }},
        },
    })
}
