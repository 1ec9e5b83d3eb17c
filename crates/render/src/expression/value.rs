//! The values of expressions.

use std::borrow::Cow;

use crate::spec::Color;

/// A value that an expression takes or gives. Texts and lists are borrowed from the feature or the style
/// where that is possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value: a property that the feature does not have.
    Null,
    /// A truth value: `true` or `false`.
    Bool(bool),
    /// A number; never NaN from a feature, but arithmetic may give one.
    Number(f64),
    /// Unicode text, as the feature has it.
    Text(Cow<'a, str>),
    /// A colour with its opacity.
    Color(Color),
    /// A list of values: a literal of the style, or interpolated numbers.
    List(Cow<'a, [Value<'static>]>),
    /// Text whose sections may have their own scale.
    Formatted(Vec<Section<'a>>),
    /// The name of an image of the sprite.
    Image(Cow<'a, str>),
}

/// One section of formatted text.
#[derive(Clone, Debug, PartialEq)]
pub struct Section<'a> {
    /// The characters, which may contain line feeds.
    pub text: Cow<'a, str>,
    /// The factor of the label's text size.
    pub scale: f32,
}

impl<'a> Value<'a> {
    /// A text, borrowed or owned.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// The type as error messages name it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Color(_) => "color",
            Self::List(_) => "array",
            Self::Formatted(_) => "formatted",
            Self::Image(_) => "image",
        }
    }

    /// The same value without borrowed parts.
    pub fn into_static(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Self::Color(color) => Value::Color(color),
            Self::List(list) => Value::List(Cow::Owned(list.into_owned())),
            Self::Formatted(sections) => Value::Formatted(
                sections
                    .into_iter()
                    .map(|Section { text, scale }| Section { text: Cow::Owned(text.into_owned()), scale })
                    .collect(),
            ),
            Self::Image(name) => Value::Image(Cow::Owned(name.into_owned())),
        }
    }

    /// The value as `to-string` writes it: nothing for null, numbers as JavaScript writes them.
    pub fn to_text(&self) -> Cow<'a, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Number(value) => Cow::Owned(number_text(*value)),
            Self::Text(text) | Self::Image(text) => text.clone(),
            Self::Color(color) => Cow::Owned(color.to_string()),
            Self::Formatted(sections) => {
                Cow::Owned(sections.iter().map(|section| section.text.as_ref()).collect())
            }
            Self::List(list) => {
                let items: Vec<Cow<'_, str>> = list.iter().map(Value::to_text).collect();
                Cow::Owned(format!("[{}]", items.join(",")))
            }
        }
    }

    /// Whether the value counts as true: `to-boolean`.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// The value as a number: `to-number`. `None` if it is not one.
    pub fn to_number(&self) -> Option<f64> {
        match self {
            Self::Null => Some(0.0),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Number(value) => Some(*value),
            Self::Text(text) if text.trim().is_empty() => Some(0.0),
            Self::Text(text) => text.trim().parse().ok().filter(|value: &f64| !value.is_nan()),
            _ => None,
        }
    }
}

/// A number as JavaScript writes it: whole numbers without a point, and no exponent below 10²¹.
fn number_text(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    if value == 0.0 { "0".to_owned() } else { value.to_string() }
}
