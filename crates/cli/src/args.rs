//! The command line.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf};

use chrono::NaiveDate;
use citymap_crs::Crs;
use citymap_engine::Bbox;
use citymap_ingest::encoding::Encoding;
use citymap_model::{AsOf, LayerId, Mode, Role, UnknownMode};
use clap::{Args, Parser, Subcommand};

/// A digital city map: imports a city's data, keeps it, and serves it as a web map, as vector
/// tiles and as answers to spatial questions.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Where the city's record is: the path of a GeoPackage file, or a PostGIS database as
    /// postgres://user@host/database (several hosts, a primary and its standbys: host1,host2).
    #[arg(
        long,
        global = true,
        env = "CITYMAP_STORE",
        default_value = "var/city.gpkg",
        hide_env_values = true,
        value_name = "PATH|URL"
    )]
    pub(crate) store: String,

    #[command(flatten)]
    pub(crate) database: DatabaseArgs,

    /// Print results as JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say more of what happens on standard error (twice: much more). CITYMAP_LOG sets it by module.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Connections to a PostGIS database.
#[derive(Debug, Args)]
#[command(next_help_heading = "Database (PostGIS)")]
pub(crate) struct DatabaseArgs {
    /// Bring the database's tables up to this version first (`citymap migrate` does that alone).
    #[arg(long, global = true, env = "CITYMAP_MIGRATE")]
    pub(crate) migrate: bool,

    /// Connections at most.
    #[arg(long, global = true, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..), value_name = "N")]
    pub(crate) db_pool: u32,

    /// Seconds to wait for a connection.
    #[arg(long, global = true, default_value_t = 5.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_connect_timeout: f64,

    /// Seconds that a statement may run; 0 for no bound.
    #[arg(long, global = true, default_value_t = 600.0, value_parser = seconds_or_none, value_name = "SECONDS")]
    pub(crate) db_statement_timeout: f64,

    /// Seconds that an unused connection is kept.
    #[arg(long, global = true, default_value_t = 300.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_idle_timeout: f64,

    /// Seconds that a connection lives at most.
    #[arg(long, global = true, default_value_t = 3_600.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_max_lifetime: f64,

    /// Seconds to wait for another writer.
    #[arg(long, global = true, default_value_t = 5.0, value_parser = seconds, value_name = "SECONDS")]
    pub(crate) db_writer_wait: f64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read data files into layers: all of it as one revision, or nothing.
    ///
    /// Reads Shapefile, GeoPackage, GeoJSON (also newline-delimited), FlatGeobuf, KML, GPX, MapInfo
    /// TAB/MIF, DXF, DGN, CSV (x/y columns or WKT), File Geodatabase and OpenStreetMap PBF.
    /// What was read is what was accepted and what was rejected; each reject is kept, with its
    /// reason, in a GeoPackage.
    ///
    /// Exit code: 0 all accepted, 1 failed and nothing changed, 2 wrong usage, 3 accepted with rejects.
    Import(Box<ImportArgs>),
    /// Serve the web map, the API and the tiles.
    Serve(Box<ServeArgs>),
    /// Make a synthetic city: the same bytes for the same seed.
    Demo(DemoArgs),
    /// List the layers of the store.
    Layers(LayersArgs),
    /// Write a layer to a file; its ending says the format.
    Export(ExportArgs),
    /// Bake tiles into one PMTiles archive, for `serve --archives`, object storage or any web server.
    ///
    /// Killed at any time, the same command goes on where it was, to the same bytes; finished tiles are kept in <OUT>.baking
    /// until then. If the city has changed since, it says so and begins anew.
    Bake(BakeArgs),
    /// Lay one layer on another: what each feature of the first shares with each of the second, with areas (or lengths, or
    /// counts of points) and shares, as a row each of a file; its ending says the format.
    Overlay(OverlayArgs),
    /// List the revisions, newest first.
    Log(LogArgs),
    /// Say what differs between two revisions: features added, changed and removed.
    Diff(DiffArgs),
    /// Make the city what it was at a former revision. That is a revision too, and can be undone like any other.
    Rollback(RollbackArgs),
    /// Bring a PostGIS database up to this version of the program: schemas, tables, triggers, roles.
    Migrate,
    /// Write the whole record, history included, to one GeoPackage file with a checksum of every layer.
    Backup(BackupArgs),
    /// Make a new store of a backup, and compare it with the backup's checksums.
    Restore(RestoreArgs),
    /// Repeat in another store the revisions that it lacks: from a file to PostGIS or back.
    Copy(CopyArgs),
    /// Say who is called with each new revision (webhooks); servers that run take it over.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Say what a tile shows and why, or change how a layer is generalised.
    #[command(subcommand)]
    Tiles(crate::tiles::TilesCommand),
    /// Check the store and what the program stands on.
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Subscribe an address: it gets each revision from the next on, signed.
    Add {
        /// Where to POST to.
        #[arg(value_name = "URL")]
        url: String,

        /// What people call it. Default: the address.
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,

        /// Only revisions that touch this layer (may be given again).
        #[arg(long, value_name = "ID")]
        layer: Vec<LayerId>,

        /// A file with the secret, `whsec_` and base64. Default: one is made, and told this once.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the subscriptions, how far each is and what fails.
    List,
    /// End a subscription.
    Remove {
        /// Its id or name.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Send nothing for a while; it is sent afterwards.
    Pause {
        /// Its id or name.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Go on with a subscription that was paused, or that ended by a 410.
    Resume {
        /// Its id or name.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// List the revisions that were given up after a day of attempts.
    Dead {
        /// Its id or name.
        #[arg(value_name = "ID|NAME")]
        which: String,
    },
    /// Try dead letters once more.
    Retry {
        /// Its id or name.
        #[arg(value_name = "ID|NAME")]
        which: String,

        /// Only this revision.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BakeArgs {
    /// The layers, with commas between; `all` for all.
    #[arg(long, value_delimiter = ',', default_value = "all", value_name = "ID,…")]
    pub(crate) layers: Vec<String>,

    /// The zooms.
    #[arg(long, default_value = "8-16", value_parser = crate::bake::zooms, value_name = "LOW-HIGH")]
    pub(crate) zooms: RangeInclusive<u8>,

    /// Only tiles that meet this box: west, south, east, north in degrees.
    #[arg(long, value_parser = crate::bake::bbox, allow_hyphen_values = true, value_name = "W,S,E,N")]
    pub(crate) bbox: Option<Bbox>,

    /// The archive.
    #[arg(long, default_value = "tiles.pmtiles", value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// How tiles are packed.
    #[arg(long, value_enum, default_value = "gzip")]
    pub(crate) packing: crate::bake::PackingArg,

    /// As it was at a revision: its number, a day (its end) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) as_of: Option<AsOf>,

    /// Forget what an unfinished bake of the same archive has done.
    #[arg(long)]
    pub(crate) anew: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    /// As it was at a revision: its number, a day (its end) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) as_of: Option<AsOf>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How many.
    #[arg(long, short = 'n', default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,

    /// Only those that touched this layer.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The former state: a revision's number, a day (its end) or an instant.
    #[arg(value_name = "FROM")]
    pub(crate) from: AsOf,

    /// The later state. Default: the newest.
    #[arg(value_name = "TO")]
    pub(crate) to: Option<AsOf>,

    /// Only this layer.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,

    /// Write every difference to this file as GeoJSON: each feature as it is now (or was, if removed), with both states' values.
    #[arg(long, value_name = "FILE")]
    pub(crate) geojson: Option<PathBuf>,

    /// Features a layer that are listed.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The state to return to: a revision's number, a day (its end) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) to: AsOf,

    /// Who, for the record.
    #[arg(long, env = "USER", default_value = "citymap")]
    pub(crate) author: String,

    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not be there.
    #[arg(value_name = "FILE.gpkg")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "FILE.gpkg")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The other store: the path of a GeoPackage file (made if it is not there) or a database.
    #[arg(long, value_name = "PATH|URL")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The files (a File Geodatabase is a folder; a .zip is looked into).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The layer's id. Default: from the file's name. A source with several layers makes ID_name of each.
    #[arg(long, value_name = "ID")]
    pub(crate) layer: Option<LayerId>,

    /// What the layer is: parcel, zone, road, building, address, admin_unit, utility, place, report, other.
    #[arg(long)]
    pub(crate) role: Option<Role>,

    /// The coordinate system of the source, over what the file says (EPSG:9210).
    #[arg(long, value_name = "EPSG:n")]
    pub(crate) crs: Option<Crs>,

    /// The encoding of the source's texts, over what the file says or its bytes look like:
    /// utf-8, tcvn3, vni, viscii, vps, cp1258, cp1252.
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,

    /// The field that holds the key. It need not be unique; repeats are reported.
    #[arg(long, value_name = "FIELD")]
    pub(crate) key: Option<String>,

    /// How new features meet those that are there: replace, append, upsert (by key).
    #[arg(long, default_value = "replace", value_parser = import_mode)]
    pub(crate) mode: Mode,

    /// The layer's title for people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// The day whose state the data shows, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    pub(crate) data_date: Option<NaiveDate>,

    /// Who imports, for the record.
    #[arg(long, env = "USER", default_value = "citymap")]
    pub(crate) author: String,

    /// Why, for the record.
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,

    /// Do everything but change the store.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Where rejected features go (GeoPackage). Default: beside the report, else beside the store.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,

    /// The most memory the reading process may take, in MiB; 0 for no bound.
    #[arg(long, default_value_t = 12_288, value_name = "MIB")]
    pub(crate) max_memory: u64,

    /// The longest the import may take, in seconds; 0 for no bound.
    #[arg(long, default_value_t = 14_400, value_name = "SECONDS")]
    pub(crate) max_time: u64,
}

/// A mode that an import may have.
fn import_mode(text: &str) -> Result<Mode, String> {
    let mode = text.parse().map_err(|error: UnknownMode| error.to_string())?;
    if Mode::IMPORT.contains(&mode) { Ok(mode) } else { Err(UnknownMode(text.to_owned()).to_string()) }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", env = "CITYMAP_LISTEN", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,

    /// The address that links in answers begin with, where a proxy says nothing of itself.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Serve the web map from this folder instead of the one built in.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) assets: Option<PathBuf>,

    /// Serve the PMTiles archives of this folder too, or those below an address whose server answers ranges (object storage).
    #[arg(long, env = "CITYMAP_ARCHIVES", value_parser = archives, value_name = "FOLDER|URL")]
    pub(crate) archives: Option<String>,

    /// Let those write over HTTP whom this file names: a line `name:token` each, in a file that nobody else may
    /// read. Without it writing is off.
    #[arg(long, env = "CITYMAP_WRITERS", value_name = "FILE")]
    pub(crate) writers: Option<PathBuf>,

    /// Where the layers are kept as they lie in memory, so that the next start takes half a second: a folder of the server's own,
    /// or `off`. By default beside a GeoPackage (`city.gpkg.snapshot`), for a database in the user's cache folder.
    #[arg(long, value_name = "FOLDER|off")]
    pub(crate) snapshots: Option<PathBuf>,

    /// Keep results of jobs (overlays over HTTP) below this folder. Default: the system's folder for temporary files.
    #[arg(long, value_name = "FOLDER", help_heading = "Jobs")]
    pub(crate) jobs_dir: Option<PathBuf>,

    /// Jobs that may wait while one runs; beyond it the answer is 503 with Retry-After.
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Jobs")]
    pub(crate) jobs_waiting: usize,

    /// Seconds that a job's result is kept.
    #[arg(long, default_value_t = 3_600.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Jobs")]
    pub(crate) jobs_keep: f64,

    /// Bytes that the results of all jobs may have.
    #[arg(long, default_value_t = 4 << 30, value_name = "BYTES", help_heading = "Jobs")]
    pub(crate) jobs_bytes: u64,

    /// Leave the calling of webhooks to other servers.
    #[arg(long, help_heading = "Webhooks")]
    pub(crate) no_webhooks: bool,

    /// Seconds that a receiver of a webhook may take to answer.
    #[arg(long, default_value_t = 10.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Webhooks")]
    pub(crate) webhook_timeout: f64,

    /// Hours after the first failure when a revision is given up for a receiver and becomes a dead letter.
    #[arg(long, default_value_t = 24.0, value_parser = seconds, value_name = "HOURS", help_heading = "Webhooks")]
    pub(crate) webhook_give_up: f64,

    /// Features a page of /items at most.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) items_limit_max: usize,

    /// Features a page of /items where the request does not say.
    #[arg(long, default_value_t = 10, value_name = "N", help_heading = "Limits")]
    pub(crate) items_limit_default: usize,

    /// Metres that /api/near looks around at most.
    #[arg(long, default_value_t = 5_000.0, value_name = "METRES", help_heading = "Limits")]
    pub(crate) near_distance_max: f64,

    /// Features that /api/near gives at most.
    #[arg(long, default_value_t = 1_000, value_name = "N", help_heading = "Limits")]
    pub(crate) near_limit_max: usize,

    /// Features a layer that /api/at gives at most.
    #[arg(long, default_value_t = 20, value_name = "N", help_heading = "Limits")]
    pub(crate) at_limit: usize,

    /// Metres of tolerance that /api/at takes at most.
    #[arg(long, default_value_t = 500.0, value_name = "METRES", help_heading = "Limits")]
    pub(crate) at_tolerance_max: f64,

    /// Vertices of an area given to /api/within at most.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) within_vertices_max: usize,

    /// Features a layer that /api/within lists at most.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) within_limit_max: usize,

    /// Answers of /api/search at most.
    #[arg(long, default_value_t = 50, value_name = "N", help_heading = "Limits")]
    pub(crate) search_limit_max: usize,

    /// Bytes of a request's body at most.
    #[arg(long, default_value_t = 2 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) body_max: usize,

    /// Bytes of a request's path and query at most.
    #[arg(long, default_value_t = 8 << 10, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) url_max: usize,

    /// Seconds that a request may take.
    #[arg(long, default_value_t = 30.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) request_timeout: f64,

    /// Seconds that a client may take to send a request's head, and a connection may lie idle.
    #[arg(long, default_value_t = 20.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) header_timeout: f64,

    /// Open connections at most.
    #[arg(long, default_value_t = 4_096, value_name = "N", help_heading = "Limits")]
    pub(crate) connections_max: usize,

    /// Questions and tiles worked on at once. Default: the machine's processors and one more.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..), value_name = "N", help_heading = "Limits")]
    pub(crate) max_concurrent: Option<u16>,

    /// Questions and tiles that may wait; beyond it the answer is 503 with Retry-After.
    #[arg(long, default_value_t = 256, value_name = "N", help_heading = "Limits")]
    pub(crate) queue: usize,

    /// Large questions (areas of whole districts, tiles of the whole city) worked on at once, at low priority.
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Limits")]
    pub(crate) large_max: usize,

    /// Large questions that may wait, and as many jobs; beyond it the answer is 503 with Retry-After.
    #[arg(long, default_value_t = 32, value_name = "N", help_heading = "Limits")]
    pub(crate) large_queue: usize,

    /// Bytes of encoded tiles kept; 0 keeps none.
    #[arg(long, default_value_t = 256 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) tile_cache: u64,

    /// Layers in one tile at most.
    #[arg(long, default_value_t = 64, value_name = "N", help_heading = "Limits")]
    pub(crate) tile_layers_max: usize,

    /// Seconds that running requests may go on after the signal to stop.
    #[arg(long, default_value_t = 10.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) shutdown_grace: f64,

    /// Seconds between two looks at the store where nothing wakes the server, and its nap while the store is away.
    #[arg(long, default_value_t = 0.5, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) refresh_interval: f64,

    /// Seconds that a read waits for the `min-revision` that it asks for.
    #[arg(long, default_value_t = 5.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) min_revision_wait: f64,

    /// Open streams of /api/events at most.
    #[arg(long, default_value_t = 1_000, value_name = "N", help_heading = "Limits")]
    pub(crate) event_streams_max: usize,

    /// Seconds that a stream of events is silent at most before it says that it still stands.
    #[arg(long, default_value_t = 15.0, value_parser = seconds, value_name = "SECONDS", help_heading = "Limits")]
    pub(crate) event_heartbeat: f64,

    /// Vertices that the geometry of one edit has at most.
    #[arg(long, default_value_t = 20_000, value_name = "N", help_heading = "Limits")]
    pub(crate) edit_vertices_max: usize,

    /// Edits in one batch (POST /api/changes) at most.
    #[arg(long, default_value_t = 10_000, value_name = "N", help_heading = "Limits")]
    pub(crate) batch_edits_max: usize,

    /// Bytes of a batch's body at most.
    #[arg(long, default_value_t = 32 << 20, value_name = "BYTES", help_heading = "Limits")]
    pub(crate) batch_max: usize,

    /// Requests that write at once; the record takes one after the other, the rest prepare.
    #[arg(long, default_value_t = 4, value_name = "N", help_heading = "Limits")]
    pub(crate) writers_max: usize,
}

/// A folder that is there, or an address.
fn archives(text: &str) -> Result<String, String> {
    let address = text.starts_with("http://") || text.starts_with("https://");
    if address || std::path::Path::new(text).is_dir() {
        Ok(text.to_owned())
    } else {
        Err("it is neither a folder nor an http:// or https:// address".to_owned())
    }
}

/// A number of seconds that a duration can hold.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.001..=1e9).contains(&value) => Ok(value),
        _ => Err("give a number of seconds from 0.001 on".to_owned()),
    }
}

/// As [`seconds`], and 0.
fn seconds_or_none(text: &str) -> Result<f64, String> {
    if text == "0" { Ok(0.0) } else { seconds(text) }
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many parcels.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(100..=5_000_000))]
    pub(crate) parcels: u32,

    /// Which city: the same seed makes the same one.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The layer.
    #[arg(value_name = "LAYER")]
    pub(crate) layer: LayerId,

    /// The file: .gpkg, .geojson, .geojsonl, .shp, .fgb, .csv, .kml, .tab, .dxf.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,

    /// As it was at a revision: its number, a day (its end) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) as_of: Option<AsOf>,

    /// The coordinate system to write. Default: EPSG:4326.
    #[arg(long, value_name = "EPSG:n")]
    pub(crate) crs: Option<Crs>,
}

#[derive(Debug, Args)]
pub(crate) struct OverlayArgs {
    /// The first layer, parcels for instance.
    #[arg(value_name = "LAYER")]
    pub(crate) first: LayerId,

    /// The second layer, zones for instance. One of the two has polygons.
    #[arg(value_name = "LAYER")]
    pub(crate) second: LayerId,

    /// The file: .parquet (GeoParquet), .gpkg or .csv. It must not be there.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Only features of the first layer that share a point with the polygon in this GeoJSON file; they are not cut by it.
    #[arg(long, value_name = "FILE")]
    pub(crate) within: Option<PathBuf>,

    /// Only this feature of the first layer, by its id.
    #[arg(long, value_name = "ID")]
    pub(crate) feature: Option<String>,

    /// Only features of a layer whose field has this value (may be given again; an empty value finds those without one).
    #[arg(long, value_name = "LAYER.FIELD=VALUE")]
    pub(crate) filter: Vec<String>,

    /// Write the pieces' shapes too (the default).
    #[arg(long, default_value_t = true, overrides_with = "no_geometry")]
    pub(crate) geometry: bool,

    /// Leave the shapes out: figures only, which is much faster.
    #[arg(long)]
    pub(crate) no_geometry: bool,

    /// As it was at a revision: its number, a day (its end) or an instant.
    #[arg(long, value_name = "REVISION|DATE")]
    pub(crate) as_of: Option<AsOf>,

    /// Leave out pieces of no more than so many square metres (or metres).
    #[arg(long, default_value_t = 1e-6, value_name = "M2")]
    pub(crate) min_area: f64,

    /// Begin a .csv with a byte order mark, so that Excel reads it as UTF-8.
    #[arg(long)]
    pub(crate) excel: bool,
}
