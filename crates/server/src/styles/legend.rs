//! `GET /api/styles/{styleId}/legend`: what a style draws at a zoom, perhaps only what occurs in a box.

use std::sync::Arc;

use axum::response::IntoResponse;
use citymap_crs::NamedCrs;
use citymap_engine::{Bbox, Cancel};
use citymap_model::LayerId;
use citymap_render::{
    legend::{Legend, LegendLayer, ShownArea, occurring},
    styles::level_named,
};
use serde_json::{Value, json};

use super::{
    documents::{StyleOrder, document, named_layers},
    parameters::{COLLECTIONS, LOOK, LookQuery},
};
use crate::{
    config::Limits,
    features::describe::self_links,
    hash::content_hash,
    http::{
        base::query_with,
        coords::{Window, window},
        html::{self, Page, say},
        negotiate::Representation,
        parameters::{REPRESENTATION, Raw},
        problem::Problem,
        query::{Declared, Parameter, ParameterKind, QueryReader, query},
        request::{HandlerResult, RequestContext, catalogue},
        response::JSON,
    },
};

/// The highest zoom of the map.
const ZOOM_MAX: f64 = 22.0;

/// A zoom of the map, which must be given.
struct Zoom;

impl ParameterKind for Zoom {
    type Value = f64;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<f64, Problem> {
        let zoom = reader.params.number(name, 0.0, ZOOM_MAX)?;
        zoom.ok_or_else(|| {
            Problem::parameter(format!("`{name}` is missing; write a number from 0 to {ZOOM_MAX}"))
        })
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "number", "minimum": 0, "maximum": ZOOM_MAX})
    }
}

static ZOOM: Parameter<Zoom> =
    Parameter::new("zoom", "The zoom of the map (tiles of 512 pixels)", Zoom).required().example("16");

static BBOX: Parameter<Raw> = Parameter::new(
    "bbox",
    "west, south, east, north in longitude and latitude: only what occurs there is listed",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        style: || json!({"style": "form", "explode": false, "example": [106.69, 10.77, 106.7, 10.78]}),
    },
)
.component("legend-bbox");

query! {
    /// The query of a legend.
    pub(crate) struct LegendQuery {
        zoom: f64 = ZOOM,
        bbox: Option<String> = BBOX,
        look: LookQuery = LOOK,
        collections: Option<Vec<String>> = COLLECTIONS,
        representation: Representation = REPRESENTATION,
    }
}

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 2] = [&ZOOM, &BBOX];

/// What a request for a legend says besides the id of the style.
struct Asked {
    look: LookQuery,
    layers: Option<Vec<LayerId>>,
    /// The language of titles, `"vi"` or `"en"`.
    lang: &'static str,
    zoom: f64,
    bbox: Option<Bbox>,
}

/// The handler of `GET /api/styles/{styleId}/legend`.
pub(crate) async fn legend(mut context: RequestContext) -> HandlerResult {
    let LegendQuery { zoom, bbox, look, collections, representation } = context.query()?;
    let bbox = bbox.map(|text| lonlat_box(&text)).transpose()?;
    context.as_of(look.state.revision).await?;
    let layers = named_layers(&context, collections)?;
    let asked = Asked { look, layers, lang: representation.lang, zoom, bbox };
    let app = Arc::clone(&context.app);
    let work = move |cancel: &Cancel| {
        let legend = read(&context, &asked, cancel)?;
        Ok((context, legend))
    };
    let (context, mut document) = app.pool.run_with(Cancel::new(), work).await?;
    let text = format!("{document}{representation:?}");
    let etag = format!("W/\"{}\"", content_hash(text.as_bytes()));
    context.check_if_none_match(&etag)?;
    let kept = |format: &str| query_with(&context.given, &[("f", Some(format))]);
    document["links"] = self_links(&context.base(), context.path(), kept, JSON).into();
    let title = say(representation.lang, "Chú giải", "Legend");
    let page = Page { representation, title, kind: JSON, etag: &etag };
    Ok(html::reply(&context, &page, &document).into_response())
}

/// A box in longitude and latitude.
fn lonlat_box(text: &str) -> Result<Bbox, Problem> {
    match window(text, &NamedCrs::crs84())? {
        Window::Bbox(bbox) => Ok(bbox),
        Window::Polygon(_) => Err(Problem::internal("a box in CRS84 is a box")),
    }
}

/// The legend as JSON.
fn read(context: &RequestContext, asked: &Asked, cancel: &Cancel) -> Result<Value, Problem> {
    let id = context.path_param("styleId");
    let order = StyleOrder { id, look: &asked.look, layers: asked.layers.as_deref(), lang: asked.lang };
    let style = document(context, &order)?;
    let snapshots = catalogue(&context.city_snapshot);
    let level = asked.look.level.and_then(level_named);
    let area = asked.bbox.map(ShownArea::from);
    let mut layers = Vec::with_capacity(snapshots.len());
    for snapshot in &snapshots {
        cancel.check().map_err(citymap_engine::EngineError::from)?;
        let occurring = area.as_ref().map(|area| occurring(snapshot, area, asked.look.state.time, level));
        layers.push(LegendLayer { layer: snapshot.layer(), occurring });
    }
    let legend = Legend::of(&style, &layers, asked.zoom, asked.lang)
        .map_err(|error| Problem::not_found(format!("there is no legend of this style: {error}")))?;
    Ok(json!({"style": id, "zoom": legend.zoom, "groups": legend.groups}))
}
