use citymap_crs::NamedCrs;

use super::{WorkSize, answer, found, place};
use crate::{
    features::geojson::{FeatureWriter, put, size},
    http::{
        coords::point,
        request::{HandlerResult, RequestContext},
        response::GEOJSON,
    },
};

/// The parameters of `/api/near`.
pub(crate) const KNOWN: [&str; 10] =
    ["lon", "lat", "x", "y", "crs", "layers", "distance", "limit", "datetime", "revision"];

/// Metres to look around where none are asked for.
pub(crate) const DISTANCE: f64 = 200.0;
/// Features where no number is asked for.
pub(crate) const LIMIT: usize = 10;

/// Metres and features up to which the question is a small one.
const SMALL_DISTANCE: f64 = 500.0;
const SMALL_LIMIT: usize = 20;

/// `GET /api/near`: the features nearest to a position.
pub(crate) async fn near(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    context.as_of().await?;
    let time = context.time()?;
    let limits = context.app.config.limits.clone();
    let lonlat = point(&mut context.params)?;
    let layers = context.layers()?;
    let distance = context.params.number("distance", 0.0, limits.near_distance_max)?;
    let distance = distance.unwrap_or(DISTANCE.min(limits.near_distance_max));
    let limit = context.params.limit(LIMIT, limits.near_limit_max)?;
    context.no_more(&KNOWN)?;
    let etag = context.etag(representation);
    let small = distance <= SMALL_DISTANCE && limit <= SMALL_LIMIT;
    let class = if small { WorkSize::Small } else { WorkSize::Middle };
    answer(
        context,
        representation,
        ("Gần đây có gì?", "What is near?"),
        GEOJSON,
        Some(etag),
        class,
        move |context| {
            let mut hits = Vec::new();
            for (position, snapshot) in layers.iter().enumerate() {
                let near = snapshot.during(time).near(lonlat, distance, limit);
                hits.extend(near.into_iter().map(|hit| (position, hit)));
            }
            // Stable: at the same distance layers keep their order, and features of a layer theirs.
            hits.sort_by(|(_, a), (_, b)| a.distance.total_cmp(&b.distance));
            hits.truncate(limit);
            let writers = layers
                .iter()
                .map(|snapshot| FeatureWriter::new(snapshot, &NamedCrs::crs84()))
                .collect::<Result<Vec<_>, _>>()?;
            let mut out = Vec::with_capacity(1024 + 700 * hits.len());
            out.extend(b"{\"type\":\"FeatureCollection\",\"point\":");
            place(&mut out, lonlat);
            let (revision, count) = (context.city_snapshot.revision(), hits.len());
            put(&mut out, format_args!(",\"revision\":{revision},\"numberReturned\":{count},\"features\":["));
            let mut extra = Vec::with_capacity(160);
            for (number, (position, hit)) in hits.iter().enumerate() {
                if number > 0 {
                    out.push(b',');
                }
                let snapshot = &layers[*position];
                extra.clear();
                put(&mut extra, format_args!(",\"layer\":\"{}\"", snapshot.layer().id));
                found(&mut extra, hit.distance, &snapshot.label(hit.row));
                size(&mut extra, snapshot, hit.row)?;
                writers[*position].feature(&mut out, hit.row, |out| out.extend(&extra))?;
            }
            out.extend(b"]}");
            Ok(out)
        },
    )
    .await
}
