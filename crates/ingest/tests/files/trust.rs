//! Files that name other files are refused, or what they name is not read.

#![allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::path::{Path, PathBuf};

use crate::common::{City, city, gdal, zip::stored};
use rusqlite::Connection;

/// What no import may bring into the store.
const SECRET: &str = "0123456789abcdef-secret";

/// A city with a file that holds a secret, and its path.
fn city_with_secret() -> (City, PathBuf) {
    let city = city();
    let secret = city.write("writers", format!("survey,{SECRET}\n"));
    (city, secret)
}

/// A GeoPackage of one point, changed by SQL with a writable schema.
fn geopackage(city: &City, name: &str, sql: &str) -> PathBuf {
    let point = r#"{"type":"Feature","properties":{"ten":"A"},
        "geometry":{"type":"Point","coordinates":[106.7,10.7]}}"#;
    let json = city.write("point.geojson", point);
    let path = city.folder.path().join(name);
    gdal("ogr2ogr", &["-f", "GPKG", path.to_str().unwrap(), json.to_str().unwrap(), "-nln", "diem"]);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA writable_schema = ON").unwrap();
    conn.execute_batch(sql).unwrap();
    path
}

/// Puts a statement into the schema as a hostile program would, without executing it.
fn planted(kind: &str, name: &str, statement: &str) -> String {
    let statement = statement.replace('\'', "''");
    format!(
        "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('{kind}', '{name}', \
         '{name}', 0, '{statement}'); INSERT INTO gpkg_contents (table_name, data_type, identifier) \
         VALUES ('{name}', 'attributes', '{name}')"
    )
}

/// The import fails, says `word`, and leaves no layer behind.
fn refused(city: &City, path: &Path, word: &str) {
    let before = city.layers().len();
    let error = city.import(path, |_| {}).unwrap_err().to_string();
    let name = path.file_name().unwrap().to_string_lossy();
    assert!(error.contains(word) && error.contains(&*name) && error.contains(';'), "{name}: {error}");
    assert_eq!(city.layers().len(), before);
}

/// Nothing of the secret is in the store, whatever became of the file.
fn no_secret(city: &City) {
    let store = std::fs::read(city.folder.path().join("city.gpkg")).unwrap();
    assert!(!store.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
}

#[test]
fn a_geopackage_that_reads_other_files_is_refused() {
    let (city, secret) = city_with_secret();
    let secret = secret.to_str().unwrap();
    let text = format!("CREATE VIRTUAL TABLE notes USING VirtualText('{secret}', 'UTF-8', 0, COMMA)");
    let shape = format!("CREATE/**/VIRTUAL TABLE notes USING [VirtualShape]('{secret}', 'UTF-8', 4326)");
    let generated = format!("CREATE TABLE notes (a INTEGER, b TEXT AS (BlobFromFile('{secret}')))");
    for (number, (kind, statement, word)) in [
        ("table", text.as_str(), "`virtualtext`"),
        ("table", &shape, "`virtualshape`"),
        // A type that is not that of the text: SQLite says it itself.
        ("view", &text, "malformed"),
        ("table", &generated, "`blobfromfile`"),
        ("view", "CREATE VIEW notes AS SELECT * FROM diem", "the view `notes`"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = geopackage(&city, &format!("plant{number}.gpkg"), &planted(kind, "notes", statement));
        refused(&city, &path, word);
        let inside = stored(&[("thu muc/a.gpkg", &std::fs::read(&path).unwrap())]);
        refused(&city, &city.write(&format!("plant{number}.gpkg.zip"), inside), word);
    }
    no_secret(&city);
}

#[test]
fn a_trigger_or_view_of_another_program_is_refused_and_those_of_the_format_are_read() {
    let city = city();
    let trigger = "CREATE TRIGGER mine AFTER INSERT ON diem BEGIN DELETE FROM diem; END";
    refused(&city, &geopackage(&city, "trigger.gpkg", trigger), "the trigger `mine`");
    let views = "CREATE VIEW st_spatial_ref_sys AS SELECT srs_name, srs_id FROM gpkg_spatial_ref_sys;
        CREATE TABLE ghi_chu (id INTEGER PRIMARY KEY, noi_dung VARCHAR(20) DEFAULT (upper('a')));
        CREATE INDEX theo_noi_dung ON ghi_chu (lower(noi_dung));
        INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('ghi_chu', 'attributes', 'g')";
    let path = geopackage(&city, "format.gpkg", views);
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(report.accepted, 1);
    let inside = stored(&[("a/b.gpkg", &std::fs::read(&path).unwrap())]);
    assert_eq!(city.import(city.write("format.zip", inside), |_| {}).unwrap().accepted, 1);
}

#[test]
fn a_geopackage_with_a_write_ahead_log_is_read_with_it_and_nothing_is_written_beside_it() {
    let city = city();
    let path = geopackage(&city, "log.gpkg", "");
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE them (id INTEGER PRIMARY KEY, b);
         INSERT INTO them (b) VALUES ('x'), ('y');
         INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('them', 'attributes', 'them')",
    )
    .unwrap();
    // Still open: what was committed is in the log only.
    let elsewhere = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let name = format!("log.gpkg{end}");
        std::fs::copy(city.folder.path().join(&name), elsewhere.path().join(&name)).unwrap();
    }
    let report = city.import(elsewhere.path().join("log.gpkg"), |_| {}).unwrap();
    assert_eq!(report.accepted, 3, "{report:#?}");
    let mut names: Vec<_> =
        std::fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["log.gpkg", "log.gpkg-wal"]);
}

#[test]
fn a_geopackage_with_a_journal_in_use_is_refused() {
    let city = city();
    let path = geopackage(&city, "journal.gpkg", "");
    city.write("journal.gpkg-journal", [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7, 0, 0]);
    refused(&city, &path, "-journal");
    // One that was left behind empty is of no account.
    city.write("journal.gpkg-journal", [0; 512]);
    assert_eq!(city.import(&path, |_| {}).unwrap().accepted, 1);
}

#[test]
fn a_mapinfo_table_that_names_others_is_refused() {
    let (city, _) = city_with_secret();
    let folder = city.folder.path().display().to_string();
    for (name, text) in [
        ("seamless.tab", "!table\n!version 300\nbegin_metadata\n\"\\IsSeamless\" = \"TRUE\"\nend_metadata\n"),
        (
            "view.tab",
            "!table\nOpen Table \"FOLDER/writers\" Hide\nCreate View v As\nSelect a\nFrom writers\n",
        ),
        ("linked.TAB", "!table\nDefinition Table\n  Type LINKED Charset \"Neutral\"\n"),
    ] {
        refused(&city, &city.write(name, text.replace("FOLDER", &folder)), "MapInfo table");
    }
    no_secret(&city);
}

#[test]
fn xml_that_declares_entities_is_refused_and_links_are_not_followed() {
    let (city, secret) = city_with_secret();
    let secret = secret.display();
    let entity = format!("<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY e SYSTEM \"file://{secret}\">]>\n");
    let place = "<Placemark><name>&e;</name><Point><coordinates>106.7,10.7</coordinates></Point></Placemark>";
    let kml = |inside: &str| {
        format!("<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>{inside}</Document></kml>")
    };
    refused(&city, &city.write("entity.kml", entity.clone() + &kml(place)), "document type");
    let gpx = "<gpx version=\"1.1\"><wpt lat=\"10.7\" lon=\"106.7\"><name>&e;</name></wpt></gpx>";
    refused(&city, &city.write("entity.gpx", entity + gpx), "document type");
    let other =
        kml("<Placemark><name>OTHER</name><Point><coordinates>106.8,10.8</coordinates></Point></Placemark>");
    let other = city.write("other.kml", other);
    let link =
        format!("<NetworkLink><name>n</name><Link><href>{}</href></Link></NetworkLink>", other.display());
    let link = kml(&format!("{link}{}", place.replace("&e;", "A")));
    let report = city.import(city.write("link.kml", link), |_| {}).unwrap();
    let shown = format!("{:?}", city.features("test"));
    assert!(report.accepted >= 1 && !shown.contains("106.8"), "{shown}");
    no_secret(&city);
}

#[test]
fn a_gml_s_schema_and_links_elsewhere_are_not_followed() {
    let (city, secret) = city_with_secret();
    let gml = |schema: &str, member: &str| {
        format!(
            "<gml:FeatureCollection xmlns:gml=\"http://www.opengis.net/gml\" \
             xmlns:xlink=\"http://www.w3.org/1999/xlink\" xmlns:o=\"http://o\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://o \
             {schema}\"><gml:featureMember><o:thua fid=\"t.1\"><o:ten>007</o:ten>\
             <o:geom><gml:Point srsName=\"EPSG:4326\"><gml:pos>106.7 10.7</gml:pos></gml:Point></o:geom>\
             </o:thua></gml:featureMember>{member}</gml:FeatureCollection>"
        )
    };
    // A schema that would turn the text into a number, if it were read.
    let schema = city.write(
        "other.xsd",
        "<schema xmlns=\"http://www.w3.org/2001/XMLSchema\" xmlns:gml=\"http://www.opengis.net/gml\" \
         xmlns:o=\"http://o\" targetNamespace=\"http://o\"><element name=\"thua\" type=\"o:T\" \
         substitutionGroup=\"gml:_Feature\"/><complexType name=\"T\"><complexContent>\
         <extension base=\"gml:AbstractFeatureType\"><sequence><element name=\"geom\" \
         type=\"gml:PointPropertyType\"/><element name=\"SECRETFIELD\" type=\"string\"/></sequence>\
         </extension></complexContent></complexType></schema>",
    );
    let link = format!(
        "<gml:featureMember xlink:href=\"{0}\"/><gml:featureMember><o:thua>\
         <o:ten xlink:href=\"file://{0}\">b</o:ten>\
         <o:geom xlink:href=\"{0}#p\"/></o:thua></gml:featureMember>",
        secret.display()
    );
    for (name, schema, member) in [
        ("schema.gml", schema.display().to_string(), ""),
        ("relative.gml", "other.xsd".to_owned(), ""),
        ("link.gml", "x.xsd".to_owned(), link.as_str()),
    ] {
        let path = city.write(name, gml(&schema, member));
        let report = city.import(&path, |_| {}).unwrap();
        assert!(report.accepted >= 1, "{name}: {report:#?}");
        let names: Vec<&str> = report.layers[0].fields.iter().map(|field| field.name.as_str()).collect();
        assert!(names.contains(&"ten") && !names.contains(&"SECRETFIELD"), "{name}: {names:?}");
    }
    let entity = format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file://{}\">]>", secret.display());
    refused(&city, &city.write("entity.gml", entity + &gml("x.xsd", "")), "document type");
    no_secret(&city);
}

#[test]
fn a_drawing_s_external_reference_is_not_followed() {
    let city = city();
    let drawing = |block: &str, entity: &str| {
        format!(
            "0\nSECTION\n2\nHEADER\n0\nENDSEC\n0\nSECTION\n2\nBLOCKS\n{block}0\nENDSEC\n0\nSECTION\n2\n\
             ENTITIES\n{entity}0\nPOINT\n8\n0\n10\n106.7\n20\n10.7\n0\nENDSEC\n0\nEOF\n"
        )
    };
    let other = city.write("other.dxf", drawing("", "0\nPOINT\n8\n0\n10\n106.8\n20\n10.8\n"));
    let block =
        format!("0\nBLOCK\n8\n0\n2\nX\n70\n4\n10\n0\n20\n0\n3\nX\n1\n{}\n0\nENDBLK\n", other.display());
    let path = city.write("xref.dxf", drawing(&block, "0\nINSERT\n8\n0\n2\nX\n10\n0\n20\n0\n"));
    let report = city.import(&path, |request| request.crs = Some("EPSG:4326".parse().unwrap())).unwrap();
    assert!(report.accepted >= 1);
    assert!(!format!("{:?}", city.features("test")).contains("106.8"));
}

#[test]
fn an_archive_whose_members_lead_out_of_it_is_refused() {
    let city = city();
    let point = geopackage(&city, "a.gpkg", "");
    let bytes = std::fs::read(&point).unwrap();
    for name in ["/tmp/a.gpkg", "../a.gpkg", "x/../../a.gpkg", "C:\\a.gpkg", "..\\a.gpkg"] {
        refused(&city, &city.write("out.zip", stored(&[("b.gpkg", &bytes), (name, &bytes)])), "leads out");
    }
}
