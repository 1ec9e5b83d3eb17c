//! GML, TopoJSON and Esri JSON, each from a small file of its own; titles of fields in GeoPackages and File
//! Geodatabases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{city, gdal, parts};
use citymap_model::{FieldType, GeometryKind, Value, parse_date, parse_datetime};

const LAYER: &str = r#"{"type":"FeatureCollection","crs":{"type":"name",
"properties":{"name":"urn:ogc:def:crs:EPSG::9210"}},"features":[
{"type":"Feature","properties":{"ten":"Đường Nguyễn Huệ","ma":"007","so":7,"rong":12.5},
"geometry":{"type":"Point","coordinates":[603481.588,1191454.611]}},
{"type":"Feature","properties":{"ten":null,"ma":"012","so":null,"rong":0.5},
"geometry":{"type":"Point","coordinates":[603500,1191500]}}]}"#;

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn gml_of_every_version_keeps_values_codes_and_places() {
    for version in ["GML2", "GML3", "GML3.2"] {
        let city = city();
        let source = city.write("source.geojson", LAYER);
        let path = city.folder.path().join("thua.gml");
        let option = format!("FORMAT={version}");
        let files = ["-f", "GML", path.to_str().unwrap(), source.to_str().unwrap()];
        gdal("ogr2ogr", &[&files[..], &["-nln", "lop", "-dsco", &option]].concat());
        let report = city.import(&path, |_| {}).unwrap();
        let layer = &report.layers[0];
        assert_eq!((layer.read, layer.accepted, layer.geometry), (2, 2, GeometryKind::Point), "{version}");
        assert_eq!(layer.crs.as_ref().unwrap().crs, "EPSG:9210");
        let at = |name: &str| layer.fields.iter().position(|field| field.name == name).unwrap();
        let names = ["ten", "ma", "so", "rong"];
        let types = names.map(|name| layer.fields[at(name)].field_type);
        assert_eq!(types, [FieldType::Text, FieldType::Text, FieldType::Int, FieldType::Real]);
        let features = city.features("test");
        let values =
            |row: usize| ["ten", "ma", "so", "rong"].map(|name| features[row].values[at(name)].clone());
        assert_eq!(values(0), [text("Đường Nguyễn Huệ"), text("007"), Value::Int(7), Value::Real(12.5)]);
        assert_eq!(values(1), [Value::Null, text("012"), Value::Null, Value::Real(0.5)]);
        let [x, y] = parts(features[0].geometry.as_ref().unwrap())[0][0];
        assert!((x - 106.698).abs() < 1e-8 && (y - 10.7725).abs() < 1e-8, "{x} {y}");
        // Nothing is written beside the source.
        assert!(!path.with_extension("gfs").exists());
    }
}

/// Latitude comes first where the system says so (EPSG:4326 by its URN).
#[test]
fn gml_in_degrees_has_latitude_first() {
    let city = city();
    let path = city.write(
        "a.gml",
        r#"<?xml version="1.0" encoding="UTF-8"?><wfs:FeatureCollection
        xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"
        xmlns:xplan="http://www.xplanung.de/xplangml/5/2"><wfs:member>
        <xplan:BP_BaugebietsTeilFlaeche gml:id="G1"><xplan:position><gml:Polygon gml:id="P1"
        srsName="urn:ogc:def:crs:EPSG::4326"><gml:exterior><gml:LinearRing><gml:posList>10.77 106.7
        10.77 106.71
        10.78 106.71 10.77 106.7</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>
        </xplan:position>
        <xplan:GRZ>0.4</xplan:GRZ></xplan:BP_BaugebietsTeilFlaeche></wfs:member></wfs:FeatureCollection>"#,
    );
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.accepted, report.layers[0].crs.as_ref().unwrap().crs.as_str()), (1, "EPSG:4326"));
    let [x, y] = parts(city.features("test")[0].geometry.as_ref().unwrap())[0][0];
    assert_eq!([x, y], [106.7, 10.77]);
}

#[test]
fn footprints_of_citygml_are_areas_and_walls_are_rejected() {
    let city = city();
    let ring = |list: &str| {
        format!(
            "<gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>{list}</gml:posList>\
             </gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember>"
        )
    };
    let foot = ring("603000 1191000 0 603010 1191000 0 603010 1191010 0 603000 1191000 0");
    let wall = ring("603020 1191000 0 603030 1191000 0 603030 1191000 5 603020 1191000 0");
    let text = format!(
        r#"<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0"
        xmlns:bldg="http://www.opengis.net/citygml/building/2.0" xmlns:gml="http://www.opengis.net/gml">
        <gml:boundedBy><gml:Envelope srsName="EPSG:9210" srsDimension="3"><gml:lowerCorner>603000 1191000 0
        </gml:lowerCorner><gml:upperCorner>603100 1191100 10</gml:upperCorner></gml:Envelope></gml:boundedBy>
        <core:cityObjectMember><bldg:Building gml:id="B1"><bldg:measuredHeight>12.5</bldg:measuredHeight>
        <bldg:lod0FootPrint><gml:MultiSurface srsDimension="3">{foot}</gml:MultiSurface>
        </bldg:lod0FootPrint>
        </bldg:Building></core:cityObjectMember>
        <core:cityObjectMember><bldg:Building gml:id="B2"><bldg:lod1MultiSurface>
        <gml:MultiSurface srsDimension="3">{wall}</gml:MultiSurface></bldg:lod1MultiSurface></bldg:Building>
        </core:cityObjectMember></core:CityModel>"#
    );
    let report = city.import(city.write("city.gml", text), |_| {}).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.read, layer.accepted, layer.rejected), (2, 1, 1), "{:?}", layer.issues);
    assert_eq!(layer.z_dropped, 2);
}

#[test]
fn gml_follows_no_reference_and_no_entity() {
    let city = city();
    let secret = city.write("secret.txt", "SECRET");
    let text = |head: &str, value: &str| {
        format!(
            r#"<?xml version="1.0"?>{head}<c xmlns="http://www.opengis.net/gml"
            xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:a="http://a.vn/a"><featureMember><a:thua>
            <a:ten>{value}</a:ten><a:hinh><Point srsName="EPSG:9210"><pos>603000 1191000</pos></Point>
            </a:hinh>
            <a:xa xlink:href="file://{}#x"/></a:thua></featureMember></c>"#,
            secret.display()
        )
    };
    let entity = format!(r#"<!DOCTYPE c [<!ENTITY x SYSTEM "file://{}">]>"#, secret.display());
    assert!(city.import(city.write("a.gml", text(&entity, "&x;")), |_| {}).is_err());
    city.import(city.write("b.gml", text("", "A")), |_| {}).unwrap();
    let values = format!("{:?}", city.features("test")[0].values);
    assert!(values.contains("\"A\"") && !values.contains("SECRET"), "{values}");
}

#[test]
fn topojson_objects_are_layers() {
    let city = city();
    let path = city.write(
        "t.json",
        r#"{ "type": "Topology", "transform": {"scale":[0.001,0.001],"translate":[106,10]},
        "arcs":[[[700,700],[10,0],[0,10]],[[710,710],[-10,-10]],[[710,700],[5,5],[-5,5]]],
        "objects":{"thua":{"type":"GeometryCollection","geometries":[
        {"type":"Polygon","arcs":[[0,1]],"id":"x1","properties":{"ten":"Chợ"}}]},
        "moc":{"type":"GeometryCollection","geometries":[
        {"type":"Point","coordinates":[700,700],"properties":{"a":1}}]}}}"#,
    );
    let report = city.import(&path, |r| r.layer = None).unwrap();
    let ids: Vec<(&str, u64)> = report.layers.iter().map(|l| (l.id.as_str(), l.accepted)).collect();
    assert_eq!(ids, [("thua", 1), ("moc", 1)]);
    let one = &city.features("thua")[0];
    assert_eq!(one.values, [text("x1"), text("Chợ")]);
    let corner = parts(one.geometry.as_ref().unwrap())[0][0];
    assert!((corner[0] - 106.7).abs() < 1e-9 && (corner[1] - 10.7).abs() < 1e-9, "{corner:?}");
}

#[test]
fn esri_json_has_its_dates_titles_and_system() {
    let city = city();
    let path = city.write(
        "e.json",
        r#"{"objectIdFieldName":"OBJECTID","geometryType":"esriGeometryPolygon",
        "spatialReference":{"wkid":102100,"latestWkid":3857},"fields":[
        {"name":"OBJECTID","type":"esriFieldTypeOID","alias":"OBJECTID"},
        {"name":"ten","type":"esriFieldTypeString","alias":"Tên","length":50},
        {"name":"ngay","type":"esriFieldTypeDate","alias":"Ngày"}],"features":[
        {"attributes":{"OBJECTID":5,"ten":"Chợ","ngay":1751328000000},"geometry":{"rings":[[
        [11876000,1205000],
        [11876100,1205100],[11876100,1205000],[11876000,1205000]]]}},
        {"attributes":{"OBJECTID":6,"ten":null,"ngay":null},"geometry":{"rings":[[[11876000,1205000],
        [11876100,1205100],[11876100,1205000],[11876000,1205000]]]}}]}"#,
    );
    let report = city.import(&path, |_| {}).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.accepted, layer.crs.as_ref().unwrap().crs.as_str()), (2, "EPSG:3857"));
    let features = city.features("test");
    let day = Value::DateTime(parse_datetime("2025-07-01T00:00:00Z").unwrap());
    assert_eq!(features[0].values, [Value::Int(5), text("Chợ"), day]);
    assert_eq!(features[1].values, [Value::Int(6), Value::Null, Value::Null]);
}

#[test]
fn aliases_are_titles() {
    let city = city();
    let source = city.write("source.geojson", LAYER);
    let path = city.folder.path().join("a.gpkg");
    gdal("ogr2ogr", &["-f", "GPKG", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "lop"]);
    for sql in [
        "CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, \
         title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT)",
        "CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT, constraint_type TEXT, value TEXT, \
         min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT)",
        "INSERT INTO gpkg_data_columns VALUES ('lop', 'ten', 'Tên đường', NULL, NULL, NULL, NULL)",
        "INSERT INTO gpkg_data_columns VALUES ('lop', 'ma', NULL, NULL, NULL, NULL, 'loai')",
        "INSERT INTO gpkg_data_column_constraints VALUES \
         ('loai', 'enum', '007', NULL, NULL, NULL, NULL, 'Hẻm')",
    ] {
        gdal("ogrinfo", &[path.to_str().unwrap(), "-sql", sql]);
    }
    let geodatabase = city.folder.path().join("a.gdb");
    gdal("ogr2ogr", &["-f", "OpenFileGDB", geodatabase.to_str().unwrap(), path.to_str().unwrap()]);
    let report = city.import(&geodatabase, |_| {}).unwrap();
    assert!(report.layers[0].issues.iter().any(|issue| issue.reason.contains("007 = Hẻm")));
    let report = city.import(&path, |_| {}).unwrap();
    let fields = &report.layers[0].fields;
    let title = |name: &str| fields.iter().find(|field| field.name == name).unwrap().title.vi.clone();
    assert_eq!((title("ten").as_str(), title("so").as_str()), ("Tên đường", ""));
    // The record has the list of the first import.
    assert!(!report.layers[0].issues.iter().any(|issue| issue.reason.contains("007 = Hẻm")));
    let ma = fields.iter().find(|field| field.name == "ma").unwrap();
    assert_eq!(ma.codes()[0].code, "007");
}

#[test]
fn a_sheet_with_titles_above_the_header_has_its_points() {
    let city = city();
    let rows = [
        &["UBND PHƯỜNG SÀI GÒN"][..],
        &[],
        &["TT", "Tên", "X (m)", "Y (m)"],
        &["1", "Mốc 1", "1191454.611", "603481.588"],
        &["2", "Mốc 2", "1191500.25", "603500.5"],
        &["3", "Mốc 3", "hỏng", "603500.5"],
    ];
    let cell = |text: &&str| {
        let kind = match text.parse::<f64>() {
            Ok(_) => format!(r#"office:value-type="float" office:value="{text}""#),
            Err(_) => r#"office:value-type="string""#.to_owned(),
        };
        format!("<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: &&[&str]| {
        let cells: String = cells.iter().map(cell).collect();
        let cells = if cells.is_empty() { "<table:table-cell/>".to_owned() } else { cells };
        format!("<table:table-row>{cells}</table:table-row>")
    };
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.2"
        xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
        xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
        xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
        <table:table table:name="moc">{}</table:table></office:spreadsheet></office:body>
        </office:document-content>"#,
        rows.iter().map(row).collect::<String>()
    );
    let members: [(&str, &[u8]); 2] = [
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ];
    let path = city.write("a.ods", crate::common::zip::stored(&members));
    let report = city.import(&path, |r| r.crs = Some("EPSG:9210".parse().unwrap())).unwrap();
    let layer = &report.layers[0];
    assert_eq!((layer.read, layer.accepted, layer.rejected), (3, 2, 1), "{:?}", layer.issues);
    assert_eq!(layer.geometry, GeometryKind::Point);
    let names: Vec<&str> = layer.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names[..2], ["TT", "Tên"]);
    let [x, y] = parts(city.features("test")[0].geometry.as_ref().unwrap())[0][0];
    assert!((x - 106.698).abs() < 1e-8 && (y - 10.7725).abs() < 1e-8, "{x} {y}");
}

/// GDAL reads `x` as 0 and `106,7` as 106.
#[test]
fn positions_of_gml_that_are_no_numbers_are_rejected() {
    let feature = |geometry: &str| {
        format!(
            "<gml:featureMember><o:thua><o:geometry><gml:{geometry}</o:geometry></o:thua></gml:featureMember>"
        )
    };
    let gml = |geometries: &[&str]| {
        let features: String = geometries.iter().map(|geometry| feature(geometry)).collect();
        format!(
            "<?xml version=\"1.0\"?><o:FeatureCollection xmlns:o=\"http://a.test/\" \
             xmlns:gml=\"http://www.opengis.net/gml\">{features}</o:FeatureCollection>"
        )
    };
    let good = "Point srsName=\"EPSG:4326\"><gml:pos>106.7 10.77</gml:pos></gml:Point>";
    for bad in [
        "Point srsName=\"EPSG:4326\"><gml:coordinates>106.7,x</gml:coordinates></gml:Point>",
        "Point srsName=\"EPSG:4326\"><gml:pos>106,7 10,77</gml:pos></gml:Point>",
        "Point srsName=\"urn:ogc:def:crs:EPSG::4326\"><gml:pos>10.77 x</gml:pos></gml:Point>",
        "LineString srsName=\"EPSG:4326\"><gml:posList>106.7 10.77 106.71 10.78 106.72</gml:posList>\
         </gml:LineString>",
        "LineString srsName=\"EPSG:4326\"><gml:posList srsDimension=\"3\">106.7 10.77 1 106.71 a 1\
         </gml:posList></gml:LineString>",
        "Polygon srsName=\"EPSG:4326\"><gml:exterior><gml:LinearRing><gml:posList>106.7 10.77 106.71 10.77 \
         106.71 x 106.7 10.77</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>",
    ] {
        let city = city();
        let report = city.import(city.write("a.gml", gml(&[good, bad, good])), |_| {}).unwrap();
        assert_eq!((report.read, report.accepted, report.rejected), (3, 2, 1), "{bad}: {report:#?}");
        let reject = report.layers[0].issues.iter().find(|issue| issue.feature == Some(2)).unwrap();
        assert!(reject.reason.contains("cannot be read"), "{bad}: {}", reject.reason);
    }
    let decimals = "Point srsName=\"EPSG:4326\"><gml:coordinates decimal=\",\" cs=\" \" ts=\";\">106,7 10,77\
                    </gml:coordinates></gml:Point>";
    let city = city();
    assert_eq!(city.import(city.write("a.gml", gml(&[good, decimals])), |_| {}).unwrap().accepted, 2);
}

/// A workbook of old Macintosh programs: GDAL reads its days four years too early.
#[test]
fn days_that_are_counted_from_1904_are_refused() {
    let sheet = |from: &str| {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let parts = "http://schemas.openxmlformats.org/package/2006";
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        let members = [
            (
                "[Content_Types].xml",
                format!(
                    r#"<Types xmlns="{parts}/content-types"><Default Extension="rels"
                    ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
                    <Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>
                    <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>
                    <Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/></Types>"#
                ),
            ),
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{parts}/relationships"><Relationship Id="r1"
                    Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{office}">{from}<sheets>
                    <sheet name="thua" sheetId="1" r:id="r1"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{parts}/relationships"><Relationship Id="r1"
                    Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2"
                    Type="{office}/styles" Target="styles.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/styles.xml",
                format!(
                    r#"<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>
                    </cellXfs></styleSheet>"#
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!(
                    r#"<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>ngay</t>
                    </is></c></row><row r="2"><c r="A2" s="1"><v>45839</v></c></row></sheetData></worksheet>"#
                ),
            ),
        ];
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        crate::common::zip::stored(&members)
    };
    let city = city();
    city.import(city.write("a.xlsx", sheet("")), |_| {}).unwrap();
    assert_eq!(city.features("test")[0].values[0], Value::Date(parse_date("2025-07-01").unwrap()));
    let error = city.import(city.write("b.xlsx", sheet("<workbookPr date1904=\"1\"/>")), |_| {}).unwrap_err();
    assert!(error.to_string().contains("1904"), "{error}");
}
