//! `/api/within`: what lies in a box, an area or a feature, by layer and by the values of fields.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};
use citymap_access::{Audience, visible};
use citymap_cql2::Expr;
use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::{
    Area, Bbox, During, EngineError, Filter, Grouping, LayerShare, LayerSnapshot, Measure, Method, Row,
    ShareTotals, TimeInterval,
};
use citymap_model::{AsOf, Geometry, Layer, Meaning};
use geo::CoordsIter;
use serde_json::{Value, json};

use super::{AnswerForm, WorkSize, answer, check_size};
use crate::{
    app::App,
    features::{
        describe::open_layer,
        geojson::{FeatureWriter, measure, value},
        items::field_filters,
    },
    http::{
        body,
        coords::window,
        filter::{OPTIONAL_FILTER, check_filter_of_one},
        json::JsonWriter,
        negotiate::Representation,
        parameters::{
            AS_OF, DATETIME, Flag, Integer, LAYERS, Limit, QUESTION_CRS, REPRESENTATION, Raw, Text, TextList,
        },
        problem::Problem,
        query::{Nested, Parameter, Query, query},
        request::{HandlerResult, RequestContext, no_layer},
        response::JSON,
    },
    work::small,
};

pub(crate) static BBOX: Parameter<Raw> = Parameter::new(
    "bbox",
    "west, south, east, north in longitude and latitude, or in x and y of `crs`; this or `of`",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        style: || json!({"style": "form", "explode": false, "example": [106.69, 10.77, 106.7, 10.78]}),
    },
)
.component("area-bbox");

pub(crate) static OF: Parameter<Text> =
    Parameter::new("of", "The feature that is the area, LAYER:ID; instead of `bbox`", Text)
        .example("communes:26743");

pub(crate) static BY: Parameter<TextList> = Parameter::new(
    "by",
    "Fields by whose values the sums are divided: names, or meanings as `land_use`; with `LAYER.` in front \
        of one layer only. A layer that has none of them is not divided.",
    TextList { values: &[] },
)
.example("land_use,zones.cap,zones.chuc_nang");

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

pub(crate) static AFTER: Parameter<Integer> = Parameter::new(
    "after",
    "The number of the last feature listed before, from `next`; `layers` then names one layer",
    Integer { min: 0, max: i64::MAX as u64, states_max: false },
)
.component("within-after");

query! {
    /// The query of `POST /api/within`, whose area is in the body. Where `layers` names one layer, its fields
    /// filter as those of `/items` do, and so does a CQL2 expression.
    pub(crate) struct WithinQuery {
        crs: Option<Crs> = QUESTION_CRS,
        layers: Option<String> = LAYERS,
        features: bool = FEATURES,
        limit: usize = LIMIT,
        after: Option<u64> = AFTER,
        by: Option<Vec<String>> = BY,
        filter: Option<Expr> = OPTIONAL_FILTER,
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
        of: Option<String> = OF,
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

/// Maximum number of fields in `by`, and of groups of a layer.
const FIELDS_MAX: usize = 64;
const GROUPS_MAX: usize = 1_000;

/// The area that a question is about.
enum AskedArea {
    /// In longitude and latitude.
    Drawn(Geometry),
    /// The polygons of the feature that `LAYER:ID` names.
    Feature(String),
}

/// Features whose parts inside are computed together; after each of them the size of the answer is checked.
const LISTED_AT_ONCE: usize = 512;

/// An area that extends this many degrees (about 3 km) along either axis is a large question.
const LARGE_SPAN: f64 = 0.03;

/// `GET /api/within`: what lies in a box or in a feature.
pub(crate) async fn within_bbox(mut context: RequestContext) -> HandlerResult {
    let WithinBoxQuery { bbox, of, within } = context.read_query()?;
    let area = match (bbox, of) {
        (Some(bbox), None) => {
            // In questions x comes first, whatever the authority of the system says.
            let named = NamedCrs::xy(within.crs.unwrap_or(Crs::WGS84));
            AskedArea::Drawn(window(&bbox, &named)?.to_polygons().into())
        }
        (None, Some(of)) => AskedArea::Feature(of),
        _ => {
            return Err(Problem::parameter(
                "write either bbox=west,south,east,north or of=LAYER:ID, or send a GeoJSON polygon with POST",
            )
            .into());
        }
    };
    let filters = turn::<WithinBoxQuery>(&mut context, &within).await?;
    run(context, within, filters, (area, Caching::ByTag)).await
}

/// `POST /api/within`: what lies in a polygon.
pub(crate) async fn within_area(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
    json_body(&context.headers, "GeoJSON as application/geo+json or application/json")?;
    let limits = &app.config.limits;
    let body = body::read(&context.headers, request, limits.body_bytes_max).await?;
    let body_is_small = body.len() <= SMALL_BODY;
    let query: WithinQuery = context.read_query()?;
    let crs = query.crs.unwrap_or(Crs::WGS84);
    let vertices_max = limits.within_vertices_max;
    let read = move || read_area(&body, crs, vertices_max);
    // Reading a large body takes milliseconds, which others on the same thread would wait for.
    let area = if body_is_small { small(read)? } else { app.pool.run(read).await? };
    let filters = turn::<WithinQuery>(&mut context, &query).await?;
    run(context, query, filters, (AskedArea::Drawn(area), Caching::Never)).await
}

/// Turns to the state that was asked for, and takes the parameters that are called like fields of the one
/// layer that `layers` names.
///
/// # Errors
/// 400 for a parameter that is neither known nor such a field; the errors of [`RequestContext::as_of`].
async fn turn<Q: Query>(context: &mut RequestContext, query: &WithinQuery) -> Result<Vec<Filter>, Problem> {
    context.as_of(query.revision).await?;
    let layers = query.layers.as_deref().map(|names| context.layers(Some(names))).transpose()?;
    let mut filters = match layers.as_deref() {
        Some([layer]) => field_filters(&mut context.params, layer)?,
        _ => Vec::new(),
    };
    filters.extend(check_filter_of_one(query.filter.as_ref(), layers.as_deref().unwrap_or_default())?);
    Q::finish(&context.params)?;
    Ok(filters)
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

pub(super) fn json_body(headers: &HeaderMap, advice: &str) -> Result<(), Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let name =
        kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ["application/json", "application/geo+json", "text/json"].contains(&name.as_str()) {
        return Ok(());
    }
    Err(Problem::media_type(format!("`{name}` cannot be read; send {advice}")))
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
    context: RequestContext,
    query: WithinQuery,
    filters: Vec<Filter>,
    (asked, caching): (AskedArea, Caching),
) -> HandlerResult {
    let layers = context.layers(query.layers.as_deref())?;
    if query.after.is_some() && layers.len() != 1 {
        return Err(Problem::parameter("`after` needs one layer; name it with layers=").into());
    }
    let fields = grouping(query.by.as_deref().unwrap_or_default(), &layers)?;
    let of = match &asked {
        AskedArea::Drawn(_) => None,
        AskedArea::Feature(of) => Some(feature(&context, of)?),
    };
    let span = match (&asked, &of) {
        (AskedArea::Drawn(area), _) => Bbox::of(area),
        (_, of) => of.as_ref().and_then(|(snapshot, row)| snapshot.bbox(*row)),
    };
    let span = span.map_or(0.0, |bbox| (bbox.max[0] - bbox.min[0]).max(bbox.max[1] - bbox.min[1]));
    let form = AnswerForm {
        representation: query.representation,
        title: ("Trong vùng này có gì?", "What is in this area?"),
        media_type: JSON,
        etag: (caching == Caching::ByTag).then(|| context.etag(query.representation)),
        size: if span > LARGE_SPAN { WorkSize::Large } else { WorkSize::Middle },
    };
    answer(context, form, move |context, cancel| {
        let area = match asked {
            AskedArea::Drawn(area) => Area::new(area)?,
            AskedArea::Feature(_) => of_feature(of.as_ref())?,
        };
        let mut out = Vec::with_capacity(2048);
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("revision").value(&context.city_snapshot.revision());
        let size = area.measure()?;
        measure(json.key("area"), &size, "m²");
        if let Some((snapshot, row)) = &of {
            json.key("of").open_object().key("layer").text(snapshot.layer().id.as_str());
            json.key("id").id(&snapshot.id(*row));
            json.key("label").text(&snapshot.label(*row));
            json.close_object();
        }
        json.key("layers").open_array();
        for (snapshot, fields) in layers.iter().zip(&fields) {
            let selected = snapshot.during(query.time).until(cancel);
            let grouping = Grouping { fields, max: GROUPS_MAX, filters: &filters };
            let share = selected.within_by(&area, &grouping)?;
            open_layer(&mut json, snapshot.layer());
            totals(&mut json, &share.totals, (share.method, size.value));
            if !fields.is_empty() {
                groups(&mut json, snapshot, fields, (&share, size.value));
            }
            if query.features {
                list(&mut json, selected, (&area, &share.rows), &query, |json| {
                    check_size(json, context, query.representation)
                })?;
            }
            json.close_object();
        }
        json.close_array();
        json.close_object();
        Ok(out)
    })
    .await
}

/// The feature that `LAYER:ID` names.
///
/// # Errors
/// 400 if there is no such layer, 404 if there is no such feature.
fn feature(context: &RequestContext, of: &str) -> Result<(Arc<LayerSnapshot>, Row), Problem> {
    let (layer, id) = of.split_once(':').ok_or_else(|| {
        Problem::parameter("`of` cannot be used; write LAYER:ID, communes:26743 for instance")
    })?;
    let snapshot = context.city_snapshot.city.layer(layer).cloned();
    let snapshot = snapshot.ok_or_else(|| Problem::parameter(no_layer(&context.city_snapshot, layer)))?;
    let row = snapshot.row_of_id(id).ok_or_else(|| {
        Problem::not_found(format!("`{}` has no feature with this id", snapshot.layer().id))
    })?;
    Ok((snapshot, row))
}

/// The area of a feature.
///
/// # Errors
/// 400 if it has no polygons, or invalid ones.
fn of_feature(of: Option<&(Arc<LayerSnapshot>, Row)>) -> Result<Area, Problem> {
    let geometry = of.and_then(|(snapshot, row)| snapshot.geometry(*row));
    let geometry =
        geometry.ok_or_else(|| Problem::parameter("the feature that `of` names has no geometry"))?;
    Area::of_feature(geometry).map_err(|error| match error {
        EngineError::InvalidArea(error) => {
            Problem::parameter(format!("the feature that `of` names: {error}"))
        }
        error => error.into(),
    })
}

/// The positions of the fields that divide each layer.
///
/// # Errors
/// 400 for a field that no layer has, and for too many of them.
fn grouping(by: &[String], layers: &[Arc<LayerSnapshot>]) -> Result<Vec<Vec<usize>>, Problem> {
    if by.len() > FIELDS_MAX {
        return Err(Problem::parameter(format!("`by` names more than {FIELDS_MAX} fields; leave some out")));
    }
    let mut positions = vec![Vec::new(); layers.len()];
    for name in by {
        let own = name.split_once('.').and_then(|(layer, field)| {
            let index = layers.iter().position(|own| own.layer().id.as_str() == layer)?;
            Some((index, field))
        });
        let mut is_known = false;
        for (index, snapshot) in layers.iter().enumerate() {
            let field = match own {
                None => name.as_str(),
                Some((only, field)) if only == index => field,
                Some(_) => continue,
            };
            if let Some(field) = field_called(snapshot.layer(), field) {
                is_known = true;
                if !positions[index].contains(&field) {
                    positions[index].push(field);
                }
            }
        }
        if !is_known {
            let name: String = name.chars().take(80).collect();
            return Err(Problem::parameter(format!(
                "none of these layers has the field or meaning `{name}`; /api/collections lists the fields"
            )));
        }
    }
    Ok(positions)
}

/// The position of the public field with this name, or with this meaning.
fn field_called(layer: &Layer, name: &str) -> Option<usize> {
    let fields = visible(layer, &Audience::Public);
    fields.get(name).map(|(index, _)| index).or_else(|| {
        let meaning = name.parse::<Meaning>().ok()?;
        fields.iter().find(|(_, field)| field.meaning == Some(meaning)).map(|(index, _)| index)
    })
}

/// Writes the members that a layer, a group and a feature have in common; the area in m² is that of the
/// question.
fn totals(json: &mut JsonWriter<'_>, totals: &ShareTotals, (method, asked): (Method, f64)) {
    json.key("count").value(&totals.count);
    json.key("whole").value(&totals.whole);
    json.key("contacts").value(&totals.contacts);
    for (found, name, unit) in [
        (totals.area, "area", "m²"),
        (totals.full_area, "fullArea", "m²"),
        (totals.length, "length", "m"),
        (totals.full_length, "fullLength", "m"),
    ] {
        if let Some(value) = found {
            measure(json.key(name), &Measure { value, method }, unit);
        }
    }
    if let Some(area) = totals.area.filter(|_| asked > 0.0) {
        json.key("share").number((area / asked * 1e9).round() / 1e9);
    }
}

/// Writes the sums by the values of `fields`.
fn groups(
    json: &mut JsonWriter<'_>,
    snapshot: &LayerSnapshot,
    fields: &[usize],
    (share, asked): (&LayerShare, f64),
) {
    let names: Vec<&str> = fields.iter().map(|&field| snapshot.layer().fields[field].name.as_str()).collect();
    json.key("by").value(&names);
    json.key("groups").open_array();
    for group in &share.groups {
        json.open_object().key("values").open_object();
        for (name, own) in names.iter().zip(&group.values) {
            json.text(name);
            json.colon();
            value(json.raw(), own.into());
        }
        json.close_object();
        totals(json, &group.totals, (share.method, asked));
        json.close_object();
    }
    json.close_array();
}

/// Writes a page of the features in the area, each with its part inside.
fn list(
    json: &mut JsonWriter<'_>,
    selected: During<'_>,
    (area, rows): (&Area, &[Row]),
    query: &WithinQuery,
    check: impl Fn(&JsonWriter<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let snapshot = selected.snapshot();
    let after = query.after.and_then(|after| i64::try_from(after).ok()).unwrap_or(0);
    let rows = &rows[rows.partition_point(|&row| snapshot.fid(row) <= after)..];
    let page = &rows[..query.limit.min(rows.len())];
    let is_truncated = page.len() < rows.len();
    json.key("truncated").value(&is_truncated);
    if let Some(&last) = page.last().filter(|_| is_truncated) {
        json.key("next").value(&snapshot.fid(last));
    }
    json.key("features").open_array();
    let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
    let (size, method) = (area.measure()?.value, area.method());
    for rows in page.chunks(LISTED_AT_ONCE) {
        for (&row, share) in rows.iter().zip(selected.shares(area, rows)?) {
            writer.feature(json, row, |json| {
                json.key("label").text(&snapshot.label(row));
                json.key("inside").open_object();
                totals(json, &share, (method, size));
                json.close_object();
                Ok(())
            })?;
            check(json)?;
        }
    }
    json.close_array();
    Ok(())
}
