//! Zip archives: every member of a format that is read comes in as the file that it is, and the others are
//! named; layers and members can be chosen.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{
    City, city, gdal,
    zip::{damaged, stored},
};
use citymap_ingest::Report;

const POINT: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"ma":"A"},
"geometry":{"type":"Point","coordinates":[106.7,10.77]}}]}"#;

/// A file of one point that GDAL writes, and its parts, by their extensions.
fn made(city: &City, driver: &str, extension: &str) -> Vec<(String, Vec<u8>)> {
    let source = city.write("source.geojson", POINT);
    let folder = city.folder.path().join(extension);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("a.{extension}"));
    let options: &[&str] = if extension == "mif" { &["-dsco", "FORMAT=MIF"] } else { &[] };
    let files = ["-f", driver, path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "a"];
    gdal("ogr2ogr", &[&files[..], options].concat());
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let own = path.extension().unwrap().to_string_lossy().into_owned();
        parts.push((own, std::fs::read(&path).unwrap()));
    }
    parts
}

/// An archive of members of those names.
fn archive(city: &City, members: &[(String, Vec<u8>)]) -> std::path::PathBuf {
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    city.write("a.zip", stored(&members))
}

/// The parts under a name.
fn under(name: &str, parts: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    parts.iter().map(|(side, content)| (format!("{name}.{side}"), content.clone())).collect()
}

fn notes(report: &Report) -> String {
    report.files[0].notes.join("\n")
}

#[test]
fn every_format_is_read_from_an_archive() {
    for (driver, extension) in [
        ("ESRI Shapefile", "shp"),
        ("GPKG", "gpkg"),
        ("GeoJSON", "geojson"),
        ("GeoJSONSeq", "geojsonl"),
        ("FlatGeobuf", "fgb"),
        ("KML", "kml"),
        ("GPX", "gpx"),
        ("MapInfo File", "tab"),
        ("MapInfo File", "mif"),
        ("DXF", "dxf"),
    ] {
        let city = city();
        let name = "Dữ liệu/Thửa đất";
        let mut members = under(name, &made(&city, driver, extension));
        members.push(("__MACOSX/._a.shp".into(), vec![0, 5]));
        let path = archive(&city, &members);
        let report = city.import(&path, |r| r.crs = Some("EPSG:4326".parse().unwrap())).unwrap();
        assert_eq!((report.read, report.accepted), (1, 1), "{extension}");
        let notes = notes(&report);
        assert!(notes.contains(&format!("`{name}.{extension}` was taken")), "{notes}");
        assert!(!notes.contains("MACOSX") && !notes.contains("tmp"), "{notes}");
    }
}

#[test]
fn all_members_are_layers_and_can_be_chosen() {
    let city = city();
    let shapes = made(&city, "ESRI Shapefile", "shp");
    let mut members = [under("quan1/thua", &shapes), under("quan3/thua", &shapes)].concat();
    members.extend(under("khac", &made(&city, "GPKG", "gpkg")));
    members.push(("doc/huong_dan.pdf".into(), b"%PDF".to_vec()));
    members.push(("cu.zip".into(), stored(&[("a", b"")])));
    let path = archive(&city, &members);
    let report = city.import(&path, |r| r.layer = None).unwrap();
    let ids: Vec<&str> = report.layers.iter().map(|layer| layer.id.as_str()).collect();
    assert_eq!(ids, ["thua", "thua_2", "a"]);
    let told = notes(&report);
    assert!(told.contains("huong_dan.pdf` (not of a format"), "{told}");
    assert!(told.contains("cu.zip` (an archive in the archive"), "{told}");

    let report = city.import(&path, |r| r.members = vec!["quan3/thua.shp".into()]).unwrap();
    assert_eq!(report.layers.len(), 1);
    assert!(notes(&report).contains("khac.gpkg` (not named"), "{}", notes(&report));
    let error = city.import(&path, |r| r.members = vec!["nha.shp".into()]).unwrap_err().to_string();
    assert!(error.contains("--member") && error.contains("quan1/thua.shp"), "{error}");
    let report = city.import(&path, |r| r.layer_names = vec!["a".into()]).unwrap();
    assert_eq!(report.layers.len(), 1);
}

#[test]
fn a_missing_index_is_made_again_inside_an_archive_too() {
    let city = city();
    let shapes = made(&city, "ESRI Shapefile", "shp");
    let members: Vec<_> =
        under("thua", &shapes).into_iter().filter(|(name, _)| !name.ends_with("shx")).collect();
    let report = city.import(archive(&city, &members), |_| {}).unwrap();
    assert_eq!(report.accepted, 1);
    assert!(notes(&report).contains(".shx file is missing"), "{}", notes(&report));
}

#[test]
fn an_archive_without_data_says_what_it_holds() {
    let city = city();
    for (name, word) in [("inner.zip", "unpack it"), ("a.pdf", "not of a format"), ("a.shx", "a part of")] {
        let path = archive(&city, &[(name.to_owned(), b"x".to_vec())]);
        let error = city.import(&path, |_| {}).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(word), "{error}");
    }
    // A damaged member is an error that names it, and no path of a temporary folder.
    let path = archive(&city, &[("a/b.gpkg".into(), b"SQLite format 3\0x".to_vec())]);
    let error = city.import(&path, |_| {}).unwrap_err().to_string();
    assert!(error.contains("a.zip, member `a/b.gpkg`") && !error.contains("/b.gpkg:"), "{error}");
    for name in ["leer.zip", "leer.kmz", "leer.xlsx"] {
        let error = city.import(city.write(name, stored(&[])), |_| {}).unwrap_err().to_string();
        assert!(error.contains("an archive without any file"), "{error}");
    }
    for (name, format) in [("a.csv", "CSV"), ("a.gpkg", "GeoPackage"), ("a.fgb", "FlatGeobuf")] {
        let error = city.import(city.write(name, [0, 1, 2, 3].repeat(9)), |_| {}).unwrap_err().to_string();
        assert!(error.contains(&format!("its content is not {format}")), "{error}");
    }
    // A text that is no data is left out beside data.
    let members = [("a.geojson".to_owned(), POINT.into()), ("meta.xml".into(), b"<metadata/>".to_vec())];
    let report = city.import(archive(&city, &members), |_| {}).unwrap();
    assert!(notes(&report).contains("meta.xml"), "{}", notes(&report));
}

/// Bytes that changed on their way: no reader notices, but the checksum of the archive does.
#[test]
fn a_member_with_a_wrong_checksum_is_refused_by_name() {
    for (archive, member, content) in [
        ("a.zip", "b/a.geojson", POINT),
        ("a.zip", "b/a.csv", "ten,lon,lat\nA,106.7,10.77\n"),
        ("a.kmz", "doc.kml", "<kml></kml>"),
        ("a.xlsx", "xl/workbook.xml", "<workbook/>"),
        ("a.ods", "content.xml", "<office:document-content/>"),
    ] {
        for deflated in [false, true] {
            let city = city();
            let path = city.write(archive, damaged(member, content.as_bytes(), deflated));
            let error = city.import(&path, |_| {}).unwrap_err().to_string();
            assert!(error.contains(archive) && error.contains(&format!("`{member}`")), "{error}");
            assert!(error.contains("checksum"), "{archive} {deflated}: {error}");
        }
    }
    // A damaged part is named, and so is a damaged table beside sound data.
    let city = city();
    let sound = stored(&[("a.shp", b"12345678"), ("a.dbf", b"a table of eight bytes")]);
    let mut changed = sound.clone();
    let at = sound.windows(7).position(|window| window == b"a table").unwrap();
    changed[at] ^= 1;
    let error = city.import(city.write("a.zip", changed), |_| {}).unwrap_err().to_string();
    assert!(error.contains("`a.shp`") && error.contains("`a.dbf`: "), "{error}");
    let mut beside = stored(&[("a.geojson", POINT.as_bytes()), ("b.csv", b"ten,lon,lat\nA,106.7,10.77\n")]);
    let at = beside.windows(7).position(|window| window == b"ten,lon").unwrap();
    beside[at] ^= 1;
    let error = city.import(city.write("a.zip", beside), |_| {}).unwrap_err().to_string();
    assert!(error.contains("`b.csv`") && error.contains("checksum"), "{error}");
}

#[test]
fn layers_have_systems_of_their_own() {
    let city = city();
    let csv = "ten,x,y\nA,603481.588,1191454.611\n";
    let members = [("a.csv".to_owned(), csv.into()), ("b.csv".into(), csv.replace('A', "B").into_bytes())];
    let path = archive(&city, &members);
    // One layer of unknown system refuses all, but not the others when they are chosen.
    assert!(city.import(&path, |r| r.layer_crs = vec![("a".into(), "EPSG:9210".parse().unwrap())]).is_err());
    let own = |name: &str, code: &str| (name.to_owned(), code.parse().unwrap());
    let report = city
        .import(&path, |r| {
            r.layer_crs = vec![own("a", "EPSG:9210")];
            r.layer_names = vec!["a".into()];
        })
        .unwrap();
    assert_eq!(report.layers[0].crs.as_ref().unwrap().crs, "EPSG:9210");
    let report =
        city.import(&path, |r| r.layer_crs = vec![own("a", "EPSG:9210"), own("b", "EPSG:3405")]).unwrap();
    let systems: Vec<&str> = report.layers.iter().map(|l| l.crs.as_ref().unwrap().crs.as_str()).collect();
    assert_eq!(systems, ["EPSG:9210", "EPSG:3405"]);
    let error = city.import(&path, |r| r.layer_names = vec!["c".into()]).unwrap_err().to_string();
    assert!(error.contains("--layer-name") && error.contains("a, b"), "{error}");
}

#[test]
fn a_kmz_is_read() {
    let city = city();
    let kml = made(&city, "KML", "kml").remove(0).1;
    let members: [(&str, &[u8]); 2] = [("doc.kml", &kml), ("files/icon.png", b"\x89PNG")];
    let path = city.write("a.kmz", stored(&members));
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!((report.read, report.accepted), (1, 1));
}
