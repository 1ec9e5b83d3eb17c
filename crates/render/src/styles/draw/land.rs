//! Parcels and planning zones.

use citymap_model::Meaning;
use serde_json::{Value, json};

use super::{Drawer, DrawnLayer, Placed, Slot, font, label_layout, placed};
use crate::styles::{
    classify::meant,
    expression::{code_color, is, linear, name, text},
    map_theme::Fill,
    plan_level,
};

/// The width in pixels of the band that shows a plan over coloured parcels.
const BAND: f64 = 5.0;

impl Drawer<'_> {
    /// Parcels: the colour of the use, a thin dark border, and the number over area and use as on a cadastral
    /// map sheet.
    pub(super) fn parcels(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let mut list = Vec::new();
        if own.treatment.fill != Fill::None {
            let color = match own.color_field.filter(|_| own.treatment.fill == Fill::Codes) {
                Some(field) => code_color(&field.name, &own.looks(colors), colors.no_code),
                None => colors.lot.into(),
            };
            let paint = json!({"fill-color": color, "fill-antialias": false});
            let members = json!({"filter": is("Polygon"), "paint": paint});
            list.push(placed(Slot::ParcelFill, own.part("fill", "fill", members)));
        }
        if own.is_coded() {
            list.extend(self.hatchings(own, 15.0));
        }
        // Merged areas have no surveyed borders.
        let members = json!({
            "minzoom": own.detail_zoom.max(own.from),
            "layout": {"line-join": "round"},
            "paint": {
                "line-color": colors.parcel_line,
                "line-width": linear([(14.0, 0.25), (16.0, 0.5), (18.0, 0.9), (21.0, 1.6)]),
                "line-opacity": linear([(14.0, 0.25), (16.0, 0.6), (18.0, 0.9)]),
            },
        });
        list.push(placed(Slot::ParcelLine, own.part("line", "line", members)));
        if let (Some(from), Some(number)) = (own.treatment.labels, name(own.layer, self.lang)) {
            let size = linear([(17.0, 9.5), (19.0, 12.0), (21.0, 15.0)]);
            let mut layout = label_layout(self.parcel_text(own, number), font::REGULAR, size);
            layout.insert("text-line-height".into(), json!(1.15));
            layout.insert("text-padding".into(), json!(1));
            let members = json!({
                "minzoom": from.max(own.from),
                "filter": is("Polygon"),
                "layout": layout,
                "paint": self.label_paint(colors.parcel_label, 1.0),
            });
            list.push(placed(Slot::ParcelLabel, own.part("label", "symbol", members)));
        }
        list
    }

    /// The number of a parcel; from zoom 18 on the area on paper below it, and the code of the use beside
    /// that.
    fn parcel_text(&self, own: &DrawnLayer<'_>, number: Value) -> Value {
        let area = meant(own.layer, Meaning::Area);
        // A style that does not colour by use says nothing about it either.
        let code = own.color_field.filter(|_| own.is_coded()).map(|field| text(&field.name));
        let area = area.map(|field| {
            let digits = json!({"locale": self.lang, "min-fraction-digits": 1, "max-fraction-digits": 1});
            let written = json!(["number-format", ["to-number", ["get", field], 0], digits]);
            json!(["case", ["has", field], written, ""])
        });
        let below = match (area, code) {
            (Some(area), Some(code)) => json!(["concat", area, "  ", code]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return number,
        };
        json!(["step", ["zoom"], number, 18, ["format", number, {}, "\n", {}, below, {"font-scale": 0.8}]])
    }

    /// Planning zones: in the colours of their functions with a dash-dotted border, or as a band along the
    /// border where parcels are coloured.
    pub(super) fn zones(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let level = meant(own.layer, Meaning::PlanLevel);
        let only = level.and_then(|field| self.level.map(|level| plan_level::filter(level, field)));
        let filter = match &only {
            Some(only) => json!(["all", is("Polygon"), only]),
            None => is("Polygon"),
        };
        // Merged areas do not say their level.
        let from = if only.is_some() { own.detail_zoom.max(own.from) } else { own.from };
        let rank = level.map_or(json!(0), plan_level::rank);
        let color = match own.color_field {
            Some(field) => code_color(&field.name, &own.looks(colors), colors.no_code),
            None => colors.no_code.into(),
        };
        let mut list = Vec::new();
        let band = self.parcels_coded && own.is_coded();
        if own.treatment.fill != Fill::None && !band {
            let members = json!({
                "minzoom": from,
                "filter": filter,
                "layout": {"fill-sort-key": rank},
                "paint": {"fill-color": color, "fill-antialias": false},
            });
            list.push(placed(Slot::ZoneFill, own.part("fill", "fill", members)));
            if own.is_coded() {
                list.extend(self.hatchings(own, from.max(13.0)));
            }
        }
        if band {
            // The inside of an outer ring is on its right.
            let members = json!({
                "minzoom": from.max(12.0),
                "filter": filter,
                "layout": {"line-join": "round", "line-sort-key": rank},
                "paint": {
                    "line-color": color,
                    "line-width": linear([(12.0, 2.0), (16.0, BAND)]),
                    "line-offset": linear([(12.0, 1.0), (16.0, BAND / 2.0)]),
                },
            });
            list.push(placed(Slot::ZoneBand, own.part("band", "line", members)));
        }
        let members = json!({
            "minzoom": from.max(12.0),
            "filter": filter,
            "paint": {
                "line-color": colors.zone_line,
                "line-width": linear([(12.0, 0.3), (15.0, 0.9), (19.0, 1.8)]),
                "line-dasharray": [6, 2, 1, 2],
                "line-opacity": linear([(12.0, 0.25), (15.0, 0.75)]),
            },
        });
        list.push(placed(Slot::ZoneLine, own.part("line", "line", members)));
        if let (Some(labels), Some(text)) = (own.treatment.labels, name(own.layer, self.lang)) {
            let mut layout = label_layout(text, font::ITALIC, json!(11));
            layout.insert("text-max-width".into(), json!(7));
            layout.insert("text-padding".into(), json!(12));
            let members = json!({
                "minzoom": labels.max(from),
                "filter": filter,
                "layout": layout,
                "paint": self.label_paint(colors.zone_line, 1.4),
            });
            list.push(placed(Slot::ZoneLabel, own.part("label", "symbol", members)));
        }
        list
    }
}
