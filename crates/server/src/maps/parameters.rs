//! The parameters of a map picture.

use std::marker::PhantomData;

use citymap_crs::NamedCrs;
use citymap_render::annotation::{Annotation, CAPTION_MAX, MARKERS_MAX};
use serde_json::{Value, json};

use super::format::MapFormat;
use crate::{
    config::Limits,
    http::{
        negotiate::{Representation, weight_of},
        parameters::{CRS, Choice, Flag, LANG, OfferedCrs, REPRESENTATION, Raw, Text},
        problem::Problem,
        query::{Declared, Nested, Parameter, ParameterKind, QueryReader, QuerySource, query},
    },
    styles::{COLLECTIONS, LookQuery},
};

static BBOX: Parameter<Raw> = Parameter::new(
    "bbox",
    "The box that the picture shows: four numbers (six with heights, which are ignored) in the axis order of \
        `bbox-crs`; the whole layer, or the city's first view, if neither it nor `center` is given",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}),
        style: || json!({"style": "form", "explode": false, "example": [106.69, 10.77, 106.7, 10.78]}),
    },
)
.component("map-bbox");

static BBOX_CRS: Parameter<OfferedCrs> =
    Parameter::new("bbox-crs", "The system of `bbox`", OfferedCrs).component("map-bbox-crs");

static CENTER: Parameter<Raw> = Parameter::new(
    "center",
    "The middle of the picture, in the axis order of `center-crs`; instead of `bbox`",
    Raw {
        schema: || json!({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
        style: || json!({"style": "form", "explode": false, "example": [106.698, 10.7725]}),
    },
);

static CENTER_CRS: Parameter<OfferedCrs> = Parameter::new("center-crs", "The system of `center`", OfferedCrs);

/// A width or a height in pixels, from 1 to the limit.
struct Side;

impl ParameterKind for Side {
    type Value = Option<u32>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let max = u32::try_from(reader.limits.map_side_max).unwrap_or(u32::MAX);
        reader.params.number(name, 1, max)
    }

    fn schema(&self, limits: &Limits) -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": limits.map_side_max})
    }
}

static WIDTH: Parameter<Side> = Parameter::new(
    "width",
    "Width in pixels; if it is missing it follows from the box and the height, or from the scale",
    Side,
);

static HEIGHT: Parameter<Side> = Parameter::new(
    "height",
    "Height in pixels; if it is missing it follows from the box and the width, or from the scale",
    Side,
);

/// A number above 0, between two bounds.
pub(crate) struct Positive {
    min: f64,
    max: f64,
    default: Option<f64>,
}

impl ParameterKind for Positive {
    type Value = Option<f64>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        Ok(reader.params.number(name, self.min, self.max)?.or(self.default))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        let mut schema = json!({"type": "number", "minimum": self.min, "maximum": self.max});
        if let Some(default) = self.default {
            schema["default"] = default.into();
        }
        schema
    }
}

static SCALE: Parameter<Positive> = Parameter::new(
    "scale-denominator",
    "The scale in the middle of the picture: 1000 for 1:1 000, at `mm-per-pixel`",
    Positive { min: 50.0, max: 1e9, default: None },
)
.example("2000");

pub(crate) static MM_PER_PIXEL: Parameter<Positive> = Parameter::new(
    "mm-per-pixel",
    "Width of a pixel where the picture is shown, in millimetres: half of the default draws lines and \
        letters twice as many pixels wide",
    Positive { min: 0.01, max: 10.0, default: Some(0.28) },
);

static BGCOLOR: Parameter<Text> = Parameter::new(
    "bgcolor",
    "The colour where nothing is drawn, instead of that of the style: 0xRRGGBB, #RRGGBB or a name such as \
        white",
    Text,
);

pub(crate) static TRANSPARENT: Parameter<Flag> = Parameter::new(
    "transparent",
    "Whether the picture is transparent where nothing is drawn; JPEG is white there",
    Flag,
);

/// Positions in CRS84, `longitude,latitude`, separated by semicolons.
struct Markers;

impl ParameterKind for Markers {
    type Value = Vec<[f64; 2]>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let Some(text) = reader.params.take(name)? else { return Ok(Vec::new()) };
        let position = |part: &str| {
            let (lon, lat) = part.split_once(',')?;
            let [lon, lat] = [lon, lat].map(|number| number.trim().parse::<f64>().ok());
            let [lon, lat] = [lon.filter(|lon| lon.abs() <= 180.0)?, lat.filter(|lat| lat.abs() <= 90.0)?];
            Some([lon, lat])
        };
        let markers: Option<Vec<[f64; 2]>> = text.split(';').map(position).collect();
        markers.filter(|markers| markers.len() <= MARKERS_MAX).ok_or_else(|| {
            Problem::parameter(format!(
                "`{name}={}` cannot be used; write longitude,latitude in degrees, and a semicolon between up \
                 to {MARKERS_MAX} positions",
                text.chars().take(60).collect::<String>()
            ))
        })
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "pattern": "^[^,;]+,[^,;]+(;[^,;]+,[^,;]+)*$"})
    }
}

static MARKER: Parameter<Markers> = Parameter::new(
    "marker",
    "Places that are marked: longitude,latitude in degrees (CRS84), with a semicolon between several, which \
        are numbered from 1. Without `bbox` and `center` they also say what the picture shows",
    Markers,
)
.example("106.698,10.7725");

/// A text of bounded length.
struct Caption;

impl ParameterKind for Caption {
    type Value = Option<String>;

    fn read(&self, name: &str, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let Some(text) = reader.params.take(name)? else { return Ok(None) };
        let count = text.chars().count();
        if count > CAPTION_MAX {
            return Err(Problem::parameter(format!(
                "`{name}` has {count} characters; at most {CAPTION_MAX} are written"
            )));
        }
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    fn schema(&self, _limits: &Limits) -> Value {
        json!({"type": "string", "minLength": 1, "maxLength": CAPTION_MAX})
    }
}

static CAPTION: Parameter<Caption> =
    Parameter::new("caption", "A text along the lower edge; at most three lines are written", Caption)
        .example("Phản ánh 1022-4711: ngập nước");

static MAP_F: Parameter<Choice> =
    Parameter::new("f", "Format, instead of Accept", Choice { values: MapFormat::NAMES, default: None })
        .component("map-f");

/// The format of a picture: `f`, else what `Accept` names, else PNG.
struct FormatSource;

static FORMAT: FormatSource = FormatSource;

impl QuerySource for FormatSource {
    type Value = MapFormat;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<MapFormat, Problem> {
        Ok(match MAP_F.take(reader)? {
            Some(name) => MapFormat::named(name),
            None => {
                let weight = |format: MapFormat| weight_of(reader.headers, &[format.media_type()]);
                // Of equal weights the first format counts.
                let best = MapFormat::ALL.into_iter().rev().max_by_key(|format| weight(*format));
                best.unwrap_or_default()
            }
        })
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        MAP_F.declare(list);
    }
}

/// The names of the formats of [`MapTileQuery`]: pixels only.
const TILE_FORMATS: &[&str] = &["png", "jpeg", "webp"];

static TILE_F: Parameter<Choice> = Parameter::new(
    "f",
    "Format, instead of Accept; a suffix of the column (.png, .jpg, .webp) comes first",
    Choice { values: TILE_FORMATS, default: None },
)
.component("map-tile-f");

static LOOK: Nested<LookQuery> = Nested(PhantomData);
static GROUND: Nested<GroundQuery> = Nested(PhantomData);
static OVER: Nested<OverQuery> = Nested(PhantomData);
static DRAWN: Nested<DrawnQuery> = Nested(PhantomData);
static AREA: Nested<AreaQuery> = Nested(PhantomData);

query! {
    /// What a picture shows, and how large it is.
    pub(crate) struct AreaQuery {
        bbox: Option<String> = BBOX,
        bbox_crs: NamedCrs = BBOX_CRS,
        center: Option<String> = CENTER,
        center_crs: NamedCrs = CENTER_CRS,
        crs: NamedCrs = CRS,
        width: Option<u32> = WIDTH,
        height: Option<u32> = HEIGHT,
        scale: Option<f64> = SCALE,
        mm_per_pixel: Option<f64> = MM_PER_PIXEL,
    }
}

query! {
    /// What is under a map.
    pub(crate) struct GroundQuery {
        bgcolor: Option<String> = BGCOLOR,
        transparent: bool = TRANSPARENT,
    }
}

query! {
    /// What is over a map.
    pub(crate) struct OverQuery {
        markers: Vec<[f64; 2]> = MARKER,
        caption: Option<String> = CAPTION,
    }
}

impl OverQuery {
    /// The markers and the caption that are drawn over a picture.
    pub(super) fn annotation(&self) -> Annotation {
        Annotation { markers: self.markers.clone(), caption: self.caption.clone() }
    }
}

query! {
    /// How map tiles are drawn.
    pub(crate) struct DrawnQuery {
        ground: GroundQuery = GROUND,
        mm_per_pixel: Option<f64> = MM_PER_PIXEL,
    }
}

query! {
    /// The query of a map tile.
    pub(crate) struct MapTileQuery {
        drawn: DrawnQuery = DRAWN,
        format: Option<&'static str> = TILE_F,
        lang: Option<&'static str> = LANG,
        look: LookQuery = LOOK,
    }
}

query! {
    /// The query of what describes map tiles.
    pub(crate) struct MapTilesetQuery {
        drawn: DrawnQuery = DRAWN,
        look: LookQuery = LOOK,
        representation: Representation = REPRESENTATION,
    }
}

query! {
    /// The query of a map picture.
    pub(crate) struct MapQuery {
        area: AreaQuery = AREA,
        ground: GroundQuery = GROUND,
        over: OverQuery = OVER,
        format: MapFormat = FORMAT,
        lang: Option<&'static str> = LANG,
        look: LookQuery = LOOK,
    }
}

static MAP: Nested<MapQuery> = Nested(PhantomData);
static TILE: Nested<MapTileQuery> = Nested(PhantomData);
static TILESET: Nested<MapTilesetQuery> = Nested(PhantomData);

query! {
    /// The query of a picture of the city.
    pub(crate) struct CityMapQuery {
        collections: Option<Vec<String>> = COLLECTIONS,
        map: MapQuery = MAP,
    }
}

query! {
    /// The query of a map tile of the city.
    pub(crate) struct CityMapTileQuery {
        collections: Option<Vec<String>> = COLLECTIONS,
        tile: MapTileQuery = TILE,
    }
}

query! {
    /// The query of what describes map tiles of the city.
    pub(crate) struct CityMapTilesetQuery {
        collections: Option<Vec<String>> = COLLECTIONS,
        tileset: MapTilesetQuery = TILESET,
    }
}

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 14] = [
    &BBOX,
    &BBOX_CRS,
    &CENTER,
    &CENTER_CRS,
    &WIDTH,
    &HEIGHT,
    &SCALE,
    &MM_PER_PIXEL,
    &BGCOLOR,
    &TRANSPARENT,
    &MARKER,
    &CAPTION,
    &MAP_F,
    &TILE_F,
];
