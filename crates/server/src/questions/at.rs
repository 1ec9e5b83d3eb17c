use std::sync::Arc;

use citymap_crs::{Crs, NamedCrs, Transform, vn2000};
use citymap_engine::{Hit, LayerSnapshot, ShapeKind, TimeInterval};
use citymap_model::{GeometryKind, json::number};

use super::{WorkSize, answer, found, place};
use crate::{
    features::{
        describe::layer_head,
        geojson::{FeatureWriter, put, size},
    },
    http::{
        coords::point,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

/// The parameters of `/api/at`.
pub(crate) const KNOWN: [&str; 10] =
    ["lon", "lat", "x", "y", "crs", "layers", "tolerance", "limit", "datetime", "revision"];

/// Metres from which a point or a line still counts as here, where none are asked for.
pub(crate) const TOLERANCE: f64 = 3.0;

/// Metres and features up to which the question is a small one.
const SMALL_TOLERANCE: f64 = 50.0;
const SMALL_LIMIT: usize = 20;

/// `GET /api/at`: what is at a position, on every layer.
pub(crate) async fn at(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let time = context.time()?;
    let limits = context.app.config.limits.clone();
    let lonlat = point(&mut context.params)?;
    let layers = context.layers()?;
    let tolerance = context.params.number("tolerance", 0.0, limits.at_tolerance_max)?;
    let tolerance = tolerance.unwrap_or(TOLERANCE.min(limits.at_tolerance_max));
    let limit = context.params.limit(limits.at_limit, limits.at_limit)?;
    context.no_more(&KNOWN)?;
    let etag = context.etag(representation);
    // Every layer is looked at through its index.
    let size =
        if tolerance <= SMALL_TOLERANCE && limit <= SMALL_LIMIT { WorkSize::Small } else { WorkSize::Middle };
    answer(
        context,
        representation,
        ("Ở đây có gì?", "What is here?"),
        JSON,
        Some(etag),
        size,
        move |context| {
            let mut out = Vec::with_capacity(2048);
            out.extend(b"{\"point\":");
            place(&mut out, lonlat);
            out.extend(b",\"vn2000\":");
            vn2000_of(&mut out, lonlat);
            put(&mut out, format_args!(",\"revision\":{},\"layers\":[", context.city_snapshot.revision()));
            for (position, snapshot) in layers.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                layer(&mut out, snapshot, &Asked { lonlat, tolerance, limit, time })?;
            }
            out.extend(b"]}");
            Ok(out)
        },
    )
    .await
}

/// The position in the grid in which its land office keeps it; null where that grid does not reach.
pub(crate) fn vn2000_of(out: &mut Vec<u8>, lonlat: [f64; 2]) {
    let crs = vn2000::home_zone_for(lonlat);
    let moved = Transform::new(Crs::WGS84, crs).and_then(|transform| transform.point(lonlat));
    let Ok([x, y]) = moved else {
        out.extend(b"null");
        return;
    };
    let millimetres = |value: f64| (value * 1e3).round() / 1e3;
    put(out, format_args!("{{\"crs\":\"{crs}\",\"x\":"));
    number(out, millimetres(x));
    out.extend(b",\"y\":");
    number(out, millimetres(y));
    out.push(b'}');
}

/// What is asked of every layer.
struct Asked {
    lonlat: [f64; 2],
    tolerance: f64,
    limit: usize,
    time: Option<TimeInterval>,
}

fn layer(out: &mut Vec<u8>, snapshot: &Arc<LayerSnapshot>, asked: &Asked) -> Result<(), Problem> {
    let mut hits = here(snapshot, asked);
    let truncated = hits.len() > asked.limit;
    hits.truncate(asked.limit);
    layer_head(out, snapshot.layer());
    put(out, format_args!(",\"truncated\":{truncated}"));
    out.extend(b",\"features\":[");
    let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
    let mut extra = Vec::with_capacity(160);
    for (position, hit) in hits.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        extra.clear();
        found(&mut extra, hit.distance, &snapshot.label(hit.row));
        size(&mut extra, snapshot, hit.row)?;
        writer.feature(out, hit.row, |out| out.extend(&extra))?;
    }
    out.extend(b"]}");
    Ok(())
}

/// Polygons that have the position in them or on their edge, points and lines no further away than the tolerance; nearest
/// first. One more than the limit, where there is one more.
fn here(snapshot: &LayerSnapshot, asked: &Asked) -> Vec<Hit> {
    let &Asked { lonlat, tolerance, limit, time } = asked;
    let seen = snapshot.during(time);
    let inside = |row| Hit { row, distance: 0.0 };
    match snapshot.layer().geometry {
        GeometryKind::None => Vec::new(),
        GeometryKind::Polygon => seen.at(lonlat).into_iter().take(limit + 1).map(inside).collect(),
        GeometryKind::Point | GeometryKind::Line => seen.near(lonlat, tolerance, limit + 1),
        GeometryKind::Mixed => {
            let areal =
                |row| matches!(snapshot.shape(row).kind(), ShapeKind::Polygon | ShapeKind::MultiPolygon);
            let mut hits = seen.near(lonlat, tolerance, usize::MAX);
            hits.retain(|hit| hit.distance == 0.0 || !areal(hit.row));
            hits.truncate(limit + 1);
            hits
        }
    }
}
