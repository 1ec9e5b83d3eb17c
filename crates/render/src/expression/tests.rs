//! Runs `cases.json`: a new case is a line there.

use serde_json::{Value as Json, json};

use super::{Expression, Feature, GeometryType, MAX_DEPTH, MAX_NODES, Scope, Value};

struct JsonFeature(Json);

impl Feature for JsonFeature {
    fn property(&self, name: &str) -> Value<'_> {
        match &self.0[name] {
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.as_f64().unwrap()),
            Json::String(text) => Value::text(text.as_str()),
            _ => Value::Null,
        }
    }

    fn id(&self) -> Option<u64> {
        Some(7)
    }

    fn geometry_type(&self) -> GeometryType {
        GeometryType::Polygon
    }
}

fn json_of(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        Value::Number(number) => json!((number * 1e9).round() / 1e9),
        Value::List(list) => list.iter().map(json_of).collect(),
        other => json!(other.to_text()),
    }
}

fn cases() -> Json {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

#[test]
fn every_case_has_its_value() {
    let cases = cases();
    let feature = JsonFeature(cases["feature"].clone());
    let scope = Scope { zoom: 15.0, feature: Some(&feature) };
    let list = cases["cases"].as_array().unwrap();
    assert!(list.len() > 80);
    for case in list {
        let expression = Expression::parse(&case[0]).unwrap_or_else(|error| panic!("{error}"));
        match (expression.evaluate(&scope), case[1].get("error")) {
            (Ok(value), None) => assert_eq!(json_of(&value), case[1], "{}", case[0]),
            (Err(error), Some(wanted)) => {
                assert!(error.to_string().contains(wanted.as_str().unwrap()), "{}: {error}", case[0]);
            }
            (result, _) => panic!("{}: {result:?}", case[0]),
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    for case in cases()["refused"].as_array().unwrap() {
        let error = Expression::parse(&case[0]).expect_err(&case[0].to_string()).to_string();
        assert!(error.contains(case[1].as_str().unwrap()), "{}: {error}", case[0]);
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let mut deep = json!(["get", "a"]);
    for _ in 0..MAX_DEPTH {
        deep = json!(["!", deep]);
    }
    assert!(Expression::parse(&deep).unwrap_err().to_string().contains("levels deep"));
    let mut list = json!([1]);
    for _ in 0..MAX_DEPTH {
        list = json!([list]);
    }
    assert!(Expression::parse(&json!(["literal", list])).unwrap_err().to_string().contains("levels deep"));
    let mut wide = vec![json!("concat")];
    wide.extend((0..MAX_NODES).map(|_| json!(["get", "a"])));
    let error = Expression::parse(&Json::Array(wide)).unwrap_err();
    assert!(error.to_string().contains("parts") && error.expression.len() < 200);
}
