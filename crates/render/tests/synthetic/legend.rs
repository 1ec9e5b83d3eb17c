//! The colours of the map are those of the legend: random points of a synthetic city, in each standard style.

use std::collections::BTreeSet;

use citymap_crs::{Crs, Transform};
use citymap_engine::{Bbox, Cancel, City, LayerSnapshot};
use citymap_render::{
    legend::{Legend, LegendEntry, LegendLayer, LegendPart, legend_field},
    print::styled,
    raster::{Ground, Picture, Source, draw},
    spec::{Color, Style},
    styles::{Appearance, StyleBook, StyleRequest},
};
use citymap_tile::Tiler;
use geo::{Intersects, Point};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;

use super::{CITY, view_of_core};

/// Points of each style, zoom and appearance.
const POINTS: usize = 200;

/// The side of a picture in pixels.
const SIDE: u32 = 512;

/// The largest difference of colours (CIE 1976) that counts as the same.
const NEAR: f64 = 3.0;

/// A pixel in the CIE L*a*b* space (D65).
fn lab([red, green, blue]: [u8; 3]) -> [f64; 3] {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let [r, g, b] = [red, green, blue].map(linear);
    let xyz = [
        (0.412_4 * r + 0.357_6 * g + 0.180_5 * b) / 0.950_47,
        0.212_6 * r + 0.715_2 * g + 0.072_2 * b,
        (0.019_3 * r + 0.119_2 * g + 0.950_5 * b) / 1.088_83,
    ];
    let [x, y, z] = xyz.map(|t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn difference(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (lab(a), lab(b));
    (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f64>().sqrt()
}

/// A style without what is masked: labels, symbols, lines and patterns.
fn masked(document: &Json) -> Json {
    let mut document = document.clone();
    document["layers"].as_array_mut().unwrap().retain(|layer| {
        let is_plain = layer["paint"].get("fill-pattern").is_none();
        layer["type"] == "background" || (layer["type"] == "fill" && is_plain)
    });
    document
}

/// The colours of areas that the legend names for what is at a point.
fn named(city: &City, legend: &Legend, at: [f64; 2]) -> Vec<[u8; 3]> {
    let point = Point::new(at[0], at[1]);
    let mut colors = Vec::new();
    for group in &legend.groups {
        let snapshot: &LayerSnapshot = city.layer(&group.collection).unwrap();
        let field = legend_field(snapshot.layer());
        let mut rows = Vec::new();
        let here = Bbox::new(at[0], at[1], at[0], at[1]);
        snapshot.candidates(&here, |row| rows.push(row));
        rows.retain(|row| snapshot.geometry(*row).is_some_and(|own| own.intersects(&point)));
        for row in rows {
            let code = field.map(|(index, _)| snapshot.value(row, index).to_text());
            let is_own = |entry: &&LegendEntry| entry.code == code;
            let entry = group.entries.iter().find(is_own);
            let entry = entry.or_else(|| group.entries.iter().find(|entry| entry.code.is_none()));
            for part in entry.into_iter().flat_map(|entry| &entry.parts) {
                if let LegendPart::Fill { color, opacity } = part {
                    assert!(*opacity > 0.99, "what shines through has no colour of its own: {entry:?}");
                    let [red, green, blue, _] = Color::parse(color).unwrap().to_rgba8();
                    colors.push([red, green, blue]);
                }
            }
        }
    }
    colors
}

/// Whether all pixels around one have its colour: there is no edge.
fn is_plain(picture: &Picture, x: u32, y: u32) -> bool {
    let own = picture.pixel(x, y);
    (x - 3..=x + 3)
        .flat_map(|x| (y - 3..=y + 3).map(move |y| (x, y)))
        .all(|(x, y)| picture.pixel(x, y) == own)
}

#[test]
fn the_colours_of_the_map_are_those_of_the_legend() {
    let city = &*CITY;
    let book = StyleBook::load(None).unwrap();
    let (tiler, cancel) = (Tiler::new(), Cancel::new());
    let source = Source { city, tiler: &tiler, time: None, cancel: &cancel };
    let layers: Vec<LegendLayer<'_>> =
        city.layers.values().map(|own| LegendLayer { layer: own.layer(), occurring: None }).collect();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let to_lonlat = Transform::new(Crs::WEB_MERCATOR, Crs::WGS84).unwrap();
    let mut checked = 0;
    let mut seen_colors = BTreeSet::new();
    for entry in book.entries() {
        for (appearance, zoom) in [Appearance::Light, Appearance::Dark]
            .into_iter()
            .flat_map(|own| [12, 14, 16, 18].map(|zoom| (own, zoom)))
        {
            let request = StyleRequest { appearance, lang: "vi", level: None, layers: None };
            let document = styled(&book, entry.id, (city, None), &request).unwrap().document;
            let legend = Legend::of(&document, &layers, f64::from(zoom), "vi").unwrap();
            let style = Style::parse(&masked(&document)).unwrap();
            let ground = style.ground(f64::from(zoom)).unwrap().to_rgba8();
            let view = view_of_core(zoom, SIDE);
            let mut picture = Picture::new(view.size()).unwrap();
            draw(&style, &view, &source, Ground::Style, &mut picture).unwrap();
            let (_, [low, high]) = view.extent();
            let unit = (high[0] - low[0]) / f64::from(SIDE);
            let lonlat = |x: f64, y: f64| {
                to_lonlat.point([low[0] + (x + 0.5) * unit, high[1] - (y + 0.5) * unit]).unwrap()
            };
            let (mut points, mut tries) = (0, 0);
            while points < POINTS && tries < 20 * POINTS {
                tries += 1;
                let [x, y] = [0; 2].map(|_: i32| random.random_range(4..SIDE - 4));
                if !is_plain(&picture, x, y) {
                    continue;
                }
                points += 1;
                let [red, green, blue, _] = picture.pixel(x, y).unwrap();
                let seen = [red, green, blue];
                seen_colors.insert(seen);
                // Below the zoom of details edges are drawn within some pixels of where they are.
                let near = [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0], [0.0, 4.0], [0.0, -4.0]];
                let at = near.map(|[dx, dy]| lonlat(f64::from(x) + dx, f64::from(y) + dy));
                let is_named = at.into_iter().any(|at| {
                    let mut colors = named(city, &legend, at);
                    if colors.is_empty() {
                        colors.push([ground[0], ground[1], ground[2]]);
                    }
                    colors.iter().any(|color| difference(*color, seen) <= NEAR)
                });
                assert!(
                    is_named,
                    "{} {appearance:?} {zoom}: {seen:?} at {:?} is not {:?}",
                    entry.id,
                    at[0],
                    named(city, &legend, at[0])
                );
            }
            checked += points;
        }
    }
    assert!(checked > 40 * POINTS * 3 / 4, "{checked} points were checked");
    assert!(seen_colors.len() > 30, "only {} colours were seen", seen_colors.len());
}
