//! `GET /api/at`: what is at a position, on every layer.

use std::sync::Arc;

use citymap_crs::{Crs, NamedCrs, Transform, vn2000};
use citymap_engine::{EngineError, Hit, LayerSnapshot, ShapeKind, TimeInterval};
use citymap_model::{AsOf, GeometryKind};

use super::{AnswerForm, WorkSize, answer, check_size, found, position};
use crate::{
    features::{
        describe::open_layer,
        geojson::{FeatureWriter, size},
    },
    http::{
        json::JsonWriter,
        negotiate::Representation,
        parameters::{AS_OF, DATETIME, Distance, LAYERS, Limit, POSITION, REPRESENTATION},
        problem::Problem,
        query::{Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

pub(crate) static TOLERANCE: Parameter<Distance> = Parameter::new(
    "tolerance",
    "Points and lines up to this many metres away count as here",
    Distance { max: |limits| limits.at_tolerance_max, default: 3.0 },
);

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of features per layer; more than the maximum counts as the maximum",
    Limit { default: |limits| limits.at_limit, max: |limits| limits.at_limit },
)
.component("at-limit");

query! {
    /// The query of `/api/at`.
    pub(crate) struct AtQuery {
        position: [f64; 2] = POSITION,
        layers: Option<String> = LAYERS,
        tolerance: f64 = TOLERANCE,
        limit: usize = LIMIT,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The question is small up to this tolerance in metres and this number of features.
const SMALL_TOLERANCE: f64 = 50.0;
const SMALL_LIMIT: usize = 20;

/// The handler of `GET /api/at`.
pub(crate) async fn at(mut context: RequestContext) -> HandlerResult {
    let query: AtQuery = context.query()?;
    context.as_of(query.revision).await?;
    let layers = context.layers(query.layers.as_deref())?;
    // Every layer is searched through its index.
    let small = query.tolerance <= SMALL_TOLERANCE && query.limit <= SMALL_LIMIT;
    let form = AnswerForm {
        representation: query.representation,
        title: ("Ở đây có gì?", "What is here?"),
        media_type: JSON,
        etag: Some(context.etag(query.representation)),
        size: if small { WorkSize::Small } else { WorkSize::Middle },
    };
    answer(context, form, move |context, cancel| {
        let mut out = Vec::with_capacity(2048);
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("point");
        position(&mut json, query.position);
        json.key("vn2000");
        vn2000_of(&mut json, query.position);
        json.key("revision").value(&context.city_snapshot.revision());
        json.key("layers").open_array();
        for snapshot in &layers {
            cancel.check().map_err(EngineError::from)?;
            layer(&mut json, snapshot, &query)?;
            check_size(&json, context, query.representation)?;
        }
        json.close_array();
        json.close_object();
        Ok(out)
    })
    .await
}

/// Writes the position in the grid that its land office uses, to a millimetre; null outside the reach of that
/// grid.
fn vn2000_of(json: &mut JsonWriter<'_>, lonlat: [f64; 2]) {
    let crs = vn2000::home_zone_for(lonlat);
    let Ok([x, y]) = Transform::new(Crs::WGS84, crs).and_then(|transform| transform.point(lonlat)) else {
        json.null();
        return;
    };
    let millimetres = |value: f64| (value * 1e3).round() / 1e3;
    json.open_object().key("crs").text(&crs.to_string());
    json.key("x").number(millimetres(x));
    json.key("y").number(millimetres(y));
    json.close_object();
}

fn layer(json: &mut JsonWriter<'_>, snapshot: &Arc<LayerSnapshot>, query: &AtQuery) -> Result<(), Problem> {
    let mut hits = here(snapshot, query);
    let truncated = hits.len() > query.limit;
    hits.truncate(query.limit);
    open_layer(json, snapshot.layer());
    json.key("truncated").value(&truncated);
    json.key("features").open_array();
    let writer = FeatureWriter::new(snapshot, &NamedCrs::crs84())?;
    for hit in &hits {
        writer.feature(json, hit.row, |json| {
            found(json, hit.distance, &snapshot.label(hit.row));
            size(json, snapshot, hit.row)
        })?;
    }
    json.close_array();
    json.close_object();
    Ok(())
}

/// The polygons that contain the position or have it on their edge, and the points and lines within the
/// tolerance; nearest first. One more than the limit, if there are more.
fn here(snapshot: &LayerSnapshot, query: &AtQuery) -> Vec<Hit> {
    let &AtQuery { position, tolerance, limit, time, .. } = query;
    let valid = snapshot.during(time);
    let inside = |row| Hit { row, distance: 0.0 };
    match snapshot.layer().geometry {
        GeometryKind::None => Vec::new(),
        GeometryKind::Polygon => valid.at(position).into_iter().take(limit + 1).map(inside).collect(),
        GeometryKind::Point | GeometryKind::Line => valid.near(position, tolerance, limit + 1),
        GeometryKind::Mixed => {
            let areal =
                |row| matches!(snapshot.shape(row).kind(), ShapeKind::Polygon | ShapeKind::MultiPolygon);
            let mut hits = valid.near(position, tolerance, usize::MAX);
            hits.retain(|hit| hit.distance == 0.0 || !areal(hit.row));
            hits.truncate(limit + 1);
            hits
        }
    }
}
