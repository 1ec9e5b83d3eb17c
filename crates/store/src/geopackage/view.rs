//! Reading all layers as of one revision.

use citymap_model::{Feature, FieldType, LayerId, RevisionNumber};
use rusqlite::{Connection, Row, types::ValueRef};

use super::{blob, catalogue, connection::Opener, failure::Failure, revisions, rows};
use crate::{Change, LayerEntry, StoreError, Touched, View};

/// A read transaction on a connection of its own: what is committed meanwhile, it does not see.
pub(super) struct GeoPackageView {
    conn: Connection,
    location: String,
    revision: RevisionNumber,
}

impl GeoPackageView {
    pub(super) fn open(opener: &Opener) -> Result<Self, StoreError> {
        let conn = opener.reader()?;
        let location = opener.location();
        let start = || {
            conn.execute_batch("BEGIN")?;
            // The first read fixes what the transaction sees.
            revisions::newest(&conn)
        };
        let revision = start().map_err(|failure| failure.at(&location))?;
        Ok(Self { conn, location, revision })
    }
}

impl View for GeoPackageView {
    fn revision(&self) -> RevisionNumber {
        self.revision
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        let entries = catalogue::all(&self.conn).map_err(|failure| failure.at(&self.location))?;
        Ok(entries
            .into_iter()
            .map(|entry| LayerEntry { layer: entry.layer, revision: entry.revision, count: entry.count })
            .collect())
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut read = || {
            let entry =
                catalogue::get(&self.conn, layer)?.ok_or_else(|| StoreError::NoLayer(layer.clone()))?;
            let types: Vec<FieldType> = entry.layer.fields.iter().map(|field| field.field_type).collect();
            let mut statement =
                self.conn.prepare(&format!("{} ORDER BY \"fid\"", catalogue::select(&entry)))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let feature = feature(row, &types).map_err(|problem| problem.at(&entry))?;
                sink(feature)?;
            }
            Ok(())
        };
        read().map_err(|failure: Failure| failure.at(&self.location))
    }

    fn touched(&self, _layer: &LayerId, _from: RevisionNumber) -> Result<Touched, StoreError> {
        self.not_yet()
    }

    fn changes(
        &self,
        _layer: &LayerId,
        _from: RevisionNumber,
        _sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.not_yet()
    }
}

impl GeoPackageView {
    fn not_yet<T>(&self) -> Result<T, StoreError> {
        Err(StoreError::Unsupported { location: self.location.clone(), reason: "not yet".to_owned() })
    }
}

/// What is wrong with a row.
enum Problem {
    Sql(rusqlite::Error),
    Geometry(i64, &'static str),
    Value(i64, usize, String),
}

impl Problem {
    fn at(self, entry: &catalogue::Entry) -> Failure {
        let layer = &entry.layer;
        match self {
            Self::Sql(error) => error.into(),
            Self::Geometry(fid, reason) => Failure::Content(format!(
                "layer `{}`, feature {fid}: its geometry cannot be read: {reason}",
                layer.id
            )),
            Self::Value(fid, index, reason) => Failure::Content(format!(
                "layer `{}`, feature {fid}, field `{}`: {reason}; another program wrote it, mend it there",
                layer.id, layer.fields[index].name
            )),
        }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn feature(row: &Row<'_>, types: &[FieldType]) -> Result<Feature, Problem> {
    let fid = row.get(0)?;
    let geometry = match row.get_ref(1)? {
        ValueRef::Null => None,
        ValueRef::Blob(bytes) => Some(blob::read(bytes).map_err(|reason| Problem::Geometry(fid, reason))?),
        _ => return Err(Problem::Geometry(fid, "it is no blob")),
    };
    let mut values = Vec::with_capacity(types.len());
    for (index, field_type) in types.iter().enumerate() {
        let value = row.get_ref(index + 2)?;
        values.push(rows::from_sql(value, *field_type).map_err(|reason| Problem::Value(fid, index, reason))?);
    }
    Ok(Feature { fid, geometry, values })
}
