//! `POST /api/drafts/impact`: what a draft of zones, roads and boundaries would change. Nothing is stored.

use std::sync::Arc;

use axum::extract::{Request, State};
use citymap_engine::{Area, Bbox, Cancel, LayerSnapshot, Row, TimeInterval};
use citymap_model::{AsOf, Geometry, Role};
use citymap_planning::{Draft, DraftError, DraftImpact, DraftOptions, DraftPart, cut_of};
use geo::CoordsIter;
use serde_json::{Map, Value, json};

use super::{AnswerForm, Content, WorkSize, answer_as, report::today, within::json_body};
use crate::{
    app::App,
    config::Limits,
    http::{
        body,
        negotiate::Representation,
        parameters::{AS_OF, DATETIME, Integer, Limit, REPRESENTATION, Text},
        problem::Problem,
        query::{Declared, Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

static LIST: Parameter<Text> = Parameter::new(
    "list",
    "A layer whose affected features are listed, each with its part in the draft; parcels also with what the \
        draft's roads cut off and what remains",
    Text,
)
.component("draft-list");

static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of listed features; more than the maximum counts as the maximum",
    Limit { default: |_| 100, max: |limits| limits.within_limit_max },
)
.component("draft-limit");

static AFTER: Parameter<Integer> = Parameter::new(
    "after",
    "The number of the last feature listed before, from `next`",
    Integer { min: 0, max: i64::MAX as u64, states_max: false },
)
.component("draft-after");

/// The parameters of this file, for the OpenAPI document.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 3] = [&LIST, &LIMIT, &AFTER];

query! {
    /// The query of `POST /api/drafts/impact`, whose draft is in the body.
    pub(crate) struct DraftQuery {
        list: Option<String> = LIST,
        limit: usize = LIMIT,
        after: Option<u64> = AFTER,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// Maximum number of parts of a draft.
const PARTS_MAX: usize = 1_000;
/// Widest right-of-way of a draft's road in m, as in the report on a parcel.
const WIDTH_MAX: f64 = 150.0;
/// Degrees (about 3 km) from which a draft is a large question.
const LARGE_SPAN: f64 = 0.03;

const ADVICE: &str =
    "send a FeatureCollection of zones {\"function\":\"CX\"}, roads {\"width\":20} and boundaries {}";

/// The handler of `POST /api/drafts/impact`.
pub(crate) async fn impact(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
    json_body(&context.headers, "GeoJSON as application/geo+json or application/json")?;
    let limits = &app.config.limits;
    let query: DraftQuery = context.query()?;
    let body = body::read(&context.headers, request, limits.body_bytes_max).await?;
    let vertices_max = limits.within_vertices_max;
    let parts = app.pool.run(move || read(&body, vertices_max)).await?;
    context.as_of(query.revision).await?;
    let listed = match query.list.as_deref() {
        None => None,
        Some(name) => Some(one_layer(&context, name)?),
    };
    let form = AnswerForm {
        representation: query.representation,
        title: ("Tác động của phương án", "What a draft would change"),
        media_type: JSON,
        etag: None,
        size: if span(&parts) > LARGE_SPAN { WorkSize::Large } else { WorkSize::Middle },
    };
    answer_as(context, form, move |context, cancel| {
        let city = &context.city_snapshot.city;
        let time = query.time.unwrap_or_else(|| today(city));
        let options = DraftOptions { time: Some(time), ..DraftOptions::default() };
        let draft = Draft::new(&parts).map_err(|error| match error {
            DraftError::Engine(error) => error.into(),
            error => Problem::body(error.to_string()),
        })?;
        let found = DraftImpact::ask(city, &draft, &options, cancel)?;
        let wrong = |error: serde_json::Error| Problem::internal(error.to_string());
        let mut document = serde_json::to_value(&found).map_err(wrong)?;
        if let Some(layer) = &listed {
            document["list"] = list(layer, &draft, (&query, time), cancel)?;
        }
        Ok(Content::Json(serde_json::to_vec(&document).map_err(wrong)?))
    })
    .await
}

/// The layer with this name.
fn one_layer(context: &RequestContext, name: &str) -> Result<Arc<LayerSnapshot>, Problem> {
    let layers = context.layers(Some(name))?;
    match &layers[..] {
        [only] => Ok(Arc::clone(only)),
        _ => Err(Problem::parameter("`list` must name one layer; /api/collections lists them")),
    }
}

/// The extent of a draft along either axis, degrees.
fn span(parts: &[DraftPart]) -> f64 {
    let bbox = parts.iter().filter_map(|part| Bbox::of(geometry_of(part))).reduce(Bbox::union);
    bbox.map_or(0.0, |bbox| (bbox.max[0] - bbox.min[0]).max(bbox.max[1] - bbox.min[1]))
}

fn geometry_of(part: &DraftPart) -> &Geometry {
    match part {
        DraftPart::Zone { area, .. } | DraftPart::Boundary { area } => area,
        DraftPart::Road { line, .. } => line,
    }
}

/// Reads a draft: a feature collection, or one feature.
fn read(body: &[u8], vertices_max: usize) -> Result<Vec<DraftPart>, Problem> {
    let mut document: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::body(format!("the body is not JSON: {error}; {ADVICE}")))?;
    let features = match document.get_mut("features").map(Value::take) {
        Some(Value::Array(features)) => features,
        Some(_) => return Err(Problem::body(format!("`features` must be a list; {ADVICE}"))),
        None => vec![document],
    };
    if features.is_empty() || features.len() > PARTS_MAX {
        let count = features.len();
        let detail = format!("the draft has {count} parts; it must have 1 to {PARTS_MAX}; {ADVICE}");
        return Err(Problem::body(detail));
    }
    let parts: Vec<DraftPart> = features
        .into_iter()
        .enumerate()
        .map(|(position, own)| part(position, own))
        .collect::<Result<_, _>>()?;
    let vertices: usize = parts.iter().map(|part| geometry_of(part).coords_count()).sum();
    if vertices > vertices_max {
        let detail = format!("the draft has {vertices} vertices; {vertices_max} are allowed, simplify it");
        return Err(Problem::body(detail));
    }
    Ok(parts)
}

/// Reads one part. Its geometry says what it is: a line is a road, a polygon with a function a zone, another
/// polygon a boundary.
fn part(position: usize, mut feature: Value) -> Result<DraftPart, Problem> {
    let number = position + 1;
    let wrong = |why: String| Problem::body(format!("part {number} of the draft: {why}; {ADVICE}"));
    let geometry = feature.get_mut("geometry").map(Value::take).unwrap_or_default();
    let read: geojson::Geometry = serde_json::from_value(geometry)
        .map_err(|error| wrong(format!("its geometry is not GeoJSON: {error}")))?;
    let geometry =
        Geometry::try_from(read).map_err(|error| wrong(format!("its geometry is not GeoJSON: {error}")))?;
    if geometry.coords_iter().any(|at| !(at.x.abs() <= 180.0 && at.y.abs() <= 90.0)) {
        return Err(wrong("a vertex is beyond 180 degrees of longitude or 90 of latitude".to_owned()));
    }
    let empty = Map::new();
    let properties = feature.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    match geometry {
        Geometry::LineString(_) | Geometry::MultiLineString(_) => {
            let width = properties.get("width").and_then(Value::as_f64);
            let width = width.filter(|width| *width > 0.0 && *width <= WIDTH_MAX).ok_or_else(|| {
                wrong(format!(
                    "a road needs `width`, its right-of-way in m, more than 0 and at most {WIDTH_MAX}"
                ))
            })?;
            Ok(DraftPart::Road { line: geometry, width })
        }
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) => match properties.get("function") {
            None | Some(Value::Null) => Ok(DraftPart::Boundary { area: geometry }),
            Some(Value::String(function)) if function.len() <= 200 => {
                Ok(DraftPart::Zone { area: geometry, function: Some(function.clone()) })
            }
            Some(_) => Err(wrong("`function` must be a text of at most 200 bytes".to_owned())),
        },
        _ => Err(wrong("its geometry must be polygons or lines".to_owned())),
    }
}

/// A page of the features of a layer that the draft touches.
fn list(
    layer: &LayerSnapshot,
    draft: &Draft,
    (query, time): (&DraftQuery, TimeInterval),
    cancel: &Cancel,
) -> Result<Value, Problem> {
    let moment = layer.during(Some(time)).until(cancel);
    let share = moment.within(draft.area())?;
    let after = query.after.and_then(|after| i64::try_from(after).ok()).unwrap_or(0);
    let rows = &share.rows[share.rows.partition_point(|&row| layer.fid(row) <= after)..];
    let page: &[Row] = &rows[..query.limit.min(rows.len())];
    let shares = moment.shares(draft.area(), page)?;
    let roads: Option<&Area> = draft.roads().filter(|_| layer.layer().role == Role::Parcel);
    let cuts = roads.map(|roads| moment.shares(roads, page)).transpose()?;
    let entries = page.iter().zip(&shares).enumerate().map(|(position, (&row, share))| {
        let mut entry = json!({"id": layer.id(row).to_json(), "label": layer.label(row)});
        for (name, value) in [("area", share.area), ("length", share.length)] {
            if let Some(value) = value {
                entry[name] = ((value * 1e4).round() / 1e4).into();
            }
        }
        if let Some([cut, remaining]) = cuts.as_ref().and_then(|cuts| cut_of(&cuts[position])) {
            entry["cut"] = json!(cut);
            entry["remaining"] = json!(remaining);
        }
        entry
    });
    let entries: Vec<Value> = entries.collect();
    let next = page.last().filter(|_| page.len() < rows.len()).map(|&row| layer.fid(row));
    Ok(json!({"layer": layer.layer().id.as_str(), "features": entries, "next": next}))
}

/// The bounds of a draft, for the OpenAPI document.
pub(crate) fn bounds(limits: &Limits) -> String {
    format!(
        "A GeoJSON FeatureCollection, nothing of which is stored: polygons with `function` are zones, \
         lines with `width` (m) are roads, other polygons are boundaries; at most {PARTS_MAX} parts, {} \
         vertices and {} bytes",
        limits.within_vertices_max, limits.body_bytes_max
    )
}
