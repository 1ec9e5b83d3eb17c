//! The report on a parcel as a page for people, which prints on A4.

use citymap_planning::{
    ParcelReport,
    wording::{self, Block, FactKind, Section, SectionKind},
};
use maud::{Markup, PreEscaped, html};

use crate::http::{base::PageLinks, html::say};

/// Rules for this page: figures to the right, and a sheet of paper without what only a screen needs.
const STYLE: &str = "
td.f,th.f{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.w{white-space:normal}
td .soft,th .soft{display:block;font-weight:400;font-size:.88rem}
@page{size:A4;margin:16mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#999;--ground:#fff}
  body{padding:0;max-width:none;font-size:11pt}header,.screen{display:none}
  h2{break-after:avoid}tr{break-inside:avoid}}
";

/// The content of the page, in Vietnamese or English.
pub(super) fn content(report: &ParcelReport, lang: &'static str, links: &PageLinks) -> Markup {
    html! {
        style { (PreEscaped(STYLE)) }
        @for link in &report.links {
            p.screen {
                a href=(links.of_document(&link.href)) rel=(link.rel) type=(link.media_type) {
                    (say(lang, "Tải bản PDF (A4)", "As PDF (A4)")) }
            }
        }
        @for section in wording::sections(report, lang) {
            (written(&section))
            @if section.kind == SectionKind::Verification {
                @if let Some(link) = &report.verification.link {
                    p { a href=(links.of_document(link)) {
                        (say(lang, "Kiểm tra và xem thay đổi từ đó đến nay",
                            "Check it and see what has changed")) } }
                }
            }
        }
        p { strong { (report.notice.get(lang)) } }
    }
}

/// What a report says of the parcel, its plans and rights-of-way.
pub(super) fn facts(report: &ParcelReport, lang: &'static str) -> Markup {
    html! { @for section in wording::facts(report, lang) { (written(&section)) } }
}

fn written(section: &Section) -> Markup {
    html! {
        h2 { (section.title) }
        @for block in &section.blocks { (block_of(block)) }
    }
}

fn block_of(block: &Block) -> Markup {
    match block {
        Block::Facts(facts) => html! {
            table { tbody {
                @for fact in facts {
                    tr {
                        th scope="row" { (fact.label) }
                        @match fact.kind {
                            FactKind::Text => { td { (fact.value) } }
                            FactKind::Figure => { td.f { (fact.value) } }
                            FactKind::Code => { td.n { (fact.value) } }
                        }
                    }
                }
            } }
        },
        Block::Table(own) => html! {
            div.wide { table {
                thead { tr {
                    @for (position, title) in own.columns.iter().enumerate() {
                        th.f[position > 0] scope="col" { (title) }
                    }
                } }
                tbody {
                    @for row in &own.rows {
                        tr {
                            th.w scope="row" {
                                (row.head)
                                @for note in &row.notes { span.soft { (note) } }
                            }
                            @for figure in &row.figures { td.f { (figure) } }
                        }
                    }
                }
            } }
        },
        Block::List(entries) => html! { ul { @for entry in entries { li { (entry) } } } },
        Block::Text(text) => html! { p { (text) } },
        Block::Note(text) => html! { p.soft { (text) } },
    }
}
