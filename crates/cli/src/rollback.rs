//! `citymap rollback`.

use std::{process::ExitCode, time::Instant};

use citymap_model::CommitMeta;

use crate::{
    args::{Cli, RollbackArgs},
    database,
    output::{self, Failure, thousands},
};

pub(crate) fn run(cli: &Cli, args: &RollbackArgs) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    let store = database::open(cli, false)?;
    let to = database::number(store.as_ref(), args.to)?;
    let meta = CommitMeta {
        author: args.author.clone(),
        message: args.message.clone().unwrap_or_else(|| format!("Return to revision {to}")),
        source: None,
        source_sha256: None,
    };
    let revision = citymap_store::roll_back(store.as_ref(), to, meta)?;
    let seconds = start.elapsed().as_secs_f64();
    if cli.json {
        output::print_json(&serde_json::json!({ "revision": revision, "to": to, "seconds": seconds }));
        return Ok(ExitCode::SUCCESS);
    }
    for change in &revision.changes {
        println!(
            "{}: {} added, {} changed, {} removed",
            change.layer,
            thousands(change.added),
            thousands(change.changed),
            thousands(change.removed)
        );
    }
    println!(
        "{} is as it was at revision {to}, by revision {}, in {seconds:.1} s; `citymap rollback --to {}` undoes it",
        store.location(),
        revision.number,
        revision.number - 1
    );
    Ok(ExitCode::SUCCESS)
}
