//! A layer of the catalogue, as a change set finds and leaves it.

use citymap_model::{GeometryKind, Layer, LayerId};
use sqlx::Row as _;

use super::{read::Shape, session::Session};
use crate::{StoreError, columns};

/// A layer of the catalogue.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) layer: Layer,
    /// The name of each field's column, in the order of the fields.
    pub(super) columns: Vec<String>,
    pub(super) generation: i64,
    /// The table with the former rows of the generation, in schema `history`.
    pub(super) history: String,
    /// The revision that last touched the layer.
    pub(super) revision: i64,
    pub(super) count: u64,
}

impl Entry {
    /// Whether the table has a column for geometry.
    pub(super) fn spatial(&self) -> bool {
        self.layer.geometry != GeometryKind::None
    }

    /// The columns of the layer's rows.
    pub(super) fn shape(&self) -> Shape {
        Shape {
            layer: self.layer.clone(),
            columns: self.columns.clone(),
            spatial: self.spatial(),
            generation: self.generation,
            history: self.history.clone(),
        }
    }

    /// The definition as the catalogue keeps it.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if it cannot be written.
    pub(super) fn definition(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.layer).map_err(|error| StoreError::Schema {
            layer: self.layer.id.clone(),
            reason: format!("its definition cannot be written: {error}"),
        })
    }

    /// All columns but the number, quoted.
    pub(super) fn quoted(&self) -> Vec<String> {
        let geom = self.spatial().then_some(columns::GEOM);
        geom.into_iter().chain(self.columns.iter().map(String::as_str)).map(columns::quoted).collect()
    }

    /// All columns but the number as a list for SQL, each after a comma and `before`.
    pub(super) fn list(&self, before: &str) -> String {
        self.quoted().iter().map(|column| format!(", {before}{column}")).collect()
    }
}

/// Reads a layer from the catalogue as the transaction sees it; `None` if it does not exist.
pub(super) fn load(session: &mut Session<'_>, id: &LayerId) -> Result<Option<Entry>, StoreError> {
    let row = session.ask(async |conn| {
        sqlx::query(
            "SELECT definition, columns, generation, history, revision, count FROM citymap.layer WHERE id = \
             $1",
        )
        .bind(id.as_str())
        .fetch_optional(conn)
        .await?
        .map(|row| {
            Ok((
                row.try_get::<String, _>(0)?,
                Entry {
                    layer: Layer::new(
                        id.clone(),
                        citymap_model::Title::default(),
                        citymap_model::Role::Other,
                        GeometryKind::None,
                    ),
                    columns: row.try_get(1)?,
                    generation: row.try_get(2)?,
                    history: row.try_get(3)?,
                    revision: row.try_get(4)?,
                    count: row.try_get::<i64, _>(5)?.try_into().unwrap_or(0),
                },
            ))
        })
        .transpose()
    })?;
    let Some((definition, mut entry)) = row else { return Ok(None) };
    entry.layer = Layer::from_definition(&definition).map_err(|error| {
        StoreError::database(
            session.database.location().to_owned(),
            format!("the catalogue's definition of layer `{id}` cannot be read: {error}"),
        )
    })?;
    Ok(Some(entry))
}

/// The highest number ever given in a layer, and the newest of its generations; 0 where there is none.
pub(super) fn numbering(session: &mut Session<'_>, id: &LayerId) -> Result<(i64, i64), StoreError> {
    let found = session
        .numbers("SELECT last_fid, generation FROM citymap.numbering WHERE layer = $1", &[id.as_str()])?;
    Ok(found.map_or((0, 0), |numbers| (numbers[0], numbers[1])))
}

/// Writes to the catalogue what a turn has made of a layer; if the definition is `new`, its version too.
pub(super) fn save(
    session: &mut Session<'_>,
    entry: &Entry,
    last_fid: i64,
    new: bool,
) -> Result<(), StoreError> {
    let id = entry.layer.id.as_str();
    let definition = entry.definition()?;
    let count = i64::try_from(entry.count).unwrap_or(i64::MAX);
    session.ask(async |conn| {
        sqlx::query(
            "INSERT INTO citymap.numbering VALUES ($1, $2, $3) ON CONFLICT (layer) DO UPDATE SET last_fid = \
             greatest(numbering.last_fid, excluded.last_fid), generation = greatest(numbering.generation, \
             excluded.generation)",
        )
        .bind(id)
        .bind(last_fid)
        .bind(entry.generation)
        .execute(&mut *conn)
        .await?;
        sqlx::query(
            "INSERT INTO citymap.layer (id, definition, columns, spatial, generation, history, revision, \
             count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET definition = \
             excluded.definition, columns = excluded.columns, spatial = excluded.spatial, generation = \
             excluded.generation, history = excluded.history, revision = excluded.revision, count = \
             excluded.count",
        )
        .bind(id)
        .bind(&definition)
        .bind(&entry.columns)
        .bind(entry.spatial())
        .bind(entry.generation)
        .bind(&entry.history)
        .bind(entry.revision)
        .bind(count)
        .execute(&mut *conn)
        .await?;
        if new {
            sqlx::query(
                "INSERT INTO citymap.layer_version (layer, revision, definition, columns, spatial, \
                 generation, history) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (layer, revision) DO \
                 UPDATE SET definition = excluded.definition, columns = excluded.columns, spatial = \
                 excluded.spatial, generation = excluded.generation, history = excluded.history",
            )
            .bind(id)
            .bind(entry.revision)
            .bind(&definition)
            .bind(&entry.columns)
            .bind(entry.spatial())
            .bind(entry.generation)
            .bind(&entry.history)
            .execute(&mut *conn)
            .await?;
        }
        Ok(())
    })
}
