//! The map of a report: the parcel at an exact usual scale, with what one must know to measure on it.

use std::collections::BTreeMap;

use citymap_crs::{Crs, Transform};
use citymap_model::Meaning;
use citymap_planning::{ParcelReport, Status};

use super::{
    ReportPrinter,
    compose::heading,
    flow::{BOTTOM, Flow, Item, LEADING, LEFT, PAGE, RIGHT},
};
use crate::{
    legend::{Legend, LegendEntry, LegendLayer, Occurring, legend_field},
    pdf::UNITS_PER_MM,
    print::{
        Highlight, PrintError, Sheet, USUAL_SCALES,
        furniture::{draw_bar, draw_north, draw_outline, grid_texts, scale_text},
        grid,
        paper::Layout,
        pen::{Align, INK, Lettering, Pen, SOFT},
        sheet::{SheetPlace, metres_per_unit},
    },
    raster::{Frames, Ground, Source, ViewError, draw as draw_map},
};

/// Scales for parcels that do not fit at the usual ones.
const SMALL_SCALES: [f64; 4] = [50_000.0, 100_000.0, 250_000.0, 1_000_000.0];
/// How much of its own size is shown around a parcel on each side.
const AROUND: f64 = 0.25;
/// The least that is shown around a parcel on each side, in metres.
const AROUND_MIN: f64 = 8.0;
/// The height of the map: at least and at most, in units.
const HEIGHT: [f32; 2] = [75.0 * UNITS_PER_MM, 115.0 * UNITS_PER_MM];
/// The band around the frame for the coordinates of the grid, in units.
const BAND: f32 = 4.0 * UNITS_PER_MM;
/// The height of what is below the frame: scale, bar and arrow, in units.
const STRIP: f32 = 16.0 * UNITS_PER_MM;
/// The height of the heading of the map with its spaces, in units.
const HEADING: f32 = 11.0 * UNITS_PER_MM;
/// Width and height of a sample of the legend, in units.
const SAMPLE: [f32; 2] = [70.0, 30.0];

/// The heading of the map.
pub(super) fn title(printer: &ReportPrinter<'_>) -> &'static str {
    printer.say("Sơ đồ thửa đất", "Map")
}

/// The map with its place on a page.
#[derive(Debug)]
pub(super) struct MapPlace {
    pub(super) sheet: Sheet,
    pub(super) layout: Layout,
}

/// Adds the map and its legend.
pub(super) fn add(
    printer: &ReportPrinter<'_>,
    flow: &mut Flow,
    report: &ParcelReport,
    (source, parcel): (&Source<'_>, &Highlight),
) -> Result<(), PrintError> {
    let pieces = report.plans.pieces.len() as f32;
    let legend_height = ((pieces + 2.0) / 2.0).ceil() * LEADING + LEADING;
    let around = BAND * 2.0 + STRIP;
    if flow.room() < HEADING + HEIGHT[0] + around + legend_height {
        flow.turn();
    }
    heading(printer, flow, title(printer));
    let height = (flow.room() - around - legend_height).clamp(HEIGHT[0], HEIGHT[1]).floor();
    let low = [LEFT + BAND, flow.y + BAND];
    let high = [RIGHT - BAND, low[1] + height];
    let high = [0, 1].map(|axis| low[axis] + (high[axis] - low[axis]).floor());
    let layout = Layout::framed(PAGE, [low, high]);
    let sheet = sheet(&layout, parcel)?;
    let entries = entries(printer, report, (source, &sheet));
    flow.push(Item::Map(Box::new(MapPlace { sheet, layout })));
    flow.y = high[1] + BAND + STRIP;
    legend(printer, flow, &entries);
    Ok(())
}

/// The sheet with the parcel in its middle, at the largest scale at which it fits.
fn sheet(layout: &Layout, parcel: &Highlight) -> Result<Sheet, PrintError> {
    let mut points: Vec<[f64; 2]> =
        parcel.rings().flat_map(|ring| ring.coords()).map(|at| [at.x, at.y]).collect();
    Transform::new(Crs::WGS84, Crs::home())?.apply(&mut points)?;
    let range = |axis: usize| {
        let values = || points.iter().map(|point| point[axis]);
        [values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)]
    };
    let ranges = [range(0), range(1)];
    if ranges.iter().flatten().any(|value| !value.is_finite()) {
        return Err(ViewError::Empty.into());
    }
    let middle = ranges.map(|[low, high]| (low + high) / 2.0);
    let wanted = ranges.map(|[low, high]| {
        let side = high - low;
        side + 2.0 * (side * AROUND).max(AROUND_MIN)
    });
    let frame = layout.map().map(f64::from);
    let fits = |scale: &f64| (0..2).all(|axis| wanted[axis] <= frame[axis] * metres_per_unit(*scale));
    let scale = USUAL_SCALES.into_iter().chain(SMALL_SCALES).find(fits).ok_or(PrintError::TooFar)?;
    Sheet::new(layout, SheetPlace { middle, scale, bearing: 0.0 })
}

/// How the zones of the report are drawn on the map.
fn entries(
    printer: &ReportPrinter<'_>,
    report: &ParcelReport,
    (source, sheet): (&Source<'_>, &Sheet),
) -> Vec<LegendEntry> {
    if report.plans.status != Status::Touched {
        return Vec::new();
    }
    let mut found: BTreeMap<&str, Occurring> = BTreeMap::new();
    for piece in &report.plans.pieces {
        let Some(snapshot) = source.city.layer(&piece.layer) else { continue };
        let own = found.entry(piece.layer.as_str()).or_default();
        let layer = snapshot.layer();
        let field = legend_field(layer);
        let is_function =
            field.is_some_and(|(index, _)| layer.field_meaning(Meaning::PlanFunction) == Some(index));
        let code = piece.function.as_ref().map(|function| function.value.clone());
        let known = |code: &String| field.is_some_and(|(_, field)| field.code(code).is_some());
        match code.filter(known).filter(|_| is_function) {
            Some(code) => {
                own.codes.insert(code);
            }
            None => own.uncoded = true,
        }
    }
    let snapshots: Vec<_> =
        found.into_iter().filter_map(|(id, occurring)| Some((source.city.layer(id)?, occurring))).collect();
    let layers: Vec<LegendLayer<'_>> = snapshots
        .iter()
        .map(|(snapshot, occurring)| LegendLayer {
            layer: snapshot.layer(),
            occurring: Some(occurring.clone()),
        })
        .collect();
    let document = &printer.setting.styled.document;
    let lang = printer.setting.lang;
    let legend = Legend::of_parsed((document, &printer.style), &layers, sheet.view().zoom(), lang);
    let several = legend.groups.len() > 1;
    let mut entries = Vec::new();
    for group in legend.groups {
        for mut entry in group.entries {
            if several && entry.label != group.title {
                entry.label = format!("{} ({})", entry.label, group.title);
            }
            entries.push(entry);
        }
    }
    entries
}

/// Adds the legend in two columns.
fn legend(printer: &ReportPrinter<'_>, flow: &mut Flow, entries: &[LegendEntry]) {
    let looks = &printer.looks;
    let gap = 5.0 * UNITS_PER_MM;
    let width = (RIGHT - LEFT - gap) / 2.0;
    let indent = SAMPLE[0] + 2.0 * UNITS_PER_MM;
    flow.need(3.0 * LEADING);
    flow.paragraph(printer.say("Chú giải", "Legend"), &looks.strong, [LEFT, RIGHT]);
    let parcel = printer.say("Thửa đất của bản thông tin này", "The parcel of this report");
    let all: Vec<Option<&LegendEntry>> = std::iter::once(None).chain(entries.iter().map(Some)).collect();
    for pair in all.chunks(2) {
        let lines: Vec<Vec<String>> = pair
            .iter()
            .map(|entry| {
                let label = entry.map_or(parcel, |entry| entry.label.as_str());
                looks.soft.lines(&citymap_model::text::shown(label), width - indent)
            })
            .collect();
        let count = lines.iter().map(Vec::len).max().unwrap_or(1).max(1);
        // A label that is higher than a page does not exist: it is the title of a code or of a layer.
        flow.need(count as f32 * LEADING);
        for (number, (entry, lines)) in pair.iter().zip(lines).enumerate() {
            let left = LEFT + number as f32 * (width + gap);
            let top = flow.y + (LEADING - SAMPLE[1]) / 2.0;
            let area = [[left, top], [left + SAMPLE[0], top + SAMPLE[1]]];
            flow.push(match entry {
                Some(entry) => Item::Sample { entry: (*entry).clone(), area },
                None => Item::Outline(area),
            });
            for (position, line) in lines.into_iter().enumerate() {
                let baseline = flow.y + position as f32 * LEADING + LEADING * 0.74;
                if baseline < BOTTOM {
                    flow.line(line, looks.soft, ([left + indent, baseline], Align::Left));
                }
            }
        }
        flow.y += count as f32 * LEADING;
    }
}

/// Draws the map, the grid around it, and the scale below it.
pub(super) fn draw(
    printer: &ReportPrinter<'_>,
    pen: &mut Pen<'_>,
    place: &MapPlace,
    (source, parcel): (&Source<'_>, Option<&Highlight>),
) -> Result<(), PrintError> {
    let MapPlace { sheet, layout } = place;
    let lang = printer.setting.lang;
    pen.page.begin_frame(layout.frame);
    draw_map(&printer.style, sheet.view(), source, Ground::Style, pen.page)?;
    pen.page.end_frame();
    if let Some(parcel) = parcel {
        draw_outline(pen, (sheet, layout.frame), parcel)?;
    }
    let small = |mm: f32| Lettering { size: mm * UNITS_PER_MM, color: INK, ..printer.looks.body };
    let step = grid::interval(sheet.scale(), 1.0);
    grid::draw(pen, sheet, layout, &small(1.7), step);
    pen.frame(layout.frame, 3.0, INK);
    let top = layout.frame[1][1] + BAND + UNITS_PER_MM;
    let strong = Lettering { size: 3.4 * UNITS_PER_MM, ..printer.looks.strong };
    pen.text(&scale_text(sheet.scale(), lang), &strong, [LEFT, top + strong.size], Align::Left);
    let texts = grid_texts(step, lang);
    let soft = Lettering { color: SOFT, ..small(2.2) };
    let mut y = top + strong.leading();
    let [system, grid @ ..] = &texts;
    let lines = [system.clone(), grid.join(" · ")];
    for line in lines.iter().flat_map(|line| soft.lines(line, 82.0 * UNITS_PER_MM)) {
        pen.text(&line, &soft, [LEFT, y + soft.size], Align::Left);
        y += soft.leading();
    }
    draw_bar(pen, sheet.scale(), &small(2.0), ([LEFT + 85.0 * UNITS_PER_MM, top], 70.0 * UNITS_PER_MM));
    let arrow = 8.0 * UNITS_PER_MM;
    let middle = [RIGHT - 5.0 * UNITS_PER_MM, top + 8.0 * UNITS_PER_MM];
    let letter = printer.say("B", "N");
    draw_north(pen, &Lettering { size: 2.4 * UNITS_PER_MM, ..strong }, (middle, arrow), (0.0, letter));
    Ok(())
}
