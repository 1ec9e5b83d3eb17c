//! Many edits as one revision, or none.

use serde_json::{Value, json};

use crate::common::Server;

fn etag(server: &Server, layer: &str, id: &str) -> String {
    server.get(&format!("/api/collections/{layer}/items/{id}")).header("etag").to_owned()
}

fn point(x: f64) -> Value {
    json!({"type": "Feature", "geometry": {"type": "Point", "coordinates": [x, 10.8]},
        "properties": {"sau": x}})
}

#[test]
fn edits_in_several_layers_are_one_revision() {
    let server = Server::writing();
    let body = json!({"message": "Tách thửa 26740-1-11", "edits": [
        {"op": "delete", "layer": "parcels", "id": "26740-1-11",
            "ifMatch": etag(&server, "parcels", "26740-1-11")},
        {"op": "create", "layer": "wells", "feature": point(106.71)},
        {"op": "update", "layer": "parcels", "id": "26740-1-12", "ifMatch": "*",
            "feature": {"properties": {"so_thua": 77}}},
        {"op": "create", "layer": "parcels",
            "feature": {"type": "Feature", "geometry": null, "properties": {"ma_thua": "26740-1-7"}}},
        {"op": "replace", "layer": "wells", "id": 2, "ifMatch": etag(&server, "wells", "2"),
            "feature": point(106.72)},
    ]});
    let got = server.write("POST", "/api/changes", None, Some(&body));
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("citymap-revision"), "5");
    let answer = got.json();
    assert_eq!(answer["revision"], 5);
    let results = answer["results"].as_array().unwrap();
    let ops: Vec<_> = results.iter().map(|own| own["op"].as_str().unwrap()).collect();
    assert_eq!(ops, ["delete", "create", "update", "create", "replace"]);
    assert_eq!(results[0]["etag"], Value::Null);
    assert_eq!((&results[2]["id"], &results[4]["id"]), (&json!("26740-1-12"), &json!(2)));
    // The key is there already: the later one is told apart by its number.
    let repeated = results[3]["id"].as_str().unwrap();
    assert_eq!(repeated, format!("26740-1-7~{}", results[3]["fid"]));
    assert_eq!(server.get(&format!("/api/collections/parcels/items/{repeated}")).status, 200);
    let well = format!("/api/collections/wells/items/{}", results[1]["id"]);
    assert!(
        server
            .get(&well)
            .header("etag")
            .starts_with(results[1]["etag"].as_str().unwrap().trim_end_matches('"'))
    );
    let log = citymap_store::Store::log(&*server.store, 1).unwrap();
    assert_eq!(
        (log[0].number, log[0].meta.message.as_str(), log[0].changes.len()),
        (5, "Tách thửa 26740-1-11", 2)
    );
}

#[test]
fn one_edit_that_fails_undoes_all_and_every_failing_one_is_listed() {
    let server = Server::writing();
    let body = json!({"edits": [
        {"op": "create", "layer": "wells", "feature": point(106.71)},
        {"op": "delete", "layer": "parcels", "id": "26740-1-11", "ifMatch": "\"0123\""},
        {"op": "delete", "layer": "parcels", "id": "no such", "ifMatch": "*"},
        {"op": "create", "layer": "wells", "feature": point(106.73)},
        {"op": "delete", "layer": "parcels", "id": "26740-1-13", "ifMatch": "*"},
        {"op": "update", "layer": "parcels", "id": "26740-1-13", "ifMatch": "*",
            "feature": {"properties": {}}},
    ]});
    let got = server.write("POST", "/api/changes", None, Some(&body));
    assert_eq!(got.status, 422, "{}", got.text());
    let listed: Vec<_> = got.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["edit"].as_u64().unwrap(), error["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(listed, [(1, 412), (2, 404), (5, 404)], "{}", got.text());
    assert!(got.json()["errors"][0]["etag"].as_str().unwrap().len() > 30);
    // What is wrong before the record is asked is told with its place.
    let body = json!({"edits": [
        {"op": "create", "layer": "wells", "feature": point(206.71)},
        {"op": "update", "layer": "wells", "id": 1, "feature": {}},
        {"op": "create", "layer": "wels", "feature": point(106.71)},
    ]});
    let got = server.write("POST", "/api/changes", None, Some(&body));
    let errors = got.json()["errors"].clone();
    let statuses: Vec<_> = (0..3).map(|n| errors[n]["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [422, 428, 404], "{errors}");
    assert_eq!(errors[0]["faults"][0]["pointer"], "/edits/0/feature/geometry/coordinates");
    assert_eq!(server.json("/api/collections/wells/items")["numberMatched"], 6);
    assert_eq!(citymap_store::Store::revision(&*server.store).unwrap(), 4);
}

#[test]
fn a_batch_has_bounds_and_a_form() {
    let server = Server::with(crate::common::store(), |config| {
        crate::common::writers(config);
        config.limits.edit.batch_edits_max = 3;
        config.limits.edit.batch_bytes_max = 5_000;
    });
    let send = |body: &Value| server.write("POST", "/api/changes", None, Some(body)).problem().0;
    let create = json!({"op": "create", "layer": "wells", "feature": point(106.7)});
    assert_eq!(send(&json!({"edits": vec![create.clone(); 4]})), 400);
    assert_eq!(send(&json!({"edits": []})), 400);
    assert_eq!(send(&json!({"edits": [create], "mesage": "x"})), 400);
    assert_eq!(send(&json!({"edits": [{"op": "destroy", "layer": "wells"}]})), 400);
    assert_eq!(send(&json!({"edits": [], "message": "x".repeat(6_000)})), 413);
    assert_eq!(send(&json!({"edits": [create], "message": "x".repeat(1_001)})), 400);
    let got = server.write("POST", "/api/changes", None, Some(&json!({"edits": vec![create; 3]})));
    assert_eq!(got.status, 200, "{}", got.text());
}
