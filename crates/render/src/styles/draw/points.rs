//! Points: symbols, plain dots, and the clusters of far views.

use serde_json::json;

use super::{Drawer, DrawnLayer, Placed, Slot, entitled, font, label_layout, placed};
use crate::styles::{
    classify::symbol_of,
    expression::{code_color, is_cluster, is_single_point, linear, name},
    map_theme::DrawKind,
};

impl Drawer<'_> {
    /// Points with a symbol, or as dots if there is none for them; places also with their names.
    pub(super) fn points(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let mut list = self.clusters(own);
        let Some(symbol) = symbol_of(own.layer) else {
            list.push(self.dots(own));
            return list;
        };
        let size = if own.kind == DrawKind::Place {
            linear([(13.0, 0.5), (16.0, 0.72), (18.0, 0.9)])
        } else {
            linear([(14.0, 0.4), (17.0, 0.52), (20.0, 0.85)])
        };
        let mut layout = serde_json::Map::new();
        let mut paint = json!({});
        if let (Some(labels), Some(text)) = (own.treatment.labels, name(own.layer, self.lang)) {
            let text = json!(["step", ["zoom"], "", labels, text]);
            layout = label_layout(text, font::REGULAR, json!(11.5));
            for (property, value) in [
                ("text-anchor", json!("top")),
                ("text-offset", json!([0, 0.9])),
                ("text-optional", json!(true)),
                ("text-max-width", json!(8)),
            ] {
                layout.insert(property.into(), value);
            }
            paint = self.label_paint(self.palette.label, 1.4);
        }
        layout.insert("icon-image".into(), json!(symbol));
        layout.insert("icon-size".into(), size);
        layout.insert("icon-allow-overlap".into(), json!(["step", ["zoom"], false, 18, true]));
        layout.insert("icon-padding".into(), json!(1));
        let members = json!({"filter": is_single_point(), "layout": layout, "paint": paint});
        list.push(placed(Slot::Point, own.part("icon", "symbol", members)));
        list
    }

    /// Clusters, which represent several points in far views: a disc in the colour of the symbol, with their
    /// number.
    pub(super) fn clusters(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        if own.detail_zoom == 0.0 {
            return Vec::new();
        }
        let colors = self.palette;
        let several = json!(["log10", ["get", "point_count"]]);
        let members = json!({
            "filter": is_cluster(),
            "paint": {
                "circle-radius": ["interpolate", ["linear"], several, 0, 6, 1, 9, 3, 14],
                "circle-color": own.own_color,
                "circle-stroke-color": colors.halo,
                "circle-stroke-width": 1.2,
            },
        });
        let disc = entitled(own.part("cluster", "circle", members), "Nhiều đối tượng", "Several features");
        let disc = placed(Slot::Dots, disc);
        let count = json!(["number-format", ["get", "point_count"], {"locale": self.lang}]);
        // Where discs of two layers lie over each other, the number of the lower one is left out.
        let mut layout = label_layout(count, font::BOLD, json!(10.5));
        layout.insert("text-padding".into(), json!(4));
        let white = crate::styles::Rgb::new([255; 3]);
        let black = crate::styles::Rgb::new([0; 3]);
        let is_pale = own.own_color.contrast(white) < own.own_color.contrast(black);
        let members = json!({
            "filter": is_cluster(),
            "layout": layout,
            "paint": {"text-color": if is_pale { black } else { white }},
        });
        vec![disc, placed(Slot::ClusterCount, own.part("cluster-count", "symbol", members))]
    }

    /// Points without a symbol, as dots.
    pub(super) fn dots(&self, own: &DrawnLayer<'_>) -> Placed {
        let color = match own.color_field {
            Some(field) => code_color(&field.name, &own.looks(self.palette), own.own_color),
            None => own.own_color.into(),
        };
        let members = json!({
            "filter": is_single_point(),
            "paint": {
                "circle-radius": linear([(10.0, 1.6), (15.0, 3.4), (19.0, 6.0)]),
                "circle-color": color,
                "circle-stroke-color": self.palette.halo,
                "circle-stroke-width": 1,
            },
        });
        placed(Slot::Dots, own.part("dot", "circle", members))
    }
}
