//! What a file is and how its features come out of it, whatever the format.

pub(crate) mod csv;
pub(crate) mod geojson;
mod geojson_geometry;
mod ogr;
mod osm;
mod record;
mod sniff;
mod splitter;
pub(crate) mod survey;

use std::{collections::BTreeSet, path::Path};

use citymap_geometry::{GeometryFault, wkb};
use citymap_model::{Field, GeometryKind, Role, Title, Value};
use geo_types::Geometry;

use crate::{ImportError, Request, report::EncodingReport, srs::Srs};
pub(crate) use sniff::{Format, sniff};

/// A layer as the source has it.
#[derive(Clone, Debug)]
pub(crate) struct SourceLayer {
    pub name: String,
    pub fields: Vec<Field>,
    pub kind: GeometryKind,
    pub srs: Srs,
    /// Some of its coordinates as stored, for zone proposals.
    pub points: Vec<[f64; 2]>,
    pub encoding: EncodingReport,
    /// How many features there are, where that is known beforehand.
    pub count: Option<u64>,
    /// The first features' values, for guessing what fields mean.
    pub sample: Vec<Vec<Value>>,
    /// What the layer is, where the format tells (OSM themes).
    pub role: Option<Role>,
    /// What there is to say of it as a whole.
    pub warnings: Vec<String>,
    /// Who must be named on the map.
    /// What people read, where the reader knows better than the source's name.
    pub title: Option<Title>,
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
    /// From GDAL.
    Ogr { id: Option<String>, wkb: Option<Vec<u8>>, values: Vec<Value>, fault: Option<String> },
    /// Text of a GeoJSON feature.
    Json(Vec<u8>),
    /// Text that should have been one and is none.
    Broken { text: Vec<u8>, reason: String },
    /// A row of a table, or why it is none.
    Row(Result<Vec<String>, String>, String),
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
#[derive(Clone, Debug)]
pub(crate) enum Original {
    Wkb(Vec<u8>),
    Text(String),
}

/// An open source.
pub(crate) enum Source {
    Ogr(ogr::OgrSource),
    Osm(osm::OsmSource),
    GeoJson(geojson::GeoJsonSource),
    Csv(csv::CsvSource),
}

/// Takes features one by one; `false` means enough.
pub(crate) type Sink<'a> = dyn FnMut(Raw) -> bool + 'a;

impl Source {
    /// Opens a file and looks it through as far as its layers need it.
    pub(crate) fn open(path: &Path, request: &Request) -> Result<Self, ImportError> {
        crate::gdal_log::listen();
        crate::gdal_log::take();
        let sniffed = sniff(path)?;
        let mut source = match sniffed.format {
            Format::GeoJson | Format::GeoJsonSeq => {
                Self::GeoJson(geojson::GeoJsonSource::open(path, sniffed.format == Format::GeoJsonSeq)?)
            }
            Format::Csv => Self::Csv(csv::CsvSource::open(path, request)?),
            Format::Osm => Self::Osm(osm::OsmSource::open(path)?),
            format => Self::Ogr(ogr::OgrSource::open(path, format, request)?),
        };
        if let Some(note) = sniffed.note {
            source.notes_mut().push(note);
        }
        Ok(source)
    }

    pub(crate) fn driver(&self) -> &str {
        match self {
            Self::Ogr(source) => &source.driver,
            Self::Osm(_) => "OSM",
            Self::GeoJson(source) => source.driver(),
            Self::Csv(_) => "CSV",
        }
    }

    pub(crate) fn notes(&self) -> &[String] {
        match self {
            Self::Ogr(source) => &source.notes,
            Self::Osm(source) => &source.notes,
            Self::GeoJson(source) => &source.notes,
            Self::Csv(source) => &source.notes,
        }
    }

    fn notes_mut(&mut self) -> &mut Vec<String> {
        match self {
            Self::Ogr(source) => &mut source.notes,
            Self::Osm(source) => &mut source.notes,
            Self::GeoJson(source) => &mut source.notes,
            Self::Csv(source) => &mut source.notes,
        }
    }

    pub(crate) fn layers(&self) -> Vec<&SourceLayer> {
        match self {
            Self::Ogr(source) => source.layers.iter().map(|layer| &layer.layer).collect(),
            Self::Osm(source) => source.layers.iter().collect(),
            Self::GeoJson(source) => vec![&source.layer],
            Self::Csv(source) => vec![&source.layer],
        }
    }

    /// Hands over a layer's features in order. Runs on a thread of its own.
    pub(crate) fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        match self {
            Self::Ogr(source) => source.read(layer, sink),
            Self::Osm(source) => source.read(layer, sink),
            Self::GeoJson(source) => source.read(sink),
            Self::Csv(source) => source.read(sink),
        }
    }

    /// Makes sense of one feature. Called from several threads.
    pub(crate) fn parse(&self, layer: usize, body: Body) -> Parsed {
        match body {
            Body::Ogr { id, wkb, values, fault } => {
                let values = match self {
                    Self::Ogr(source) => source.decode(layer, values),
                    _ => values,
                };
                from_wkb(id, wkb, values, fault)
            }
            Body::Json(text) => match self {
                Self::GeoJson(source) => source.parse(&text),
                _ => broken(&text, "a GeoJSON feature outside a GeoJSON file".into()),
            },
            Body::Broken { text, reason } => broken(&text, reason),
            Body::Row(row, text) => match self {
                Self::Csv(source) => source.parse(row, text),
                _ => broken(text.as_bytes(), "a row outside a table".into()),
            },
        }
    }
}

fn from_wkb(id: Option<String>, bytes: Option<Vec<u8>>, values: Vec<Value>, fault: Option<String>) -> Parsed {
    let mut parsed = Parsed {
        id,
        geometry: Shape::Null,
        values,
        fault,
        warnings: Vec::new(),
        dropped_z: false,
        curved: false,
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
    }
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
