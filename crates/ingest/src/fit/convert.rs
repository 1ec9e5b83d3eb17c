//! A value as another type, where nothing is lost.

use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};
use citymap_model::{FieldType, UtcOffset, Value, parse_local_datetime};

use crate::source::decimal_comma;

/// Whole numbers up to here are exact as floating point (2^53).
const EXACT: i64 = 1 << 53;

/// A value as a value of a type; `None` if it is none, or would lose something. Null and blank text are null
/// in every type but text. Times without an offset from UTC are local times of a city with this one.
pub(super) fn convert(value: &Value, to: FieldType, city: Option<UtcOffset>) -> Option<Value> {
    if value.field_type().is_none_or(|own| own == to) {
        return Some(value.clone());
    }
    Some(match (value, to) {
        (Value::Text(text), to) => {
            let text = text.trim();
            match (to, city) {
                (FieldType::DateTime, Some(city)) if !text.is_empty() => {
                    return parse_local_datetime(text, city).map(Value::DateTime);
                }
                // `007` is a code: as the number 7 it would stand for another feature.
                (FieldType::Int, _) if !text.is_empty() => {
                    return text
                        .parse()
                        .ok()
                        .filter(|number: &i64| number.to_string() == text)
                        .map(Value::Int);
                }
                (FieldType::Real, _) if text.contains(',') => return unambiguous(text).map(Value::Real),
                _ => {}
            }
            return Value::parse(text, to)
                .filter(|value| !matches!(value, Value::Real(number) if !number.is_finite()));
        }
        (value, FieldType::Text) => Value::Text(value.to_key()?),
        (Value::Int(number), FieldType::Real) if (-EXACT..=EXACT).contains(number) => {
            Value::Real(*number as f64)
        }
        (Value::Int(number @ (0 | 1)), FieldType::Bool) => Value::Bool(*number == 1),
        (Value::Real(number), FieldType::Int) if number.fract() == 0.0 && number.abs() <= EXACT as f64 => {
            Value::Int(*number as i64)
        }
        (Value::Bool(value), FieldType::Int) => Value::Int((*value).into()),
        (Value::Date(day), FieldType::DateTime) => {
            let midnight = day.and_time(NaiveTime::MIN);
            Value::DateTime(match city {
                Some(city) => city.to_utc(midnight)?,
                None => midnight.and_utc(),
            })
        }
        (Value::DateTime(instant), FieldType::Date)
            if city.is_some_and(|city| local(*instant, city).time() == NaiveTime::MIN) =>
        {
            Value::Date(local(*instant, city?).date())
        }
        (Value::DateTime(instant), FieldType::Date) if instant.time() == NaiveTime::MIN => {
            Value::Date(instant.date_naive())
        }
        _ => return None,
    })
}

/// An instant by a city's clock.
fn local(instant: DateTime<Utc>, city: UtcOffset) -> NaiveDateTime {
    let own = instant.naive_utc();
    city.to_utc(own).map_or(own, |earlier| own + (own - earlier.naive_utc()))
}

/// A number with a decimal comma; none where three digits behind it may be thousands.
fn unambiguous(text: &str) -> Option<f64> {
    let (_, fraction) = text.split_once(',')?;
    if fraction.len() == 3 { None } else { decimal_comma(text) }
}

#[cfg(test)]
mod tests {
    use citymap_model::{parse_date, parse_datetime};

    use super::*;

    #[test]
    fn a_value_becomes_another_type_or_nothing_but_never_another_value() {
        let text = |text: &str| Value::Text(text.to_owned());
        let day = Value::Date(parse_date("2025-07-01").unwrap());
        let midnight = Value::DateTime(parse_datetime("2025-07-01T00:00:00Z").unwrap());
        let noon = Value::DateTime(parse_datetime("2025-07-01T12:00:00Z").unwrap());
        use FieldType as Type;
        for (value, to, expected) in [
            (Value::Int(7), Type::Real, Some(Value::Real(7.0))),
            (Value::Int(EXACT + 1), Type::Real, None),
            (Value::Real(7.0), Type::Int, Some(Value::Int(7))),
            (Value::Real(7.5), Type::Int, None),
            (Value::Real(1e300), Type::Int, None),
            (Value::Int(1), Type::Bool, Some(Value::Bool(true))),
            (Value::Int(2), Type::Bool, None),
            (Value::Int(12), Type::Text, Some(text("12"))),
            (text(" 12 "), Type::Int, Some(Value::Int(12))),
            (text("12a"), Type::Int, None),
            (text("-12"), Type::Int, Some(Value::Int(-12))),
            (text("007"), Type::Int, None),
            (text("+8"), Type::Int, None),
            (text(""), Type::Int, Some(Value::Null)),
            (text("inf"), Type::Real, None),
            (text("120,5"), Type::Real, Some(Value::Real(120.5))),
            (text("1,200"), Type::Real, None),
            (text(""), Type::Date, Some(Value::Null)),
            (text("2025-07-01"), Type::Date, Some(day.clone())),
            (text("1/7/2025"), Type::Date, None),
            (text("true"), Type::Bool, Some(Value::Bool(true))),
            (day.clone(), Type::DateTime, Some(midnight.clone())),
            (midnight, Type::Date, Some(day)),
            (noon, Type::Date, None),
            (Value::Bool(true), Type::Date, None),
            (Value::Null, Type::Date, Some(Value::Null)),
        ] {
            assert_eq!(convert(&value, to, None), expected, "{value:?} as {to:?}");
        }
    }
}
