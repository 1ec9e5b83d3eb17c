//! `GET /api/parcels/{id}/lineage`: what became of a parcel between two states of the record, and where it
//! came from.

use citymap_engine::EngineError;
use citymap_model::AsOf;
use citymap_planning::LineageFinder;
use serde_json::json;

use super::{
    AnswerForm, Content, WorkSize, answer_as,
    report::{LAYER, parcel},
};
use crate::http::{
    negotiate::Representation,
    parameters::{AS_OF, REPRESENTATION, RecordState},
    problem::Problem,
    query::{Parameter, query},
    request::{HandlerResult, RequestContext},
    response::JSON,
};

pub(crate) static FROM: Parameter<RecordState> = Parameter::new(
    "from",
    "The earlier state of the record: a revision number, an instant, or a day; `revision` is the later one",
    RecordState,
)
.required()
.example("1");

query! {
    /// The query of `/api/parcels/{id}/lineage`.
    pub(crate) struct LineageQuery {
        layer: Option<String> = LAYER,
        from: Option<AsOf> = FROM,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api/parcels/{id}/lineage`.
pub(crate) async fn lineage(mut context: RequestContext) -> HandlerResult {
    let query: LineageQuery = context.query()?;
    let from = query.from.ok_or_else(|| {
        Problem::parameter("`from` is missing; write the earlier revision, from=1 for instance")
    })?;
    context.as_of(query.revision).await?;
    let later = context.city_snapshot.clone();
    context.as_of(Some(from)).await?;
    let earlier = context.city_snapshot.clone();
    context.revision_header.set(later.revision());
    if earlier.revision() > later.revision() {
        return Err(Problem::parameter("`from` is later than `revision`; exchange them").into());
    }
    let id = context.path_param("id").to_owned();
    let named = query.layer.as_deref();
    let found = [&later, &earlier].into_iter().find_map(|state| parcel(&state.city, named, &id));
    let (parcels, _) = found.ok_or_else(|| {
        Problem::not_found("neither state has a parcel with this id; /api/search finds one of now")
    })?;
    let layer = parcels.layer().id.clone();
    let states = [&earlier, &later].map(|state| state.city.layers.get(&layer).cloned());
    let [Some(before), Some(after)] = states else {
        return Err(Problem::not_found(format!(
            "`{layer}` is not in both states; choose a later `from`, /api/changes lists the revisions"
        ))
        .into());
    };
    let revisions = [earlier.revision(), later.revision()];
    let form = AnswerForm {
        representation: query.representation,
        title: ("Nguồn gốc thửa đất", "Where a parcel came from"),
        media_type: JSON,
        etag: None,
        size: WorkSize::Middle,
    };
    answer_as(context, form, move |_, cancel| {
        let finder = LineageFinder::new(&before, &after)?;
        let event = finder.of(&id, cancel)?.ok_or_else(|| {
            Problem::not_found("the parcel has no polygon within the home grid, so nothing can be compared")
        })?;
        let document = json!({
            "layer": layer.as_str(), "from": revisions[0], "revision": revisions[1], "event": event,
        });
        cancel.check().map_err(EngineError::from)?;
        Ok(Content::Json(document.to_string().into_bytes()))
    })
    .await
}
