use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
};
use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::{Area, Bbox, LayerSnapshot, TimeInterval};
use citymap_model::{Geometry, json};
use geo::CoordsIter;
use serde_json::Value;

use super::{WorkSize, answer};
use crate::{
    app::App,
    features::{
        describe::layer_head,
        geojson::{FeatureWriter, measure, put},
    },
    http::{
        body,
        coords::window,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

/// The parameters of `/api/within`; `bbox` of GET only.
pub(crate) const KNOWN: [&str; 7] = ["bbox", "layers", "crs", "features", "limit", "datetime", "revision"];
/// Features a layer where `features=true` and no number is asked for.
pub(crate) const LIMIT: usize = 100;

/// Degrees along either axis from which an area is a large question: about 3 km.
const LARGE_SPAN: f64 = 0.03;

/// `GET /api/within?bbox=`: what lies in a box.
pub(crate) async fn within_bbox(mut context: RequestContext) -> HandlerResult {
    let crs = crs(&mut context)?;
    let Some(text) = context.params.take("bbox")? else {
        return Err(Problem::parameter(
            "`bbox` is missing; write bbox=west,south,east,north, or send a GeoJSON polygon with POST",
        )
        .into());
    };
    // In questions x comes first, whatever the authority says of the system.
    let named = NamedCrs::xy(crs);
    let area = window(&text, &named)?.to_polygons();
    run(context, area.into(), true).await
}

/// `POST /api/within`: what lies in a polygon.
pub(crate) async fn within_area(State(app): State<Arc<App>>, request: Request) -> HandlerResult {
    let (mut context, request) = RequestContext::split(&app, request).await?;
    json_body(&context.headers)?;
    let body = body::read(request, app.config.limits.body_bytes_max).await?;
    let crs = crs(&mut context)?;
    let limit = app.config.limits.within_vertices_max;
    let mut area = geometry(&body)?;
    let vertices = area.coords_count();
    if vertices > limit {
        return Err(Problem::body(format!(
            "the area has {vertices} vertices; {limit} are allowed, simplify it"
        ))
        .into());
    }
    Transform::new(crs, Crs::WGS84)?.geometry(&mut area)?;
    if crs == Crs::WGS84 && area.coords_iter().any(|at| at.x.abs() > 180.0 || at.y.abs() > 90.0) {
        return Err(Problem::body(
            "a vertex lies beyond 180 degrees of longitude or 90 of latitude; name the system with crs=",
        )
        .into());
    }
    run(context, area, false).await
}

fn crs(context: &mut RequestContext) -> Result<Crs, Problem> {
    Ok(context.params.take("crs")?.map_or(Ok(Crs::WGS84), |text| text.parse())?)
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

/// The polygon in a GeoJSON text: the geometry itself, that of a feature, or a `geometry` member of anything.
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

async fn run(mut context: RequestContext, area: Geometry, get: bool) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let time = context.time()?;
    let layers = context.layers()?;
    let listed = context.params.flag("features")?;
    let limit = context.params.limit(LIMIT, context.app.config.limits.within_limit_max)?;
    context.no_more(if get { &KNOWN } else { &KNOWN[1..] })?;
    let etag = get.then(|| context.etag(representation));
    let span = Bbox::of(&area).map_or(0.0, |bbox| (bbox.max[0] - bbox.min[0]).max(bbox.max[1] - bbox.min[1]));
    let size = if span > LARGE_SPAN { WorkSize::Large } else { WorkSize::Middle };
    answer(
        context,
        representation,
        ("Trong vùng này có gì?", "What is in this area?"),
        JSON,
        etag,
        size,
        move |context| {
            let area = Area::new(area)?;
            let mut out =
                format!("{{\"revision\":{},\"area\":", context.city_snapshot.revision()).into_bytes();
            measure(&mut out, &area.measure()?, "m²");
            out.extend(b",\"layers\":[");
            for (position, snapshot) in layers.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                layer(&mut out, snapshot, &area, time, listed.then_some(limit))?;
            }
            out.extend(b"]}");
            Ok(out)
        },
    )
    .await
}

fn layer(
    out: &mut Vec<u8>,
    snapshot: &LayerSnapshot,
    area: &Area,
    time: Option<TimeInterval>,
    listed: Option<usize>,
) -> Result<(), Problem> {
    let share = snapshot.during(time).within(area)?;
    layer_head(out, snapshot.layer());
    put(out, format_args!(",\"count\":{},\"whole\":{}", share.rows.len(), share.whole));
    for (found, name, unit) in [(&share.area, "area", "m²"), (&share.length, "length", "m")] {
        if let Some(found) = found {
            put(out, format_args!(",\"{name}\":"));
            measure(out, found, unit);
        }
    }
    let Some(limit) = listed else {
        out.push(b'}');
        return Ok(());
    };
    put(out, format_args!(",\"truncated\":{}", share.rows.len() > limit));
    out.extend(b",\"features\":[");
    let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
    for (position, &row) in share.rows.iter().take(limit).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let mut extra = b",\"label\":".to_vec();
        json::text(&mut extra, &snapshot.label(row));
        writer.feature(out, row, |out| out.extend(&extra))?;
    }
    out.extend(b"]}");
    Ok(())
}
