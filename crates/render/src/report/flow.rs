//! Lines and boxes one below the other on as many pages as they need.

use citymap_model::text::shown_but;

use super::map::MapPlace;
use crate::{
    legend::LegendEntry,
    pdf::UNITS_PER_MM,
    print::{
        paper::Area,
        pen::{Align, Lettering},
    },
};

/// Width and height of a page in units: A4 upright.
pub(super) const PAGE: [f32; 2] = [210.0 * UNITS_PER_MM, 297.0 * UNITS_PER_MM];
/// The left edge of the content.
pub(super) const LEFT: f32 = 18.0 * UNITS_PER_MM;
/// The right edge of the content.
pub(super) const RIGHT: f32 = PAGE[0] - LEFT;
/// The upper edge of the content.
pub(super) const TOP: f32 = 15.0 * UNITS_PER_MM;
/// The lower edge of the content; the footer is below it.
pub(super) const BOTTOM: f32 = 277.0 * UNITS_PER_MM;

/// The distance between the lines of a table.
pub(super) const LEADING: f32 = 4.2 * UNITS_PER_MM;
/// The space above and below the lines of a row.
const PAD: f32 = 0.55 * UNITS_PER_MM;

/// Something with its place on a page, in units from the top left corner.
#[derive(Debug)]
pub(super) enum Item {
    Text(TextLine),
    Rule {
        from: [f32; 2],
        to: [f32; 2],
        width: f32,
    },
    /// The look of a zone on the map.
    Sample {
        entry: LegendEntry,
        area: Area,
    },
    /// The look of the parcel on the map.
    Outline(Area),
    Code {
        corner: [f32; 2],
        side: f32,
        address: String,
    },
    Link {
        area: Area,
        address: String,
    },
    Map(Box<MapPlace>),
}

/// A line of text from a point on its baseline.
#[derive(Debug)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) look: Lettering,
    pub(super) at: [f32; 2],
    pub(super) align: Align,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) left: f32,
    pub(super) width: f32,
    pub(super) align: Align,
}

impl Column {
    /// The text in lines of this column.
    pub(super) fn lines(&self, text: &str, look: &Lettering) -> Vec<(String, Lettering)> {
        look.lines(&safe(text), self.width).into_iter().map(|line| (line, *look)).collect()
    }
}

/// The lines of a cell with their letters.
pub(super) type Cell = Vec<(String, Lettering)>;

/// A text without characters that steer how others are shown.
fn safe(text: &str) -> std::borrow::Cow<'_, str> {
    shown_but(text, &['\n', '\t'])
}

/// Pages that are being filled.
#[derive(Debug)]
pub(super) struct Flow {
    pages: Vec<Vec<Item>>,
    /// Where the next content begins on the last page.
    pub(super) y: f32,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self { pages: vec![Vec::new()], y: TOP }
    }

    pub(super) fn finish(self) -> Vec<Vec<Item>> {
        self.pages
    }

    /// The height that is left on the page.
    pub(super) fn room(&self) -> f32 {
        BOTTOM - self.y
    }

    /// The number of the page that is being filled.
    pub(super) fn page(&self) -> usize {
        self.pages.len()
    }

    /// Begins an empty page below the last one.
    pub(super) fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    /// Begins a page unless this much height is left.
    pub(super) fn need(&mut self, height: f32) {
        if self.room() < height && self.y > TOP {
            self.turn();
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    pub(super) fn space(&mut self, height: f32) {
        if self.y > TOP {
            self.y += height;
        }
    }

    pub(super) fn line(&mut self, text: String, look: Lettering, (at, align): ([f32; 2], Align)) {
        self.push(Item::Text(TextLine { text, look, at, align }));
    }

    /// Writes a paragraph between two edges.
    pub(super) fn paragraph(&mut self, text: &str, look: &Lettering, [left, right]: [f32; 2]) {
        for line in look.lines(&safe(text), right - left) {
            self.need(look.leading());
            let baseline = self.y + look.size;
            self.line(line, *look, ([left, baseline], Align::Left));
            self.y += look.leading();
        }
    }

    pub(super) fn rule(&mut self, width: f32) {
        let y = self.y;
        self.push(Item::Rule { from: [LEFT, y], to: [RIGHT, y], width });
    }

    /// Writes rows below column headings, which are repeated on each page. Without headings, rows only.
    pub(super) fn table(&mut self, columns: &[Column], head: &[Cell], rows: impl Iterator<Item = Vec<Cell>>) {
        let height = |cells: &[Cell]| cells.iter().map(Vec::len).max().unwrap_or(0) as f32 * LEADING;
        let head_height = height(head) + 2.0 * PAD;
        self.need(head_height + 2.0 * (LEADING + PAD));
        self.head(columns, head);
        let whole = BOTTOM - TOP - head_height;
        for cells in rows {
            let own = height(&cells) + 2.0 * PAD;
            if own > self.room() && own <= whole {
                self.turn();
                self.head(columns, head);
            }
            self.y += PAD;
            let count = cells.iter().map(Vec::len).max().unwrap_or(0);
            for number in 0..count {
                if self.room() < LEADING {
                    self.turn();
                    self.head(columns, head);
                    self.y += PAD;
                }
                self.row_line(columns, &cells, number);
            }
            self.y += PAD;
            self.rule(0.8);
        }
    }

    fn head(&mut self, columns: &[Column], head: &[Cell]) {
        let count = head.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return;
        }
        self.y += PAD;
        for number in 0..count {
            self.row_line(columns, head, number);
        }
        self.y += PAD;
        self.rule(2.0);
    }

    /// Writes the lines with this number of all cells of a row.
    fn row_line(&mut self, columns: &[Column], cells: &[Cell], number: usize) {
        let baseline = self.y + LEADING * 0.74;
        for (column, cell) in columns.iter().zip(cells) {
            let Some((text, look)) = cell.get(number) else { continue };
            let x = match column.align {
                Align::Left => column.left,
                Align::Middle => column.left + column.width / 2.0,
                Align::Right => column.left + column.width,
            };
            self.line(text.clone(), *look, ([x, baseline], column.align));
        }
        self.y += LEADING;
    }
}
