//! Values of fields from what the generator knows.

use chrono::{Days, NaiveDate};
use citymap_model::Value;

/// The text as a value of a field.
pub(crate) fn txt(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

/// The text as a value of a field; null if there is none.
pub(crate) fn maybe(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::Text)
}

/// A day so many days after 1 January 2005.
pub(crate) fn day(days: u64) -> Value {
    NaiveDate::from_ymd_opt(2005, 1, 1)
        .and_then(|start| start.checked_add_days(Days::new(days)))
        .map_or(Value::Null, Value::Date)
}
