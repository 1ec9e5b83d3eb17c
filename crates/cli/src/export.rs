//! `citymap export`: one layer, written to a file by GDAL.

use std::{path::PathBuf, process::ExitCode};

use citymap_access::Audience;
use citymap_crs::Crs;
use citymap_model::LayerId;
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, say, thousands},
    values::AsOfArg,
};

/// The arguments of `citymap export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The layer to export.
    #[arg(value_name = "LAYER")]
    pub(crate) layer: LayerId,

    /// The file to write: .gpkg, .geojson, .geojsonl, .shp, .fgb, .csv, .kml, .tab, .dxf.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,

    #[command(flatten)]
    pub(crate) at: AsOfArg,

    /// Leave out personal fields: for a file that may be handed on. Without it all fields are written, into a
    /// file that only its owner may read if some are personal.
    #[arg(long)]
    pub(crate) public: bool,

    /// Coordinate system of the file. Default: EPSG:4326.
    #[arg(long, value_name = "EPSG:n")]
    pub(crate) crs: Option<Crs>,
}

pub(crate) fn run(global: &Global, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.at.as_of)?;
    let crs = args.crs.unwrap_or(Crs::WGS84);
    let audience = if args.public { Audience::Public } else { Audience::OPERATOR };
    let export = citymap_ingest::export(view.as_ref(), &args.layer, &args.to, crs, &audience)?;
    if global.json {
        output::print_json(&serde_json::to_value(&export)?)?;
    } else {
        say!("{} features of {} in {} to {}", thousands(export.written), args.layer, crs, args.to.display())?;
        for note in &export.notes {
            say!("note: {note}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
