//! `GET /api/parcels/{id}/report`: what is planned on a parcel, and what roads cut off it.

use std::sync::Arc;

use chrono::{NaiveTime, Utc};
use citymap_engine::{Cancel, City, LayerSnapshot, Row, TimeInterval};
use citymap_model::{AsOf, Role};
use citymap_planning::{ParcelReport, ReportError, ReportLink, ReportOptions, wording::report_title};

use super::{
    AnswerForm, Content, WorkSize, answer_as, report_page,
    report_pdf::{self, PDF_NAME, REPORT_REPRESENTATION, ReportRepresentation},
    verify::verification_link,
};
use crate::{
    http::{
        base::query_with,
        parameters::{AS_OF, DATETIME, Text},
        problem::Problem,
        query::{Parameter, query},
        request::{HandlerResult, RequestContext},
        response::JSON,
    },
    processes::print::PDF,
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
        representation: ReportRepresentation = REPORT_REPRESENTATION,
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
    let form = query.representation;
    let lang = form.representation.lang;
    let etag = context.etag(form.representation);
    let etag = format!("{}{day}{}\"", etag.trim_end_matches('"'), form.etag_part());
    if form.is_pdf {
        return report_pdf::answer(context, (parcels, row, time), (lang, etag)).await;
    }
    let answer = AnswerForm {
        representation: form.representation,
        title: (report_title("vi"), report_title("en")),
        media_type: JSON,
        etag: Some(etag),
        size: WorkSize::Middle,
    };
    answer_as(context, answer, move |context, cancel| {
        let mut report = linked(context, (&parcels, row), time, cancel)?;
        let as_pdf = query_with(&context.given, &[("f", Some(PDF_NAME)), ("lang", Some(lang))]);
        let href = context.base().url(&format!("{}{as_pdf}", context.path()));
        report.links.push(ReportLink { href, rel: "alternate", media_type: PDF });
        if form.is_page() {
            return Ok(Content::Page(report_page::content(&report, lang, &context.page_links())));
        }
        let written = serde_json::to_vec(&report);
        Ok(Content::Json(written.map_err(|error| Problem::internal(error.to_string()))?))
    })
    .await
}

/// Makes the report on a parcel with the link that confirms it.
///
/// # Errors
/// As [`make`].
pub(super) fn linked(
    context: &RequestContext,
    parcel: (&LayerSnapshot, Row),
    time: TimeInterval,
    cancel: &Cancel,
) -> Result<ParcelReport, Problem> {
    let mut report = make(&context.city_snapshot.city, parcel, time, cancel)?;
    report.verification.link = Some(verification_link(context.base().as_str(), &report));
    Ok(report)
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
