//! How the layers of the city are drawn, kind by kind, from the bottom of the map to its top.

mod land;
mod others;
mod points;
pub(crate) mod road;
mod town;

use citymap_model::{Field, Layer};
use citymap_planning::PlanLevel;
use serde_json::{Map, Value, json};

use super::{
    classify::{color_field, kind_of, usual_zoom},
    codes::{CodeLook, hatched, looks},
    expression::{is, text},
    map_theme::{DrawKind, Fill, Treatment},
    palette::Palette,
};
use crate::styles::Rgb;

/// The typefaces, as the server names their glyphs (`tiles/fonts`).
pub(crate) mod font {
    pub(crate) const REGULAR: &str = "BeVietnamPro-Regular";
    pub(crate) const BOLD: &str = "BeVietnamPro-SemiBold";
    pub(crate) const ITALIC: &str = "BeVietnamPro-Italic";
}

/// The order of style layers, from bottom to top. Of labels the topmost are placed first, so that the name of
/// a street is written before the numbers of the parcels along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    AdminFill,
    GreenFill,
    ParcelFill,
    ZoneFill,
    OtherFill,
    Hatching,
    WaterFill,
    WaterLine,
    RightOfWayEdge,
    RightOfWayGround,
    ParcelLine,
    ZoneBand,
    ZoneLine,
    Building,
    RoadCasing,
    Road,
    Network,
    OtherLine,
    AdminLine,
    Dots,
    HouseNumber,
    ParcelLabel,
    ZoneLabel,
    Point,
    RoadLabel,
    AreaLabel,
    /// Above all names: a disc without its number says nothing, and a name finds another place.
    ClusterCount,
}

/// A style layer, and the slot that it is drawn in.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) slot: Slot,
    pub(crate) layer: Value,
}

/// What all layers of a style have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawer<'a> {
    pub(crate) palette: &'a Palette,
    /// The language of names, `"vi"` or `"en"`.
    pub(crate) lang: &'a str,
    /// The latitude in degrees at which metres become pixels.
    pub(crate) latitude: f64,
    /// The only level of plans that is drawn.
    pub(crate) level: Option<PlanLevel>,
    /// Whether parcels are drawn in the colours of their uses: then a plan shows as a band along its borders,
    /// so that two systems of colours never mix.
    pub(crate) parcels_coded: bool,
}

/// A layer of the city with all that its drawing needs.
#[derive(Clone, Debug)]
pub(crate) struct DrawnLayer<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) kind: DrawKind,
    pub(crate) treatment: Treatment,
    /// The zoom from which it is drawn.
    pub(crate) from: f64,
    /// The zoom from which tiles contain every feature by itself.
    pub(crate) detail_zoom: f64,
    /// The field that colours it.
    pub(crate) color_field: Option<&'a Field>,
    /// Its colour if nothing else decides: by its position in the catalogue, or that of its symbol.
    pub(crate) own_color: Rgb,
    /// The source of its tiles, once it has been assigned.
    pub(crate) source: String,
    /// The GeoJSON source of its label points, if there is one.
    pub(crate) label_source: Option<String>,
}

impl<'a> DrawnLayer<'a> {
    /// A layer as a theme draws it, or as usual if the theme does not say how. `own_color` is for a layer
    /// that has no other colour.
    pub(crate) fn new(layer: &'a Layer, count: usize, treatment: Option<Treatment>, own_color: Rgb) -> Self {
        let kind = kind_of(layer);
        let treatment = treatment.unwrap_or_else(|| Treatment::usual(kind));
        Self {
            layer,
            kind,
            treatment,
            from: treatment.from.unwrap_or_else(|| usual_zoom(kind, count)),
            detail_zoom: f64::from(layer.tile_rule().detail_zoom),
            color_field: color_field(layer, kind),
            own_color,
            source: String::new(),
            label_source: None,
        }
    }

    /// Whether its areas show the colours of codes.
    pub(crate) fn is_coded(&self) -> bool {
        self.treatment.fill == Fill::Codes && self.color_field.is_some()
    }

    /// A style layer that draws a part of this one. `members` are added to what all parts share.
    pub(crate) fn part(&self, part: &str, kind: &str, members: Value) -> Value {
        let mut layer = json!({
            "id": format!("{}/{part}", self.layer.id),
            "type": kind,
            "source": self.source,
            "source-layer": self.layer.id.as_str(),
            "metadata": {"citymap:collection": self.layer.id.as_str()},
        });
        if self.from > 0.0 {
            layer["minzoom"] = json!(self.from);
        }
        if let (Some(own), Value::Object(members)) = (layer.as_object_mut(), members) {
            own.extend(members);
        }
        layer
    }

    /// The colours of its codes.
    pub(crate) fn looks(&self, palette: &Palette) -> Vec<CodeLook<'a>> {
        self.color_field.map(|field| looks(field, palette)).unwrap_or_default()
    }
}

impl Drawer<'_> {
    /// The style layers that draw a layer of the city.
    pub(crate) fn draw(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        match own.kind {
            DrawKind::Parcel => self.parcels(own),
            DrawKind::Zone => self.zones(own),
            DrawKind::Road => self.roads(own),
            DrawKind::Building => self.buildings(own),
            DrawKind::Address => self.addresses(own),
            DrawKind::Admin => self.admin(own),
            DrawKind::Pipe | DrawKind::Power => self.network(own),
            DrawKind::Device | DrawKind::Place | DrawKind::Report => self.points(own),
            DrawKind::Water | DrawKind::Green => self.nature(own),
            DrawKind::Other => self.others(own),
        }
    }

    /// The paint of a label: its colour, and the width of its halo in pixels.
    pub(crate) fn label_paint(&self, color: Rgb, halo: f64) -> Value {
        json!({"text-color": color, "text-halo-color": self.palette.halo, "text-halo-width": halo})
    }

    /// The hatchings over areas that tell codes of one colour apart, from a zoom on.
    fn hatchings(&self, own: &DrawnLayer<'_>, from: f64) -> Vec<Placed> {
        let Some(field) = own.color_field else { return Vec::new() };
        let suffix = &self.palette.hatch_suffix;
        let placed = |(hatching, codes): (&str, Vec<&str>)| Placed {
            slot: Slot::Hatching,
            layer: own.part(
                &format!("hatch-{hatching}"),
                "fill",
                json!({
                    "minzoom": from.max(own.from),
                    "filter": ["all", is("Polygon"), ["in", text(&field.name), ["literal", codes]]],
                    "paint": {"fill-pattern": format!("hatch-{hatching}{suffix}")},
                }),
            ),
        };
        hatched(&own.looks(self.palette)).into_iter().map(placed).collect()
    }
}

/// The style layer with a title of its own for the legend: it draws something else than its layer's features.
pub(crate) fn entitled(mut layer: Value, vi: &str, en: &str) -> Value {
    layer["metadata"][LEGEND] = json!({"vi": vi, "en": en});
    layer
}

/// The member of a style layer's metadata that names its entry of the legend, in both languages.
pub(crate) const LEGEND: &str = "citymap:legend";

/// A layer in a slot.
pub(crate) fn placed(slot: Slot, layer: Value) -> Placed {
    Placed { slot, layer }
}

/// The layout of a label: its text, typeface and size.
pub(crate) fn label_layout(text: Value, font: &str, size: Value) -> Map<String, Value> {
    let mut layout = Map::new();
    layout.insert("text-field".into(), text);
    layout.insert("text-font".into(), json!([font]));
    layout.insert("text-size".into(), size);
    layout
}
