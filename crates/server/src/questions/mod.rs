//! The spatial questions that services ask.

pub(crate) mod at;
pub(crate) mod near;
pub(crate) mod overlay;
pub(crate) mod search;
pub(crate) mod transform;
pub(crate) mod within;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::{
    ask::{Ask, Stop},
    geojson::{number, text},
    html,
    negotiate::{Format, View},
    problem::Problem,
    reply::{HTML, Reply},
    work::small,
};

/// How much work a question is ([`crate::work`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    Small,
    Middle,
    Large,
}

/// Works out `question` where questions of its size are, and answers it as JSON or as a page. `etag` is absent for what must
/// not be kept (POST).
async fn answer(
    ask: Ask,
    view: View,
    title: (&'static str, &'static str),
    kind: &'static str,
    etag: Option<String>,
    size: Size,
    question: impl FnOnce(&Ask) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Stop> {
    if let Some(etag) = &etag {
        ask.unless_known(etag)?;
    }
    let app = Arc::clone(&ask.app);
    // A page is written from the whole document.
    let size = if view.format == Format::Html { size.max(Size::Middle) } else { size };
    let work = move || {
        let bytes = question(&ask)?;
        let reply = match view.format {
            Format::Json => Reply::new(kind, bytes),
            Format::Html => {
                let document = serde_json::from_slice(&bytes)
                    .map_err(|error| Problem::internal(format!("the answer is no JSON: {error}")))?;
                let title = html::say(view.lang, title.0, title.1);
                Reply::new(HTML, html::generic_page(&ask, view, title, &document))
            }
        };
        let reply = match etag {
            Some(etag) => reply.tagged(&etag),
            None => reply.with(axum::http::header::CACHE_CONTROL, "no-store"),
        };
        Ok(reply.compressed(&ask.headers))
    };
    let reply = match size {
        Size::Small => small(work),
        Size::Middle => app.pool.run(work).await,
        Size::Large => app.large.run(move |_| work()).await,
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
