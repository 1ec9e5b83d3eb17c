//! The schema of a layer's features as JSON Schema: for people and programs (`/schema`, OGC API – Features
//! Part 5), for filters (`/queryables`, Part 3), and for GDAL (`/feature-schema`).

use std::marker::PhantomData;

use axum::response::IntoResponse;
use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, ValueRef};
use citymap_model::{Field, FieldType, GeometryKind, codes};
use serde_json::{Map, Value, json};

use crate::{
    features::{
        describe::{field_title, layer_title},
        landing::PageQuery,
    },
    http::{
        base::segment,
        html::{self, Page},
        negotiate::Representation,
        parameters::Choice,
        problem::Problem,
        query::{Declared, Nested, Parameter, query},
        request::{HandlerResult, RequestContext},
        response::SCHEMA,
    },
};

static TYPE: Parameter<Choice> = Parameter::new(
    "type",
    "What is described: what features have, or what a request that creates, replaces or updates one may have",
    Choice { values: &["returnables", "create", "replace", "update"], default: Some("returnables") },
)
.component("schema-type");

/// The parameter that the OpenAPI document shares between layers.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 1] = [&TYPE];

query! {
    /// The query of the schema of the fields.
    pub(crate) struct SchemaQuery {
        kind: Option<&'static str> = TYPE,
        page: PageQuery = PAGE,
    }
}

static PAGE: Nested<PageQuery> = Nested(PhantomData);

/// The handler of `GET /api/collections/{layer}/schema`.
///
/// What can be written is what is shown: fields that are not public are not named. Every field may be left
/// out or null, so that nothing is required.
pub(crate) async fn schema(mut context: RequestContext) -> HandlerResult {
    let SchemaQuery { kind, page } = context.query()?;
    let name = match kind {
        None | Some("returnables") => "schema".to_owned(),
        Some(kind) => format!("schema?type={kind}"),
    };
    document(context, page.representation, &name, |snapshot, representation| {
        let mut properties = fields(snapshot, representation.lang);
        properties.insert("geometry".into(), geometry(snapshot.layer().geometry));
        json!({"properties": properties, "additionalProperties": false})
    })
}

/// The handler of `GET /api/collections/{layer}/queryables`.
pub(crate) async fn queryables(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    document(context, representation, "queryables", |snapshot, representation| {
        let mut properties = fields(snapshot, representation.lang);
        properties.insert("geometry".into(), geometry(snapshot.layer().geometry));
        json!({"properties": properties, "additionalProperties": false})
    })
}

/// The handler of `GET /api/collections/{layer}/feature-schema`.
pub(crate) async fn feature_schema(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    document(context, representation, "feature-schema", |snapshot, representation| {
        json!({
            "properties": {
                "type": {"type": "string", "enum": ["Feature"]},
                "geometry": geometry(snapshot.layer().geometry),
                "properties": {"type": "object", "properties": fields(snapshot, representation.lang)},
            },
            "required": ["type", "geometry", "properties"],
        })
    })
}

/// Answers with the schema whose members `body` gives.
fn document(
    context: RequestContext,
    representation: Representation,
    name: &str,
    body: impl FnOnce(&LayerSnapshot, Representation) -> Value,
) -> HandlerResult {
    let snapshot = context.layer()?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let layer = snapshot.layer();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": context.base().url(&format!("/api/collections/{}/{name}", segment(layer.id.as_str()))),
        "type": "object",
        "title": layer_title(layer, representation.lang),
    });
    let (Value::Object(schema_members), Value::Object(members)) =
        (&mut schema, body(&snapshot, representation))
    else {
        return Err(Problem::internal("a schema is not an object").into());
    };
    schema_members.extend(members);
    let page =
        Page { representation, title: layer_title(layer, representation.lang), kind: SCHEMA, etag: &etag };
    Ok(html::reply(&context, &page, &schema).into_response())
}

fn geometry(kind: GeometryKind) -> Value {
    let format = match kind {
        GeometryKind::Point => "geometry-point-or-multipoint",
        GeometryKind::Line => "geometry-linestring-or-multilinestring",
        GeometryKind::Polygon => "geometry-polygon-or-multipolygon",
        GeometryKind::Mixed | GeometryKind::None => "geometry-any",
    };
    json!({"x-ogc-role": "primary-geometry", "format": format})
}

fn fields(snapshot: &LayerSnapshot, lang: &str) -> Map<String, Value> {
    let layer = snapshot.layer();
    let mut properties = Map::new();
    let visible = visible(layer, &Audience::Public);
    let instant = visible.instant_index();
    for (index, field) in visible.iter() {
        let mut schema = value_schema(field, || largest(snapshot, index));
        schema.insert("title".into(), field_title(field, lang).into());
        if let Some(unit) = &field.unit {
            schema.insert("x-ogc-unit".into(), unit.as_str().into());
        }
        let is = |name: &Option<String>| name.as_deref() == Some(&field.name);
        let role = if is(&layer.key) {
            Some("id")
        } else if is(&layer.valid_from) {
            Some("primary-interval-start")
        } else if is(&layer.valid_to) {
            Some("primary-interval-end")
        } else {
            (instant == Some(index)).then_some("primary-instant")
        };
        if let Some(role) = role {
            schema.insert("x-ogc-role".into(), role.into());
        }
        if let Some(meaning) = field.meaning {
            schema.insert("x-citymap-meaning".into(), meaning.as_str().into());
        }
        if let Some(list) = field.code_list.as_deref().and_then(codes::builtin) {
            let texts: Map<String, Value> =
                list.entries.iter().map(|entry| (entry.code.clone(), entry.title.get(lang).into())).collect();
            schema.insert("x-citymap-codes".into(), texts.into());
        }
        properties.insert(field.name.clone(), schema.into());
    }
    properties
}

/// A null value counts as an absent one (Part 5), so `type` is a single name, which is all that GDAL
/// supports.
///
/// GDAL reads `integer` as 32 bits and truncates longer numbers. A column with longer ones is declared as a
/// whole `number` (53 bits survive), and beyond that without a type, which GDAL reads as text without loss.
fn value_schema(field: &Field, largest: impl FnOnce() -> u64) -> Map<String, Value> {
    let schema = match field.field_type {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Real => json!({"type": "number"}),
        FieldType::Text => json!({"type": "string"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        FieldType::Int => match largest() {
            largest if largest <= i32::MAX as u64 => json!({"type": "integer"}),
            largest if largest <= 1 << 53 => json!({"type": "number", "multipleOf": 1}),
            _ => json!({"multipleOf": 1}),
        },
    };
    if let Value::Object(schema) = schema { schema } else { Map::new() }
}

/// The largest magnitude in a field of whole numbers; O(features).
fn largest(snapshot: &LayerSnapshot, field: usize) -> u64 {
    let numbers = snapshot.rows().filter_map(|row| match snapshot.value(row, field) {
        ValueRef::Int(value) => Some(value.unsigned_abs()),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}
