//! `GET /api/near`: the features nearest to a position.

use citymap_cql2::Expr;
use citymap_crs::NamedCrs;
use citymap_engine::{EngineError, TimeInterval};
use citymap_model::AsOf;

use super::{AnswerForm, WorkSize, answer, check_size, found, position};
use crate::{
    features::geojson::{FeatureWriter, size},
    http::{
        filter::{OPTIONAL_FILTER, check_filter_of_one},
        json::JsonWriter,
        negotiate::Representation,
        parameters::{AS_OF, DATETIME, Distance, LAYERS, Limit, POSITION, REPRESENTATION},
        query::{Parameter, query},
        request::{HandlerResult, RequestContext},
        response::GEOJSON,
    },
};

pub(crate) static DISTANCE: Parameter<Distance> = Parameter::new(
    "distance",
    "Search radius in metres",
    Distance { max: |limits| limits.near_distance_max, default: 200.0 },
);

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of features; more than the maximum counts as the maximum",
    Limit { default: |_| 10, max: |limits| limits.near_limit_max },
)
.component("near-limit");

query! {
    /// The query of `/api/near`.
    pub(crate) struct NearQuery {
        position: [f64; 2] = POSITION,
        layers: Option<String> = LAYERS,
        distance: f64 = DISTANCE,
        limit: usize = LIMIT,
        filter: Option<Expr> = OPTIONAL_FILTER,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The question is small up to this distance in metres and this number of features.
const SMALL_DISTANCE: f64 = 500.0;
const SMALL_LIMIT: usize = 20;

/// The handler of `GET /api/near`.
pub(crate) async fn near(mut context: RequestContext) -> HandlerResult {
    let query: NearQuery = context.query()?;
    context.as_of(query.revision).await?;
    let layers = context.layers(query.layers.as_deref())?;
    let filter = check_filter_of_one(query.filter.as_ref(), &layers)?;
    let small = query.distance <= SMALL_DISTANCE && query.limit <= SMALL_LIMIT;
    let form = AnswerForm {
        representation: query.representation,
        title: ("Gần đây có gì?", "What is near?"),
        media_type: GEOJSON,
        etag: Some(context.etag(query.representation)),
        size: if small { WorkSize::Small } else { WorkSize::Middle },
    };
    answer(context, form, move |context, cancel| {
        let mut hits = Vec::new();
        for (position, snapshot) in layers.iter().enumerate() {
            let filters = filter.as_slice();
            let moment = snapshot.during(query.time).until(cancel);
            let near = moment.near_where(filters, query.position, query.distance, query.limit);
            hits.extend(near.into_iter().map(|hit| (position, hit)));
        }
        // A stable sort: at equal distance, layers and the features of a layer keep their order.
        hits.sort_by(|(_, a), (_, b)| a.distance.total_cmp(&b.distance));
        hits.truncate(query.limit);
        let writers = layers
            .iter()
            .map(|snapshot| FeatureWriter::new(snapshot, &NamedCrs::crs84()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut out = Vec::with_capacity(1024 + 700 * hits.len());
        let mut json = JsonWriter::new(&mut out);
        json.open_object().key("type").text("FeatureCollection");
        json.key("point");
        position(&mut json, query.position);
        json.key("revision").value(&context.city_snapshot.revision());
        json.key("numberReturned").value(&hits.len());
        json.key("features").open_array();
        for (position, hit) in &hits {
            let snapshot = &layers[*position];
            writers[*position].feature(&mut json, hit.row, |json| {
                json.key("layer").text(snapshot.layer().id.as_str());
                found(json, hit.distance, &snapshot.label(hit.row));
                size(json, snapshot, hit.row)
            })?;
            cancel.check().map_err(EngineError::from)?;
            check_size(&json, context, query.representation)?;
        }
        json.close_array();
        json.close_object();
        Ok(out)
    })
    .await
}
