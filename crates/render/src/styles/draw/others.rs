//! Water, green areas, and layers of no known kind.

use citymap_model::{GeometryKind, Theme};
use serde_json::{Value, json};

use super::{Drawer, DrawnLayer, Placed, Slot, font, label_layout, placed};
use crate::styles::{
    expression::{code_color, is, linear, name},
    map_theme::DrawKind,
};

/// How strong the areas of a layer are that has no codes: what is below shows through.
const UNCODED: f64 = 0.22;

impl Drawer<'_> {
    /// Water and green areas: fill, line and name.
    pub(super) fn nature(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let water = own.kind == DrawKind::Water;
        let (fill, line, label) = if water {
            (colors.water, colors.water_line, colors.water_label)
        } else {
            (colors.green, colors.green, colors.green_label)
        };
        let members = json!({"filter": is("Polygon"), "paint": {"fill-color": fill}});
        let slot = if water { Slot::WaterFill } else { Slot::GreenFill };
        let mut list = vec![placed(slot, own.part("fill", "fill", members))];
        let members = json!({
            "filter": is("LineString"),
            "paint": {"line-color": line, "line-width": linear([(10.0, 0.5), (16.0, 2.5)])},
        });
        list.push(placed(Slot::WaterLine, own.part("line", "line", members)));
        if let (Some(labels), Some(text)) = (own.treatment.labels, name(own.layer, self.lang)) {
            let size = linear([(11.0, 10.5), (16.0, 13.0)]);
            let mut layout = label_layout(text, font::ITALIC, size);
            layout.insert("text-max-width".into(), json!(8));
            layout.insert("text-padding".into(), json!(40));
            let members = json!({
                "minzoom": labels.max(own.from),
                "filter": ["!=", ["geometry-type"], "Point"],
                "layout": layout,
                "paint": self.label_paint(label, 1.0),
            });
            list.push(placed(Slot::AreaLabel, own.part("label", "symbol", members)));
        }
        list
    }

    /// A layer of no known kind, in any geometry: in the colours of its code list, or in a colour by its
    /// position.
    pub(super) fn others(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let kind = own.layer.geometry;
        let color: Value = match own.color_field {
            Some(field) => code_color(&field.name, &own.looks(self.palette), self.palette.no_code),
            None => own.own_color.into(),
        };
        let mut list = Vec::new();
        let is_border = own.layer.theme == Some(Theme::Boundary);
        if matches!(kind, GeometryKind::Polygon | GeometryKind::Mixed) && !is_border {
            let mut paint = json!({"fill-color": color});
            if own.color_field.is_none() {
                paint["fill-opacity"] = json!(UNCODED);
            }
            let members = json!({"filter": is("Polygon"), "paint": paint});
            list.push(placed(Slot::OtherFill, own.part("fill", "fill", members)));
            list.extend(self.hatchings(own, own.from.max(13.0)));
        }
        if matches!(kind, GeometryKind::Line | GeometryKind::Polygon | GeometryKind::Mixed) {
            // The border of a coloured area must differ from it.
            let is_area = kind == GeometryKind::Polygon && own.color_field.is_some();
            let members = json!({
                "filter": ["!=", ["geometry-type"], "Point"],
                "paint": {
                    "line-color": if is_area { own.own_color.into() } else { color },
                    "line-width": linear([(8.0, 0.5), (14.0, 1.1), (19.0, 2.0)]),
                },
            });
            list.push(placed(Slot::OtherLine, own.part("line", "line", members)));
        }
        if matches!(kind, GeometryKind::Point | GeometryKind::Mixed) {
            list.push(self.dots(own));
            list.extend(self.clusters(own));
        }
        if let (Some(labels), Some(text)) = (own.treatment.labels, name(own.layer, self.lang))
            && kind != GeometryKind::None
        {
            let mut layout = label_layout(text, font::REGULAR, json!(11));
            layout.insert("text-max-width".into(), json!(8));
            layout.insert("text-padding".into(), json!(10));
            if kind == GeometryKind::Line {
                layout.insert("symbol-placement".into(), json!("line"));
            }
            let members = json!({
                "minzoom": labels.max(own.from),
                "filter": ["!", ["has", "point_count"]],
                "layout": layout,
                "paint": self.label_paint(self.palette.label, 1.4),
            });
            list.push(placed(Slot::RoadLabel, own.part("label", "symbol", members)));
        }
        list
    }
}
