//! `citymap log`: the revisions of the store, newest first.

use std::process::ExitCode;

use chrono::Local;
use citymap_model::{LayerChange, LayerId, Revision, text::shown};
use citymap_store::{Store, StoreError};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
};

/// The arguments of `citymap log`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Maximum number of revisions.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,

    /// Only revisions that changed this layer.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,
}

/// Revisions that are read at once when only those of one layer are wanted.
const PAGE: usize = 1_000;

pub(crate) fn run(global: &Global, args: &LogArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let log = match &args.layer {
        None => store.log(args.limit)?,
        Some(layer) => of_layer(store.as_ref(), layer, args.limit)?,
    };
    if global.json {
        output::print_json(&serde_json::to_value(&log)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if log.is_empty() {
        say!("no revision yet; `citymap import FILE` or `citymap demo` adds the first")?;
    }
    log.iter().try_for_each(print)?;
    Ok(ExitCode::SUCCESS)
}

/// The newest `limit` revisions that changed a layer.
fn of_layer(store: &dyn Store, layer: &LayerId, limit: usize) -> Result<Vec<Revision>, StoreError> {
    let mut wanted = PAGE;
    // A store reads its log from the newest revision on, so a layer that changed long ago takes longer pages.
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

fn print(revision: &Revision) -> Result<(), Failure> {
    let time = revision.time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
    say!(
        "{:>6}  {time}  {}  {}",
        revision.number,
        shown(&revision.meta.author),
        shown(&revision.meta.message)
    )?;
    if let Some(source) = &revision.meta.source {
        let hash = revision.meta.source_sha256.as_deref().unwrap_or("–");
        say!("        from {} (sha256 {})", shown(source), hash.get(..16).unwrap_or(hash))?;
    }
    for change in &revision.changes {
        say!("        {}", counts(change))?;
    }
    Ok(())
}

/// One line about a layer: `parcels: replaced, 3 added, 1 changed, 2 removed, 1 rejected`.
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
