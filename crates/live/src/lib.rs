//! One city in memory, kept in step with its record.
//!
//! [`Live`] owns a store and the newest [`CitySnapshot`] read from it: all layers, the index that finds their
//! names, and where the latest revisions changed them. A reader takes a snapshot and keeps it for as long as
//! its request lasts. It never waits for a refresh, a write or a merge, and what it sees never changes.
//!
//! - [`Live::open`] reads every layer of the store. [`Live::open_with`] maps snapshot files of an earlier run
//!   where they still fit the record.
//! - [`Live::refresh`] takes over what has been committed since. An edit costs what was edited; only a layer
//!   whose definition changed is read as a whole. [`Live::follow`] does this for as long as the program runs.
//! - [`Live::write`] commits a change set and returns when the snapshot shows it.
//! - [`Live::snapshot_at`] gives the city as it was at a former revision.
//! - [`Live::events_after`] tells what each revision changed, feature by feature.
//!
//! All calls block, except [`Live::snapshot`], [`Live::revisions`] and [`Live::failure`]. Never make the
//! others on a thread that runs async tasks.
//!
//! # How an update reaches readers
//!
//! A layer in memory is a packed base and a small delta (see `citymap-engine`). A refresh reads what differs
//! from the store, builds a new delta on the same base, and swaps the snapshot. When a delta has grown, a
//! thread of its own merges it into the base; changes that are committed during the merge are applied again
//! to its result. One lock, held by whoever changes the snapshot, orders refreshes, merges and the indexing
//! of names.
//!
//! # Examples
//!
//! ```
//! use citymap_live::{Live, LiveError};
//! use citymap_model::{
//!     CommitMeta, Field, FieldType, GeometryKind, Layer, Mode, NewFeature, Role, Title, Value,
//! };
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("city.gpkg");
//! # let path = path.to_str().unwrap();
//! let live = Live::open(citymap_store::open(path, true)?)?;
//! let empty = live.snapshot();
//!
//! let title = Title::new("Giếng", "Wells");
//! let mut wells = Layer::new("wells".parse()?, title, Role::Utility, GeometryKind::Point);
//! wells.fields.push(Field::new("name", FieldType::Text));
//! let (_, revision) = live.write(CommitMeta::default(), |transaction| -> Result<(), LiveError> {
//!     transaction.layer(&wells, Mode::Replace)?;
//!     let geometry = Some(geo_types::Point::new(106.7, 10.77).into());
//!     transaction.put(NewFeature { geometry, values: vec![Value::Text("G1".into())] })?;
//!     Ok(())
//! })?;
//!
//! assert_eq!(revision.number, 1);
//! assert_eq!(live.snapshot().city.layer("wells").unwrap().len(), 1);
//! assert_eq!(empty.revision(), 0, "a snapshot that was taken before does not change");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod change_tracker;
mod city_snapshot;
mod error;
mod events;
mod fair_mutex;
mod feed;
mod follow;
mod former;
mod key_holders;
mod live;
mod merge;
mod read;
mod recent;
mod refresh;
mod running_merge;
mod shared;
mod snapshots;
mod write;

pub use change_tracker::ChangeTracker;
pub use city_snapshot::CitySnapshot;
pub use error::LiveError;
pub use events::{FEATURES_MAX, FeatureEvent, FeatureOp, LayerEvent, RevisionEvent};
pub use live::{Live, Options};
pub use read::read_layer;
pub use write::{Decision, Written};
