//! Any JSON document as nested tables.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::http::base::PageLinks;

/// Maximum number of entries of a list that a page shows; the JSON document has them all.
const ENTRIES: usize = 500;

/// A value as HTML. Addresses of this server become links that are right below a path prefix.
pub(super) fn value(document: &Value, links: &PageLinks) -> Markup {
    match document {
        Value::Null => html! { span.soft { "–" } },
        Value::Bool(value) => html! { (value) },
        Value::Number(value) => html! { (value) },
        Value::String(text) if is_link(text) => html! { a href=(links.of_document(text)) { (text) } },
        Value::String(text) => html! { (text) },
        Value::Object(members) => object(members, links),
        Value::Array(entries) => list(entries, links),
    }
}

/// True for an address that leads somewhere: a template such as that of a tileset's tiles does not.
fn is_link(text: &str) -> bool {
    (text.starts_with("http://") || text.starts_with("https://")) && !text.contains('{')
}

fn object(members: &Map<String, Value>, links: &PageLinks) -> Markup {
    // Fields of a feature may have these names too: only what has the members of a link and leads to a page
    // is one.
    let of_link = |name: &String| ["href", "rel", "type", "title"].contains(&name.as_str());
    if let (Some(Value::String(href)), Some(title)) = (members.get("href"), members.get("title"))
        && is_link(href)
        && members.keys().all(of_link)
    {
        return html! { a href=(links.of_document(href)) { (title.as_str().unwrap_or(href)) } };
    }
    html! {
        div.wide { table { tbody {
            @for (name, member) in members { tr { th scope="row" { (name) } td { (value(member, links)) } } }
        } } }
    }
}

fn list(entries: &[Value], links: &PageLinks) -> Markup {
    // Lists of numbers such as coordinates are shown on one line.
    if !entries.is_empty() && entries.iter().all(|entry| !entry.is_object()) {
        let text = Value::Array(entries.to_vec()).to_string();
        if text.len() <= 400 && entries.iter().any(|entry| entry.is_number() || entry.is_array()) {
            return html! { code { (text) } };
        }
    }
    html! {
        ul {
            @for entry in entries.iter().take(ENTRIES) { li { (value(entry, links)) } }
            @if entries.len() > ENTRIES { li.soft { "… " (entries.len() - ENTRIES) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Uri, header::HOST};
    use serde_json::json;

    use super::*;
    use crate::http::base::BaseUrl;

    #[test]
    fn a_feature_with_fields_href_and_title_is_no_link() {
        let headers = [(HOST, HeaderValue::from_static("map.example.vn"))].into_iter().collect();
        let base = BaseUrl::of(None, &headers, &Uri::from_static("/api"));
        let links = PageLinks::new(base, "/api/collections", false);
        let page = |document: Value| value(&document, &links).into_string();
        for href in ["javascript:alert(1)", "data:text/html,x", "//evil.example", " javascript:alert(1)"] {
            let shown = page(json!({"href": href, "title": "x"}));
            assert!(!shown.contains("<a "), "{shown}");
        }
        let feature = page(json!({"href": "https://evil.example", "title": "x", "area": 3}));
        assert!(feature.contains("area"), "no property is hidden: {feature}");
        let own = page(json!({"href": "https://map.example.vn/api", "rel": "self", "title": "API"}));
        assert!(own.contains(r#"<a href="https://map.example.vn/api">API</a>"#), "{own}");
        let here = page(json!({"href": "http://map.example.vn/api", "rel": "self", "title": "API"}));
        assert!(here.contains(r#"<a href="../api">API</a>"#), "{here}");
    }
}
