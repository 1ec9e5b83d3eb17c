//! KML and GPX: positions as people write them, fields that say something, and values that keep their types.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{City, city, gdal, layers, parts};
use citymap_crs::Crs;
use citymap_ingest::Report;
use citymap_model::{FieldType, GeometryKind, NewFeature, Value};
use geo_types::Point;

fn kml(placemarks: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\" \
         xmlns:gx=\"http://www.google.com/kml/ext/2.2\"><Document><name>d</name>{placemarks}</Document></kml>"
    )
}

fn placemark(name: &str, geometry: &str) -> String {
    format!("<Placemark><name>{name}</name>{geometry}</Placemark>")
}

fn positions(element: &str, text: &str) -> String {
    let inside = format!("<coordinates>{text}</coordinates>");
    match element {
        "Polygon" => {
            format!("<Polygon><outerBoundaryIs><LinearRing>{inside}</LinearRing></outerBoundaryIs></Polygon>")
        }
        other => format!("<{other}>{inside}</{other}>"),
    }
}

fn notes(report: &Report) -> String {
    let issues = report.layers.iter().flat_map(|layer| layer.issues.iter().map(|issue| issue.reason.clone()));
    issues.chain(report.files[0].notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

fn fields(report: &Report) -> Vec<(&str, FieldType)> {
    report.layers[0].fields.iter().map(|field| (field.name.as_str(), field.field_type)).collect()
}

#[test]
fn positions_with_blanks_and_commas_in_other_places_are_read() {
    for (element, text, expected) in [
        ("Point", "106.7, 10.8, 0", &[[106.7, 10.8]][..]),
        ("Point", "\n\t106.7,10.8,0,\n", &[[106.7, 10.8]]),
        ("Point", "106.7 10.8", &[[106.7, 10.8]]),
        ("Point", "106.7 ,10.8", &[[106.7, 10.8]]),
        ("Point", "<![CDATA[106.7, 10.8]]>", &[[106.7, 10.8]]),
        ("LineString", "106.7, 10.8 106.8, 10.9", &[[106.7, 10.8], [106.8, 10.9]]),
        ("LineString", "106.7, 10.8, 0 106.8, 10.9, 0", &[[106.7, 10.8], [106.8, 10.9]]),
        ("LineString", "106.7,10.8,0,106.8,10.9,0", &[[106.7, 10.8], [106.8, 10.9]]),
        ("LineString", "106.7,10.8,106.8,10.9", &[[106.7, 10.8], [106.8, 10.9]]),
        (
            "LineString",
            "106.7,10.8\t106.8,10.9\r\n106.8,10.7",
            &[[106.7, 10.8], [106.8, 10.9], [106.8, 10.7]],
        ),
        (
            "Polygon",
            "106.7, 10.8, 0 106.8, 10.8, 0 106.8, 10.9, 0 106.7, 10.8, 0",
            &[[106.7, 10.8], [106.8, 10.8], [106.8, 10.9]],
        ),
    ] {
        let city = city();
        let path = city.write("a.kml", kml(&placemark("A", &positions(element, text))));
        let report = city.import(&path, |_| {}).unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 0), "{text}: {}", notes(&report));
        let read = parts(city.features("test")[0].geometry.as_ref().unwrap());
        let found: Vec<[f64; 2]> = read.into_iter().flatten().collect();
        assert_eq!(found, expected, "{element} {text}");
    }
}

/// What may be several things, or is none, is rejected: nothing is read as 0, as none or as another place.
#[test]
fn positions_in_doubt_are_rejected_with_the_reason() {
    for (element, text, reason) in [
        ("Point", "106,7,10,8", "decimal"),
        ("Point", "106,7 10,8", "one position"),
        ("Point", "106.7;10.8", "no number"),
        ("Point", "106.7", "1 number "),
        ("LineString", "106.7,10.8 106.8,abc", "no number"),
        ("LineString", "106.7,10.8 106.8", "single"),
        ("LineString", "106.7,10.8,,0 106.8,10.9", "missing"),
        ("Polygon", "106.7,10.8 106.8,10.8 106.8;10.9 106.7,10.8", "no number"),
    ] {
        let city = city();
        let good = placemark("B", &positions("Point", "106.7,10.8"));
        let bad = placemark("A", &positions(element, text));
        let path = city.write("a.kml", kml(&format!("{bad}{good}")));
        let report = city.import(&path, |_| {}).unwrap();
        assert_eq!((report.accepted, report.rejected), (1, 1), "{text}: {}", notes(&report));
        assert!(notes(&report).contains(reason), "{text}: {}", notes(&report));
        assert_eq!(city.features("test")[0].values, [Value::Text("B".into())]);
    }
    let track = "<gx:Track><when>2025-07-01T00:00:00Z</when><gx:coord>106.7 x 0</gx:coord></gx:Track>";
    let city = city();
    let good = placemark("B", &positions("LineString", "106.7,10.8 106.8,10.8"));
    let report =
        city.import(city.write("a.kml", kml(&format!("{}{good}", placemark("A", track)))), |_| {}).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1), "{}", notes(&report));
}

#[test]
fn fields_of_the_format_are_there_only_where_they_say_something() {
    let city = city();
    let point = positions("Point", "106.7,10.8");
    let report = city.import(city.write("a.kml", kml(&placemark("A", &point))), |_| {}).unwrap();
    assert_eq!(fields(&report), [("Name", FieldType::Text)]);
    let more = format!(
        "<Placemark><name>A</name><description>B</description><visibility>0</visibility>{point}</Placemark>"
    );
    let report = city.import(city.write("a.kml", kml(&more)), |_| {}).unwrap();
    let names: Vec<&str> = fields(&report).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Name", "description", "visibility"]);
    // An option that names one keeps it.
    let report = city
        .import(city.write("a.kml", kml(&placemark("A", &point))), |r| r.drop_fields = vec!["icon".into()])
        .unwrap();
    assert_eq!(fields(&report), [("Name", FieldType::Text)]);

    let gpx = "<gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\">\
               <wpt lat=\"10.8\" lon=\"106.7\"><ele>3.5</ele><name>A</name></wpt></gpx>";
    let report = city.import(city.write("a.gpx", gpx), |_| {}).unwrap();
    assert_eq!(fields(&report), [("ele", FieldType::Real), ("name", FieldType::Text)]);
}

#[test]
fn fields_of_the_file_named_like_those_of_the_format_are_their_own() {
    let city = city();
    let schema = "<Schema id=\"s\" name=\"s\"><SimpleField name=\"name\" type=\"string\"/>\
                  <SimpleField name=\"icon\" type=\"int\"/><SimpleField name=\"trong\" \
                  type=\"int\"/></Schema>";
    let one = format!(
        "{schema}<Placemark><name>A</name><ExtendedData><SchemaData schemaUrl=\"#s\"><SimpleData \
         name=\"name\">B</SimpleData><SimpleData name=\"icon\">7</SimpleData></SchemaData></ExtendedData>{}\
         </Placemark>",
        positions("Point", "106.7,10.8")
    );
    let report = city.import(city.write("a.kml", kml(&one)), |_| {}).unwrap();
    assert_eq!(
        fields(&report),
        [
            ("Name_kml", FieldType::Text),
            ("name", FieldType::Text),
            ("icon", FieldType::Int),
            ("trong", FieldType::Int)
        ]
    );
    let values = &city.features("test")[0].values;
    assert_eq!(values[..3], [Value::Text("A".into()), Value::Text("B".into()), Value::Int(7)]);
}

#[test]
fn values_of_kml_and_gpx_keep_their_digits_and_types() {
    let types = ["int", "uint", "float", "double", "bool", "int", "string", "string", "double"];
    let cells = [
        "9007199254740993",
        "4294967296",
        "1.10",
        "1234567890123.45678",
        "true",
        "007",
        "2025-07-01",
        "12",
        "1e3",
    ];
    let expected = [
        Value::Int(9_007_199_254_740_993),
        Value::Int(4_294_967_296),
        Value::Real(1.1),
        Value::Text("1234567890123.45678".into()),
        Value::Bool(true),
        Value::Text("007".into()),
        Value::Date(citymap_model::parse_date("2025-07-01").unwrap()),
        Value::Text("12".into()),
        Value::Real(1000.0),
    ];
    let city = city();
    let field = |at: usize| format!("<SimpleField name=\"f{at}\" type=\"{}\"/>", types[at]);
    let blank = |at: usize| if cells[at] == "12" { "" } else { "\n " };
    let cell = |at: usize| format!("<SimpleData name=\"f{at}\">{1}{0}{1}</SimpleData>", cells[at], blank(at));
    let all = |one: &dyn Fn(usize) -> String| (0..types.len()).map(one).collect::<String>();
    let text = format!(
        "<Schema id=\"s\" name=\"s\">{}</Schema><Placemark><ExtendedData><SchemaData \
         schemaUrl=\"#s\">{}</SchemaData></ExtendedData>{}</Placemark>",
        all(&field),
        all(&cell),
        positions("Point", "106.7,10.8")
    );
    let report = city.import(city.write("a.kml", kml(&text)), |_| {}).unwrap();
    assert_eq!(city.features("test")[0].values, expected, "{}", notes(&report));

    let gpx = "<gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\" \
               xmlns:ogr=\"http://osgeo.org/gdal\"><wpt lat=\"10.8\" \
               lon=\"106.7\"><extensions><ogr:ma>007</ogr:ma>\
               <ogr:so>9007199254740993</ogr:so><ogr:ten>Đường</ogr:ten><ogr:ngay>2025-07-01</ogr:ngay>\
               </extensions></wpt></gpx>";
    let report = city.import(city.write("a.gpx", gpx), |_| {}).unwrap();
    assert_eq!(
        fields(&report),
        [
            ("ma", FieldType::Text),
            ("so", FieldType::Int),
            ("ten", FieldType::Text),
            ("ngay", FieldType::Date)
        ]
    );
    assert_eq!(
        city.features("test")[0].values[..3],
        [Value::Text("007".into()), Value::Int(9_007_199_254_740_993), Value::Text("Đường".into())]
    );
}

const VALUES: [(&str, FieldType); 8] = [
    ("name", FieldType::Text),
    ("Mô tả <&\"'>", FieldType::Text),
    ("ma", FieldType::Text),
    ("so", FieldType::Int),
    ("rong", FieldType::Real),
    ("dung", FieldType::Bool),
    ("ngay", FieldType::Date),
    ("luc", FieldType::DateTime),
];

fn put(city: &City) -> Vec<Vec<Value>> {
    let day = Value::Date(citymap_model::parse_date("2025-07-01").unwrap());
    let instant = Value::DateTime(citymap_model::parse_datetime("2025-07-01T08:30:15.250Z").unwrap());
    let text = layers::text;
    let rows = vec![
        vec![
            text("Chợ Bến Thành"),
            text("a < b & \"c\"\n\td"),
            text("007"),
            Value::Int(12),
            Value::Real(0.1),
            Value::Bool(true),
            day,
            instant,
        ],
        vec![
            text("Đường"),
            text("x"),
            text("12"),
            Value::Int(-3),
            Value::Real(1e-9),
            Value::Bool(false),
            Value::Null,
            Value::Null,
        ],
    ];
    let feature = |(at, values): (usize, &Vec<Value>)| NewFeature {
        geometry: Some(Point::new(106.6 + at as f64 / 10.0, 10.77).into()),
        values: values.clone(),
    };
    layers::put(city, GeometryKind::Point, &VALUES, rows.iter().enumerate().map(feature).collect());
    rows
}

#[test]
fn an_export_to_kml_comes_back_with_its_fields_and_values() {
    let city = city();
    let rows = put(&city);
    let (done, path) = layers::out(&city, "a.kml", Crs::WGS84).unwrap();
    assert_eq!(done.written, 2);
    let (features, found) = layers::back(&city, &path, Crs::WGS84);
    let names: Vec<(&str, FieldType)> =
        found.iter().map(|field| (field.name.as_str(), field.field_type)).collect();
    assert_eq!(names, VALUES);
    let values: Vec<Vec<Value>> = features.into_iter().map(|feature| feature.values).collect();
    assert_eq!(values, rows);
}

#[test]
fn an_export_to_gpx_comes_back_with_its_fields_and_values() {
    let city = city();
    let rows = put(&city);
    let (done, path) = layers::out(&city, "a.gpx", Crs::WGS84).unwrap();
    assert_eq!(done.written, 2);
    let (features, found) = layers::back(&city, &path, Crs::WGS84);
    let names: Vec<(&str, FieldType)> =
        found.iter().map(|field| (field.name.as_str(), field.field_type)).collect();
    let mut expected = VALUES;
    expected[1].0 = "Mô_tả______";
    assert_eq!(names, expected);
    let values: Vec<Vec<Value>> = features.into_iter().map(|feature| feature.values).collect();
    assert_eq!(values, rows);

    let line = |x: f64| geo_types::LineString::from(vec![(x, 10.7), (x, 10.8)]);
    let track = layers::bare(geo_types::MultiLineString(vec![line(106.6), line(106.7)]));
    layers::put(
        &city,
        GeometryKind::Line,
        &[("ten", FieldType::Text)],
        vec![track, layers::bare(line(106.9))],
    );
    let (_, path) = layers::out(&city, "b.gpx", Crs::WGS84).unwrap();
    let report = city.import(&path, |r| r.layer_names = vec!["tracks".into()]).unwrap();
    assert_eq!((report.accepted, fields(&report)), (2, vec![("ten", FieldType::Text)]));
    layers::put(&city, GeometryKind::Polygon, &layers::FIELDS, layers::parcels());
    assert!(layers::out(&city, "c.gpx", Crs::WGS84).unwrap_err().to_string().contains("use .kml"));
}

/// What GDAL writes comes back, too.
#[test]
fn files_of_gdal_come_back_with_their_fields() {
    let city = city();
    let source = city.write(
        "s.geojson",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"ten":"Chợ","ma":"007",
        "so":7,"rong":1.5},"geometry":{"type":"Point","coordinates":[106.7,10.8]}}]}"#,
    );
    for (driver, name, options) in [
        ("LIBKML", "a.kml", &[][..]),
        ("KML", "b.kml", &[]),
        ("GPX", "a.gpx", &["-dsco", "GPX_USE_EXTENSIONS=YES"]),
    ] {
        let path = city.folder.path().join(name);
        let files = ["-f", driver, path.to_str().unwrap(), source.to_str().unwrap()];
        gdal("ogr2ogr", &[&files[..], options].concat());
        let report = city.import(&path, |_| {}).unwrap();
        let expected = [
            ("ten", FieldType::Text),
            ("ma", FieldType::Text),
            ("so", FieldType::Int),
            ("rong", FieldType::Real),
        ];
        assert_eq!(fields(&report), expected, "{driver}: {}", notes(&report));
        let text = layers::text;
        let values = [text("Chợ"), text("007"), Value::Int(7), Value::Real(1.5)];
        assert_eq!(city.features("test")[0].values, values, "{driver}");
    }
}

/// GDAL reads `abc` as 0, `10,77` as 10, and passes over a point with one of the two numbers.
#[test]
fn points_of_gpx_without_a_place_are_rejected() {
    let city = city();
    let gpx = "<gpx version=\"1.1\" creator=\"x\" xmlns=\"http://www.topografix.com/GPX/1/1\">\
               <wpt lat=\"abc\" lon=\"106.7\"/><wpt lat=\"10,77\" lon=\"106,7\"><name>B</name></wpt>\
               <wpt lat=\"10.7\"><name>C</name></wpt><wpt lat=' 10.77 ' lon='106.7'><name>D</name></wpt>\
               </gpx>";
    let report = city.import(city.write("a.gpx", gpx), |_| {}).unwrap();
    assert_eq!((report.read, report.accepted, report.rejected), (4, 1, 3), "{}", notes(&report));
    for reason in ["lat and lon", "no number", "only one of the two"] {
        assert!(notes(&report).contains(reason), "{reason}: {}", notes(&report));
    }
    let features = city.features("test");
    assert_eq!(parts(features[0].geometry.as_ref().unwrap()), [[[106.7, 10.77]]]);
}

/// GDAL would make `ch_` of several of these names, and keep the values of one of them.
#[test]
fn names_of_untyped_data_are_as_they_are() {
    let city = city();
    let data: String = ["chủ", "chú", "so to", "so_to", "Diện tích (m²)"]
        .into_iter()
        .zip(1..)
        .map(|(name, value)| format!("<Data name=\"{name}\"><value>v{value}</value></Data>"))
        .collect();
    let inside =
        format!("<ExtendedData>{data}</ExtendedData><Point><coordinates>106.7,10.8</coordinates></Point>");
    let report = city.import(city.write("a.kml", kml(&placemark("A", &inside))), |_| {}).unwrap();
    let names: Vec<&str> =
        fields(&report).into_iter().map(|(name, _)| name).filter(|name| *name != "Name").collect();
    assert_eq!(names, ["chủ", "chú", "so to", "so_to", "Diện tích (m²)"]);
    let values = city.features("test")[0].values.clone();
    assert!((1..=5).all(|value| values.contains(&Value::Text(format!("v{value}")))), "{values:?}");
}

#[test]
fn links_to_other_files_are_counted() {
    let city = city();
    let link = "<NetworkLink><name>x</name><Link><href>b.kml</href></Link></NetworkLink>";
    let point = placemark("A", "<Point><coordinates>106.7,10.8</coordinates></Point>");
    let report = city.import(city.write("a.kml", kml(&format!("{link}{point}"))), |_| {}).unwrap();
    assert_eq!(report.accepted, 1);
    assert!(notes(&report).contains("1 link (NetworkLink)"), "{}", notes(&report));
}

#[test]
fn characters_that_kml_cannot_hold_are_counted() {
    let city = city();
    let feature =
        NewFeature { geometry: Some(Point::new(106.7, 10.8).into()), values: vec![layers::text("a\u{1}b")] };
    layers::put(&city, GeometryKind::Point, &[("ten", FieldType::Text)], vec![feature]);
    let (done, _) = layers::out(&city, "a.kml", Crs::WGS84).unwrap();
    assert!(
        done.notes.iter().any(|note| note.contains("1 text holds control characters")),
        "{:?}",
        done.notes
    );
}
