//! `GET /api/styles/{styleId}/legend`: what a style draws at a zoom, perhaps only what occurs in a box, or
//! what one feature looks like; as a document or as a picture.

use std::sync::Arc;

use axum::response::IntoResponse;
use citymap_crs::NamedCrs;
use citymap_engine::{Bbox, Cancel, EngineError};
use citymap_model::LayerId;
use citymap_render::{
    legend::{Legend, LegendLayer, LegendLook, LegendPicture, Occurring, ShownArea, occurring, occurring_in},
    raster::{ImageFormat, PIXEL_M, Picture},
    spec::{Color, Style, StyleError},
    styles::level_named,
    svg::SvgPicture,
};
use serde_json::{Value, json};

use super::{
    documents::{StyleOrder, document, named_layers},
    parameters::{COLLECTIONS, LOOK, LookQuery},
};
use crate::{
    config::Limits,
    features::{describe::self_links, items::no_feature},
    hash::content_hash,
    http::{
        base::query_with,
        coords::{Window, window},
        html::{self, Page, say},
        negotiate::{Representation, accepts},
        parameters::{Choice, LANG, Raw, Text},
        problem::Problem,
        query::{Declared, Parameter, ParameterKind, QueryReader, QuerySource, query},
        request::{HandlerResult, RequestContext, catalogue},
        response::{HTML, JSON, ResponseBuilder},
    },
    maps::{MM_PER_PIXEL, MapFormat, TRANSPARENT},
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

static FEATURE: Parameter<Text> = Parameter::new(
    "feature",
    "The id of a feature of the one layer that `collections` names: only what it looks like is listed",
    Text,
);

static LEGEND_F: Parameter<Choice> = Parameter::new(
    "f",
    "Format, instead of Accept: a document, a page, or a picture",
    Choice { values: &["json", "html", "png", "svg"], default: None },
)
.component("legend-f");

/// How a legend is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegendForm {
    representation: Representation,
    /// The format of a picture; `None` for a document or a page.
    picture: Option<MapFormat>,
}

/// `f` and `lang`, else what the headers ask for.
struct LegendFormSource;

static FORM: LegendFormSource = LegendFormSource;

impl QuerySource for LegendFormSource {
    type Value = LegendForm;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<LegendForm, Problem> {
        let format = LEGEND_F.take(reader)?;
        let wants = |format: MapFormat| accepts(reader.headers, format.media_type());
        let picture = match format {
            Some("png") => Some(MapFormat::Png),
            Some("svg") => Some(MapFormat::Svg),
            Some(_) => None,
            // A browser that shows a picture names images; any other client gets a document.
            None if accepts(reader.headers, JSON) || accepts(reader.headers, HTML) => None,
            None if wants(MapFormat::Png) => Some(MapFormat::Png),
            None => wants(MapFormat::Svg).then_some(MapFormat::Svg),
        };
        let document = format.filter(|_| picture.is_none());
        let representation = Representation::choose(document, LANG.take(reader)?, reader.headers);
        Ok(LegendForm { representation, picture })
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        LEGEND_F.declare(list);
        LANG.declare(list);
    }
}

query! {
    /// The query of a legend.
    pub(crate) struct LegendQuery {
        zoom: f64 = ZOOM,
        bbox: Option<String> = BBOX,
        look: LookQuery = LOOK,
        collections: Option<Vec<String>> = COLLECTIONS,
        feature: Option<String> = FEATURE,
        transparent: bool = TRANSPARENT,
        mm_per_pixel: Option<f64> = MM_PER_PIXEL,
        form: LegendForm = FORM,
    }
}

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 4] = [&ZOOM, &BBOX, &FEATURE, &LEGEND_F];

/// What a request for a legend says besides the id of the style.
struct Asked {
    look: LookQuery,
    layers: Option<Vec<LayerId>>,
    /// The language of titles, `"vi"` or `"en"`.
    lang: &'static str,
    zoom: f64,
    bbox: Option<Bbox>,
    feature: Option<String>,
}

/// The handler of `GET /api/styles/{styleId}/legend`.
pub(crate) async fn legend(mut context: RequestContext) -> HandlerResult {
    let LegendQuery { zoom, bbox, look, collections, feature, transparent, mm_per_pixel, form } =
        context.query()?;
    let LegendForm { representation, picture } = form;
    let bbox = bbox.map(|text| lonlat_box(&text)).transpose()?;
    context.as_of(look.state.revision).await?;
    let layers = named_layers(&context, collections)?;
    if feature.is_some() && layers.as_ref().is_none_or(|layers| layers.len() != 1) {
        return Err(Problem::parameter(
            "`feature` needs the layer of the feature; write collections=… with one layer",
        )
        .into());
    }
    let asked = Asked { look, layers, lang: representation.lang, zoom, bbox, feature };
    let app = Arc::clone(&context.app);
    if let Some(format) = picture {
        let ratio = PIXEL_M * 1e3 / mm_per_pixel.unwrap_or(PIXEL_M * 1e3);
        let work = move |cancel: &Cancel| {
            let (legend, ground) = read(&context, &asked, cancel)?;
            let look = LegendLook { ratio: ratio as f32, ground, is_opaque: !transparent };
            let limits = &context.app.config.limits;
            Ok((drawn(&legend, look, format, limits)?, context))
        };
        let (bytes, context) = app.pool.run_with(Cancel::new(), work).await?;
        let etag = format!("\"{}\"", content_hash(&bytes));
        context.check_if_none_match(&etag)?;
        return Ok(ResponseBuilder::new(format.media_type(), bytes).tagged(&etag).into_response());
    }
    let work = move |cancel: &Cancel| {
        let (legend, _) = read(&context, &asked, cancel)?;
        let id = context.path_param("styleId");
        let document = json!({"style": id, "zoom": legend.zoom, "groups": legend.groups});
        Ok((context, document))
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

/// The picture of a legend.
fn drawn(legend: &Legend, look: LegendLook, format: MapFormat, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let missing = || Problem::internal("a font of the program is missing; see the server's log");
    let own = LegendPicture::new(legend, look).ok_or_else(missing)?;
    let [width, height] = own.size();
    let pixels = u64::from(width) * u64::from(height);
    if u64::from(width.max(height)) > limits.map_side_max as u64 || pixels > limits.map_pixels_max as u64 {
        return Err(Problem::picture_too_large(format!(
            "the legend would have {width} × {height} pixels, more than a picture may have; name some layers \
             with collections=…, or a part of the city with bbox=…"
        )));
    }
    if format == MapFormat::Svg {
        let mut picture = SvgPicture::new([width, height], limits.answer_bytes_max);
        own.draw(&mut picture);
        let text = picture.finish();
        return text.map(String::into_bytes).map_err(|error| Problem::picture_too_large(error.to_string()));
    }
    let mut picture = Picture::new([width, height]).ok_or_else(missing)?;
    own.draw(&mut picture);
    picture.encode(ImageFormat::Png).map_err(|error| Problem::internal(error.to_string()))
}

/// A box in longitude and latitude.
fn lonlat_box(text: &str) -> Result<Bbox, Problem> {
    match window(text, &NamedCrs::crs84())? {
        Window::Bbox(bbox) => Ok(bbox),
        Window::Polygon(_) => Err(Problem::internal("a box in CRS84 is a box")),
    }
}

/// The legend, and the colour of the ground of the map.
fn read(context: &RequestContext, asked: &Asked, cancel: &Cancel) -> Result<(Legend, Color), Problem> {
    let id = context.path_param("styleId");
    let order = StyleOrder { id, look: &asked.look, layers: asked.layers.as_deref(), lang: asked.lang };
    let style = document(context, &order)?;
    let snapshots = catalogue(&context.city_snapshot);
    let level = asked.look.level.and_then(level_named);
    let area = asked.bbox.map(ShownArea::from);
    let mut layers = Vec::with_capacity(snapshots.len());
    for snapshot in &snapshots {
        cancel.check().map_err(EngineError::from)?;
        let is_named = asked.layers.as_ref().is_none_or(|ids| ids.contains(&snapshot.layer().id));
        let occurring = match &asked.feature {
            Some(feature) if is_named => {
                let row = snapshot.row_of_id(feature);
                let row = row.ok_or_else(|| no_feature(snapshot.layer(), feature))?;
                Some(occurring_in(snapshot, row))
            }
            Some(_) => Some(Occurring::default()),
            None => area.as_ref().map(|area| occurring(snapshot, area, asked.look.state.time, level)),
        };
        layers.push(LegendLayer { layer: snapshot.layer(), occurring });
    }
    let none = |error: StyleError| Problem::not_found(format!("there is no legend of this style: {error}"));
    let legend = Legend::of(&style, &layers, asked.zoom, asked.lang).map_err(none)?;
    let ground = Style::parse(&style).map_err(none)?.ground(asked.zoom);
    Ok((legend, ground.unwrap_or(Color::WHITE)))
}
