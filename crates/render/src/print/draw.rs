//! Draws the sheets of a plan into a file.

use std::io::Write;

use citymap_engine::LayerSnapshot;
use citymap_model::{Title, counted};

use super::{
    Highlight, Orientation, PrintError, PrintLimits, PrintPlan, PrintTemplate, Sheet, Styled,
    furniture::{draw_bar, draw_code, draw_north, draw_outline, grid_texts, scale_text},
    grid,
    legend::{self, LegendLook},
    paper::Area,
    pen::{ACCENT, Align, Faces, INK, Lettering, Pen, SOFT},
};
use crate::{
    legend::{Legend, LegendLayer, ShownArea, occurring},
    pdf::{PdfDocument, PdfInfo, PdfPage},
    raster::{Frames, Ground, Source, draw as draw_map},
    spec::{Color, Style},
};

/// What a print says besides the map.
#[derive(Clone, Copy)]
pub struct PrintInfo<'a> {
    /// The title; empty for that of the template, or else of the style.
    pub title: &'a str,
    /// The language of all texts: `"vi"` or `"en"`.
    pub lang: &'static str,
    /// What the operator writes on every sheet.
    pub template: &'a PrintTemplate,
    /// The valid time in words, where one was chosen.
    pub valid_on: Option<&'a str>,
    /// The address of what a sheet shows; without it a sheet has no code.
    pub address: Option<&'a dyn Fn(&Sheet) -> String>,
    /// A feature that is outlined on the map.
    pub highlight: Option<&'a Highlight>,
}

impl std::fmt::Debug for PrintInfo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { title, lang, template, valid_on, .. } = self;
        f.debug_struct("PrintInfo")
            .field("title", title)
            .field("lang", lang)
            .field("template", template)
            .field("valid_on", valid_on)
            .finish_non_exhaustive()
    }
}

/// What a print draws: a city at a revision and a valid time, in a style.
#[derive(Clone, Copy, Debug)]
pub struct PrintSource<'a> {
    /// The city at a revision and a valid time.
    pub source: &'a Source<'a>,
    /// The style in which it is drawn.
    pub styled: &'a Styled,
}

/// How far a print is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrintProgress {
    /// Pages that are in the file.
    pub done: usize,
    /// Pages of the whole print.
    pub total: usize,
}

/// Draws all sheets of a plan as a PDF file, one after the other, and calls `progress` after each.
///
/// # Errors
/// [`PrintError`] if the style cannot be drawn, a sheet shows too much, the file becomes too large, or the
/// work was cancelled.
pub fn write<W: Write>(
    plan: &PrintPlan,
    of: &PrintSource<'_>,
    (info, limits): (&PrintInfo<'_>, &PrintLimits),
    progress: &mut dyn FnMut(PrintProgress),
    out: W,
) -> Result<W, PrintError> {
    let PrintSource { source, styled } = *of;
    let style = Style::parse(&styled.document)?;
    let faces = Faces::find()?;
    let title = title_of(info, styled);
    let mut document =
        PdfDocument::new(out, &PdfInfo { title: &title, lang: info.lang, bytes_max: limits.bytes_max })?;
    let artist = Artist { plan, source, styled, style, info, faces, title };
    let total = plan.pages();
    let pages =
        plan.index.iter().map(|sheet| (sheet, true)).chain(plan.sheets.iter().map(|own| (own, false)));
    for (number, (sheet, is_index)) in pages.enumerate() {
        let mut page = document.page(plan.layout.size);
        artist.page(&mut page, sheet, is_index)?;
        document.add(page)?;
        progress(PrintProgress { done: number + 1, total });
    }
    Ok(document.finish()?)
}

/// The title of a print: of the order, of the template, or of the style.
fn title_of(info: &PrintInfo<'_>, styled: &Styled) -> String {
    let own = [info.title, info.template.title.get(info.lang)];
    let named = own.into_iter().find(|title| !title.trim().is_empty());
    let title = named.or_else(|| styled.document["name"].as_str()).unwrap_or_default();
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the pages of a print have in common.
struct Artist<'a> {
    plan: &'a PrintPlan,
    source: &'a Source<'a>,
    styled: &'a Styled,
    style: Style,
    info: &'a PrintInfo<'a>,
    faces: Faces,
    title: String,
}

impl Artist<'_> {
    fn say(&self, vi: &'static str, en: &'static str) -> &'static str {
        if self.info.lang == "en" { en } else { vi }
    }

    /// Letters of this many millimetres on A4.
    fn look(&self, mm: f32, bold: bool, color: Color) -> Lettering {
        let font = if bold { self.faces.bold } else { self.faces.plain };
        Lettering { font, size: mm * self.plan.layout.unit, color }
    }

    fn page(&self, page: &mut PdfPage, sheet: &Sheet, is_index: bool) -> Result<(), PrintError> {
        let layout = &self.plan.layout;
        page.begin_frame(layout.frame);
        draw_map(&self.style, sheet.view(), self.source, Ground::Style, page)?;
        page.end_frame();
        let mut pen = Pen { page };
        if let Some(highlight) = self.info.highlight {
            draw_outline(&mut pen, (sheet, layout.frame), highlight)?;
        }
        let small = self.look(1.7, false, INK);
        let step = grid::interval(sheet.scale(), f64::from(self.plan.paper.enlargement()));
        if is_index {
            self.places(&mut pen, sheet);
        }
        grid::draw(&mut pen, sheet, layout, &small, step);
        pen.frame(layout.frame, 3.0, INK);
        pen.frame(layout.block, 1.5, INK);
        self.block(&mut pen, sheet, (is_index, step))
    }

    /// The places of all sheets on the index sheet.
    fn places(&self, pen: &mut Pen<'_>, index: &Sheet) {
        pen.page.begin_frame(self.plan.layout.frame);
        let unit = self.plan.layout.unit;
        for sheet in &self.plan.sheets {
            let corners = sheet.corners().map(|corner| index.place(corner).map(|value| value as f32));
            if let Some(path) = super::pen::path_of(&corners, true) {
                pen.stroke(&path, 0.4 * unit, ACCENT);
            }
            let middle = [0, 1].map(|axis| (corners[0][axis] + corners[2][axis]) / 2.0);
            let side = (corners[0][0] - corners[1][0]).hypot(corners[0][1] - corners[1][1]);
            let size = (side * 0.25).clamp(2.0 * unit, 8.0 * unit);
            let look = Lettering { font: self.faces.bold, size, color: ACCENT };
            pen.text(&sheet.number().to_string(), &look, [middle[0], middle[1] + size * 0.35], Align::Middle);
        }
        pen.page.end_frame();
    }

    /// The title block: what the sheet is, its legend, and what one must know of it.
    fn block(&self, pen: &mut Pen<'_>, sheet: &Sheet, form: (bool, f64)) -> Result<(), PrintError> {
        let layout = &self.plan.layout;
        let pad = 2.0 * layout.unit;
        let [low, high] = [layout.block[0].map(|at| at + pad), layout.block[1].map(|at| at - pad)];
        let (legend, layers) = self.legend(sheet)?;
        let heading = self.look(2.3, true, INK);
        match layout.orientation {
            Orientation::Landscape => {
                let width = high[0] - low[0];
                let bottom = low[1] + self.head(pen, sheet, form, (low, width));
                let tail = self.tail_height(&layers, width);
                let top = high[1] - tail;
                self.tail(pen, sheet, &layers, ([low[0], top], width))?;
                rule(pen, [low[0], bottom], width);
                rule(pen, [low[0], top - pad / 2.0], width);
                self.named_legend(
                    pen,
                    &legend,
                    &heading,
                    [[low[0], bottom + pad / 2.0], [high[0], top - pad]],
                );
            }
            Orientation::Portrait => {
                let (head, tail) = (54.0 * layout.unit, 58.0 * layout.unit);
                self.head(pen, sheet, form, (low, head));
                self.tail(pen, sheet, &layers, ([high[0] - tail, low[1]], tail))?;
                let area = [[low[0] + head + pad * 2.0, low[1]], [high[0] - tail - pad * 2.0, high[1]]];
                for x in [area[0][0] - pad, area[1][0] + pad] {
                    pen.line(&[[x, layout.block[0][1]], [x, layout.block[1][1]]], 1.0, SOFT);
                }
                self.named_legend(pen, &legend, &heading, area);
            }
        }
        Ok(())
    }

    fn named_legend(&self, pen: &mut Pen<'_>, legend: &Legend, heading: &Lettering, [low, high]: Area) {
        let y = low[1] + heading.size;
        pen.text(self.say("Chú giải", "Legend"), heading, [low[0], y], Align::Left);
        let look = LegendLook {
            name: self.look(2.0, false, INK),
            group: self.look(2.0, true, INK),
            lang: self.info.lang,
        };
        legend::draw(pen, legend, &look, [[low[0], y + heading.size * 0.5], high]);
    }

    /// The legend of what is on a sheet, and the layers in it.
    fn legend(&self, sheet: &Sheet) -> Result<(Legend, Vec<&LayerSnapshot>), PrintError> {
        let area = ShownArea::new(sheet.outline()?);
        let mut snapshots: Vec<&LayerSnapshot> =
            self.source.city.layers.values().map(AsRef::as_ref).collect();
        snapshots.sort_by_key(|own| own.layer().role);
        let mut layers = Vec::with_capacity(snapshots.len());
        for snapshot in &snapshots {
            self.source.cancel.check().map_err(crate::raster::RenderError::from)?;
            let occurring = Some(occurring(snapshot, &area, self.source.time, self.styled.level));
            layers.push(LegendLayer { layer: snapshot.layer(), occurring });
        }
        let legend = Legend::of(&self.styled.document, &layers, sheet.view().zoom(), self.info.lang)?;
        let named = |own: &&LayerSnapshot| {
            legend.groups.iter().any(|group| group.collection == own.layer().id.as_str())
        };
        snapshots.retain(named);
        Ok((legend, snapshots))
    }

    /// Draws the title, the scale and the coordinate system; gives the height.
    fn head(
        &self,
        pen: &mut Pen<'_>,
        sheet: &Sheet,
        (is_index, step): (bool, f64),
        ([x, top], width): ([f32; 2], f32),
    ) -> f32 {
        let (plan, info) = (self.plan, self.info);
        let unit = plan.layout.unit;
        let (soft, plain) = (self.look(2.0, false, SOFT), self.look(2.0, false, INK));
        let mut y = top;
        let organization = info.template.organization.get(info.lang);
        y += pen.paragraph(organization, &soft, [x, y], width);
        y += pen.paragraph(&self.title, &self.look(3.6, true, INK), [x, y], width);
        y += pen.paragraph(self.source.city.profile.name.get(info.lang), &plain, [x, y], width);
        if is_index {
            let count = plan.sheets.len();
            let text = if info.lang == "en" {
                format!("Index of {}", counted(count as u64, "sheet", "sheets"))
            } else {
                format!("Sơ đồ bảng chắp: {count} tờ")
            };
            y += pen.paragraph(&text, &self.look(2.4, true, ACCENT), [x, y], width);
        } else if plan.sheets.len() > 1 {
            let [row, column] = sheet.cell();
            let text = format!(
                "{} {}/{} ({} {}, {} {})",
                self.say("Tờ", "Sheet"),
                sheet.number(),
                plan.sheets.len(),
                self.say("hàng", "row"),
                row + 1,
                self.say("cột", "column"),
                column + 1
            );
            y += pen.paragraph(&text, &self.look(2.4, true, ACCENT), [x, y], width);
        }
        y += unit;
        let arrow = 10.0 * unit;
        let middle = [x + width - 5.0 * unit, y + 8.5 * unit];
        draw_north(pen, &self.look(2.4, true, INK), (middle, arrow), (sheet.bearing(), self.say("B", "N")));
        let scale = scale_text(sheet.scale(), info.lang);
        let strong = self.look(3.0, true, INK);
        y += pen.paragraph(&scale, &strong, [x, y], width);
        y += unit;
        y += draw_bar(pen, sheet.scale(), &self.look(1.8, false, INK), ([x, y], width - 16.0 * unit));
        y = (y + 2.0 * unit).max(middle[1] + arrow * 0.5 + unit);
        for line in grid_texts(step, info.lang) {
            y += pen.paragraph(&line, &soft, [x, y], width);
        }
        y + unit - top
    }

    /// The sources of layers, one line each.
    fn sources(&self, layers: &[&LayerSnapshot]) -> Vec<String> {
        let lang = self.info.lang;
        layers
            .iter()
            .map(|snapshot| {
                let layer = snapshot.layer();
                let title = if layer.title.is_empty() { layer.id.as_str() } else { layer.title.get(lang) };
                let mut text = title.to_owned();
                for more in [&layer.steward, &layer.source].into_iter().flatten() {
                    text.push_str(&format!(" · {more}"));
                }
                if let Some(date) = layer.data_date {
                    text.push_str(&format!(" · {}", date.format("%d/%m/%Y")));
                }
                if layer.synthetic {
                    text.push_str(self.say(" · dữ liệu giả định", " · invented data"));
                }
                text
            })
            .collect()
    }

    /// The texts of the tail from top to bottom, with their letters.
    fn tail_texts(&self, layers: &[&LayerSnapshot]) -> Vec<(String, Lettering)> {
        let (heading, small) = (self.look(2.0, true, INK), self.look(1.7, false, INK));
        let info = self.info;
        let mut texts = vec![(self.say("Nguồn dữ liệu", "Sources").to_owned(), heading)];
        let sources = self.sources(layers);
        // The title block has room for so many; the record has all of them.
        const SHOWN: usize = 9;
        let more = sources.len().saturating_sub(SHOWN);
        texts.extend(sources.into_iter().take(SHOWN).map(|text| (text, small)));
        if more > 0 {
            texts.push((format!("… +{more}"), small));
        }
        let revision = self.source.city.revision;
        let mut state = format!("{} {revision}", self.say("Phiên bản dữ liệu", "Revision"));
        if let Some(day) = info.valid_on {
            state.push_str(&format!(" · {} {day}", self.say("hiệu lực ngày", "valid on")));
        }
        texts.push((state, self.look(1.7, true, INK)));
        for field in &info.template.fields {
            let value = field.value.get(info.lang);
            let value = if value.is_empty() { "…………………………" } else { value };
            texts.push((format!("{}: {value}", field.label.get(info.lang)), small));
        }
        let standard = Title::new(
            "Chỉ để tham khảo, không có giá trị pháp lý. Ranh giới thửa đất theo hồ sơ địa chính và mốc \
             ngoài thực địa.",
            "For reference only, without legal force. Boundaries are those of the cadastral record and of \
             the markers on site.",
        );
        let own = &info.template.disclaimer;
        let disclaimer = if own.is_empty() { standard.get(info.lang) } else { own.get(info.lang) };
        texts.push((disclaimer.to_owned(), self.look(1.8, true, ACCENT)));
        texts
    }

    /// The side of the code, in units; 0 without an address.
    fn code_side(&self) -> f32 {
        if self.info.address.is_some() { 21.0 * self.plan.layout.unit } else { 0.0 }
    }

    fn tail_height(&self, layers: &[&LayerSnapshot], width: f32) -> f32 {
        let texts = self.tail_texts(layers);
        let text: f32 =
            texts.iter().map(|(text, look)| look.lines(text, width).len() as f32 * look.leading()).sum();
        let code = self.code_side();
        text + if code > 0.0 { code + self.plan.layout.unit } else { 0.0 }
    }

    /// Draws the sources, the revision, the note of what the map is good for, and the code.
    fn tail(
        &self,
        pen: &mut Pen<'_>,
        sheet: &Sheet,
        layers: &[&LayerSnapshot],
        ([x, top], width): ([f32; 2], f32),
    ) -> Result<(), PrintError> {
        let mut y = top;
        for (text, look) in self.tail_texts(layers) {
            y += pen.paragraph(&text, &look, [x, y], width);
        }
        let Some(address) = self.info.address else { return Ok(()) };
        let side = self.code_side();
        y += self.plan.layout.unit;
        draw_code(pen, &address(sheet), ([x, y], side))?;
        let note = self.say(
            "Quét mã để mở đúng vùng và phiên bản này trên bản đồ số.",
            "Scan the code to open this view at this revision in the web map.",
        );
        let gap = 2.0 * self.plan.layout.unit;
        pen.paragraph(note, &self.look(1.7, false, SOFT), [x + side + gap, y], width - side - gap);
        Ok(())
    }
}

/// A thin line across a block of the sheet.
fn rule(pen: &mut Pen<'_>, [x, y]: [f32; 2], width: f32) {
    pen.line(&[[x, y], [x + width, y]], 1.0, SOFT);
}
