//! The legend of a sheet: rows with a sample of what is drawn and its name.

use super::{
    RATIO,
    paper::Area,
    pen::{INK, Lettering, Pen, SOFT, corners, path_of},
};
use crate::{
    legend::{Legend, LegendEntry, LegendGeometry, LegendPart},
    raster::{Canvas, FillPaint, ImagePlace, PatternPlace, StrokePaint},
    spec::{Color, LineCap, LineJoin},
    sprite::SpriteSheet,
};
use tiny_skia::PathBuilder;

/// Width and height of a sample, in ems of the names.
const SAMPLE: [f32; 2] = [3.0, 1.35];
/// The least width of a column, in ems.
const COLUMN: f32 = 22.0;

/// What is behind samples of lines and points.
const BACKING: Color = Color { red: 0.93, green: 0.93, blue: 0.92, alpha: 1.0 };

/// How a legend is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegendLook {
    pub(super) name: Lettering,
    pub(super) group: Lettering,
    pub(super) lang: &'static str,
}

/// A line of a legend.
enum Row<'a> {
    Group(&'a str),
    Entry(&'a LegendEntry),
}

fn rows(legend: &Legend) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for group in &legend.groups {
        // A layer that looks alike everywhere has one entry with its own name.
        let alone = matches!(group.entries.as_slice(), [only] if only.label == group.title);
        if !alone {
            rows.push(Row::Group(&group.title));
        }
        rows.extend(group.entries.iter().map(Row::Entry));
    }
    rows
}

/// Draws a legend in a box, in columns; the last line says how many entries have no room. Gives the number of
/// entries without room.
pub(super) fn draw(pen: &mut Pen<'_>, legend: &Legend, look: &LegendLook, [low, high]: Area) -> usize {
    let em = look.name.size;
    let height = em * 1.75;
    let [width, room] = [high[0] - low[0], high[1] - low[1]];
    let columns = ((width / (COLUMN * em)).floor() as usize).max(1);
    let lines = ((room / height).floor() as usize).max(1);
    let column_width = width / columns as f32;
    let rows = rows(legend);
    let all = columns * lines;
    let shown = if rows.len() > all { all - 1 } else { rows.len() };
    let place = |number: usize| {
        let (column, line) = (number / lines, number % lines);
        [low[0] + column as f32 * column_width, low[1] + line as f32 * height]
    };
    for (number, row) in rows.iter().take(shown).enumerate() {
        let [x, y] = place(number);
        let baseline = y + height * 0.72;
        match row {
            Row::Group(title) => {
                let title = look.group.cut(title, column_width - em);
                pen.text(&title, &look.group, [x, baseline], super::pen::Align::Left);
            }
            Row::Entry(entry) => {
                let side = SAMPLE.map(|side| side * em);
                let top = y + (height - side[1]) / 2.0;
                sample(pen, entry, [[x, top], [x + side[0], top + side[1]]]);
                let indent = side[0] + em * 0.6;
                let name = look.name.cut(&entry.label, column_width - indent - em * 0.5);
                pen.text(&name, &look.name, [x + indent, baseline], super::pen::Align::Left);
            }
        }
    }
    let missing = rows[shown..].iter().filter(|row| matches!(row, Row::Entry(_))).count();
    if missing > 0 {
        let [x, y] = place(shown);
        let text = if look.lang == "en" {
            format!("… and {}", citymap_model::counted(missing as u64, "more entry", "more entries"))
        } else {
            format!("… và {missing} mục khác")
        };
        let soft = Lettering { color: SOFT, ..look.name };
        pen.text(&text, &soft, [x, y + height * 0.72], super::pen::Align::Left);
    }
    missing
}

/// Draws what stands for an entry in a box.
pub(crate) fn sample(pen: &mut Pen<'_>, entry: &LegendEntry, area: Area) {
    let [low, high] = area;
    let size = [high[0] - low[0], high[1] - low[1]];
    let middle = size.map(|side| side / 2.0);
    let ratio = RATIO as f32;
    let sheet = SpriteSheet::for_ratio(RATIO);
    let is_area = entry.geometry == LegendGeometry::Polygon;
    pen.page.begin_frame(area);
    if !is_area {
        // Streets are as white as the paper.
        pen.fill(&corners([[0.0; 2], size]), BACKING);
    }
    for part in &entry.parts {
        match part {
            LegendPart::Fill { color, opacity } => {
                pen.fill(&corners([[0.0; 2], size]), seen(color, *opacity));
            }
            LegendPart::Pattern { image, opacity } => {
                let path = path_of(&corners([[0.0; 2], size]), true);
                if let (Some(path), Some(sprite)) = (path, sheet.get(image)) {
                    let place =
                        PatternPlace { origin: [0.0; 2], scale: ratio / sprite.ratio, opacity: *opacity };
                    pen.page.fill_pattern(&path, &sprite, &place);
                }
            }
            LegendPart::Line { color, opacity, width, dashes, offset } => {
                let width = width * ratio;
                // The edge of an area is drawn inside of the sample, where the frame does not cut it.
                let path = if is_area {
                    let inset = offset * ratio + width / 2.0;
                    let far = size.map(|side| (side - inset).max(inset));
                    path_of(&corners([[inset; 2], far]), true)
                } else {
                    let y = middle[1] + offset * ratio;
                    path_of(&[[0.0, y], [size[0], y]], false)
                };
                if let Some(path) = path {
                    let paint = StrokePaint {
                        color: seen(color, *opacity),
                        width,
                        cap: LineCap::Butt,
                        join: LineJoin::Miter,
                        miter_limit: 4.0,
                        dashes: even(dashes, width),
                    };
                    pen.page.stroke(&path, &paint);
                }
            }
            LegendPart::Circle { color, opacity, radius, stroke_color, stroke_width } => {
                let radius = radius * ratio;
                let disc = |radius: f32| PathBuilder::from_circle(middle[0], middle[1], radius);
                if let Some(path) = disc(radius) {
                    let paint = FillPaint { color: seen(color, *opacity), antialias: true };
                    pen.page.fill(&path, &paint);
                }
                let width = stroke_width * ratio;
                if let Some(path) = disc(radius + width / 2.0).filter(|_| width > 0.0) {
                    pen.stroke(&path, width, seen(stroke_color, 1.0));
                }
            }
            LegendPart::Icon { image, size } => {
                if let Some(sprite) = sheet.get(image) {
                    let scale = ratio / sprite.ratio * size;
                    let place = ImagePlace { center: middle, scale, rotate: 0.0, opacity: 1.0 };
                    pen.page.image(&sprite, &place);
                }
            }
        }
    }
    pen.page.end_frame();
    if is_area {
        pen.frame(area, 0.6, INK);
    }
}

/// The dashes in units, an even number of them.
fn even(dashes: &[f32], width: f32) -> Vec<f32> {
    let mut dashes: Vec<f32> = dashes.iter().map(|part| part * width).collect();
    if dashes.len() % 2 == 1 {
        dashes.extend_from_within(..);
    }
    dashes
}

/// A colour of a legend with its opacity.
fn seen(color: &str, opacity: f32) -> Color {
    Color::parse(color).unwrap_or(Color::BLACK).with_opacity(opacity)
}
