//! Features of one layer, page by page, and one by one.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};
use chrono::{SecondsFormat, Utc};
use citymap_access::{Audience, visible};
use citymap_crs::{Crs, NamedCrs};
use citymap_engine::{Bbox, Comparison, Filter, LayerSnapshot, Query, Row};
use citymap_model::{Value, nearest};
use serde_json::json;

use super::pages;
use crate::{
    features::{
        describe::{layer_title, link},
        geojson::FeatureWriter,
    },
    hash::content_hash,
    http::{
        base::{query_with, segment},
        coords::{Window, named_crs, window},
        html,
        negotiate::{DocumentFormat, Representation},
        params::Params,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::{GEOJSON, HTML, JSON, ResponseBuilder},
    },
    work::small,
};

/// The parameters of `/items`, the names of fields aside. Where a field has one of these names, the parameter is meant.
pub(crate) const KNOWN: [&str; 10] =
    ["bbox", "bbox-crs", "datetime", "limit", "at-least", "after", "crs", "revision", "min-revision", "f"];

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");

/// `GET /api/collections/{layer}/items`
pub(crate) async fn items(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let snapshot = context.layer()?;
    let (query, crs) = question(&mut context, &snapshot)?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let app = context.app.clone();
    let small_one = is_small(representation, &query, &crs);
    let work = move || page(&context, representation, &snapshot, &query, &crs, &etag);
    let reply = if small_one { small(work)? } else { app.pool.run(work).await? };
    Ok(reply.into_response())
}

/// Whether a page takes well below a millisecond: some features of a small box, or the next ones by their numbers.
fn is_small(representation: Representation, query: &Query, crs: &NamedCrs) -> bool {
    const DEGREES: f64 = 0.006;
    let near = |bbox: &Bbox| {
        let span = |axis: usize| bbox.max[axis] - bbox.min[axis];
        (0.0..=DEGREES).contains(&span(0)) && span(1) <= DEGREES
    };
    representation.format == DocumentFormat::Json
        && crs.crs == Crs::WGS84
        && query.limit.is_some_and(|limit| limit <= 200)
        && query.intersects.is_none()
        && query.bbox.as_ref().map_or(query.filters.is_empty() && query.time.is_none(), near)
}

fn question(context: &mut RequestContext, snapshot: &LayerSnapshot) -> Result<(Query, NamedCrs), Problem> {
    let time = context.time()?;
    let limits = &context.app.config.limits;
    let params = &mut context.params;
    let crs = params.take("crs")?.map_or_else(|| Ok(NamedCrs::crs84()), |text| named_crs("crs", &text))?;
    let limit = params.limit(limits.items_limit_default, limits.items_limit_max)?;
    // GDAL before 3.7 sets a limit of 10 by itself: ten thousand requests for a layer, and its GeoJSON reader takes texts
    // for dates where a page holds nothing else, which ten parcel keys in a row often are. The link that it follows has this.
    let at_least = params.number("at-least", 1, 1_000_000_000)?.unwrap_or(0).min(limits.items_limit_max);
    let bbox_crs = params.take("bbox-crs")?;
    let bbox_crs = bbox_crs.map_or_else(|| Ok(NamedCrs::crs84()), |text| named_crs("bbox-crs", &text))?;
    let mut query = Query {
        limit: Some(limit.max(at_least)),
        after: params.number("after", 0, i64::MAX)?,
        time,
        ..Query::default()
    };
    match params.take("bbox")?.map(|text| window(&text, &bbox_crs)).transpose()? {
        None => {}
        Some(Window::Bbox(bbox)) => query.bbox = Some(bbox),
        Some(Window::Polygon(polygon)) => query.intersects = Some(polygon.into()),
    }
    query.filters = filters(params, snapshot)?;
    Ok((query, crs))
}

/// The parameters that are left are fields; their values are of the field's type.
fn filters(params: &mut Params, snapshot: &LayerSnapshot) -> Result<Vec<Filter>, Problem> {
    let layer = snapshot.layer();
    let mut filters = Vec::new();
    for (field, definition) in visible(layer, &Audience::Public).iter() {
        let name = &definition.name;
        let Some(text) = params.take_any(name)? else { continue };
        let value = Value::parse(&text, definition.field_type).ok_or_else(|| {
            let wanted = definition.field_type.as_str();
            Problem::parameter(format!("`{name}={text}` cannot be used; the field's type is {wanted}"))
        })?;
        filters.push(Filter { field, comparison: Comparison::Eq, value });
    }
    if let Some((name, _)) = params.pairs().next() {
        let fields = visible(layer, &Audience::Public).names();
        let near = nearest(name, &fields, 40).join(", ");
        return Err(Problem::unknown_parameter(format!(
            "`{name}` is not known here; the parameters are: {}, lang, and the fields: {near}",
            KNOWN.join(", ")
        )));
    }
    Ok(filters)
}

fn page(
    context: &RequestContext,
    representation: Representation,
    snapshot: &LayerSnapshot,
    query: &Query,
    crs: &NamedCrs,
    etag: &str,
) -> Result<ResponseBuilder, Problem> {
    let page = snapshot.select(query);
    let next = page.next.map(|fid| {
        let after = fid.to_string();
        move |given: &Params, format: &str| query_with(given, &[("after", Some(&after)), ("f", Some(format))])
    });
    if representation.format == DocumentFormat::Html {
        let next = next.map(|next| next(&context.given, "html"));
        let content = pages::items(snapshot, &page.rows, next.as_deref(), representation.lang);
        let page =
            html::page(context, representation, layer_title(snapshot.layer(), representation.lang), &content);
        return Ok(ResponseBuilder::new(HTML, page).tagged(etag).compressed(&context.headers));
    }
    let path = format!("/api/collections/{}", segment(snapshot.layer().id.as_str()));
    let here = |format: &str| {
        context.base().url(&format!("{path}/items{}", query_with(&context.given, &[("f", Some(format))])))
    };
    let mut links = vec![
        link("self", GEOJSON, "This page", here("json")),
        link("alternate", HTML, "This page for people", here("html")),
        link("collection", JSON, "The layer", context.base().url(&path)),
    ];
    if let Some(next) = &next {
        links.push(link(
            "next",
            GEOJSON,
            "Next page",
            context.base().url(&format!("{path}/items{}", next(&context.given, "json"))),
        ));
    }
    let mut out = Vec::with_capacity(1024 + page.rows.len() * 512);
    out.extend(b"{\"type\":\"FeatureCollection\",\"timeStamp\":\"");
    out.extend(Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true).as_bytes());
    out.extend(format!("\",\"numberReturned\":{}", page.rows.len()).as_bytes());
    // Counting what a filter leaves over would cost a whole scan that nobody asked for.
    let unfiltered = query.bbox.is_none()
        && query.intersects.is_none()
        && query.filters.is_empty()
        && query.time.is_none();
    if unfiltered {
        out.extend(format!(",\"numberMatched\":{}", snapshot.len()).as_bytes());
    }
    out.extend(b",\"features\":[");
    features(&mut out, snapshot, &page.rows, crs)?;
    out.extend(format!("],\"links\":{}}}", json!(links)).as_bytes());
    Ok(ResponseBuilder::new(GEOJSON, out)
        .tagged(etag)
        .with(CONTENT_CRS, &format!("<{}>", crs.uri))
        .with(header::LINK, &link_header(&links))
        .compressed(&context.headers))
}

fn features(
    out: &mut Vec<u8>,
    snapshot: &LayerSnapshot,
    rows: &[Row],
    crs: &NamedCrs,
) -> Result<(), Problem> {
    let writer = FeatureWriter::new(snapshot, crs)?;
    for (position, &row) in rows.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        writer.feature(out, row, |_| {})?;
    }
    Ok(())
}

fn link_header(links: &[serde_json::Value]) -> String {
    let text = |link: &serde_json::Value, name: &str| link[name].as_str().unwrap_or_default().to_owned();
    let one = |link| {
        format!("<{}>; rel=\"{}\"; type=\"{}\"", text(link, "href"), text(link, "rel"), text(link, "type"))
    };
    links.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `GET /api/collections/{layer}/items/{id}`
pub(crate) async fn item(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let snapshot = context.layer()?;
    let crs =
        context.params.take("crs")?.map_or_else(|| Ok(NamedCrs::crs84()), |text| named_crs("crs", &text))?;
    context.no_more(&["crs", "revision"])?;
    let id = context.path_param("id").to_owned();
    let layer = snapshot.layer();
    let row = snapshot.row_of_id(&id).ok_or_else(|| {
        let id: String = id.chars().take(80).collect();
        Problem::not_found(format!(
            "layer `{}` has no feature `{id}`; /api/collections/{0}/items lists them, /api/search?q= finds them by name",
            layer.id
        ))
    })?;
    // Of the content, so that it can be written back with If-Match, then of the form.
    let content_tag = citymap_edit::content_tag(snapshot.layer(), &snapshot.feature(row));
    if representation.format == DocumentFormat::Html {
        let content = pages::item(&snapshot, row, representation.lang);
        let title = format!("{} {}", layer_title(layer, representation.lang), snapshot.label(row));
        let page = html::page(&context, representation, &title, &content);
        return tagged(&context, ResponseBuilder::new(HTML, page), &content_tag);
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
    FeatureWriter::new(&snapshot, &crs)?
        .feature(&mut out, row, |out| out.extend(format!(",\"links\":{}", json!(links)).as_bytes()))?;
    let reply = ResponseBuilder::new(GEOJSON, out)
        .with(CONTENT_CRS, &format!("<{}>", crs.uri))
        .with(header::LINK, &link_header(&links));
    tagged(&context, reply, &content_tag)
}

/// The answer with a strong tag: of the feature's content, a dot, and of the bytes sent.
fn tagged(context: &RequestContext, reply: ResponseBuilder, content: &str) -> HandlerResult {
    let form = content_hash(reply.bytes());
    let reply = reply.compressed(&context.headers);
    let etag = format!("\"{content}.{form}{}\"", if reply.is_compressed() { "-gzip" } else { "" });
    context.check_if_none_match(&etag)?;
    Ok(reply.tagged(&etag).into_response())
}
