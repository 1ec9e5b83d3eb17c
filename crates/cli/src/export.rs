//! `citymap export`: one layer, written to a file by GDAL.

use std::{path::PathBuf, process::ExitCode};

use citymap_access::Audience;
use citymap_cql2::Expr;
use citymap_crs::Crs;
use citymap_ingest::ExportOptions;
use citymap_model::LayerId;
use clap::Args;

use crate::{
    database,
    failure::Failure,
    global::Global,
    output::{self, counted, say},
    values::{AsOfArg, filter},
};

/// The arguments of `citymap export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The layer to export.
    #[arg(value_name = "LAYER")]
    pub(crate) layer: LayerId,

    /// The file to write: .gpkg, .geojson, .geojsonl, .shp, .fgb, .csv, .kml, .gpx, .tab, .dxf.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,

    #[command(flatten)]
    pub(crate) at: AsOfArg,

    /// Write personal fields too, into a file that only its owner may read.
    #[arg(long, conflicts_with = "public")]
    pub(crate) personal: bool,

    /// Leave out personal fields (the default).
    #[arg(long)]
    pub(crate) public: bool,

    /// Make a .csv file safe for Excel: a byte order mark, so that it reads UTF-8, and an apostrophe before
    /// texts that it would take for formulas.
    #[arg(long)]
    pub(crate) excel: bool,

    /// Write only features for which this CQL2 expression is true, for instance
    /// "loai_dat = 'ODT' AND dien_tich > 100"; text, or JSON that begins with `{`.
    #[arg(long = "where", value_name = "CQL2", value_parser = filter)]
    pub(crate) filter: Option<Expr>,

    /// Coordinate system of the file. Default: EPSG:4326.
    #[arg(long, value_name = "EPSG:n")]
    pub(crate) crs: Option<Crs>,
}

pub(crate) fn run(global: &Global, args: &ExportArgs) -> Result<ExitCode, Failure> {
    let store = database::open(global, false)?;
    let view = database::view(store.as_ref(), args.at.as_of)?;
    let crs = args.crs.unwrap_or(Crs::WGS84);
    let audience = if args.personal { Audience::OPERATOR } else { Audience::Public };
    let options =
        ExportOptions { excel: args.excel, filter: args.filter.clone(), ..ExportOptions::new(crs, audience) };
    let export = citymap_ingest::export(view.as_ref(), &args.layer, &args.to, &options)?;
    if global.json {
        output::print_json(&serde_json::to_value(&export)?)?;
    } else {
        let features = counted(export.written, "feature", "features");
        say!("{features} of {} in {} to {}", args.layer, crs, args.to.display())?;
        if !export.left_out.is_empty() {
            say!(
                "note: personal fields were left out: {} (--personal writes them)",
                export.left_out.join(", ")
            )?;
        }
        for note in &export.notes {
            say!("note: {note}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
