//! What is on the pages of a report, with its places.

use citymap_planning::{
    ParcelReport,
    wording::{
        Block, Fact, FactKind, ReportTable, Section, SectionKind, TableRow, report_title, sections, state,
    },
};

use super::{
    Looks, ReportPrinter,
    flow::{Cell, Column, Flow, Item, LEFT, RIGHT},
    map,
};
use crate::{
    pdf::UNITS_PER_MM,
    print::{
        Highlight, PrintError,
        pen::{Align, Lettering},
    },
    raster::Source,
};

/// A length in millimetres as units of a page.
pub(super) const fn mm(millimetres: f32) -> f32 {
    millimetres * UNITS_PER_MM
}

/// Maximum number of bytes that a code of squares of the lowest correction holds.
const CODE_MAX: usize = 2_953;
/// The height of the part that says how a report is checked, unless its texts are long.
const CHECK: f32 = mm(75.0);
/// The side of the code.
const CODE_SIDE: f32 = mm(30.0);

/// The width up to which the heading of a column of figures is on one line.
const TITLE_MAX: f32 = mm(40.0);

/// Gives each text and box of a report its place.
pub(super) fn compose(
    printer: &ReportPrinter<'_>,
    report: &ParcelReport,
    (source, parcel): (&Source<'_>, Option<&Highlight>),
) -> Result<Vec<Vec<Item>>, PrintError> {
    let lang = printer.setting.lang;
    let mut flow = Flow::new();
    head(printer, &mut flow, report, source.city.profile.name.get(lang));
    for section in sections(report, lang) {
        if section.kind == SectionKind::Plans {
            match parcel {
                Some(parcel) => map::add(printer, &mut flow, report, (source, parcel))?,
                None => {
                    heading(printer, &mut flow, map::title(printer));
                    let none = printer.say(
                        "Không vẽ được sơ đồ của thửa đất này.",
                        "This parcel has no shape that can be drawn.",
                    );
                    flow.paragraph(none, &printer.looks.body, [LEFT, RIGHT]);
                }
            }
        }
        if section.kind == SectionKind::Verification {
            // A code on a page of its own would say nothing.
            flow.need(CHECK);
        }
        self::section(printer, &mut flow, &section);
        match section.kind {
            SectionKind::Sources => disclaimer(printer, &mut flow, report),
            SectionKind::Verification => code(printer, &mut flow, report),
            _ => {}
        }
    }
    fields(printer, &mut flow);
    Ok(flow.finish())
}

/// Who publishes the report, its title, and which state of the record it shows.
fn head(printer: &ReportPrinter<'_>, flow: &mut Flow, report: &ParcelReport, city: &str) {
    let ReportPrinter { looks, setting, .. } = printer;
    let edges = [LEFT, RIGHT];
    let organization = setting.template.organization.get(setting.lang);
    flow.paragraph(organization, &looks.body, edges);
    flow.paragraph(report_title(setting.lang), &looks.title, edges);
    flow.paragraph(city, &looks.body, edges);
    let facts: Vec<String> = state(report, setting.lang)
        .into_iter()
        .map(|Fact { label, value, .. }| format!("{label}: {value}"))
        .collect();
    flow.paragraph(&facts.join(" · "), &looks.strong, edges);
    flow.space(mm(1.0));
    flow.rule(3.0);
}

/// The title of a part of the report.
pub(super) fn heading(printer: &ReportPrinter<'_>, flow: &mut Flow, title: &str) {
    let look = &printer.looks.heading;
    flow.space(mm(3.5));
    // A heading is not left alone at the end of a page.
    flow.need(look.leading() + mm(16.0));
    flow.paragraph(title, look, [LEFT, RIGHT]);
    flow.space(mm(0.5));
}

fn section(printer: &ReportPrinter<'_>, flow: &mut Flow, section: &Section) {
    let looks = &printer.looks;
    heading(printer, flow, &section.title);
    for block in &section.blocks {
        match block {
            Block::Facts(own) => facts(looks, flow, own),
            Block::Table(own) => table(looks, flow, own),
            Block::List(entries) => {
                for entry in entries {
                    flow.need(looks.body.leading());
                    let baseline = flow.y + looks.body.size;
                    flow.line("–".to_owned(), looks.body, ([LEFT, baseline], Align::Left));
                    flow.paragraph(entry, &looks.body, [LEFT + mm(4.0), RIGHT]);
                }
            }
            Block::Text(text) => flow.paragraph(text, &looks.body, [LEFT, RIGHT]),
            Block::Note(text) => {
                flow.space(mm(1.0));
                flow.paragraph(text, &looks.soft, [LEFT, RIGHT]);
            }
        }
    }
}

/// Labels on the left, values on the right of them; figures under each other.
fn facts(looks: &Looks, flow: &mut Flow, facts: &[Fact]) {
    let label = Column { left: LEFT, width: mm(45.0), align: Align::Left };
    let label = if facts.iter().any(|fact| fact.kind == FactKind::Figure) {
        Column { width: mm(62.0), ..label }
    } else {
        label
    };
    let left = label.left + label.width + mm(3.0);
    for fact in facts {
        let (value, look) = match fact.kind {
            FactKind::Text => (Column { left, width: RIGHT - left, align: Align::Left }, looks.body),
            FactKind::Code => (Column { left, width: RIGHT - left, align: Align::Left }, looks.code),
            FactKind::Figure => (Column { left, width: mm(40.0), align: Align::Right }, looks.body),
        };
        let cells = vec![label.lines(fact.label, &looks.soft), value.lines(&fact.value, &look)];
        flow.table(&[label, value], &[], std::iter::once(cells));
    }
}

/// A table: figures to the right in columns as wide as they need, and the texts in what is left.
fn table(looks: &Looks, flow: &mut Flow, table: &ReportTable) {
    let gap = mm(3.0);
    let count = table.columns.len().saturating_sub(1);
    // Long figures wrap rather than leave no place for the texts.
    let most = (RIGHT - LEFT) * 0.65 / count.max(1) as f32 - gap;
    let widths: Vec<f32> = (0..count)
        .map(|column| {
            let title = table.columns.get(column + 1).copied().unwrap_or_default();
            let title = looks.strong.width(title).min(TITLE_MAX);
            let figures = table.rows.iter().filter_map(|row| row.figures.get(column));
            let figures = figures.map(|figure| looks.body.width(figure));
            figures.fold(title, f32::max).min(most) + 1.0
        })
        .collect();
    let mut right = RIGHT;
    let mut columns: Vec<Column> = Vec::with_capacity(count + 1);
    for width in widths.iter().rev() {
        columns.push(Column { left: right - width, width: *width, align: Align::Right });
        right -= width + gap;
    }
    columns.push(Column { left: LEFT, width: right - LEFT, align: Align::Left });
    columns.reverse();
    let head_look = Lettering { size: looks.soft.size, ..looks.strong };
    let head: Vec<Cell> =
        columns.iter().zip(&table.columns).map(|(column, title)| column.lines(title, &head_look)).collect();
    // Rows without explanations are numbers or names, which need no weight.
    let plain = table.rows.iter().all(|row| row.notes.is_empty());
    let name = if plain { looks.body } else { looks.strong };
    let rows = table.rows.iter().map(|row| cells(looks, &columns, (row, &name)));
    flow.table(&columns, &head, rows);
}

fn cells(looks: &Looks, columns: &[Column], (row, name): (&TableRow, &Lettering)) -> Vec<Cell> {
    let Some((first, others)) = columns.split_first() else { return Vec::new() };
    let mut text = first.lines(&row.head, name);
    for note in &row.notes {
        text.extend(first.lines(note, &looks.soft));
    }
    let figures = others.iter().zip(&row.figures).map(|(column, figure)| column.lines(figure, &looks.body));
    std::iter::once(text).chain(figures).collect()
}

/// The code that leads to the check of the report, and its address in letters.
fn code(printer: &ReportPrinter<'_>, flow: &mut Flow, report: &ParcelReport) {
    let Some(address) = report.verification.link.as_deref() else { return };
    let looks = &printer.looks;
    flow.space(mm(3.0));
    let has_code = address.len() <= CODE_MAX;
    let left = if has_code { LEFT + CODE_SIDE + mm(4.0) } else { LEFT };
    flow.need(CODE_SIDE);
    let top = flow.y;
    if has_code {
        let corner = [LEFT, top];
        flow.push(Item::Code { corner, side: CODE_SIDE, address: address.to_owned() });
    }
    let note = printer.say(
        "Quét mã hoặc mở liên kết để kiểm tra bản thông tin này với hồ sơ và xem thay đổi từ đó đến nay:",
        "Scan the code or open the link to check this report against the record and see what has changed:",
    );
    flow.paragraph(note, &looks.body, [left, RIGHT]);
    let (pages, before) = (flow.page(), flow.y);
    flow.paragraph(address, &looks.soft, [left, RIGHT]);
    if flow.page() == pages {
        let area = [[left, before], [RIGHT, flow.y]];
        flow.push(Item::Link { area, address: address.to_owned() });
        flow.y = flow.y.max(top + CODE_SIDE);
    }
}

/// What the report is good for.
fn disclaimer(printer: &ReportPrinter<'_>, flow: &mut Flow, report: &ParcelReport) {
    flow.space(mm(2.0));
    flow.paragraph(printer.disclaimer(report), &printer.looks.strong, [LEFT, RIGHT]);
}

/// The lines of the operator.
fn fields(printer: &ReportPrinter<'_>, flow: &mut Flow) {
    let ReportPrinter { looks, setting, .. } = printer;
    flow.space(mm(4.0));
    for field in &setting.template.fields {
        let value = field.value.get(setting.lang);
        let value = if value.is_empty() { "…………………………" } else { value };
        let text = format!("{}: {value}", field.label.get(setting.lang));
        flow.paragraph(&text, &looks.body, [LEFT, RIGHT]);
        flow.space(mm(1.0));
    }
}
