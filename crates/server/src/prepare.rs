use std::{collections::HashMap, sync::Arc, time::Duration};

use citymap_model::LayerId;

use crate::{app::App, work::BatchPool};

/// How often it is looked whether a layer has been packed anew.
const LOOK: Duration = Duration::from_secs(2);

/// Derives ahead what tiles need of each layer, after the start and whenever a layer has been read or packed anew. It takes
/// what time others leave over: whoever asks for a tile before has it made then.
pub(crate) async fn prepare_tiles(app: Arc<App>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lane = BatchPool::new("prepare", 1, 1, threads, 19);
    let mut revisions = app.live.revisions();
    let mut prepared: HashMap<LayerId, u64> = HashMap::new();
    loop {
        revisions.mark_unchanged();
        let city_snapshot = app.live.snapshot();
        prepared.retain(|id, _| city_snapshot.city.layers.contains_key(id));
        for (id, snapshot) in &city_snapshot.city.layers {
            let base = snapshot.base().id();
            if prepared.insert(id.clone(), base) == Some(base) {
                continue;
            }
            let (app, snapshot) = (Arc::clone(&app), Arc::clone(snapshot));
            let done = lane
                .run(move |_| {
                    app.tiler.prepare(&snapshot);
                    Ok(())
                })
                .await;
            if done.is_err() {
                tracing::warn!(layer = %id, "what tiles need could not be derived ahead; the first ones do it");
            }
        }
        drop(city_snapshot);
        // A merge packs a layer anew without a revision.
        if let Ok(Err(_closed)) = tokio::time::timeout(LOOK, revisions.changed()).await {
            return;
        }
    }
}
