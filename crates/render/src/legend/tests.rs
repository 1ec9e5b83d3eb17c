//! Legends of the standard styles.

use citymap_model::Layer;

use super::*;
use crate::styles::{
    Appearance, StyleBook, StyleRequest,
    tests::{LIGHT, everything, style_of},
};

fn legend(layers: &[Layer], id: &str, zoom: f64, occurring: Option<Occurring>) -> Legend {
    let style = style_of(layers, id, &LIGHT);
    let layers: Vec<LegendLayer<'_>> =
        layers.iter().map(|layer| LegendLayer { layer, occurring: occurring.clone() }).collect();
    Legend::of(&style, &layers, zoom, "en").unwrap()
}

fn group<'a>(legend: &'a Legend, id: &str) -> Option<&'a LegendGroup> {
    legend.groups.iter().find(|group| group.collection == id)
}

fn labels(legend: &Legend, id: &str) -> Vec<String> {
    group(legend, id).unwrap().entries.iter().map(|entry| entry.label.clone()).collect()
}

#[test]
fn the_renderer_reads_every_standard_style() {
    let layers = everything();
    for entry in StyleBook::load(None).unwrap().entries() {
        for appearance in [Appearance::Light, Appearance::Dark] {
            let style = style_of(&layers, entry.id, &StyleRequest { appearance, ..LIGHT });
            Style::parse(&style).unwrap_or_else(|error| panic!("{}: {error}", entry.id));
        }
    }
}

#[test]
fn codes_have_the_colours_of_the_map_and_their_hatchings() {
    let layers = everything();
    let legend = legend(&layers, "cadastre", 16.0, None);
    let parcels = group(&legend, "parcel_polygon").unwrap();
    let codes: Vec<&str> = parcels.entries.iter().filter_map(|entry| entry.code.as_deref()).collect();
    assert_eq!(codes, ["ODT", "CLN", "DGD", "DYT"]);
    let style = style_of(&layers, "cadastre", &LIGHT);
    let fill = style["layers"].as_array().unwrap().iter().find(|own| own["id"] == "parcel_polygon/fill");
    let colors = &fill.unwrap()["paint"]["fill-color"];
    for (index, entry) in parcels.entries.iter().take(4).enumerate() {
        let color = colors[3 + 2 * index].as_str().unwrap();
        let own = LegendPart::Fill { color: color.to_owned(), opacity: 1.0 };
        assert_eq!(entry.parts[0], own, "{}", entry.label);
    }
    let is_hatched = |entry: &LegendEntry| {
        let is = |part: &LegendPart| match part {
            LegendPart::Pattern { image, .. } => image == "hatch-diagonal",
            _ => false,
        };
        entry.parts.iter().any(is)
    };
    assert!(!is_hatched(&parcels.entries[2]) && is_hatched(&parcels.entries[3]));
    assert_eq!(parcels.entries[4].label, "Other or not known");
}

#[test]
fn a_layer_that_is_not_drawn_has_no_group_and_one_of_one_look_a_single_entry() {
    let layers = everything();
    let plan = legend(&layers, "plan", 16.0, None);
    let parcels = group(&plan, "parcel_polygon").unwrap();
    assert_eq!(parcels.entries.len(), 1, "{parcels:?}");
    assert!(matches!(parcels.entries[0].parts[..], [LegendPart::Line { .. }]));
    assert!(group(&plan, "place_point").is_none() && group(&plan, "utility_line").is_none());
    assert!(group(&legend(&layers, "plan", 14.0, None), "parcel_polygon").is_none(), "not at this zoom");
}

#[test]
fn rights_of_way_and_clusters_have_entries_of_their_own() {
    let layers = everything();
    let at = |id: &str, zoom: f64| legend(&layers, id, zoom, None);
    assert!(labels(&at("cadastre", 17.0), "road_line").contains(&"Right-of-way".to_owned()));
    assert!(!labels(&at("cadastre", 13.0), "road_line").contains(&"Right-of-way".to_owned()));
    let utilities = at("utilities", 13.0);
    assert!(labels(&utilities, "report_point").contains(&"Several features".to_owned()));
    // The page reads these names.
    let json = serde_json::to_string(&utilities).unwrap();
    for name in ["\"radius\":", "\"strokeColor\":", "\"strokeWidth\":"] {
        assert!(json.contains(name), "{name} {json}");
    }
}

#[test]
fn only_what_occurs_is_listed() {
    let layers = everything();
    let occurring = Occurring { codes: ["CLN".to_owned()].into(), uncoded: false };
    let some = legend(&layers, "cadastre", 16.0, Some(occurring));
    let parcels = group(&some, "parcel_polygon").unwrap();
    let codes: Vec<Option<&str>> = parcels.entries.iter().map(|entry| entry.code.as_deref()).collect();
    assert_eq!(codes, [Some("CLN")]);
    assert!(legend(&layers, "cadastre", 16.0, Some(Occurring::default())).groups.is_empty());
}
