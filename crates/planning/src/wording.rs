//! A report in words, in Vietnamese or English: what the page and the PDF file say.
//!
//! [`sections`] gives the parts of a report in the order in which a paper has them. Each part is a list of
//! [`Block`]s, which know nothing of how they are drawn.

use chrono::NaiveDate;
use citymap_model::{Title, hex};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Coded, ParcelReport, PlanLevel, Status, ZonePiece};

/// A part of a report with its heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What the part is about.
    pub kind: SectionKind,
    /// The heading of the part.
    pub title: String,
    /// What the part says, from top to bottom.
    pub blocks: Vec<Block>,
}

/// What a part of a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// What the parcel is called.
    Parcel,
    /// How large the parcel is.
    Areas,
    /// What is planned on the parcel.
    Plans,
    /// What rights-of-way cut off.
    RightOfWay,
    /// The corners in VN-2000.
    Corners,
    /// The layers that the report was made from.
    Sources,
    /// How the report is checked.
    Verification,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Labels with one value each.
    Facts(Vec<Fact>),
    /// Rows under column headings.
    Table(ReportTable),
    /// Entries of equal rank.
    List(Vec<String>),
    /// A paragraph of its own.
    Text(String),
    /// A paragraph that explains what is above it.
    Note(String),
}

/// A value with its label.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What the value is.
    pub label: &'static str,
    /// The value in the language of the report.
    pub value: String,
    /// How the value is set.
    pub kind: FactKind,
}

/// How a value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A text, to the left.
    Text,
    /// A number with its unit, to the right.
    Figure,
    /// A number or a code that is copied, to the left.
    Code,
}

/// A table whose first column has texts and whose other columns have figures.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportTable {
    /// The headings of all columns.
    pub columns: Vec<&'static str>,
    /// The rows from top to bottom.
    pub rows: Vec<TableRow>,
}

/// A row of a [`ReportTable`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRow {
    /// The text of the first column.
    pub head: String,
    /// What is said below `head`, one line each.
    pub notes: Vec<String>,
    /// The other columns; a column without a value is empty.
    pub figures: Vec<String>,
}

/// Chooses the text of a language.
fn say(lang: &str, vi: &'static str, en: &'static str) -> &'static str {
    if lang == "en" { en } else { vi }
}

/// The title of a report.
pub fn report_title(lang: &str) -> &'static str {
    say(lang, "Thông tin quy hoạch của thửa đất", "What is planned on a parcel")
}

/// What a parcel is called in one line: its number, its sheet and its commune, else its id.
pub fn parcel_name(report: &ParcelReport, lang: &str) -> String {
    let own = &report.identification;
    let mut name = match (&own.number, &own.sheet) {
        (Some(number), Some(sheet)) => format!(
            "{} {number}, {} {sheet}",
            say(lang, "Thửa đất số", "Parcel"),
            say(lang, "tờ bản đồ số", "sheet")
        ),
        _ => format!("{} {}", say(lang, "Thửa đất", "Parcel"), id_text(&report.id)),
    };
    if let Some(commune) = &own.commune {
        let title = commune.title.as_ref().map_or(commune.value.as_str(), |title| title.get(lang));
        name.push_str(", ");
        name.push_str(title);
    }
    name
}

/// What a report shows of the record: the valid time, the revision, and when the data are from.
pub fn state(report: &ParcelReport, lang: &str) -> Vec<Fact> {
    let text = |label, value| Fact { label, value, kind: FactKind::Text };
    let valid = match &report.valid_time {
        None => say(lang, "không giới hạn", "not limited").to_owned(),
        Some(time) => {
            let side = |instant: &Option<String>| {
                instant.as_deref().map_or_else(|| "…".to_owned(), |instant| day_of(instant, lang))
            };
            let (start, end) = (side(&time.start), side(&time.end));
            if start == end { start } else { format!("{start} – {end}") }
        }
    };
    let mut facts = vec![
        text(say(lang, "Áp dụng ngày", "Valid on"), valid),
        text(say(lang, "Phiên bản dữ liệu", "Data revision"), report.revision.to_string()),
    ];
    let dates = || report.sources.iter().filter_map(|source| source.data_date);
    if let (Some(first), Some(last)) = (dates().min(), dates().max()) {
        let (first, last) = (day(first, lang), day(last, lang));
        let value = if first == last { first } else { format!("{first} – {last}") };
        facts.push(text(say(lang, "Dữ liệu ngày", "Data of"), value));
    }
    facts
}

/// An instant (RFC 3339) as a day, or as it is where it is not the start of a day.
fn day_of(instant: &str, lang: &str) -> String {
    let midnight = instant.get(10..).is_none_or(|rest| rest.starts_with("T00:00:00"));
    let date = instant.get(..10).and_then(|text| text.parse().ok()).filter(|_| midnight);
    date.map_or_else(|| instant.to_owned(), |date| day(date, lang))
}

/// All parts of a report in order.
pub fn sections(report: &ParcelReport, lang: &str) -> Vec<Section> {
    let mut all = facts(report, lang);
    let corners = format!("{} (VN-2000, {})", say(lang, "Tọa độ góc ranh", "Corners"), report.crs);
    all.push(Section { kind: SectionKind::Corners, title: corners, blocks: corner_table(report, lang) });
    let titled = |kind, title: &str, block| Section { kind, title: title.to_owned(), blocks: vec![block] };
    let sources = say(lang, "Nguồn dữ liệu", "Sources");
    all.push(titled(SectionKind::Sources, sources, Block::List(sources_of(report, lang))));
    let check = say(lang, "Kiểm tra bản thông tin này", "Check this report");
    all.push(titled(SectionKind::Verification, check, Block::Facts(verification(report, lang))));
    all
}

/// What a report says of the parcel, its plans and rights-of-way.
pub fn facts(report: &ParcelReport, lang: &str) -> Vec<Section> {
    let section = |kind, title: &str, blocks| Section { kind, title: title.to_owned(), blocks };
    let parcel = vec![Block::Facts(identification(report, lang))];
    let areas = vec![Block::Facts(areas(report, lang))];
    let planned = say(lang, "Quy hoạch trên thửa đất", "Planned on this parcel");
    let right_of_way_title = say(lang, "Lộ giới", "Right-of-way");
    vec![
        section(SectionKind::Parcel, say(lang, "Thửa đất", "Parcel"), parcel),
        section(SectionKind::Areas, say(lang, "Diện tích", "Area"), areas),
        section(SectionKind::Plans, planned, plans(report, lang)),
        section(SectionKind::RightOfWay, right_of_way_title, right_of_way(report, lang)),
    ]
}

/// A number with the separators of the language: 1.234,5 in Vietnamese, 1,234.5 in English.
///
/// # Examples
/// ```
/// use citymap_planning::wording::number;
///
/// assert_eq!(number(1_234_567.891, 2, "vi"), "1.234.567,89");
/// assert_eq!(number(-12.0, 1, "en"), "−12.0");
/// ```
pub fn number(value: f64, decimals: usize, lang: &str) -> String {
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let (thousands, point) = if lang == "en" { (',', '.') } else { ('.', ',') };
    let mut out = String::new();
    if value < 0.0 && plain.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        out.push('−');
    }
    for (position, digit) in whole.char_indices() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            out.push(thousands);
        }
        out.push(digit);
    }
    if !part.is_empty() {
        out.push(point);
        out.push_str(part);
    }
    out
}

/// A public id as a text, as paths and parameters have it.
pub fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// Maximum number of characters of a file name without its ending.
const STEM_MAX: usize = 120;

/// A parcel's id as a file name without an ending. Different ids have different names, of ASCII letters,
/// digits, `-`, `.`, `_` and `~`, which begin with none of these marks but `~`. Bytes that are none of
/// these are written as `~` and two hexadecimal digits; a long id ends with a part of its SHA-256.
///
/// # Examples
/// ```
/// use citymap_planning::wording::file_stem;
///
/// assert_eq!(file_stem("26743-12-45"), "26743-12-45");
/// assert_eq!(file_stem("../a b"), "~2E.~2Fa~20b");
/// ```
pub fn file_stem(id: &str) -> String {
    let mut stem = String::with_capacity(id.len());
    for (position, byte) in id.bytes().enumerate() {
        let kept = byte.is_ascii_alphanumeric() || (position > 0 && b"-._".contains(&byte));
        if kept {
            stem.push(char::from(byte));
        } else {
            stem.push_str(&format!("~{byte:02X}"));
        }
    }
    if stem.is_empty() {
        stem.push('~');
    }
    if stem.len() > STEM_MAX {
        let hash = hex(&Sha256::digest(id.as_bytes()));
        stem.truncate(STEM_MAX - 34);
        stem.push_str(&format!("~~{}", &hash[..32]));
    }
    stem
}

fn square_metres(value: f64, lang: &str) -> String {
    format!("{} m²", number(value, 1, lang))
}

fn percent(share: f64, lang: &str) -> String {
    format!("{}%", number(share * 100.0, 1, lang))
}

fn day(day: NaiveDate, lang: &str) -> String {
    day.format(if lang == "en" { "%-d %b %Y" } else { "%d/%m/%Y" }).to_string()
}

/// The meaning of a code with the code, or the value as it is.
fn coded(value: &Coded, lang: &str) -> String {
    match &value.title {
        Some(title) if title.get(lang) != value.value => format!("{} ({})", title.get(lang), value.value),
        _ => value.value.clone(),
    }
}

/// What the parcel is called; its id where the record says nothing else.
fn identification(report: &ParcelReport, lang: &str) -> Vec<Fact> {
    let own = &report.identification;
    let of = |value: &Option<Coded>| value.as_ref().map(|value| coded(value, lang));
    let rows = [
        (say(lang, "Phường, xã, đặc khu", "Commune"), of(&own.commune)),
        (say(lang, "Đơn vị hành chính cũ", "Former commune"), of(&own.former_commune)),
        (say(lang, "Số tờ bản đồ", "Map sheet"), own.sheet.clone()),
        (say(lang, "Số thửa", "Parcel number"), own.number.clone()),
        (say(lang, "Mã định danh thửa đất", "National parcel identifier"), own.parcel_id.clone()),
        (say(lang, "Loại đất", "Land use"), of(&own.land_use)),
        (say(lang, "Địa chỉ", "Address"), own.address.clone()),
    ];
    let fact =
        |(label, value): (_, Option<String>)| Some(Fact { label, value: value?, kind: FactKind::Text });
    let facts: Vec<Fact> = rows.into_iter().filter_map(fact).collect();
    if !facts.is_empty() {
        return facts;
    }
    let label = say(lang, "Mã thửa đất", "Parcel id");
    vec![Fact { label, value: id_text(&report.id), kind: FactKind::Text }]
}

fn areas(report: &ParcelReport, lang: &str) -> Vec<Fact> {
    let areas = &report.areas;
    let rows = [
        (say(lang, "Trên giấy chứng nhận", "On the certificate"), areas.certificate),
        (say(lang, "Trên lưới VN-2000", "On the VN-2000 grid"), Some(areas.grid)),
        (say(lang, "Trên ellipsoid", "On the ellipsoid"), Some(areas.ellipsoidal)),
        (say(lang, "Chênh lệch so với giấy chứng nhận", "Difference from the certificate"), areas.difference),
    ];
    let fact = |(label, value): (_, Option<f64>)| {
        Some(Fact { label, value: square_metres(value?, lang), kind: FactKind::Figure })
    };
    rows.into_iter().filter_map(fact).collect()
}

fn plans(report: &ParcelReport, lang: &str) -> Vec<Block> {
    let plans = &report.plans;
    let status = match plans.status {
        Status::NoData => say(lang, "Chưa có dữ liệu quy hoạch.", "There is no planning data.").to_owned(),
        Status::NotTouched => {
            say(lang, "Không có ô quy hoạch nào trên thửa đất.", "No planning zone covers this parcel.")
                .to_owned()
        }
        Status::Touched => format!(
            "{} {}.",
            say(lang, "Số ô quy hoạch trên thửa đất:", "Planning zones on this parcel:"),
            plans.pieces.len()
        ),
    };
    let mut blocks = vec![Block::Text(status)];
    if plans.status != Status::Touched {
        return blocks;
    }
    let mut rows: Vec<TableRow> = plans.pieces.iter().map(|piece| zone(report, piece, lang)).collect();
    rows.push(TableRow {
        head: say(lang, "Chưa có quy hoạch", "No plan").to_owned(),
        notes: Vec::new(),
        figures: vec![
            square_metres(plans.uncovered, lang),
            String::new(),
            percent(plans.uncovered_share, lang),
        ],
    });
    let columns = vec![
        say(lang, "Theo thứ tự ưu tiên", "In order of precedence"),
        say(lang, "Trong thửa", "In the parcel"),
        say(lang, "Áp dụng", "Prevails"),
        say(lang, "Tỷ lệ", "Share"),
    ];
    blocks.push(Block::Table(ReportTable { columns, rows }));
    if plans.overlapping > plans.sliver_tolerance {
        let by = say(lang, "Các ô cùng cấp chồng lên nhau:", "Zones of one level overlap by");
        blocks.push(Block::Text(format!("{by} {}.", square_metres(plans.overlapping, lang))));
    }
    blocks
}

/// A zone: its function, plan and indicators, and its areas.
fn zone(report: &ParcelReport, piece: &ZonePiece, lang: &str) -> TableRow {
    let head = piece.function.as_ref().map_or_else(|| piece.label.clone(), |value| coded(value, lang));
    let mut plan = piece.label.clone();
    if let Some(level) = &piece.level {
        plan.push_str(&format!(" · {}", coded(level, lang)));
    }
    if let Some(decision) = &piece.decision {
        plan.push_str(&format!(" · {decision}"));
    }
    if let Some(date) = piece.date {
        plan.push_str(&format!(" ({})", day(date, lang)));
    }
    let mut notes = vec![plan];
    let indicators: Vec<String> = piece
        .indicators
        .iter()
        .map(|own| {
            let name = if own.title.is_empty() { own.field.as_str() } else { own.title.get(lang) };
            let value = indicator(own.text.as_ref(), &own.value, lang);
            let unit = own.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
            format!("{name}: {value}{unit}")
        })
        .collect();
    if !indicators.is_empty() {
        notes.push(indicators.join(" · "));
    }
    let over = piece.prevailing.overruled_by.iter().filter_map(|position| report.plans.pieces.get(*position));
    let over: Vec<String> =
        over.map(|other| format!("{} ({})", other.label, reason(piece, other, lang))).collect();
    if !over.is_empty() {
        let by = say(lang, "Được ưu tiên áp dụng:", "Overruled by:");
        notes.push(format!("{by} {}", over.join(", ")));
    }
    if piece.sliver {
        let sliver = say(
            lang,
            "Phần rất nhỏ: có thể do ranh giới không khớp.",
            "A sliver: the boundaries may not match exactly.",
        );
        notes.push(sliver.to_owned());
    }
    let figures = vec![
        square_metres(piece.area, lang),
        square_metres(piece.prevailing.area, lang),
        percent(piece.prevailing.share, lang),
    ];
    TableRow { head, notes, figures }
}

/// Why a zone prevails over another one.
fn reason(piece: &ZonePiece, over: &ZonePiece, lang: &str) -> &'static str {
    let level = |piece: &ZonePiece| piece.level.as_ref().and_then(|level| PlanLevel::read(&level.value));
    if level(piece) != level(over) {
        say(lang, "cấp quy hoạch được ưu tiên", "its level takes precedence")
    } else if piece.date != over.date {
        say(lang, "cùng cấp, quyết định sau", "same level, later decision")
    } else {
        say(lang, "cùng cấp, cùng ngày; theo mã", "same level and day; by id")
    }
}

fn indicator(text: Option<&Title>, value: &Value, lang: &str) -> String {
    match (text, value) {
        (Some(text), _) => text.get(lang).to_owned(),
        (None, Value::String(text)) => text.clone(),
        (None, Value::Number(own)) => {
            let decimals = own.to_string().split_once('.').map_or(0, |(_, part)| part.len().min(4));
            let decimals = if decimals == 1 && own.to_string().ends_with(".0") { 0 } else { decimals };
            own.as_f64().map_or_else(|| own.to_string(), |value| number(value, decimals, lang))
        }
        (None, other) => other.to_string(),
    }
}

fn right_of_way(report: &ParcelReport, lang: &str) -> Vec<Block> {
    let own = &report.right_of_way;
    let status = match own.status {
        Status::NoData => say(lang, "Chưa có dữ liệu lộ giới.", "There is no right-of-way data."),
        Status::NotTouched => say(lang, "Không bị lộ giới cắt qua.", "No right-of-way crosses this parcel."),
        Status::Touched => say(lang, "Thửa đất bị lộ giới cắt qua.", "Rights-of-way cross this parcel."),
    };
    let mut blocks = vec![Block::Text(status.to_owned())];
    if own.status != Status::Touched {
        return blocks;
    }
    let road = |road: &crate::RoadCut| TableRow {
        head: road.label.clone(),
        notes: Vec::new(),
        figures: vec![format!("{} m", number(road.width, 2, lang)), square_metres(road.area, lang)],
    };
    let total = |head: &str, area: f64| TableRow {
        head: head.to_owned(),
        notes: Vec::new(),
        figures: vec![String::new(), square_metres(area, lang)],
    };
    let mut rows: Vec<TableRow> = own.roads.iter().map(road).collect();
    let within = say(lang, "Tổng phần trong lộ giới", "Within rights-of-way in total");
    rows.push(total(within, own.cut));
    rows.push(total(say(lang, "Còn lại", "Remaining"), own.remaining));
    let columns = vec![
        say(lang, "Đường", "Road"),
        say(lang, "Lộ giới", "Width"),
        say(lang, "Trong thửa", "In the parcel"),
    ];
    blocks.push(Block::Table(ReportTable { columns, rows }));
    let note = say(
        lang,
        "Tính từ tim đường và bề rộng lộ giới; ranh mốc ngoài thực địa có giá trị quyết định.",
        "Computed from centre lines and widths; boundary markers on site are decisive.",
    );
    blocks.push(Block::Note(note.to_owned()));
    blocks
}

fn corner_table(report: &ParcelReport, lang: &str) -> Vec<Block> {
    let rings = report.corners.iter().any(|corner| corner.ring > 1);
    let row = |corner: &crate::Corner| TableRow {
        head: if rings { format!("{}.{}", corner.ring, corner.number) } else { corner.number.to_string() },
        notes: Vec::new(),
        figures: vec![number(corner.x, 3, lang), number(corner.y, 3, lang), number(corner.edge, 2, lang)],
    };
    let rows = report.corners.iter().map(row).collect();
    let edge = say(lang, "Cạnh đến góc sau (m)", "Edge to the next (m)");
    let columns = vec![say(lang, "Góc", "Corner"), "X (m)", "Y (m)", edge];
    let mut blocks = vec![Block::Table(ReportTable { columns, rows })];
    if report.corners_total > report.corners.len() {
        let left = report.corners_total - report.corners.len();
        let more = say(lang, "Số góc không liệt kê:", "Corners that are not listed:");
        blocks.push(Block::Note(format!("{more} {left}.")));
    }
    blocks
}

fn sources_of(report: &ParcelReport, lang: &str) -> Vec<String> {
    let line = |source: &crate::Source| {
        let title = if source.title.is_empty() { &source.layer } else { source.title.get(lang) };
        let mut text = title.to_owned();
        for more in [&source.steward, &source.source].into_iter().flatten() {
            text.push_str(&format!(" · {more}"));
        }
        if let Some(date) = source.data_date {
            text.push_str(&format!(" · {} {}", say(lang, "dữ liệu ngày", "data of"), day(date, lang)));
        }
        if source.synthetic {
            text.push_str(say(lang, " · dữ liệu giả định", " · invented data"));
        }
        text
    };
    report.sources.iter().map(line).collect()
}

/// What a reader needs to check a printed report where its link cannot be used.
fn verification(report: &ParcelReport, lang: &str) -> Vec<Fact> {
    let code = |label, value| Fact { label, value, kind: FactKind::Code };
    let mut facts = vec![
        code(say(lang, "Phiên bản dữ liệu", "Data revision"), report.revision.to_string()),
        code(say(lang, "Mã thửa đất", "Parcel id"), id_text(&report.id)),
        code(say(lang, "Lớp dữ liệu", "Layer"), report.layer.clone()),
    ];
    if let Some(start) = report.valid_time.as_ref().and_then(|time| time.start.clone()) {
        facts.push(code(say(lang, "Thời điểm áp dụng", "Valid on"), start));
    }
    facts.push(code(say(lang, "Mã băm", "Content hash"), report.verification.hash.clone()));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_separators_of_the_language() {
        assert_eq!(number(1_234_567.891, 2, "vi"), "1.234.567,89");
        assert_eq!(number(1_234.5, 1, "en"), "1,234.5");
        assert_eq!((number(-0.04, 1, "vi").as_str(), number(-12.0, 0, "vi").as_str()), ("0,0", "−12"));
        assert_eq!(indicator(None, &serde_json::json!(14.6), "vi"), "14,6");
        assert_eq!(indicator(None, &serde_json::json!(60.0), "vi"), "60");
    }

    #[test]
    fn ids_have_file_names_of_their_own() {
        let long = "đ".repeat(300);
        let ids = ["a/b", "a_b", "a~2Fb", ".a", "-a", "", "đ", &long, &long[2..]];
        let stems: std::collections::BTreeSet<String> = ids.iter().map(|id| file_stem(id)).collect();
        assert_eq!(stems.len(), ids.len());
        for stem in &stems {
            assert!(stem.len() <= STEM_MAX && !stem.contains(['/', '\\', ' ']) && !stem.starts_with('.'));
        }
    }

    #[test]
    fn instants_at_the_start_of_a_day_are_days() {
        assert_eq!(day_of("2026-06-30T00:00:00Z", "vi"), "30/06/2026");
        assert_eq!(day_of("2026-06-30T07:00:00Z", "en"), "2026-06-30T07:00:00Z");
    }
}
