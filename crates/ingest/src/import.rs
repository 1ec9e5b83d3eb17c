//! The way from files to a revision.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    path::PathBuf,
    sync::mpsc::sync_channel,
    thread,
    time::Instant,
};

use citymap_access::{Audience, visible};
use citymap_crs::CityArea;
use citymap_model::{CommitMeta, Field, FieldType, Layer, LayerId, Mode, Value, counted, plural, quote};
use citymap_store::{Put, Store, Transaction};
use geo::CoordsIter;

use crate::{
    FileReport, ImportError, Issue, IssueKind, LayerReport, Progress, Report, Request,
    check::{Checked, Position, Reject, Verdict},
    domains::Outside,
    encoding::garbled::ColumnTexts,
    hash,
    location::{Outlier, Outliers, city_area},
    outputs,
    plan::Plan,
    produce::{Item, Next, Opened, WAITING, produce},
    rejects::{Finished, Rejects},
    stages::{StageClock, Stages},
};

/// Issues kept for the report, a layer.
const ISSUES: usize = 100_000;
/// Examples of repeated keys.
const EXAMPLES: usize = 10;

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
    for change in transaction.changes()? {
        // The last turn to a layer that two files fill says what became of it.
        if let Some(layer) = layers.iter_mut().rev().find(|layer| layer.id == change.layer) {
            layer.count(&change);
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

/// What is counted while a layer goes through.
struct Tally {
    report: LayerReport,
    /// Hashes of the keys so far: 64 bits take an accident in 10^7 imports of a million keys.
    keys: HashSet<u64>,
    has_key: bool,
    /// Whether the mode takes a key once only.
    each_key_once: bool,
    /// Whether messages may show keys: a key may be personal data.
    key_is_public: bool,
    /// Hashes of each field's values, as long as they are all there and all different.
    unique: Vec<Option<HashSet<u64>>>,
    hasher: RandomState,
    /// The texts of each field, to see whether they make words.
    texts: Vec<ColumnTexts>,
    /// Whether places are lines of the file, else numbers of features.
    lines: bool,
    /// Features with coordinates, and those of them that were rejected because all theirs are 0, 0.
    placed: u64,
    zeros: u64,
    outliers: Outliers,
    /// Values outside of the domain of their field.
    outside: Outside,
}

impl Tally {
    fn new(file: &str, plan: Plan) -> Self {
        let layer = plan.layer;
        let public_fields =
            visible(&layer, &Audience::Public).names().into_iter().map(str::to_owned).collect();
        // With a key given there is nothing to suggest.
        let unique = match layer.key {
            Some(_) => Vec::new(),
            None => {
                let seen = visible(&layer, &Audience::Public);
                let may_be_key = |(index, field): (usize, &Field)| {
                    matches!(field.field_type, FieldType::Int | FieldType::Text) && seen.contains(index)
                };
                layer.fields.iter().enumerate().map(|own| may_be_key(own).then(HashSet::new)).collect()
            }
        };
        let seen = visible(&layer, &Audience::Public);
        let outside = Outside::of(&layer.fields, |index| seen.contains(index));
        Self {
            outside,
            has_key: layer.key.is_some(),
            key_is_public: visible(&layer, &Audience::Public).key_index().is_some(),
            report: LayerReport {
                id: layer.id,
                source: plan.source,
                file: file.to_owned(),
                title: layer.title,
                role: layer.role,
                geometry: layer.geometry,
                crs: plan.crs.map(|(_, report)| report),
                encoding: plan.encoding,
                theme: layer.theme,
                fields: layer.fields,
                public_fields,
                personal_fields: plan.personal,
                key: layer.key,
                label: layer.label,
                unique_fields: Vec::new(),
                read: 0,
                accepted: 0,
                rejected: 0,
                added: 0,
                changed: 0,
                unchanged: 0,
                removed: 0,
                repaired: 0,
                null_geometry: 0,
                empty_geometry: 0,
                z_dropped: 0,
                curves_linearised: 0,
                duplicate_keys: 0,
                duplicate_key_examples: Vec::new(),
                missing_keys: 0,
                issues: plan.issues,
                issues_left_out: 0,
            },
            keys: HashSet::new(),
            each_key_once: false,
            unique,
            hasher: RandomState::new(),
            texts: Vec::new(),
            lines: false,
            placed: 0,
            zeros: 0,
            outliers: Outliers::default(),
        }
    }

    fn look(&mut self, one: &Checked) {
        self.lines |= one.line.is_some();
        let report = &mut self.report;
        report.read += 1;
        report.z_dropped += u64::from(one.dropped_z);
        report.curves_linearised += u64::from(one.curved);
        if self.has_key {
            match &one.key {
                Some(key) if !key.is_empty() => {
                    if !self.keys.insert(hash(&self.hasher, key)) {
                        report.duplicate_keys += 1;
                        if self.key_is_public
                            && quote::is_code(key)
                            && report.duplicate_key_examples.len() < EXAMPLES
                            && !report.duplicate_key_examples.contains(key)
                        {
                            report.duplicate_key_examples.push(key.clone());
                        }
                    }
                }
                _ => report.missing_keys += 1,
            }
        }
        for issue in &one.issues {
            self.issue(issue.clone());
        }
        self.placed += u64::from(one.position != Position::Absent);
        match &one.verdict {
            Verdict::Rejected(_) => self.zeros += u64::from(one.position == Position::Zero),
            Verdict::Accepted { feature, .. } => {
                if let Some(geometry) = &feature.geometry {
                    let (index, line) = (one.index, one.line);
                    self.outliers.take(geometry, |lonlat| Outlier {
                        index,
                        line,
                        key: one.shown.clone(),
                        lonlat,
                        metres: 0.0,
                    });
                }
            }
        }
    }

    /// Judges the places of all features together: notes those far from the others.
    ///
    /// # Errors
    /// [`ImportError::Malformed`] if most features have 0, 0 for coordinates.
    fn places(&mut self, city: &CityArea) -> Result<(), ImportError> {
        if self.zeros * 2 > self.placed {
            return Err(ImportError::malformed(
                &self.report.file,
                format!("layer `{}`", self.report.source),
                format!(
                    "{} of {} {} 0, 0, which stands for no coordinates; give the positions, or leave the \
                     cells empty where there are none",
                    self.zeros,
                    counted(self.placed, "position", "positions"),
                    plural(self.zeros, "is", "are")
                ),
            ));
        }
        let far = std::mem::take(&mut self.outliers).finish(city);
        for Outlier { index, line, key, lonlat, metres } in far.features {
            self.issue(Issue {
                feature: Some(index),
                key,
                line,
                lonlat: Some(lonlat),
                ..Issue::new(
                    IssueKind::Warning,
                    format!(
                        "CHECK THE PLACE: feature {index} lies at {:.6}, {:.6}, {:.0} km from where most \
                         features are; it was taken",
                        lonlat[0],
                        lonlat[1],
                        metres / 1000.0
                    ),
                )
            });
        }
        if far.more {
            let more = "CHECK THE PLACE: more features lie far from where most are; the farthest are listed";
            self.issue(Issue::new(IssueKind::Warning, more));
        }
        Ok(())
    }

    fn issue(&mut self, issue: Issue) {
        if self.report.issues.len() < ISSUES {
            self.report.issues.push(issue);
        } else {
            self.report.issues_left_out += 1;
        }
    }

    fn accepted(&mut self, coords: Option<usize>, repaired: bool) {
        self.report.accepted += 1;
        self.report.repaired += u64::from(repaired);
        match coords {
            None => self.report.null_geometry += 1,
            Some(0) => self.report.empty_geometry += 1,
            Some(_) => {}
        }
    }

    /// Looks for fields that could be the key.
    fn unique(&mut self, values: &[Value]) {
        for (slot, value) in self.unique.iter_mut().zip(values) {
            let Some(seen) = slot else { continue };
            let hash = match value {
                Value::Int(number) => Some(hash(&self.hasher, number)),
                Value::Text(text) if !text.is_empty() => Some(hash(&self.hasher, text)),
                _ => None,
            };
            if !hash.is_some_and(|hash| seen.insert(hash)) {
                *slot = None;
            }
        }
    }

    /// Looks at the texts of a feature at a line or with a number.
    fn texts(&mut self, values: &[Value], place: u64) {
        if self.texts.len() < values.len() {
            self.texts.resize_with(values.len(), ColumnTexts::default);
        }
        for (column, value) in self.texts.iter_mut().zip(values) {
            if let Value::Text(text) = value {
                column.see(text, place);
            }
        }
    }

    /// What there is to say of fields whose texts make no words.
    fn garbled(&self) -> Vec<String> {
        let places = if self.lines { "lines" } else { "features" };
        let judged = self.report.fields.iter().zip(&self.texts);
        judged
            .filter_map(|(field, texts)| {
                let found = texts.judge()?;
                Some(found.note(&field.name, places, self.report.public_fields.contains(&field.name)))
            })
            .collect()
    }

    fn finish(mut self) -> LayerReport {
        for note in self.garbled() {
            self.issue(Issue::new(IssueKind::Warning, note));
        }
        if self.report.accepted > 1 {
            let unique = self.unique.iter().zip(&self.report.fields).filter(|(slot, _)| slot.is_some());
            self.report.unique_fields = unique.map(|(_, field)| field.name.clone()).collect();
        }
        let mut notes = self.outside.notes();
        let report = &mut self.report;
        if report.read == 0 {
            notes.push("the source holds no features for this layer".to_owned());
        }
        if report.duplicate_keys > 0 {
            let examples = match report.duplicate_key_examples.as_slice() {
                [] => String::new(),
                some => format!(" (such as {})", some.join(", ")),
            };
            let what = if self.each_key_once {
                "the first of each was taken, and the others were rejected"
            } else {
                "those that were accepted have ids of their own"
            };
            let repeat = plural(report.duplicate_keys, "repeats", "repeat");
            let count = features(report.duplicate_keys);
            notes.push(format!("{count} {repeat} a key that another one has{examples}; {what}"));
        }
        if report.z_dropped > 0 {
            notes.push(format!("{} had heights or measures, which were dropped", features(report.z_dropped)));
        }
        if report.curves_linearised > 0 {
            notes.push(format!(
                "{} had arcs, which became lines of 4 degrees of arc",
                features(report.curves_linearised)
            ));
        }
        report.issues.extend(notes.into_iter().map(|text| Issue::new(IssueKind::Warning, text)));
        self.report
    }
}

fn features(count: u64) -> String {
    counted(count, "feature", "features")
}

fn hash(hasher: &RandomState, value: &(impl Hash + ?Sized)) -> u64 {
    hasher.hash_one(value)
}
