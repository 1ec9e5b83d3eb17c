//! The reading side of an import: files to plans and checked features.
//!
//! It knows neither the store nor the file of rejects, so that it can run in a process that may do nothing
//! but read the files (see [`crate::worker`]). What it hands over is an [`Item`] at a time.

use std::{io, path::Path, sync::mpsc::sync_channel, thread, time::Instant};

use citymap_access::{Audience, visible};
use citymap_model::{Layer, Mode, counted};
use rayon::prelude::*;

use crate::{
    FileReport, ImportError, Issue, IssueKind, Request, build,
    check::{Checked, Rules},
    gdal_log, hash,
    location::Placing,
    plan::{Plan, plan},
    source::{self, Raw, Reader, Source},
    stages::{StageClock, Stages},
};

/// Features that are read before they are checked in parallel.
const BATCH: usize = 1_024;
/// Features that a thread checks together, and that go on together. Smaller pieces cost more in waking
/// threads than they bring; the memory of larger ones goes back to the system and is cleared each time.
pub(crate) const PIECE: usize = 256;
/// Batches or pieces that wait between two stages.
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
    /// All layers were read to their ends; nothing comes after it. What the reading side took.
    End(Stages),
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
    let start = Instant::now();
    let request = &request.clone().with_kept_types(present);
    let mut sources = Vec::new();
    let mut files = Vec::new();
    for path in &request.files {
        let shown = path.display().to_string();
        if !hand(Item::Looking(shown.clone())) {
            return Ok(());
        }
        let (source, hashed) = opened(path, request);
        let source = source?;
        let (sha256, bytes) = hashed.map_err(|error| {
            ImportError::unreadable(&shown, format!("cannot be read ({error})"), "check the disk it is on")
        })?;
        files.push(FileReport {
            path: shown.clone(),
            driver: source.reader.driver().to_owned(),
            sha256,
            bytes,
            notes: source.notes.clone(),
            incomplete: source.reader.is_incomplete(),
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
    let look = start.elapsed().as_secs_f64();
    let clocks = Clocks::default();
    for plan in &plans {
        if !layer(request, &sources[plan.file], plan, &clocks, hand)? {
            return Ok(());
        }
    }
    let Clocks { read, check, send } = clocks;
    let [read, check, send] = [read, check, send].map(|clock| clock.seconds());
    hand(Item::End(Stages { look, read, check, send, ..Stages::default() }));
    Ok(())
}

/// The stages of the reading side that run in parallel.
#[derive(Default)]
struct Clocks {
    read: StageClock,
    check: StageClock,
    send: StageClock,
}

/// Looks a file through, and takes its hash and its size in bytes in the meantime on another thread.
fn opened(path: &Path, request: &Request) -> (Result<Source, ImportError>, io::Result<(String, u64)>) {
    thread::scope(|scope| {
        let hash = scope.spawn(|| hash::source(path));
        let source = source::open(path, request);
        (source, hash.join().unwrap_or_else(|_panic| Err(io::Error::other("its hash cannot be taken"))))
    })
}

/// Reads, parses and checks the features of a layer in parallel; whether somebody still listens.
fn layer(
    request: &Request,
    (shown, source): &(String, Source),
    plan: &Plan,
    clocks: &Clocks,
    hand: &mut Hand<'_>,
) -> Result<bool, ImportError> {
    let (source, position) = (source.reader.as_ref(), plan.position);
    let rules = rules(request, plan)?;
    let mut handed = 0;
    thread::scope(|scope| {
        let (raw_out, raw_in) = sync_channel::<Vec<Raw>>(WAITING);
        let (out, checked) = sync_channel::<Vec<Checked>>(WAITING);
        let reader = scope.spawn(move || clocks.read.time(|| read(source, position, &raw_out)));
        let check = |raw: Raw| rules.check(raw.index, raw.line, source.parse(position, raw.body));
        scope.spawn(move || {
            for batch in raw_in {
                let pieces: Vec<Vec<Checked>> = batch
                    .into_par_iter()
                    .chunks(PIECE)
                    .map(|piece| clocks.check.time(|| piece.into_iter().map(check).collect()))
                    .collect();
                // Nobody listens any more.
                if pieces.into_iter().any(|piece| out.send(piece).is_err()) {
                    return;
                }
            }
        });
        for batch in checked {
            handed += batch.len();
            if !clocks.send.time(|| hand(Item::Batch(batch))) {
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
        lonlat: rules.placing.lonlat_point(*place),
        ..Issue::new(IssueKind::Warning, reason.clone())
    }));
    if places.len() > PLACES {
        let more = counted(places.len() - PLACES, "more place is", "more places are");
        let more = format!("{more} not listed");
        plan.issues.push(Issue::new(IssueKind::Warning, more));
    }
    Ok(())
}

fn rules(request: &Request, plan: &Plan) -> Result<Rules, ImportError> {
    let location = &plan.location;
    let crs = plan.crs.as_ref().map(|(crs, _)| *crs);
    let placing = Placing::of_layer(crs, location.swap, location.frame.clone())?;
    let others = location
        .others
        .iter()
        .map(|(own, frame)| placing.of_row(*own, Some(frame.clone())))
        .collect::<Result<_, _>>()?;
    Ok(Rules {
        kind: plan.layer.geometry,
        placing,
        others,
        repair: request.repair,
        limits: request.feature_limits,
        key: plan.layer.key_index(),
        key_is_public: visible(&plan.layer, &Audience::Public).key_index().is_some(),
        fields: plan.layer.fields.clone(),
        fit: plan.fit.clone(),
        keep_original: request.mode == Mode::Upsert,
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
