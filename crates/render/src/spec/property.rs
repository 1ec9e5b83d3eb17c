//! Properties of style layers: an expression, the type that its value must have, and the default.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::Color;
use crate::expression::{Expression, ParseError, Scope, Section, Value, is_operator};

/// What a property's value can be converted to.
pub trait FromValue: Clone {
    /// The value, or what was expected instead.
    ///
    /// # Errors
    /// The name of the expected type.
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str>;
}

/// A property of a style layer that may depend on the feature and the zoom.
#[derive(Clone, Debug)]
pub struct Property<T> {
    source: Source<T>,
}

#[derive(Clone, Debug)]
enum Source<T> {
    Constant(T),
    Computed { expression: Expression, default: T },
}

impl<T: FromValue> Property<T> {
    /// A property that has the same value everywhere.
    pub fn constant(value: T) -> Self {
        Self { source: Source::Constant(value) }
    }

    /// Reads the property's value: an expression or a plain value.
    ///
    /// # Errors
    /// [`ParseError`] if the expression cannot be parsed, or a plain value has the wrong type.
    pub(crate) fn parse(json: &Json, default: T) -> Result<Self, ParseError> {
        let expression = match json {
            // A list that does not begin with an operator is a plain value: fonts, offsets, dashes.
            Json::Array(items) if !items.first().and_then(Json::as_str).is_some_and(is_operator) => {
                Expression::parse(&serde_json::json!(["literal", json]))?
            }
            other => Expression::parse(other)?,
        };
        let source = match expression.constant() {
            Some(Value::Null) => Source::Constant(default),
            Some(value) => Source::Constant(
                T::from_value(value)
                    .map_err(|expected| ParseError::new(json, format!("the value must be {expected}")))?,
            ),
            None => Source::Computed { expression, default },
        };
        Ok(Self { source })
    }

    /// The value for a feature at a zoom. An expression that has no value, or one of the wrong type, gives
    /// the default of the property, as in MapLibre.
    pub fn get(&self, scope: &Scope<'_>) -> T {
        match &self.source {
            Source::Constant(value) => value.clone(),
            Source::Computed { expression, default } => match expression.evaluate(scope) {
                Ok(Value::Null) | Err(_) => default.clone(),
                Ok(value) => T::from_value(&value).unwrap_or_else(|_expected| default.clone()),
            },
        }
    }

    /// Whether the value depends on the feature.
    pub fn depends_on_feature(&self) -> bool {
        match &self.source {
            Source::Constant(_) => false,
            Source::Computed { expression, .. } => expression.depends_on_feature(),
        }
    }
}

impl FromValue for f32 {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::Number(number) if number.is_finite() => Ok(*number as f32),
            _ => Err("a number"),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err("true or false"),
        }
    }
}

impl FromValue for Color {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::Color(color) => Ok(*color),
            Value::Text(text) => Self::parse(text).ok_or("a color such as #1a2b3c or rgba(0,0,0,0.5)"),
            _ => Err("a color such as #1a2b3c or rgba(0,0,0,0.5)"),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        T::from_value(value).map(Some)
    }
}

/// Maximum number of items of a list: dashes, fonts, anchors.
const MAX_LIST: usize = 32;

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::List(list) if list.len() <= MAX_LIST => list.iter().map(T::from_value).collect(),
            Value::List(_) => Err("a list of at most 32 items"),
            _ => Err("a list"),
        }
    }
}

/// A pair of numbers: an offset.
impl FromValue for [f32; 2] {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        let list = Vec::<f32>::from_value(value).map_err(|_other| "a list of two numbers")?;
        list.try_into().map_err(|_list| "a list of two numbers")
    }
}

impl FromValue for String {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::Text(text) => Ok(text.clone().into_owned()),
            _ => Err("a text"),
        }
    }
}

/// The name of an image of the sprite.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageName(pub String);

impl FromValue for ImageName {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        match value {
            Value::Text(text) | Value::Image(text) => Ok(Self(text.clone().into_owned())),
            _ => Err("the name of an image"),
        }
    }
}

/// The text of a label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelText(pub Vec<Section<'static>>);

impl LabelText {
    /// Whether nothing would be drawn.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|section| section.text.trim().is_empty())
    }
}

/// Maximum number of characters of a label; the rest is left out.
const MAX_LABEL: usize = 500;

impl FromValue for LabelText {
    fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
        let whole = |text: Cow<'_, str>| Section { text: Cow::Owned(short(&text)), scale: 1.0 };
        Ok(Self(match value {
            Value::Formatted(sections) => sections
                .iter()
                .map(|section| Section { scale: section.scale, ..whole(Cow::Borrowed(&section.text)) })
                .collect(),
            Value::Text(_) | Value::Number(_) | Value::Bool(_) => vec![whole(value.to_text())],
            _ => return Err("a text"),
        }))
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_LABEL).collect()
}

/// Declares an enumeration of fixed texts.
macro_rules! choice {
    (
        $(#[$doc:meta])* $name:ident, $expected:literal:
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl FromValue for $name {
            fn from_value(value: &Value<'_>) -> Result<Self, &'static str> {
                match value {
                    Value::Text(text) => match text.as_ref() {
                        $($text => Ok(Self::$variant),)*
                        _ => Err($expected),
                    },
                    _ => Err($expected),
                }
            }
        }
    };
}

choice! {
    /// The end of a line.
    LineCap, "butt, round or square":
    /// Ends at its last point.
    Butt = "butt",
    /// Ends in a half circle.
    Round = "round",
    /// Half the width longer.
    Square = "square",
}

choice! {
    /// The corner of a line.
    LineJoin, "miter, round or bevel":
    /// A sharp corner, up to the miter limit.
    Miter = "miter",
    /// A corner rounded by half the width.
    Round = "round",
    /// A corner that is cut off.
    Bevel = "bevel",
}

choice! {
    /// Where the symbols of a feature are placed.
    Placement, "point, line or line-center":
    /// At its point, or inside its polygon.
    Point = "point",
    /// Along its line, repeated.
    Line = "line",
    /// Along its line, once.
    LineCenter = "line-center",
}

choice! {
    /// Which part of a symbol is at its point.
    Anchor, "center, left, right, top, bottom or one of the corners such as top-left":
    /// The middle of the symbol.
    Center = "center",
    /// The middle of the left side.
    Left = "left",
    /// The middle of the right side.
    Right = "right",
    /// The middle of the top side.
    Top = "top",
    /// The middle of the bottom side.
    Bottom = "bottom",
    /// The top left corner.
    TopLeft = "top-left",
    /// The top right corner.
    TopRight = "top-right",
    /// The bottom left corner.
    BottomLeft = "bottom-left",
    /// The bottom right corner.
    BottomRight = "bottom-right",
}

impl Anchor {
    /// The place of the anchor in the symbol: 0 to 1 from left to right and from top to bottom.
    pub fn place(self) -> [f32; 2] {
        match self {
            Self::Center => [0.5, 0.5],
            Self::Left => [0.0, 0.5],
            Self::Right => [1.0, 0.5],
            Self::Top => [0.5, 0.0],
            Self::Bottom => [0.5, 1.0],
            Self::TopLeft => [0.0, 0.0],
            Self::TopRight => [1.0, 0.0],
            Self::BottomLeft => [0.0, 1.0],
            Self::BottomRight => [1.0, 1.0],
        }
    }
}

choice! {
    /// How the lines of a text are aligned.
    Justify, "auto, left, center or right":
    /// At the side of the anchor.
    Auto = "auto",
    /// Lines begin at the left.
    Left = "left",
    /// Lines are centred in the block.
    Center = "center",
    /// Lines end at the right.
    Right = "right",
}

choice! {
    /// What a symbol's rotation is relative to.
    Alignment, "map, viewport or auto":
    /// The map, or its line.
    Map = "map",
    /// Relative to the picture.
    Viewport = "viewport",
    /// The line for symbols along lines, else the picture.
    Auto = "auto",
}

choice! {
    /// Whether letters are changed.
    Transform, "none, uppercase or lowercase":
    /// Letters stay as they are.
    None = "none",
    /// All letters become capitals.
    Uppercase = "uppercase",
    /// All letters become small ones.
    Lowercase = "lowercase",
}

choice! {
    /// Whether a layer is drawn.
    Visibility, "visible or none":
    /// The layer is drawn.
    Visible = "visible",
    /// The layer is left out.
    None = "none",
}
