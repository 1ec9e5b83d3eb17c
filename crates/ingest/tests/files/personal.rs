//! Personal fields of an import: which are proposed, what the steward decides, and that no report shows a
//! value.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;

use crate::common::{City, city};
use citymap_access::{Audience, visible};
use citymap_crs::Crs;
use citymap_ingest::{ExportOptions, ImportError, export};
use citymap_model::Mode;

/// Owners, identity numbers (as the key) and phones; one row repeats a key, one has no place.
const ROWS: &str = "so_thua,tenchusdd,cccd,lh,lon,lat\n\
     1,Nguyễn Thị Bí Mật,079201001234,0903123456,106.70,10.77\n\
     2,Trần Văn Kín,079185003321,0918765432,106.71,10.78\n\
     3,Lê Giấu,079185003321,0987000111,106.72,10.78\n\
     4,Phạm Khuất,079177008888,0356123987,abc,10.78\n";

const SECRETS: [&str; 6] = ["Bí Mật", "Trần Văn Kín", "Khuất", "079201001234", "079185003321", "0903123456"];

fn public_fields(city: &City) -> Vec<String> {
    let layers = city.layers();
    let layer = &layers.iter().find(|entry| entry.layer.id.as_str() == "test").unwrap().layer;
    visible(layer, &Audience::Public).names().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_report_lists_public_and_personal_fields_and_shows_no_personal_value() {
    let city = city();
    let path = city.write("so.csv", ROWS);
    let report = city.import(&path, |request| request.key = Some("cccd".into())).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.accepted, layer.rejected, layer.duplicate_keys), (3, 1, 1));
    assert_eq!(layer.public_fields, ["so_thua", "lon", "lat"]);
    let personal: Vec<(&str, &str)> =
        layer.personal_fields.iter().map(|own| (own.field.as_str(), own.reason.as_str())).collect();
    assert_eq!(
        personal,
        [
            ("tenchusdd", "its name says that it holds the owner or user of something"),
            ("cccd", "its name says that it holds identity papers or their numbers"),
            ("lh", "its values look like phone numbers or other ways to reach a person"),
        ]
    );
    assert_eq!(public_fields(&city), layer.public_fields);
    let json = serde_json::to_string(&report).unwrap();
    for secret in SECRETS {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    let rejects = city.folder.path().join("rejects.gpkg");
    let mode = std::fs::metadata(&rejects).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the rejects hold personal values");
    assert!(String::from_utf8_lossy(&std::fs::read(&rejects).unwrap()).contains("Khuất"));
}

#[test]
fn keys_that_are_personal_are_not_shown_where_an_upsert_refuses_them() {
    let city = city();
    let path = city.write("so.csv", ROWS);
    city.import(&path, |request| request.key = Some("cccd".into())).unwrap();
    let again = city.import(&path, |request| {
        request.key = Some("cccd".into());
        request.mode = Mode::Upsert;
    });
    let shown = match &again {
        Ok(report) => serde_json::to_string(report).unwrap(),
        Err(error) => error.to_string(),
    };
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn the_steward_decides_and_what_is_personal_stays_so() {
    let city = city();
    let path = city.write("so.csv", "so_thua,owner,loai,lon,lat\n1,Ban quản lý,A,106.70,10.77\n");
    city.import(&path, |request| {
        request.public = vec!["owner".into()];
        request.personal = vec!["loai".into()];
    })
    .unwrap();
    assert_eq!(public_fields(&city), ["so_thua", "owner", "lon", "lat"]);
    // A second import says nothing: what was declared personal stays so.
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(public_fields(&city), ["so_thua", "lon", "lat"]);
    let reason = &report.layers[0].personal_fields.iter().find(|own| own.field == "loai").unwrap().reason;
    assert_eq!(reason, "it is personal in the record already");
    city.import(&path, |request| request.public = vec!["loai".into(), "owner".into()]).unwrap();
    assert_eq!(public_fields(&city), ["so_thua", "owner", "loai", "lon", "lat"]);
}

#[test]
fn an_option_that_names_no_field_says_which_are_near() {
    let city = city();
    let path = city.write("so.csv", "so_thua,owner,lon,lat\n1,x,106.70,10.77\n");
    let refused = city.import(&path, |request| request.public = vec!["ownr".into()]).unwrap_err();
    assert!(matches!(refused, ImportError::Usage(_)));
    assert!(
        refused.to_string().contains("--public: there is no field `ownr`; the nearest are: owner"),
        "{refused}"
    );
    assert_eq!(city.store.revision().unwrap(), 0);
}

#[test]
fn examples_for_the_encoding_are_of_public_fields() {
    let city = city();
    let rows = "so_thua,ten_duong,chu_ho,lon,lat\n1,Đường Lê Lợi,Nguyễn Bí Mật,106.70,10.77\n2,Đường \
         Hàm Nghi,Nguyễn Kín,106.7,10.7\n";
    let report = city.import(city.write("so.csv", rows), |_| {}).unwrap();
    assert_eq!(report.layers[0].encoding.sample, ["Đường"], "frequent words of public fields");
}

#[test]
fn an_export_for_the_public_leaves_personal_fields_out_and_one_for_the_steward_is_private() {
    let city = city();
    let path = city.write("so.csv", ROWS);
    city.import(&path, |request| request.key = Some("cccd".into())).unwrap();
    let view = city.store.view().unwrap();
    for (name, audience) in [("public", Audience::Public), ("steward", Audience::OPERATOR)] {
        for ending in ["geojson", "csv", "gpkg"] {
            let to = city.folder.path().join(format!("{name}.{ending}"));
            export(
                view.as_ref(),
                &"test".parse().unwrap(),
                &to,
                &ExportOptions::new(Crs::WGS84, audience.clone()),
            )
            .unwrap();
            let text = String::from_utf8_lossy(&std::fs::read(&to).unwrap()).into_owned();
            let mode = std::fs::metadata(&to).unwrap().permissions().mode() & 0o777;
            for secret in SECRETS.iter().filter(|secret| **secret != "Khuất").chain(&["tenchusdd"]) {
                assert_eq!(
                    text.contains(secret),
                    audience == Audience::OPERATOR,
                    "{secret} in {name}.{ending}"
                );
            }
            assert!(text.contains("so_thua"), "{name}.{ending}");
            assert_eq!(mode == 0o600, audience == Audience::OPERATOR, "{name}.{ending} has mode {mode:o}");
        }
    }
}
