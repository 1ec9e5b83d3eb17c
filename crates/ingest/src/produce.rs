//! The reading side of an import: files to plans and checked features.
//!
//! It knows neither the store nor the file of rejects, so that it can run in a process that may do nothing
//! but read the files (see [`crate::worker`]). What it hands over is an [`Item`] at a time.

use std::{sync::mpsc::sync_channel, thread};

use citymap_access::{Audience, visible};
use citymap_model::{Layer, Mode};
use rayon::prelude::*;

use crate::{
    FileReport, ImportError, Issue, IssueKind, Request, build,
    check::{Checked, Rules},
    gdal_log, hash,
    plan::{Plan, plan},
    source::{self, Raw, Reader, Source},
    srs,
};

/// Features that go through the stages together.
const BATCH: usize = 2_048;
/// Batches that wait between two stages.
pub(crate) const WAITING: usize = 4;

/// What the reading side hands over: [`Item::Looking`] for each file, [`Item::Opened`], then for each plan
/// its batches and [`Item::LayerEnd`], and [`Item::End`].
#[derive(Debug)]
pub(crate) enum Item {
    /// The file with this name is being looked through.
    Looking(String),
    /// All files have been looked through.
    Opened(Opened),
    /// Features of the current layer, in order.
    Batch(Vec<Checked>),
    /// The current layer was read to its end. What the reader has to say about it.
    LayerEnd(Vec<String>),
    /// All layers were read to their ends; nothing comes after it.
    End,
}

/// What is known before the first feature is handed over.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Opened {
    pub files: Vec<FileReport>,
    pub plans: Vec<Plan>,
}

/// Takes an item; `false` if nobody listens any more, because the other side has failed and says why.
pub(crate) type Hand<'a> = dyn FnMut(Item) -> bool + 'a;

/// Gives the next item, or why there is none.
pub(crate) type Next<'a> = dyn FnMut() -> Result<Item, ImportError> + 'a;

/// Reads the files of a request. `present` are the layers that the record has.
///
/// # Errors
/// [`ImportError`]: a file cannot be read, or the request does not fit the files.
pub(crate) fn produce(request: &Request, present: &[Layer], hand: &mut Hand<'_>) -> Result<(), ImportError> {
    let request = &request.clone().with_kept_types(present);
    let mut sources = Vec::new();
    let mut files = Vec::new();
    for path in &request.files {
        let shown = path.display().to_string();
        if !hand(Item::Looking(shown.clone())) {
            return Ok(());
        }
        let source = source::open(path, request)?;
        let (sha256, bytes) = hash::source(path).map_err(|error| {
            ImportError::unreadable(&shown, format!("cannot be read ({error})"), "check the disk it is on")
        })?;
        files.push(FileReport {
            path: shown.clone(),
            driver: source.reader.driver().to_owned(),
            sha256,
            bytes,
            notes: source.notes.clone(),
        });
        sources.push((shown, source));
    }
    if let Some(build) = request.build_polygons {
        let shown = sources[0].0.clone();
        sources = vec![(shown, build::built(request, build, &sources)?)];
    }
    let mut plans = plan(request, &sources, present)?;
    for plan in &mut plans {
        note_places(request, sources[plan.file].1.reader.as_ref(), plan)?;
    }
    if !hand(Item::Opened(Opened { files, plans: plans.clone() })) {
        return Ok(());
    }
    for plan in &plans {
        if !layer(request, &sources[plan.file], plan, hand)? {
            return Ok(());
        }
    }
    hand(Item::End);
    Ok(())
}

/// Reads, parses and checks the features of a layer in parallel; whether somebody still listens.
fn layer(
    request: &Request,
    (shown, source): &(String, Source),
    plan: &Plan,
    hand: &mut Hand<'_>,
) -> Result<bool, ImportError> {
    let (source, position) = (source.reader.as_ref(), plan.position);
    let rules = rules(request, plan)?;
    let mut handed = 0;
    thread::scope(|scope| {
        let (raw_out, raw_in) = sync_channel::<Vec<Raw>>(WAITING);
        let (out, checked) = sync_channel::<Vec<Checked>>(WAITING);
        let reader = scope.spawn(move || read(source, position, &raw_out));
        let rules = &rules;
        scope.spawn(move || {
            for batch in raw_in {
                let batch: Vec<Checked> = batch
                    .into_par_iter()
                    // Smaller pieces cost more in waking threads than they bring.
                    .with_min_len(BATCH / 8)
                    .map(|raw| rules.check(raw.index, raw.line, source.parse(position, raw.body)))
                    .collect();
                // Nobody listens any more.
                if out.send(batch).is_err() {
                    return;
                }
            }
        });
        for batch in checked {
            handed += batch.len();
            if !hand(Item::Batch(batch)) {
                return Ok(false);
            }
        }
        match reader.join() {
            Ok(result) => result.map(|notes| hand(Item::LayerEnd(notes))),
            Err(_panic) => Err(ImportError::malformed(
                shown,
                format!("layer `{}`, near feature {}", plan.source, handed + 1),
                "the reader failed; please report this file",
            )),
        }
    })
}

/// Issues about places of a layer that are handed over; of more, the number is.
const PLACES: usize = 10_000;

/// Adds to a plan what its reader has to say about places.
fn note_places(request: &Request, reader: &dyn Reader, plan: &mut Plan) -> Result<(), ImportError> {
    let places = reader.places(plan.position);
    if places.is_empty() {
        return Ok(());
    }
    let rules = rules(request, plan)?;
    plan.issues.extend(places.iter().take(PLACES).map(|(reason, place)| Issue {
        place: Some(*place),
        lonlat: rules.lonlat_point(*place),
        ..Issue::new(IssueKind::Warning, reason.clone())
    }));
    if places.len() > PLACES {
        let more = format!("{} more places are not listed", places.len() - PLACES);
        plan.issues.push(Issue::new(IssueKind::Warning, more));
    }
    Ok(())
}

fn rules(request: &Request, plan: &Plan) -> Result<Rules, ImportError> {
    let crs = plan.crs.as_ref().map(|(crs, _)| *crs);
    Ok(Rules {
        kind: plan.layer.geometry,
        transform: crs.map_or(Ok(None), srs::to_wgs84)?,
        repair: request.repair,
        limits: request.feature_limits,
        key: plan.layer.key_index(),
        key_is_public: visible(&plan.layer, &Audience::Public).key_index().is_some(),
        fields: plan.layer.fields.clone(),
        fit: plan.fit.clone(),
        keep_original: request.mode == Mode::Upsert,
        location: plan.location.clone(),
    })
}

/// Reads a layer in batches until it ends or nobody listens; gives the notes of the reader.
fn read(
    source: &dyn Reader,
    position: usize,
    out: &std::sync::mpsc::SyncSender<Vec<Raw>>,
) -> Result<Vec<String>, ImportError> {
    gdal_log::take();
    let mut batch = Vec::with_capacity(BATCH);
    let notes = source.read(position, &mut |raw| {
        batch.push(raw);
        batch.len() < BATCH || out.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_ok()
    })?;
    // The last, short batch; if nobody listens, the writer says why.
    let _ = out.send(batch);
    Ok(notes)
}
