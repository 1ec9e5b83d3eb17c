//! The spatial questions that services ask.

pub(crate) mod at;
pub(crate) mod near;
pub(crate) mod search;
pub(crate) mod transform;
pub(crate) mod within;

use axum::response::{IntoResponse, Response};

use crate::{
    ask::{Ask, Stop},
    geojson::{number, text},
    html,
    negotiate::{Format, View},
    problem::Problem,
    reply::{HTML, Reply},
};

/// Works out `question` in the pool, and answers it as JSON or as a page. `etag` is absent for what must not be kept (POST).
pub(crate) async fn answer(
    ask: Ask,
    view: View,
    title: (&'static str, &'static str),
    kind: &'static str,
    etag: Option<String>,
    question: impl FnOnce(&Ask) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Stop> {
    if let Some(etag) = &etag {
        ask.unless_known(etag)?;
    }
    let app = ask.app.clone();
    let reply = app
        .pool
        .run(move || {
            let bytes = question(&ask)?;
            let reply = match view.format {
                Format::Json => Reply::new(kind, bytes),
                Format::Html => {
                    let document = serde_json::from_slice(&bytes)
                        .map_err(|error| Problem::internal(format!("the answer is no JSON: {error}")))?;
                    Reply::new(
                        HTML,
                        html::generic_page(&ask, view, html::say(view.lang, title.0, title.1), &document),
                    )
                }
            };
            let reply = match etag {
                Some(etag) => reply.tagged(&etag),
                None => reply.with(axum::http::header::CACHE_CONTROL, "no-store"),
            };
            Ok(reply.compressed(&ask.headers))
        })
        .await?;
    Ok(reply.into_response())
}

/// `,"distance":…,"label":…` of a found feature.
fn found(out: &mut Vec<u8>, distance: f64, label: &str) {
    out.extend(b",\"distance\":");
    number(out, (distance * 1e4).round() / 1e4);
    out.extend(b",\"label\":");
    text(out, label);
}
