//! Filters against the tables of the standard's Annex A, three-valued logic, and the choice of an index.

use citymap_access::Audience;
use citymap_cql2::Expr;
use citymap_model::{
    Feature, Field, FieldType, GeometryKind, Layer, Role, Title, Value, parse_date, parse_datetime,
};

use super::{Extent, Filter};
use crate::{Bbox, Cancel, LayerSnapshot, Query, SnapshotBuilder};

fn layer(fields: &[(&str, FieldType)]) -> Layer {
    let title = Title::same("Places");
    let mut layer = Layer::new("places".parse().unwrap(), title, Role::Other, GeometryKind::Mixed);
    layer.fields = fields.iter().map(|(name, field_type)| Field::new(*name, *field_type)).collect();
    layer
}

fn check(text: &str, layer: &Layer) -> Filter {
    let expr = Expr::parse_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Filter::check(&expr, layer, &Audience::Public).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str, layer: &Layer) -> String {
    let expr = Expr::parse_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Filter::check(&expr, layer, &Audience::Public).map(|_| text).unwrap_err().to_string()
}

/// The fids that a filter selects, by rows and by features alike.
fn fids(snapshot: &LayerSnapshot, text: &str) -> Vec<i64> {
    let filter = check(text, snapshot.layer());
    let query = Query { filters: vec![filter.clone()], ..Query::default() };
    let found: Vec<i64> = snapshot.select(&query).rows.iter().map(|&row| snapshot.fid(row)).collect();
    let alone = snapshot.features().filter(|feature| filter.matches(feature)).map(|feature| feature.fid);
    assert_eq!(found, alone.collect::<Vec<i64>>(), "{text}");
    found
}

/// A table of 243 places for which the counts of Annex A hold. Names and populations are spread as the
/// counts of the combined predicates demand: København has the population that is asked for, and is the
/// first of three places with times.
fn places() -> LayerSnapshot {
    let layer = layer(&[
        ("name", FieldType::Text),
        ("pop_other", FieldType::Int),
        ("date", FieldType::Date),
        ("start", FieldType::DateTime),
        ("end", FieldType::DateTime),
        ("boolean", FieldType::Bool),
    ]);
    const POP: i64 = 1_038_288;
    let time = |text: &str| parse_datetime(text).map_or(Value::Null, Value::DateTime);
    let special = [
        ("København", POP, "2021-04-16", "2021-04-16T10:15:59Z", "2022-04-16T10:16:06Z", true),
        ("Abuja", POP + 1, "2022-04-16", "2022-04-16T10:13:19Z", "2023-04-16T10:13:19Z", true),
        ("Athens", POP - 1, "2023-04-16", "2022-04-16T10:15:10Z", "2022-04-16T10:16:06Z", false),
    ];
    let mut rows: Vec<Vec<Value>> = special
        .iter()
        .map(|(name, population, date, start, end, truth)| {
            vec![
                Value::Text((*name).to_owned()),
                Value::Int(*population),
                parse_date(date).map_or(Value::Null, Value::Date),
                time(start),
                time(end),
                Value::Bool(*truth),
            ]
        })
        .collect();
    // Before or after København, below or above its population.
    for (name, population, count) in
        [("Accra", POP - 5, 42), ("Accra", POP + 5, 62), ("Quito", POP - 5, 77), ("Quito", POP + 5, 59)]
    {
        for number in 0..count {
            let mut row = vec![Value::Text(format!("{name} {number}")), Value::Int(population)];
            row.resize(6, Value::Null);
            rows.push(row);
        }
    }
    assert_eq!(rows.len(), 243);
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, values) in (1..).zip(rows) {
        let geometry = (fid > 1).then(|| geo::Point::new(106.0 + fid as f64 / 1e3, 10.0).into());
        builder.push(&Feature { fid, geometry, values }).unwrap();
    }
    builder.finish(1)
}

/// The predicates that the combinations name by a letter.
fn predicate(letter: char) -> &'static str {
    match letter {
        'a' => "pop_other<>1038288",
        'b' => "name<>'København'",
        'c' => "pop_other IS NULL",
        'd' => "name<'København'",
        'e' => "name>'København'",
        'f' => "name<='København'",
        'g' => "boolean=true",
        'h' => "start IS NULL",
        'i' => "pop_other IS NOT NULL",
        'j' => "pop_other>1038288",
        'k' => "pop_other<1038288",
        'l' => "start<TIMESTAMP('2022-04-16T10:13:19Z')",
        'm' => "start=TIMESTAMP('2022-04-16T10:13:19Z')",
        'n' => "start<=TIMESTAMP('2022-04-16T10:13:19Z')",
        'o' => "pop_other=1038288",
        'p' => "start<>TIMESTAMP('2022-04-16T10:13:19Z')",
        'q' => "boolean IS NOT NULL",
        'r' => "start IS NOT NULL",
        's' => "name='København'",
        't' => "start>=TIMESTAMP('2022-04-16T10:13:19Z')",
        'u' => "name IS NOT NULL",
        'v' => "name>='København'",
        'w' => "name IS NULL",
        'x' => "boolean IS NULL",
        'y' => "pop_other>=1038288",
        'z' => "start>TIMESTAMP('2022-04-16T10:13:19Z')",
        _ => "pop_other<=1038288",
    }
}

/// Combinations of four predicates in one expression with AND, OR and NOT, and the numbers of items. One row
/// of the annex is left out (`name IS NOT NULL`, `start IS NOT NULL` twice, `name>'København'`: 241), since
/// it contradicts others: by them no place with a start is after København.
const COMBINATIONS: &[(&str, usize)] = &[
    ("abcd", 1),
    ("aefg", 107),
    ("hiij", 124),
    ("kjcl", 121),
    ("mkmb", 2),
    ("nbgd", 2),
    ("ohpq", 242),
    ("hjre", 122),
    ("kbsl", 2),
    ("tuhk", 120),
    ("vrgt", 137),
    ("rvru", 3),
    ("wdiq", 243),
    ("teod", 3),
    ("lfxe", 138),
    ("ihye", 62),
    ("smgc", 243),
    ("ekjf", 122),
    ("asfz", 243),
    ("ltoh", 3),
    ("bgmh", 2),
    ("wplw", 243),
    ("penu", 3),
    ("bakt", 2),
    ("xjqc", 122),
    ("ohzi", 2),
    ("ahjg", 2),
    ("zkfo", 2),
    ("tnfb", 107),
    ("guxo", 1),
    ("mokb", 122),
    ("anrm", 3),
    ("baiu", 243),
    ("skra", 3),
    ("dpzm", 2),
    ("gkun", 3),
    ("+dkk", 243),
    ("cfsz", 2),
    ("kbab", 243),
    ("nclu", 2),
    ("psxa", 241),
    ("g+bc", 2),
    ("u+rq", 124),
    ("+kzj", 1),
    ("rqvi", 137),
    ("prjk", 1),
    ("+fxr", 198),
    ("vvfv", 107),
    ("glqd", 2),
    ("ztc+", 1),
    ("kstd", 181),
    ("k+cr", 121),
    ("vygu", 79),
    ("xbxi", 240),
    ("kte+", 199),
    ("fzdx", 106),
    ("ibk+", 121),
    ("vrvu", 137),
    ("klwy", 1),
    ("yeqr", 184),
    ("rbfw", 241),
    ("vamb", 2),
    ("q+om", 1),
    ("oirb", 2),
    ("mhj+", 1),
    ("wrmu", 1),
    ("qsqu", 3),
    ("aao+", 1),
];

#[test]
fn the_predicates_of_annex_a_select_what_they_should() {
    let places = places();
    let lines: Vec<&str> =
        include_str!("annex_a.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 70);
    for line in lines {
        let mut parts = line.splitn(3, ' ').skip(1);
        let count: usize = parts.next().unwrap().parse().unwrap();
        let text = parts.next().unwrap();
        assert_eq!(fids(&places, text).len(), count, "{line}");
    }
    let mut wrong = Vec::new();
    for (letters, count) in COMBINATIONS {
        let parts: Vec<&str> = letters.chars().map(predicate).collect();
        let [p1, p2, p3, p4] = parts[..] else { panic!("{letters}") };
        let text = format!("(NOT ({p2}) AND {p1}) OR ({p3} and {p4}) or not ({p1} OR {p4})");
        let found = fids(&places, &text).len();
        if found != *count {
            wrong.push(format!("{letters}: {found} in place of {count}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Three parcels and a row of nulls.
fn parcels() -> LayerSnapshot {
    let mut layer = layer(&[
        ("ma", FieldType::Text),
        ("ten", FieldType::Text),
        ("so", FieldType::Int),
        ("diện tích", FieldType::Real),
        ("ngày", FieldType::Date),
        ("luc", FieldType::DateTime),
        ("dung", FieldType::Bool),
        ("chu", FieldType::Text),
    ]);
    layer.key = Some("ma".to_owned());
    layer.fields[7].personal = true;
    let mut builder = SnapshotBuilder::new(layer);
    let square = |x: f64| {
        let ring = vec![(x, 0.0), (x + 1.0, 0.0), (x + 1.0, 1.0), (x, 1.0), (x, 0.0)];
        geo::Polygon::new(ring.into(), Vec::new()).into()
    };
    for (fid, ten, so, area) in
        [(1, "Nguyễn Huệ", 7, 10.5), (2, "nguyen hue", -3, 0.0), (3, "Đường 3/2", 2, 4.0)]
    {
        let values = vec![
            Value::Text(format!("P{fid}")),
            Value::Text(ten.to_owned()),
            Value::Int(so),
            Value::Real(area),
            parse_date(&format!("2025-07-0{fid}")).map_or(Value::Null, Value::Date),
            parse_datetime(&format!("2025-07-0{fid}T12:00:00Z")).map_or(Value::Null, Value::DateTime),
            Value::Bool(fid == 1),
            Value::Text("x".to_owned()),
        ];
        builder.push(&Feature { fid, geometry: Some(square(fid as f64)), values }).unwrap();
    }
    builder.push(&Feature { fid: 4, geometry: None, values: vec![Value::Null; 8] }).unwrap();
    builder.finish(1)
}

#[test]
fn every_class_of_expression_is_evaluated() {
    let parcels = parcels();
    for (text, expected) in [
        // Comparison, and missing values: neither the condition nor its negation holds.
        ("so > 0", &[1, 3][..]),
        ("NOT so > 0", &[2]),
        ("0 < so", &[1, 3]),
        ("so > 0 OR so IS NULL", &[1, 3, 4]),
        ("(so > 0) IS NULL", &[4]),
        ("so = 7.0 OR \"diện tích\" = 4", &[1, 3]),
        ("dung", &[1]),
        ("NOT dung", &[2, 3]),
        ("dung = (so > 0)", &[1, 2]),
        // LIKE, BETWEEN, IN.
        ("ten LIKE 'Ng%'", &[1]),
        ("ten LIKE '%3/_'", &[3]),
        ("ten NOT LIKE '%3/_'", &[1, 2]),
        ("so BETWEEN -3 AND 2", &[2, 3]),
        ("so NOT BETWEEN -3 AND 2", &[1]),
        ("ten BETWEEN 'A' AND 'z'", &[1, 2]),
        ("so IN (2,7,100)", &[1, 3]),
        ("so NOT IN (2,7,100)", &[2]),
        ("\"diện tích\" IN (4,0.0)", &[2, 3]),
        ("ten IN ('Đường 3/2','x')", &[3]),
        ("so IN (so + 0)", &[1, 2, 3]),
        ("ngày IN ('2025-07-02')", &[2]),
        // Case and accents.
        ("CASEI(ten) = CASEI('NGUYỄN HUỆ')", &[1]),
        ("ACCENTI(ten) = 'Nguyen Hue'", &[1]),
        ("ACCENTI(CASEI(ten)) = ACCENTI(CASEI('NGUYỄN HUỆ'))", &[1, 2]),
        ("ACCENTI(ten) LIKE ACCENTI('Đ%')", &[3]),
        ("fold(ten) LIKE 'nguien%'", &[1, 2]),
        // Arithmetic: 7 div 2, a division by zero, a power.
        ("so + 1 = 8", &[1]),
        ("so div 2 = 3", &[1]),
        ("so / 2 = 3.5", &[1]),
        ("so % 2 = -1", &[2]),
        ("10 / \"diện tích\" > 0", &[1, 3]),
        ("so div 0 = 1 OR so % 0 = 0", &[]),
        ("so ^ 2 > 5", &[1, 2]),
        ("-so = 3", &[2]),
        ("9223372036854775807 + so > 0", &[1, 2, 3]),
        // Property and property.
        ("so < \"diện tích\"", &[1, 2, 3]),
        ("ten > ma", &[2, 3]),
        // Functions.
        ("abs(so) = 3", &[2]),
        ("char_length(ten) = 9", &[3]),
        ("floor(\"diện tích\") = 10 AND ceiling(\"diện tích\") = 11 AND round(\"diện tích\") = 11", &[1]),
        ("year(luc) = 2025 AND month(ngày) = 7 AND day(ngày) = 3", &[3]),
        ("area(geometry) > 0", &[1, 2, 3]),
        ("length(geometry) > 0", &[]),
        // Times: a date next to a timestamp.
        ("luc > DATE('2025-07-02')", &[3]),
        ("luc >= DATE('2025-07-02')", &[2, 3]),
        ("luc = DATE('2025-07-02')", &[2]),
        ("luc > '2025-07-02T12:00:00Z'", &[3]),
        ("T_INTERSECTS(luc,DATE('2025-07-02'))", &[2]),
        ("T_AFTER(luc,DATE('2025-07-02'))", &[3]),
        ("T_DURING(luc,INTERVAL('2025-07-01','2025-07-02'))", &[1, 2]),
        ("T_EQUALS(INTERVAL(ngày,ngày),ngày)", &[1, 2, 3]),
        ("T_INTERSECTS(INTERVAL(luc,'2025-07-02'),'2025-07-02')", &[1, 2]),
        // Arrays.
        ("A_CONTAINS((so,1),(7))", &[1]),
        ("A_CONTAINEDBY((so),(2,7))", &[1, 3]),
        ("A_EQUALS((so,7),(7))", &[1]),
        ("A_OVERLAPS((ten,ma),('P2','P3'))", &[2, 3]),
        // Geometry.
        ("S_INTERSECTS(geometry,POINT(1.5 0.5))", &[1]),
        ("S_INTERSECTS(geometry,BBOX(0,0,2,1))", &[1, 2]),
        ("S_INTERSECTS(BBOX(0,0,2,1),geometry)", &[1, 2]),
        ("NOT S_INTERSECTS(geometry,BBOX(0,0,2,1))", &[3]),
        ("S_DISJOINT(geometry,BBOX(0,0,2,1))", &[3]),
        ("S_WITHIN(geometry,BBOX(0,-1,3,2))", &[1, 2]),
        ("S_WITHIN(geometry,BBOX(0,-1,3.5,2))", &[1, 2]),
        ("S_CONTAINS(BBOX(0,-1,3,2),geometry)", &[1, 2]),
        ("S_CONTAINS(geometry,POINT(1.5 0.5))", &[1]),
        ("S_TOUCHES(geometry,BBOX(0,0,2,1))", &[2]),
        ("S_OVERLAPS(geometry,BBOX(0,0,1.5,1))", &[1]),
        ("S_CROSSES(geometry,LINESTRING(0 0.5,2.5 0.5))", &[1, 2]),
        ("S_EQUALS(geometry,POLYGON((1 0,2 0,2 1,1 1,1 0)))", &[1]),
        ("S_EQUALS(geometry,geometry)", &[1, 2, 3]),
        ("S_INTERSECTS(geometry,MULTIPOLYGON EMPTY)", &[]),
        ("S_INTERSECTS(POINT(1 1),POINT(1 1))", &[1, 2, 3, 4]),
        ("S_INTERSECTS(geometry,BBOX(170,-1,1.5,1)) OR so = -3", &[1, 2]),
        ("geometry IS NULL", &[4]),
        ("geometry IS NOT NULL AND ma <> 'P1'", &[2, 3]),
    ] {
        assert_eq!(fids(&parcels, text), expected, "{text}");
    }
    // Days and instants in one list have no common order: each instant of a day equals the day.
    let instants =
        (0..30).rev().map(|hour| format!("TIMESTAMP('2025-07-0{}T10:00:{hour:02}Z')", 4 + hour % 3));
    let instants = instants.collect::<Vec<_>>().join(",");
    for field in ["luc", "ngày"] {
        let text = format!("{field} IN ({instants},DATE('2025-07-02'),DATE('2025-07-05'))");
        assert_eq!(fids(&parcels, &text), [2], "{text}");
    }
}

#[test]
fn what_does_not_fit_the_layer_is_refused_with_what_would() {
    let layer = parcels().layer().clone();
    for (text, part) in [
        ("ma = 5", "a text with a number"),
        ("so = 'x'", "a number with a text"),
        ("so = DATE('2025-07-01')", "a number with a date or timestamp"),
        ("luc = 'hôm nay'", "neither"),
        ("dien_tich > 1", "the fields are: diện tích"),
        ("chu = 'x'", "`chu`, which is not a field"),
        ("tong(so) = 1", "the functions are: fold"),
        ("fold(so) = 'x'", "`fold` needs a text"),
        ("fold(ten,ma) = 'x'", "several arguments"),
        ("area(so) > 1", "a geometry"),
        ("so", "a number"),
        ("so + 1", "a condition"),
        ("so AND dung", "a number"),
        ("ten + 1 = 2", "`+` needs a number"),
        ("CASEI(so) = 'x'", "`CASEI` needs a text"),
        ("so LIKE 'x'", "`LIKE` needs a text"),
        ("ten LIKE ma", "a pattern in quotes"),
        ("ten IN ('x',1)", "a text with a number"),
        ("geometry = 1", "a single value"),
        ("S_INTERSECTS(so,POINT(1 1))", "a geometry"),
        ("S_INTERSECTS(geom,POINT(1 1))", "`geom`"),
        ("S_INTERSECTS(geometry,POLYGON((0 0,2 2,2 0,0 2,0 0)))", "cannot be used"),
        ("S_INTERSECTS(geometry,LINESTRING(0 0))", "too few positions"),
        ("S_INTERSECTS(geometry,BBOX(0,1,1,0))", "south above its north"),
        ("T_AFTER(so,DATE('2025-07-01'))", "a date, a timestamp or an interval"),
        ("A_EQUALS(ten,('x'))", "a list of values"),
    ] {
        let message = refusal(text, &layer);
        assert!(message.contains(part), "{text}: {message}");
        assert!(!message.contains("hôm nay"), "{message}");
    }
}

#[test]
fn indexes_are_chosen_by_what_a_filter_needs() {
    let layer = parcels().layer().clone();
    let key = layer.key_index().unwrap();
    let keys = |text: &str| {
        let filter = check(text, &layer);
        filter.keys(key, FieldType::Text).map(|keys| keys.into_iter().cloned().collect::<Vec<Value>>())
    };
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| Value::Text((*text).to_owned())).collect());
    assert_eq!(keys("ma = 'P1' AND so > 0"), texts(&["P1"]));
    assert_eq!(keys("ma IN ('P1','P2') OR 'P3' = ma"), texts(&["P1", "P2", "P3"]));
    for other in ["ma = 'P1' OR so > 0", "NOT ma = 'P1'", "ma > 'P1'", "CASEI(ma) = 'p1'", "ten = 'x'"] {
        assert_eq!(keys(other), None, "{other}");
    }
    let extent = |text: &str| check(text, &layer).extent();
    let box_of = |w: f64, s: f64, e: f64, n: f64| Some(Extent::Box(Bbox::new(w, s, e, n)));
    assert_eq!(extent("S_WITHIN(geometry,BBOX(0,0,2,1)) AND so > 0"), box_of(0.0, 0.0, 2.0, 1.0));
    let both = "S_INTERSECTS(geometry,BBOX(0,0,9,9)) AND S_INTERSECTS(BBOX(5,5,6,6),geometry)";
    assert_eq!(extent(both), box_of(5.0, 5.0, 6.0, 6.0));
    let either = "S_CROSSES(geometry,LINESTRING(0 0,1 2)) OR S_EQUALS(geometry,POINT(5 5))";
    assert_eq!(extent(either), box_of(0.0, 0.0, 5.0, 5.0));
    assert_eq!(extent("false AND so > 0"), Some(Extent::Nowhere));
    assert_eq!(extent("S_TOUCHES(geometry,POLYGON EMPTY)"), Some(Extent::Nowhere));
    for anywhere in ["S_DISJOINT(geometry,POINT(0 0))", "NOT S_WITHIN(geometry,POINT(0 0))", "so > 0"] {
        assert_eq!(extent(anywhere), None, "{anywhere}");
    }
}

#[test]
fn a_filter_with_a_box_of_the_query_keeps_both_conditions() {
    let parcels = parcels();
    let filters = vec![check("S_INTERSECTS(geometry,BBOX(0,0,2.5,1))", parcels.layer())];
    let bbox = Some(Bbox::new(2.5, 0.0, 9.0, 1.0));
    let query = Query { bbox, shapeless: true, filters, ..Query::default() };
    assert_eq!(parcels.select(&query).rows.len(), 1);
    let all = Query { filters: vec![check("so IS NULL", parcels.layer())], ..query };
    assert_eq!(parcels.select(&all).rows.len(), 1, "a feature without geometry meets the box");
}

#[test]
fn the_examples_of_the_documentation_fit_a_layer() {
    let layer = layer(&[
        ("so_to", FieldType::Int),
        ("so_thua", FieldType::Int),
        ("loai_dat", FieldType::Text),
        ("dien_tich", FieldType::Real),
        ("Ghi chú", FieldType::Text),
        ("ten_duong", FieldType::Text),
        ("ngay_cap", FieldType::Date),
        ("hieu_luc_tu", FieldType::Date),
        ("hieu_luc_den", FieldType::Date),
    ]);
    let page = include_str!("../../../../docs/filters.md");
    let blocks = |kind: &str| -> Vec<String> {
        let fence = format!("```{kind}\n");
        page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or("").to_owned()).collect()
    };
    let (texts, documents) = (blocks("sql"), blocks("json"));
    assert!(texts.len() >= 3 && texts.len() == documents.len(), "each example is in both languages");
    for (text, document) in texts.iter().zip(&documents) {
        let expr = Expr::parse_text(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(Expr::parse_json(document).unwrap(), expr, "{text}");
        check(text, &layer);
    }
    let table = page.split("| example | meaning |").nth(1).unwrap_or_default();
    let inline: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert!(inline.len() >= 10, "the table of operators");
    for line in inline {
        check(line.split('`').nth(1).unwrap_or_default(), &layer);
    }
}

#[test]
fn nothing_is_tested_once_the_work_is_cancelled() {
    let parcels = parcels();
    let (world, cancel) = (Bbox::new(-180.0, -90.0, 180.0, 90.0), Cancel::new());
    let filter = check("ma IS NOT NULL OR ma IS NULL", parcels.layer());
    let visited = || {
        let mut count = 0;
        parcels.during(None).until(&cancel).candidates_where(&filter, &world, |_| count += 1);
        count
    };
    assert!(visited() > 0);
    cancel.cancel();
    assert_eq!(visited(), 0);
}
