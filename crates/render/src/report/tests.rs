//! Reports of small cities as PDF files, read by poppler, and the places of what is on their pages.

use std::sync::Arc;

use citymap_crs::{Crs, Transform};
use citymap_engine::{Cancel, City, LayerSnapshot, SnapshotBuilder};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Meaning, Role, Title, Value, parse_date,
};
use citymap_planning::{ParcelReport, ReportOptions, Status};
use citymap_tile::Tiler;
use geo::{LineString, Polygon};

use super::{flow::TOP, *};
use crate::{
    print::{styled, tests::poppler},
    styles::{Appearance, StyleBook, StyleRequest},
};

/// South-west corner of the parcel on the home grid, in m.
const ORIGIN: [f64; 2] = [603_000.0, 1_191_000.0];
const LINK: &str = "https://map.example.vn/api/reports/verify?parcel=p1&layer=parcels&revision=42&hash=0123";

fn ring(points: &[[f64; 2]]) -> LineString<f64> {
    let transform = Transform::new(Crs::home(), Crs::WGS84).unwrap();
    let place = |[east, north]: &[f64; 2]| transform.point([ORIGIN[0] + east, ORIGIN[1] + north]).unwrap();
    points.iter().map(|point| <(f64, f64)>::from(place(point))).collect()
}

fn polygon(points: &[[f64; 2]]) -> Geometry {
    let mut exterior = ring(points);
    exterior.close();
    Polygon::new(exterior, Vec::new()).into()
}

fn rect([west, south]: [f64; 2], [east, north]: [f64; 2]) -> Geometry {
    polygon(&[[west, south], [east, south], [east, north], [west, north]])
}

fn snapshot(
    (id, role, kind): (&str, Role, GeometryKind),
    fields: Vec<Field>,
    rows: Vec<(Geometry, Vec<Value>)>,
) -> Arc<LayerSnapshot> {
    let mut layer = Layer::new(id.parse().unwrap(), Title::new("Lớp", "Layer"), role, kind);
    layer.key = Some("key".into());
    layer.fields = fields;
    layer.data_date = parse_date("2026-03-31");
    layer.steward = Some("Sở Quy hoạch – Kiến trúc".to_owned());
    let mut builder = SnapshotBuilder::new(layer);
    for (fid, (geometry, values)) in (1..).zip(rows) {
        builder.push(&Feature { fid, geometry: Some(geometry), values }).unwrap();
    }
    Arc::new(builder.finish(1))
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn parcels(shape: Geometry) -> Arc<LayerSnapshot> {
    let fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("sheet", FieldType::Int).means(Meaning::Sheet),
        Field::new("number", FieldType::Int).means(Meaning::ParcelNumber),
        Field::new("paper", FieldType::Real).means(Meaning::Area),
        Field::new("commune", FieldType::Text).means(Meaning::CommuneCode),
        Field::new("address", FieldType::Text).means(Meaning::Address),
    ];
    let values = vec![
        text("p1"),
        Value::Int(12),
        Value::Int(45),
        Value::Real(9_990.5),
        text("26743"),
        text("12 Nguyễn Huệ"),
    ];
    snapshot(("parcels", Role::Parcel, GeometryKind::Polygon), fields, vec![(shape, values)])
}

/// Zones: key, level, function, shape.
fn zones(rows: Vec<(&str, &str, &str, Geometry)>) -> Arc<LayerSnapshot> {
    let fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("level", FieldType::Text).means(Meaning::PlanLevel),
        Field::new("function", FieldType::Text).coded("planning_function").means(Meaning::PlanFunction),
        Field::new("decision", FieldType::Text).means(Meaning::Decision),
        Field::new("coverage", FieldType::Real).unit("%"),
    ];
    let rows = rows.into_iter().map(|(key, level, function, shape)| {
        (shape, vec![text(key), text(level), text(function), text("1234/QĐ-UBND"), Value::Real(60.0)])
    });
    snapshot(("zones", Role::Zone, GeometryKind::Polygon), fields, rows.collect())
}

fn roads(rows: Vec<(&str, Vec<[f64; 2]>)>) -> Arc<LayerSnapshot> {
    let fields = vec![
        Field::new("key", FieldType::Text),
        Field::new("width", FieldType::Real).unit("m").means(Meaning::RightOfWay),
    ];
    let rows = rows.into_iter().map(|(key, line)| (ring(&line).into(), vec![text(key), Value::Real(16.0)]));
    snapshot(("roads", Role::Road, GeometryKind::Line), fields, rows.collect())
}

fn city(layers: impl IntoIterator<Item = Arc<LayerSnapshot>>) -> City {
    let layers = layers.into_iter().map(|layer| (layer.layer().id.clone(), layer)).collect();
    City { revision: 42, layers, ..City::default() }
}

fn square() -> Geometry {
    rect([0.0, 0.0], [100.0, 100.0])
}

/// A parcel with two zones, of which one is a sliver's neighbour, and a road along its southern side.
fn planned() -> City {
    city([
        parcels(square()),
        zones(vec![
            ("chung", "QHC", "DO", rect([-500.0, -500.0], [500.0, 500.0])),
            ("phân khu", "QHPK", "CX", rect([-500.0, -500.0], [40.0, 500.0])),
            ("mép", "QHCT", "GD", rect([-500.0, -500.0], [0.004, 500.0])),
        ]),
        roads(vec![("Đường số 1", vec![[-200.0, 0.0], [300.0, 0.0]])]),
    ])
}

/// What a file is made of, and the file.
struct Printed {
    report: ParcelReport,
    pages: Vec<Vec<Item>>,
    file: Vec<u8>,
}

fn print(city: &City, lang: &'static str) -> Printed {
    let template = PrintTemplate::parse(
        r#"{"organization": {"vi": "Trung tâm Thông tin quy hoạch", "en": "Planning Information Centre"},
            "fields": [{"label": {"vi": "Người lập", "en": "Made by"}}]}"#,
    );
    let template = template.unwrap();
    let parcels = city.layer("parcels").unwrap();
    let cancel = Cancel::new();
    let mut report = ParcelReport::make(city, (parcels, 0), &ReportOptions::default(), &cancel).unwrap();
    report.verification.link = Some(LINK.to_owned());
    let request = StyleRequest { appearance: Appearance::Light, lang, level: None, layers: None };
    let styled = styled(&StyleBook::load(None).unwrap(), "plan", (city, None), &request).unwrap();
    let setting = ReportSetting { styled: &styled, template: &template, lang, bytes_max: 8 << 20 };
    let printer = ReportPrinter::new(setting).unwrap();
    let tiler = Tiler::new();
    let source = Source { city, tiler: &tiler, time: None, cancel: &cancel };
    let parcel = Highlight::of(parcels, 0);
    let pages = compose(&printer, &report, (&source, parcel.as_ref())).unwrap();
    let file = printer.write(&report, (&source, parcel.as_ref()), Vec::new()).unwrap();
    Printed { report, pages, file }
}

fn read(file: &[u8]) -> String {
    String::from_utf8(poppler("pdftotext", &["-layout", "-", "-"], file)).unwrap()
}

/// Panics if a text is outside of the content of its page, or over another one.
fn check_places(pages: &[Vec<Item>]) {
    for (number, items) in pages.iter().enumerate() {
        let mut boxes: Vec<([f32; 4], &str)> = Vec::new();
        for item in items {
            let Item::Text(line) = item else { continue };
            let width = line.look.width(&line.text);
            let left = match line.align {
                Align::Left => line.at[0],
                Align::Middle => line.at[0] - width / 2.0,
                Align::Right => line.at[0] - width,
            };
            let (top, bottom) = (line.at[1] - line.look.size * 0.75, line.at[1] + line.look.size * 0.2);
            let own = [left, top, left + width, bottom];
            let inside = own[0] >= LEFT - 1.0 && own[2] <= RIGHT + 1.0 && top >= TOP && bottom <= BOTTOM;
            assert!(inside, "page {}: {:?} is at {own:?}", number + 1, line.text);
            for (other, text) in &boxes {
                let apart =
                    own[0] >= other[2] || own[2] <= other[0] || own[1] >= other[3] || own[3] <= other[1];
                assert!(apart, "page {}: {:?} is over {text:?}", number + 1, line.text);
            }
            boxes.push((own, &line.text));
        }
    }
}

fn assert_has(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn a_report_says_everything_in_both_languages() {
    let city = planned();
    let vi = print(&city, "vi");
    assert_eq!(vi.report.plans.status, Status::Touched);
    check_places(&vi.pages);
    let hash = vi.report.verification.hash.as_str();
    let vi_text = read(&vi.file);
    assert_has(
        &vi_text,
        &[
            "Trung tâm Thông tin quy hoạch",
            "Thông tin quy hoạch của thửa đất",
            "Phiên bản dữ liệu: 42",
            "Dữ liệu ngày: 31/03/2026",
            "9.990,5 m²",
            "Sơ đồ thửa đất",
            "Tỷ lệ 1:",
            "EPSG:9210",
            "Chú giải",
            "Số ô quy hoạch trên thửa đất: 3.",
            "1234/QĐ-UBND",
            "Được ưu tiên áp dụng: mép (cấp quy hoạch được ưu tiên)",
            "Phần rất nhỏ",
            "Chưa có quy hoạch",
            "Thửa đất bị lộ giới cắt qua.",
            "Đường số 1",
            "Còn lại",
            "Cạnh đến góc sau (m)",
            "Sở Quy hoạch – Kiến trúc",
            "Người lập: ……",
            "Thông tin chỉ để tham khảo",
            "Thửa đất số 45, tờ bản đồ số 12",
            &format!("Trang 1/{}", vi.pages.len()),
            hash,
        ],
    );
    assert!(String::from_utf8_lossy(&vi.file).contains(&format!("/URI ({LINK})")));
    let has_hash = |item: &Item| matches!(item, Item::Text(line) if line.text == hash);
    let check = vi.pages.iter().find(|items| items.iter().any(has_hash)).unwrap();
    assert!(check.iter().any(|item| matches!(item, Item::Code { .. })), "the code is next to the hash");
    let en = print(&city, "en");
    check_places(&en.pages);
    let en_text = read(&en.file);
    let corners = "Corners (VN-2000, EPSG:9210)";
    assert_has(&en_text, &["What is planned on a parcel", "Scale 1:", "Legend", corners, "Remaining", hash]);
    let figures = ["9,990.5 m²", "Overruled by: mép (its level takes precedence)", "For reference only"];
    assert_has(&en_text, &figures);
}

#[test]
fn no_data_and_not_touched_are_written_out() {
    let nothing = print(&city([parcels(square())]), "vi");
    check_places(&nothing.pages);
    assert_has(&read(&nothing.file), &["Chưa có dữ liệu quy hoạch.", "Chưa có dữ liệu lộ giới."]);
    let far = city([
        parcels(square()),
        zones(vec![("xa", "QHC", "DO", rect([400.0, 0.0], [500.0, 100.0]))]),
        roads(vec![("xa", vec![[400.0, 0.0], [500.0, 0.0]])]),
    ]);
    let far = print(&far, "en");
    check_places(&far.pages);
    let text = read(&far.file);
    assert_has(&text, &["No planning zone covers this parcel.", "No right-of-way crosses this parcel."]);
}

#[test]
fn many_corners_run_over_pages_with_their_heading() {
    let corner = |number: u32| {
        let (sin, cos) = (f64::from(number) / 300.0 * std::f64::consts::TAU).sin_cos();
        [100.0 * cos, 100.0 * sin]
    };
    let round: Vec<[f64; 2]> = (0..300).map(corner).collect();
    let printed = print(&city([parcels(polygon(&round))]), "vi");
    assert_eq!(printed.report.corners.len(), 300);
    check_places(&printed.pages);
    let text = read(&printed.file);
    let total = printed.pages.len();
    assert!(total >= 6, "{total}");
    let heads = text.matches("Cạnh đến góc sau (m)").count();
    assert!(heads >= 6, "{heads}");
    assert_has(&text, &[&format!("Trang {total}/{total}")]);
    let last = text.lines().any(|line| line.split_whitespace().next() == Some("300"));
    assert!(last, "the last corner: {text}");
}

#[test]
fn long_texts_wrap_and_overlap_nothing() {
    let long =
        "Đất nhóm nhà ở hiện hữu cải tạo kết hợp thương mại dịch vụ và công trình công cộng ".repeat(6);
    let unbroken = "Xy".repeat(200);
    let city = city([
        parcels(square()),
        zones(vec![
            (&unbroken, "QHC", &long, rect([-500.0, -500.0], [500.0, 500.0])),
            ("b", "QHPK", &unbroken, rect([-500.0, -500.0], [50.0, 500.0])),
        ]),
        roads(vec![
            (&long, vec![[-200.0, 0.0], [300.0, 0.0]]),
            (&unbroken, vec![[0.0, -200.0], [0.0, 300.0]]),
        ]),
    ]);
    for lang in ["vi", "en"] {
        let printed = print(&city, lang);
        check_places(&printed.pages);
        let letters: String = read(&printed.file).split_whitespace().collect();
        assert!(letters.matches("XyXyXy").count() > 100);
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let city = planned();
    assert_eq!(print(&city, "vi").file, print(&city, "vi").file);
}

#[test]
fn the_outline_has_the_size_that_the_scale_says() {
    let printed = print(&city([parcels(square())]), "vi");
    let scale = printed.pages.iter().flatten().find_map(|item| match item {
        Item::Map(place) => Some((place.sheet.scale(), place.layout)),
        _ => None,
    });
    let (scale, layout) = scale.unwrap();
    // 10 pixels to a millimetre; P6, width, height, 255.
    let ppm = poppler("pdftoppm", &["-r", "254", "-f", "1", "-l", "1", "-"], &printed.file);
    let mut parts = ppm.splitn(4, |byte| byte.is_ascii_whitespace());
    assert_eq!(parts.next(), Some(b"P6".as_slice()));
    let mut number = || std::str::from_utf8(parts.next().unwrap()).unwrap().parse::<usize>().unwrap();
    let (width, height) = (number(), number());
    let rest = parts.next().unwrap();
    let pixels = &rest[rest.len() - width * height * 3..];
    // Off the middle, where the name of the parcel is; the scale's frame is in units of a pixel.
    let row = (layout.frame[0][1] + (layout.frame[1][1] - layout.frame[0][1]) * 0.4) as usize;
    let is_accent = |x: &usize| {
        let pixel = &pixels[(row * width + x) * 3..][..3];
        pixel[0] > 150 && pixel[1] < 90 && pixel[2] < 120
    };
    let found: Vec<usize> = (0..width).filter(is_accent).collect();
    let (left, right) = (*found.first().unwrap() as f64, *found.last().unwrap() as f64);
    // From the middle of the one line to the middle of the other.
    let line = f64::from(crate::print::furniture::OUTLINE[1]);
    let length = (right - left + 1.0 - line) / 10.0;
    let expected = 100.0 * 1e3 / scale;
    assert!((length - expected).abs() <= 0.2, "{length} mm instead of {expected} at 1:{scale}");
}
