//! GeoParquet, and Parquet tables without geometry (<https://geoparquet.org/releases/v1.1.0/>).
//!
//! Debian's GDAL has no Parquet driver, so the file is read by the `parquet` crate: geometry is a column of
//! WKB, and the metadata `geo` says which one and in which system.

mod columns;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use ::parquet::arrow::{
    ProjectionMask,
    arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    },
};
use arrow_array::{Array, RecordBatch};
use citymap_crs::Crs;
use citymap_geometry::wkb;
use citymap_model::{Field, GeometryKind, Value};
use gdal::spatial_ref::SpatialRef;
use serde::Deserialize;

use super::{
    Body, Parsed, Raw, Reader, Sink, SourceLayer, chosen_column, distinct, foreign, from_wkb, join_kinds,
    other_columns,
    survey::{self, SAMPLE, Survey},
};
use crate::{
    ImportError, Request,
    sample::Reservoir,
    srs::{self, Srs},
};
use columns::{Column, column};

/// Rows that are decoded together.
const BATCH: usize = 2_048;

/// The metadata `geo`, as far as it is used.
#[derive(Deserialize)]
struct Geo {
    primary_column: String,
    columns: std::collections::BTreeMap<String, GeoColumn>,
}

/// What the metadata says of a column of geometry.
#[derive(Deserialize)]
struct GeoColumn {
    encoding: String,
    #[serde(default)]
    geometry_types: Vec<String>,
    /// Absent is longitude and latitude; null is not known.
    #[serde(default = "lonlat")]
    crs: serde_json::Value,
    #[serde(default)]
    covering: serde_json::Value,
}

fn lonlat() -> serde_json::Value {
    serde_json::Value::String("OGC:CRS84".into())
}

/// A Parquet file, of which the columns are known.
pub(crate) struct GeoParquetReader {
    path: PathBuf,
    notes: Vec<String>,
    layer: SourceLayer,
    /// The fields with their positions in the file.
    columns: Vec<(usize, Column)>,
    /// The position of the column of geometry.
    geometry: Option<usize>,
}

impl Reader for GeoParquetReader {
    fn driver(&self) -> &str {
        "Parquet"
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn layers(&self) -> Vec<&SourceLayer> {
        vec![&self.layer]
    }

    fn read(&self, _layer: usize, sink: &mut Sink<'_>) -> Result<Vec<String>, ImportError> {
        let mut index = 0;
        self.rows(&mut |wkb, values, fault| {
            index += 1;
            sink(Raw { index, line: None, body: Body::Wkb { id: None, wkb, values, fault, system: None } })
        })?;
        Ok(Vec::new())
    }

    fn parse(&self, _layer: usize, body: Body) -> Parsed {
        match body {
            Body::Wkb { id, wkb, values, fault, .. } => from_wkb(id, wkb, values, fault),
            other => foreign(other),
        }
    }
}

/// Takes a row: its WKB, its values, and why it cannot be taken; `false` means enough.
type TakeRow<'a> = dyn FnMut(Option<Vec<u8>>, Vec<Value>, Option<String>) -> bool + 'a;

impl GeoParquetReader {
    /// Opens a file and looks it through.
    ///
    /// # Errors
    /// [`ImportError`] if it is damaged, or holds geometry in another form than WKB.
    pub(crate) fn open(path: &Path, request: &Request) -> Result<Self, ImportError> {
        let shown = path.display().to_string();
        let damaged = |reason: String| {
            ImportError::unreadable(&shown, reason, "it may be damaged or cut off: get it again")
        };
        let metadata = head(path).map_err(damaged)?;
        let mut notes = Vec::new();
        let GeoColumns { chosen: geo, others } = match geo(&metadata).map_err(damaged)? {
            Some(all) => all.choose(request.columns.geometry.as_deref(), &shown)?,
            None => GeoColumns::default(),
        };
        if let Some((name, own)) = &geo
            && own.encoding != "WKB"
        {
            return Err(ImportError::unreadable(
                &shown,
                format!("holds its geometry (`{name}`) as {}, which is not read", own.encoding),
                "write it again with the encoding WKB",
            ));
        }
        let covering = geo.as_ref().map(|(_, own)| own.covering.to_string()).unwrap_or_default();
        let (mut names, mut found, mut geometry) = (Vec::new(), Vec::new(), None);
        let mut warnings = Vec::new();
        if let (Some((name, _)), false) = (&geo, others.is_empty()) {
            warnings.push(other_columns(name, &others));
        }
        for (position, field) in metadata.schema().fields().iter().enumerate() {
            let name = field.name();
            if geo.as_ref().is_some_and(|(own, _)| own == name) {
                geometry = Some(position);
                continue;
            }
            if others.contains(name) {
                continue;
            }
            match column(field.data_type()) {
                Some(own) => {
                    warnings.extend(own.note().map(|note| format!("field `{name}`: {note}")));
                    names.push(name.clone());
                    found.push((position, own));
                }
                // Boxes around each row, for other readers.
                None if covering.contains(&format!("\"{name}\"")) => {}
                None => notes.push(format!(
                    "the column `{name}` holds {}, which is not read; it was left out",
                    columns::told(field.data_type())
                )),
            }
        }
        if geo.is_some() && geometry.is_none() {
            return Err(damaged("names a column of geometry that it does not have".into()));
        }
        warnings.extend(distinct(&mut names));
        let fields = names
            .into_iter()
            .zip(&found)
            .map(|(name, (_, own))| Field::new(name, own.field_type()))
            .collect();
        let rows = metadata.metadata().file_metadata().num_rows();
        let mut reader = Self {
            notes,
            layer: SourceLayer {
                name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                fields,
                kind: GeometryKind::None,
                srs: geo.as_ref().map_or(Srs::None, |(_, own)| system(&own.crs)),
                points: survey::SeenPoints::default(),
                systems: Vec::new(),
                exchangeable: None,
                encoding: survey::unicode("Parquet is UTF-8"),
                count: u64::try_from(rows).ok(),
                sample: Vec::new(),
                role: None,
                warnings,
                title: None,
                attribution: None,
            },
            path: path.to_owned(),
            columns: found,
            geometry,
        };
        reader.look(geo.map(|(_, own)| own.geometry_types).unwrap_or_default())?;
        Ok(reader)
    }

    /// Takes a sample, and the kind of geometry from what the metadata says or from all rows.
    fn look(&mut self, types: Vec<String>) -> Result<(), ImportError> {
        let declared = types.iter().filter_map(|text| kind(text)).fold(None, join_kinds);
        let whole = self.geometry.is_some() && declared.is_none();
        let mut survey = Survey::default();
        self.rows(&mut |bytes, values, _fault| {
            survey.values(&values);
            if let Some(Ok(read)) = bytes.map(|bytes| wkb::read_source(&bytes)) {
                survey.geometry(&read.geometry, None);
            }
            whole || survey.sample.len() < SAMPLE
        })?;
        if !whole {
            self.spread_points(&mut survey.points);
        }
        if self.geometry.is_some() {
            self.layer.kind = declared.or(survey.kind).unwrap_or(GeometryKind::None);
        }
        self.layer.points = survey.points;
        self.layer.sample = survey.sample;
        Ok(())
    }

    /// Takes points from the whole file. What cannot be read says nothing here; the reading reports it.
    fn spread_points(&self, points: &mut survey::SeenPoints) {
        let Some(column) = self.geometry else { return };
        points.spread = Reservoir::new(SAMPLE);
        let Ok(batches) = batches(&self.path, Some(column)) else { return };
        for batch in batches.map_while(Result::ok) {
            for row in 0..batch.num_rows() {
                points.take_later(|| {
                    let read = wkb::read_source(&bytes(&batch, 0, row)?).ok()?;
                    survey::first_position(&read.geometry)
                });
            }
        }
    }

    /// Hands over all rows in order.
    fn rows(&self, take: &mut TakeRow<'_>) -> Result<(), ImportError> {
        let mut done = 0;
        let place = |row: u64| format!("layer `{}`, row {row}", self.layer.name);
        let malformed = |row: u64, reason: String| {
            let reason = format!("{reason}; the file is cut off or damaged: get it again");
            ImportError::malformed(self.path.display().to_string(), place(row), reason)
        };
        for batch in batches(&self.path, None).map_err(|reason| malformed(1, reason))? {
            let batch = batch.map_err(|error| malformed(done + 1, error.to_string()))?;
            let mut columns: Vec<_> =
                self.columns.iter().map(|(at, own)| own.values(batch.column(*at)).into_iter()).collect();
            for row in 0..batch.num_rows() {
                done += 1;
                let mut fault = None;
                let values = columns
                    .iter_mut()
                    .zip(&self.layer.fields)
                    .map(|(column, field)| {
                        column.next().unwrap_or(Ok(Value::Null)).unwrap_or_else(|reason| {
                            fault.get_or_insert(format!("field `{}`: {reason}", field.name));
                            Value::Null
                        })
                    })
                    .collect();
                if !take(self.geometry.and_then(|at| bytes(&batch, at, row)), values, fault) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The bytes of a cell.
fn bytes(batch: &RecordBatch, column: usize, row: usize) -> Option<Vec<u8>> {
    use arrow_array::cast::AsArray;
    let array = batch.column(column);
    if array.is_null(row) {
        return None;
    }
    let long = || array.as_binary_opt::<i64>().map(|own| own.value(row).to_vec());
    array.as_binary_opt::<i32>().map(|own| own.value(row).to_vec()).or_else(long)
}

/// Types as the file has them, without what Arrow would make of them.
fn options() -> ArrowReaderOptions {
    ArrowReaderOptions::new().with_skip_arrow_metadata(true)
}

fn head(path: &Path) -> Result<ArrowReaderMetadata, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    ArrowReaderMetadata::load(&file, options()).map_err(|error| error.to_string())
}

/// The rows of a file, with all columns or one.
fn batches(path: &Path, only: Option<usize>) -> Result<ParquetRecordBatchReader, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options())
        .map_err(|error| error.to_string())?;
    let columns = match only {
        Some(column) => ProjectionMask::roots(builder.parquet_schema(), [column]),
        None => ProjectionMask::all(),
    };
    builder.with_projection(columns).with_batch_size(BATCH).build().map_err(|error| error.to_string())
}

/// The column of geometry that is read, and what the metadata says of it.
#[derive(Default)]
struct GeoColumns {
    chosen: Option<(String, GeoColumn)>,
    /// The names of the other ones.
    others: Vec<String>,
}

impl Geo {
    /// The column that was asked for, or the primary one.
    fn choose(mut self, asked: Option<&str>, shown: &str) -> Result<GeoColumns, ImportError> {
        let names: Vec<String> = self.columns.keys().cloned().collect();
        let name = match asked {
            Some(asked) => chosen_column(&names, asked, shown)?,
            None => self.primary_column,
        };
        match self.columns.remove(&name) {
            Some(column) => {
                let others = names.into_iter().filter(|own| *own != name).collect();
                Ok(GeoColumns { chosen: Some((name, column)), others })
            }
            None => Err(ImportError::unreadable(
                shown,
                format!("says nothing of its column of geometry `{name}`"),
                "it may be damaged or cut off: get it again",
            )),
        }
    }
}

/// What the metadata says of geometry; none of a table without.
fn geo(metadata: &ArrowReaderMetadata) -> Result<Option<Geo>, String> {
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let text =
        pairs.into_iter().flatten().find(|pair| pair.key == "geo").and_then(|pair| pair.value.as_deref());
    let Some(text) = text else { return Ok(None) };
    serde_json::from_str(text)
        .map(Some)
        .map_err(|error| format!("has metadata `geo` that cannot be understood: {error}"))
}

/// The coordinate system of the metadata: PROJJSON, a name, or null.
fn system(crs: &serde_json::Value) -> Srs {
    const SAID: &str = "the metadata `geo`";
    if crs.is_null() {
        return Srs::Unknown(format!("{SAID} say that the coordinate system is not known"));
    }
    let is_lonlat = crs.pointer("/id/authority").is_some_and(|own| own == "OGC")
        && crs.pointer("/id/code").is_some_and(|own| own == "CRS84");
    if is_lonlat || crs.as_str() == Some("OGC:CRS84") {
        let how = "GeoParquet is WGS 84 (OGC:CRS84) where it names no other system".to_owned();
        return Srs::Known { crs: Crs::WGS84, how, warnings: Vec::new() };
    }
    let text = crs.as_str().map_or_else(|| crs.to_string(), str::to_owned);
    match SpatialRef::from_definition(&text) {
        Ok(own) => srs::identify(Some(&own), SAID),
        Err(error) => {
            Srs::Unknown(format!("{SAID} name a coordinate system that is not understood ({error})"))
        }
    }
}

/// `MultiPolygon Z` as a kind.
fn kind(text: &str) -> Option<GeometryKind> {
    Some(match text.split(' ').next()? {
        "Point" | "MultiPoint" => GeometryKind::Point,
        "LineString" | "MultiLineString" => GeometryKind::Line,
        "Polygon" | "MultiPolygon" => GeometryKind::Polygon,
        "GeometryCollection" => GeometryKind::Mixed,
        _ => return None,
    })
}
