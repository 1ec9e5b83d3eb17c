//! Decides which symbols of a picture are drawn, and where.

use rustc_hash::FxHashMap;

use super::{
    Font, GlyphRun, LabelBox, PlacedGlyph, Shaper, TextBlock, TextStyle,
    along::{Course, LabelledLine, LineFit, joined, place_along},
    collision::Collisions,
    pole::pole,
};
use crate::{
    expression::{Feature, GeometryType, Scope},
    raster::{
        Features, ImagePlace, Notes, RenderError, TextPaint,
        clip::{PixelBox, RingClipper, doubled_area},
        features::ItemFeature,
    },
    spec::{Alignment, Anchor, Icon, LabelText, Layer, Placement, Symbol, Text},
    sprite::SpriteSheet,
};

/// A symbol that is drawn.
#[derive(Clone, Debug)]
pub(crate) enum PlacedSymbol {
    Text(GlyphRun, TextPaint),
    /// The name of the image, and where it is.
    Icon(String, ImagePlace),
}

/// Places the symbols of one picture: call [`Placer::layer`] from the top layer to the bottom one.
#[derive(Debug)]
pub(crate) struct Placer {
    size: [u32; 2],
    zoom: f64,
    /// Pixels of the picture to a pixel of the style.
    ratio: f32,
    sheet: &'static SpriteSheet,
    shaper: Shaper,
    taken: Collisions,
    /// The images that were asked for and do not exist.
    pub(crate) notes: Notes,
}

/// Maximum number of symbols of one layer of a style that are tried.
const MAX_TRIED: usize = 100_000;

/// A symbol at a point, to be tried.
struct Candidate<'a> {
    feature: ItemFeature<'a>,
    at: [f32; 2],
    sort_key: f32,
}

/// A text that has been set, with its place relative to the point of the symbol.
struct SetText {
    block: TextBlock,
    paint: TextPaint,
    padding: f32,
    allow_overlap: bool,
    ignore_placement: bool,
    optional: bool,
    rotate: f32,
}

/// An icon, with its place relative to the point of the symbol.
struct SetIcon {
    name: String,
    place: ImagePlace,
    area: LabelBox,
    allow_overlap: bool,
    ignore_placement: bool,
    optional: bool,
}

impl Placer {
    pub(crate) fn new(size: [u32; 2], zoom: f64, ratio: f32) -> Self {
        let sheet = SpriteSheet::for_ratio(ratio.into());
        Self {
            size,
            zoom,
            ratio,
            sheet,
            shaper: Shaper::default(),
            taken: Collisions::new(size),
            notes: Notes::default(),
        }
    }

    /// The symbols of a layer that have room.
    ///
    /// # Errors
    /// [`RenderError`] if a font is not known, or there are too many symbols.
    pub(crate) fn layer(
        &mut self,
        layer: &Layer,
        symbol: &Symbol,
        features: &Features,
    ) -> Result<Vec<PlacedSymbol>, RenderError> {
        let scope = Scope { zoom: self.zoom, feature: None };
        let placement = symbol.placement.get(&scope);
        let mut placed = Vec::new();
        if placement == Placement::Point {
            for candidate in self.candidates(layer, symbol, features)? {
                self.point(&candidate, symbol, layer, &mut placed)?;
            }
        } else {
            self.lines(layer, symbol, (features, placement), &mut placed)?;
        }
        Ok(placed)
    }

    /// The symbols at points, in the order in which they are tried.
    fn candidates<'a>(
        &self,
        layer: &Layer,
        symbol: &Symbol,
        features: &'a Features,
    ) -> Result<Vec<Candidate<'a>>, RenderError> {
        let mut list: Vec<Candidate<'a>> = Vec::new();
        // The largest part of an area that tiles have cut.
        let mut largest: FxHashMap<u64, (usize, f64)> = FxHashMap::default();
        let mut clipper = RingClipper::default();
        for feature in features.iter() {
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            if !layer.admits(&scope) {
                continue;
            }
            let sort_key = symbol.sort_key.as_ref().map_or(0.0, |key| key.get(&scope));
            let mut add = |at| list.push(Candidate { feature, at, sort_key });
            match feature.item.kind {
                GeometryType::Point => {
                    feature.rings().filter_map(|ring| ring.first()).for_each(|&at| add(at));
                }
                GeometryType::Line => {
                    let longest = feature
                        .rings()
                        .map(|line| Course::new(line.to_vec()))
                        .max_by(|a, b| a.length().total_cmp(&b.length()));
                    if let Some(course) = longest.filter(|course| course.length() > 0.0) {
                        add(course.at(course.length() / 2.0));
                    }
                }
                GeometryType::Polygon => {
                    let Some((at, area)) = self.label_point(&feature, &mut clipper) else { continue };
                    match feature.id().and_then(|id| largest.get(&id).map(|known| (id, *known))) {
                        Some((_, (_, known))) if known >= area => {}
                        Some((id, (index, _))) => {
                            list[index] = Candidate { feature, at, sort_key };
                            largest.insert(id, (index, area));
                        }
                        None => {
                            if let Some(id) = feature.id() {
                                largest.insert(id, (list.len(), area));
                            }
                            list.push(Candidate { feature, at, sort_key });
                        }
                    }
                }
            }
            if list.len() > MAX_TRIED {
                return Err(RenderError::TooLarge { what: "symbols", max: MAX_TRIED });
            }
        }
        list.sort_by(|a, b| a.sort_key.total_cmp(&b.sort_key));
        Ok(list)
    }

    /// Where the label of an area is: in the largest polygon of what the picture shows of it. Also the size
    /// of that polygon in square pixels.
    fn label_point(&self, feature: &ItemFeature<'_>, clipper: &mut RingClipper) -> Option<([f32; 2], f64)> {
        let within = PixelBox::of_picture(self.size, 0.0);
        let mut parts: Vec<(f64, Vec<Vec<[f64; 2]>>)> = Vec::new();
        for ring in feature.rings() {
            let ring: Vec<[f64; 2]> = ring.iter().map(|point| point.map(f64::from)).collect();
            let ring = clipper.clip(&ring, &within);
            let area = doubled_area(ring) / 2.0;
            if ring.len() < 3 {
                continue;
            }
            if area > 0.0 {
                parts.push((area, vec![ring.to_vec()]));
            } else if let Some((_, rings)) = parts.last_mut() {
                rings.push(ring.to_vec());
            }
        }
        let (area, rings) = parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
        let precision = (area.sqrt() * 0.02).max(0.5);
        Some((pole(&rings, precision)?.map(|value| value as f32), area))
    }

    fn point(
        &mut self,
        candidate: &Candidate<'_>,
        symbol: &Symbol,
        layer: &Layer,
        placed: &mut Vec<PlacedSymbol>,
    ) -> Result<(), RenderError> {
        let scope = Scope { zoom: self.zoom, feature: Some(&candidate.feature) };
        let icon = self.set_icon(&symbol.icon, &scope);
        let text = self.set_text(&symbol.text, &scope, layer)?;
        let at = candidate.at;
        let picture = self.picture();
        let icon_room = icon.as_ref().map(|icon| {
            let area = icon.area.moved(at);
            area.meets(&picture) && (icon.allow_overlap || self.taken.is_free(&area))
        });
        let text_place = text.as_ref().and_then(|text| self.text_place(&symbol.text, text, &scope, at));
        // Each is drawn where it has room, and not without the other unless that one is optional. A text that
        // the edge of the picture would cut leaves its icon alone.
        let text_needed = text.as_ref().is_some_and(|text| !text.optional)
            && text.as_ref().is_some_and(|text| self.is_whole(&symbol.text, text, &scope, at));
        let icon_needed = icon.as_ref().is_some_and(|icon| !icon.optional);
        let draw_icon = icon_room == Some(true) && (text_place.is_some() || !text_needed);
        let draw_text = text_place.is_some() && (icon_room != Some(false) || !icon_needed);
        if let (true, Some(icon)) = (draw_icon, icon) {
            if !icon.ignore_placement {
                self.taken.add(icon.area.moved(at));
            }
            let center = [0, 1].map(|axis| icon.place.center[axis] + at[axis]);
            placed.push(PlacedSymbol::Icon(icon.name, ImagePlace { center, ..icon.place }));
        }
        if let (true, Some(text), Some((corner, area))) = (draw_text, text, text_place) {
            if !text.ignore_placement {
                self.taken.add(area.grown(text.padding));
            }
            placed.push(PlacedSymbol::Text(run_at(&text, corner, at), text.paint));
        }
        Ok(())
    }

    fn picture(&self) -> LabelBox {
        LabelBox { low: [0.0; 2], high: self.size.map(|side| side as f32) }
    }

    /// The first anchor at which a text has room: the top left corner of its block relative to the point, and
    /// the box of its ink in the picture.
    fn text_place(
        &self,
        text: &Text,
        set: &SetText,
        scope: &Scope<'_>,
        at: [f32; 2],
    ) -> Option<([f32; 2], LabelBox)> {
        corners(text, set, scope, self.ratio).into_iter().find_map(|corner| {
            let area = ink_at(set, corner).moved(at);
            let free = set.allow_overlap || self.taken.is_free(&area.grown(set.padding));
            (area.is_inside(&self.picture()) && free).then_some((corner, area))
        })
    }

    /// Whether the text would lie wholly inside the picture at one of its anchors.
    fn is_whole(&self, text: &Text, set: &SetText, scope: &Scope<'_>, at: [f32; 2]) -> bool {
        let picture = self.picture();
        corners(text, set, scope, self.ratio)
            .into_iter()
            .any(|corner| ink_at(set, corner).moved(at).is_inside(&picture))
    }

    fn set_icon(&mut self, icon: &Icon, scope: &Scope<'_>) -> Option<SetIcon> {
        let name = icon.image.get(scope)?.0;
        if name.is_empty() {
            return None;
        }
        let Some(sprite) = self.sheet.get(&name) else {
            self.notes.missing_image(name);
            return None;
        };
        let scale = icon.size.get(scope).clamp(0.0, 50.0) * self.ratio;
        let size = sprite.size().map(|side| side * scale);
        let anchor = icon.anchor.get(scope).place();
        let offset = icon.offset.get(scope);
        let center = [0, 1].map(|axis| (0.5 - anchor[axis]) * size[axis] + offset[axis] * scale);
        let rotate = icon.rotate.get(scope);
        let half = size.map(|side| side / 2.0);
        let whole = LabelBox { low: half.map(|side| -side), high: half };
        let padding = icon.padding.get(scope).max(0.0) * self.ratio;
        Some(SetIcon {
            name,
            place: ImagePlace {
                center,
                scale: scale / sprite.ratio,
                rotate,
                opacity: icon.opacity.get(scope).clamp(0.0, 1.0),
            },
            area: whole.turned(rotate.to_radians()).moved(center).grown(padding),
            allow_overlap: icon.allow_overlap.get(scope),
            ignore_placement: icon.ignore_placement.get(scope),
            optional: icon.optional.get(scope),
        })
    }

    fn style(&self, text: &Text, scope: &Scope<'_>, layer: &Layer) -> Result<TextStyle, RenderError> {
        let layout = &text.layout;
        let names = layout.font.get(scope);
        let font = Font::find(&names)
            .ok_or_else(|| RenderError::Font { layer: layer.id.clone(), fonts: names.join(", ") })?;
        let size = layout.size.get(scope).clamp(0.0, 400.0) * self.ratio;
        let em = |ems: f32| ems * size;
        Ok(TextStyle {
            font,
            size,
            max_width: em(layout.max_width.get(scope).max(0.0)),
            line_height: em(layout.line_height.get(scope).clamp(0.0, 10.0)),
            letter_spacing: em(layout.letter_spacing.get(scope).clamp(-0.5, 10.0)),
            justify: layout.justify.get(scope),
            transform: layout.transform.get(scope),
        })
    }

    fn set_text(
        &mut self,
        text: &Text,
        scope: &Scope<'_>,
        layer: &Layer,
    ) -> Result<Option<SetText>, RenderError> {
        let field = text.field.get(scope);
        if field.is_empty() {
            return Ok(None);
        }
        let style = self.style(text, scope, layer)?;
        Ok(self.set(text, &field, &style, scope))
    }

    fn set(
        &mut self,
        text: &Text,
        field: &LabelText,
        style: &TextStyle,
        scope: &Scope<'_>,
    ) -> Option<SetText> {
        let block = self.shaper.set(field, style)?;
        if block.ink.is_nothing() {
            return None;
        }
        let opacity = text.opacity.get(scope).clamp(0.0, 1.0);
        let halo_width = text.halo_width.get(scope).max(0.0).min(style.size) * self.ratio;
        let paint = TextPaint {
            color: text.color.get(scope).with_opacity(opacity),
            halo: text.halo_color.get(scope).with_opacity(opacity),
            halo_width: halo_width.min(style.size / 2.0),
        };
        let place = &text.place;
        Some(SetText {
            block,
            paint,
            padding: place.padding.get(scope).max(0.0) * self.ratio,
            allow_overlap: place.allow_overlap.get(scope),
            ignore_placement: place.ignore_placement.get(scope),
            optional: place.optional.get(scope),
            rotate: place.rotate.get(scope).to_radians(),
        })
    }

    /// Texts and icons along lines.
    fn lines(
        &mut self,
        layer: &Layer,
        symbol: &Symbol,
        (features, placement): (&Features, Placement),
        placed: &mut Vec<PlacedSymbol>,
    ) -> Result<(), RenderError> {
        let admitted: Vec<ItemFeature<'_>> = features
            .iter()
            .filter(|feature| {
                let scope = Scope { zoom: self.zoom, feature: Some(feature) };
                feature.item.kind != GeometryType::Point && layer.admits(&scope)
            })
            .collect();
        let mut lines = Vec::new();
        for (number, feature) in admitted.iter().enumerate() {
            let scope = Scope { zoom: self.zoom, feature: Some(feature) };
            let field = symbol.text.field.get(&scope);
            let text: String = field.0.iter().map(|section| section.text.as_ref()).collect();
            for line in feature.rings() {
                lines.push(LabelledLine { text: text.clone(), feature: number, points: line.to_vec() });
            }
            if lines.len() > MAX_TRIED {
                return Err(RenderError::TooLarge { what: "symbols", max: MAX_TRIED });
            }
        }
        let mut lines: Vec<(f32, LabelledLine)> = joined(lines)
            .into_iter()
            .map(|line| {
                let scope = Scope { zoom: self.zoom, feature: Some(&admitted[line.feature]) };
                (symbol.sort_key.as_ref().map_or(0.0, |key| key.get(&scope)), line)
            })
            .collect();
        lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Where each text has been placed, so that a name is not repeated close by.
        let mut repeated: FxHashMap<String, Vec<[f32; 2]>> = FxHashMap::default();
        for (_, line) in lines {
            let feature = admitted[line.feature];
            let scope = Scope { zoom: self.zoom, feature: Some(&feature) };
            let course = Course::new(line.points);
            let spacing = symbol.spacing.get(&scope).max(1.0) * self.ratio;
            let text = self.line_text(&symbol.text, &scope, layer)?;
            let icon = self.set_icon(&symbol.icon, &scope);
            let width = text.as_ref().map_or_else(
                || icon.as_ref().map_or(0.0, |icon| icon.area.high[0] - icon.area.low[0]),
                |text| text.block.size[0],
            );
            if course.length() < width || (text.is_none() && icon.is_none()) {
                continue;
            }
            for middle in middles(course.length(), width, spacing, placement) {
                let near = repeated.entry(line.text.clone()).or_default();
                let at = course.at(middle);
                let close = |other: &[f32; 2]| (other[0] - at[0]).hypot(other[1] - at[1]) < spacing / 2.0;
                if !line.text.is_empty() && near.iter().any(close) {
                    continue;
                }
                let done = match (&text, &icon) {
                    (Some(text), _) => {
                        self.text_on_line((&symbol.text, text), (&course, middle), &scope, placed)
                    }
                    (None, Some(icon)) => {
                        self.icon_on_line((&symbol.icon, icon), (&course, middle), &scope, placed)
                    }
                    (None, None) => false,
                };
                if done {
                    repeated.entry(line.text.clone()).or_default().push(at);
                }
            }
        }
        Ok(())
    }

    fn line_text(
        &mut self,
        text: &Text,
        scope: &Scope<'_>,
        layer: &Layer,
    ) -> Result<Option<SetText>, RenderError> {
        let mut field = text.field.get(scope);
        if field.is_empty() {
            return Ok(None);
        }
        // A text along a line has one line.
        for section in &mut field.0 {
            if section.text.contains('\n') {
                section.text = section.text.replace('\n', " ").into();
            }
        }
        let style = TextStyle { max_width: 0.0, ..self.style(text, scope, layer)? };
        Ok(self.set(text, &field, &style, scope))
    }

    /// Tries a text at the middle and a little before and after it.
    fn text_on_line(
        &mut self,
        (text, set): (&Text, &SetText),
        (course, middle): (&Course, f32),
        scope: &Scope<'_>,
        placed: &mut Vec<PlacedSymbol>,
    ) -> bool {
        let fit = LineFit {
            max_angle: text.place.max_angle.get(scope).clamp(0.0, 180.0),
            keep_upright: text.place.keep_upright.get(scope),
            offset: text.place.offset.get(scope)[1]
                * set.block.glyphs.first().map_or(0.0, |glyph| glyph.size),
        };
        let step = set.block.size[0] / 3.0;
        let picture = self.picture();
        for shift in [0.0, -step, step, -2.0 * step, 2.0 * step] {
            let Some((run, boxes)) = place_along(&set.block, course, middle + shift, fit, &mut self.shaper)
            else {
                continue;
            };
            let room = |area: &LabelBox| {
                area.is_inside(&picture)
                    && (set.allow_overlap || self.taken.is_free(&area.grown(set.padding)))
            };
            if !boxes.iter().all(room) {
                continue;
            }
            if !set.ignore_placement {
                boxes.into_iter().for_each(|area| self.taken.add(area.grown(set.padding)));
            }
            placed.push(PlacedSymbol::Text(run, set.paint));
            return true;
        }
        false
    }

    fn icon_on_line(
        &mut self,
        (icon, set): (&Icon, &SetIcon),
        (course, middle): (&Course, f32),
        scope: &Scope<'_>,
        placed: &mut Vec<PlacedSymbol>,
    ) -> bool {
        let at = course.at(middle);
        let half = (set.area.high[0] - set.area.low[0]) / 2.0;
        let turn = match icon.alignment.get(scope) {
            Alignment::Viewport => 0.0,
            Alignment::Map | Alignment::Auto => course.angle(middle - half, middle + half).to_degrees(),
        };
        let area = set.area.turned(turn.to_radians()).moved(at);
        if !area.meets(&self.picture()) || !(set.allow_overlap || self.taken.is_free(&area)) {
            return false;
        }
        if !set.ignore_placement {
            self.taken.add(area);
        }
        let (sin, cos) = turn.to_radians().sin_cos();
        let [x, y] = set.place.center;
        let center = [at[0] + x * cos - y * sin, at[1] + x * sin + y * cos];
        let place = ImagePlace { center, rotate: set.place.rotate + turn, ..set.place };
        placed.push(PlacedSymbol::Icon(set.name.clone(), place));
        true
    }
}

/// Where the middles of symbols are along a line: evenly, and at most one for each `spacing`.
fn middles(length: f32, width: f32, spacing: f32, placement: Placement) -> Vec<f32> {
    let step = spacing.max(width * 1.25);
    let count =
        if placement == Placement::LineCenter { 1 } else { ((length / step) as usize).clamp(1, 1_000) };
    (0..count).map(|index| (index as f32 + 0.5) * length / count as f32).collect()
}

/// The top left corners of a text's block relative to its point, one for each anchor to try.
fn corners(text: &Text, set: &SetText, scope: &Scope<'_>, ratio: f32) -> Vec<[f32; 2]> {
    let place = &text.place;
    let em = text.layout.size.get(scope).clamp(0.0, 400.0) * ratio;
    let [width, height] = set.block.size;
    let corner = |anchor: Anchor, offset: [f32; 2]| {
        let [x, y] = anchor.place();
        [offset[0] * em - x * width, offset[1] * em - y * height]
    };
    let variable = place.variable_anchor.get(scope);
    if variable.is_empty() {
        return vec![corner(place.anchor.get(scope), place.offset.get(scope))];
    }
    let radial = place.radial_offset.get(scope);
    let [x, y] = place.offset.get(scope);
    let offset = |anchor: Anchor| {
        let [ax, ay] = anchor.place().map(|at| (0.5 - at) * 2.0);
        if radial == 0.0 {
            return [ax * x.abs(), ay * y.abs()];
        }
        let length = ax.hypot(ay).max(1.0);
        [ax / length * radial, ay / length * radial]
    };
    variable.into_iter().map(|anchor| corner(anchor, offset(anchor))).collect()
}

/// The box of a text's ink relative to its point.
fn ink_at(set: &SetText, corner: [f32; 2]) -> LabelBox {
    let ink = set.block.ink.moved(corner);
    if set.rotate == 0.0 { ink } else { ink.turned(set.rotate) }
}

/// The glyphs of a text in the picture.
fn run_at(set: &SetText, corner: [f32; 2], at: [f32; 2]) -> GlyphRun {
    let (sin, cos) = set.rotate.sin_cos();
    let glyphs = set.block.glyphs.iter().map(|glyph| {
        let [x, y] = [glyph.origin[0] + corner[0], glyph.origin[1] + corner[1]];
        let origin = [at[0] + x * cos - y * sin, at[1] + x * sin + y * cos];
        PlacedGlyph { id: glyph.id, origin, size: glyph.size, angle: set.rotate }
    });
    GlyphRun { font: set.block.font, text: set.block.text.clone(), glyphs: glyphs.collect() }
}
