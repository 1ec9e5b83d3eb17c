//! A page of a PDF file as a canvas.

use std::io::{self, Write};

use flate2::{Compression, write::ZlibEncoder};
use tiny_skia::{Path, PathSegment};

use super::{
    document::Shared,
    images::PatternKey,
    syntax::{number, numbers, utf16},
};
use crate::{
    labels::{GlyphRun, PlacedGlyph},
    raster::{Canvas, FillPaint, Frames, ImagePlace, PatternPlace, StrokePaint, TextPaint},
    spec::{Color, LineCap, LineJoin},
    sprite::Sprite,
};

/// Positions on a page are rounded to at most this many millimetres.
const PLACE_MM: f32 = 0.01;
/// Decimals of sizes, angles and widths.
const FINE: u32 = 3;
/// How much wider than it is an area is drawn that shares edges with others, in points: viewers would let the
/// ground shine through between two smooth edges.
const OVERLAP: f32 = 0.17;

/// A page that is being drawn: a [`Canvas`] in tenths of a millimetre from the top left corner.
#[derive(Debug)]
pub struct PdfPage {
    size: [f32; 2],
    /// Points of PDF (1/72 inch) to a unit.
    points: f32,
    /// Number of decimals of positions.
    place: u32,
    shared: Shared,
    packed: ZlibEncoder<Vec<u8>>,
    /// What is not compressed yet.
    pending: Vec<u8>,
    failed: Option<io::Error>,
    bytes_max: u64,
    /// Where the origin of what is drawn now lies on the page.
    origin: [f32; 2],
    /// Width and height of what [`Canvas::clear`] paints.
    area: [f32; 2],
    /// The opacity that is set, in parts of 255; and the one that was when the frame began.
    opacity: u8,
    outer_opacity: u8,
    links: Vec<Link>,
}

/// A box on the page, left and top to right and bottom, and the address that it leads to.
pub(super) type Link = ([[f32; 2]; 2], String);

/// A page whose content is complete.
pub(super) struct Finished {
    pub(super) size: [f32; 2],
    /// Points of PDF to a unit.
    pub(super) points: f32,
    /// The content as a compressed stream.
    pub(super) content: Vec<u8>,
    pub(super) links: Vec<Link>,
    pub(super) shared: Shared,
}

impl PdfPage {
    pub(super) fn new((size, mm): ([f32; 2], f32), shared: Shared, bytes_max: u64) -> Self {
        let mut page = Self {
            size,
            points: mm * 72.0 / 25.4,
            place: (mm / PLACE_MM).log10().ceil().clamp(0.0, 4.0) as u32,
            shared,
            packed: ZlibEncoder::new(Vec::new(), Compression::default()),
            pending: Vec::new(),
            failed: None,
            bytes_max,
            origin: [0.0; 2],
            area: size,
            opacity: 255,
            outer_opacity: 255,
            links: Vec::new(),
        };
        let unit = page.points;
        // From units down from the top to points up from the bottom.
        numbers(&mut page.pending, &[unit, 0.0, 0.0, -unit], 5);
        numbers(&mut page.pending, &[0.0, size[1] * unit], 4);
        page.pending.extend(b"cm\n");
        page
    }

    /// Width and height in units.
    pub fn size(&self) -> [f32; 2] {
        self.size
    }

    /// Makes a box of the page (left and top, right and bottom) a link to an address.
    pub fn link(&mut self, area: [[f32; 2]; 2], address: &str) {
        // An address with other letters is escaped already, as in any link.
        if address.is_ascii() && !address.bytes().any(|byte| byte.is_ascii_control()) {
            self.links.push((area, address.to_owned()));
        }
    }

    /// The compressed content; `None` if it is larger than the file may be.
    pub(super) fn finish(mut self) -> Option<io::Result<Finished>> {
        self.pack();
        if let Some(error) = self.failed {
            return Some(Err(error));
        }
        let Self { size, points, links, shared, bytes_max, .. } = self;
        match self.packed.finish() {
            Ok(content) if content.len() as u64 > bytes_max => None,
            Ok(content) => Some(Ok(Finished { size, points, content, links, shared })),
            Err(error) => Some(Err(error)),
        }
    }

    /// Compresses what is pending, if the page may still grow.
    fn pack(&mut self) {
        if self.failed.is_none() && self.packed.get_ref().len() as u64 <= self.bytes_max {
            self.failed = self.packed.write_all(&self.pending).err();
        }
        self.pending.clear();
    }

    fn packed_when_long(&mut self) {
        if self.pending.len() > 1 << 16 {
            self.pack();
        }
    }

    fn set_opacity(&mut self, alpha: f32) {
        let opacity = (alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
        if opacity != self.opacity {
            self.opacity = opacity;
            self.shared.opacities.insert(opacity);
            self.pending.extend(format!("/A{opacity} gs ").as_bytes());
        }
    }

    /// Sets the colour of fills (`rg`) or strokes (`RG`), and the opacity.
    fn set_color(&mut self, color: Color, operator: &[u8]) {
        self.set_opacity(color.alpha);
        numbers(&mut self.pending, &[color.red, color.green, color.blue], FINE);
        self.pending.extend(operator);
        self.pending.push(b'\n');
    }

    fn path(&mut self, path: &Path) {
        let mut last = [0.0_f32; 2];
        let place = self.place;
        for segment in path.segments() {
            match segment {
                PathSegment::MoveTo(to) => {
                    numbers(&mut self.pending, &[to.x, to.y], place);
                    self.pending.extend(b"m\n");
                    last = [to.x, to.y];
                }
                PathSegment::LineTo(to) => {
                    numbers(&mut self.pending, &[to.x, to.y], place);
                    self.pending.extend(b"l\n");
                    last = [to.x, to.y];
                }
                PathSegment::QuadTo(by, to) => {
                    // The same curve with two handles, each two thirds of the way to the one.
                    let toward = |from: f32, by: f32| from + (by - from) * 2.0 / 3.0;
                    let curve = [
                        toward(last[0], by.x),
                        toward(last[1], by.y),
                        toward(to.x, by.x),
                        toward(to.y, by.y),
                        to.x,
                        to.y,
                    ];
                    numbers(&mut self.pending, &curve, place + 1);
                    self.pending.extend(b"c\n");
                    last = [to.x, to.y];
                }
                PathSegment::CubicTo(a, b, to) => {
                    numbers(&mut self.pending, &[a.x, a.y, b.x, b.y, to.x, to.y], place + 1);
                    self.pending.extend(b"c\n");
                    last = [to.x, to.y];
                }
                PathSegment::Close => self.pending.extend(b"h\n"),
            }
            self.packed_when_long();
        }
    }

    /// Shows glyphs; `mode` is 0 for their areas and 1 for their outlines.
    fn show(&mut self, run: &GlyphRun, mode: u8) {
        let font = self.shared.fonts.font(run.font);
        self.pending.extend(format!("BT {mode} Tr\n").as_bytes());
        let mut rest = run.glyphs.as_slice();
        while let Some(first) = rest.first() {
            let count = line_length(rest);
            let (line, others) = rest.split_at(count);
            rest = others;
            let (sin, cos) = first.angle.sin_cos();
            self.pending.extend(format!("/F{font} ").as_bytes());
            number(&mut self.pending, first.size, FINE);
            self.pending.extend(b" Tf ");
            // Units go down, letters up.
            numbers(&mut self.pending, &[cos, sin, sin, -cos], 5);
            numbers(&mut self.pending, &first.origin, self.place + 1);
            self.pending.extend(b"Tm [");
            self.line(font, line);
            self.pending.extend(b"] TJ\n");
        }
        self.pending.extend(b"ET\n");
        self.packed_when_long();
    }

    /// The glyphs of one line, with the corrections to their advances.
    fn line(&mut self, font: usize, glyphs: &[PlacedGlyph]) {
        let Some(first) = glyphs.first() else { return };
        let (sin, cos) = first.angle.sin_cos();
        // Where the reader of the file is, in ems from the first glyph.
        let mut at = 0.0_f32;
        let mut open = false;
        for glyph in glyphs {
            let [x, y] = [glyph.origin[0] - first.origin[0], glyph.origin[1] - first.origin[1]];
            let wanted = (x * cos + y * sin) / first.size;
            let shift = ((at - wanted) * 1e3).round();
            if shift != 0.0 {
                if open {
                    self.pending.push(b'>');
                    open = false;
                }
                number(&mut self.pending, shift, 0);
                at -= shift / 1e3;
            }
            if !open {
                self.pending.push(b'<');
                open = true;
            }
            let code = self.shared.fonts.code(font, glyph.id);
            self.pending.extend(format!("{:04X}", code.number).as_bytes());
            // The width that the file states for the glyph.
            at += (code.advance * 1e3).round() / 1e3;
        }
        if open {
            self.pending.push(b'>');
        }
    }

    /// The text of a run, where its glyphs do not tell it in reading order.
    fn spoken(&mut self, run: &GlyphRun) -> Option<String> {
        let font = self.shared.fonts.font(run.font);
        let turned = run.glyphs.windows(2).any(|pair| pair[0].angle != pair[1].angle);
        let unknown = run.glyphs.iter().any(|glyph| !self.shared.fonts.code(font, glyph.id).has_letter);
        (turned || unknown).then(|| utf16(&run.text))
    }
}

impl Frames for PdfPage {
    fn begin_frame(&mut self, [low, high]: [[f32; 2]; 2]) {
        self.area = [high[0] - low[0], high[1] - low[1]];
        self.origin = low;
        self.outer_opacity = self.opacity;
        self.pending.extend(b"q ");
        numbers(&mut self.pending, &[low[0], low[1], self.area[0], self.area[1]], FINE);
        self.pending.extend(b"re W n 1 0 0 1 ");
        numbers(&mut self.pending, &low, FINE);
        self.pending.extend(b"cm\n");
    }

    fn end_frame(&mut self) {
        self.pending.extend(b"Q\n");
        self.origin = [0.0; 2];
        self.area = self.size;
        self.opacity = self.outer_opacity;
        self.pack();
    }
}

impl Canvas for PdfPage {
    fn clear(&mut self, color: Color) {
        self.set_color(color, b"rg");
        numbers(&mut self.pending, &[0.0, 0.0, self.area[0], self.area[1]], FINE);
        self.pending.extend(b"re f\n");
    }

    fn fill(&mut self, path: &Path, paint: &FillPaint) {
        self.set_color(paint.color, b"rg");
        // A translucent area would be darker along its edges.
        let grown = !paint.antialias && paint.color.alpha >= 1.0;
        if grown {
            self.set_color(paint.color, b"RG");
            let width = OVERLAP / self.points;
            number(&mut self.pending, width, FINE);
            self.pending.extend(b" w 1 j [] 0 d\n");
        }
        self.path(path);
        self.pending.extend(if grown { b"B\n" } else { b"f\n" });
        self.packed_when_long();
    }

    fn fill_pattern(&mut self, path: &Path, sprite: &Sprite<'_>, place: &PatternPlace) {
        let image = self.shared.images.image(sprite.pixmap);
        let opacity = (place.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
        if opacity < 255 {
            self.shared.opacities.insert(opacity);
        }
        let scale = place.scale * self.points;
        let x = (self.origin[0] + place.origin[0]) * self.points;
        // Patterns begin at the bottom of an image, and are placed on the page whatever else is set.
        let height = sprite.pixmap.height() as f32 * scale;
        let y = (self.size[1] - self.origin[1] - place.origin[1]) * self.points - height;
        let matrix = [scale, 0.0, 0.0, scale, x, y].map(|value| (f64::from(value) * 1e6).round() as i64);
        let pattern = self.shared.images.pattern(PatternKey { image, opacity, matrix });
        self.set_opacity(1.0);
        self.pending.extend(format!("/Pattern cs /P{pattern} scn\n").as_bytes());
        self.path(path);
        self.pending.extend(b"f\n");
        self.packed_when_long();
    }

    fn stroke(&mut self, path: &Path, paint: &StrokePaint) {
        self.set_color(paint.color, b"RG");
        number(&mut self.pending, paint.width, FINE);
        let cap = match paint.cap {
            LineCap::Butt => 0,
            LineCap::Round => 1,
            LineCap::Square => 2,
        };
        let join = match paint.join {
            LineJoin::Miter => 0,
            LineJoin::Round => 1,
            LineJoin::Bevel => 2,
        };
        self.pending.extend(format!(" w {cap} J {join} j ").as_bytes());
        number(&mut self.pending, paint.miter_limit.max(1.0), FINE);
        self.pending.extend(b" M [");
        if paint.dashes.iter().any(|part| *part > 0.0) {
            numbers(&mut self.pending, &paint.dashes, FINE);
        }
        self.pending.extend(b"] 0 d\n");
        self.path(path);
        self.pending.extend(b"S\n");
        self.packed_when_long();
    }

    fn glyphs(&mut self, run: &GlyphRun, paint: &TextPaint) {
        if run.glyphs.is_empty() {
            return;
        }
        if paint.halo.alpha > 0.0 && paint.halo_width > 0.0 {
            self.set_color(paint.halo, b"RG");
            number(&mut self.pending, paint.halo_width * 2.0, FINE);
            // Readers must not find the text twice.
            self.pending.extend(b" w 1 j 1 J [] 0 d /Span << /ActualText <FEFF> >> BDC\n");
            self.show(run, 1);
            self.pending.extend(b"EMC\n");
        }
        self.set_color(paint.color, b"rg");
        let spoken = self.spoken(run);
        if let Some(text) = &spoken {
            self.pending.extend(format!("/Span << /ActualText <FEFF{text}> >> BDC\n").as_bytes());
        }
        self.show(run, 0);
        if spoken.is_some() {
            self.pending.extend(b"EMC\n");
        }
    }

    fn image(&mut self, sprite: &Sprite<'_>, place: &ImagePlace) {
        let image = self.shared.images.image(sprite.pixmap);
        let [width, height] =
            [sprite.pixmap.width(), sprite.pixmap.height()].map(|side| side as f32 * place.scale);
        self.set_opacity(place.opacity);
        let (sin, cos) = place.rotate.to_radians().sin_cos();
        let [x, y] = place.center;
        // An image fills the unit square, which goes up.
        let corner = |u: f32, v: f32| [x + u * cos - v * sin, y + u * sin + v * cos];
        let [left, bottom] = corner(-width / 2.0, height / 2.0);
        self.pending.extend(b"q ");
        numbers(
            &mut self.pending,
            &[width * cos, width * sin, height * sin, -height * cos, left, bottom],
            FINE,
        );
        self.pending.extend(format!("cm /I{image} Do Q\n").as_bytes());
        self.packed_when_long();
    }
}

/// How many glyphs from the first on are on its baseline, in its size and angle.
fn line_length(glyphs: &[PlacedGlyph]) -> usize {
    let Some(first) = glyphs.first() else { return 0 };
    let (sin, cos) = first.angle.sin_cos();
    let on_line = |glyph: &PlacedGlyph| {
        let [x, y] = [glyph.origin[0] - first.origin[0], glyph.origin[1] - first.origin[1]];
        let (along, across) = (x * cos + y * sin, y * cos - x * sin);
        glyph.size == first.size && glyph.angle == first.angle && across.abs() < 0.05 && along >= 0.0
    };
    glyphs.iter().take_while(|glyph| on_line(glyph)).count()
}
