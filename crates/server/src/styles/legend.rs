//! `GET /api/styles/{styleId}/legend`: what a style draws at a zoom, perhaps only what occurs in a box.

use std::sync::Arc;

use axum::response::IntoResponse;
use citymap_crs::NamedCrs;
use citymap_engine::{Bbox, Cancel, LayerSnapshot, Row, TimeInterval, ValueRef};
use citymap_model::{LayerId, Meaning};
use citymap_planning::PlanLevel;
use citymap_render::{
    legend::{Legend, LegendLayer, Occurring, legend_field},
    styles::level_named,
};
use geo::Intersects;
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
    let mut layers = Vec::with_capacity(snapshots.len());
    for snapshot in &snapshots {
        cancel.check().map_err(citymap_engine::EngineError::from)?;
        let occurring = asked.bbox.map(|bbox| occurring(snapshot, &bbox, asked.look.state.time, level));
        layers.push(LegendLayer { layer: snapshot.layer(), occurring });
    }
    let legend = Legend::of(&style, &layers, asked.zoom, asked.lang)
        .map_err(|error| Problem::not_found(format!("there is no legend of this style: {error}")))?;
    Ok(json!({"style": id, "zoom": legend.zoom, "groups": legend.groups}))
}

/// What of a layer lies in a box at a time; of plans only those of one level, if one is given.
fn occurring(
    snapshot: &LayerSnapshot,
    bbox: &Bbox,
    time: Option<TimeInterval>,
    level: Option<PlanLevel>,
) -> Occurring {
    let layer = snapshot.layer();
    let field = legend_field(layer);
    let level_field = layer.field_meaning(Meaning::PlanLevel).zip(level);
    let is_level = |row: Row| {
        level_field.is_none_or(|(field, level)| {
            PlanLevel::read(&snapshot.value(row, field).to_text()) == Some(level)
        })
    };
    let mut found = Occurring::default();
    let (boxes, count) = bbox.split();
    for part in &boxes[..count] {
        let area = part.to_polygon();
        // A row that adds nothing is not looked at: that is nearly all of them.
        snapshot.during(time).candidates(part, |row| {
            let value = field.map_or(ValueRef::Null, |(index, _)| snapshot.value(row, index));
            let code = (!value.is_null()).then(|| value.to_text());
            let code = code.filter(|code| field.is_some_and(|(_, field)| field.code(code).is_some()));
            let is_known = code.as_ref().map_or(found.uncoded, |code| found.codes.contains(code));
            if is_known || !is_level(row) {
                return;
            }
            let is_inside = snapshot.bbox(row).is_some_and(|own| part.contains(&own));
            let touches = || snapshot.geometry(row).is_some_and(|geometry| geometry.intersects(&area));
            if is_inside || touches() {
                match code {
                    Some(code) => {
                        found.codes.insert(code);
                    }
                    None => found.uncoded = true,
                }
            }
        });
    }
    found
}
