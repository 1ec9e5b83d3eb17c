//! The spatial questions of services: what is here, near, in this area; overlay, reports on
//! parcels and their verification, search and transformation.

pub(crate) mod at;
pub(crate) mod draft;
pub(crate) mod lineage;
pub(crate) mod near;
pub(crate) mod overlay;
pub(crate) mod report;
mod report_page;
pub(crate) mod report_pdf;
pub(crate) mod search;
pub(crate) mod transform;
pub(crate) mod verify;
mod verify_page;
pub(crate) mod within;

use std::sync::Arc;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use citymap_engine::{Cancel, EngineError};
use maud::Markup;

use crate::{
    http::{
        html,
        json::JsonWriter,
        negotiate::{DocumentFormat, Representation},
        problem::Problem,
        request::{Rejection, RequestContext},
        response::{HTML, ResponseBuilder},
    },
    work::small,
};

/// How much work a question is; decides where it runs ([`crate::work`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WorkSize {
    Small,
    Middle,
    Large,
}

/// What all answers to questions have besides their content.
struct AnswerForm {
    representation: Representation,
    /// The title of the page, in Vietnamese and English.
    title: (&'static str, &'static str),
    /// The media type of the JSON answer.
    media_type: &'static str,
    /// `None` for an answer that caches must not keep (POST).
    etag: Option<String>,
    size: WorkSize,
}

/// Runs `question`, which writes JSON, where work of its size runs, and answers with that JSON or with a
/// page. The flag that `question` gets is set when the client has gone or its time is over; what it has
/// found by then is dropped.
async fn answer(
    context: RequestContext,
    form: AnswerForm,
    question: impl FnOnce(&RequestContext, &Cancel) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Rejection> {
    answer_as(context, form, move |context, cancel| Ok(Content::Json(question(context, cancel)?))).await
}

/// What a question found.
enum Content {
    /// A JSON document, from which a page with all its members can be made.
    Json(Vec<u8>),
    /// The content of a page for people.
    Page(Markup),
}

/// As [`answer`]; a `question` that was asked for a page may write it itself.
async fn answer_as(
    context: RequestContext,
    form: AnswerForm,
    question: impl FnOnce(&RequestContext, &Cancel) -> Result<Content, Problem> + Send + 'static,
) -> Result<Response, Rejection> {
    let AnswerForm { representation, title, media_type, etag, size } = form;
    if let Some(etag) = &etag {
        context.check_if_none_match(etag)?;
    }
    let app = Arc::clone(&context.app);
    // A page is made from the whole document.
    let size = if representation.format == DocumentFormat::Html { size.max(WorkSize::Middle) } else { size };
    let work = move |cancel: &Cancel| {
        let content = question(&context, cancel)?;
        cancel.check().map_err(EngineError::from)?;
        let title = html::say(representation.lang, title.0, title.1);
        let response = match (representation.format, content) {
            (DocumentFormat::Json, Content::Json(bytes)) => ResponseBuilder::new(media_type, bytes),
            (_, Content::Page(content)) => {
                ResponseBuilder::new(HTML, html::page(&context, representation, title, &content))
            }
            (DocumentFormat::Html, Content::Json(bytes)) => {
                let document = serde_json::from_slice(&bytes)
                    .map_err(|error| Problem::internal(format!("the answer is not JSON: {error}")))?;
                ResponseBuilder::new(HTML, html::generic_page(&context, representation, title, &document))
            }
        };
        let response = match etag {
            Some(etag) => response.tagged(&etag),
            None => response.with(header::CACHE_CONTROL, "no-store"),
        };
        Ok(response.compressed(&context.headers))
    };
    let response = match size {
        WorkSize::Small => small(|| work(&Cancel::new())),
        WorkSize::Middle => app.pool.run_with(Cancel::new(), work).await,
        WorkSize::Large => app.batch.run(work).await,
    }?;
    Ok(response.into_response())
}

/// Maximum size of the document that a page is made from: a page for people, which takes several times as
/// much.
const PAGE_MAX: usize = 8 << 20;

/// An error once the answer has more bytes than one may have; asked feature by feature.
///
/// # Errors
/// 400.
fn check_size(
    json: &JsonWriter<'_>,
    context: &RequestContext,
    representation: Representation,
) -> Result<(), Problem> {
    let max = context.app.config.limits.answer_bytes_max;
    let max = if representation.format == DocumentFormat::Html { max.min(PAGE_MAX) } else { max };
    if json.len() <= max {
        return Ok(());
    }
    Err(Problem::parameter(format!(
        "the answer has more than {max} bytes, the maximum; ask for fewer features with `limit`, for fewer \
         layers, or for a smaller area"
    )))
}

/// Writes a position as `{"lon":…,"lat":…}`, in degrees.
fn position(json: &mut JsonWriter<'_>, [lon, lat]: [f64; 2]) {
    json.open_object().key("lon").number(lon);
    json.key("lat").number(lat);
    json.close_object();
}

/// Writes the members `distance` (metres, to a tenth of a millimetre) and `label` of a feature that was
/// found.
fn found(json: &mut JsonWriter<'_>, distance: f64, label: &str) {
    json.key("distance").number((distance * 1e4).round() / 1e4);
    json.key("label").text(label);
}
