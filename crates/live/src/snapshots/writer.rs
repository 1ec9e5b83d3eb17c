//! Writing snapshot files, on a thread of its own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant, SystemTime},
};

use citymap_files::{create_private_folder, exposure};
use citymap_model::LayerId;

use super::{FileContent, file, file_path};
use crate::{Live, shared::Shared};

/// Maximum number of changed features that a file may lack when the server stops. The next start applies them
/// in milliseconds.
const BEHIND_MAX: usize = 1_000;
/// The age from which an unfinished file counts as left behind by a process that ended.
const ABANDONED_AFTER: Duration = Duration::from_secs(600);

/// Writes the snapshot files of one folder.
pub(crate) struct SnapshotWriter {
    folder: PathBuf,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Held while files are written.
    writing: Mutex<()>,
}

/// What the files hold, and what the thread is to do.
#[derive(Default)]
struct Queue {
    /// The id of the base that each layer's file holds.
    bases: BTreeMap<LayerId, u64>,
    /// Whether to look for layers whose files are out of date.
    woken: bool,
    stopped: bool,
}

impl SnapshotWriter {
    /// Writes into a folder, which need not exist yet. Whoever can write into it could forge the map, so
    /// `None`, with a line in the log, for one that others can change.
    pub(crate) fn new(folder: &Path) -> Option<Self> {
        if let Ok(Some(exposure)) = exposure(folder) {
            let folder = folder.display();
            if exposure.can_be_changed() {
                tracing::warn!(
                    %folder, %exposure,
                    "snapshot files are not used: others could change them; remove the folder, or name \
                     another one with --snapshots"
                );
                return None;
            }
            tracing::warn!(%folder, %exposure, "others can see into the folder of the snapshot files");
        }
        Some(Self {
            folder: folder.to_owned(),
            queue: Mutex::default(),
            changed: Condvar::new(),
            writing: Mutex::default(),
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that the layer's file holds this base.
    pub(super) fn remember(&self, layer: &LayerId, base: u64) {
        self.queue().bases.insert(layer.clone(), base);
    }

    /// Lets the thread write the layers whose base differs from that of their file.
    pub(crate) fn wake(&self) {
        self.queue().woken = true;
        self.changed.notify_all();
    }

    /// Ends the thread after the file that it is writing.
    pub(crate) fn stop(&self) {
        self.queue().stopped = true;
        self.changed.notify_all();
    }

    /// Starts the thread. It ends with [`SnapshotWriter::stop`], or when the city is dropped.
    pub(crate) fn start(self: &Arc<Self>, shared: &Arc<Shared>) {
        let (writer, shared) = (Arc::clone(self), Arc::downgrade(shared));
        let run = move || writer.run(&shared);
        if let Err(error) = thread::Builder::new().name("write-snapshots".into()).spawn(run) {
            tracing::warn!(%error, "no thread to write snapshot files; the next start reads the store");
        }
    }

    fn run(&self, shared: &Weak<Shared>) {
        loop {
            {
                let mut queue = self.queue();
                while !queue.woken && !queue.stopped {
                    queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                if queue.stopped {
                    return;
                }
                queue.woken = false;
            }
            let Some(shared) = shared.upgrade() else { return };
            self.write_due(&shared, usize::MAX);
        }
    }

    /// Writes the layers whose base differs from that of their file, or that have more than `behind_max`
    /// changes on top of it.
    fn write_due(&self, shared: &Shared, behind_max: usize) {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let layers: Vec<LayerId> = shared.snapshot().city.layers.keys().cloned().collect();
        for id in &layers {
            let Some(content) = shared.file_content(id) else { continue };
            let base = content.snapshot.base().id();
            let due = self.queue().bases.get(id) != Some(&base) || content.snapshot.delta_len() > behind_max;
            if !due {
                continue;
            }
            let start = Instant::now();
            let path = file_path(&self.folder, id);
            let temporary = self.folder.join(format!("{id}.{}.tmp", std::process::id()));
            match self.make_folder().and_then(|()| file::write(&path, &temporary, &content)) {
                Ok(bytes) => {
                    let ms = start.elapsed().as_millis() as u64;
                    tracing::info!(layer = %id, bytes, ms, "snapshot file written");
                }
                Err(error) => tracing::warn!(
                    layer = %id,
                    file = %path.display(),
                    %error,
                    "a snapshot file cannot be written; the next start reads the layer from the store"
                ),
            }
            // Also after a failure, which would happen again at each revision.
            self.remember(id, base);
            if self.queue().stopped && behind_max == usize::MAX {
                return;
            }
        }
        self.clean_up(&layers);
    }

    fn make_folder(&self) -> io::Result<()> {
        create_private_folder(&self.folder)
    }

    /// Removes the files of layers that no longer exist, and unfinished files of processes that ended.
    fn clean_up(&self, layers: &[LayerId]) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let age = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let old = age.is_some_and(|time| {
                SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED_AFTER)
            });
            let gone = match name.strip_suffix(".snapshot") {
                Some(id) => layers.iter().all(|layer| layer.as_str() != id),
                None => name.ends_with(".tmp") && old,
            };
            if gone && let Err(error) = fs::remove_file(entry.path()) {
                let file = entry.path();
                tracing::warn!(file = %file.display(), %error, "an old snapshot file cannot be removed");
            }
        }
    }
}

impl Shared {
    /// What a layer's file is written from; `None` if the store gave no stamp by which such a file could be
    /// checked.
    fn file_content(&self, id: &LayerId) -> Option<FileContent> {
        let state = self.lock_writer();
        let city_snapshot = self.snapshot();
        let snapshot = Arc::clone(city_snapshot.city.layers.get(id)?);
        let stamp = state.stamps.get(id)?.clone()?;
        Some(FileContent {
            snapshot,
            city_revision: city_snapshot.revision(),
            record: state.head.clone(),
            stamp,
        })
    }
}

impl Live {
    /// Brings the snapshot files up to date before the program ends. Layers whose file lacks only a few
    /// changes are left as they are. Returns when the files are durable; does nothing if no snapshot files
    /// are written.
    pub fn write_snapshots(&self) {
        if let Some(writer) = &self.shared.snapshot_writer {
            writer.write_due(&self.shared, BEHIND_MAX);
        }
    }
}
