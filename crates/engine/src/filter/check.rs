//! From a CQL2 expression to a condition on the features of a layer.

use citymap_access::{Audience, VisibleFields, visible};
use citymap_cql2::{Arithmetic, Comparison, Expr, Operator};
use citymap_geometry::check_positions;
use citymap_model::{Geometry, Layer, Value, nearest, normalize_text, parse_date, parse_datetime};

use geo::CoordsIter;

use super::{
    Condition, Filter, FilterError, Folding, Kind, Operand, Scalar,
    call::{Argument, FUNCTIONS, Function},
    eval::{Datum, Subject, compute},
    like::Pattern,
    spatial::GeometryOperand,
    temporal::TemporalOperand,
};
use crate::{Bbox, ValueRef, query::within};

/// Names that a message lists.
const KNOWN_MAX: usize = 40;
/// Characters of an unknown name that a message repeats.
const NAME_MAX: usize = 40;

impl Filter {
    /// The condition that a CQL2 expression states on the features of `layer`. Fields that `audience` may not
    /// see do not exist for it. Geometries of the expression are in longitude and latitude.
    ///
    /// # Errors
    /// [`FilterError`] for a field or function that does not exist, values of types that do not fit together,
    /// and a geometry that is not valid.
    pub fn check(expr: &Expr, layer: &Layer, audience: &Audience) -> Result<Self, FilterError> {
        let fields = visible(layer, audience);
        let checker = Checker { fields, geometry_name: fields.geometry_name() };
        Ok(Self { condition: checker.condition(expr)? })
    }
}

struct Checker<'a> {
    fields: VisibleFields<'a>,
    /// The name of the geometry among the properties.
    geometry_name: String,
}

impl Checker<'_> {
    fn condition(&self, expr: &Expr) -> Result<Condition, FilterError> {
        Ok(match expr {
            Expr::Bool(value) => Condition::Constant(*value),
            Expr::Op(Operator::And, args) => Condition::All(self.conditions(args)?),
            Expr::Op(Operator::Or, args) => Condition::Any(self.conditions(args)?),
            Expr::Op(Operator::Compare(comparison), args) => self.compare(*comparison, pair(args))?,
            Expr::Op(Operator::Spatial(relation), args) => {
                let [a, b] = pair(args).map(|arg| self.geometry(arg, expr));
                Condition::Spatial(*relation, a?, b?)
            }
            Expr::Op(Operator::Temporal(relation), args) => {
                let [a, b] = pair(args).map(|arg| self.temporal(arg, expr));
                Condition::Temporal(*relation, a?, b?)
            }
            Expr::Op(Operator::Array(relation), args) => {
                let [a, b] = pair(args).map(|arg| self.array(arg, expr));
                Condition::Array(*relation, a?, b?)
            }
            Expr::Op(Operator::In, args) => self.is_in(args)?,
            Expr::Op(operator, args) => match (operator, args.as_slice()) {
                (Operator::Not, [arg]) => Condition::Not(Box::new(self.condition(arg)?)),
                (Operator::IsNull, [arg]) => Condition::IsNull(if self.is_geometry(arg) {
                    Operand::Geometry(self.geometry(arg, expr)?)
                } else {
                    Operand::Scalar(self.scalar(arg)?)
                }),
                (Operator::Between, [value, low, high]) => Condition::All(vec![
                    self.compare(Comparison::Ge, [value, low])?,
                    self.compare(Comparison::Le, [value, high])?,
                ]),
                (Operator::Like, [text, pattern]) => {
                    let text = self.of_kind(text, Kind::Text, expr)?;
                    match self.of_kind(pattern, Kind::Text, expr)? {
                        Scalar::Constant(Value::Text(pattern)) => {
                            Condition::Like(text, Pattern::new(&pattern))
                        }
                        _ => return Err(misplaced(expr, "a pattern in quotes", "a text of the feature")),
                    }
                }
                _ => {
                    return Err(misplaced_at(
                        "the filter",
                        "a condition, such as a comparison",
                        described(expr),
                    ));
                }
            },
            other => match self.scalar(other)? {
                scalar if scalar.kind() == Kind::Truth => Condition::Truth(scalar),
                scalar => {
                    let found = scalar.kind().described();
                    return Err(misplaced_at("the filter", "a condition, such as a comparison", found));
                }
            },
        })
    }

    fn conditions(&self, args: &[Expr]) -> Result<Vec<Condition>, FilterError> {
        args.iter().map(|arg| self.condition(arg)).collect()
    }

    fn compare(&self, comparison: Comparison, args: [&Expr; 2]) -> Result<Condition, FilterError> {
        let [a, b] = args.map(|arg| self.scalar(arg));
        let (a, b) = alike(a?, b?)?;
        Ok(Condition::Compare(comparison, a, b))
    }

    fn is_in(&self, args: &[Expr]) -> Result<Condition, FilterError> {
        let [value, list] = pair(args);
        let mut value = self.scalar(value)?;
        let Expr::Array(items) = list else {
            return Err(misplaced_at("`IN`", "a list of values", described(list)));
        };
        let mut scalars = Vec::with_capacity(items.len());
        for item in items {
            let (own, item) = alike(value, self.scalar(item)?)?;
            value = own;
            scalars.push(item);
        }
        let constant =
            |item: &Scalar| if let Scalar::Constant(value) = item { Some(value.clone()) } else { None };
        let constants: Option<Vec<Value>> = scalars.iter().map(constant).collect();
        let Some(constants) = constants else { return Ok(Condition::In(value, scalars)) };
        let mut by_type: Vec<Vec<Value>> = Vec::new();
        for constant in constants {
            // Constants of several types have no common order: a day equals all of its instants.
            match by_type.iter_mut().find(|list| list[0].field_type() == constant.field_type()) {
                Some(list) => list.push(constant),
                None => by_type.push(vec![constant]),
            }
        }
        let mut lists: Vec<Condition> = by_type
            .into_iter()
            .map(|mut list| {
                list.sort_by(|a, b| {
                    let [a, b] = [a, b].map(|value| Datum::from(ValueRef::from(value)));
                    a.order(&b).unwrap_or(std::cmp::Ordering::Equal)
                });
                Condition::InConstants(value.clone(), list)
            })
            .collect();
        Ok(match lists.pop() {
            Some(only) if lists.is_empty() => only,
            last => Condition::Any(lists.into_iter().chain(last).collect()),
        })
    }

    fn scalar(&self, expr: &Expr) -> Result<Scalar, FilterError> {
        Ok(match expr {
            Expr::Bool(value) => Scalar::Constant(Value::Bool(*value)),
            Expr::Int(value) => Scalar::Constant(Value::Int(*value)),
            Expr::Real(value) => Scalar::Constant(Value::Real(*value)),
            Expr::Text(text) => Scalar::Constant(Value::Text(normalize_text(text.clone()))),
            Expr::Date(day) => Scalar::Constant(Value::Date(*day)),
            Expr::Timestamp(instant) => Scalar::Constant(Value::DateTime(*instant)),
            Expr::Property(name) => {
                let name = normalize_text(name.clone());
                match self.fields.iter().find(|(_, field)| normalize_text(field.name.clone()) == name) {
                    Some((index, field)) => Scalar::Field(index, field.field_type),
                    None if name == self.geometry_name => {
                        return Err(misplaced_at("this place", "a single value", "the geometry"));
                    }
                    None => return Err(self.unknown_field(&name)),
                }
            }
            Expr::Op(Operator::Arithmetic(arithmetic), args) => {
                let [a, b] = pair(args).map(|arg| self.of_kind(arg, Kind::Number, expr));
                arithmetic_of(*arithmetic, a?, b?)
            }
            Expr::Op(Operator::CaseI, args) => self.folded(Folding::Case, args, expr)?,
            Expr::Op(Operator::AccentI, args) => self.folded(Folding::Accents, args, expr)?,
            Expr::Op(..) => Scalar::Condition(Box::new(self.condition(expr)?)),
            Expr::Call(name, args) => self.call(name, args)?,
            Expr::Interval(_) | Expr::Geometry(_) | Expr::Bbox(_) | Expr::Array(_) => {
                return Err(misplaced_at("this place", "a single value", described(expr)));
            }
        })
    }

    /// A scalar of this kind, as an argument of `place`.
    fn of_kind(&self, expr: &Expr, kind: Kind, place: &Expr) -> Result<Scalar, FilterError> {
        let scalar = self.scalar(expr)?;
        if scalar.kind() == kind {
            Ok(scalar)
        } else {
            Err(misplaced(place, kind.described(), scalar.kind().described()))
        }
    }

    fn folded(&self, folding: Folding, args: &[Expr], place: &Expr) -> Result<Scalar, FilterError> {
        let arg = args
            .first()
            .map_or(Err(misplaced(place, "a text", "nothing")), |arg| self.of_kind(arg, Kind::Text, place))?;
        Ok(match arg {
            Scalar::Constant(Value::Text(text)) => Scalar::Constant(Value::Text(folding.apply(&text))),
            text => Scalar::Fold(folding, Box::new(text)),
        })
    }

    fn call(&self, name: &str, args: &[Expr]) -> Result<Scalar, FilterError> {
        let Some(function) = Function::of_name(name) else {
            let known: Vec<&str> = FUNCTIONS.iter().map(|(_, name)| *name).collect();
            return Err(FilterError::UnknownFunction { name: short(name), known: known.join(", ") });
        };
        let place = Expr::Call(name.to_owned(), Vec::new());
        let [arg] = args else {
            let found = if args.is_empty() { "no argument" } else { "several arguments" };
            return Err(misplaced(&place, "one argument", found));
        };
        let operand = match function.argument() {
            Argument::Geometry => Operand::Geometry(self.geometry(arg, &place)?),
            Argument::Scalar(kind) => Operand::Scalar(self.of_kind(arg, kind, &place)?),
        };
        let is_constant = matches!(operand, Operand::Scalar(Scalar::Constant(_)));
        let call = Scalar::Call(function, Box::new(operand));
        Ok(if is_constant { constant(&call) } else { call })
    }

    fn is_geometry(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Geometry(_) | Expr::Bbox(_) => true,
            Expr::Property(name) => *name == self.geometry_name,
            _ => false,
        }
    }

    fn geometry(&self, expr: &Expr, place: &Expr) -> Result<GeometryOperand, FilterError> {
        match expr {
            Expr::Geometry(geometry) => {
                check_geometry(geometry)?;
                Ok(GeometryOperand::Constant(Box::new(geometry.clone())))
            }
            Expr::Bbox([_, south, _, north]) if south > north => Err(FilterError::InvalidBox),
            Expr::Bbox([west, south, east, north]) => {
                let (boxes, count) = Bbox::new(*west, *south, *east, *north).split();
                let mut polygons: Vec<_> = boxes[..count].iter().map(|bbox| bbox.to_polygon()).collect();
                let geometry = match polygons.pop() {
                    Some(only) if polygons.is_empty() => Geometry::from(only),
                    last => geo::MultiPolygon::new(polygons.into_iter().chain(last).collect()).into(),
                };
                Ok(GeometryOperand::Constant(Box::new(geometry)))
            }
            Expr::Property(name) if *name == self.geometry_name => Ok(GeometryOperand::Feature),
            Expr::Property(name) if self.fields.get(name).is_none() => Err(self.unknown_field(name)),
            other => Err(misplaced(place, "a geometry", described(other))),
        }
    }

    fn temporal(&self, expr: &Expr, place: &Expr) -> Result<TemporalOperand, FilterError> {
        let time = |expr: &Expr| match self.scalar(expr)? {
            scalar if scalar.kind() == Kind::Time => Ok(scalar),
            Scalar::Constant(Value::Text(text)) => time_of(&text),
            other => Err(misplaced(place, "a date, a timestamp or an interval", other.kind().described())),
        };
        let Expr::Interval(ends) = expr else { return Ok(TemporalOperand::Instant(time(expr)?)) };
        let [start, end] = [&ends[0], &ends[1]].map(|end| end.as_ref().map(time).transpose());
        Ok(TemporalOperand::Interval(Box::new([start?, end?])))
    }

    fn array(&self, expr: &Expr, place: &Expr) -> Result<Vec<Scalar>, FilterError> {
        match expr {
            Expr::Array(items) => items.iter().map(|item| self.scalar(item)).collect(),
            Expr::Property(name) if self.fields.get(name).is_none() && *name != self.geometry_name => {
                Err(self.unknown_field(name))
            }
            other => Err(misplaced(place, "a list of values in parentheses", described(other))),
        }
    }

    fn unknown_field(&self, name: &str) -> FilterError {
        let mut names = self.fields.names();
        names.push(&self.geometry_name);
        let name = short(name);
        let known = nearest(&name, &names, KNOWN_MAX).join(", ");
        FilterError::UnknownField { name, known }
    }
}

/// The two arguments of an operator that has two.
fn pair(args: &[Expr]) -> [&Expr; 2] {
    const NONE: &Expr = &Expr::Bool(false);
    [args.first().unwrap_or(NONE), args.get(1).unwrap_or(NONE)]
}

/// Refuses polygons that break the rules, and lines of a single position.
fn check_geometry(geometry: &Geometry) -> Result<(), FilterError> {
    match geometry {
        geometry if geometry.coords_count() == 0 => Ok(()),
        Geometry::GeometryCollection(members) => members.iter().try_for_each(check_geometry),
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) => {
            within::check(geometry).map_err(|source| FilterError::InvalidPolygon { source })
        }
        other => check_positions(other).map_err(|_few| FilterError::ShortLine),
    }
}

/// Two scalars that compare: of one kind, or a date or timestamp and a text that is read as one.
fn alike(a: Scalar, b: Scalar) -> Result<(Scalar, Scalar), FilterError> {
    match (a, b) {
        (a, b) if a.kind() == b.kind() => Ok((a, b)),
        (a, Scalar::Constant(Value::Text(text))) if a.kind() == Kind::Time => {
            let b = time_of(&text)?;
            Ok((a, b))
        }
        (Scalar::Constant(Value::Text(text)), b) if b.kind() == Kind::Time => Ok((time_of(&text)?, b)),
        (a, b) => Err(FilterError::Mixed { left: a.kind().described(), right: b.kind().described() }),
    }
}

/// A text as a date or timestamp. GDAL writes a day as `2025-07-01T`.
fn time_of(text: &str) -> Result<Scalar, FilterError> {
    let value = parse_date(text.strip_suffix('T').unwrap_or(text))
        .map(Value::Date)
        .or_else(|| parse_datetime(text).map(Value::DateTime));
    value.map(Scalar::Constant).ok_or(FilterError::NotTime)
}

fn arithmetic_of(arithmetic: Arithmetic, a: Scalar, b: Scalar) -> Scalar {
    if let (Scalar::Constant(a), Scalar::Constant(b)) = (&a, &b) {
        let value = compute(arithmetic, &ValueRef::from(a).into(), &ValueRef::from(b).into());
        // A constant null has no kind; a computation at each feature gives null too.
        if !matches!(value, Datum::Null) {
            return Scalar::Constant(value.into_value());
        }
    }
    Scalar::Arithmetic(arithmetic, Box::new([a, b]))
}

/// A scalar without fields as a constant, if it has a value.
fn constant(scalar: &Scalar) -> Scalar {
    match scalar.eval(&Subject::Value(ValueRef::Null)) {
        Datum::Null => scalar.clone(),
        value => Scalar::Constant(value.into_value()),
    }
}

fn short(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

fn misplaced(place: &Expr, expected: &'static str, found: &'static str) -> FilterError {
    let place = match place {
        Expr::Op(operator, _) => format!("`{}`", operator.name().to_uppercase()),
        Expr::Call(name, _) => format!("`{}`", short(name)),
        _ => "this place".to_owned(),
    };
    FilterError::Operand { place, expected, found }
}

fn misplaced_at(place: &str, expected: &'static str, found: &'static str) -> FilterError {
    FilterError::Operand { place: place.to_owned(), expected, found }
}

/// How messages call an expression.
fn described(expr: &Expr) -> &'static str {
    match expr {
        Expr::Bool(_) => "a truth value",
        Expr::Int(_) | Expr::Real(_) | Expr::Op(Operator::Arithmetic(_), _) => "a number",
        Expr::Text(_) | Expr::Op(Operator::CaseI | Operator::AccentI, _) => "a text",
        Expr::Date(_) | Expr::Timestamp(_) => "a date or timestamp",
        Expr::Interval(_) => "an interval",
        Expr::Geometry(_) | Expr::Bbox(_) => "a geometry",
        Expr::Array(_) => "a list of values",
        Expr::Property(_) => "a field of another type",
        Expr::Op(..) => "a condition",
        Expr::Call(..) => "a function",
    }
}
