//! The JSON form.

mod geometry;

use citymap_model::{format_datetime, normalize_text};
use serde_json::{Map, Value, json};

use crate::{
    Cql2Error, DEPTH_MAX, Expr, Operator,
    text::{bbox, interval_end, is_function_name, is_interval_end, parse_day, parse_instant},
};

/// Reads the JSON form of a filter.
pub(crate) fn parse(value: &Value) -> Result<Expr, Cql2Error> {
    let path = &mut Path::default();
    match expr(value, path)? {
        Expr::Array(_) => Err(path.expected("an expression that is true or false")),
        expr => Ok(expr),
    }
}

/// Where in the filter the reader is.
#[derive(Default)]
struct Path {
    /// The members from the top, as a JSON Pointer writes them.
    steps: Vec<String>,
}

impl Path {
    /// Reads with `read` inside the member `step`.
    fn inside<T>(
        &mut self,
        step: impl ToString,
        read: impl FnOnce(&mut Self) -> Result<T, Cql2Error>,
    ) -> Result<T, Cql2Error> {
        self.steps.push(step.to_string());
        let read = read(self)?;
        self.steps.pop();
        Ok(read)
    }

    fn expected(&self, expected: impl Into<String>) -> Cql2Error {
        let path = self.steps.iter().map(|step| format!("/{step}")).collect();
        Cql2Error::Structure { path, expected: expected.into() }
    }
}

fn expr(value: &Value, path: &mut Path) -> Result<Expr, Cql2Error> {
    // Each level of the tree is at least one of the path.
    if path.steps.len() > 2 * DEPTH_MAX {
        return Err(Cql2Error::TooDeep { max: DEPTH_MAX });
    }
    match value {
        Value::Bool(value) => Ok(Expr::Bool(*value)),
        Value::String(text) => Ok(Expr::Text(normalize_text(text.clone()))),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Ok(Expr::Int(value)),
            (None, Some(value)) if value.is_finite() => Ok(Expr::Real(value)),
            _ => Err(path.expected("a number below 1.8e308")),
        },
        Value::Array(items) => Ok(Expr::Array(exprs(items, path)?)),
        Value::Object(members) => object(members, path),
        Value::Null => Err(path.expected("a value; whether there is none is asked by `isNull`")),
    }
}

fn exprs(items: &[Value], path: &mut Path) -> Result<Vec<Expr>, Cql2Error> {
    items.iter().enumerate().map(|(at, item)| path.inside(at, |path| expr(item, path))).collect()
}

fn object(members: &Map<String, Value>, path: &mut Path) -> Result<Expr, Cql2Error> {
    if let Some(op) = members.get("op") {
        return operator(op, members.get("args"), path);
    }
    if members.contains_key("type") {
        return geometry::parse(members, path).map(Expr::Geometry);
    }
    let Some((name, value)) = members.iter().next().filter(|_| members.len() == 1) else {
        return Err(
            path.expected("an object with `op` and `args`, a geometry, or one member such as `property`")
        );
    };
    path.inside(name, |path| match (name.as_str(), value) {
        ("property", Value::String(name)) if !name.is_empty() => {
            Ok(Expr::Property(normalize_text(name.clone())))
        }
        ("property", _) => Err(path.expected("the name of a property")),
        ("date", Value::String(text)) => {
            parse_day(text).map(Expr::Date).ok_or_else(|| path.expected("a date: \"2025-07-01\""))
        }
        ("timestamp", Value::String(text)) => parse_instant(text)
            .map(Expr::Timestamp)
            .ok_or_else(|| path.expected("a timestamp: \"2025-07-01T00:00:00Z\"")),
        ("interval", Value::Array(ends)) => {
            let [first, second] = ends.as_slice() else { return Err(path.expected("two ends")) };
            let first = path.inside(0, |path| end(first, path))?;
            let second = path.inside(1, |path| end(second, path))?;
            Ok(Expr::Interval(Box::new([first, second])))
        }
        ("bbox", Value::Array(numbers)) => {
            let numbers: Option<Vec<f64>> = numbers.iter().map(Value::as_f64).collect();
            let read = numbers.and_then(|numbers| bbox(&numbers));
            read.ok_or_else(|| path.expected("four numbers, or six with heights"))
        }
        ("date" | "timestamp", _) => Err(path.expected("a text")),
        ("interval" | "bbox", _) => Err(path.expected("an array")),
        _ => {
            Err(path
                .expected("one of `op`, `property`, `date`, `timestamp`, `interval`, `bbox` or a geometry"))
        }
    })
}

fn operator(op: &Value, args: Option<&Value>, path: &mut Path) -> Result<Expr, Cql2Error> {
    let Value::String(name) = op else {
        return path.inside("op", |path| Err(path.expected("the name of an operator or a function")));
    };
    let Some(Value::Array(args)) = args else {
        return path.inside("args", |path| Err(path.expected("an array of arguments")));
    };
    let args = path.inside("args", |path| exprs(args, path))?;
    let Some(operator) = Operator::of_name(name) else {
        return if is_function_name(name) {
            Ok(Expr::Call(normalize_text(name.clone()), args))
        } else {
            path.inside("op", |path| Err(path.expected("an operator, or the name of a function")))
        };
    };
    let arity = operator.arity();
    if !arity.contains(&args.len()) {
        let count = citymap_model::counted(*arity.start(), "argument", "arguments");
        let more = if arity.end() > arity.start() { " or more" } else { "" };
        return path.inside("args", |path| Err(path.expected(format!("{count}{more}"))));
    }
    for (at, arg) in args.iter().enumerate() {
        let is_list = operator == Operator::In && at == 1;
        let expected = match arg {
            Expr::Array(items) if is_list && !items.is_empty() && !items.iter().any(is_array) => continue,
            _ if is_list => "an array of values",
            Expr::Array(_) if !operator.takes_arrays() => "a value that is not an array",
            _ => continue,
        };
        return path.inside("args", |path| path.inside(at, |path| Err(path.expected(expected))));
    }
    Ok(Expr::Op(operator, args))
}

fn is_array(expr: &Expr) -> bool {
    matches!(expr, Expr::Array(_))
}

/// An end of an interval.
fn end(value: &Value, path: &mut Path) -> Result<Option<Expr>, Cql2Error> {
    let expected = "a date, a timestamp, \"..\", a property or a function";
    if let Value::String(text) = value {
        return interval_end(text).map_err(|expected| path.expected(expected));
    }
    let read = expr(value, path)?;
    if is_interval_end(&read) { Ok(Some(read)) } else { Err(path.expected(expected)) }
}

/// The JSON form of an expression.
pub(crate) fn print(expr: &Expr) -> Value {
    let all = |items: &[Expr]| -> Vec<Value> { items.iter().map(print).collect() };
    match expr {
        Expr::Bool(value) => (*value).into(),
        Expr::Int(value) => (*value).into(),
        Expr::Real(value) => (*value).into(),
        Expr::Text(text) => text.as_str().into(),
        Expr::Date(day) => json!({"date": day.to_string()}),
        Expr::Timestamp(instant) => json!({"timestamp": format_datetime(instant)}),
        Expr::Interval(ends) => {
            let end = |end: &Option<Expr>| match end {
                None => "..".into(),
                Some(Expr::Date(day)) => day.to_string().into(),
                Some(Expr::Timestamp(instant)) => format_datetime(instant).into(),
                Some(other) => print(other),
            };
            json!({"interval": ends.iter().map(end).collect::<Vec<Value>>()})
        }
        Expr::Geometry(geometry) => geometry::print(geometry),
        Expr::Bbox(bbox) => json!({"bbox": bbox}),
        Expr::Array(items) => all(items).into(),
        Expr::Property(name) => json!({"property": name}),
        Expr::Op(operator, args) => json!({"op": operator.name(), "args": all(args)}),
        Expr::Call(name, args) => json!({"op": name, "args": all(args)}),
    }
}
