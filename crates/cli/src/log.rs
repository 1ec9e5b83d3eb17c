//! `citymap log`.

use std::process::ExitCode;

use chrono::Local;
use citymap_model::{LayerChange, LayerId, Revision};
use citymap_store::{Store, StoreError};

use crate::{
    args::{Cli, LogArgs},
    database,
    output::{self, Failure, thousands},
};

/// Revisions that are read at once where only one layer's are wanted.
const PAGE: usize = 1_000;

pub(crate) fn run(cli: &Cli, args: &LogArgs) -> Result<ExitCode, Failure> {
    let store = database::open(cli, false)?;
    let log = match &args.layer {
        None => store.log(args.limit)?,
        Some(layer) => of_layer(store.as_ref(), layer, args.limit)?,
    };
    if cli.json {
        output::print_json(&serde_json::to_value(&log)?);
        return Ok(ExitCode::SUCCESS);
    }
    if log.is_empty() {
        println!("no revision yet; `citymap import FILE` or `citymap demo` makes the first");
    }
    log.iter().for_each(print);
    Ok(ExitCode::SUCCESS)
}

/// The newest revisions that touched a layer.
fn of_layer(store: &dyn Store, layer: &LayerId, limit: usize) -> Result<Vec<Revision>, StoreError> {
    let mut wanted = PAGE;
    // The log is read from its newest end, so a layer that was touched long ago takes longer pages.
    loop {
        let mut log = store.log(wanted)?;
        let ended = log.len() < wanted;
        log.retain(|revision| revision.changes.iter().any(|change| change.layer == *layer));
        if log.len() >= limit || ended {
            log.truncate(limit);
            return Ok(log);
        }
        wanted = wanted.saturating_mul(4);
    }
}

fn print(revision: &Revision) {
    let time = revision.time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
    println!("{:>6}  {time}  {}  {}", revision.number, revision.meta.author, revision.meta.message);
    if let Some(source) = &revision.meta.source {
        let hash = revision.meta.source_sha256.as_deref().unwrap_or("–");
        println!("        from {source} (sha256 {})", hash.get(..16).unwrap_or(hash));
    }
    for change in &revision.changes {
        println!("        {}", counts(change));
    }
}

/// `parcels: replaced, 3 added, 1 changed, 2 removed, 1 rejected`.
fn counts(change: &LayerChange) -> String {
    let LayerChange { layer, mode, added, changed, removed, rejected } = change;
    let mut text = format!("{layer}: {mode}");
    for (count, word) in
        [(added, "added"), (changed, "changed"), (removed, "removed"), (rejected, "rejected")]
    {
        if *count > 0 {
            text.push_str(&format!(", {} {word}", thousands(*count)));
        }
    }
    text
}
