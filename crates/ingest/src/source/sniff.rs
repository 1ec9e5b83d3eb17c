//! What a file is, by its first bytes rather than its name.

use std::{fs, io::Read, path::Path};

use super::parts;
use super::utf16;
use crate::ImportError;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Shapefile,
    /// The table of a Shapefile without its shapes.
    Dbf,
    GeoPackage,
    GeoJson,
    GeoJsonSeq,
    FlatGeobuf,
    Kml,
    /// Simple features, and what application schemas (XPlanung, INSPIRE, CityGML) have of them.
    Gml,
    TopoJson,
    EsriJson,
    Parquet,
    Gpx,
    MapInfo,
    Dxf,
    Dgn,
    Csv,
    FileGdb,
    Ods,
    Xlsx,
    Osm,
    /// A zip archive (a KMZ is one) with files of these formats in it.
    Zip,
}

impl Format {
    /// Its name, as messages give it.
    fn name(self) -> &'static str {
        match self {
            Self::Shapefile => "Shapefile",
            Self::Dbf => "dBase table",
            Self::GeoPackage => "GeoPackage",
            Self::GeoJson => "GeoJSON",
            Self::GeoJsonSeq => "GeoJSON lines",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::Kml => "KML",
            Self::Gml => "GML",
            Self::TopoJson => "TopoJSON",
            Self::EsriJson => "Esri JSON",
            Self::Parquet => "GeoParquet",
            Self::Gpx => "GPX",
            Self::MapInfo => "MapInfo",
            Self::Dxf => "DXF",
            Self::Dgn => "DGN",
            Self::Csv => "CSV",
            Self::FileGdb => "File Geodatabase",
            Self::Ods => "ODS",
            Self::Xlsx => "XLSX",
            Self::Osm => "OSM",
            Self::Zip => "zip archive",
        }
    }

    /// Whether a feature has one geometry at most, by the format.
    pub(crate) fn has_one_geometry(self) -> bool {
        !matches!(self, Self::Gml | Self::Parquet | Self::Csv | Self::Ods | Self::Xlsx)
    }

    /// The only drivers that may open it: none that follows references to other files or hosts.
    pub(crate) fn drivers(self) -> &'static [&'static str] {
        match self {
            Self::Shapefile | Self::Dbf => &["ESRI Shapefile"],
            Self::GeoPackage => &["GPKG"],
            Self::FlatGeobuf => &["FlatGeobuf"],
            Self::Kml => &["LIBKML", "KML"],
            Self::Gml => &["GML"],
            Self::TopoJson => &["TopoJSON"],
            Self::EsriJson => &["ESRIJSON"],
            Self::Gpx => &["GPX"],
            Self::MapInfo => &["MapInfo File"],
            Self::Dxf => &["DXF"],
            Self::Dgn => &["DGN"],
            Self::FileGdb => &["OpenFileGDB"],
            Self::Ods => &["ODS"],
            Self::Xlsx => &["XLSX"],
            Self::Osm => &["OSM"],
            Self::GeoJson | Self::GeoJsonSeq | Self::Csv | Self::Parquet | Self::Zip => &[],
        }
    }
}

/// What a file is.
#[derive(Debug)]
pub(crate) struct Sniffed {
    pub format: Format,
    /// If its name says something else.
    pub note: Option<String>,
}

const FORMATS: &str = "Shapefile, GeoPackage, GeoJSON, FlatGeobuf, KML, GPX, GML, TopoJSON, \
     Esri JSON, GeoParquet, MapInfo TAB or MIF, DXF, DGN, CSV, \
     File Geodatabase, ODS, XLSX and OSM PBF are read";

/// Looks at a file (or at a `.gdb` folder).
pub(crate) fn sniff(path: &Path) -> Result<Sniffed, ImportError> {
    let shown = path.display().to_string();
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fail = |reason: &str, advice: &str| Err(ImportError::unreadable(shown.clone(), reason, advice));
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => {
            return fail(&format!("cannot be read ({error})"), "check the path and its permissions");
        }
    };
    if meta.is_dir() {
        return if extension == "gdb" {
            Ok(Sniffed { format: Format::FileGdb, note: None })
        } else {
            fail("is a folder and no File Geodatabase (whose name ends in .gdb)", "name the files in it")
        };
    }
    if !meta.is_file() {
        return fail("is a pipe or a device", "write its content to a file, and import that");
    }
    if meta.len() == 0 {
        return fail("is empty", "copy or download it again");
    }
    let mut head = Vec::new();
    if let Err(error) = fs::File::open(path).and_then(|file| file.take(8_192).read_to_end(&mut head)) {
        return fail(&format!("cannot be read ({error})"), "check the path and its permissions");
    }
    let by_name = by_name(&extension);
    let unicode = utf16::order(&head).map(|order| utf16::to_utf8(&head, order).bytes);
    let by_content = by_content(unicode.as_deref().unwrap_or(&head), path, &extension);
    if unicode.is_some() {
        return match (by_content, by_name) {
            (Content::Is(format @ (Format::GeoJson | Format::GeoJsonSeq)), _) => {
                Ok(Sniffed { format, note: None })
            }
            (Content::Text, None | Some(Format::Csv)) => Ok(Sniffed { format: Format::Csv, note: None }),
            _ => fail("is UTF-16 text of a format that is read as UTF-8 only", "save it as UTF-8"),
        };
    }
    match (by_content, by_name) {
        (Content::Is(format), Some(named)) if format == named => Ok(Sniffed { format, note: None }),
        (Content::Is(format), _) => {
            let usual = matches!(
                extension.as_str(),
                "json" | "xml" | "txt" | "zip" | "pbf" | "id" | "kmz" | "gml" | "db" | ""
            );
            Ok(Sniffed {
                format,
                note: (!usual).then(|| {
                    format!(
                        "the name ends in .{extension}, but the content is {}; it was read as that",
                        format.name()
                    )
                }),
            })
        }
        (Content::Refused(reason, advice), _) => fail(reason, advice),
        (Content::Text, Some(Format::Csv | Format::MapInfo | Format::Dxf)) => {
            Ok(Sniffed { format: by_name.unwrap_or(Format::Csv), note: None })
        }
        (Content::Text, Some(format @ (Format::GeoJson | Format::GeoJsonSeq))) => {
            Ok(Sniffed { format, note: None })
        }
        (Content::Text, None) if matches!(extension.as_str(), "txt" | "") => {
            Ok(Sniffed { format: Format::Csv, note: None })
        }
        // A MapInfo file is named by any of its parts; only the .tab opens.
        (_, None) if matches!(extension.as_str(), "dat" | "map" | "id" | "ind") => {
            fail("is a part of a MapInfo table", "name the .tab file beside it")
        }
        (_, None) if extension == "dbf" && parts::beside(path, "shp").is_none() && is_dbf(&head) => {
            Ok(Sniffed { format: Format::Dbf, note: None })
        }
        (_, None) if matches!(extension.as_str(), "dbf" | "shx" | "prj" | "cpg") => {
            if parts::beside(path, "shp").is_some() {
                fail("is a part of a Shapefile", "name the .shp file beside it")
            } else {
                fail("is a part of a Shapefile, and the .shp file is missing", "get the other parts again")
            }
        }
        (Content::Text | Content::Binary, Some(named)) => fail(
            &format!("has a name that ends in .{extension}, but its content is not {}", named.name()),
            "the file may be damaged or renamed: copy it again, or give it its right name",
        ),
        (Content::Text | Content::Binary, None) => fail("is of no known format", FORMATS),
    }
}

/// Whether a file of that extension (in small letters) can be a source.
pub(crate) fn is_named_like_data(extension: &str) -> bool {
    by_name(extension).is_some() || matches!(extension, "txt" | "xml" | "dbf" | "kmz")
}

fn by_name(extension: &str) -> Option<Format> {
    Some(match extension {
        "shp" => Format::Shapefile,
        "gpkg" => Format::GeoPackage,
        "geojson" | "json" => Format::GeoJson,
        "topojson" => Format::TopoJson,
        "parquet" | "geoparquet" => Format::Parquet,
        "gml" => Format::Gml,
        "geojsonl" | "geojsons" | "geojsonseq" | "ndjson" | "jsonl" | "ndgeojson" => Format::GeoJsonSeq,
        "fgb" => Format::FlatGeobuf,
        "kml" => Format::Kml,
        "gpx" => Format::Gpx,
        "tab" | "mif" | "mid" => Format::MapInfo,
        "dxf" => Format::Dxf,
        "dgn" => Format::Dgn,
        "csv" | "tsv" => Format::Csv,
        "ods" => Format::Ods,
        "xlsx" => Format::Xlsx,
        "pbf" | "osm" => Format::Osm,
        _ => return None,
    })
}

/// Whether the first bytes are the head of a dBase table: its length is that of whole field descriptions.
fn is_dbf(head: &[u8]) -> bool {
    let Some([low, high, row @ ..]) = head.get(8..12) else { return false };
    let length = u16::from_le_bytes([*low, *high]);
    matches!(head.first(), Some(0x02 | 0x03 | 0x30 | 0x31 | 0x83 | 0x8B | 0xF5))
        && length >= 33
        && (length % 32 == 1 || head[0] == 0x30 || head[0] == 0x31)
        && row != [0, 0]
}

enum Content {
    Is(Format),
    Refused(&'static str, &'static str),
    Text,
    Binary,
}

fn by_content(head: &[u8], path: &Path, extension: &str) -> Content {
    let has = |needle: &[u8]| head.windows(needle.len()).any(|window| window == needle);
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = text.trim_ascii_start();
    if head.starts_with(b"SQLite format 3\0") {
        // GeoPackage marks itself at byte 68; older ones leave it out.
        let marked = head.get(68..72).is_some_and(|id| matches!(id, b"GPKG" | b"GP10" | b"GP11" | b"GP12"));
        return if marked || extension == "gpkg" {
            Content::Is(Format::GeoPackage)
        } else {
            Content::Refused(
                "is an SQLite database and no GeoPackage",
                "export the tables to a GeoPackage first",
            )
        };
    }
    if head.starts_with(&[0, 0, 0x27, 0x0A]) {
        return if extension == "shx" { Content::Binary } else { Content::Is(Format::Shapefile) };
    }
    if head.starts_with(b"PAR1") {
        return Content::Is(Format::Parquet);
    }
    if head.starts_with(b"fgb\x03") {
        return Content::Is(Format::FlatGeobuf);
    }
    if head.get(4..20).is_some_and(|part| part.windows(9).any(|w| w == b"OSMHeader")) {
        return Content::Is(Format::Osm);
    }
    if head.starts_with(b"PK\x05\x06") {
        return Content::Refused("is an archive without any file in it", "get it or write it again");
    }
    if head.starts_with(b"PK\x03\x04") {
        return match extension {
            "xlsx" => Content::Is(Format::Xlsx),
            "ods" => Content::Is(Format::Ods),
            _ if has(b"opendocument.spreadsheet") => Content::Is(Format::Ods),
            _ if has(b"[Content_Types].xml") && has(b"xl/") => Content::Is(Format::Xlsx),
            _ => Content::Is(Format::Zip),
        };
    }
    if head.starts_with(&[0x08, 0x09, 0xFE, 0x02]) || head.starts_with(&[0xC8, 0x09, 0xFE, 0x02]) {
        return Content::Is(Format::Dgn);
    }
    if head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Content::Refused(
            "is a DGN version 8 or old Office file, which is not read",
            "save it as DGN version 7, DXF or XLSX",
        );
    }
    if head.starts_with(b"AC10") {
        return Content::Refused("is a DWG drawing, which is not read", "save it as DXF");
    }
    if head.starts_with(b"AutoCAD Binary DXF") {
        return Content::Refused("is a binary DXF drawing, which is not read", "save it as a text DXF");
    }
    if text.starts_with(b"<") {
        return if has(b"<OGRVRT") || has(b"<VRT") {
            Content::Refused(
                "is a virtual source, which only points to other files",
                "import the file that it names",
            )
        } else if has(b"<kml") {
            Content::Is(Format::Kml)
        } else if has(b"<gpx") {
            Content::Is(Format::Gpx)
        } else if has(b"<osm") {
            Content::Is(Format::Osm)
        } else if has(b"http://www.opengis.net/gml") {
            Content::Is(Format::Gml)
        } else {
            Content::Refused("is XML of no known sort", FORMATS)
        };
    }
    if text.starts_with(b"!table") {
        return Content::Is(Format::MapInfo);
    }
    if matches!(extension, "mid") && path.with_extension("mif").exists() {
        return Content::Refused("is a part of a MapInfo file", "name the .mif file beside it");
    }
    if text.len() > 7 && text[..7].eq_ignore_ascii_case(b"version") && has(b"olumns") {
        return Content::Is(Format::MapInfo);
    }
    if text.starts_with(b"{") {
        let plain: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let says = |needle: &[u8]| plain.windows(needle.len()).any(|window| window == needle);
        if says(b"\"type\":\"Topology\"") || extension == "topojson" {
            return Content::Is(Format::TopoJson);
        }
        if says(b"\"geometryType\":\"esriGeometry") || says(b"\"type\":\"esriFieldType") {
            return Content::Is(Format::EsriJson);
        }
    }
    if text.starts_with(b"{") || text.starts_with(b"[") || text.starts_with(b"\x1E") {
        let sequence = text.starts_with(b"\x1E")
            || matches!(by_name(extension), Some(Format::GeoJsonSeq))
            || starts_with_two_objects(text);
        return Content::Is(if sequence { Format::GeoJsonSeq } else { Format::GeoJson });
    }
    if head.contains(&0) {
        return Content::Binary;
    }
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    if let (Some(b"0" | b"999"), Some(second)) = (lines.next(), lines.next())
        && (second == b"SECTION" || extension == "dxf")
    {
        return Content::Is(Format::Dxf);
    }
    Content::Text
}

/// Whether one whole object is on the first line that is not empty, and another on the second.
fn starts_with_two_objects(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.take(2).filter(|line| line.starts_with(b"{") && line.ends_with(b"}")).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str, bytes: &[u8]) -> Result<Format, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        sniff(&path).map(|s| s.format).map_err(|e| e.to_string())
    }

    #[test]
    fn content_goes_before_name() {
        assert_eq!(look("a.shp", b"{\"type\":\"Point\"}"), Ok(Format::GeoJson));
        assert_eq!(look("a.csv", b"x,y\n1,2\n"), Ok(Format::Csv));
        assert_eq!(look("a.json", b"{\"a\":1}\n{\"a\":2}\n"), Ok(Format::GeoJsonSeq));
        assert_eq!(look("a.csv", b"fgb\x03fgb\x00"), Ok(Format::FlatGeobuf));
    }

    #[test]
    fn what_is_no_data_is_refused_with_advice() {
        for (name, bytes) in [
            ("a.geojson", &b""[..]),
            ("a.gpkg", b"hello"),
            ("a.vrt", b"<OGRVRTDataSource/>"),
            ("a.dwg", b"AC1032"),
        ] {
            let message = look(name, bytes).unwrap_err();
            assert!(message.contains(name) && message.contains(';'), "{message}");
        }
        assert!(sniff(Path::new("/no/such/file")).is_err());
        assert!(sniff(tempfile::tempdir().unwrap().path()).is_err());
    }
}
