//! Work done ahead of the first requests for tiles.

use std::{collections::HashMap, sync::Arc, time::Duration};

use citymap_live::Live;
use citymap_model::LayerId;
use citymap_tile::Tiler;

use crate::work::BatchPool;

/// How often layers are checked for a new base.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Derives what tiles need of each layer, after the start and whenever a layer has a new base. It runs at low
/// priority; a tile that is requested earlier derives it then.
pub(crate) async fn prepare_tiles(live: Arc<Live>, tiler: Arc<Tiler>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = BatchPool::new("prepare", 1, 1, threads, 19);
    let mut revisions = live.revisions();
    let mut prepared: HashMap<LayerId, u64> = HashMap::new();
    loop {
        revisions.mark_unchanged();
        let city_snapshot = live.snapshot();
        prepared.retain(|id, _| city_snapshot.city.layers.contains_key(id));
        for (id, snapshot) in &city_snapshot.city.layers {
            let base = snapshot.base().id();
            if prepared.insert(id.clone(), base) == Some(base) {
                continue;
            }
            let (tiler, snapshot) = (Arc::clone(&tiler), Arc::clone(snapshot));
            let done = pool
                .run(move |_| {
                    tiler.prepare(&snapshot);
                    Ok(())
                })
                .await;
            if done.is_err() {
                tracing::warn!(layer = %id, "tiles of a layer could not be prepared; the first request does \
                    it");
            }
        }
        drop(city_snapshot);
        // A merge gives a layer a new base without a revision.
        if let Ok(Err(_closed)) = tokio::time::timeout(CHECK_INTERVAL, revisions.changed()).await {
            return;
        }
    }
}
