//! The styles themselves.

use std::sync::Arc;

use axum::{http::header, response::IntoResponse};
use citymap_engine::LayerSnapshot;
use citymap_model::LayerId;
use citymap_render::styles::{
    Addresses, Appearance, AreaLabel, CatalogueLayer, StyleRequest, StyledCity, level_named,
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    lists::no_style,
    parameters::{CollectionStyleQuery, LookQuery, StyleQuery, StyleRepresentation},
};
use crate::{
    features::describe::layer_title,
    hash::content_hash,
    http::{
        base::{PageLinks, query, query_with, segment},
        html::{self, Page, say},
        problem::Problem,
        request::{HandlerResult, RequestContext, catalogue},
        response::ResponseBuilder,
    },
};

/// What a request for a style says besides its id.
struct Asked {
    look: LookQuery,
    /// The layers that are drawn instead of those of the theme.
    layers: Option<Vec<LayerId>>,
    representation: StyleRepresentation,
}

/// Which style is wanted.
pub(crate) struct StyleOrder<'a> {
    /// The id of the style.
    pub(crate) id: &'a str,
    pub(crate) look: &'a LookQuery,
    /// The layers that are drawn instead of those of the theme.
    pub(crate) layers: Option<&'a [LayerId]>,
    /// The language of names.
    pub(crate) lang: &'a str,
}

/// The layers that a query names.
///
/// # Errors
/// 400 if a layer does not exist.
pub(crate) fn named_layers(
    context: &RequestContext,
    names: Option<Vec<String>>,
) -> Result<Option<Vec<LayerId>>, Problem> {
    // OGC API – Maps also allows the addresses of collections.
    let id = |name: &String| name.rsplit_once("/collections/").map_or(name.as_str(), |(_, id)| id).to_owned();
    let names = names.map(|names| names.iter().map(id).collect::<Vec<_>>().join(","));
    let layers = names.map(|names| context.layers(Some(&names))).transpose()?;
    Ok(layers.map(|layers| layers.iter().map(|own| own.layer().id.clone()).collect()))
}

/// The handler of `GET /api/styles/{styleId}`.
pub(crate) async fn style(mut context: RequestContext) -> HandlerResult {
    let StyleQuery { look, collections, representation } = context.query()?;
    context.as_of(look.state.revision).await?;
    let layers = named_layers(&context, collections)?;
    send(context, Asked { look, layers, representation }).await
}

/// The handler of `GET /api/collections/{layer}/styles/{styleId}`.
pub(crate) async fn collection_style(mut context: RequestContext) -> HandlerResult {
    let CollectionStyleQuery { look, representation } = context.query()?;
    context.as_of(look.state.revision).await?;
    let layers = Some(vec![context.layer()?.layer().id.clone()]);
    send(context, Asked { look, layers, representation }).await
}

async fn send(context: RequestContext, asked: Asked) -> HandlerResult {
    let app = Arc::clone(&context.app);
    let StyleRepresentation { representation, media_type } = asked.representation;
    let is_page = asked.representation.is_page();
    let (context, document) = app
        .pool
        .run(move || {
            let order = StyleOrder {
                id: context.path_param("styleId"),
                look: &asked.look,
                layers: asked.layers.as_deref(),
                lang: asked.representation.representation.lang,
            };
            let document = document(&context, &order)?;
            Ok((context, document))
        })
        .await?;
    if is_page {
        let etag = format!(
            "{}-{}\"",
            context.etag(representation).trim_end_matches('"'),
            content_hash(query_with(&context.given, &[]).as_bytes())
        );
        context.check_if_none_match(&etag)?;
        let title = document["name"].as_str().unwrap_or_default().to_owned();
        let page = Page { representation, title: &title, kind: media_type, etag: &etag };
        let content = || page_of(&context, &document, representation.lang);
        return Ok(html::reply_as(&context, &page, &document, content).into_response());
    }
    let text = document.to_string();
    // The document is the same on every server and until the catalogue changes, and so is its tag.
    let etag = format!("W/\"{}\"", content_hash(text.as_bytes()));
    context.check_if_none_match(&etag)?;
    let response = ResponseBuilder::new(media_type, text).tagged(&etag);
    let response = response.with(header::CONTENT_LANGUAGE, representation.lang);
    Ok(response.compressed(&context.headers).into_response())
}

/// The style as JSON, with the addresses under which the client reached the server.
///
/// # Errors
/// 404 if there is no such style.
pub(crate) fn document(context: &RequestContext, order: &StyleOrder<'_>) -> Result<Value, Problem> {
    let base = context.base();
    let state = context.given.pairs().filter(|(name, _)| name == "datetime" || name == "revision");
    let state = query(state.map(|(name, value)| (name.as_str(), value.as_str())));
    let tiles = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| segment(id)).collect();
        base.url(&format!("/tiles/{}.json{state}", ids.join(",")))
    };
    let addresses = Addresses {
        root: base.as_str(),
        glyphs: &base.url("/fonts/{fontstack}/{range}.pbf"),
        sprite: &base.url("/sprites/citymap"),
        tiles: &tiles,
        layers_max: context.app.config.limits.tile_layers_max,
    };
    document_with(context, order, &addresses)
}

/// The style as JSON, with these addresses.
///
/// # Errors
/// 404 if there is no such style.
pub(super) fn document_with(
    context: &RequestContext,
    order: &StyleOrder<'_>,
    addresses: &Addresses<'_>,
) -> Result<Value, Problem> {
    let service = &context.app.styles;
    let snapshots = catalogue(&context.city_snapshot);
    let labels: Vec<Arc<Vec<AreaLabel>>> =
        snapshots.iter().map(|snapshot| service.labels(snapshot, order.look.state.time)).collect();
    let layers: Vec<CatalogueLayer<'_>> = snapshots
        .iter()
        .zip(&labels)
        .map(|(snapshot, labels)| CatalogueLayer { layer: snapshot.layer(), count: snapshot.len(), labels })
        .collect();
    let city = StyledCity { profile: &context.city_snapshot.city.profile, layers: &layers };
    let request = StyleRequest {
        appearance: order.look.appearance.and_then(Appearance::named).unwrap_or_default(),
        lang: order.lang,
        level: order.look.level.and_then(level_named),
        layers: order.layers,
    };
    let style = service.book.style(order.id, city, &request, addresses);
    style.ok_or_else(|| no_style(context, order.id))
}

/// The page of a style: how to use it, and the layers that it draws.
fn page_of(context: &RequestContext, document: &Value, lang: &str) -> Markup {
    let links = context.page_links();
    let entry = context.app.styles.book.entry(context.path_param("styleId"));
    let description = entry.map(|entry| entry.description.get(lang).to_owned()).unwrap_or_default();
    let snapshots = catalogue(&context.city_snapshot);
    let drawn: Vec<&Arc<LayerSnapshot>> =
        snapshots.iter().filter(|snapshot| draws(document, snapshot.layer().id.as_str())).collect();
    let address = context.base().url(&format!(
        "{}{}",
        context.path(),
        query_with(&context.given, &[("f", Some("mbs"))])
    ));
    html! {
        @if !description.is_empty() { p { (description) "." } }
        p {
            (say(
                lang,
                "Địa chỉ của kiểu bản đồ cho MapLibre, QGIS và phần mềm khác:",
                "The address of the style for MapLibre, QGIS and others:",
            )) " "
            a href=(links.of_document(&address)) { code { (address) } }
        }
        h2 { (say(lang, "Các lớp được vẽ", "The layers that it draws")) }
        ul { @for snapshot in &drawn { (layer_item(snapshot, &links, lang)) } }
    }
}

fn layer_item(snapshot: &LayerSnapshot, links: &PageLinks, lang: &str) -> Markup {
    let layer = snapshot.layer();
    html! {
        li {
            a href=(links.href(&format!("/api/collections/{}", segment(layer.id.as_str())))) {
                (layer_title(layer, lang))
            }
        }
    }
}

/// Whether a style draws a layer of the city.
fn draws(document: &Value, id: &str) -> bool {
    let layers = document["layers"].as_array();
    layers
        .into_iter()
        .flatten()
        .any(|layer| layer["source-layer"] == id || layer["metadata"]["citymap:collection"] == id)
}
