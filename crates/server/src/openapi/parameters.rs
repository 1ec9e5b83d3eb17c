//! The parameters of the OpenAPI document, from their declarations beside the handlers.

use citymap_model::{Field, FieldType};
use serde_json::{Map, Value, json};

use crate::{
    changes::{history, pages},
    config::Limits,
    features::{chosen, describe::field_title, items, schema},
    http::{
        filter,
        parameters::{CRS, DATETIME, F, LANG, LAYERS, MIN_REVISION, POSITION, REVISION, SINCE},
        query::{Declared, QuerySource},
    },
    jobs::status,
    maps,
    processes::paging,
    questions::{at, draft, lineage, near, report, report_pdf, search, transform, verify, within},
    styles,
    tiles::{self, tilesets},
};

/// A reference to a shared parameter.
pub(super) fn shared_ref(parameter: &dyn Declared) -> Value {
    json!({"$ref": format!("#/components/parameters/{}", parameter.component())})
}

fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "description": description, "schema": schema,
        "style": "form", "explode": false})
}

/// A parameter in the path.
pub(super) fn path_parameter(name: &str, description: &str, schema: Value, example: Value) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": description, "schema": schema,
            "example": example,
    })
}

/// The parameters below `components/parameters`, in their order in the document.
fn shared_parameters() -> Vec<&'static dyn Declared> {
    let [limit, at_least, bbox, bbox_crs, after, with_fid, explain] = items::SHARED_PARAMETERS;
    let [tile_encoding, rev] = tiles::SHARED_PARAMETERS;
    let mut list: Vec<&'static dyn Declared> = vec![
        &SINCE,
        &history::BEFORE,
        &history::LIMIT,
        &pages::LIMIT,
        &REVISION,
        &MIN_REVISION,
        &F,
        &super::VERSION,
        &LANG,
        limit,
        at_least,
        &at::LIMIT,
        &near::LIMIT,
        &within::LIMIT,
        &search::LIMIT,
        bbox,
        &within::BBOX,
        bbox_crs,
        &CRS,
        &DATETIME,
        after,
        with_fid,
        explain,
    ];
    POSITION.declare(&mut list);
    list.extend::<[&'static dyn Declared; 11]>([
        &LAYERS,
        &at::TOLERANCE,
        &near::DISTANCE,
        &within::FEATURES,
        &within::AFTER,
        &within::BY,
        &within::OF,
        &search::Q,
        &transform::TO,
        tile_encoding,
        rev,
    ]);
    list.extend(filter::SHARED_PARAMETERS);
    list.extend(chosen::SHARED_PARAMETERS);
    list.push(&report::LAYER);
    list.extend(report_pdf::SHARED_PARAMETERS);
    list.extend(verify::SHARED_PARAMETERS);
    list.extend(draft::SHARED_PARAMETERS);
    list.push(&lineage::FROM);
    list.extend(schema::SHARED_PARAMETERS);
    list.extend(tilesets::SHARED_PARAMETERS);
    list.extend(maps::SHARED_PARAMETERS);
    list.extend(styles::SHARED_PARAMETERS);
    list.extend(styles::LEGEND_PARAMETERS);
    list.extend(paging::SHARED_PARAMETERS);
    list.extend(status::SHARED_PARAMETERS);
    list
}

/// All shared parameters by the names that [`shared_ref`] uses.
pub(super) fn shared(limits: &Limits) -> Value {
    let objects = shared_parameters().into_iter();
    let objects: Map<String, Value> =
        objects.map(|parameter| (parameter.component().to_owned(), parameter.object(limits, None))).collect();
    objects.into()
}

/// A field as a filter on equality.
pub(super) fn field(field: &Field) -> Value {
    let mut schema = match field.field_type {
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Int => json!({"type": "integer", "format": "int64"}),
        FieldType::Real => json!({"type": "number"}),
        FieldType::Text => json!({"type": "string"}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
    };
    if !field.codes().is_empty() {
        let some: Vec<&str> = field.codes().iter().map(|entry| entry.code.as_str()).collect();
        schema["x-citymap-codes"] = json!(some);
    }
    query(&field.name, &format!("{}: features whose value is this one", field_title(field, "en")), schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        changes::{events::EventsQuery, history::HistoryQuery, pages::ChangesQuery},
        features::{
            items::{ItemQuery, ItemsQuery},
            landing::{LayerQuery, PageQuery},
            schema::SchemaQuery,
        },
        http::query::Query,
        jobs::status::JobsQuery,
        maps::{CityMapQuery, CityMapTileQuery, CityMapTilesetQuery},
        openapi::OpenApiQuery,
        processes::routes::ProcessesQuery,
        questions::{
            at::AtQuery,
            draft::DraftQuery,
            lineage::LineageQuery,
            near::NearQuery,
            report::ReportQuery,
            search::SearchParameters,
            transform::TransformQuery,
            verify::{VerifyDocumentQuery, VerifyQuery},
            within::WithinBoxQuery,
        },
        styles::{CollectionStyleQuery, LegendQuery, StyleQuery},
        tiles::{
            TileJsonQuery, TileQuery,
            tilesets::{CityTileQuery, CityTilesetQuery, TilesetQuery},
        },
    };

    #[test]
    fn every_parameter_that_is_read_is_shared_and_no_other() {
        let queries = [
            PageQuery::declared(),
            SchemaQuery::declared(),
            OpenApiQuery::declared(),
            LayerQuery::declared(),
            ItemsQuery::declared(),
            ItemQuery::declared(),
            ChangesQuery::declared(),
            EventsQuery::declared(),
            HistoryQuery::declared(),
            AtQuery::declared(),
            NearQuery::declared(),
            SearchParameters::declared(),
            TransformQuery::declared(),
            WithinBoxQuery::declared(),
            TileQuery::declared(),
            TileJsonQuery::declared(),
            CityTileQuery::declared(),
            CityTilesetQuery::declared(),
            TilesetQuery::declared(),
            CityMapQuery::declared(),
            CityMapTileQuery::declared(),
            CityMapTilesetQuery::declared(),
            StyleQuery::declared(),
            CollectionStyleQuery::declared(),
            LegendQuery::declared(),
            ProcessesQuery::declared(),
            JobsQuery::declared(),
            ReportQuery::declared(),
            VerifyQuery::declared(),
            VerifyDocumentQuery::declared(),
            DraftQuery::declared(),
            LineageQuery::declared(),
        ];
        let mut read: Vec<&str> = queries.iter().flatten().map(|parameter| parameter.component()).collect();
        let mut shared: Vec<&str> =
            shared_parameters().iter().map(|parameter| parameter.component()).collect();
        read.sort_unstable();
        read.dedup();
        shared.sort_unstable();
        assert_eq!(read, shared);
    }
}
