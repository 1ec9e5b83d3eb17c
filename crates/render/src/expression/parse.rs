//! Parses expressions from JSON.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::{
    Scope, Value,
    node::{Arithmetic, Compare, Key, Node, Target, Unary},
};

/// Maximum depth of nested expressions.
pub const MAX_DEPTH: usize = 32;

/// Maximum number of parts of one expression, labels of `match` and items of literal lists included.
pub const MAX_NODES: usize = 20_000;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {reason}")]
pub struct ParseError {
    /// The part of the expression, shortened.
    pub expression: String,
    /// What is wrong with it, and what to write.
    pub reason: String,
}

impl ParseError {
    pub(crate) fn new(json: &Json, reason: impl Into<String>) -> Self {
        /// Enough to find the place.
        const SHOWN: usize = 80;
        let text = json.to_string();
        let mut expression: String = text.chars().take(SHOWN).collect();
        if expression.len() < text.len() {
            expression.push('…');
        }
        Self { expression, reason: reason.into() }
    }
}

/// Operators of the style specification that are not in the subset.
const UNSUPPORTED: &[&str] = &[
    "accumulated",
    "acos",
    "array",
    "asin",
    "at",
    "atan",
    "collator",
    "cos",
    "distance",
    "elevation",
    "feature-state",
    "global-state",
    "heatmap-density",
    "interpolate-hcl",
    "interpolate-lab",
    "is-supported-script",
    "join",
    "let",
    "line-progress",
    "ln2",
    "object",
    "properties",
    "resolved-locale",
    "sin",
    "split",
    "sky-radial-progress",
    "tan",
    "to-rgba",
    "var",
    "within",
];

/// The operators of the subset.
const SUPPORTED: &[&str] = &[
    "!",
    "!=",
    "%",
    "*",
    "+",
    "-",
    "/",
    "<",
    "<=",
    "==",
    ">",
    ">=",
    "^",
    "abs",
    "all",
    "any",
    "boolean",
    "case",
    "ceil",
    "coalesce",
    "concat",
    "downcase",
    "e",
    "floor",
    "format",
    "geometry-type",
    "get",
    "has",
    "id",
    "image",
    "in",
    "index-of",
    "interpolate",
    "length",
    "literal",
    "ln",
    "log10",
    "log2",
    "match",
    "max",
    "min",
    "number",
    "number-format",
    "pi",
    "rgb",
    "rgba",
    "round",
    "slice",
    "sqrt",
    "step",
    "string",
    "to-boolean",
    "to-color",
    "to-number",
    "to-string",
    "typeof",
    "upcase",
    "zoom",
];

/// Whether a text is the name of an operator of the style specification, in the subset or not.
pub fn is_operator(name: &str) -> bool {
    SUPPORTED.contains(&name) || UNSUPPORTED.contains(&name)
}

/// Counts what has been parsed of one expression.
#[derive(Debug, Default)]
pub(super) struct Parser {
    depth: usize,
    nodes: usize,
}

type Parsed = Result<Node, ParseError>;

impl Parser {
    /// Parses one node and folds it if it is constant.
    pub(super) fn node(&mut self, json: &Json) -> Parsed {
        self.count(json, 1)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let reason = format!("it is nested more than {MAX_DEPTH} levels deep; write it flatter");
            return Err(ParseError::new(json, reason));
        }
        let node = match json {
            Json::Array(items) => self.operator(json, items)?,
            Json::Object(_) => {
                return Err(ParseError::new(
                    json,
                    "functions with `stops` are not supported; write a `step` or `interpolate` expression",
                ));
            }
            scalar => Node::Literal(literal(scalar)),
        };
        self.depth -= 1;
        if matches!(node, Node::Literal(_)) || !node.is_constant() {
            return Ok(node);
        }
        match node.evaluate(&Scope { zoom: 0.0, feature: None }) {
            Ok(value) => Ok(Node::Literal(value.into_static())),
            Err(error) => Err(ParseError::new(json, error.to_string())),
        }
    }

    fn count(&mut self, json: &Json, nodes: usize) -> Result<(), ParseError> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let reason = format!("the expression has more than {MAX_NODES} parts; split the layer");
            return Err(ParseError::new(json, reason));
        }
        Ok(())
    }

    fn operator(&mut self, json: &Json, items: &[Json]) -> Parsed {
        let Some(name) = items.first().and_then(Json::as_str) else {
            return Err(ParseError::new(json, "an expression begins with the name of its operator"));
        };
        let arguments = &items[1..];
        let count = arguments.len();
        let bad_count = |expected: &str| {
            ParseError::new(json, format!("`{name}` takes {expected}, not {count} arguments"))
        };
        let exactly = |n: usize| if count == n { Ok(()) } else { Err(bad_count(&n.to_string())) };
        let at_least = |n: usize| if count >= n { Ok(()) } else { Err(bad_count(&format!("at least {n}"))) };
        Ok(match name {
            "literal" => {
                exactly(1)?;
                Node::Literal(self.literal(&arguments[0])?)
            }
            "get" | "has" => {
                if count == 2 {
                    let reason = format!("`{name}` from another object is not supported; use one argument");
                    return Err(ParseError::new(json, reason));
                }
                exactly(1)?;
                let Some(property) = arguments[0].as_str() else {
                    let reason = format!("`{name}` takes the name of a property as text");
                    return Err(ParseError::new(json, reason));
                };
                if name == "get" { Node::Get(property.to_owned()) } else { Node::Has(property.to_owned()) }
            }
            "id" => exactly(0).map(|()| Node::Id)?,
            "geometry-type" => exactly(0).map(|()| Node::GeometryType)?,
            "zoom" => exactly(0).map(|()| Node::Zoom)?,
            "pi" => exactly(0).map(|()| Node::Literal(Value::Number(std::f64::consts::PI)))?,
            "e" => exactly(0).map(|()| Node::Literal(Value::Number(std::f64::consts::E)))?,
            "match" => self.match_(json, arguments)?,
            "case" => {
                if count < 3 || count.is_multiple_of(2) {
                    return Err(bad_count("pairs of a condition and an output, and a last output"));
                }
                let mut branches = Vec::with_capacity(count / 2);
                for pair in arguments[..count - 1].chunks_exact(2) {
                    branches.push((self.node(&pair[0])?, self.node(&pair[1])?));
                }
                Node::Case { branches, otherwise: Box::new(self.node(&arguments[count - 1])?) }
            }
            "coalesce" => {
                at_least(1)?;
                Node::Coalesce(self.list(arguments)?)
            }
            "step" => {
                if count < 2 || !count.is_multiple_of(2) {
                    return Err(bad_count("an input, an output, and pairs of a number and an output"));
                }
                let input = Box::new(self.node(&arguments[0])?);
                let first = Box::new(self.node(&arguments[1])?);
                Node::Step { input, first, stops: self.stops(json, &arguments[2..])? }
            }
            "interpolate" => self.interpolate(json, arguments)?,
            "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                if count == 3 {
                    return Err(ParseError::new(json, "comparison with a collator is not supported"));
                }
                exactly(2)?;
                // `["==", "kind", "park"]` is the old form of filters, which would compare two texts.
                if arguments.iter().all(|argument| !argument.is_array()) {
                    let reason = format!(
                        "it compares two constants; if the first is the name of a property, write \
                         [\"{name}\", [\"get\", {}], …]",
                        arguments[0]
                    );
                    return Err(ParseError::new(json, reason));
                }
                let compare = match name {
                    "==" => Compare::Equal,
                    "!=" => Compare::NotEqual,
                    "<" => Compare::Less,
                    "<=" => Compare::LessOrEqual,
                    ">" => Compare::Greater,
                    _ => Compare::GreaterOrEqual,
                };
                Node::Compare(compare, self.pair(arguments)?)
            }
            "all" => Node::All(self.list(arguments)?),
            "any" => Node::Any(self.list(arguments)?),
            "!" => exactly(1).and_then(|()| Ok(Node::Not(self.one(arguments)?)))?,
            "in" => {
                exactly(2)?;
                Node::In(self.pair(arguments)?)
            }
            "index-of" => {
                exactly(2)?;
                Node::IndexOf(self.pair(arguments)?)
            }
            "concat" => Node::Concat(self.list(arguments)?),
            "to-string" => {
                exactly(1).and_then(|()| Ok(Node::Convert(Target::Text, self.list(arguments)?)))?
            }
            "to-boolean" => {
                exactly(1).and_then(|()| Ok(Node::Convert(Target::Bool, self.list(arguments)?)))?
            }
            "to-number" => {
                at_least(1).and_then(|()| Ok(Node::Convert(Target::Number, self.list(arguments)?)))?
            }
            "to-color" => {
                at_least(1).and_then(|()| Ok(Node::Convert(Target::Color, self.list(arguments)?)))?
            }
            "string" => at_least(1).and_then(|()| Ok(Node::Assert(Target::Text, self.list(arguments)?)))?,
            "number" => at_least(1).and_then(|()| Ok(Node::Assert(Target::Number, self.list(arguments)?)))?,
            "boolean" => at_least(1).and_then(|()| Ok(Node::Assert(Target::Bool, self.list(arguments)?)))?,
            "typeof" => exactly(1).and_then(|()| Ok(Node::TypeOf(self.one(arguments)?)))?,
            "+" | "*" | "min" | "max" => {
                at_least(1)?;
                let arithmetic = match name {
                    "+" => Arithmetic::Add,
                    "*" => Arithmetic::Multiply,
                    "min" => Arithmetic::Min,
                    _ => Arithmetic::Max,
                };
                Node::Arithmetic(arithmetic, self.list(arguments)?)
            }
            "-" => {
                if !(1..=2).contains(&count) {
                    return Err(bad_count("one or two numbers"));
                }
                Node::Arithmetic(Arithmetic::Subtract, self.list(arguments)?)
            }
            "/" | "%" | "^" => {
                exactly(2)?;
                let arithmetic = match name {
                    "/" => Arithmetic::Divide,
                    "%" => Arithmetic::Remainder,
                    _ => Arithmetic::Power,
                };
                Node::Arithmetic(arithmetic, self.list(arguments)?)
            }
            "abs" | "round" | "floor" | "ceil" | "sqrt" | "ln" | "log2" | "log10" => {
                exactly(1)?;
                let unary = match name {
                    "abs" => Unary::Abs,
                    "round" => Unary::Round,
                    "floor" => Unary::Floor,
                    "ceil" => Unary::Ceil,
                    "sqrt" => Unary::Sqrt,
                    "ln" => Unary::Ln,
                    "log2" => Unary::Log2,
                    _ => Unary::Log10,
                };
                Node::Unary(unary, self.one(arguments)?)
            }
            "length" => exactly(1).and_then(|()| Ok(Node::Length(self.one(arguments)?)))?,
            "upcase" => exactly(1).and_then(|()| Ok(Node::Upcase(self.one(arguments)?)))?,
            "downcase" => exactly(1).and_then(|()| Ok(Node::Downcase(self.one(arguments)?)))?,
            "slice" => {
                if !(2..=3).contains(&count) {
                    return Err(bad_count("a text, a start, and possibly an end"));
                }
                let end = arguments.get(2).map(|end| self.node(end)).transpose()?.map(Box::new);
                Node::Slice { input: self.one(arguments)?, start: Box::new(self.node(&arguments[1])?), end }
            }
            "rgb" => exactly(3).and_then(|()| Ok(Node::Rgba(self.list(arguments)?)))?,
            "rgba" => exactly(4).and_then(|()| Ok(Node::Rgba(self.list(arguments)?)))?,
            "image" => exactly(1).and_then(|()| Ok(Node::Image(self.one(arguments)?)))?,
            "format" => self.format(json, arguments)?,
            "number-format" => self.number_format(json, arguments)?,
            other if UNSUPPORTED.contains(&other) => {
                let reason = format!("`{other}` is not supported; docs/pictures.md lists what is");
                return Err(ParseError::new(json, reason));
            }
            other => {
                let other: String = other.chars().take(40).collect();
                let near = citymap_model::nearest(&other, SUPPORTED, 1).join("");
                let reason = format!("there is no operator `{other}`; the nearest is `{near}`");
                return Err(ParseError::new(json, reason));
            }
        })
    }

    fn list(&mut self, arguments: &[Json]) -> Result<Vec<Node>, ParseError> {
        arguments.iter().map(|argument| self.node(argument)).collect()
    }

    fn one(&mut self, arguments: &[Json]) -> Result<Box<Node>, ParseError> {
        Ok(Box::new(self.node(&arguments[0])?))
    }

    fn pair(&mut self, arguments: &[Json]) -> Result<Box<[Node; 2]>, ParseError> {
        Ok(Box::new([self.node(&arguments[0])?, self.node(&arguments[1])?]))
    }

    /// A literal value: lists may be nested, objects have no use in the subset.
    fn literal(&mut self, json: &Json) -> Result<Value<'static>, ParseError> {
        match json {
            Json::Array(items) => {
                self.count(json, items.len())?;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(ParseError::new(
                        json,
                        format!("it is nested more than {MAX_DEPTH} levels deep"),
                    ));
                }
                let list: Result<Vec<_>, _> = items.iter().map(|item| self.literal(item)).collect();
                self.depth -= 1;
                Ok(Value::List(Cow::Owned(list?)))
            }
            Json::Object(_) => Err(ParseError::new(json, "literal objects are not supported")),
            scalar => Ok(literal(scalar)),
        }
    }

    fn match_(&mut self, json: &Json, arguments: &[Json]) -> Parsed {
        if arguments.len() < 4 || !arguments.len().is_multiple_of(2) {
            return Err(ParseError::new(
                json,
                "`match` takes an input, pairs of a label and an output, and a last output",
            ));
        }
        let last = arguments.len() - 1;
        let input = Box::new(self.node(&arguments[0])?);
        let mut branches = FxHashMap::default();
        let mut outputs = Vec::with_capacity(last / 2);
        for pair in arguments[1..last].chunks_exact(2) {
            let labels = match &pair[0] {
                Json::Array(labels) => labels.as_slice(),
                label => std::slice::from_ref(label),
            };
            self.count(json, labels.len())?;
            for label in labels {
                let key = match label {
                    Json::String(text) => Some(Key::Text(text.clone())),
                    Json::Number(number) => number.as_i64().map(Key::Number),
                    _ => None,
                };
                let key = key.ok_or_else(|| {
                    ParseError::new(label, "a label of `match` is a text, a whole number, or a list of them")
                })?;
                // The first branch with a label counts.
                branches.entry(key).or_insert(outputs.len());
            }
            outputs.push(self.node(&pair[1])?);
        }
        Ok(Node::Match { input, branches, outputs, otherwise: Box::new(self.node(&arguments[last])?) })
    }

    fn interpolate(&mut self, json: &Json, arguments: &[Json]) -> Parsed {
        if arguments.len() < 4 || !arguments.len().is_multiple_of(2) {
            return Err(ParseError::new(
                json,
                "`interpolate` takes a method, an input, and pairs of a number and an output",
            ));
        }
        let method = arguments[0].as_array().map(Vec::as_slice).unwrap_or_default();
        let base = match (method.first().and_then(Json::as_str), method.get(1)) {
            (Some("linear"), None) => 1.0,
            (Some("exponential"), Some(base)) => {
                base.as_f64().filter(|base| *base > 0.0).ok_or_else(|| {
                    ParseError::new(&arguments[0], "the base of `exponential` is a number above 0")
                })?
            }
            _ => {
                return Err(ParseError::new(
                    &arguments[0],
                    "this method is not supported; write [\"linear\"] or [\"exponential\", base]",
                ));
            }
        };
        let input = Box::new(self.node(&arguments[1])?);
        Ok(Node::Interpolate { base, input, stops: self.stops(json, &arguments[2..])? })
    }

    fn stops(&mut self, json: &Json, pairs: &[Json]) -> Result<Vec<(f64, Node)>, ParseError> {
        let mut stops: Vec<(f64, Node)> = Vec::with_capacity(pairs.len() / 2);
        for pair in pairs.chunks_exact(2) {
            let Some(at) = pair[0].as_f64() else {
                return Err(ParseError::new(&pair[0], "the input of a stop is a number"));
            };
            if stops.last().is_some_and(|(before, _)| *before >= at) {
                return Err(ParseError::new(json, format!("its stops must increase, but {at} does not")));
            }
            stops.push((at, self.node(&pair[1])?));
        }
        Ok(stops)
    }

    fn format(&mut self, json: &Json, arguments: &[Json]) -> Parsed {
        let mut sections: Vec<(Node, Option<Node>)> = Vec::new();
        for argument in arguments {
            let Json::Object(options) = argument else {
                sections.push((self.node(argument)?, None));
                continue;
            };
            let Some((_, scale)) = sections.last_mut() else {
                return Err(ParseError::new(json, "`format` begins with a text"));
            };
            for (name, value) in options {
                if name != "font-scale" {
                    let reason = format!("option `{name}` of `format` is not supported; `font-scale` is");
                    return Err(ParseError::new(argument, reason));
                }
                *scale = Some(self.node(value)?);
            }
        }
        if sections.is_empty() {
            return Err(ParseError::new(json, "`format` takes at least one text"));
        }
        Ok(Node::Format(sections))
    }

    fn number_format(&mut self, json: &Json, arguments: &[Json]) -> Parsed {
        let [input, options] = arguments else {
            return Err(ParseError::new(json, "`number-format` takes a number and an object of options"));
        };
        let Json::Object(options) = options else {
            return Err(ParseError::new(options, "the options of `number-format` are an object"));
        };
        let input = Box::new(self.node(input)?);
        let (mut locale, mut min, mut max) = (None, None, None);
        for (name, value) in options {
            let option = match name.as_str() {
                "locale" => &mut locale,
                "min-fraction-digits" => &mut min,
                "max-fraction-digits" => &mut max,
                _ => {
                    let reason = format!(
                        "option `{name}` of `number-format` is not supported; `locale`, \
                         `min-fraction-digits` and `max-fraction-digits` are"
                    );
                    return Err(ParseError::new(json, reason));
                }
            };
            *option = Some(Box::new(self.node(value)?));
        }
        Ok(Node::NumberFormat { input, locale, min, max })
    }
}

/// A JSON value that is neither a list nor an object.
fn literal(json: &Json) -> Value<'static> {
    match json {
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or_default()),
        Json::String(text) => Value::Text(Cow::Owned(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}
