//! Which features a page has, in which order, and with which of their properties: `ids`, `sortby`,
//! `properties`, `exclude-properties` and `skipGeometry`.

use citymap_access::{Audience, visible};
use citymap_engine::{LayerSnapshot, Row, SortKey};
use citymap_model::{Value, nearest, normalize_text};
use serde_json::json;

use crate::http::{
    parameters::{Flag, Raw, TextList},
    problem::Problem,
    query::{Declared, Parameter, query},
};

static IDS: Parameter<TextList> = Parameter::new(
    "ids",
    "Only features with these ids; ids that no feature has are ignored",
    TextList { values: &[] },
);

static SORT_BY: Parameter<TextList> = Parameter::new(
    "sortby",
    "Properties by which the features are sorted, `-` before one for the largest first; missing values \
        come last",
    TextList { values: &[] },
);

static SORT_AFTER: Parameter<Raw> = Parameter::new(
    "sort-after",
    "The values by which the last feature of the page before was sorted; the `next` link carries it",
    Raw { schema: || json!({"type": "string", "minLength": 1}), style: || json!({}) },
);

static PROPERTIES: Parameter<TextList> =
    Parameter::new("properties", "Only these properties of each feature", TextList { values: &[] });

static EXCLUDED: Parameter<TextList> = Parameter::new(
    "exclude-properties",
    "All properties of each feature but these",
    TextList { values: &[] },
);

static SKIP_GEOMETRY: Parameter<Flag> =
    Parameter::new("skipGeometry", "Whether features come with null in place of their geometry", Flag);

query! {
    /// The parameters, as they are given.
    pub(crate) struct ChosenQuery {
        ids: Option<Vec<String>> = IDS,
        sort_by: Option<Vec<String>> = SORT_BY,
        sort_after: Option<String> = SORT_AFTER,
        properties: Option<Vec<String>> = PROPERTIES,
        excluded: Option<Vec<String>> = EXCLUDED,
        skip_geometry: bool = SKIP_GEOMETRY,
    }
}

/// The parameters that the OpenAPI document shares between layers.
pub(crate) static SHARED_PARAMETERS: [&dyn Declared; 6] =
    [&IDS, &SORT_BY, &SORT_AFTER, &PROPERTIES, &EXCLUDED, &SKIP_GEOMETRY];

/// Which properties of a feature are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    /// Positions of the fields; `None` for all that are public.
    pub(crate) fields: Option<Vec<usize>>,
    pub(crate) without_geometry: bool,
}

impl ChosenQuery {
    /// The properties that are written.
    ///
    /// # Errors
    /// 400 for a property that the layer has not, and for both lists at once.
    pub(crate) fn columns(&self, snapshot: &LayerSnapshot) -> Result<Columns, Problem> {
        let positions = |name: &str, list: &[String]| -> Result<Vec<usize>, Problem> {
            list.iter().map(|field| position(name, field, snapshot)).collect()
        };
        let fields = match (&self.properties, &self.excluded) {
            (Some(_), Some(_)) => {
                return Err(Problem::parameter("give either `properties` or `exclude-properties`, not both"));
            }
            (Some(list), None) => Some(positions("properties", list)?),
            (None, Some(list)) => {
                let without = positions("exclude-properties", list)?;
                let all = visible(snapshot.layer(), &Audience::Public).iter().map(|(index, _)| index);
                Some(all.filter(|index| !without.contains(index)).collect())
            }
            (None, None) => None,
        };
        Ok(Columns { fields, without_geometry: self.skip_geometry })
    }

    /// The rows of `ids`; `None` if they are not given.
    pub(crate) fn rows(&self, snapshot: &LayerSnapshot) -> Option<Vec<Row>> {
        let ids = self.ids.as_ref()?;
        Some(ids.iter().filter_map(|id| snapshot.row_of_id(id)).collect())
    }

    /// The fields of `sortby`.
    ///
    /// # Errors
    /// 400 for a property that the layer has not.
    pub(crate) fn sort(&self, snapshot: &LayerSnapshot) -> Result<Vec<SortKey>, Problem> {
        let key = |text: &String| {
            let (name, descending) = match text.strip_prefix('-') {
                Some(name) => (name, true),
                None => (text.strip_prefix('+').unwrap_or(text), false),
            };
            Ok(SortKey { field: position("sortby", name, snapshot)?, descending })
        };
        self.sort_by.iter().flatten().map(key).collect()
    }

    /// The values of `sort-after`, one for each field of `sortby`.
    ///
    /// # Errors
    /// 400 if they are not what a `next` link carries.
    pub(crate) fn sort_after(
        &self,
        snapshot: &LayerSnapshot,
        keys: &[SortKey],
    ) -> Result<Vec<Value>, Problem> {
        let Some(text) = &self.sort_after else { return Ok(Vec::new()) };
        let read = || {
            let texts: Vec<Option<String>> = serde_json::from_str(text).ok()?;
            let value = |(key, text): (&SortKey, Option<String>)| match text {
                None => Some(Value::Null),
                Some(text) => Value::parse(&text, snapshot.layer().fields[key.field].field_type),
            };
            (texts.len() == keys.len()).then(|| keys.iter().zip(texts).map(value).collect()).flatten()
        };
        read().ok_or_else(|| {
            Problem::parameter("`sort-after` cannot be used; follow the `next` link of the page before")
        })
    }
}

/// The text of `sort-after` for the page after `row`.
pub(crate) fn sort_after_of(snapshot: &LayerSnapshot, row: Row, keys: &[SortKey]) -> String {
    let value = |key: &SortKey| match snapshot.value(row, key.field).to_value() {
        Value::Real(value) if !value.is_finite() => None,
        value => value.to_key(),
    };
    json!(keys.iter().map(value).collect::<Vec<Option<String>>>()).to_string()
}

/// The position of a public field, which the parameter `parameter` names.
fn position(parameter: &str, name: &str, snapshot: &LayerSnapshot) -> Result<usize, Problem> {
    let fields = visible(snapshot.layer(), &Audience::Public);
    let found = fields.iter().find(|(_, field)| normalize_text(field.name.clone()) == name);
    found.map(|(index, _)| index).ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        let near = nearest(&name, &fields.names(), 40).join(", ");
        Problem::parameter(format!(
            "`{parameter}` names `{name}`, which is not a field here; the fields are: {near}"
        ))
    })
}
