//! The pages for layers, for a table of features and for one feature.

use std::sync::Arc;

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Row, ValueRef};
use citymap_model::{Domain, Field};
use maud::{Markup, html};
use serde_json::Value;

use crate::{
    features::{
        chosen::Columns,
        describe::{field_title, layer_title},
    },
    http::{
        base::{PageLinks, segment},
        html::say,
    },
};

/// A table of features.
pub(crate) struct FeatureTable<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) columns: &'a Columns,
    /// The query of the page after it.
    pub(crate) next: Option<&'a str>,
}

/// The content of the page of all layers.
pub(crate) fn collections(layers: &[Arc<LayerSnapshot>], lang: &str, links: &PageLinks) -> Markup {
    html! {
        @if layers.is_empty() {
            p { (say(lang, "Chưa có dữ liệu: dùng ", "No data yet: use ")) code {
                "citymap import" } " / " code { "citymap demo" } "." }
        } @else {
            div.wide { table {
                thead { tr {
                    th scope="col" { (say(lang, "Lớp", "Layer")) }
                    th scope="col" { (say(lang, "Loại", "Role")) }
                    th scope="col" { (say(lang, "Hình học", "Geometry")) }
                    th scope="col" { (say(lang, "Số đối tượng", "Features")) }
                    th scope="col" { (say(lang, "Hiện trạng", "State of")) }
                } }
                tbody { @for snapshot in layers {
                    @let layer = snapshot.layer();
                    tr {
                        td { a href=(links.href(&format!("/api/collections/{}", layer.id))) {
                            (layer_title(layer, lang)) } }
                        td { (layer.role.as_str()) }
                        td { (layer.geometry.as_str()) }
                        td.n { (snapshot.len()) }
                        td { @if let Some(date) = layer.data_date { (date) } }
                    }
                } }
            } }
        }
    }
}

/// The content of the page of one layer: its source, its fields, and the links of its `document`.
pub(crate) fn collection(
    snapshot: &LayerSnapshot,
    document: &Value,
    lang: &str,
    links: &PageLinks,
) -> Markup {
    let layer = snapshot.layer();
    let facts = [
        (say(lang, "Số đối tượng", "Features"), Some(snapshot.len().to_string())),
        (say(lang, "Hình học", "Geometry"), Some(layer.geometry.as_str().to_owned())),
        (say(lang, "Nguồn", "Source"), layer.source.clone()),
        (say(lang, "Hệ tọa độ nguồn", "Source coordinate system"), layer.source_crs.clone()),
        (say(lang, "Hiện trạng ngày", "State of"), layer.data_date.map(|date| date.to_string())),
        (say(lang, "Đơn vị quản lý", "Steward"), layer.steward.clone()),
        (say(lang, "Ghi công", "Attribution"), layer.attribution.clone()),
        (say(lang, "Phiên bản", "Revision"), Some(snapshot.revision().to_string())),
    ];
    html! {
        @if layer.synthetic { p { strong { (say(lang, "Dữ liệu mô phỏng, không có thật.", "Synthetic data, \
            made up.")) } } }
        p { a href=(links.href(&format!("/api/collections/{}/items", layer.id))) {
            (say(lang, "Xem các đối tượng", "Browse the features")) } }
        div.wide { table { tbody {
            @for (name, fact) in &facts {
                @if let Some(fact) = fact { tr { th scope="row" { (name) } td { (fact) } } } }
        } } }
        h2 { (say(lang, "Liên kết", "Links")) }
        ul { @for link in document["links"].as_array().into_iter().flatten() {
            @let [href, rel, kind, title] = ["href", "rel", "type", "title"].map(|name| link[name].as_str());
            @let href = href.map(|href| links.of_document(href));
            li { a href=[href] rel=[rel] type=[kind] { (title.unwrap_or_default()) } " "
                span.soft { (kind.unwrap_or_default()) } }
        } }
        h2 { (say(lang, "Trường dữ liệu", "Fields")) }
        div.wide { table {
            thead { tr {
                th scope="col" { (say(lang, "Tên", "Title")) }
                th scope="col" { (say(lang, "Trường", "Field")) }
                th scope="col" { (say(lang, "Kiểu", "Type")) }
                th scope="col" { (say(lang, "Đơn vị", "Unit")) }
                th scope="col" { (say(lang, "Bảng mã", "Code list")) }
            } }
            tbody { @for (_, field) in visible(layer, &Audience::Public).iter() { tr {
                td { (field_title(field, lang)) }
                td { code { (field.name) } }
                td { (field.field_type.as_str()) }
                td { @if let Some(unit) = &field.unit { (unit) } }
                td { (domain(field, lang)) }
            } } }
        } }
    }
}

/// Which values a field may have: its codes with their texts, a range, or a pattern.
fn domain(field: &Field, lang: &str) -> Markup {
    let codes = field.codes();
    html! {
        @match &field.domain {
            Some(Domain::Range(range)) => { (range) },
            Some(Domain::Glob(pattern)) => { code { (pattern) } },
            _ if codes.is_empty() => {},
            own => {
                details {
                    summary {
                        @match (&field.code_list, own) {
                            (Some(list), None) => { (list) },
                            _ => { (codes.len()) " " (say(lang, "mã", "codes")) },
                        }
                    }
                    @for entry in codes {
                        div { (entry.code) " " span.soft { (entry.title.get(lang)) } }
                    }
                }
            },
        }
    }
}

/// A value with its unit; a code with its meaning and colour.
fn value(field: &Field, value: ValueRef<'_>, lang: &str) -> Markup {
    let text = value.to_text();
    let entry = field.code(&text);
    html! {
        @if let Some(color) = entry.and_then(|entry| entry.color.as_deref()) {
            span.chip style=(format!("background:{color}")) {} }
        (text)
        @if let Some(entry) = entry.filter(|entry| !entry.title.is_empty()) {
            " " span.soft { (entry.title.get(lang)) } }
        @if let Some(unit) = field.unit.as_deref().filter(|_| !value.is_null()) { " " span.soft { (unit) } }
    }
}

/// Maximum number of characters of a text in a table of features.
const CHARACTERS: usize = 200;

/// [`value`] for a table: the page of the feature has the whole of a long text.
fn shortened(field: &Field, cell: ValueRef<'_>, lang: &str) -> Markup {
    match cell {
        ValueRef::Text(text) if text.len() > CHARACTERS && text.chars().count() > CHARACTERS => {
            let beginning: String = text.chars().take(CHARACTERS).collect();
            html! { (beginning) "…" }
        }
        cell => value(field, cell, lang),
    }
}

/// The content of a page of features: a table.
pub(crate) fn items(
    snapshot: &LayerSnapshot,
    table: &FeatureTable<'_>,
    lang: &str,
    links: &PageLinks,
) -> Markup {
    let FeatureTable { rows, columns, next } = *table;
    let layer = snapshot.layer();
    let has = |index: &usize| columns.fields.as_ref().is_none_or(|fields| fields.contains(index));
    let public = visible(layer, &Audience::Public);
    let fields: Vec<(usize, &Field)> = public.iter().filter(|(index, _)| has(index)).collect();
    html! {
        @if rows.is_empty() { p { (say(lang, "Không có đối tượng nào.", "No features.")) } }
        @else {
            div.wide { table {
                thead { tr {
                    th scope="col" { "id" }
                    @for (_, field) in &fields {
                        th scope="col" title=(field.name) { (field_title(field, lang)) } }
                } }
                tbody { @for &row in rows {
                    @let id = snapshot.id(row).to_string();
                    tr {
                        td { a href=(links.href(&format!("/api/collections/{}/items/{}", layer.id,
                            segment(&id)))) { (id) } }
                        @for (index, field) in &fields {
                            td { (shortened(field, snapshot.value(row, *index), lang)) } }
                    }
                } }
            } }
        }
        @if let Some(next) = next {
            div.pages { a href=(next) rel="next" { (say(lang, "Trang sau →", "Next page →")) } } }
    }
}

/// The content of the page of one feature.
pub(crate) fn item(snapshot: &LayerSnapshot, row: Row, lang: &str, links: &PageLinks) -> Markup {
    let layer = snapshot.layer();
    let middle = snapshot.bbox(row).map(|bbox| bbox.center());
    html! {
        div.wide { table { tbody {
            @for (index, field) in visible(layer, &Audience::Public).iter() {
                tr { th scope="row" title=(field.name) { (field_title(field, lang)) } td {
                    (value(field, snapshot.value(row, index), lang)) } }
            }
            @if let Some([lon, lat]) = middle {
                tr { th scope="row" { (say(lang, "Kinh độ, vĩ độ (giữa)", "Longitude, latitude (middle)")) }
                     td.n { (format!("{lon:.6}, {lat:.6}")) } }
                tr { th scope="row" { (say(lang, "Ở đây còn có gì?", "What else is here?")) }
                     td { a href=(links.href(&format!("/api/at?lon={lon}&lat={lat}&f=html"))) {
                        "/api/at" } } }
            }
        } } }
    }
}
