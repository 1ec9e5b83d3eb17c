//! The page on which a citizen checks a report on a parcel.

use citymap_planning::{
    ReportChange, Theme,
    wording::{id_text, number},
};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    report_page,
    verify::{Reason, Verdict, Verified},
};
use crate::http::{base::PageLinks, html::say};

/// Changes and differences that the page shows; the JSON document has more.
const ENTRIES: usize = 50;

/// The form, for somebody who has a paper and no link. It needs no script.
pub(super) fn form(lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let fields = [
        ("parcel", say("Mã thửa đất", "Parcel id")),
        ("layer", say("Lớp dữ liệu", "Layer")),
        ("revision", say("Phiên bản dữ liệu", "Data revision")),
        ("datetime", say("Thời điểm áp dụng", "Valid on")),
        ("hash", say("Mã băm (64 ký tự)", "Content hash (64 digits)")),
    ];
    html! {
        p {
            (say("Quét mã QR hoặc mở liên kết trên bản thông tin. Nếu không có, nhập các mục ghi trên đó.",
                "Scan the QR code or open the link on the report. Without it, enter what the report says."))
        }
        form method="get" action="verify" {
            input type="hidden" name="f" value="html";
            input type="hidden" name="lang" value=(lang);
            @for (name, label) in fields {
                p {
                    label for=(name) { (label) } br;
                    input id=(name) name=(name) size="66" required[name != "layer"] autocomplete="off";
                }
            }
            p { button { (say("Kiểm tra", "Check")) } }
        }
    }
}

/// The verdict, what the record said, and what has changed since.
pub(super) fn content(verified: &Verified, lang: &'static str, links: &PageLinks) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    html! {
        p role="status" { strong { (verdict(verified, lang)) } }
        @if !verified.differences.is_empty() {
            h2 { (say("Chỗ khác với hồ sơ", "Where the report differs from the record")) }
            (differences(verified, lang))
        }
        @if let Some(report) = &verified.report {
            h2 { (say("Hồ sơ tại thời điểm đó", "What the record said")) }
            p {
                (say("Hãy so các số dưới đây với bản thông tin bạn có. Phiên bản dữ liệu ",
                    "Compare these with the report that you have. Data revision ")) (report.revision)
                @if let Some(start) = report.valid_time.as_ref().and_then(|time| time.start.as_deref()) {
                    (say(", áp dụng tại ", ", valid on ")) (start.get(..10).unwrap_or(start))
                }
                "."
            }
            (report_page::facts(report, lang))
            h2 { (say("Thay đổi từ đó đến nay", "Changes since then")) }
            p { (say("So với phiên bản mới nhất, ", "Compared with the newest revision, "))
                (verified.newest_revision) "." }
            (changes(verified, lang))
            @if verified.exists == Some(true) {
                @let path = format!("/api/parcels/{}/report?layer={}&f=html&lang={lang}",
                    crate::http::base::segment(&id_text(&report.id)), report.layer);
                p { a href=(links.href(&path)) {
                    (say("Thông tin hiện nay của thửa đất", "The report of today")) } }
            }
            p { strong { (report.notice.get(lang)) } }
        } @else {
            p { a href=(links.href(&format!("/api/reports/verify?f=html&lang={lang}"))) {
                (say("Nhập lại", "Enter the report again")) } }
        }
    }
}

fn verdict(verified: &Verified, lang: &'static str) -> &'static str {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    match (verified.result, verified.reason) {
        (Verdict::Confirmed, _) => {
            say("Đúng: mã băm khớp với hồ sơ.", "Confirmed: the content hash is that of the record.")
        }
        (_, Some(Reason::Revision)) => say(
            "Không xác nhận: hồ sơ không có phiên bản dữ liệu này. Kiểm tra lại số phiên bản.",
            "Not confirmed: the record has no such revision. Check the revision number.",
        ),
        (_, Some(Reason::Parcel)) => say(
            "Không xác nhận: tại phiên bản đó không có thửa đất này. Kiểm tra lại mã thửa.",
            "Not confirmed: the record had no such parcel at that revision. Check the parcel id.",
        ),
        _ => say(
            "Không xác nhận: nội dung khác với hồ sơ. Không dùng bản thông tin này.",
            "Not confirmed: the content is not what the record said. Do not rely on this report.",
        ),
    }
}

fn differences(verified: &Verified, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    html! {
        div.wide { table {
            thead { tr {
                th scope="col" { (say("Mục", "Member")) }
                th scope="col" { (say("Bản thông tin", "Report")) }
                th scope="col" { (say("Hồ sơ", "Record")) }
            } }
            tbody {
                @for own in verified.differences.iter().take(ENTRIES) {
                    tr {
                        th scope="row" { (own.pointer) }
                        td { (plain(&own.document, lang)) }
                        td { (plain(&own.record, lang)) }
                    }
                }
            }
        } }
    }
}

fn changes(verified: &Verified, lang: &'static str) -> Markup {
    let say = |vi: &'static str, en: &'static str| say(lang, vi, en);
    let Some(changes) = &verified.changes else {
        let gone = say("Thửa đất không còn trong hồ sơ.", "The parcel is no longer in the record.");
        return html! { p { (gone) } };
    };
    if changes.is_empty() {
        return html! { p { (say("Không có thay đổi.", "Nothing has changed.")) } };
    }
    html! {
        div.wide { table {
            thead { tr {
                th scope="col" { (say("Mục", "Member")) }
                th scope="col" { (say("Trước", "Before")) }
                th scope="col" { (say("Nay", "Now")) }
            } }
            tbody {
                @for own in changes.iter().take(ENTRIES) {
                    tr {
                        th scope="row" {
                            (theme(own.theme, lang)) ": "
                            @if let Some(label) = &own.label { (label) ", " }
                            (member(own, lang))
                        }
                        td { (plain(&own.before, lang)) }
                        td { (plain(&own.after, lang)) }
                    }
                }
            }
        } }
        @if changes.len() > ENTRIES { p.soft { "… " (changes.len() - ENTRIES) } }
    }
}

fn theme(theme: Theme, lang: &'static str) -> &'static str {
    match theme {
        Theme::Identification => say(lang, "Thửa đất", "Parcel"),
        Theme::Shape => say(lang, "Diện tích và ranh giới", "Area and boundary"),
        Theme::Plans => say(lang, "Quy hoạch", "Plan"),
        Theme::RightOfWay => say(lang, "Lộ giới", "Right-of-way"),
    }
}

/// What a changed member is called.
fn member(change: &ReportChange, lang: &'static str) -> &'static str {
    let names = [
        ("commune", "phường, xã, đặc khu", "commune"),
        ("formerCommune", "đơn vị hành chính cũ", "former commune"),
        ("sheet", "số tờ bản đồ", "map sheet"),
        ("number", "số thửa", "parcel number"),
        ("parcelId", "mã định danh thửa đất", "national parcel identifier"),
        ("landUse", "loại đất", "land use"),
        ("address", "địa chỉ", "address"),
        ("grid", "diện tích trên lưới VN-2000, m²", "area on the VN-2000 grid, m²"),
        ("certificate", "diện tích trên giấy chứng nhận, m²", "area on the certificate, m²"),
        ("corners", "góc ranh", "corners"),
        ("area", "phần trong thửa, m²", "part in the parcel, m²"),
        ("prevailing", "phần áp dụng, m²", "part that prevails, m²"),
        ("function", "chức năng sử dụng đất", "land-use function"),
        ("level", "cấp quy hoạch", "level of the plan"),
        ("decision", "quyết định", "decision"),
        ("date", "ngày", "date"),
        ("indicators", "chỉ tiêu", "indicators"),
        ("width", "bề rộng lộ giới, m", "width, m"),
    ];
    let found = names.iter().find(|(name, ..)| *name == change.member);
    found.map_or(change.member, |(_, vi, en)| say(lang, vi, en))
}

/// A value as text: numbers with the separators of the language, a dash where there is none.
fn plain(value: &Value, lang: &str) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(own) if own.is_f64() => {
            own.as_f64().map_or_else(|| own.to_string(), |value| number(value, 2, lang))
        }
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| format!("{name}: {}", plain(value, lang)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
