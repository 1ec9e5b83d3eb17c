//! Texts in any encoding and mixture, whatever the file declares, and numbers that keep their digits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests that fail them")]

use std::path::PathBuf;

use crate::common::{City, city};
use citymap_ingest::{Encoding, Report};
use citymap_model::{FieldType, Value};

const NAMES: [&str; 8] = [
    "Phường Sài Gòn",
    "Xã Bình Chánh",
    "Đường Nguyễn Huệ",
    "Khu chế xuất Tân Thuận",
    "Đất ở tại đô thị",
    "Quận Gò Vấp",
    "Hẻm giới Phạm Ngũ Lão",
    "Cộng Hòa",
];
const LEGACY: [Encoding; 5] =
    [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii, Encoding::Vps, Encoding::Cp1258];

/// A column of a `.dbf`: its name, type, width and decimals.
type Column = (&'static str, u8, usize, u8);

/// A `.dbf` with these cells, blanks behind them (texts) or before them (numbers).
fn dbf(language: u8, columns: &[Column], rows: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let head = 32 + 32 * columns.len() + 1;
    let row: usize = 1 + columns.iter().map(|column| column.2).sum::<usize>();
    let mut bytes = vec![3, 126, 11, 30];
    bytes.extend(u32::try_from(rows.len()).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(head).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(row).unwrap().to_le_bytes());
    bytes.resize(32, 0);
    bytes[29] = language;
    for (name, kind, width, decimals) in columns {
        let mut field = vec![0; 32];
        field[..name.len()].copy_from_slice(name.as_bytes());
        (field[11], field[16], field[17]) = (*kind, u8::try_from(*width).unwrap(), *decimals);
        bytes.extend(field);
    }
    bytes.push(0x0D);
    for cells in rows {
        bytes.push(b' ');
        for ((_, kind, width, _), cell) in columns.iter().zip(cells) {
            let blanks = vec![b' '; width - cell.len()];
            bytes
                .extend(if *kind == b'C' { [cell.clone(), blanks] } else { [blanks, cell.clone()] }.concat());
        }
    }
    bytes.push(0x1A);
    bytes
}

/// A table of texts alone, with the page that it declares.
fn table(city: &City, texts: &[Vec<u8>], cpg: Option<&str>, language: u8) -> PathBuf {
    let rows: Vec<Vec<Vec<u8>>> = texts.iter().map(|text| vec![text.clone()]).collect();
    let cpg_file = city.folder.path().join("bang.cpg");
    match cpg {
        Some(page) => drop(city.write("bang.cpg", page)),
        None => drop(std::fs::remove_file(cpg_file)),
    }
    city.write("bang.dbf", dbf(language, &[("ten", b'C', 60, 0)], &rows))
}

fn texts(city: &City) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    city.features("test").iter().map(|feature| text(&feature.values[0])).collect()
}

fn notes(report: &Report) -> String {
    let issues = report.layers[0].issues.iter().map(|issue| issue.reason.clone());
    issues.chain(report.files[0].notes.iter().cloned()).collect::<Vec<_>>().join("\n")
}

fn same(encoding: Encoding, found: &[String], expected: &[&str]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            // Most capitals of TCVN3 share the byte of their small letter.
            found == expected
                || (encoding == Encoding::Tcvn3 && found.to_lowercase() == expected.to_lowercase())
        })
}

#[test]
fn a_few_stray_bytes_do_not_change_how_a_table_is_read() {
    let city = city();
    for stray in [&b"Ph\xC6"[..], b"T\xE3n", b"\xFF", b"T\xC3_n"] {
        for count in [1_usize, 5] {
            let mut bytes = b"ten\n".to_vec();
            for name in NAMES.iter().cycle().take(200) {
                bytes.extend(name.as_bytes());
                bytes.push(b'\n');
            }
            for _ in 0..count {
                bytes.extend(stray);
                bytes.push(b'\n');
            }
            let report = city.import(city.write("p.csv", bytes), |_| {}).unwrap();
            let found = texts(&city);
            let whole: Vec<&str> = NAMES.iter().copied().cycle().take(200).collect();
            assert_eq!(found[..200], whole, "{stray:?}");
            let flagged = report.layers[0].issues.iter().filter(|issue| issue.line.is_some()).count();
            assert_eq!(flagged, count, "{}", notes(&report));
        }
    }
}

/// Declared X with bytes of Y: the bytes win, with a note.
#[test]
fn utf8_beats_any_declared_page() {
    let city = city();
    let utf8: Vec<Vec<u8>> = NAMES.iter().map(|name| name.as_bytes().to_vec()).collect();
    let pages = ["1252", "ISO-8859-1", "1258", "TCVN3", "VISCII", "936", "1251", "GBK"];
    for cpg in pages.iter().map(|page| Some(*page)).chain([None]) {
        for language in [0, 0x03, 0x57, 0x4D, 0x01, 0xC9, 0x13] {
            let report = city.import(table(&city, &utf8, cpg, language), |_| {}).unwrap();
            assert_eq!(texts(&city), NAMES, "{cpg:?} {language:x}: {}", notes(&report));
            let said = cpg.is_some() || !matches!(language, 0 | 0x03 | 0x57);
            assert!(!said || notes(&report).contains("UTF-8"), "{cpg:?} {language:x}: {}", notes(&report));
        }
    }
}

#[test]
fn vietnamese_bytes_beat_a_western_page() {
    let city = city();
    for encoding in LEGACY {
        let bytes: Vec<Vec<u8>> = NAMES.iter().map(|name| encoding.encode(name).unwrap()).collect();
        for cpg in [None, Some("1252"), Some("ISO-8859-1"), Some("1251"), Some("UTF-8")] {
            let report = city.import(table(&city, &bytes, cpg, 0), |_| {}).unwrap();
            assert!(same(encoding, &texts(&city), &NAMES), "{encoding} {cpg:?}: {:?}", texts(&city));
            assert!(cpg.is_none() || notes(&report).contains(encoding.as_str()), "{}", notes(&report));
        }
    }
    // What the page really is stays.
    let french: Vec<Vec<u8>> = ["Café de la Gare", "Forêt d’Orléans", "Besançon"]
        .iter()
        .map(|name| Encoding::Cp1252.encode(name).unwrap())
        .collect();
    city.import(table(&city, &french, Some("1252"), 0), |_| {}).unwrap();
    assert_eq!(texts(&city), ["Café de la Gare", "Forêt d’Orléans", "Besançon"]);
}

/// Encodings × mixtures: most texts in one, some in UTF-8, in any order.
#[test]
fn mixtures_are_read_text_by_text() {
    let city = city();
    for encoding in LEGACY {
        for utf8 in [1, 3, 6, 7] {
            let bytes: Vec<Vec<u8>> = NAMES
                .iter()
                .enumerate()
                .map(|(i, name)| match (i * 5) % NAMES.len() < utf8 {
                    true => name.as_bytes().to_vec(),
                    false => encoding.encode(name).unwrap(),
                })
                .collect();
            // Enough words that a minority is certain.
            let many: Vec<Vec<u8>> = bytes.iter().cycle().take(5 * bytes.len()).cloned().collect();
            let expected: Vec<&str> = NAMES.iter().copied().cycle().take(many.len()).collect();
            let report = city.import(table(&city, &many, None, 0), |_| {}).unwrap();
            assert!(same(encoding, &texts(&city), &expected), "{encoding} {utf8}: {:?}", texts(&city));
            assert!(notes(&report).contains("UTF-8"), "{encoding} {utf8}: {}", notes(&report));
        }
    }
}

/// Two legacy encodings in one table, by rows and by columns, are read text by text and noted.
#[test]
fn two_legacy_encodings_are_read_text_by_text_and_noted() {
    let city = city();
    for (one, other) in [
        (Encoding::Tcvn3, Encoding::Cp1258),
        (Encoding::Tcvn3, Encoding::Vni),
        (Encoding::Vni, Encoding::Cp1258),
    ] {
        for by_columns in [false, true] {
            let mut bytes = b"ten,duong\n".to_vec();
            for (row, name) in NAMES.iter().enumerate() {
                let (left, right) = if by_columns || row % 2 == 0 { (one, other) } else { (other, one) };
                bytes.extend([left.encode(name).unwrap(), right.encode(name).unwrap()].join(&b','));
                bytes.push(b'\n');
            }
            let report = city.import(city.write("p.csv", bytes), |_| {}).unwrap();
            let wrong = city
                .features("test")
                .iter()
                .flat_map(|feature| feature.values.clone())
                .zip(NAMES.iter().flat_map(|name| [name, name]))
                .filter(|(found, name)| match found {
                    Value::Text(found) => found.to_lowercase() != name.to_lowercase(),
                    other => panic!("{other:?}"),
                })
                .count();
            let told = notes(&report);
            assert!(told.contains("the texts mix two encodings"), "{one} {other}: {told}");
            assert!(wrong <= 2, "{one} {other} {by_columns}: {wrong}: {told}");
            assert!(wrong == 0 || !told.contains("; 0 of those"), "{one} {other}: {told}");
        }
    }
}

#[test]
fn utf16_is_read_with_and_without_its_mark() {
    let (tables, city) = (city(), city());
    let table: String = NAMES.iter().map(|name| format!("{name}\t106.7\t10.77\r\n")).collect();
    let table = format!("ten\tlon\tlat\r\n{table}");
    let features: Vec<String> = NAMES
        .iter()
        .map(|name| format!(r#"{{"type":"Feature","properties":{{"ten":"{name}"}},"geometry":null}}"#))
        .collect();
    let json = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    for mark in ["", "\u{FEFF}"] {
        for little in [true, false] {
            let encoded = |text: &str| -> Vec<u8> {
                let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
                format!("{mark}{text}").encode_utf16().flat_map(bytes).collect()
            };
            for name in ["p.csv", "p.txt"] {
                let report = tables.import(tables.write(name, encoded(&table)), |_| {}).unwrap();
                assert_eq!(texts(&tables), NAMES);
                assert!(notes(&report).contains("UTF-16"));
            }
            city.import(city.write("p.geojson", encoded(&json)), |_| {}).unwrap();
            assert_eq!(texts(&city), NAMES);
            city.import(city.write("p.geojsonl", encoded(&features.join("\n"))), |_| {}).unwrap();
            assert_eq!(texts(&city), NAMES);
        }
    }
    let kml: Vec<u8> = "<kml></kml>".repeat(50).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = city.import(city.write("p.kml", kml), |_| {}).unwrap_err().to_string();
    assert!(error.contains("UTF-16") && error.contains("save it as UTF-8"), "{error}");
}

#[test]
fn json_that_is_not_utf8_is_read_and_reported() {
    let city = city();
    for encoding in [Encoding::Tcvn3, Encoding::Vni, Encoding::Viscii] {
        let mut bytes = Vec::new();
        for name in NAMES {
            bytes.extend(br#"{"type":"Feature","properties":{"ten":""#);
            bytes.extend(encoding.encode(name).unwrap());
            bytes.extend(b"\"},\"geometry\":null}\n");
        }
        let report = city.import(city.write("p.geojsonl", bytes), |_| {}).unwrap();
        assert!(same(encoding, &texts(&city), &NAMES), "{encoding}: {:?}", texts(&city));
        assert!(notes(&report).contains("as JSON must be"), "{}", notes(&report));
    }
}

/// Text that was garbled before it came here is reported with the field and a sample.
#[test]
fn garbled_columns_are_reported() {
    let city = city();
    let rows = |garble: &dyn Fn(&str) -> String| -> String {
        NAMES.iter().map(|name| format!("{},{name}\n", garble(name))).collect()
    };
    let western = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    for encoding in [Encoding::Utf8, Encoding::Tcvn3, Encoding::Vni] {
        let text = rows(&|name| western(&encoding.encode(name).unwrap()));
        let report = city.import(city.write("p.csv", format!("hong,lanh\n{text}")), |_| {}).unwrap();
        assert!(notes(&report).contains("field `hong` make no words"), "{encoding}: {}", notes(&report));
        assert!(!notes(&report).contains("`lanh`"), "{encoding}: {}", notes(&report));
    }
    let report = city.import(city.write("p.csv", format!("hong,lanh\n{}", rows(&str::to_owned))), |_| {});
    assert!(!notes(&report.unwrap()).contains("no words"));
}

#[test]
fn whole_numbers_of_a_dbf_keep_their_digits() {
    let city = city();
    let columns: [Column; 4] =
        [("ten", b'C', 4, 0), ("so", b'N', 19, 0), ("dai", b'N', 20, 0), ("ngan", b'N', 5, 0)];
    let row = |cells: [&str; 4]| cells.iter().map(|cell| cell.as_bytes().to_vec()).collect::<Vec<_>>();
    let rows = [
        row(["A", "1234567890123456789", "12345678901234567890", "12345"]),
        row(["B", "-1", "7", "*****"]),
        row(["C", "", "", ""]),
    ];
    let report = city.import(city.write("bang.dbf", dbf(0, &columns, &rows)), |_| {}).unwrap();
    let types: Vec<FieldType> = report.layers[0].fields.iter().map(|field| field.field_type).collect();
    assert_eq!(types, [FieldType::Text, FieldType::Int, FieldType::Text, FieldType::Int]);
    let text = |text: &str| Value::Text(text.to_owned());
    let values: Vec<Vec<Value>> =
        city.features("test").iter().map(|feature| feature.values[1..].to_vec()).collect();
    assert_eq!(
        values,
        [
            vec![Value::Int(1_234_567_890_123_456_789), text("12345678901234567890"), Value::Int(12_345)],
            vec![Value::Int(-1), text("7"), Value::Null],
            vec![Value::Null; 3],
        ]
    );
    assert!(notes(&report).contains("in place of a number: 1 (`ngan` 1)"), "{}", notes(&report));
}

#[test]
fn numbers_of_json_keep_their_digits() {
    let city = city();
    let feature =
        |properties: &str| format!(r#"{{"type":"Feature","properties":{{{properties}}},"geometry":null}}"#);
    let text = [
        feature(r#""a":9223372036854775807,"b":18446744073709551615,"c":184467440737095516160,"d":1.5"#),
        feature(r#""a":1,"b":2,"c":3,"d":9007199254740993,"e":[1,9007199254740993.0]"#),
    ]
    .join("\n");
    city.import(city.write("p.geojsonl", text), |_| {}).unwrap();
    let values: Vec<Vec<String>> = city
        .features("test")
        .iter()
        .map(|feature| feature.values.iter().map(|value| value.to_key().unwrap_or_default()).collect())
        .collect();
    assert_eq!(
        values[0][..4],
        ["9223372036854775807", "18446744073709551615", "184467440737095516160", "1.5"]
    );
    assert_eq!(values[1][..4], ["1", "2", "3", "9007199254740993"]);
    assert_eq!(values[1][4], r#"[1,9007199254740993.0]"#);
    let twice = feature(r#""ma":"A","ma":"B""#);
    let report = city.import(city.write("p.geojsonl", format!("{twice}\n")), |_| {}).unwrap();
    assert!(notes(&report).contains("`ma` is there more than once"), "{}", notes(&report));
    let text = format!("{}\n{}\n", feature(r#""cao":1.5"#), feature(r#""cao":NaN"#));
    let report = city
        .import(
            city.write("p.geojson", {
                let features = text.trim().replace('\n', ",");
                format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
            }),
            |_| {},
        )
        .unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1));
    assert!(notes(&report).contains("`NaN` is no JSON value"), "{}", notes(&report));
}

#[test]
fn cells_of_a_dbf_that_are_no_numbers_are_kept_as_text() {
    let columns: [Column; 2] = [("ma", b'C', 4, 0), ("so", b'N', 9, 0)];
    for (cells, own, kept) in [
        (["7,5", "12"], FieldType::Text, ["7,5", "12"]),
        (["12 345", "1"], FieldType::Text, ["12 345", "1"]),
        (["12abc", "****"], FieldType::Text, ["12abc", ""]),
        (["007", ""], FieldType::Text, ["007", ""]),
        (["1E5", "2"], FieldType::Real, ["100000", "2"]),
        (["1.5", "*********"], FieldType::Real, ["1.5", ""]),
        (["-7", "*********"], FieldType::Int, ["-7", ""]),
    ] {
        let city = city();
        let rows: Vec<Vec<Vec<u8>>> =
            cells.iter().map(|cell| vec![b"A".to_vec(), cell.as_bytes().to_vec()]).collect();
        let report = city.import(city.write("so.dbf", dbf(0, &columns, &rows)), |_| {}).unwrap();
        assert_eq!(report.layers[0].fields[1].field_type, own, "{cells:?}");
        let mut values: Vec<String> = city
            .features("test")
            .iter()
            .map(|feature| feature.values[1].to_key().unwrap_or_default())
            .collect();
        let mut kept = kept.map(str::to_owned).to_vec();
        values.sort();
        kept.sort();
        assert_eq!(values, kept);
        let said = notes(&report);
        assert_eq!(
            said.contains("field `so` is declared as a number and is text"),
            own == FieldType::Text,
            "{said}"
        );
        let stars = cells.iter().any(|cell| cell.starts_with('*'));
        assert_eq!(said.contains("in place of a number: 1 (`so` 1)"), stars, "{said}");
    }
}

#[test]
fn cells_of_a_mid_that_are_no_numbers_are_kept_as_text() {
    let mif = "Version 300\nCharset \"Neutral\"\nDelimiter \",\"\n\
               CoordSys Earth Projection 1, 104\n\
               Columns 3\n  ma Char(8)\n  so Integer\n  rong Decimal(10,2)\n\
               Data\n\nPoint 106.7 10.8\nPoint 106.8 10.8\n";
    for (cells, types, kept) in [
        (["12,1.50", "-7,2"], [FieldType::Int, FieldType::Real], [["12", "1.5"], ["-7", "2"]]),
        (["12abc,\"7,5\"", "1,2"], [FieldType::Text, FieldType::Text], [["12abc", "7,5"], ["1", "2"]]),
        (["007,1E5", ",2"], [FieldType::Text, FieldType::Real], [["007", "100000"], ["", "2"]]),
    ] {
        let city = city();
        city.write("so.mid", format!("\"A\",{}\n\"B\",{}\n", cells[0], cells[1]));
        let report = city.import(city.write("so.mif", mif), |_| {}).unwrap();
        let found: Vec<FieldType> =
            report.layers[0].fields[1..].iter().map(|field| field.field_type).collect();
        assert_eq!(found, types, "{cells:?} {report:?}");
        let mut values: Vec<Vec<String>> = city
            .features("test")
            .iter()
            .map(|feature| feature.values[1..].iter().map(|v| v.to_key().unwrap_or_default()).collect())
            .collect();
        let mut kept = kept.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        values.sort();
        kept.sort();
        assert_eq!(values, kept);
    }
}

/// Numbers of MapInfo tables, of a GeoPackage and of DBF columns with decimals keep their digits, or are
/// text.
#[test]
fn numbers_with_more_digits_than_64_bits_hold_are_text() {
    let city = city();
    let types = |report: &Report| -> Vec<FieldType> {
        report.layers[0].fields.iter().map(|field| field.field_type).collect()
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let columns: [Column; 3] = [("a", b'N', 10, 2), ("b", b'N', 20, 5), ("c", b'N', 20, 2)];
    let row = |cells: [&str; 3]| cells.iter().map(|cell| cell.as_bytes().to_vec()).collect::<Vec<_>>();
    let rows =
        [row(["1.10", "1234567890123.45678", "9007199254740993"]), row(["2.50", "603481.58800", "1.50"])];
    let path = city.write("bang.dbf", dbf(0, &columns, &rows));
    let report = city.import(&path, |_| {}).unwrap();
    assert_eq!(types(&report), [FieldType::Real, FieldType::Text, FieldType::Text], "{}", notes(&report));
    let first = &city.features("test")[0].values;
    assert_eq!(first[..], [Value::Real(1.1), text("1234567890123.45678"), text("9007199254740993")]);
    assert!(notes(&report).contains("more digits than a number keeps"), "{}", notes(&report));
    // As it is written, where text is asked for.
    city.import(&path, |r| r.types = vec![("a".into(), FieldType::Text)]).unwrap();
    assert_eq!(city.features("test")[0].values[0], text("1.10"));

    let tab = city.folder.path().join("bang.tab");
    crate::common::gdal("ogr2ogr", &["-f", "MapInfo File", tab.to_str().unwrap(), path.to_str().unwrap()]);
    let dat = tab.with_extension("dat");
    let mut bytes = std::fs::read(&dat).unwrap();
    // GDAL writes the digits that it keeps.
    let at = bytes.windows(19).position(|cell| cell.starts_with(b"1234567890123.4567")).unwrap();
    bytes[at..at + 19].copy_from_slice(b"1234567890123.45678");
    std::fs::write(&dat, bytes).unwrap();
    let report = city.import(&tab, |r| r.types = vec![("a".into(), FieldType::Text)]).unwrap();
    let first = &city.features("test")[0].values;
    assert_eq!(first[..2], [text("1.10"), text("1234567890123.45678")], "{}", notes(&report));
}

/// SQLite keeps any value in any column: none is read as 0 or cut.
#[test]
fn cells_of_a_geopackage_that_are_not_of_their_column_are_kept() {
    let city = city();
    let path = city.folder.path().join("a.gpkg");
    let source = city.write("s.csv", "a,b,c\n1,2,3\n");
    crate::common::gdal(
        "ogr2ogr",
        &["-f", "GPKG", path.to_str().unwrap(), source.to_str().unwrap(), "-nln", "goc"],
    );
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t(fid INTEGER PRIMARY KEY, vua MEDIUMINT, lon INTEGER, chu INTEGER,
              sach INTEGER, trong INTEGER, le INTEGER);
             INSERT INTO t VALUES (1, 5000000000, 9007199254740993, 'abc', 7, '', 1.5),
              (2, 1, 2, 3, NULL, 4, 2);
             DELETE FROM gpkg_contents; DROP TABLE goc;
             INSERT INTO gpkg_contents(table_name, data_type, identifier) VALUES ('t', 'attributes', 't');",
        )
        .unwrap();
    drop(connection);
    let report = city.import(&path, |_| {}).unwrap();
    let values: Vec<Vec<Value>> = city.features("test").into_iter().map(|feature| feature.values).collect();
    let text = |text: &str| Value::Text(text.to_owned());
    let large = [Value::Int(5_000_000_000), Value::Int(9_007_199_254_740_993)];
    let first = [&large[..], &[text("abc"), Value::Int(7), Value::Null, Value::Real(1.5)]].concat();
    let second = [Value::Int(1), Value::Int(2), text("3"), Value::Null, Value::Int(4), Value::Real(2.0)];
    assert_eq!(values, [first, second.to_vec()], "{}", notes(&report));
    assert!(notes(&report).contains("column `trong` has empty texts"), "{}", notes(&report));
    assert!(notes(&report).contains("column `chu`"), "{}", notes(&report));
}
