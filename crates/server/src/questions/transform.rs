use citymap_crs::{Crs, Transform, vn2000};
use serde_json::json;

use super::{WorkSize, answer};
use crate::http::{
    coords::point,
    problem::Problem,
    request::{HandlerResult, RequestContext},
    response::JSON,
};

/// The parameters of `/api/transform`.
pub(crate) const KNOWN: [&str; 6] = ["lon", "lat", "x", "y", "crs", "to"];

/// Systems that `to` lists at most.
pub(crate) const SYSTEMS: usize = 32;

/// `GET /api/transform`: a position in other systems.
pub(crate) async fn transform(mut context: RequestContext) -> HandlerResult {
    let representation = context.representation()?;
    let lonlat = point(&mut context.params)?;
    let to = match context.params.take("to")? {
        Some(list) => list.split(',').map(|name| name.parse::<Crs>()).collect::<Result<Vec<_>, _>>()?,
        None => {
            let mut usual = vec![Crs::HOME, vn2000::home_zone_for(lonlat), Crs::VN2000, Crs::WEB_MERCATOR];
            usual.dedup();
            usual
        }
    };
    if to.len() > SYSTEMS {
        return Err(Problem::parameter(format!("`to` lists more than {SYSTEMS} systems; ask twice")).into());
    }
    context.no_more(&KNOWN)?;
    let etag = context.etag(representation);
    answer(
        context,
        representation,
        ("Đổi toạ độ", "Coordinates"),
        JSON,
        Some(etag),
        WorkSize::Middle,
        move |_| {
            let mut results = Vec::new();
            for crs in to {
                let [x, y] = Transform::new(Crs::WGS84, crs)?.point(lonlat)?;
                results.push(json!({
                    "crs": crs.to_string(), "uri": crs.uri(), "name": crs.name(),
                    "unit": if crs.is_geographic() { "degree" } else { "metre" }, "x": x, "y": y,
                }));
            }
            Ok(json!({"point": {"lon": lonlat[0], "lat": lonlat[1]}, "results": results})
                .to_string()
                .into_bytes())
        },
    )
    .await
}
