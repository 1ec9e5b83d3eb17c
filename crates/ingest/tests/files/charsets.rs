//! Texts in the encodings of old drawings and tables.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use std::path::{Path, PathBuf};

use crate::common::{City, city, gdal};
use citymap_ingest::Encoding;
use citymap_model::Value;

const NAMES: [&str; 4] = ["Phường Tân Định", "Xã Bình Chánh", "Đường Nguyễn Huệ", "Hẻm giới Phạm Ngũ Lão"];

/// A stretch of letters that is as long as the name is in the encoding, to be replaced by it in a binary
/// file.
fn stand_in(at: usize, encoding: Encoding) -> String {
    let letter = char::from(b'Q' + u8::try_from(at).unwrap());
    letter.to_string().repeat(encoding.encode(NAMES[at]).unwrap().len())
}

/// Replaces the stand-ins in a file.
fn patch(path: &Path, encoding: Encoding) {
    let mut bytes = std::fs::read(path).unwrap();
    for (at, name) in NAMES.iter().enumerate() {
        let stand_in = stand_in(at, encoding);
        let found = bytes.windows(stand_in.len()).position(|window| window == stand_in.as_bytes()).unwrap();
        bytes[found..found + stand_in.len()].copy_from_slice(&encoding.encode(name).unwrap());
    }
    std::fs::write(path, bytes).unwrap();
}

/// Four points whose field `Text` and label are the stand-ins.
fn source(city: &City, encoding: Encoding) -> PathBuf {
    let rows: String = (0..NAMES.len())
        .map(|at| {
            let text = stand_in(at, encoding);
            format!("POINT({} 1191454),{text},\"LABEL(t:\"\"{text}\"\")\"\n", 603_481 + at)
        })
        .collect();
    city.write("source.csv", format!("WKT,ten,OGR_STYLE\n{rows}"))
}

fn texts(city: &City, field: &str) -> Vec<String> {
    let layer = &city.layers()[0].layer;
    let at = layer.field_index(field).unwrap();
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    city.features("test").iter().map(|feature| text(&feature.values[at])).collect()
}

fn grid(request: &mut citymap_ingest::Request) {
    request.crs = Some("EPSG:9210".parse().unwrap());
}

#[test]
fn dgn_texts_that_are_not_utf8_are_not_lost() {
    for encoding in [Encoding::Tcvn3, Encoding::Vni, Encoding::Utf8] {
        let city = city();
        let path = city.folder.path().join("a.dgn");
        let source = source(&city, encoding);
        let sql = "SELECT GeomFromText(WKT) AS geometry, OGR_STYLE FROM source";
        gdal(
            "ogr2ogr",
            &[
                "-f",
                "DGN",
                path.to_str().unwrap(),
                source.to_str().unwrap(),
                "-dialect",
                "SQLITE",
                "-sql",
                sql,
            ],
        );
        patch(&path, encoding);
        let report = city.import(&path, grid).unwrap();
        assert_eq!(report.layers[0].encoding.encoding, encoding, "{:?}", report.layers[0].encoding);
        assert_eq!(texts(&city, "Text"), NAMES);
        // What the drawing does not say can be said.
        let report = city.import(&path, |r| {
            grid(r);
            r.encoding = Some(Encoding::Cp1252);
        });
        assert_eq!(report.unwrap().layers[0].encoding.encoding, Encoding::Cp1252);
        assert_ne!(texts(&city, "Text"), NAMES);
    }
}

#[test]
fn mapinfo_tables_of_any_charset_are_read_by_their_bytes() {
    for (encoding, charset) in [
        (Encoding::Tcvn3, "Neutral"),
        (Encoding::Tcvn3, "WindowsLatin1"),
        (Encoding::Vni, "Neutral"),
        (Encoding::Utf8, "Neutral"),
        (Encoding::Cp1258, "WindowsVietnamese"),
    ] {
        for ending in ["tab", "mif"] {
            let city = city();
            let path = city.folder.path().join(format!("a.{ending}"));
            let source = source(&city, encoding);
            let mut arguments = vec!["-f", "MapInfo File", path.to_str().unwrap(), source.to_str().unwrap()];
            arguments.extend(["-a_srs", "EPSG:9210", "-select", "ten", "-oo", "GEOM_POSSIBLE_NAMES=WKT"]);
            if ending == "mif" {
                arguments.extend(["-dsco", "FORMAT=MIF"]);
            }
            gdal("ogr2ogr", &arguments);
            patch(&path.with_extension(if ending == "mif" { "mid" } else { "dat" }), encoding);
            let head = std::fs::read_to_string(&path).unwrap();
            assert!(head.contains("Neutral"), "{head}");
            std::fs::write(&path, head.replace("Neutral", charset)).unwrap();
            let report = city.import(&path, |_| {}).unwrap();
            let found = &report.layers[0].encoding;
            assert_eq!(found.encoding, encoding, "{charset} {ending}: {found:?}");
            assert_eq!(texts(&city, "ten"), NAMES, "{charset} {ending}");
        }
    }
}

#[test]
fn dxf_texts_come_as_unicode_escapes_or_bytes() {
    let city = city();
    let body = |text: &[u8]| {
        let mut out = b"  0\nSECTION\n  2\nENTITIES\n  0\nTEXT\n  8\nTHUA\n 10\n603481.588\n \
             20\n1191454.611\n 30\n0.0\n 40\n2.5\n  1\n"
            .to_vec();
        out.extend(text);
        out.extend(b"\n  0\nENDSEC\n  0\nEOF\n");
        out
    };
    city.import(city.write("a.dxf", body(br"Ph\U+01B0\U+1EDDng S\U+00E0i G\U+00F2n")), grid).unwrap();
    assert_eq!(texts(&city, "Text"), ["Phường Sài Gòn"]);
    let bytes = Encoding::Tcvn3.encode("Phường Tân Định").unwrap();
    city.import(city.write("b.dxf", body(&bytes)), grid).unwrap();
    assert_eq!(texts(&city, "Text"), ["Phường Tân Định"]);
}
