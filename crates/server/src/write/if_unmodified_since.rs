//! `If-Unmodified-Since`: the time at which a client knows a feature to be unchanged, for clients that keep
//! `Last-Modified` instead of the tag.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use citymap_edit::{ExpectedState, content_tag};
use citymap_engine::LayerSnapshot;

use crate::{
    app::App,
    features::modified::{is_unmodified, parse_http_date, version_times},
    http::problem::Problem,
};

/// The time of the header; `None` where `If-Match` is sent, which takes precedence, and for a value that is
/// no date of HTTP, which is ignored (RFC 9110, 13.1.4).
pub(super) fn of(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    if headers.contains_key(header::IF_MATCH) {
        return None;
    }
    parse_http_date(headers.get(header::IF_UNMODIFIED_SINCE)?.to_str().ok()?)
}

/// The state that the feature must still have when the edit is made: the one that it has now, if it has had
/// it since then.
///
/// # Errors
/// 412 if it has changed since; 503 if the record cannot be read.
pub(super) async fn expected(
    app: &Arc<App>,
    layer: &Arc<LayerSnapshot>,
    id: &str,
    since: DateTime<Utc>,
) -> Result<ExpectedState, Problem> {
    // One that is not there is refused as such.
    let Some(row) = layer.row_of_id(id) else { return Ok(ExpectedState::Any) };
    let (live, own) = (Arc::clone(&app.live), Arc::clone(layer));
    let fid = layer.fid(row);
    let read = move || Ok(version_times(live.store(), &own.layer().id, fid, own.revision(), 2)?);
    let times = app.pool.run(read).await?;
    if !is_unmodified(&times, since) {
        return Err(Problem::stale(
            "the feature has changed since If-Unmodified-Since, or twice in that second; read it again, or \
             send If-Match with its ETag",
        ));
    }
    Ok(ExpectedState::Tags(vec![content_tag(layer.layer(), &layer.feature(row))]))
}
