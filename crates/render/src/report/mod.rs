//! The report on a parcel as a PDF file: A4, in Vietnamese or English.
//!
//! [`ReportPrinter`] puts a [`ParcelReport`] on paper: who publishes it, what the parcel is called and how
//! large it is, a map at an exact usual scale with the parcel outlined, the plans in order of precedence, the
//! right-of-way, the corners, the sources, and how the paper is checked. The texts are those of
//! [`citymap_planning::wording`], which the page for people has too.
//!
//! A file is made in two steps: the content is composed into lines and boxes with their places on pages, and
//! then drawn, so that each page can say how many there are.
//!
//! # Guarantees
//! - The same report, city, style, template and language give the same bytes.
//! - No text is cut off: texts wrap in their columns, tables go on on the next page with their headings
//!   repeated, and a row that is higher than a page is continued on the next one.
//! - Memory: the composed lines of one report, of at most
//!   [`corners_max`](citymap_planning::ReportOptions::corners_max) corners, and one page.

mod compose;
mod flow;
mod map;

use std::io::Write;

use citymap_model::Title;
use citymap_planning::{
    ParcelReport,
    wording::{parcel_name, report_title},
};

use self::{
    compose::compose,
    flow::{BOTTOM, Item, LEFT, PAGE, RIGHT},
};
use crate::{
    pdf::{PdfDocument, PdfInfo},
    print::{
        Highlight, PrintError, PrintTemplate, Styled,
        furniture::draw_code,
        legend,
        pen::{ACCENT, Align, Faces, INK, Lettering, Pen, SOFT, corners},
    },
    raster::Source,
    spec::{Color, Style},
    styles::StyleBook,
};

/// The id of the style of the maps: of the standard styles the one that draws plans, else the first style of
/// the book.
pub fn style_id(book: &StyleBook) -> Option<&str> {
    let id = book.entry("plan").map(|entry| entry.id);
    id.or_else(|| book.entries().first().map(|entry| entry.id))
}

/// What all reports of a run have in common.
#[derive(Clone, Copy, Debug)]
pub struct ReportSetting<'a> {
    /// The style of the map.
    pub styled: &'a Styled,
    /// What the operator writes on every sheet.
    pub template: &'a PrintTemplate,
    /// The language of all texts: `"vi"` or `"en"`.
    pub lang: &'static str,
    /// Maximum size of a file in bytes.
    pub bytes_max: u64,
}

/// Puts reports on paper, of which it has read the style once.
#[derive(Debug)]
pub struct ReportPrinter<'a> {
    setting: ReportSetting<'a>,
    style: Style,
    looks: Looks,
}

/// The letters of a report.
#[derive(Clone, Copy, Debug)]
struct Looks {
    title: Lettering,
    heading: Lettering,
    strong: Lettering,
    body: Lettering,
    soft: Lettering,
    code: Lettering,
    small: Lettering,
}

impl Looks {
    fn new(faces: Faces) -> Self {
        // Millimetres to an em.
        let look = |bold: bool, mm: f32, color: Color| Lettering {
            font: if bold { faces.bold } else { faces.plain },
            size: mm * crate::pdf::UNITS_PER_MM,
            color,
        };
        Self {
            title: look(true, 5.6, INK),
            heading: look(true, 3.8, ACCENT),
            strong: look(true, 3.1, INK),
            body: look(false, 3.1, INK),
            soft: look(false, 2.7, SOFT),
            code: look(false, 2.8, INK),
            small: look(false, 2.4, SOFT),
        }
    }
}

impl<'a> ReportPrinter<'a> {
    /// Reads the style of a run.
    ///
    /// # Errors
    /// [`PrintError::Style`] if the style cannot be drawn.
    pub fn new(setting: ReportSetting<'a>) -> Result<Self, PrintError> {
        let style = Style::parse(&setting.styled.document)?;
        Ok(Self { setting, style, looks: Looks::new(Faces::find()?) })
    }

    /// Writes a report as a PDF file. `source` is the city at the report's revision and valid time, and
    /// `parcel` the shape that is outlined on the map; without it the file has no map.
    ///
    /// # Errors
    /// [`PrintError`] if the map shows too much, the file becomes too large, or the work was cancelled.
    pub fn write<W: Write>(
        &self,
        report: &ParcelReport,
        (source, parcel): (&Source<'_>, Option<&Highlight>),
        out: W,
    ) -> Result<W, PrintError> {
        let (lang, bytes_max) = (self.setting.lang, self.setting.bytes_max);
        let name = parcel_name(report, lang);
        let title = format!("{} – {name}", report_title(lang));
        let pages = compose(self, report, (source, parcel))?;
        let mut document = PdfDocument::new(out, &PdfInfo { title: &title, lang, bytes_max })?;
        let total = pages.len();
        for (number, items) in pages.iter().enumerate() {
            source.cancel.check().map_err(crate::raster::RenderError::from)?;
            let mut page = document.page(PAGE);
            let mut pen = Pen { page: &mut page };
            for item in items {
                self.draw(&mut pen, item, (source, parcel))?;
            }
            self.footer(&mut pen, &name, (number + 1, total));
            document.add(page)?;
        }
        Ok(document.finish()?)
    }

    fn say(&self, vi: &'static str, en: &'static str) -> &'static str {
        if self.setting.lang == "en" { en } else { vi }
    }

    /// The note of what the report is good for: the operator's, or that of the report.
    fn disclaimer<'t>(&'t self, report: &'t ParcelReport) -> &'t str {
        let own: &Title = &self.setting.template.disclaimer;
        if own.is_empty() { report.notice.get(self.setting.lang) } else { own.get(self.setting.lang) }
    }

    fn draw(
        &self,
        pen: &mut Pen<'_>,
        item: &Item,
        (source, parcel): (&Source<'_>, Option<&Highlight>),
    ) -> Result<(), PrintError> {
        match item {
            Item::Text(line) => pen.text(&line.text, &line.look, line.at, line.align),
            Item::Rule { from, to, width } => pen.line(&[*from, *to], *width, SOFT),
            Item::Sample { entry, area } => legend::sample(pen, entry, *area),
            Item::Outline(area) => {
                pen.fill(&corners(*area), Color::WHITE);
                pen.frame(*area, 5.0, ACCENT);
            }
            Item::Code { corner, side, address } => draw_code(pen, address, (*corner, *side))?,
            Item::Link { area, address } => pen.page.link(*area, address),
            Item::Map(place) => map::draw(self, pen, place, (source, parcel))?,
        }
        Ok(())
    }

    /// The parcel's name and the number of the page.
    fn footer(&self, pen: &mut Pen<'_>, name: &str, (number, total): (usize, usize)) {
        let look = self.looks.small;
        let y = BOTTOM + 5.0 * crate::pdf::UNITS_PER_MM;
        pen.line(&[[LEFT, y], [RIGHT, y]], 1.0, SOFT);
        let baseline = y + look.leading();
        let page = format!("{} {number}/{total}", self.say("Trang", "Page"));
        let width = RIGHT - LEFT - look.width(&page) - look.size * 2.0;
        pen.text(&look.cut(&citymap_model::text::shown(name), width), &look, [LEFT, baseline], Align::Left);
        pen.text(&page, &look, [RIGHT, baseline], Align::Right);
    }
}

#[cfg(test)]
mod tests;
