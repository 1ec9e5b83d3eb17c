//! The inputs of an overlay: their declaration, and reading them.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_cql2::Expr;
use citymap_engine::{Comparison, Filter, LayerSnapshot, Operand, Overlay, Row, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::{Geometry, Value};
use citymap_output::Format;
use geo::CoordsIter;
use serde_json::{Map, Value as Json, json};

use crate::{
    config::Limits,
    http::{datetime::interval, filter::check_filter, problem::Problem, request::no_layer},
    processes::process::Input,
};

/// The inputs of an overlay, checked.
pub(super) struct OverlayInputs {
    pub(super) layers: [Arc<LayerSnapshot>; 2],
    filters: [Vec<Filter>; 2],
    /// Only these rows of the first layer.
    rows: Option<Vec<Row>>,
    time: Option<TimeInterval>,
    within: Option<Geometry>,
    /// Pieces of no more than this are left out: m² for areas, m for lengths.
    min_measure: f64,
    pub(super) format: Format,
    pub(super) geometry: bool,
}

fn text_schema() -> Json {
    json!({"type": "string"})
}

fn min_area_schema() -> Json {
    json!({"type": "number", "minimum": 0})
}

fn format_schema() -> Json {
    json!({"type": "string", "enum": ["parquet", "gpkg", "csv"], "default": "parquet"})
}

fn geometry_schema() -> Json {
    json!({"type": "boolean", "default": true})
}

/// The inputs of the process.
pub(super) const INPUTS: &[Input] = &[
    Input {
        name: "layer",
        title: "The first layer",
        required: true,
        schema: text_schema,
        openapi: text_schema,
    },
    Input {
        name: "with",
        title: "The second layer; one of the two has polygons",
        required: true,
        schema: text_schema,
        openapi: text_schema,
    },
    Input {
        name: "id",
        title: "Only this feature of the first layer",
        required: false,
        schema: text_schema,
        openapi: || json!({"description": "Only this feature of the first layer"}),
    },
    Input {
        name: "within",
        title: "Only features of the first layer that share a point with this polygon; it does not cut them",
        required: false,
        schema: || json!({"format": "geojson-geometry"}),
        openapi: || {
            json!({
                "type": "object",
                "description": "Only features of the first layer that share a point with this polygon",
            })
        },
    },
    Input {
        name: "filter",
        title: "Only features with these values: {\"layer\":{\"field\":value}}",
        required: false,
        schema: || json!({"type": "object"}),
        openapi: || json!({"type": "object", "description": "{\"layer\":{\"field\":value}}"}),
    },
    Input {
        name: "datetime",
        title: "Only what is valid then: an instant or an interval",
        required: false,
        schema: text_schema,
        openapi: text_schema,
    },
    Input {
        name: "minArea",
        title: "Leave out pieces of at most this many m² (or m)",
        required: false,
        schema: min_area_schema,
        openapi: min_area_schema,
    },
    Input {
        name: "format",
        title: "The format of the result",
        required: false,
        schema: format_schema,
        openapi: format_schema,
    },
    Input {
        name: "geometry",
        title: "Whether pieces have their shapes",
        required: false,
        schema: geometry_schema,
        openapi: geometry_schema,
    },
];

impl OverlayInputs {
    /// Reads the members of `inputs`, whose names are known.
    ///
    /// # Errors
    /// 400 with the input that cannot be used.
    pub(super) fn read(
        inputs: &Map<String, Json>,
        city: &CitySnapshot,
        limits: &Limits,
    ) -> Result<Self, Problem> {
        let given = |name: &str| inputs.get(name).filter(|value| !value.is_null());
        let text = |name: &str| match given(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Problem::body(format!("`{name}` must be a string"))),
        };
        let layer = |name: &str| -> Result<Arc<LayerSnapshot>, Problem> {
            let id = text(name)?
                .ok_or_else(|| Problem::body(format!("the input `{name}` is missing: the id of a layer")))?;
            city.city.layer(id).cloned().ok_or_else(|| Problem::body(no_layer(city, id)))
        };
        let layers = [layer("layer")?, layer("with")?];
        let rows = match given("id") {
            None => None,
            Some(id) => {
                let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                let row = layers[0].row_of_id(&id).ok_or_else(|| {
                    Problem::body(format!("`{}` has no feature with this id", layers[0].layer().id))
                })?;
                Some(vec![row])
            }
        };
        let format = match text("format")?.unwrap_or("parquet") {
            "parquet" => Format::GeoParquet,
            "gpkg" => Format::GeoPackage,
            "csv" => Format::Csv { excel: false },
            _ => return Err(Problem::body("`format` must be parquet, gpkg or csv")),
        };
        let geometry = match given("geometry") {
            None => true,
            Some(Json::Bool(wanted)) => *wanted,
            Some(_) => return Err(Problem::body("`geometry` must be true or false")),
        };
        let min_measure = match given("minArea") {
            None => 0.0,
            Some(number) => number
                .as_f64()
                .filter(|number| (0.0..1e12).contains(number))
                .ok_or_else(|| Problem::body("`minArea` must be a number of square metres"))?,
        };
        let within = given("within").map(|value| polygon(value, limits)).transpose()?;
        Ok(Self {
            filters: filters(inputs.get("filter"), &layers)?,
            layers,
            rows,
            time: text("datetime")?.map(interval).transpose()?,
            within,
            min_measure,
            format,
            geometry,
        })
    }

    /// The overlay that these inputs describe.
    pub(super) fn overlay(&self) -> Result<Overlay<'_>, Problem> {
        let [first, second] = &self.layers;
        let mut a = Operand::new(first)
            .during(self.time)
            .filtered(self.filters[0].clone())
            .meeting(self.within.clone());
        if let Some(rows) = &self.rows {
            a = a.rows(rows.clone());
        }
        let b = Operand::new(second).during(self.time).filtered(self.filters[1].clone());
        Ok(Overlay::new(a, b)?.min_measure(self.min_measure))
    }
}

pub(in crate::processes) fn polygon(value: &Json, limits: &Limits) -> Result<Geometry, Problem> {
    let wrong = |why: String| Problem::body(format!("`within` must be a GeoJSON polygon: {why}"));
    let read: geojson::Geometry =
        serde_json::from_value(value.clone()).map_err(|error| wrong(error.to_string()))?;
    let geometry = Geometry::try_from(read).map_err(|error| wrong(error.to_string()))?;
    let vertices = geometry.coords_count();
    if vertices > limits.within_vertices_max {
        return Err(wrong(format!("it has {vertices} vertices, {} are allowed", limits.within_vertices_max)));
    }
    // As strict as for an area that a user draws.
    Ok(citymap_engine::Area::new(geometry)?.polygons().clone().into())
}

/// The CQL2 expression of a layer, if it has one: a text, or an object with `op` and `args`.
fn expression(given: &Json) -> Result<Option<Expr>, Problem> {
    let read = match given {
        Json::String(text) => Expr::parse_text(text),
        Json::Object(members) if members.contains_key("op") && members.contains_key("args") => {
            Expr::parse_json(&given.to_string())
        }
        _ => return Ok(None),
    };
    read.map(Some).map_err(|error| Problem::body(format!("`filter`: {error}")))
}

/// Reads `{"zones":{"cap":"phuong"}}`, which is equality by layer and public field, or
/// `{"zones":"cap = 'phuong'"}`, which is CQL2.
fn filters(given: Option<&Json>, layers: &[Arc<LayerSnapshot>; 2]) -> Result<[Vec<Filter>; 2], Problem> {
    let mut out = [Vec::new(), Vec::new()];
    let wrong =
        || Problem::body("`filter` must be {\"layer\":{\"field\":value}} or {\"layer\":\"CQL2 expression\"}");
    let given = match given {
        None | Some(Json::Null) => return Ok(out),
        Some(value) => value.as_object().ok_or_else(wrong)?,
    };
    for (name, fields) in given {
        if !layers.iter().any(|layer| layer.layer().id.as_str() == name) {
            return Err(wrong());
        }
        for (filters, snapshot) in out.iter_mut().zip(layers) {
            let layer = snapshot.layer();
            if layer.id.as_str() != name {
                continue;
            }
            if let Some(expr) = expression(fields)? {
                filters.extend(check_filter(Some(&expr), snapshot)?);
                continue;
            }
            for (field, value) in fields.as_object().ok_or_else(wrong)? {
                // A personal field is treated as absent.
                let found = visible(layer, &Audience::Public).get(field);
                let (field, own) = found.ok_or_else(|| {
                    Problem::body(format!(
                        "`{name}` has no such field; /api/collections/{name}/queryables lists them"
                    ))
                })?;
                let text = match value {
                    Json::Null => None,
                    Json::String(text) => Some(text.clone()),
                    Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
                    _ => return Err(wrong()),
                };
                let value = match text {
                    None => Value::Null,
                    Some(text) => Value::parse(&text, own.field_type).ok_or_else(|| {
                        Problem::body(format!("the value of `{}` is not of the field's type", own.name))
                    })?,
                };
                filters.push(Filter::compare(field, Comparison::Eq, value));
            }
        }
    }
    Ok(out)
}
