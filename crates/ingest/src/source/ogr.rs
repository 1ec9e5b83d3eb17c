//! Files that GDAL reads.

mod added;
mod cells;
mod dbf;
mod dgn;
mod domains;
mod dxf;
mod dxf_scan;
mod esri_json;
mod fid;
mod flatgeobuf;
mod geometries;
mod gml;
mod gpx;
mod kml;
mod look;
mod messages;
mod positions;
mod prepare;
mod reading;
mod shapefile;
mod value;

use std::{cell::RefCell, path::Path};

use citymap_edit::normalize_text;
use citymap_model::{FieldType, Value, text::tidy_name};
use gdal::{Dataset, vector::LayerAccess};

use super::{
    Body, Format, Parsed, Reader, Sink, SourceLayer, foreign, from_wkb,
    record::ValueReader,
    survey::{from_latin1, latin1_bytes, undecoded},
    systems::Systems,
};
use crate::{ImportError, Request, encoding::TextDecoder, gdal_log};
use cells::OddCells;
use dxf_scan::Drawing;
use fid::FidColumn;
use look::Look;
use prepare::{Opener, advice, prepare};
use reading::Reading;
use value::How;

/// A file that GDAL has open, or rather can open again: each reading opens it anew, on its own thread.
pub(crate) struct OgrReader {
    pub driver: String,
    pub notes: Vec<String>,
    pub layers: Vec<OgrLayer>,
    shown: String,
    /// How values are read that do not say everything themselves.
    values: ValueReader,
    /// Numbers of a `.dbf` that GDAL does not give as they are written.
    digits: Option<dbf::Digits>,
    /// Cells of a GeoPackage that GDAL does not give as they are.
    cells: OddCells,
    opener: Opener,
    /// What our own look through a DXF found.
    drawing: Option<Drawing>,
}

/// A layer and how to read it.
pub(crate) struct OgrLayer {
    pub layer: SourceLayer,
    position: usize,
    /// The fields that are taken, by their positions in GDAL's; a numbering column that is kept stands before
    /// them.
    fields: Vec<(usize, How)>,
    /// The names of the fields as GDAL has them, byte by byte.
    raw_names: Vec<String>,
    fid: Option<FidColumn>,
    /// The geometries of a feature that are read, by their names and positions: the first that is there.
    geometries: Vec<(String, usize)>,
    /// The systems that geometries name for themselves, where the layer has none.
    systems: Option<Systems>,
    /// Texts come byte by byte and are in this encoding.
    bytes: Option<TextDecoder>,
}

/// Drivers whose empty text means that there is none: they leave such fields unset.
fn blank_is_null(driver: &str) -> bool {
    matches!(
        driver,
        "LIBKML"
            | "KML"
            | "GPX"
            | "DXF"
            | "DGN"
            | "XLSX"
            | "ODS"
            | "FlatGeobuf"
            | "GML"
            | "TopoJSON"
            | "ESRIJSON"
    )
}

impl Reader for OgrReader {
    fn driver(&self) -> &str {
        &self.driver
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn is_incomplete(&self) -> bool {
        self.opener.incomplete
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        self.layers.iter().map(|layer| &layer.layer).collect()
    }

    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let Some(plan) = self.layers.get(layer) else { return Ok(Vec::new()) };
        let mut reading = Reading::of(self, plan)?;
        let dataset = self.reopened(self.opener.open())?;
        let mut ogr =
            dataset.layer(plan.position).map_err(|error| reading.malformed(1, error.to_string()))?;
        gdal_log::take();
        if !reading.features(&mut ogr, 0, sink) {
            return Ok(Vec::new());
        }
        if let Some(beyond) = &self.opener.rows_beyond {
            let table = self.reopened(self.opener.open_at(&beyond.table))?;
            let mut ogr = table.layer(0).map_err(|error| reading.malformed(1, error.to_string()))?;
            if !reading.features(&mut ogr, beyond.first, sink) {
                return Ok(Vec::new());
            }
        }
        reading.end(sink)
    }

    fn parse(&self, layer: usize, body: Body) -> Parsed {
        match body {
            Body::Wkb { id, wkb, values, fault, system } => {
                let (values, warnings) = self.decode(layer, values);
                let mut parsed = from_wkb(id, wkb, values, fault);
                parsed.system = system;
                parsed.warnings.extend(warnings);
                parsed
            }
            other => foreign(other),
        }
    }
}

impl OgrReader {
    fn reopened(&self, dataset: Result<Dataset, String>) -> Result<Dataset, ImportError> {
        dataset.map_err(|reason| {
            ImportError::unreadable(
                &self.shown,
                format!("cannot be opened again: {reason}"),
                "it may have been changed meanwhile: import it again",
            )
        })
    }

    pub(crate) fn open(path: &Path, format: Format, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let mut notes = Vec::new();
        let (opener, declared, drawing) = prepare(path, format, &mut notes)?;
        let dataset = opener.open().map_err(|reason| {
            ImportError::unreadable(
                &shown,
                format!("cannot be opened as {format:?}: {reason}"),
                advice(format),
            )
        })?;
        let driver = dataset.driver().short_name();
        let texts = dgn::texts_of(&driver, &opener, &shown)?;
        let is_text = |name: &str| {
            // Names come byte by byte.
            let own = String::from_utf8(latin1_bytes(name)).unwrap_or_else(|_| name.to_owned());
            request.asked_type_of(&tidy_name(&own)) == Some(FieldType::Text)
        };
        let digits = match opener.dbf.as_ref().map(|source| dbf::Digits::of(source, &is_text)) {
            None => None,
            Some(found) => found.map_err(|error| {
                ImportError::unreadable(&shown, format!("its .dbf cannot be read ({error})"), advice(format))
            })?,
        };
        notes.extend(digits.iter().flat_map(|digits| digits.notes.iter().cloned()));
        let cells = match driver.as_str() {
            "GPKG" => OddCells::of(&opener.path).map_err(|error| {
                ImportError::unreadable(&shown, format!("cannot be read ({error})"), advice(format))
            })?,
            _ => OddCells::default(),
        };
        notes.extend(cells.notes.iter().cloned());
        let look = Look {
            dataset: &dataset,
            driver: &driver,
            dgn_texts: &texts,
            digits: digits.as_ref(),
            cells: &cells,
            path: &opener.path,
            declared: &declared,
            misplaced: &opener.misplaced,
            request,
            shown: &shown,
            days: if driver == "FlatGeobuf" { flatgeobuf::days(&opener.path) } else { None },
            geometry_columns: RefCell::default(),
        };
        let mut layers = Vec::new();
        for position in 0..dataset.layer_count() {
            let layer = dataset.layer(position).map_err(|e| {
                ImportError::malformed(&shown, format!("layer {}", position + 1), e.to_string())
            })?;
            let name = layer.name();
            // GeoPackage keeps styles beside the data.
            if name == "layer_styles" {
                notes.push("the table `layer_styles` (QGIS styles) was left out".into());
                continue;
            }
            let mut found = look.layer(layer, position)?;
            let facts = domains::facts(&opener, &dataset, &driver, &name, path);
            domains::apply(&facts, &found.raw_names, &mut found.layer.fields);
            layers.push(found);
        }
        look.refuse_unknown_column()?;
        if layers.is_empty() {
            return Err(ImportError::unreadable(&shown, "holds no layer", "check that it is the right file"));
        }
        // Empty layers of a source of several (GPX has five, always) say nothing.
        let filled = layers.iter().filter(|layer| layer.layer.count != Some(0)).count();
        if filled > 0 && filled < layers.len() {
            let empty: Vec<&str> =
                layers.iter().filter(|l| l.layer.count == Some(0)).map(|l| l.layer.name.as_str()).collect();
            notes.push(format!("empty layers were left out: {}", empty.join(", ")));
            layers.retain(|layer| layer.layer.count != Some(0));
        } else if filled == 0 {
            layers.truncate(1);
        }
        let values = ValueReader::of(request);
        Ok(Self { driver, notes, layers, shown, values, digits, cells, opener, drawing })
    }

    /// Turns byte texts into Unicode, and tells of those that hold bytes without a meaning.
    fn decode(&self, layer: usize, mut values: Vec<Value>) -> (Vec<Value>, Vec<String>) {
        let mut warnings = Vec::new();
        let own = self.layers.get(layer);
        if let Some(decoder) = own.and_then(|layer| layer.bytes) {
            for (position, value) in values.iter_mut().enumerate() {
                if let Value::Text(text) = value {
                    let decoded = from_latin1(text, decoder);
                    if decoded.unknown > 0 {
                        let field = own.and_then(|own| own.layer.fields.get(position));
                        warnings.push(undecoded(field.map_or("", |field| &field.name), decoder.encoding()));
                    }
                    *text = decoded.text;
                }
            }
        } else {
            for value in &mut values {
                if let Value::Text(text) = value {
                    *text = normalize_text(std::mem::take(text));
                }
            }
        }
        if self.driver == "DXF" {
            for value in &mut values {
                if let Value::Text(text) = value
                    && let Some(plain) = dxf::unescaped(text)
                {
                    *text = plain;
                }
            }
        }
        (values, warnings)
    }
}
