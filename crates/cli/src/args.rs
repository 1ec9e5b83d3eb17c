//! The command line as a whole: what every command takes ([`Global`]) and the list of commands. The arguments
//! of a command are declared beside the function that runs it.

use clap::{Parser, Subcommand};

use crate::{
    backup::{BackupArgs, CopyArgs, RestoreArgs},
    bake::BakeArgs,
    demo::DemoArgs,
    diff::DiffArgs,
    export::ExportArgs,
    global::Global,
    import::ImportArgs,
    layer::LayerCommand,
    layers::LayersArgs,
    log::LogArgs,
    overlay::OverlayArgs,
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
    /// Exit code: 0 all accepted, 1 failed and nothing changed, 2 wrong usage, 3 accepted with rejects.
    Import(Box<ImportArgs>),
    /// Serve the web map, the API and the tiles.
    Serve(Box<ServeArgs>),
    /// Make a synthetic city; the same seed always gives the same bytes.
    Demo(DemoArgs),
    /// List the layers of the store.
    Layers(LayersArgs),
    /// Show a layer's definition, or change it: titles, role, key, label, what fields mean, who sees them.
    #[command(subcommand)]
    Layer(LayerCommand),
    /// Write a layer to a file; the file's extension chooses the format.
    Export(ExportArgs),
    /// Bake tiles into one PMTiles archive, for `serve --archives`, object storage or any web server.
    ///
    /// The bake can be interrupted at any time: the same command continues where it stopped and gives the
    /// same bytes. Until then finished tiles are kept in <OUT>.baking. If the city has changed since, the
    /// command reports it and starts again.
    Bake(BakeArgs),
    /// Overlay two layers: what each feature of the first shares with each feature of the second.
    ///
    /// Writes one row for each pair, with its area (or length, or number of points) and its share of both
    /// features. The file's extension chooses the format.
    Overlay(OverlayArgs),
    /// List the revisions, newest first.
    Log(LogArgs),
    /// Show what differs between two revisions: features added, changed and removed.
    Diff(DiffArgs),
    /// Return the city to the state of an earlier revision. This adds a revision, which can itself be rolled
    /// back.
    Rollback(RollbackArgs),
    /// Bring a store up to this version of the program: the schemas, tables, triggers and roles of a PostGIS
    /// database, and what the fields of layers mean.
    Migrate,
    /// Write the whole record, history included, to one GeoPackage file with a checksum of every layer.
    Backup(BackupArgs),
    /// Make a new store from a backup and compare it with the backup's checksums.
    Restore(RestoreArgs),
    /// Repeat in another store the revisions that it lacks: from a file to PostGIS or back.
    Copy(CopyArgs),
    /// Manage webhooks: addresses that are called with each new revision. Running servers notice changes at
    /// once.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Explain what a tile shows and why, or change how a layer is generalised.
    #[command(subcommand)]
    Tiles(TilesCommand),
    /// Check the store and what the program depends on.
    Doctor,
}
