//! Pictures of a small city: what is drawn where, in which order, and that it is always the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod synthetic;

use std::sync::Arc;

use citymap_crs::Crs;
use citymap_engine::{Cancel, City, LayerSnapshot, SnapshotBuilder, TimeInterval};
use citymap_model::{
    Feature, Field, FieldType, Geometry, GeometryKind, Layer, Role, Title, Value, parse_date,
};
use citymap_render::{
    raster::{Ground, ImageFormat, Notes, Picture, RenderError, Source, View, draw},
    spec::Style,
};
use citymap_tile::Tiler;
use geo::{LineString, MultiPolygon, Point, Polygon, polygon};
use serde_json::{Value as Json, json};

/// South-west corner of the pictures, metres of the home grid.
const CORNER: [f64; 2] = [603_000.0, 1_191_000.0];

/// A position in longitude and latitude, from metres east and north of the corner.
fn at(east: f64, north: f64) -> (f64, f64) {
    let transform = citymap_crs::Transform::new(Crs::home(), Crs::WGS84).unwrap();
    let [lon, lat] = transform.point([CORNER[0] + east, CORNER[1] + north]).unwrap();
    (lon, lat)
}

fn square(east: f64, north: f64, side: f64) -> Polygon<f64> {
    let corners = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side), (0.0, 0.0)];
    let ring: Vec<(f64, f64)> = corners.iter().map(|(x, y)| at(east + x, north + y)).collect();
    Polygon::new(LineString::from(ring), vec![])
}

fn snapshot(id: &str, fields: &[&str], rows: Vec<(Geometry, Vec<&str>)>) -> LayerSnapshot {
    let kind = GeometryKind::Mixed;
    let mut layer = Layer::new(id.parse().unwrap(), Title::same(id), Role::Other, kind);
    layer.fields = fields.iter().map(|name| Field::new(*name, FieldType::Text)).collect();
    let mut builder = SnapshotBuilder::new(layer);
    for (index, (geometry, values)) in rows.into_iter().enumerate() {
        let values = values.into_iter().map(|value| Value::Text(value.to_owned())).collect();
        builder.push(&Feature { fid: index as i64 + 1, geometry: Some(geometry), values }).unwrap();
    }
    builder.finish(1)
}

fn city(layers: Vec<LayerSnapshot>) -> City {
    let mut city = City::default();
    for layer in layers {
        city.layers.insert(layer.layer().id.clone(), Arc::new(layer));
    }
    city
}

/// 200 m × 200 m on 200 × 200 pixels of the home grid.
fn view() -> View {
    View::new(Crs::home(), [CORNER, CORNER.map(|value| value + 200.0)], [200, 200]).unwrap()
}

fn style(layers: Json) -> Style {
    let mut list =
        vec![json!({"id": "ground", "type": "background", "paint": {"background-color": "#ffffff"}})];
    list.extend(layers.as_array().unwrap().iter().cloned());
    Style::parse(&json!({"version": 8, "layers": list})).unwrap()
}

fn try_picture(city: &City, style: &Style, view: &View) -> Result<(Picture, Notes), RenderError> {
    let (tiler, cancel) = (Tiler::new(), Cancel::new());
    let source = Source { city, tiler: &tiler, time: None, cancel: &cancel };
    let mut picture = Picture::new(view.size()).unwrap();
    let notes = draw(style, view, &source, Ground::Style, &mut picture)?;
    Ok((picture, notes))
}

fn picture(city: &City, style: &Style) -> Picture {
    try_picture(city, style, &view()).unwrap().0
}

/// The colour of the pixel at metres east and north of the corner, as `rrggbb`.
fn color(picture: &Picture, east: u32, north: u32) -> String {
    let [red, green, blue, _] = picture.pixel(east, 199 - north).unwrap();
    format!("{red:02x}{green:02x}{blue:02x}")
}

/// The number of pixels that are not white.
fn ink(picture: &Picture) -> usize {
    let [width, height] = picture.size();
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels.filter(|&(x, y)| picture.pixel(x, y) != Some([255; 4])).count()
}

#[test]
fn areas_are_where_they_belong_in_the_color_of_their_class() {
    let with_hole = {
        let outer = square(110.0, 10.0, 80.0);
        let hole = square(130.0, 30.0, 40.0);
        Polygon::new(outer.exterior().clone(), vec![hole.exterior().clone()])
    };
    let city = city(vec![snapshot(
        "lots",
        &["use"],
        vec![(square(10.0, 10.0, 80.0).into(), vec!["ODT"]), (with_hole.into(), vec!["CLN"])],
    )]);
    let style = style(json!([{"id": "lots", "type": "fill", "source": "lots", "paint": {
        "fill-color": ["match", ["get", "use"], "ODT", "#ff0000", "#00ff00"], "fill-antialias": false,
    }}]));
    let picture = picture(&city, &style);
    assert_eq!(color(&picture, 50, 50), "ff0000");
    assert_eq!(color(&picture, 120, 20), "00ff00");
    assert_eq!(color(&picture, 150, 50), "ffffff", "a hole is not filled");
    assert_eq!(color(&picture, 100, 50), "ffffff");
    assert_eq!(color(&picture, 11, 11), "ff0000", "to the pixel: one metre is one pixel");
    assert_eq!(color(&picture, 8, 50), "ffffff");
}

#[test]
fn sort_keys_filters_and_zooms_decide_what_is_on_top() {
    let both = city(vec![snapshot(
        "zones",
        &["level"],
        vec![
            (square(0.0, 0.0, 200.0).into(), vec!["fine"]),
            (square(0.0, 0.0, 200.0).into(), vec!["coarse"]),
        ],
    )]);
    let layer = |more: Json| {
        let mut layer = json!({"id": "z", "type": "fill", "source-layer": "zones", "source": "tiles",
            "layout": {"fill-sort-key": ["match", ["get", "level"], "fine", 1, 0]},
            "paint": {"fill-color": ["match", ["get", "level"], "fine", "#ff0000", "#0000ff"]}});
        for (name, value) in more.as_object().unwrap() {
            layer[name] = value.clone();
        }
        style(json!([layer]))
    };
    let middle = |style: &Style| color(&picture(&both, style), 100, 100);
    assert_eq!(middle(&layer(json!({}))), "ff0000");
    assert_eq!(middle(&layer(json!({"filter": ["==", ["get", "level"], "coarse"]}))), "0000ff");
    let zoom = view().zoom();
    assert_eq!(middle(&layer(json!({"minzoom": zoom + 0.1}))), "ffffff");
    assert_eq!(middle(&layer(json!({"maxzoom": zoom}))), "ffffff");
    assert_eq!(middle(&layer(json!({"minzoom": zoom - 0.1}))), "ff0000");
}

#[test]
fn lines_have_casings_gaps_and_dashes() {
    let road = |north: f64| -> Geometry { LineString::from(vec![at(-50.0, north), at(250.0, north)]).into() };
    let city = city(vec![snapshot("roads", &[], vec![(road(100.0), vec![])])]);
    let paint = |paint: Json| style(json!([{"id": "r", "type": "line", "source": "roads", "paint": paint}]));
    let casing = style(json!([
        {"id": "casing", "type": "line", "source": "roads",
         "paint": {"line-width": 14, "line-color": "#000000"}},
        {"id": "road", "type": "line", "source": "roads",
         "paint": {"line-width": 10, "line-color": "#ffff00"}},
    ]));
    let drawn = picture(&city, &casing);
    assert_eq!((color(&drawn, 100, 100), color(&drawn, 100, 105)), ("ffff00".into(), "000000".into()));
    assert_eq!(color(&drawn, 100, 110), "ffffff");
    let gap = picture(&city, &paint(json!({"line-width": 4, "line-gap-width": 20, "line-color": "#ff0000"})));
    assert_eq!(color(&gap, 100, 100), "ffffff");
    assert_eq!((color(&gap, 100, 112), color(&gap, 100, 87)), ("ff0000".into(), "ff0000".into()));
    let offset = picture(&city, &paint(json!({"line-width": 4, "line-offset": 20, "line-color": "#ff0000"})));
    assert_eq!(color(&offset, 100, 80), "ff0000", "to the right of a line to the east is south");
    let dashed =
        picture(&city, &paint(json!({"line-width": 4, "line-dasharray": [5, 5], "line-color": "#ff0000"})));
    let red = (0..200).filter(|&x| color(&dashed, x, 100) == "ff0000").count();
    assert!((80..=120).contains(&red), "{red}");
}

#[test]
fn points_are_discs_and_icons() {
    let point = |east: f64, north: f64| -> Geometry { Point::from(at(east, north)).into() };
    let city = city(vec![snapshot(
        "places",
        &["icon"],
        vec![(point(50.0, 100.0), vec!["school"]), (point(150.0, 100.0), vec!["no-such-image"])],
    )]);
    let discs = style(json!([{"id": "p", "type": "circle", "source": "places", "paint": {
        "circle-radius": 8, "circle-color": "#ff0000",
        "circle-stroke-width": 3, "circle-stroke-color": "#0000ff"}}]));
    let drawn = picture(&city, &discs);
    assert_eq!((color(&drawn, 50, 100), color(&drawn, 59, 100)), ("ff0000".into(), "0000ff".into()));
    assert_eq!(color(&drawn, 65, 100), "ffffff");
    let icons = style(json!([{"id": "p", "type": "symbol", "source": "places",
        "layout": {"icon-image": ["get", "icon"]}}]));
    let (drawn, notes) = try_picture(&city, &icons, &view()).unwrap();
    assert!(notes.missing_images.contains("no-such-image"));
    assert!(ink(&drawn) > 100, "the school's icon");
    assert_eq!(color(&drawn, 150, 100), "ffffff");
}

#[test]
fn labels_do_not_overlap_and_keep_inside() {
    let mut rows: Vec<(Geometry, Vec<&str>)> = Vec::new();
    for row in 0..10 {
        for column in 0..10 {
            let lot = square(f64::from(column) * 20.0, f64::from(row) * 20.0, 20.0);
            rows.push((lot.into(), vec!["Thửa đất số 123"]));
        }
    }
    let city = city(vec![snapshot("lots", &["name"], rows)]);
    let layer = |overlap: bool, size: f64| {
        style(json!([{"id": "names", "type": "symbol", "source": "lots", "layout": {
            "text-field": ["get", "name"], "text-size": size, "text-allow-overlap": overlap,
            "text-max-width": 5, "text-font": ["BeVietnamPro-Italic"]}}]))
    };
    let few = ink(&picture(&city, &layer(false, 12.0)));
    let all = ink(&picture(&city, &layer(true, 12.0)));
    assert!(few > 300 && all > few * 2, "{few} of {all}");
    assert_eq!(ink(&picture(&city, &layer(true, 120.0))), 0, "a label that is cut is not drawn");
}

#[test]
fn a_street_that_is_cut_at_crossings_gets_its_name() {
    let piece = |west: f64| -> (Geometry, Vec<&'static str>) {
        let line = LineString::from(vec![at(west, 100.0), at(west + 20.0, 100.0)]);
        (line.into(), vec!["Đường Nguyễn Thị Minh Khai"])
    };
    let city =
        city(vec![snapshot("roads", &["name"], (0..10).map(|n| piece(f64::from(n) * 20.0)).collect())]);
    let along = style(json!([{"id": "names", "type": "symbol", "source": "roads", "layout": {
        "symbol-placement": "line", "text-field": ["get", "name"], "text-size": 11}}]));
    let drawn = picture(&city, &along);
    assert!(ink(&drawn) > 300);
    let rows: Vec<u32> =
        (0..200).filter(|&north| (0..200).any(|east| color(&drawn, east, north) != "ffffff")).collect();
    assert!(rows.iter().all(|row| (88..112).contains(row)), "on the street: {rows:?}");
}

#[test]
fn the_same_city_gives_the_same_bytes_on_every_thread() {
    let lots = |row: i32| (0..20).map(move |column| (row, column));
    let rows = (0..20)
        .flat_map(lots)
        .map(|(row, column)| {
            let lot = square(f64::from(column) * 10.0, f64::from(row) * 10.0, 9.5);
            (Geometry::from(lot), vec![if (row + column) % 3 == 0 { "a" } else { "b" }])
        })
        .collect();
    let city = city(vec![snapshot("lots", &["use"], rows)]);
    let style = style(json!([
        {"id": "fill", "type": "fill", "source": "lots",
         "paint": {"fill-color": ["match", ["get", "use"], "a", "#cc8844", "#88cc44"], "fill-opacity": 0.7}},
        {"id": "hatch", "type": "fill", "source": "lots", "filter": ["==", ["get", "use"], "a"],
         "paint": {"fill-pattern": "hatch-diagonal"}},
        {"id": "line", "type": "line", "source": "lots", "paint": {"line-width": 0.7}},
        {"id": "name", "type": "symbol", "source": "lots",
         "layout": {"text-field": ["get", "use"], "text-size": 9}},
    ]));
    let one = || picture(&city, &style).encode(ImageFormat::Png).unwrap();
    let first = one();
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        for other in others {
            assert!(other.join().unwrap() == first);
        }
    });
}

#[test]
fn the_same_place_looks_the_same_in_every_system() {
    let city = city(vec![snapshot("lots", &[], vec![(square(50.0, 50.0, 100.0).into(), vec![])])]);
    let style =
        style(json!([{"id": "l", "type": "fill", "source": "lots", "paint": {"fill-color": "#ff0000"}}]));
    let middle = citymap_crs::Transform::new(Crs::home(), Crs::WEB_MERCATOR)
        .unwrap()
        .point(CORNER.map(|value| value + 100.0))
        .unwrap();
    let mercator = View::centered(Crs::WEB_MERCATOR, middle, 1.0, [200, 200]).unwrap();
    let (drawn, _) = try_picture(&city, &style, &mercator).unwrap();
    for (east, north, wanted) in
        [(100, 100, "ff0000"), (54, 100, "ff0000"), (46, 100, "ffffff"), (100, 154, "ffffff")]
    {
        assert_eq!(color(&drawn, east, north), wanted, "{east} {north}");
    }
}

#[test]
fn twice_as_many_pixels_show_the_same_map() {
    let line: Geometry = LineString::from(vec![at(0.0, 100.0), at(200.0, 100.0)]).into();
    let city = city(vec![snapshot("roads", &[], vec![(line, vec![])])]);
    let style = style(json!([{"id": "r", "type": "line", "source": "roads",
        "paint": {"line-color": "#ff0000",
                  "line-width": ["interpolate", ["linear"], ["zoom"], 10, 2, 22, 20]}}]));
    let width = |side: u32, ratio: f64| {
        let view = View::new(Crs::home(), [CORNER, CORNER.map(|value| value + 200.0)], [side; 2]).unwrap();
        let (drawn, _) = try_picture(&city, &style, &view.with_ratio(ratio)).unwrap();
        (0..side).filter(|&y| drawn.pixel(side / 2, y).unwrap() == [255, 0, 0, 255]).count()
    };
    let (one, two) = (width(200, 1.0), width(400, 2.0));
    assert!(two >= 2 * one && two <= 2 * one + 2, "{one} {two}");
}

#[test]
fn personal_fields_are_not_drawn() {
    let rows = vec![(Geometry::from(square(50.0, 50.0, 100.0)), vec!["Nguyễn Văn A"])];
    let named = snapshot("lots", &["owner"], rows);
    let mut layer = named.layer().clone();
    layer.fields[0].personal = true;
    let hidden = named.apply(layer, 2, []).unwrap();
    let style = style(json!([{"id": "l", "type": "symbol", "source": "lots",
        "layout": {"text-field": ["to-string", ["get", "owner"]], "text-size": 12}}]));
    assert!(ink(&picture(&city(vec![named]), &style)) > 0);
    assert_eq!(ink(&picture(&city(vec![hidden]), &style)), 0);
}

#[test]
fn only_what_is_valid_at_the_time_is_drawn() {
    let mut layer =
        Layer::new("zones".parse().unwrap(), Title::same("Zones"), Role::Zone, GeometryKind::Polygon);
    layer.fields = vec![Field::new("to", FieldType::Date)];
    layer.valid_to = Some("to".into());
    let mut builder = SnapshotBuilder::new(layer);
    let to = Value::Date(parse_date("2020-01-01").unwrap());
    builder
        .push(&Feature { fid: 1, geometry: Some(square(0.0, 0.0, 200.0).into()), values: vec![to] })
        .unwrap();
    let city = city(vec![builder.finish(1)]);
    let style =
        style(json!([{"id": "z", "type": "fill", "source": "zones", "paint": {"fill-color": "#ff0000"}}]));
    let at_day = |day: &str| {
        let day = parse_date(day).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        let (tiler, cancel) = (Tiler::new(), Cancel::new());
        let time = Some(TimeInterval { start: Some(day), end: Some(day) });
        let source = Source { city: &city, tiler: &tiler, time, cancel: &cancel };
        let mut picture = Picture::new([200, 200]).unwrap();
        draw(&style, &view(), &source, Ground::Style, &mut picture).unwrap();
        color(&picture, 100, 100)
    };
    assert_eq!((at_day("2019-06-01"), at_day("2021-06-01")), ("ff0000".into(), "ffffff".into()));
}

#[test]
fn far_views_show_merged_areas_without_seams() {
    // Lots of one class in a block of 2 km, far below the detail zoom of parcels: tiles hold merged areas.
    let mut layer =
        Layer::new("parcels".parse().unwrap(), Title::same("Parcels"), Role::Parcel, GeometryKind::Polygon);
    layer.fields = vec![Field::new("use", FieldType::Text)];
    let mut builder = SnapshotBuilder::new(layer);
    for number in 0..1600_i64 {
        let (row, column) = ((number / 40) as f64, (number % 40) as f64);
        let geometry = Some(square(column * 50.0, row * 50.0, 50.0).into());
        builder
            .push(&Feature { fid: number + 1, geometry, values: vec![Value::Text("ODT".into())] })
            .unwrap();
    }
    let city = city(vec![builder.finish(1)]);
    let style = style(json!([{"id": "p", "type": "fill", "source": "parcels",
        "paint": {"fill-color": "#ff0000", "fill-opacity": 0.5}}]));
    // 20 m to a pixel: about zoom 12; the block is 100 pixels wide and may lie on the border of tiles.
    let view = View::new(Crs::home(), [CORNER, CORNER.map(|value| value + 2_000.0)], [100, 100]).unwrap();
    assert!(view.zoom() < 13.0);
    let (drawn, _) = try_picture(&city, &style, &view).unwrap();
    for y in 4..96 {
        for x in 4..96 {
            let [red, green, blue, _] = drawn.pixel(x, y).unwrap();
            assert!(
                red == 255 && (126..=129).contains(&green) && green == blue,
                "{x} {y}: {red} {green} {blue}"
            );
        }
    }
}

#[test]
fn a_style_may_carry_names_of_its_own() {
    let (lon, lat) = at(100.0, 100.0);
    let style = Style::parse(&json!({"version": 8,
    "sources": {"names": {"type": "geojson", "data": {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": "Biển Đông"},
         "geometry": {"type": "Point", "coordinates": [lon, lat]}},
        {"type": "Feature", "properties": {"name": "far"},
         "geometry": {"type": "Point", "coordinates": [-60, 80]}},
    ]}}},
    "layers": [
        {"id": "ground", "type": "background", "paint": {"background-color": "#fff"}},
        {"id": "names", "type": "symbol", "source": "names",
         "layout": {"text-field": "{name}", "text-size": 14}},
    ]}))
    .unwrap();
    assert!(ink(&picture(&City::default(), &style)) > 100);
}

#[test]
fn unknown_layers_are_noted_and_unknown_fonts_refused() {
    let empty = City::default();
    let fill = style(json!([{"id": "a", "type": "fill", "source": "nowhere"}]));
    let (_, notes) = try_picture(&empty, &fill, &view()).unwrap();
    assert_eq!(notes.missing_layers.into_iter().collect::<Vec<_>>(), ["nowhere"]);
    let city = city(vec![snapshot("lots", &["n"], vec![(square(50.0, 50.0, 90.0).into(), vec!["1"])])]);
    let text = style(json!([{"id": "t", "type": "symbol", "source": "lots",
        "layout": {"text-field": ["get", "n"], "text-font": ["Comic Sans"]}}]));
    let error = try_picture(&city, &text, &view()).unwrap_err().to_string();
    assert!(
        error.contains("`t`") && error.contains("Comic Sans") && error.contains("BeVietnamPro-Regular"),
        "{error}"
    );
}

#[test]
fn cancelled_work_ends() {
    let many =
        MultiPolygon::new(vec![polygon![(x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.), (x: 0., y: 0.)]]);
    let city = city(vec![snapshot("lots", &[], vec![(many.into(), vec![])])]);
    let style = style(json!([{"id": "a", "type": "fill", "source": "lots"}]));
    let (tiler, cancel) = (Tiler::new(), Cancel::new());
    cancel.cancel();
    let source = Source { city: &city, tiler: &tiler, time: None, cancel: &cancel };
    let mut picture = Picture::new([200, 200]).unwrap();
    let outcome = draw(&style, &view(), &source, Ground::Style, &mut picture);
    assert!(matches!(outcome, Err(RenderError::Cancelled(_))));
}
