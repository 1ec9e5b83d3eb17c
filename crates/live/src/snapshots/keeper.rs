//! Writes the files, on a thread of its own, beside everybody else.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant, SystemTime},
};

use citymap_model::LayerId;

use super::{Present, file, path};
use crate::{Live, Shared};

/// Changed features that a file may lack when the server stops: the next start applies them in milliseconds.
const BEHIND: usize = 1_000;
/// What an unfinished file is that nobody is writing any more.
const ABANDONED: Duration = Duration::from_secs(600);

/// The folder of the files, and what is in it.
pub(crate) struct Keeper {
    folder: PathBuf,
    state: Mutex<State>,
    woken: Condvar,
    /// One writer of files at a time.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The base that each layer's file holds.
    bases: BTreeMap<LayerId, u64>,
    /// Whether to look for what is to be written.
    look: bool,
    stopped: bool,
}

impl Keeper {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            state: Mutex::default(),
            woken: Condvar::new(),
            writing: Mutex::default(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that the layer's file holds this base.
    pub(super) fn has(&self, layer: &LayerId, base: u64) {
        self.state().bases.insert(layer.clone(), base);
    }

    /// Lets the thread look for layers whose base is another than their file's.
    pub(crate) fn wake(&self) {
        self.state().look = true;
        self.woken.notify_all();
    }

    /// Ends the thread when it has written what it is writing.
    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.woken.notify_all();
    }

    /// Starts the thread, which ends with [`Keeper::stop`] or the city.
    pub(crate) fn start(self: &Arc<Self>, shared: &Arc<Shared>) {
        let (keeper, shared) = (Arc::clone(self), Arc::downgrade(shared));
        let run = move || keeper.run(&shared);
        if let Err(error) = thread::Builder::new().name("write-snapshots".into()).spawn(run) {
            tracing::warn!(%error, "no thread to write snapshot files; the next start reads the store");
        }
    }

    fn run(&self, shared: &Weak<Shared>) {
        loop {
            {
                let mut state = self.state();
                while !state.look && !state.stopped {
                    state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.stopped {
                    return;
                }
                state.look = false;
            }
            let Some(shared) = shared.upgrade() else { return };
            self.write_due(&shared, usize::MAX);
        }
    }

    /// Writes the layers that have another base than their file, or more than `behind` changes over it.
    fn write_due(&self, shared: &Shared, behind: usize) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let layers: Vec<LayerId> = shared.snapshot().city.layers.keys().cloned().collect();
        for id in &layers {
            let Some(present) = shared.present(id) else { continue };
            let base = present.snapshot.base().id();
            let due = self.state().bases.get(id) != Some(&base) || present.snapshot.delta_len() > behind;
            if !due {
                continue;
            }
            let start = Instant::now();
            let path = path(&self.folder, id);
            let temporary = self.folder.join(format!("{id}.{}.tmp", std::process::id()));
            match self.make_folder().and_then(|()| file::write(&path, &temporary, &present)) {
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
            // Also after a failure: it would fail again at each revision.
            self.has(id, base);
            if self.state().stopped && behind == usize::MAX {
                return;
            }
        }
        self.tidy(&layers);
    }

    fn make_folder(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// Removes the files of layers that are gone, and what a killed process left half done.
    fn tidy(&self, layers: &[LayerId]) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let age = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            let old = age
                .is_some_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED));
            let gone = match name.strip_suffix(".snapshot") {
                Some(id) => layers.iter().all(|layer| layer.as_str() != id),
                None => name.ends_with(".tmp") && old,
            };
            if gone && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(file = %entry.path().display(), %error, "an old snapshot file cannot be removed");
            }
        }
    }
}

impl Shared {
    /// A layer with what tells which record it is of, all as of one moment; `None` where a file of it could not be checked.
    fn present(&self, id: &LayerId) -> Option<Present> {
        let keeping = self.keep();
        let city_snapshot = self.snapshot();
        let snapshot = Arc::clone(city_snapshot.city.layers.get(id)?);
        let stamp = keeping.stamps.get(id)?.clone()?;
        Some(Present { snapshot, city: city_snapshot.revision(), record: keeping.head.clone(), stamp })
    }
}

impl Live {
    /// Brings the snapshot files up to date, for a stop: layers whose file lacks no more than a few changes are left. Returns when
    /// they are durable; nothing without snapshot files.
    pub fn write_snapshots(&self) {
        if let Some(keeper) = &self.shared.keeper {
            keeper.write_due(&self.shared, BEHIND);
        }
    }
}
