//! `citymap layers`: the layers of the store as a table.

use std::process::ExitCode;

use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
    values::AsOfArg,
};

/// The arguments of `citymap layers`.
#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    #[command(flatten)]
    pub(crate) at: AsOfArg,
}

pub(crate) fn run(global: &Global, args: &LayersArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.at.as_of)?;
    let entries = view.layers()?;
    if global.json {
        let layers: Vec<_> = entries
            .iter()
            .map(|entry| {
                serde_json::json!({ "layer": entry.layer, "count": entry.count, "revision": entry.revision })
            })
            .collect();
        output::print_json(&serde_json::json!({ "revision": view.revision(), "layers": layers }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        say!("{} has no layers yet; `citymap import FILE` or `citymap demo` adds some", store.location())?;
        return Ok(ExitCode::SUCCESS);
    }
    let head = ["LAYER", "ROLE", "GEOMETRY", "FEATURES", "REVISION", "DATA OF", "TITLE"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for entry in &entries {
        let layer = &entry.layer;
        rows.push(vec![
            layer.id.to_string(),
            layer.role.to_string(),
            format!("{:?}", layer.geometry).to_lowercase(),
            thousands(entry.count),
            entry.revision.to_string(),
            layer.data_date.map_or_else(|| "–".to_owned(), |date| date.to_string()),
            layer.title.get("vi").to_owned(),
        ]);
    }
    output::print_table(&rows)?;
    say!("\n{} at revision {}", store.location(), view.revision())?;
    Ok(ExitCode::SUCCESS)
}
