//! A filter as SQL of PostgreSQL and PostGIS, written from the definitions of the standard.

use citymap_cql2::{
    Arithmetic, ArrayRelation, Comparison, Expr, Operator, SpatialRelation, TemporalRelation,
};
use citymap_model::{FieldType, format_datetime};

use super::table::FIELDS;

/// Whether a comparison has a date on one side only.
fn is_mixed(a: FieldType, b: FieldType) -> bool {
    a != b && [a, b].contains(&FieldType::Date)
}

/// The condition of a filter.
pub(super) fn condition(expr: &Expr) -> String {
    match expr {
        Expr::Bool(value) => value.to_string(),
        Expr::Op(Operator::And, args) => joined(args, " AND "),
        Expr::Op(Operator::Or, args) => joined(args, " OR "),
        Expr::Op(Operator::Compare(comparison), args) => compare(*comparison, &args[0], &args[1]),
        Expr::Op(Operator::Spatial(relation), args) => {
            let name = match relation {
                SpatialRelation::Intersects => "ST_Intersects",
                SpatialRelation::Disjoint => "ST_Disjoint",
                SpatialRelation::Equals => "ST_Equals",
                SpatialRelation::Touches => "ST_Touches",
                SpatialRelation::Crosses => "ST_Crosses",
                SpatialRelation::Within => "ST_Within",
                SpatialRelation::Contains => "ST_Contains",
                SpatialRelation::Overlaps => "ST_Overlaps",
            };
            format!("{name}({}, {})", geometry(&args[0]), geometry(&args[1]))
        }
        Expr::Op(Operator::Temporal(relation), args) => temporal(*relation, &args[0], &args[1]),
        Expr::Op(Operator::Array(relation), args) => array(*relation, &args[0], &args[1]),
        Expr::Op(Operator::In, args) => {
            let Expr::Array(items) = &args[1] else { panic!("IN takes a list") };
            let (value, own) = scalar(&args[0]);
            let types: Vec<FieldType> = items.iter().map(|item| scalar(item).1).collect();
            if types.iter().any(|other| is_mixed(own, *other)) {
                let all = items.iter().map(|item| compare(Comparison::Eq, &args[0], item));
                return format!("({})", all.collect::<Vec<_>>().join(" OR "));
            }
            let items: Vec<String> = items.iter().map(|item| scalar(item).0).collect();
            format!("({value} IN ({}))", items.join(", "))
        }
        Expr::Op(operator, args) => match (operator, args.as_slice()) {
            (Operator::Not, [arg]) => format!("(NOT {})", condition(arg)),
            (Operator::IsNull, [Expr::Property(name)]) if name == "geometry" => "(geom IS NULL)".to_owned(),
            (Operator::IsNull, [arg]) => format!("({} IS NULL)", scalar(arg).0),
            (Operator::Like, [text, pattern]) => format!("({} LIKE {})", scalar(text).0, scalar(pattern).0),
            (Operator::Between, [value, low, high]) => {
                let [own, from, to] = [value, low, high].map(scalar);
                if is_mixed(own.1, from.1) || is_mixed(own.1, to.1) {
                    let [from, to] = [(Comparison::Ge, low), (Comparison::Le, high)]
                        .map(|(comparison, bound)| compare(comparison, value, bound));
                    return format!("({from} AND {to})");
                }
                format!("({} BETWEEN {} AND {})", own.0, from.0, to.0)
            }
            _ => panic!("{} is no condition", operator.name()),
        },
        other => scalar(other).0,
    }
}

fn joined(args: &[Expr], word: &str) -> String {
    format!("({})", args.iter().map(condition).collect::<Vec<_>>().join(word))
}

fn compare(comparison: Comparison, a: &Expr, b: &Expr) -> String {
    let sign = Operator::Compare(comparison).name();
    let (a, b) = (scalar(a), scalar(b));
    if is_mixed(a.1, b.1) {
        return format!("(({})::date {sign} ({})::date)", a.0, b.0);
    }
    format!("({} {sign} {})", a.0, b.0)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A single value and its type.
fn scalar(expr: &Expr) -> (String, FieldType) {
    match expr {
        Expr::Bool(value) => (value.to_string(), FieldType::Bool),
        Expr::Int(value) => (format!("({value})::bigint"), FieldType::Int),
        Expr::Real(value) => (format!("'{value}'::float8"), FieldType::Real),
        Expr::Text(text) => (format!("({}::text COLLATE \"C\")", quoted(text)), FieldType::Text),
        Expr::Date(day) => (format!("'{day}'::date"), FieldType::Date),
        Expr::Timestamp(at) => (format!("'{}'::timestamptz", format_datetime(at)), FieldType::DateTime),
        Expr::Property(name) => {
            let (_, field_type) = FIELDS.iter().find(|(own, _)| own == name).unwrap();
            (format!("\"{name}\""), *field_type)
        }
        Expr::Op(Operator::CaseI, args) => (without_case(&scalar(&args[0]).0), FieldType::Text),
        Expr::Op(Operator::AccentI, args) => (without_accents(&scalar(&args[0]).0), FieldType::Text),
        Expr::Op(Operator::Arithmetic(arithmetic), args) => {
            arithmetic_of(*arithmetic, scalar(&args[0]), scalar(&args[1]))
        }
        Expr::Call(name, args) => call(name, &args[0]),
        other => (condition(other), FieldType::Bool),
    }
}

fn without_case(text: &str) -> String {
    let icu = format!("({text} COLLATE \"und-x-icu\")");
    format!("(lower(upper(lower({icu}))) COLLATE \"C\")")
}

fn without_accents(text: &str) -> String {
    let bare = format!("regexp_replace(normalize({text}, NFD), '[\\u0300-\\u036f]', '', 'g')");
    format!("(translate(normalize({bare}, NFC), 'đĐ', 'dD') COLLATE \"C\")")
}

/// As search compares: a slash between letters or digits stays, other signs are one space.
fn folded(text: &str) -> String {
    let plain = format!("translate({}, 'y', 'i')", without_accents(&without_case(text)));
    let slashes = format!("regexp_replace({plain}, '(?<![a-z0-9])/|/(?![a-z0-9])', ' ', 'g')");
    format!("(btrim(regexp_replace({slashes}, '[^a-z0-9/]+', ' ', 'g')) COLLATE \"C\")")
}

fn arithmetic_of(
    arithmetic: Arithmetic,
    (a, first): (String, FieldType),
    (b, second): (String, FieldType),
) -> (String, FieldType) {
    let whole = first == FieldType::Int && second == FieldType::Int;
    let field_type = if whole { FieldType::Int } else { FieldType::Real };
    match arithmetic {
        Arithmetic::Add => (format!("({a} + {b})"), field_type),
        Arithmetic::Subtract => (format!("({a} - {b})"), field_type),
        Arithmetic::Multiply => (format!("({a} * {b})"), field_type),
        Arithmetic::Divide => (format!("({a}::float8 / NULLIF({b}, 0)::float8)"), FieldType::Real),
        Arithmetic::WholeDivide if whole => (format!("({a} / NULLIF({b}, 0))"), field_type),
        Arithmetic::WholeDivide => (format!("trunc({a}::float8 / NULLIF({b}, 0)::float8)"), FieldType::Real),
        Arithmetic::Remainder if whole => (format!("({a} % NULLIF({b}, 0))"), field_type),
        Arithmetic::Remainder => {
            (format!("({a}::numeric % NULLIF({b}, 0)::numeric)::float8"), FieldType::Real)
        }
        Arithmetic::Power => {
            let (a, b) = (format!("{a}::float8"), format!("{b}::float8"));
            let none = format!("({a} = 0 AND {b} < 0) OR ({a} < 0 AND {b} <> floor({b}))");
            (format!("(CASE WHEN {none} THEN NULL ELSE power({a}, {b}) END)"), FieldType::Real)
        }
    }
}

fn call(name: &str, arg: &Expr) -> (String, FieldType) {
    if matches!(name, "area" | "length") {
        return (name.to_owned(), FieldType::Real);
    }
    let (value, field_type) = scalar(arg);
    match name {
        "fold" => (folded(&value), FieldType::Text),
        "char_length" => (format!("char_length({value})::bigint"), FieldType::Int),
        "abs" => (format!("abs({value})"), field_type),
        "floor" | "ceiling" | "round" if field_type == FieldType::Int => (value, field_type),
        "floor" | "ceiling" => (format!("{name}({value})"), field_type),
        // PostgreSQL rounds halves to even.
        "round" => (format!("(sign({value}) * floor(abs({value}) + 0.5))"), field_type),
        part => (format!("extract({part} FROM {value})::bigint"), FieldType::Int),
    }
}

/// The ends of an instant or interval, as whole days or as microseconds.
fn span(expr: &Expr, days: bool) -> [String; 2] {
    let of = |expr: &Expr| {
        let (value, field_type) = scalar(expr);
        match (field_type, days) {
            (FieldType::Date, true) => {
                let day = format!("({value} - '2000-01-01'::date)::bigint");
                [day.clone(), day]
            }
            (FieldType::Date, false) => {
                let start = format!("({value} - '1970-01-01'::date)::bigint * 86400000000");
                [start.clone(), format!("({start} + 86399999999)")]
            }
            _ => {
                let at = format!("(extract(epoch FROM {value}) * 1000000)::bigint");
                [at.clone(), at]
            }
        }
    };
    let Expr::Interval(ends) = expr else { return of(expr) };
    let start = ends[0].as_ref().map_or("-4000000000000000000".to_owned(), |end| of(end)[0].clone());
    let end = ends[1].as_ref().map_or("4000000000000000000".to_owned(), |end| of(end)[1].clone());
    [start, end]
}

fn temporal(relation: TemporalRelation, a: &Expr, b: &Expr) -> String {
    fn is_days(expr: &Expr) -> bool {
        match expr {
            Expr::Interval(ends) => ends.iter().flatten().all(is_days),
            other => scalar(other).1 == FieldType::Date,
        }
    }
    let days = is_days(a) && is_days(b);
    let ([a, b], [c, d]) = (span(a, days), span(b, days));
    let (one, other) = (format!("int8range({a}, {b}, '[]')"), format!("int8range({c}, {d}, '[]')"));
    use TemporalRelation as T;
    let holds = match relation {
        T::After => format!("{one} >> {other}"),
        T::Before => format!("{one} << {other}"),
        T::Contains => format!("{one} @> {other} AND {a} <> {c} AND {b} <> {d}"),
        T::Disjoint => format!("NOT {one} && {other}"),
        T::During => format!("{one} <@ {other} AND {a} <> {c} AND {b} <> {d}"),
        T::Equals => format!("{one} = {other}"),
        T::FinishedBy => format!("{one} @> {other} AND {a} <> {c} AND {b} = {d}"),
        T::Finishes => format!("{one} <@ {other} AND {a} <> {c} AND {b} = {d}"),
        T::Intersects => format!("{one} && {other}"),
        T::Meets => format!("{b} = {c}"),
        T::MetBy => format!("{a} = {d}"),
        T::OverlappedBy => format!("{a} > {c} AND {a} < {d} AND {b} > {d}"),
        T::Overlaps => format!("{a} < {c} AND {b} > {c} AND {b} < {d}"),
        T::StartedBy => format!("{one} @> {other} AND {a} = {c} AND {b} <> {d}"),
        T::Starts => format!("{one} <@ {other} AND {a} = {c} AND {b} <> {d}"),
    };
    // A missing end, and one before the beginning: CASE keeps PostgreSQL from making the range.
    format!("(CASE WHEN {a} <= {b} AND {c} <= {d} THEN {holds} END)")
}

fn array(relation: ArrayRelation, a: &Expr, b: &Expr) -> String {
    let list = |expr: &Expr| {
        let Expr::Array(items) = expr else { panic!("a list") };
        items.iter().map(|item| scalar(item).0).collect::<Vec<_>>()
    };
    let (a, b) = (list(a), list(b));
    let known = a.iter().chain(&b).map(|item| format!("{item} IS NOT NULL"));
    let known = known.collect::<Vec<_>>().join(" AND ");
    let (a, b) = (format!("ARRAY[{}]", a.join(", ")), format!("ARRAY[{}]", b.join(", ")));
    let holds = match relation {
        ArrayRelation::Contains => format!("{a} @> {b}"),
        ArrayRelation::ContainedBy => format!("{a} <@ {b}"),
        ArrayRelation::Equals => format!("{a} @> {b} AND {a} <@ {b}"),
        ArrayRelation::Overlaps => format!("{a} && {b}"),
    };
    format!("(CASE WHEN {known} THEN {holds} END)")
}

fn geometry(expr: &Expr) -> String {
    match expr {
        Expr::Bbox([west, south, east, north]) => {
            format!("ST_MakeEnvelope({west:?}, {south:?}, {east:?}, {north:?})")
        }
        // The text form of a geometry is its well-known text.
        Expr::Geometry(_) => format!("ST_GeomFromText('{}')", expr.to_text()),
        _ => "geom".to_owned(),
    }
}
