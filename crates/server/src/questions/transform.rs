//! `GET /api/transform`: a position in other coordinate systems.

use citymap_crs::{Crs, Transform, vn2000};
use serde_json::json;

use super::{AnswerForm, WorkSize, answer};
use crate::http::{
    negotiate::Representation,
    parameters::{POSITION, REPRESENTATION, Text},
    problem::Problem,
    query::{Parameter, query},
    request::{HandlerResult, RequestContext},
    response::JSON,
};

/// Maximum number of systems that `to` lists.
const SYSTEMS_MAX: usize = 32;

pub(crate) static TO: Parameter<Text> =
    Parameter::new("to", "Systems, separated by commas", Text).example("EPSG:9210,EPSG:3857");

query! {
    /// The query of `/api/transform`.
    pub(crate) struct TransformQuery {
        position: [f64; 2] = POSITION,
        to: Option<String> = TO,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api/transform`.
pub(crate) async fn transform(mut context: RequestContext) -> HandlerResult {
    let TransformQuery { position, to, representation } = context.query()?;
    let to = match to {
        Some(list) => list.split(',').map(|name| name.parse::<Crs>()).collect::<Result<Vec<_>, _>>()?,
        None => {
            let mut usual =
                vec![Crs::home(), vn2000::home_zone_for(position), Crs::VN2000, Crs::WEB_MERCATOR];
            usual.dedup();
            usual
        }
    };
    if to.len() > SYSTEMS_MAX {
        return Err(
            Problem::parameter(format!("`to` lists more than {SYSTEMS_MAX} systems; ask twice")).into()
        );
    }
    let form = AnswerForm {
        representation,
        title: ("Đổi tọa độ", "Coordinates"),
        media_type: JSON,
        etag: Some(context.etag(representation)),
        size: WorkSize::Middle,
    };
    answer(context, form, move |_, _| {
        let mut results = Vec::new();
        for crs in to {
            let [x, y] = Transform::new(Crs::WGS84, crs)?.point(position)?;
            results.push(json!({
                "crs": crs.to_string(), "uri": crs.uri(), "name": crs.name(),
                "unit": if crs.is_geographic() { "degree" } else { "metre" }, "x": x, "y": y,
            }));
        }
        Ok(json!({"point": {"lon": position[0], "lat": position[1]}, "results": results})
            .to_string()
            .into_bytes())
    })
    .await
}
