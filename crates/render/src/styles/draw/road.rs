//! Roads and their rights-of-way.

use std::f64::consts::PI;

use citymap_model::{Layer, Meaning};
use serde_json::{Value, json};

use super::{Drawer, DrawnLayer, Placed, Slot, entitled, font, label_layout, placed};
use crate::styles::{
    classify::{meant, public},
    expression::{by_rank, is, linear, name, number, scaled, text},
    map_theme::Fill,
};

/// The classes of each rank, 0 expressway … 4 alley: the city's codes (`road_class`), those of decisions, and
/// OpenStreetMap's.
const RANKS: [&[&str]; 5] = [
    &["cao_toc", "motorway", "motorway_link", "expressway"],
    &[
        "quoc_lo",
        "duong_chinh",
        "truc_chinh",
        "vanh_dai",
        "trunk",
        "trunk_link",
        "primary",
        "primary_link",
        "arterial",
    ],
    &["lien_khu_vuc", "khu_vuc", "secondary", "secondary_link", "collector", "tertiary", "tertiary_link"],
    &[
        "phan_khu_vuc",
        "noi_bo",
        "nhom_nha_o",
        "duong_pho",
        "local",
        "residential",
        "unclassified",
        "living_street",
        "road",
    ],
    &[
        "hem",
        "dat_nong_thon",
        "alley",
        "service",
        "footway",
        "path",
        "track",
        "pedestrian",
        "steps",
        "cycleway",
        "ngo",
        "kiet",
    ],
];

/// The width of a carriageway in metres, by rank, where the data has none.
const USUAL_WIDTH: [f64; 5] = [22.0, 15.0, 10.0, 7.0, 3.5];

/// The length of the equator in metres, on the sphere of Web Mercator.
const EQUATOR: f64 = 2.0 * PI * 6_378_137.0;

/// Pixels per metre at a zoom and a latitude in degrees (512-pixel tiles).
fn pixels_per_metre(zoom: f64, latitude: f64) -> f64 {
    512.0 * zoom.exp2() / (EQUATOR * latitude.to_radians().cos())
}

/// The name of the public field that classes roads.
pub(crate) fn class_field(layer: &Layer) -> Option<&str> {
    let listed =
        |(_, field): &(usize, &citymap_model::Field)| field.code_list.as_deref() == Some("road_class");
    let field = public(layer).iter().find(listed).map(|(_, field)| field.name.as_str());
    field.or_else(|| meant(layer, Meaning::RoadClass))
}

/// The rank of a road, 0 expressway … 4 alley: by its class, else by its right-of-way, or else that of a
/// local street.
fn rank(layer: &Layer) -> Value {
    let by_width = match meant(layer, Meaning::RightOfWay) {
        Some(field) => json!(["step", number(field, 12), 4, 6, 3, 20, 2, 30, 1, 60, 0]),
        None => json!(3),
    };
    let Some(field) = class_field(layer) else { return by_width };
    let mut expression = vec![json!("match"), text(field)];
    for (rank, classes) in RANKS.iter().enumerate() {
        expression.extend([json!(classes), json!(rank)]);
    }
    expression.push(by_width);
    expression.into()
}

impl Drawer<'_> {
    /// Roads: casing, carriageway, the lines of the right-of-way, and the name.
    pub(super) fn roads(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let colors = self.palette;
        let rank = rank(own.layer);
        let shown = |zooms: [f64; 3]| {
            let [second, third, fourth] = zooms;
            let most = json!(["step", ["zoom"], 1, second, 2, third, 3, fourth, 4]);
            json!(["all", is("LineString"), ["<=", rank, most]])
        };
        let ordered = json!({"line-cap": "round", "line-join": "round", "line-sort-key": ["-", 5, rank]});
        let coded = own.treatment.fill == Fill::Codes;
        // All roads of a plain map are of the colour of local streets.
        let of = |list: [crate::styles::Rgb; 5]| if coded { list } else { [list[4]; 5] };
        let casing = by_rank(&rank, of(colors.road_casings));
        let carriageway = by_rank(&rank, of(colors.roads));
        let members = json!({
            "minzoom": own.from.max(11.0),
            "filter": shown([10.0, 12.0, 14.0]),
            "layout": ordered,
            "paint": {
                "line-color": casing,
                "line-width": self.road_width(own.layer, &rank, 1.4),
                "line-opacity": linear([(11.0, 0.35), (14.0, 1.0)]),
            },
        });
        let mut list = vec![placed(Slot::RoadCasing, own.part("casing", "line", members))];
        let members = json!({
            "minzoom": own.from.max(7.0),
            "filter": shown([10.0, 12.0, 14.0]),
            "layout": ordered,
            "paint": {
                // Where casings are too thin to be seen, a white road would disappear on the pale ground.
                "line-color": ["step", ["zoom"], casing, 12, carriageway],
                "line-width": self.road_width(own.layer, &rank, 0.0),
            },
        });
        list.push(placed(Slot::Road, own.part("fill", "line", members)));
        list.extend(self.right_of_way(own));
        if let (Some(labels), Some(text)) = (own.treatment.labels, name(own.layer, self.lang)) {
            let size = linear([(12.0, 10.0), (16.0, 12.0), (20.0, 15.0)]);
            let mut layout = label_layout(text, font::REGULAR, size);
            for (property, value) in [
                ("symbol-placement", json!("line")),
                ("symbol-spacing", json!(260)),
                ("symbol-sort-key", rank.clone()),
                ("text-max-angle", json!(30)),
                ("text-padding", json!(3)),
            ] {
                layout.insert(property.into(), value);
            }
            let members = json!({
                "minzoom": labels.max(own.from),
                "filter": shown([13.5, 15.0, 16.5]),
                "layout": layout,
                "paint": self.label_paint(colors.road_label, 1.6),
            });
            list.push(placed(Slot::RoadLabel, own.part("label", "symbol", members)));
        }
        list
    }

    /// The ground of the right-of-way between its two lines. The lines are the rim of a wider line below, so
    /// that those of roads that meet join instead of crossing.
    fn right_of_way(&self, own: &DrawnLayer<'_>) -> Vec<Placed> {
        let (Some(from), Some(field)) = (own.treatment.right_of_way, meant(own.layer, Meaning::RightOfWay))
        else {
            return Vec::new();
        };
        let metres = number(field, 0);
        let width = |rim: [f64; 2]| {
            let at = |zoom: f64, rim: f64| {
                (zoom, json!(["+", 2.0 * rim, ["*", metres, pixels_per_metre(zoom, self.latitude)]]))
            };
            scaled([at(14.0, rim[0]), at(22.0, rim[1])])
        };
        let part = |name: &str, color: crate::styles::Rgb, width: Value| {
            let members = json!({
                "minzoom": from.max(own.from),
                "filter": ["all", is("LineString"), [">", metres, 0]],
                "layout": {"line-cap": "round", "line-join": "round"},
                "paint": {"line-color": color, "line-width": width},
            });
            entitled(own.part(name, "line", members), "Lộ giới", "Right-of-way")
        };
        let colors = self.palette;
        vec![
            placed(Slot::RightOfWayEdge, part("right-of-way", colors.right_of_way, width([0.8, 1.6]))),
            placed(
                Slot::RightOfWayGround,
                part("right-of-way-ground", colors.right_of_way_ground, width([0.0, 0.0])),
            ),
        ]
    }

    /// The width of a road's line in pixels: that of the carriageway from about zoom 16 on, and never less
    /// than a minimum by rank and zoom. `extra` pixels are added for the casing.
    fn road_width(&self, layer: &Layer, rank: &Value, extra: f64) -> Value {
        let usual = by_rank(rank, USUAL_WIDTH);
        let metres = match meant(layer, Meaning::Width) {
            Some(field) => number(field, usual),
            None => usual,
        };
        let at = |zoom: f64, minimum: [f64; 5]| {
            let scaled = json!(["*", metres, pixels_per_metre(zoom, self.latitude)]);
            (zoom, json!(["+", extra, ["max", by_rank(rank, minimum), scaled]]))
        };
        scaled([
            at(8.0, [1.1, 0.7, 0.4, 0.2, 0.1]),
            at(12.0, [2.4, 1.7, 1.1, 0.6, 0.3]),
            at(15.0, [6.0, 4.8, 3.4, 2.2, 1.1]),
            at(22.0, [40.0, 40.0, 40.0, 40.0, 20.0]),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_the_citys_list_has_a_rank() {
        let list = citymap_model::codes::builtin("road_class").unwrap();
        for code in &list.entries {
            assert!(RANKS.iter().any(|rank| rank.contains(&code.code.as_str())), "{}", code.code);
        }
        let mut all: Vec<&str> = RANKS.concat();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count, "a class has one rank");
    }

    #[test]
    fn a_pixel_is_as_long_as_the_projection_says() {
        // The resolution of Web Mercator at zoom 0 with 256-pixel tiles is 156 543 m at the equator.
        assert!((1.0 / pixels_per_metre(0.0, 0.0) - 78_271.516_96).abs() < 1e-3);
        assert!((pixels_per_metre(18.0, 60.0) / pixels_per_metre(18.0, 0.0) - 2.0).abs() < 1e-9);
    }
}
