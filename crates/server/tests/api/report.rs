//! Reports on parcels over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails its test")]

use crate::common::{COLUMNS, CORNER, SIDE, Server, TestStore, store};
use citymap_model::{
    Field, FieldType, GeometryKind, Layer, Meaning, NewFeature, Role, Title, Value, parse_date,
};
use geo::Rect;

/// A general plan over everything, a zoning plan over the west, and one that was in force until 2019.
fn with_plans() -> TestStore {
    let store = store();
    let title = Title::new("Ô quy hoạch", "Zones");
    let mut layer = Layer::new("zones".parse().unwrap(), title, Role::Zone, GeometryKind::Polygon);
    let mut secret = Field::new("ghi_chu_kin", FieldType::Text);
    secret.personal = true;
    layer.fields = vec![
        Field::new("ma", FieldType::Text),
        Field::new("cap", FieldType::Text).means(Meaning::PlanLevel),
        Field::new("den", FieldType::Date).means(Meaning::ValidTo),
        secret,
    ];
    layer.key = Some("ma".into());
    layer.valid_to = Some("den".into());
    let middle = CORNER[0] + (COLUMNS / 2) as f64 * SIDE + SIDE / 2.0;
    let zone = |key: &str, level: &str, until: Option<&str>, east: f64| NewFeature {
        geometry: Some(
            Rect::new((CORNER[0] - 0.01, CORNER[1] - 0.01), (east, CORNER[1] + 0.03)).to_polygon().into(),
        ),
        values: vec![
            Value::Text(key.into()),
            Value::Text(level.into()),
            until.map_or(Value::Null, |day| Value::Date(parse_date(day).unwrap())),
            Value::Text("Nguyễn Thị Bí Mật".into()),
        ],
    };
    let zones = vec![
        zone("chung", "QHC", None, CORNER[0] + 0.03),
        zone("phân khu", "QHPK", None, middle),
        zone("chi tiết cũ", "QHCT", Some("2019-01-01"), CORNER[0] + 0.03),
    ];
    store.put(layer, zones);
    store
}

#[test]
fn a_report_says_what_is_planned_today_and_on_another_day() {
    let server = Server::with(with_plans(), |_| {});
    // A parcel of the column that the border of the zoning plan halves.
    let path = format!("/api/parcels/26740-1-{}/report", COLUMNS / 2);
    let report = server.json(&path);
    let of = |report: &serde_json::Value| -> Vec<(String, f64)> {
        let pieces = report["plans"]["pieces"].as_array().unwrap().iter();
        pieces
            .map(|piece| {
                (piece["id"].as_str().unwrap().to_owned(), piece["prevailing"]["share"].as_f64().unwrap())
            })
            .collect()
    };
    let pieces = of(&report);
    assert_eq!(pieces.iter().map(|piece| piece.0.as_str()).collect::<Vec<_>>(), ["phân khu", "chung"]);
    assert!(pieces.iter().all(|piece| (piece.1 - 0.5).abs() < 1e-3), "{report}");
    assert_eq!(report["plans"]["pieces"][0]["level"]["title"]["en"], "Zoning plan 1:2,000–1:5,000");
    assert!(report["plans"]["uncovered"].as_f64().unwrap() < 1e-3);
    assert!(!report.to_string().contains("kin") && !report.to_string().contains("Bí Mật"), "{report}");
    let then = server.json(&format!("{path}?datetime=2018-06-01T00:00:00Z"));
    assert_eq!(of(&then)[0].0, "chi tiết cũ");
    assert!((of(&then)[0].1 - 1.0).abs() < 1e-9, "the plan of that day prevails: {then}");
    let tag = server.get(&path).header("etag").to_owned();
    assert_eq!(server.get_with(&path, &[("if-none-match", &tag)]).status, 304);
    assert_eq!(server.json(&path), report, "the same question has the same answer");
    let page = server.get(&format!("{path}?f=html&lang=vi"));
    assert_eq!(page.status, 200);
    let page = page.text();
    for text in
        ["Thông tin quy hoạch của thửa đất", "Quy hoạch phân khu 1/2.000–1/5.000", "50,0%", "Tọa độ góc ranh"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Bí Mật"));
    let links: Vec<&str> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() >= 4, "the map, the API, JSON and English: {links:?}");
    for link in links {
        let base = server.url(&path);
        let target = match link {
            query if query.starts_with('?') => format!("{path}{query}"),
            absolute if absolute.starts_with('/') => absolute.to_owned(),
            relative => {
                let steps = relative.matches("../").count();
                let mut kept: Vec<&str> = path.split('/').collect();
                kept.truncate(kept.len() - 1 - steps);
                format!("{}/{}", kept.join("/"), relative.trim_start_matches("../").trim_start_matches("./"))
            }
        };
        let status = server.get(&target.replace("&amp;", "&")).status;
        assert_eq!(status, 200, "{link} from {base}: {target}");
    }
}

#[test]
fn what_is_no_parcel_has_no_report() {
    let server = Server::with(with_plans(), |_| {});
    assert_eq!(server.problem("/api/parcels/nix/report").0, 404);
    assert_eq!(server.problem("/api/parcels/chung/report").0, 404);
    assert_eq!(server.problem("/api/parcels/chung/report?layer=zones").0, 404);
    assert_eq!(server.problem("/api/parcels/26740-1-1/report?layer=nix").0, 400);
    assert_eq!(server.problem("/api/parcels/26740-1-1/report?scale=500").0, 400);
    assert_eq!(server.problem("/api/parcels/26740-1-1/report?revision=99").0, 400);
}
