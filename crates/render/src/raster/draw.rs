//! Paints the layers of a style from bottom to top.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use tiny_skia::{Path, PathBuilder};

use super::{
    Canvas, Features, FillPaint, Notes, PatternPlace, RenderError, Source, StrokePaint, View,
    features::ItemFeature,
    paths::{push_area, push_lines, push_offset},
};
use crate::{
    expression::{Feature, GeometryType, Scope},
    labels::{PlacedSymbol, Placer},
    spec::{
        Background, Circle, Color, Fill, ImageName, Layer, LayerKind, LayerSource, Line, LineCap, LineJoin,
        Property, Style,
    },
    sprite::SpriteSheet,
};

/// What is under the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ground {
    /// The background layers of the style.
    Style,
    /// Nothing: the picture is transparent there.
    Transparent,
    /// This colour instead of the style's background.
    Color(Color),
}

/// Draws a style.
///
/// # Errors
/// [`RenderError`] if there is too much to draw, a font is not known, or the work was cancelled.
pub fn draw(
    style: &Style,
    view: &View,
    source: &Source<'_>,
    ground: Ground,
    canvas: &mut impl Canvas,
) -> Result<Notes, RenderError> {
    let zoom = view.zoom();
    let mut notes = Notes::default();
    let mut features: BTreeMap<&LayerSource, Features> = BTreeMap::new();
    for wanted in style.sources(zoom) {
        let loaded = match wanted {
            LayerSource::City(id) => source.load(id, view)?,
            LayerSource::Inline(name) => match style.inline.get(name) {
                Some(list) => Some(Features::of_inline(list, view)?),
                None => None,
            },
        };
        match (loaded, wanted) {
            (Some(loaded), _) => {
                features.insert(wanted, loaded);
            }
            (None, LayerSource::City(name) | LayerSource::Inline(name)) => {
                notes.missing_layers.insert(name.clone());
            }
        }
    }
    let drawn: Vec<&Layer> = style.layers.iter().filter(|layer| layer.is_drawn(zoom)).collect();
    // Labels of upper layers have first choice.
    let mut placer = Placer::new(view.size(), zoom, view.ratio() as f32);
    let mut symbols: FxHashMap<usize, Vec<PlacedSymbol>> = FxHashMap::default();
    for (number, layer) in drawn.iter().enumerate().rev() {
        let LayerKind::Symbol(symbol) = &layer.kind else { continue };
        let Some(features) = layer.source.as_ref().and_then(|source| features.get(source)) else {
            continue;
        };
        source.cancel.check()?;
        symbols.insert(number, placer.layer(layer, symbol, features)?);
    }
    notes.missing_images = placer.notes.missing_images;
    let sheet = SpriteSheet::for_ratio(view.ratio());
    let mut painter = Painter { zoom, ratio: view.ratio() as f32, view, sheet, canvas, notes };
    match ground {
        Ground::Style | Ground::Transparent => {}
        Ground::Color(color) => painter.canvas.clear(color),
    }
    for (number, layer) in drawn.iter().enumerate() {
        source.cancel.check()?;
        if let LayerKind::Background(background) = &layer.kind {
            if ground == Ground::Style {
                painter.background(background);
            }
            continue;
        }
        let Some(features) = layer.source.as_ref().and_then(|source| features.get(source)) else {
            continue;
        };
        match &layer.kind {
            LayerKind::Background(_) => {}
            LayerKind::Fill(fill) => painter.fill(layer, fill, features),
            LayerKind::Line(line) => painter.line(layer, line, features),
            LayerKind::Circle(circle) => painter.circle(layer, circle, features),
            LayerKind::Symbol(_) => painter.symbols(symbols.remove(&number).unwrap_or_default()),
        }
    }
    Ok(painter.notes)
}

/// Features in the order of their sort keys, each group with one paint as one path. Groups keep the order of
/// their first features.
struct Groups<P> {
    groups: Vec<(P, PathBuilder)>,
    numbers: FxHashMap<(u32, P), usize>,
}

impl<P: Clone + Eq + std::hash::Hash> Groups<P> {
    fn new() -> Self {
        Self { groups: Vec::new(), numbers: FxHashMap::default() }
    }

    /// The path of the features with this sort key and paint. Keys come in rising order.
    fn path(&mut self, sort_key: f32, paint: P) -> &mut PathBuilder {
        let next = self.groups.len();
        let number = *self.numbers.entry((sort_key.to_bits(), paint.clone())).or_insert(next);
        if number == next {
            self.groups.push((paint, PathBuilder::new()));
        }
        &mut self.groups[number].1
    }

    fn paths(self) -> impl Iterator<Item = (P, Path)> {
        self.groups.into_iter().filter_map(|(paint, path)| path.finish().map(|path| (paint, path)))
    }
}

/// What distinguishes the paths of a fill layer.
#[derive(Clone, PartialEq, Eq, Hash)]
enum FillKey {
    Color([u8; 4], bool),
    Pattern(ImageName, u8),
    Outline([u8; 4]),
}

/// What distinguishes the paths of a line layer.
#[derive(Clone, PartialEq, Eq, Hash)]
struct LineKey {
    color: [u8; 4],
    /// Thousandths of a pixel.
    width: u32,
    cap: LineCap,
    join: LineJoin,
    miter: u32,
    dashes: Vec<u32>,
}

struct Painter<'a, C> {
    zoom: f64,
    ratio: f32,
    view: &'a View,
    sheet: &'static SpriteSheet,
    canvas: &'a mut C,
    notes: Notes,
}

fn color_of([red, green, blue, alpha]: [u8; 4]) -> Color {
    let [red, green, blue, alpha] = [red, green, blue, alpha].map(|channel| f32::from(channel) / 255.0);
    Color { red, green, blue, alpha }
}

impl<C: Canvas> Painter<'_, C> {
    fn background(&mut self, background: &Background) {
        let scope = Scope { zoom: self.zoom, feature: None };
        let opacity = background.opacity.get(&scope).clamp(0.0, 1.0);
        let Some(name) = background.pattern.get(&scope) else {
            self.canvas.clear(background.color.get(&scope).with_opacity(opacity));
            return;
        };
        let [width, height] = self.view.size().map(|side| side as f32);
        let whole = tiny_skia::Rect::from_xywh(0.0, 0.0, width, height).map(PathBuilder::from_rect);
        if let Some(whole) = whole {
            self.pattern(&whole, name, opacity);
        }
    }

    fn pattern(&mut self, path: &Path, name: ImageName, opacity: f32) {
        let Some(sprite) = self.sheet.get(&name.0) else {
            self.notes.missing_image(name.0);
            return;
        };
        let (origin, scale) = (self.view.pattern_origin(), self.ratio / sprite.ratio);
        self.canvas.fill_pattern(path, &sprite, &PatternPlace { origin, scale, opacity });
    }

    /// The features that a layer draws, with their sort keys, in drawing order.
    fn admitted<'f>(
        &self,
        layer: &Layer,
        sort_key: Option<&Property<f32>>,
        features: &'f Features,
    ) -> Vec<(f32, ItemFeature<'f>)> {
        let mut list: Vec<(f32, ItemFeature<'f>)> = Vec::new();
        for feature in features.iter() {
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            if layer.admits(&scope) {
                list.push((sort_key.map_or(0.0, |key| key.get(&scope)), feature));
            }
        }
        if sort_key.is_some() {
            list.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        list
    }

    fn fill(&mut self, layer: &Layer, fill: &Fill, features: &Features) {
        let mut groups: Groups<FillKey> = Groups::new();
        let mut outlines: Groups<FillKey> = Groups::new();
        for (sort_key, feature) in self.admitted(layer, fill.sort_key.as_ref(), features) {
            if feature.geometry_type() != GeometryType::Polygon {
                continue;
            }
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            let opacity = fill.opacity.get(&scope).clamp(0.0, 1.0);
            if opacity == 0.0 {
                continue;
            }
            let smooth = fill.antialias.get(&scope);
            let key = match fill.pattern.get(&scope) {
                Some(name) => FillKey::Pattern(name, (opacity * 255.0).round() as u8),
                None => FillKey::Color(fill.color.get(&scope).with_opacity(opacity).to_rgba8(), smooth),
            };
            if !matches!(key, FillKey::Color([_, _, _, 0], _)) {
                push_area(groups.path(sort_key, key), &feature);
            }
            if let Some(outline) = fill.outline.get(&scope).filter(|_| smooth) {
                let outline = outline.with_opacity(opacity).to_rgba8();
                if outline[3] > 0 {
                    push_area(outlines.path(sort_key, FillKey::Outline(outline)), &feature);
                }
            }
        }
        for (key, path) in groups.paths().chain(outlines.paths()) {
            match key {
                FillKey::Color(color, antialias) => {
                    self.canvas.fill(&path, &FillPaint { color: color_of(color), antialias });
                }
                FillKey::Pattern(name, opacity) => self.pattern(&path, name, f32::from(opacity) / 255.0),
                FillKey::Outline(color) => self.canvas.stroke(
                    &path,
                    &StrokePaint {
                        color: color_of(color),
                        width: self.ratio,
                        cap: LineCap::Butt,
                        join: LineJoin::Miter,
                        miter_limit: 2.0,
                        dashes: Vec::new(),
                    },
                ),
            }
        }
    }

    fn line(&mut self, layer: &Layer, line: &Line, features: &Features) {
        let mut groups: Groups<LineKey> = Groups::new();
        let thousandths = |value: f32| (value.clamp(0.0, 1e6) * 1e3).round() as u32;
        for (sort_key, feature) in self.admitted(layer, line.sort_key.as_ref(), features) {
            if feature.geometry_type() == GeometryType::Point {
                continue;
            }
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            let opacity = line.opacity.get(&scope).clamp(0.0, 1.0);
            let color = line.color.get(&scope).with_opacity(opacity).to_rgba8();
            let width = line.width.get(&scope).clamp(0.0, 1_000.0) * self.ratio;
            if color[3] == 0 || width <= 0.0 {
                continue;
            }
            let mut dashes: Vec<u32> =
                line.dashes.get(&scope).into_iter().map(|part| thousandths(part.max(0.0) * width)).collect();
            if dashes.len() % 2 == 1 {
                dashes.extend_from_within(..);
            }
            let key = LineKey {
                color,
                width: thousandths(width),
                cap: line.cap.get(&scope),
                join: line.join.get(&scope),
                miter: thousandths(line.miter_limit.get(&scope)),
                dashes,
            };
            let gap = line.gap_width.get(&scope).clamp(0.0, 10_000.0) * self.ratio;
            let offset = line.offset.get(&scope).clamp(-10_000.0, 10_000.0) * self.ratio;
            let path = groups.path(sort_key, key);
            if gap > 0.0 {
                let beside = (gap + width) / 2.0;
                push_offset(path, &feature, offset + beside);
                push_offset(path, &feature, offset - beside);
            } else if offset == 0.0 {
                push_lines(path, &feature);
            } else {
                push_offset(path, &feature, offset);
            }
        }
        for (key, path) in groups.paths() {
            let pixels = |thousandths: u32| thousandths as f32 / 1e3;
            self.canvas.stroke(
                &path,
                &StrokePaint {
                    color: color_of(key.color),
                    width: pixels(key.width),
                    cap: key.cap,
                    join: key.join,
                    miter_limit: pixels(key.miter),
                    dashes: key.dashes.into_iter().map(pixels).collect(),
                },
            );
        }
    }

    fn circle(&mut self, layer: &Layer, circle: &Circle, features: &Features) {
        for (_, feature) in self.admitted(layer, circle.sort_key.as_ref(), features) {
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            let radius = circle.radius.get(&scope).clamp(0.0, 500.0) * self.ratio;
            let width = circle.stroke_width.get(&scope).clamp(0.0, 500.0) * self.ratio;
            let color = circle.color.get(&scope).with_opacity(circle.opacity.get(&scope).clamp(0.0, 1.0));
            let opacity = circle.stroke_opacity.get(&scope).clamp(0.0, 1.0);
            let stroke = circle.stroke_color.get(&scope).with_opacity(opacity);
            let points = feature.rings().flatten().filter(|_| feature.item.kind == GeometryType::Point);
            for &[x, y] in points {
                let disc = |radius: f32| PathBuilder::from_circle(x, y, radius).filter(|_| radius > 0.0);
                if let Some(path) = disc(radius).filter(|_| color.alpha > 0.0) {
                    self.canvas.fill(&path, &FillPaint { color, antialias: true });
                }
                // The stroke is outside of the radius.
                if let Some(path) = disc(radius + width / 2.0).filter(|_| stroke.alpha > 0.0 && width > 0.0) {
                    let paint = StrokePaint {
                        color: stroke,
                        width,
                        cap: LineCap::Butt,
                        join: LineJoin::Round,
                        miter_limit: 2.0,
                        dashes: Vec::new(),
                    };
                    self.canvas.stroke(&path, &paint);
                }
            }
        }
    }

    fn symbols(&mut self, symbols: Vec<PlacedSymbol>) {
        for symbol in symbols {
            match symbol {
                PlacedSymbol::Text(run, paint) => self.canvas.glyphs(&run, &paint),
                PlacedSymbol::Icon(name, place) => {
                    if let Some(sprite) = self.sheet.get(&name) {
                        self.canvas.image(&sprite, &place);
                    }
                }
            }
        }
    }
}
