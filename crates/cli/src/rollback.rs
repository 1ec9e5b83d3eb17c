//! `citymap rollback`: a revision that returns the city to an earlier state.

use std::{process::ExitCode, time::Instant};

use citymap_model::{AsOf, CommitMeta};
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
    values::CommitArgs,
};

/// The arguments of `citymap rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The state to return to: a revision number, a date (the end of that day) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) to: AsOf,

    #[command(flatten)]
    pub(crate) commit: CommitArgs,
}

pub(crate) fn run(global: &Global, args: &RollbackArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let store = database::open_to_write(global)?;
    let to = database::number(store.as_ref(), args.to)?;
    let meta = CommitMeta {
        author: args.commit.author.clone(),
        message: args.commit.message.clone().unwrap_or_else(|| format!("Return to revision {to}")),
        source: None,
        source_sha256: None,
    };
    let revision = citymap_store::roll_back(store.as_ref(), to, meta)?;
    let seconds = start.elapsed().as_secs_f64();
    if global.json {
        output::print_json(&serde_json::json!({ "revision": revision, "to": to, "seconds": seconds }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &revision.changes {
        say!(
            "{}: {} added, {} changed, {} removed",
            change.layer,
            thousands(change.added),
            thousands(change.changed),
            thousands(change.removed)
        )?;
    }
    say!(
        "{} is as it was at revision {to}, by revision {}, in {seconds:.1} s; \
         `citymap rollback --to {}` undoes it",
        store.location(),
        revision.number,
        revision.number - 1
    )?;
    Ok(ExitCode::SUCCESS)
}
