//! Former revisions: `?revision=` of a question.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use citymap_live::LiveError;
use citymap_model::AsOf;

use crate::{ask::Ask, problem::Problem};

/// The revision that an answer shows, for its header: that of the scene, unless the handler says otherwise.
#[derive(Clone)]
pub(crate) struct Shown(Arc<AtomicU64>);

impl Shown {
    pub(crate) fn new(revision: u64) -> Self {
        Self(Arc::new(AtomicU64::new(revision)))
    }

    pub(crate) fn set(&self, revision: u64) {
        self.0.store(revision, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Ask {
    /// Turns to the city of the `revision` asked for: its number, an instant, or a day (its end, UTC+7). Making it may
    /// take a turn in the pool.
    pub(crate) async fn as_of(&mut self) -> Result<(), Problem> {
        let Some(text) = self.params.take("revision")? else { return Ok(()) };
        // In a query an unescaped `+07:00` comes as ` 07:00`.
        let asked: AsOf = text
            .replace(' ', "+")
            .parse()
            .map_err(|error| Problem::parameter(format!("`revision`: {error}")))?;
        if asked == AsOf::Revision(self.scene.revision()) {
            return Ok(());
        }
        let live = Arc::clone(&self.app.live);
        let scene = self
            .app
            .pool
            .run(move || {
                let number = match asked {
                    AsOf::Revision(number) => number,
                    AsOf::Instant(time) => live.store().revision_at(time).map_err(LiveError::from)?,
                };
                Ok(live.scene_at(number)?)
            })
            .await?;
        self.shown.set(scene.revision());
        // Links lead to the same state, also when a newer one has come.
        self.given.set("revision", &scene.revision().to_string());
        self.scene = scene;
        self.former = true;
        Ok(())
    }
}
