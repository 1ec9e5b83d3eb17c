//! Days and times as people write them, in CSV, DBF and spreadsheets: read where a column says their order,
//! or the request does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{City, city, gdal};
use citymap_ingest::{DateOrder, Report, Request};
use citymap_model::{FieldType, Mode, Value, parse_date, parse_datetime};

fn notes(report: &Report) -> String {
    let issues = report.layers.iter().flat_map(|layer| layer.issues.iter().map(|issue| issue.reason.clone()));
    issues.chain(report.files[0].notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

fn field(report: &Report, name: &str) -> FieldType {
    report.layers[0].fields.iter().find(|field| field.name == name).unwrap().field_type
}

fn day(text: &str) -> Value {
    Value::Date(parse_date(text).unwrap())
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A CSV with a column `ngay` of these cells.
fn csv(cells: &[&str]) -> String {
    let rows: String = (1..).zip(cells).map(|(at, cell)| format!("{at},{cell}\n")).collect();
    format!("so,ngay\n{rows}")
}

fn imported(city: &City, cells: &[&str], change: impl FnOnce(&mut Request)) -> (Report, Vec<Value>) {
    let report = city.import(city.write("p.csv", csv(cells)), change).unwrap();
    let mut features = city.features("test");
    features.sort_by_key(|feature| match feature.values[0] {
        Value::Int(number) => number,
        _ => 0,
    });
    (report, features.into_iter().map(|feature| feature.values[1].clone()).collect())
}

#[test]
fn a_day_above_12_anywhere_in_the_column_decides() {
    // The only cell that tells is behind the first 2 000.
    let mut cells = vec!["01/02/2025"; 3_000];
    cells.push("31/12/2024");
    let (report, values) = imported(&city(), &cells, |_| {});
    assert_eq!(field(&report, "ngay"), FieldType::Date);
    assert_eq!((&values[0], values.last()), (&day("2025-02-01"), Some(&day("2024-12-31"))));
    let told = notes(&report);
    assert!(told.contains("day/month/year") && told.contains("--date-order"), "{told}");
    *cells.last_mut().unwrap() = "12/31/2024";
    let (_, values) = imported(&city(), &cells, |_| {});
    assert_eq!((&values[0], values.last()), (&day("2025-01-02"), Some(&day("2024-12-31"))));
}

#[test]
fn columns_in_doubt_stay_text_with_a_note() {
    let city = city();
    for (cells, word) in [
        (&["01/02/2025", "03/04/2025"][..], "--date-order"),
        (&["31/12/2024", "12/31/2024"], "--date-order"),
        (&["31/12/24", "01/02/25"], "two digits"),
        (&["31/12/2024", "01/02/2025", "khong ro"], "--type ngay=date"),
    ] {
        let (report, values) = imported(&city, cells, |_| {});
        assert_eq!(values, cells.iter().map(|cell| text(cell)).collect::<Vec<_>>());
        assert!(notes(&report).contains(word), "{cells:?}: {}", notes(&report));
    }
    // House numbers in alleys are none.
    let (report, values) = imported(&city, &["12/5/20", "3/12/25"], |r| {
        r.renames = vec![("ngay".into(), "so_nha".into())];
    });
    assert_eq!(values, [text("12/5/20"), text("3/12/25")], "{}", notes(&report));
}

#[test]
fn the_order_can_be_asked_for_and_impossible_days_are_rejected() {
    let city = city();
    let asked = |order| move |r: &mut Request| r.date_order = Some(order);
    let cells = ["01/02/2025", "3.4.2025", "05-06-25", "2025/07/08"];
    let (_, values) = imported(&city, &cells, asked(DateOrder::Dmy));
    assert_eq!(values, ["2025-02-01", "2025-04-03", "2025-06-05", "2025-07-08"].map(day));
    let (_, values) = imported(&city, &cells, asked(DateOrder::Mdy));
    assert_eq!(values, ["2025-01-02", "2025-03-04", "2025-05-06", "2025-07-08"].map(day));
    let (_, values) = imported(&city, &["25/07/08", "24.12.31"], asked(DateOrder::Ymd));
    assert_eq!(values, ["2025-07-08", "2024-12-31"].map(day));

    let (report, values) = imported(&city, &["31/12/2024", "31/02/2025", "", "01/02/2025"], |_| {});
    assert_eq!(values, [day("2024-12-31"), Value::Null, day("2025-02-01")]);
    assert_eq!(report.rejected, 1);
    assert!(notes(&report).contains("no day of the calendar"), "{}", notes(&report));
    let (report, _) = imported(&city, &["12/31/2024", "01/02/2025"], asked(DateOrder::Dmy));
    assert_eq!((report.rejected, report.accepted), (1, 1));
    assert!(notes(&report).contains("--date-order"), "{}", notes(&report));
}

#[test]
fn times_make_instants_and_midnights_days() {
    let city = city();
    let (report, values) = imported(&city, &["31/12/2024 08:30", "01/02/2025"], |_| {});
    assert_eq!(field(&report, "ngay"), FieldType::DateTime);
    let instants = ["2024-12-31T01:30:00Z", "2025-01-31T17:00:00Z"];
    assert_eq!(values, instants.map(|at| Value::DateTime(parse_datetime(at).unwrap())));
    let (report, _) = imported(&city, &["31/12/2024 00:00:00", "01/02/2025 00:00"], |_| {});
    assert_eq!(field(&report, "ngay"), FieldType::Date);
}

#[test]
fn types_that_are_asked_for_read_dates_and_serial_days() {
    let city = city();
    let date = |r: &mut Request| r.types = vec![("ngay".into(), FieldType::Date)];
    let (report, values) = imported(&city, &["31/12/2024", "khong ro", "2025-07-01"], date);
    assert_eq!((report.rejected, values), (1, vec![day("2024-12-31"), day("2025-07-01")]));
    let (_, values) = imported(&city, &["45839", "45657"], date);
    assert_eq!(values, ["2025-07-01", "2024-12-31"].map(day));
    let (_, values) = imported(&city, &["20250701", "20241231"], date);
    assert_eq!(values, ["2025-07-01", "2024-12-31"].map(day));
    let (report, values) = imported(&city, &["45839", "45657"], |_| {});
    assert_eq!(values, [Value::Int(45_839), Value::Int(45_657)]);
    assert!(notes(&report).contains("--type ngay=date"), "{}", notes(&report));
    let text_type = |r: &mut Request| r.types = vec![("ngay".into(), FieldType::Text)];
    let (_, values) = imported(&city, &["31/12/2024"], text_type);
    assert_eq!(values, [text("31/12/2024")]);
    let key = |r: &mut Request| r.key = Some("ngay".into());
    let (_, values) = imported(&city, &["31/12/2024"], key);
    assert_eq!(values, [text("31/12/2024")]);
}

#[test]
fn dbf_texts_and_spreadsheets_are_looked_at_too() {
    let city = city();
    let source = city.write("s.csv", csv(&["31/12/2024", "01/02/2025"]));
    for (driver, name) in [("ESRI Shapefile", "a.dbf"), ("XLSX", "a.xlsx"), ("ODS", "a.ods")] {
        let path = city.folder.path().join(name);
        gdal("ogr2ogr", &["-f", driver, path.to_str().unwrap(), source.to_str().unwrap()]);
        let report = city.import(&path, |_| {}).unwrap();
        assert_eq!(field(&report, "ngay"), FieldType::Date, "{name}: {}", notes(&report));
        let mut values: Vec<Value> = city.features("test").into_iter().map(|f| f.values[1].clone()).collect();
        values.sort_by_key(|value| value.to_key());
        assert_eq!(values, ["2024-12-31", "2025-02-01"].map(day), "{name}");
    }
}

/// A batch that is added is read as the types of the layer: texts as they are written, days in their order.
#[test]
fn what_is_added_follows_the_types_of_the_layer() {
    let city = city();
    let write = |name: &str, cells: &[&str]| city.write(name, csv(cells));
    let append = |r: &mut Request| r.mode = Mode::Append;
    city.import(write("a.csv", &["A", "B"]), |_| {}).unwrap();
    city.import(write("b.csv", &["31/12/2024", "1.10"]), append).unwrap();
    city.import(write("b.csv", &["31/12/2024"]), append).unwrap();
    let json =
        |cell: &str| format!(r#"{{"type":"Feature","properties":{{"so":9,"ngay":{cell}}},"geometry":null}}"#);
    let lines = format!("{}\n{}\n{}\n", json("1.10"), json("1e5"), json("12345678901234567890"));
    city.import(city.write("c.geojsonl", lines), append).unwrap();
    let mut values: Vec<String> =
        city.features("test").iter().map(|feature| feature.values[1].to_key().unwrap()).collect();
    values.sort();
    assert_eq!(values, ["1.10", "1.10", "12345678901234567890", "1e5", "31/12/2024", "31/12/2024", "A", "B"]);

    let dated = crate::common::city();
    dated.import(dated.write("a.csv", csv(&["2025-07-01"])), |_| {}).unwrap();
    let report = dated.import(dated.write("b.csv", csv(&["31/12/2024", "1/2/2025"])), append).unwrap();
    assert_eq!(report.accepted, 2, "{}", notes(&report));
    let refused = dated.import(dated.write("b.csv", csv(&["3/4/2025"])), append).unwrap_err().to_string();
    assert!(refused.contains("--date-order"), "{refused}");
    let ordered = |r: &mut Request| (r.mode, r.date_order) = (Mode::Append, Some(DateOrder::Mdy));
    dated.import(dated.write("b.csv", csv(&["3/4/2025"])), ordered).unwrap();
    assert!(dated.features("test").iter().any(|feature| feature.values[1] == day("2025-03-04")));
}
