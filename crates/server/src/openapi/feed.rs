//! The change feed for machines.

use serde_json::{Value, json};

/// How a stream is read.
pub(super) const STREAM: &str = "A stream that goes on until somebody ends it. An event `revision` has the revision's number as its \
    `id` and the revision as its data. A reader that comes back with `Last-Event-ID` (browsers do so by themselves) gets what it has \
    missed, nothing twice. Without it and without `since` the stream begins with an event `hello`, whose data is \
    `{\"revision\": N}`, the newest. A comment comes every 15 s.";

/// What the stream is.
pub(super) fn stream() -> Value {
    json!({"text/event-stream": {"schema": {"type": "string"}}})
}

/// A page of revisions.
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

/// The versions of a feature.
pub(super) fn history() -> Value {
    json!({
        "type": "object", "required": ["id", "fid", "versions", "links"],
        "properties": {
            "id": {"type": "string"},
            "fid": {"type": "integer"},
            "versions": {"type": "array", "description": "Newest first", "items": {
                "type": "object", "required": ["from", "fromTime", "until", "op", "message", "feature"],
                "properties": {
                    "from": {"type": "integer", "description": "The revision that made it so"},
                    "fromTime": {"description": "When that was committed"},
                    "until": {"description": "The revision that made something else of it, or null"},
                    "op": {"type": "string", "enum": ["added", "changed", "removed"]},
                    "message": {"description": "What the revision says of itself"},
                    "author": {"type": "string", "description": "For callers with a writer's token only"},
                    "feature": {"description": "The feature as GeoJSON; null where it was removed"},
                },
            }},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/link"}},
        },
    })
}

/// What one revision did.
pub(super) fn revision() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    // A box or null: what OpenAPI 3.0 and 3.1 would write differently is left open.
    let bbox = json!({"description": "west, south, east, north; null where there is no geometry, or finding it costs too much"});
    let feature = json!({
        "type": "object", "required": ["id", "fid", "op", "bbox", "before"],
        "properties": {
            "id": {"description": "As the interface called it then: its key, or its number"},
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
                "required": ["layer", "mode", "added", "changed", "removed", "rejected", "whole", "truncated", "bbox", "features", "tiles"],
                "properties": {
                    "layer": {"type": "string"},
                    "mode": {"type": "string", "enum": ["replace", "append", "upsert", "edit", "restore", "drop"]},
                    "added": count, "changed": count, "removed": count, "rejected": count,
                    "whole": {"type": "boolean", "description": "Read the layer anew: its fields are others, it came or went, or \
                        more than 1 000 of its features were touched"},
                    "truncated": {"type": "boolean", "description": "Whether `features` is empty because there would be too many"},
                    "bbox": bbox,
                    "features": {"type": "array", "items": feature},
                    "tiles": {"description": "Zoom (0 to 18) to [column, row] of every tile touched; a zoom with more than 1 000 is \
                        left out; null where the layer changed as a whole"},
                },
            }},
        },
    })
}
