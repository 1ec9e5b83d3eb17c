//! The lists of styles, and what each style is.

use axum::response::IntoResponse;
use citymap_model::{Layer, nearest};
use citymap_render::styles::{Appearance, LEVEL_NAMES, StyleEntry};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::MAPBOX_STYLE;
use crate::{
    features::{
        describe::{layer_title, link, self_links},
        landing::{LayerQuery, PageQuery},
    },
    http::{
        base::{BaseUrl, PageLinks, segment},
        html::{self, Page, say},
        negotiate::Representation,
        problem::Problem,
        request::{HandlerResult, RequestContext},
        response::{HTML, JSON},
    },
};

/// The handler of `GET /api/styles`.
pub(crate) async fn of_city(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let title = say(representation.lang, "Các kiểu bản đồ", "Styles of the map").to_owned();
    list(&context, "/api", None, (representation, &title))
}

/// The handler of `GET /api/collections/{layer}/styles`.
pub(crate) async fn of_layer(mut context: RequestContext) -> HandlerResult {
    let LayerQuery { revision, representation } = context.query()?;
    context.as_of(revision).await?;
    let snapshot = context.layer()?;
    let layer = snapshot.layer();
    let title = format!(
        "{} – {}",
        layer_title(layer, representation.lang),
        say(representation.lang, "kiểu bản đồ", "styles")
    );
    let base = format!("/api/collections/{}", segment(layer.id.as_str()));
    list(&context, &base, Some(layer), (representation, &title))
}

/// A list of the styles below `resource`: of the city, or of one layer.
fn list(
    context: &RequestContext,
    resource: &str,
    layer: Option<&Layer>,
    (representation, title): (Representation, &str),
) -> HandlerResult {
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let (base, book) = (context.base(), &context.app.styles.book);
    let entries: Vec<StyleEntry<'_>> = book
        .entries()
        .into_iter()
        .filter(|entry| layer.is_none_or(|layer| book.draws(entry.id, layer)))
        .collect();
    let styles: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let path = format!("{resource}/styles/{}", segment(entry.id));
            described(entry, &base, &path, representation.lang)
        })
        .collect();
    let path = format!("{resource}/styles");
    let mut document = json!({
        "links": self_links(&base, &path, |format| format!("?f={format}"), JSON),
        "styles": styles,
    });
    if let Some(first) = entries.first() {
        document["default"] = first.id.into();
    }
    let page = Page { representation, title, kind: JSON, etag: &etag };
    let content = || table(&entries, &path, representation.lang, &context.page_links());
    Ok(html::reply_as(context, &page, &document, content).into_response())
}

/// The handler of `GET /api/styles/{styleId}/metadata`.
pub(crate) async fn metadata(mut context: RequestContext) -> HandlerResult {
    let PageQuery { representation } = context.query()?;
    let id = context.path_param("styleId");
    let book = &context.app.styles.book;
    let entry = book.entry(id).ok_or_else(|| no_style(&context, id))?;
    let etag = context.etag(representation);
    context.check_if_none_match(&etag)?;
    let base = context.base();
    let path = format!("/api/styles/{}", segment(entry.id));
    let mut document = described(&entry, &base, &path, representation.lang);
    let own = format!("{path}/metadata");
    if let Some(links) = document["links"].as_array_mut() {
        links.retain(|link| link["rel"] != "describedby");
        links.extend(self_links(&base, &own, |format| format!("?f={format}"), JSON));
    }
    if !entry.is_file {
        let languages: Vec<Value> =
            context.city_snapshot.city.profile.languages.iter().map(|code| json!({"code": code})).collect();
        document["resourceLanguages"] = languages.into();
        // What the parameters of the style may be.
        document["citymap"] = json!({"appearances": Appearance::NAMES, "levels": LEVEL_NAMES});
    }
    let title = entry.title.get(representation.lang);
    let page = Page { representation, title, kind: JSON, etag: &etag };
    Ok(html::reply(&context, &page, &document).into_response())
}

/// A style as lists and its metadata describe it; `path` is its address.
fn described(entry: &StyleEntry<'_>, base: &BaseUrl, path: &str, lang: &str) -> Value {
    let (title, description) = (entry.title.get(lang), entry.description.get(lang));
    let id = segment(entry.id);
    let mut links = vec![
        link("stylesheet", MAPBOX_STYLE, title, base.url(&format!("{path}?f=mbs"))),
        link("alternate", HTML, "The style as a page", base.url(&format!("{path}?f=html"))),
    ];
    if path.starts_with("/api/styles/") {
        let legend = base.url(&format!("{path}/legend?zoom=16"));
        links.push(link("related", JSON, "What the style draws at a zoom", legend));
    }
    links.push(link(
        "describedby",
        JSON,
        "What the style is",
        base.url(&format!("/api/styles/{id}/metadata?f=json")),
    ));
    let mut document = json!({"id": entry.id, "title": title, "links": links});
    if !description.is_empty() {
        document["description"] = description.into();
    }
    document
}

fn table(entries: &[StyleEntry<'_>], path: &str, lang: &str, links: &PageLinks) -> Markup {
    html! {
        @if entries.is_empty() {
            p { (say(lang, "Không có kiểu nào vẽ lớp này.", "No style draws this layer.")) }
        } @else {
            div.wide { table {
                thead { tr {
                    th scope="col" { (say(lang, "Kiểu", "Style")) }
                    th scope="col" { (say(lang, "Nội dung", "What it shows")) }
                } }
                tbody { @for entry in entries {
                    tr {
                        td { a href=(links.href(&format!("{path}/{}", segment(entry.id)))) {
                            (entry.title.get(lang)) } }
                        td { (entry.description.get(lang)) }
                    }
                } }
            } }
        }
    }
}

/// The problem of a style that does not exist, with the most similar names.
pub(crate) fn no_style(context: &RequestContext, id: &str) -> Problem {
    let entries = context.app.styles.book.entries();
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id).collect();
    let id: String = id.chars().take(80).collect();
    let near = nearest(&id, &ids, 5).join(", ");
    Problem::not_found(format!(
        "there is no style `{id}`; the nearest names are: {near}; /api/styles lists all"
    ))
}
