//! Styles as pictures are drawn from them: made and read once for each state of the city.

use std::sync::Arc;

use citymap_render::{spec::Style, styles::Addresses};

use super::documents::{StyleOrder, document_with};
use crate::{
    hash::hash_of,
    http::{problem::Problem, request::RequestContext},
};

/// A style that pictures are drawn from.
#[derive(Debug)]
pub(crate) struct ParsedStyle {
    pub(crate) style: Style,
    /// Differs between styles that draw differently; the same at every revision that does not change it.
    pub(crate) hash: u64,
}

/// Which style, and of which state of the city.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ParsedKey {
    epoch: u64,
    revision: u64,
    order: String,
}

/// The style of a picture. CPU work of some milliseconds for a new state of the city.
///
/// # Errors
/// 404 if there is no such style, 422 for one that cannot be drawn here.
pub(crate) fn parsed(context: &RequestContext, order: &StyleOrder<'_>) -> Result<Arc<ParsedStyle>, Problem> {
    let StyleOrder { id, look, layers, lang } = order;
    let key = ParsedKey {
        epoch: context.city_snapshot.epoch,
        revision: context.city_snapshot.revision(),
        order: format!("{:?}", (id, look.appearance, look.level, layers, lang, look.state.time)),
    };
    let known = &context.app.styles.parsed;
    // What is public may have changed since a past state was read.
    if let Some(found) = known.get(&key).filter(|_| !context.past) {
        return Ok(found);
    }
    // Pictures are drawn from the city itself: the addresses lead nowhere, and are the same for all clients.
    let addresses = Addresses {
        root: "",
        glyphs: "/fonts/{fontstack}/{range}.pbf",
        sprite: "/sprites/citymap",
        tiles: &|ids| format!("/tiles/{}.json", ids.join(",")),
        layers_max: context.app.config.limits.tile_layers_max,
    };
    let document = document_with(context, order, &addresses)?;
    let style = Style::parse(&document)
        .map_err(|error| Problem::unprocessable(format!("style `{id}` cannot be drawn here: {error}")))?;
    let parsed = Arc::new(ParsedStyle { style, hash: hash_of(&document.to_string()) });
    if !context.past {
        known.insert(key, Arc::clone(&parsed));
    }
    Ok(parsed)
}
