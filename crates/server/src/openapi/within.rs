//! The schemas of `/api/within`.

use serde_json::{Value, json};

/// The schema of the answer, whose layers and groups are [`sums`] with more members.
pub(super) fn answer() -> Value {
    let inside = json!({"$ref": "#/components/schemas/inside"});
    let groups = json!({"allOf": [inside, {
        "type": "object", "required": ["values"],
        "properties": {"values": {"type": "object", "description": "The values of the fields in `by`"}},
    }]});
    let layer = json!({"allOf": [inside, {
        "type": "object", "required": ["layer"],
        "properties": {
            "by": {"type": "array", "items": {"type": "string"}},
            "groups": {"type": "array", "items": groups},
            "truncated": {"type": "boolean"},
            "next": {"type": "integer", "description": "The value of `after` for the next page"},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
        },
    }]});
    json!({
        "type": "object", "required": ["revision", "area", "layers"],
        "properties": {
            "revision": {"type": "integer"},
            "area": {"$ref": "#/components/schemas/measure"},
            "of": {"type": "object", "required": ["layer", "id", "label"],
                "description": "The feature that is the area"},
            "layers": {"type": "array", "items": layer},
        },
    })
}

/// The sums of a layer, a group or a feature.
pub(super) fn sums() -> Value {
    let measure = json!({"$ref": "#/components/schemas/measure"});
    json!({
        "type": "object", "required": ["count", "whole", "contacts"],
        "properties": {
            "count": {"type": "integer", "description": "Features that share a point with the area"},
            "whole": {"type": "integer", "description": "Of these, the ones completely inside"},
            "contacts": {"type": "integer", "description": "Of these, the ones that only touch the area"},
            "area": measure, "length": measure, "fullArea": measure, "fullLength": measure,
            "share": {"type": "number", "description": "`area` divided by the area of the question"},
        },
    })
}
