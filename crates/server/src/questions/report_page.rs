//! The report on a parcel as a page for people, which prints on A4.

use chrono::NaiveDate;
use citymap_model::Title;
use citymap_planning::{Coded, ParcelReport, Status, ZonePiece};
use maud::{Markup, PreEscaped, html};

use super::verify::id_text;
use crate::http::{base::PageLinks, html::say};

/// Rules for this page: figures to the right, and a sheet of paper without what only a screen needs.
const STYLE: &str = "
td.f,th.f{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.w{white-space:normal}
td .soft,th .soft{display:block;font-weight:400;font-size:.88rem}
@page{size:A4;margin:16mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#999;--ground:#fff}
  body{padding:0;max-width:none;font-size:11pt}header{display:none}
  h2{break-after:avoid}tr{break-inside:avoid}}
";

/// The content of the page, in Vietnamese or English.
pub(super) fn content(report: &ParcelReport, lang: &'static str, links: &PageLinks) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    html! {
        style { (PreEscaped(STYLE)) }
        (facts(report, lang))
        h2 { (say("Tọa độ góc ranh", "Corners")) " (VN-2000, " (report.crs) ")" }
        (corners(report, lang))
        h2 { (say("Nguồn dữ liệu", "Sources")) }
        (sources(report, lang))
        h2 { (say("Kiểm tra bản thông tin này", "Check this report")) }
        (verification(report, lang, links))
        p { strong { (report.notice.get(lang)) } }
    }
}

/// What a report says of the parcel, its plans and rights-of-way.
pub(super) fn facts(report: &ParcelReport, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    html! {
        h2 { (say("Thửa đất", "Parcel")) }
        (identification(report, lang))
        h2 { (say("Diện tích", "Area")) }
        (areas(report, lang))
        h2 { (say("Quy hoạch trên thửa đất", "Planned on this parcel")) }
        (plans(report, lang))
        h2 { (say("Lộ giới", "Right-of-way")) }
        (right_of_way(report, lang))
    }
}

/// What a reader needs to check a printed report: the link, and what the link holds.
fn verification(report: &ParcelReport, lang: &'static str, links: &PageLinks) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    html! {
        table { tbody {
            tr {
                th scope="row" { (say("Phiên bản dữ liệu", "Data revision")) }
                td.n { (report.revision) }
            }
            tr { th scope="row" { (say("Mã thửa đất", "Parcel id")) } td { (id_text(&report.id)) } }
            @if let Some(start) = report.valid_time.as_ref().and_then(|time| time.start.as_deref()) {
                tr { th scope="row" { (say("Thời điểm áp dụng", "Valid on")) } td { (start) } }
            }
            tr { th scope="row" { (say("Mã băm", "Content hash")) } td.n { (report.verification.hash) } }
        } }
        @if let Some(link) = &report.verification.link {
            p { a href=(links.of_document(link)) {
                (say("Kiểm tra và xem thay đổi từ đó đến nay", "Check it and see what has changed")) } }
        }
    }
}

/// A number with the separators of the language: 1.234,5 in Vietnamese, 1,234.5 in English.
pub(super) fn number(value: f64, decimals: usize, lang: &str) -> String {
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

fn identification(report: &ParcelReport, lang: &'static str) -> Markup {
    let own = &report.identification;
    let of = |value: &Option<Coded>| value.as_ref().map(|value| coded(value, lang));
    let rows = [
        (("Phường, xã, đặc khu", "Commune"), of(&own.commune)),
        (("Đơn vị hành chính cũ", "Former commune"), of(&own.former_commune)),
        (("Số tờ bản đồ", "Map sheet"), own.sheet.clone()),
        (("Số thửa", "Parcel number"), own.number.clone()),
        (("Mã định danh thửa đất", "National parcel identifier"), own.parcel_id.clone()),
        (("Loại đất", "Land use"), of(&own.land_use)),
        (("Địa chỉ", "Address"), own.address.clone()),
    ];
    html! {
        table { tbody {
            @for ((vi, en), value) in rows {
                @if let Some(value) = value { tr { th scope="row" { (say(lang, vi, en)) } td { (value) } } }
            }
        } }
    }
}

fn areas(report: &ParcelReport, lang: &'static str) -> Markup {
    let areas = &report.areas;
    let rows = [
        (("Trên lưới VN-2000", "On the VN-2000 grid"), Some(areas.grid)),
        (("Trên ellipsoid", "On the ellipsoid"), Some(areas.ellipsoidal)),
        (("Trên giấy chứng nhận", "On the certificate"), areas.certificate),
        (("Chênh lệch so với giấy chứng nhận", "Difference from the certificate"), areas.difference),
    ];
    html! {
        table { tbody {
            @for ((vi, en), value) in rows {
                @if let Some(value) = value {
                    tr { th scope="row" { (say(lang, vi, en)) } td.f { (square_metres(value, lang)) } }
                }
            }
        } }
    }
}

fn plans(report: &ParcelReport, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let plans = &report.plans;
    match plans.status {
        Status::NoData => {
            return html! { p { (say("Chưa có dữ liệu quy hoạch.", "There is no planning data.")) } };
        }
        Status::NotTouched => {
            let none = say("Không có ô quy hoạch nào trên thửa đất.", "No planning zone covers this parcel.");
            return html! { p { (none) } };
        }
        Status::Touched => {}
    }
    html! {
        div.wide { table {
            thead { tr {
                th scope="col" { (say("Theo thứ tự ưu tiên", "In order of precedence")) }
                th.f scope="col" { (say("Trong thửa", "In the parcel")) }
                th.f scope="col" { (say("Áp dụng", "Prevails")) }
                th.f scope="col" { (say("Tỷ lệ", "Share")) }
            } }
            tbody {
                @for piece in &plans.pieces { (zone(report, piece, lang)) }
                tr {
                    th scope="row" { (say("Chưa có quy hoạch", "No plan")) }
                    td.f { (square_metres(plans.uncovered, lang)) }
                    td.f {}
                    td.f { (percent(plans.uncovered_share, lang)) }
                }
            }
        } }
        @if plans.overlapping > plans.sliver_tolerance {
            p {
                (say("Các ô cùng cấp chồng lên nhau: ", "Zones of one level overlap by "))
                (square_metres(plans.overlapping, lang)) "."
            }
        }
    }
}

/// A zone: its function, plan and indicators, and its areas.
fn zone(report: &ParcelReport, piece: &ZonePiece, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let name = piece.function.as_ref().map_or_else(|| piece.label.clone(), |value| coded(value, lang));
    let over = piece.prevailing.overruled_by.iter().filter_map(|position| report.plans.pieces.get(*position));
    let over: Vec<&str> = over.map(|piece| piece.label.as_str()).collect();
    html! {
        tr {
            th.w scope="row" {
                (name)
                span.soft {
                    (piece.label)
                    @if let Some(level) = &piece.level { " · " (coded(level, lang)) }
                    @if let Some(decision) = &piece.decision { " · " (decision) }
                    @if let Some(date) = piece.date { " (" (day(date, lang)) ")" }
                }
                @if !piece.indicators.is_empty() {
                    span.soft {
                        @for (position, own) in piece.indicators.iter().enumerate() {
                            @if position > 0 { " · " }
                            (title(&own.title, &own.field, lang)) ": "
                            (indicator(own.text.as_ref(), &own.value, lang))
                            @if let Some(unit) = &own.unit { " " (unit) }
                        }
                    }
                }
                @if !over.is_empty() {
                    span.soft { (say("Được ưu tiên áp dụng: ", "Overruled by: ")) (over.join(", ")) }
                }
                @if piece.sliver {
                    span.soft { (say("Phần rất nhỏ: có thể do ranh giới không khớp.",
                        "A sliver: the boundaries may not match exactly.")) }
                }
            }
            td.f { (square_metres(piece.area, lang)) }
            td.f { (square_metres(piece.prevailing.area, lang)) }
            td.f { (percent(piece.prevailing.share, lang)) }
        }
    }
}

fn title<'a>(title: &'a Title, field: &'a str, lang: &str) -> &'a str {
    if title.is_empty() { field } else { title.get(lang) }
}

fn indicator(text: Option<&Title>, value: &serde_json::Value, lang: &str) -> String {
    match (text, value) {
        (Some(text), _) => text.get(lang).to_owned(),
        (None, serde_json::Value::String(text)) => text.clone(),
        (None, serde_json::Value::Number(own)) => {
            let decimals = own.to_string().split_once('.').map_or(0, |(_, part)| part.len().min(4));
            let decimals = if decimals == 1 && own.to_string().ends_with(".0") { 0 } else { decimals };
            own.as_f64().map_or_else(|| own.to_string(), |value| number(value, decimals, lang))
        }
        (None, other) => other.to_string(),
    }
}

fn right_of_way(report: &ParcelReport, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let own = &report.right_of_way;
    let nothing = match own.status {
        Status::NoData => say("Chưa có dữ liệu lộ giới.", "There is no right-of-way data."),
        Status::NotTouched => say("Không bị lộ giới cắt qua.", "No right-of-way crosses this parcel."),
        Status::Touched => "",
    };
    if !nothing.is_empty() {
        return html! { p { (nothing) } };
    }
    html! {
        table {
            thead { tr {
                th scope="col" { (say("Đường", "Road")) }
                th.f scope="col" { (say("Lộ giới", "Width")) }
                th.f scope="col" { (say("Trong thửa", "In the parcel")) }
            } }
            tbody {
                @for road in &own.roads {
                    tr {
                        th scope="row" { (road.label) }
                        td.f { (number(road.width, 2, lang)) " m" }
                        td.f { (square_metres(road.area, lang)) }
                    }
                }
                tr {
                    th scope="row" { (say("Tổng phần trong lộ giới", "Within rights-of-way in total")) }
                    td.f {}
                    td.f { (square_metres(own.cut, lang)) }
                }
                tr {
                    th scope="row" { (say("Còn lại", "Remaining")) }
                    td.f {}
                    td.f { (square_metres(own.remaining, lang)) }
                }
            }
        }
        p.soft { (say("Tính từ tim đường và bề rộng lộ giới; ranh mốc ngoài thực địa có giá trị quyết định.",
            "Computed from centre lines and widths; boundary markers on site are decisive.")) }
    }
}

fn corners(report: &ParcelReport, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let rings = report.corners.iter().any(|corner| corner.ring > 1);
    let metres = |value: f64, decimals: usize| number(value, decimals, lang);
    html! {
        table {
            thead { tr {
                th scope="col" { (say("Góc", "Corner")) }
                th.f scope="col" { "X (m)" }
                th.f scope="col" { "Y (m)" }
                th.f scope="col" { (say("Cạnh đến góc sau (m)", "Edge to the next (m)")) }
            } }
            tbody {
                @for corner in &report.corners {
                    tr {
                        th scope="row" { @if rings { (corner.ring) "." } (corner.number) }
                        td.f { (metres(corner.x, 3)) }
                        td.f { (metres(corner.y, 3)) }
                        td.f { (metres(corner.edge, 2)) }
                    }
                }
            }
        }
        @if report.corners_total > report.corners.len() {
            p.soft { "… " (report.corners_total - report.corners.len()) }
        }
    }
}

fn sources(report: &ParcelReport, lang: &'static str) -> Markup {
    html! {
        ul {
            @for source in &report.sources {
                li {
                    (title(&source.title, &source.layer, lang))
                    @if let Some(steward) = &source.steward { " · " (steward) }
                    @if let Some(date) = source.data_date {
                        " · " (say(lang, "dữ liệu ngày ", "data of ")) (day(date, lang))
                    }
                }
            }
        }
    }
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
}
