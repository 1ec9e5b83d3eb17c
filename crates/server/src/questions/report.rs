//! `GET /api/parcels/{id}/report`: what is planned on a parcel, and what roads cut off it.

use std::sync::Arc;

use chrono::{NaiveTime, Utc};
use citymap_engine::{LayerSnapshot, Row, TimeInterval};
use citymap_model::{AsOf, Role};
use citymap_planning::{ParcelReport, ReportError, ReportOptions};

use super::{AnswerForm, Content, WorkSize, answer_as, report_page};
use crate::http::{
    negotiate::{DocumentFormat, Representation},
    parameters::{AS_OF, DATETIME, REPRESENTATION, Text},
    problem::Problem,
    query::{Parameter, query},
    request::{HandlerResult, RequestContext},
    response::JSON,
};

pub(crate) static LAYER: Parameter<Text> = Parameter::new(
    "layer",
    "The layer of the parcel; without it, the first layer of parcels that has the id",
    Text,
)
.component("parcel-layer");

query! {
    /// The query of `/api/parcels/{id}/report`.
    pub(crate) struct ReportQuery {
        layer: Option<String> = LAYER,
        time: Option<TimeInterval> = DATETIME,
        revision: Option<AsOf> = AS_OF,
        representation: Representation = REPRESENTATION,
    }
}

/// The handler of `GET /api/parcels/{id}/report`.
pub(crate) async fn report(mut context: RequestContext) -> HandlerResult {
    let query: ReportQuery = context.query()?;
    context.as_of(query.revision).await?;
    let (parcels, row) = find(&context, query.layer.as_deref())?;
    // Plans that are no longer in force, or not yet, say nothing about the parcel today.
    let (time, today) = match query.time {
        Some(time) => (time, String::new()),
        None => {
            let today = context.city_snapshot.city.profile.day_of(Utc::now());
            let start = Some(today.and_time(NaiveTime::MIN).and_utc());
            (TimeInterval { start, end: start }, format!("-{today}"))
        }
    };
    let etag = context.etag(query.representation);
    let form = AnswerForm {
        representation: query.representation,
        title: ("Thông tin quy hoạch của thửa đất", "What is planned on a parcel"),
        media_type: JSON,
        etag: Some(format!("{}{today}\"", etag.trim_end_matches('"'))),
        size: WorkSize::Middle,
    };
    answer_as(context, form, move |context, cancel| {
        let options = ReportOptions { time: Some(time), ..ReportOptions::default() };
        let city = &context.city_snapshot.city;
        let report =
            ParcelReport::make(city, (&parcels, row), &options, cancel).map_err(|error| match error {
                ReportError::Engine(error) => Problem::from(error),
                other => Problem::not_found(other.to_string()),
            })?;
        Ok(match query.representation.format {
            DocumentFormat::Html => Content::Page(report_page::content(&report, query.representation.lang)),
            DocumentFormat::Json => {
                let written = serde_json::to_vec(&report);
                Content::Json(written.map_err(|error| Problem::internal(error.to_string()))?)
            }
        })
    })
    .await
}

/// The parcel that the path names.
fn find(context: &RequestContext, layer: Option<&str>) -> Result<(Arc<LayerSnapshot>, Row), Problem> {
    let id = context.path_param("id");
    let layers = context.layers(layer)?;
    let parcels: Vec<_> = layers.into_iter().filter(|own| own.layer().role == Role::Parcel).collect();
    if parcels.is_empty() {
        let what = layer.map_or_else(
            || "the city has no layer of parcels".to_owned(),
            |layer| format!("`{layer}` is no layer of parcels"),
        );
        return Err(Problem::not_found(format!("{what}; /api/collections shows the role of each layer")));
    }
    let found = parcels.iter().find_map(|own| Some((Arc::clone(own), own.row_of_id(id)?)));
    found.ok_or_else(|| {
        Problem::not_found("no parcel has this id; /api/search finds one by its commune, sheet and number")
    })
}
