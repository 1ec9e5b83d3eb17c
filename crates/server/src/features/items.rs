//! The features of one layer: page by page, and one by one.

use std::{marker::PhantomData, sync::Arc, time::Instant};

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};
use chrono::{DateTime, SecondsFormat, Utc};
use citymap_access::{Audience, visible};
use citymap_cql2::Expr;
use citymap_crs::{Crs, NamedCrs};
use citymap_engine::{Bbox, Cancel, Comparison, EngineError, Filter, LayerSnapshot, Query, TimeInterval};
use citymap_model::{AsOf, Fid, FieldType, Layer, LayerId, Value, nearest, normalize_text};
use serde_json::json;

use super::pages::{self, FeatureTable};
use crate::{
    features::{
        chosen::{ChosenQuery, Columns, sort_after_of},
        describe::{layer_title, link},
        geojson::FeatureWriter,
        modified,
    },
    hash::content_hash,
    http::{
        base::{query_with, segment},
        coords::{Window, window},
        filter::{OPTIONAL_FILTER, check_filter},
        html,
        json::JsonWriter,
        negotiate::{DocumentFormat, Representation},
        parameters::{AS_OF, CRS, DATETIME, Flag, Integer, Limit, OfferedCrs, REPRESENTATION, Raw},
        params::Params,
        problem::Problem,
        query::{Declared, Nested, Parameter, Query as _, query},
        request::{HandlerResult, RequestContext},
        response::{GEOJSON, HTML, JSON, ResponseBuilder},
    },
    work::small,
};

static BBOX: Parameter<Raw> = Parameter::new(
    "bbox",
    "Four numbers (six with heights, which are ignored), in the axis order of `bbox-crs`: west, south, \
        east, north in CRS84. \
     A west greater than the east crosses the antimeridian. Features without geometry are selected too.",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        style: || json!({"style": "form", "explode": false, "example": [106.69, 10.77, 106.7, 10.78]}),
    },
);

static BBOX_CRS: Parameter<OfferedCrs> = Parameter::new("bbox-crs", "The system of `bbox`", OfferedCrs);

/// GDAL reads the page size from the parameter whose reference has `limit` in it.
static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of features; more than the maximum counts as the maximum",
    Limit { default: |limits| limits.items_limit_default, max: |limits| limits.items_limit_max },
);

/// GDAL before 3.7 sets a limit of 10 by itself. That makes ten thousand requests for a layer, and its
/// GeoJSON reader takes texts for dates on a page that has nothing else, which ten parcel keys in a row often
/// are. The link that GDAL follows is `/bulk-items`, which has this parameter built in.
/// The page size of `/bulk-items`, if the server makes pages as large as that.
const BULK_PAGE: u64 = 10_000;

static AT_LEAST: Parameter<Integer> = Parameter::new(
    "at-least",
    "Minimum page size, whatever `limit` says, up to its maximum: for clients that set a small limit by \
        themselves",
    Integer { min: 1, max: 1_000_000_000, states_max: true },
);

static AFTER: Parameter<Integer> = Parameter::new(
    "after",
    "The number of the last feature on the page before; the `next` link carries it",
    Integer { min: 0, max: i64::MAX as u64, states_max: false },
);

static WITH_FID: Parameter<Flag> = Parameter::new(
    "with-fid",
    "Whether each feature has the member `fid`, its number: it stays the same when the key, and with it the \
        id, changes",
    Flag,
);

static EXPLAIN: Parameter<Flag> = Parameter::new(
    "explain",
    "Whether the answer is, in place of features, how they were found: the index, the numbers of candidates \
        and of tested features, and the time",
    Flag,
);

static CHOSEN: Nested<ChosenQuery> = Nested(PhantomData);

query! {
    /// The query of `/items`, without the fields that filter. A field with the name of a parameter cannot
    /// filter.
    pub(crate) struct ItemsQuery {
        bbox: Option<String> = BBOX,
        bbox_crs: NamedCrs = BBOX_CRS,
        time: Option<TimeInterval> = DATETIME,
        limit: usize = LIMIT,
        at_least: Option<u64> = AT_LEAST,
        after: Option<u64> = AFTER,
        crs: NamedCrs = CRS,
        with_fid: bool = WITH_FID,
        filter: Option<Expr> = OPTIONAL_FILTER,
        explain: bool = EXPLAIN,
        chosen: ChosenQuery = CHOSEN,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

query! {
    /// The query of one feature.
    pub(crate) struct ItemQuery {
        crs: NamedCrs = CRS,
        with_fid: bool = WITH_FID,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The parameters of a page that the OpenAPI document shares between layers.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 7] =
    [&LIMIT, &AT_LEAST, &BBOX, &BBOX_CRS, &AFTER, &WITH_FID, &EXPLAIN];

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");

/// Maximum number of features on a page for people.
const HTML_ROWS_MAX: usize = 1_000;
/// Features for which an answer has room from the start.
const ROWS_EXPECTED: usize = 10_000;

/// What is selected from a layer, and the form of the answer.
struct PageRequest {
    query: Query,
    crs: NamedCrs,
    with_fid: bool,
    columns: Columns,
    representation: Representation,
    etag: String,
    path: ItemsPath,
}

/// The two addresses of a layer's features.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ItemsPath {
    Items,
    /// The same with large pages. GDAL appends `/{id}` to it, so its link has no query.
    BulkItems,
}

impl ItemsPath {
    fn as_str(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::BulkItems => "bulk-items",
        }
    }
}

/// The handler of `GET /api/collections/{layer}/items`.
pub(crate) async fn items(context: RequestContext) -> HandlerResult {
    answer_page(context, ItemsPath::Items).await
}

/// The handler of `GET /api/collections/{layer}/bulk-items`.
pub(crate) async fn bulk_items(context: RequestContext) -> HandlerResult {
    answer_page(context, ItemsPath::BulkItems).await
}

async fn answer_page(mut context: RequestContext, path: ItemsPath) -> HandlerResult {
    let mut asked: ItemsQuery = context.read_query()?;
    if path == ItemsPath::BulkItems {
        asked.at_least = asked.at_least.max(Some(BULK_PAGE));
    }
    context.as_of(asked.revision).await?;
    let snapshot = context.layer()?;
    let mut filters = filters(&mut context.params, &snapshot)?;
    filters.extend(check_filter(asked.filter.as_ref(), &snapshot)?);
    filters.extend(asked.time.iter().flat_map(|time| instant_filters(&snapshot, time)));
    let etag = context.etag(asked.representation);
    let mut query = selection(&asked, filters, context.app.config.limits.items_limit_max)?;
    query.only = asked.chosen.rows(&snapshot);
    query.sort = asked.chosen.sort(&snapshot)?;
    query.sort_after = asked.chosen.sort_after(&snapshot, &query.sort)?;
    let columns = asked.chosen.columns(&snapshot)?;
    let ItemsQuery { crs, with_fid, representation, .. } = asked;
    if representation.format == DocumentFormat::Html {
        query.limit = query.limit.map(|limit| limit.min(HTML_ROWS_MAX));
    }
    let mut request = PageRequest { query, crs, with_fid, columns, representation, etag, path };
    let app = context.app.clone();
    if asked.explain {
        let filter = asked.filter.as_ref().map(Expr::to_text);
        let work = move |cancel: &Cancel| {
            request.query.cancel = cancel.clone();
            explanation(&snapshot, &request.query, filter)
        };
        return Ok(app.pool.run_with(Cancel::new(), work).await?.into_response());
    }
    context.check_if_none_match(&request.etag)?;
    let is_small = is_small(&request, &snapshot);
    let mut work = move |cancel: &Cancel| {
        request.query.cancel = cancel.clone();
        page(&context, &snapshot, &request)
    };
    let cancel = Cancel::new();
    let response = if is_small { small(|| work(&cancel))? } else { app.pool.run_with(cancel, work).await? };
    Ok(response.into_response())
}

/// How the features of a page are found, in place of the page.
fn explanation(
    snapshot: &LayerSnapshot,
    query: &Query,
    filter: Option<String>,
) -> Result<ResponseBuilder, Problem> {
    let start = Instant::now();
    let (page, plan) = snapshot.select_explained(query);
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    query.cancel.check().map_err(EngineError::from)?;
    let mut document = json!({
        "layer": snapshot.layer().id,
        "revision": snapshot.revision(),
        "features": snapshot.len(),
        "index": plan.index.as_str(),
        "candidates": plan.candidates,
        "tested": plan.tested,
        "numberReturned": page.rows.len(),
        "more": page.next.is_some(),
        "milliseconds": milliseconds,
    });
    if let Some(filter) = filter {
        document["filter"] = filter.into();
    }
    Ok(ResponseBuilder::new(JSON, document.to_string()).with(header::CACHE_CONTROL, "no-store"))
}

/// True if the page takes well below a millisecond: some features of a small box, or the next ones by number.
fn is_small(request: &PageRequest, snapshot: &LayerSnapshot) -> bool {
    const DEGREES: f64 = 0.006;
    const SHAPELESS: usize = 1_000;
    let query = &request.query;
    let near = |bbox: &Bbox| {
        let span = |axis: usize| bbox.max[axis] - bbox.min[axis];
        (0.0..=DEGREES).contains(&span(0)) && span(1) <= DEGREES
    };
    request.representation.format == DocumentFormat::Json
        && request.crs.crs == Crs::WGS84
        && query.limit.is_some_and(|limit| limit <= 200)
        && query.intersects.is_none()
        && query.sort.is_empty()
        && query.bbox.as_ref().map_or(query.filters.is_empty() && query.time.is_none(), near)
        && (query.bbox.is_none() || snapshot.shapeless_count() <= SHAPELESS)
}

/// What the parameters select.
fn selection(asked: &ItemsQuery, filters: Vec<Filter>, limit_max: usize) -> Result<Query, Problem> {
    let at_least = usize::try_from(asked.at_least.unwrap_or(0)).unwrap_or(usize::MAX).min(limit_max);
    let mut query = Query {
        limit: Some(asked.limit.max(at_least)),
        after: asked.after.and_then(|after| i64::try_from(after).ok()),
        time: asked.time,
        filters,
        // OGC API – Features, requirement fc-bbox-response.
        shapeless: true,
        ..Query::default()
    };
    match asked.bbox.as_deref().map(|text| window(text, &asked.bbox_crs)).transpose()? {
        None => {}
        Some(Window::Bbox(bbox)) => query.bbox = Some(bbox),
        Some(Window::Polygon(polygon)) => query.intersects = Some(polygon.into()),
    }
    Ok(query)
}

/// Reads the remaining parameters as fields whose values must be equal.
fn filters(params: &mut Params, snapshot: &LayerSnapshot) -> Result<Vec<Filter>, Problem> {
    let filters = field_filters(params, snapshot)?;
    if let Some((name, _)) = params.pairs().next() {
        let fields = visible(snapshot.layer(), &Audience::Public);
        let known: Vec<&str> = ItemsQuery::declared().iter().map(|parameter| parameter.name()).collect();
        let near = nearest(name, &fields.names(), 40).join(", ");
        return Err(Problem::unknown_parameter(format!(
            "`{name}` is not known here; the parameters are: {}, and the fields: {near}",
            known.join(", ")
        )));
    }
    Ok(filters)
}

/// Takes the parameters that are called like public fields: values that must be equal, each of its field's
/// type.
///
/// # Errors
/// 400 for a value that is not of its field's type.
pub(crate) fn field_filters(params: &mut Params, snapshot: &LayerSnapshot) -> Result<Vec<Filter>, Problem> {
    let mut filters = Vec::new();
    for (field, definition) in visible(snapshot.layer(), &Audience::Public).iter() {
        let name = &definition.name;
        let Some(text) = params.take_any(&normalize_text(name.clone()))? else { continue };
        let value = Value::parse(&text, definition.field_type).ok_or_else(|| {
            let wanted = definition.field_type.as_str();
            Problem::parameter(format!("`{name}={text}` cannot be used; the field's type is {wanted}"))
        })?;
        filters.push(Filter::compare(field, Comparison::Eq, value));
    }
    Ok(filters)
}

/// The conditions of `datetime` on the field that says when the event of a feature was, if the layer has one
/// instead of valid time. Features without a value do not meet them. A day is met if any of its hours is in
/// the interval.
fn instant_filters(snapshot: &LayerSnapshot, time: &TimeInterval) -> Vec<Filter> {
    let layer = snapshot.layer();
    let Some(field) = visible(layer, &Audience::Public).instant_index() else { return Vec::new() };
    let is_day = layer.fields[field].field_type == FieldType::Date;
    let value =
        |time: DateTime<Utc>| if is_day { Value::Date(time.date_naive()) } else { Value::DateTime(time) };
    let bounds = [(Comparison::Ge, time.start), (Comparison::Le, time.end)];
    let filter = |(comparison, bound): (Comparison, Option<DateTime<Utc>>)| {
        bound.map(|bound| Filter::compare(field, comparison, value(bound)))
    };
    bounds.into_iter().filter_map(filter).collect()
}

fn page(
    context: &RequestContext,
    snapshot: &LayerSnapshot,
    request: &PageRequest,
) -> Result<ResponseBuilder, Problem> {
    let PageRequest { query, crs, with_fid, columns, representation, etag, path: items } = request;
    let page = snapshot.select(query);
    query.cancel.check().map_err(EngineError::from)?;
    let link_to = |next: i64, format: &str| {
        let last = snapshot.row_of_fid(next).filter(|_| !query.sort.is_empty());
        let values = last.map(|row| sort_after_of(snapshot, row, &query.sort));
        let next = next.to_string();
        let changes = [("after", Some(&*next)), ("sort-after", values.as_deref()), ("f", Some(format))];
        query_with(&context.given, &changes)
    };
    if representation.format == DocumentFormat::Html {
        let next = page.next.map(|next| link_to(next, "html"));
        let table = FeatureTable { rows: &page.rows, columns, next: next.as_deref() };
        let lang = representation.lang;
        let content = pages::items(snapshot, &table, lang, &context.page_links());
        let page = html::page(context, *representation, layer_title(snapshot.layer(), lang), &content);
        return Ok(ResponseBuilder::new(HTML, page).tagged(etag).compressed(&context.headers));
    }
    let mut out = Vec::with_capacity(1024 + page.rows.len().min(ROWS_EXPECTED) * 512);
    let mut json = JsonWriter::new(&mut out);
    json.open_object().key("type").text("FeatureCollection");
    json.key("timeStamp").text(&Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true));
    // Counting what a filter leaves would need a scan of the whole layer.
    let unfiltered = query.bbox.is_none()
        && query.intersects.is_none()
        && query.filters.is_empty()
        && query.only.is_none()
        && query.time.is_none();
    if unfiltered {
        json.key("numberMatched").value(&snapshot.len());
    }
    json.key("features").open_array();
    let writer = FeatureWriter::new(snapshot, crs)?.with(columns);
    let (mut returned, mut next) = (0, page.next);
    for &row in &page.rows {
        query.cancel.check().map_err(EngineError::from)?;
        writer.feature(&mut json, row, |json| {
            if *with_fid {
                json.key("fid").value(&snapshot.fid(row));
            }
            Ok(())
        })?;
        returned += 1;
        if json.len() > context.app.config.limits.answer_bytes_max && returned < page.rows.len() {
            next = Some(snapshot.fid(row));
            break;
        }
    }
    json.close_array();
    json.key("numberReturned").value(&returned);
    let path = format!("/api/collections/{}/{}", segment(snapshot.layer().id.as_str()), items.as_str());
    let links = page_links(context, &path, next.map(|next| link_to(next, "json")));
    json.key("links").value(&links);
    json.close_object();
    Ok(ResponseBuilder::new(GEOJSON, out)
        .tagged(etag)
        .with(CONTENT_CRS, &format!("<{}>", crs.uri))
        .with_link_header(&links)
        .compressed(&context.headers))
}

/// The links of a page at `path`; `next` is the query of the page after it.
fn page_links(context: &RequestContext, path: &str, next: Option<String>) -> Vec<serde_json::Value> {
    let here = |format: &str| {
        context.base().url(&format!("{path}{}", query_with(&context.given, &[("f", Some(format))])))
    };
    let layer = path.rsplit_once('/').map_or(path, |(layer, _)| layer);
    let mut links = vec![
        link("self", GEOJSON, "This page", here("json")),
        link("alternate", HTML, "This page for people", here("html")),
        link("collection", JSON, "The layer", context.base().url(layer)),
    ];
    if let Some(next) = next {
        links.push(link("next", GEOJSON, "Next page", context.base().url(&format!("{path}{next}"))));
    }
    links
}

/// 404 for a feature that a layer does not have.
pub(crate) fn no_feature(layer: &Layer, id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::not_found(format!(
        "layer `{}` has no feature `{id}`; /api/collections/{0}/items lists them, /api/search?q= finds \
            them by name",
        layer.id
    ))
}

/// The handler of `GET /api/collections/{layer}/items/{id}`.
pub(crate) async fn item(mut context: RequestContext) -> HandlerResult {
    let ItemQuery { crs, with_fid, revision, representation } = context.query()?;
    context.as_of(revision).await?;
    let snapshot = context.layer()?;
    let id = context.path_param("id").to_owned();
    let layer = snapshot.layer();
    let row = snapshot.row_of_id(&id).ok_or_else(|| no_feature(layer, &id))?;
    let modified = last_modified(&context, layer.id.clone(), snapshot.fid(row)).await;
    // The tag of the content, which If-Match of a write needs, comes before that of the form.
    let content_tag = citymap_edit::content_tag(snapshot.layer(), &snapshot.feature(row));
    if representation.format == DocumentFormat::Html {
        let content = pages::item(&snapshot, row, representation.lang, &context.page_links());
        let title = format!("{} {}", layer_title(layer, representation.lang), snapshot.label(row));
        let page = html::page(&context, representation, &title, &content);
        return tagged(&context, dated(ResponseBuilder::new(HTML, page), modified), &content_tag);
    }
    let path = format!("/api/collections/{}", segment(layer.id.as_str()));
    let own = format!("{path}/items/{}", segment(&id));
    let here = |format: &str| {
        context.base().url(&format!("{own}{}", query_with(&context.given, &[("f", Some(format))])))
    };
    let links = [
        link("self", GEOJSON, "This feature", here("json")),
        link("alternate", HTML, "This feature for people", here("html")),
        link("collection", JSON, "The layer", context.base().url(&path)),
    ];
    let mut out = Vec::with_capacity(1024);
    FeatureWriter::new(&snapshot, &crs)?.feature(&mut JsonWriter::new(&mut out), row, |json| {
        if with_fid {
            json.key("fid").value(&snapshot.fid(row));
        }
        json.key("links").value(&links);
        Ok(())
    })?;
    let reply = ResponseBuilder::new(GEOJSON, out)
        .with(CONTENT_CRS, &format!("<{}>", crs.uri))
        .with_link_header(&links);
    tagged(&context, dated(reply, modified), &content_tag)
}

/// When the feature last changed; `None` if the history does not reach back to it, and while the record
/// cannot be read: the feature is shown all the same.
async fn last_modified(context: &RequestContext, layer: LayerId, fid: Fid) -> Option<DateTime<Utc>> {
    let (live, until) = (Arc::clone(&context.app.live), context.city_snapshot.revision());
    let read = move || Ok(modified::version_times(live.store(), &layer, fid, until, 1)?);
    context.app.pool.run(read).await.ok()?.into_iter().next()
}

/// The answer with the header `Last-Modified`, if that time is known.
fn dated(reply: ResponseBuilder, modified: Option<DateTime<Utc>>) -> ResponseBuilder {
    match modified {
        Some(time) => reply.with(header::LAST_MODIFIED, &modified::http_date(time)),
        None => reply,
    }
}

/// The answer with a strong ETag: a tag of the feature's content, a dot, and a tag of the bytes that are
/// sent.
fn tagged(context: &RequestContext, reply: ResponseBuilder, content: &str) -> HandlerResult {
    let form = content_hash(reply.bytes());
    let reply = reply.compressed(&context.headers);
    let etag = format!("\"{content}.{form}{}\"", if reply.is_compressed() { "-gzip" } else { "" });
    context.check_if_none_match(&etag)?;
    Ok(reply.tagged(&etag).into_response())
}
