//! What a file is and how its features come out of it, whatever the format.

mod archive;
pub(crate) mod csv;
pub(crate) mod geojson;
mod geojson_geometry;
mod geoparquet;
mod json_input;
mod json_text;
mod markup;
mod ogr;
mod osm;
pub(crate) mod parts;
mod record;
mod sniff;
mod splitter;
mod spreadsheet;
pub(crate) mod survey;
pub(crate) mod systems;
pub(crate) mod table;
pub(crate) mod utf16;
mod zipped;

use std::{collections::BTreeSet, path::Path};

use citymap_crs::Crs;
use citymap_geometry::{GeometryFault, wkb};
use citymap_model::{Field, GeometryKind, Role, Title, Value};
use geo_types::Geometry;

use crate::{ImportError, Request, build::PlaceNote, report::EncodingReport, srs::Srs};
pub(crate) use record::{decimal_comma, keeps_digits};
pub(crate) use sniff::{Format, sniff};
pub(crate) use table::exchange;

/// A layer as the source has it.
#[derive(Clone, Debug)]
pub(crate) struct SourceLayer {
    pub name: String,
    pub fields: Vec<Field>,
    pub kind: GeometryKind,
    pub srs: Srs,
    /// The systems that features name for themselves.
    pub systems: Vec<Crs>,
    /// The names of its columns X and Y, if Vietnamese papers may have exchanged them.
    pub exchangeable: Option<[String; 2]>,
    /// Some of its coordinates as stored.
    pub points: survey::SeenPoints,
    pub encoding: EncodingReport,
    /// How many features there are, where that is known beforehand.
    pub count: Option<u64>,
    /// The first features' values, for guessing what fields mean.
    pub sample: Vec<Vec<Value>>,
    /// What the layer is, where the format tells (OSM themes).
    pub role: Option<Role>,
    /// What there is to say of it as a whole.
    pub warnings: Vec<String>,
    /// What people read, where the reader knows better than the source's name.
    pub title: Option<Title>,
    /// Who must be named on the map.
    pub attribution: Option<String>,
}

/// A feature as it came from the file, not yet looked at.
pub(crate) struct Raw {
    /// Its number in its layer, from 1.
    pub index: u64,
    /// The line on which it starts, for text formats.
    pub line: Option<u64>,
    pub body: Body,
}

/// What a feature came as; made sense of in parallel.
pub(crate) enum Body {
    /// From GDAL: the geometry as WKB, with the system that it names for itself.
    Wkb {
        id: Option<String>,
        wkb: Option<Vec<u8>>,
        values: Vec<Value>,
        fault: Option<String>,
        system: Option<Crs>,
    },
    /// Text of a GeoJSON feature.
    Json(Vec<u8>),
    /// Text that should have been one and is none.
    Broken { text: Vec<u8>, reason: String },
    /// The cells of a row of a table, as the bytes that they are.
    Cells(Vec<Vec<u8>>),
}

/// A feature in the source's coordinates.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub id: Option<String>,
    pub geometry: Shape,
    pub values: Vec<Value>,
    /// Why the whole feature cannot be taken, whatever its geometry.
    pub fault: Option<String>,
    pub warnings: Vec<String>,
    pub dropped_z: bool,
    pub curved: bool,
    /// The system of its geometry, where the feature names one for itself; none for that of its layer.
    pub system: Option<Crs>,
}

/// A geometry, or what stands in its place.
#[derive(Debug)]
pub(crate) enum Shape {
    Null,
    Good(Geometry<f64>),
    /// What is wrong, and the geometry as it came: WKB, or text.
    Bad(GeometryFault, Original),
}

/// A geometry as it came.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Original {
    Wkb(Vec<u8>),
    Text(String),
}

/// Takes features one by one; `false` means enough.
pub(crate) type Sink<'a> = dyn FnMut(Raw) -> bool + 'a;

/// A file that is open and has been looked through as far as its layers need it. One implementation a format.
///
/// Features are read one after another and parsed in parallel: [`Reader::read`] hands over what the file
/// holds as it is, [`Reader::parse`] makes sense of it on another thread.
pub(crate) trait Reader: Send + Sync {
    /// How the file is read: GDAL's driver, or our own reader's name.
    fn driver(&self) -> &str;

    /// What there is to say of the file as a whole.
    fn notes(&self) -> &[String];

    /// Whether one part of the file lacks what another one has.
    fn is_incomplete(&self) -> bool {
        false
    }

    /// The layers in the file, in its order.
    fn layers(&self) -> Vec<&SourceLayer>;

    /// Hands over the features of the layer at a position, in order, and then gives notes: what only reading
    /// the whole layer can show. Runs on a thread of its own.
    ///
    /// # Errors
    /// [`ImportError`] if the file breaks off or cannot be read any more.
    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError>;

    /// What there is to know about places in the layer at a position.
    fn places(&self, _layer: usize) -> &[PlaceNote] {
        &[]
    }

    /// Makes sense of one feature that [`Reader::read`] of the same reader handed over.
    fn parse(&self, layer: usize, body: Body) -> Parsed;
}

/// A reader and what there is to say of its file, also by whoever found out its format.
pub(crate) struct Source {
    pub(crate) reader: Box<dyn Reader>,
    pub(crate) notes: Vec<String>,
}

/// Opens a file with the reader of its format, which its content tells, and looks it through.
///
/// # Errors
/// [`ImportError`] if the file is not there, is of no known format, or is damaged.
pub(crate) fn open(path: &Path, request: &Request) -> Result<Source, ImportError> {
    crate::gdal_log::listen();
    crate::trust::set_up_gdal().map_err(ImportError::Usage)?;
    let sniffed = sniff(path)?;
    if sniffed.format == Format::Zip {
        let reader = Box::new(zipped::ZipReader::open(path, request)?);
        let notes = reader.notes().to_vec();
        return Ok(Source { reader, notes });
    }
    if !request.members.is_empty() {
        return Err(ImportError::Usage(format!(
            "{} is no archive: --member names files in a .zip or .kmz",
            path.display()
        )));
    }
    open_file(path, request)
}

/// Opens a file that is no archive, or a member of one that was unpacked.
fn open_file(path: &Path, request: &Request) -> Result<Source, ImportError> {
    crate::gdal_log::take();
    let sniffed = sniff(path)?;
    let table = matches!(sniffed.format, Format::Csv | Format::Ods | Format::Xlsx);
    let asked = &request.columns;
    if asked.geometry.is_some() && !table && sniffed.format.has_one_geometry() {
        return Err(ImportError::Usage(format!(
            "{} has one geometry a feature: --geometry-column names one of several in tables (CSV, ODS, \
             XLSX), GML and GeoParquet; leave it out, or import the file by itself",
            path.display()
        )));
    }
    if (asked.x.is_some() || asked.y.is_some() || asked.wkt.is_some()) && !table {
        return Err(ImportError::Usage(format!(
            "{} is no table: --x, --y and --wkt name the columns of tables (CSV, ODS, XLSX); leave them out, \
             or import it by itself",
            path.display()
        )));
    }
    let reader: Box<dyn Reader> = match sniffed.format {
        Format::GeoJson | Format::GeoJsonSeq => {
            Box::new(geojson::GeoJsonReader::open(path, sniffed.format == Format::GeoJsonSeq, request)?)
        }
        Format::Csv => Box::new(csv::CsvReader::open(path, request)?),
        Format::Ods | Format::Xlsx => {
            Box::new(spreadsheet::SpreadsheetReader::open(path, sniffed.format, request)?)
        }
        Format::Parquet => Box::new(geoparquet::GeoParquetReader::open(path, request)?),
        Format::Osm => Box::new(osm::OsmReader::open(path)?),
        Format::Zip => {
            return Err(ImportError::unreadable(
                path.display().to_string(),
                "is an archive in an archive, which is not read",
                "unpack the outer one and import the inner one",
            ));
        }
        format => Box::new(ogr::OgrReader::open(path, format, request)?),
    };
    let notes = reader.notes().iter().cloned().chain(sniffed.note).collect();
    Ok(Source { reader, notes })
}

/// Makes sense of a feature whose geometry is WKB.
fn from_wkb(id: Option<String>, bytes: Option<Vec<u8>>, values: Vec<Value>, fault: Option<String>) -> Parsed {
    let mut parsed = Parsed {
        id,
        geometry: Shape::Null,
        values,
        fault,
        warnings: Vec::new(),
        dropped_z: false,
        curved: false,
        system: None,
    };
    if let Some(bytes) = bytes {
        parsed.geometry = match wkb::read_source(&bytes) {
            Ok(read) => {
                (parsed.dropped_z, parsed.curved) = (read.dropped_z, read.curved);
                Shape::Good(read.geometry)
            }
            Err(fault) => Shape::Bad(fault, Original::Wkb(bytes)),
        };
    }
    parsed
}

/// Makes sense of a feature that was handed over as WKB.
pub(crate) fn parse_wkb(body: Body) -> Parsed {
    match body {
        Body::Wkb { id, wkb, values, fault, system } => Parsed { system, ..from_wkb(id, wkb, values, fault) },
        other => foreign(other),
    }
}

/// A feature that another reader must have handed over: a defect, told as a reject.
fn foreign(body: Body) -> Parsed {
    let (text, what) = match body {
        Body::Broken { text, reason } => return broken(&text, reason),
        Body::Json(text) => (text, "a GeoJSON feature"),
        Body::Cells(cells) => (cells.join(&b'|'), "a row of a table"),
        Body::Wkb { .. } => (Vec::new(), "a feature with WKB"),
    };
    broken(&text, format!("{what} came from a file of another format; please report this file"))
}

/// A feature of which nothing could be made but its text.
pub(crate) fn broken(text: &[u8], reason: String) -> Parsed {
    // Enough to recognise it by.
    let text = String::from_utf8_lossy(&text[..text.len().min(100_000)]).into_owned();
    Parsed {
        id: None,
        geometry: Shape::Bad(GeometryFault::new(reason.clone()), Original::Text(text)),
        values: Vec::new(),
        fault: Some(reason),
        warnings: Vec::new(),
        dropped_z: false,
        curved: false,
        system: None,
    }
}

/// Which of several geometry columns is meant by a name.
///
/// # Errors
/// [`ImportError::Usage`] naming the columns if it is none of them.
pub(crate) fn chosen_column(names: &[String], asked: &str, shown: &str) -> Result<String, ImportError> {
    let exact = names.iter().find(|own| *own == asked);
    let found = exact.or_else(|| names.iter().find(|own| own.to_lowercase() == asked.to_lowercase()));
    found.cloned().ok_or_else(|| {
        ImportError::Usage(format!(
            "{shown}: there is no geometry column `{asked}` (--geometry-column); the geometry columns are {}",
            names.join(", ")
        ))
    })
}

/// What is said of the geometry columns that are not read.
pub(crate) fn other_columns(read: &str, others: &[String]) -> String {
    let others: Vec<String> = others.iter().map(|own| format!("`{own}`")).collect();
    format!(
        "the geometry was taken from the column `{read}`, not from {}; --geometry-column FIELD names another",
        others.join(", ")
    )
}

/// The kind of a layer that held `known` so far and now meets geometry of the kind `found`.
pub(crate) fn join_kinds(known: Option<GeometryKind>, found: GeometryKind) -> Option<GeometryKind> {
    Some(known.map_or(found, |known| known.joined_with(found)))
}

/// Names made different by numbers at their end; gives the ones that were changed.
pub(crate) fn distinct(names: &mut [String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut changed = Vec::new();
    for slot in names {
        // Column names in SQL do not tell case.
        let mut name = slot.clone();
        let mut number = 2;
        while !seen.insert(name.to_lowercase()) {
            name = format!("{slot}_{number}");
            number += 1;
        }
        if name != *slot {
            changed.push(format!("field `{slot}` occurs twice; the second one is called `{name}`"));
            *slot = name;
        }
    }
    changed
}
