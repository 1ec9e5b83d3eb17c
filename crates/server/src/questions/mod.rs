//! The spatial questions that services ask.

pub(crate) mod at;
pub(crate) mod near;
pub(crate) mod overlay;
pub(crate) mod search;
pub(crate) mod transform;
pub(crate) mod within;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use citymap_model::json::{number, text};

use crate::{
    http::{
        html,
        negotiate::{DocumentFormat, Representation},
        problem::Problem,
        request::{Rejection, RequestContext},
        response::{HTML, ResponseBuilder},
    },
    work::small,
};

/// How much work a question is ([`crate::work`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WorkSize {
    Small,
    Middle,
    Large,
}

/// Works out `question` where questions of its size are, and answers it as JSON or as a page. `etag` is absent for what must
/// not be kept (POST).
async fn answer(
    context: RequestContext,
    representation: Representation,
    title: (&'static str, &'static str),
    kind: &'static str,
    etag: Option<String>,
    size: WorkSize,
    question: impl FnOnce(&RequestContext) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Rejection> {
    if let Some(etag) = &etag {
        context.check_if_none_match(etag)?;
    }
    let app = Arc::clone(&context.app);
    // A page is written from the whole document.
    let size = if representation.format == DocumentFormat::Html { size.max(WorkSize::Middle) } else { size };
    let work = move || {
        let bytes = question(&context)?;
        let reply = match representation.format {
            DocumentFormat::Json => ResponseBuilder::new(kind, bytes),
            DocumentFormat::Html => {
                let document = serde_json::from_slice(&bytes)
                    .map_err(|error| Problem::internal(format!("the answer is no JSON: {error}")))?;
                let title = html::say(representation.lang, title.0, title.1);
                ResponseBuilder::new(HTML, html::generic_page(&context, representation, title, &document))
            }
        };
        let reply = match etag {
            Some(etag) => reply.tagged(&etag),
            None => reply.with(axum::http::header::CACHE_CONTROL, "no-store"),
        };
        Ok(reply.compressed(&context.headers))
    };
    let reply = match size {
        WorkSize::Small => small(work),
        WorkSize::Middle => app.pool.run(work).await,
        WorkSize::Large => app.batch.run(move |_| work()).await,
    }?;
    Ok(reply.into_response())
}

/// `{"lon":…,"lat":…}`
fn place(out: &mut Vec<u8>, [lon, lat]: [f64; 2]) {
    out.extend(b"{\"lon\":");
    number(out, lon);
    out.extend(b",\"lat\":");
    number(out, lat);
    out.push(b'}');
}

/// `,"distance":…,"label":…` of a found feature.
fn found(out: &mut Vec<u8>, distance: f64, label: &str) {
    out.extend(b",\"distance\":");
    number(out, (distance * 1e4).round() / 1e4);
    out.extend(b",\"label\":");
    text(out, label);
}
