//! Functions that a filter may call, beside those of the language.

use chrono::Datelike;
use citymap_model::text::fold;

use super::{
    Kind, Operand,
    eval::{Datum, Subject},
};
use crate::{Bbox, Method};

/// A function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// The form in which search compares texts: without case, accents and punctuation, i for y.
    Fold,
    /// The number of characters of a text.
    CharLength,
    /// The absolute value of a number.
    Abs,
    /// The largest whole number that is not above a number.
    Floor,
    /// The smallest whole number that is not below a number.
    Ceiling,
    /// The nearest whole number; halves away from zero.
    Round,
    /// The year of a date or timestamp, in UTC.
    Year,
    /// The month of a date or timestamp, 1 to 12, in UTC.
    Month,
    /// The day of the month of a date or timestamp, in UTC.
    Day,
    /// The area of a geometry in m².
    Area,
    /// The length of the lines of a geometry in m.
    Length,
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Scalar(Kind),
    Geometry,
}

/// The functions with their names.
pub(super) const FUNCTIONS: [(Function, &str); 11] = [
    (Function::Fold, "fold"),
    (Function::CharLength, "char_length"),
    (Function::Abs, "abs"),
    (Function::Floor, "floor"),
    (Function::Ceiling, "ceiling"),
    (Function::Round, "round"),
    (Function::Year, "year"),
    (Function::Month, "month"),
    (Function::Day, "day"),
    (Function::Area, "area"),
    (Function::Length, "length"),
];

impl Function {
    /// The function with this name, in any case of letters.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(_, own)| own.eq_ignore_ascii_case(name)).map(|(function, _)| *function)
    }

    /// The kind of its values.
    pub(super) fn kind(self) -> Kind {
        if self == Self::Fold { Kind::Text } else { Kind::Number }
    }

    /// What kind of argument it takes.
    pub(super) fn argument(self) -> Argument {
        match self {
            Self::Fold | Self::CharLength => Argument::Scalar(Kind::Text),
            Self::Abs | Self::Floor | Self::Ceiling | Self::Round => Argument::Scalar(Kind::Number),
            Self::Year | Self::Month | Self::Day => Argument::Scalar(Kind::Time),
            Self::Area | Self::Length => Argument::Geometry,
        }
    }

    /// The value; null for a missing argument and where there is none.
    pub(super) fn call<'a>(self, operand: &'a Operand, subject: &Subject<'a>) -> Datum<'a> {
        match operand {
            Operand::Scalar(scalar) => self.of_value(scalar.eval(subject)),
            Operand::Geometry(geometry) => {
                let Some(geometry) = geometry.eval(subject) else { return Datum::Null };
                let method = Method::within(Bbox::of(&geometry));
                let value =
                    if self == Self::Area { method.area(&geometry) } else { method.length(&geometry) };
                value.map_or(Datum::Null, Datum::real)
            }
        }
    }

    fn of_value<'a>(self, value: Datum<'a>) -> Datum<'a> {
        let date = |value: &Datum<'a>| match value {
            Datum::Date(day) => Some(*day),
            Datum::DateTime(instant) => Some(instant.date_naive()),
            _ => None,
        };
        match (self, value) {
            (Self::Fold, Datum::Text(text)) => Datum::Text(fold(&text).into()),
            (Self::CharLength, Datum::Text(text)) => Datum::Int(text.chars().count() as i64),
            (Self::Abs, Datum::Int(value)) => {
                value.checked_abs().map_or_else(|| Datum::real((value as f64).abs()), Datum::Int)
            }
            (Self::Abs, Datum::Real(value)) => Datum::real(value.abs()),
            (Self::Floor | Self::Ceiling | Self::Round, Datum::Int(value)) => Datum::Int(value),
            (Self::Floor, Datum::Real(value)) => Datum::real(value.floor()),
            (Self::Ceiling, Datum::Real(value)) => Datum::real(value.ceil()),
            (Self::Round, Datum::Real(value)) => Datum::real(value.round()),
            (Self::Year, value) => date(&value).map_or(Datum::Null, |day| Datum::Int(day.year().into())),
            (Self::Month, value) => date(&value).map_or(Datum::Null, |day| Datum::Int(day.month().into())),
            (Self::Day, value) => date(&value).map_or(Datum::Null, |day| Datum::Int(day.day().into())),
            _ => Datum::Null,
        }
    }
}
