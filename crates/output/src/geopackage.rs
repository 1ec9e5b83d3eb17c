//! A GeoPackage with one table.

use std::path::{Path, PathBuf};

use citymap_engine::ValueRef;
use citymap_gpkg::{Cell, PlainGeoPackage};
use citymap_model::{Geometry, Layer, Role};
use geo::CoordsIter;

use crate::{OutputError, RowWriter, Table};

pub(crate) struct GeoPackageWriter {
    file: PlainGeoPackage,
    path: PathBuf,
    given: u64,
}

impl GeoPackageWriter {
    pub(crate) fn create(path: &Path, table: &Table) -> Result<Self, OutputError> {
        let mut layer = Layer::new(table.name.clone(), table.title.clone(), Role::Other, table.geometry);
        layer.fields = table.columns.iter().map(crate::Column::field).collect();
        let file = PlainGeoPackage::create(path, &layer).map_err(|error| OutputError::format(path, error))?;
        Ok(Self { file, path: path.to_owned(), given: 0 })
    }
}

impl RowWriter for GeoPackageWriter {
    fn row(&mut self, values: &[ValueRef<'_>], geometry: Option<&Geometry>) -> Result<(), OutputError> {
        // Days and instants become texts, which the cells borrow.
        let texts: Vec<Option<String>> = values
            .iter()
            .map(|value| matches!(value, ValueRef::Date(_) | ValueRef::DateTime(_)).then(|| value.to_text()))
            .collect();
        let cells: Vec<Cell<'_>> = values
            .iter()
            .zip(&texts)
            .map(|(value, text)| match *value {
                ValueRef::Null => Cell::Null,
                ValueRef::Bool(value) => Cell::Bool(value),
                ValueRef::Int(value) => Cell::Int(value),
                ValueRef::Real(value) => Cell::Real(value),
                ValueRef::Text(value) => Cell::Text(value),
                ValueRef::Date(_) | ValueRef::DateTime(_) => text.as_deref().map_or(Cell::Null, Cell::Text),
            })
            .collect();
        // Eight bytes a value, the texts, and sixteen bytes a corner: SQLite keeps them as they are.
        let texts: usize =
            cells.iter().map(|cell| if let Cell::Text(text) = cell { text.len() } else { 8 }).sum();
        let corners = geometry.map_or(0, CoordsIter::coords_count);
        self.given += (texts + 40 + 16 * corners) as u64;
        self.file.put(geometry, &cells).map_err(|error| OutputError::format(&self.path, error))
    }

    fn bytes(&self) -> u64 {
        self.given
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        let Self { file, path, given: _ } = *self;
        file.finish().map(|_rows| ()).map_err(|error| OutputError::format(&path, error))
    }
}
