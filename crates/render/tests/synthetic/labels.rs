//! Labels: how many streets are named, and that no letter is cut or lies over another label.

use citymap_engine::Cancel;
use citymap_render::{
    labels::GlyphRun,
    print::styled,
    raster::{Canvas, FillPaint, Ground, ImagePlace, PatternPlace, Source, StrokePaint, TextPaint, draw},
    spec::{Color, Style},
    sprite::Sprite,
    styles::{Appearance, StyleBook, StyleRequest},
};
use citymap_tile::Tiler;
use geo::{BoundingRect, Intersects, Polygon, Rect};
use tiny_skia::{Path, Transform};

use super::{CITY, view_of_core};

/// A canvas that keeps the texts that are drawn on it.
#[derive(Default)]
struct Texts(Vec<GlyphRun>);

impl Canvas for Texts {
    fn clear(&mut self, _: Color) {}
    fn fill(&mut self, _: &Path, _: &FillPaint) {}
    fn fill_pattern(&mut self, _: &Path, _: &Sprite<'_>, _: &PatternPlace) {}
    fn stroke(&mut self, _: &Path, _: &StrokePaint) {}
    fn image(&mut self, _: &Sprite<'_>, _: &ImagePlace) {}

    fn glyphs(&mut self, run: &GlyphRun, _: &TextPaint) {
        self.0.push(run.clone());
    }
}

/// The boxes of the letters of a text as they are drawn, turned with them; marks included.
fn letters(run: &GlyphRun) -> Vec<Polygon<f64>> {
    let letter = |glyph: &citymap_render::labels::PlacedGlyph| {
        let area = run.font.outline(glyph.id)?.bounds();
        let (sin, cos) = glyph.angle.sin_cos();
        let (size, [x, y]) = (glyph.size, glyph.origin);
        let place = Transform::from_row(size * cos, size * sin, -size * sin, size * cos, x, y);
        let mut corners = [
            (area.left(), area.top()),
            (area.right(), area.top()),
            (area.right(), area.bottom()),
            (area.left(), area.bottom()),
        ]
        .map(tiny_skia::Point::from);
        place.map_points(&mut corners);
        let ring: Vec<(f64, f64)> = corners.iter().map(|at| (f64::from(at.x), f64::from(at.y))).collect();
        Some(Polygon::new(ring.into(), Vec::new()))
    };
    run.glyphs.iter().filter_map(letter).collect()
}

#[test]
fn labels_are_whole_and_lie_over_no_other_one() {
    let book = StyleBook::load(None).unwrap();
    let (tiler, cancel) = (Tiler::new(), Cancel::new());
    let source = Source { city: &CITY, tiler: &tiler, time: None, cancel: &cancel };
    for entry in book.entries() {
        let request = StyleRequest { appearance: Appearance::Light, lang: "vi", level: None, layers: None };
        let document = styled(&book, entry.id, (&CITY, None), &request).unwrap().document;
        let style = Style::parse(&document).unwrap();
        for zoom in [10, 13, 15, 17, 19] {
            let view = view_of_core(zoom, 1_024);
            let mut texts = Texts::default();
            draw(&style, &view, &source, Ground::Style, &mut texts).unwrap();
            let all: Vec<(Vec<Polygon<f64>>, Rect<f64>)> = texts
                .0
                .iter()
                .map(|run| {
                    let letters = letters(run);
                    let whole = geo::MultiPolygon::new(letters.clone()).bounding_rect().unwrap();
                    (letters, whole)
                })
                .collect();
            for (number, (own, area)) in all.iter().enumerate() {
                let name = &texts.0[number].text;
                assert!(
                    area.min().x >= 0.0
                        && area.min().y >= 0.0
                        && area.max().x <= 1_024.0
                        && area.max().y <= 1_024.0,
                    "{} {zoom}: {name} is cut: {area:?}",
                    entry.id
                );
                for (other, (letters, other_area)) in all.iter().enumerate().skip(number + 1) {
                    let meets = area.intersects(other_area)
                        && own.iter().any(|own| letters.iter().any(|letter| letter.intersects(own)));
                    assert!(!meets, "{} {zoom}: {name} and {}", entry.id, texts.0[other].text);
                }
            }
        }
    }
}

#[test]
fn streets_of_the_core_are_named() {
    let book = StyleBook::load(None).unwrap();
    let (tiler, cancel) = (Tiler::new(), Cancel::new());
    let source = Source { city: &CITY, tiler: &tiler, time: None, cancel: &cancel };
    let roads = CITY.layer("roads").unwrap();
    let field = roads.layer().field_meaning(citymap_model::Meaning::Name).unwrap();
    let names: std::collections::BTreeSet<String> =
        roads.rows().map(|row| roads.value(row, field).to_text()).collect();
    for id in ["cadastre", "streets"] {
        let request = StyleRequest { appearance: Appearance::Light, lang: "vi", level: None, layers: None };
        let document = styled(&book, id, (&CITY, None), &request).unwrap().document;
        let style = Style::parse(&document).unwrap();
        // As large as a screen.
        let view = view_of_core(17, 1_024);
        let mut texts = Texts::default();
        draw(&style, &view, &source, Ground::Style, &mut texts).unwrap();
        let drawn = texts.0.iter().filter(|run| names.contains(&run.text.replace('\n', " "))).count();
        assert!(drawn >= 20, "{id}: {drawn} street names");
    }
}
