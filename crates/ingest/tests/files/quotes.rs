//! No message, note or report repeats what a file holds: it may be personal wherever it stands. Rows, fields
//! and the kind of what is wrong are named.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;

use crate::common::{City, city};
use citymap_ingest::ReportFile;
use citymap_model::{FieldType, Mode};

/// What no message may hold: a phone number as text and as a number, an identity number, parts of a name.
const SECRETS: [&str; 5] = ["0903123456", "903123456", "079201001234", "Khuất", "Bí Mật"];

/// What an import says: its report, or its error with the report that belongs to it.
fn said(city: &City, name: &str, content: &str, change: impl FnOnce(&mut citymap_ingest::Request)) -> String {
    match city.import(city.write(name, content), change) {
        Ok(report) => serde_json::to_string(&report).unwrap(),
        Err(error) => format!("{error} {error:?}"),
    }
}

fn is_silent(said: &str, what: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "{what}: {secret} in {said}");
    }
}

/// A feature of GeoJSON with a member in the place of another.
fn feature(member: &str) -> String {
    let members = [
        ("type", r#""Feature""#),
        ("properties", r#"{"ma":1}"#),
        ("geometry", r#"{"type":"Point","coordinates":[106.7,10.7]}"#),
    ];
    let own = member.split(':').next().unwrap().trim_matches('"').to_owned();
    let others =
        members.iter().filter(|(name, _)| *name != own).map(|(name, value)| format!(r#""{name}":{value}"#));
    format!("{{{}}}", others.chain([member.to_owned()]).collect::<Vec<_>>().join(","))
}

#[test]
fn a_row_that_is_wrong_is_named_by_its_number_only() {
    let good = "1,Phạm,106.70,10.77\n";
    for (row, told) in [
        ("2,x,0903123456,10.77", "no longitude and latitude"),
        ("2,x,Phạm Khuất,10.77", "column `lon` holds a text of 10 letters and spaces, which is no number"),
        ("2,x,106.7,079201001234", "no longitude and latitude"),
        ("2,x,106.7,Bí Mật 0903123456", "letters, digits and spaces"),
        ("2,x,106.7,10.7,Khuất,0903123456", "the row has 6 columns"),
    ] {
        let city = city();
        let said = said(&city, "so.csv", &format!("ma,y,lon,lat\n{good}{row}\n"), |_| {});
        assert!(said.contains(told), "{row}: {said}");
        is_silent(&said, row);
    }
    for cell in ["POINT (106.7 0903123456x)", "POINT (106.7 10.7) Khuất 079201001234", "Khuất (1 2)"] {
        let city = city();
        let rows = format!("ma,wkt\n1,POINT (106.7 10.7)\n2,{cell}\n");
        is_silent(&said(&city, "so.csv", &rows, |_| {}), cell);
    }
}

#[test]
fn a_member_of_geojson_that_is_wrong_is_described() {
    for member in [
        r#""type":"Khuất 0903123456""#,
        r#""geometry":{"type":"Bí Mật","coordinates":[1,2]}"#,
        r#""geometry":{"type":"Point","coordinates":["0903123456",10.7]}"#,
        r#""geometry":{"type":"Point","coordinates":[903123456,10.7]}"#,
        r#""geometry":"Bí Mật""#,
        r#""geometry":{"type":"GeometryCollection","geometries":[{"type":"Khuất"}]}"#,
        r#""properties":"Khuất""#,
        r#""properties":{"ma":Khuất}"#,
        r#""id":["0903123456"]"#,
        r#""bbox":"Bí Mật""#,
    ] {
        let city = city();
        let said =
            said(&city, "a.geojsonl", &format!("{}\n{}\n", feature(r#""id":"1""#), feature(member)), |_| {});
        is_silent(&said, member);
    }
    for whole in [
        r#"{"type":"Khuất","features":[]}"#.to_owned(),
        r#"{"type":"FeatureCollection","features":["Bí Mật 0903123456"]}"#.to_owned(),
        format!(
            r#"{{"type":"FeatureCollection","crs":{},"features":[{}]}}"#,
            r#"{"type":"name","properties":{"name":"Khuất 0903123456"}}"#,
            feature(r#""id":1"#)
        ),
    ] {
        let city = city();
        is_silent(&said(&city, "a.geojson", &whole, |_| {}), &whole);
    }
}

#[test]
fn an_id_or_a_key_is_shown_if_it_is_a_code() {
    let far = |id: &str| {
        let place = r#"{"type":"Point","coordinates":[300,10.7]}"#;
        format!(r#"{{"type":"Feature","id":{id},"properties":{{}},"geometry":{place}}}"#)
    };
    let rows = ["\"T-12\"", "\"0903123456\"", "903123456", "\"Phạm Khuất\"", "\"079201001234\""].map(far);
    let city = city();
    let sound = vec![feature(r#""id":"s""#); 20].join("\n");
    let report =
        city.import(city.write("a.geojsonl", format!("{sound}\n{}", rows.join("\n"))), |_| {}).unwrap();
    is_silent(&serde_json::to_string(&report).unwrap(), "ids");
    let keys: Vec<Option<&str>> = report.layers[0]
        .issues
        .iter()
        .filter(|issue| issue.feature.is_some())
        .map(|issue| issue.key.as_deref())
        .collect();
    assert_eq!(keys, [Some("T-12"), None, None, None, None]);
    // A key that others have, in both modes.
    for mode in [Mode::Replace, Mode::Upsert] {
        let city = crate::common::city();
        let rows = "ma,lon,lat\nT1,106.7,10.7\nT1,106.7,10.7\n0903123456,106.7,10.7\n0903123456,106.7,10.7\n";
        let said = said(&city, "so.csv", rows, |request| {
            (request.key, request.mode) = (Some("ma".into()), mode);
            request.public = vec!["ma".into()];
        });
        is_silent(&said, "repeated keys");
        assert!(said.contains("2 features repeat a key") && said.contains("(such as T1)"), "{said}");
    }
}

#[test]
fn a_value_that_does_not_fit_a_type_is_described() {
    let city = city();
    let rows = "ma,so,ghi\n1,1.10,a\n2,2.20,0903123456\n3,3.5,b\n4,Bí Mật,c\n";
    is_silent(&said(&city, "so.csv", rows, |_| {}), "types of columns");
    let said = said(&city, "so.csv", rows, |request| request.types = vec![("so".into(), FieldType::Real)]);
    is_silent(&said, "--type");
    assert!(said.contains("`so` is of the type real"), "{said}");
}

#[test]
fn examples_of_texts_are_single_words() {
    let city = city();
    let rows = "ma,ghi_chu,lon,lat\n1,Hẻm cạnh nhà Khuất,106.7,10.7\n2,Hẻm cũ,106.7,10.7\n";
    let report = city.import(city.write("so.csv", rows), |_| {}).unwrap();
    assert_eq!(report.layers[0].encoding.sample, ["Hẻm"]);
}

#[test]
fn ids_of_features_are_kept_and_what_is_odd_about_them_is_counted() {
    let notes = |ids: &[&str]| {
        let city = city();
        let features: Vec<String> = ids.iter().map(|id| feature(id)).collect();
        let report = city.import(city.write("a.geojsonl", features.join("\n")), |_| {}).unwrap();
        assert_eq!(report.accepted, ids.len() as u64);
        let id = &report.layers[0].fields[0];
        (report.files[0].notes.join(" "), id.name.clone(), id.field_type)
    };
    let none = r#""x":0"#;
    for (ids, told) in [
        (&[r#""id":1"#, r#""id":2"#][..], None),
        (&[r#""id":"a""#, r#""id":"b""#], None),
        (&[r#""id":1"#, none, none], Some("2 features have none")),
        (&[r#""id":1"#, r#""id":1"#], Some("1 is that of an earlier feature")),
        (
            &[r#""id":1"#, r#""id":"a""#, r#""id":"b""#],
            Some("1 is a number and 2 texts, so all are kept as texts"),
        ),
        (&[r#""id":1"#, r#""id":"1""#], Some("1 is that of an earlier feature")),
    ] {
        let (notes, name, field_type) = notes(ids);
        assert_eq!(name, "id");
        assert_eq!(field_type == FieldType::Text, ids.iter().any(|id| id.contains(":\"")), "{ids:?}");
        match told {
            Some(told) => assert!(notes.contains(told) && notes.contains("own ids"), "{ids:?}: {notes}"),
            None => assert!(!notes.contains("own ids"), "{ids:?}: {notes}"),
        }
    }
}

#[test]
fn an_empty_batch_is_noted_and_layers_do_not_repeat_the_id_that_was_given() {
    let city = city();
    city.import(city.write("a.csv", "ma,lon,lat\n1,106.7,10.7\n"), |_| {}).unwrap();
    let empty = r#"{"type":"FeatureCollection","features":[]}"#;
    let report = city.import(city.write("b.geojson", empty), |request| request.mode = Mode::Append).unwrap();
    assert!(report.layers[0].issues.iter().any(|issue| issue.reason.contains("holds no features")));
    let keyed = |city: &City| {
        city.import(city.write("k.csv", "ma,lon,lat\n1,106.7,10.7\n"), |r| r.key = Some("ma".into()))
    };
    keyed(&city).unwrap();
    let report = city.import(city.write("b.geojson", empty), |request| request.mode = Mode::Upsert).unwrap();
    assert_eq!((report.read, report.layers[0].unchanged, report.layers[0].removed), (0, 0, 0));
    let one = "ma,lon,lat\n1,106.7,10.7\n";
    let files = [("thua.csv", one.as_bytes()), ("thua_cu.csv", one.as_bytes()), ("nha.csv", one.as_bytes())];
    let archive = city.write("t.zip", crate::common::zip::stored(&files));
    let report = city.import(&archive, |request| request.layer = Some("thua".parse().unwrap())).unwrap();
    let ids: Vec<&str> = report.layers.iter().map(|layer| layer.id.as_str()).collect();
    assert_eq!(ids, ["thua", "thua_cu", "thua_nha"]);
}

#[test]
fn names_in_options_are_known_in_any_unicode_form() {
    // `kinh độ` and `vĩ độ` with letters and marks apart, and as they are in the file.
    let (x, y) = ("kinh đo\u{323}\u{302}", "vi\u{303} đo\u{323}\u{302}");
    let city = city();
    let path = city.write("a.csv", "ma,kinh độ,vĩ độ\n1,106.7,10.7\n");
    let report = city
        .import(&path, |request| {
            (request.columns.x, request.columns.y) = (Some(x.into()), Some(y.into()));
            request.types = vec![(x.into(), FieldType::Text)];
            request.renames = vec![(y.into(), "vi\u{303}".into())];
        })
        .unwrap();
    let names: Vec<&str> = report.layers[0].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["ma", "kinh độ", "vĩ"]);
    assert_eq!((report.layers[0].null_geometry, report.layers[0].fields[1].field_type), (0, FieldType::Text));
    let wkt = city.write("b.csv", "hình\nPOINT (106.7 10.7)\n");
    for geometry in [false, true] {
        let report = city
            .import(&wkt, |request| {
                request.crs = Some("EPSG:4326".parse().unwrap());
                let name = Some("hi\u{300}nh".to_owned());
                if geometry { request.columns.geometry = name } else { request.columns.wkt = name }
            })
            .unwrap();
        assert_eq!(report.layers[0].null_geometry, 0);
    }
    let one = "ma,lon,lat\n1,106.7,10.7\n";
    let archive = city.write(
        "t.zip",
        crate::common::zip::stored(&[("thửa.csv", one.as_bytes()), ("b.csv", one.as_bytes())]),
    );
    let report =
        city.import(&archive, |request| request.members = vec!["thu\u{309}\u{31b}a.csv".into()]).unwrap();
    assert_eq!(report.layers.len(), 1);
}

#[test]
fn a_report_is_readable_by_its_owner_only() {
    let city = city();
    let path = city.folder.path().join("r.json");
    let file = ReportFile::open(&path, &citymap_ingest::protected(&[], "city.gpkg")).unwrap();
    let report = city.import(city.write("a.csv", "ma,lon,lat\n1,106.7,10.7\n"), |_| {}).unwrap();
    file.write(&report).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
