//! Any JSON document as nested tables.

use maud::{Markup, html};
use serde_json::{Map, Value};

/// Maximum number of entries of a list that a page shows; the JSON document has them all.
const ENTRIES: usize = 500;

/// A value as HTML.
pub(super) fn value(document: &Value) -> Markup {
    match document {
        Value::Null => html! { span.soft { "–" } },
        Value::Bool(value) => html! { (value) },
        Value::Number(value) => html! { (value) },
        Value::String(text) if is_link(text) => html! { a href=(text) { (text) } },
        Value::String(text) => html! { (text) },
        Value::Object(members) => object(members),
        Value::Array(entries) => list(entries),
    }
}

fn is_link(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

fn object(members: &Map<String, Value>) -> Markup {
    if let (Some(Value::String(href)), Some(title)) = (members.get("href"), members.get("title")) {
        return html! { a href=(href) { (title.as_str().unwrap_or(href)) } };
    }
    html! {
        div.wide { table { tbody {
            @for (name, member) in members { tr { th scope="row" { (name) } td { (value(member)) } } }
        } } }
    }
}

fn list(entries: &[Value]) -> Markup {
    // Lists of numbers such as coordinates are shown on one line.
    if !entries.is_empty() && entries.iter().all(|entry| !entry.is_object()) {
        let text = Value::Array(entries.to_vec()).to_string();
        if text.len() <= 400 && entries.iter().any(|entry| entry.is_number() || entry.is_array()) {
            return html! { code { (text) } };
        }
    }
    html! {
        ul {
            @for entry in entries.iter().take(ENTRIES) { li { (value(entry)) } }
            @if entries.len() > ENTRIES { li.soft { "… " (entries.len() - ENTRIES) } }
        }
    }
}
