//! GeoParquet 1.1: <https://geoparquet.org/releases/v1.1.0/>.
//!
//! Geometry is well-known binary in longitude and latitude (OGC:CRS84, the standard's default for files that
//! name no system). Next to it is the bounding box of each row, so that readers can skip row groups. At most
//! one row group is in memory.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};
use arrow_array::{
    ArrayRef, RecordBatch, StructArray,
    builder::{
        BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMillisecondBuilder,
    },
};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use chrono::NaiveDate;
use citymap_engine::ValueRef;
use citymap_geometry::wkb;
use citymap_model::{FieldType, Geometry, GeometryKind};
use serde_json::json;

use crate::{OutputError, RowWriter, Table};

/// Rows that are handed to the Parquet writer together.
const BATCH: usize = 8_192;
/// Maximum number of rows of a row group.
const GROUP: usize = 65_536;

/// The name of the geometry column.
const GEOMETRY: &str = "geometry";
/// The name of the column with the bounding boxes.
const BOX: &str = "bbox";

pub(crate) struct GeoParquetWriter {
    writer: ArrowWriter<fs::File>,
    path: PathBuf,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
    geometry_columns: Option<GeometryColumns>,
    waiting: usize,
}

enum Builder {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Real(Float64Builder),
    Text(StringBuilder),
    Date(Date32Builder),
    DateTime(TimestampMillisecondBuilder),
}

/// The geometry and boxes of the rows that are not yet written, and what the metadata must say of all rows.
struct GeometryColumns {
    wkb: BinaryBuilder,
    boxes: [Float64Builder; 4],
    bytes: Vec<u8>,
    extent: Option<[f64; 4]>,
    /// The names of the types that were written.
    kinds: std::collections::BTreeSet<&'static str>,
}

impl GeoParquetWriter {
    pub(crate) fn create(path: &Path, table: &Table) -> Result<Self, OutputError> {
        let mut fields: Vec<Field> = table
            .columns
            .iter()
            .map(|column| Field::new(&column.name, data_type(column.field_type), true))
            .collect();
        let spatial = table.geometry != GeometryKind::None;
        if spatial {
            fields.push(Field::new(GEOMETRY, DataType::Binary, true));
            fields.push(Field::new(BOX, DataType::Struct(box_fields()), true));
        }
        let schema = Arc::new(Schema::new(fields));
        let level = ZstdLevel::try_new(3).map_err(|error| OutputError::format(path, error))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(GROUP))
            .set_created_by(concat!("citymap ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = fs::File::create_new(path).map_err(|error| OutputError::io(path, error))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|error| OutputError::format(path, error))?;
        Ok(Self {
            writer,
            path: path.to_owned(),
            schema,
            columns: table.columns.iter().map(|column| Builder::new(column.field_type)).collect(),
            geometry_columns: spatial.then(GeometryColumns::new),
            waiting: 0,
        })
    }

    /// Hands the collected rows to the Parquet writer.
    fn flush(&mut self) -> Result<(), OutputError> {
        if self.waiting == 0 {
            return Ok(());
        }
        let mut arrays: Vec<ArrayRef> = self.columns.iter_mut().map(Builder::finish).collect();
        if let Some(geometry_columns) = &mut self.geometry_columns {
            arrays.extend(geometry_columns.finish());
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| OutputError::format(&self.path, error))?;
        self.writer.write(&batch).map_err(|error| OutputError::format(&self.path, error))?;
        self.waiting = 0;
        Ok(())
    }
}

impl RowWriter for GeoParquetWriter {
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
        if let Some(geometry_columns) = &mut self.geometry_columns {
            geometry_columns.push(geometry);
        }
        self.waiting += 1;
        if self.waiting == BATCH { self.flush() } else { Ok(()) }
    }

    fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        self.flush()?;
        if let Some(geometry_columns) = &self.geometry_columns {
            let geo = KeyValue::new("geo".to_owned(), geometry_columns.metadata().to_string());
            self.writer.append_key_value_metadata(geo);
        }
        self.writer.close().map_err(|error| OutputError::format(&self.path, error))?;
        Ok(())
    }
}

fn data_type(field_type: FieldType) -> DataType {
    match field_type {
        FieldType::Bool => DataType::Boolean,
        FieldType::Int => DataType::Int64,
        FieldType::Real => DataType::Float64,
        FieldType::Text => DataType::Utf8,
        FieldType::Date => DataType::Date32,
        FieldType::DateTime => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
    }
}

fn box_fields() -> Fields {
    ["xmin", "ymin", "xmax", "ymax"]
        .map(|name| Field::new(name, DataType::Float64, true))
        .into_iter()
        .collect()
}

impl Builder {
    fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Bool => Self::Bool(BooleanBuilder::new()),
            FieldType::Int => Self::Int(Int64Builder::new()),
            FieldType::Real => Self::Real(Float64Builder::new()),
            FieldType::Text => Self::Text(StringBuilder::new()),
            FieldType::Date => Self::Date(Date32Builder::new()),
            FieldType::DateTime => Self::DateTime(TimestampMillisecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Appends a value; one of another type becomes null.
    fn push(&mut self, value: ValueRef<'_>) {
        match (self, value) {
            (Self::Bool(out), ValueRef::Bool(value)) => out.append_value(value),
            (Self::Bool(out), _) => out.append_null(),
            (Self::Int(out), ValueRef::Int(value)) => out.append_value(value),
            (Self::Int(out), _) => out.append_null(),
            (Self::Real(out), ValueRef::Real(value)) => out.append_value(value),
            (Self::Real(out), _) => out.append_null(),
            (Self::Text(out), ValueRef::Text(value)) => out.append_value(value),
            (Self::Text(out), _) => out.append_null(),
            (Self::Date(out), ValueRef::Date(value)) => {
                let days = value.signed_duration_since(NaiveDate::default()).num_days();
                out.append_option(i32::try_from(days).ok());
            }
            (Self::Date(out), _) => out.append_null(),
            (Self::DateTime(out), ValueRef::DateTime(value)) => out.append_value(value.timestamp_millis()),
            (Self::DateTime(out), _) => out.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Bool(out) => Arc::new(out.finish()),
            Self::Int(out) => Arc::new(out.finish()),
            Self::Real(out) => Arc::new(out.finish()),
            Self::Text(out) => Arc::new(out.finish()),
            Self::Date(out) => Arc::new(out.finish()),
            Self::DateTime(out) => Arc::new(out.finish()),
        }
    }
}

impl GeometryColumns {
    fn new() -> Self {
        Self {
            wkb: BinaryBuilder::new(),
            boxes: std::array::from_fn(|_| Float64Builder::new()),
            bytes: Vec::new(),
            extent: None,
            kinds: std::collections::BTreeSet::new(),
        }
    }

    fn push(&mut self, geometry: Option<&Geometry>) {
        let Some(geometry) = geometry else {
            self.wkb.append_null();
            self.boxes.iter_mut().for_each(Float64Builder::append_null);
            return;
        };
        self.bytes.clear();
        let bounds = wkb::write(&mut self.bytes, geometry).bounds();
        self.wkb.append_value(&self.bytes);
        for (axis, out) in self.boxes.iter_mut().enumerate() {
            out.append_option(bounds.map(|bounds| bounds[axis]));
        }
        self.kinds.insert(wkb::type_name(geometry));
        if let Some(bounds) = bounds {
            let extent = self.extent.get_or_insert(bounds);
            for axis in 0..2 {
                extent[axis] = extent[axis].min(bounds[axis]);
                extent[axis + 2] = extent[axis + 2].max(bounds[axis + 2]);
            }
        }
    }

    fn finish(&mut self) -> [ArrayRef; 2] {
        let boxes: Vec<ArrayRef> =
            self.boxes.iter_mut().map(|out| Arc::new(out.finish()) as ArrayRef).collect();
        [Arc::new(self.wkb.finish()), Arc::new(StructArray::new(box_fields(), boxes, None))]
    }

    /// The file's metadata under the key `geo`.
    fn metadata(&self) -> serde_json::Value {
        let covering = |side: &str| json!([BOX, side]);
        let mut column = json!({
            "encoding": "WKB",
            "geometry_types": self.kinds,
            "covering": {"bbox": {
                "xmin": covering("xmin"), "ymin": covering("ymin"),
                "xmax": covering("xmax"), "ymax": covering("ymax"),
            }},
        });
        if let Some(extent) = self.extent {
            column["bbox"] = json!(extent);
        }
        json!({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}})
    }
}
