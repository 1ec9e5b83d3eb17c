//! `citymap export`.

use std::process::ExitCode;

use citymap_crs::Crs;

use crate::{
    args::{Cli, ExportArgs},
    database,
    output::{self, Failure, thousands},
};

pub(crate) fn run(cli: &Cli, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let store = database::open(cli, false)?;
    let view = database::view(store.as_ref(), args.as_of)?;
    let crs = args.crs.unwrap_or(Crs::WGS84);
    let export = citymap_ingest::export(view.as_ref(), &args.layer, &args.to, crs)?;
    if cli.json {
        output::print_json(&serde_json::to_value(&export)?);
    } else {
        println!(
            "{} features of {} in {} to {}",
            thousands(export.written),
            args.layer,
            crs,
            args.to.display()
        );
        export.notes.iter().for_each(|note| println!("note: {note}"));
    }
    Ok(ExitCode::SUCCESS)
}
