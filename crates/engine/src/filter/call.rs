//! Functions that a filter may call, beside those of the language.

use chrono::Datelike;
use citymap_model::{Title, text::fold};

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

/// What a function does, takes and gives, for lists of functions. Types are named as OGC API – Features
/// Part 3 names them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// The name in filters; any case of letters is read.
    pub name: &'static str,
    /// What its value is, as a sentence.
    pub description: Title,
    /// What its only argument is.
    pub argument_title: Title,
    /// The types that the argument may have.
    pub argument_types: &'static [&'static str],
    /// The types that the value may have.
    pub returns: &'static [&'static str],
}

/// The functions that filters may call beside the operators of CQL2.
pub fn functions() -> impl Iterator<Item = FunctionInfo> {
    FUNCTIONS.iter().map(|(function, name)| {
        let (title, types): ([&str; 2], &[&str]) = match function.argument() {
            Argument::Scalar(Kind::Text) => (["Chuỗi", "A text"], &["string"]),
            Argument::Scalar(Kind::Time) => (["Ngày hoặc thời điểm", "A date or timestamp"], &["datetime"]),
            Argument::Scalar(_) => (["Số", "A number"], &["number", "integer"]),
            Argument::Geometry => (["Hình học", "A geometry"], &["geometry"]),
        };
        let [vi, en] = function.described();
        FunctionInfo {
            name,
            description: Title::new(vi, en),
            argument_title: Title::new(title[0], title[1]),
            argument_types: types,
            returns: function.returns(),
        }
    })
}

impl Function {
    /// What the value is, in Vietnamese and English.
    fn described(self) -> [&'static str; 2] {
        match self {
            Self::Fold => [
                "Chuỗi như tìm kiếm so sánh: không phân biệt hoa thường, dấu và dấu câu; y là i.",
                "A text as search compares it: without case, diacritics and punctuation; y is i.",
            ],
            Self::CharLength => ["Số ký tự của chuỗi.", "The number of characters of a text."],
            Self::Abs => ["Giá trị tuyệt đối của số.", "The absolute value of a number."],
            Self::Floor => [
                "Số nguyên lớn nhất không lớn hơn số.",
                "The largest whole number that is not above a number.",
            ],
            Self::Ceiling => [
                "Số nguyên nhỏ nhất không nhỏ hơn số.",
                "The smallest whole number that is not below a number.",
            ],
            Self::Round => [
                "Số nguyên gần nhất; nửa đơn vị làm tròn ra xa số không.",
                "The nearest whole number; halves are rounded away from zero.",
            ],
            Self::Year => {
                ["Năm của ngày hoặc thời điểm, theo giờ UTC.", "The year of a date or timestamp, in UTC."]
            }
            Self::Month => [
                "Tháng của ngày hoặc thời điểm, 1 đến 12, theo giờ UTC.",
                "The month of a date or timestamp, 1 to 12, in UTC.",
            ],
            Self::Day => [
                "Ngày trong tháng của ngày hoặc thời điểm, theo giờ UTC.",
                "The day of the month of a date or timestamp, in UTC.",
            ],
            Self::Area => ["Diện tích của hình học, m².", "The area of a geometry in m²."],
            Self::Length => {
                ["Chiều dài các đường của hình học, m.", "The length of the lines of a geometry in m."]
            }
        }
    }

    /// The types of its values.
    fn returns(self) -> &'static [&'static str] {
        match self {
            Self::Fold => &["string"],
            Self::CharLength | Self::Year | Self::Month | Self::Day => &["integer"],
            Self::Abs | Self::Floor | Self::Ceiling | Self::Round => &["number", "integer"],
            Self::Area | Self::Length => &["number"],
        }
    }

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
