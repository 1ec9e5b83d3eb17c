use serde_json::json;

use super::{answer, found};
use crate::{
    ask::{Answer, Ask},
    coords::{NamedCrs, point},
    geojson::{FeatureWriter, size},
    reply::GEOJSON,
};

/// The parameters of `/api/near`.
pub(crate) const KNOWN: [&str; 10] =
    ["lon", "lat", "x", "y", "crs", "layers", "distance", "limit", "datetime", "revision"];

/// Metres to look around where none are asked for.
pub(crate) const DISTANCE: f64 = 200.0;
/// Features where no number is asked for.
pub(crate) const LIMIT: usize = 10;

/// `GET /api/near`: the features nearest to a position.
pub(crate) async fn near(mut ask: Ask) -> Answer {
    let view = ask.view()?;
    ask.as_of().await?;
    let time = ask.time()?;
    let limits = ask.app.config.limits.clone();
    let lonlat = point(&mut ask.params)?;
    let layers = ask.layers()?;
    let distance = ask.params.number("distance", 0.0, limits.near_distance_max)?;
    let distance = distance.unwrap_or(DISTANCE.min(limits.near_distance_max));
    let limit = ask.params.limit(LIMIT, limits.near_limit_max)?;
    ask.no_more(&KNOWN)?;
    let etag = ask.etag(view);
    answer(ask, view, ("Gần đây có gì?", "What is near?"), GEOJSON, Some(etag), move |ask| {
        let mut hits = Vec::new();
        for (position, snapshot) in layers.iter().enumerate() {
            let near = snapshot.during(time).near(lonlat, distance, limit);
            hits.extend(near.into_iter().map(|hit| (position, hit)));
        }
        // Stable: at the same distance layers keep their order, and features of a layer theirs.
        hits.sort_by(|(_, a), (_, b)| a.distance.total_cmp(&b.distance));
        hits.truncate(limit);
        let writers =
            layers.iter().map(|snapshot| FeatureWriter::new(snapshot, &NamedCrs::crs84())).collect::<Result<Vec<_>, _>>()?;
        let head = json!({"lon": lonlat[0], "lat": lonlat[1]});
        let mut out = format!(
            "{{\"type\":\"FeatureCollection\",\"point\":{head},\"revision\":{},\"numberReturned\":{},\"features\":[",
            ask.scene.revision(),
            hits.len()
        )
        .into_bytes();
        for (number, (position, hit)) in hits.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            let snapshot = &layers[*position];
            let mut extra = format!(",\"layer\":\"{}\"", snapshot.layer().id).into_bytes();
            found(&mut extra, hit.distance, &snapshot.label(hit.row));
            size(&mut extra, snapshot, hit.row)?;
            writers[*position].feature(&mut out, hit.row, |out| out.extend(&extra))?;
        }
        out.extend(b"]}");
        Ok(out)
    })
    .await
}
