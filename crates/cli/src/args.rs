//! The command line as a whole: what every command takes ([`Global`]) and the list of commands. The arguments
//! of a command are declared next to the function that runs it.

use clap::{Parser, Subcommand};

use crate::{
    backup::{BackupArgs, CopyArgs, RestoreArgs},
    bake::BakeArgs,
    check::CheckArgs,
    city::CityCommand,
    demo::DemoArgs,
    diff::DiffArgs,
    doctor::DoctorArgs,
    explain::ExplainArgs,
    export::ExportArgs,
    global::Global,
    import::ImportArgs,
    layer::LayerCommand,
    layers::LayersArgs,
    log::LogArgs,
    overlay::OverlayArgs,
    print::PrintArgs,
    report::ReportArgs,
    rollback::RollbackArgs,
    serve::ServeArgs,
    tiles::TilesCommand,
    webhook::WebhookCommand,
};

/// A digital city map: imports a city's data, stores its history, and serves it as a web map, as vector tiles
/// and as answers to spatial questions.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read data files into layers, all of it as one revision or nothing.
    ///
    /// Reads Shapefile, GeoPackage, GeoJSON (also newline-delimited), FlatGeobuf, KML, GPX, MapInfo TAB/MIF,
    /// DXF, DGN, CSV (x/y columns or WKT), File Geodatabase and OpenStreetMap PBF. Each feature that is read
    /// is either accepted or rejected; rejected features are written, with their reasons, to a GeoPackage
    /// file.
    ///
    /// Exit code: 0 all accepted, 1 failed and nothing changed, 2 wrong usage, 3 accepted with rejects
    /// or from files of which a part is missing.
    #[command(after_help = "Examples:\n\
        \x20 citymap import parcels.gpkg --layer parcels --role parcel --key ma_thua\n\
        \x20 citymap import zones.shp --layer zones --crs EPSG:9210 --encoding tcvn3 --dry-run")]
    Import(Box<ImportArgs>),
    /// Serve the web map, the API and the tiles.
    #[command(after_help = "Examples:\n\
        \x20 citymap serve --listen 0.0.0.0:8080\n\
        \x20 citymap serve --writers writers.txt --archives https://tiles.example.vn/")]
    Serve(Box<ServeArgs>),
    /// Make a synthetic city; the same seed always gives the same bytes.
    #[command(after_help = "Example:\n  citymap demo --parcels 100000 --seed 1")]
    Demo(DemoArgs),
    /// List the layers of the store.
    #[command(after_help = "Examples:\n  citymap layers\n  citymap layers --as-of 2026-06-30")]
    Layers(LayersArgs),
    /// Show a layer's definition, or change it: titles, role, key, label, what fields mean, who sees them.
    #[command(subcommand)]
    Layer(LayerCommand),
    /// Show the profile of the city, or change it: names, home grid, time, first view, languages.
    #[command(subcommand)]
    City(CityCommand),
    /// Write a layer to a file; the file's extension chooses the format.
    #[command(after_help = "Examples:\n\
        \x20 citymap export parcels --to parcels.gpkg\n\
        \x20 citymap export parcels --to parcels.shp --crs EPSG:9210 --as-of 12")]
    Export(ExportArgs),
    /// Explain how the features of a filter are found: the index, what was tested, and the time.
    #[command(
        after_help = "Example:\n  citymap explain parcels --where \"loai_dat = 'ODT' AND dien_tich > 100\""
    )]
    Explain(ExplainArgs),
    /// Bake tiles into one PMTiles archive, for `serve --archives`, object storage or any web server.
    ///
    /// The bake can be interrupted at any time: the same command continues where it stopped and gives the
    /// same bytes. Until then finished tiles are kept in `<OUT>.baking`. If the city has changed since, the
    /// command reports it and starts again.
    #[command(after_help = "Examples:\n\
        \x20 citymap bake --zooms 8-16 --out city.pmtiles\n\
        \x20 citymap bake --layers parcels,zones --bbox 106.6,10.7,106.8,10.9")]
    Bake(BakeArgs),
    /// Overlay two layers: what each feature of the first shares with each feature of the second.
    ///
    /// Writes one row for each pair, with its area (or length, or number of points) and its share of both
    /// features. The file's extension chooses the format.
    #[command(after_help = "Examples:\n\
        \x20 citymap overlay parcels zones --out pieces.parquet\n\
        \x20 citymap overlay parcels zones --filter parcels.loai_dat=ODT --no-geometry --out areas.csv")]
    Overlay(OverlayArgs),
    /// Print a map at an exact scale as PDF: one sheet, or a series over an area with an index sheet.
    #[command(after_help = "Examples:\n\
        \x20 citymap print --center 106.698,10.7725 --scale 1000 --out map.pdf\n\
        \x20 citymap print --parcel 26743-12-45 --theme plan --paper A3 --out a3.pdf\n\
        \x20 citymap print --bbox 106.69,10.77,106.71,10.78 --scale 500 --paper A1 --out series.pdf")]
    Print(Box<PrintArgs>),
    /// Say what is planned on parcels: one report (JSON) a line.
    #[command(after_help = "Examples:\n\
        \x20 citymap report 26743-12-45\n\
        \x20 citymap report --all --out reports.ndjson\n\
        \x20 citymap report --all --out reports.ndjson --continue")]
    Report(ReportArgs),
    /// Check the city: what contradicts itself in plans, parcels and rights-of-way, fault by fault.
    ///
    /// Writes one row for each fault, with its place, its reason in both languages and a link. The file's
    /// extension chooses the format.
    ///
    /// Exit code: 0 no faults, 3 faults were found.
    #[command(after_help = "Examples:\n\
        \x20 citymap check parcel-overlaps --out overlaps.geojson\n\
        \x20 citymap check right-of-way --valid-on 2026-06-30 --out cuts.gpkg\n\
        \x20 citymap check zone-overlaps --compare-to 12 --out zones.csv")]
    Check(CheckArgs),
    /// List the revisions, newest first.
    #[command(after_help = "Examples:\n  citymap log -n 5\n  citymap log --layer parcels")]
    Log(LogArgs),
    /// Show what differs between two revisions: features added, changed and removed.
    #[command(after_help = "Examples:\n\
        \x20 citymap diff 11 12\n\
        \x20 citymap diff 2026-06-30 --layer parcels --geojson changes.geojson")]
    Diff(DiffArgs),
    /// Return the city to the state of an earlier revision. This adds a revision, which can itself be rolled
    /// back.
    #[command(after_help = "Example:\n  citymap rollback --to 11 --message \"Wrong file\"")]
    Rollback(RollbackArgs),
    /// Bring a store up to this version of the program: the schemas, tables, triggers and roles of a PostGIS
    /// database, and what the fields of layers mean.
    #[command(after_help = "Example:\n  citymap --store postgres://gis@db/city migrate")]
    Migrate,
    /// Write the whole record, history included, to one GeoPackage file with a checksum of every layer.
    #[command(after_help = "Example:\n  citymap backup city-2026-06-30.gpkg")]
    Backup(BackupArgs),
    /// Make a new store from a backup and compare it with the backup's checksums.
    #[command(after_help = "Example:\n  citymap --store var/new.gpkg restore city-2026-06-30.gpkg")]
    Restore(RestoreArgs),
    /// Repeat in another store the revisions that it lacks: from a file to PostGIS or back.
    #[command(after_help = "Example:\n  citymap copy --to postgres://gis@db/city")]
    Copy(CopyArgs),
    /// Manage webhooks: addresses that are called with each new revision. Running servers notice changes at
    /// once.
    #[command(
        subcommand,
        after_help = "Examples:\n\
        \x20 citymap webhook add https://hotline.example.vn/citymap --layer parcels\n\
        \x20 citymap webhook list"
    )]
    Webhook(WebhookCommand),
    /// Explain what a tile shows and why, or change how a layer is generalised.
    #[command(
        subcommand,
        after_help = "Examples:\n\
        \x20 citymap tiles explain 14/13049/7699 --layers parcels\n\
        \x20 citymap tiles rule parcels --set '{\"detail_zoom\": 14}'"
    )]
    Tiles(TilesCommand),
    /// Check the store and what the program depends on.
    #[command(after_help = "Examples:\n  citymap doctor\n  citymap doctor planning")]
    Doctor(DoctorArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The words of a command line, of which some are quoted.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for letter in line.chars() {
            match (letter, quote) {
                ('\'' | '"', None) => quote = Some(letter),
                (_, Some(end)) if letter == end => quote = None,
                (' ', None) => words.push(String::new()),
                _ => words.last_mut().unwrap().push(letter),
            }
        }
        words
    }

    #[test]
    fn the_examples_of_help_texts_are_valid() {
        let mut tried = 0;
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().map(str::trim).filter(|line| line.starts_with("citymap ")) {
                if let Err(error) = Cli::try_parse_from(words(line)) {
                    panic!("{line}: {error}");
                }
                tried += 1;
            }
        }
        assert!(tried > 20, "{tried} examples");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
