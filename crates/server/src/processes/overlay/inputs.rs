//! What an overlay is asked to do.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::{Comparison, Filter, LayerSnapshot, Operand, Overlay, Row, TimeInterval};
use citymap_live::CitySnapshot;
use citymap_model::{Geometry, Value};
use citymap_output::Format;
use geo::CoordsIter;
use serde_json::Value as Json;

use crate::{
    config::Limits,
    http::{datetime::interval, problem::Problem, request::no_layer},
};

/// The inputs, checked.
pub(crate) struct Inputs {
    pub(crate) layers: [Arc<LayerSnapshot>; 2],
    filters: [Vec<Filter>; 2],
    rows: Option<Vec<Row>>,
    time: Option<TimeInterval>,
    within: Option<Geometry>,
    least: f64,
    pub(crate) format: Format,
    pub(crate) geometry: bool,
}

/// The inputs' names.
const KNOWN: [&str; 9] =
    ["layer", "with", "id", "within", "filter", "datetime", "minArea", "format", "geometry"];

impl Inputs {
    /// From the body of an execute request.
    pub(crate) fn read(body: &[u8], city_snapshot: &CitySnapshot, limits: &Limits) -> Result<Self, Problem> {
        let document: Json = serde_json::from_slice(body)
            .map_err(|error| Problem::body(format!("the body is not JSON: {error}; send {{\"inputs\":{{\"layer\":\"parcels\",\"with\":\"zones\"}}}}")))?;
        let Some(inputs) = document.get("inputs").and_then(Json::as_object) else {
            return Err(Problem::body(
                "`inputs` is missing; send {\"inputs\":{\"layer\":\"parcels\",\"with\":\"zones\"}}",
            ));
        };
        if let Some(unknown) = inputs.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let unknown: String = unknown.chars().take(40).collect();
            return Err(Problem::body(format!(
                "there is no input `{unknown}`; the inputs are: {}",
                KNOWN.join(", ")
            )));
        }
        let text = |name: &str| match inputs.get(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Problem::body(format!("`{name}` must be a text"))),
        };
        let layer = |name: &str| -> Result<Arc<LayerSnapshot>, Problem> {
            let id = text(name)?
                .ok_or_else(|| Problem::body(format!("the input `{name}` is missing: a layer's id")))?;
            city_snapshot.city.layer(id).cloned().ok_or_else(|| Problem::body(no_layer(city_snapshot, id)))
        };
        let layers = [layer("layer")?, layer("with")?];
        let rows = match inputs.get("id") {
            None | Some(Json::Null) => None,
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
        let geometry = match inputs.get("geometry") {
            None | Some(Json::Null) => true,
            Some(Json::Bool(wanted)) => *wanted,
            Some(_) => return Err(Problem::body("`geometry` must be true or false")),
        };
        let least = match inputs.get("minArea") {
            None | Some(Json::Null) => 0.0,
            Some(number) => number
                .as_f64()
                .filter(|number| (0.0..1e12).contains(number))
                .ok_or_else(|| Problem::body("`minArea` must be a number of square metres"))?,
        };
        let within = match inputs.get("within") {
            None | Some(Json::Null) => None,
            Some(value) => Some(polygon(value, limits)?),
        };
        Ok(Self {
            filters: filters(inputs.get("filter"), &layers)?,
            layers,
            rows,
            time: text("datetime")?.map(interval).transpose()?,
            within,
            least,
            format,
            geometry,
        })
    }

    /// The overlay that is asked for.
    pub(crate) fn overlay(&self) -> Result<Overlay<'_>, Problem> {
        let [first, second] = &self.layers;
        let mut a = Operand::new(first)
            .during(self.time)
            .filtered(self.filters[0].clone())
            .meeting(self.within.clone());
        if let Some(rows) = &self.rows {
            a = a.rows(rows.clone());
        }
        let b = Operand::new(second).during(self.time).filtered(self.filters[1].clone());
        Ok(Overlay::new(a, b)?.min_measure(self.least))
    }
}

fn polygon(value: &Json, limits: &Limits) -> Result<Geometry, Problem> {
    let wrong = |why: String| Problem::body(format!("`within` must be a GeoJSON polygon: {why}"));
    let read: geojson::Geometry =
        serde_json::from_value(value.clone()).map_err(|error| wrong(error.to_string()))?;
    let geometry = Geometry::try_from(read).map_err(|error| wrong(error.to_string()))?;
    let vertices = geometry.coords_count();
    if vertices > limits.within_vertices_max {
        return Err(wrong(format!("it has {vertices} vertices, {} are allowed", limits.within_vertices_max)));
    }
    // As strict as with what somebody draws.
    Ok(citymap_engine::Area::new(geometry)?.polygons().clone().into())
}

/// `{"zones":{"cap":"phuong"}}`: equality, by layer and public field.
fn filters(given: Option<&Json>, layers: &[Arc<LayerSnapshot>; 2]) -> Result<[Vec<Filter>; 2], Problem> {
    let mut out = [Vec::new(), Vec::new()];
    let wrong = || Problem::body("`filter` must be {\"layer\":{\"field\":value}}");
    let given = match given {
        None | Some(Json::Null) => return Ok(out),
        Some(value) => value.as_object().ok_or_else(wrong)?,
    };
    for (name, fields) in given {
        if !layers.iter().any(|layer| layer.layer().id.as_str() == name) {
            return Err(wrong());
        }
        for (filters, layer) in out.iter_mut().zip(layers) {
            let layer = layer.layer();
            if layer.id.as_str() != name {
                continue;
            }
            for (field, value) in fields.as_object().ok_or_else(wrong)? {
                // A personal field is one that is not there.
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
                        Problem::body(format!("the value of `{}` is none of its type", own.name))
                    })?,
                };
                filters.push(Filter { field, comparison: Comparison::Eq, value });
            }
        }
    }
    Ok(out)
}
