//! Evaluates expressions.

use std::borrow::Cow;

use super::{
    EvaluateError, Scope, Section, Value,
    node::{Arithmetic, Compare, Key, Node, Target, Unary},
    number_format::{NumberFormat, format_number},
};
use crate::spec::Color;

type Evaluated<'a> = Result<Value<'a>, EvaluateError>;

fn wrong(expected: &str, value: &Value<'_>) -> EvaluateError {
    EvaluateError(format!("expected {expected} but found {}", value.type_name()))
}

impl Node {
    pub(super) fn evaluate<'a>(&'a self, scope: &Scope<'a>) -> Evaluated<'a> {
        Ok(match self {
            Self::Literal(value) => borrowed(value),
            Self::Get(name) => scope.feature.map_or(Value::Null, |feature| feature.property(name)),
            Self::Has(name) => Value::Bool(
                scope.feature.is_some_and(|feature| !matches!(feature.property(name), Value::Null)),
            ),
            Self::Id => {
                let id = scope.feature.and_then(super::Feature::id);
                id.map_or(Value::Null, |id| Value::Number(id as f64))
            }
            Self::GeometryType => match scope.feature {
                Some(feature) => Value::text(feature.geometry_type().name()),
                None => Value::Null,
            },
            Self::Zoom => Value::Number(scope.zoom),
            Self::Match { input, branches, outputs, otherwise } => {
                let key = match input.evaluate(scope)? {
                    Value::Text(text) => Some(Key::Text(text.into_owned())),
                    Value::Number(number) if number.fract() == 0.0 => Some(Key::Number(number as i64)),
                    _ => None,
                };
                let output = key.and_then(|key| branches.get(&key)).map(|&index| &outputs[index]);
                return output.unwrap_or(otherwise).evaluate(scope);
            }
            Self::Case { branches, otherwise } => {
                for (condition, output) in branches {
                    if condition.truth(scope)? {
                        return output.evaluate(scope);
                    }
                }
                return otherwise.evaluate(scope);
            }
            Self::Coalesce(list) => {
                for node in list {
                    match node.evaluate(scope)? {
                        Value::Null => {}
                        value => return Ok(value),
                    }
                }
                Value::Null
            }
            Self::Step { input, first, stops } => {
                let input = input.number(scope)?;
                let stop = stops.iter().rev().find(|(at, _)| *at <= input);
                return stop.map_or(&**first, |(_, node)| node).evaluate(scope);
            }
            Self::Interpolate { base, input, stops } => return interpolate(*base, input, stops, scope),
            Self::Compare(compare, pair) => {
                let [a, b] = &**pair;
                Value::Bool(compare.holds(&a.evaluate(scope)?, &b.evaluate(scope)?)?)
            }
            Self::All(list) => {
                for node in list {
                    if !node.truth(scope)? {
                        return Ok(Value::Bool(false));
                    }
                }
                Value::Bool(true)
            }
            Self::Any(list) => {
                for node in list {
                    if node.truth(scope)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Value::Bool(false)
            }
            Self::Not(node) => Value::Bool(!node.truth(scope)?),
            Self::In(pair) => {
                let [needle, haystack] = &**pair;
                let needle = needle.evaluate(scope)?;
                Value::Bool(match haystack.evaluate(scope)? {
                    Value::List(list) => list.contains(&needle),
                    Value::Text(text) => text.contains(needle.to_text().as_ref()),
                    other => return Err(wrong("array or string", &other)),
                })
            }
            Self::Concat(list) => {
                let mut text = String::new();
                for node in list {
                    text.push_str(&node.evaluate(scope)?.to_text());
                }
                Value::Text(Cow::Owned(text))
            }
            Self::Convert(target, list) => return convert(*target, list, scope),
            Self::Assert(target, list) => {
                let mut last = Value::Null;
                for node in list {
                    last = node.evaluate(scope)?;
                    let is = match target {
                        Target::Text => matches!(last, Value::Text(_)),
                        Target::Number => matches!(last, Value::Number(_)),
                        Target::Bool => matches!(last, Value::Bool(_)),
                        Target::Color => matches!(last, Value::Color(_)),
                    };
                    if is {
                        return Ok(last);
                    }
                }
                return Err(wrong(target.name(), &last));
            }
            Self::TypeOf(node) => Value::text(node.evaluate(scope)?.type_name()),
            Self::Arithmetic(arithmetic, list) => return arithmetic.of(list, scope),
            Self::Unary(unary, node) => Value::Number(unary.of(node.number(scope)?)),
            Self::Length(node) => Value::Number(match node.evaluate(scope)? {
                Value::Text(text) => text.chars().count() as f64,
                Value::List(list) => list.len() as f64,
                other => return Err(wrong("array or string", &other)),
            }),
            Self::Upcase(node) => Value::Text(Cow::Owned(node.text(scope)?.to_uppercase())),
            Self::Downcase(node) => Value::Text(Cow::Owned(node.text(scope)?.to_lowercase())),
            Self::Slice { input, start, end } => {
                let text = input.text(scope)?;
                let len = text.chars().count() as f64;
                let place = |at: f64| if at < 0.0 { (len + at).max(0.0) } else { at.min(len) } as usize;
                let start = place(start.number(scope)?.trunc());
                let end = end.as_ref().map(|end| end.number(scope)).transpose()?;
                let end = end.map_or(len as usize, |end| place(end.trunc()));
                Value::Text(Cow::Owned(text.chars().take(end).skip(start).collect()))
            }
            Self::IndexOf(pair) => {
                let [needle, haystack] = &**pair;
                let needle = needle.evaluate(scope)?;
                let at = match haystack.evaluate(scope)? {
                    Value::List(list) => list.iter().position(|item| *item == needle),
                    Value::Text(text) => {
                        text.find(needle.to_text().as_ref()).map(|byte| text[..byte].chars().count())
                    }
                    other => return Err(wrong("array or string", &other)),
                };
                Value::Number(at.map_or(-1.0, |at| at as f64))
            }
            Self::Rgba(list) => {
                let mut channels = [0.0, 0.0, 0.0, 1.0];
                for (channel, node) in channels.iter_mut().zip(list) {
                    *channel = node.number(scope)?;
                }
                let [r, g, b, a] = channels;
                let color = Color::from_channels([r / 255.0, g / 255.0, b / 255.0, a]);
                Value::Color(
                    color.ok_or_else(|| EvaluateError(format!("rgba({r}, {g}, {b}, {a}) is not a color")))?,
                )
            }
            Self::Format(sections) => {
                let mut list = Vec::with_capacity(sections.len());
                for (text, scale) in sections {
                    let scale = scale.as_ref().map(|scale| scale.number(scope)).transpose()?;
                    let scale = scale.unwrap_or(1.0).clamp(0.1, 10.0) as f32;
                    list.push(Section { text: text.evaluate(scope)?.to_text(), scale });
                }
                Value::Formatted(list)
            }
            Self::NumberFormat { input, locale, min, max } => {
                let digits = |node: &Option<Box<Node>>| -> Result<Option<usize>, EvaluateError> {
                    let number = node.as_ref().map(|node| node.number(scope)).transpose()?;
                    Ok(number.map(|number| number.clamp(0.0, 20.0) as usize))
                };
                let locale = locale.as_ref().map(|node| node.text(scope)).transpose()?;
                let format = NumberFormat { min: digits(min)?, max: digits(max)? };
                let number = input.number(scope)?;
                Value::Text(Cow::Owned(format_number(number, locale.as_deref().unwrap_or("en"), format)))
            }
            Self::Image(node) => match node.evaluate(scope)? {
                Value::Text(name) | Value::Image(name) => Value::Image(name),
                Value::Null => Value::Null,
                other => return Err(wrong("string", &other)),
            },
        })
    }

    fn number(&self, scope: &Scope<'_>) -> Result<f64, EvaluateError> {
        match self.evaluate(scope)? {
            Value::Number(number) => Ok(number),
            other => Err(wrong("number", &other)),
        }
    }

    fn truth(&self, scope: &Scope<'_>) -> Result<bool, EvaluateError> {
        match self.evaluate(scope)? {
            Value::Bool(value) => Ok(value),
            other => Err(wrong("boolean", &other)),
        }
    }

    fn text<'a>(&'a self, scope: &Scope<'a>) -> Result<Cow<'a, str>, EvaluateError> {
        match self.evaluate(scope)? {
            Value::Text(text) => Ok(text),
            other => Err(wrong("string", &other)),
        }
    }
}

/// A literal without a copy.
fn borrowed<'a>(value: &'a Value<'static>) -> Value<'a> {
    match value {
        Value::Text(text) => Value::Text(Cow::Borrowed(text)),
        Value::List(list) => Value::List(Cow::Borrowed(list)),
        Value::Image(name) => Value::Image(Cow::Borrowed(name)),
        other => other.clone(),
    }
}

fn interpolate<'a>(base: f64, input: &'a Node, stops: &'a [(f64, Node)], scope: &Scope<'a>) -> Evaluated<'a> {
    let input = input.number(scope)?;
    let after = stops.partition_point(|(at, _)| *at <= input);
    if after == 0 {
        return stops[0].1.evaluate(scope);
    }
    let (low, a) = &stops[after - 1];
    let Some((high, b)) = stops.get(after) else { return a.evaluate(scope) };
    let (span, progress) = (high - low, input - low);
    let t = if (base - 1.0).abs() < 1e-9 {
        progress / span
    } else {
        (base.powf(progress) - 1.0) / (base.powf(span) - 1.0)
    };
    mix(&a.evaluate(scope)?, &b.evaluate(scope)?, t)
}

/// The value at `t` (0–1) between two numbers, colours or lists of numbers.
fn mix(a: &Value<'_>, b: &Value<'_>, t: f64) -> Evaluated<'static> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Ok(Value::Number(a + (b - a) * t)),
        (Value::Color(a), Value::Color(b)) => Ok(Value::Color(a.mix(*b, t as f32))),
        (Value::Text(a), Value::Text(b)) => {
            // Colours in outputs are texts until the property needs a colour.
            match (Color::parse(a), Color::parse(b)) {
                (Some(a), Some(b)) => Ok(Value::Color(a.mix(b, t as f32))),
                _ => Err(EvaluateError("only numbers and colors can be interpolated".to_owned())),
            }
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => {
            let items: Result<Vec<_>, _> = a.iter().zip(b.iter()).map(|(a, b)| mix(a, b, t)).collect();
            Ok(Value::List(Cow::Owned(items?)))
        }
        (a, b) => {
            Err(EvaluateError(format!("{} and {} cannot be interpolated", a.type_name(), b.type_name())))
        }
    }
}

fn convert<'a>(target: Target, list: &'a [Node], scope: &Scope<'a>) -> Evaluated<'a> {
    let mut last = Value::Null;
    for node in list {
        last = node.evaluate(scope)?;
        let converted = match target {
            Target::Text => Some(Value::Text(last.to_text())),
            Target::Bool => Some(Value::Bool(last.is_truthy())),
            // Null is a number only if there is nothing after it.
            Target::Number if matches!(last, Value::Null) && list.len() > 1 => None,
            Target::Number => last.to_number().map(Value::Number),
            Target::Color => match &last {
                Value::Color(color) => Some(Value::Color(*color)),
                Value::Text(text) => Color::parse(text).map(Value::Color),
                _ => None,
            },
        };
        if let Some(value) = converted {
            return Ok(value);
        }
    }
    Err(wrong(target.name(), &last))
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "number",
            Self::Bool => "boolean",
            Self::Color => "color",
        }
    }
}

impl Compare {
    fn holds(self, a: &Value<'_>, b: &Value<'_>) -> Result<bool, EvaluateError> {
        match self {
            Self::Equal => return Ok(a == b),
            Self::NotEqual => return Ok(a != b),
            _ => {}
        }
        let order = match (a, b) {
            (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (a, b) => {
                let (a, b) = (a.type_name(), b.type_name());
                return Err(EvaluateError(format!("{a} and {b} cannot be ordered")));
            }
        };
        Ok(order.is_some_and(|order| match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Equal | Self::NotEqual => false,
        }))
    }
}

impl Unary {
    fn of(self, value: f64) -> f64 {
        match self {
            Self::Abs => value.abs(),
            // Half away from zero, as the specification says.
            Self::Round => value.round(),
            Self::Floor => value.floor(),
            Self::Ceil => value.ceil(),
            Self::Sqrt => value.sqrt(),
            Self::Ln => value.ln(),
            Self::Log2 => value.log2(),
            Self::Log10 => value.log10(),
        }
    }
}

impl Arithmetic {
    fn of<'a>(self, list: &'a [Node], scope: &Scope<'a>) -> Evaluated<'a> {
        let mut total = list[0].number(scope)?;
        if self == Self::Subtract && list.len() == 1 {
            return Ok(Value::Number(-total));
        }
        for node in &list[1..] {
            let next = node.number(scope)?;
            total = match self {
                Self::Add => total + next,
                Self::Subtract => total - next,
                Self::Multiply => total * next,
                Self::Divide => total / next,
                Self::Remainder => total % next,
                Self::Power => total.powf(next),
                Self::Min => total.min(next),
                Self::Max => total.max(next),
            };
        }
        Ok(Value::Number(total))
    }
}
