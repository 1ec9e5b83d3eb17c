//! The parameters `filter`, `filter-lang` and `filter-crs`: a CQL2 expression.

use std::sync::Arc;

use citymap_access::Audience;
use citymap_cql2::Expr;
use citymap_crs::{Crs, NamedCrs, Transform};
use citymap_engine::{Filter, FilterError, LayerSnapshot};
use citymap_model::Geometry;
use geo::MapCoords;
use serde_json::json;

use crate::{
    features::landing::FUNCTIONS_PATH,
    http::{
        coords::{BoxFault, Window, window_of},
        parameters::{Choice, OfferedCrs, Raw},
        problem::Problem,
        query::{Declared, Parameter, QueryReader, QuerySource},
    },
};

static FILTER: Parameter<Raw> = Parameter::new(
    "filter",
    "A CQL2 expression: only features for which it is true. Text, for instance \
        `area > 100 AND use IN ('ODT','ONT')`, or JSON. Fields are those of `/queryables`",
    Raw { schema: || json!({"type": "string", "minLength": 1}), style: || json!({}) },
);

/// `cql-text` is the name of the text form in drafts of the standard, which GDAL 3.6 writes.
static FILTER_LANG: Parameter<Choice> = Parameter::new(
    "filter-lang",
    "The language of `filter`; `cql-text` is an older name of `cql2-text`",
    Choice { values: &["cql2-text", "cql2-json", "cql-text"], default: Some("cql2-text") },
);

static FILTER_CRS: Parameter<OfferedCrs> = Parameter::new(
    "filter-crs",
    "The system of the coordinates in `filter`, in the axis order of its authority",
    OfferedCrs,
);

/// The parameters that the OpenAPI document shares.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 3] = [&FILTER, &FILTER_LANG, &FILTER_CRS];

/// A filter that may be missing, with its coordinates in longitude and latitude.
pub(crate) struct FilterSource;

/// The source of a field of type `Option<Expr>`.
pub(crate) static OPTIONAL_FILTER: FilterSource = FilterSource;

impl QuerySource for FilterSource {
    type Value = Option<Expr>;

    fn take(&self, reader: &mut QueryReader<'_>) -> Result<Self::Value, Problem> {
        let (text, lang) = (FILTER.take(reader)?, FILTER_LANG.take(reader)?);
        let crs = FILTER_CRS.take(reader)?;
        let Some(text) = text else { return Ok(None) };
        let read = if lang == Some("cql2-json") { Expr::parse_json(&text) } else { Expr::parse_text(&text) };
        let mut expr = read.map_err(|error| Problem::parameter(format!("`filter`: {error}")))?;
        to_lonlat(&mut expr, &crs)?;
        Ok(Some(expr))
    }

    fn declare(&'static self, list: &mut Vec<&'static dyn Declared>) {
        list.extend(SHARED_PARAMETERS);
    }
}

/// The condition of a filter on a layer; none where there is no filter.
///
/// # Errors
/// 400 for a field or function that the public does not see, and values of types that do not fit together.
pub(crate) fn check_filter(expr: Option<&Expr>, snapshot: &LayerSnapshot) -> Result<Option<Filter>, Problem> {
    let filter = expr.map(|expr| Filter::check(expr, snapshot.layer(), &Audience::Public)).transpose();
    filter.map_err(|error| {
        let more = match error {
            FilterError::UnknownFunction { .. } => format!("; {FUNCTIONS_PATH} describes them"),
            _ => String::new(),
        };
        Problem::parameter(format!("`filter`: {error}{more}"))
    })
}

/// The condition of the filter of a question on the one layer that `layers` names.
///
/// # Errors
/// 400 for a filter of several layers; the errors of [`check_filter`].
pub(crate) fn check_filter_of_one(
    expr: Option<&Expr>,
    layers: &[Arc<LayerSnapshot>],
) -> Result<Option<Filter>, Problem> {
    match (expr, layers) {
        (None, _) => Ok(None),
        (expr, [layer]) => check_filter(expr, layer),
        _ => Err(Problem::parameter("`filter` is of one layer; name one layer only")),
    }
}

/// Turns the geometries of an expression from the system `crs` to longitude and latitude. The edges of a
/// geometry are straight between the converted positions; those of a box follow the axes of `crs`.
fn to_lonlat(expr: &mut Expr, crs: &NamedCrs) -> Result<(), Problem> {
    let transform = Transform::new(crs.crs, Crs::WGS84)?;
    let is_lonlat = *crs == NamedCrs::crs84();
    expr.try_visit_mut(&mut |part| {
        match part {
            Expr::Geometry(geometry) if !is_lonlat => {
                let mut turned: Geometry = geometry.map_coords(|at| crs.turn([at.x, at.y]).into());
                transform.geometry(&mut turned)?;
                *geometry = turned;
            }
            Expr::Bbox([a, b, c, d]) => {
                let window = window_of([[*a, *b], [*c, *d]], crs).map_err(|fault| match fault {
                    BoxFault::Crs(error) => Problem::from(error),
                    fault => Problem::parameter(format!("`filter`: a box cannot be used: {fault}")),
                })?;
                *part = match window {
                    Window::Bbox(bbox) => Expr::Bbox([bbox.min[0], bbox.min[1], bbox.max[0], bbox.max[1]]),
                    Window::Polygon(polygon) => Expr::Geometry(polygon.into()),
                };
            }
            _ => {}
        }
        Ok(())
    })
}
