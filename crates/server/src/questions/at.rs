use std::sync::Arc;

use citymap_crs::{Crs, Transform, vn2000};
use citymap_engine::{Hit, LayerSnapshot, ShapeKind, TimeInterval};
use citymap_model::GeometryKind;
use serde_json::{Value, json};

use super::{answer, found};
use crate::{
    ask::{Answer, Ask},
    coords::{NamedCrs, point},
    describe::titles,
    geojson::{FeatureWriter, size},
    problem::Problem,
    reply::JSON,
};

/// The parameters of `/api/at`.
pub(crate) const KNOWN: [&str; 10] =
    ["lon", "lat", "x", "y", "crs", "layers", "tolerance", "limit", "datetime", "revision"];

/// Metres from which a point or a line still counts as here, where none are asked for.
pub(crate) const TOLERANCE: f64 = 3.0;

/// `GET /api/at`: what is at a position, on every layer.
pub(crate) async fn at(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.as_of().await?;
    let time = ask.time()?;
    let limits = ask.app.config.limits.clone();
    let lonlat = point(&mut ask.params)?;
    let layers = ask.layers()?;
    let tolerance = ask.params.number("tolerance", 0.0, limits.at_tolerance_max)?;
    let tolerance = tolerance.unwrap_or(TOLERANCE.min(limits.at_tolerance_max));
    let limit = ask.params.limit(limits.at_limit, limits.at_limit)?;
    ask.no_more(&KNOWN)?;
    let etag = ask.etag(view);
    answer(ask, view, ("Ở đây có gì?", "What is here?"), JSON, Some(etag), move |ask| {
        let head = json!({"lon": lonlat[0], "lat": lonlat[1]});
        let mut out = format!(
            "{{\"point\":{head},\"vn2000\":{},\"revision\":{},\"layers\":[",
            vn2000_of(lonlat),
            ask.scene.revision()
        )
        .into_bytes();
        for (position, snapshot) in layers.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            layer(&mut out, snapshot, &Asked { lonlat, tolerance, limit, time })?;
        }
        out.extend(b"]}");
        Ok(out)
    })
    .await
}

/// The position in the grid in which its land office keeps it; null where that grid does not reach.
pub(crate) fn vn2000_of(lonlat: [f64; 2]) -> Value {
    let crs = vn2000::home_zone_for(lonlat);
    let moved = Transform::new(Crs::WGS84, crs).and_then(|transform| transform.point(lonlat));
    let millimetres = |value: f64| (value * 1e3).round() / 1e3;
    moved.map_or(
        Value::Null,
        |[x, y]| json!({"crs": crs.to_string(), "x": millimetres(x), "y": millimetres(y)}),
    )
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
    let layer = snapshot.layer();
    let head = json!({
        "layer": layer.id.as_str(), "titles": titles(&layer.title), "role": layer.role.as_str(), "truncated": truncated,
    });
    // The head without its closing brace: features are written straight, not through a value.
    let head = head.to_string();
    out.extend(head.strip_suffix('}').unwrap_or(&head).as_bytes());
    out.extend(b",\"features\":[");
    let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
    for (position, hit) in hits.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        let mut extra = Vec::new();
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
