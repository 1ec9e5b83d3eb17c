//! The legend of a sheet: rows with a sample of what is drawn and its name.

use super::{
    RATIO,
    paper::Area,
    pen::{INK, Lettering, Pen, SOFT},
};
use crate::{
    legend::{Legend, LegendEntry, LegendGeometry, draw_sample},
    spec::Color,
};

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

/// Draws what stands for an entry in a box, with the edge of an area.
pub(crate) fn sample(pen: &mut Pen<'_>, entry: &LegendEntry, area: Area) {
    draw_sample(pen.page, entry, area, (RATIO as f32, BACKING));
    if entry.geometry == LegendGeometry::Polygon {
        pen.frame(area, 0.6, INK);
    }
}
