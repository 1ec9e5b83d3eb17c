//! What a value may be: its type and range, the Unicode form of texts, and the domain of its field.

use chrono::{DateTime, Datelike, SubsecRound};
use citymap_model::{
    Domain, DomainCheck, Field, FieldType, Value, YEARS, nearest, normalize_text, parse_date, parse_datetime,
};
use serde_json::Value as Json;

/// The largest integer up to which every integer is exactly a 64-bit floating-point number, 2⁵³.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads a JSON value as a value of the field's type. Texts get their Unicode form ([`normalize_text`]);
/// instants are cut to the millisecond, as the record keeps them. Null is a value of every type.
///
/// ```
/// use citymap_edit::read_value;
/// use citymap_model::{Field, FieldType, Value};
/// use serde_json::json;
///
/// let floors = Field::new("floors", FieldType::Int);
/// assert_eq!(read_value(&json!(5.0), &floors), Ok(Value::Int(5)));
/// assert!(read_value(&json!("5"), &floors).unwrap_err().contains("write a whole number"));
/// ```
///
/// # Errors
/// Why it is not a value of the type, and what to write instead. The value is not repeated: it may be
/// personal.
pub fn read_value(json: &Json, field: &Field) -> Result<Value, String> {
    let wrong =
        |form: &str| Err(format!("the field's type is {}; write {form}, or null", field.field_type.as_str()));
    Ok(match (field.field_type, json) {
        (_, Json::Null) => Value::Null,
        (FieldType::Bool, Json::Bool(value)) => Value::Bool(*value),
        (FieldType::Bool, _) => return wrong("true or false"),
        (FieldType::Int, json) => match json.as_i64().or_else(|| exact_integer(json.as_f64()?)) {
            Some(value) => Value::Int(value),
            None => return wrong("a whole number of 64 bits"),
        },
        (FieldType::Real, json) => match json.as_f64().filter(|value| value.is_finite()) {
            Some(value) => Value::Real(value),
            None => return wrong("a number"),
        },
        (FieldType::Text, Json::String(text)) if text.contains('\0') => {
            return Err("a text cannot hold the character U+0000; leave it out".to_owned());
        }
        (FieldType::Text, Json::String(text)) => Value::Text(normalize_text(text.clone())),
        (FieldType::Text, _) => return wrong("a text"),
        (FieldType::Date, json) => {
            match json.as_str().and_then(parse_date).filter(|day| YEARS.contains(&day.year())) {
                Some(value) => Value::Date(value),
                None => return wrong("a day as 2026-07-01"),
            }
        }
        (FieldType::DateTime, json) => match json.as_str().and_then(read_instant) {
            Some(value) => value,
            None => return wrong("an instant with its offset as 2026-07-01T09:30:00+07:00"),
        },
    })
}

/// Checks that values are those of a layer's fields: one for each field, null or of its type.
///
/// # Errors
/// What does not fit, for people. The value is not repeated: it may be personal.
pub fn check_types(values: &[Value], fields: &[Field]) -> Result<(), String> {
    if values.len() != fields.len() {
        return Err(format!("it has {} values for {} fields", values.len(), fields.len()));
    }
    let wrong = values.iter().zip(fields).find_map(|(value, field)| {
        let found = value.field_type().filter(|found| *found != field.field_type)?;
        let (expected, found) = (field.field_type.as_str(), found.as_str());
        Some(format!(
            "field `{}` is of the type {expected}, but its value is of the type {found}",
            field.name
        ))
    });
    wrong.map_or(Ok(()), Err)
}

/// The integer that a number with a decimal point is (`5.0`), if nothing is lost.
fn exact_integer(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then_some(number as i64)
}

/// An instant in RFC 3339 form with an offset, cut to the millisecond.
fn read_instant(text: &str) -> Option<Value> {
    // Without an offset it is unknown which instant is meant.
    DateTime::parse_from_rfc3339(text).ok()?;
    let instant = parse_datetime(text)?;
    YEARS.contains(&instant.year()).then(|| Value::DateTime(instant.trunc_subsecs(3)))
}

/// Why a value cannot be given to a feature: it is not among the codes of the field, or outside of its range
/// or pattern. `None` if it can. The value is not repeated: it may be personal.
pub(crate) fn outside_domain(value: &Value, field: &Field) -> Option<String> {
    if DomainCheck::of(field)?.allows(value) {
        return None;
    }
    Some(match &field.domain {
        Some(Domain::Range(range)) => {
            format!("the value is outside of the range of the field; write a number in {range}")
        }
        Some(Domain::Glob(pattern)) => {
            format!("the value is not of the pattern of the field; write a text like {pattern}")
        }
        _ => {
            let all: Vec<&str> = field.codes().iter().map(|entry| entry.code.as_str()).collect();
            let code = value.to_key()?;
            let list = match &field.code_list {
                Some(list) if field.domain.is_none() => format!("in the list `{list}` of the field"),
                _ => "among the codes of the field".to_owned(),
            };
            format!(
                "the code is not {list}; the nearest are: {}",
                nearest(&code.chars().take(40).collect::<String>(), &all, 5).join(", ")
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use citymap_model::{Title, ValueRange, codes::Code};
    use serde_json::json;

    use unicode_normalization::UnicodeNormalization;

    use super::*;

    fn read(json: Json, field_type: FieldType) -> Result<Value, String> {
        read_value(&json, &Field::new("x", field_type))
    }

    #[test]
    fn years_outside_the_calendar_are_refused() {
        for (text, good) in
            [("0001-01-01", true), ("9999-12-31", true), ("0000-12-31", false), ("10000-01-01", false)]
        {
            assert_eq!(read(json!(text), FieldType::Date).is_ok(), good, "{text}");
            let instant = format!("{text}T00:00:00Z");
            assert_eq!(read(json!(instant), FieldType::DateTime).is_ok(), good, "{instant}");
        }
    }

    #[test]
    fn a_decomposed_text_is_composed() {
        let decomposed: String = "đường Nguyễn Huệ".nfd().collect();
        assert_eq!(read(json!(decomposed), FieldType::Text), Ok(Value::Text("đường Nguyễn Huệ".into())));
    }

    #[test]
    fn integers_that_a_float_cannot_hold_are_refused() {
        assert_eq!(read(json!(9_007_199_254_740_992.0), FieldType::Int), Ok(Value::Int(1 << 53)));
        assert!(read(json!(1e16), FieldType::Int).is_err());
        assert!(read(json!(0.5), FieldType::Int).is_err());
        assert_eq!(read(json!(i64::MAX), FieldType::Int), Ok(Value::Int(i64::MAX)));
    }

    #[test]
    fn a_value_outside_of_its_domain_is_refused_with_what_is_inside() {
        let range = ValueRange { min: Some(1.0), max: Some(99.0), ..ValueRange::default() };
        let field = Field::new("tang", FieldType::Int).within(Domain::Range(range));
        assert_eq!(outside_domain(&Value::Int(99), &field), None);
        assert!(outside_domain(&Value::Int(100), &field).unwrap().contains("1..99"));
        let field = Field::new("so", FieldType::Text).within(Domain::Glob("[0-9]*".into()));
        assert!(outside_domain(&Value::Text("x".into()), &field).unwrap().contains("[0-9]*"));
        let codes = ["A1", "B2"].map(|code| Code::new(code, Title::same("x"))).into();
        let field = Field::new("loai", FieldType::Text).coded("land_use").within(Domain::Codes(codes));
        assert_eq!(outside_domain(&Value::Null, &field), None);
        assert_eq!(outside_domain(&Value::Text("A1".into()), &field), None);
        let refusal = outside_domain(&Value::Text("ODT".into()), &field).unwrap();
        assert!(refusal.contains("among the codes") && refusal.contains("A1"), "{refusal}");
        assert!(!refusal.contains("land_use"), "{refusal}");
    }

    #[test]
    fn a_value_of_another_type_is_reported_without_the_value() {
        let fields = [Field::new("owner", FieldType::Int)];
        let error = check_types(&[Value::Text("Nguyễn Văn A".into())], &fields).unwrap_err();
        assert!(error.contains("`owner`") && !error.contains("Nguyễn"), "{error}");
        assert!(check_types(&[Value::Null], &fields).is_ok());
        assert!(check_types(&[], &fields).is_err());
    }
}
