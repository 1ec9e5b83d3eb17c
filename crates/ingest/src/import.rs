//! The way from files to a revision.

use std::{collections::HashMap, path::PathBuf, sync::mpsc::sync_channel, thread, time::Instant};

use citymap_model::{CommitMeta, Layer, LayerId, Mode};
use citymap_store::{Put, Store, Transaction};
use geo::CoordsIter;

use crate::{
    FileReport, ImportError, Issue, IssueKind, LayerReport, Progress, Report, Request,
    check::{Checked, Reject, Verdict},
    hash,
    location::city_area,
    outputs,
    plan::Plan,
    produce::{Item, Next, Opened, WAITING, produce},
    rejects::{Finished, Rejects},
    stages::{StageClock, Stages},
    tally::Tally,
};

/// Imports files into the store as one transaction and one revision.
///
/// Reading, checking and writing run in parallel; the store is written from the calling thread.
/// With [`Request::dry_run`] everything is done, and then not committed.
///
/// The files are read in this process, with all that it may do: for files that can be trusted.
/// [`crate::worker::import`] reads them in a confined process.
///
/// # Errors
/// [`ImportError`]: a file cannot be read, the request does not fit the files, no feature could be accepted,
/// or the store refused. The store is as it was then.
pub fn import(
    request: &Request,
    store: &dyn Store,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let request = &for_store(request, store)?;
    let present = present(request, store)?;
    thread::scope(|scope| {
        let (out, items) = sync_channel::<Item>(WAITING);
        let reading = scope.spawn(move || produce(request, &present, &mut |item| out.send(item).is_ok()));
        let mut reading = Some(reading);
        write(request, store, progress, &mut move || {
            items.recv().map_err(|_closed| match reading.take().map(thread::ScopedJoinHandle::join) {
                Some(Ok(Err(error))) => error,
                _ => ImportError::Usage("the reader failed; please report the file".into()),
            })
        })
    })
}

/// The request with what the record says of its city.
///
/// # Errors
/// [`ImportError::Store`] if the record cannot be read.
pub(crate) fn for_store(request: &Request, store: &dyn Store) -> Result<Request, ImportError> {
    Ok(Request { city: citymap_store::city_profile(store)?, ..request.clone().tidied() })
}

/// The layers that the record has, if the request makes sense at all.
///
/// # Errors
/// [`ImportError::Usage`] if it does not, [`ImportError::Store`] if the record cannot be read.
pub(crate) fn present(request: &Request, store: &dyn Store) -> Result<Vec<Layer>, ImportError> {
    if request.files.is_empty() {
        return Err(ImportError::Usage("no file was named".into()));
    }
    Ok(store.view()?.layers()?.into_iter().map(|entry| entry.layer).collect())
}

/// The writing side: takes what the reading side hands over, and makes one revision of it.
pub(crate) fn write(
    request: &Request,
    store: &dyn Store,
    progress: &mut dyn FnMut(Progress),
    next: &mut Next<'_>,
) -> Result<Report, ImportError> {
    let start = Instant::now();
    let Opened { files, plans } = loop {
        match next()? {
            Item::Looking(file) => {
                progress(Progress { file, layer: String::new(), done: 0, total: None });
            }
            Item::Opened(opened) => break opened,
            Item::Batch(_) | Item::LayerEnd(_) | Item::End(_) => return Err(out_of_turn()),
        }
    };
    let counts: HashMap<LayerId, u64> =
        store.view()?.layers()?.into_iter().map(|entry| (entry.layer.id, entry.count)).collect();
    let rejects_path = request.rejects.clone().unwrap_or_else(|| {
        let name = request.layer.as_ref().or_else(|| plans.first().map(|plan| &plan.layer.id));
        PathBuf::from(format!("{}_rejects.gpkg", name.map_or("import", |id| id.as_str())))
    });
    let protected = outputs::protected(&request.files, &store.location());
    let rejects = Rejects::new(&rejects_path, &protected, names(request))?;
    let mut run = Run { request, rejects, first_reject: None, clock: StageClock::default(), progress };
    let mut transaction = store.begin(meta(request, &files))?;
    let mut layers = Vec::new();
    for plan in plans {
        refuse_what_stays(request, &plan.layer.id, transaction.as_mut())?;
        layers.push(run.layer(&files[plan.file].path, plan, transaction.as_mut(), next)?);
    }
    let Item::End(mut stages) = next()? else { return Err(out_of_turn()) };
    let finishing = Instant::now();
    // A layer that two files fill has two turns, in their order.
    let mut counted = vec![false; layers.len()];
    for change in transaction.changes()? {
        let turn =
            layers.iter_mut().zip(&mut counted).find(|(layer, done)| !**done && layer.id == change.layer);
        if let Some((layer, done)) = turn {
            layer.count(&change);
            *done = true;
        }
    }
    let (rejects_file, rejects_tables) = (run.rejects.written(), run.rejects.tables());
    let earlier_rejects_file = run.rejects.earlier();
    let rejects = run.rejects.finish()?;
    let sum = |count: fn(&LayerReport) -> u64| layers.iter().map(count).sum::<u64>();
    let (read, accepted, rejected) = (sum(|l| l.read), sum(|l| l.accepted), sum(|l| l.rejected));
    let mut report = Report {
        files,
        layers,
        mode: request.mode,
        dry_run: request.dry_run,
        read,
        accepted,
        rejected,
        repair_tolerance: request.repair.tolerance,
        rejects_file,
        rejects_tables,
        earlier_rejects_file,
        warnings: Vec::new(),
        revision: None,
        seconds: 0.0,
        features_per_second: 0.0,
        stages: Stages::default(),
    };
    if read > 0 && accepted == 0 {
        // Dropping the transaction leaves the store as it was: a layer is not replaced by nothing.
        drop(transaction);
        report.seconds = start.elapsed().as_secs_f64();
        rejects.map_or(Ok(()), Finished::reveal)?;
        return Err(ImportError::NothingAccepted {
            read,
            first: run.first_reject.unwrap_or_default(),
            report: Box::new(report),
        });
    }
    if let Some(emptied) = layers_emptied(request, &report, &counts) {
        return Err(emptied);
    }
    if request.dry_run {
        drop(transaction);
    } else {
        report.revision = Some(transaction.commit()?.number);
    }
    stages.write = run.clock.seconds();
    stages.finish = finishing.elapsed().as_secs_f64();
    report.stages = stages;
    if let Err(error) = rejects.map_or(Ok(()), Finished::reveal) {
        // The revision is there: what fails from here on does not undo it.
        report.warnings.push(error.to_string());
    }
    report.seconds = start.elapsed().as_secs_f64();
    report.features_per_second = read as f64 / report.seconds.max(1e-9);
    Ok(report)
}

/// The refusal of a layer that would lose all its features for none.
fn layers_emptied(request: &Request, report: &Report, counts: &HashMap<LayerId, u64>) -> Option<ImportError> {
    if request.mode != Mode::Replace || request.allow_empty {
        return None;
    }
    report.layers.iter().filter(|layer| layer.accepted == 0).find_map(|layer| {
        let count = counts.get(&layer.id).copied().filter(|count| *count > 0)?;
        let (file, layer, read) = (layer.file.clone(), layer.id.clone(), layer.read);
        Some(ImportError::Emptied { file, layer, count, read })
    })
}

/// A layer that is added to keeps its definition, so what is asked for about its fields would be lost without
/// a word.
fn refuse_what_stays(
    request: &Request,
    layer: &LayerId,
    transaction: &mut dyn Transaction,
) -> Result<(), ImportError> {
    let asked = [
        (request.title.is_some(), "--title TEXT"),
        (request.role.is_some(), "--role ROLE"),
        (!request.meanings.is_empty(), "--meaning FIELD=MEANING"),
        (!request.personal.is_empty(), "--personal FIELD,…"),
        (!request.public.is_empty(), "--public FIELD,…"),
    ];
    let options: Vec<&str> =
        asked.into_iter().filter(|(given, _)| *given).map(|(_, option)| option).collect();
    if options.is_empty() || !request.keeps_definitions() || transaction.definition(layer)?.is_none() {
        return Ok(());
    }
    Err(ImportError::Usage(format!(
        "layer `{layer}` is there, and mode {} leaves its definition as it is; change its fields with \
         `citymap layer set {layer} {}`",
        request.mode,
        options.join(" ")
    )))
}

/// The names of the files, for people.
fn names(request: &Request) -> String {
    let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    request.files.iter().map(name).collect::<Vec<String>>().join(", ")
}

fn meta(request: &Request, files: &[FileReport]) -> CommitMeta {
    let names = names(request);
    let hashes: Vec<String> = files.iter().map(|file| file.sha256.clone()).collect();
    CommitMeta {
        author: request.author.clone(),
        message: request.message.clone().unwrap_or_else(|| format!("Import {names}")),
        source: Some(names),
        source_sha256: Some(hash::together(&hashes)),
    }
}

/// The reading side handed over something that cannot come now: a defect of this program.
fn out_of_turn() -> ImportError {
    ImportError::Usage("the reading side of the import is out of step; please report the file".into())
}

struct Run<'a> {
    request: &'a Request,
    rejects: Rejects,
    first_reject: Option<String>,
    /// Takes the time of counting and of handing features to the store.
    clock: StageClock,
    progress: &'a mut dyn FnMut(Progress),
}

impl Run<'_> {
    fn layer(
        &mut self,
        shown: &str,
        plan: Plan,
        transaction: &mut dyn Transaction,
        next: &mut Next<'_>,
    ) -> Result<LayerReport, ImportError> {
        let crs = plan.crs.as_ref().map(|(crs, _)| *crs);
        self.rejects.layer(&plan.layer.id, &plan.fit.reject_fields(), crs);
        transaction.layer(&plan.layer, self.request.mode)?;
        let total = plan.total;
        let mut tally = Tally::new(shown, plan);
        tally.each_key_once = self.request.mode == Mode::Upsert;
        let notes = loop {
            match next()? {
                Item::Batch(batch) => {
                    let clock = std::mem::take(&mut self.clock);
                    let put = |one| self.put(one, &mut tally, transaction);
                    let outcome = clock.time(|| batch.into_iter().try_for_each(put));
                    self.clock = clock;
                    outcome?;
                    (self.progress)(Progress {
                        file: shown.to_owned(),
                        layer: tally.report.source.clone(),
                        done: tally.report.read,
                        total,
                    });
                }
                Item::LayerEnd(notes) => break notes,
                Item::Looking(_) | Item::Opened(_) | Item::End(_) => return Err(out_of_turn()),
            }
        };
        for note in notes {
            tally.issue(Issue::new(IssueKind::Warning, note));
        }
        tally.places(&city_area(&self.request.city))?;
        transaction.rejected(tally.report.rejected)?;
        let report = tally.finish();
        if report.read != report.accepted + report.rejected {
            return Err(ImportError::Lost {
                file: shown.to_owned(),
                layer: report.source,
                read: report.read,
                accepted: report.accepted,
                rejected: report.rejected,
            });
        }
        Ok(report)
    }

    fn put(
        &mut self,
        one: Checked,
        tally: &mut Tally,
        transaction: &mut dyn Transaction,
    ) -> Result<(), ImportError> {
        let (index, line) = (one.index, one.line);
        tally.look(&one);
        let reject = match one.verdict {
            Verdict::Rejected(reject) => reject,
            Verdict::Accepted { feature, original } => {
                let values = original.is_some().then(|| feature.values.clone());
                let geometry = feature.geometry.as_ref().map(CoordsIter::coords_count);
                tally.unique(&feature.values);
                tally.texts(&feature.values, line.unwrap_or(index));
                let outside = tally.outside.find(&feature.values);
                match transaction.put(feature)? {
                    Put::Added(_) | Put::Changed(_) | Put::Removed(_) => {
                        tally.accepted(geometry, one.repaired);
                        tally.outside.count(outside);
                        return Ok(());
                    }
                    Put::Rejected(reason) => {
                        let reason = reason.to_string();
                        tally.issue(Issue {
                            feature: Some(index),
                            key: one.shown,
                            line,
                            ..Issue::new(IssueKind::Reject, reason.clone())
                        });
                        Reject { reason, values: values.unwrap_or_default(), original }
                    }
                }
            }
        };
        if self.first_reject.is_none() {
            let place = line
                .map_or_else(|| format!("feature {index}"), |line| format!("line {line}, feature {index}"));
            self.first_reject = Some(format!("{}, {place}: {}", tally.report.file, reject.reason));
        }
        tally.report.rejected += 1;
        self.rejects.put(index, line, &reject)
    }
}
