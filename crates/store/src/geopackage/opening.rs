//! Turning to a layer to put features into it: what happens to those that are there.

use std::collections::HashSet;

use citymap_gpkg::{schema, table};
use citymap_model::{GeometryKind, Layer, LayerChange, Mode};
use rusqlite::Connection;

use super::{
    catalogue,
    entry::{self, Entry},
    failure::Failure,
    former::Former,
    history::{self, Recorder},
    key_index, triggers,
    writer::LayerWriter,
};
use crate::{
    columns::{self, FID, GEOM, quoted},
    fit::{check_definition, mapping, same_shape, unfit},
};

impl LayerWriter {
    /// Turns to a layer as [`crate::Transaction::layer`] says.
    pub(super) fn open(conn: &Connection, layer: &Layer, mode: Mode, revision: u64) -> Result<Self, Failure> {
        check_definition(layer)?;
        let existing = catalogue::get(conn, &layer.id)?;
        if existing.is_none() && schema::has_table(conn, layer.id.as_str())? {
            return Err(unfit(
                layer,
                "the file has a table of this name that another program made; choose another name for the layer",
            )
            .into());
        }
        if mode == Mode::Upsert && existing.as_ref().map_or(layer, |entry| &entry.layer).key.is_none() {
            return Err(unfit(
                layer,
                "it has no key, so nothing can be matched; use the mode append or replace",
            )
            .into());
        }
        let (known, exists) = (catalogue::known_last_fid(conn, &layer.id)?, existing.is_some());
        let last_fid = known.max(catalogue::last_fid(conn, &layer.id, exists)?);
        let anew = matches!(mode, Mode::Replace | Mode::Restore);
        let mut former = Former::default();
        let mut aside = false;
        let fresh = !exists || anew;
        let (mut entry, recorder, mapping) = match existing {
            Some(entry) if !anew => {
                let mapping = mapping(&entry.layer, layer)?;
                triggers::drop(conn, &layer.id)?;
                let mut recorder = Recorder::open(conn, &entry, revision)?;
                recorder.add_all(known + 1, last_fid);
                (entry, recorder, mapping)
            }
            existing => {
                let mut stays = None;
                if let Some(before) = &existing {
                    former = Former::read(conn, before, layer, mode)?;
                    let mut recorder = Recorder::open(conn, before, revision)?;
                    recorder.add_all(known + 1, last_fid);
                    if same_shape(&before.layer, layer) {
                        aside = !recorder.young();
                        catalogue::drop(conn, before, aside)?;
                        stays = Some((before.generation, recorder));
                    } else {
                        end_generation(conn, before, &recorder)?;
                    }
                }
                let columns = columns::names(&layer.fields);
                table::create(conn, layer, &columns)?;
                catalogue::set_last_fid(conn, &layer.id, last_fid)?;
                let generation = match &stays {
                    Some((generation, _)) => *generation,
                    None => history::begin(conn, layer, revision)?,
                };
                let layer = layer.clone();
                let entry = Entry { layer, columns, revision, count: 0, count_then: 0, generation };
                let recorder = match stays {
                    Some((_, recorder)) => recorder,
                    None => Recorder::open(conn, &entry, revision)?,
                };
                (entry, recorder, None)
            }
        };
        entry.revision = revision;
        let key = entry.layer.key_index();
        if mode == Mode::Upsert && !fresh {
            key_index::make(conn, &entry)?;
        }
        let find = key.map_or_else(String::new, |key| {
            format!("{} WHERE {} = ?1 LIMIT 2", entry::select(&entry), quoted(&entry.columns[key]))
        });
        Ok(Self {
            given: layer.clone(),
            mapping,
            change: LayerChange {
                layer: layer.id.clone(),
                mode,
                added: 0,
                changed: 0,
                removed: 0,
                rejected: 0,
            },
            key,
            former,
            aside,
            same: Vec::new(),
            recorder,
            seen: HashSet::new(),
            fresh,
            was_empty: entry.count == 0,
            next_fid: last_fid.saturating_add(1),
            last_at: 0,
            insert: insert(&entry, mode),
            find,
            pending: Vec::new(),
            boxes: Vec::new(),
            extent: if fresh { None } else { table::extent(conn, &layer.id)? },
            codes: 0,
            entry,
        })
    }
}

/// Keeps all features of a layer whose fields or kind of geometry become others, or that is dropped, and takes its
/// table away.
pub(super) fn end_generation(conn: &Connection, entry: &Entry, recorder: &Recorder) -> Result<(), Failure> {
    if recorder.young() {
        recorder.forget(conn)?;
    } else {
        recorder.keep_all_but(conn, entry.layer.id.as_str(), Vec::new())?;
        recorder.save(conn)?;
    }
    catalogue::drop(conn, entry, false)
}

fn insert(entry: &Entry, mode: Mode) -> String {
    let mut names = vec![quoted(FID)];
    if entry.layer.geometry != GeometryKind::None {
        names.push(quoted(GEOM));
    }
    names.extend(entry.columns.iter().map(|column| quoted(column)));
    let verb = if mode == Mode::Upsert { "INSERT OR REPLACE" } else { "INSERT" };
    let places = vec!["?"; names.len()].join(", ");
    format!("{verb} INTO {} ({}) VALUES ({places})", quoted(entry.layer.id.as_str()), names.join(", "))
}
