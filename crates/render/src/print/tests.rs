//! Sheets of a small city: that they have the scale that they state, rasterised by poppler, and what is on
//! them.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
};

use citymap_crs::{Crs, Transform};
use citymap_engine::{Bbox, Cancel, City, SnapshotBuilder};
use citymap_model::{Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value};
use citymap_tile::Tiler;
use geo::{LineString, Polygon};
use serde_json::json;

use super::{grid, paper::Layout, *};
use crate::raster::Source;

/// A point of the home grid in the middle of the city.
const MIDDLE: [f64; 2] = [603_000.0, 1_191_000.0];
const LIMITS: PrintLimits = PrintLimits { sheets_max: 20, bytes_max: 8 << 20 };

fn lonlat(east: f64, north: f64) -> [f64; 2] {
    let transform = Transform::new(Crs::home(), Crs::WGS84).unwrap();
    transform.point([MIDDLE[0] + east, MIDDLE[1] + north]).unwrap()
}

fn ring(points: &[[f64; 2]]) -> LineString<f64> {
    points.iter().map(|[east, north]| <(f64, f64)>::from(lonlat(*east, *north))).collect()
}

fn layer(
    id: &str,
    kind: GeometryKind,
    features: Vec<(Geometry, &str)>,
) -> Arc<citymap_engine::LayerSnapshot> {
    let mut layer = Layer::new(id.parse().unwrap(), Title::new("Thửa đất", "Parcels"), Role::Other, kind);
    layer.fields = vec![Field::new("name", FieldType::Text)];
    layer.steward = Some("Sở Nông nghiệp và Môi trường".to_owned());
    let mut builder = SnapshotBuilder::new(layer);
    for (index, (geometry, name)) in features.into_iter().enumerate() {
        let values = vec![Value::Text(name.to_owned())];
        builder.push(&Feature { fid: index as i64 + 1, geometry: Some(geometry), values }).unwrap();
    }
    Arc::new(builder.finish(1))
}

/// A line of 100 m to the east of the middle, and a square south of it.
fn city() -> City {
    let mut city = City { revision: 42, ..City::default() };
    let line = Geometry::LineString(ring(&[[-50.0, 7.0], [50.0, 7.0]]));
    let square = [[-20.0, -60.0], [20.0, -60.0], [20.0, -20.0], [-20.0, -20.0], [-20.0, -60.0]];
    let square = Geometry::Polygon(Polygon::new(ring(&square), Vec::new()));
    for own in [
        layer("lines", GeometryKind::Line, vec![(line, "Đường Nguyễn Huệ")]),
        layer("lots", GeometryKind::Polygon, vec![(square, "Thửa 45")]),
    ] {
        city.layers.insert(own.layer().id.clone(), own);
    }
    city
}

fn sample_style() -> Styled {
    let document = json!({"version": 8, "name": "Địa chính", "layers": [
        {"id": "ground", "type": "background", "paint": {"background-color": "#ffffff"}},
        {"id": "lots", "type": "fill", "source": "lots", "source-layer": "lots",
            "paint": {"fill-color": "#ffd0a0"}},
        {"id": "lines", "type": "line", "source": "lines", "source-layer": "lines",
            "paint": {"line-color": "#000000", "line-width": 2}},
        {"id": "names", "type": "symbol", "source": "lots", "source-layer": "lots",
            "layout": {"text-field": ["get", "name"], "text-size": 12},
            "paint": {"text-color": "#000000", "text-halo-color": "#ffffff", "text-halo-width": 1}},
    ]});
    Styled { document, level: None }
}

fn order(area: PrintArea, scale: Option<f64>) -> PrintOrder {
    PrintOrder { area, scale, paper: Paper::A3, orientation: Orientation::Landscape, bearing: 0.0 }
}

fn printed(order: &PrintOrder, lang: &'static str) -> Vec<u8> {
    let (city, tiler, cancel) = (city(), Tiler::new(), Cancel::new());
    let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
    let template = PrintTemplate::parse(
        r#"{"organization": {"vi": "Phòng Quản lý đô thị", "en": "Urban Management Division"},
            "fields": [{"label": {"vi": "Người lập", "en": "Made by"},
                "value": {"vi": "Trần Thị Bưởi", "en": ""}}]}"#,
    );
    let template = template.unwrap();
    let (revision, style, level) = (42, "cadastre", None);
    let page = "https://map.example.vn/";
    let address = ViewAddress { page, revision, valid_on: None, style, level, lang };
    let address = |sheet: &Sheet| view_address(&address, sheet);
    let info = PrintInfo {
        title: "",
        lang,
        template: &template,
        valid_on: None,
        address: Some(&address),
        highlight: None,
    };
    let plan = PrintPlan::new(order, &LIMITS).unwrap();
    let mut pages = Vec::new();
    let source = PrintSource { source: &source, styled: &sample_style() };
    let bytes = write(&plan, &source, (&info, &LIMITS), &mut |now| pages.push(now.done), Vec::new()).unwrap();
    assert_eq!(pages, (1..=plan.pages()).collect::<Vec<_>>());
    bytes
}

/// Runs a program of poppler (`scripts/setup test` installs it) on a file.
pub(crate) fn poppler(program: &str, args: &[&str], file: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; run `scripts/setup test`"));
    let mut input = child.stdin.take().unwrap();
    let file = file.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&file));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program}: {}", output.status);
    output.stdout
}

/// A rasterised page: 0 is black.
struct Gray {
    width: usize,
    pixels: Vec<u8>,
    per_mm: f64,
}

impl Gray {
    /// The first page with 20 pixels to a millimetre.
    fn of(file: &[u8]) -> Self {
        let pgm = poppler("pdftoppm", &["-r", "508", "-gray", "-f", "1", "-l", "1", "-"], file);
        // P5, width, height, 255.
        let mut parts = pgm.splitn(4, |byte| byte.is_ascii_whitespace());
        assert_eq!(parts.next(), Some(b"P5".as_slice()));
        let width = std::str::from_utf8(parts.next().unwrap()).unwrap().parse().unwrap();
        let height: usize = std::str::from_utf8(parts.next().unwrap()).unwrap().parse().unwrap();
        let rest = parts.next().unwrap();
        let pixels = rest[rest.len() - width * height..].to_vec();
        Self { width, pixels, per_mm: 20.0 }
    }

    fn is_dark(&self, x: f64, y: f64) -> bool {
        self.pixels[y as usize * self.width + x as usize] < 128
    }

    /// The middle of what is dark along a row and along a column through a place, in millimetres from it; at
    /// most 2 mm away.
    fn offset(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let reach = 2.0 * self.per_mm;
        let middle = |dark: &dyn Fn(f64) -> bool| {
            let found: Vec<f64> =
                (0..=(2.0 * reach) as usize).map(|step| step as f64 - reach).filter(|at| dark(*at)).collect();
            assert!(!found.is_empty(), "nothing dark near {x} {y}");
            (found.iter().sum::<f64>() / found.len() as f64 + 0.5) / self.per_mm
        };
        // Beside the other arm of the cross.
        let beside = 1.0 * self.per_mm;
        [middle(&|at| self.is_dark(x + at, y + beside)), middle(&|at| self.is_dark(x + beside, y + at))]
    }
}

/// The middle of the frame in pixels of a rasterised page.
fn middle(gray: &Gray, layout: &Layout) -> [f64; 2] {
    [0, 1].map(|axis| f64::from(layout.frame[0][axis] + layout.frame[1][axis]) / 20.0 * gray.per_mm)
}

#[test]
fn a_line_of_100_m_is_200_mm_long_at_1_500() {
    let around = PrintArea::Around(lonlat(0.0, 0.0));
    let gray = Gray::of(&printed(&order(around, Some(500.0)), "vi"));
    let layout = Layout::new(Paper::A3, Orientation::Landscape);
    let [x, y] = middle(&gray, &layout);
    // 7 m north of the middle are 14 mm.
    let row = y - 14.0 * gray.per_mm;
    let end = |step: f64| {
        let mut at = x;
        while gray.is_dark(at, row) {
            at += step;
        }
        at
    };
    let length = (end(1.0) - end(-1.0)) / gray.per_mm;
    assert!((length - 200.0).abs() <= 0.1, "{length} mm");
}

#[test]
fn crosses_are_at_their_coordinates() {
    for bearing in [0.0, 30.0] {
        let around = PrintArea::Around(lonlat(3.0, 4.0));
        let order = PrintOrder { bearing, ..order(around, Some(1_000.0)) };
        let gray = Gray::of(&printed(&order, "vi"));
        let layout = Layout::new(order.paper, order.orientation);
        let middle = middle(&gray, &layout);
        let (sin, cos) = f64::to_radians(bearing).sin_cos();
        let mut seen = 0;
        for (east, north) in [(100.0, 50.0), (-100.0, 50.0), (50.0, -100.0), (-50.0, 100.0)] {
            // Metres from the middle of the sheet are millimetres at 1:1 000.
            let [e, n] = [east - 3.0, north - 4.0];
            let (right, up) = (e * cos - n * sin, e * sin + n * cos);
            let at = [middle[0] + right * gray.per_mm, middle[1] - up * gray.per_mm];
            if bearing == 0.0 {
                let off = gray.offset(at);
                assert!(off.iter().all(|off| off.abs() <= 0.2), "{east} {north}: {off:?} mm");
            } else {
                assert!(gray.is_dark(at[0], at[1]), "{east} {north}");
            }
            seen += 1;
        }
        assert_eq!(seen, 4);
    }
}

#[test]
fn a_sheet_says_what_it_is() {
    let around = PrintArea::Around(lonlat(0.0, 0.0));
    for (lang, texts) in [
        (
            "vi",
            [
                "Địa chính",
                "Phòng Quản lý đô thị",
                "Tỷ lệ 1:500",
                "Hệ tọa độ VN-2000",
                "EPSG:9210",
                "Chú giải",
                "Sở Nông nghiệp và Môi trường",
                "Phiên bản dữ liệu 42",
                "Chỉ để tham khảo",
                "Người lập: Trần Thị Bưởi",
                "Thửa 45",
            ],
        ),
        (
            "en",
            [
                "Địa chính",
                "Urban Management Division",
                "Scale 1:500",
                "Coordinates VN-2000",
                "EPSG:9210",
                "Legend",
                "Parcels",
                "Revision 42",
                "For reference only",
                "Made by",
                "Thửa 45",
            ],
        ),
    ] {
        let file = printed(&order(around, Some(500.0)), lang);
        let text = String::from_utf8(poppler("pdftotext", &["-layout", "-", "-"], &file)).unwrap();
        for wanted in texts {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
        // The name is there once: its halo is no second text.
        assert_eq!(text.matches("Thửa 45").count(), 1);
        assert!(String::from_utf8_lossy(&file).contains("/URI (https://map.example.vn/#map="));
    }
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    let order = order(PrintArea::Around(lonlat(0.0, 0.0)), Some(500.0));
    assert_eq!(printed(&order, "vi"), printed(&order, "vi"));
}

#[test]
fn a_series_covers_its_area_and_begins_with_an_index() {
    let [[west, south], [east, north]] = [lonlat(-300.0, -250.0), lonlat(300.0, 250.0)];
    let area = PrintArea::Box(Bbox::new(west, south, east, north));
    let small = PrintOrder { paper: Paper::A4, ..order(area, Some(1_000.0)) };
    let plan = PrintPlan::new(&small, &LIMITS).unwrap();
    assert_eq!((plan.sheets().len(), plan.pages()), (9, 10));
    // Neighbours share an edge.
    let (first, second) = (&plan.sheets()[0], &plan.sheets()[1]);
    let gap = first.corners()[1][0] - second.corners()[0][0];
    assert!(gap.abs() < 1e-6, "{gap} m");
    assert!(first.corners()[0][0] < MIDDLE[0] - 300.0 && first.corners()[0][1] > MIDDLE[1] + 250.0);
    let file = printed(&small, "en");
    let text = String::from_utf8(poppler("pdftotext", &["-f", "1", "-l", "1", "-", "-"], &file)).unwrap();
    assert!(text.contains("Index of 9 sheets"), "{text}");
    let text = String::from_utf8(poppler("pdftotext", &["-f", "10", "-l", "10", "-", "-"], &file)).unwrap();
    assert!(text.contains("Sheet 9/9 (row 3, column 3)"), "{text}");
    // A turned area of the same size has more sheets at most.
    let turned = PrintPlan::new(&PrintOrder { bearing: 45.0, ..small }, &LIMITS).unwrap();
    assert!(turned.sheets().len() >= 9);
}

#[test]
fn orders_that_cannot_be_printed_are_refused() {
    let around = PrintArea::Around(lonlat(0.0, 0.0));
    for scale in [199.0, 25_001.0, f64::NAN] {
        assert!(matches!(PrintPlan::new(&order(around, Some(scale)), &LIMITS), Err(PrintError::Scale(_))));
    }
    let area = |half: f64| {
        let [[west, south], [east, north]] = [lonlat(-half, -half), lonlat(half, half)];
        PrintArea::Box(Bbox::new(west, south, east, north))
    };
    let many = PrintPlan::new(&order(area(2_000.0), Some(200.0)), &LIMITS);
    assert!(matches!(many, Err(PrintError::TooManySheets { max: 20, .. })), "{many:?}");
    assert!(matches!(PrintPlan::new(&order(area(20_000.0), None), &LIMITS), Err(PrintError::TooFar)));
    let empty = PrintArea::Box(Bbox::new(106.7, 10.7, 106.7, 10.8));
    assert!(matches!(PrintPlan::new(&order(empty, None), &LIMITS), Err(PrintError::Area(_))));
    let nowhere = PrintArea::Around([f64::NAN, 10.0]);
    assert!(matches!(PrintPlan::new(&order(nowhere, None), &LIMITS), Err(PrintError::Area(_))));
}

#[test]
fn without_a_scale_the_area_fits_on_one_sheet() {
    let [[west, south], [east, north]] = [lonlat(-130.0, -90.0), lonlat(130.0, 90.0)];
    let area = PrintArea::Box(Bbox::new(west, south, east, north));
    let plan = PrintPlan::new(&order(area, None), &LIMITS).unwrap();
    assert_eq!((plan.pages(), plan.sheets()[0].scale()), (1, 1_000.0));
}

#[test]
fn places_and_grid_points_belong_together() {
    let order = PrintOrder { bearing: 33.0, ..order(PrintArea::Around(lonlat(0.0, 0.0)), Some(2_000.0)) };
    let plan = PrintPlan::new(&order, &LIMITS).unwrap();
    let sheet = &plan.sheets()[0];
    let point = [603_012.5, 1_191_040.0];
    let back = sheet.grid(sheet.place(point));
    assert!((back[0] - point[0]).abs() < 1e-6 && (back[1] - point[1]).abs() < 1e-6, "{back:?}");
    // The renderer puts the same point at the same place.
    let lonlat = Transform::new(Crs::home(), Crs::WGS84).unwrap().point(point).unwrap();
    let mut pixels = Vec::new();
    sheet.view().pixels_of_lonlat(&[lonlat], &mut pixels).unwrap();
    let place = sheet.place(point);
    assert!((0..2).all(|axis| (pixels[0][axis] - place[axis]).abs() < 0.05), "{pixels:?} {place:?}");
    assert!(!grid::crosses(sheet, 100.0).is_empty());
}

#[test]
fn templates_are_checked() {
    assert_eq!(PrintTemplate::parse("{}").unwrap(), PrintTemplate::default());
    for wrong in [
        r#"{"logo": "x"}"#.to_owned(),
        r#"{"fields": [{"value": {"vi": "", "en": ""}}]}"#.to_owned(),
        json!({"title": {"vi": "a".repeat(401), "en": ""}}).to_string(),
        json!({"fields": vec![json!({"label": {"vi": "a", "en": "a"}}); 9]}).to_string(),
    ] {
        assert!(PrintTemplate::parse(&wrong).is_err(), "{wrong}");
    }
}
