//! `citymap layers`.

use std::process::ExitCode;

use crate::{
    args::{Cli, LayersArgs},
    database,
    output::{self, Failure, thousands},
};

pub(crate) fn run(cli: &Cli, args: &LayersArgs) -> Result<ExitCode, Failure> {
    let store = database::open(cli, false)?;
    let view = database::view(store.as_ref(), args.as_of)?;
    let entries = view.layers()?;
    if cli.json {
        let layers: Vec<_> = entries
            .iter()
            .map(|entry| {
                serde_json::json!({ "layer": entry.layer, "count": entry.count, "revision": entry.revision })
            })
            .collect();
        output::print_json(&serde_json::json!({ "revision": view.revision(), "layers": layers }));
        return Ok(ExitCode::SUCCESS);
    }
    if entries.is_empty() {
        println!(
            "{} has no layers yet; `citymap import FILE` or `citymap demo` makes some",
            store.location()
        );
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
    output::print_table(&rows);
    println!("\n{} at revision {}", store.location(), view.revision());
    Ok(ExitCode::SUCCESS)
}
