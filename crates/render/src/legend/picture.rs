//! Legends as pictures, for letters and for clients that draw no legend of their own.

use super::{Legend, LegendEntry, LegendGeometry, draw_sample};
use crate::{
    print::pen::{Align, Faces, Lettering},
    raster::{Canvas, Frames, StrokePaint},
    spec::{Color, LineCap, LineJoin},
};

/// Letters, in pixels of the style.
const EM: f32 = 12.0;
/// The height of a row, in ems.
const ROW: f32 = 1.75;
/// Width and height of a sample, in ems.
const SAMPLE: [f32; 2] = [3.0, 1.35];
/// The room around the legend and between a sample and its name, in ems.
const GAP: f32 = 0.7;
/// The widest that a name is written, in ems.
const NAME: f32 = 40.0;

/// How a legend is drawn.
#[derive(Clone, Copy, Debug)]
pub struct LegendLook {
    /// Pixels of the picture to a pixel of the style: 1, or 2 for a screen of high density.
    pub ratio: f32,
    /// What is behind samples of lines and points: the ground of the map.
    pub ground: Color,
    /// Whether the whole picture has this ground; else it is transparent.
    pub is_opaque: bool,
}

/// A legend that can be drawn on any canvas.
#[derive(Debug)]
pub struct LegendPicture<'a> {
    rows: Vec<Row<'a>>,
    look: LegendLook,
    name: Lettering,
    heading: Lettering,
    /// The width of the widest row in pixels.
    width: f32,
}

/// A line of the legend.
#[derive(Debug)]
enum Row<'a> {
    Group(String),
    Entry(&'a LegendEntry, String),
}

impl<'a> LegendPicture<'a> {
    /// Lays a legend out: one row for each entry, under the name of its layer. `None` if a font that ships
    /// with the program is missing, a defect of the program.
    pub fn new(legend: &'a Legend, look: LegendLook) -> Option<Self> {
        let faces = Faces::find().ok()?;
        let size = EM * look.ratio;
        let color = ink(look.ground);
        let name = Lettering { font: faces.plain, size, color };
        let heading = Lettering { font: faces.bold, size, color };
        let mut rows = Vec::new();
        let mut width = 0.0_f32;
        for group in &legend.groups {
            // A layer that looks alike everywhere has one entry with its own name.
            let is_alone = matches!(group.entries.as_slice(), [only] if only.label == group.title);
            if !is_alone {
                let title = heading.cut(&group.title, NAME * size);
                width = width.max(heading.width(&title));
                rows.push(Row::Group(title));
            }
            for entry in &group.entries {
                let label = name.cut(&entry.label, NAME * size);
                width = width.max((SAMPLE[0] + GAP) * size + name.width(&label));
                rows.push(Row::Entry(entry, label));
            }
        }
        Some(Self { rows, look, name, heading, width })
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        let em = EM * self.look.ratio;
        let height = self.rows.len() as f32 * ROW * em;
        [self.width, height].map(|side| (side + 2.0 * GAP * em).ceil() as u32)
    }

    /// Draws the legend from the top left corner.
    pub fn draw(&self, canvas: &mut impl Frames) {
        let LegendLook { ratio, ground, is_opaque } = self.look;
        let em = EM * ratio;
        if is_opaque {
            canvas.clear(ground);
        }
        for (number, row) in self.rows.iter().enumerate() {
            let [x, y] = [GAP * em, GAP * em + number as f32 * ROW * em];
            let baseline = y + ROW * em * 0.68;
            match row {
                Row::Group(title) => write(canvas, title, &self.heading, [x, baseline]),
                Row::Entry(entry, label) => {
                    let side = SAMPLE.map(|side| side * em);
                    let top = y + (ROW * em - side[1]) / 2.0;
                    let area = [[x, top], [x + side[0], top + side[1]]].map(|at| at.map(f32::round));
                    draw_sample(canvas, entry, area, (ratio, ground));
                    if entry.geometry == LegendGeometry::Polygon {
                        outline(canvas, area, (ratio, self.name.color));
                    }
                    write(canvas, label, &self.name, [x + side[0] + GAP * em, baseline]);
                }
            }
        }
    }
}

fn write(canvas: &mut impl Canvas, text: &str, look: &Lettering, at: [f32; 2]) {
    canvas.glyphs(&look.run(text, (at, Align::Left), 0.0), &look.paint());
}

/// Draws a thin edge around the sample of an area, inside of it.
fn outline(canvas: &mut impl Canvas, [low, high]: [[f32; 2]; 2], (width, color): (f32, Color)) {
    let half = width / 2.0;
    let rect = tiny_skia::Rect::from_ltrb(low[0] + half, low[1] + half, high[0] - half, high[1] - half);
    let Some(rect) = rect else { return };
    let color = Color { alpha: 0.5, ..color };
    let (cap, join) = (LineCap::Butt, LineJoin::Miter);
    let paint = StrokePaint { color, width, cap, join, miter_limit: 4.0, dashes: Vec::new() };
    canvas.stroke(&tiny_skia::PathBuilder::from_rect(rect), &paint);
}

/// The colour of letters on a ground.
fn ink(ground: Color) -> Color {
    let light = 0.299 * ground.red + 0.587 * ground.green + 0.114 * ground.blue;
    let shade = if light > 0.5 { 0.13 } else { 0.93 };
    Color { red: shade, green: shade, blue: shade, alpha: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{LegendGroup, LegendPart},
        *,
    };
    use crate::{raster::Picture, svg::SvgPicture};

    fn legend(color: &str) -> Legend {
        let fill = LegendPart::Fill { color: color.to_owned(), opacity: 1.0 };
        let entry = |label: &str, geometry, parts| LegendEntry {
            label: label.to_owned(),
            code: None,
            geometry,
            parts,
        };
        let line = LegendPart::Line {
            color: "#000000".to_owned(),
            opacity: 1.0,
            width: 4.0,
            dashes: Vec::new(),
            offset: 0.0,
        };
        let group = |title: &str, entries| LegendGroup {
            collection: "x".to_owned(),
            title: title.to_owned(),
            entries,
        };
        let groups = vec![
            group("Thửa đất", vec![entry("Đất ở tại đô thị", LegendGeometry::Polygon, vec![fill])]),
            group("Đường", vec![entry("Đường", LegendGeometry::Line, vec![line])]),
        ];
        Legend { zoom: 16.0, groups }
    }

    fn look(ratio: f32) -> LegendLook {
        LegendLook { ratio, ground: Color::WHITE, is_opaque: true }
    }

    #[test]
    fn samples_have_their_colours_and_twice_the_pixels_twice_the_size() {
        let legend = legend("#ff8000");
        let small = LegendPicture::new(&legend, look(1.0)).unwrap();
        // A heading, its entry, and a layer that is one entry.
        assert_eq!(small.rows.len(), 3);
        let [width, height] = small.size();
        let mut picture = Picture::new([width, height]).unwrap();
        small.draw(&mut picture);
        let row = |number: f32| (EM * (GAP + (number + 0.5) * ROW)) as u32;
        assert_eq!(picture.pixel(26, row(1.0)), Some([255, 128, 0, 255]));
        assert_eq!(picture.pixel(26, row(2.0)), Some([0, 0, 0, 255]), "the middle of the line");
        assert_eq!(picture.pixel(26, row(2.0) - 6), Some([255, 255, 255, 255]), "beside it");
        assert_eq!(picture.pixel(width - 1, height - 1), Some([255, 255, 255, 255]));
        let large = LegendPicture::new(&legend, look(2.0)).unwrap().size();
        assert!((i64::from(large[0]) - 2 * i64::from(width)).abs() <= 2, "{large:?}");
    }

    #[test]
    fn a_road_that_is_wider_than_its_sample_keeps_its_casing() {
        let mut legend = legend("#ff8000");
        let line = |color: &str, width| LegendPart::Line {
            color: color.to_owned(),
            opacity: 1.0,
            width,
            dashes: Vec::new(),
            offset: 0.0,
        };
        legend.groups[1].entries[0].parts = vec![line("#ff0000", 60.0), line("#0000ff", 56.0)];
        let own = LegendPicture::new(&legend, look(1.0)).unwrap();
        let mut picture = Picture::new(own.size()).unwrap();
        own.draw(&mut picture);
        let column = (0..own.size()[1]).filter_map(|y| picture.pixel(26, y));
        let colors: Vec<[u8; 4]> = column.collect();
        let count = |color: [u8; 4]| colors.iter().filter(|own| **own == color).count();
        // Two pixels of the casing on each side; the middles of pixels may be half covered.
        assert!((2..=4).contains(&count([255, 0, 0, 255])), "{colors:?}");
        assert!((6..=9).contains(&count([0, 0, 255, 255])), "{colors:?}");
    }

    #[test]
    fn the_same_legend_is_vectors_too() {
        let legend = legend("#ff8000");
        let own = LegendPicture::new(&legend, look(1.0)).unwrap();
        let mut svg = SvgPicture::new(own.size(), 1 << 20);
        own.draw(&mut svg);
        let text = svg.finish().unwrap();
        for part in ["aria-label=\"Đất ở tại đô thị\"", "fill=\"#ff8000\"", "stroke-width=\"4\""] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
    }

    #[test]
    fn letters_are_legible_on_any_ground() {
        assert!(ink(Color::WHITE).red < 0.2);
        assert!(ink(Color::BLACK).red > 0.9);
    }
}
