//! Columns of coordinates and geometry in tables, and numbers that keep their digits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use crate::common::{City, city};
use citymap_ingest::{ColumnChoice, ImportError, Request};
use citymap_model::{FieldType, GeometryKind, Value, format_datetime};
use geo_types::Geometry;

fn point(city: &City) -> [f64; 2] {
    match city.features("test")[0].geometry {
        Some(Geometry::Point(at)) => [at.x(), at.y()],
        ref other => panic!("{other:?}"),
    }
}

fn near([lon, lat]: [f64; 2]) -> bool {
    (lon - 106.698).abs() < 1e-4 && (lat - 10.7725).abs() < 1e-4
}

#[test]
fn everyday_columns_are_coordinates() {
    for (head, row) in [
        ("ten,Kinh độ,Vĩ độ", "A,106.698,10.7725"),
        ("ten,longitude,lat", "A,106.698,10.7725"),
        ("ten,lng,latitude", "A,106.698,10.7725"),
        ("ten,Longitude (°),Latitude (°)", "A,106.698,10.7725"),
        ("lat_wgs84,lon_wgs84,ten", "10.7725,106.698,A"),
        ("ten;lon;lat", "A;106,698;10,7725"),
        ("ten,lon,lat", "A,\"106,698\",\"10,7725\""),
        ("ten,lon,lat", "A,\"106°41'52.8\"\"E\",\"10°46'21\"\"N\""),
        ("ten,geom", "A,0101000020E6100000E9263108ACAC5A40EC51B81E858B2540"),
        ("ten,wkt", "A,SRID=4326;POINT(106.698 10.7725)"),
        ("ten,shape,lon,lat", "A,Point,106.698,10.7725"),
        ("sep=;\nten;lon;lat", "A;106.698;10.7725"),
    ] {
        let city = city();
        city.import(city.write("p.csv", format!("{head}\n{row}\n")), |_| {}).unwrap();
        assert!(near(point(&city)), "{head}: {:?}", point(&city));
    }
    for (x, y) in [
        ("X (m)", "Y (m)"),
        ("POINT_X", "POINT_Y"),
        ("X_VN2000", "Y_VN2000"),
        ("Tọa độ X", "Tọa độ Y"),
        ("Easting", "Northing"),
    ] {
        let city = city();
        let text = format!("ten,{x},{y}\nA,603481.588,1191454.611\n");
        city.import(city.write("p.csv", text), |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
        assert!(near(point(&city)), "{x}: {:?}", point(&city));
    }
}

#[test]
fn columns_can_be_named() {
    let choice = |x: &str, y: &str| {
        let columns = ColumnChoice { x: Some(x.into()), y: Some(y.into()), ..ColumnChoice::default() };
        move |request: &mut Request| {
            (request.columns, request.crs) = (columns, Some("EPSG:4326".parse().unwrap()));
        }
    };
    let city = city();
    let path = city.write("p.csv", "ten,a,b\nA,10.7725,106.698\n");
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(report.layers[0].geometry, GeometryKind::None);
    assert!(report.files[0].notes.iter().any(|note| note.contains("--x FIELD --y FIELD")));
    city.import(&path, choice("b", "a")).unwrap();
    assert!(near(point(&city)));
    let error = city.import(&path, choice("b", "c")).unwrap_err();
    assert!(
        matches!(&error, ImportError::Usage(text) if text.contains("--y") && text.contains("ten, a, b")),
        "{error}"
    );
    let path = city.write("p.csv", "ten,hinh\nA,SRID=4326;POINT(106.698 10.7725)\n");
    let columns = ColumnChoice { geometry: Some("hinh".into()), ..ColumnChoice::default() };
    city.import(&path, |request| request.columns = columns).unwrap();
    assert!(near(point(&city)));
}

fn types(city: &City) -> Vec<FieldType> {
    city.layers()[0].layer.fields.iter().map(|field| field.field_type).collect()
}

/// Types × cells: whatever becomes a number is printed as it was written.
#[test]
fn printing_back_changes_no_cell() {
    let cells = [
        "1",
        "-7",
        "0",
        "1.5",
        "0.25",
        "1.10",
        "1.0",
        "1E5",
        "2e3",
        "007",
        "+5",
        ".5",
        "5.",
        "-0",
        "1,5",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "12345678901234567.5",
        "0.1",
        "true",
        "-",
        "2025-07-01",
        "1_000",
        "0x10",
        "inf",
        "NaN",
        "1e400",
    ];
    let city = city();
    for a in cells {
        for b in cells {
            let path = city.write("p.csv", format!("ma;so\nA;{a}\nB;{b}\n"));
            city.import(&path, |_| {}).unwrap();
            let values: Vec<String> =
                city.features("test").iter().map(|feature| feature.values[1].to_key().unwrap()).collect();
            assert_eq!(values, [a, b]);
        }
    }
}

#[test]
fn measures_are_numbers_and_odd_cells_are_named() {
    let city = city();
    let path = city.write("p.csv", "ma,dien_tich,so\nA,120.50,1.10\nB,98.00,1.2\n");
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(types(&city), [FieldType::Text, FieldType::Real, FieldType::Text]);
    assert_eq!(city.features("test")[1].values[1], Value::Real(98.0));
    let notes = |report: &citymap_ingest::Report| {
        report.layers[0].issues.iter().map(|issue| issue.reason.clone()).collect::<Vec<_>>().join("\n")
    };
    assert!(notes(&report).contains("`so` is text") && notes(&report).contains("--type so=real"));
    let report = city.import(city.write("p.csv", "ma,so\nA,120.5\nB,-\nC,98\n"), |_| {}).unwrap();
    assert!(notes(&report).contains("line 3 (`-`)"), "{}", notes(&report));
    let report = city.import(city.write("p.csv", "ma;so\nA;120,5\nB;98\n"), |_| {}).unwrap();
    assert!(notes(&report).contains("decimal commas"), "{}", notes(&report));
}

#[test]
fn a_type_that_is_asked_for_reads_decimal_commas_and_local_times() {
    let city = city();
    let path = city.write("p.csv", "ma;so;luc\nA;120,5;2025-07-01 08:30:00\nB;1,25;x\nC;1,200;\n");
    let report = city
        .import(&path, |request| {
            request.types = vec![("so".into(), FieldType::Real), ("luc".into(), FieldType::DateTime)];
        })
        .unwrap();
    // A text that is no time, and a comma that may part thousands.
    assert_eq!((report.accepted, report.rejected), (1, 2));
    let values = city.features("test")[0].values.clone();
    assert_eq!(values[1], Value::Real(120.5));
    assert!(matches!(&values[2], Value::DateTime(at) if format_datetime(at) == "2025-07-01T01:30:00Z"));
}

#[test]
fn times_without_an_offset_are_the_citys() {
    let city = city();
    let path = city.write("p.csv", "ma,luc,gio\nA,2025-07-01 08:30:00,2025-07-01T08:30:00Z\n");
    let report = city.import(&path, |_| {}).unwrap();
    let times = |city: &City| {
        city.features("test")[0].values[1..]
            .iter()
            .map(|value| match value {
                Value::DateTime(at) => format_datetime(at),
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(times(&city), ["2025-07-01T01:30:00Z", "2025-07-01T08:30:00Z"]);
    let said: Vec<_> =
        report.layers[0].issues.iter().filter(|issue| issue.reason.contains("+07:00")).collect();
    assert!(said.len() == 1 && said[0].reason.contains("`luc`"), "{said:?}");
}

#[test]
fn columns_of_what_is_no_table_are_refused() {
    let city = city();
    let file = city.write(
        "p.geojson",
        r#"{"type":"Feature","properties":{"x":1},"geometry":{"type":"Point","coordinates":[106.7,10.77]}}"#,
    );
    let columns = ColumnChoice { x: Some("x".into()), y: Some("y".into()), ..ColumnChoice::default() };
    let refused = city.import(file, |request| request.columns = columns.clone()).unwrap_err();
    assert!(matches!(refused, ImportError::Usage(_)), "{refused}");
    assert!(refused.to_string().contains("is no table"), "{refused}");
}

#[test]
fn json_numbers_in_texts_keep_their_digits() {
    let city = city();
    let numbers = ["1E5", "1.10", "-0.0", "[1.10,1e2]", "true"];
    let features: Vec<String> = numbers
        .iter()
        .map(|number| {
            format!(r#"{{"type":"Feature","geometry":null,"properties":{{"ma":{number},"so":1.50}}}}"#)
        })
        .collect();
    let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    city.import(city.write("p.geojson", text), |request| {
        request.types = vec![("so".into(), FieldType::Text)];
    })
    .unwrap();
    let features = city.features("test");
    assert_eq!(features.len(), 5);
    for number in numbers {
        let expected = vec![Value::Text(number.to_owned()), Value::Text("1.50".to_owned())];
        assert!(features.iter().any(|feature| feature.values == expected), "{number}: {features:?}");
    }
}

#[test]
fn text_after_a_geometry_is_no_part_of_it() {
    let city = city();
    let rows = ["POINT (106.7 10.8)", "POINT (106.7 10.8) abc", "POINT (106.7 10.8x)", "POINT (106,7 10,8)"];
    let text = format!("ma;wkt\n{}\n", rows.map(|wkt| format!("A;{wkt}")).join("\n"));
    let report =
        city.import(city.write("p.csv", text), |r| r.crs = Some("EPSG:4326".parse().unwrap())).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 3));
    let reasons = format!("{:?}", report.layers[0].issues);
    for named in ["followed by a text of 3 letters", "5 letters, digits and signs", "has 1 number;"] {
        assert!(reasons.contains(named), "{reasons}");
    }
}

#[test]
fn huge_numbers_are_printed_short() {
    for number in [1e308, -1e21, 1.5e-300, 5e-324] {
        let text = Value::Real(number).to_key().unwrap();
        assert!(text.len() < 25 && text.parse::<f64>().unwrap() == number, "{text}");
    }
    let city = city();
    city.import(city.write("p.csv", "ma,so\nA,1e308\nB,2.5\n"), |_| {}).unwrap();
    assert_eq!(types(&city), [FieldType::Text, FieldType::Real]);
}

#[test]
fn degrees_in_the_wrong_columns_are_exchanged_where_that_is_asked_for() {
    let city = city();
    let path = city.write("a.csv", "ma,lon,lat\nA,10.7725,106.698\nB,10.78,106.7\n");
    assert!(city.import(&path, |_| {}).unwrap_err().to_string().contains("--swap-xy"));
    city.import(&path, |request| request.swap_xy = true).unwrap();
    assert!(near(point(&city)));
}

#[test]
fn texts_in_no_known_encoding_are_told() {
    let city = city();
    let mut bytes = b"ma,ten,lon,lat\n".to_vec();
    // Russian in Windows-1251.
    bytes.extend(b"1,\xCC\xEE\xF1\xEA\xE2\xE0,106.7,10.77\n");
    let report = city.import(city.write("a.csv", bytes), |_| {}).unwrap();
    let issues = &report.layers[0].issues;
    assert!(issues.iter().any(|issue| issue.reason.contains("which is a guess")), "{issues:?}");
}
