//! Both forms against each other, and what is refused.

use citymap_model::{Geometry, normalize_text, parse_date, parse_datetime};
use geo_types::{LineString, MultiPoint, MultiPolygon, Point, Polygon};
use proptest::prelude::*;

use crate::{Cql2Error, DEPTH_MAX, Expr, NODES_MAX, Operator};

#[test]
fn both_forms_of_every_construct_are_the_same_tree() {
    let lines: Vec<&str> = include_str!("forms.txt").lines().skip(1).collect();
    assert!(lines.len() >= 80 && lines.len().is_multiple_of(2));
    for pair in lines.chunks(2) {
        let [text, json] = pair else { continue };
        let tree = Expr::parse_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(tree.to_json().to_string(), *json, "{text}");
        assert_eq!(Expr::parse_json(json).unwrap(), tree, "{json}");
        assert_eq!(tree.to_text(), *text);
    }
}

#[test]
fn other_ways_to_write_the_same_are_read() {
    for (given, written) in [
        ("a not like 'x' and b Is Not Null", "NOT a LIKE 'x' AND NOT b IS NULL"),
        ("a NOT IN ('x') or not(b not between 1 and 2)", "NOT a IN ('x') OR NOT NOT b BETWEEN 1 AND 2"),
        ("((a)) = ((1 + 2))", "a = 1 + 2"),
        ("\"a\"=+1", "a = 1"),
        ("a = .5 and b = 5. and c = 1e2", "a = 0.5 AND b = 5.0 AND c = 100.0"),
        ("a = 99999999999999999999", "a = 1e20"),
        ("- a ^ 2 = - (-1)", "(-1 * a) ^ 2 = -1 * -1"),
        ("s_within(g , bbox( -1, -2, 3, +4 ))", "S_WITHIN(g,BBOX(-1.0,-2.0,3.0,4.0))"),
        ("S_WITHIN(g,BBOX(1,2,9,3,4,9))", "S_WITHIN(g,BBOX(1.0,2.0,3.0,4.0))"),
        ("S_EQUALS(g,MULTIPOINT(1 2,3 4))", "S_EQUALS(g,MULTIPOINT((1.0 2.0),(3.0 4.0)))"),
        ("S_EQUALS(g,point z (1 2 3))", "S_EQUALS(g,POINT(1.0 2.0))"),
        (
            "t_equals(d,timestamp('2025-07-01T07:00:00+07:00'))",
            "T_EQUALS(d,TIMESTAMP('2025-07-01T00:00:00Z'))",
        ),
        ("ten = 'Be\u{302}\u{301}n'", "ten = 'Bến'"),
        ("casei((a)) = 'x'", "CASEI(a) = 'x'"),
    ] {
        let tree = Expr::parse_text(given).unwrap_or_else(|error| panic!("{given}: {error}"));
        assert_eq!(tree.to_text(), written, "{given}");
    }
    let other = Expr::parse_json(r#"{"op":"isBetween","args":[{"property":"a"},1,2]}"#).unwrap();
    assert_eq!(other.to_text(), "a BETWEEN 1 AND 2");
}

#[test]
fn what_breaks_the_grammar_is_refused_at_its_position() {
    for (text, position, expected) in [
        ("", 1, "a value"),
        ("a = ", 5, "a value"),
        ("a == 1", 4, "a value"),
        ("a = 1 b", 7, "an operator or the end"),
        ("a = b = c", 7, "an operator or the end"),
        ("a != 1", 3, "an operator"),
        ("diện = 'x", 8, "a closing '"),
        ("(a = 1", 7, "`)`"),
        ("a IN ()", 7, "a value of the list"),
        ("a IN 1", 6, "`(`"),
        ("a IS 1", 6, "`NULL`"),
        ("a BETWEEN 1 OR 2", 13, "`AND`"),
        ("a LIKE", 7, "a value"),
        ("and", 1, "a value"),
        ("and(a,b)", 1, "a value"),
        ("like(a,b)", 1, "a value"),
        ("S_INTERSECTS(a)", 1, "2 arguments"),
        ("CASEI(a,b) = 'x'", 1, "1 argument"),
        ("DATE('2025-02-30')", 6, "a date"),
        ("DATE(2025)", 6, "a date"),
        ("TIMESTAMP('2025-07-01')", 11, "a timestamp"),
        ("INTERVAL('x','..')", 10, "an end of the interval"),
        ("INTERVAL(1,'..')", 10, "an end of the interval"),
        ("BBOX(1,2,3)", 6, "four numbers"),
        ("S_EQUALS(g,POINT(1))", 19, "a number"),
        ("S_EQUALS(g,POLYGON(1 2))", 20, "`(`"),
        ("S_EQUALS(g,GEOMETRYCOLLECTION(x))", 31, "a geometry"),
        ("a = 1e999", 5, "a number below"),
        ("\"\" = 1", 1, "the name of a property"),
        ("('a','b') = c", 5, "`)`"),
        ("#", 1, "a name, a value or an operator"),
    ] {
        match Expr::parse_text(text) {
            Err(Cql2Error::Syntax { position: at, expected: wanted, .. }) => {
                assert!(at == position && wanted.contains(expected), "{text}: {at}: {wanted}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_breaks_the_structure_is_refused_at_its_path() {
    for (json, path) in [
        ("null", ""),
        ("[1]", ""),
        ("{}", ""),
        (r#"{"op":"=","args":[1]}"#, "/args"),
        (r#"{"op":"and","args":[true]}"#, "/args"),
        (r#"{"op":1,"args":[]}"#, "/op"),
        (r#"{"op":"date","args":[]}"#, "/op"),
        (r#"{"op":"f g","args":[]}"#, "/op"),
        (r#"{"op":"="}"#, "/args"),
        (r#"{"op":"=","args":[1,null]}"#, "/args/1"),
        (r#"{"op":"=","args":[1,[2]]}"#, "/args/1"),
        (r#"{"op":"in","args":[1,2]}"#, "/args/1"),
        (r#"{"op":"in","args":[1,[]]}"#, "/args/1"),
        (r#"{"op":"in","args":[1,[[2]]]}"#, "/args/1"),
        (r#"{"op":"not","args":[{"property":""}]}"#, "/args/0/property"),
        (r#"{"date":"2025-13-01"}"#, "/date"),
        (r#"{"interval":["2025-07-01"]}"#, "/interval"),
        (r#"{"interval":["x",".."]}"#, "/interval/0"),
        (r#"{"bbox":[1,2,3]}"#, "/bbox"),
        (r#"{"type":"Point","coordinates":[1]}"#, "/coordinates"),
        (r#"{"type":"Polygon","coordinates":[[]]}"#, "/coordinates/0"),
        (r#"{"type":"Circle","coordinates":[1,2]}"#, "/coordinates"),
        (r#"{"type":"GeometryCollection","geometries":[1]}"#, "/geometries/0"),
        (r#"{"other":1}"#, "/other"),
    ] {
        match Expr::parse_json(json) {
            Err(Cql2Error::Structure { path: at, .. }) => assert_eq!(at, path, "{json}"),
            other => panic!("{json}: {other:?}"),
        }
    }
    assert!(matches!(Expr::parse_json("{"), Err(Cql2Error::Json { .. })));
}

#[test]
fn the_bounds_hold_in_both_forms() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expr::parse_text(&nested(DEPTH_MAX - 1)).is_ok());
    for text in [
        nested(DEPTH_MAX),
        nested(200_000),
        "NOT ".repeat(200_000) + "a",
        "-".repeat(200_000) + "a",
        "1 ^ ".repeat(200_000) + "1",
        "1 + ".repeat(200_000) + "1",
        "f(".repeat(200_000),
        "S_EQUALS(g,".to_owned() + &"GEOMETRYCOLLECTION(".repeat(50_000),
        "A_EQUALS(v,".to_owned() + &"(".repeat(50_000) + "1" + &")".repeat(50_000) + ")",
    ] {
        assert!(matches!(Expr::parse_text(&text), Err(Cql2Error::TooDeep { .. })), "{}", &text[..20]);
    }
    let many = format!("a IN (1{})", ",1".repeat(NODES_MAX));
    assert!(matches!(Expr::parse_text(&many), Err(Cql2Error::TooManyParts { .. })));
    let chain = "a".to_owned() + &" AND a".repeat(NODES_MAX);
    assert!(matches!(Expr::parse_text(&chain), Err(Cql2Error::TooManyParts { .. })));
    let long = format!("a = '{}'", "x".repeat(crate::BYTES_MAX));
    assert!(matches!(Expr::parse_text(&long), Err(Cql2Error::TooLong { .. })));
    let not = |depth: usize| r#"{"op":"not","args":["#.repeat(depth) + "true" + &"]}".repeat(depth);
    assert!(Expr::parse_json(&not(DEPTH_MAX - 1)).is_ok());
    for depth in [DEPTH_MAX, 5_000] {
        let error = Expr::parse_json(&not(depth)).unwrap_err();
        assert!(matches!(error, Cql2Error::TooDeep { .. } | Cql2Error::Json { .. }), "{error}");
    }
}

#[test]
fn a_message_repeats_no_value_of_the_filter() {
    for text in ["a = 'Nguyễn Văn A' 'x'", "DATE('Nguyễn Văn A')", "a = 0903123456 0903123456"] {
        let message = Expr::parse_text(text).unwrap_err().to_string();
        assert!(!message.contains("Nguyễn") && !message.contains("0903"), "{message}");
    }
}

/// Numbers that are easy to read, and some that are not.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-1000..1000i32).prop_map(|n| f64::from(n) / 8.0),
        any::<f64>().prop_filter("finite", |n| n.is_finite())
    ]
}

fn geometry() -> impl Strategy<Value = Geometry> {
    let ring = || prop::collection::vec((number(), number()), 1..5).prop_map(LineString::from);
    let polygon = || {
        (ring(), prop::collection::vec(ring(), 0..2)).prop_map(|(outer, holes)| Polygon::new(outer, holes))
    };
    prop_oneof![
        (number(), number()).prop_map(|(x, y)| Point::new(x, y).into()),
        ring().prop_map(Geometry::from),
        polygon().prop_map(Geometry::from),
        prop::collection::vec((number(), number()), 0..3).prop_map(|points| MultiPoint::from(points).into()),
        prop::collection::vec(polygon(), 0..3).prop_map(|polygons| MultiPolygon::new(polygons).into()),
    ]
}

/// Any tree that the forms can express.
fn expr() -> impl Strategy<Value = Expr> {
    let text = || any::<String>().prop_map(normalize_text);
    let date = || {
        (1..9999i32, 1..13u32, 1..29u32)
            .prop_map(|(y, m, d)| parse_date(&format!("{y:04}-{m:02}-{d:02}")).unwrap())
    };
    let instant = || {
        (date(), 0..86_400_000i64).prop_map(|(day, ms)| {
            parse_datetime(&format!("{day}T00:00:00Z")).unwrap() + chrono::TimeDelta::milliseconds(ms)
        })
    };
    let property = || {
        let names = prop_oneof!["[a-zđĐ_:][a-z0-9ướ._:]{0,5}", "[A-Z]{2,3}", any::<String>()];
        names.prop_map(normalize_text).prop_filter("empty", |name| !name.is_empty()).prop_map(Expr::Property)
    };
    let end = move || {
        prop_oneof![
            Just(None),
            date().prop_map(|day| Some(Expr::Date(day))),
            instant().prop_map(|instant| Some(Expr::Timestamp(instant))),
            property().prop_map(Some),
        ]
    };
    let leaf = prop_oneof![
        any::<bool>().prop_map(Expr::Bool),
        any::<i64>().prop_map(Expr::Int),
        number().prop_map(Expr::Real),
        text().prop_map(Expr::Text),
        date().prop_map(Expr::Date),
        instant().prop_map(Expr::Timestamp),
        (end(), end()).prop_map(|(a, b)| Expr::Interval(Box::new([a, b]))),
        geometry().prop_map(Expr::Geometry),
        [number(), number(), number(), number()].prop_map(Expr::Bbox),
        property(),
    ];
    let operators: Vec<Operator> = Operator::all().collect();
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        let arrays = prop_oneof![
            2 => inner.clone(),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Array),
        ];
        let arrays = prop::collection::vec(arrays, 2..4);
        prop_oneof![
            (prop::sample::select(operators.clone()), list, arrays.clone()).prop_map(
                |(operator, args, arrays)| {
                    let pick = |count: usize| args.iter().cycle().take(count).cloned().collect::<Vec<Expr>>();
                    let args = match operator {
                        Operator::Array(_) => arrays[..2].to_vec(),
                        Operator::In => vec![pick(1).remove(0), Expr::Array(pick(3))],
                        other => pick(*other.arity().start()),
                    };
                    Expr::Op(operator, args)
                }
            ),
            ("f[a-z]{0,3}_x", arrays).prop_map(|(name, args)| Expr::Call(name, args)),
        ]
    })
}

/// What the text form is made of.
const WORDS: &str = "( ) , ' \" a NOT AND OR IN IS NULL LIKE BETWEEN - + ^ * div = < <> 1 . 1e 'x' '' DATE \
    INTERVAL '..' BBOX POINT POLYGON EMPTY Z S_EQUALS A_CONTAINS CASEI TRUE đ \u{301}";

proptest! {
    #[test]
    fn text_and_json_keep_every_tree(tree in expr()) {
        let text = tree.to_text();
        prop_assert_eq!(&Expr::parse_text(&text).unwrap(), &tree, "{}", text);
        let json = tree.to_json().to_string();
        prop_assert_eq!(&Expr::parse_json(&json).unwrap(), &tree, "{}", json);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>()) {
        let _ = Expr::parse_text(&text);
        let _ = Expr::parse_json(&text);
    }

    #[test]
    fn no_sequence_of_words_makes_the_reader_panic(
        words in prop::collection::vec(
            prop::sample::select(WORDS.split(' ').collect::<Vec<&str>>()),
            0..30,
        ),
        apart in any::<bool>(),
    ) {
        let text = words.join(if apart { " " } else { "" });
        if let Ok(tree) = Expr::parse_text(&text) {
            prop_assert_eq!(Expr::parse_text(&tree.to_text()).unwrap(), tree);
        }
    }
}
