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
    let (layer, zones) = zones("QHPK");
    store.put(layer, zones);
    store
}

/// These plans, the one over the west of this level.
fn zones(west: &str) -> (Layer, Vec<NewFeature>) {
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
        zone("phân khu", west, None, middle),
        zone("chi tiết cũ", "QHCT", Some("2019-01-01"), CORNER[0] + 0.03),
    ];
    (layer, zones)
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

/// What poppler's `pdftotext` reads of a PDF file.
fn pdf_text(bytes: &[u8]) -> String {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("pdftotext: {error}; run `scripts/setup test`"));
    let (mut input, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_report_is_handed_out_as_pdf_with_the_hash_and_the_link_of_the_document() {
    let server = Server::with(with_plans(), |_| {});
    let id = format!("26740-1-{}", COLUMNS / 2);
    let path = format!("/api/parcels/{id}/report");
    let report = server.json(&path);
    let got = server.get(&format!("{path}?f=pdf&lang=vi"));
    assert_eq!((got.status, got.header("content-type")), (200, "application/pdf"), "{}", got.text());
    assert_eq!(got.header("content-disposition"), format!("inline; filename=\"{id}.pdf\""));
    let text = pdf_text(&got.bytes);
    let hash = report["verification"]["hash"].as_str().unwrap();
    for wanted in [
        "Thông tin quy hoạch của thửa đất",
        "Quy hoạch phân khu 1/2.000–1/5.000",
        "Được ưu tiên áp dụng: phân khu (cấp quy hoạch được ưu tiên)",
        "50,0%",
        "Chưa có dữ liệu lộ giới.",
        "Tọa độ góc ranh",
        "Trang 1/",
        hash,
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("Bí Mật"));
    let link = report["verification"]["link"].as_str().unwrap();
    assert!(String::from_utf8_lossy(&got.bytes).contains(&format!("/URI ({link})")), "{link}");
    // The parcel is a square of about 22 m; the map shows it at the largest usual scale at which it fits.
    let scale = text.split("Tỷ lệ 1:").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
    assert!(["200", "250", "500", "1.000"].contains(&scale), "{scale}");

    let tag = got.header("etag").to_owned();
    assert_ne!(tag, server.get(&path).header("etag"));
    let again = server.get_with(&format!("{path}?f=pdf&lang=vi"), &[("if-none-match", &tag)]);
    assert_eq!(again.status, 304);
    assert_eq!(server.get(&format!("{path}?f=pdf&lang=vi")).bytes, got.bytes, "the same bytes");
    let accepted = server.get_with(&format!("{path}?lang=vi"), &[("accept", "application/pdf, */*;q=0.1")]);
    assert_eq!(accepted.bytes, got.bytes);
    let json = server.get_with(&path, &[("accept", "application/json, application/pdf")]);
    assert_eq!(json.header("content-type"), "application/json");
    let english = pdf_text(&server.get(&format!("{path}?f=pdf&lang=en")).bytes);
    assert!(english.contains("What is planned on a parcel") && english.contains("Page 1/"), "{english}");

    let alternate = &report["links"][0];
    assert_eq!((&alternate["rel"], &alternate["type"]), (&"alternate".into(), &"application/pdf".into()));
    assert_eq!(server.get(&path_of(&server, alternate["href"].as_str().unwrap())).bytes, got.bytes);
    let page = server.get(&format!("{path}?f=html&lang=vi")).text();
    assert!(page.contains("rel=\"alternate\" type=\"application/pdf\""), "{page}");
    assert_eq!(server.problem("/api/parcels/nix/report?f=pdf").0, 404);
    let small = Server::with(with_plans(), |config| config.limits.answer_bytes_max = 2_000);
    assert_eq!(small.problem(&format!("{path}?f=pdf")).0, 413);
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

/// The zones of [`with_plans`] with another plan over the west.
fn replan(store: &TestStore, level: &str) {
    let (layer, zones) = zones(level);
    store.put(layer, zones);
}

/// The path and query of an address of this server.
fn path_of(server: &Server, link: &str) -> String {
    link.strip_prefix(&server.url("")).unwrap_or_else(|| panic!("{link} leads elsewhere")).to_owned()
}

#[test]
fn a_report_of_100_revisions_ago_is_confirmed_and_what_changed_since_is_named() {
    let store = with_plans();
    let server = Server::with(store.clone(), |_| {});
    let report = server.json(&format!("/api/parcels/26740-1-{}/report", COLUMNS / 2));
    let link = path_of(&server, report["verification"]["link"].as_str().unwrap());
    let verified = server.json(&link);
    assert_eq!(verified["result"], "confirmed", "{verified}");
    assert_eq!(verified["changes"], serde_json::json!([]));
    assert_eq!(verified["report"]["verification"], report["verification"]);

    replan(&store, "QHCT");
    let mut table = Layer::new("so".parse().unwrap(), Title::same("Số"), Role::Other, GeometryKind::None);
    table.fields = vec![Field::new("x", FieldType::Int)];
    for count in 0..100 {
        let row = NewFeature { geometry: None, values: vec![Value::Int(count)] };
        store.put(table.clone(), vec![row]);
    }
    let newest = report["revision"].as_u64().unwrap() + 101;
    let verified = server.json(&format!("{link}&min-revision={newest}"));
    assert_eq!((&verified["result"], &verified["exists"]), (&"confirmed".into(), &true.into()), "{verified}");
    assert_eq!(verified["newestRevision"], newest);
    let changes = verified["changes"].as_array().unwrap();
    let level = changes.iter().find(|change| change["member"] == "level").unwrap();
    assert_eq!((&level["before"], &level["after"]), (&"QHPK".into(), &"QHCT".into()), "{changes:?}");
    assert!(changes.iter().all(|change| change["theme"] == "plans"), "{changes:?}");

    for (name, of_page) in [("vi", "Đúng: mã băm khớp với hồ sơ."), ("en", "Confirmed: the content hash")]
    {
        let page = server.get(&format!("{link}&f=html&lang={name}")).text();
        for text in [of_page, "QHPK", "QHCT", "50"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("Bí Mật"));
    }
}

#[test]
fn a_report_with_a_changed_digit_is_refused() {
    let server = Server::with(with_plans(), |_| {});
    let path = format!("/api/parcels/26740-1-{}/report", COLUMNS / 2);
    let report = server.json(&path);
    let link = path_of(&server, report["verification"]["link"].as_str().unwrap());
    let reason = |path: &str| {
        let verified = server.json(path);
        assert_eq!(verified["result"], "refused", "{path}: {verified}");
        verified["reason"].as_str().unwrap().to_owned()
    };
    let hash = report["verification"]["hash"].as_str().unwrap();
    let other = if hash.starts_with('0') { "1" } else { "0" };
    assert_eq!(reason(&link.replace(hash, &format!("{other}{}", &hash[1..]))), "content");
    assert_eq!(reason(&link.replace(hash, "x")), "content");
    let revision = report["revision"].as_u64().unwrap();
    let of_revision =
        |number: u64| link.replace(&format!("revision={revision}"), &format!("revision={number}"));
    assert_eq!(reason(&of_revision(revision + 1)), "revision");
    assert_eq!(reason(&of_revision(revision - 1)), "content", "an earlier state had no zones");
    let parcel = format!("26740-1-{}", COLUMNS / 2);
    assert_eq!(reason(&link.replace(&parcel, "26740-1-3")), "content", "the hash of another parcel");
    assert_eq!(reason(&link.replace(&parcel, "26740-9-3")), "parcel");

    // The whole document: as it was given, and with one digit changed in each of some places.
    let send = |document: &serde_json::Value| {
        let got = server.post("/api/reports/verify", "application/json", document.to_string().as_bytes());
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    };
    assert_eq!(send(&report)["result"], "confirmed");
    for pointer in ["/areas/grid", "/plans/pieces/0/area", "/plans/pieces/1/share", "/corners/2/x"] {
        let mut forged = report.clone();
        let value = forged.pointer_mut(pointer).unwrap();
        *value = (value.as_f64().unwrap() + 0.01).into();
        let verified = send(&forged);
        assert_eq!(verified["result"], "refused", "{pointer}");
        assert_eq!(verified["differences"][0]["pointer"], pointer, "{verified}");
    }
    let mut renamed = report.clone();
    renamed["plans"]["pieces"][0]["level"]["title"]["vi"] = "Quy hoạch khác".into();
    assert_eq!(send(&renamed)["result"], "refused", "a text that a reader trusts");
    let mut rehashed = report.clone();
    rehashed["verification"]["hash"] = "0".into();
    assert_eq!(send(&rehashed)["reason"], "content");
    let wrong = |kind: &str, body: &str| server.post("/api/reports/verify", kind, body.as_bytes()).status;
    assert_eq!((wrong("text/plain", "{}"), wrong("application/json", "{")), (415, 400));
    assert_eq!(wrong("application/json", "{\"id\": 1}"), 400);
}

#[test]
fn a_verification_without_its_inputs_is_a_form_for_people_and_a_problem_for_programs() {
    let server = Server::with(with_plans(), |_| {});
    let page = server.get("/api/reports/verify?f=html&lang=vi");
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    let page = page.text();
    for text in ["<form", "name=\"hash\"", "Kiểm tra"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(server.problem("/api/reports/verify").0, 400);
    let (status, detail) = server.problem("/api/reports/verify?parcel=26740-1-3&revision=3&hash=0");
    assert!(status == 400 && detail.contains("`datetime` is missing"), "{detail}");
}

/// A ring of longitude and latitude around some of the parcels, as GeoJSON coordinates.
fn ring(west: f64, south: f64, east: f64, north: f64) -> serde_json::Value {
    serde_json::json!([[[west, south], [east, south], [east, north], [west, north], [west, south]]])
}

#[test]
fn a_draft_says_what_it_touches_cuts_and_contradicts() {
    let server = Server::with(with_plans(), |_| {});
    // Two by two parcels in the south-west, where the zoning plan is; and a road along their southern side.
    let [west, south] = CORNER;
    let area = ring(west, south, west + 2.0 * SIDE, south + 2.0 * SIDE);
    let road = serde_json::json!([[west, south], [west + 2.0 * SIDE, south]]);
    let feature = |kind: &str, coordinates: serde_json::Value, properties: serde_json::Value| {
        serde_json::json!({"type": "Feature", "properties": properties,
            "geometry": {"type": kind, "coordinates": coordinates}})
    };
    let zone = feature("Polygon", area, serde_json::json!({"function": "CX"}));
    let road = feature("LineString", road, serde_json::json!({"width": 10}));
    let draft = serde_json::json!({"type": "FeatureCollection", "features": [zone, road]});
    let ask = |query: &str, body: &serde_json::Value| {
        let path = format!("/api/drafts/impact{query}");
        server.post(&path, "application/geo+json", body.to_string().as_bytes())
    };
    let got = ask("", &draft);
    assert_eq!(got.status, 200, "{}", got.text());
    let found = got.json();
    let parcels = found["layers"].as_array().unwrap().iter().find(|own| own["layer"] == "parcels").unwrap();
    assert_eq!(parcels["count"], 4, "{found}");
    assert_eq!(found["cut"]["parcels"], 2, "{found}");
    let side = SIDE * 109_000.0;
    let cut = found["cut"]["area"].as_f64().unwrap();
    assert!((cut - 2.0 * side * 5.0).abs() < 10.0, "{cut}");
    assert!(found["area"].as_f64().unwrap() > 4.0 * side * side);
    let list = ask("?list=parcels&limit=3", &draft).json();
    let first = &list["list"]["features"][0];
    assert!(first["cut"].as_f64().unwrap() > 100.0 && first["remaining"].as_f64().unwrap() > 300.0, "{list}");
    let next = list["list"]["next"].as_u64().unwrap();
    let rest = ask(&format!("?list=parcels&limit=3&after={next}"), &draft).json();
    assert_ne!(rest["list"]["features"][0]["id"], first["id"]);
    assert!(!list.to_string().contains("Bí Mật"));
    let narrow =
        feature("LineString", serde_json::json!([[106.69, 10.77], [106.7, 10.77]]), serde_json::json!({}));
    let point = feature("Point", serde_json::json!([106.69, 10.77]), serde_json::json!({}));
    for wrong in [narrow, point, serde_json::json!({"features": []}), serde_json::json!({"features": 1})] {
        assert_eq!(ask("", &wrong).problem().0, 400, "{wrong}");
    }
    assert_eq!(ask("?list=nix", &draft).problem().0, 400);
    assert_eq!(server.post("/api/drafts/impact", "text/plain", b"{}").status, 415);
}

#[test]
fn a_parcel_knows_what_it_was_and_what_became_of_it() {
    let store = with_plans();
    let server = Server::with(store.clone(), |_| {});
    let before = server.json("/api/parcels/26740-1-40/report")["revision"].as_u64().unwrap();
    // Numbers 40 and 41 become one parcel.
    let (layer, mut features) = crate::common::parcels();
    let [x, y] = crate::common::middle(40);
    let half = SIDE / 2.0;
    features[40].geometry =
        Some(Rect::new((x - half, y - half), (x + half + SIDE, y + half)).to_polygon().into());
    features.remove(41);
    store.put(layer, features);
    let now = before + 1;
    let of = |id: &str| server.json(&format!("/api/parcels/{id}/lineage?from={before}&min-revision={now}"));
    let merged = of("26740-1-40");
    assert_eq!(merged["event"]["kind"], "merge", "{merged}");
    let ids = |side: &str| -> Vec<String> {
        let parcels = merged["event"][side].as_array().unwrap().iter();
        parcels.map(|parcel| parcel["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (ids("before"), ids("after")),
        (vec!["26740-1-40".to_owned(), "26740-1-41".to_owned()], vec!["26740-1-40".to_owned()],)
    );
    assert_eq!(of("26740-1-41")["event"], merged["event"], "what became of a parcel that is gone");
    assert_eq!(of("26740-1-300")["event"]["kind"], "same");
    assert_eq!(server.problem("/api/parcels/nix/lineage?from=1").0, 404);
    assert_eq!(server.problem("/api/parcels/26740-1-40/lineage").0, 400);
    assert_eq!(
        server.problem(&format!("/api/parcels/26740-1-40/lineage?from={now}&revision={before}")).0,
        400
    );
}
