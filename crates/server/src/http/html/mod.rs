//! Answers as HTML pages, in Vietnamese or English, without scripts and without requests to other hosts.

mod generic;

use std::borrow::Cow;

use axum::http::header;
use citymap_model::text::shown_but;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::http::{
    base::{PageLinks, query_with},
    negotiate::{DocumentFormat, Representation},
    request::RequestContext,
    response::{HTML, ResponseBuilder},
};

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1f2933;--soft:#5b6770;--line:#d7dde2;--ground:#fbfaf7;--mark:#0b6b5d}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--soft:#9aa5b1;--line:#3a444d;--ground:#171b1f;
  --mark:#63c7b6}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.25rem;background:var(--ground);color:var(--ink);
  font:16px/1.55 'Be Vietnam Pro',system-ui,'Segoe UI',Roboto,'Noto Sans',sans-serif}
a{color:var(--mark);text-underline-offset:.15em}
h1{font-size:1.6rem;line-height:1.25;margin:.6rem 0}
h2{font-size:1.15rem;margin:1.6rem 0 .4rem}
header{display:flex;flex-wrap:wrap;gap:.4rem 1rem;justify-content:space-between;color:var(--soft);
  font-size:.92rem}
nav a+a::before,nav a+span::before{
  content:'›';display:inline-block;padding:0 .5rem;color:var(--soft);text-decoration:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft);white-space:nowrap}
td.n{font-variant-numeric:tabular-nums}
td{overflow-wrap:anywhere}
.soft{color:var(--soft)}
.chip{display:inline-block;width:.85em;height:.85em;border:1px solid var(--line);vertical-align:-.05em;
  margin-right:.4em}
.pages{display:flex;gap:1.5rem;margin:1.2rem 0}
footer{margin-top:2.5rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--soft);
  font-size:.88rem}
";

/// Chooses the text of the page's language.
pub(crate) fn say<'a>(lang: &str, vi: &'a str, en: &'a str) -> &'a str {
    if lang == "en" { en } else { vi }
}

/// A document and how it is shown.
pub(crate) struct Page<'a> {
    pub(crate) representation: Representation,
    pub(crate) title: &'a str,
    /// The media type of the JSON document.
    pub(crate) kind: &'static str,
    pub(crate) etag: &'a str,
}

/// The document as JSON, or as a page that shows all its members.
pub(crate) fn reply(context: &RequestContext, page: &Page<'_>, document: &Value) -> ResponseBuilder {
    reply_as(context, page, document, || generic::value(document, &context.page_links()))
}

/// The document as JSON, or as a page with this content.
pub(crate) fn reply_as(
    context: &RequestContext,
    form: &Page<'_>,
    document: &Value,
    content: impl FnOnce() -> Markup,
) -> ResponseBuilder {
    let response = match form.representation.format {
        DocumentFormat::Json => ResponseBuilder::new(form.kind, document.to_string()),
        DocumentFormat::Html => {
            ResponseBuilder::new(HTML, page(context, form.representation, form.title, &content()))
        }
    };
    let response = response.with(header::CONTENT_LANGUAGE, form.representation.lang);
    response.tagged(form.etag).compressed(&context.headers)
}

/// A page that shows any JSON document.
pub(crate) fn generic_page(
    context: &RequestContext,
    representation: Representation,
    title: &str,
    document: &Value,
) -> String {
    page(context, representation, title, &generic::value(document, &context.page_links()))
}

/// A complete page around its content. Characters that would steer how it is shown are escaped
/// ([`shown_but`]).
pub(crate) fn page(
    context: &RequestContext,
    representation: Representation,
    title: &str,
    content: &Markup,
) -> String {
    let lang = representation.lang;
    let other = if lang == "en" { ("vi", "Tiếng Việt") } else { ("en", "English") };
    // A query by itself is relative to the page.
    let here = |changes: &[(&str, Option<&str>)]| query_with(&context.given, changes);
    let json = here(&[("f", Some("json"))]);
    let turned = here(&[("lang", Some(other.0)), ("f", Some("html"))]);
    let page = html! {
        (DOCTYPE)
        html lang=(lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – citymap" }
                link rel="icon" type="image/svg+xml" href=(context.page_links().href("/favicon.svg"));
                link rel="alternate" type="application/json" href=(json);
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    nav aria-label=(say(lang, "Vị trí", "Breadcrumb")) {
                        (crumbs(context.path(), lang, &context.page_links())) }
                    span {
                        a href=(json) { "JSON" } " · \
                            " a href=(turned) hreflang=(other.0) lang=(other.0) { (other.1) }
                    }
                }
                main {
                    h1 { (title) }
                    (content)
                }
                footer {
                    (say(lang, "Phiên bản dữ \
                        liệu", "Data revision")) " " (context.city_snapshot.revision()) " · "
                    (say(lang, "Chỉ để tham khảo", "For reference only"))
                }
            }
        }
    }
    .into_string();
    // Names, titles and values may hold characters that turn the direction of what is around them.
    match shown_but(&page, &['\n', '\t']) {
        Cow::Borrowed(_) => page,
        Cow::Owned(safe) => safe,
    }
}

/// The breadcrumb trail from the map to this page, which is no link itself: it may need its query.
fn crumbs(path: &str, lang: &str, links: &PageLinks) -> Markup {
    let mut trail = vec![(links.href("/"), say(lang, "Bản đồ", "Map").to_owned())];
    let mut so_far = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        so_far = format!("{so_far}/{part}");
        // Parcels have reports and no pages of their own; reports are checked and have no list.
        let has_no_page = ["/api/parcels", "/api/reports"].iter().any(|start| so_far.starts_with(start));
        if has_no_page && so_far != path {
            continue;
        }
        let name = percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        trail.push((links.href(&so_far), if name == "api" { "API".to_owned() } else { name }));
    }
    let here = trail.pop().map(|(_, name)| name).unwrap_or_default();
    html! { @for (href, name) in &trail { a href=(href) { (name) } } span aria-current="page" { (here) } }
}
