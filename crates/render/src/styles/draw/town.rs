//! Buildings, address points, administrative units, pipes and cables.

use citymap_model::Meaning;
use serde_json::json;

use super::{Drawer, DrawnLayer, Placed, Slot, font, label_layout, placed};
use crate::styles::{
    classify::meant,
    expression::{bare_unit_name, is, is_single_point, linear, name, text},
    map_theme::{DrawKind, Fill},
};

impl Drawer<'_> {
    /// Buildings: filled, or as outlines over coloured lots.
    pub(super) fn buildings(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let mut list = Vec::new();
        if own.treatment.fill != Fill::None {
            let members = json!({
                "filter": is("Polygon"),
                "paint": {"fill-color": colors.building, "fill-antialias": false},
            });
            list.push(placed(Slot::Building, own.part("fill", "fill", members)));
        }
        let members = json!({
            // Below the detail zoom areas are blocks of buildings.
            "minzoom": own.detail_zoom.max(own.from),
            "paint": {
                "line-color": colors.building_line,
                "line-width": linear([(15.0, 0.3), (17.0, 0.7), (20.0, 1.2)]),
            },
        });
        list.push(placed(Slot::Building, own.part("line", "line", members)));
        list
    }

    /// Address points: dots, and house numbers in near views.
    pub(super) fn addresses(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let members = json!({
            "filter": is_single_point(),
            "paint": {
                "circle-radius": linear([(17.0, 1.2), (20.0, 2.4)]),
                "circle-color": colors.label,
                "circle-opacity": 0.7,
            },
        });
        let mut list = vec![placed(Slot::Dots, own.part("dot", "circle", members))];
        let number = meant(own.layer, Meaning::HouseNumber).map(text);
        let number = number.or_else(|| name(own.layer, self.lang));
        if let (Some(labels), Some(number)) = (own.treatment.labels, number) {
            let size = linear([(18.0, 9.5), (21.0, 13.0)]);
            let mut layout = label_layout(number, font::ITALIC, size);
            layout.insert("text-variable-anchor".into(), json!(["top", "bottom", "left", "right"]));
            layout.insert("text-radial-offset".into(), json!(0.4));
            let members = json!({
                "minzoom": labels.max(own.from),
                "filter": is_single_point(),
                "layout": layout,
                "paint": self.label_paint(colors.label, 1.0),
            });
            list.push(placed(Slot::HouseNumber, own.part("label", "symbol", members)));
        }
        list
    }

    /// Administrative units: the ground, the border, and the name.
    pub(super) fn admin(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let members = json!({
            "filter": is("Polygon"),
            "paint": {"fill-color": colors.ground, "fill-antialias": false},
        });
        let mut list = vec![placed(Slot::AdminFill, own.part("fill", "fill", members))];
        let members = json!({
            "layout": {"line-join": "round"},
            "paint": {
                "line-color": colors.admin_line,
                "line-width": linear([(7.0, 0.4), (11.0, 0.9), (16.0, 2.2)]),
                "line-dasharray": [4, 1.5, 1, 1.5],
                "line-opacity": linear([(8.0, 0.45), (12.0, 0.75), (17.0, 0.6)]),
            },
        });
        list.push(placed(Slot::AdminLine, own.part("line", "line", members)));
        if let (Some(labels), Some(name)) = (own.treatment.labels, name(own.layer, self.lang)) {
            // Forty times the word for a ward says nothing; in near views few names are left, and it does.
            let short = json!(["step", ["zoom"], bare_unit_name(&name), 14, name]);
            let size = linear([(9.0, 9.5), (12.0, 11.5), (15.0, 14.0)]);
            let mut layout = label_layout(short, font::BOLD, size);
            layout.insert("text-max-width".into(), json!(7));
            layout.insert("text-line-height".into(), json!(1.3));
            layout.insert("text-padding".into(), json!(8));
            let members = json!({
                "minzoom": labels.max(own.from),
                "maxzoom": 16.5,
                "layout": layout,
                "paint": self.label_paint(colors.admin_label, 1.8),
            });
            let mut layer = own.part("label", "symbol", members);
            if let (Some(source), Some(members)) = (&own.label_source, layer.as_object_mut()) {
                members.insert("source".into(), source.as_str().into());
                members.remove("source-layer");
            }
            list.push(placed(Slot::AreaLabel, layer));
        }
        list
    }

    /// Pipes and cables, as dashed lines.
    pub(super) fn network(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let power = own.kind == DrawKind::Power;
        let color = if power { self.palette.power } else { self.palette.pipe };
        let members = json!({
            "filter": is("LineString"),
            "paint": {
                "line-color": color,
                "line-width": linear([(13.0, 0.7), (17.0, 1.6), (20.0, 2.6)]),
                "line-dasharray": if power { json!([1, 1.5]) } else { json!([5, 2]) },
                "line-opacity": linear([(13.0, 0.6), (16.0, 1.0)]),
            },
        });
        vec![placed(Slot::Network, own.part("line", "line", members))]
    }
}
