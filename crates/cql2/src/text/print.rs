//! Writes the text form.

use citymap_model::{Geometry, format_datetime};
use geo_types::{Coord, LineString, Polygon};

use super::{is_plain_name, is_reserved};
use crate::{Arithmetic, Expr, Operator};

/// How tightly an expression binds: one inside a tighter place needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Power,
    Value,
}

/// The text form of an expression.
pub(crate) fn print(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, Rank::Or, &mut out);
    out
}

fn rank(expr: &Expr) -> Rank {
    let Expr::Op(operator, _) = expr else { return Rank::Value };
    match operator {
        Operator::Or => Rank::Or,
        Operator::And => Rank::And,
        Operator::Not => Rank::Not,
        Operator::Compare(_) | Operator::Like | Operator::Between | Operator::In | Operator::IsNull => {
            Rank::Comparison
        }
        Operator::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => Rank::Sum,
        Operator::Arithmetic(Arithmetic::Power) => Rank::Power,
        Operator::Arithmetic(_) => Rank::Product,
        Operator::CaseI
        | Operator::AccentI
        | Operator::Spatial(_)
        | Operator::Temporal(_)
        | Operator::Array(_) => Rank::Value,
    }
}

/// Appends an expression in a place that takes `lowest` and what binds more tightly.
fn write(expr: &Expr, lowest: Rank, out: &mut String) {
    let is_enclosed = rank(expr) < lowest;
    if is_enclosed {
        out.push('(');
    }
    write_bare(expr, out);
    if is_enclosed {
        out.push(')');
    }
}

fn write_bare(expr: &Expr, out: &mut String) {
    match expr {
        Expr::Bool(value) => out.push_str(if *value { "TRUE" } else { "FALSE" }),
        Expr::Int(value) => out.push_str(&format!("{value}")),
        Expr::Real(value) => out.push_str(&format!("{value:?}")),
        Expr::Text(text) => write_quoted(text, '\'', out),
        Expr::Date(day) => out.push_str(&format!("DATE('{day}')")),
        Expr::Timestamp(instant) => out.push_str(&format!("TIMESTAMP('{}')", format_datetime(instant))),
        Expr::Interval(ends) => {
            out.push_str("INTERVAL(");
            for (at, end) in ends.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                match end {
                    None => out.push_str("'..'"),
                    Some(Expr::Date(day)) => out.push_str(&format!("'{day}'")),
                    Some(Expr::Timestamp(instant)) => {
                        out.push_str(&format!("'{}'", format_datetime(instant)));
                    }
                    Some(other) => write_bare(other, out),
                }
            }
            out.push(')');
        }
        Expr::Geometry(geometry) => write_geometry(geometry, out),
        Expr::Bbox([west, south, east, north]) => {
            out.push_str(&format!("BBOX({west:?},{south:?},{east:?},{north:?})"));
        }
        Expr::Array(items) => write_list(items, out),
        Expr::Property(name) => {
            if is_plain_name(name) && !is_reserved(name) {
                out.push_str(name);
            } else {
                write_quoted(name, '"', out);
            }
        }
        Expr::Call(name, args) => {
            out.push_str(name);
            write_list(args, out);
        }
        Expr::Op(operator, args) => write_operator(*operator, args, out),
    }
}

fn write_operator(operator: Operator, args: &[Expr], out: &mut String) {
    match (operator, args) {
        (Operator::And | Operator::Or, args) => {
            let (word, lowest) =
                if operator == Operator::And { (" AND ", Rank::Not) } else { (" OR ", Rank::And) };
            for (at, arg) in args.iter().enumerate() {
                out.push_str(if at > 0 { word } else { "" });
                write(arg, lowest, out);
            }
        }
        (Operator::Not, [arg]) => {
            out.push_str("NOT ");
            write(arg, Rank::Not, out);
        }
        (Operator::IsNull, [arg]) => {
            write(arg, Rank::Sum, out);
            out.push_str(" IS NULL");
        }
        (Operator::Between, [value, low, high]) => {
            write(value, Rank::Sum, out);
            out.push_str(" BETWEEN ");
            write(low, Rank::Sum, out);
            out.push_str(" AND ");
            write(high, Rank::Sum, out);
        }
        (Operator::In, [value, list]) => {
            write(value, Rank::Sum, out);
            out.push_str(" IN ");
            write(list, Rank::Value, out);
        }
        (Operator::Like, [value, pattern]) => {
            write(value, Rank::Sum, out);
            out.push_str(" LIKE ");
            write(pattern, Rank::Sum, out);
        }
        (Operator::Compare(_), [a, b]) => {
            write(a, Rank::Sum, out);
            out.push_str(&format!(" {} ", operator.name()));
            write(b, Rank::Sum, out);
        }
        (Operator::Arithmetic(arithmetic), [a, b]) => {
            let (left, right) = match arithmetic {
                Arithmetic::Add | Arithmetic::Subtract => (Rank::Sum, Rank::Product),
                Arithmetic::Power => (Rank::Value, Rank::Power),
                _ => (Rank::Product, Rank::Power),
            };
            write(a, left, out);
            out.push_str(&format!(" {} ", operator.name()));
            write(b, right, out);
        }
        (operator, args) => {
            out.push_str(&operator.name().to_ascii_uppercase());
            write_list(args, out);
        }
    }
}

/// Appends values in parentheses.
fn write_list(items: &[Expr], out: &mut String) {
    out.push('(');
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write(item, Rank::Or, out);
    }
    out.push(')');
}

fn write_quoted(text: &str, quote: char, out: &mut String) {
    out.push(quote);
    for letter in text.chars() {
        if letter == quote {
            out.push(quote);
        }
        out.push(letter);
    }
    out.push(quote);
}

fn write_geometry(geometry: &Geometry, out: &mut String) {
    match geometry {
        Geometry::Point(point) => tagged("POINT", &[point.0], write_coord, out),
        Geometry::Line(line) => tagged("LINESTRING", &[line.start, line.end], write_coord, out),
        Geometry::LineString(line) => tagged("LINESTRING", &line.0, write_coord, out),
        Geometry::Polygon(polygon) => {
            let rings = rings(polygon);
            tagged("POLYGON", &rings, |ring, out| write_line(ring, out), out);
        }
        Geometry::MultiPoint(points) => {
            tagged("MULTIPOINT", &points.0, |point, out| enclosed(&[point.0], write_coord, out), out);
        }
        Geometry::MultiLineString(lines) => tagged("MULTILINESTRING", &lines.0, write_line, out),
        Geometry::MultiPolygon(polygons) => {
            tagged(
                "MULTIPOLYGON",
                &polygons.0,
                |polygon, out| enclosed(&rings(polygon), |ring, out| write_line(ring, out), out),
                out,
            );
        }
        Geometry::GeometryCollection(members) => {
            tagged("GEOMETRYCOLLECTION", &members.0, write_geometry, out);
        }
        Geometry::Rect(rect) => write_geometry(&rect.to_polygon().into(), out),
        Geometry::Triangle(triangle) => write_geometry(&triangle.to_polygon().into(), out),
    }
}

/// The rings of a polygon; none of an empty one.
fn rings(polygon: &Polygon) -> Vec<&LineString> {
    let all = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    if polygon.exterior().0.is_empty() { Vec::new() } else { all.collect() }
}

fn tagged<T>(tag: &str, items: &[T], write: impl FnMut(&T, &mut String), out: &mut String) {
    out.push_str(tag);
    if items.is_empty() {
        out.push_str(" EMPTY");
    } else {
        enclosed(items, write, out);
    }
}

fn enclosed<T>(items: &[T], mut write: impl FnMut(&T, &mut String), out: &mut String) {
    out.push('(');
    for (at, item) in items.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write(item, out);
    }
    out.push(')');
}

fn write_line(line: &LineString, out: &mut String) {
    enclosed(&line.0, write_coord, out);
}

fn write_coord(at: &Coord, out: &mut String) {
    out.push_str(&format!("{:?} {:?}", at.x, at.y));
}
