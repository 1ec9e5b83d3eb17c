//! The addresses of features whose id has a slash.
//!
//! An id is one segment of the path, with its slashes as `%2F`. Clients and proxies that decode it send
//! `/items/12/34`, and a proxy that encodes everything sends `/items/12%2F34%2Fhistory`. Both are brought
//! into the one form before the router sees them. No id ends in `/history`
//! ([`citymap_model::FeatureId::stands_alone`]), so that there is no doubt.

use axum::{extract::Request, http::Uri, middleware::Next, response::Response};

use crate::http::prefix::with_path;

/// The address of a request as it came, where [`join_id`] has written another one.
#[derive(Clone, Debug)]
pub(crate) struct OriginalAddress(pub(crate) Uri);

/// Wraps the whole router, because routing goes by the path that this rewrites.
pub(crate) async fn join_id(mut request: Request, next: Next) -> Response {
    if let Some(uri) = joined(request.uri()) {
        let original = std::mem::replace(request.uri_mut(), uri);
        request.extensions_mut().insert(OriginalAddress(original));
    }
    next.run(request).await
}

/// The address with the id as one segment; `None` if it is in that form already.
fn joined(uri: &Uri) -> Option<Uri> {
    if let Some(rest) = uri.path().strip_prefix("/api/parcels/") {
        let id = ["/report", "%2Freport", "%2freport"].iter().find_map(|end| rest.strip_suffix(end))?;
        let path = format!("/api/parcels/{}/report", id.replace('/', "%2F"));
        return if path == uri.path() { None } else { with_path(uri, &path) };
    }
    let (layer, rest) = uri.path().strip_prefix("/api/collections/")?.split_once('/')?;
    let (items, rest) = rest.split_once('/').filter(|(items, _)| matches!(*items, "items" | "bulk-items"))?;
    let encoded = |end: &str| rest.strip_suffix(end).filter(|_| items == "items");
    let split = encoded("/history").or_else(|| encoded("%2Fhistory")).or_else(|| encoded("%2fhistory"));
    let (id, tail) = split.filter(|id| !id.is_empty()).map_or((rest, ""), |id| (id, "/history"));
    let path = format!("/api/collections/{layer}/{items}/{}{tail}", id.replace('/', "%2F"));
    if path == uri.path() {
        return None;
    }
    with_path(uri, &path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_one_segment() {
        let joined = |rest: &str| {
            let uri: Uri = format!("/api/collections/odd/{rest}").parse().unwrap();
            joined(&uri).map(|uri| uri.to_string().replace("/api/collections/odd/", ""))
        };
        for (given, expected) in [
            ("items/12/34?f=json", "items/12%2F34?f=json"),
            ("items/12/34/history", "items/12%2F34/history"),
            ("items/12%2F34%2Fhistory", "items/12%2F34/history"),
            ("items/a%2fb%2fhistory", "items/a%2fb/history"),
            ("bulk-items/12/34", "bulk-items/12%2F34"),
        ] {
            assert_eq!(joined(given).as_deref(), Some(expected), "{given}");
        }
        let report = |path: &'static str| super::joined(&Uri::from_static(path)).map(|uri| uri.to_string());
        assert_eq!(
            report("/api/parcels/12/34/report?f=json").as_deref(),
            Some("/api/parcels/12%2F34/report?f=json")
        );
        assert_eq!(report("/api/parcels/12%2F34/report"), None);
        for same in
            ["items", "items/", "items/1", "items/1/history", "items/history", "items/12%2F34", "schema"]
        {
            assert_eq!(joined(same), None, "{same}");
        }
    }
}
