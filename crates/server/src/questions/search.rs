//! `GET /api/search`: places by name, key, address or coordinates.

use citymap_engine::{Bbox, EngineError};
use citymap_search::{Answer, SearchQuery};
use serde_json::{Value, json};

use super::{AnswerForm, WorkSize, answer};
use crate::{
    config::Limits,
    http::{
        negotiate::Representation,
        parameters::{Limit, OPTIONAL_POSITION, REPRESENTATION},
        problem::Problem,
        query::{Parameter, ParameterKind, QueryReader, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
};

/// Maximum number of letters of a search text.
const LETTERS_MAX: usize = 200;

/// A text to search for.
pub(crate) struct SearchText;

impl ParameterKind for SearchText {
    type Value = String;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<String, Problem> {
        let Some(text) = reader.params.take(name)? else {
            return Err(Problem::parameter(format!(
                "`{name}` is missing; write {name}=ben thanh, {name}=123/4 Nguyễn Trãi or {name}=26740-12-345"
            )));
        };
        if text.chars().count() > LETTERS_MAX {
            return Err(Problem::parameter(format!(
                "`{name}` is longer than {LETTERS_MAX} letters; leave out some words"
            )));
        }
        Ok(text)
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": LETTERS_MAX})
    }
}

pub(crate) static Q: Parameter<SearchText> = Parameter::new(
    "q",
    "What to look for: a name, an address, a parcel key, coordinates; with or without diacritics",
    SearchText,
)
.example("ben thanh")
.required();

pub(crate) static LIMIT: Parameter<Limit> = Parameter::new(
    "limit",
    "Maximum number of results; more than the maximum counts as the maximum",
    Limit { default: |_| 10, max: |limits| limits.search_limit_max },
)
.component("search-limit");

query! {
    /// The query of `/api/search`.
    pub(crate) struct SearchParameters {
        text: String = Q,
        limit: usize = LIMIT,
        /// Places near this position come first.
        near: Option<[f64; 2]> = OPTIONAL_POSITION,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api/search`.
pub(crate) async fn search(mut context: RequestContext) -> HandlerResult {
    let SearchParameters { text, limit, near, representation } = context.query()?;
    if !context.city_snapshot.names_ready() {
        return Err(Problem::unavailable(
            "the names are being indexed, which takes some seconds after the server starts; try again",
            1,
        )
        .into());
    }
    let form = AnswerForm {
        representation,
        title: ("Tìm kiếm", "Search"),
        media_type: JSON,
        etag: Some(context.etag(representation)),
        size: WorkSize::Middle,
    };
    answer(context, form, move |context, cancel| {
        let query = SearchQuery { text: text.clone(), limit, near, lang: representation.lang };
        let Answer { hits, place } =
            context.city_snapshot.find_until(&query, cancel).map_err(EngineError::from)?;
        let box_of = |bbox: Bbox| json!([bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]]);
        let results: Vec<Value> = hits
            .into_iter()
            .map(|hit| {
                json!({
                    "kind": hit.kind.as_str(), "layer": hit.layer.map(|id| id.to_string()),
                    "id": hit.id.map(|id| id.to_json()), "label": hit.label, "detail": hit.detail,
                    "lon": hit.lonlat.map(|at| at[0]), "lat": hit.lonlat.map(|at| at[1]),
                    "bbox": hit.bbox.map(box_of), "communes": hit.communes,
                    "precision": hit.precision.as_str(), "elsewhere": hit.elsewhere,
                    "similar": hit.similar, "score": hit.score,
                })
            })
            .collect();
        let revision = context.city_snapshot.revision();
        let mut answer = json!({"query": text, "revision": revision, "results": results});
        if let Some(place) = place {
            answer["place"] =
                json!({"label": place.label, "bbox": box_of(place.bbox), "matched": place.matched});
        }
        Ok(answer.to_string().into_bytes())
    })
    .await
}
