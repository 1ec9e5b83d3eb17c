//! What a layer is, as a collection of OGC API – Features.

use std::borrow::Cow;

use citymap_access::{Audience, visible};
use citymap_crs::{CRS84, NamedCrs};
use citymap_engine::LayerSnapshot;
use citymap_model::{Domain, Field, GeometryKind, Layer, Meaning, Theme, Title, codes};
use serde_json::{Map, Value, json};

use crate::{
    http::{
        base::{BaseUrl, segment},
        json::JsonWriter,
        response::{GEOJSON, HTML, JSON, SCHEMA},
    },
    maps::MAP,
    styles::STYLES,
    tiles::tilesets::{MAP_TILESETS, TILESETS},
    versions::fingerprint,
};

/// A link as OGC API and RFC 8288 describe it.
pub(crate) fn link(rel: &str, kind: &str, title: &str, href: String) -> Value {
    // Clients compare the type as a text, and expect a page to be `text/html`.
    let kind = kind.strip_suffix("; charset=utf-8").unwrap_or(kind);
    json!({"href": href, "rel": rel, "type": kind, "title": title})
}

/// The links of a document to itself and to its HTML page; `query` gives the query string for a format.
pub(crate) fn self_links(
    base: &BaseUrl,
    path: &str,
    query: impl Fn(&str) -> String,
    json: &str,
) -> Vec<Value> {
    vec![
        link("self", json, "This document", base.url(&format!("{path}{}", query("json")))),
        link("alternate", HTML, "This document as a page", base.url(&format!("{path}{}", query("html")))),
    ]
}

/// A title in Vietnamese and English.
pub(crate) fn titles(title: &Title) -> Value {
    json!({"vi": title.get("vi"), "en": title.get("en")})
}

/// Opens an object with the members `layer`, `titles` and `role`.
pub(crate) fn open_layer(json: &mut JsonWriter<'_>, layer: &Layer) {
    json.open_object().key("layer").text(layer.id.as_str());
    json.key("titles").open_object().key("vi").text(layer.title.get("vi"));
    json.key("en").text(layer.title.get("en"));
    json.close_object();
    json.key("role").text(layer.role.as_str());
}

/// The title of a layer, or its id if it has none.
pub(crate) fn layer_title<'a>(layer: &'a Layer, lang: &str) -> &'a str {
    if layer.title.is_empty() { layer.id.as_str() } else { layer.title.get(lang) }
}

/// The title of a field, or its name if it has none.
pub(crate) fn field_title<'a>(field: &'a Field, lang: &str) -> &'a str {
    if field.title.is_empty() { &field.name } else { field.title.get(lang) }
}

/// The codes of a field with their texts and colours; null for a field without codes. The id is null where
/// the codes are the field's own.
fn code_list(field: &Field) -> Value {
    let codes = field.codes();
    if codes.is_empty() {
        return Value::Null;
    }
    let own = field.domain.as_ref().map_or(&[][..], Domain::codes);
    let list = field.code_list.as_deref().filter(|_| own.is_empty()).and_then(codes::builtin);
    let entries: Vec<Value> = codes
        .iter()
        .map(|entry| {
            let (vi, en) = (entry.title.get("vi"), entry.title.get("en"));
            json!({"code": entry.code, "vi": vi, "en": en, "color": entry.color, "group": entry.group})
        })
        .collect();
    json!({
        "id": list.map(|list| list.id),
        "title": list.map(|list| titles(&list.title)),
        "entries": entries,
    })
}

fn field(field: &Field) -> Value {
    let (range, pattern) = match &field.domain {
        Some(Domain::Range(range)) => {
            let bounds = json!({
                "min": range.min,
                "max": range.max,
                "minExcluded": range.min_excluded,
                "maxExcluded": range.max_excluded,
            });
            (Some(bounds), None)
        }
        Some(Domain::Glob(pattern)) => (None, Some(pattern)),
        _ => (None, None),
    };
    json!({
        "name": field.name,
        "type": field.field_type.as_str(),
        "title": if field.title.is_empty() { Value::Null } else { titles(&field.title) },
        "unit": field.unit,
        "codeList": code_list(field),
        "range": range,
        "pattern": pattern,
        "meaning": field.meaning.map(Meaning::as_str),
    })
}

/// Sentences on the source and the age of a layer.
fn description(layer: &Layer, lang: &str) -> String {
    let mut parts = Vec::new();
    if layer.synthetic {
        parts.push(
            if lang == "en" {
                "Synthetic data, made up."
            } else {
                "Dữ liệu mô phỏng, không có thật."
            }
            .to_owned(),
        );
    }
    if let Some(source) = &layer.source {
        parts.push(format!("{} {source}.", if lang == "en" { "Source:" } else { "Nguồn:" }));
    }
    if let Some(date) = layer.data_date {
        parts.push(format!("{} {date}.", if lang == "en" { "State of" } else { "Hiện trạng ngày" }));
    }
    parts.join(" ")
}

/// A layer as a collection of OGC API – Features.
pub(crate) fn collection(snapshot: &LayerSnapshot, base: &BaseUrl, lang: &str) -> Value {
    let layer = snapshot.layer();
    let id = segment(layer.id.as_str());
    let path = format!("/api/collections/{id}");
    let url = |tail: &str| base.url(&format!("{path}{tail}"));
    let mut links = self_links(base, &path, |format| format!("?f={format}"), JSON);
    links.extend([
        link("items", GEOJSON, "Features", url("/items?f=json")),
        link("items", HTML, "Features as a page", url("/items?f=html")),
        // GDAL takes the last link of this type, others the first. It appends `/{id}`: no query here.
        link("items", GEOJSON, "Features, many a page", url("/bulk-items")),
        // GDAL reads this one (older ones in this spelling only): field types do not hang on what the first
        // page happens to hold.
        link(
            "describedBy",
            SCHEMA,
            "Schema of a feature in which null counts as absent",
            url("/gdal-schema"),
        ),
        link("related", SCHEMA, "Schema of a feature (GeoJSON)", url("/feature-schema")),
        link("http://www.opengis.net/def/rel/ogc/1.0/schema", SCHEMA, "Schema of the fields", url("/schema")),
        link(
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
            SCHEMA,
            "Fields to filter by",
            url("/queryables"),
        ),
        link("tilejson", JSON, "Vector tiles", base.url(&format!("/tiles/{id}.json"))),
    ]);
    if layer.geometry != GeometryKind::None {
        links.push(link(TILESETS, JSON, "Vector tiles (OGC API – Tiles)", url("/tiles?f=json")));
        // Without features there is no extent to draw.
        if snapshot.extent().is_some() {
            links.push(link(MAP, "image/png", "A picture of it (OGC API – Maps)", url("/map?f=png")));
            links.push(link(MAP_TILESETS, JSON, "Tiles of its map", url("/map/tiles?f=json")));
        }
        links.push(link(STYLES, JSON, "Styles of the map", url("/styles?f=json")));
    }
    let mut extent = Map::new();
    if let Some(bbox) = snapshot.extent() {
        let [west, south] = bbox.min;
        let [east, north] = bbox.max;
        extent.insert("spatial".into(), json!({"bbox": [[west, south, east, north]], "crs": CRS84}));
    }
    let visible = visible(layer, &Audience::Public);
    let fields: Vec<Value> = visible.iter().map(|(_, own)| field(own)).collect();
    let named = |name: &Option<String>| visible.named(name.as_deref()).map(str::to_owned);
    let crs: Vec<Cow<'static, str>> = NamedCrs::all().into_iter().map(|crs| crs.uri).collect();
    let rule = layer.tile_rule();
    json!({
        "id": layer.id.as_str(),
        "title": layer_title(layer, lang),
        "description": description(layer, lang),
        "attribution": layer.attribution,
        "itemType": "feature",
        "itemCount": snapshot.len(),
        "extent": extent,
        "crs": crs,
        "storageCrs": CRS84,
        "links": links,
        "citymap": {
            "titles": titles(&layer.title),
            "role": layer.role.as_str(),
            "geometry": layer.geometry.as_str(),
            "count": snapshot.len(),
            "revision": snapshot.revision(),
            "key": named(&layer.key),
            "label": named(&layer.label),
            "validFrom": named(&layer.valid_from),
            "validTo": named(&layer.valid_to),
            "temporal": visible.instant_index().map(|index| layer.fields[index].name.as_str()),
            "dataDate": layer.data_date.map(|date| date.to_string()),
            "source": layer.source,
            "sourceCrs": layer.source_crs,
            "steward": layer.steward,
            "attribution": layer.attribution,
            "synthetic": layer.synthetic,
            "fields": fields,
            "tiles": base.url(&format!("/tiles/{id}/{{z}}/{{x}}/{{y}}")),
            "tilesVersion": fingerprint(snapshot),
            "tileRule": {"detailZoom": rule.detail_zoom, "class": rule.class},
            "theme": layer.theme.map(Theme::as_str),
            "shown": layer.is_shown_at_first(),
        },
    })
}
