//! The schema of a layer's features as JSON Schema: for people and programs (`/schema`, OGC API – Features
//! Part 5), for filters (`/queryables`, Part 3), for validators of features (`/feature-schema`), and for GDAL
//! (`/gdal-schema`).
//!
//! In the schemas of Part 5 and for GDAL a null value counts as an absent one, so that each type is a single
//! name: GDAL reads no other. Features are written with their null values, which `/feature-schema` allows.

use std::marker::PhantomData;

use axum::response::IntoResponse;
use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, ValueRef};
use citymap_model::{Domain, DomainCheck, Field, FieldType, GeometryKind, codes::Code, glob_to_regex, ucum};
use serde_json::{Map, Value, json};

use crate::{
    features::{
        describe::{field_title, layer_title},
        items::ItemsQuery,
        landing::PageQuery,
    },
    http::{
        base::segment,
        html::{self, Page},
        negotiate::Representation,
        parameters::Choice,
        problem::Problem,
        query::{Declared, Nested, Parameter, Query as _, query},
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
        let properties = Schemas::new(snapshot, representation.lang, Dialect::Fields).flat(&[]);
        json!({"properties": properties, "additionalProperties": false})
    })
}

/// The handler of `GET /api/collections/{layer}/queryables`. A field with the name of a parameter of `/items`
/// cannot be asked for.
pub(crate) async fn queryables(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    document(context, representation, "queryables", |snapshot, representation| {
        let taken: Vec<&str> = ItemsQuery::declared().iter().map(|parameter| parameter.name()).collect();
        let properties = Schemas::new(snapshot, representation.lang, Dialect::Fields).flat(&taken);
        json!({"properties": properties, "additionalProperties": false})
    })
}

/// The handler of `GET /api/collections/{layer}/feature-schema`.
pub(crate) async fn feature_schema(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    document(context, representation, "feature-schema", |snapshot, representation| {
        let properties = Schemas::new(snapshot, representation.lang, Dialect::Feature).fields(&[]);
        feature(snapshot, properties)
    })
}

/// The handler of `GET /api/collections/{layer}/gdal-schema`.
pub(crate) async fn gdal_schema(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    document(context, representation, "gdal-schema", |snapshot, representation| {
        // GDAL makes a field `id` of the id of the feature, and would add a second one.
        let properties = Schemas::new(snapshot, representation.lang, Dialect::Gdal).fields(&["id"]);
        feature(snapshot, properties)
    })
}

fn feature(snapshot: &LayerSnapshot, properties: Map<String, Value>) -> Value {
    json!({
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "geometry": geometry(snapshot.layer().geometry),
            "properties": {"type": "object", "properties": properties},
        },
        "required": ["type", "geometry", "properties"],
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

/// For whom the schemas of fields are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Part 5 of OGC API – Features: null counts as absent.
    Fields,
    /// Validators of features with all their values, null included.
    Feature,
    /// GDAL, which reads single names of types only, and `integer` as 32 bits.
    Gdal,
}

/// The schemas of a layer's fields.
struct Schemas<'a> {
    snapshot: &'a LayerSnapshot,
    lang: &'a str,
    dialect: Dialect,
}

impl<'a> Schemas<'a> {
    fn new(snapshot: &'a LayerSnapshot, lang: &'a str, dialect: Dialect) -> Self {
        Self { snapshot, lang, dialect }
    }

    /// The fields that everybody sees, without those of these names, and the geometry next to them: as
    /// `geometry`, or another name where a field is called so.
    fn flat(&self, without: &[&str]) -> Map<String, Value> {
        let mut properties = self.fields(without);
        let name = visible(self.snapshot.layer(), &Audience::Public).geometry_name();
        properties.insert(name, geometry(self.snapshot.layer().geometry));
        properties
    }

    /// The fields that everybody sees, without those of these names.
    fn fields(&self, without: &[&str]) -> Map<String, Value> {
        let visible = visible(self.snapshot.layer(), &Audience::Public);
        visible
            .iter()
            .filter(|(_, field)| !without.contains(&field.name.as_str()))
            .map(|(index, field)| (field.name.clone(), self.field(index, field).into()))
            .collect()
    }

    fn field(&self, index: usize, field: &Field) -> Map<String, Value> {
        let layer = self.snapshot.layer();
        let mut schema = self.value_schema(index, field);
        schema.insert("title".into(), field_title(field, self.lang).into());
        if let Some(unit) = &field.unit {
            schema.insert("x-ogc-unit".into(), ucum(unit).into());
            schema.insert("x-citymap-unit".into(), unit.as_str().into());
        }
        let is = |name: &Option<String>| name.as_deref() == Some(&field.name);
        let role = if is(&layer.key) {
            Some("id")
        } else if is(&layer.valid_from) {
            Some("primary-interval-start")
        } else if is(&layer.valid_to) {
            Some("primary-interval-end")
        } else {
            let instant = visible(layer, &Audience::Public).instant_index();
            (instant == Some(index)).then_some("primary-instant")
        };
        if let Some(role) = role {
            schema.insert("x-ogc-role".into(), role.into());
        }
        if let Some(meaning) = field.meaning {
            schema.insert("x-citymap-meaning".into(), meaning.as_str().into());
        }
        if !field.codes().is_empty() {
            let text = |entry: &Code| (entry.code.clone(), entry.title.get(self.lang).into());
            let texts: Map<String, Value> = field.codes().iter().map(text).collect();
            schema.insert("x-citymap-codes".into(), texts.into());
        }
        // What is said of values must be true of those that are there: an import takes others, with a note.
        if self.dialect != Dialect::Gdal && self.is_within(index, field) {
            self.add_domain(field, &mut schema);
        }
        schema
    }

    /// The type of the values. GDAL reads `integer` as 32 bits and truncates longer numbers: for it, a column
    /// with longer ones is a whole `number` (53 bits survive), and beyond that one without a type, which GDAL
    /// reads as text without loss.
    fn value_schema(&self, index: usize, field: &Field) -> Map<String, Value> {
        let (name, format) = match field.field_type {
            FieldType::Bool => ("boolean", None),
            FieldType::Real => ("number", None),
            FieldType::Text => ("string", None),
            FieldType::Date => ("string", Some("date")),
            FieldType::DateTime => ("string", Some("date-time")),
            FieldType::Int => ("integer", None),
        };
        let mut schema = Map::new();
        match self.dialect {
            Dialect::Feature => drop(schema.insert("type".into(), json!([name, "null"]))),
            Dialect::Gdal if field.field_type == FieldType::Int => {
                let largest = largest(self.snapshot, index);
                if largest <= i32::MAX as u64 {
                    schema.insert("type".into(), name.into());
                } else {
                    if largest <= 1 << 53 {
                        schema.insert("type".into(), "number".into());
                    }
                    schema.insert("multipleOf".into(), 1.into());
                }
            }
            _ => drop(schema.insert("type".into(), name.into())),
        }
        if let Some(format) = format {
            schema.insert("format".into(), format.into());
        }
        schema
    }

    /// Whether all values of a field are in its domain; O(features).
    fn is_within(&self, index: usize, field: &Field) -> bool {
        let Some(check) = DomainCheck::of(field) else { return false };
        self.snapshot.rows().all(|row| match self.snapshot.value(row, index) {
            ValueRef::Text(text) => check.allows_text(text),
            value => check.allows(&value.to_value()),
        })
    }

    fn add_domain(&self, field: &Field, schema: &mut Map<String, Value>) {
        match &field.domain {
            Some(Domain::Range(range)) => {
                let bounds = [
                    (range.min, if range.min_excluded { "exclusiveMinimum" } else { "minimum" }),
                    (range.max, if range.max_excluded { "exclusiveMaximum" } else { "maximum" }),
                ];
                for (bound, name) in bounds {
                    if let Some(bound) = bound {
                        schema.insert(name.into(), bound.into());
                    }
                }
            }
            Some(Domain::Glob(pattern)) => {
                schema.insert("pattern".into(), glob_to_regex(pattern).into());
            }
            _ => {
                let value = |entry: &Code| {
                    citymap_model::Value::parse(&entry.code, field.field_type).unwrap_or_default().to_json()
                };
                let one = |entry: &Code| match entry.title.get(self.lang) {
                    "" => json!({"const": value(entry)}),
                    text => json!({"const": value(entry), "title": text}),
                };
                let mut values: Vec<Value> = field.codes().iter().map(value).collect();
                let mut listed: Vec<Value> = field.codes().iter().map(one).collect();
                if self.dialect == Dialect::Feature {
                    values.push(Value::Null);
                    listed.push(json!({"const": null}));
                }
                schema.insert("enum".into(), values.into());
                schema.insert("oneOf".into(), listed.into());
            }
        }
    }
}

/// The largest magnitude in a field of whole numbers; O(features).
fn largest(snapshot: &LayerSnapshot, field: usize) -> u64 {
    let numbers = snapshot.rows().filter_map(|row| match snapshot.value(row, field) {
        ValueRef::Int(value) => Some(value.unsigned_abs()),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}
