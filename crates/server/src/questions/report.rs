//! `GET /api/parcels/{id}/report`: what is planned on a parcel, and what roads cut off it.

use std::sync::Arc;

use chrono::{NaiveTime, Utc};
use citymap_engine::{Cancel, City, LayerSnapshot, Row, TimeInterval};
use citymap_model::{AsOf, Role};
use citymap_planning::{ParcelReport, ReportError, ReportOptions};

use super::{AnswerForm, Content, WorkSize, answer_as, report_page, verify::verification_link};
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
    let (time, day) = match query.time {
        Some(time) => (time, String::new()),
        None => {
            let time = today(&context.city_snapshot.city);
            (time, time.start.map(|start| format!("-{}", start.date_naive())).unwrap_or_default())
        }
    };
    let etag = context.etag(query.representation);
    let form = AnswerForm {
        representation: query.representation,
        title: ("Thông tin quy hoạch của thửa đất", "What is planned on a parcel"),
        media_type: JSON,
        etag: Some(format!("{}{day}\"", etag.trim_end_matches('"'))),
        size: WorkSize::Middle,
    };
    answer_as(context, form, move |context, cancel| {
        let mut report = make(&context.city_snapshot.city, (&parcels, row), time, cancel)?;
        report.verification.link = Some(verification_link(context.base().as_str(), &report));
        Ok(match query.representation.format {
            DocumentFormat::Html => {
                let links = context.page_links();
                Content::Page(report_page::content(&report, query.representation.lang, &links))
            }
            DocumentFormat::Json => {
                let written = serde_json::to_vec(&report);
                Content::Json(written.map_err(|error| Problem::internal(error.to_string()))?)
            }
        })
    })
    .await
}

/// Today in the city's time.
pub(crate) fn today(city: &City) -> TimeInterval {
    let start = Some(city.profile.day_of(Utc::now()).and_time(NaiveTime::MIN).and_utc());
    TimeInterval { start, end: start }
}

/// Makes the report on a parcel, as the public may see it.
///
/// # Errors
/// 404 for a parcel without a shape; the errors of the engine.
pub(super) fn make(
    city: &City,
    (parcels, row): (&LayerSnapshot, Row),
    time: TimeInterval,
    cancel: &Cancel,
) -> Result<ParcelReport, Problem> {
    let options = ReportOptions { time: Some(time), ..ReportOptions::default() };
    ParcelReport::make(city, (parcels, row), &options, cancel).map_err(|error| match error {
        ReportError::Engine(error) => Problem::from(error),
        ReportError::Document(error) => Problem::internal(error.to_string()),
        other => Problem::not_found(other.to_string()),
    })
}

/// The parcel with this id: of the layer that is named, else of the first layer of parcels that has it.
pub(super) fn parcel(city: &City, layer: Option<&str>, id: &str) -> Option<(Arc<LayerSnapshot>, Row)> {
    let named = |own: &&Arc<LayerSnapshot>| layer.is_none_or(|layer| own.layer().id.as_str() == layer);
    let mut layers = city.layers.values().filter(|own| own.layer().role == Role::Parcel).filter(named);
    layers.find_map(|own| Some((Arc::clone(own), own.row_of_id(id)?)))
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
