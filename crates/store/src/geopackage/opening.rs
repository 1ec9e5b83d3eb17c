//! Turning to a layer to put features into it: what happens to the features that it has.

use citymap_gpkg::{schema, table};
use citymap_model::{GeometryKind, Layer, Mode};
use rusqlite::Connection;

use super::{
    batch::RowBatch,
    catalogue,
    entry::{self, Entry},
    failure::Failure,
    former::Former,
    history::{self, Recorder},
    key_index, triggers,
    writer::{LayerWriter, Matching, Replaced},
};
use crate::{
    columns::{self, FID, GEOM, quoted},
    fit::{FieldMapping, same_shape},
    turn::{self, GrowingFids, UpsertKeys},
};

impl LayerWriter {
    /// Turns to a layer as [`crate::Transaction::layer`] says.
    pub(super) fn open(conn: &Connection, layer: &Layer, mode: Mode, revision: u64) -> Result<Self, Failure> {
        let existing = catalogue::get(conn, &layer.id)?;
        turn::check_turn(existing.as_ref().map(|entry| &entry.layer), layer, mode)?;
        if existing.is_none() && schema::has_table(conn, layer.id.as_str())? {
            return Err(turn::foreign_table(layer).into());
        }
        let (known, exists) = (catalogue::known_last_fid(conn, &layer.id)?, existing.is_some());
        let last_fid = known.max(catalogue::last_fid(conn, &layer.id, exists)?);
        let anew = matches!(mode, Mode::Replace | Mode::Restore);
        let mut replaced = Replaced::default();
        let fresh = !exists || anew;
        let (mut entry, recorder, mapping) = match existing {
            Some(entry) if !anew => {
                let mapping = FieldMapping::new(&entry.layer, layer)?;
                triggers::drop(conn, &layer.id)?;
                let mut recorder = Recorder::open(conn, &entry, revision)?;
                recorder.add_all(known + 1, last_fid);
                (entry, recorder, mapping)
            }
            existing => {
                let mut stays = None;
                if let Some(before) = &existing {
                    replaced.former = Former::read(conn, before, layer, mode)?;
                    let mut recorder = Recorder::open(conn, before, revision)?;
                    recorder.add_all(known + 1, last_fid);
                    if same_shape(&before.layer, layer) {
                        replaced.aside = !recorder.young();
                        if replaced.aside {
                            catalogue::set_aside(conn, before)?;
                        } else {
                            catalogue::drop(conn, before)?;
                        }
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
                (entry, recorder, FieldMapping::default())
            }
        };
        entry.revision = revision;
        if mode == Mode::Upsert && !fresh {
            key_index::make(conn, &entry)?;
        }
        let matching = match mode {
            Mode::Replace => Matching::Replace(replaced),
            Mode::Restore => Matching::Restore { replaced, growing: GrowingFids::default() },
            Mode::Upsert => Matching::Upsert { keys: UpsertKeys::new(&entry.layer), find: find_key(&entry) },
            Mode::Append | Mode::Edit | Mode::Drop => Matching::Append,
        };
        let extent = if fresh { None } else { table::extent(conn, &layer.id)? };
        Ok(Self {
            given: layer.clone(),
            mapping,
            matching,
            change: turn::no_change(&layer.id, mode),
            recorder,
            fresh,
            was_empty: entry.count == 0,
            next_fid: last_fid.saturating_add(1),
            rows: RowBatch::new(&entry, insert(&entry, mode), extent),
            entry,
        })
    }
}

/// The statement that finds the first two features with a key.
fn find_key(entry: &Entry) -> String {
    entry.layer.key_index().map_or_else(String::new, |key| {
        format!("{} WHERE {} = ?1 LIMIT 2", entry::select(entry), quoted(&entry.columns[key]))
    })
}

/// Writes all features of a layer to the history and drops its table, because the layer is dropped or gets
/// other fields or another kind of geometry.
pub(super) fn end_generation(conn: &Connection, entry: &Entry, recorder: &Recorder) -> Result<(), Failure> {
    if recorder.young() {
        recorder.forget(conn)?;
    } else {
        recorder.keep_all_but(conn, entry.layer.id.as_str(), Vec::new())?;
        recorder.save(conn)?;
    }
    catalogue::drop(conn, entry)
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
