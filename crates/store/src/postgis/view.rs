//! Reading all layers as of one revision.

use citymap_model::{Feature, Fid, LayerId, RevisionNumber};
use sqlx::Row as _;

use super::{
    changes,
    connect::Database,
    pool::Purpose,
    reading::{self, Stop, parse, signed},
    state::State,
};
use crate::{Change, LayerEntry, ReadView, StoreError, Touched};

/// The layers of a database as of one revision.
#[derive(Debug)]
pub(super) struct PostgisView<'a> {
    pub(super) database: &'a Database,
    pub(super) revision: RevisionNumber,
}

impl ReadView for PostgisView<'_> {
    fn revision(&self) -> RevisionNumber {
        self.revision
    }

    fn stamp(&self, _layer: &LayerId) -> Result<Option<String>, StoreError> {
        // Edits by other programs are revisions too, so the revision number is the stamp.
        Ok(Some(String::new()))
    }

    fn layers(&self) -> Result<Vec<LayerEntry>, StoreError> {
        const SQL: &str = "SELECT v.layer, v.definition, c.revision, c.count_after FROM (SELECT DISTINCT ON \
             (layer) layer, definition FROM citymap.layer_version WHERE revision <= $1 ORDER BY layer, \
             revision DESC) v CROSS JOIN LATERAL (SELECT c.revision, c.count_after FROM citymap.change c \
             WHERE c.layer = v.layer AND c.revision <= $1 ORDER BY c.revision DESC, c.position DESC LIMIT 1) \
             c WHERE v.definition IS NOT NULL";
        let revision = signed(self.revision);
        let rows = self.database.run(self.database.ask(Purpose::Read, async |lease| {
            sqlx::query(SQL)
                .bind(revision)
                .fetch_all(&mut **lease)
                .await?
                .iter()
                .map(|row| {
                    let (revision, count): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
                    Ok((row.try_get(0)?, row.try_get(1)?, revision, count))
                })
                .collect::<Result<Vec<(String, String, i64, i64)>, sqlx::Error>>()
        }))?;
        let mut entries = Vec::with_capacity(rows.len());
        for (id, definition, revision, count) in rows {
            let layer = parse(self.database, &id, &definition)?;
            entries.push(LayerEntry {
                layer,
                revision: revision.unsigned_abs(),
                count: count.unsigned_abs(),
            });
        }
        entries.sort_by(|a, b| a.layer.id.cmp(&b.layer.id));
        Ok(entries)
    }

    fn read(
        &self,
        layer: &LayerId,
        sink: &mut dyn FnMut(Feature) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut last = Fid::MIN;
        reading::read(self.database, layer, |reading, progress| {
            let known = reading.known(self.revision, self.revision)?;
            let shape = known.at.as_ref().ok_or_else(|| Stop::Store(StoreError::NoLayer(layer.clone())))?;
            let mut state = State::query(reading, &known, shape, self.revision, last)?;
            while let Some(feature) = state.next()? {
                last = feature.fid;
                *progress += 1;
                sink(feature)?;
            }
            Ok(())
        })
    }

    fn touched(&self, layer: &LayerId, from: RevisionNumber) -> Result<Touched, StoreError> {
        changes::touched(self.database, layer, from, self.revision)
    }

    fn changes(
        &self,
        layer: &LayerId,
        from: RevisionNumber,
        sink: &mut dyn FnMut(Change) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        changes::changes(self.database, layer, from, self.revision, sink)
    }
}
