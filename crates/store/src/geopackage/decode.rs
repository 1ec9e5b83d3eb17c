//! A row of a layer's table, or of its history, as a feature.

use citymap_gpkg::blob;
use citymap_model::{Feature, FieldType};
use rusqlite::{Row, types::ValueRef};

use super::{entry::Entry, failure::Failure, rows};

/// Reads rows of `fid`, geometry and values.
pub(super) struct Decoder<'e> {
    entry: &'e Entry,
    types: Vec<FieldType>,
}

impl<'e> Decoder<'e> {
    pub(super) fn new(entry: &'e Entry) -> Self {
        Self { entry, types: entry.layer.fields.iter().map(|field| field.field_type).collect() }
    }

    /// Reads a row of these columns.
    pub(super) fn feature(&self, row: &Row<'_>) -> Result<Feature, Failure> {
        let fid = row.get(0)?;
        let geometry = match row.get_ref(1)? {
            ValueRef::Null => None,
            ValueRef::Blob(bytes) => {
                Some(blob::read(bytes).map_err(|error| self.bad_geometry(fid, &error.to_string()))?)
            }
            _ => return Err(self.bad_geometry(fid, "it is no blob")),
        };
        let mut values = Vec::with_capacity(self.types.len());
        for (index, field_type) in self.types.iter().enumerate() {
            let value = row.get_ref(index + 2)?;
            values.push(
                rows::from_sql(value, *field_type).map_err(|reason| self.bad_value(fid, index, &reason))?,
            );
        }
        Ok(Feature { fid, geometry, values })
    }

    fn bad_geometry(&self, fid: i64, reason: &str) -> Failure {
        let id = &self.entry.layer.id;
        Failure::Content(format!("layer `{id}`, feature {fid}: its geometry cannot be read: {reason}"))
    }

    fn bad_value(&self, fid: i64, index: usize, reason: &str) -> Failure {
        let layer = &self.entry.layer;
        Failure::Content(format!(
            "layer `{}`, feature {fid}, field `{}`: {reason}; another program wrote it, mend it there",
            layer.id, layer.fields[index].name
        ))
    }
}
