//! `GET /api/collections/{layer}/items/{id}/history`.

use citymap_model::{Mode, Value};
use citymap_store::Edit;
use serde_json::Value as Json;

use super::city::{City, Server, layer, parcel};

fn path(id: &str) -> String {
    format!("/api/collections/parcels/items/{id}/history")
}

fn told(document: &Json) -> Vec<(u64, Option<u64>, &str, Option<&str>)> {
    let versions = document["versions"].as_array().unwrap();
    versions
        .iter()
        .map(|own| {
            (
                own["from"].as_u64().unwrap(),
                own["until"].as_u64(),
                own["op"].as_str().unwrap(),
                own["feature"]["properties"]["use"].as_str(),
            )
        })
        .collect()
}

#[test]
fn a_feature_s_versions_come_newest_first_and_without_personal_fields() {
    let city = City::new();
    city.touch(3, "CLN");
    city.touch(4, "x");
    city.edit("parcels", vec![Edit::Update(3, parcel("1-2", 7.5, "SKC"))]);
    city.edit("parcels", vec![Edit::Delete(3)]);
    city.edit("parcels", vec![Edit::Insert(Some(3), parcel("1-2", 2.0, "ODT"))]);
    let server = Server::start(&city);
    let document = server.json(&path("1-2"));
    assert_eq!((document["id"].as_str(), document["fid"].as_i64()), (Some("1-2"), Some(3)));
    assert_eq!(
        told(&document),
        [
            (6, None, "added", Some("ODT")),
            (5, Some(6), "removed", None),
            (4, Some(5), "changed", Some("SKC")),
            (2, Some(4), "changed", Some("CLN")),
            (1, Some(2), "added", Some("ODT")),
        ]
    );
    assert!(!document.to_string().contains("Bí Mật") && !document.to_string().contains("owner"));
    assert!(!document.to_string().contains("Trần Văn Viết"));
    let version = &document["versions"][2];
    assert_eq!(version["message"], "sửa \"thửa\"");
    chrono::DateTime::parse_from_rfc3339(version["fromTime"].as_str().unwrap()).unwrap();
    assert_eq!(
        (version["feature"]["type"].as_str(), version["feature"]["id"].as_str()),
        (Some("Feature"), Some("1-2"))
    );
    let west = version["feature"]["geometry"]["coordinates"][0][0][0].as_f64().unwrap();
    assert!((west - (106.69 + 7.5 * 0.000_2)).abs() < 1e-9);
    let (_, headers, text) = server.ask(&format!("{}?crs=EPSG:9210", path("1-2")), &[]);
    assert!(headers["content-crs"].to_str().unwrap().contains("9210"));
    let document: Json = serde_json::from_str(&text).unwrap();
    let east = document["versions"][0]["feature"]["geometry"]["coordinates"][0][0][0].as_f64().unwrap();
    assert!((600_000.0..605_000.0).contains(&east), "{east}");
    let (status, headers, _) = server.ask(&format!("{}?f=html", path("1-2")), &[]);
    assert!(status == 200 && headers["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[test]
fn pages_of_versions_join_and_a_removed_feature_is_found_by_its_number() {
    let city = City::new();
    for round in 0..9 {
        city.touch(5, &format!("{round}"));
    }
    city.edit("parcels", vec![Edit::Delete(5)]);
    let server = Server::start(&city);
    assert_eq!(server.problem(&path("1-4"), &[]).0, 404, "its key is no longer anybody's");
    let all = server.json(&path("5"));
    assert_eq!(all["versions"].as_array().unwrap().len(), 11);
    let mut joined = Vec::new();
    let mut next = Some(format!("{}?limit=4", path("5")));
    while let Some(here) = next {
        let page = server.json(&here);
        joined.extend(page["versions"].as_array().unwrap().clone());
        next = page["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next").map(|link| {
            let href = link["href"].as_str().unwrap();
            href[href.find("/api/").unwrap()..].to_owned()
        });
    }
    assert_eq!(Json::Array(joined), all["versions"]);
    for nothing in ["999", "nix", "1-3~77"] {
        assert_eq!(server.problem(&path(nothing), &[]).0, 404, "{nothing}");
    }
    assert_eq!(server.problem("/api/collections/nix/items/5/history", &[]).0, 404);
    assert_eq!(server.problem(&format!("{}?before=0", path("5")), &[]).0, 400);
}

#[test]
fn what_has_become_personal_is_not_in_former_versions_either() {
    let city = City::new();
    city.touch(2, "CLN");
    let mut strict = layer("parcels");
    strict.fields[1].personal = true;
    city.commit("mục đích là dữ liệu cá nhân", |transaction| {
        transaction.layer(&strict, Mode::Edit).unwrap();
        let mut new = parcel("1-1", 1.0, "SKC");
        new.values[2] = Value::Null;
        transaction.edit(Edit::Update(2, new)).unwrap();
    });
    let server = Server::start(&city);
    let document = server.json(&path("1-1"));
    assert_eq!(document["versions"].as_array().unwrap().len(), 3);
    for version in document["versions"].as_array().unwrap() {
        assert_eq!(version["feature"]["properties"], serde_json::json!({"key": "1-1"}));
    }
}
