//! `/api/within`: what lies in a box or an area.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};
use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::{Area, Bbox, During, TimeInterval};
use citymap_model::{AsOf, Geometry};
use geo::CoordsIter;
use serde_json::{Value, json};

use super::{AnswerForm, WorkSize, answer, check_size};
use crate::{
    app::App,
    features::{
        describe::open_layer,
        geojson::{FeatureWriter, measure},
    },
    http::{
        body,
        coords::window,
        json::JsonWriter,
        negotiate::Representation,
        parameters::{AS_OF, DATETIME, Flag, LAYERS, Limit, QUESTION_CRS, REPRESENTATION, Raw},
        problem::Problem,
        query::{Nested, Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    work::small,
};

pub(crate) static BBOX: Parameter<Raw> = Parameter::new(
    "bbox",
    "west, south, east, north in longitude and latitude, or in x and y of `crs`",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        style: || json!({"style": "form", "explode": false, "example": [106.69, 10.77, 106.7, 10.78]}),
    },
)
.component("area-bbox")
.required();

/// A body with more bytes than this is read in the pool.
const SMALL_BODY: usize = 16 << 10;

pub(crate) static FEATURES: Parameter<Flag> =
    Parameter::new("features", "Whether to list the features, not only count them", Flag);

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of features per layer; more than the maximum counts as the maximum",
    Limit { default: |_| 100, max: |limits| limits.within_limit_max },
)
.component("within-limit");

query! {
    /// The query of `POST /api/within`, whose area is in the body.
    pub(crate) struct WithinQuery {
        crs: Option<Crs> = QUESTION_CRS,
        layers: Option<String> = LAYERS,
        features: bool = FEATURES,
        limit: usize = LIMIT,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

static WITHIN: Nested<WithinQuery> = Nested(PhantomData);

query! {
    /// The query of `GET /api/within`.
    pub(crate) struct WithinBoxQuery {
        bbox: Option<String> = BBOX,
        within: WithinQuery = WITHIN,
    }
}

/// Whether caches may keep the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caching {
    /// They may, and revalidate it with its ETag.
    ByTag,
    /// Not at all: the request had a body.
    Never,
}

/// An area that extends this many degrees (about 3 km) along either axis is a large question.
const LARGE_SPAN: f64 = 0.03;

/// `GET /api/within?bbox=`: what lies in a box.
pub(crate) async fn within_bbox(mut context: RequestContext) -> HandlerResult {
    let WithinBoxQuery { bbox, within } = context.query()?;
    let Some(bbox) = bbox else {
        return Err(Problem::parameter(
            "`bbox` is missing; write bbox=west,south,east,north, or send a GeoJSON polygon with POST",
        )
        .into());
    };
    // In questions x comes first, whatever the authority of the system says.
    let named = NamedCrs::xy(within.crs.unwrap_or(Crs::WGS84));
    let area = window(&bbox, &named)?.to_polygons();
    run(context, within, area.into(), Caching::ByTag).await
}

/// `POST /api/within`: what lies in a polygon.
pub(crate) async fn within_area(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
    json_body(&context.headers)?;
    let limits = &app.config.limits;
    let body = body::read(&context.headers, request, limits.body_bytes_max).await?;
    let body_is_small = body.len() <= SMALL_BODY;
    let query: WithinQuery = context.query()?;
    let crs = query.crs.unwrap_or(Crs::WGS84);
    let vertices_max = limits.within_vertices_max;
    let read = move || read_area(&body, crs, vertices_max);
    // Reading a large body takes milliseconds, which others on the same thread would wait for.
    let area = if body_is_small { small(read)? } else { app.pool.run(read).await? };
    run(context, query, area, Caching::Never).await
}

/// Reads the area of a body, in longitude and latitude.
///
/// # Errors
/// 400 for a body that is not an area, or has too many vertices.
fn read_area(body: &[u8], crs: Crs, vertices_max: usize) -> Result<Geometry, Problem> {
    let mut area = geometry(body)?;
    let vertices = area.coords_count();
    if vertices > vertices_max {
        let detail = format!("the area has {vertices} vertices; {vertices_max} are allowed, simplify it");
        return Err(Problem::body(detail));
    }
    Transform::new(crs, Crs::WGS84)?.geometry(&mut area)?;
    if crs == Crs::WGS84 && area.coords_iter().any(|at| at.x.abs() > 180.0 || at.y.abs() > 90.0) {
        return Err(Problem::body(
            "a vertex is beyond 180 degrees of longitude or 90 of latitude; name the system with crs=",
        ));
    }
    Ok(area)
}

fn json_body(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let name =
        kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ["application/json", "application/geo+json", "text/json"].contains(&name.as_str()) {
        return Ok(());
    }
    Err(Problem::media_type(format!(
        "`{name}` cannot be read; send GeoJSON as application/geo+json or application/json"
    )))
}

/// Reads the polygon of a GeoJSON text: a geometry, a feature, or any object with a member `geometry`.
fn geometry(body: &[u8]) -> Result<Geometry, Problem> {
    let advice = "send {\"type\":\"Polygon\",\"coordinates\":[…]}, a Feature, or {\"geometry\":…}";
    if body.is_empty() {
        return Err(Problem::body(format!("the body is empty; {advice}")));
    }
    let mut value: Value = serde_json::from_slice(body)
        .map_err(|error| Problem::body(format!("the body is not JSON: {error}; {advice}")))?;
    if let Some(inner) = value.get_mut("geometry") {
        value = inner.take();
    }
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("nothing").to_owned();
    if !["Polygon", "MultiPolygon"].contains(&kind.as_str()) {
        let kind: String = kind.chars().take(40).collect();
        return Err(Problem::body(format!(
            "the area must be a Polygon or a MultiPolygon, not {kind}; {advice}"
        )));
    }
    let read: geojson::Geometry = serde_json::from_value(value)
        .map_err(|error| Problem::body(format!("the area is not GeoJSON: {error}; {advice}")))?;
    Geometry::try_from(read)
        .map_err(|error| Problem::body(format!("the area is not GeoJSON: {error}; {advice}")))
}

async fn run(
    mut context: RequestContext,
    query: WithinQuery,
    area: Geometry,
    caching: Caching,
) -> HandlerResult {
    context.as_of(query.revision).await?;
    let layers = context.layers(query.layers.as_deref())?;
    let span = Bbox::of(&area).map_or(0.0, |bbox| (bbox.max[0] - bbox.min[0]).max(bbox.max[1] - bbox.min[1]));
    let form = AnswerForm {
        representation: query.representation,
        title: ("Trong vùng này có gì?", "What is in this area?"),
        media_type: JSON,
        etag: (caching == Caching::ByTag).then(|| context.etag(query.representation)),
        size: if span > LARGE_SPAN { WorkSize::Large } else { WorkSize::Middle },
    };
    answer(context, form, move |context, cancel| {
        let area = Area::new(area)?;
        let mut out = Vec::with_capacity(2048);
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("revision").value(&context.city_snapshot.revision());
        measure(json.key("area"), &area.measure()?, "m²");
        json.key("layers").open_array();
        for snapshot in &layers {
            layer(&mut json, snapshot.during(query.time).until(cancel), &area, &query, |json| {
                check_size(json, context, query.representation)
            })?;
        }
        json.close_array();
        json.close_object();
        Ok(out)
    })
    .await
}

fn layer(
    json: &mut JsonWriter<'_>,
    selected: During<'_>,
    area: &Area,
    query: &WithinQuery,
    check: impl Fn(&JsonWriter<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let share = selected.within(area)?;
    let snapshot = selected.snapshot();
    open_layer(json, snapshot.layer());
    json.key("count").value(&share.rows.len());
    json.key("whole").value(&share.whole);
    for (found, name, unit) in [(&share.area, "area", "m²"), (&share.length, "length", "m")] {
        if let Some(found) = found {
            measure(json.key(name), found, unit);
        }
    }
    if query.features {
        json.key("truncated").value(&(share.rows.len() > query.limit));
        json.key("features").open_array();
        let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
        for &row in share.rows.iter().take(query.limit) {
            selected.check()?;
            writer.feature(json, row, |json| {
                json.key("label").text(&snapshot.label(row));
                Ok(())
            })?;
            check(json)?;
        }
        json.close_array();
    }
    json.close_object();
    Ok(())
}
