//! Files that GDAL reads.

mod dgn;
mod dxf;
mod look;
mod prepare;
mod value;

use std::path::Path;

use citymap_edit::normalize_text;
use citymap_model::{GeometryKind, Value};
use gdal::vector::LayerAccess;

use super::{Body, Format, Parsed, Raw, Reader, Sink, SourceLayer, foreign, from_wkb, survey::from_latin1};
use crate::{ImportError, Request, encoding::Encoding, gdal_log};
use look::Look;
use prepare::{Opener, advice, prepare};
use value::{How, value};

/// A file that GDAL has open, or rather can open again: each reading opens it anew, on its own thread.
pub(crate) struct OgrReader {
    pub driver: String,
    pub notes: Vec<String>,
    pub layers: Vec<OgrLayer>,
    shown: String,
    opener: Opener,
}

/// A layer and how to read it.
pub(crate) struct OgrLayer {
    pub layer: SourceLayer,
    position: usize,
    fields: Vec<How>,
    /// Texts come byte by byte and are in this encoding.
    bytes: Option<Encoding>,
}

/// Drivers whose empty text means that there is none: they leave such fields unset.
fn blank_is_null(driver: &str) -> bool {
    matches!(driver, "LIBKML" | "KML" | "GPX" | "DXF" | "DGN" | "XLSX" | "ODS" | "FlatGeobuf")
}

impl Reader for OgrReader {
    fn driver(&self) -> &str {
        &self.driver
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        self.layers.iter().map(|layer| &layer.layer).collect()
    }

    fn read(&self, layer: usize, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let Some(plan) = self.layers.get(layer) else { return Ok(()) };
        let place = |index: u64| format!("layer `{}`, feature {index}", plan.layer.name);
        let dataset = self.opener.open().map_err(|reason| {
            ImportError::unreadable(
                &self.shown,
                format!("cannot be opened again: {reason}"),
                "it may have been changed meanwhile: import it again",
            )
        })?;
        let mut ogr = dataset
            .layer(plan.position)
            .map_err(|error| ImportError::malformed(&self.shown, place(1), error.to_string()))?;
        let blank = blank_is_null(&self.driver);
        let texts = dgn::texts_of(&self.driver, &self.opener, &self.shown)?;
        gdal_log::take();
        let mut index = 0;
        for feature in ogr.features() {
            index += 1;
            let mut fault =
                gdal_log::take().into_iter().find(|message| message.error).map(|message| message.text);
            let mut values = Vec::with_capacity(plan.fields.len());
            for (field, how) in plan.fields.iter().enumerate() {
                values.push(value(&feature, field, *how, blank).unwrap_or_else(|reason| {
                    let name = plan.layer.fields.get(field).map_or("", |f| f.name.as_str());
                    fault.get_or_insert(format!("field `{name}`: {reason}"));
                    Value::Null
                }));
            }
            dgn::put_back(&texts, &feature, &plan.layer.fields, &mut values);
            let mut bytes = None;
            if plan.layer.kind != GeometryKind::None
                && let Ok(geometry) = feature.geometry_by_index(0)
            {
                match geometry.iso_wkb() {
                    Ok(wkb) => bytes = Some(wkb),
                    Err(error) => {
                        fault = fault.or_else(|| Some(format!("its geometry cannot be read: {error}")));
                    }
                }
            }
            // A null geometry is an error to GDAL's own bookkeeping and none to us.
            gdal_log::take();
            let id = feature.fid().map(|fid| fid.to_string());
            if !sink(Raw { index, line: None, body: Body::Wkb { id, wkb: bytes, values, fault } }) {
                return Ok(());
            }
        }
        if let Some(message) = gdal_log::take().into_iter().find(|message| message.error) {
            return Err(ImportError::malformed(
                &self.shown,
                format!("{} (after which reading stopped)", place(index)),
                format!("{}; the file is cut off or damaged: get it again", message.text),
            ));
        }
        if let Some(count) = plan.layer.count
            && count > index
        {
            return Err(ImportError::malformed(
                &self.shown,
                place(index),
                format!(
                    "the layer says that it holds {count} features, but only {index} could be read; the file \
                     is cut off or damaged: get it again"
                ),
            ));
        }
        Ok(())
    }

    fn parse(&self, layer: usize, body: Body) -> Parsed {
        match body {
            Body::Wkb { id, wkb, values, fault } => from_wkb(id, wkb, self.decode(layer, values), fault),
            other => foreign(other),
        }
    }
}

impl OgrReader {
    pub(crate) fn open(path: &Path, format: Format, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let mut notes = Vec::new();
        let (opener, declared) = prepare(path, format, &mut notes)?;
        let dataset = opener.open().map_err(|reason| {
            ImportError::unreadable(
                &shown,
                format!("cannot be opened as {format:?}: {reason}"),
                advice(format),
            )
        })?;
        let driver = dataset.driver().short_name();
        let texts = dgn::texts_of(&driver, &opener, &shown)?;
        let look = Look {
            dataset: &dataset,
            driver: &driver,
            dgn_texts: &texts,
            declared: &declared,
            request,
            shown: &shown,
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
            layers.push(look.layer(layer, position)?);
        }
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
        Ok(Self { driver, notes, layers, shown, opener })
    }

    /// Turns byte texts into Unicode.
    fn decode(&self, layer: usize, mut values: Vec<Value>) -> Vec<Value> {
        if let Some(encoding) = self.layers.get(layer).and_then(|layer| layer.bytes) {
            for value in &mut values {
                if let Value::Text(text) = value {
                    *text = from_latin1(text, encoding);
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
        values
    }
}
