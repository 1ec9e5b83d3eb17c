//! `citymap import`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use citymap_ingest::{ImportError, IssueKind, LayerReport, Report, Request};

use crate::{
    args::{Cli, ImportArgs},
    database,
    output::{self, Failure, thousands},
    progress::Bar,
    worker::{self, Bounds},
};

/// Issues of a kind that are printed; the report file and the rejects hold all.
const PRINTED: usize = 10;

pub(crate) fn run(cli: &Cli, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let bounds = Bounds { memory: args.max_memory << 20, time: Duration::from_secs(args.max_time) };
    if !worker::is_child() {
        return worker::supervise(&bounds);
    }
    worker::confine(&bounds)?;
    let request = request(cli, args);
    let bar = Bar::new(cli.json);
    let outcome = store_and_import(cli, &request, &bar);
    bar.clear();
    match outcome {
        Ok(report) => {
            write_report(args, &report)?;
            if cli.json {
                output::print_json(&serde_json::to_value(&report)?);
            } else {
                print_report(cli, &report);
            }
            Ok(ExitCode::from(report.exit_code()))
        }
        Err(error) => {
            if let ImportError::NothingAccepted { report, .. } = &error {
                write_report(args, report)?;
                if !cli.json {
                    report.layers.iter().for_each(print_issues);
                }
            }
            Err(error.into())
        }
    }
}

fn store_and_import(cli: &Cli, request: &Request, bar: &Bar) -> Result<Report, ImportError> {
    // A dry run, and an import that fails, leave no new file behind.
    let made = !database::is_database(&cli.store) && !Path::new(&cli.store).exists();
    let store = database::open(cli, true)?;
    let outcome = citymap_ingest::import(request, store.as_ref(), &mut |progress| {
        let what = if progress.layer.is_empty() { &progress.file } else { &progress.layer };
        bar.set(what, progress.done, progress.total.unwrap_or(0));
    });
    let untouched = made && store.revision().is_ok_and(|revision| revision == 0);
    drop(store);
    if untouched {
        // Best effort: an empty store is harmless, and the outcome is what counts.
        let _ = std::fs::remove_file(&cli.store);
    }
    outcome
}

fn request(cli: &Cli, args: &ImportArgs) -> Request {
    Request {
        layer: args.layer.clone(),
        role: args.role,
        crs: args.crs,
        encoding: args.encoding,
        key: args.key.clone(),
        mode: args.mode,
        title: args.title.clone(),
        data_date: args.data_date,
        author: args.author.clone(),
        message: args.message.clone(),
        dry_run: args.dry_run,
        rejects: args.rejects.clone().or_else(|| Some(rejects_beside(cli, args))),
        ..Request::new(args.files.clone())
    }
}

/// `REPORT.rejects.gpkg` beside the report; without one, `FILE.rejects.gpkg` beside the store, or here if the store
/// is a database.
fn rejects_beside(cli: &Cli, args: &ImportArgs) -> PathBuf {
    if let Some(report) = &args.report {
        return report.with_extension("rejects.gpkg");
    }
    let stem = args.files.first().and_then(|file| file.file_stem()).unwrap_or_default();
    let folder = if database::is_database(&cli.store) {
        Path::new("")
    } else {
        Path::new(&cli.store).parent().unwrap_or(Path::new(""))
    };
    let mut name = stem.to_owned();
    name.push(".rejects.gpkg");
    folder.join(name)
}

fn write_report(args: &ImportArgs, report: &Report) -> Result<(), Failure> {
    let Some(path) = &args.report else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(path, text)
        .map_err(|error| Failure(format!("the report could not be written to {}: {error}", path.display())))
}

fn print_report(cli: &Cli, report: &Report) {
    for layer in &report.layers {
        println!("{} ← {} ({})", layer.id, layer.source, layer.file);
        if let Some(crs) = &layer.crs {
            println!("  coordinate system  {} ({})", crs.crs, crs.how);
        }
        print!("  texts              {} ({})", layer.encoding.encoding, layer.encoding.how);
        match layer.encoding.sample.first() {
            Some(sample) => println!(", such as “{sample}”"),
            None => println!(),
        }
        println!(
            "  features           {} read = {} accepted + {} rejected",
            thousands(layer.read),
            thousands(layer.accepted),
            thousands(layer.rejected)
        );
        for (count, what) in [
            (layer.repaired, "repaired"),
            (layer.null_geometry, "without geometry"),
            (layer.empty_geometry, "with empty geometry"),
            (layer.z_dropped, "whose heights or measures were left out"),
            (layer.curves_linearised, "whose arcs became straight pieces"),
            (layer.duplicate_keys, "with a key that another one has"),
            (layer.missing_keys, "without a key"),
        ] {
            if count > 0 {
                println!("                     {} {what}", thousands(count));
            }
        }
        if layer.key.is_none() && !layer.unique_fields.is_empty() {
            println!("  no key given       these fields could be it: {}", layer.unique_fields.join(", "));
        }
        print_issues(layer);
    }
    for file in &report.files {
        file.notes.iter().for_each(|note| println!("note: {}: {note}", file.path));
    }
    println!(
        "{} read = {} accepted + {} rejected, in {:.1} s ({} features a second)",
        thousands(report.read),
        thousands(report.accepted),
        thousands(report.rejected),
        report.seconds,
        thousands(report.features_per_second as u64)
    );
    if let Some(rejects) = &report.rejects_file {
        println!("the rejected features, with reasons: {rejects}");
    }
    match report.revision {
        Some(revision) => println!("{} is at revision {revision}", database::shown(&cli.store)),
        None => println!("dry run: {} is as it was", database::shown(&cli.store)),
    }
}

fn print_issues(layer: &LayerReport) {
    for (kind, word) in
        [(IssueKind::Reject, "rejected"), (IssueKind::Repair, "repaired"), (IssueKind::Warning, "note")]
    {
        let mut issues = layer.issues.iter().filter(|issue| issue.kind == kind);
        for issue in issues.by_ref().take(PRINTED) {
            let mut at = String::new();
            if let Some(feature) = issue.feature {
                at.push_str(&format!(" feature {feature}"));
            }
            if let Some(key) = &issue.key {
                at.push_str(&format!(" ({key})"));
            }
            if let Some(line) = issue.line {
                at.push_str(&format!(", line {line}"));
            }
            if let Some([x, y]) = issue.lonlat.or(issue.place) {
                at.push_str(&format!(" at {x:.6}, {y:.6}"));
            }
            println!("  {word}:{at} {}", issue.reason);
        }
        let more = issues.count();
        if more > 0 {
            println!("  … and {} more {word}; --report FILE lists them", thousands(more as u64));
        }
    }
}
